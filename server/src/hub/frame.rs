//! An encoded, numbered picture, framed once for everybody.

use bytes::Bytes;
use mantel_shared::{Boundary, Encoder, FrameMeta, PartHead, Timestamp, UnixMillis};

/// Counts the frames of one hub; only grows, so a gap is what somebody missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameNo(pub u64);

/// A frame, ready to send.
#[derive(Debug)]
pub struct Frame {
    /// Its number.
    pub no: FrameNo,
    /// What `/bytes` says of it.
    pub meta: FrameMeta,
    /// The part's head, as `/stream` sends it.
    pub head: Bytes,
    /// The JPEG and the delimiter that ends its part.
    pub body: Bytes,
    n_jpeg: usize,
}

impl Frame {
    /// The JPEG alone.
    pub fn jpeg(&self) -> Bytes {
        self.body.slice(..self.n_jpeg)
    }
}

/// How this server frames: one boundary for every stream, so that a frame is framed once.
#[derive(Debug)]
pub struct Framing {
    encoder: Encoder,
}

/// Long and of characters that a JPEG holds in this order by no chance: Firefox ends a part at
/// boundary bytes inside a picture. ffmpeg takes at most 72 characters, RFC 2046 allows 70.
const BOUNDARY: &str = "mantel-frame-7f3a91c5e0b84d62a9c7f15e3b60d842";

impl Default for Framing {
    fn default() -> Self {
        let boundary = Boundary::new(BOUNDARY).expect("the constant is a valid boundary");
        Self {
            encoder: Encoder::new(&boundary),
        }
    }
}

impl Framing {
    /// The content type of `/stream`.
    pub fn content_type(&self) -> String {
        self.encoder.content_type()
    }

    /// What a stream starts with.
    pub fn opening(&self) -> Bytes {
        Bytes::copy_from_slice(self.encoder.opening())
    }

    /// Frames `jpeg`, which is to be on screen at `at`.
    pub fn frame(&self, no: FrameNo, at: UnixMillis, meta: FrameMeta, jpeg: &[u8]) -> Frame {
        let length = jpeg.len() as u64;
        let head = self.encoder.head(&PartHead {
            timestamp: Some(timestamp(at)),
            ..PartHead::jpeg(length)
        });
        let delimiter = self.encoder.delimiter();
        let mut body = Vec::with_capacity(jpeg.len() + delimiter.len());
        body.extend_from_slice(jpeg);
        body.extend_from_slice(delimiter);
        Frame {
            no,
            meta,
            head: head.into(),
            body: body.into(),
            n_jpeg: jpeg.len(),
        }
    }

    /// The same picture under a new number and with new metadata; its bytes stay shared.
    pub fn again(&self, no: FrameNo, meta: FrameMeta, frame: &Frame) -> Frame {
        Frame {
            no,
            meta,
            head: frame.head.clone(),
            body: frame.body.clone(),
            n_jpeg: frame.n_jpeg,
        }
    }

    /// The head of a part of `/bytes`: the metadata, and when it was sent.
    pub fn detailed_head(&self, frame: &Frame, sent_at: UnixMillis) -> Bytes {
        let timestamp = frame.meta.show_at.map(timestamp);
        let meta = FrameMeta {
            sent_at: Some(sent_at),
            ..frame.meta.clone()
        };
        self.encoder
            .head(&PartHead {
                meta,
                timestamp,
                ..PartHead::jpeg(frame.n_jpeg as u64)
            })
            .into()
    }
}

fn timestamp(at: UnixMillis) -> Timestamp {
    Timestamp {
        seconds: at.0 / 1000,
        micros: (at.0 % 1000) as u32 * 1000,
    }
}
