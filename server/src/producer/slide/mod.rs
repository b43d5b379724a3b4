//! One slide made: its words chosen, its photos loaded, and both given to be rendered. Blocking; when and
//! how often is the studio's.

mod veil;

pub(super) use veil::words as veil_words;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use mantel_shared::{Area, Focus, TakenAt};

use crate::{
    caption::{self, Template},
    library::{Facts, Origin, Photo, iso},
    render::{self, DecodeLimits, Probe, Recipe, words::Caption},
    rendition::{Language, Rendition},
    rights::ChannelName,
    source::{
        clips::Motion,
        gallery::{self, LoadError},
        live::Words,
    },
    timeline::{PhotoId, Turn, Veil},
};

/// A slide as a rendition shows it.
#[derive(Debug)]
pub struct Rendered {
    /// The picture, of the rendition's size.
    pub jpeg: Bytes,
    /// The notes on the slide.
    pub notes: Notes,
    /// How long encoding took.
    pub encoding: Duration,
    /// The hashes of how its photos look, see [`likeness()`](crate::render::likeness::likeness).
    pub looks: Vec<(PhotoId, u64)>,
    /// Photos of which parts are missing, and why.
    pub damaged: Vec<(Arc<Photo>, Arc<str>)>,
    /// The part of it that moves, and the recipe of each of its frames.
    pub motion: Option<Arc<(Motion, Recipe)>>,
}

/// The notes on a slide: what is told of it besides its pixels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// When it was taken, local time in ISO 8601; of two photos the first's.
    pub taken_at: Option<TakenAt>,
    /// The words that somebody wrote under it; where nobody did, the file's name.
    pub caption: Option<String>,
    /// Where it was taken.
    pub place: Option<String>,
    /// The album that it is in.
    pub album: Option<String>,
    /// The point that is worth looking at; of two photos nothing in particular.
    pub focus: Option<Focus>,
    /// Where its photos lie in the frame, where that is known and it is not all of it.
    pub photos: Vec<Area>,
}

/// The photos of a slide, one or two.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The one, or the left or upper one.
    pub photo: Arc<Photo>,
    /// The one beside it.
    pub beside: Option<Arc<Photo>>,
    /// Why it is no photo, if it is none and that is to be said.
    pub note: Option<String>,
    /// The veil over it.
    pub veil: Veil,
    /// Whether a preview within the photo will do.
    pub is_small: bool,
}

/// Why a slide could not be rendered.
#[derive(Clone, Debug)]
pub struct Failed {
    /// The photo that is to blame.
    pub photo: Arc<Photo>,
    /// The fault.
    pub error: Arc<LoadError>,
}

/// The memory that a photo of unknown size is taken for.
const UNKNOWN_MIB: u32 = 256;

impl Subject {
    pub(super) fn photos(&self) -> impl Iterator<Item = &Arc<Photo>> {
        std::iter::once(&self.photo).chain(&self.beside)
    }

    pub(super) fn turn(&self) -> Turn {
        Turn {
            photo: self.photo.id,
            beside: self.beside.as_ref().map(|photo| photo.id),
        }
    }

    pub(super) fn failed(&self, at: usize, error: LoadError) -> Failed {
        Failed {
            photo: self.photos().nth(at).unwrap_or(&self.photo).clone(),
            error: Arc::new(error),
        }
    }

    /// The memory that decoding takes: the pixels twice, as the decoder has them and as they come out; of two
    /// photos one after the other.
    pub(super) fn n_mib(&self) -> u32 {
        let mib = |photo: &Arc<Photo>| {
            let Facts { kind, size, .. } = photo.facts;
            let (Some(kind), Some(_)) = (kind, size) else {
                return UNKNOWN_MIB;
            };
            let n_bytes = render::cost(&Probe { kind, size });
            u32::try_from(n_bytes >> 20)
                .unwrap_or(u32::MAX)
                .saturating_add(16)
        };
        self.photos().map(mib).max().unwrap_or(UNKNOWN_MIB)
    }
}

/// The slide, or which of its photos is to blame.
#[expect(
    clippy::disallowed_methods,
    reason = "it is measured how long a slide takes"
)]
pub(super) fn render_now(
    subject: &Subject,
    limits: &DecodeLimits,
    rendition: Rendition,
    words: Option<&Words>,
    plays_millis: Option<u32>,
) -> Result<Rendered, (usize, LoadError)> {
    let start = Instant::now();
    let recipe = recipe(subject, rendition, words);
    let motion = plays_millis
        .filter(|_| subject.beside.is_none() && !subject.veil.is_opaque())
        .and_then(|most| Motion::of(&subject.photo, most));
    let load = match &motion {
        _ if subject.is_small => gallery::load_small,
        Some(_) => gallery::load_first,
        None => gallery::load,
    };
    let mut pixels = Vec::new();
    for (at, (photo, slot)) in subject.photos().zip(recipe.slots()).enumerate() {
        pixels.push(load(photo, limits, slot).map_err(|error| (at, error))?);
    }
    let damaged = subject.photos().zip(&pixels);
    let damaged = damaged.filter_map(|(photo, pixels)| {
        let damage = pixels.damage.as_ref()?.to_string();
        Some((photo.clone(), damage.into()))
    });
    let damaged = damaged.collect();
    let looks = subject.photos().zip(&pixels);
    let looks = looks.filter_map(|(photo, pixels)| Some((photo.id, pixels.likeness?)));
    let looks = looks.collect();
    let slide = render::slide(&recipe, pixels, Instant::now).map_err(|error| (0, error.into()))?;
    tracing::debug!(photo = %subject.photo.name, millis = start.elapsed().as_millis() as u64, "rendered");
    Ok(Rendered {
        jpeg: slide.jpeg.into(),
        notes: Notes {
            focus: slide.focus,
            photos: slide.photos,
            ..notes(subject, rendition.captions.language)
        },
        encoding: slide.encoding,
        looks,
        damaged,
        motion: motion.map(|motion| Arc::new((motion, recipe))),
    })
}

/// The recipe of a slide: what is to be seen and written, before there is a pixel of it. `sign` is what the channel has
/// written on each.
fn recipe(subject: &Subject, rendition: Rendition, sign: Option<&Words>) -> Recipe {
    let captions = subject
        .photos()
        .map(|photo| caption::words(rendition.captions, &photo.facts));
    let mut words: Vec<Caption> = captions.collect();
    // Drawn pictures, which say why they are shown, are never two.
    if let ([words], Some(note)) = (words.as_mut_slice(), &subject.note) {
        words.text.clone_from(note);
    }
    // Where nothing is seen no photo is opened, and nothing is written on it.
    let is_seen = !subject.veil.is_opaque();
    if !is_seen {
        words.clear();
    }
    let sign = sign.filter(|_| is_seen);
    Recipe {
        frame: rendition.size,
        fit: rendition.fit,
        quality: rendition.quality,
        words,
        sign: sign.map(|sign| (signed(subject, &sign.template), sign.style)),
        light: subject.veil.light,
        warmth: subject.veil.warmth,
        over: veil::words(&subject.veil),
    }
}

/// The channel's words on a slide; of two photos the time is the first one's.
fn signed(subject: &Subject, template: &Template) -> String {
    let taken = subject.photo.facts.taken.and_then(|taken| taken.of_photo());
    let caption = |photo: &Arc<Photo>| caption::text(&photo.facts).map(str::to_owned);
    let beside = subject.beside.as_ref().and_then(caption);
    let caption = both(caption(&subject.photo), beside);
    template.filled(
        |form| taken.map(|taken| taken.format(form)),
        caption.as_deref(),
        ChannelName::MAIN,
    )
}

/// The notes on the slide's photos, besides where they lie.
fn notes(subject: &Subject, language: Language) -> Notes {
    if subject.veil.is_opaque() {
        return Notes::default();
    }
    let photo = &*subject.photo;
    let facts = |photo: &Photo| {
        let album = caption::album(&photo.facts).map(str::to_owned);
        (caption::place(&photo.facts, language), album)
    };
    let (mut place, mut album) = facts(photo);
    let mut caption = photo.facts.caption.clone();
    let mut name = name(photo);
    if let Some(beside) = &subject.beside {
        let (other_place, other_album) = facts(beside);
        place = both(place, other_place);
        album = both(album, other_album);
        caption = both(caption, beside.facts.caption.clone());
        name = both(name, self::name(beside));
    }
    let taken = photo.facts.taken.and_then(|taken| taken.of_photo());
    Notes {
        taken_at: taken.and_then(|moment| TakenAt::new(&iso(moment)).ok()),
        // A file's name is told only where no photo has a caption of its own.
        caption: caption.or(name),
        place,
        album,
        ..Notes::default()
    }
}

/// A photo's name, as a last resort: who asks what this is gets an answer.
fn name(photo: &Photo) -> Option<String> {
    match &photo.origin {
        Origin::BuiltIn(_) => Some(photo.name.to_string()),
        Origin::File(path) => path
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned()),
    }
}

fn both(first: Option<String>, second: Option<String>) -> Option<String> {
    match (first, second) {
        (Some(first), Some(second)) if first != second => Some(format!("{first} · {second}")),
        (first, second) => first.or(second),
    }
}

#[cfg(test)]
mod tests;
