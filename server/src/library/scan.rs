//! Brings the index up to date with the folders.
//!
//! One thread walks and compares names, sizes and times with the index, folder by folder; a few
//! others look at what is new or changed; the scan's own thread writes what they find, in batches.
//! All queues between them are short, so memory does not depend on how many photos there are. Any
//! moment is a good one to be killed: what was written is known, the rest is found again.

use std::{
    collections::{HashMap, HashSet},
    ffi::OsString,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    time::{Duration, Instant},
};

use super::{
    Library, Version,
    examine::{Ending, Examiner, Finding, ending},
    index::{Change, Known, Outcome, Record},
    places::Places,
};

/// Walks folders into a [`Library`]. Keeps what it must look at again.
#[derive(Debug)]
pub struct Scanner {
    roots: Vec<PathBuf>,
    n_workers: usize,
    /// Files that looked half written: their version, and when they were first seen with it.
    unsettled: HashMap<PathBuf, (Version, Instant)>,
}

/// What is to be looked through.
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

/// Folders that other programs fill with thumbnails and rubbish.
const NOT_FOR_PEOPLE: [&str; 5] = [
    "@eaDir",
    "#recycle",
    "$RECYCLE.BIN",
    "lost+found",
    "System Volume Information",
];

/// What is known is written after the first of these spans, then ever more seldom: early for the
/// first picture, seldom enough not to make a playlist of a large library all day.
const FIRST_BATCH: Duration = Duration::from_millis(60);
const LATEST_BATCH: Duration = Duration::from_secs(8);
/// More would be held in memory for nothing.
const MAX_BATCH: usize = 2000;

/// Files that wait to be looked at, and findings that wait to be written.
const QUEUE: usize = 256;

/// Where a walk begins, and whether it goes below.
struct Start {
    folder: PathBuf,
    max_depth: usize,
}

impl Start {
    fn deep(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            max_depth: usize::MAX,
        }
    }

    fn flat(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            max_depth: 1,
        }
    }

    /// Files before the folders beside them: all files of a folder come one after the other.
    fn walk(&self) -> walkdir::WalkDir {
        walkdir::WalkDir::new(&self.folder)
            .follow_links(true)
            .max_depth(self.max_depth)
            .sort_by_key(|entry| entry.file_type().is_dir())
    }
}

/// A file that is new, or not as the index knows it.
struct Job {
    path: PathBuf,
    version: Version,
    sidecar: Option<PathBuf>,
    settled: bool,
}

/// What comes back.
enum News {
    Change(Change),
    /// So many folders could not be read.
    Unread(u64),
    Unsettled(PathBuf, Version),
    /// Files that are as they were, and such as are none of ours.
    Seen {
        files: u64,
        others: u64,
    },
    /// A folder, or part of one, could not be read: nothing is said about what is in it.
    Incomplete,
}

impl Scanner {
    /// Scans `roots`, as they are called from [`roots_of`].
    pub fn new(roots: &[PathBuf]) -> Self {
        let n_cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            roots: roots.to_owned(),
            // Over a network they mostly wait; on a disk two are enough.
            n_workers: n_cores.clamp(2, 8),
            unsettled: HashMap::new(),
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
        let everything = *scope == Scope::Everything;
        let starts: Vec<Start> = match scope {
            Scope::Everything => self.roots.iter().map(|root| Start::deep(root)).collect(),
            Scope::Folders { deep, flat } => {
                let deep = deep.iter().map(|folder| Start::deep(folder));
                let flat = flat.iter().map(|folder| Start::flat(folder));
                deep.chain(flat)
                    .filter(|start| self.roots.iter().any(|root| start.folder.starts_with(root)))
                    .collect()
            }
        };
        let first = !library.was_scanned();
        let to_do = AtomicU64::new(0);
        library.scan_started(everything);
        let unsettled = std::mem::take(&mut self.unsettled);
        let (jobs, waiting) = sync_channel::<Job>(QUEUE);
        let (news, arriving) = sync_channel::<News>(QUEUE);
        let waiting = Mutex::new(waiting);
        let (roots, n_workers) = (self.roots.clone(), self.n_workers);
        let complete = std::thread::scope(|threads| {
            for _ in 0..n_workers {
                let (waiting, news) = (&waiting, news.clone());
                threads.spawn(move || work(waiting, &news));
            }
            if first && everything {
                let (starts, to_do) = (&starts, &to_do);
                threads.spawn(move || count(starts, to_do, stop));
            }
            let walker = Walker {
                library,
                roots: &roots,
                unsettled: &unsettled,
                jobs,
                news,
                stop,
            };
            let starts = &starts;
            threads.spawn(move || walker.walk(starts));
            self.write(library, &arriving, &to_do, first)
        });
        let complete = complete && !stop.load(Relaxed);
        library.scan_finished(everything, complete);
    }

    /// Writes what arrives until nobody sends any more. False when a part could not be seen.
    fn write(
        &mut self,
        library: &Library,
        arriving: &Receiver<News>,
        to_do: &AtomicU64,
        first: bool,
    ) -> bool {
        let mut places = Places::default();
        let mut batch = Vec::new();
        let mut complete = true;
        let mut span = FIRST_BATCH;
        let mut due = Instant::now() + span;
        let (mut n_seen, mut n_others) = (0, 0);
        loop {
            let wait = due.saturating_duration_since(Instant::now());
            let over = match arriving.recv_timeout(wait) {
                Ok(News::Change(mut change)) => {
                    n_seen += 1;
                    if let Change::Seen(record) = &mut change
                        && let Outcome::Photo(facts) = &mut record.outcome
                    {
                        facts.place = facts.position.and_then(|position| places.name(position));
                    }
                    batch.push(change);
                    false
                }
                Ok(News::Unsettled(path, version)) => {
                    n_seen += 1;
                    self.unsettled.insert(path, (version, Instant::now()));
                    false
                }
                Ok(News::Seen { files, others }) => {
                    n_seen += files;
                    n_others += others;
                    false
                }
                Ok(News::Unread(n)) => {
                    library.scan_unread(n);
                    false
                }
                Ok(News::Incomplete) => {
                    complete = false;
                    false
                }
                Err(RecvTimeoutError::Timeout) => false,
                Err(RecvTimeoutError::Disconnected) => true,
            };
            let is_due = Instant::now() >= due;
            if over || is_due || batch.len() >= MAX_BATCH {
                library.apply(&std::mem::take(&mut batch), first, over || is_due);
                library.scan_progress(n_seen, n_others, to_do.load(Relaxed));
            }
            if over {
                return complete;
            }
            if is_due {
                span = (span * 2).min(LATEST_BATCH);
                due = Instant::now() + span;
            }
        }
    }
}

/// One of the threads that look at files.
fn work(waiting: &Mutex<Receiver<Job>>, news: &SyncSender<News>) {
    let mut examiner = Examiner::default();
    loop {
        let job = waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .recv();
        let Ok(job) = job else { return };
        let finding = examiner.examine(&job.path, job.version, job.sidecar.as_deref(), job.settled);
        let told = match finding {
            Finding::Settled(outcome) => News::Change(Change::Seen(Box::new(Record {
                path: job.path,
                version: job.version,
                outcome,
            }))),
            Finding::Unsettled => News::Unsettled(job.path, job.version),
            Finding::Gone => News::Seen {
                files: 0,
                others: 0,
            },
        };
        if news.send(told).is_err() {
            return;
        }
    }
}

/// How many pictures there will be, by their names alone: what progress is measured by.
fn count(starts: &[Start], n: &AtomicU64, stop: &AtomicBool) {
    for start in starts {
        for entry in start
            .walk()
            .into_iter()
            .filter_entry(is_for_people)
            .flatten()
        {
            if stop.load(Relaxed) {
                return;
            }
            if entry.file_type().is_file() && ending(entry.path()) != Ending::NoPicture {
                n.fetch_add(1, Relaxed);
            }
        }
    }
}

fn is_for_people(entry: &walkdir::DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    entry.depth() == 0 || !(name.starts_with('.') || NOT_FOR_PEOPLE.contains(&name.as_ref()))
}

/// The thread that walks.
struct Walker<'a> {
    library: &'a Library,
    roots: &'a [PathBuf],
    unsettled: &'a HashMap<PathBuf, (Version, Instant)>,
    jobs: SyncSender<Job>,
    news: SyncSender<News>,
    stop: &'a AtomicBool,
}

/// A folder and the files in it, as the walk comes by them.
struct Folder {
    path: PathBuf,
    files: Vec<(OsString, Version)>,
    /// Neither files nor folders: pipes, sockets, devices.
    odd: Vec<OsString>,
}

impl Walker<'_> {
    fn walk(self, starts: &[Start]) {
        for start in starts {
            if self.root_is_away(&start.folder) || self.walk_below(start).is_none() {
                // Whoever listens may be gone already.
                let _ = self.news.send(News::Incomplete);
            }
        }
    }

    /// A share that isn't mounted must not empty the walls.
    fn root_is_away(&self, start: &Path) -> bool {
        let Some(root) = self.roots.iter().find(|root| start.starts_with(root)) else {
            return true;
        };
        self.library.root_is_away(root)
    }

    /// `None` when not everything could be seen, or nobody wants to know.
    fn walk_below(&self, start: &Start) -> Option<()> {
        let mut visited = HashSet::new();
        let mut unread: Vec<PathBuf> = Vec::new();
        let mut folder: Option<Folder> = None;
        for entry in start.walk().into_iter().filter_entry(is_for_people) {
            if self.stop.load(Relaxed) {
                return None;
            }
            match entry {
                // At the depth where the walk ends: nobody looks into it.
                Ok(entry) if entry.file_type().is_dir() && entry.depth() == start.max_depth => {}
                Ok(entry) if entry.file_type().is_dir() => {
                    if let Some(folder) = folder.take() {
                        self.compare(folder)?;
                    }
                    visited.insert(entry.path().to_owned());
                    folder = Some(Folder {
                        path: entry.into_path(),
                        files: Vec::new(),
                        odd: Vec::new(),
                    });
                }
                Ok(entry) => {
                    let Some(folder) = &mut folder else { continue };
                    let name = entry.file_name().to_owned();
                    if !entry.file_type().is_file() {
                        folder.odd.push(name);
                    } else if let Ok(metadata) = entry.metadata() {
                        folder.files.push((name, version_of(&metadata)));
                    }
                }
                // A link to a folder above it: its photos are being seen already.
                Err(error) if error.loop_ancestor().is_some() => {}
                Err(error) => {
                    let kind = error.io_error().map(std::io::Error::kind);
                    // Gone between two reads, or a dangling link: not there, which is no trouble.
                    if kind != Some(std::io::ErrorKind::NotFound) {
                        tracing::warn!(%error, "a folder can't be read; its photos are kept as they are");
                        unread.extend(error.path().map(Path::to_owned));
                    }
                }
            }
        }
        if let Some(folder) = folder.take() {
            self.compare(folder)?;
        }
        let below = if start.max_depth == 1 {
            Vec::new()
        } else {
            self.library.folders_below(&start.folder)
        };
        for known in below {
            let is_unread = unread.iter().any(|folder| known.starts_with(folder));
            if !visited.contains(&known) && !is_unread {
                for known in self
                    .library
                    .known_in(&known)
                    .into_values()
                    .filter(|known| !known.gone)
                {
                    self.tell(Change::Gone(known.id))?;
                }
            }
        }
        if !unread.is_empty() {
            self.news.send(News::Unread(unread.len() as u64)).ok()?;
        }
        unread.is_empty().then_some(())
    }

    /// Compares a folder with what the index knows of it.
    fn compare(&self, folder: Folder) -> Option<()> {
        let mut known = self.library.known_in(&folder.path);
        let mut counted = (0, 0);
        let sidecars: HashMap<OsString, (OsString, i64)> = folder
            .files
            .iter()
            .filter(|(name, _)| has_ending(name, "xmp"))
            .map(|(name, version)| (stem(name), (name.clone(), version.modified_nanos)))
            .collect();
        for (name, mut version) in folder.files {
            if ending(Path::new(&name)) == Ending::NoPicture {
                counted.1 += 1;
                continue;
            }
            // `a.jpg.xmp` as darktable and digiKam name it, `a.xmp` as Adobe does.
            let sidecar = sidecars.get(&name).or_else(|| sidecars.get(&stem(&name)));
            version.sidecar_nanos = sidecar.map_or(0, |(_, modified)| *modified);
            let path = folder.path.join(&name);
            match known.remove(&name) {
                Some(Known {
                    version: same,
                    gone,
                    id,
                }) if same == version => {
                    counted.0 += 1;
                    if gone {
                        self.tell(Change::Back(id))?;
                    }
                }
                _ => {
                    let settled = self.unsettled.get(&path).is_some_and(|(before, since)| {
                        *before == version && since.elapsed() >= SETTLES_AFTER
                    });
                    let sidecar = sidecar.map(|(name, _)| folder.path.join(name));
                    self.jobs
                        .send(Job {
                            path,
                            version,
                            sidecar,
                            settled,
                        })
                        .ok()?;
                }
            }
        }
        for name in folder.odd {
            let path = folder.path.join(&name);
            if ending(&path) == Ending::Picture
                && known.remove(&name).is_none_or(|known| known.gone)
            {
                let outcome = Outcome::Skipped("it is a pipe or a device, not a file".into());
                let version = Version::default();
                self.tell(Change::Seen(Box::new(Record {
                    path,
                    version,
                    outcome,
                })))?;
            }
        }
        for known in known.into_values().filter(|known| !known.gone) {
            self.tell(Change::Gone(known.id))?;
        }
        self.news
            .send(News::Seen {
                files: counted.0,
                others: counted.1,
            })
            .ok()
    }

    fn tell(&self, change: Change) -> Option<()> {
        self.news.send(News::Change(change)).ok()
    }
}

fn version_of(metadata: &std::fs::Metadata) -> Version {
    let modified = metadata
        .modified()
        .ok()
        .map(chrono::DateTime::<chrono::Utc>::from);
    Version {
        n_bytes: metadata.len(),
        modified_nanos: modified
            .and_then(|modified| modified.timestamp_nanos_opt())
            .unwrap_or(0),
        sidecar_nanos: 0,
    }
}

fn stem(name: &OsString) -> OsString {
    Path::new(name).file_stem().unwrap_or_default().to_owned()
}

fn has_ending(name: &OsString, wanted: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case(wanted))
}

/// The folders that are walked: whole paths, and none that lies inside another.
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
