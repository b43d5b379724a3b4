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

/// How many bytes stand before the next marker that ends a scan; all, where there is none.
fn scan_len(bytes: &[u8]) -> usize {
    memchr::memchr_iter(0xff, bytes)
        .find(|&at| match bytes.get(at + 1) {
            Some(&code) => !matches!(code, 0x00 | 0xff) && !marker::is_restart(code),
            None => false,
        })
        .unwrap_or(bytes.len())
}

pub(super) fn fail<T>(kind: JpegErrorKind, at: usize) -> Result<T, JpegError> {
    Err(JpegError { kind, at })
}
