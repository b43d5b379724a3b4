//! The questions of a producer to the studio: a trait, so that a test can put something in its place that needs no
//! photos and no time but the test's own.

use std::{fmt, sync::Arc};

use futures_util::future::BoxFuture;

use super::{
    admission::Claim,
    blending::Between,
    screen::StepKey,
    slide::Subject,
    studio::{Done, Studio},
};
use crate::{
    caption,
    library::Origin,
    render::{Alpha, DecodeLimits, Quality},
    rendition::Rendition,
    source::catalogue::Catalogue,
    timeline::{PhotoId, Turn, Veil},
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

    /// The limits within which a picture is decoded.
    fn decode_limits(&self) -> DecodeLimits;
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

    fn decode_limits(&self) -> DecodeLimits {
        Studio::decode_limits(self)
    }
}

/// A turn's slide, made once the index has told what its photos are; of previews where those will do.
pub(super) async fn make(
    catalogue: Arc<Catalogue>,
    studio: Arc<dyn PictureMaker>,
    (turn, veil, rendition): (Turn, Veil, Rendition),
    is_small: bool,
    claim: Arc<Claim>,
) -> Done {
    let mut found = catalogue.photos(turn.photos()).await;
    let is_missing = |id: &PhotoId| !found.contains_key(id);
    let missing: Vec<PhotoId> = turn.photos().filter(is_missing).collect();
    let Some(photo) = found.remove(&turn.photo).filter(|_| missing.is_empty()) else {
        return Done::Missing(turn, missing);
    };
    let is_explained = rendition.note && matches!(photo.origin, Origin::BuiltIn(_));
    let library = catalogue.library();
    let subject = Subject {
        note: is_explained.then(|| caption::why_drawn(library.roots(), library.counts().photos)),
        photo,
        beside: turn.beside.and_then(|id| found.remove(&id)),
        veil,
        is_small,
    };
    studio.render(subject, rendition, claim).await
}
