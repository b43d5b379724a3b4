//! How often video has a key frame, at which players can begin and pieces can be cut. Pure.

use std::{fmt, str::FromStr};

use crate::typed;

/// The time from one key frame to the next, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gop(u32);

/// The reason why a text is no time between key frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the time between key frames is from 500ms to 10s, such as 2s")]
pub struct GopError;

/// The steps that clients' wishes are rounded down to: each that differs is a rendition of its own.
const STEPS: [u32; 6] = [500, 1000, 2000, 4000, 6000, 10_000];

impl Gop {
    /// Of video that is cut into pieces, where nobody says anything.
    pub const USUAL: Self = Self(2000);

    /// In milliseconds.
    pub fn millis(self) -> u64 {
        self.0.into()
    }

    /// The greatest step that is not above this.
    pub(super) fn snapped(self) -> Self {
        let step = STEPS.iter().rev().find(|step| **step <= self.0);
        Self(*step.unwrap_or(&STEPS[0]))
    }
}

impl FromStr for Gop {
    type Err = GopError;

    fn from_str(text: &str) -> Result<Self, GopError> {
        match typed::millis(text) {
            Ok(millis @ 500..=10_000) => Ok(Self(millis as u32)),
            _ => Err(GopError),
        }
    }
}

impl fmt::Display for Gop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&typed::span(self.millis()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_within_their_bounds() {
        for (text, millis, told) in [
            ("2s", 2000, "2s"),
            ("2", 2000, "2s"),
            ("500ms", 500, "500ms"),
            (" 1.5s", 1500, "1500ms"),
            ("10s", 10_000, "10s"),
        ] {
            let gop: Gop = text.parse().expect(text);
            assert_eq!((gop.millis(), gop.to_string().as_str()), (millis, told));
            assert_eq!(gop.to_string().parse(), Ok(gop));
            let snapped = gop.snapped();
            assert!(snapped <= gop && snapped.snapped() == snapped);
        }
        for text in ["", "0", "499ms", "10001ms", "1m", "-2s", "50 frames", "off"] {
            assert_eq!(text.parse::<Gop>(), Err(GopError), "{text}");
        }
    }
}
