//! All feeds of the house: one for each rendition somebody watches.
//!
//! A feed is two hubs and a tape, because one timeline has these outputs: stills, one a slide; motion, with
//! the transitions blended; and video. Who opens a feed that is not there yet has its producer started; a
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

use super::{Given, Hub, Look, Reader, Subscription, Tape};

/// Which of a feed's two hubs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One frame a slide, with metadata, ahead of its moment.
    Stills,
    /// The picture on screen, transitions included.
    Motion,
}

/// One rendition's hubs, and its tape.
#[derive(Debug)]
pub struct Feed {
    /// One frame a slide.
    pub stills: Hub,
    /// Every frame, transitions blended.
    pub motion: Hub,
    /// Video of the same.
    pub tape: Arc<Tape>,
    /// The video that the tape can have as it is.
    pub given: Given,
    /// The look of the screen, for whoever makes the video.
    look: watch::Sender<Option<Look>>,
    n_viewers: AtomicUsize,
    /// True once another feed was given this one's place.
    retired: AtomicBool,
    demand: watch::Sender<()>,
    shared: Arc<Shared>,
    /// When it was held last, counted in uses of all feeds.
    used: AtomicU64,
}

/// The state that all feeds share.
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
            tape: Arc::default(),
            given: Given::default(),
            look: watch::Sender::default(),
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

    /// From now on this is on the screen; nothing is said by `None`.
    pub fn show(&self, look: impl Into<Option<Look>>) {
        let look = look.into();
        self.look.send_if_modified(|shown| {
            let is_same = |look: &Look| shown.as_ref().is_some_and(|shown| shown.is_same(look));
            let news = look.filter(|look| !is_same(look));
            let is_news = news.is_some();
            if is_news {
                *shown = news;
            }
            is_news
        });
    }

    /// The look of the screen, and word of every change.
    pub fn look(&self) -> watch::Receiver<Option<Look>> {
        self.look.subscribe()
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

    /// Nothing fills it: whoever holds it is told that nothing comes.
    pub fn end(&self) {
        self.close();
    }

    fn close(&self) {
        self.stills.close();
        self.motion.close();
        self.tape.close();
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

    /// Subscribes to one of the feed's two hubs.
    pub fn subscribe(&self, kind: Kind) -> Subscription {
        let subscription = match kind {
            Kind::Stills => self.feed.stills.subscribe(),
            Kind::Motion => self.feed.motion.subscribe(),
        };
        self.feed.demand.send_replace(());
        subscription
    }

    /// Begins to read the feed's video; one who `cuts` it into pieces needs key frames all the time.
    pub fn read(&self, cuts: bool) -> Reader {
        Reader::new(self.feed.tape.clone(), cuts)
    }

    /// Begins to read the feed's video for who shows it at once.
    pub fn read_at_once(&self) -> Reader {
        Reader::at_once(self.feed.tape.clone())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.feed.n_viewers.fetch_sub(1, SeqCst);
        self.feed.touch();
        self.feed.demand.send_replace(());
    }
}

/// The limit of feeds that are produced at a time is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0} different sizes and settings are being watched, which is the limit; ask for one of those, or wait"
)]
pub struct Full(pub usize);

/// Starts what fills a feed from its source.
type Start<K, S> = Box<dyn Fn(K, S, Arc<Feed>) + Send + Sync>;

/// The feeds in use, by what they show. Each is filled from a source, which whoever opens the feed has in hand: so none is
/// opened whose source can't be found any more.
pub struct Feeds<K, S> {
    feeds: Mutex<Option<HashMap<K, Entry<S>>>>,
    limit: usize,
    start: Start<K, S>,
    shared: Arc<Shared>,
}

/// A feed in use, and what fills it.
struct Entry<S> {
    feed: Arc<Feed>,
    source: S,
}

impl<K: Clone + Eq + std::hash::Hash, S: Clone> Feeds<K, S> {
    /// At most `limit` feeds; `start` is called once for each that is opened, and must not block.
    pub fn new(limit: usize, start: impl Fn(K, S, Arc<Feed>) + Send + Sync + 'static) -> Self {
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

    /// Takes hold of the feed of `key`, which is filled from `source`. `None` once the feeds are closed.
    ///
    /// At the limit the idle feed that was held longest ago gives way, and its producer ends.
    ///
    /// # Errors
    /// As many as allowed are held.
    pub fn open(&self, key: &K, source: &S) -> Result<Option<Lease>, Full> {
        let mut feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(feeds) = feeds.as_mut() else {
            return Ok(None);
        };
        self.open_in(feeds, key, source).map(Some)
    }

    /// Takes hold of the feed of `key`, which is filled from the same source as that of `held`. `None` when `held` has ended.
    ///
    /// # Errors
    /// See [`Self::open`].
    pub fn open_beside(&self, held: &K, key: &K) -> Result<Option<Lease>, Full> {
        let mut feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(feeds) = feeds.as_mut() else {
            return Ok(None);
        };
        let source = feeds.get(held).map(|entry| entry.source.clone());
        let opened = source.map(|source| self.open_in(feeds, key, &source));
        opened.transpose()
    }

    fn open_in(
        &self,
        feeds: &mut HashMap<K, Entry<S>>,
        key: &K,
        source: &S,
    ) -> Result<Lease, Full> {
        if let Some(Entry { feed, .. }) = feeds.get(key) {
            return Ok(Lease::new(feed.clone()));
        }
        if feeds.len() >= self.limit {
            let idle = feeds
                .iter()
                .filter(|(_, entry)| entry.feed.n_viewers() == 0)
                .min_by_key(|(_, entry)| entry.feed.used.load(SeqCst))
                .map(|(key, _)| key.clone());
            let idle = idle.and_then(|key| feeds.remove(&key));
            // Leases are made under this lock alone: nobody takes hold of it meanwhile.
            idle.ok_or(Full(self.limit))?.feed.retire();
        }
        let feed = Arc::new(Feed::new(self.shared.clone()));
        let lease = Lease::new(feed.clone());
        (self.start)(key.clone(), source.clone(), feed.clone());
        let source = source.clone();
        feeds.insert(key.clone(), Entry { feed, source });
        Ok(lease)
    }

    /// A producer asks to stop: true when nobody holds its feed, which is then forgotten.
    pub fn release(&self, key: &K, feed: &Arc<Feed>) -> bool {
        let mut feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(feeds) = feeds.as_mut() else {
            return true;
        };
        match feeds.get(key) {
            Some(current) if Arc::ptr_eq(&current.feed, feed) => {
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
                .is_some_and(|current| Arc::ptr_eq(&current.feed, feed))
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
        for (_, entry) in feeds.into_iter().flatten() {
            entry.feed.close();
        }
    }

    /// Takes hold of the feed of `key`, or, where no more feeds may be opened, of the one in use that is nearest to it
    /// by `distance`; `None` is too far. Says which it is.
    pub fn open_nearest(
        &self,
        key: &K,
        source: &S,
        distance: impl Fn(&K) -> Option<u64>,
    ) -> Result<Option<(K, Lease)>, Full> {
        let full = match self.open(key, source) {
            Ok(lease) => return Ok(lease.map(|lease| (key.clone(), lease))),
            Err(full) => full,
        };
        let feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(feeds) = feeds.as_ref() else {
            return Ok(None);
        };
        let reachable = feeds
            .iter()
            .filter_map(|(key, entry)| Some((distance(key)?, key, &entry.feed)));
        let nearest = reachable.min_by_key(|(distance, ..)| *distance);
        let (_, key, feed) = nearest.ok_or(full)?;
        Ok(Some((key.clone(), Lease::new(feed.clone()))))
    }

    /// The bytes of all frames that are on, or known to come next.
    pub fn frames(&self) -> Vec<Bytes> {
        let feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        let feeds = feeds.iter().flat_map(HashMap::values);
        let hubs = feeds.flat_map(|entry| [&entry.feed.stills, &entry.feed.motion]);
        hubs.flat_map(Hub::frames).collect()
    }

    /// The feeds in use and how many hold each.
    pub fn survey(&self) -> Vec<(K, usize)> {
        let feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = feeds.iter().flatten();
        rows.map(|(key, entry)| (key.clone(), entry.feed.n_viewers()))
            .collect()
    }
}

impl<K, S> std::fmt::Debug for Feeds<K, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Feeds")
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
