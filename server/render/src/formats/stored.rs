//! A picture as a file holds it, and why a file holds none: the words between `decode` and the decoders.

use thiserror::Error;

use crate::{
    colour::profile::Space,
    frame::orient::Orientation,
    picture::{CHANNELS, Picture, Size},
};

/// The limits of what a photo may cost, checked against its header, before memory is taken for its pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeLimits {
    /// Pixels in all: as many as can be counted on any machine, since memory decides.
    pub pixels: u64,
    /// Pixels along one side: what JPEG can write at all.
    pub side: u32,
    /// Bytes of memory for one decode, the finished picture included.
    pub bytes: u64,
}

impl Default for DecodeLimits {
    fn default() -> Self {
        Self {
            pixels: 1 << 30,
            side: 65_535,
            bytes: 1 << 30,
        }
    }
}

impl DecodeLimits {
    /// These limits with that many bytes for one decode.
    #[must_use]
    pub fn within(self, bytes: u64) -> Self {
        Self { bytes, ..self }
    }

    /// Holds a size, and the bytes that decoding it takes, to the limits.
    ///
    /// # Errors
    /// The picture is larger.
    pub fn check(&self, size: Size, n_bytes: u64) -> Result<(), DecodeError> {
        let Size { width, height } = size;
        if width == 0 || height == 0 {
            return Err(DecodeError::Damaged(
                "its header says that it has no pixels".into(),
            ));
        }
        if size.n_pixels() > self.pixels {
            return Err(DecodeError::TooLarge {
                width,
                height,
                limit: self.pixels,
            });
        }
        if width.max(height) > self.side {
            return Err(DecodeError::TooLong {
                width,
                height,
                limit: self.side,
            });
        }
        let own = size.n_pixels().saturating_mul(CHANNELS as u64);
        let needed = own.max(n_bytes);
        if needed > self.bytes {
            return Err(DecodeError::TooHungry {
                width,
                height,
                needed: needed >> 20,
                limit: self.bytes >> 20,
            });
        }
        Ok(())
    }
}

/// Why a photo can't be shown; each message is a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// No byte at all.
    #[error("the file is empty")]
    Empty,
    /// No kind of picture that is known here.
    #[error("the file is not a picture of a kind that is known")]
    NotAPicture,
    /// Known by sight, but not decoded.
    #[error("{0} pictures are not supported")]
    Unsupported(String),
    /// More pixels than the limit.
    #[error("{width}x{height} is more than the limit of {} megapixels", limit / 1_000_000)]
    TooLarge {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
        /// Pixels allowed.
        limit: u64,
    },
    /// A side longer than the limit.
    #[error("{width}x{height} is more than the limit of {limit} pixels a side")]
    TooLong {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
        /// Pixels allowed a side.
        limit: u32,
    },
    /// More memory than the limit.
    #[error(
        "decoding {width}x{height} of this kind takes {needed} MiB, more than the limit of {limit} MiB, \
         which --decode-memory raises"
    )]
    TooHungry {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
        /// MiB that it takes.
        needed: u64,
        /// MiB allowed.
        limit: u64,
    },
    /// The file ends before its picture does.
    #[error("the file is cut off: {}", there(*percent))]
    Truncated {
        /// How much of the picture is there, rounded down, where that can be told.
        percent: Option<u8>,
    },
    /// The bytes are there, but make no picture.
    #[error("the file is damaged: {0}")]
    Damaged(String),
    /// The process that decoded it ended over it, more than once: how, as the rest of the sentence.
    #[error("its decoder {0}")]
    Ended(&'static str),
}

impl DecodeError {
    /// Decoders of other people explain themselves at length; people get one sentence.
    pub(crate) fn on_one_line(self) -> Self {
        let line = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
        match self {
            Self::Damaged(text) => Self::Damaged(line(text)),
            Self::Unsupported(text) => Self::Unsupported(line(text)),
            other => other,
        }
    }
}

fn there(percent: Option<u8>) -> String {
    match percent {
        Some(0) => "none of the picture is there".into(),
        Some(percent) => format!("only {percent} % of the picture is there"),
        None => "not all of the picture is there".into(),
    }
}

/// A picture as a file holds it.
pub(crate) struct Stored {
    pub(crate) picture: Picture,
    /// The meaning of its numbers.
    pub(crate) space: Space,
    /// How it is still to be turned, where its decoder knows; `None` where the file is to be asked.
    pub(crate) turned: Option<Orientation>,
    /// The damage because of which parts of it are missing, grey in the picture.
    pub(crate) damage: Option<DecodeError>,
}

impl Stored {
    /// A whole picture, of which the file is to be asked how it is turned.
    pub(crate) fn whole(picture: Picture, space: Space) -> Self {
        Self {
            picture,
            space,
            turned: None,
            damage: None,
        }
    }
}

/// The grey of what is missing.
pub(crate) const MISSING: u8 = 128;

/// The share of a damaged picture that must really be there for it to be shown, in percent: more than half, by its area.
const ENOUGH: u64 = 50;

/// Whether a damaged picture is shown of which that much is there. The fault is returned with it: as what is told of a
/// picture that is shown, or as the reason why it isn't.
///
/// # Errors
/// It is not enough.
pub(crate) fn enough(
    there: u64,
    whole: u64,
    fault: DecodeError,
) -> Result<DecodeError, DecodeError> {
    let percent = there.min(whole) * 100 / whole.max(1);
    let fault = match fault {
        DecodeError::Truncated { .. } => DecodeError::Truncated {
            percent: u8::try_from(percent).ok(),
        },
        fault => fault,
    };
    if there * 100 > whole * ENOUGH {
        Ok(fault)
    } else {
        Err(fault)
    }
}
