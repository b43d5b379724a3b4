//! The backdrop of a picture: what fills the part of a frame that the picture leaves free, made of the picture itself,
//! large, blurred beyond recognition and dimmed. It looks the same behind a picture that is alone and behind one of two.

use super::resize::{Crop, FilterType, covering, resize};
use crate::picture::{CHANNELS, Picture, Size};

/// The backdrop's brightness, in 256ths of the picture's: present, and well behind it.
const DIM: u16 = 110;
/// The backdrop is blurred at this fraction of its size, where it costs next to nothing.
pub(super) const COARSE: u32 = 16;

/// Fills what `picture`, which is to lie at `place`, will leave free of a region of the frame: where it begins, and its
/// size. The picture lies inside the region.
pub(super) fn paint(
    frame: &mut Picture,
    ((left, top), size): ((u32, u32), Size),
    picture: &Picture,
    place: (u32, u32),
) {
    let coarse = coarse(size);
    let part = covering(picture.size(), size);
    let mut small = resize(picture, part, coarse, FilterType::Box);
    for _ in 0..3 {
        soften(&mut small);
    }
    for byte in small.pixels_mut() {
        *byte = ((u16::from(*byte) * DIM) >> 8) as u8;
    }

    let place = (place.0.saturating_sub(left), place.1.saturating_sub(top));
    for band in bands(place, picture.size(), size) {
        let pixels = resize(&small, band.part, band.size, FilterType::CatmullRom);
        frame.put(&pixels, left + band.left, top + band.top);
    }
}

fn coarse(size: Size) -> Size {
    Size::new(size.width.div_ceil(COARSE), size.height.div_ceil(COARSE))
}

/// A part of the region that the picture leaves free, and what of the coarse backdrop fills it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Band {
    left: u32,
    top: u32,
    size: Size,
    pub(super) part: Crop,
}

/// Up to four bands around a picture of size `inner` at `place` in a region: only they are seen.
pub(super) fn bands(
    (left, top): (u32, u32),
    inner: Size,
    region: Size,
) -> impl Iterator<Item = Band> {
    let right = (left + inner.width).min(region.width);
    let bottom = (top + inner.height).min(region.height);
    let bands = [
        (0, 0, left, region.height),
        (right, 0, region.width - right, region.height),
        (left, 0, inner.width, top),
        (left, bottom, inner.width, region.height - bottom),
    ];
    let coarse = coarse(region);
    let across = f64::from(coarse.width) / f64::from(region.width);
    let down = f64::from(coarse.height) / f64::from(region.height);
    let seen = |(_, _, width, height): &(u32, u32, u32, u32)| *width > 0 && *height > 0;
    bands
        .into_iter()
        .filter(seen)
        .map(move |(left, top, width, height)| Band {
            left,
            top,
            size: Size::new(width, height),
            part: Crop {
                left: f64::from(left) * across,
                top: f64::from(top) * down,
                width: f64::from(width) * across,
                height: f64::from(height) * down,
            },
        })
}

/// A box blur along rows, then along columns; three of them come close to a Gaussian.
fn soften(picture: &mut Picture) {
    const RADIUS: usize = 2;
    let (width, height, stride) = (
        picture.width() as usize,
        picture.height() as usize,
        picture.stride(),
    );
    let source = picture.clone();
    average(
        source.pixels(),
        picture.pixels_mut(),
        (width, CHANNELS),
        (height, stride),
        RADIUS,
    );
    let source = picture.clone();
    average(
        source.pixels(),
        picture.pixels_mut(),
        (height, stride),
        (width, CHANNELS),
        RADIUS,
    );
}

/// Averages along one axis; an axis is how many pixels it has and how many bytes apart they are. Edges are repeated.
fn average(
    source: &[u8],
    target: &mut [u8],
    along: (usize, usize),
    across: (usize, usize),
    radius: usize,
) {
    let n_taps = 2 * radius + 1;
    for line in 0..across.0 {
        for i in 0..along.0 {
            for channel in 0..CHANNELS {
                let sum: usize = (0..n_taps)
                    .map(|tap| (i + tap).saturating_sub(radius).min(along.0 - 1))
                    .map(|j| usize::from(source[line * across.1 + j * along.1 + channel]))
                    .sum();
                target[line * across.1 + i * along.1 + channel] =
                    ((sum + n_taps / 2) / n_taps) as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{
        fit::{Fit, fit, lies},
        pair,
    };

    /// A picture with something to blur, so small that it has the same size alone and beside another.
    fn small() -> Picture {
        let pixels = (0..80_u32).flat_map(|y| {
            (0..60_u32).flat_map(move |x| {
                let lit = (x / 20 + y / 16) % 2 == 0;
                let shade = if lit { 250 } else { 90 };
                [shade, (x * 4) as u8, (y * 3) as u8]
            })
        });
        Picture::new(60, 80, pixels.collect()).unwrap()
    }

    #[test]
    fn behind_one_of_two_it_looks_as_behind_one_alone() {
        let picture = small();
        for (frame, half, second) in [
            (Size::new(960, 540), Size::new(480, 540), (480, 0)),
            (Size::new(540, 960), Size::new(540, 480), (0, 480)),
        ] {
            let alone = fit(&picture, half, Fit::Blur);
            let (own_place, own_size) = lies(picture.size(), half, Fit::Blur).unwrap();
            let sized = pair::part_size(picture.size(), frame, 0, Fit::Blur);
            assert_eq!(sized, own_size);
            let large = fit(&picture, sized, Fit::Cover);
            let two = pair::pair([&large, &large], frame, Fit::Blur);
            for (part, (left, top)) in [(0, (0, 0)), (1, second)] {
                let (x, y) = pair::lies(sized, frame, part);
                let place = (x - left, y - top);
                let covered = |(x, y): (u32, u32), (left, top): (u32, u32)| {
                    (left..left + sized.width).contains(&x)
                        && (top..top + sized.height).contains(&y)
                };
                let at = |picture: &Picture, x: u32, y: u32| {
                    let at = y as usize * picture.stride() + x as usize * CHANNELS;
                    <[u8; CHANNELS]>::try_from(&picture.pixels()[at..at + CHANNELS]).unwrap()
                };
                let mut n_compared = 0;
                for y in 0..half.height {
                    for x in 0..half.width {
                        if covered((x, y), place) || covered((x, y), own_place) {
                            continue;
                        }
                        n_compared += 1;
                        let (one, other) = (at(&alone, x, y), at(&two, left + x, top + y));
                        let apart = one.iter().zip(other).map(|(a, b)| a.abs_diff(b)).max();
                        assert!(
                            apart <= Some(2),
                            "{one:?} and {other:?} at {x},{y} of {part}"
                        );
                    }
                }
                assert!(n_compared > half.n_pixels() / 2, "{n_compared}");
            }
        }
    }
}
