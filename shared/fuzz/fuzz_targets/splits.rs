//! Any bytes, cut in any way, say what they say uncut, and nothing outgrows its limit.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mantel_shared::{Boundary, DecodeError, Decoder, Event, Limits, PartHead};

const LIMITS: Limits = Limits {
    head_bytes: 200,
    head_lines: 5,
    body_bytes: 300,
    preamble_bytes: 100,
    padding_bytes: 20,
};

/// Small numbers of boundaries and chunk lengths, then the stream.
#[derive(Debug, arbitrary::Arbitrary)]
struct Case<'a> {
    boundary: u8,
    lengths: [u8; 6],
    stream: &'a [u8],
}

#[derive(Debug, PartialEq)]
enum Seen {
    Head(PartHead),
    Body(Vec<u8>),
    PartEnd,
    Close,
    Error(DecodeError),
}

fn see<'a>(boundary: &Boundary, chunks: impl Iterator<Item = &'a [u8]>) -> Vec<Seen> {
    let mut seen = Vec::new();
    if let Err(error) = run(boundary, chunks, &mut seen) {
        seen.push(Seen::Error(error));
    }
    seen
}

fn run<'a>(
    boundary: &Boundary,
    chunks: impl Iterator<Item = &'a [u8]>,
    seen: &mut Vec<Seen>,
) -> Result<(), DecodeError> {
    let mut decoder = Decoder::new(boundary.clone(), LIMITS);
    for chunk in chunks {
        let mut input = chunk;
        while let Some(event) = decoder.next(&mut input)? {
            match (event, seen.last_mut()) {
                (Event::Body(piece), Some(Seen::Body(body))) => body.extend_from_slice(piece),
                (Event::Body(piece), _) => seen.push(Seen::Body(piece.to_vec())),
                (Event::Head(head), _) => seen.push(Seen::Head(head)),
                (Event::PartEnd, _) => seen.push(Seen::PartEnd),
                (Event::Close, _) => seen.push(Seen::Close),
            }
            if let Some(Seen::Body(body)) = seen.last() {
                assert!(body.len() as u64 <= LIMITS.body_bytes);
            }
        }
        assert!(input.is_empty());
    }
    while let Some(event) = decoder.finish()? {
        seen.push(match event {
            Event::PartEnd => Seen::PartEnd,
            Event::Close => Seen::Close,
            other => panic!("{other:?} at the end"),
        });
    }
    Ok(())
}

fuzz_target!(|case: Case<'_>| {
    let boundaries = ["b", "--b", "frame", "--", "-", "a b", "---", "--myboundary"];
    let boundary =
        Boundary::new(boundaries[usize::from(case.boundary) % boundaries.len()]).unwrap();
    let whole = see(&boundary, std::iter::once(case.stream));
    assert_eq!(see(&boundary, case.stream.chunks(1)), whole);
    let mut rest = case.stream;
    let mut lengths = case.lengths.iter().cycle();
    let all_zero = case.lengths.iter().all(|&n| n == 0);
    let cut = std::iter::from_fn(|| {
        if rest.is_empty() {
            return None;
        }
        let n = if all_zero {
            rest.len()
        } else {
            usize::from(*lengths.next()?)
        };
        let (chunk, after) = rest.split_at(n.min(rest.len()));
        rest = after;
        Some(chunk)
    });
    assert_eq!(see(&boundary, cut), whole);
});
