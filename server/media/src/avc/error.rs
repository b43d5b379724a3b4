//! The faults of parameter sets, and their places.

use core::fmt;

/// A fault in a parameter set, and where it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AvcError {
    /// The fault.
    pub kind: AvcErrorKind,
    /// Where, in bits behind the NAL unit's header, without emulation prevention.
    pub at: usize,
}

/// The kind of a fault of a parameter set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AvcErrorKind {
    /// It is no sequence parameter set.
    NotAnSps,
    /// It is longer than [`MAX_SPS_BYTES`](super::MAX_SPS_BYTES).
    TooLong,
    /// It ends in the middle of a field.
    CutOff,
    /// A field has a value that H.264 doesn't allow there; its name in the specification.
    OutOfRange(&'static str),
    /// A picture is larger than level 6.2 allows, or cropped to nothing.
    BadSize,
    /// Pictures are shown in another order than they are sent, up to so many of them: there are B-frames.
    Reorders(u32),
    /// No picture parameter set is there, or too many or too long ones for an MP4.
    BadPps,
}

impl AvcErrorKind {
    pub(super) fn at(self, at: usize) -> AvcError {
        AvcError { kind: self, at }
    }
}

impl fmt::Display for AvcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at bit {} of the video's head: {}", self.at, self.kind)
    }
}

impl fmt::Display for AvcErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnSps => f.write_str("it is no sequence parameter set"),
            Self::TooLong => f.write_str("it is too long"),
            Self::CutOff => f.write_str("it ends too early"),
            Self::OutOfRange(field) => write!(f, "{field} can't be right"),
            Self::BadSize => f.write_str("the pictures are too large, or cropped to nothing"),
            Self::Reorders(_) => {
                f.write_str("it has B-frames: turn them off in the encoder (ffmpeg: -bf 0)")
            }
            Self::BadPps => f.write_str("picture parameter sets are missing or too many"),
        }
    }
}

impl core::error::Error for AvcError {}
