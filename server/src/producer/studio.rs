//! Where pixels are worked on: blocking work, bounded in number, memory and time, off the threads
//! that serve.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use mantel_shared::TakenAt;
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore, oneshot};

use super::{
    motion::StepKey,
    shelf::{Shelf, ShelfCounts},
};
use crate::{
    caption,
    library::{Photo, Version},
    render::{self, Alpha, DecodeLimits, EncodeError, Fit, Picture, Quality, Size, overlay},
    rendition::{Captions, Rendition},
    source::gallery::{self, LoadError, Loaded},
    timeline::{PhotoId, Turn},
};

/// A slide as a rendition shows it.
#[derive(Debug)]
pub struct Rendered {
    /// Its pixels, of exactly the rendition's size, to blend with.
    pub picture: Arc<Picture>,
    /// The same, encoded.
    pub jpeg: Bytes,
    /// What is known of it.
    pub notes: Notes,
}

/// What is told about a slide besides its pixels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// When it was taken, local time in ISO 8601; of two photos the first's.
    pub taken_at: Option<TakenAt>,
    /// What somebody wrote under it; where nobody did, what its file is called.
    pub caption: Option<String>,
    /// Where it was taken.
    pub place: Option<String>,
    /// The album that it is in.
    pub album: Option<String>,
}

/// The photos of a slide, one or two.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The one, or the left or upper one.
    pub photo: Arc<Photo>,
    /// The one beside it.
    pub beside: Option<Arc<Photo>>,
}

/// Why a slide could not be rendered.
#[derive(Clone, Debug)]
pub struct Failed {
    /// The photo that is to blame.
    pub photo: Arc<Photo>,
    /// What is wrong with it.
    pub error: Arc<LoadError>,
}

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
    /// What a home server can spare, with as many workers.
    pub fn with_workers(n_workers: usize) -> Self {
        Self {
            decode: DecodeLimits::default(),
            n_workers,
            memory_mib: 1024,
            shelf_bytes: 64 << 20,
            time: Duration::from_secs(30),
        }
    }
}

/// Threads whose decoder took too long and that are no longer waited for. What more of them hold is
/// not lent again until they end: they may stand in the way, but they can't take all memory.
const MAX_HANGING: usize = 8;

/// What a photo of unknown size is taken for.
const UNKNOWN_MIB: u32 = 256;

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
    n_hanging: AtomicUsize,
}

impl Studio {
    /// A studio that keeps to `limits`.
    pub fn new(limits: StudioLimits) -> Self {
        Self {
            workers: Arc::new(Semaphore::new(limits.n_workers)),
            memory: Arc::new(Semaphore::new(limits.memory_mib as usize)),
            shelf: Mutex::new(Shelf::new(limits.shelf_bytes)),
            running: Mutex::default(),
            n_hanging: AtomicUsize::new(0),
            limits,
        }
    }

    /// How the cache of finished slides does.
    #[cfg_attr(not(test), expect(dead_code, reason = "for the metrics"))]
    pub fn shelf_counts(&self) -> ShelfCounts {
        locked(&self.shelf).counts()
    }

    /// Threads that hang in a decoder.
    #[cfg_attr(not(test), expect(dead_code, reason = "for the metrics"))]
    pub fn n_hanging(&self) -> usize {
        self.n_hanging.load(Relaxed)
    }

    /// Photos to frame. Who asks for the same at the same time waits for the same work.
    pub async fn render(self: Arc<Self>, subject: Subject, rendition: Rendition) -> Done {
        let turn = subject.turn();
        let key = Key::new(&subject, &rendition);
        if let Some(rendered) = locked(&self.shelf).get(&key) {
            return Done::Rendered(turn, Ok(rendered));
        }
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
        let result = self.timed(n_mib, move || render_now(&photos, &limits, rendition));
        let rendered = match result.await {
            Ok(result) => result.map_err(|(at, error)| subject.failed(at, error))?,
            Err(error) => return Err(subject.failed(0, error)),
        };
        let rendered = Arc::new(rendered);
        let n_bytes = rendered.picture.pixels().len() + rendered.jpeg.len();
        locked(&self.shelf).put(key, rendered.clone(), n_bytes);
        Ok(rendered)
    }

    /// Has `work` done in a thread of its own, once there is a worker and memory for it, and waits
    /// no longer than the limit. A thread that hangs can't be ended, but it can be left alone.
    async fn timed<T: Send + 'static>(
        self: &Arc<Self>,
        n_mib: u32,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, LoadError> {
        let n_mib = n_mib.clamp(1, self.limits.memory_mib);
        // The semaphores are never closed.
        let worker = self.workers.clone().acquire_owned().await;
        let memory = self.memory.clone().acquire_many_owned(n_mib).await;
        let permits = (worker.ok(), memory.ok());
        let (finished, mut result) = oneshot::channel();
        // No thread of the runtime's: it would wait for it when the program ends.
        let thread = std::thread::Builder::new().name("render".into());
        let started = thread.spawn(move || {
            // Nobody may be waiting any more.
            let _ = finished.send(work());
        });
        if let Err(error) = started {
            tracing::error!(%error, "can't start a thread that renders");
            return Err(LoadError::Broken);
        }
        match tokio::time::timeout(self.limits.time, &mut result).await {
            // A panic ends the thread without a result.
            Ok(result) => result.map_err(|_| LoadError::Broken),
            Err(_) => {
                self.leave_alone(result, permits);
                Err(LoadError::Slow(self.limits.time.as_secs()))
            }
        }
    }

    fn leave_alone<T: Send + 'static>(
        self: &Arc<Self>,
        result: oneshot::Receiver<T>,
        permits: (Option<OwnedSemaphorePermit>, Option<OwnedSemaphorePermit>),
    ) {
        let n_hanging = self.n_hanging.fetch_add(1, Relaxed) + 1;
        tracing::warn!(n_hanging, "a decoder takes too long; it is left alone");
        let kept = if n_hanging <= MAX_HANGING {
            drop(permits);
            None
        } else {
            Some(permits)
        };
        let studio = self.clone();
        tokio::spawn(async move {
            let _ = result.await;
            studio.n_hanging.fetch_sub(1, Relaxed);
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
        let blended = tokio::task::spawn_blocking(move || -> Result<Vec<u8>, EncodeError> {
            let mut out = Picture::filled(to.width(), to.height(), [0, 0, 0]);
            render::blend(&from, &to, alpha, &mut out);
            render::encode(&out, quality)
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

impl Subject {
    fn photos(&self) -> impl Iterator<Item = &Arc<Photo>> {
        std::iter::once(&self.photo).chain(&self.beside)
    }

    fn turn(&self) -> Turn {
        Turn {
            photo: self.photo.id,
            beside: self.beside.as_ref().map(|photo| photo.id),
        }
    }

    fn failed(&self, at: usize, error: LoadError) -> Failed {
        Failed {
            photo: self.photos().nth(at).unwrap_or(&self.photo).clone(),
            error: Arc::new(error),
        }
    }

    /// What decoding takes: the pixels twice, as the decoder has them and as they come out; of two
    /// photos one after the other.
    fn n_mib(&self) -> u32 {
        let mib = |photo: &Arc<Photo>| {
            photo.facts.size.map_or(UNKNOWN_MIB, |size| {
                let n_bytes = size.n_pixels().saturating_mul(2 * 3);
                u32::try_from(n_bytes >> 20)
                    .unwrap_or(u32::MAX)
                    .saturating_add(16)
            })
        };
        self.photos().map(mib).max().unwrap_or(UNKNOWN_MIB)
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

/// The slide, or which of its photos is to blame.
fn render_now(
    subject: &Subject,
    limits: &DecodeLimits,
    rendition: Rendition,
) -> Result<Rendered, (usize, LoadError)> {
    let start = Instant::now();
    let Rendition { size, fit, .. } = rendition;
    let photo = &subject.photo;
    let (mut picture, notes) = match &subject.beside {
        None => {
            let loaded = gallery::load(photo, limits, size, fit).map_err(|error| (0, error))?;
            let mut picture = loaded.picture;
            let words =
                caption::words(rendition.captions, &photo.facts, loaded.taken_at.as_deref());
            overlay::write(&mut picture, (0, 0), size, &words);
            (picture, notes(photo, loaded.taken_at, loaded.caption))
        }
        Some(beside) => {
            let part = |photo: &Arc<Photo>, at: usize| {
                gallery::load_part(photo, limits, size, at, fit).map_err(|error| (at, error))
            };
            let parts = [part(photo, 0)?, part(beside, 1)?];
            two(subject, parts, rendition, beside)
        }
    };
    let jpeg = render::encode(&picture, rendition.quality).map_err(|error| (0, error.into()))?;
    tracing::debug!(photo = %photo.name, millis = start.elapsed().as_millis() as u64, "rendered");
    if picture.size() != size {
        // Blending wants all pictures alike.
        picture = render::fit(&picture, size, fit);
    }
    Ok(Rendered {
        picture: Arc::new(picture),
        jpeg: jpeg.into(),
        notes,
    })
}

fn two(
    subject: &Subject,
    parts: [Loaded; 2],
    rendition: Rendition,
    beside: &Photo,
) -> (Picture, Notes) {
    let Rendition { size, fit, .. } = rendition;
    let mut picture = render::pair([&parts[0].picture, &parts[1].picture], size, fit);
    let photos = [&*subject.photo, beside];
    for (at, (place, room)) in render::pair::parts(size).into_iter().enumerate() {
        let taken_at = parts[at].taken_at.as_deref();
        let words = caption::words(rendition.captions, &photos[at].facts, taken_at);
        overlay::write(&mut picture, place, room, &words);
    }
    let [first, second] = parts;
    // A file's name is told only where neither has a caption of its own.
    let caption = match (first.own_caption, second.own_caption) {
        (None, None) => both(first.caption, second.caption),
        (first, second) => both(first, second),
    };
    let first_notes = notes(photos[0], first.taken_at, caption);
    let notes = Notes {
        place: both(first_notes.place, beside.facts.place.clone()),
        album: both(first_notes.album, beside.facts.album.clone()),
        ..first_notes
    };
    (picture, notes)
}

fn both(first: Option<String>, second: Option<String>) -> Option<String> {
    match (first, second) {
        (Some(first), Some(second)) if first != second => Some(format!("{first} · {second}")),
        (first, second) => first.or(second),
    }
}

fn notes(photo: &Photo, taken_at: Option<String>, caption: Option<String>) -> Notes {
    let known = || {
        let taken = photo.facts.taken?;
        let is_date = taken.source != crate::library::DateSource::Modified;
        let moment = chrono::DateTime::from_timestamp(taken.local_seconds, 0)?;
        is_date.then(|| moment.format("%Y-%m-%dT%H:%M:%S").to_string())
    };
    Notes {
        taken_at: taken_at
            .or_else(known)
            .and_then(|text| TakenAt::new(&text).ok()),
        caption,
        place: photo.facts.place.clone(),
        album: photo.facts.album.clone(),
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
