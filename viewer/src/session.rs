//! One connection to `/bytes`: chunks in, whole parts out.
//!
//! Framing and limits are mantel-shared's; here bodies are put together and each part gets the
//! instant at which it began to arrive. Never a request and never a decision about pictures.

use std::fmt;

use mantel_shared::{Boundary, DecodeError, Decoder, Event, Limits, PartHead};

use crate::{clock::Local, player::Fingerprint};

/// A whole part: a picture with its headers.
#[derive(Debug, PartialEq)]
pub struct Part {
    /// The part's headers.
    pub head: PartHead,
    /// The encoded picture.
    pub body: Vec<u8>,
    /// The instant at which its head came: a large body may take seconds more, which would spoil
    /// the clock.
    pub head_at: Local,
}

impl Part {
    /// The picture's fingerprint, by which it is recognised when it comes again: with new metadata,
    /// or after a reconnect.
    pub fn fingerprint(&self) -> Fingerprint {
        fingerprint(&self.body)
    }
}

/// Why a connection is given up.
#[derive(Debug, PartialEq)]
pub enum SessionError {
    /// The body does not begin with a dash-boundary.
    NoBoundary,
    /// The framing is broken.
    Framing(DecodeError),
    /// The server said that nothing more comes.
    Closed,
}

impl fmt::Display for SessionError {
    /// Writes the reason alone; the framing's own words, with the offset, are left to
    /// [`std::error::Error::source`]: formatting numbers here would add to every download.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

impl std::error::Error for SessionError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Framing(error) => Some(error),
            Self::NoBoundary | Self::Closed => None,
        }
    }
}

impl SessionError {
    /// The reason in a few words.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NoBoundary => "the stream names no boundary",
            Self::Framing(_) => "the stream's framing is broken",
            Self::Closed => "the server closed the stream",
        }
    }
}

/// The limit up to which a body gets its memory at once; longer ones grow, so that a head alone
/// can't make a TV with 1 GB of memory reserve what never comes.
const RESERVED_BYTES: u64 = 4 * 1024 * 1024;

/// The limit of a picture, in bytes: far more than any frame of the server, far less than a tab
/// has.
const BODY_BYTES: u64 = 32 * 1024 * 1024;

/// The limit of a body's first line, in bytes: a dash-boundary has at most 72 characters, and blank
/// lines may come before it.
const FIRST_LINE_BYTES: usize = 128;

/// The reading side of one connection.
pub struct Session {
    state: State,
    part: Option<Part>,
}

enum State {
    /// The beginning of the body, until its first line is there. The boundary is read from that
    /// line and not from the Content-Type: `/bytes` is `application/octet-stream`, and a parameter
    /// of it may be lost on the way.
    Beginning(Vec<u8>),
    Decoding(Box<Decoder>),
}

impl Default for Session {
    fn default() -> Self {
        Self {
            state: State::Beginning(Vec::new()),
            part: None,
        }
    }
}

impl Session {
    /// Takes a chunk that came at `now` and hands each part it completes to `take`.
    ///
    /// # Errors
    ///
    /// The session is over; parts that were complete before have been handed out.
    pub fn feed(
        &mut self,
        chunk: &[u8],
        now: Local,
        take: &mut dyn FnMut(Part),
    ) -> Result<(), SessionError> {
        let held;
        let mut input = chunk;
        if let State::Beginning(start) = &mut self.state {
            start.extend_from_slice(chunk);
            let Some(boundary) = first_boundary(start)? else {
                return Ok(());
            };
            held = std::mem::take(start);
            input = &held;
            self.state = State::Decoding(decoder(boundary));
        }
        let State::Decoding(decoder) = &mut self.state else {
            return Ok(());
        };
        while let Some(event) = decoder.next(&mut input).map_err(SessionError::Framing)? {
            match event {
                Event::Head(head) => {
                    let expected = head.content_length.unwrap_or(0).min(RESERVED_BYTES);
                    let body = Vec::with_capacity(usize::try_from(expected).unwrap_or(0));
                    self.part = Some(Part {
                        head,
                        body,
                        head_at: now,
                    });
                }
                Event::Body(piece) => {
                    if let Some(part) = &mut self.part {
                        part.body.extend_from_slice(piece);
                    }
                }
                // Some senders send parts without a body as placeholders, which must not count as
                // slides. A body that is no picture will fail to decode.
                Event::PartEnd => {
                    if let Some(part) = self.part.take().filter(|part| !part.body.is_empty()) {
                        take(part);
                    }
                }
                Event::Close => return Err(SessionError::Closed),
            }
        }
        Ok(())
    }
}

fn decoder(boundary: Boundary) -> Box<Decoder> {
    let limits = Limits {
        body_bytes: BODY_BYTES,
        ..Limits::default()
    };
    Box::new(Decoder::new(boundary, limits))
}

/// The boundary in a body's first line, once the line is complete.
fn first_boundary(start: &[u8]) -> Result<Option<Boundary>, SessionError> {
    let blank = start
        .iter()
        .take_while(|byte| matches!(byte, b'\r' | b'\n'))
        .count();
    let line = &start[blank..];
    let Some(end) = line.iter().position(|byte| *byte == b'\n') else {
        let hopeless = start.len() > FIRST_LINE_BYTES;
        return if hopeless {
            Err(SessionError::NoBoundary)
        } else {
            Ok(None)
        };
    };
    line[..end]
        .trim_ascii_end()
        .strip_prefix(b"--")
        .and_then(|name| std::str::from_utf8(name).ok())
        .and_then(|name| Boundary::new(name).ok())
        .map(Some)
        .ok_or(SessionError::NoBoundary)
}

/// Hashes a picture eight bytes at a time (FNV's prime, with a fold), since old TVs hash slowly.
/// The hash tells apart pictures of one server; it is no defence against made-up ones.
fn fingerprint(body: &[u8]) -> Fingerprint {
    const PRIME: u64 = 0x0100_0000_01b3;
    let mut hash = 0xcbf2_9ce4_8422_2325 ^ body.len() as u64;
    let (words, rest) = body.as_chunks::<8>();
    for word in words {
        hash = (hash ^ u64::from_le_bytes(*word)).wrapping_mul(PRIME);
        hash ^= hash >> 29;
    }
    for byte in rest {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(PRIME);
    }
    Fingerprint(hash)
}

#[cfg(test)]
mod tests {
    use mantel_shared::{Encoder, FrameMeta, SlideNo};

    use super::*;

    const BODIES: [&[u8]; 3] = [
        b"\xff\xd8first\xff\xd9",
        b"\xff\xd8\r\n--other\r\n\xff\xd9",
        b"x",
    ];

    fn stream() -> Vec<u8> {
        let encoder = Encoder::new(&Boundary::new("mantel-7f3a").expect("a boundary"));
        let mut stream = encoder.opening().to_vec();
        for (slide, body) in (41..).zip(BODIES) {
            let mut head = PartHead::jpeg(body.len() as u64);
            head.meta = FrameMeta {
                slide: Some(SlideNo(slide)),
                ..FrameMeta::default()
            };
            stream.extend(encoder.head(&head));
            stream.extend_from_slice(body);
            stream.extend_from_slice(encoder.delimiter());
        }
        stream
    }

    fn run(chunks: &[&[u8]]) -> (Vec<Part>, Result<(), SessionError>) {
        let mut session = Session::default();
        let mut parts = Vec::new();
        for (at, chunk) in (0..).zip(chunks) {
            let result = session.feed(chunk, Local(f64::from(at)), &mut |part| parts.push(part));
            if result.is_err() {
                return (parts, result);
            }
        }
        (parts, Ok(()))
    }

    fn check(parts: &[Part]) {
        let slides: Vec<_> = parts.iter().map(|part| part.head.meta.slide).collect();
        assert_eq!(slides, [41, 42, 43].map(|slide| Some(SlideNo(slide))));
        for (part, body) in parts.iter().zip(BODIES) {
            assert_eq!(part.body, body);
        }
    }

    #[test]
    fn every_split_of_the_stream_gives_the_same_parts() {
        let stream = stream();
        for split in 0..=stream.len() {
            let (parts, result) = run(&[&stream[..split], &stream[split..]]);
            assert_eq!(result, Ok(()), "{split}");
            check(&parts);
        }
    }

    #[test]
    fn byte_by_byte() {
        let stream = stream();
        let chunks: Vec<_> = stream.chunks(1).collect();
        let (parts, result) = run(&chunks);
        assert_eq!(result, Ok(()));
        check(&parts);
    }

    #[test]
    fn a_part_remembers_when_its_head_came() {
        let stream = stream();
        let (head, tail) = stream.split_at(stream.len() / 3 - 1);
        let (parts, _) = run(&[&head[..60], &head[60..], tail]);
        assert_eq!(parts[0].head_at, Local(1.0));
        assert_eq!(parts[2].head_at, Local(2.0));
    }

    #[test]
    fn a_part_comes_with_its_last_byte() {
        let stream = stream();
        let first = stream
            .windows(2)
            .position(|pair| pair == b"\xff\xd9")
            .expect("an end")
            + 2;
        let (parts, _) = run(&[&stream[..first]]);
        assert_eq!(parts.len(), 1);
    }

    #[test]
    fn parts_without_a_body_are_left_out() {
        let stream = b"--b\r\nContent-Type: image/jpeg\r\nContent-Length: 0\r\n\r\n\r\n--b\r\n";
        assert_eq!(run(&[stream]), (Vec::new(), Ok(())));
    }

    #[test]
    fn a_closed_stream_is_an_end() {
        let stream = b"--b\r\nContent-Type: image/jpeg\r\n\r\njpeg\r\n--b--\r\n";
        let (parts, result) = run(&[stream]);
        assert_eq!((parts.len(), result), (1, Err(SessionError::Closed)));
    }

    #[test]
    fn what_is_no_stream_is_refused() {
        for body in [
            &b"<!doctype html>\n"[..],
            b"\n\n{}\n",
            &[b'-'; 200],
            b"--\r\n",
        ] {
            assert_eq!(run(&[body]).1, Err(SessionError::NoBoundary));
        }
    }

    #[test]
    fn a_body_over_the_limit_is_refused_before_it_comes() {
        let stream = b"--b\r\nContent-Type: image/jpeg\r\nContent-Length: 99999999999\r\n\r\n";
        assert!(matches!(run(&[stream]).1, Err(SessionError::Framing(_))));
    }

    #[test]
    fn fingerprints_tell_bodies_apart() {
        let mut seen = Vec::new();
        for body in [
            &b""[..],
            b"a",
            b"b",
            b"aaaaaaaa",
            b"aaaaaaab",
            b"aaaaaaaaa",
            b"baaaaaaaa",
        ] {
            let print = fingerprint(body);
            assert!(!seen.contains(&print), "{body:?}");
            seen.push(print);
        }
        assert_eq!(fingerprint(b"aaaaaaaaa"), seen[5]);
    }
}
