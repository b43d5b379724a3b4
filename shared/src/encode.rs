//! Writing a multipart stream: the bytes around the pictures. The encoder keeps no state and copies
//! no picture unless it is asked to; when something is sent is the output's business.

use alloc::{format, string::String, vec::Vec};

use crate::{Boundary, PartHead};

/// The framing of one stream. The bytes of a stream are, in this order: [`opening`](Self::opening),
/// then for each part [`head`](Self::head), its body and [`delimiter`](Self::delimiter).
///
/// The head of the next part may follow a delimiter at once, before its body is due (an *advance*
/// head): Chromium paints a picture only when the next head is complete. The body that was promised
/// so must then come.
#[derive(Clone, Debug)]
pub struct Encoder {
    content_type: String,
    opening: Vec<u8>,
    delimiter: Vec<u8>,
    closing: Vec<u8>,
}

impl Encoder {
    /// The framing with `boundary`.
    pub fn new(boundary: &Boundary) -> Self {
        Self {
            content_type: boundary.content_type(),
            opening: format!("--{boundary}\r\n").into_bytes(),
            delimiter: format!("\r\n--{boundary}\r\n").into_bytes(),
            closing: format!("\r\n--{boundary}--\r\n").into_bytes(),
        }
    }

    /// The Content-Type of the whole stream.
    pub fn content_type(&self) -> String {
        self.content_type.clone()
    }

    /// The dash-boundary line, the very first bytes of the stream: VLC and ffmpeg want nothing
    /// before it.
    pub fn opening(&self) -> &[u8] {
        &self.opening
    }

    /// The delimiter, which goes right after each body.
    pub fn delimiter(&self) -> &[u8] {
        &self.delimiter
    }

    /// The close-delimiter, in place of the delimiter after the last body. After a delimiter it
    /// comes too late: browsers would take what lies between for an empty picture and go blank;
    /// the stream then just ends.
    pub fn closing(&self) -> &[u8] {
        &self.closing
    }

    /// One part's head in one piece, its blank line included.
    pub fn head(&self, head: &PartHead) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        head.write(&mut out);
        out
    }

    /// The head of a part from a live source, which may come between slides: [`head`](Self::head) with `X-Source: NAME; live`.
    /// `source` is a channel's name; of what can't stand in a header's line nothing is written.
    pub fn live_head(&self, head: &PartHead, source: &str) -> Vec<u8> {
        let mut out = self.head(head);
        if source.bytes().all(|byte| byte.is_ascii_graphic()) {
            // Before the blank line.
            out.truncate(out.len() - 2);
            out.extend_from_slice(format!("X-Source: {source}; live\r\n\r\n").as_bytes());
        }
        out
    }

    /// A whole part in one piece: head, body and delimiter. Its Content-Length is the body's,
    /// whatever `head` says.
    pub fn part(&self, head: &PartHead, body: &[u8]) -> Vec<u8> {
        let head = PartHead {
            content_length: Some(body.len() as u64),
            ..head.clone()
        };
        let mut out = Vec::with_capacity(256 + body.len() + self.delimiter.len());
        head.write(&mut out);
        out.extend_from_slice(body);
        out.extend_from_slice(&self.delimiter);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ContentType, FrameMeta};

    #[test]
    fn the_wire_is_as_the_crate_doc_draws_it() {
        let encoder = Encoder::new(&Boundary::new("b").unwrap());
        assert_eq!(
            encoder.content_type(),
            "multipart/x-mixed-replace; boundary=b"
        );
        let head = PartHead {
            content_type: ContentType::JPEG,
            ..PartHead::default()
        };
        let mut wire = encoder.opening().to_vec();
        wire.extend(encoder.part(&head, b"one"));
        wire.extend(encoder.head(&PartHead::jpeg(3)));
        wire.extend(b"two");
        wire.extend(encoder.closing());
        assert_eq!(
            std::str::from_utf8(&wire).unwrap(),
            "--b\r\nContent-Type: image/jpeg\r\nContent-Length: 3\r\n\r\none\r\n--b\r\n\
             Content-Type: image/jpeg\r\nContent-Length: 3\r\n\r\ntwo\r\n--b--\r\n"
        );
    }

    #[test]
    fn a_live_part_names_its_source_before_the_blank_line() {
        let encoder = Encoder::new(&Boundary::new("b").unwrap());
        let head = PartHead::jpeg(3);
        let live = encoder.live_head(&head, "door");
        assert_eq!(
            std::str::from_utf8(&live).unwrap(),
            "Content-Type: image/jpeg\r\nContent-Length: 3\r\nX-Source: door; live\r\n\r\n"
        );
        assert_eq!(PartHead::parse(&live).unwrap(), head);
        assert_eq!(
            encoder.live_head(&head, "a\r\nX-Slide: 7"),
            encoder.head(&head)
        );
    }

    #[test]
    fn lines_stay_short_enough_for_ffmpeg() {
        let meta = FrameMeta {
            slide: Some(crate::SlideNo(u64::MAX)),
            show_at: Some(crate::UnixMillis(u64::MAX)),
            sent_at: Some(crate::UnixMillis(u64::MAX)),
            dwell_millis: Some(u64::MAX),
            transition: Some(crate::Transition::Crossfade { millis: u32::MAX }),
            taken_at: crate::TakenAt::new("9999-12-31T23:59:60").ok(),
            focus: Some(crate::Focus {
                x: u16::MAX,
                y: u16::MAX,
            }),
            photos: std::vec![
                crate::Area {
                    left: u16::MAX,
                    top: u16::MAX,
                    width: u16::MAX,
                    height: u16::MAX,
                };
                2
            ],
            paused: true,
            // Free text may be longer; browsers, for which it is written, have no such limit.
            place: None,
            album: None,
            caption: None,
        };
        let head = PartHead {
            content_type: ContentType::new(&std::format!("a/{}", "x".repeat(98))).unwrap(),
            content_length: Some(u64::MAX),
            timestamp: Some(crate::Timestamp {
                seconds: u64::MAX,
                micros: u32::MAX,
            }),
            meta,
        };
        let out = Encoder::new(&Boundary::default()).head(&head);
        assert!(out.split(|&b| b == b'\n').all(|line| line.len() < 127));
    }
}
