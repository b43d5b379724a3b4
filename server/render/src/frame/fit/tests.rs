//! Each picture in each frame: where it lies, how large, and what is beside it.

use super::*;
use crate::frame::backdrop::{COARSE, bands};

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
    // What is asked for is rendered at sides that are multiples of eight.
    let rounded = |size: Size| {
        Size::new(
            size.width.next_multiple_of(8),
            size.height.next_multiple_of(8),
        )
    };
    let mut all: Vec<Size> = sizes.into_iter().chain(sizes.map(rounded)).collect();
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
                let coarse = Size::new(frame.width.div_ceil(COARSE), frame.height.div_ceil(COARSE));
                let inner = shown(picture, frame, Fit::Blur);
                let mut parts = vec![(covering(picture, frame), picture)];
                parts.extend(
                    bands(middle(inner, frame), inner, frame).map(|band| (band.part, coarse)),
                );
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
            let is_most = inner.width == picture.width * 3 || inner.height == picture.height * 3;
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
    let fit =
        |picture: &Picture, size, how| fit_around(picture, size, how, || Focus { x: 500, y: 500 });
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
