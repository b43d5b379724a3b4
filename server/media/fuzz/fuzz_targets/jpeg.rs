//! Rows of JPEGs: no cut makes a difference, no byte is lost, and what is cleaned is clean.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mantel_media::jpeg::{Head, Splitter, cleaned};

type Outcome = (Vec<Vec<u8>>, u64, u64, bool);

fn split<'a>(chunks: impl Iterator<Item = &'a [u8]>) -> Option<Outcome> {
    let mut splitter = Splitter::new(300);
    let mut pictures = Vec::new();
    for mut chunk in chunks {
        while let Some(picture) = splitter.next(&mut chunk).ok()? {
            assert!(picture.len() <= 300);
            pictures.push(picture);
        }
    }
    let inside = splitter.is_inside();
    Some((
        pictures,
        splitter.n_skipped_bytes(),
        splitter.n_given_up(),
        inside,
    ))
}

fuzz_target!(|stream: &[u8]| {
    let whole = split(std::iter::once(stream));
    assert_eq!(split(stream.chunks(1)), whole);
    assert_eq!(split(stream.chunks(7)), whole);
    if let Ok(clean) = cleaned(stream) {
        let (before, after) = (Head::parse(stream).unwrap(), Head::parse(&clean).unwrap());
        assert_eq!((before.width, before.height), (after.width, after.height));
        assert!(!after.has_exif && !after.has_comment && !after.has_more_pictures);
        assert_eq!(cleaned(&clean).unwrap(), clean);
    }
});
