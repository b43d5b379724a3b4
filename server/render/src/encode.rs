//! A picture as a JPEG that every screen can show: baseline, 4:2:0, without metadata. Nothing of parts or headers.

use std::{fmt, str::FromStr};

use jpeg_encoder::{ColorType, Encoder, EncodingError, SamplingFactor};
use thiserror::Error;

use crate::{frame::blend::Alpha, picture::Picture};

/// JPEG quality, 1 (coarse) to 100 (fine), on the scale that libjpeg made common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quality(u8);

impl Quality {
    /// `None` outside 1 to 100.
    pub const fn new(quality: u8) -> Option<Self> {
        match quality {
            1..=100 => Some(Self(quality)),
            _ => None,
        }
    }

    /// 1 to 100.
    pub const fn value(self) -> u8 {
        self.0
    }

    /// Of a frame between two pictures, which is seen for some hundredths of a second: less, the further
    /// it is from both, so that nothing steps where the transition begins and ends. Two pictures in one
    /// hide what is coarse in either, and a thousand screens ask for these frames within a second.
    #[must_use]
    pub fn between(self, alpha: Alpha) -> Self {
        let (part, rest) = (u32::from(alpha.of_256()), 256 - u32::from(alpha.of_256()));
        let less = (MOST_LESS * 4 * part * rest / (256 * 256)) as u8;
        Self(self.0.saturating_sub(less).max(self.0.min(COARSEST)))
    }
}

/// The most by which the quality falls in the middle of a transition.
const MOST_LESS: u32 = 24;
/// But not less than this, where the slides have more: blocks begin to show in skies.
const COARSEST: u8 = 45;

impl Default for Quality {
    /// 85: from here on frames grow faster than anyone can see.
    fn default() -> Self {
        Self(85)
    }
}

impl fmt::Display for Quality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A text that is no quality.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("quality is a whole number from 1 to 100, not {0:?}")]
pub struct QualityError(String);

impl FromStr for Quality {
    type Err = QualityError;

    fn from_str(text: &str) -> Result<Self, QualityError> {
        text.trim()
            .parse()
            .ok()
            .and_then(Self::new)
            .ok_or_else(|| QualityError(text.chars().take(40).collect()))
    }
}

/// Why a picture can't be a JPEG.
#[derive(Debug, Error)]
pub enum EncodeError {
    /// JPEG writes its sides in 16 bits.
    #[error("a picture of {width}x{height} is larger than a JPEG can be (65535 pixels a side)")]
    TooLarge {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
    },
    /// The encoder refused.
    #[error("the picture could not be encoded")]
    Encoder(#[from] EncodingError),
}

/// Encodes a baseline JPEG with 4:2:0 chroma and no metadata.
///
/// Samsung's The Frame and others show progressive or oddly subsampled JPEGs as grey. Without EXIF no position
/// leaves the house, and clients that cut a stream at the first `FF D9` are not led astray by a thumbnail.
///
/// # Errors
/// A side is longer than 65535 pixels.
pub fn encode(picture: &Picture, quality: Quality) -> Result<Vec<u8>, EncodeError> {
    let (width, height) = (picture.width(), picture.height());
    let (Ok(w), Ok(h)) = (u16::try_from(width), u16::try_from(height)) else {
        return Err(EncodeError::TooLarge { width, height });
    };
    // A photo of quality 85 takes about a fifth of a byte a pixel: room for that spares most of the growing.
    let mut jpeg = Vec::with_capacity(picture.pixels().len() / 12 + 1024);
    let mut encoder = Encoder::new(&mut jpeg, quality.0);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder.encode(picture.pixels(), w, h, ColorType::Rgb)?;
    Ok(jpeg)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::decode::decode;
    use crate::formats::stored::DecodeLimits;

    /// Marker and content of each segment up to the entropy-coded data.
    fn segments(jpeg: &[u8]) -> Vec<(u8, &[u8])> {
        assert_eq!(jpeg[..2], [0xFF, 0xD8]);
        let (mut at, mut found) = (2, vec![]);
        loop {
            assert_eq!(jpeg[at], 0xFF);
            let n = usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
            found.push((jpeg[at + 1], &jpeg[at + 4..at + 2 + n]));
            if jpeg[at + 1] == 0xDA {
                return found;
            }
            at += 2 + n;
        }
    }

    fn gradient(width: u32, height: u32) -> Picture {
        let pixels = (0..height)
            .flat_map(|y| {
                (0..width)
                    .flat_map(move |x| [(x * 255 / width) as u8, (y * 255 / height) as u8, 128])
            })
            .collect();
        Picture::new(width, height, pixels).unwrap()
    }

    #[test]
    fn frames_are_baseline_420_without_metadata() {
        let jpeg = encode(&gradient(160, 90), Quality::default()).unwrap();
        let segments = segments(&jpeg);
        let (_, sof) = segments
            .iter()
            .find(|(marker, _)| *marker == 0xC0)
            .expect("SOF0");
        assert_eq!(sof[..6], [8, 0, 90, 0, 160, 3]);
        assert_eq!(
            [sof[7], sof[10], sof[13]],
            [0x22, 0x11, 0x11],
            "sampling of Y, Cb, Cr"
        );
        for (marker, content) in &segments {
            assert!(
                matches!(marker, 0xE0 | 0xDB | 0xC0 | 0xC4 | 0xDA),
                "marker {marker:02X}"
            );
            if *marker == 0xE0 {
                assert!(content.starts_with(b"JFIF\0"));
                assert_eq!(content[12..], [0, 0], "no thumbnail");
            }
        }
        assert_eq!(jpeg[jpeg.len() - 2..], [0xFF, 0xD9]);
        assert_eq!(
            jpeg.windows(2).filter(|pair| pair == &[0xFF, 0xD9]).count(),
            1,
            "one end of image"
        );
    }

    #[test]
    fn what_was_encoded_can_be_seen_again() {
        for (width, height) in [(1, 1), (16, 16), (17, 31), (160, 90)] {
            let picture = gradient(width, height);
            let jpeg = encode(&picture, Quality::new(95).unwrap()).unwrap();
            let again = decode(&jpeg, &DecodeLimits::default()).unwrap();
            assert_eq!(again.size(), picture.size());
            let error: u64 = again
                .pixels()
                .iter()
                .zip(picture.pixels())
                .map(|(&a, &b)| u64::from(a.abs_diff(b)))
                .sum();
            assert!(
                error / (picture.pixels().len() as u64) < 4,
                "{width}x{height}: {error}"
            );
        }
    }

    #[test]
    fn a_side_beyond_16_bits_is_refused() {
        let error =
            encode(&Picture::filled(65_536, 1, [0; 3]), Quality::default()).expect_err("too wide");
        assert_eq!(
            error.to_string(),
            "a picture of 65536x1 is larger than a JPEG can be (65535 pixels a side)"
        );
        assert!(encode(&Picture::filled(65_535, 1, [0; 3]), Quality::default()).is_ok());
    }

    #[test]
    fn frames_between_two_pictures_are_coarser_in_the_middle_alone() {
        let of = |quality, part| {
            let quality = Quality::new(quality).unwrap();
            quality.between(Alpha::of(part, 20)).value()
        };
        let all: Vec<u8> = (0..=20).map(|part| of(85, part)).collect();
        assert_eq!([all[0], all[10], all[20]], [85, 61, 85]);
        assert!(
            all.windows(2).all(|two| two[0].abs_diff(two[1]) <= 5),
            "{all:?}"
        );
        assert_eq!(
            [of(60, 10), of(45, 10), of(20, 10), of(1, 10)],
            [45, 45, 20, 1]
        );
    }

    #[test]
    fn quality_is_1_to_100() {
        assert_eq!("85".parse(), Ok(Quality::default()));
        for text in ["0", "101", "-1", "", "high", "85.5", "256"] {
            let error = text.parse::<Quality>().expect_err(text);
            assert_eq!(
                error.to_string(),
                format!("quality is a whole number from 1 to 100, not {text:?}")
            );
        }
    }
}
