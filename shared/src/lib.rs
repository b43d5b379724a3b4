//! The formats between Mantel's server and its clients: multipart framing, the metadata of frames,
//! and the control messages. Nothing here touches a file, a socket, a clock or a thread: bytes and
//! numbers go in, bytes and numbers come out, so the same code runs in the server and, compiled to
//! Wasm, in the viewer.
//!
//! # On the wire
//!
//! A stream is a multipart body (RFC 2046) that need not end. [`Encoder`] writes it like this:
//!
//! ```text
//! --boundary␍␊                    dash-boundary    Encoder::opening
//! Content-Type: image/jpeg␍␊   ┐
//! Content-Length: 348712␍␊     │ head             Encoder::head, PartHead
//! X-Slide: 41␍␊                │
//! ␍␊                           ┘
//! ff d8 … ff d9                   body             the JPEG
//! ␍␊--boundary␍␊                  delimiter        Encoder::delimiter, right after the body
//! Content-Type: image/jpeg␍␊      the next head: an *advance* head when it is sent before its body
//! …                               is ready to go
//! ff d8 … ff d9
//! ␍␊--boundary--␍␊                close-delimiter  Encoder::closing, in place of a delimiter
//! ```
//!
//! The delimiter goes out with the picture that it ends, not with the next one: that is what makes
//! browsers paint a picture at once.
//!
//! [`Decoder`] reads it back, and the dialects of cameras and other servers as well; its own doc
//! names them. It is fed chunks as they come and hands out [`Event`]s that borrow from the chunk.
//! [`Collector`] puts whole parts together for callers that want them. Everything that a peer
//! can make grow is held by [`Limits`], all of which are finite by default.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod boundary;
mod collect;
mod control;
mod decode;
mod encode;
mod head;
mod limits;
mod meta;
mod report;
mod text;

pub use boundary::{Boundary, BoundaryError};
pub use collect::{Collector, Part};
pub use control::Command;
pub use decode::{DecodeError, DecodeErrorKind, Decoder, Event, Place};
pub use encode::Encoder;
pub use head::{HeadError, PartHead};
pub use limits::Limits;
pub use meta::{
    Area, Focus, FrameMeta, MAX_CAPTION_BYTES, MAX_NAME_BYTES, SlideNo, Timestamp, Transition,
    UnixMillis,
};
pub use report::{
    Awake, MAX_REPORT_BYTES, MAX_REPORT_TEXT_BYTES, MAX_SCREEN_NAME_BYTES, Report, Rung,
};
pub use text::{ContentType, TakenAt, TextError, is_deceptive, is_readable};
