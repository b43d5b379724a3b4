//! A veil over every slide: how much light is left, a clock, a message. Values alone; how they look is not known here.

use std::sync::Arc;

use chrono::{NaiveTime, Timelike};

/// The veil over every slide. The default is none.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Veil {
    /// The light that is left, in thousandths.
    pub light: u16,
    /// How warm it is, in thousandths: the more, the less blue.
    pub warmth: u16,
    /// The clock that is shown, if one is.
    pub clock: Option<Clock>,
    /// The message that stands over the picture.
    pub said: Option<Arc<str>>,
}

/// A dark clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Clock {
    /// Hours and minutes.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
}

/// All the light that there is.
const ALL: u16 = 1000;

impl Default for Veil {
    fn default() -> Self {
        Self::dimmed(ALL)
    }
}

impl Veil {
    /// So much of the light, in thousandths.
    pub fn dimmed(light: u16) -> Self {
        Self {
            light: light.min(ALL),
            warmth: 0,
            clock: None,
            said: None,
        }
    }

    /// No picture but a clock.
    pub fn clock(time: NaiveTime) -> Self {
        let byte = |n: u32| u8::try_from(n).unwrap_or(0);
        Self {
            clock: Some(Clock {
                hour: byte(time.hour()),
                minute: byte(time.minute()),
            }),
            ..Self::dimmed(0)
        }
    }

    /// Whether nothing of a picture is to be seen.
    pub fn is_opaque(&self) -> bool {
        self.light == 0
    }

    /// Whether nothing lies over the pictures.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Whether another veil in its place is seen to come, so that it is better faded in.
    pub fn is_far_from(&self, other: &Self) -> bool {
        let (least, most) = (self.light.min(other.light), self.light.max(other.light));
        self.clock != other.clock || u32::from(least) * 4 < u32::from(most) * 3
    }
}
