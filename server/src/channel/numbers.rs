//! The numbers by which channels, and so their feeds, are told apart.

use super::own_night::NightNo;
use crate::rendition::Rendition;

/// A channel's number, for as long as this server runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChannelNo {
    no: u32,
    /// Whether nothing interrupts it, whatever interrupts the others.
    is_undisturbed: bool,
    /// By which nights it is dark, where they are not the house's.
    night: NightNo,
}

impl ChannelNo {
    /// The number of a live channel, by its place among them. Choices of photos count from the other end.
    pub(super) fn live(place: usize) -> Self {
        let place = u32::try_from(place).unwrap_or(u32::MAX / 2);
        Self::of(u32::MAX - place)
    }

    pub(super) const fn of(no: u32) -> Self {
        Self {
            no,
            is_undisturbed: false,
            night: NightNo::HOUSE,
        }
    }

    /// The number of the same channel for those whom nothing interrupts.
    pub(super) fn undisturbed(self) -> Self {
        Self {
            is_undisturbed: true,
            ..self
        }
    }

    /// The nights by which it is dark.
    pub(super) fn night(self) -> NightNo {
        self.night
    }

    /// The number of the same channel by nights of its own.
    pub(super) fn by_night(self, night: NightNo) -> Self {
        Self { night, ..self }
    }

    /// Whether it is the gallery, interrupted or not.
    pub fn is_main(self) -> bool {
        self.no == MAIN.no
    }
}

/// The channel that is watched when nobody chooses.
pub const MAIN: ChannelNo = ChannelNo::of(0);

/// A feed's key: its channel and its rendition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FeedKey {
    /// The channel that is shown.
    pub channel: ChannelNo,
    /// In which shape.
    pub rendition: Rendition,
}
