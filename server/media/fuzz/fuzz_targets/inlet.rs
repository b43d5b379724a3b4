//! Bodies of pushes: no cut makes a difference, and no picture is longer than the limit.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mantel_media::inlet::{Inlet, InletError, Sample};

const TYPES: [Option<&str>; 4] = [
    None,
    Some("image/jpeg"),
    Some("multipart/x-mixed-replace;boundary=b"),
    Some("image/x-rgb8; width=3; height=2"),
];

fn read<'a>(
    takes_h264: bool,
    content_type: Option<&str>,
    chunks: impl Iterator<Item = &'a [u8]>,
) -> (Vec<Sample>, Result<(), InletError>) {
    let mut inlet = Inlet::with_limit(content_type, None, 300);
    if takes_h264 {
        inlet = inlet.taking_h264();
    }
    let mut samples = Vec::new();
    let run = || {
        for mut chunk in chunks {
            while let Some(sample) = inlet.next(&mut chunk)? {
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

fuzz_target!(|case: (u8, &[u8])| {
    let (kind, body) = case;
    let content_type = TYPES[usize::from(kind) % TYPES.len()];
    let takes_h264 = kind & 0x80 != 0;
    let whole = read(takes_h264, content_type, std::iter::once(body));
    assert!(whole.0.iter().all(|sample| sample.bytes.len() <= 300));
    assert_eq!(read(takes_h264, content_type, body.chunks(1)), whole);
    assert_eq!(read(takes_h264, content_type, body.chunks(7)), whole);
});
