//! What a producer asks of the studio: a trait, so that a test can put something in its place that needs no photos and
//! no time but the test's own.

use std::{fmt, sync::Arc};

use futures_util::future::BoxFuture;

use super::{
    admission::Claim,
    blending::Between,
    motion::StepKey,
    slide::Subject,
    studio::{Done, Studio},
};
use crate::{
    render::{Alpha, Quality},
    rendition::Rendition,
    timeline::PhotoId,
};

/// A maker of pictures.
pub trait PictureMaker: fmt::Debug + Send + Sync {
    /// The frame of a slide, made as soon as what `claim` says of its urgency allows. Dropped, the work may be given up.
    fn render(
        self: Arc<Self>,
        subject: Subject,
        rendition: Rendition,
        claim: Arc<Claim>,
    ) -> BoxFuture<'static, Done>;

    /// One frame of a transition.
    fn blend(
        self: Arc<Self>,
        key: StepKey,
        between: Arc<Between>,
        alpha: Alpha,
        quality: Quality,
    ) -> BoxFuture<'static, Done>;

    /// Whether nobody has asked so about this photo before.
    fn is_first_look(&self, id: PhotoId) -> bool;
}

impl PictureMaker for Studio {
    fn render(
        self: Arc<Self>,
        subject: Subject,
        rendition: Rendition,
        claim: Arc<Claim>,
    ) -> BoxFuture<'static, Done> {
        Box::pin(Studio::render(self, subject, rendition, claim))
    }

    fn blend(
        self: Arc<Self>,
        key: StepKey,
        between: Arc<Between>,
        alpha: Alpha,
        quality: Quality,
    ) -> BoxFuture<'static, Done> {
        Box::pin(Studio::blend(self, key, between, alpha, quality))
    }

    fn is_first_look(&self, id: PhotoId) -> bool {
        Studio::is_first_look(self, id)
    }
}
