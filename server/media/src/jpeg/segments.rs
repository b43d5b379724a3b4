//! The walk over a whole picture's segments, by their lengths, so that what lies in a thumbnail is
//! never taken for the picture's own; and the search for a scan's end.

use super::{JpegError, JpegErrorKind, marker};

/// A picture from its first marker behind SOI on.
pub(super) struct Segments<'a> {
    bytes: &'a [u8],
    at: usize,
    seen_frame: bool,
}

/// A marker and what belongs to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment<'a> {
    pub(super) marker: u8,
    /// Where its `FF` stands, in bytes from the picture's beginning.
    pub(super) at: usize,
    /// Marker, length and content.
    pub(super) whole: &'a [u8],
    /// The content, behind the length; empty where a marker stands alone.
    pub(super) content: &'a [u8],
    /// The bytes behind SOS up to the next marker but RSTn: entropy-coded data, stuffing and fill
    /// bytes included. Empty behind any other marker.
    pub(super) scan: &'a [u8],
}

impl<'a> Segments<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, JpegError> {
        if bytes.starts_with(&[0xff, marker::SOI]) {
            let (at, seen_frame) = (2, false);
            Ok(Self {
                bytes,
                at,
                seen_frame,
            })
        } else {
            fail(JpegErrorKind::NotAJpeg, 0)
        }
    }

    /// The next segment; EOI is the last one, and nothing may be asked behind it.
    pub(super) fn next(&mut self) -> Result<Segment<'a>, JpegError> {
        let code = loop {
            match self.bytes.get(self.at..) {
                Some([0xff, 0xff, ..]) => self.at += 1,
                Some([0xff, code, ..]) => break *code,
                Some([] | [0xff]) | None => return fail(JpegErrorKind::CutOff, self.bytes.len()),
                Some(_) => return fail(JpegErrorKind::NoMarker, self.at),
            }
        };
        let at = self.at;
        if code == marker::EOI || marker::is_alone(code) {
            self.at += 2;
            return Ok(self.segment(code, at, 2, self.at));
        }
        if !marker::has_length(code) {
            return fail(JpegErrorKind::UnexpectedMarker(code), at);
        }
        let Some(length) = self.bytes.get(at + 2..at + 4) else {
            return fail(JpegErrorKind::CutOff, self.bytes.len());
        };
        let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
        if length < 2 {
            return fail(JpegErrorKind::BadLength, at);
        }
        let end = at + 2 + length;
        if end > self.bytes.len() {
            return fail(JpegErrorKind::CutOff, self.bytes.len());
        }
        if marker::is_frame(code) && core::mem::replace(&mut self.seen_frame, true) {
            return fail(JpegErrorKind::SecondFrame, at);
        }
        self.at = end;
        if code == marker::SOS {
            if !self.seen_frame {
                return fail(JpegErrorKind::NoFrame, at);
            }
            self.at = end + scan_len(&self.bytes[end..]);
        }
        Ok(self.segment(code, at, 4, end))
    }

    fn segment(&self, marker: u8, at: usize, head: usize, end: usize) -> Segment<'a> {
        Segment {
            marker,
            at,
            whole: &self.bytes[at..end],
            content: &self.bytes[at + head..end],
            scan: &self.bytes[end..self.at],
        }
    }
}

/// The number of bytes before the next marker that ends a scan; all, where there is none.
fn scan_len(bytes: &[u8]) -> usize {
    markers(bytes)
        .find(|&(_, code)| code != 0xff && !marker::is_restart(code))
        .map_or(bytes.len(), |(at, _)| at)
}

/// The bytes that are looked at in one go: few, because those with a marker among them are looked at again.
const CHUNK: usize = 64;

/// The places where `FF` stands before another byte than 00, each with that byte.
pub(super) fn markers(bytes: &[u8]) -> impl Iterator<Item = (usize, u8)> {
    // A stuffed `FF 00` comes every 256 bytes, so that a search for each `FF` would be calls more than anything else.
    let chunks = (0..bytes.len()).step_by(CHUNK);
    let chunks = chunks.map(|at| (at, &bytes[at..bytes.len().min(at + CHUNK + 1)]));
    chunks
        .filter(|(_, chunk)| has_marker(chunk))
        .flat_map(|(at, chunk)| {
            let pairs = chunk.windows(2).enumerate();
            let markers = pairs.filter(|(_, pair)| pair[0] == 0xff && pair[1] != 0);
            markers.map(move |(n, pair)| (at + n, pair[1]))
        })
}

/// Whether `FF` stands before another byte than 00. A loop without a branch, of which compilers make vectors.
fn has_marker(chunk: &[u8]) -> bool {
    let pairs = chunk.iter().zip(chunk.get(1..).unwrap_or_default());
    pairs.fold(0_u8, |any, (&first, &second)| {
        any | (u8::from(first == 0xff) & u8::from(second != 0))
    }) != 0
}

pub(super) fn fail<T>(kind: JpegErrorKind, at: usize) -> Result<T, JpegError> {
    Err(JpegError { kind, at })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wherever the end stands, across the bounds of chunks as well, and whatever stands before it.
    #[test]
    fn a_scan_ends_at_its_first_marker_but_a_restart() {
        let before: [&[u8]; 6] = [
            &[],
            &[0x12],
            &[0xff, 0x00],
            &[0xff, 0xd0, 0x34],
            &[0xff, 0xff, 0x00],
            &[0x00, 0xff, 0xd7],
        ];
        for before in before {
            for n in 0..3 * CHUNK {
                let scan: alloc::vec::Vec<u8> = before.iter().copied().cycle().take(n).collect();
                for end in [
                    &[0xff, marker::EOI][..],
                    &[0xff, 0xc4, 0xff, 0xd9],
                    &[],
                    &[0xff],
                ] {
                    let mut bytes = scan.clone();
                    // A scan that was cut within a pair makes another one with what follows.
                    if bytes.last() == Some(&0xff) {
                        bytes.push(0);
                    }
                    bytes.extend_from_slice(end);
                    let naive = (0..bytes.len()).find(|&at| {
                        bytes[at] == 0xff
                            && bytes.get(at + 1).is_some_and(|&code| {
                                code != 0 && code != 0xff && !(0xd0..=0xd7).contains(&code)
                            })
                    });
                    assert_eq!(scan_len(&bytes), naive.unwrap_or(bytes.len()), "{bytes:x?}");
                }
            }
        }
    }
}
