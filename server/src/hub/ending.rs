//! The end of what fills a feed, however it comes.

use std::{
    hash::Hash,
    sync::{Arc, Weak},
};

use super::{Feed, Feeds};

/// Tells everybody that what filled a feed has ended, when it is dropped.
#[derive(Debug)]
pub struct Ending<K: Clone + Eq + Hash, S: Clone> {
    /// All feeds.
    pub feeds: Weak<Feeds<K, S>>,
    /// The feed's key.
    pub key: K,
    /// The feed itself.
    pub feed: Arc<Feed>,
}

impl<K: Clone + Eq + Hash, S: Clone> Drop for Ending<K, S> {
    fn drop(&mut self) {
        if let Some(feeds) = self.feeds.upgrade() {
            feeds.ended(&self.key, &self.feed);
        }
    }
}
