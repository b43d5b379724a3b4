//! The head of a part: header lines to and from [`PartHead`]. Where a head ends in a stream is the
//! decoder's business.

use alloc::{string::String, vec::Vec};
use core::fmt;

use crate::{
    meta::{
        Area, Focus, FrameMeta, MAX_CAPTION_BYTES, MAX_NAME_BYTES, SlideNo, Timestamp, Transition,
        UnixMillis, decimal,
    },
    text::{ContentType, TakenAt, percent_decode, percent_encode},
};

/// The head of a part: the header lines before its body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartHead {
    /// `Content-Type`; [`ContentType::UNKNOWN`] if there is none that can be used.
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

    /// Appends the header lines and the blank line. Each line but those of free text (caption, place
    /// and album) is shorter than the 128 bytes that ffmpeg reads; the type and the length come
    /// first.
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
        line(out, "X-Focus", meta.focus.as_ref());
        if !meta.photos.is_empty() {
            line(out, "X-Photo", Some(&Joined(&meta.photos)));
        }
        line(out, "X-State", meta.paused.then_some("paused").as_ref());
        free_text(out, "X-Place", meta.place.as_deref(), MAX_NAME_BYTES);
        free_text(out, "X-Album", meta.album.as_deref(), MAX_NAME_BYTES);
        free_text(out, "X-Caption", meta.caption.as_deref(), MAX_CAPTION_BYTES);
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
        } else if is("X-Dwell-Ms") || is("X-Duration-Ms") {
            keep(&mut meta.dwell_millis, decimal(value).map(Some));
        } else if is("X-Transition") {
            keep(&mut meta.transition, Transition::parse(value).map(Some));
        } else if is("X-Taken-At") {
            keep(&mut meta.taken_at, TakenAt::new(value).ok().map(Some));
        } else if is("X-Caption") {
            keep(
                &mut meta.caption,
                text_of(value, MAX_CAPTION_BYTES).map(Some),
            );
        } else if is("X-Place") {
            keep(&mut meta.place, text_of(value, MAX_NAME_BYTES).map(Some));
        } else if is("X-Album") {
            keep(&mut meta.album, text_of(value, MAX_NAME_BYTES).map(Some));
        } else if is("X-Focus") {
            keep(&mut meta.focus, Focus::parse(value).map(Some));
        } else if is("X-Photo") {
            keep(&mut meta.photos, Area::parse_all(value));
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

/// Areas as `X-Photo` writes them, with semicolons between.
struct Joined<'a>(&'a [Area]);

impl fmt::Display for Joined<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, area) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(";")?;
            }
            area.fmt(f)?;
        }
        Ok(())
    }
}

fn keep<T>(slot: &mut T, read: Option<T>) {
    if let Some(value) = read {
        *slot = value;
    }
}

fn free_text(out: &mut Vec<u8>, name: &str, text: Option<&str>, max_bytes: usize) {
    if let Some(text) = text {
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b": ");
        percent_encode(&text[..text.floor_char_boundary(max_bytes)], out);
        out.extend_from_slice(b"\r\n");
    }
}

fn text_of(value: &str, max_bytes: usize) -> Option<String> {
    let mut text = percent_decode(value.as_bytes())?;
    text.truncate(text.floor_char_boundary(max_bytes));
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(block: &str) -> PartHead {
        PartHead::parse(block.as_bytes()).unwrap()
    }

    #[test]
    fn names_in_any_case_newlines_of_both_kinds_and_spaces_anywhere() {
        let head = parsed("content-TYPE:image/jpeg\nCONTENT-length :  12 \t\r\nx-slide: 3\n\r\n");
        assert_eq!(
            head,
            PartHead {
                meta: FrameMeta {
                    slide: Some(SlideNo(3)),
                    ..FrameMeta::default()
                },
                ..PartHead::jpeg(12)
            }
        );
    }

    #[test]
    fn what_is_malformed_is_as_if_it_were_not_there() {
        let head = PartHead::parse(
            b"Content-Type: \xff\r\nContent-Length: 1,2\r\nX-Timestamp: now\r\nX-Slide: -1\r\n\
              X-Show-At: 1.5\r\nX-Sent-At: \r\nX-Dwell-Ms: 9s\r\nX-Transition: wipe\r\nX-Caption: %\r\n\
              X-Place: %f\r\nX-Album: %ff\r\nX-Taken-At: yesterday\r\nX-Focus: 7\r\nX-State: confused\r\n: nameless\r\nX-Unknown: y\r\n",
        );
        assert_eq!(head, Ok(PartHead::default()));
        assert_eq!(parsed(""), PartHead::default());
        assert_eq!(parsed("\r\n"), PartHead::default());
    }

    #[test]
    fn folded_lines_add_nothing() {
        assert_eq!(
            parsed("X-Slide: 3\r\n 4\r\n\tX-State: paused\r\n").meta,
            FrameMeta {
                slide: Some(SlideNo(3)),
                ..FrameMeta::default()
            }
        );
    }

    #[test]
    fn the_last_readable_one_counts() {
        let meta =
            parsed("X-Slide: 3\nX-Slide: 4\nX-Slide: x\nX-State: paused\nX-State: playing\n").meta;
        assert_eq!(
            meta,
            FrameMeta {
                slide: Some(SlideNo(4)),
                ..FrameMeta::default()
            }
        );
    }

    #[test]
    fn a_line_without_a_colon_is_named() {
        for (block, at) in [("x", 0), ("A: b\r\nx\r\n", 6), ("A: b\n\nx:\ny\n", 9)] {
            assert_eq!(
                PartHead::parse(block.as_bytes()),
                Err(HeadError::NotAHeader { at }),
                "{block:?}"
            );
        }
    }

    #[test]
    fn long_captions_are_cut_between_characters() {
        let caption = |text: &str| {
            let meta = FrameMeta {
                caption: Some(text.into()),
                ..FrameMeta::default()
            };
            let mut block = Vec::new();
            PartHead {
                meta,
                ..PartHead::jpeg(1)
            }
            .write(&mut block);
            assert!(block.len() < crate::Limits::default().head_bytes);
            PartHead::parse(&block).unwrap().meta.caption.unwrap()
        };
        let full = "x".repeat(MAX_CAPTION_BYTES);
        assert_eq!(caption(&full), full);
        assert_eq!(caption(&std::format!("{full}y")), full);
        assert_eq!(caption(&"ü€".repeat(1000)), "ü€".repeat(1000)[..1022]);
        assert_eq!(
            caption("a\r\nX-Slide: 9\r\n\r\n"),
            "a\r\nX-Slide: 9\r\n\r\n"
        );
    }

    #[test]
    fn places_and_albums_are_cut_too_and_the_longest_head_is_within_the_limits() {
        let long = "\u{20ac}".repeat(10_000);
        let meta = FrameMeta {
            place: Some(long.clone()),
            album: Some(std::format!("a\r\nX-State: paused\r\n{long}")),
            caption: Some(long.clone()),
            ..FrameMeta::default()
        };
        let mut block = Vec::new();
        PartHead {
            meta,
            ..PartHead::jpeg(1)
        }
        .write(&mut block);
        assert!(block.len() < crate::Limits::default().head_bytes);
        let meta = PartHead::parse(&block).unwrap().meta;
        assert_eq!(meta.place.as_deref(), Some(&long[..255]));
        assert_eq!(meta.caption.as_deref(), Some(&long[..1023]));
        assert!(meta.album.unwrap().starts_with("a\r\nX-State: paused") && !meta.paused);
    }
}
