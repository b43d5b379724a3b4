//! So much of a channel's video and no more, for keeping or sending to somebody.

use std::str::FromStr;

use crate::{hub::TICKS, typed};

/// The longest one, in milliseconds: whoever wants more saves the stream.
const MAX_MILLIS: u64 = 3_600_000;

/// A length of video, in ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clip(pub(super) u64);

impl FromStr for Clip {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match typed::millis(text)? {
            millis @ 1..=MAX_MILLIS => Ok(Self(millis * TICKS / 1000)),
            _ => Err("it has to be at most an hour, such as 30s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_as_durations_are() {
        assert_eq!("30s".parse(), Ok(Clip(30 * TICKS)));
        assert_eq!("1h".parse(), Ok(Clip(3600 * TICKS)));
        for text in ["0", "61m", "2h", "-1s", "long", ""] {
            assert!(text.parse::<Clip>().is_err(), "{text}");
        }
    }
}
