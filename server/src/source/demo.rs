//! The pictures that stand in for photos at the first start without a folder: eight JPEGs within the program.
//!
//! Knows their names and bytes; they are decoded and fitted as photos are.

use crate::{
    render::{DecodeError, DecodeLimits, Picture, decode},
    size::Size,
};

/// A picture within the program.
struct Demo {
    title: &'static str,
    size: Size,
    jpeg: &'static [u8],
}

/// A picture of `assets/demo`.
macro_rules! demo {
    ($title:literal, $file:literal, $size:expr) => {
        Demo {
            title: $title,
            size: $size,
            jpeg: include_bytes!(concat!("../../assets/demo/", $file, ".jpg")),
        }
    };
}

const LYING: Size = Size::new(2560, 1440);
const UPRIGHT: Size = LYING.transposed();

/// Warm and cool, day and night in turn; no two upright ones in a row.
static PICTURES: [Demo; 8] = [
    demo!("Ridges at dusk", "ridges-at-dusk", LYING),
    demo!("Northern lights", "northern-lights", LYING),
    demo!("Balloons at sunrise", "balloons", LYING),
    demo!("Lighthouse at the blue hour", "lighthouse", UPRIGHT),
    demo!("Field of poppies", "poppies", LYING),
    demo!("Moonlight on the sea", "moonlight", LYING),
    demo!("Birches in October", "birches", UPRIGHT),
    demo!("Dunes under the Milky Way", "dunes", LYING),
];

/// How many pictures there are.
pub fn n_demo_pictures() -> usize {
    PICTURES.len()
}

/// A picture's title, for people; counted round.
pub fn title(index: usize) -> &'static str {
    PICTURES[index % PICTURES.len()].title
}

/// A picture's bytes as a JPEG file has them; counted round.
pub fn jpeg(index: usize) -> &'static [u8] {
    PICTURES[index % PICTURES.len()].jpeg
}

/// A picture's width and height; counted round.
pub fn size(index: usize) -> Size {
    PICTURES[index % PICTURES.len()].size
}

/// A picture's pixels, for benchmarks and tests; counted round.
///
/// # Errors
/// The file in `assets/demo` is damaged.
pub fn picture(index: usize) -> Result<Picture, DecodeError> {
    decode(jpeg(index), &DecodeLimits::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_picture_is_sound_and_one_of_its_own() {
        for index in 0..n_demo_pictures() {
            let (picture, title) = (picture(index).unwrap(), title(index));
            assert_eq!(picture.size(), size(index), "{title}");
            let mut seen = [0u32; 16];
            for byte in picture.pixels() {
                seen[usize::from(byte / 16)] += 1;
            }
            let n_tones = seen.iter().filter(|&&n| n > 10_000).count();
            assert!(n_tones >= 8, "{title} has {n_tones} tones");
            let blown = seen[15] as usize * 4 > picture.pixels().len();
            assert!(!blown, "{title} is too bright");
            let others = PICTURES[..index].iter();
            assert!(
                others
                    .clone()
                    .all(|other| other.title != title && other.jpeg != jpeg(index))
            );
        }
    }

    #[test]
    fn together_they_are_small() {
        let n_bytes: usize = PICTURES.iter().map(|picture| picture.jpeg.len()).sum();
        assert!(n_bytes <= 2_000_000, "{n_bytes}");
    }
}
