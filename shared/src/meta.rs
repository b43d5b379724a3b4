//! The metadata of a frame, as values. How header lines spell them stands here too, one type after
//! the other; which header carries which is in `head`. When to show a frame is decided by the
//! player, not here.

use alloc::{string::String, vec::Vec};
use core::fmt;

use crate::text::TakenAt;

/// The limit of a caption that is written, in bytes of UTF-8; the rest is left out. Percent-encoded
/// it is at most three times as long, well below [`Limits::head_bytes`](crate::Limits).
pub const MAX_CAPTION_BYTES: usize = 1024;

/// The limit of a place's or an album's name that is written, in bytes of UTF-8; the rest is left
/// out.
pub const MAX_NAME_BYTES: usize = 256;

/// The number of a slide, which only grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SlideNo(pub u64);

/// Wall-clock time: milliseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct UnixMillis(pub u64);

/// When a frame was made, as mjpg-streamer's `X-Timestamp: seconds.micros` has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    /// Whole seconds, usually since 1970.
    pub seconds: u64,
    /// Millionths of a second; a million and more are carried into the seconds when written.
    pub micros: u32,
}

/// How a slide takes the place of the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transition {
    /// The slide is there at once.
    Cut,
    /// The slide is blended in over the one before it.
    Crossfade {
        /// How long the crossfade takes, in milliseconds.
        millis: u32,
    },
}

/// A point of the picture, in thousandths of its width and height from the upper left corner;
/// neither is more than 1000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Focus {
    /// The distance from the left edge, in thousandths of the width.
    pub x: u16,
    /// The distance from the upper edge, in thousandths of the height.
    pub y: u16,
}

/// The area of a photo in the picture, in ten-thousandths of the picture's width and height; it
/// ends within the picture. Outside of all areas the picture is a backdrop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Area {
    /// The distance of its left edge from the picture's.
    pub left: u16,
    /// The distance of its upper edge from the picture's.
    pub top: u16,
    /// The area's width.
    pub width: u16,
    /// The area's height.
    pub height: u16,
}

/// The limit of photos in a picture.
pub(crate) const MAX_AREAS: usize = 2;

/// The metadata of a part's picture, beyond its type and length. Each value is optional: a header
/// that is malformed is read as a missing one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FrameMeta {
    /// `X-Slide`: the number of the slide.
    pub slide: Option<SlideNo>,
    /// `X-Show-At`: the time at which the slide is to be on screen; its transition starts then.
    pub show_at: Option<UnixMillis>,
    /// `X-Sent-At`: the time at which the server sent it, for the offset between both clocks.
    pub sent_at: Option<UnixMillis>,
    /// `X-Dwell-Ms`: how long it stays, in milliseconds. Senders of live pictures write `X-Duration-Ms`.
    pub dwell_millis: Option<u64>,
    /// `X-Transition`: how the slide takes the place of the one before it.
    pub transition: Option<Transition>,
    /// `X-Caption`: the photo's caption; percent-encoded, at most [`MAX_CAPTION_BYTES`] of it.
    pub caption: Option<String>,
    /// `X-Taken-At`: the time at which the photo was taken.
    pub taken_at: Option<TakenAt>,
    /// `X-Place`: the place at which it was taken; percent-encoded, at most [`MAX_NAME_BYTES`] of
    /// it.
    pub place: Option<String>,
    /// `X-Album`: the album that it is in; percent-encoded, at most [`MAX_NAME_BYTES`] of it.
    pub album: Option<String>,
    /// `X-Focus`: the point that is worth looking at, for a viewer that moves over the picture.
    pub focus: Option<Focus>,
    /// `X-Photo`: the areas of the photos, one or two; none if they are not known, or a photo fills
    /// the picture.
    pub photos: Vec<Area>,
    /// `X-State: paused`: the slide stays until further notice.
    pub paused: bool,
}

impl Timestamp {
    /// Reads `seconds` or `seconds.fraction`; of the fraction, six digits count.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
        if !fraction.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let digits = fraction.bytes().chain(core::iter::repeat(b'0')).take(6);
        let micros = digits.fold(0, |sum, b| sum * 10 + u32::from(b - b'0'));
        Some(Self {
            seconds: decimal(seconds)?,
            micros,
        })
    }
}

impl Transition {
    /// The transition, shortened to at most so many milliseconds.
    pub fn within(self, millis: u64) -> Self {
        match self {
            Self::Cut => Self::Cut,
            Self::Crossfade { millis: own } => Self::Crossfade {
                millis: u32::try_from(millis).map_or(own, |most| own.min(most)),
            },
        }
    }

    /// Reads `cut` or `crossfade; ms=N`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut pieces = text.split(';').map(str::trim);
        match pieces.next()? {
            kind if kind.eq_ignore_ascii_case("cut") => Some(Self::Cut),
            kind if kind.eq_ignore_ascii_case("crossfade") => pieces.find_map(|piece| {
                let (name, value) = piece.split_once('=')?;
                let millis = u32::try_from(decimal(value.trim())?).ok()?;
                name.trim()
                    .eq_ignore_ascii_case("ms")
                    .then_some(Self::Crossfade { millis })
            }),
            _ => None,
        }
    }
}

impl Focus {
    /// The largest distance from the left and the upper edge.
    pub const MAX: u16 = 1000;

    /// Reads `X,Y`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (x, y) = text.split_once(',')?;
        let side = |text: &str| u16::try_from(decimal(text.trim())?).ok();
        let focus = Self {
            x: side(x)?,
            y: side(y)?,
        };
        (focus.x <= Self::MAX && focus.y <= Self::MAX).then_some(focus)
    }
}

impl Area {
    /// The length of a whole side.
    pub const WHOLE: u16 = 10_000;

    /// The area from `left` and `top` on, `width` by `height`, of a picture of size `whole`; all in
    /// pixels. `None` for an area that is not within the picture.
    pub fn of(
        (left, top): (u32, u32),
        (width, height): (u32, u32),
        whole: (u32, u32),
    ) -> Option<Self> {
        let share = |pixels: u32, of: u32| {
            let share = (u64::from(pixels) * u64::from(Self::WHOLE) + u64::from(of) / 2)
                .checked_div(u64::from(of))?;
            u16::try_from(share).ok()
        };
        // Edges are rounded, not sizes: left and width, both rounded up, could end beyond the
        // picture.
        let (left, right) = (
            share(left, whole.0)?,
            share(left.checked_add(width)?, whole.0)?,
        );
        let (top, bottom) = (
            share(top, whole.1)?,
            share(top.checked_add(height)?, whole.1)?,
        );
        Self {
            left,
            top,
            width: right - left,
            height: bottom - top,
        }
        .checked()
    }

    fn checked(self) -> Option<Self> {
        let fits = |from: u16, length: u16| {
            length > 0
                && from
                    .checked_add(length)
                    .is_some_and(|end| end <= Self::WHOLE)
        };
        (fits(self.left, self.width) && fits(self.top, self.height)).then_some(self)
    }

    /// Reads `LEFT,TOP,WIDTH,HEIGHT`, and another one after a semicolon.
    pub(crate) fn parse_all(text: &str) -> Option<Vec<Self>> {
        let mut areas = Vec::new();
        for text in text.split(';') {
            if areas.len() == MAX_AREAS {
                return None;
            }
            areas.push(Self::parse(text)?);
        }
        Some(areas)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut sides = text.split(',');
        let mut side = || u16::try_from(decimal(sides.next()?.trim())?).ok();
        let area = Self {
            left: side()?,
            top: side()?,
            width: side()?,
            height: side()?,
        };
        if sides.next().is_some() {
            None
        } else {
            area.checked()
        }
    }
}

impl fmt::Display for SlideNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for UnixMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The form `seconds.micros`, always with six digits of micros.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let carry = u64::from(self.micros / 1_000_000);
        write!(
            f,
            "{}.{:06}",
            self.seconds.saturating_add(carry),
            self.micros % 1_000_000
        )
    }
}

/// The form `cut` or `crossfade; ms=1000`.
impl fmt::Display for Transition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut => f.write_str("cut"),
            Self::Crossfade { millis } => write!(f, "crossfade; ms={millis}"),
        }
    }
}

/// The form `500,333`.
impl fmt::Display for Focus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{}", self.x, self.y)
    }
}

/// The form `3400,0,3200,10000`.
impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{},{},{},{}",
            self.left, self.top, self.width, self.height
        )
    }
}

/// Reads a number of digits alone: no sign, no space, no more than 64 bits.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    if text.bytes().all(|b| b.is_ascii_digit()) {
        text.parse().ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn timestamps_as_senders_write_them() {
        for (text, seconds, micros) in [
            ("1636464646.000123", 1_636_464_646, 123),
            ("12", 12, 0),
            ("12.", 12, 0),
            ("12.5", 12, 500_000),
            ("12.1234567", 12, 123_456),
        ] {
            assert_eq!(
                Timestamp::parse(text),
                Some(Timestamp { seconds, micros }),
                "{text}"
            );
        }
        for bad in [
            "",
            ".5",
            "-1.0",
            "1.-5",
            "1.5.5",
            "+1",
            "1e3",
            "18446744073709551616",
        ] {
            assert_eq!(Timestamp::parse(bad), None, "{bad}");
        }
        assert_eq!(
            Timestamp {
                seconds: 1,
                micros: 2_000_007
            }
            .to_string(),
            "3.000007"
        );
        assert_eq!(
            Timestamp {
                seconds: u64::MAX,
                micros: u32::MAX
            }
            .to_string(),
            "18446744073709551615.967295"
        );
    }

    #[test]
    fn transitions_read_back() {
        for transition in [
            Transition::Cut,
            Transition::Crossfade { millis: 0 },
            Transition::Crossfade { millis: u32::MAX },
        ] {
            assert_eq!(Transition::parse(&transition.to_string()), Some(transition));
        }
        assert_eq!(
            Transition::parse("CrossFade;curve=x; MS = 20"),
            Some(Transition::Crossfade { millis: 20 })
        );
        for bad in [
            "",
            "wipe",
            "crossfade",
            "crossfade; ms=",
            "crossfade; ms=-1",
            "crossfade; ms=4294967296",
        ] {
            assert_eq!(Transition::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn points_of_the_picture_read_back_and_others_are_none() {
        let focus = Focus { x: 0, y: 1000 };
        assert_eq!(Focus::parse(&focus.to_string()), Some(focus));
        assert_eq!(Focus::parse(" 12 , 7"), Some(Focus { x: 12, y: 7 }));
        for bad in [
            "", ",", "5", "1001,0", "0,1001", "-1,5", "1,2,3", "65536,1", "a,b",
        ] {
            assert_eq!(Focus::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn areas_read_back_and_what_is_not_within_the_picture_is_none() {
        let area = Area::of((656, 0), (608, 1080), (1920, 1080)).unwrap();
        assert_eq!(area.to_string(), "3417,0,3166,10000");
        let other = Area::of((0, 0), (1, 1), (1, 1)).unwrap();
        let text = std::format!("{area}; {other}");
        assert_eq!(Area::parse_all(&text), Some(std::vec![area, other]));
        // Areas lead back to the exact pixels, on the largest screens too.
        for side in [640_u32, 1366, 3840, 4096] {
            for (left, width) in [(1, 1), (side / 3, side / 3), (side - 1, 1), (0, side)] {
                let area = Area::of((left, 0), (width, 1), (side, 1)).unwrap();
                let pixel = |share: u16| (u32::from(share) * side + 5000) / 10_000;
                assert_eq!(
                    (pixel(area.left), pixel(area.left + area.width)),
                    (left, left + width)
                );
            }
        }
        assert_eq!(Area::of((1, 0), (2, 2), (2, 2)), None);
        assert_eq!(Area::of((0, 0), (0, 2), (2, 2)), None);
        assert_eq!(Area::of((0, 0), (2, 2), (0, 2)), None);
        for bad in [
            "",
            "1,2,3",
            "1,2,3,4,5",
            "0,0,0,1",
            "1,0,10000,1",
            "-1,0,5,5",
            "0,0,65536,1",
            "1,1,1,1;1,1,1,1;1,1,1,1",
            "1,1,1,1;",
        ] {
            assert_eq!(Area::parse_all(bad), None, "{bad}");
        }
    }
}
