//! The faults of a stream of NAL units, and their places.

use core::fmt;

/// A fault in a stream, and where it was. The splitter goes on behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnnexbError {
    /// The fault.
    pub kind: AnnexbErrorKind,
    /// Where, in bytes from the stream's beginning: the first byte of the NAL unit behind its start code.
    pub at: u64,
}

/// The kind of a fault of a NAL unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnnexbErrorKind {
    /// Nothing stands between two start codes, or a slice is a header alone. It is left out.
    Empty,
    /// Its `forbidden_zero_bit` is set: damage, or no H.264. It is left out.
    Forbidden,
    /// Three zeroes stand in it, which emulation prevention doesn't allow (7.4.1). It is left out.
    Zeroes,
    /// Its access unit is longer than the limit. All of that is left out, and what comes before the
    /// next sequence parameter set.
    TooLong {
        /// The limit, in bytes.
        max_bytes: usize,
    },
    /// Its access unit has more NAL units than [`MAX_UNIT_NALS`](super::MAX_UNIT_NALS). As with
    /// [`TooLong`](Self::TooLong).
    TooMany,
}

impl fmt::Display for AnnexbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {} of the video: {}", self.at, self.kind)
    }
}

impl fmt::Display for AnnexbErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a unit has nothing in it"),
            Self::Forbidden => f.write_str("a unit has a bit set that must not be"),
            Self::Zeroes => f.write_str("three zeroes stand inside of a unit"),
            Self::TooLong { max_bytes } => {
                write!(f, "a picture is longer than the {max_bytes} bytes allowed")
            }
            Self::TooMany => f.write_str("a picture is made of too many units"),
        }
    }
}

impl core::error::Error for AnnexbError {}
