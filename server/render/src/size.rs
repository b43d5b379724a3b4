//! Width and height, and how people write them.

use std::{fmt, str::FromStr};

use thiserror::Error;

/// Width and height in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Size {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

impl Size {
    /// The shortest side that may be asked for. Below it no picture can be made out.
    pub const MIN_SIDE: u32 = 16;
    /// The longest side that may be asked for: 8K.
    pub const MAX_SIDE: u32 = 7680;

    /// A size as it comes, without a check against the limits for renditions.
    pub const fn new(width: u32, height: u32) -> Self {
        Self { width, height }
    }

    /// Pixels in all. Never overflows.
    pub const fn n_pixels(self) -> u64 {
        self.width as u64 * self.height as u64
    }

    /// Width and height exchanged.
    pub const fn transposed(self) -> Self {
        Self {
            width: self.height,
            height: self.width,
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

/// Why a text is no size for a rendition.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SizeError {
    /// Not two numbers with an `x` between them.
    #[error("a size is width x height in pixels, such as 1920x1080, not {0:?}")]
    Malformed(String),
    /// A side below [`Size::MIN_SIDE`] or above [`Size::MAX_SIDE`].
    #[error("the size {0} is out of range: each side is {min} to {max} pixels", min = Size::MIN_SIDE, max = Size::MAX_SIDE)]
    OutOfRange(String),
}

impl FromStr for Size {
    type Err = SizeError;

    /// Reads `1920x1080`, with either case of `x`, and holds both sides to the limits.
    fn from_str(text: &str) -> Result<Self, SizeError> {
        let malformed = || SizeError::Malformed(text.chars().take(40).collect());
        let (width, height) = text.trim().split_once(['x', 'X']).ok_or_else(malformed)?;
        let side = |digits: &str| -> Result<u32, SizeError> {
            if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(malformed());
            }
            // More digits than a u32 holds are still a number, only far too large.
            let side = digits.parse().unwrap_or(u32::MAX);
            if (Self::MIN_SIDE..=Self::MAX_SIDE).contains(&side) {
                Ok(side)
            } else {
                Err(SizeError::OutOfRange(
                    text.trim().chars().take(40).collect(),
                ))
            }
        };
        // Both sides are read before either is judged, so that `0xtall` is called malformed.
        match (side(width), side(height)) {
            (Ok(width), Ok(height)) => Ok(Self { width, height }),
            (Err(error @ SizeError::Malformed(_)), _) | (_, Err(error)) | (Err(error), _) => {
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_read() {
        assert_eq!("1920x1080".parse(), Ok(Size::new(1920, 1080)));
        assert_eq!(" 16X7680 ".parse(), Ok(Size::new(16, 7680)));
    }

    #[test]
    fn what_is_no_size_is_named() {
        for text in [
            "",
            "x",
            "1920",
            "1920x",
            "x1080",
            "-1x5",
            "1920x1080x3",
            "a x b",
            "1920*1080",
            "+20x20",
            "0xtall",
            "१९x२०",
        ] {
            assert!(
                matches!(text.parse::<Size>(), Err(SizeError::Malformed(_))),
                "{text:?}"
            );
        }
        for text in [
            "0x0",
            "15x1080",
            "1920x7681",
            "100000x100000",
            "99999999999999999999x20",
        ] {
            let error = text.parse::<Size>().expect_err(text);
            assert_eq!(
                error.to_string(),
                format!("the size {text} is out of range: each side is 16 to 7680 pixels")
            );
        }
    }
}
