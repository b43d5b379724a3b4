//! What starts a producer for each feed that is opened.

use std::sync::{Arc, Weak};

use tokio::sync::watch;

use crate::{
    channels::{Channels, FeedKey},
    hub::{Feed, Feeds, Framing},
    producer::{Producer, Studio},
    source::catalogue::Catalogue,
};

/// What starts a producer.
pub(crate) struct Fillers {
    pub(crate) channels: Arc<Channels>,
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) studio: Arc<Studio>,
    pub(crate) framing: Arc<Framing>,
    pub(crate) stopped: watch::Receiver<bool>,
}

impl Fillers {
    /// False when the channel has gone.
    pub(crate) fn start(&self, feeds: Weak<Feeds<FeedKey>>, key: FeedKey, feed: Arc<Feed>) -> bool {
        let Some(channel) = self.channels.by_no(key.channel) else {
            return false;
        };
        let producer = Producer {
            key,
            feed,
            feeds,
            channel,
            catalogue: self.catalogue.clone(),
            studio: self.studio.clone(),
            framing: self.framing.clone(),
        };
        tokio::spawn(producer.run(self.stopped.clone()));
        true
    }
}
