//! Thumbnails: a small picture of any photo, made behind all that screens wait for.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Semaphore;

use super::{
    admission::Claim,
    making::{PictureMaker, make},
    queue::Urgency,
    studio::Done,
};
use crate::{
    render::{Fit, Size},
    rendition::{Captions, Pair, Rendition},
    source::catalogue::Catalogue,
    timeline::{PhotoId, Turn, Veil},
};

/// How many are made at a time, whoever asks: a page of them is no reason to hold up a slide.
const MAX_AT_A_TIME: usize = 2;

/// The size of each.
const SIZE: Size = Size {
    width: 320,
    height: 180,
};

/// The maker of thumbnails. Those that were made lately lie in the studio's cache.
#[derive(Debug)]
pub struct Thumbnails {
    catalogue: Arc<Catalogue>,
    studio: Arc<dyn PictureMaker>,
    turns: Semaphore,
    rendition: Rendition,
}

impl Thumbnails {
    /// Thumbnails of these photos, in the look of `rendition` but for their size.
    pub fn new(
        catalogue: Arc<Catalogue>,
        studio: Arc<dyn PictureMaker>,
        rendition: Rendition,
    ) -> Self {
        Self {
            catalogue,
            studio,
            turns: Semaphore::new(MAX_AT_A_TIME),
            rendition: Rendition {
                size: SIZE,
                fit: Fit::Cover,
                pair: Pair::Off,
                captions: Captions::default(),
                note: false,
                ..rendition
            },
        }
    }

    /// A photo's thumbnail, a JPEG; `None` where there is no such photo, or it can't be shown.
    pub async fn of(&self, photo: PhotoId) -> Option<Bytes> {
        // The semaphore is never closed.
        let _turn = self.turns.acquire().await.ok()?;
        let made = make(
            self.catalogue.clone(),
            self.studio.clone(),
            (Turn::single(photo), Veil::default(), self.rendition),
            true,
            Claim::new(Urgency::Idle),
        );
        match made.await {
            Done::Rendered(_, Ok(rendered)) => Some(rendered.jpeg.clone()),
            _ => None,
        }
    }
}
