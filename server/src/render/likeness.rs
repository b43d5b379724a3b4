//! What a picture looks like, in 64 bits: two pictures that people call the same differ in few.
//!
//! A difference hash: brightness on a grid of 9 by 8, each bit saying whether it rises to the right.
//! It survives other sizes, other compression and a little light; it does not survive turning.

use crate::render::picture::{CHANNELS, Picture};

const COLUMNS: usize = 9;
const ROWS: usize = 8;
/// A rise of less than a grey level, in 256ths, is compression.
const NOISE: u32 = 256;
/// Pictures with no more bits between them are the same to people.
pub const SAME_WITHIN_BITS: u32 = 6;

/// The hash. `None` for a picture with nothing on it: all of those are alike.
pub fn likeness(picture: &Picture) -> Option<u64> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let mut grid = [[0_u32; COLUMNS]; ROWS];
    for (row, cells) in grid.iter_mut().enumerate() {
        let lines = span(row, ROWS, height);
        for (column, cell) in cells.iter_mut().enumerate() {
            let pixels = span(column, COLUMNS, width);
            let (mut sum, mut n) = (0_u64, 0_u64);
            // A large picture is looked at here and there.
            let (down, across) = (lines.len().div_ceil(16), pixels.len().div_ceil(16));
            for y in lines.clone().step_by(down) {
                for x in pixels.clone().step_by(across) {
                    let at = y * picture.stride() + x * CHANNELS;
                    if let Some([r, g, b]) =
                        picture.pixels().get(at..).and_then(<[u8]>::first_chunk)
                    {
                        // Rec. 601 luma, in 256ths.
                        sum += 77 * u64::from(*r) + 150 * u64::from(*g) + 29 * u64::from(*b);
                        n += 1;
                    }
                }
            }
            *cell = u32::try_from(sum / n.max(1)).unwrap_or(u32::MAX);
        }
    }
    let cells = || grid.iter().flatten().copied();
    let contrast = cells().max().unwrap_or(0) - cells().min().unwrap_or(0);
    // Less than three of 256 steps from end to end.
    if contrast < 3 * 256 {
        return None;
    }
    let bits = grid
        .iter()
        .flat_map(|row| row.windows(2).map(|pair| pair[0] + NOISE < pair[1]));
    Some(bits.fold(0, |hash, bit| hash << 1 | u64::from(bit)))
}

/// The `i`th of `n` parts of a line of `length`; never empty.
fn span(i: usize, n: usize, length: usize) -> std::ops::Range<usize> {
    let start = (i * length / n).min(length.saturating_sub(1));
    start..((i + 1) * length / n).max(start + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::{DecodeLimits, Fit, Quality, Size, decode, encode, fit};

    fn scene(shift: u32) -> Picture {
        let pixels = (0..300 * 200_u32)
            .flat_map(|i| {
                let (x, y) = (i % 300 + shift, i / 300);
                let hills = (x * 7 / 50 % 5) * 40 + (y * 3 / 40 % 4) * 20;
                [hills, hills / 2 + 60, 250 - hills].map(|value| value.min(255) as u8)
            })
            .collect();
        Picture::new(300, 200, pixels).unwrap()
    }

    fn apart(a: &Picture, b: &Picture) -> u32 {
        (likeness(a).unwrap() ^ likeness(b).unwrap()).count_ones()
    }

    #[test]
    fn the_same_picture_smaller_and_squeezed_is_the_same() {
        let picture = scene(0);
        let small = fit(&picture, Size::new(150, 100), Fit::Cover);
        assert!(apart(&picture, &small) <= SAME_WITHIN_BITS);
        let jpeg = encode(&picture, Quality::new(30).unwrap()).unwrap();
        let squeezed = decode(&jpeg, &DecodeLimits::default(), None).unwrap();
        assert!(apart(&picture, &squeezed) <= SAME_WITHIN_BITS);
    }

    #[test]
    fn another_picture_is_another() {
        assert!(apart(&scene(0), &scene(120)) > SAME_WITHIN_BITS);
    }

    #[test]
    fn nothing_is_like_nothing() {
        assert_eq!(likeness(&Picture::filled(640, 480, [90, 90, 90])), None);
        assert_eq!(likeness(&Picture::filled(1, 1, [0, 0, 0])), None);
    }
}
