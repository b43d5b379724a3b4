//! Notices changes in the folders while they happen.
//!
//! The system's own events (notify) say where something changed; what changed is found out by
//! scanning there. Network shares send few events or none, and systems limit how many folders can be
//! watched, so the folders are looked through on a timer as well.

#![expect(
    clippy::disallowed_methods,
    reason = "the watching thread gathers news by the clock"
)]

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    time::{Duration, Instant},
};

use notify::{
    Config, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _,
    event::{AccessKind, AccessMode},
};

use super::scan::Scope;

/// Waits for changes. Watches as long as it lives.
#[derive(Debug)]
pub struct Watcher {
    tidings: Receiver<Tidings>,
    waker: Sender<Tidings>,
    /// Filled when all folders are registered. Dropping it ends the watch.
    _system: Slot,
}

type Slot = Arc<Mutex<Option<RecommendedWatcher>>>;

/// Makes a [`Watcher`] return at once.
#[derive(Clone, Debug)]
pub struct Waker(Sender<Tidings>);

#[derive(Debug)]
enum Tidings {
    Changed(Vec<PathBuf>),
    /// Events were lost, or could be from now on: look everywhere.
    Everything,
    Woken,
}

/// Files come in bursts: a folder is looked through when nothing more has come for this long, and
/// at the latest after the second span.
const QUIET: Duration = Duration::from_millis(250);
const AT_LATEST: Duration = Duration::from_secs(2);

/// More places than this are looked through as one.
const MAX_PLACES: usize = 500;

impl Watcher {
    /// Watches `roots`, once the time `after` has passed. That it can't is logged, and no reason to stop.
    pub fn new(roots: Vec<PathBuf>, after: Duration) -> Self {
        let (sender, tidings) = channel();
        let waker = sender.clone();
        let system = Slot::default();
        let slot = system.clone();
        // Registering a large tree takes a while, and nobody shall wait for that.
        let started = std::thread::Builder::new()
            .name("watch".into())
            .spawn(move || {
                std::thread::sleep(after);
                watch(&roots, &sender, &slot);
            });
        if let Err(error) = started {
            tracing::warn!(%error, "the folders can't be watched; they are looked through on a timer");
        }
        Self {
            tidings,
            waker,
            _system: system,
        }
    }

    /// A waker that makes [`wait`](Self::wait) return.
    pub fn waker(&self) -> Waker {
        Waker(self.waker.clone())
    }

    /// Waits for changes, `timeout` at most; says where to look, if anywhere.
    pub fn wait(&self, timeout: Duration) -> Option<Scope> {
        let mut places = Places::default();
        match self.tidings.recv_timeout(timeout) {
            Ok(tidings) => places.add(tidings),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return None,
        }
        let latest = Instant::now() + AT_LATEST;
        while !places.woken {
            let wait = QUIET.min(latest.saturating_duration_since(Instant::now()));
            match self.tidings.recv_timeout(wait) {
                Ok(tidings) if !wait.is_zero() => places.add(tidings),
                _ => break,
            }
        }
        places.scope()
    }
}

impl Waker {
    /// Makes the watcher return at once.
    pub fn wake(&self) {
        // It may be gone, and then nobody waits.
        let _ = self.0.send(Tidings::Woken);
    }
}

/// Registers with the system.
fn watch(roots: &[PathBuf], sender: &Sender<Tidings>, slot: &Slot) {
    let events = sender.clone();
    let handler = move |event: notify::Result<Event>| {
        let tidings = match event {
            Ok(event) if event.need_rescan() => Tidings::Everything,
            Ok(event) if is_change(&event.kind) => Tidings::Changed(event.paths),
            Ok(_) => return,
            Err(error) => {
                tracing::debug!(%error, "an event of the file system was lost");
                Tidings::Everything
            }
        };
        let _ = events.send(tidings);
    };
    // A link could lead to the whole disk, or in circles; what is behind links is found on the timer.
    let config = Config::default().with_follow_symlinks(false);
    let mut watcher = match RecommendedWatcher::new(handler, config) {
        Ok(watcher) => watcher,
        Err(error) => {
            tracing::warn!(%error, "the folders can't be watched; they are looked through on a timer");
            return;
        }
    };
    for root in roots {
        if let Err(error) = watcher.watch(root, RecursiveMode::Recursive) {
            let hint = match error.kind {
                notify::ErrorKind::MaxFilesWatch => {
                    "there are more folders than this system watches (sysctl fs.inotify.max_user_watches)"
                }
                _ => "the system gives no events for it",
            };
            tracing::warn!(folder = %root.display(), %error, hint,
                "a folder can't be watched; it is looked through on a timer");
        }
    }
    // What changed before the watch began may have been missed.
    let _ = sender.send(Tidings::Everything);
    *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(watcher);
}

/// Reading is an event too: ours would never end.
fn is_change(kind: &EventKind) -> bool {
    match kind {
        EventKind::Access(access) => *access == AccessKind::Close(AccessMode::Write),
        _ => true,
    }
}

#[derive(Debug, Default)]
struct Places {
    deep: BTreeSet<PathBuf>,
    flat: BTreeSet<PathBuf>,
    everything: bool,
    woken: bool,
}

impl Places {
    fn add(&mut self, tidings: Tidings) {
        match tidings {
            Tidings::Woken => self.woken = true,
            Tidings::Everything => self.everything = true,
            Tidings::Changed(paths) => {
                for path in paths {
                    self.changed(&path);
                }
            }
        }
        self.everything |= self.deep.len() + self.flat.len() > MAX_PLACES;
    }

    fn changed(&mut self, path: &Path) {
        let is_dir = path.is_dir();
        if !is_dir && let Some(folder) = path.parent() {
            self.flat.insert(folder.to_owned());
        }
        // What is no more may have been a folder with others in it.
        if is_dir || !path.exists() {
            self.deep.insert(path.to_owned());
        }
    }

    fn scope(self) -> Option<Scope> {
        if self.everything {
            return Some(Scope::Everything);
        }
        let nothing = self.deep.is_empty() && self.flat.is_empty();
        (!nothing).then(|| Scope::Folders {
            deep: self.deep.into_iter().collect(),
            flat: self.flat.into_iter().collect(),
        })
    }
}
