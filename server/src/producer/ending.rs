//! The end of a producer, however it comes.

use std::sync::{Arc, Weak};

use crate::{
    channel::{Channel, choices::FeedKey},
    hub::{Feed, Feeds},
};

/// Tells everybody that a producer has ended, when it is dropped.
pub(super) struct Ending {
    pub(super) feeds: Weak<Feeds<FeedKey, Channel>>,
    pub(super) key: FeedKey,
    pub(super) feed: Arc<Feed>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        if let Some(feeds) = self.feeds.upgrade() {
            feeds.ended(&self.key, &self.feed);
        }
    }
}
