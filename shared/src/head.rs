//! The head of a part: header lines to and from [`PartHead`]. Where a head ends in a stream is the
//! decoder's business.

use alloc::{string::String, vec::Vec};
use core::fmt;

use crate::{
    meta::{FrameMeta, MAX_CAPTION_BYTES, SlideNo, Timestamp, Transition, UnixMillis, decimal},
    text::{ContentType, TakenAt, percent_decode, percent_encode},
};

/// What stands before a part's body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartHead {
    /// `Content-Type`; [`ContentType::UNKNOWN`] where there is none that can be used.
    pub content_type: ContentType,
    /// `Content-Length`, in bytes. One that isn't a number, and two that differ, are read as none:
    /// the end of the body is then searched for.
    pub content_length: Option<u64>,
    /// `X-Timestamp`.
    pub timestamp: Option<Timestamp>,
    /// The frame's own headers.
    pub meta: FrameMeta,
}

/// Why a block of lines is no head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadError {
    /// A line without a colon.
    NotAHeader {
        /// Where that line begins, in bytes from the head's beginning.
        at: usize,
    },
}

impl PartHead {
    /// The head of a JPEG of `content_length` bytes, with nothing else said about it.
    pub fn jpeg(content_length: u64) -> Self {
        Self {
            content_type: ContentType::JPEG,
            content_length: Some(content_length),
            ..Self::default()
        }
    }

    /// Appends the header lines and the blank line. Each line but the caption's is shorter than
    /// the 128 bytes that ffmpeg reads; the type and the length come first.
    pub fn write(&self, out: &mut Vec<u8>) {
        line(out, "Content-Type", Some(&self.content_type));
        line(out, "Content-Length", self.content_length.as_ref());
        line(out, "X-Timestamp", self.timestamp.as_ref());
        let meta = &self.meta;
        line(out, "X-Slide", meta.slide.as_ref());
        line(out, "X-Show-At", meta.show_at.as_ref());
        line(out, "X-Sent-At", meta.sent_at.as_ref());
        line(out, "X-Dwell-Ms", meta.dwell_millis.as_ref());
        line(out, "X-Transition", meta.transition.as_ref());
        line(out, "X-Taken-At", meta.taken_at.as_ref());
        line(out, "X-State", meta.paused.then_some("paused").as_ref());
        if let Some(caption) = &meta.caption {
            out.extend_from_slice(b"X-Caption: ");
            let end = caption.floor_char_boundary(MAX_CAPTION_BYTES);
            percent_encode(&caption[..end], out);
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"\r\n");
    }

    /// Reads header lines, with or without the blank line that ends them. Lines may end in LF
    /// alone, names may be in any case; headers that are unknown, malformed or folded over several
    /// lines are ignored. Of a header that comes twice, the last one that can be read counts.
    pub fn parse(block: &[u8]) -> Result<Self, HeadError> {
        let mut head = Self::default();
        let mut lengths_agree = true;
        let mut at = 0;
        for line in block.split_inclusive(|&b| b == b'\n') {
            let start = at;
            at += line.len();
            let folded = line.first().is_some_and(|&b| b == b' ' || b == b'\t');
            let line = line.trim_ascii();
            if line.is_empty() || folded {
                continue;
            }
            let colon = memchr::memchr(b':', line).ok_or(HeadError::NotAHeader { at: start })?;
            let name = line[..colon].trim_ascii();
            let value = line[colon + 1..].trim_ascii();
            if name.eq_ignore_ascii_case(b"Content-Length") {
                let length = core::str::from_utf8(value).ok().and_then(decimal);
                lengths_agree &=
                    length.is_some() && head.content_length.is_none_or(|n| Some(n) == length);
                head.content_length = length;
            } else if let Ok(value) = core::str::from_utf8(value) {
                head.read(name, value);
            }
        }
        if !lengths_agree {
            head.content_length = None;
        }
        Ok(head)
    }

    fn read(&mut self, name: &[u8], value: &str) {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        let meta = &mut self.meta;
        if is("Content-Type") {
            keep(&mut self.content_type, ContentType::new(value).ok());
        } else if is("X-Timestamp") {
            keep(&mut self.timestamp, Timestamp::parse(value).map(Some));
        } else if is("X-Slide") {
            keep(&mut meta.slide, decimal(value).map(SlideNo).map(Some));
        } else if is("X-Show-At") {
            keep(&mut meta.show_at, decimal(value).map(UnixMillis).map(Some));
        } else if is("X-Sent-At") {
            keep(&mut meta.sent_at, decimal(value).map(UnixMillis).map(Some));
        } else if is("X-Dwell-Ms") {
            keep(&mut meta.dwell_millis, decimal(value).map(Some));
        } else if is("X-Transition") {
            keep(&mut meta.transition, Transition::parse(value).map(Some));
        } else if is("X-Taken-At") {
            keep(&mut meta.taken_at, TakenAt::new(value).ok().map(Some));
        } else if is("X-Caption") {
            keep(&mut meta.caption, caption(value).map(Some));
        } else if is("X-State") {
            meta.paused = value.eq_ignore_ascii_case("paused");
        }
    }
}

impl fmt::Display for HeadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAHeader { at } => write!(f, "the line {at} bytes into the head has no colon"),
        }
    }
}

impl core::error::Error for HeadError {}

fn line<T: fmt::Display + ?Sized>(out: &mut Vec<u8>, name: &str, value: Option<&T>) {
    use alloc::string::ToString;
    if let Some(value) = value {
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value.to_string().as_bytes());
        out.extend_from_slice(b"\r\n");
    }
}

fn keep<T>(slot: &mut T, read: Option<T>) {
    if let Some(value) = read {
        *slot = value;
    }
}

fn caption(value: &str) -> Option<String> {
    let mut text = percent_decode(value.as_bytes())?;
    text.truncate(text.floor_char_boundary(MAX_CAPTION_BYTES));
    Some(text)
}
