//! The errors of a decoder: what it refuses, and where in the stream.

use core::fmt;

use crate::HeadError;

/// A stream that can't be read on, and where. The decoder that reported it reports it again on
/// every further call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// The fault.
    pub kind: DecodeErrorKind,
    /// The fault's place, in bytes from the beginning of the stream. It doesn't depend on how the
    /// stream was cut into chunks.
    pub offset: u64,
}

/// A fault of a stream. The docs of each name the offset that goes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeErrorKind {
    /// No delimiter within [`Limits::preamble_bytes`](crate::Limits); at the first byte beyond.
    PreambleTooLong,
    /// No blank line within [`Limits::head_bytes`](crate::Limits); at the first byte beyond.
    HeadTooLong,
    /// More header lines than [`Limits::head_lines`](crate::Limits); at the first line too many.
    TooManyHeadLines,
    /// A head that can't be read; at the beginning of the line in question.
    Head(HeadError),
    /// A body longer than [`Limits::body_bytes`](crate::Limits); at the first byte beyond, or, where
    /// its Content-Length already says so, at its beginning.
    BodyTooLong,
    /// No delimiter at the end that the body has by its Content-Length; at the first byte that is
    /// neither padding nor a delimiter, or the first beyond
    /// [`Limits::padding_bytes`](crate::Limits).
    LengthContradicted {
        /// The number that the Content-Length said.
        content_length: u64,
    },
    /// An end of the stream in a place where it should not end; at that end.
    UnexpectedEnd(Place),
}

/// A place in the framing at which a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The preamble, before the first delimiter.
    Preamble,
    /// The inside of a head.
    Head,
    /// The inside of a body.
    Body,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {} of the stream: {}", self.offset, self.kind)
    }
}

impl fmt::Display for DecodeErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PreambleTooLong => f.write_str("no delimiter within the limit"),
            Self::HeadTooLong => f.write_str("the head of a part is longer than the limit"),
            Self::TooManyHeadLines => f.write_str("the head of a part has too many lines"),
            Self::Head(error) => error.fmt(f),
            Self::BodyTooLong => f.write_str("the body of a part is longer than the limit"),
            Self::LengthContradicted { content_length } => {
                write!(
                    f,
                    "no delimiter follows a body of the {content_length} bytes announced"
                )
            }
            Self::UnexpectedEnd(place) => f.write_str(match place {
                Place::Preamble => "the stream ended before the first delimiter",
                Place::Head => "the stream ended inside a head",
                Place::Body => "the stream ended inside a body",
            }),
        }
    }
}

impl core::error::Error for DecodeError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match &self.kind {
            DecodeErrorKind::Head(error) => Some(error),
            _ => None,
        }
    }
}
