//! Brings the index up to date with the folders.
//!
//! One thread walks and compares names, sizes and times with the index, folder by folder; a few
//! others look at what is new or changed; the scan's own thread writes what they find, in batches.
//! All queues between them are short, so memory does not depend on how many photos there are. Any
//! moment is a good one to be killed: what was written is known, the rest is found again. What lies in
//! a folder, and which links are followed, is `walk`'s.

mod walker;
mod writer;

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
        mpsc::sync_channel,
    },
    time::{Duration, Instant},
};

use super::{Library, Version, reach::Reach, walk::Bounds};
pub(super) use walker::Walked;
use walker::Walker;
use writer::{Job, News, Twin, work};

use crate::blocking::Blocking;

/// Walks folders into a [`Library`]. Keeps what it must look at again.
#[derive(Debug)]
pub struct Scanner {
    roots: Vec<PathBuf>,
    n_workers: usize,
    reach: Reach,
    /// Files that looked half written: their version, and when they were first seen with it.
    unsettled: HashMap<PathBuf, (Version, Instant)>,
    /// Links to folders, as the last scan of everything judged them: followed or not.
    links: HashMap<PathBuf, bool>,
    /// A link was found that only a scan of everything can judge.
    unjudged: bool,
    /// Folders that couldn't be read when they were tried last, of which the log was told.
    unread: HashSet<PathBuf>,
    /// Files looked into so far.
    n_examined: u64,
}

/// The scope of a scan: the folders that are looked through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every folder that is shown.
    Everything,
    /// Some folders.
    Folders {
        /// These and all below them.
        deep: Vec<PathBuf>,
        /// These alone.
        flat: Vec<PathBuf>,
    },
}

/// A file that hasn't changed for this long is what it is, however it ends.
const SETTLES_AFTER: Duration = Duration::from_secs(2);

/// Files that are handed on at a time: a thread that is woken for each one costs as much as looking at it.
const BATCH: usize = 8;

/// Batches of files that wait to be looked at, and of findings that wait to be written.
const QUEUE: usize = 32;

/// Where a walk begins, and whether it goes below.
struct Start {
    folder: PathBuf,
    deep: bool,
}

impl Start {
    fn new(folder: &Path, deep: bool) -> Self {
        Self {
            folder: folder.to_owned(),
            deep,
        }
    }

    /// Whether `path` is looked at by a walk from here.
    fn covers(&self, path: &Path) -> bool {
        if self.deep {
            path.starts_with(&self.folder)
        } else {
            path.parent() == Some(&self.folder)
        }
    }
}

impl Scanner {
    /// Scans `roots`, as they are called from [`roots_of`].
    pub fn new(roots: &[PathBuf]) -> Self {
        let n_cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            roots: roots.to_owned(),
            // Over a network they mostly wait; on a disk two are enough.
            n_workers: n_cores.clamp(2, 8),
            reach: Reach::default(),
            unsettled: HashMap::new(),
            links: HashMap::new(),
            unjudged: false,
            unread: HashSet::new(),
            n_examined: 0,
        }
    }

    /// A scanner that reaches so far.
    pub fn reaching(self, reach: Reach) -> Self {
        Self { reach, ..self }
    }

    /// When something is to be looked at before its time, and where: what seemed half written, what
    /// could not be read, and links that nobody has judged yet.
    #[expect(
        clippy::disallowed_methods,
        reason = "a scan has a thread of its own: it may wait for a drive, and goes by the clock"
    )]
    pub fn again(&self, library: &Library) -> Option<(Instant, Scope)> {
        if self.unjudged {
            return Some((Instant::now(), Scope::Everything));
        }
        let retry = library.next_try();
        match (self.unsettled(), retry) {
            (Some((due, scope)), Some((retry, _))) if due <= retry => Some((due, scope)),
            (unsettled, None) => unsettled,
            (_, retry) => retry,
        }
    }

    /// When something is to be looked at again that seemed half written, and where.
    pub fn unsettled(&self) -> Option<(Instant, Scope)> {
        let first = self.unsettled.values().map(|(_, since)| *since).min()?;
        let folders: HashSet<PathBuf> = self
            .unsettled
            .keys()
            .filter_map(|path| path.parent().map(Path::to_owned))
            .collect();
        let folders = Scope::Folders {
            deep: Vec::new(),
            flat: folders.into_iter().collect(),
        };
        Some((first + SETTLES_AFTER, folders))
    }

    /// Looks through `scope` and tells `library`. Ends early when `stop` is set.
    pub fn scan(&mut self, library: &Library, scope: &Scope, stop: &AtomicBool) {
        // A scan takes minutes: whoever scans has a thread for it.
        let blocking = Blocking::here();
        let everything = *scope == Scope::Everything;
        let bounds = Bounds::of(&self.roots, self.reach);
        let starts: Vec<Start> = match scope {
            Scope::Everything => self
                .roots
                .iter()
                .map(|root| Start::new(root, true))
                .collect(),
            Scope::Folders { deep, flat } => {
                let deep = deep.iter().map(|folder| Start::new(folder, true));
                let flat = flat.iter().map(|folder| Start::new(folder, false));
                let is_ours = |start: &Start| {
                    let root = self
                        .roots
                        .iter()
                        .find(|root| start.folder.starts_with(root));
                    root.is_some_and(|root| bounds.may_start_at(&start.folder, root))
                };
                deep.chain(flat).filter(is_ours).collect()
            }
        };
        let first = !library.was_scanned();
        let n_before = self.n_examined;
        let to_do = AtomicU64::new(0);
        library.scan_started(blocking, everything);
        let unsettled = std::mem::take(&mut self.unsettled);
        let (jobs, waiting) = sync_channel::<Vec<Job>>(QUEUE);
        let (news, arriving) = sync_channel::<Vec<News>>(QUEUE);
        let waiting = Mutex::new(waiting);
        let (roots, n_workers) = (self.roots.clone(), self.n_workers);
        let clips = self.reach.clips;
        let links = std::mem::take(&mut self.links);
        let walked = std::thread::scope(|threads| {
            let thread = |name: &str| std::thread::Builder::new().name(name.into());
            let workers = (0..n_workers).filter_map(|_| {
                let (waiting, news) = (&waiting, news.clone());
                let started =
                    thread("examine").spawn_scoped(threads, move || work(clips, waiting, &news));
                started.ok()
            });
            // With none at all nobody would take what the walk finds.
            if workers.count() == 0 {
                tracing::warn!("this system gives no thread; the folders are looked through later");
                return None;
            }
            if first && everything {
                let (starts, to_do, bounds) = (&starts, &to_do, &bounds);
                let count = move || {
                    for start in starts {
                        bounds.count(&start.folder, to_do, stop);
                    }
                };
                // Progress without its end is no trouble.
                let _ = thread("count").spawn_scoped(threads, count);
            }
            let walker = Walker {
                library,
                blocking,
                bounds: &bounds,
                roots: &roots,
                unsettled: &unsettled,
                waiting: library.waiting(),
                links: &links,
                everything,
                batch: Vec::new(),
                jobs,
                news,
                stop,
                walked: Walked::default(),
            };
            let starts = &starts;
            let walk = thread("walk").spawn_scoped(threads, move || walker.walk(starts));
            self.write(blocking, library, &arriving, &to_do, first);
            walk.ok().and_then(|walk| walk.join().ok())
        });
        let Some(walked) = walked else {
            self.links = links;
            library.scan_finished(blocking, everything, false);
            return;
        };
        let ended = !stop.load(Relaxed);
        let complete = walked.complete && ended;
        let n_opened = self.n_examined - n_before;
        tracing::debug!(n_opened, everything, complete, "looked through the folders");
        for (path, seen) in unsettled {
            // What no walk came by is still half written.
            if !starts.iter().any(|start| start.covers(&path)) {
                self.unsettled.entry(path).or_insert(seen);
            }
        }
        if ended {
            self.complain(&starts, &walked);
            library.scan_unread(walked.unread.len() as u64);
            let covers = |path: &Path| starts.iter().any(|start| start.covers(path));
            library.walked(&covers, &walked);
            library.counted(&covers, &walked);
        }
        self.links = if everything && ended {
            walked.links
        } else {
            links
        };
        self.unjudged = if everything {
            false
        } else {
            self.unjudged || walked.unjudged
        };
        library.settle_marks(blocking);
        library.scan_finished(blocking, everything, complete);
    }

    /// Tells the log of folders that can't be read, each once until it could be read again.
    fn complain(&mut self, starts: &[Start], walked: &Walked) {
        let still = |folder: &PathBuf| {
            walked.unread.contains_key(folder)
                || !(walked.visited.contains(folder)
                    || starts.iter().any(|start| start.covers(folder)))
        };
        self.unread.retain(still);
        for (folder, reason) in &walked.unread {
            if self.unread.insert(folder.clone()) {
                tracing::warn!(folder = %folder.display(), %reason,
                    "a folder can't be read; its photos are kept as they are");
            }
        }
    }
}

/// The folders that are walked: whole paths, and none that lies inside another.
#[expect(
    clippy::disallowed_methods,
    reason = "a scan has a thread of its own: it may wait for a drive, and goes by the clock"
)]
pub fn roots_of(folders: &[PathBuf]) -> Vec<PathBuf> {
    let mut roots: Vec<PathBuf> = folders
        .iter()
        .map(|folder| std::fs::canonicalize(folder).unwrap_or_else(|_| folder.clone()))
        .collect();
    roots.sort();
    // A folder inside another would be seen twice.
    roots.dedup_by(|inner, outer| inner.starts_with(&*outer));
    roots
}

#[cfg(test)]
mod tests;
