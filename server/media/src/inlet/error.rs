//! Why a body isn't taken, in one sentence each, and the HTTP status that goes with it.

use core::fmt;

use mantel_shared::{BoundaryError, DecodeError, DecodeErrorKind};

use super::Refused;

/// Why a body isn't taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InletError {
    /// There is nothing in it.
    Empty,
    /// The first line begins like a delimiter and names no boundary.
    Boundary(BoundaryError),
    /// Its multipart framing can't be read.
    Framing(DecodeError),
    /// A picture is longer than so many bytes.
    TooLong {
        /// The limit.
        max_bytes: usize,
    },
    /// It ends inside of a picture.
    CutOff,
    /// It is nothing that can be shown.
    Refused(Refused),
    /// Raw pixels without a width or a height.
    RawSize,
    /// Raw pixels of another length than their size makes.
    RawLength {
        /// The bytes that it makes.
        wanted: usize,
    },
}

impl InletError {
    /// The status to answer with: 400, 413 or 415.
    pub fn status(&self) -> u16 {
        match self {
            Self::TooLong { .. } => 413,
            Self::Framing(error) if error.kind == DecodeErrorKind::BodyTooLong => 413,
            Self::Refused(_) => 415,
            _ => 400,
        }
    }
}

impl fmt::Display for InletError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the body is empty"),
            Self::Boundary(error) => write!(f, "the body's first line is no delimiter: {error}"),
            Self::Framing(error) => error.fmt(f),
            Self::TooLong { max_bytes } => {
                write!(f, "a picture is longer than the {max_bytes} bytes allowed")
            }
            Self::CutOff => f.write_str("the body ends inside of a picture"),
            Self::Refused(Refused::H264) => f.write_str(
                "h.264 is not taken here: send JPEGs (ffmpeg -f mpjpeg), or h.264 as it is by POST to /push/NAME",
            ),
            Self::Refused(Refused::AnnexB) => f.write_str(
                "h.265 is not taken here: send h.264 (ffmpeg -c:v libx264 -f h264) or JPEGs (ffmpeg -f mpjpeg)",
            ),
            Self::Refused(Refused::MpegTs) => f.write_str(
                "mpeg transport streams are not taken here: send JPEGs (ffmpeg -f mpjpeg)",
            ),
            Self::Refused(Refused::Unknown) => f.write_str("this is no picture of a known kind"),
            Self::RawSize => {
                f.write_str("raw pixels need `width=` and `height=` in the content type")
            }
            Self::RawLength { wanted } => {
                write!(
                    f,
                    "raw pixels of that size are {wanted} bytes, no more and no fewer"
                )
            }
        }
    }
}

impl core::error::Error for InletError {}
