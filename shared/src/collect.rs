//! Whole parts, for callers that want them: bodies are copied into memory here, and nowhere else.

use alloc::{collections::VecDeque, vec::Vec};

use crate::{Boundary, DecodeError, Decoder, Event, Limits, PartHead};

/// The limit of memory set aside for a body because its Content-Length says so, in bytes; beyond
/// that, memory grows with the bytes that have really come.
const MAX_BYTES_ON_TRUST: u64 = 64 << 10;

/// A complete part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// The part's head.
    pub head: PartHead,
    /// The part's body.
    pub body: Vec<u8>,
}

/// A [`Decoder`] that puts parts together. Push chunks, and take the parts after each: parts that
/// are not taken stay in memory.
#[derive(Clone, Debug)]
pub struct Collector {
    decoder: Decoder,
    /// The part that is coming, as far as it has.
    coming: Option<Part>,
    complete: VecDeque<Part>,
    closed: bool,
}

impl Collector {
    /// Makes a collector for a stream whose Content-Type announces `boundary`; see
    /// [`Decoder::new`].
    pub fn new(boundary: Boundary, limits: Limits) -> Self {
        Self {
            decoder: Decoder::new(boundary, limits),
            coming: None,
            complete: VecDeque::new(),
            closed: false,
        }
    }

    /// Reads a chunk. After an error, the parts before it can still be taken.
    ///
    /// # Errors
    ///
    /// Those of [`Decoder::next`].
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), DecodeError> {
        let mut input = chunk;
        while let Some(event) = self.decoder.next(&mut input)? {
            match event {
                Event::Head(head) => {
                    let n = head.content_length.unwrap_or(0).min(MAX_BYTES_ON_TRUST);
                    let body = Vec::with_capacity(usize::try_from(n).unwrap_or(0));
                    self.coming = Some(Part { head, body });
                }
                Event::Body(piece) => {
                    if let Some(part) = &mut self.coming {
                        part.body.extend_from_slice(piece);
                    }
                }
                Event::PartEnd => self.complete.extend(self.coming.take()),
                Event::Close => self.closed = true,
            }
        }
        Ok(())
    }

    /// Tells the collector that the stream has ended, which may complete a last part.
    ///
    /// # Errors
    ///
    /// Those of [`Decoder::finish`].
    pub fn finish(&mut self) -> Result<(), DecodeError> {
        while let Some(event) = self.decoder.finish()? {
            match event {
                Event::PartEnd => self.complete.extend(self.coming.take()),
                Event::Close => self.closed = true,
                Event::Head(_) | Event::Body(_) => {}
            }
        }
        Ok(())
    }

    /// Takes the oldest complete part.
    pub fn take(&mut self) -> Option<Part> {
        self.complete.pop_front()
    }

    /// The part whose head has come and whose body has not, or not all of it: after an advance
    /// head, what the sender has promised.
    pub fn coming(&self) -> Option<&Part> {
        self.coming.as_ref()
    }

    /// Whether the close-delimiter has come.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// The number of bytes of the stream that have come.
    pub fn offset(&self) -> u64 {
        self.decoder.offset()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Encoder;

    #[test]
    fn a_length_takes_no_memory_before_its_bytes_come() {
        let mut collector = Collector::new(Boundary::new("b").unwrap(), Limits::default());
        let head = PartHead::jpeg(Limits::default().body_bytes);
        let mut wire = b"--b\r\n".to_vec();
        head.write(&mut wire);
        collector.push(&wire).unwrap();
        let part = collector.coming().unwrap();
        assert_eq!(part.head, head);
        assert!(part.body.capacity() <= 64 << 10, "{}", part.body.capacity());
    }

    #[test]
    fn parts_come_in_order_and_those_before_an_error_stay() {
        let boundary = Boundary::default();
        let encoder = Encoder::new(&boundary);
        let mut wire = encoder.opening().to_vec();
        for body in [&b"one"[..], b"", b"three"] {
            wire.extend(encoder.part(&PartHead::jpeg(0), body));
        }
        wire.extend(b"no header\r\n\r\n");
        let mut collector = Collector::new(boundary, Limits::default());
        let error = collector.push(&wire).unwrap_err();
        assert_eq!(collector.push(b"more"), Err(error));
        let bodies: Vec<_> = core::iter::from_fn(|| collector.take())
            .map(|p| p.body)
            .collect();
        assert_eq!(bodies, [&b"one"[..], b"", b"three"]);
    }

    #[test]
    fn the_end_of_the_stream_completes_a_part_and_closes() {
        for (wire, closed) in [
            (&b"--b\r\n\r\nx\r\n--b"[..], false),
            (b"--b\r\n\r\nx\r\n--b--", true),
        ] {
            let mut collector = Collector::new(Boundary::new("b").unwrap(), Limits::default());
            for byte in wire {
                collector.push(core::slice::from_ref(byte)).unwrap();
            }
            collector.finish().unwrap();
            assert_eq!(collector.take().unwrap().body, b"x");
            assert_eq!(
                (collector.is_closed(), collector.offset()),
                (closed, wire.len() as u64)
            );
        }
    }
}
