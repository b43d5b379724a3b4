//! The likeness of a picture, in 64 bits: two pictures that people call the same differ in few.
//!
//! A perceptual hash by the usual recipe: brightness on a grid of 32 by 32, its slowest 64 waves by
//! a cosine transform, each bit saying whether a wave is stronger than the median of them. It
//! survives other sizes, other compression and a little light; it does not survive turning.

use crate::{
    frame::resize::squeezed,
    picture::{CHANNELS, Picture, Size},
};

const GRID: usize = 32;
const WAVES: usize = 8;

/// Likenesses that differ in no more bits than this are of nearly the same picture.
pub const SAME_WITHIN_BITS: u32 = 6;

/// The hash. `None` for a picture with nothing on it: all of those are alike.
pub fn likeness(picture: &Picture) -> Option<u64> {
    let grid = brightness(picture);
    let cells = || grid.iter().flatten().copied();
    let contrast = cells().fold(f32::MIN, f32::max) - cells().fold(f32::MAX, f32::min);
    // Less than three grey levels from end to end.
    if contrast < 3.0 {
        return None;
    }
    // Rows first, then columns: what a two-dimensional cosine transform comes apart into.
    let rows = grid.map(|row| waves(&row));
    let mut all = [0.0; WAVES * WAVES];
    for column in 0..WAVES {
        let lines: [f32; GRID] = std::array::from_fn(|y| rows[y][column]);
        for (row, wave) in waves(&lines).into_iter().enumerate() {
            all[row * WAVES + column] = wave;
        }
    }
    // The first is the mean, which says how light it is and not what is on it.
    all[0] = 0.0;
    let mut sorted = all;
    sorted.sort_by(f32::total_cmp);
    let median = (sorted[31] + sorted[32]) / 2.0;
    Some(
        all.iter()
            .fold(0, |hash, wave| hash << 1 | u64::from(*wave > median)),
    )
}

/// The slowest waves of a line, by a cosine transform of type II.
fn waves(line: &[f32; GRID]) -> [f32; WAVES] {
    std::array::from_fn(|wave| {
        let step = std::f32::consts::PI * wave as f32 / GRID as f32;
        let at = |(i, value): (usize, &f32)| value * (step * (i as f32 + 0.5)).cos();
        line.iter().enumerate().map(at).sum()
    })
}

/// Mean brightness on the grid, in grey levels.
fn brightness(picture: &Picture) -> [[f32; GRID]; GRID] {
    let small = squeezed(picture, Size::new(GRID as u32, GRID as u32));
    let luma = |row: usize, column: usize| {
        let at = row * small.stride() + column * CHANNELS;
        let pixel = small.pixels().get(at..).and_then(<[u8]>::first_chunk);
        // Rec. 601.
        pixel.map_or(0.0, |[r, g, b]| {
            0.299 * f32::from(*r) + 0.587 * f32::from(*g) + 0.114 * f32::from(*b)
        })
    };
    std::array::from_fn(|row| std::array::from_fn(|column| luma(row, column)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DecodeLimits, Fit, Quality, decode, encode, fit};

    /// The built-in pictures.
    fn scenes() -> Vec<Picture> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/demo");
        let files = std::fs::read_dir(folder).unwrap();
        let paths = files.map(|file| file.unwrap().path());
        let photos = paths.filter(|path| path.extension().is_some_and(|it| it == "jpg"));
        let scenes: Vec<_> = photos
            .map(|path| {
                let bytes = std::fs::read(path).unwrap();
                let picture = decode(&bytes, &DecodeLimits::default()).unwrap();
                fit(&picture, Size::new(450, 300), Fit::Cover)
            })
            .collect();
        assert!(scenes.len() > 1);
        scenes
    }

    fn apart(a: &Picture, b: &Picture) -> u32 {
        (likeness(a).unwrap() ^ likeness(b).unwrap()).count_ones()
    }

    #[test]
    fn the_same_picture_smaller_and_squeezed_is_the_same() {
        for picture in scenes() {
            let Size { width, height } = picture.size();
            let small = fit(&picture, Size::new(width / 3, height / 3), Fit::Cover);
            assert!(
                apart(&picture, &small) <= SAME_WITHIN_BITS,
                "{}",
                apart(&picture, &small)
            );
            let jpeg = encode(&picture, Quality::new(30).unwrap()).unwrap();
            let squeezed = decode(&jpeg, &DecodeLimits::default()).unwrap();
            assert!(
                apart(&picture, &squeezed) <= SAME_WITHIN_BITS,
                "{}",
                apart(&picture, &squeezed)
            );
        }
    }

    #[test]
    fn another_picture_is_another() {
        let scenes = scenes();
        for (i, a) in scenes.iter().enumerate() {
            for b in &scenes[..i] {
                assert!(apart(a, b) > 3 * SAME_WITHIN_BITS);
            }
        }
    }

    #[test]
    fn nothing_is_like_nothing() {
        assert_eq!(likeness(&Picture::filled(640, 480, [90, 90, 90])), None);
        assert_eq!(likeness(&Picture::filled(1, 1, [0, 0, 0])), None);
    }
}
