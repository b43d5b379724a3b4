//! All feeds of the house: one for each rendition somebody watches.
//!
//! A feed is two hubs, because one timeline has two outputs: stills, one a slide, and motion, with
//! the transitions blended. Who opens a feed that is not there yet has its producer started; a
//! producer stops when nobody has held its feed for a while, and gives the place back.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use tokio::sync::watch;

use super::{Hub, Subscription};

/// Which of a feed's two hubs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One frame a slide, with metadata, ahead of its moment.
    Stills,
    /// What is on screen, transitions included.
    Motion,
}

/// One rendition's two hubs.
#[derive(Debug, Default)]
pub struct Feed {
    /// One frame a slide.
    pub stills: Hub,
    /// Every frame, transitions blended.
    pub motion: Hub,
    n_viewers: AtomicUsize,
    demand: watch::Sender<()>,
}

impl Feed {
    /// How many hold this feed.
    pub fn n_viewers(&self) -> usize {
        self.n_viewers.load(SeqCst)
    }

    /// Tells when somebody came or went.
    pub fn demand(&self) -> watch::Receiver<()> {
        self.demand.subscribe()
    }
}

/// A viewer's hold on a feed; dropping it lets go.
#[derive(Debug)]
pub struct Lease {
    feed: Arc<Feed>,
}

impl Lease {
    fn new(feed: Arc<Feed>) -> Self {
        feed.n_viewers.fetch_add(1, SeqCst);
        feed.demand.send_replace(());
        Self { feed }
    }

    /// Subscribes to one of the feed's hubs.
    pub fn subscribe(&self, kind: Kind) -> Subscription {
        let subscription = match kind {
            Kind::Stills => self.feed.stills.subscribe(),
            Kind::Motion => self.feed.motion.subscribe(),
        };
        self.feed.demand.send_replace(());
        subscription
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.feed.n_viewers.fetch_sub(1, SeqCst);
        self.feed.demand.send_replace(());
    }
}

/// As many feeds are being produced as this server allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0} different sizes and settings are being watched, which is the limit; ask for one of those, or wait"
)]
pub struct Full(pub usize);

/// Starts the producer of a feed.
type Start<K> = Box<dyn Fn(K, Arc<Feed>) + Send + Sync>;

/// The feeds in use, by what they show.
pub struct Feeds<K> {
    feeds: Mutex<Option<HashMap<K, Arc<Feed>>>>,
    limit: usize,
    start: Start<K>,
}

impl<K: Clone + Eq + std::hash::Hash> Feeds<K> {
    /// At most `limit` feeds; `start` is called once for each that is opened, and must not block.
    pub fn new(limit: usize, start: impl Fn(K, Arc<Feed>) + Send + Sync + 'static) -> Self {
        Self {
            feeds: Mutex::new(Some(HashMap::new())),
            limit,
            start: Box::new(start),
        }
    }

    /// Takes hold of the feed of `key`. `None` once the feeds are closed.
    pub fn open(&self, key: &K) -> Result<Option<Lease>, Full> {
        let mut feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(feeds) = feeds.as_mut() else {
            return Ok(None);
        };
        if let Some(feed) = feeds.get(key) {
            return Ok(Some(Lease::new(feed.clone())));
        }
        if feeds.len() >= self.limit {
            // One that nobody watches any more may go before its time.
            let idle = feeds
                .iter()
                .find(|(_, feed)| feed.n_viewers() == 0)
                .map(|(key, _)| key.clone());
            let Some(idle) = idle else {
                return Err(Full(self.limit));
            };
            feeds.remove(&idle);
        }
        let feed = Arc::new(Feed::default());
        feeds.insert(key.clone(), feed.clone());
        let lease = Lease::new(feed.clone());
        (self.start)(key.clone(), feed);
        Ok(Some(lease))
    }

    /// A producer asks to stop: true when nobody holds its feed, which is then forgotten.
    pub fn release(&self, key: &K, feed: &Arc<Feed>) -> bool {
        let mut feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(feeds) = feeds.as_mut() else {
            return true;
        };
        match feeds.get(key) {
            Some(current) if Arc::ptr_eq(current, feed) => {
                if feed.n_viewers() > 0 {
                    return false;
                }
                feeds.remove(key);
                true
            }
            // It was dropped to make room.
            _ => feed.n_viewers() == 0,
        }
    }

    /// Whether no more feeds are opened: the server is stopping.
    pub fn is_closed(&self) -> bool {
        self.feeds
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_none()
    }

    /// Forgets every feed and opens no more: with its producer's hold gone too, streams end.
    pub fn close(&self) {
        let feeds = self
            .feeds
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        for feed in feeds.into_iter().flatten().map(|(_, feed)| feed) {
            feed.stills.close();
            feed.motion.close();
        }
    }

    /// Takes hold of the feed of `key`, or, where no more feeds may be opened, of the one in use that is nearest to it
    /// by `distance`; `None` is too far. Says which it is.
    pub fn open_nearest(
        &self,
        key: &K,
        distance: impl Fn(&K) -> Option<u64>,
    ) -> Result<Option<(K, Lease)>, Full> {
        let full = match self.open(key) {
            Ok(lease) => return Ok(lease.map(|lease| (key.clone(), lease))),
            Err(full) => full,
        };
        let feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(feeds) = feeds.as_ref() else {
            return Ok(None);
        };
        let reachable = feeds
            .iter()
            .filter_map(|(key, feed)| Some((distance(key)?, key, feed)));
        let nearest = reachable.min_by_key(|(distance, ..)| *distance);
        let (_, key, feed) = nearest.ok_or(full)?;
        Ok(Some((key.clone(), Lease::new(feed.clone()))))
    }

    /// The feeds in use and how many hold each.
    pub fn survey(&self) -> Vec<(K, usize)> {
        let feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = feeds.iter().flatten();
        rows.map(|(key, feed)| (key.clone(), feed.n_viewers()))
            .collect()
    }
}

impl<K> std::fmt::Debug for Feeds<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Feeds")
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Started = Arc<Mutex<Vec<(u8, Arc<Feed>)>>>;

    fn feeds(limit: usize) -> (Feeds<u8>, Started) {
        let started = Arc::new(Mutex::new(Vec::new()));
        let log = started.clone();
        (
            Feeds::new(limit, move |key, feed| {
                log.lock().unwrap().push((key, feed))
            }),
            started,
        )
    }

    #[test]
    fn a_feed_is_started_once_and_counted() {
        let (feeds, started) = feeds(4);
        let a = feeds.open(&1).unwrap().unwrap();
        let _b = feeds.open(&1).unwrap().unwrap();
        assert_eq!(started.lock().unwrap().len(), 1);
        assert_eq!(feeds.survey()[0].1, 2);
        drop(a);
        assert_eq!(feeds.survey()[0].1, 1);
    }

    #[test]
    fn a_held_feed_is_not_released() {
        let (feeds, started) = feeds(4);
        let lease = feeds.open(&1).unwrap().unwrap();
        let feed = started.lock().unwrap()[0].1.clone();
        assert!(!feeds.release(&1, &feed));
        drop(lease);
        assert!(feeds.release(&1, &feed));
        assert!(feeds.survey().is_empty());
    }

    #[test]
    fn beyond_the_limit_the_nearest_is_taken() {
        let (feeds, started) = feeds(2);
        let (_small, _large) = (feeds.open(&10).unwrap(), feeds.open(&50).unwrap());
        let wanted = 40;
        let distance = |key: &u8| Some(u64::from(key.abs_diff(wanted)));
        let (key, _lease) = feeds.open_nearest(&wanted, distance).unwrap().unwrap();
        assert_eq!(key, 50);
        assert_eq!(started.lock().unwrap().len(), 2);
        assert_eq!(feeds.open_nearest(&wanted, |_| None).unwrap_err(), Full(2));
        drop(_small);
        let (key, _lease) = feeds.open_nearest(&wanted, distance).unwrap().unwrap();
        assert_eq!(key, wanted, "room is made before anything else is taken");
    }

    #[test]
    fn the_limit_makes_room_only_for_what_nobody_watches() {
        let (feeds, _) = feeds(1);
        let lease = feeds.open(&1).unwrap().unwrap();
        assert_eq!(feeds.open(&2).unwrap_err(), Full(1));
        drop(lease);
        assert!(feeds.open(&2).unwrap().is_some());
    }

    #[test]
    fn closed_feeds_open_no_more() {
        let (feeds, _) = feeds(1);
        feeds.close();
        assert!(feeds.open(&1).unwrap().is_none());
    }
}
