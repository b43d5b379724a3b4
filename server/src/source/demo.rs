//! The gallery that Mantel draws itself, for the first start without a folder: a handful of scenes, each a pure
//! function of its number and size. No file, no clock, no random source.

// Places become pixel indices by casts that saturate: what lies left of the sheet or above it counts as its edge.
#![expect(clippy::cast_sign_loss, clippy::cast_possible_wrap)]

mod aurora;
mod balloons;
mod birches;
mod canvas;
mod dunes;
mod lighthouse;
mod moonlight;
mod noise;
mod poppies;
mod ridges;
mod sky;

use crate::render::{Picture, Size};

/// A scene: what it is called, how it stands, and how it is drawn.
struct Scene {
    name: &'static str,
    title: &'static str,
    upright: bool,
    draw: fn(Size) -> Picture,
}

/// Warm and cool, day and night in turn; no two upright ones in a row.
const SCENES: &[Scene] = &[
    Scene {
        name: "ridges-at-dusk",
        title: "Ridges at dusk",
        upright: false,
        draw: ridges::draw,
    },
    Scene {
        name: "northern-lights",
        title: "Northern lights",
        upright: false,
        draw: aurora::draw,
    },
    Scene {
        name: "balloons",
        title: "Balloons at sunrise",
        upright: false,
        draw: balloons::draw,
    },
    Scene {
        name: "lighthouse",
        title: "Lighthouse at the blue hour",
        upright: true,
        draw: lighthouse::draw,
    },
    Scene {
        name: "poppies",
        title: "Field of poppies",
        upright: false,
        draw: poppies::draw,
    },
    Scene {
        name: "moonlight",
        title: "Moonlight on the sea",
        upright: false,
        draw: moonlight::draw,
    },
    Scene {
        name: "birches",
        title: "Birches in October",
        upright: true,
        draw: birches::draw,
    },
    Scene {
        name: "dunes",
        title: "Dunes under the Milky Way",
        upright: false,
        draw: dunes::draw,
    },
];

fn scene(index: usize) -> &'static Scene {
    &SCENES[index % SCENES.len()]
}

/// How many pictures there are to [`draw`].
pub fn n_demo_pictures() -> usize {
    SCENES.len()
}

/// What a picture is called in the place of a file name; counts round like [`draw`].
pub fn name(index: usize) -> &'static str {
    scene(index).name
}

/// A picture's title, for people; counts round like [`draw`].
pub fn title(index: usize) -> &'static str {
    scene(index).title
}

/// The size in which a picture is drawn for a screen: 16:9, or 9:16 for the upright ones, with a long side as long as
/// the screen's, between 160 and 3840 pixels.
pub fn size(index: usize, screen: Size) -> Size {
    let long = screen.width.max(screen.height).clamp(160, 3840);
    let lying = Size::new(long, (long * 9 + 8) / 16);
    if scene(index).upright {
        lying.transposed()
    } else {
        lying
    }
}

/// Draws the picture with this number, counted round, in the [`size`] for a screen.
pub fn draw(index: usize, screen: Size) -> Picture {
    (scene(index).draw)(size(index, screen))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Size = Size::new(320, 180);

    #[test]
    fn every_picture_has_its_shape_and_is_always_the_same() {
        for index in 0..n_demo_pictures() {
            let picture = draw(index, SMALL);
            assert_eq!(picture.size(), size(index, SMALL), "{}", name(index));
            assert_eq!(
                picture,
                draw(index + n_demo_pictures(), SMALL),
                "{}",
                name(index)
            );
        }
        assert!(
            (0..n_demo_pictures()).any(|index| draw(index, SMALL).height() == 320),
            "one is upright"
        );
    }

    #[test]
    fn every_picture_is_one_of_its_own_and_worth_a_look() {
        let pictures: Vec<_> = (0..n_demo_pictures())
            .map(|index| draw(index, SMALL))
            .collect();
        for (index, picture) in pictures.iter().enumerate() {
            let mut seen = [0u32; 16];
            picture
                .pixels()
                .iter()
                .for_each(|&byte| seen[usize::from(byte / 16)] += 1);
            let n_tones = seen.iter().filter(|&&n| n > 200).count();
            assert!(n_tones >= 8, "{} has {n_tones} tones", name(index));
            let blown = seen[15] as usize * 4 > picture.pixels().len();
            assert!(!blown, "{} is too bright", name(index));
            assert!(
                pictures[..index].iter().all(|other| other != picture),
                "{}",
                name(index)
            );
            assert!(
                (0..index).all(|other| name(other) != name(index) && title(other) != title(index))
            );
        }
    }

    #[test]
    fn sizes_are_held_to_what_can_be_drawn() {
        assert_eq!(size(0, Size::new(1, 1)), Size::new(160, 90));
        assert_eq!(size(0, Size::new(1080, 1920)), Size::new(1920, 1080));
        assert_eq!(size(3, Size::new(1920, 1080)), Size::new(1080, 1920));
        assert_eq!(size(0, Size::new(u32::MAX, 1)), Size::new(3840, 2160));
    }
}
