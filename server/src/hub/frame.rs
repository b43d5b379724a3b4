//! An encoded, numbered picture, framed once for everybody.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use bytes::Bytes;
use mantel_shared::{Boundary, ContentType, Encoder, FrameMeta, PartHead, Timestamp, UnixMillis};

use crate::buffers;

/// A frame's number. Of two frames of one server the later one has the greater number, whichever feed or producer they are
/// of; a picture that is sent again under other words has a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameNo(pub u64);

/// A frame, ready to send.
#[derive(Debug)]
pub struct Frame {
    /// The frame's number.
    pub no: FrameNo,
    /// When it is to be on screen; of a live picture, when that was taken.
    pub at: UnixMillis,
    /// The metadata that `/bytes` sends with the frame.
    pub meta: FrameMeta,
    /// The part's head, as `/stream` sends it.
    pub head: Bytes,
    /// The JPEG and the delimiter that ends its part.
    pub body: Bytes,
    /// When a live picture was taken, by its sender's stamp where that is believed.
    pub taken_at: Option<UnixMillis>,
    n_jpeg: usize,
    /// The live channel that it is of; `None` for slides.
    source: Option<Arc<str>>,
}

impl Frame {
    /// The frame as one of the live channel of this name.
    #[must_use]
    pub fn of(self, source: Arc<str>) -> Self {
        Self {
            source: Some(source),
            ..self
        }
    }

    /// The name of the live channel that it is of; `None` for slides.
    pub fn source(&self) -> Option<&str> {
        self.source.as_deref()
    }

    /// The JPEG alone.
    pub fn jpeg(&self) -> Bytes {
        self.body.slice(..self.n_jpeg)
    }
}

/// How this server frames: one boundary for every stream, so that a frame is framed once, and one count for all frames, so
/// that numbers never go back when a producer ends and another one begins.
#[derive(Debug)]
pub struct Framing {
    encoder: Encoder,
    last: AtomicU64,
}

/// Long and of characters that a JPEG holds in this order by no chance: Firefox ends a part at
/// boundary bytes inside a picture. ffmpeg takes at most 72 characters, RFC 2046 allows 70.
const BOUNDARY: &str = "mantel-frame-7f3a91c5e0b84d62a9c7f15e3b60d842";

/// The memory that framing takes behind a picture, in bytes: the delimiter that ends its part.
pub const ROOM: usize = BOUNDARY.len() + "\r\n--\r\n".len();

impl Default for Framing {
    fn default() -> Self {
        let boundary = Boundary::new(BOUNDARY).expect("the constant is a valid boundary");
        Self {
            encoder: Encoder::new(&boundary),
            last: AtomicU64::new(0),
        }
    }
}

impl Framing {
    /// The number of the frame that is made now.
    pub fn next_no(&self) -> FrameNo {
        FrameNo(self.last.fetch_add(1, Relaxed) + 1)
    }

    /// The content type of `/stream`.
    pub fn content_type(&self) -> String {
        self.encoder.content_type()
    }

    /// The start of a stream.
    pub fn opening(&self) -> Bytes {
        Bytes::copy_from_slice(self.encoder.opening())
    }

    /// The head of a part of which nothing is known but that it is a JPEG: any frame's body may follow.
    pub fn open_head(&self) -> Bytes {
        let head = PartHead {
            content_type: ContentType::JPEG,
            ..PartHead::default()
        };
        self.encoder.head(&head).into()
    }

    /// Frames `jpeg`, which is to be on screen at `at`.
    pub fn frame(&self, no: FrameNo, at: UnixMillis, meta: FrameMeta, jpeg: &[u8]) -> Frame {
        let mut memory = buffers::taken(jpeg.len() + ROOM);
        memory.extend_from_slice(jpeg);
        self.frame_in_place(no, at, meta, memory)
    }

    /// A frame in the memory of its picture: with [`ROOM`] behind it nothing is copied.
    pub fn frame_in_place(
        &self,
        no: FrameNo,
        at: UnixMillis,
        meta: FrameMeta,
        jpeg: Vec<u8>,
    ) -> Frame {
        let n_jpeg = jpeg.len();
        let head = self.encoder.head(&PartHead {
            timestamp: Some(timestamp(at)),
            ..PartHead::jpeg(n_jpeg as u64)
        });
        let mut body = jpeg;
        body.extend_from_slice(self.encoder.delimiter());
        Frame {
            no,
            at,
            meta,
            head: head.into(),
            body: buffers::shared(body),
            taken_at: None,
            n_jpeg,
            source: None,
        }
    }

    /// The frame's picture under a new number and with new metadata; its bytes stay shared.
    pub fn again(&self, no: FrameNo, meta: FrameMeta, frame: &Frame) -> Frame {
        Frame {
            no,
            at: frame.at,
            meta,
            head: frame.head.clone(),
            body: frame.body.clone(),
            taken_at: frame.taken_at,
            n_jpeg: frame.n_jpeg,
            source: frame.source.clone(),
        }
    }

    /// The head of a part of `/bytes`: the metadata, and when it was sent.
    pub fn detailed_head(&self, frame: &Frame, sent_at: UnixMillis) -> Bytes {
        let timestamp = frame.meta.show_at.map(timestamp);
        let meta = FrameMeta {
            sent_at: Some(sent_at),
            ..frame.meta.clone()
        };
        let head = PartHead {
            meta,
            timestamp,
            ..PartHead::jpeg(frame.n_jpeg as u64)
        };
        match &frame.source {
            Some(source) => self.encoder.live_head(&head, source).into(),
            None => self.encoder.head(&head).into(),
        }
    }
}

fn timestamp(at: UnixMillis) -> Timestamp {
    Timestamp {
        seconds: at.0 / 1000,
        micros: (at.0 % 1000) as u32 * 1000,
    }
}
