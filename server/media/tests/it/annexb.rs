//! Access units: the same from every cut, and each fault told and survived.

use mantel_media::annexb::{AnnexbError, AnnexbErrorKind, NalKind, Splitter, Unit, split};

const SLICES: &[u8] = include_bytes!("../samples/x264-slices.h264");
const LIVE: &[u8] = include_bytes!("../samples/x264-live.h264");

type Outcome = (Vec<Unit>, Vec<AnnexbError>, u64);

fn units<'a>(max_bytes: usize, chunks: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let mut splitter = Splitter::new(max_bytes);
    let (mut units, mut errors) = (Vec::new(), Vec::new());
    for mut chunk in chunks {
        loop {
            match splitter.next(&mut chunk) {
                Ok(Some(unit)) => units.push(unit),
                Ok(None) => break,
                Err(error) => errors.push(error),
            }
        }
        assert!(chunk.is_empty());
    }
    units.extend(splitter.flush());
    (units, errors, splitter.n_skipped_bytes())
}

#[test]
fn a_stream_is_its_pictures_however_it_is_cut() {
    for (stream, n, n_keys) in [(SLICES, 6, 2), (LIVE, 4, 2)] {
        let whole = units(1 << 20, [stream]);
        assert_eq!((whole.0.len(), &whole.1[..]), (n, &[][..]));
        assert_eq!(whole.0.iter().filter(|unit| unit.is_key()).count(), n_keys);
        for at in 0..=stream.len() {
            let (one, two) = stream.split_at(at);
            assert_eq!(units(1 << 20, [one, two]), whole, "cut at {at}");
        }
        assert_eq!(units(1 << 20, stream.chunks(1)), whole);
    }
}

#[test]
fn every_truncation_keeps_the_whole_pictures() {
    let whole = units(1 << 20, [SLICES]).0;
    for end in 0..SLICES.len() {
        let (got, _, _) = units(1 << 20, [&SLICES[..end]]);
        let n_whole = got.len().saturating_sub(1);
        assert_eq!(got[..n_whole], whole[..n_whole], "{end}");
    }
}

#[test]
fn a_stream_that_begins_in_the_middle_begins_at_its_parameter_set() {
    let whole = units(1 << 20, [LIVE]).0;
    let (got, errors, skipped) = units(1 << 20, [&LIVE[60..]]);
    assert_eq!((&got[..], errors.len()), (&whole[2..], 0));
    assert!(skipped > 0);
}

#[test]
fn both_ways_to_split_find_the_same() {
    let (units, _, _) = units(1 << 20, [LIVE]);
    let nals: Vec<_> = units.iter().flat_map(Unit::nals).collect();
    assert_eq!(nals, split(LIVE).collect::<Vec<_>>());
    // A sample has the slices alone.
    let slice = units[1].nals().next().unwrap().bytes();
    let length = u32::try_from(slice.len()).unwrap().to_be_bytes();
    assert_eq!(units[1].sample(), [&length[..], slice].concat());
}

#[test]
fn a_fault_is_told_where_it_is_and_costs_what_it_says() {
    let kinds = |stream: &[u8], max_bytes| {
        let whole = units(max_bytes, [stream]);
        assert_eq!(units(max_bytes, stream.chunks(1)), whole);
        let kinds = whole.1.iter().map(|e| (e.kind, e.at)).collect::<Vec<_>>();
        (whole.0.len(), kinds)
    };
    let head = b"\0\0\x01\x67\x42\0\0\x01\x65\x80";
    for (fault, kind) in [
        (&b"\0\0\x01\0\0\x01\x41\x9a"[..], AnnexbErrorKind::Empty),
        (
            b"\0\0\x01\xc1\x9a\0\0\x01\x41\x9a",
            AnnexbErrorKind::Forbidden,
        ),
        (
            b"\0\0\x01\x41\x9a\0\0\0\x07\0\0\x01\x41\x9a",
            AnnexbErrorKind::Zeroes,
        ),
    ] {
        let stream = [&head[..], fault].concat();
        let at = head.len() as u64 + 3;
        assert_eq!(kinds(&stream, 1 << 20), (2, vec![(kind, at)]), "{kind:?}");
    }
    let long = [&head[..], &[7; 100], head].concat();
    let too_long = AnnexbErrorKind::TooLong { max_bytes: 64 };
    assert_eq!(kinds(&long, 64), (1, vec![(too_long, 8)]));
    assert_eq!(NalKind::from_header(0x67), NalKind::Sps);
}
