//! Bodies of pushes, whole, cut and cut off.

use mantel_media::{
    annexb::Splitter,
    inlet::{Inlet, InletError, Kind, Refused, Sample},
};

const ROW: &[u8] = include_bytes!("../samples/ffmpeg.mjpeg");
const PARTS: &[u8] = include_bytes!("../samples/ffmpeg.mpjpeg");
const GST: &[u8] = include_bytes!("../samples/gstreamer.multipart");
const ONE: &[u8] = include_bytes!("../samples/gstreamer.jpg");
const H264: &[u8] = include_bytes!("../samples/x264-live.h264");
const PNG: &[u8] = include_bytes!("../samples/ffmpeg-png.image2pipe");

type Outcome = (Vec<Sample>, Result<(), InletError>);

fn read<'a>(content_type: Option<&str>, chunks: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let mut samples = Vec::new();
    let mut inlet = Inlet::with_limit(content_type, None, 1 << 20).taking_h264();
    let run = || {
        for chunk in chunks {
            let mut input = chunk;
            while let Some(sample) = inlet.next(&mut input)? {
                samples.push(sample);
            }
        }
        while let Some(sample) = inlet.finish()? {
            samples.push(sample);
        }
        Ok(())
    };
    let end = run();
    (samples, end)
}

fn esp32() -> Vec<u8> {
    let head = format!(
        "\r\n--123\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\
         X-Timestamp: 12.000345\r\nX-Caption: a%20b\r\nX-Duration-Ms: 700\r\n\r\n",
        ONE.len()
    );
    [head.as_bytes(), ONE, head.as_bytes(), ONE].concat()
}

#[test]
fn every_sender_is_read_however_it_is_cut() {
    let esp32 = esp32();
    for (body, n, kind) in [
        (ROW, 3, Kind::Jpeg),
        (PARTS, 3, Kind::Jpeg),
        (GST, 2, Kind::Jpeg),
        (ONE, 1, Kind::Jpeg),
        (PNG, 1, Kind::Png),
        (&esp32, 2, Kind::Jpeg),
    ] {
        let whole = read(None, [body]);
        assert_eq!(whole.1, Ok(()));
        assert_eq!(whole.0.len(), n);
        assert!(whole.0.iter().all(|sample| sample.kind == kind));
        for at in 0..=body.len() {
            let (one, two) = body.split_at(at);
            assert_eq!(read(None, [one, two]), whole, "cut at {at}");
        }
        assert_eq!(read(None, body.chunks(1)), whole);
        for end in 0..body.len() {
            let cut = read(None, [&body[..end]]);
            let (one, two) = body[..end].split_at(end / 2);
            assert_eq!(read(None, [one, two]), cut, "ends at {end}");
            assert!(
                kind == Kind::Png || cut.0[..] == whole.0[..cut.0.len()],
                "{end}"
            );
        }
    }
}

#[test]
fn units_of_h264_are_those_of_the_stream_wherever_it_is_cut_and_begins() {
    let units = |body: &[u8]| {
        let (mut splitter, mut input, mut units) = (Splitter::new(1 << 20), body, Vec::new());
        while let Some(unit) = splitter.next(&mut input).unwrap() {
            units.push(unit.annexb().to_vec());
        }
        units.extend(splitter.flush().map(|unit| unit.annexb().to_vec()));
        units
    };
    let whole = read(None, [H264]);
    let (samples, end) = &whole;
    assert_eq!(*end, Ok(()));
    let bytes: Vec<_> = samples.iter().map(|sample| sample.bytes.clone()).collect();
    assert_eq!(bytes, units(H264));
    assert!(samples.len() > 3);
    assert_eq!(samples[0].kind, Kind::H264 { is_key: true });
    for at in 0..=H264.len() {
        let (one, two) = H264.split_at(at);
        assert_eq!(read(None, [one, two]), whole, "cut at {at}");
        // Cut off, or begun in the middle: whatever it is, it is the same by bytes.
        assert_eq!(read(None, one.chunks(1)), read(None, [one]), "ends at {at}");
        assert_eq!(
            read(Some("video/h264"), two.chunks(1)),
            read(Some("video/h264"), [two]),
            "begins at {at}"
        );
        let cut = read(None, [one]).0;
        let n = cut.len().saturating_sub(1);
        assert_eq!(cut[..n], samples[..n], "ends at {at}");
    }
    // Its own length of start codes.
    let short: Vec<u8> = H264[1..].to_vec();
    assert_eq!(read(None, [&short[..]]), whole);
}

#[test]
fn memory_that_is_given_is_used_and_changes_nothing() {
    let esp32 = esp32();
    for (body, is_row) in [
        (ROW, true),
        (PARTS, false),
        (GST, false),
        (ONE, true),
        (PNG, false),
        (&esp32[..], false),
    ] {
        let (whole, _) = read(None, [body]);
        for n_bytes in [1, 7, body.len()] {
            let (mut inlet, mut samples, mut given) = (Inlet::new(None, None), Vec::new(), None);
            for mut input in body.chunks(n_bytes) {
                // Where a picture has begun it is not taken, and where none has, what is in it goes.
                if is_row && inlet.is_inside() {
                    inlet.reuse(vec![0xff; 100]);
                }
                while let Some(sample) = inlet.next(&mut input).unwrap() {
                    if let Some(given) = given {
                        assert_eq!(sample.bytes.as_ptr(), given);
                    }
                    samples.push(sample);
                    let mut memory = Vec::with_capacity(1 << 20);
                    memory.extend_from_slice(&[0xd8; 999]);
                    given = Some(memory.as_ptr());
                    inlet.reuse(memory);
                }
            }
            while let Some(sample) = inlet.finish().unwrap() {
                samples.push(sample);
            }
            assert_eq!(samples, whole);
        }
    }
}

#[test]
fn what_parts_say_is_read() {
    let (samples, end) = read(
        Some("multipart/x-mixed-replace;boundary=123"),
        [&esp32()[..]],
    );
    assert_eq!((samples.len(), end), (2, Ok(())));
    assert_eq!(samples[0].bytes, ONE);
    assert_eq!(samples[0].caption.as_deref(), Some("a b"));
    assert_eq!(samples[0].timestamp.unwrap().micros, 345);
    assert_eq!(samples[0].duration_millis, Some(700));
}

#[test]
fn what_is_refused_has_its_status() {
    let status = |content_type, body: &[u8]| read(content_type, [body]).1.unwrap_err().status();
    assert_eq!(status(None, b""), 400);
    assert_eq!(status(None, b"\0\0\0\x01\x67"), 400);
    assert_eq!(status(None, b"hello, world"), 415);
    assert_eq!(status(None, b"--\r\n"), 400);
    assert_eq!(status(None, &ONE[..ONE.len() - 1]), 400);
    assert_eq!(status(Some("image/x-rgb8; width=2"), b""), 400);
    let size = "image/x-rgb8; width=4294967295; height=4294967295";
    assert_eq!(status(Some(size), b""), 413);
    let long = b"--b\r\nContent-Length: 99999999999\r\n\r\n";
    assert_eq!(status(None, long), 413);
    // H.265 by its first units: parameters of the video, of the sequence, a delimiter.
    for first in [0x40, 0x42, 0x46] {
        let body = [0, 0, 0, 1, first, 1, 0xc, 1];
        let refused = read(None, [&body[..]]).1;
        assert_eq!(refused, Err(InletError::Refused(Refused::AnnexB)));
    }
    let mut input = H264;
    let refused = Inlet::new(None, None).next(&mut input).unwrap_err();
    assert_eq!(refused, InletError::Refused(Refused::H264));
    assert_eq!(refused.status(), 415);
}

#[test]
fn raw_pixels_fit_their_size() {
    let kind = Some("image/x-rgb8; width=2; height=1");
    assert_eq!(read(kind, [&b"abcdef"[..]]).0[0].bytes, b"abcdef");
    for bad in [&b"abcde"[..], b"abcdefg"] {
        assert_eq!(
            read(kind, [bad]).1,
            Err(InletError::RawLength { wanted: 6 })
        );
    }
}
