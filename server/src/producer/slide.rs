//! One slide made: its words chosen, its photos loaded, and both given to be rendered. Blocking; when and
//! how often is the studio's.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use mantel_shared::{Area, Focus, TakenAt};

use crate::{
    caption,
    library::{Facts, Origin, Photo, iso},
    render::{self, DecodeLimits, Probe, Recipe, words::Caption},
    rendition::Rendition,
    source::gallery::{self, LoadError},
    timeline::{PhotoId, Turn},
};

/// A slide as a rendition shows it.
#[derive(Debug)]
pub struct Rendered {
    /// The picture, of the rendition's size.
    pub jpeg: Bytes,
    /// What is known of it.
    pub notes: Notes,
    /// How long encoding took.
    pub encoding: Duration,
    /// What its photos look like, see [`likeness()`](crate::render::likeness::likeness).
    pub looks: Vec<(PhotoId, u64)>,
}

/// What is told about a slide besides its pixels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// When it was taken, local time in ISO 8601; of two photos the first's.
    pub taken_at: Option<TakenAt>,
    /// What somebody wrote under it; where nobody did, what its file is called.
    pub caption: Option<String>,
    /// Where it was taken.
    pub place: Option<String>,
    /// The album that it is in.
    pub album: Option<String>,
    /// What is worth looking at; of two photos nothing in particular.
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
}

/// Why a slide could not be rendered.
#[derive(Clone, Debug)]
pub struct Failed {
    /// The photo that is to blame.
    pub photo: Arc<Photo>,
    /// What is wrong with it.
    pub error: Arc<LoadError>,
}

/// What a photo of unknown size is taken for.
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

    /// What decoding takes: the pixels twice, as the decoder has them and as they come out; of two
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
pub(super) fn render_now(
    subject: &Subject,
    limits: &DecodeLimits,
    rendition: Rendition,
) -> Result<Rendered, (usize, LoadError)> {
    let start = Instant::now();
    let recipe = recipe(subject, rendition);
    let mut pixels = Vec::new();
    for (at, (photo, slot)) in subject.photos().zip(recipe.slots()).enumerate() {
        pixels.push(gallery::load(photo, limits, slot).map_err(|error| (at, error))?);
    }
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
            ..notes(subject)
        },
        encoding: slide.encoding,
        looks,
    })
}

/// What is to be seen and written, before there is a pixel of it.
fn recipe(subject: &Subject, rendition: Rendition) -> Recipe {
    let captions = subject
        .photos()
        .map(|photo| caption::words(rendition.captions, &photo.facts));
    let mut words: Vec<Caption> = captions.collect();
    // Drawn pictures, which say why they are shown, are never two.
    if let ([words], Some(note)) = (words.as_mut_slice(), &subject.note) {
        words.text.clone_from(note);
    }
    Recipe {
        frame: rendition.size,
        fit: rendition.fit,
        quality: rendition.quality,
        words,
    }
}

/// What is told of the slide's photos, besides where they lie.
fn notes(subject: &Subject) -> Notes {
    let photo = &*subject.photo;
    let facts = |photo: &Photo| {
        let album = caption::album(&photo.facts).map(str::to_owned);
        (caption::place(&photo.facts), album)
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

/// What a photo is called, as a last resort: who asks what this is gets an answer.
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
