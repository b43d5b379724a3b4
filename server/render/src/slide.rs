//! A slide: the photos of one turn brought into a frame, with words on them, as a JPEG. What is to be seen and what is
//! written is a [`Recipe`], which is made before there are pixels; where they come from is not known here.

use std::time::{Duration, Instant};

use mantel_shared::{Area, Focus};

use super::{
    encode::{EncodeError, Quality, encode},
    formats::decode::Pixels,
    frame::{
        dim::dim,
        fit::{Fit, lies},
        focus::focus,
        pair,
        slot::{Share, Slot},
    },
    picture::{Picture, Size},
    words::{self, Caption, Sign, Style},
};

/// The recipe that decides a slide's bytes, besides the pixels of its photos.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// The size of the frame.
    pub frame: Size,
    /// How photos fill it.
    pub fit: Fit,
    /// The JPEG's quality.
    pub quality: Quality,
    /// The words on each photo, one or two; of two the left or upper one's first. There are as many photos.
    pub words: Vec<Caption>,
    /// The words over all of it, and how they look.
    pub sign: Option<(String, Style)>,
    /// How much light is left of all that, in thousandths.
    pub light: u16,
    /// How warm that light is, in thousandths.
    pub warmth: u16,
    /// The words that stand over it, as bright as they are.
    pub over: Vec<(String, Style)>,
}

impl Recipe {
    /// The places of the photos, as many as there are words.
    pub fn slots(&self) -> impl Iterator<Item = Slot> {
        let shares: &[Share] = match self.words.len() {
            0 => &[],
            1 => &[Share::All],
            _ => &[Share::First, Share::Second],
        };
        shares.iter().map(|&share| Slot {
            frame: self.frame,
            share,
            fit: self.fit,
        })
    }
}

/// A finished slide.
#[derive(Debug)]
pub struct Slide {
    /// The frame.
    pub jpeg: Vec<u8>,
    /// The point that is worth looking at; of two photos nothing in particular.
    pub focus: Option<Focus>,
    /// Where the photos lie in the frame; empty where one fills it.
    pub photos: Vec<Area>,
    /// How long encoding took.
    pub encoding: Duration,
}

/// Makes a slide of a recipe and the pixels of its photos, each as its [slot](Recipe::slots) asks for. `now` is the
/// clock by which encoding is timed.
///
/// # Errors
/// The frame is larger than a JPEG can be.
pub fn slide(
    recipe: &Recipe,
    pixels: Vec<Pixels>,
    now: impl Fn() -> Instant,
) -> Result<Slide, EncodeError> {
    let mut pixels = pixels.into_iter();
    let (mut picture, focus, photos) = match (pixels.next(), pixels.next()) {
        (Some(one), None) => alone(recipe, one),
        (Some(first), Some(second)) => two(recipe, [first.picture, second.picture]),
        (None, _) => {
            let Size { width, height } = recipe.frame;
            (Picture::filled(width, height, [0; 3]), None, Vec::new())
        }
    };
    if let Some((text, style)) = &recipe.sign
        && let Some(sign) = Sign::new(text, *style, recipe.frame)
    {
        sign.write(&mut picture);
    }
    dim(&mut picture, recipe.light, recipe.warmth);
    for (text, style) in &recipe.over {
        if let Some(sign) = Sign::new(text, *style, recipe.frame) {
            sign.write(&mut picture);
        }
    }
    let start = now();
    let jpeg = encode(&picture, recipe.quality)?;
    Ok(Slide {
        jpeg,
        focus,
        photos,
        encoding: now().saturating_duration_since(start),
    })
}

type Framed = (Picture, Option<Focus>, Vec<Area>);

fn alone(recipe: &Recipe, pixels: Pixels) -> Framed {
    let (frame, mut picture) = (recipe.frame, pixels.picture);
    let focus = focus(&picture);
    if let Some(caption) = recipe.words.first() {
        words::write(&mut picture, (0, 0), frame, (0, frame.width), caption);
    }
    let lies = lies(pixels.upright, frame, recipe.fit);
    let area = lies.and_then(|(place, size)| area(place, size, frame));
    (picture, Some(focus), area.into_iter().collect())
}

fn two(recipe: &Recipe, pictures: [Picture; 2]) -> Framed {
    let frame = recipe.frame;
    let mut picture = pair::pair([&pictures[0], &pictures[1]], frame, recipe.fit);
    let places = pictures.iter().enumerate().map(|(at, picture)| {
        let size = picture.size();
        area(pair::lies(size, frame, at), size, frame)
    });
    // Of one alone the other would be taken for backdrop.
    let areas = places.collect::<Option<Vec<Area>>>().unwrap_or_default();
    let parts = pair::parts(frame).into_iter().zip(&recipe.words);
    for (at, ((place, room), caption)) in parts.enumerate() {
        let lines = pair::lines(pictures[at].size(), frame, at);
        words::write(&mut picture, place, room, lines, caption);
    }
    (picture, None, areas)
}

/// A photo's place in a frame, as viewers are told it.
fn area(place: (u32, u32), photo: Size, frame: Size) -> Option<Area> {
    Area::of(
        place,
        (photo.width, photo.height),
        (frame.width, frame.height),
    )
}
