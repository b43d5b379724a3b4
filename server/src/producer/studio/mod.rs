//! Where pixels are worked on: blocking work, bounded in number, memory and time, off the threads
//! that serve.

mod key;

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt as _, Shared, WeakShared};
use tokio::sync::oneshot;

use super::{
    admission::{Admission, Claim, Claims, Lent},
    blending::Between,
    cache::Cache,
    patience::{ThreadClock, Verdict, judge},
    pool::Pool,
    screen::StepKey,
    slide::{Failed, Rendered, Subject, render_now},
};
use crate::{
    render::{self, Alpha, DecodeLimits, Quality},
    rendition::Rendition,
    source::{gallery::LoadError, live::Words},
    stats::WorkStats,
    timeline::{PhotoId, Turn},
};
use key::Key;

/// Work that was finished.
#[derive(Debug)]
pub enum Done {
    /// A slide, or why not.
    Rendered(Turn, Result<Arc<Rendered>, Failed>),
    /// No slide: these photos are not in the library any more.
    Missing(Turn, Vec<PhotoId>),
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
    pub cache_bytes: usize,
    /// How much processor time a photo may take.
    pub time: Duration,
}

impl StudioLimits {
    /// The limits of a home server, with as many workers, and as many MiB for decoding.
    pub fn new(n_workers: usize, memory_mib: u32) -> Self {
        Self {
            // What takes more than all may is refused by the photo's own estimate, not squeezed in.
            decode: DecodeLimits::default().within(u64::from(memory_mib) << 20),
            n_workers,
            memory_mib,
            // Some fifty slides in Full HD, for screens that come and go, and for going back.
            cache_bytes: 24 << 20,
            time: Duration::from_secs(30),
        }
    }
}

/// How long after a slide the memory of its decoding is kept for the next.
const TIDY_AFTER: Duration = Duration::from_millis(500);

/// Threads whose decoder took too long and that are no longer waited for. What more of them hold is
/// not lent again until they end: they may stand in the way, but they can't take all memory.
const MAX_HANGING: u64 = 8;

type Finished = Result<Arc<Rendered>, Failed>;
type Work = Shared<BoxFuture<'static, Finished>>;

/// Work that somebody waits for: it lives as long as they do.
#[derive(Debug)]
struct Running {
    work: WeakShared<BoxFuture<'static, Finished>>,
    claims: Claims,
}

/// Bounds how much is rendered at once, for all renditions together, and keeps what was.
#[derive(Debug)]
pub struct Studio {
    limits: StudioLimits,
    admission: Arc<Admission>,
    blenders: Pool,
    cache: Mutex<Cache<Key, Arc<Rendered>>>,
    running: Mutex<HashMap<Key, Running>>,
    /// Slides rendered so far: tells whether anything came after one.
    n_rendered: AtomicUsize,
    /// Photos whose looks were told.
    looked_at: Mutex<HashSet<PhotoId>>,
    stats: Arc<WorkStats>,
    /// The words that stand on each slide.
    words: Option<Words>,
    /// For how long clips play at most, in milliseconds, if they do.
    plays_millis: Option<u32>,
}

impl Studio {
    /// A studio that keeps to `limits` and counts what it does.
    pub fn new(limits: StudioLimits, stats: Arc<WorkStats>) -> Self {
        Self {
            admission: Admission::new(limits.n_workers, limits.memory_mib, stats.clone()),
            blenders: Pool::new(limits.n_workers, "blend"),
            cache: Mutex::new(Cache::new(limits.cache_bytes)),
            running: Mutex::default(),
            n_rendered: AtomicUsize::new(0),
            looked_at: Mutex::default(),
            stats,
            limits,
            words: None,
            plays_millis: None,
        }
    }

    /// The studio with words on each of its slides.
    #[must_use]
    pub fn with_words(self, words: Option<Words>) -> Self {
        Self { words, ..self }
    }

    /// The studio whose clips play, each for at most so many milliseconds.
    #[must_use]
    pub fn playing_clips(self, plays_millis: Option<u32>) -> Self {
        Self {
            plays_millis,
            ..self
        }
    }

    /// The limits within which a picture is decoded.
    pub fn decode_limits(&self) -> DecodeLimits {
        self.limits.decode
    }

    /// Whether nobody has asked so about this photo before.
    pub fn is_first_look(&self, id: PhotoId) -> bool {
        locked(&self.looked_at).insert(id)
    }

    /// Photos to frame, in the order of what `claim` and others say of their urgency. Who asks for the
    /// same at the same time waits for the same work. While it is queued it ends with the last of them;
    /// once a worker has begun it is finished, and kept for who asks next.
    pub async fn render(
        self: Arc<Self>,
        subject: Subject,
        rendition: Rendition,
        claim: Arc<Claim>,
    ) -> Done {
        let turn = subject.turn();
        let key = Key::new(&subject, &rendition);
        if let Some(rendered) = locked(&self.cache).get(&key) {
            self.stats.cache_hits.fetch_add(1, Relaxed);
            return Done::Rendered(turn, Ok(rendered));
        }
        self.stats.cache_misses.fetch_add(1, Relaxed);
        let result = self.join(key, subject, rendition, &claim).await;
        locked(&self.running).retain(|_, running| running.work.upgrade().is_some());
        Done::Rendered(turn, result)
    }

    /// The work that makes this slide; begun when there is none.
    fn join(
        self: &Arc<Self>,
        key: Key,
        subject: Subject,
        rendition: Rendition,
        claim: &Arc<Claim>,
    ) -> Work {
        let mut all = locked(&self.running);
        if let Some(running) = all.get(&key)
            && let Some(work) = running.work.upgrade()
        {
            running.claims.add(claim);
            return work;
        }
        let claims = Claims::default();
        claims.add(claim);
        let work = self
            .clone()
            .work(subject, rendition, key.clone(), claims.clone());
        let work = work.boxed().shared();
        if let Some(weak) = work.downgrade() {
            all.insert(key, Running { work: weak, claims });
        }
        work
    }

    async fn work(
        self: Arc<Self>,
        subject: Subject,
        rendition: Rendition,
        key: Key,
        claims: Claims,
    ) -> Finished {
        let lent = self.lend(subject.n_mib(), claims).await;
        // By itself from here on: a thread can't be ended, and what it makes is worth keeping.
        let made = tokio::spawn(self.make(subject.clone(), rendition, key, lent));
        made.await
            .unwrap_or_else(|_| Err(subject.failed(0, LoadError::Broken)))
    }

    /// A worker's place and memory: as much as there is for who needs more.
    async fn lend(&self, n_mib: u32, claims: Claims) -> Lent {
        let n_mib = n_mib.clamp(1, self.limits.memory_mib);
        self.admission.lend(n_mib, claims).await
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "it is measured how long slides and blends take"
    )]
    async fn make(
        self: Arc<Self>,
        subject: Subject,
        rendition: Rendition,
        key: Key,
        lent: Lent,
    ) -> Finished {
        let (photos, limits) = (subject.clone(), self.limits.decode);
        let (stats, studio) = (self.stats.clone(), self.clone());
        let result = self.timed(lent, move || {
            let start = Instant::now();
            let rendered = render_now(
                &photos,
                &limits,
                rendition,
                studio.words.as_ref(),
                studio.plays_millis,
            );
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
        let n_bytes = rendered.jpeg.len();
        self.stats.encode.record(rendered.encoding);
        let mut cache = locked(&self.cache);
        cache.put(key, rendered.clone(), n_bytes);
        self.stats
            .cache_bytes
            .store(cache.n_bytes() as u64, Relaxed);
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

    /// Has `work` done in a thread of its own and waits no longer than the limit. A thread that hangs
    /// can't be ended, but it can be left alone.
    async fn timed<T: Send + 'static>(
        self: &Arc<Self>,
        lent: Lent,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, LoadError> {
        let (begun, clock) = oneshot::channel();
        let (finished, mut result) = oneshot::channel();
        // No thread of the runtime's: it would wait for it when the program ends.
        let thread = std::thread::Builder::new().name("render".into());
        let started = thread.spawn(move || {
            let _ = begun.send(ThreadClock::of_this_thread());
            // Nobody may be waiting any more.
            let _ = finished.send(work());
        });
        if let Err(error) = started {
            tracing::error!(%error, "can't start a thread that renders");
            return Err(LoadError::NoThread(error));
        }
        let clock = clock.await.ok();
        let limit = self.limits.time;
        for n in 1.. {
            if let Ok(result) = tokio::time::timeout(limit, &mut result).await {
                // A panic ends the thread without a result.
                return result.map_err(|_| LoadError::Broken);
            }
            let used = clock.as_ref().and_then(ThreadClock::used);
            let why = match judge(n, used, limit) {
                Verdict::Wait => continue,
                Verdict::Slow => LoadError::Slow(limit.as_secs()),
                Verdict::Stuck => LoadError::Stuck((limit * n).as_secs()),
            };
            self.leave_alone(result, lent);
            return Err(why);
        }
        Err(LoadError::Broken)
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

    /// One frame of a transition.
    #[expect(
        clippy::disallowed_methods,
        reason = "it is measured how long slides and blends take"
    )]
    pub(super) async fn blend(
        self: Arc<Self>,
        key: StepKey,
        between: Arc<Between>,
        alpha: Alpha,
        quality: Quality,
    ) -> Done {
        let stats = self.stats.clone();
        let blended = self.blenders.run(move || {
            let start = Instant::now();
            let jpeg = between.at(alpha, quality);
            stats.blend.record(start.elapsed());
            jpeg
        });
        let jpeg = match blended.await {
            Ok(Ok(jpeg)) => Some(jpeg),
            Ok(Err(error)) => {
                tracing::error!(%error, "a frame of a transition could not be made");
                None
            }
            Err(error) => {
                tracing::error!(%error, "a frame could not be blended");
                None
            }
        };
        Done::Blended(key, jpeg)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
