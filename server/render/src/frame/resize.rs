//! A part of a picture at another size, by a library for resizing. Knows which parts there are; what they are for is
//! [`fit`](super::fit)'s and [`pair`](super::pair)'s.

pub(super) use fast_image_resize::FilterType;
use fast_image_resize::{
    ResizeAlg, ResizeOptions, Resizer,
    images::{TypedImage, TypedImageRef},
    pixels::U8x3,
};
use mantel_shared::Focus;

use crate::picture::{CHANNELS, Picture, Size};

/// A part of a picture, in pixels and fractions of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Crop {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Crop {
    pub(super) fn whole(size: Size) -> Self {
        Self {
            left: 0.0,
            top: 0.0,
            width: f64::from(size.width),
            height: f64::from(size.height),
        }
    }

    /// Whether it leaves anything of a picture out that would be seen at a size of `shown`: a pixel and more.
    pub(super) fn cuts(self, picture: Size, shown: Size) -> bool {
        let lost = |whole: u32, part: f64, shown: u32| {
            (f64::from(whole) - part) * f64::from(shown) >= part
        };
        lost(picture.width, self.width, shown.width)
            || lost(picture.height, self.height, shown.height)
    }

    /// This part of a picture of size `size`, moved until the focus is as near its middle as the picture's edges
    /// allow.
    pub(super) fn around(self, focus: Focus, size: Size) -> Self {
        let place = |share: u16, whole: u32, part: f64| {
            let whole = f64::from(whole);
            let at = f64::from(share.min(Focus::MAX)) / f64::from(Focus::MAX) * whole;
            (at - part / 2.0).min(whole - part).max(0.0)
        };
        Self {
            left: place(focus.x, size.width, self.width),
            top: place(focus.y, size.height, self.height),
            ..self
        }
    }

    /// This part as the resizer can take it, see [`clear`].
    fn clear(self, size: Size) -> Self {
        let (left, width) = clear(self.left, self.width, size.width);
        let (top, height) = clear(self.top, self.height, size.height);
        Self {
            left,
            top,
            width,
            height,
        }
    }

    /// This part without what lies outside of `size`: products of fractions end a hair's breadth beyond the
    /// last row, and the resizer takes nothing of that.
    pub(super) fn within(self, size: Size) -> Self {
        let whole = Self::whole(size);
        let left = self.left.clamp(0.0, whole.width);
        let top = self.top.clamp(0.0, whole.height);
        Self {
            left,
            top,
            width: self.width.min(whole.width - left),
            height: self.height.min(whole.height - top),
        }
    }
}

/// A hair less of a part along one axis, from its start and as long, where the first or the last of `n` pixels that
/// are made of it would lie just on one of the picture's. fast_image_resize 6.1 leaves out what has no weight
/// there and takes the first and the last for those that reach farthest; their neighbours then read beside its copy.
fn clear(start: f64, length: f64, n: u32) -> (f64, f64) {
    let step = length / f64::from(n);
    if n < 2 || step >= 1.0 {
        return (start, length);
    }
    let is_on = |at: f64| (at - 0.5 - (at - 0.5).round()).abs() < 1e-7;
    let parts = [0.0, 1e-5, 2e-5, 3e-5].map(|hair| (start + hair, length - 2.0 * hair));
    let clear = parts.iter().find(|(start, length)| {
        let half = length / f64::from(n) / 2.0;
        *length > 0.0 && !is_on(start + half) && !is_on(start + length - half)
    });
    *clear.unwrap_or(&parts[0])
}

/// The largest part of `frame`'s shape in the middle of `picture`.
pub(super) fn covering(picture: Size, frame: Size) -> Crop {
    let whole = Crop::whole(picture);
    let shape = f64::from(frame.width) / f64::from(frame.height);
    let (width, height) = (
        whole.width.min(whole.height * shape),
        whole.height.min(whole.width / shape),
    );
    Crop {
        left: (whole.width - width) / 2.0,
        top: (whole.height - height) / 2.0,
        width,
        height,
    }
}

/// The whole picture at `size`, whatever becomes of its shape: what is compared, not shown.
pub(super) fn squeezed(picture: &Picture, size: Size) -> Picture {
    resize(picture, Crop::whole(picture.size()), size, FilterType::Box)
}

/// The part of a picture that lies in `crop`, at another size.
pub(super) fn resize(picture: &Picture, crop: Crop, size: Size, filter: FilterType) -> Picture {
    let crop = crop.within(picture.size()).clear(size);
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(filter))
        .crop(crop.left, crop.top, crop.width, crop.height)
        .use_alpha(false);
    let mut frame = Picture::filled(size.width, size.height, [0; CHANNELS]);
    let resized = (|| {
        let (width, height) = (picture.width(), picture.height());
        let source = TypedImageRef::<U8x3>::from_buffer(width, height, picture.pixels()).ok()?;
        let pixels = frame.pixels_mut();
        let mut target = TypedImage::<U8x3>::from_buffer(size.width, size.height, pixels).ok()?;
        // Typed: the other call would be compiled for each of the library's pixel types, which made
        // nine tenths of this crate's code.
        Resizer::new()
            .resize_typed(&source, &mut target, &options)
            .ok()
    })();
    // Both pictures have just their pixels and the crop lies within: nothing is left to fail. Should it
    // all the same, what people see is coarse, not black.
    debug_assert!(resized.is_some(), "{crop:?} of {picture:?} to {size}");
    if resized.is_none() {
        sample(picture, crop, &mut frame);
    }
    frame
}

/// Fills a frame with the nearest pixels of a part of a picture.
fn sample(picture: &Picture, crop: Crop, frame: &mut Picture) {
    let size = frame.size();
    let nearest = |start: f64, length: f64, at: usize, of: u32, last: u32| {
        let exact = start + length * (at as f64 + 0.5) / f64::from(of);
        #[expect(clippy::cast_sign_loss, reason = "a crop begins at zero or beyond")]
        let exact = exact as usize;
        exact.min(last.saturating_sub(1) as usize)
    };
    let rows = frame
        .pixels_mut()
        .chunks_exact_mut(size.width as usize * CHANNELS);
    for (y, row) in rows.enumerate() {
        let from = nearest(crop.top, crop.height, y, size.height, picture.height());
        for (x, pixel) in row.chunks_exact_mut(CHANNELS).enumerate() {
            let at = nearest(crop.left, crop.width, x, size.width, picture.width());
            let at = from * picture.stride() + at * CHANNELS;
            pixel.copy_from_slice(&picture.pixels()[at..at + CHANNELS]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_whose_pixels_fall_on_the_pictures_are_resized() {
        // Starts and ends at every sixteenth of a pixel, from which the resizer makes sixteen for one.
        let picture = Picture::filled(24, 24, [200, 100, 50]);
        for from in 0..64 {
            for n in 1..48_u32 {
                let (start, length) = (f64::from(from) / 32.0, f64::from(n) / 16.0);
                let [across, down] = [(start, 0.5, length, 3.0), (0.5, start, 3.0, length)];
                for (left, top, width, height) in [across, down] {
                    let part = Crop {
                        left,
                        top,
                        width,
                        height,
                    };
                    let size = if left == start && width == length {
                        Size::new(n, 5)
                    } else {
                        Size::new(5, n)
                    };
                    for filter in [FilterType::CatmullRom, FilterType::Lanczos3] {
                        let band = resize(&picture, part, size, filter);
                        assert_eq!(
                            band,
                            Picture::filled(size.width, size.height, [200, 100, 50])
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn what_could_not_be_resized_would_be_coarse_and_not_black() {
        let mut picture = Picture::filled(3, 2, [9, 9, 9]);
        picture.pixels_mut()[3..6].copy_from_slice(&[200, 100, 50]);
        let mut frame = Picture::filled(6, 4, [0; CHANNELS]);
        sample(&picture, Crop::whole(picture.size()), &mut frame);
        let pixel = |x: usize, y: usize| {
            let at = (y * 6 + x) * CHANNELS;
            frame.pixels()[at..at + CHANNELS].to_vec()
        };
        assert_eq!(pixel(2, 1), [200, 100, 50]);
        assert_eq!(pixel(0, 3), [9, 9, 9]);
        assert_eq!(pixel(5, 0), [9, 9, 9]);
    }
}
