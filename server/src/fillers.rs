//! The producers of the house's feeds, each started when its feed is opened.

use std::sync::{Arc, Weak};

use tokio::sync::watch;

use crate::{
    channel::{Channel, choices::FeedKey},
    clock::Clock,
    hub::{Feed, Feeds, Framing},
    producer::{Film, PictureMaker, Producer},
    rendition::EncoderChoice,
    source::catalogue::Catalogue,
};

/// The parts that all producers share.
pub(crate) struct Fillers {
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) studio: Arc<dyn PictureMaker>,
    pub(crate) framing: Arc<Framing>,
    pub(crate) encoder: EncoderChoice,
    pub(crate) clock: Clock,
    pub(crate) stopped: watch::Receiver<bool>,
}

impl Fillers {
    /// Starts what fills `feed` with what `channel` shows: its producer, and its video for when somebody wants that.
    pub(crate) fn start(
        &self,
        feeds: Weak<Feeds<FeedKey, Channel>>,
        key: FeedKey,
        channel: Channel,
        feed: Arc<Feed>,
    ) {
        let film = Film {
            feed: feed.clone(),
            rendition: key.rendition,
            encoder: self.encoder,
            clock: self.clock.clone(),
        };
        tokio::spawn(film.run(self.stopped.clone()));
        let producer = Producer {
            key,
            feed,
            feeds,
            channel,
            catalogue: self.catalogue.clone(),
            studio: self.studio.clone(),
            framing: self.framing.clone(),
            clock: self.clock.clone(),
        };
        tokio::spawn(producer.run(self.stopped.clone()));
    }
}
