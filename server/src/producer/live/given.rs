//! Whether a rendition is what a source's video is anyway: then that goes to the feed as it comes, and pictures are made of
//! it only for who wants pictures.

use tokio::sync::watch;

use super::Producer;
use crate::{
    hub::Feed,
    rendition::Rendition,
    source::live::{Fate, Form, Live, LiveSource, Signal, Strip, Watcher},
};
use std::sync::Arc;

/// The video that one producer gives to its feed as it comes. It gives none any more when this is dropped.
pub(super) struct Giving<'a> {
    feed: &'a Feed,
    strip: Arc<Strip>,
    fate: watch::Receiver<Fate>,
    is_drawn: watch::Receiver<bool>,
    /// While pictures are wanted.
    looker: Option<Watcher>,
}

impl Producer {
    pub(super) fn giving(&self, source: &LiveSource) -> Giving<'_> {
        Giving {
            feed: &self.feed,
            strip: source.strip().clone(),
            fate: source.strip().fate(),
            is_drawn: self.feed.given.is_drawn(),
            looker: None,
        }
    }
}

impl Giving<'_> {
    /// Gives what can be given as things are; `is_bare`: nothing is drawn over pictures.
    pub(super) fn step(
        &mut self,
        producer: &Producer,
        live: &Live,
        is_bare: bool,
        is_watched: bool,
    ) {
        let fate = *self.fate.borrow_and_update();
        let is_drawn = *self.is_drawn.borrow_and_update();
        let channel = &producer.channel;
        let passes = is_bare
            && live.signal == Signal::On
            && channel.programme().is_none()
            && !channel.is_interruptible()
            && matches!(fate, Fate::Passed(form) if is_as_it_comes(&producer.key.rendition, form));
        self.feed
            .given
            .give(passes.then(|| self.strip.tape().clone()));
        let n_of_pictures = self.feed.stills.n_subscribers() + self.feed.motion.n_subscribers();
        let is_looked_at = is_watched && (!passes || is_drawn || n_of_pictures > 0);
        if !is_looked_at {
            self.looker = None;
        } else if self.looker.is_none() {
            self.looker = Some(self.strip.look());
        }
    }

    /// Waits until something about it is to be decided anew.
    pub(super) async fn changed(&mut self) {
        // The other ends are held by the source and the feed.
        tokio::select! {
            _ = self.fate.changed() => {}
            _ = self.is_drawn.changed() => {}
        }
    }
}

impl Drop for Giving<'_> {
    fn drop(&mut self) {
        self.feed.given.give(None);
    }
}

/// Whether video of this form is what the rendition asks for.
fn is_as_it_comes(rendition: &Rendition, form: Form) -> bool {
    // A tenth more is no other rate: clocks differ, and networks hold up.
    let most = rendition.fps.0 + rendition.fps.0.div_ceil(10);
    rendition.size == form.size
        && rendition.bitrate.is_none()
        && rendition.gop.is_none()
        && form.fps <= most
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        rendition::{Bitrate, Fps, Gop},
        size::Size,
    };

    #[test]
    fn whoever_asks_for_anything_else_is_not_sent_what_came() {
        let config = crate::Config::from_args([] as [&str; 0]).unwrap();
        let as_it_comes = Rendition {
            size: Size::new(1280, 720),
            fps: Fps(60),
            bitrate: None,
            gop: None,
            ..config.rendition
        };
        let form = Form {
            size: Size::new(1280, 720),
            fps: 30,
            is_baseline: false,
        };
        assert!(is_as_it_comes(&as_it_comes, form));
        let bitrate: Bitrate = "1M".parse().unwrap();
        let gop: Gop = "2s".parse().unwrap();
        let others = [
            Rendition {
                size: Size::new(640, 360),
                ..as_it_comes
            },
            Rendition {
                bitrate: Some(bitrate),
                ..as_it_comes
            },
            Rendition {
                gop: Some(gop),
                ..as_it_comes
            },
            Rendition {
                fps: Fps(15),
                ..as_it_comes
            },
        ];
        for other in others {
            assert!(!is_as_it_comes(&other, form), "{other:?}");
        }
        let form = Form { fps: 61, ..form };
        assert!(is_as_it_comes(&as_it_comes, form));
    }
}
