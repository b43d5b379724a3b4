//! The key by which a rendered slide is told from another.

use std::sync::Arc;

use crate::{
    library::{Photo, Version},
    producer::slide::Subject,
    render::{Fit, Quality, Size},
    rendition::{Captions, Rendition},
    timeline::{PhotoId, Veil},
};

/// Everything that decides what a rendered slide's bytes are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    photos: [Option<(PhotoId, Version)>; 2],
    size: Size,
    fit: Fit,
    quality: Quality,
    captions: Captions,
    /// Place, album and caption: they may change while the file doesn't.
    words: Vec<Option<String>>,
    note: Option<String>,
    veil: Veil,
    is_small: bool,
}

impl Key {
    pub(super) fn new(subject: &Subject, rendition: &Rendition) -> Self {
        let known = |photo: &Arc<Photo>| (photo.id, photo.version);
        let words = |photo: &Arc<Photo>| {
            let facts = &photo.facts;
            [
                facts.place.clone(),
                facts.album.clone(),
                facts.caption.clone(),
            ]
        };
        Self {
            photos: [
                Some(known(&subject.photo)),
                subject.beside.as_ref().map(known),
            ],
            size: rendition.size,
            fit: rendition.fit,
            quality: rendition.quality,
            captions: rendition.captions,
            words: subject.photos().flat_map(words).collect(),
            note: subject.note.clone(),
            veil: subject.veil.clone(),
            is_small: subject.is_small,
        }
    }
}
