//! The room that a photo is given: a frame, or its half of one.

use super::{fit::Fit, pair::part_size};
use crate::picture::Size;

/// A photo's place in a frame, and how it is to fill it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The whole frame.
    pub frame: Size,
    /// How much of it is the photo's.
    pub share: Share,
    /// How the photo fills that.
    pub fit: Fit,
}

/// How much of a frame a photo has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// All of it.
    All,
    /// The left or upper half.
    First,
    /// The right or lower half.
    Second,
}

impl Slot {
    /// The place of one that has a frame to itself.
    pub const fn alone(frame: Size, fit: Fit) -> Self {
        let share = Share::All;
        Self { frame, share, fit }
    }

    /// The size that a picture of this upright size is to be brought to, and how. One that is alone has all of its
    /// frame; of two, each is as large as it will be there, without what is beside it (see [`pair`](super::pair::pair())).
    pub fn target(self, upright: Size) -> (Size, Fit) {
        let part = match self.share {
            Share::All => return (self.frame, self.fit),
            Share::First => 0,
            Share::Second => 1,
        };
        let size = part_size(upright, self.frame, part, self.fit);
        (size, Fit::Cover)
    }
}
