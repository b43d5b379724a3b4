//! Whether a rendition is what a source's video is anyway: then that goes to the feed as it comes, and pictures are made of
//! it only for who wants pictures.

use tokio::sync::watch;

use super::Producer;
use crate::{
    hub::Feed,
    rendition::Rendition,
    size::Size,
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
            && matches!(fate, Fate::Passed(form) if asks(&producer.key.rendition, form).is_none());
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

/// A wish that video as it comes does not meet. Half a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Asks {
    /// Another size than this one.
    #[error("another size than its {0} is asked for")]
    Size(Size),
    /// A bitrate.
    #[error("a bitrate is asked for")]
    Bitrate,
    /// A time between key frames.
    #[error("a time between key frames is asked for")]
    Gop,
    /// Fewer pictures in a second than come.
    #[error("fewer pictures a second than its {0} are asked for")]
    Fps(u32),
}

/// The first wish of a rendition that video of this form does not meet; `None` where it is as it comes.
pub fn asks(rendition: &Rendition, form: Form) -> Option<Asks> {
    // A tenth more is no other rate: clocks differ, and networks hold up.
    let most = rendition.fps.0 + rendition.fps.0.div_ceil(10);
    if rendition.size != form.size {
        Some(Asks::Size(form.size))
    } else if rendition.bitrate.is_some() {
        Some(Asks::Bitrate)
    } else if rendition.gop.is_some() {
        Some(Asks::Gop)
    } else {
        (form.fps > most).then_some(Asks::Fps(form.fps))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rendition::{Bitrate, Fps, Gop};

    #[test]
    fn whoever_asks_for_anything_else_is_not_sent_what_came() {
        let config = crate::Config::from_args([] as [&str; 0]).unwrap();
        let plain = Rendition {
            size: Size::new(1280, 720),
            fps: Fps(60),
            bitrate: None,
            gop: None,
            ..config.rendition
        };
        let form = Form {
            size: Size::new(1280, 720),
            fps: 30,
            profile: None,
        };
        assert_eq!(asks(&plain, form), None);
        let bitrate: Bitrate = "1M".parse().unwrap();
        let gop: Gop = "2s".parse().unwrap();
        let (mut smaller, mut thinner, mut cut, mut slower) = (plain, plain, plain, plain);
        smaller.size = Size::new(640, 360);
        thinner.bitrate = Some(bitrate);
        cut.gop = Some(gop);
        slower.fps = Fps(15);
        for (other, asked) in [
            (smaller, Asks::Size(form.size)),
            (thinner, Asks::Bitrate),
            (cut, Asks::Gop),
            (slower, Asks::Fps(30)),
        ] {
            assert_eq!(asks(&other, form), Some(asked));
        }
        let form = Form { fps: 61, ..form };
        assert_eq!(asks(&plain, form), None);
    }
}
