//! The focus of a picture, the one point worth looking at: a viewer that moves over the picture keeps it in
//! view. No model: detail, colours that stand out, skin, and that people put things in the middle.
//!
//! Pure, and quick: it looks at some sixty thousand pixels, whatever the picture's size.

use mantel_shared::Focus;

use crate::picture::{CHANNELS, Picture, Size};

/// Cells across and down.
const GRID: usize = 32;
/// Pixels looked at in each cell, across and down.
const LOOKS: usize = 8;

/// How much of the middle there is in the answer: the measure is a guess, and a guess should be modest.
const MIDDLE_SHARE: f32 = 0.25;

/// A cell of the picture, with what it holds.
#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    /// Mean difference of neighbouring pixels, in grey levels.
    detail: f32,
    /// Mean colour, as differences from grey.
    blue: f32,
    red: f32,
    /// The share of pixels that could be skin.
    skin: f32,
}

/// The point, in thousandths of the picture; its middle where nothing stands out.
pub fn focus(picture: &Picture) -> Focus {
    let cells = cells(picture);
    let mean =
        |of: fn(&Cell) -> f32| cells.iter().flatten().map(of).sum::<f32>() / (GRID * GRID) as f32;
    let (blue, red) = (mean(|cell| cell.blue), mean(|cell| cell.red));
    let detail = mean(|cell| cell.detail).max(0.5);
    let mut interest = [[0.0_f32; GRID]; GRID];
    for (y, row) in cells.iter().enumerate() {
        for (x, cell) in row.iter().enumerate() {
            // A hedge has more detail than a face: beyond three times the usual it says no more.
            let detailed = (cell.detail / detail).min(3.0) / 3.0;
            let colourful = ((cell.blue - blue).abs() + (cell.red - red).abs()).min(40.0) / 40.0;
            interest[y][x] =
                (detailed + 0.8 * colourful + 1.2 * cell.skin * detailed.sqrt()) * prior(x, y);
        }
    }
    let interest = smooth(&smooth(&interest));
    let point = peak(&interest);
    let thousandths = |share: f32| {
        let share = share * (1.0 - MIDDLE_SHARE) + 0.5 * MIDDLE_SHARE;
        #[expect(clippy::cast_sign_loss, reason = "shares are from 0 to 1")]
        let thousandths = (share.clamp(0.0, 1.0) * f32::from(Focus::MAX)).round() as u16;
        thousandths
    };
    point.map_or(Focus { x: 500, y: 500 }, |(x, y)| Focus {
        x: thousandths(x),
        y: thousandths(y),
    })
}

/// Enough of a picture to find its focus in, and no more: every so many pixels of it. Whoever has to turn it first
/// turns little.
pub(crate) fn glance(picture: &Picture) -> Picture {
    let step = step(picture.size());
    let size = picture.size();
    let (width, height) = (size.width.div_ceil(step), size.height.div_ceil(step));
    let rows = picture.pixels().chunks_exact(picture.stride());
    let pixels = rows.step_by(step as usize).flat_map(|row| {
        let (pixels, _) = row.as_chunks::<CHANNELS>();
        pixels.iter().step_by(step as usize).flatten()
    });
    Picture::new(width, height, pixels.copied().collect()).unwrap_or_else(|_| picture.clone())
}

/// How far neighbours are apart: further in large pictures, whose pixels say less.
fn step(size: Size) -> u32 {
    (size.width.max(size.height) / 640).max(1)
}

/// How likely something in this place was meant: less towards the edges, and a little more above the
/// middle, where faces are.
fn prior(x: usize, y: usize) -> f32 {
    let across = (x as f32 + 0.5) / GRID as f32 - 0.5;
    let down = (y as f32 + 0.5) / GRID as f32 - 0.45;
    (1.0 - 1.6 * (across * across + down * down)).max(0.15)
}

fn cells(picture: &Picture) -> [[Cell; GRID]; GRID] {
    let size = picture.size();
    let (width, height) = (size.width as usize, size.height as usize);
    let pixels = picture.pixels();
    let at = |x: usize, y: usize| -> [f32; CHANNELS] {
        let start = (y.min(height - 1) * width + x.min(width - 1)) * CHANNELS;
        std::array::from_fn(|channel| f32::from(pixels[start + channel]))
    };
    let luma = |[r, g, b]: [f32; CHANNELS]| 0.299 * r + 0.587 * g + 0.114 * b;
    let n_looks = (GRID * LOOKS) as u64;
    let step = step(size) as usize;
    let place = |index: usize, length: usize| {
        usize::try_from((2 * index as u64 + 1) * length as u64 / (2 * n_looks)).unwrap_or(0)
    };
    let mut cells = [[Cell::default(); GRID]; GRID];
    let part = 1.0 / (LOOKS * LOOKS) as f32;
    for row in 0..GRID * LOOKS {
        let y = place(row, height);
        for column in 0..GRID * LOOKS {
            let x = place(column, width);
            let here = at(x, y);
            let (grey, right, below) = (luma(here), luma(at(x + step, y)), luma(at(x, y + step)));
            let (blue, red) = (0.564 * (here[2] - grey), 0.713 * (here[0] - grey));
            // Where skin of all shades lies, after Chai and Ngan (1999).
            let is_skin =
                grey > 40.0 && (-51.0..=-1.0).contains(&blue) && (5.0..=45.0).contains(&red);
            let cell = &mut cells[row / LOOKS][column / LOOKS];
            cell.detail += part * ((right - grey).abs() + (below - grey).abs());
            cell.blue += part * blue;
            cell.red += part * red;
            cell.skin += if is_skin { part } else { 0.0 };
        }
    }
    cells
}

/// Each cell with its neighbours: a single bright leaf is nothing, a face fills several.
fn smooth(map: &[[f32; GRID]; GRID]) -> [[f32; GRID]; GRID] {
    let around = |at: usize| at.saturating_sub(1)..=(at + 1).min(GRID - 1);
    std::array::from_fn(|y| {
        std::array::from_fn(|x| {
            let near = || around(y).flat_map(|y| around(x).map(move |x| (y, x)));
            near().map(|(y, x)| map[y][x]).sum::<f32>() / near().count() as f32
        })
    })
}

/// The middle of what stands out, as shares of width and height.
fn peak(map: &[[f32; GRID]; GRID]) -> Option<(f32, f32)> {
    let cells = || map.iter().flatten().copied();
    let n_cells = (GRID * GRID) as f32;
    let mean = cells().sum::<f32>() / n_cells;
    let spread = (cells().map(|cell| (cell - mean).powi(2)).sum::<f32>() / n_cells).sqrt();
    let (mut x_sum, mut y_sum, mut sum) = (0.0, 0.0, 0.0);
    for (y, row) in map.iter().enumerate() {
        for (x, cell) in row.iter().enumerate() {
            let weight = (cell - mean - spread).max(0.0).powi(2);
            x_sum += weight * (x as f32 + 0.5);
            y_sum += weight * (y as f32 + 0.5);
            sum += weight;
        }
    }
    (sum > 1e-9).then(|| (x_sum / sum / GRID as f32, y_sum / sum / GRID as f32))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A grey picture with a checkered patch of `colour` around a point.
    fn with_patch(width: u32, height: u32, at: (f32, f32), colour: [u8; 3]) -> Picture {
        let (cx, cy) = (at.0 * width as f32, at.1 * height as f32);
        let reach = width.min(height) as f32 / 8.0;
        let mut pixels = Vec::new();
        for y in 0..height {
            for x in 0..width {
                let inside = (x as f32 - cx).abs() < reach && (y as f32 - cy).abs() < reach;
                let lit = (x / 3 + y / 3) % 2 == 0;
                pixels.extend(match (inside, lit) {
                    (true, true) => colour,
                    (true, false) => colour.map(|channel| channel / 2),
                    (false, _) => [120, 122, 124],
                });
            }
        }
        Picture::new(width, height, pixels).unwrap()
    }

    #[test]
    fn what_stands_out_is_found_on_its_side_of_the_picture() {
        for (x, y) in [(0.25, 0.3), (0.75, 0.3), (0.3, 0.7), (0.7, 0.65)] {
            for (width, height) in [(640, 360), (360, 640), (1920, 1080)] {
                let found = focus(&with_patch(width, height, (x, y), [200, 140, 110]));
                let off = |found: u16, wanted: f32| (f32::from(found) / 1000.0 - wanted).abs();
                assert!(
                    off(found.x, x) < 0.13 && off(found.y, y) < 0.13,
                    "{found:?} for {x}, {y} in {width}x{height}"
                );
            }
        }
    }

    #[test]
    fn a_glance_finds_the_same_point() {
        for (width, height) in [(640, 360), (1500, 1000), (901, 2700), (2560, 1440)] {
            let picture = with_patch(width, height, (0.3, 0.65), [200, 140, 110]);
            let glance = glance(&picture);
            assert!(glance.width().max(glance.height()) < 1280);
            let (whole, seen) = (focus(&picture), focus(&glance));
            assert!(
                whole.x.abs_diff(seen.x) < 40 && whole.y.abs_diff(seen.y) < 40,
                "{whole:?} {seen:?} in {width}x{height}"
            );
        }
    }

    #[test]
    fn nothing_stands_out_in_a_flat_picture_of_any_size() {
        for (width, height) in [(1, 1), (1, 4000), (4000, 1), (31, 33), (640, 360)] {
            let pixels = vec![90; width as usize * height as usize * 3];
            let found = focus(&Picture::new(width, height, pixels).unwrap());
            let near = |side: u16| (350..=650).contains(&side);
            assert!(near(found.x) && near(found.y), "{found:?}");
        }
    }

    #[test]
    fn noise_of_any_size_gives_a_point_of_the_picture() {
        let mut seed = 1_u32;
        let mut noise = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 24) as u8
        };
        for (width, height) in [(1, 1), (2, 3), (17, 900), (640, 360)] {
            let pixels = (0..width * height * 3).map(|_| noise()).collect();
            let found = focus(&Picture::new(width, height, pixels).unwrap());
            assert!(found.x <= Focus::MAX && found.y <= Focus::MAX);
        }
    }
}
