//! Outcomes of decoding a stream, in a form that can be compared. No expectations here.

use mantel_shared::{Boundary, DecodeError, Decoder, Event, Limits, PartHead};

/// A part, as far as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) head: PartHead,
    pub(crate) body: Vec<u8>,
    pub(crate) complete: bool,
}

/// The parts, the error and the offset that a decoder gives for a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) parts: Vec<Piece>,
    pub(crate) closed: bool,
    pub(crate) end: Result<(), DecodeError>,
}

impl Outcome {
    pub(crate) fn new() -> Self {
        Self {
            parts: Vec::new(),
            closed: false,
            end: Ok(()),
        }
    }

    fn take(&mut self, event: Event<'_>) {
        assert!(!self.closed, "nothing comes after the close-delimiter");
        let last = self.parts.last_mut().filter(|part| !part.complete);
        match (event, last) {
            (Event::Head(head), None) => {
                self.parts.push(Piece {
                    head,
                    body: Vec::new(),
                    complete: false,
                });
            }
            (Event::Body(piece), Some(part)) => {
                assert!(!piece.is_empty(), "no piece is empty");
                part.body.extend_from_slice(piece);
            }
            (Event::PartEnd, Some(part)) => part.complete = true,
            (Event::Close, None) => self.closed = true,
            (event, last) => panic!("{event:?} while the last part is {last:?}"),
        }
    }
}

/// Feeds `chunks`, then the end of the stream, and holds the decoder to its contract meanwhile.
pub(crate) fn decode<'a>(
    boundary: &Boundary,
    limits: Limits,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> Outcome {
    let mut outcome = Outcome::new();
    outcome.end = run(boundary, limits, chunks, &mut outcome);
    outcome
}

fn run<'a>(
    boundary: &Boundary,
    limits: Limits,
    chunks: impl IntoIterator<Item = &'a [u8]>,
    outcome: &mut Outcome,
) -> Result<(), DecodeError> {
    let mut decoder = Decoder::new(boundary.clone(), limits);
    let mut n_fed = 0;
    for chunk in chunks {
        let mut input = chunk;
        loop {
            match decoder.next(&mut input) {
                Ok(Some(event)) => outcome.take(event),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(decoder.next(&mut &b"more"[..]), Err(error), "errors stay");
                    assert_eq!(decoder.finish(), Err(error), "errors stay");
                    return Err(error);
                }
            }
        }
        assert!(input.is_empty(), "all input is taken");
        n_fed += chunk.len() as u64;
        assert_eq!(decoder.offset(), n_fed);
    }
    while let Some(event) = decoder.finish()? {
        outcome.take(event);
    }
    assert_eq!(decoder.finish(), Ok(None));
    Ok(())
}

/// Cuts `stream` into chunks of `lengths`, again and again.
pub(crate) fn cut<'a>(stream: &'a [u8], lengths: &[usize]) -> Vec<&'a [u8]> {
    let mut rest = stream;
    let mut chunks = Vec::new();
    for &length in lengths.iter().cycle() {
        if rest.is_empty() || lengths.iter().all(|&n| n == 0) {
            break;
        }
        let (chunk, after) = rest.split_at(length.min(rest.len()));
        chunks.push(chunk);
        rest = after;
    }
    chunks.push(rest);
    chunks
}

/// How often a property is tried. A failing case is printed, and becomes a test of its own, so no
/// file of cases is written into the tree.
pub(crate) fn cases(cases: u32) -> proptest::prelude::ProptestConfig {
    proptest::prelude::ProptestConfig {
        cases,
        failure_persistence: None,
        ..Default::default()
    }
}
