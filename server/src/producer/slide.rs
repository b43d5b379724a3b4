//! One slide made: its photos loaded, brought into one frame, captioned and encoded. Blocking; when
//! and how often is the studio's.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use mantel_shared::{Area, Focus, TakenAt};

use crate::{
    caption,
    library::{Facts, Photo, iso},
    render::{self, DecodeLimits, Picture, Probe, words},
    rendition::Rendition,
    source::gallery::{self, LoadError, Loaded},
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
            let n_bytes = render::cost(&Probe {
                kind,
                size,
                turned: None,
            });
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
    let Rendition { size, fit, .. } = rendition;
    let photo = &subject.photo;
    let (picture, notes, looks) = match &subject.beside {
        None => {
            let loaded = gallery::load(photo, limits, size, fit).map_err(|error| (0, error))?;
            let mut picture = loaded.picture;
            let focus = render::focus(&picture);
            let mut words = caption::words(rendition.captions, &photo.facts);
            if let Some(note) = &subject.note {
                words.text.clone_from(note);
            }
            words::write(&mut picture, (0, 0), size, (0, size.width), &words);
            let looks = loaded.likeness.map(|likeness| (photo.id, likeness));
            let mut notes = notes(photo, loaded.caption);
            notes.focus = Some(focus);
            let lies = photo
                .facts
                .size
                .and_then(|photo| render::lies(photo, size, fit));
            notes
                .photos
                .extend(lies.and_then(|(place, photo)| area(place, photo, size)));
            (picture, notes, looks.into_iter().collect())
        }
        Some(beside) => {
            let part = |photo: &Arc<Photo>, at: usize| {
                gallery::load_part(photo, limits, size, at, fit).map_err(|error| (at, error))
            };
            let parts = [part(photo, 0)?, part(beside, 1)?];
            let looks = subject.photos().zip(&parts);
            let looks = looks.filter_map(|(photo, part)| Some((photo.id, part.likeness?)));
            let looks = looks.collect();
            let (picture, notes) = two(subject, parts, rendition, beside);
            (picture, notes, looks)
        }
    };
    let encode_start = Instant::now();
    let jpeg = render::encode(&picture, rendition.quality).map_err(|error| (0, error.into()))?;
    let encoding = encode_start.elapsed();
    tracing::debug!(photo = %photo.name, millis = start.elapsed().as_millis() as u64, "rendered");
    Ok(Rendered {
        jpeg: jpeg.into(),
        notes,
        encoding,
        looks,
    })
}

fn two(
    subject: &Subject,
    parts: [Loaded; 2],
    rendition: Rendition,
    beside: &Photo,
) -> (Picture, Notes) {
    let Rendition { size, fit, .. } = rendition;
    let mut picture = render::pair::pair([&parts[0].picture, &parts[1].picture], size, fit);
    let photos = [&*subject.photo, beside];
    let areas = parts.iter().enumerate().map(|(at, part)| {
        let photo = part.picture.size();
        area(render::pair::lies(photo, size, at), photo, size)
    });
    // Of one alone the other would be taken for backdrop.
    let areas = areas.collect::<Option<Vec<Area>>>().unwrap_or_default();
    for (at, (place, room)) in render::pair::parts(size).into_iter().enumerate() {
        let words = caption::words(rendition.captions, &photos[at].facts);
        let lines = render::pair::lines(parts[at].picture.size(), size, at);
        words::write(&mut picture, place, room, lines, &words);
    }
    let [first, second] = parts;
    // A file's name is told only where neither has a caption of its own.
    let caption = match (first.own_caption, second.own_caption) {
        (None, None) => both(first.caption, second.caption),
        (first, second) => both(first, second),
    };
    let first_notes = notes(photos[0], caption);
    let notes = Notes {
        place: both(first_notes.place, caption::place(&beside.facts)),
        album: both(
            first_notes.album,
            caption::album(&beside.facts).map(str::to_owned),
        ),
        photos: areas,
        ..first_notes
    };
    (picture, notes)
}

fn both(first: Option<String>, second: Option<String>) -> Option<String> {
    match (first, second) {
        (Some(first), Some(second)) if first != second => Some(format!("{first} · {second}")),
        (first, second) => first.or(second),
    }
}

fn notes(photo: &Photo, caption: Option<String>) -> Notes {
    let taken = photo.facts.taken.and_then(|taken| taken.of_photo());
    Notes {
        taken_at: taken.and_then(|moment| TakenAt::new(&iso(moment)).ok()),
        caption,
        place: caption::place(&photo.facts),
        album: caption::album(&photo.facts).map(str::to_owned),
        focus: None,
        photos: Vec::new(),
    }
}

/// A photo's place in a frame, as viewers are told it.
fn area(place: (u32, u32), photo: render::Size, frame: render::Size) -> Option<Area> {
    Area::of(
        place,
        (photo.width, photo.height),
        (frame.width, frame.height),
    )
}

#[cfg(test)]
mod tests;
