//! How many bits a second pictures in motion may have. Pure.

use std::{fmt, str::FromStr};

/// A bitrate, in whole kilobits (1,000 bits) a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bitrate(u32);

/// The reason why a text is no bitrate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a bitrate is bits a second from 100k to 100M, such as 800k or 2.5M")]
pub struct BitrateError;

/// The steps that clients' wishes are rounded down to: each rate that differs is a rendition of its own.
const STEPS: [u32; 14] = [
    100, 250, 500, 1000, 1500, 2000, 3000, 4000, 6000, 8000, 12_000, 20_000, 40_000, 100_000,
];

impl Bitrate {
    /// Bits a second.
    pub fn bits_per_second(self) -> u64 {
        u64::from(self.0) * 1000
    }

    /// The nearest bitrate to so many bits a second.
    pub fn near(bits_per_second: u64) -> Self {
        let kilobits = u32::try_from(bits_per_second / 1000).unwrap_or(u32::MAX);
        Self(kilobits.clamp(STEPS[0], STEPS[STEPS.len() - 1]))
    }

    /// The greatest step that is not above this.
    pub(super) fn snapped(self) -> Self {
        let step = STEPS.iter().rev().find(|step| **step <= self.0);
        Self(*step.unwrap_or(&STEPS[0]))
    }

    /// How far apart two are, as a viewer would see it, none being the best.
    pub(super) fn distance(one: Option<Self>, other: Option<Self>) -> u64 {
        let halvings = |rate: Option<Self>| rate.map_or(18, |Self(kilobits)| kilobits.ilog2());
        u64::from(halvings(one).abs_diff(halvings(other)))
    }
}

impl FromStr for Bitrate {
    type Err = BitrateError;

    fn from_str(text: &str) -> Result<Self, BitrateError> {
        let text = text.trim().to_ascii_lowercase();
        let text = text.trim_end_matches("bit/s").trim_end_matches("bps");
        let (number, factor) = match text.as_bytes().last() {
            Some(b'k') => (&text[..text.len() - 1], 1.0),
            Some(b'm') => (&text[..text.len() - 1], 1000.0),
            _ => (text, 0.001),
        };
        let number: f64 = number.trim().parse().map_err(|_| BitrateError)?;
        let kilobits = number * factor;
        if (100.0..=100_000.0).contains(&kilobits) {
            #[expect(clippy::cast_sign_loss, reason = "it is a hundred at least")]
            let kilobits = kilobits.round() as u32;
            Ok(Self(kilobits))
        } else {
            Err(BitrateError)
        }
    }
}

impl fmt::Display for Bitrate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            kilobits if kilobits < 1000 => write!(f, "{kilobits}k"),
            kilobits if kilobits.is_multiple_of(1000) => write!(f, "{}M", kilobits / 1000),
            kilobits => write!(f, "{}M", f64::from(kilobits) / 1000.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_as_people_write_them() {
        for (text, kilobits, told) in [
            ("2M", 2000, "2M"),
            ("2.5m", 2500, "2.5M"),
            ("800k", 800, "800k"),
            ("800kbit/s", 800, "800k"),
            (" 4 Mbps ", 4000, "4M"),
            ("1500000", 1500, "1.5M"),
        ] {
            let rate: Bitrate = text.parse().expect(text);
            assert_eq!(
                (rate.0, rate.to_string().as_str()),
                (kilobits, told),
                "{text}"
            );
            assert_eq!(rate.to_string().parse(), Ok(rate));
        }
        for text in [
            "", "fast", "99k", "101M", "-2M", "2G", "NaN", "inf", "M", "2,5M",
        ] {
            assert_eq!(text.parse::<Bitrate>(), Err(BitrateError), "{text}");
        }
    }

    #[test]
    fn steps_are_never_above_what_is_wished_for() {
        for kilobits in [100, 249, 250, 999, 2500, 99_999, 100_000] {
            let snapped = Bitrate(kilobits).snapped();
            assert!(
                snapped.0 <= kilobits && snapped.0 * 5 >= kilobits * 2,
                "{kilobits}"
            );
            assert_eq!(snapped.snapped(), snapped);
        }
    }
}
