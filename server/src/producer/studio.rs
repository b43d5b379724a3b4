//! Where pixels are worked on: blocking work, bounded in number, memory and time, off the threads
//! that serve.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore, oneshot};

use super::{
    motion::StepKey,
    shelf::Shelf,
    slide::{Failed, Rendered, Subject, render_now},
};
use crate::{
    library::{Photo, Version},
    render::{self, Alpha, DecodeLimits, EncodeError, Fit, Picture, Quality, Size},
    rendition::{Captions, Rendition},
    source::gallery::LoadError,
    stats::WorkStats,
    timeline::{PhotoId, Turn},
};

/// Work that was finished.
#[derive(Debug)]
pub enum Done {
    /// A slide, or why not.
    Rendered(Turn, Result<Arc<Rendered>, Failed>),
    /// One frame of a transition; empty when it could not be encoded.
    Blended(StepKey, Option<Bytes>),
}

/// How much a studio may use.
#[derive(Clone, Copy, Debug)]
pub struct StudioLimits {
    /// Of one photo.
    pub decode: DecodeLimits,
    /// Photos that are decoded at a time.
    pub n_workers: usize,
    /// MiB that all decodes together may take, by estimate.
    pub memory_mib: u32,
    /// Bytes of finished slides that are kept.
    pub shelf_bytes: usize,
    /// How long a photo may take.
    pub time: Duration,
}

impl StudioLimits {
    /// What a home server can spare, with as many workers, and as many MiB for decoding.
    pub fn new(n_workers: usize, memory_mib: u32) -> Self {
        Self {
            decode: DecodeLimits::default(),
            n_workers,
            memory_mib,
            // The slide before, this one and the next, of one rendition in Full HD; a few of smaller ones.
            shelf_bytes: 24 << 20,
            time: Duration::from_secs(30),
        }
    }
}

/// How long after a slide the memory of its decoding is kept for the next.
const TIDY_AFTER: Duration = Duration::from_millis(500);

/// Threads whose decoder took too long and that are no longer waited for. What more of them hold is
/// not lent again until they end: they may stand in the way, but they can't take all memory.
const MAX_HANGING: u64 = 8;

/// Everything that decides what a rendered slide's bytes are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    photos: [Option<(PhotoId, Version)>; 2],
    size: Size,
    fit: Fit,
    quality: Quality,
    captions: Captions,
    /// Place, album and caption: they may change while the file doesn't.
    words: Vec<Option<String>>,
}

type Running = Arc<OnceCell<Result<Arc<Rendered>, Failed>>>;

/// Bounds how much is rendered at once, for all renditions together, and keeps what was.
#[derive(Debug)]
pub struct Studio {
    limits: StudioLimits,
    workers: Arc<Semaphore>,
    memory: Arc<Semaphore>,
    shelf: Mutex<Shelf<Key, Arc<Rendered>>>,
    running: Mutex<HashMap<Key, Running>>,
    /// Slides rendered so far: tells whether anything came after one.
    n_rendered: AtomicUsize,
    /// Photos whose looks were told.
    looked_at: Mutex<HashSet<PhotoId>>,
    stats: Arc<WorkStats>,
}

impl Studio {
    /// A studio that keeps to `limits` and counts what it does.
    pub fn new(limits: StudioLimits, stats: Arc<WorkStats>) -> Self {
        Self {
            workers: Arc::new(Semaphore::new(limits.n_workers)),
            memory: Arc::new(Semaphore::new(limits.memory_mib as usize)),
            shelf: Mutex::new(Shelf::new(limits.shelf_bytes)),
            running: Mutex::default(),
            n_rendered: AtomicUsize::new(0),
            looked_at: Mutex::default(),
            stats,
            limits,
        }
    }

    /// Whether nobody has asked so about this photo before.
    pub fn is_first_look(&self, id: PhotoId) -> bool {
        locked(&self.looked_at).insert(id)
    }

    /// Photos to frame. Who asks for the same at the same time waits for the same work.
    pub async fn render(self: Arc<Self>, subject: Subject, rendition: Rendition) -> Done {
        let turn = subject.turn();
        let key = Key::new(&subject, &rendition);
        if let Some(rendered) = locked(&self.shelf).get(&key) {
            self.stats.shelf_hits.fetch_add(1, Relaxed);
            return Done::Rendered(turn, Ok(rendered));
        }
        self.stats.shelf_misses.fetch_add(1, Relaxed);
        let running = locked(&self.running)
            .entry(key.clone())
            .or_default()
            .clone();
        let work = || async {
            let studio = self.clone();
            // By itself: the work goes on when who asked for it ends.
            let work = tokio::spawn(studio.work(subject.clone(), rendition, key.clone()));
            work.await
                .unwrap_or_else(|_| Err(subject.failed(0, LoadError::Broken)))
        };
        let result = running.get_or_init(work).await.clone();
        locked(&self.running).remove(&key);
        Done::Rendered(turn, result)
    }

    async fn work(
        self: Arc<Self>,
        subject: Subject,
        rendition: Rendition,
        key: Key,
    ) -> Result<Arc<Rendered>, Failed> {
        let (photos, limits) = (subject.clone(), self.limits.decode);
        let n_mib = subject.n_mib();
        let stats = self.stats.clone();
        let result = self.timed(n_mib, move || {
            let start = Instant::now();
            let rendered = render_now(&photos, &limits, rendition);
            stats.render.record(start.elapsed());
            rendered
        });
        let result = result.await;
        self.clone().tidy_up();
        let rendered = match result {
            Ok(result) => result.map_err(|(at, error)| subject.failed(at, error))?,
            Err(error) => return Err(subject.failed(0, error)),
        };
        let rendered = Arc::new(rendered);
        let n_bytes = rendered.picture.pixels().len() + rendered.jpeg.len();
        self.stats.encode.record(rendered.encoding);
        let mut shelf = locked(&self.shelf);
        shelf.put(key, rendered.clone(), n_bytes);
        self.stats
            .shelf_bytes
            .store(shelf.n_bytes() as u64, Relaxed);
        Ok(rendered)
    }

    /// Gives back what was kept for the next photo, when none comes soon: between slides memory is better off with
    /// somebody else.
    fn tidy_up(self: Arc<Self>) {
        let last = self.n_rendered.fetch_add(1, Relaxed) + 1;
        tokio::spawn(async move {
            tokio::time::sleep(TIDY_AFTER).await;
            if self.n_rendered.load(Relaxed) == last {
                render::release_spare();
            }
        });
    }

    /// Has `work` done in a thread of its own, once there is a worker and memory for it, and waits
    /// no longer than the limit. A thread that hangs can't be ended, but it can be left alone.
    async fn timed<T: Send + 'static>(
        self: &Arc<Self>,
        n_mib: u32,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, LoadError> {
        let n_mib = n_mib.clamp(1, self.limits.memory_mib);
        let lent = self.lend(n_mib).await;
        let (finished, mut result) = oneshot::channel();
        // No thread of the runtime's: it would wait for it when the program ends.
        let thread = std::thread::Builder::new().name("render".into());
        let started = thread.spawn(move || {
            // Nobody may be waiting any more.
            let _ = finished.send(work());
        });
        if let Err(error) = started {
            tracing::error!(%error, "can't start a thread that renders");
            return Err(LoadError::NoThread(error));
        }
        match tokio::time::timeout(self.limits.time, &mut result).await {
            // A panic ends the thread without a result.
            Ok(result) => result.map_err(|_| LoadError::Broken),
            Err(_) => {
                self.leave_alone(result, lent);
                Err(LoadError::Slow(self.limits.time.as_secs()))
            }
        }
    }

    /// A worker's place and memory, as soon as there are both.
    async fn lend(&self, n_mib: u32) -> Lent {
        // The semaphores are never closed.
        let worker = self.workers.clone().acquire_owned().await;
        if self.memory.available_permits() < n_mib as usize {
            self.stats.decode_waits.fetch_add(1, Relaxed);
        }
        let memory = self.memory.clone().acquire_many_owned(n_mib).await;
        let n_bytes = u64::from(n_mib) << 20;
        self.stats.decode_bytes.fetch_add(n_bytes, Relaxed);
        Lent {
            _permits: [worker.ok(), memory.ok()],
            stats: self.stats.clone(),
            n_bytes,
        }
    }

    fn leave_alone<T: Send + 'static>(self: &Arc<Self>, result: oneshot::Receiver<T>, lent: Lent) {
        let n_hanging = self.stats.n_hanging.fetch_add(1, Relaxed) + 1;
        tracing::warn!(n_hanging, "a decoder takes too long; it is left alone");
        let kept = if n_hanging <= MAX_HANGING {
            drop(lent);
            None
        } else {
            Some(lent)
        };
        let studio = self.clone();
        tokio::spawn(async move {
            let _ = result.await;
            studio.stats.n_hanging.fetch_sub(1, Relaxed);
            drop(kept);
        });
    }

    /// One frame between two pictures.
    pub async fn blend(
        self: Arc<Self>,
        key: StepKey,
        from: Arc<Picture>,
        to: Arc<Picture>,
        alpha: Alpha,
        quality: Quality,
    ) -> Done {
        let stats = self.stats.clone();
        let blended = tokio::task::spawn_blocking(move || -> Result<Vec<u8>, EncodeError> {
            let start = Instant::now();
            let mut out = Picture::filled(to.width(), to.height(), [0, 0, 0]);
            render::blend(&from, &to, alpha, &mut out);
            let jpeg = render::encode(&out, quality.between(alpha));
            stats.blend.record(start.elapsed());
            jpeg
        });
        let jpeg = match blended.await {
            Ok(Ok(jpeg)) => Some(jpeg.into()),
            Ok(Err(error)) => {
                tracing::error!(%error, "a frame could not be encoded");
                None
            }
            Err(error) => {
                tracing::error!(%error, "blending panicked");
                None
            }
        };
        Done::Blended(key, jpeg)
    }
}

/// What one decoder may use; given back when dropped.
struct Lent {
    _permits: [Option<OwnedSemaphorePermit>; 2],
    stats: Arc<WorkStats>,
    n_bytes: u64,
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.stats.decode_bytes.fetch_sub(self.n_bytes, Relaxed);
    }
}

impl Key {
    fn new(subject: &Subject, rendition: &Rendition) -> Self {
        let known = |photo: &Arc<Photo>| (photo.id, photo.version);
        let words = |photo: &Arc<Photo>| {
            let facts = &photo.facts;
            [
                facts.place.clone(),
                facts.album.clone(),
                facts.caption.clone(),
            ]
        };
        Self {
            photos: [
                Some(known(&subject.photo)),
                subject.beside.as_ref().map(known),
            ],
            size: rendition.size,
            fit: rendition.fit,
            quality: rendition.quality,
            captions: rendition.captions,
            words: subject.photos().flat_map(words).collect(),
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
