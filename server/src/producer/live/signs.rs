//! The words that the configuration has written on each live picture: laid out when they change, not for each frame.

use std::sync::{Arc, Mutex};

use crate::{
    clock,
    locked::locked,
    render::words::Sign,
    size::Size,
    source::live::{Sample, Words},
};

/// The words of one rendition, as they were laid out last.
#[derive(Debug)]
pub(super) struct Signs {
    words: Option<Arc<Words>>,
    name: Arc<str>,
    last: Mutex<Option<Laid>>,
}

/// Words that were laid out: what they say, for which frames, and what came of it.
type Laid = (String, Size, Option<Arc<Sign>>);

impl Signs {
    pub(super) fn new(words: Option<Arc<Words>>, name: &str) -> Self {
        Self {
            words,
            name: name.into(),
            last: Mutex::new(None),
        }
    }

    /// Whether nothing is written.
    pub(super) fn is_empty(&self) -> bool {
        self.words.is_none()
    }

    /// The words on this picture, in frames of this size.
    pub(super) fn of(&self, sample: &Sample, frame: Size) -> Option<Arc<Sign>> {
        let Words { template, style } = &**self.words.as_ref()?;
        let taken_at = clock::here(sample.taken_at);
        let text = template.filled(
            |form| Some(taken_at.format(form)),
            sample.caption.as_deref(),
            &self.name,
        );
        let mut last = locked(&self.last);
        if let Some((known, size, sign)) = &*last
            && (known, *size) == (&text, frame)
        {
            return sign.clone();
        }
        let sign = Sign::new(&text, *style, frame).map(Arc::new);
        *last = Some((text, frame, sign.clone()));
        sign
    }
}
