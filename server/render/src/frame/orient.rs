//! Turning and mirroring pixels, as EXIF's eight orientations ask for. Where the orientation comes from is no
//! business of this module.

use mantel_shared::Focus;

use crate::picture::{CHANNELS, Picture, Size};

/// How the stored rows and columns lie in the upright picture; the numbers are EXIF's (CIPA DC-008, 4.6.4 A).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Orientation {
    /// 1: as stored.
    #[default]
    Upright,
    /// 2: left and right exchanged.
    MirroredAcross,
    /// 3: half a turn.
    TurnedOver,
    /// 4: top and bottom exchanged.
    MirroredDown,
    /// 5: rows are columns.
    Transposed,
    /// 6: to be turned a quarter clockwise.
    QuarterClockwise,
    /// 7: rows are columns, and half a turn.
    Transversed,
    /// 8: to be turned a quarter anticlockwise.
    QuarterAnticlockwise,
}

impl Orientation {
    /// All eight, in EXIF's order.
    pub const ALL: [Self; 8] = [
        Self::Upright,
        Self::MirroredAcross,
        Self::TurnedOver,
        Self::MirroredDown,
        Self::Transposed,
        Self::QuarterClockwise,
        Self::Transversed,
        Self::QuarterAnticlockwise,
    ];

    /// From EXIF's number; `None` outside 1 to 8.
    pub fn from_exif(value: u32) -> Option<Self> {
        let index = usize::try_from(value.checked_sub(1)?).ok()?;
        Self::ALL.get(index).copied()
    }

    /// EXIF's number for it, 1 to 8.
    pub fn to_exif(self) -> u32 {
        Self::ALL
            .iter()
            .zip(1..)
            .find(|(orientation, _)| **orientation == self)
            .map_or(1, |(_, number)| number)
    }

    /// Both, this one first.
    pub fn then(self, next: Self) -> Self {
        // Each is a mirror across or none, and then some quarters clockwise.
        const PARTS: [(bool, u8); 8] = [
            (false, 0),
            (true, 0),
            (false, 2),
            (true, 2),
            (true, 3),
            (false, 1),
            (true, 1),
            (false, 3),
        ];
        let (mirrored, quarters) = PARTS[self as usize];
        let (mirrors, turns) = PARTS[next as usize];
        // Mirrored afterwards, what was turned one way is turned the other way.
        let quarters = if mirrors { 4 - quarters } else { quarters };
        let both = (mirrored != mirrors, (quarters + turns) % 4);
        let index = PARTS.iter().position(|&parts| parts == both);
        Self::ALL[index.unwrap_or(0)]
    }

    /// Where a point of the upright picture is stored.
    pub const fn stored_at(self, point: Focus) -> Focus {
        let Focus { x, y } = point;
        let (right, below) = (Focus::MAX.saturating_sub(x), Focus::MAX.saturating_sub(y));
        let (x, y) = match self {
            Self::Upright => (x, y),
            Self::MirroredAcross => (right, y),
            Self::TurnedOver => (right, below),
            Self::MirroredDown => (x, below),
            Self::Transposed => (y, x),
            Self::QuarterClockwise => (y, right),
            Self::Transversed => (below, right),
            Self::QuarterAnticlockwise => (below, x),
        };
        Focus { x, y }
    }

    /// Whether width and height change places.
    pub const fn swaps_sides(self) -> bool {
        matches!(
            self,
            Self::Transposed
                | Self::QuarterClockwise
                | Self::Transversed
                | Self::QuarterAnticlockwise
        )
    }

    /// The upright size of a picture stored with `size`.
    pub const fn upright_size(self, size: Size) -> Size {
        if self.swaps_sides() {
            size.transposed()
        } else {
            size
        }
    }
}

/// Turns a stored picture upright. Half turns and mirrors work in place; the others go tile by tile, so that both
/// the rows read and the rows written stay in the cache.
pub fn orient(mut picture: Picture, orientation: Orientation) -> Picture {
    let stride = picture.stride();
    match orientation {
        Orientation::Upright => picture,
        Orientation::MirroredAcross => {
            picture
                .pixels_mut()
                .chunks_exact_mut(stride)
                .for_each(reverse_pixels);
            picture
        }
        Orientation::TurnedOver => {
            reverse_pixels(picture.pixels_mut());
            picture
        }
        Orientation::MirroredDown => {
            let rows = picture.height() as usize;
            let (top, bottom) = picture.pixels_mut().split_at_mut(rows / 2 * stride);
            for (upper, lower) in top
                .chunks_exact_mut(stride)
                .zip(bottom.rchunks_exact_mut(stride))
            {
                upper.swap_with_slice(lower);
            }
            picture
        }
        Orientation::Transposed => transpose(&picture, false, false),
        Orientation::QuarterClockwise => transpose(&picture, true, false),
        Orientation::Transversed => transpose(&picture, true, true),
        Orientation::QuarterAnticlockwise => transpose(&picture, false, true),
    }
}

fn reverse_pixels(row: &mut [u8]) {
    let (pixels, _) = row.as_chunks_mut::<CHANNELS>();
    pixels.reverse();
}

/// Rows become columns. `from_right`: the first stored row becomes the rightmost column instead of the leftmost.
/// `from_below`: the first stored column becomes the bottom row instead of the top one.
fn transpose(picture: &Picture, from_right: bool, from_below: bool) -> Picture {
    const TILE: usize = 32;

    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let (source, _) = picture.pixels().as_chunks::<CHANNELS>();
    let mut turned = Picture::filled(picture.height(), picture.width(), [0; CHANNELS]);
    let (target, _) = turned.pixels_mut().as_chunks_mut::<CHANNELS>();

    for top in (0..height).step_by(TILE) {
        let bottom = (top + TILE).min(height);
        for left in (0..width).step_by(TILE) {
            for x in left..(left + TILE).min(width) {
                let row = if from_below { width - 1 - x } else { x };
                let target = &mut target[row * height..][..height];
                // A column of the tile becomes a run of the target's row.
                if from_right {
                    for (y, pixel) in
                        (top..bottom).zip(target[height - bottom..height - top].iter_mut().rev())
                    {
                        *pixel = source[y * width + x];
                    }
                } else {
                    for (y, pixel) in (top..bottom).zip(&mut target[top..bottom]) {
                        *pixel = source[y * width + x];
                    }
                }
            }
        }
    }
    turned
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each pixel tells where it was stored.
    fn marked(width: u32, height: u32) -> Picture {
        let pixels = (0..height)
            .flat_map(|y| (0..width).flat_map(move |x| [x as u8, y as u8, (x * 7 + y * 3) as u8]))
            .collect();
        Picture::new(width, height, pixels).unwrap()
    }

    /// Where the upright pixel (x, y) is stored, from EXIF's table of what the 0th row and 0th column are.
    fn stored(orientation: Orientation, x: u32, y: u32, upright: Size) -> (u32, u32) {
        let (right, below) = (upright.width - 1 - x, upright.height - 1 - y);
        match orientation {
            Orientation::Upright => (x, y), // row 0: top, column 0: left
            Orientation::MirroredAcross => (right, y), // top, right
            Orientation::TurnedOver => (right, below), // bottom, right
            Orientation::MirroredDown => (x, below), // bottom, left
            Orientation::Transposed => (y, x), // left, top
            Orientation::QuarterClockwise => (y, right), // right, top
            Orientation::Transversed => (below, right), // right, bottom
            Orientation::QuarterAnticlockwise => (below, x), // left, bottom
        }
    }

    #[test]
    fn every_pixel_of_every_orientation() {
        for (width, height) in [
            (1, 1),
            (5, 1),
            (1, 5),
            (4, 3),
            (31, 33),
            (64, 32),
            (70, 101),
        ] {
            let picture = marked(width, height);
            for orientation in Orientation::ALL {
                let upright = orient(picture.clone(), orientation);
                assert_eq!(upright.size(), orientation.upright_size(picture.size()));
                for y in 0..upright.height() {
                    for x in 0..upright.width() {
                        let (sx, sy) = stored(orientation, x, y, upright.size());
                        let at = ((y * upright.width() + x) * 3) as usize;
                        let expected = [sx as u8, sy as u8, (sx * 7 + sy * 3) as u8];
                        assert_eq!(
                            upright.pixels()[at..at + 3],
                            expected,
                            "{orientation:?} {width}x{height} at {x},{y}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn a_point_is_found_where_its_pixel_is_stored() {
        let picture = marked(101, 51);
        for orientation in Orientation::ALL {
            let upright = orient(picture.clone(), orientation);
            let last = |side: u32| f64::from(side - 1);
            for (x, y) in [(0, 0), (100, 300), (700, 200), (1000, 1000), (0, 640)] {
                let at = orientation.stored_at(Focus { x, y });
                let seen = |size: Size, point: Focus| {
                    #[expect(clippy::cast_sign_loss, reason = "shares of a side")]
                    let place = |share: u16, side: u32| {
                        (f64::from(share) / 1000.0 * last(side)).round() as u32
                    };
                    (place(point.x, size.width), place(point.y, size.height))
                };
                let (x, y) = seen(upright.size(), Focus { x, y });
                assert_eq!(
                    stored(orientation, x, y, upright.size()),
                    seen(picture.size(), at),
                    "{orientation:?}"
                );
            }
        }
    }

    #[test]
    fn one_after_the_other_is_both() {
        let picture = marked(5, 3);
        for first in Orientation::ALL {
            for second in Orientation::ALL {
                let steps = orient(orient(picture.clone(), first), second);
                let both = first.then(second);
                assert_eq!(
                    orient(picture.clone(), both),
                    steps,
                    "{first:?}, {second:?}: {both:?}"
                );
            }
        }
    }

    #[test]
    fn numbers_are_exifs() {
        assert_eq!(Orientation::from_exif(1), Some(Orientation::Upright));
        assert_eq!(
            Orientation::from_exif(6),
            Some(Orientation::QuarterClockwise)
        );
        assert_eq!(
            Orientation::from_exif(8),
            Some(Orientation::QuarterAnticlockwise)
        );
        for value in [0, 9, 255, u32::MAX] {
            assert_eq!(Orientation::from_exif(value), None);
        }
    }
}
