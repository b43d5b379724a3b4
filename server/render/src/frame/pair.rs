//! Two pictures in one frame: side by side where it is wider than tall, else one above the other. Each leans to the
//! middle of the frame, with a thin gap between; beside them is black, or a blurred copy of each. Knows sizes and
//! pixels, no photos and no clients.

use crate::{
    frame::{
        backdrop,
        fit::{Fit, at_most, fit},
    },
    picture::{CHANNELS, Picture, Size},
};

/// How far a picture may grow beyond what would show all of it, in 256ths: a few percent of its longer side are cut
/// off where that fills its half better.
const GROWTH: u64 = 256 + 15;

/// The gap between the two: a few pixels, in proportion.
fn gap(frame: Size) -> u32 {
    (frame.width.max(frame.height) / 240).max(2) / 2 * 2
}

fn is_side_by_side(frame: Size) -> bool {
    frame.width >= frame.height
}

/// The two parts of a frame, the left or upper one first: where each begins, and its size.
fn regions(frame: Size) -> [((u32, u32), Size); 2] {
    if is_side_by_side(frame) {
        let left = (frame.width / 2).max(1);
        let right = frame.width.saturating_sub(left).max(1);
        [
            ((0, 0), Size::new(left, frame.height)),
            (
                (left.min(frame.width - 1), 0),
                Size::new(right, frame.height),
            ),
        ]
    } else {
        let upper = (frame.height / 2).max(1);
        let lower = frame.height.saturating_sub(upper).max(1);
        [
            ((0, 0), Size::new(frame.width, upper)),
            (
                (0, upper.min(frame.height - 1)),
                Size::new(frame.width, lower),
            ),
        ]
    }
}

/// The room that a picture may fill of its part of the frame.
fn room(frame: Size, part: usize) -> Size {
    let (_, region) = regions(frame)[part.min(1)];
    let gap = gap(frame) / 2;
    if is_side_by_side(frame) {
        Size::new(region.width.saturating_sub(gap).max(1), region.height)
    } else {
        Size::new(region.width, region.height.saturating_sub(gap).max(1))
    }
}

/// The size that a picture of this upright size is to be given for its part of the frame, 0 the left or upper one. Its
/// shape differs from the picture's by what is to be cut off. A small one is enlarged as far as one that is alone.
pub fn part_size(picture: Size, frame: Size, part: usize, how: Fit) -> Size {
    let room = room(frame, part);
    if picture.width == 0 || picture.height == 0 {
        return room;
    }
    if how == Fit::Cover {
        return at_most(room, picture);
    }
    let (width, height) = (u64::from(picture.width), u64::from(picture.height));
    let side = |own: u64, other: u64, other_in_room: u32, limit: u32| {
        let exact = (own * u64::from(other_in_room) + other / 2) / other;
        let grown = exact * GROWTH / 256;
        u32::try_from(grown).unwrap_or(limit).clamp(1, limit)
    };
    // One side fills the room; the other is grown as far as may be.
    let filling = if width * u64::from(room.height) > u64::from(room.width) * height {
        Size::new(room.width, side(height, width, room.width, room.height))
    } else {
        Size::new(side(width, height, room.height, room.width), room.height)
    };
    at_most(filling, picture)
}

/// One frame of two pictures, the left or upper one first, each of its [`part_size`]; one that is too large for its
/// part is brought to it.
pub fn pair(pictures: [&Picture; 2], frame: Size, how: Fit) -> Picture {
    let frame = Size::new(frame.width.max(2), frame.height.max(2));
    let mut out = Picture::filled(frame.width, frame.height, [0; CHANNELS]);
    for (part, picture) in pictures.into_iter().enumerate() {
        let room = room(frame, part);
        let brought;
        let picture = if picture.width() <= room.width && picture.height() <= room.height {
            picture
        } else {
            brought = fit(
                picture,
                part_size(picture.size(), frame, part, how),
                Fit::Cover,
            );
            &brought
        };
        let region = regions(frame)[part];
        let (x, y) = lies(picture.size(), frame, part);
        let has_backdrop = match how {
            Fit::Contain => false,
            Fit::Cover => picture.size() != room,
            Fit::Blur => picture.size() != region.1,
        };
        if has_backdrop {
            backdrop::paint(&mut out, region, picture, (x, y));
        }
        out.put(picture, x, y);
    }
    out
}

/// Where in the frame a picture begins that has its [`part_size`].
pub fn lies(picture: Size, frame: Size, part: usize) -> (u32, u32) {
    let room = room(frame, part);
    let ((left, top), _) = regions(frame)[part.min(1)];
    let (free_x, free_y) = (
        room.width.saturating_sub(picture.width),
        room.height.saturating_sub(picture.height),
    );
    let gap = gap(frame) / 2;
    let (x, y) = match (is_side_by_side(frame), part) {
        (true, 0) => (free_x, free_y / 2),
        (true, _) => (gap, free_y / 2),
        (false, 0) => (free_x / 2, free_y),
        (false, _) => (free_x / 2, gap),
    };
    (left + x, top + y)
}

/// A photo that is narrower than this share of the frame's short side, in percent, has lines that are wider than it
/// is: two words each would be none.
const NARROWEST: u32 = 60;

/// Between which columns something is written about a picture that has its [`part_size`]: from where, and how wide. That is
/// where the picture lies, or around it where it is very narrow, and within its part in any case.
pub fn lines(picture: Size, frame: Size, part: usize) -> (u32, u32) {
    let ((start, _), region) = regions(frame)[part.min(1)];
    let least = (frame.width.min(frame.height) * NARROWEST / 100).min(region.width);
    let width = picture.width.clamp(least, region.width.max(least));
    let (left, _) = lies(picture, frame, part);
    let left = left.saturating_sub(width.saturating_sub(picture.width) / 2);
    let last = start + region.width.saturating_sub(width);
    (left.clamp(start, last.max(start)), width)
}

/// The part of the frame in which something may be written about each picture: left, top and size.
pub fn parts(frame: Size) -> [((u32, u32), Size); 2] {
    regions(frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RED: [u8; 3] = [200, 0, 0];
    const BLUE: [u8; 3] = [0, 0, 200];

    /// A picture of one colour as its part of the frame has it.
    fn sized(size: (u32, u32), rgb: [u8; 3], frame: Size, part: usize, how: Fit) -> Picture {
        let size = part_size(Size::new(size.0, size.1), frame, part, how);
        Picture::filled(size.width, size.height, rgb)
    }

    fn pixel(picture: &Picture, x: u32, y: u32) -> [u8; 3] {
        let at = ((y * picture.width() + x) * 3) as usize;
        [
            picture.pixels()[at],
            picture.pixels()[at + 1],
            picture.pixels()[at + 2],
        ]
    }

    #[test]
    fn any_two_shapes_make_exactly_the_frame() {
        for (a, b) in [
            ((3, 4), (3, 4)),
            ((1, 5000), (2, 3)),
            ((5000, 1), (1, 1)),
            ((400, 500), (9, 16)),
        ] {
            let a = Picture::filled(a.0, a.1, RED);
            let b = Picture::filled(b.0, b.1, BLUE);
            for frame in [
                (192, 108),
                (108, 192),
                (160, 160),
                (161, 97),
                (2, 2),
                (16, 640),
            ] {
                let frame = Size::new(frame.0, frame.1);
                for how in [Fit::Contain, Fit::Cover, Fit::Blur] {
                    let as_it_is_to_be = |picture: &Picture, part| {
                        fit(
                            picture,
                            part_size(picture.size(), frame, part, how),
                            Fit::Cover,
                        )
                    };
                    let (left, right) = (as_it_is_to_be(&a, 0), as_it_is_to_be(&b, 1));
                    assert_eq!(pair([&left, &right], frame, how).size(), frame);
                    assert_eq!(pair([&a, &b], frame, how).size(), frame);
                }
            }
        }
    }

    #[test]
    fn each_leans_to_the_middle_of_its_own_half() {
        let frame = Size::new(1920, 1080);
        let made = |how| {
            let a = sized((600, 800), RED, frame, 0, how);
            pair([&a, &sized((600, 800), BLUE, frame, 1, how)], frame, how)
        };
        let contain = made(Fit::Contain);
        // 3:4 grown by 15/256 is 857 wide; the gap takes 4 pixels of each half.
        for (x, expected) in [
            (98, [0; 3]),
            (99, RED),
            (955, RED),
            (956, [0; 3]),
            (963, [0; 3]),
            (964, BLUE),
            (1820, BLUE),
            (1821, [0; 3]),
        ] {
            assert_eq!(pixel(&contain, x, 540), expected, "at {x}");
        }
        assert_eq!(
            (pixel(&contain, 500, 0), pixel(&contain, 500, 1079)),
            (RED, RED)
        );
        let blur = made(Fit::Blur);
        let (left, right) = (pixel(&blur, 5, 540), pixel(&blur, 1915, 540));
        assert!((70..100).contains(&left[0]) && left[2] == 0, "{left:?}");
        assert!((70..100).contains(&right[2]) && right[0] == 0, "{right:?}");
        let cover = made(Fit::Cover);
        assert_eq!(
            (pixel(&cover, 0, 0), pixel(&cover, 1919, 1079)),
            (RED, BLUE)
        );
    }

    #[test]
    fn landscapes_are_stacked_on_an_upright_screen() {
        let frame = Size::new(1080, 1920);
        let a = sized((900, 600), RED, frame, 0, Fit::Contain);
        let b = sized((900, 600), BLUE, frame, 1, Fit::Contain);
        let out = pair([&a, &b], frame, Fit::Contain);
        // 3:2 grown by 15/256 is 762 tall.
        for (y, expected) in [
            (193, [0; 3]),
            (194, RED),
            (955, RED),
            (956, [0; 3]),
            (964, BLUE),
            (1725, BLUE),
            (1726, [0; 3]),
        ] {
            assert_eq!(pixel(&out, 540, y), expected, "at {y}");
        }
    }

    #[test]
    fn no_more_than_a_few_percent_are_cut_off() {
        for (width, height) in [(3, 4), (2, 3), (9, 16), (4, 5), (99, 100), (1, 10)] {
            let frame = Size::new(1920, 1080);
            let size = part_size(Size::new(width * 100, height * 100), frame, 0, Fit::Blur);
            let (own, given) = (
                f64::from(width) / f64::from(height),
                f64::from(size.width) / f64::from(size.height),
            );
            assert!(
                (given / own).max(own / given) < 1.07,
                "{width}:{height} in {size}"
            );
        }
    }

    #[test]
    fn a_small_picture_of_two_is_enlarged_no_more_than_alone() {
        let sides = [1, 16, 100, 200, 360, 640, 1080, 1920];
        let sizes = || {
            sides
                .into_iter()
                .flat_map(|w| sides.map(|h| Size::new(w, h)))
        };
        for (picture, frame) in sizes().flat_map(|one| sizes().map(move |two| (one, two))) {
            for (how, part) in [Fit::Contain, Fit::Cover, Fit::Blur]
                .into_iter()
                .flat_map(|how| [(how, 0), (how, 1)])
            {
                let size = part_size(picture, frame, part, how);
                let told = format!("{picture} in {frame}, {how}: {size}");
                assert!(size.width <= picture.width * 3, "{told}");
                assert!(size.height <= picture.height * 3, "{told}");
                let room = room(frame, part);
                assert!(
                    size.width <= room.width && size.height <= room.height,
                    "{told}"
                );
            }
        }
        // It lies at the middle of the frame, and beside it is what is beside any other.
        let frame = Size::new(1920, 1080);
        for how in [Fit::Cover, Fit::Blur] {
            let small = sized((150, 200), RED, frame, 0, how);
            assert_eq!(small.size(), Size::new(450, 600), "{how}");
            let out = pair(
                [&small, &sized((600, 800), BLUE, frame, 1, how)],
                frame,
                how,
            );
            assert_eq!(pixel(&out, 950, 540), RED);
            let beside = [pixel(&out, 100, 540), pixel(&out, 950, 10)];
            for [red, _, blue] in beside {
                assert!((70..100).contains(&red) && blue == 0, "{beside:?}");
            }
        }
    }

    #[test]
    fn lines_lie_at_their_own_picture() {
        // Two portraits of 3:4 on an ultra-wide screen: far from the edges of their halves.
        let frame = Size::new(3440, 1440);
        for part in [0, 1] {
            let size = part_size(Size::new(3000, 4000), frame, part, Fit::Blur);
            let (left, _) = lies(size, frame, part);
            assert_eq!(lines(size, frame, part), (left, size.width));
            assert!(left > if part == 0 { 500 } else { 1720 } && left + size.width < 2900);
        }
        let sides = [1, 16, 100, 360, 1080, 1920, 3840];
        let sizes = || {
            sides
                .into_iter()
                .flat_map(|w| sides.map(|h| Size::new(w, h)))
        };
        let frames = || sizes().filter(|frame| frame.width.min(frame.height) >= Size::MIN_SIDE);
        for (picture, frame) in sizes().flat_map(|one| frames().map(move |two| (one, two))) {
            for (how, part) in [(Fit::Cover, 0), (Fit::Blur, 0), (Fit::Contain, 1)] {
                let size = part_size(picture, frame, part, how);
                let (left, width) = lines(size, frame, part);
                let told = format!("{picture} in {frame}, {how}: {width} from {left}");
                let ((start, _), region) = parts(frame)[part];
                assert!(
                    left >= start && left + width <= start + region.width,
                    "{told}"
                );
                let least = frame.width.min(frame.height) * NARROWEST / 100;
                assert!(width >= least.min(region.width), "{told}");
                // All of the picture has something written at it.
                let (at, _) = lies(size, frame, part);
                assert!(
                    left <= at && at + size.width <= left + width.max(size.width),
                    "{told}"
                );
            }
        }
    }

    /// `MANTEL_PICTURES=folder` has real photos paired, to be looked at.
    #[test]
    fn pictures_to_look_at() {
        use crate::{DecodeLimits, Quality, decode, encode};
        let Some(folder) = std::env::var_os("MANTEL_PICTURES").map(std::path::PathBuf::from) else {
            return;
        };
        let photos = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("../../../shared/photos/orientation");
        for (name, one, other, frame) in [
            (
                "portraits",
                "Portrait_6.jpg",
                "Portrait_3.jpg",
                Size::new(1920, 1080),
            ),
            (
                "landscapes",
                "Landscape_8.jpg",
                "Landscape_5.jpg",
                Size::new(1080, 1920),
            ),
        ] {
            for how in [Fit::Contain, Fit::Cover, Fit::Blur] {
                let part = |file: &str, part| {
                    let bytes = std::fs::read(photos.join(file)).unwrap();
                    let picture = decode(&bytes, &DecodeLimits::default()).unwrap();
                    fit(
                        &picture,
                        part_size(picture.size(), frame, part, how),
                        Fit::Cover,
                    )
                };
                let frame = pair([&part(one, 0), &part(other, 1)], frame, how);
                let jpeg = encode(&frame, Quality::new(90).unwrap()).unwrap();
                std::fs::write(folder.join(format!("pair-{name}-{how}.jpg")), jpeg).unwrap();
            }
        }
    }
}
