//! A picture of any shape on a screen of another: contain, cover, or contain over a blurred copy of itself. Knows
//! sizes and pixels, no photos and no clients.
//!
//! No picture is enlarged more than [`MOST`] times, whatever the fit and whether it has the frame alone or shares it:
//! beyond that a screen shows its pixels and not what they are of. What it then leaves free is what is beside any
//! picture that does not fill its frame: black for contain, its backdrop for blur, and for cover as well.

use std::fmt;
use std::str::FromStr;

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use mantel_shared::Focus;
use thiserror::Error;

use crate::render::focus::focus;
use crate::render::picture::{CHANNELS, Picture, Size};

/// How a picture fills a frame of another shape.
#[derive(Copy, Clone, Debug, Default, Eq, Hash, PartialEq)]
pub enum Fit {
    /// All of the picture is seen, with black beside it.
    Contain,
    /// All of the frame is filled; of the picture's overhanging edges what is farthest from its focus is cut off.
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

/// How many times a picture is enlarged at most.
pub const MOST: u32 = 3;

/// Brings a picture to exactly `size`, enlarging small ones up to [`MOST`] times. A side of zero counts as one.
pub fn fit(picture: &Picture, size: Size, fit: Fit) -> Picture {
    fit_around(picture, size, fit, || focus(picture))
}

/// The same, cutting around a point that is only asked for where something is cut.
pub fn fit_around(
    picture: &Picture,
    size: Size,
    fit: Fit,
    focus: impl FnOnce() -> Focus,
) -> Picture {
    let size = Size::new(size.width.max(1), size.height.max(1));
    if picture.size() == size {
        return picture.clone();
    }
    let inner = shown(picture.size(), size, fit);
    let part = if fit == Fit::Cover {
        let middle = covering(picture.size(), inner);
        if middle.cuts(picture.size(), inner) {
            middle.around(focus(), picture.size())
        } else {
            middle
        }
    } else if inner == size {
        // Shapes that differ by less than a pixel.
        covering(picture.size(), size)
    } else {
        Crop::whole(picture.size())
    };
    let inner = resize(picture, part, inner, FilterType::Lanczos3);
    if inner.size() == size {
        return inner;
    }
    let mut frame = Picture::filled(size.width, size.height, [0; CHANNELS]);
    if fit != Fit::Contain {
        paint_backdrop(&inner, &mut frame);
    }
    let (left, top) = middle(inner.size(), size);
    place(&inner, &mut frame, left, top);
    frame
}

/// Where a picture of this size lies in a frame of `size`, and how large it is there; none where it fills the frame.
pub fn lies(picture: Size, size: Size, fit: Fit) -> Option<((u32, u32), Size)> {
    let inner = shown(picture, size, fit);
    (inner != size).then_some((middle(inner, size), inner))
}

/// How large a picture is in a frame: what is seen of it, where something is cut off.
fn shown(picture: Size, frame: Size, fit: Fit) -> Size {
    match fit {
        Fit::Cover => at_most(frame, picture),
        Fit::Contain | Fit::Blur => at_most(contained(picture, frame), picture),
    }
}

/// A size to which a picture is to be brought, held to what it may be enlarged to.
pub(crate) fn at_most(size: Size, picture: Size) -> Size {
    Size::new(
        size.width.min(picture.width.max(1).saturating_mul(MOST)),
        size.height.min(picture.height.max(1).saturating_mul(MOST)),
    )
}

/// The picture's middle part at exactly `size`, however small it is: what is blurred, not shown.
pub(crate) fn filling(picture: &Picture, size: Size) -> Picture {
    let part = covering(picture.size(), size);
    resize(picture, part, size, FilterType::Lanczos3)
}

/// Where something begins that lies in the middle of a frame.
fn middle(inner: Size, frame: Size) -> (u32, u32) {
    (
        (frame.width - inner.width) / 2,
        (frame.height - inner.height) / 2,
    )
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

    /// Whether it leaves anything of a picture out that would be seen at a size of `shown`: a pixel and more.
    fn cuts(self, picture: Size, shown: Size) -> bool {
        let lost = |whole: u32, part: f64, shown: u32| {
            (f64::from(whole) - part) * f64::from(shown) >= part
        };
        lost(picture.width, self.width, shown.width)
            || lost(picture.height, self.height, shown.height)
    }

    /// The same part of a picture of size `size`, moved until the focus is as near its middle as the picture's edges
    /// allow.
    fn around(self, focus: Focus, size: Size) -> Self {
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

    /// The same part as the resizer can take it, see [`clear`].
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

/// Up to four bands around a picture of size `inner`: only they are seen.
fn bands(inner: Size, frame: Size) -> impl Iterator<Item = Band> {
    let (left, top) = middle(inner, frame);
    let (right, bottom) = (left + inner.width, top + inner.height);
    let bands = [
        (0, 0, left, frame.height),
        (right, 0, frame.width - right, frame.height),
        (left, 0, inner.width, top),
        (left, bottom, inner.width, frame.height - bottom),
    ];
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
                    let inner = shown(picture, frame, Fit::Blur);
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
                    if how == Fit::Cover && lies(picture.size(), frame, how).is_none() {
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

    /// Sides of pictures and frames, from a pixel to more than any screen has.
    const SIDES: [u32; 13] = [
        1, 2, 16, 53, 150, 200, 360, 640, 1079, 1080, 1920, 2160, 3840,
    ];

    fn sizes() -> impl Iterator<Item = Size> {
        let sides = || SIDES.into_iter();
        sides().flat_map(move |width| sides().map(move |height| Size::new(width, height)))
    }

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
    fn no_picture_is_enlarged_more_than_three_times() {
        for (picture, frame) in sizes().flat_map(|one| sizes().map(move |other| (one, other))) {
            for how in [Fit::Contain, Fit::Cover, Fit::Blur] {
                let ((left, top), inner) = lies(picture, frame, how).unwrap_or(((0, 0), frame));
                let told = format!("{picture} in {frame}, {how}: {inner} at {left},{top}");
                // It is in the frame, in the middle but for an odd pixel.
                let (right, bottom) = (left + inner.width, top + inner.height);
                assert!(right <= frame.width && bottom <= frame.height, "{told}");
                assert!(frame.width - right - left <= 1, "{told}");
                assert!(frame.height - bottom - top <= 1, "{told}");
                // As large as may be, and not larger.
                let enlarged = |inner: u32, own: u32| f64::from(inner) / f64::from(own);
                let across = enlarged(inner.width, picture.width);
                let down = enlarged(inner.height, picture.height);
                assert!(across.max(down) <= 3.0, "{told}");
                let fills = inner.width == frame.width || inner.height == frame.height;
                let is_most =
                    inner.width == picture.width * 3 || inner.height == picture.height * 3;
                assert!(fills || is_most, "{told}");
                if how == Fit::Cover {
                    // What is free beside it could only be filled by more.
                    assert!(inner.width == frame.width || inner.width == picture.width * 3);
                    assert!(inner.height == frame.height || inner.height == picture.height * 3);
                } else {
                    // It keeps its shape, as whole pixels can.
                    let off = (across - down).abs() * f64::from(picture.width.min(picture.height));
                    let least = inner.width.min(inner.height) == 1;
                    assert!(off <= 1.0 || least, "{told}");
                }
            }
        }
    }

    #[test]
    fn what_a_frame_shows_lies_where_it_is_said_to_lie() {
        // Green, and not a bit of it in a backdrop that is dimmed, or black.
        let green = [20, 250, 60];
        for picture in [(10, 10), (20, 15), (40, 61), (64, 3)] {
            for frame in [(96, 54), (54, 96), (61, 61), (31, 100)] {
                for how in [Fit::Contain, Fit::Cover, Fit::Blur] {
                    let frame = Size::new(frame.0, frame.1);
                    let picture = Picture::filled(picture.0, picture.1, green);
                    let fitted = fit(&picture, frame, how);
                    let ((left, top), inner) =
                        lies(picture.size(), frame, how).unwrap_or(((0, 0), frame));
                    for y in 0..frame.height {
                        for x in 0..frame.width {
                            let inside = (left..left + inner.width).contains(&x)
                                && (top..top + inner.height).contains(&y);
                            let [_, seen, _] = pixel(&fitted, x, y);
                            let is_right = match (inside, how) {
                                (true, _) => seen == 250,
                                (false, Fit::Contain) => seen == 0,
                                (false, _) => (60..150).contains(&seen),
                            };
                            assert!(is_right, "{picture:?} in {frame}, {how}: {seen} at {x},{y}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn cover_keeps_the_focus_as_near_the_middle_as_the_edges_allow() {
        for (picture, frame) in sizes().flat_map(|one| sizes().map(move |other| (one, other))) {
            let inner = shown(picture, frame, Fit::Cover);
            let middle = covering(picture, inner);
            for x in [0, 130, 500, 770, 1000] {
                for y in [0, 333, 500, 1000] {
                    let part = middle.around(Focus { x, y }, picture);
                    let told = format!("{part:?} of {picture} for {frame} around {x},{y}");
                    assert_eq!((part.width, part.height), (middle.width, middle.height));
                    for (start, length, whole, share) in [
                        (part.left, part.width, picture.width, x),
                        (part.top, part.height, picture.height, y),
                    ] {
                        let whole = f64::from(whole);
                        let focus = f64::from(share) / 1000.0 * whole;
                        assert!(start >= 0.0 && start + length <= whole + 1e-6, "{told}");
                        // It is seen, and what keeps it from the middle is an edge.
                        assert!(
                            start <= focus + 1e-6 && focus <= start + length + 1e-6,
                            "{told}"
                        );
                        let off = focus - (start + length / 2.0);
                        let at_edge = if off < 0.0 {
                            start
                        } else {
                            whole - length - start
                        };
                        assert!(off.abs() < 1e-6 || at_edge < 1e-6, "{told}");
                    }
                }
            }
        }
    }

    #[test]
    fn cover_shows_what_is_worth_looking_at() {
        // A checkered patch near the left end of a grey strip; the middle shows nothing of it.
        let mut strip = Picture::filled(900, 300, [120, 122, 124]);
        for y in 90..190 {
            for x in 60..160 {
                let at = (y * 900 + x) * CHANNELS;
                let lit = (x / 3 + y / 3) % 2 == 0;
                let colour = if lit { [210, 140, 110] } else { [90, 60, 50] };
                strip.pixels_mut()[at..at + CHANNELS].copy_from_slice(&colour);
            }
        }
        let square = fit(&strip, Size::new(300, 300), Fit::Cover);
        let n_coloured = square.pixels().chunks_exact(CHANNELS);
        let n_coloured = n_coloured.filter(|rgb| rgb[0] > rgb[2] + 20).count();
        assert!(n_coloured > 9000, "{n_coloured}");
        // What is told of the frame is where the patch is in it.
        let found = focus(&square);
        let (x, y) = (
            u32::from(found.x) * 300 / 1000,
            u32::from(found.y) * 300 / 1000,
        );
        let near = (x.saturating_sub(20)..x + 20)
            .flat_map(|x| (y.saturating_sub(20)..y + 20).map(move |y| (x, y)))
            .any(|(x, y)| pixel(&square, x, y)[0] > pixel(&square, x, y)[2] + 20);
        assert!(near, "{found:?}");
    }

    #[test]
    fn around_the_middle_cover_cuts_both_sides_alike() {
        // Red, green and blue thirds; a square sees all of the middle one and as much of either other.
        let fit = |picture: &Picture, size, how| {
            fit_around(picture, size, how, || Focus { x: 500, y: 500 })
        };
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
