//! Where pixels are worked on: blocking work, bounded in number, off the threads that serve.

use std::sync::Arc;

use bytes::Bytes;
use mantel_shared::TakenAt;
use tokio::sync::Semaphore;

use super::motion::StepKey;
use crate::{
    library::Photo,
    render::{self, Alpha, DecodeLimits, EncodeError, Picture, Quality},
    rendition::Rendition,
    source::gallery::{self, LoadError},
};

/// A photo as a rendition shows it.
#[derive(Debug)]
pub struct Rendered {
    /// Its pixels, of exactly the rendition's size, to blend with.
    pub picture: Arc<Picture>,
    /// The same, encoded.
    pub jpeg: Bytes,
    /// When it was taken, local time in ISO 8601.
    pub taken_at: Option<TakenAt>,
    /// What to call it.
    pub caption: Option<String>,
}

/// Work that was finished.
#[derive(Debug)]
pub enum Done {
    /// A photo, or why not.
    Rendered(Arc<Photo>, Result<Rendered, LoadError>),
    /// One frame of a transition; empty when it could not be encoded.
    Blended(StepKey, Option<Bytes>),
}

/// Bounds how much is rendered at once, for all renditions together.
#[derive(Debug)]
pub struct Studio {
    limits: DecodeLimits,
    /// A decoded photo of 100 megapixels has 300 MB: as many as cores, no more.
    decoding: Semaphore,
}

impl Studio {
    /// At most `n_workers` photos are decoded at a time.
    pub fn new(n_workers: usize, limits: DecodeLimits) -> Self {
        Self {
            limits,
            decoding: Semaphore::new(n_workers),
        }
    }

    /// Photo to frame.
    pub async fn render(self: Arc<Self>, photo: Arc<Photo>, rendition: Rendition) -> Done {
        // The semaphore is never closed.
        let _permit = self.decoding.acquire().await;
        let (studio, subject) = (self.clone(), photo.clone());
        let result =
            tokio::task::spawn_blocking(move || studio.render_now(&subject, rendition)).await;
        let result = result.unwrap_or_else(|error| {
            tracing::error!(photo = %photo.name, %error, "rendering a photo panicked");
            Err(LoadError::Broken)
        });
        Done::Rendered(photo, result)
    }

    fn render_now(&self, photo: &Photo, rendition: Rendition) -> Result<Rendered, LoadError> {
        let start = std::time::Instant::now();
        let loaded = gallery::load(photo, &self.limits, rendition.size, rendition.fit)?;
        let picture = loaded.picture;
        let jpeg = render::encode(&picture, rendition.quality)?;
        tracing::debug!(photo = %photo.name, millis = start.elapsed().as_millis() as u64, "rendered");
        Ok(Rendered {
            picture: Arc::new(picture),
            jpeg: jpeg.into(),
            taken_at: loaded.taken_at.and_then(|text| TakenAt::new(&text).ok()),
            caption: loaded.caption,
        })
    }

    /// One frame between two pictures.
    pub async fn blend(
        self: Arc<Self>,
        key: StepKey,
        from: Arc<Picture>,
        to: Arc<Picture>,
        alpha: Alpha,
        quality: Quality,
    ) -> Done {
        let blended = tokio::task::spawn_blocking(move || -> Result<Vec<u8>, EncodeError> {
            let mut out = Picture::filled(to.width(), to.height(), [0, 0, 0]);
            render::blend(&from, &to, alpha, &mut out);
            render::encode(&out, quality)
        });
        let jpeg = match blended.await {
            Ok(Ok(jpeg)) => Some(jpeg.into()),
            Ok(Err(error)) => {
                tracing::error!(%error, "a frame could not be encoded");
                None
            }
            Err(error) => {
                tracing::error!(%error, "blending panicked");
                None
            }
        };
        Done::Blended(key, jpeg)
    }
}
