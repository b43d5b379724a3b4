//! All feeds of the house: one for each rendition somebody watches.
//!
//! A feed is two hubs, because one timeline has two outputs: stills, one a slide, and motion, with
//! the transitions blended. Who opens a feed that is not there yet has its producer started; a
//! producer stops when nobody has held its feed for a while, or when another feed needs its place.
//!
//! What is limited is producers, not entries of a map: a producer works only while it holds one of
//! the places, and the one that is to replace it waits until it has let go.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

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
#[derive(Debug)]
pub struct Feed {
    /// One frame a slide.
    pub stills: Hub,
    /// Every frame, transitions blended.
    pub motion: Hub,
    n_viewers: AtomicUsize,
    /// True once another feed was given this one's place.
    retired: AtomicBool,
    demand: watch::Sender<()>,
    shared: Arc<Shared>,
    /// When it was held last, counted in uses of all feeds.
    used: AtomicU64,
}

/// What all feeds have in common.
#[derive(Debug)]
struct Shared {
    places: Arc<Semaphore>,
    uses: AtomicU64,
}

/// The right to produce; given back when dropped.
#[derive(Debug)]
pub struct Place {
    _permit: OwnedSemaphorePermit,
}

impl Feed {
    fn new(shared: Arc<Shared>) -> Self {
        Self {
            stills: Hub::default(),
            motion: Hub::default(),
            n_viewers: AtomicUsize::new(0),
            retired: AtomicBool::new(false),
            demand: watch::Sender::default(),
            shared,
            used: AtomicU64::new(0),
        }
    }

    /// How many hold this feed.
    pub fn n_viewers(&self) -> usize {
        self.n_viewers.load(SeqCst)
    }

    /// Whether another feed was given this one's place: its producer has to end at once.
    pub fn is_retired(&self) -> bool {
        self.retired.load(SeqCst)
    }

    /// Tells when somebody came or went, and when the feed is retired.
    pub fn demand(&self) -> watch::Receiver<()> {
        self.demand.subscribe()
    }

    /// Waits for the place of a producer that has ended, if all are taken. `None` when this feed was
    /// retired meanwhile: nobody wants it any more.
    pub async fn place(&self) -> Option<Place> {
        let mut demand = self.demand();
        let retired = async { while !self.is_retired() && demand.changed().await.is_ok() {} };
        tokio::select! {
            biased;
            () = retired => None,
            permit = self.shared.places.clone().acquire_owned() => {
                // The semaphore is never closed.
                permit.ok().map(|permit| Place { _permit: permit })
            }
        }
    }

    fn touch(&self) {
        let use_no = self.shared.uses.fetch_add(1, SeqCst);
        self.used.store(use_no, SeqCst);
    }

    fn retire(&self) {
        self.retired.store(true, SeqCst);
        self.demand.send_replace(());
    }

    fn close(&self) {
        self.stills.close();
        self.motion.close();
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
        feed.touch();
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
        self.feed.touch();
        self.feed.demand.send_replace(());
    }
}

/// As many feeds are being produced as this server allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0} different sizes and settings are being watched, which is the limit; ask for one of those, or wait"
)]
pub struct Full(pub usize);

/// Starts the producer of a feed; false where there is nothing to produce.
type Start<K> = Box<dyn Fn(K, Arc<Feed>) -> bool + Send + Sync>;

/// The feeds in use, by what they show.
pub struct Feeds<K> {
    feeds: Mutex<Option<HashMap<K, Arc<Feed>>>>,
    limit: usize,
    start: Start<K>,
    shared: Arc<Shared>,
}

impl<K: Clone + Eq + std::hash::Hash> Feeds<K> {
    /// At most `limit` feeds; `start` is called once for each that is opened, and must not block. It
    /// returns false where what the key names is gone.
    pub fn new(limit: usize, start: impl Fn(K, Arc<Feed>) -> bool + Send + Sync + 'static) -> Self {
        Self {
            feeds: Mutex::new(Some(HashMap::new())),
            limit,
            start: Box::new(start),
            shared: Arc::new(Shared {
                places: Arc::new(Semaphore::new(limit)),
                uses: AtomicU64::new(0),
            }),
        }
    }

    /// Takes hold of the feed of `key`. `None` once the feeds are closed, or when what the key names
    /// is gone.
    ///
    /// At the limit the idle feed that was held longest ago gives way, and its producer ends.
    ///
    /// # Errors
    /// As many as allowed are held.
    pub fn open(&self, key: &K) -> Result<Option<Lease>, Full> {
        let mut feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(feeds) = feeds.as_mut() else {
            return Ok(None);
        };
        if let Some(feed) = feeds.get(key) {
            return Ok(Some(Lease::new(feed.clone())));
        }
        if feeds.len() >= self.limit {
            let idle = feeds
                .iter()
                .filter(|(_, feed)| feed.n_viewers() == 0)
                .min_by_key(|(_, feed)| feed.used.load(SeqCst))
                .map(|(key, _)| key.clone());
            let idle = idle.and_then(|key| feeds.remove(&key));
            // Leases are made under this lock alone: nobody takes hold of it meanwhile.
            idle.ok_or(Full(self.limit))?.retire();
        }
        let feed = Arc::new(Feed::new(self.shared.clone()));
        let lease = Lease::new(feed.clone());
        if !(self.start)(key.clone(), feed.clone()) {
            return Ok(None);
        }
        feeds.insert(key.clone(), feed);
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
            // It was retired to make room.
            _ => true,
        }
    }

    /// A producer has ended, for whatever reason: its feed is forgotten, and who still holds it is told
    /// that nothing more comes.
    pub fn ended(&self, key: &K, feed: &Arc<Feed>) {
        let mut feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(feeds) = feeds.as_mut()
            && feeds
                .get(key)
                .is_some_and(|current| Arc::ptr_eq(current, feed))
        {
            feeds.remove(key);
        }
        feed.close();
    }

    /// How many producers work at this moment; never more than the limit.
    pub fn n_producing(&self) -> usize {
        self.limit
            .saturating_sub(self.shared.places.available_permits())
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
            feed.close();
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

    /// The bytes of all frames that are on, or known to come next.
    pub fn frames(&self) -> Vec<Bytes> {
        let feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        let feeds = feeds.iter().flat_map(HashMap::values);
        let hubs = feeds.flat_map(|feed| [&feed.stills, &feed.motion]);
        hubs.flat_map(Hub::frames).collect()
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

    /// The key of what is not there any more.
    const GONE: u8 = 255;

    fn feeds(limit: usize) -> (Feeds<u8>, Started) {
        let started = Arc::new(Mutex::new(Vec::new()));
        let log = started.clone();
        (
            Feeds::new(limit, move |key, feed| {
                log.lock().unwrap().push((key, feed));
                key != GONE
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
    fn the_idle_feed_that_was_held_longest_ago_gives_way() {
        let (feeds, started) = feeds(3);
        let held = feeds.open(&0).unwrap();
        for key in [1, 2, 1] {
            feeds.open(&key).unwrap();
        }
        feeds.open(&3).unwrap();
        let mut keys: Vec<u8> = feeds.survey().into_iter().map(|(key, _)| key).collect();
        keys.sort_unstable();
        assert_eq!(keys, [0, 1, 3], "1 was held after 2");
        let retired = |key| {
            let started = started.lock().unwrap();
            started
                .iter()
                .any(|(of, feed)| *of == key && feed.is_retired())
        };
        assert!(retired(2) && !retired(1) && !retired(0));
        drop(held);
        // A viewer that stayed long and left a moment ago was the last to hold one.
        feeds.open(&4).unwrap();
        assert!(retired(1) && !retired(0));
    }

    #[tokio::test]
    async fn producers_are_never_more_than_the_limit() {
        const LIMIT: usize = 3;
        let (alive, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let counts = (alive.clone(), most.clone());
        let feeds = Feeds::new(LIMIT, move |_: u32, feed: Arc<Feed>| {
            let (alive, most) = counts.clone();
            tokio::spawn(async move {
                let mut demand = feed.demand();
                let Some(_place) = feed.place().await else {
                    return;
                };
                most.fetch_max(alive.fetch_add(1, SeqCst) + 1, SeqCst);
                while !feed.is_retired() && demand.changed().await.is_ok() {}
                // Whoever is slow to end keeps the next one waiting.
                tokio::task::yield_now().await;
                alive.fetch_sub(1, SeqCst);
            });
            true
        });
        for key in 0..400 {
            let lease = feeds.open(&key).unwrap();
            if key % 3 == 0 {
                tokio::task::yield_now().await;
            }
            drop(lease);
            assert!(feeds.n_producing() <= LIMIT);
        }
        for _ in 0..2_000 {
            tokio::task::yield_now().await;
        }
        assert_eq!(most.load(SeqCst), LIMIT);
        assert_eq!((alive.load(SeqCst), feeds.n_producing()), (LIMIT, LIMIT));
    }

    #[tokio::test]
    async fn a_producer_that_ends_by_itself_ends_its_viewers() {
        let (feeds, started) = feeds(2);
        let lease = feeds.open(&1).unwrap().unwrap();
        let mut viewer = lease.subscribe(Kind::Motion);
        let feed = started.lock().unwrap()[0].1.clone();
        feeds.ended(&1, &feed);
        assert!(viewer.changed().await.is_none());
        assert!(feeds.survey().is_empty());
        // Whoever comes then gets a producer again, and the late word of the first harms nobody.
        let _again = feeds.open(&1).unwrap().unwrap();
        feeds.ended(&1, &feed);
        assert_eq!(
            (started.lock().unwrap().len(), feeds.survey().len()),
            (2, 1)
        );
    }

    #[test]
    fn what_is_gone_is_not_opened() {
        let (feeds, _) = feeds(2);
        assert!(feeds.open(&GONE).unwrap().is_none());
        assert!(feeds.survey().is_empty());
    }

    #[test]
    fn closed_feeds_open_no_more() {
        let (feeds, _) = feeds(1);
        feeds.close();
        assert!(feeds.open(&1).unwrap().is_none());
    }
}
