//! The end of what fills a feed, however it comes.

use std::{
    hash::Hash,
    sync::{Arc, Weak},
};

use tokio::sync::watch;

use super::{Feed, Feeds, feeds::Place};

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

impl<K: Clone + Eq + Hash, S: Clone> Ending<K, S> {
    /// Waits until the feed has its turn to be filled. `None`: its place is wanted for another one, or `stop` is true.
    pub async fn place(&self, stop: &mut watch::Receiver<bool>) -> Option<Place> {
        tokio::select! {
            place = self.feed.place() => place,
            _ = stop.wait_for(|stop| *stop) => None,
        }
    }
}

impl<K: Clone + Eq + Hash, S: Clone> Drop for Ending<K, S> {
    fn drop(&mut self) {
        if let Some(feeds) = self.feeds.upgrade() {
            feeds.ended(&self.key, &self.feed);
        }
    }
}
