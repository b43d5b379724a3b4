//! The words that stand on a screen whose house is silent.

use std::{sync::Arc, time::Instant};

use mantel_shared::{FrameMeta, SlideNo, UnixMillis};

use super::contact::Why;
use crate::{
    blocking::Blocking,
    caption,
    hub::{Frame, Framing},
    render::{self, words::Caption},
    rendition::Rendition,
};

/// The reason why there is no picture.
pub(super) fn words(house: &str, since: &str, why: Why) -> Caption {
    let why = match why {
        Why::NoBus => "the NATS servers can't be reached",
        Why::NoAnswer => "no server sends its pictures",
    };
    caption::lost(house, since, why)
}

/// A frame of these words. `None`: they can't be drawn.
#[expect(
    clippy::disallowed_methods,
    reason = "encoding is timed, for figures alone"
)]
pub(super) async fn frame(
    words: Caption,
    rendition: Rendition,
    framing: &Arc<Framing>,
    now: UnixMillis,
) -> Option<Frame> {
    let (size, quality) = (rendition.size, rendition.quality);
    let drawn = Blocking::run(move |_| render::card(words, size, quality, Instant::now).ok());
    let slide = drawn.await.ok()??;
    let meta = FrameMeta {
        slide: Some(SlideNo(0)),
        ..FrameMeta::default()
    };
    Some(framing.frame(framing.next_no(), now, meta, &slide.jpeg))
}
