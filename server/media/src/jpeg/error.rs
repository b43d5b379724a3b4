//! The faults that make bytes no picture, and their places.

use core::fmt;

/// Bytes that are no JPEG that can be shown, and where that was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JpegError {
    /// The fault.
    pub kind: JpegErrorKind,
    /// Where, in bytes from the picture's beginning.
    pub at: usize,
}

/// The kind of a fault of a picture. The place that goes with each is named here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JpegErrorKind {
    /// It doesn't begin with SOI; at its beginning.
    NotAJpeg,
    /// Something else stands where a marker is due; there.
    NoMarker,
    /// A marker that has no place in a picture; there.
    UnexpectedMarker(u8),
    /// A length below two, or one that its content doesn't fit; at the marker.
    BadLength,
    /// A frame of no width, of no height (it would come after the first scan, by DNL), or of more
    /// components than four, or none; at the marker.
    BadFrame,
    /// A second frame header, as only hierarchical pictures have; at the marker.
    SecondFrame,
    /// A scan, and no frame header before it; at the marker.
    NoFrame,
    /// The picture ends before EOI; at its end.
    CutOff,
}

impl fmt::Display for JpegError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {} of the picture: {}", self.at, self.kind)
    }
}

impl fmt::Display for JpegErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAJpeg => f.write_str("it does not begin as a JPEG does"),
            Self::NoMarker => f.write_str("a marker is missing"),
            Self::UnexpectedMarker(code) => {
                write!(f, "the marker ff {code:02x} has no place there")
            }
            Self::BadLength => f.write_str("the length of a segment can't be right"),
            Self::BadFrame => f.write_str("the frame has no size or an odd number of components"),
            Self::SecondFrame => f.write_str("there is a second frame header"),
            Self::NoFrame => f.write_str("a scan begins without a frame header"),
            Self::CutOff => f.write_str("the picture ends too early"),
        }
    }
}

impl core::error::Error for JpegError {}
