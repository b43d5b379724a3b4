//! A picture of any shape on a screen of another: contain, cover, or contain over a blurred copy of itself. Knows
//! sizes and pixels, no photos and no clients.

use std::fmt;
use std::str::FromStr;

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use thiserror::Error;

use crate::render::picture::{CHANNELS, Picture, Size};

/// How a picture fills a frame of another shape.
#[derive(Copy, Clone, Debug, Default, Eq, Hash, PartialEq)]
pub enum Fit {
    /// All of the picture is seen, with black beside it.
    Contain,
    /// All of the frame is filled, the picture's overhanging edges are cut off evenly.
    Cover,
    /// All of the picture is seen, over a blurred, dimmed copy of itself that fills the frame.
    #[default]
    Blur,
}

/// A text that names no [`Fit`].
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("fit is contain, cover or blur, not {0:?}")]
pub struct FitError(String);

impl FromStr for Fit {
    type Err = FitError;

    fn from_str(text: &str) -> Result<Self, FitError> {
        match text.trim() {
            "contain" => Ok(Self::Contain),
            "cover" => Ok(Self::Cover),
            "blur" => Ok(Self::Blur),
            _ => Err(FitError(text.chars().take(40).collect())),
        }
    }
}

impl fmt::Display for Fit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Contain => "contain",
            Self::Cover => "cover",
            Self::Blur => "blur",
        })
    }
}

/// Brings a picture to exactly `size`, enlarging small ones. A side of zero counts as one.
pub fn fit(picture: &Picture, size: Size, fit: Fit) -> Picture {
    let size = Size::new(size.width.max(1), size.height.max(1));
    if picture.size() == size {
        return picture.clone();
    }
    let inner = contained(picture.size(), size);
    if fit == Fit::Cover || inner == size {
        return resize(
            picture,
            covering(picture.size(), size),
            size,
            FilterType::Lanczos3,
        );
    }
    let inner = resize(
        picture,
        Crop::whole(picture.size()),
        inner,
        FilterType::Lanczos3,
    );
    let mut frame = Picture::filled(size.width, size.height, [0; CHANNELS]);
    if fit == Fit::Blur {
        paint_backdrop(&inner, &mut frame);
    }
    let left = (size.width - inner.width()) / 2;
    let top = (size.height - inner.height()) / 2;
    place(&inner, &mut frame, left, top);
    frame
}

/// Where a picture of this size lies in a frame of `size`, and how large it is there; none where it fills the frame.
pub fn lies(picture: Size, size: Size, fit: Fit) -> Option<((u32, u32), Size)> {
    let inner = contained(picture, size);
    let place = (
        (size.width - inner.width) / 2,
        (size.height - inner.height) / 2,
    );
    (fit != Fit::Cover && inner != size).then_some((place, inner))
}

/// The largest size of `picture`'s shape inside `frame`; at least one pixel a side.
fn contained(picture: Size, frame: Size) -> Size {
    let side = |own: u32, other: u32, other_in_frame: u32, limit: u32| {
        let exact = u64::from(own) * u64::from(other_in_frame);
        let rounded = (exact + u64::from(other) / 2) / u64::from(other);
        u32::try_from(rounded).unwrap_or(limit).clamp(1, limit)
    };
    let wider = u64::from(picture.width) * u64::from(frame.height)
        > u64::from(frame.width) * u64::from(picture.height);
    if wider {
        Size::new(
            frame.width,
            side(picture.height, picture.width, frame.width, frame.height),
        )
    } else {
        Size::new(
            side(picture.width, picture.height, frame.height, frame.width),
            frame.height,
        )
    }
}

/// A part of a picture, in pixels and fractions of them.
#[derive(Copy, Clone, Debug, PartialEq)]
struct Crop {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

impl Crop {
    fn whole(size: Size) -> Self {
        Self {
            left: 0.0,
            top: 0.0,
            width: f64::from(size.width),
            height: f64::from(size.height),
        }
    }

    /// The same without what lies outside of `size`: products of fractions end a hair's breadth beyond the
    /// last row, and the resizer takes nothing of that.
    fn within(self, size: Size) -> Self {
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

/// The largest part of `frame`'s shape in the middle of `picture`.
fn covering(picture: Size, frame: Size) -> Crop {
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

/// The backdrop's brightness, in 256ths of the picture's: present, and well behind it.
const DIM: u16 = 110;
/// The backdrop is blurred at this fraction of the frame, where it costs next to nothing.
const COARSE: u32 = 16;

/// Fills what `inner` will leave free of the frame with `inner` itself, large, blurred beyond recognition and dimmed.
fn paint_backdrop(inner: &Picture, frame: &mut Picture) {
    let size = frame.size();
    let coarse = Size::new(size.width.div_ceil(COARSE), size.height.div_ceil(COARSE));
    let mut small = resize(inner, covering(inner.size(), size), coarse, FilterType::Box);
    for _ in 0..3 {
        soften(&mut small);
    }
    for byte in small.pixels_mut() {
        *byte = ((u16::from(*byte) * DIM) >> 8) as u8;
    }

    for Band {
        left,
        top,
        size,
        part,
    } in bands(inner.size(), size)
    {
        let band = resize(&small, part, size, FilterType::CatmullRom);
        place(&band, frame, left, top);
    }
}

/// A part of the frame that the picture leaves free, and what of the coarse backdrop fills it.
#[derive(Copy, Clone, Debug)]
struct Band {
    left: u32,
    top: u32,
    size: Size,
    part: Crop,
}

/// Two bands, beside a picture of size `inner` or above and below it: only they are seen.
fn bands(inner: Size, frame: Size) -> impl Iterator<Item = Band> {
    let bands = if frame.width > inner.width {
        let left = (frame.width - inner.width) / 2;
        let right = left + inner.width;
        [
            (0, 0, left, frame.height),
            (right, 0, frame.width - right, frame.height),
        ]
    } else {
        let top = (frame.height - inner.height) / 2;
        let bottom = top + inner.height;
        [
            (0, 0, frame.width, top),
            (0, bottom, frame.width, frame.height - bottom),
        ]
    };
    let across = f64::from(frame.width.div_ceil(COARSE)) / f64::from(frame.width);
    let down = f64::from(frame.height.div_ceil(COARSE)) / f64::from(frame.height);
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

/// The whole picture at `size`, whatever becomes of its shape: what is compared, not shown.
pub(crate) fn squeezed(picture: &Picture, size: Size) -> Picture {
    resize(picture, Crop::whole(picture.size()), size, FilterType::Box)
}

/// Puts a picture into a frame that has room for it there.
fn place(picture: &Picture, frame: &mut Picture, left: u32, top: u32) {
    let (left, stride) = (left as usize * CHANNELS, frame.stride());
    let targets = frame
        .pixels_mut()
        .chunks_exact_mut(stride)
        .skip(top as usize);
    for (row, target) in picture.pixels().chunks_exact(picture.stride()).zip(targets) {
        target[left..left + row.len()].copy_from_slice(row);
    }
}

/// The part of a picture that lies in `crop`, at another size.
fn resize(picture: &Picture, crop: Crop, size: Size, filter: FilterType) -> Picture {
    let crop = crop.within(picture.size());
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

    const FRAME: Size = Size::new(192, 108);

    fn pixel(picture: &Picture, x: u32, y: u32) -> [u8; 3] {
        let at = ((y * picture.width() + x) * 3) as usize;
        [
            picture.pixels()[at],
            picture.pixels()[at + 1],
            picture.pixels()[at + 2],
        ]
    }

    /// Every size that clients can ask for, and some that the command line takes.
    fn frames() -> Vec<Size> {
        let wishes = [
            (3440, 1440),
            (1600, 900),
            (1024, 600),
            (1366, 768),
            (1280, 631),
            (1920, 1080),
            (1280, 720),
            (2560, 1440),
            (3840, 2160),
            (800, 600),
            (390, 844),
            (1080, 1920),
            (480, 320),
            (640, 360),
            (2048, 1536),
            (5120, 1440),
            (1001, 777),
        ];
        let sizes = wishes.map(|(width, height)| Size::new(width, height));
        let mut all: Vec<Size> = sizes
            .into_iter()
            .chain(sizes.map(crate::rendition::snap))
            .collect();
        all.sort_by_key(|size| (size.width, size.height));
        all.dedup();
        all
    }

    #[test]
    fn no_part_that_is_asked_for_lies_outside_of_its_picture() {
        for frame in frames() {
            for step in 1..=400 {
                let [wide, high] = [(step * 10, 1000), (1000, step * 10)];
                for (width, height) in [wide, high] {
                    let picture = Size::new(width, height);
                    let coarse =
                        Size::new(frame.width.div_ceil(COARSE), frame.height.div_ceil(COARSE));
                    let inner = contained(picture, frame);
                    let mut parts = vec![(covering(picture, frame), picture)];
                    parts.extend(bands(inner, frame).map(|band| (band.part, coarse)));
                    for (part, of) in parts {
                        let within = part.within(of);
                        let told = format!("{part:?} of {of} for {picture} in {frame}");
                        assert!(within.left + within.width <= f64::from(of.width), "{told}");
                        assert!(within.top + within.height <= f64::from(of.height), "{told}");
                        // It was cut by less than anybody can see.
                        let lost = (part.width - within.width).max(part.height - within.height);
                        assert!((0.0..1e-6).contains(&lost), "{told}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_bright_picture_has_no_black_bars_on_any_screen() {
        for frame in frames() {
            for (width, height) in [(30, 40), (40, 30), (60, 20), (64, 41)] {
                let picture = Picture::filled(width, height, [240, 230, 220]);
                let fitted = fit(&picture, frame, Fit::Blur);
                let (right, bottom) = (frame.width - 1, frame.height - 1);
                for (x, y) in [(0, 0), (right, 0), (0, bottom), (right, bottom)] {
                    let corner = pixel(&fitted, x, y);
                    assert!(
                        corner.iter().all(|value| *value > 60),
                        "{width}x{height} in {frame}: {corner:?}"
                    );
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
        assert_eq!(pixel(&frame, 2, 1), [200, 100, 50]);
        assert_eq!(pixel(&frame, 0, 3), [9, 9, 9]);
        assert_eq!(pixel(&frame, 5, 0), [9, 9, 9]);
    }

    #[test]
    fn every_shape_gets_exactly_the_frame() {
        let shapes = [
            (1, 1),
            (1, 10_000),
            (10_000, 1),
            (2, 3),
            (192, 108),
            (191, 108),
            (192, 107),
            (193, 109),
            (1920, 1079),
            (5000, 3),
            (3, 5000),
            (61, 47),
        ];
        for (width, height) in shapes {
            let picture = Picture::filled(width, height, [200, 100, 50]);
            for how in [Fit::Contain, Fit::Cover, Fit::Blur] {
                for frame in [
                    FRAME,
                    FRAME.transposed(),
                    Size::new(16, 16),
                    Size::new(1, 1),
                    Size::new(97, 31),
                ] {
                    let fitted = fit(&picture, frame, how);
                    assert_eq!(fitted.size(), frame, "{width}x{height} {how}");
                    // One colour stays one colour, to its very edges, wherever the picture itself is seen.
                    let middle = pixel(&fitted, (frame.width - 1) / 2, (frame.height - 1) / 2);
                    assert_eq!(middle, [200, 100, 50], "{width}x{height} {how} in {frame}");
                    if how == Fit::Cover {
                        assert_eq!(
                            fitted,
                            Picture::filled(frame.width, frame.height, [200, 100, 50])
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn contained_pictures_keep_their_shape() {
        for (picture, inner) in [
            ((4000, 3000), (144, 108)),
            ((3000, 4000), (81, 108)),
            ((1000, 100), (192, 19)),
            ((16, 9), (192, 108)),
            ((10_000, 1), (192, 1)),
            ((1, 10_000), (1, 108)),
            ((u32::MAX, u32::MAX), (108, 108)),
        ] {
            let found = contained(Size::new(picture.0, picture.1), FRAME);
            assert_eq!((found.width, found.height), inner, "{picture:?}");
        }
    }

    #[test]
    fn beside_a_portrait_is_black_or_its_dimmed_self() {
        let portrait = Picture::filled(50, 100, [200, 100, 50]);
        let contain = fit(&portrait, FRAME, Fit::Contain);
        assert_eq!(pixel(&contain, 0, 54), [0, 0, 0]);
        assert_eq!(pixel(&contain, 68, 54), [0, 0, 0]);
        assert_eq!(pixel(&contain, 69, 0), [200, 100, 50]);
        assert_eq!(pixel(&contain, 122, 107), [200, 100, 50]);
        assert_eq!(pixel(&contain, 123, 54), [0, 0, 0]);
        let blur = fit(&portrait, FRAME, Fit::Blur);
        for x in [0, 68, 123, 191] {
            let [r, g, b] = pixel(&blur, x, 54);
            assert!(
                (70..110).contains(&r) && g < r && b < g,
                "{r} {g} {b} at {x}"
            );
        }
        assert_eq!(pixel(&blur, 96, 54), [200, 100, 50]);
    }

    #[test]
    fn cover_cuts_both_sides_alike() {
        // Red, green and blue thirds; a square sees all of the middle one and as much of either other.
        let pixels = (0..90)
            .flat_map(|_| (0..270).flat_map(|x| [[255, 0, 0], [0, 255, 0], [0, 0, 255]][x / 90]))
            .collect();
        let thirds = Picture::new(270, 90, pixels).unwrap();
        let square = fit(&thirds, Size::new(90, 90), Fit::Cover);
        assert_eq!(pixel(&square, 10, 45), [0, 255, 0]);
        assert_eq!(pixel(&square, 80, 45), [0, 255, 0]);
        let wide = fit(&thirds, Size::new(180, 90), Fit::Cover);
        assert_eq!(pixel(&wide, 5, 45), [255, 0, 0]);
        assert_eq!(pixel(&wide, 90, 45), [0, 255, 0]);
        assert_eq!(pixel(&wide, 174, 45), [0, 0, 255]);
    }

    #[test]
    fn no_frame_is_left_black_at_an_edge() {
        let picture = Picture::filled(40, 30, [250; 3]);
        for width in 16..260 {
            let frame = fit(&picture, Size::new(width, 120), Fit::Blur);
            assert!(frame.pixels().iter().all(|&byte| byte > 60), "{width}");
        }
    }

    #[test]
    fn fits_have_names() {
        for how in [Fit::Contain, Fit::Cover, Fit::Blur] {
            assert_eq!(how.to_string().parse(), Ok(how));
        }
        let error = "stretch".parse::<Fit>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "fit is contain, cover or blur, not \"stretch\""
        );
    }
}
