//! Cards: words on a dark ground, where there is no picture.

use super::{
    EncodeError, Fit, Picture, Pixels, Quality, Recipe, Size, Slide, slide, words::Caption,
};

/// The colour of the ground: calm, and dark enough for a room at night.
const GROUND: [u8; 3] = [24, 26, 30];

/// The ground of a card that fills such a frame.
pub fn ground(frame: Size) -> Pixels {
    Pixels::whole(Picture::filled(frame.width, frame.height, GROUND))
}

/// A frame of this size with words where others have a picture; `clock` is for figures alone.
///
/// # Errors
/// It can't be encoded.
pub fn card(
    words: Caption,
    frame: Size,
    quality: Quality,
    clock: impl Fn() -> std::time::Instant,
) -> Result<Slide, EncodeError> {
    let recipe = Recipe {
        frame,
        fit: Fit::Cover,
        quality,
        words: vec![words],
        sign: None,
        light: 1000,
        warmth: 0,
        over: Vec::new(),
    };
    slide(&recipe, vec![ground(frame)], clock)
}
