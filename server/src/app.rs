//! Puts the rooms together. The only module that names them all.

use std::{
    hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState},
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use tokio::sync::{mpsc, watch};

use crate::{
    announce,
    channel::{ChannelSetup, ChannelTask, Role, StateFile},
    channels::{Channels, FeedKey},
    config::{Config, Listen, Tls},
    endpoints::{self, BodyLimits, House, Looks, Outputs, Reach, Run, Watched},
    hub::{Feed, Feeds, Framing},
    library::{self, Filter, IndexError, Library, Scanner, Scope, Waker, Watcher},
    lookalikes,
    net::{self, Accept, AcceptError, Keys, Listeners},
    producer::{Producer, Studio, StudioLimits},
    profiles::Profiles,
    progress::{self, Progress},
    state,
    stats::WorkStats,
    timeline::{Order, SavedProgramme},
    vital::{Vital, Vitals},
};

/// How often the folders are looked through again, for shares that send no events; an empty one
/// more often, because somebody is about to fill it.
const RESCAN: Duration = Duration::from_secs(60);
const RESCAN_EMPTY: Duration = Duration::from_secs(5);
/// Somebody is told how many photos there are by then, though some files are still being copied.
const COUNTED_BY: Duration = Duration::from_secs(30);
/// How long a library that is known leaves the machine to the first picture.
const FIRST_PICTURE: Duration = Duration::from_millis(400);
/// A library that takes long to look through is looked through the more seldom.
const SCANNING_SHARE: u32 = 30;

/// Serves on `listeners` until `shutdown` is done, then ends streams and returns.
///
/// # Errors
/// The index can't be used: another process has it, or its folder can't be written. Or passwords,
/// tokens or certificates can't be read. Or something ended that nothing goes on without.
pub async fn run(
    config: Config,
    listeners: impl Into<Listeners>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), RunError> {
    let (_none, reloads) = mpsc::channel(1);
    serve(config, listeners, |_| {}, shutdown, reloads).await
}

/// The same; `ready` is called once everything that can fail is open, with what connections are
/// encrypted with. What `reloads` brings takes the
/// place of the configuration, as far as that is possible for a program that runs: who may connect,
/// limits of connections, certificates.
///
/// # Errors
/// See [`run`].
pub async fn serve(
    mut config: Config,
    listeners: impl Into<Listeners>,
    ready: impl FnOnce(Option<&Keys>),
    shutdown: impl Future<Output = ()> + Send + 'static,
    reloads: mpsc::Receiver<Config>,
) -> Result<(), RunError> {
    let listeners = listeners.into();
    let mut vitals = Vitals::default();
    let (stop, stopped) = watch::channel(false);
    let roots = library::roots_of(&config.folders);
    let library = Arc::new(Library::open(roots, config.dirs.index.as_deref())?);
    // Only now: no other program has these files while this one has the index.
    config.dirs.state = state::settle(&config.dirs);

    let (state, seed, saved) = open_state(&config);
    let seed = config.seed.or(seed).unwrap_or_else(random);
    let common = common(&config, library.clone(), seed);
    let role = Role::Main { state, saved };
    let (task, channel) = ChannelTask::new(common.clone(), config.filter.clone(), role);
    let vital = vitals.begins("what decides which slide is on");
    let channel_task = tokio::spawn(async move {
        let _vital = vital;
        task.run().await;
    });
    let channels = Arc::new(Channels::new(channel, config.filter.clone(), common));

    let framing = Arc::new(Framing::default());
    let work = Arc::new(WorkStats::default());
    let workers = std::thread::available_parallelism()
        .map_or(2, usize::from)
        .min(4);
    let limits = StudioLimits::new(workers, decode_mib(&config));
    let fillers = Fillers {
        channels: channels.clone(),
        library: library.clone(),
        studio: Arc::new(Studio::new(limits, work.clone())),
        framing: framing.clone(),
        stopped: stopped.clone(),
    };
    let feeds = Arc::new_cyclic(|feeds: &Weak<Feeds<FeedKey>>| {
        let feeds = feeds.clone();
        Feeds::new(config.max_renditions, move |key, feed| {
            fillers.start(feeds.clone(), key, feed)
        })
    });

    let mut outputs = outputs(&config, feeds.clone(), channels, library.clone(), framing);
    outputs.watched.work = work;
    outputs.reach.is_in_house = is_in_house(&listeners.addresses());
    let budget = config.slow_viewer_bytes;
    let held = endpoints::keep_within(outputs.watched.viewers.clone(), feeds.clone(), budget);
    let held = tokio::spawn(held);
    let accept = accept(&config, Arc::new(outputs))?;
    ready(accept.keys());
    let vital = vitals.begins("what keeps the index");
    let page = skipped_page(&config, &listeners);
    let scan = ScanThread::start(library, &config, page, vital);
    let signal = tokio::spawn(async move {
        shutdown.await;
        // Streams end when their feeds do; only then can connections finish.
        feeds.close();
        stop.send_replace(true);
    });
    let ended = tokio::select! {
        () = net::serve(listeners, accept, stopped, reloads) => None,
        name = vitals.one_ends() => Some(name),
    };
    signal.abort();
    held.abort();
    channel_task.abort();
    drop(scan);
    ended.map_or(Ok(()), |name| Err(RunError::Ended(name)))
}

fn outputs(
    config: &Config,
    feeds: Arc<Feeds<FeedKey>>,
    channels: Arc<Channels>,
    library: Arc<Library>,
    framing: Arc<Framing>,
) -> Outputs {
    Outputs {
        house: House {
            feeds,
            channels,
            library,
            profiles: Arc::new(Profiles::open(config.dirs.state.as_deref())),
        },
        looks: Looks {
            framing,
            rendition: config.rendition,
            resume_after: config.resume_after,
            step_down: config.step_down,
        },
        watched: Watched::default(),
        reach: Reach {
            frame_origins: config.access.origins.clone(),
            is_in_house: is_in_house(&config.listen),
        },
        body: BodyLimits {
            max_bytes: config.max_body,
            timeout: config.limits.body_timeout,
        },
        run: Run {
            started_at: Instant::now(),
            started_millis: crate::clock::now().0,
        },
    }
}

fn decode_mib(config: &Config) -> u32 {
    u32::try_from(config.decode_memory_bytes >> 20).unwrap_or(u32::MAX)
}

fn common(config: &Config, library: Arc<Library>, seed: u64) -> ChannelSetup {
    ChannelSetup {
        library,
        settings: config.timeline,
        order: config.order,
        seed,
        resume_after: config.resume_after,
    }
}

/// The outputs over `feeds` that somebody else fills, with a channel that stands still.
pub(crate) fn outputs_alone(config: &Config, feeds: Arc<Feeds<FeedKey>>) -> (Outputs, ChannelTask) {
    let library = Arc::new(Library::in_memory(Vec::new()));
    let common = common(config, library.clone(), 0);
    let (task, channel) = ChannelTask::new(common.clone(), Filter::default(), Role::Choice);
    let channels = Arc::new(Channels::new(channel, Filter::default(), common));
    (
        outputs(config, feeds, channels, library, Arc::default()),
        task,
    )
}

pub(crate) fn accept(config: &Config, outputs: Arc<Outputs>) -> Result<Accept, AcceptError> {
    let counts = outputs.watched.connections.clone();
    Accept::new(config, endpoints::routes(outputs), endpoints::needs, counts)
}

/// Why the program can't serve. One sentence.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The index can't be used.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// Nobody can be let in.
    #[error(transparent)]
    Accept(#[from] AcceptError),
    /// Something has ended that nothing goes on without.
    #[error("{0} has ended by a fault of this program; it has to be started again")]
    Ended(&'static str),
}

/// What starts a producer.
struct Fillers {
    channels: Arc<Channels>,
    library: Arc<Library>,
    studio: Arc<Studio>,
    framing: Arc<Framing>,
    stopped: watch::Receiver<bool>,
}

impl Fillers {
    /// False when the channel has gone.
    fn start(&self, feeds: Weak<Feeds<FeedKey>>, key: FeedKey, feed: Arc<Feed>) -> bool {
        let Some(channel) = self.channels.by_no(key.channel) else {
            return false;
        };
        let producer = Producer {
            key,
            feed,
            feeds,
            channel,
            library: self.library.clone(),
            studio: self.studio.clone(),
            framing: self.framing.clone(),
        };
        tokio::spawn(producer.run(self.stopped.clone()));
        true
    }
}

fn open_state(config: &Config) -> (Option<StateFile>, Option<u64>, SavedProgramme) {
    let Some(dir) = &config.dirs.state else {
        tracing::warn!(
            "this system names no folder for state; give --data-dir to keep the place over restarts"
        );
        return (None, None, SavedProgramme::default());
    };
    let folders = library::roots_of(&config.folders);
    // With zero keys: the same on every start.
    let mut hasher = DefaultHasher::new();
    let order = match config.order {
        Order::Shuffle => 0_u8,
        Order::Newest => 1,
        Order::Oldest => 2,
        Order::Name => 3,
    };
    (folders, order, config.seed).hash(&mut hasher);
    let (state, seed, saved) = StateFile::open(dir, hasher.finish());
    (Some(state), seed, saved)
}

/// A number that nobody can foresee: the standard library keys its hash maps with such.
fn random() -> u64 {
    RandomState::new().hash_one(Instant::now())
}

/// The thread that keeps the index up to date. Told to stop when dropped.
struct ScanThread {
    stop: Arc<AtomicBool>,
    waker: Option<Waker>,
}

impl ScanThread {
    fn start(
        library: Arc<Library>,
        config: &Config,
        skipped_page: Option<String>,
        vital: Vital,
    ) -> Self {
        let (follow_links, decode_bytes) = (config.follow_links, config.decode_memory_bytes);
        let stop = Arc::new(AtomicBool::new(false));
        if library.roots().is_empty() {
            // There is nothing to do, for as long as the program runs.
            std::mem::forget(vital);
            return Self { stop, waker: None };
        }
        // What is known is enough for a first picture, and that one comes first.
        let known = library.counts().photos > 0;
        let rest = if known { FIRST_PICTURE } else { Duration::ZERO };
        let watcher = Watcher::new(library.roots().to_owned(), rest);
        let waker = Some(watcher.waker());
        library.wake_for_tries(watcher.waker());
        let (told, followed, seen) = (stop.clone(), library.clone(), library.clone());
        let thread = std::thread::Builder::new()
            .name("scan".into())
            .spawn(move || {
                let _vital = vital;
                std::thread::sleep(rest);
                keep_up(
                    &library,
                    &watcher,
                    follow_links,
                    skipped_page.as_deref(),
                    &told,
                );
            });
        if let Err(error) = thread {
            tracing::error!(%error, "can't start the thread that scans the folders");
        }
        // Nobody misses the bar when there is no thread to draw it.
        let told = stop.clone();
        let _ = std::thread::Builder::new()
            .name("progress".into())
            .spawn(move || Progress::start().follow(&followed, &told));
        lookalikes::start(seen, decode_bytes, stop.clone());
        Self { stop, waker }
    }
}

impl Drop for ScanThread {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        if let Some(waker) = &self.waker {
            waker.wake();
        }
    }
}

fn keep_up(
    library: &Library,
    watcher: &Watcher,
    follow_links: bool,
    skipped_page: Option<&str>,
    stop: &AtomicBool,
) {
    let mut scanner = Scanner::new(library.roots()).following_links(follow_links);
    let mut scope = Some(Scope::Everything);
    let started = Instant::now();
    let mut told_counts = false;
    let mut next_full = Instant::now();
    while !stop.load(Relaxed) {
        if let Some(scope) = scope.take() {
            let start = Instant::now();
            scanner.scan(library, &scope, stop);
            let counts = library.counts();
            if scope == Scope::Everything {
                let span = if counts.photos == 0 {
                    RESCAN_EMPTY
                } else {
                    RESCAN
                };
                next_full = Instant::now() + span.max(start.elapsed() * SCANNING_SHARE);
            }
        }
        // Files that seem half written are looked at once more before anybody is told how many there are.
        if !told_counts && (scanner.unsettled().is_none() || started.elapsed() > COUNTED_BY) {
            told_counts = true;
            report(&library.counts(), started.elapsed(), skipped_page);
        }
        let again = scanner.again(library);
        let due = again
            .as_ref()
            .map_or(next_full, |(due, _)| next_full.min(*due));
        let told = watcher.wait(due.saturating_duration_since(Instant::now()));
        let now = Instant::now();
        scope = if now >= next_full {
            Some(Scope::Everything)
        } else {
            told.or_else(|| again.filter(|(due, _)| now >= *due).map(|(_, scope)| scope))
        };
    }
}

fn report(counts: &library::Counts, took: Duration, skipped_page: Option<&str>) {
    let (photos, skipped, seconds) = (counts.photos, counts.skipped, took.as_secs());
    let sentence = progress::ready(counts, took, skipped_page);
    if photos == 0 {
        tracing::warn!(skipped, "{sentence}");
    } else {
        tracing::info!(photos, skipped, seconds, "{sentence}");
    }
}

/// Whether somebody listens where other machines can connect.
fn is_in_house(listen: &[Listen]) -> bool {
    listen
        .iter()
        .any(|one| matches!(one, Listen::Tcp(address) if !address.ip().is_loopback()))
}

/// Where people read what can't be shown.
fn skipped_page(config: &Config, listeners: &Listeners) -> Option<String> {
    let scheme = match config.access.tls {
        Tls::Off => "http",
        Tls::Own | Tls::Files { .. } => "https",
    };
    let urls = announce::urls(&listeners.addresses(), &net::lan_addresses(), scheme);
    Some(format!("{}library/skipped", urls.first()?))
}
