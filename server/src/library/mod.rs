//! All photos below the folders given, what is known of each, and what became of it.
//!
//! The scan brings the index up to date, the renderer reports what it could not show, everybody else
//! reads. A file that can't be shown is never dropped in silence: it stands in the list of skipped
//! files with its reason until it changes. Nothing is kept in memory for each photo but what
//! playlists hold.

mod albums;
mod dates_in_names;
mod examine;
mod facts;
mod filter;
mod index;
mod later;
mod metadata;
mod places;
mod scan;
mod troubles;
mod walk;
mod watch;
mod xmp;

use std::{
    collections::HashMap,
    ffi::OsString,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use tokio::sync::watch::{Receiver, Sender};

pub use facts::{DateSource, Facts, Taken, iso};
pub use filter::{Filter, KEYS as FILTER_KEYS};
pub use index::IndexError;
pub use scan::{Scanner, Scope, roots_of};
pub use watch::{Waker, Watcher};

use crate::{
    announce, clock,
    photo::{Entry, Order, PhotoId, Shape},
    source::demo,
};
use index::{Change, Index, Known, Tally};
use troubles::Troubles;

/// Where a photo's pixels come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A file.
    File(PathBuf),
    /// A JPEG within the program.
    BuiltIn(&'static [u8]),
}

/// A picture that takes turns on screen.
#[derive(Clone, Debug, PartialEq)]
pub struct Photo {
    /// Which one.
    pub id: PhotoId,
    /// Where its pixels come from.
    pub origin: Origin,
    /// What it is called: the path below its folder, or a demo picture's title.
    pub name: Arc<str>,
    /// When it was taken, in seconds since 1970 of the camera's clock, as far as is known.
    pub taken: i64,
    /// Size in bytes and time of change, to notice that a file is another one now.
    pub version: Version,
    /// What else is known of it.
    pub facts: Facts,
}

/// Tells one content of a file from another without reading it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Version {
    /// Size in bytes.
    pub n_bytes: u64,
    /// When it was last changed, in nanoseconds since 1970; 0 where the system doesn't say.
    pub modified_nanos: i64,
    /// The same of the XMP file beside it; 0 when there is none.
    pub sidecar_nanos: i64,
    /// When the file or its rights were last changed (ctime), in nanoseconds since 1970; 0 where that
    /// isn't known. Nobody can set it.
    pub changed_nanos: i64,
}

impl Version {
    /// Whether both are the same content, as far as both know.
    fn is_as(&self, other: &Self) -> bool {
        let known = self.changed_nanos != 0 && other.changed_nanos != 0;
        let changed_nanos = if known {
            self.changed_nanos
        } else {
            other.changed_nanos
        };
        *other
            == Self {
                changed_nanos,
                ..*self
            }
    }
}

/// A file that is not shown.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Skipped {
    /// Its path below its folder.
    pub file: String,
    /// Why, in words.
    pub reason: String,
    /// It is no fault of the file's: it is tried again by itself.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub not_now: bool,
}

/// Why something in the folders is not looked at that is no file of the index.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Remark {
    reason: String,
    is_passing: bool,
}

/// How much there is, and how far the scan is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Photos that take turns, demo pictures not counted.
    pub photos: u64,
    /// Picture files that could not be shown.
    pub skipped: u64,
    /// Files and folders that can't be read now and are tried again; not among the skipped.
    pub not_now: u64,
    /// Files that are no pictures at all, such as texts and videos.
    pub other_files: u64,
    /// Files looked at by the scan that runs, or by the last one.
    pub scanned: u64,
    /// About how many the scan that runs will look at, once that is known.
    pub to_scan: Option<u64>,
    /// True while all folders are being looked through.
    pub scanning: bool,
    /// Folders that were given and can't be reached now; their photos are kept.
    pub folders_away: usize,
    /// Folders below those given that the last look at everything could not read; what was known of them is kept.
    pub folders_unread: u64,
    /// True when built-in pictures are shown for want of photos.
    pub demo: bool,
}

#[derive(Debug, Default)]
struct State {
    tally: Tally,
    counts: Counts,
    scanned_once: bool,
    /// Something changed that nobody was told of.
    unannounced: bool,
}

/// The library. Shared; every method takes a short lock, or asks the index.
#[derive(Debug)]
pub struct Library {
    index: Index,
    roots: Vec<PathBuf>,
    state: Mutex<State>,
    was_scanned: AtomicBool,
    changed: Sender<u64>,
    demo: Vec<Arc<Photo>>,
    troubles: Troubles,
}

impl Library {
    /// The library of `roots` with its index in `data_dir`, or in memory where that can't be written;
    /// without roots it is the demo's for good.
    ///
    /// # Errors
    /// The index is in use.
    pub fn open(roots: Vec<PathBuf>, data_dir: Option<&Path>) -> Result<Self, IndexError> {
        let index = match data_dir.filter(|_| !roots.is_empty()) {
            None => Index::in_memory(),
            Some(dir) => match Index::open(dir) {
                Err(IndexError::Unusable { reason, .. }) => {
                    tracing::warn!(folder = %dir.display(), %reason,
                        "the index can't be kept there; it is kept in memory until the program ends (--data-dir names another folder)");
                    Index::stranded(dir)
                }
                index => index?,
            },
        };
        Ok(Self::new(roots, index))
    }

    /// The library of `roots` as the index in `data_dir` knows it, beside whoever keeps it up to
    /// date; `None` when there is no index.
    pub fn open_to_read(roots: Vec<PathBuf>, data_dir: &Path) -> Option<Self> {
        Index::copied(data_dir).map(|index| Self::new(roots, index))
    }

    /// A library that ends with the program.
    pub fn in_memory(roots: Vec<PathBuf>) -> Self {
        Self::new(roots, Index::in_memory())
    }

    fn new(roots: Vec<PathBuf>, index: Index) -> Self {
        index.write(|connection| index::activate(connection, &roots));
        let tally = index.read(index::tally);
        let was_scanned =
            !roots.is_empty() && index.read(|connection| index::was_scanned(connection, &roots));
        let demo = (0..demo::n_demo_pictures())
            .map(|index| Arc::new(demo_photo(index)))
            .collect();
        Self {
            state: Mutex::new(State {
                tally,
                scanned_once: roots.is_empty(),
                ..State::default()
            }),
            was_scanned: AtomicBool::new(was_scanned),
            index,
            roots,
            changed: Sender::new(0),
            demo,
            troubles: Troubles::default(),
        }
    }

    /// Tells when the photos that take turns have changed.
    pub fn changes(&self) -> Receiver<u64> {
        self.changed.subscribe()
    }

    /// What a playlist in `order` needs to know of every photo that `filter` lets through. On a day
    /// on which nothing happened those of any day stand in.
    pub fn entries(&self, filter: &Filter, order: Order) -> Vec<Entry> {
        let found = self.select(filter, order, clock::today());
        if found.is_empty() && filter.changes_daily() {
            return self.select(&filter.on_any_day(), order, clock::today());
        }
        found
    }

    /// Whether this is one of the demo's pictures, which stand in for photos.
    pub fn is_drawn(&self, id: PhotoId) -> bool {
        self.demo.iter().any(|photo| photo.id == id)
    }

    /// The same; and when there is nothing, once everything has been looked through, the demo's
    /// pictures. Never a photo that was not asked for.
    pub fn entries_or_demo(&self, filter: &Filter, order: Order) -> Vec<Entry> {
        let found = self.entries(filter, order);
        if !found.is_empty() || !self.state().scanned_once {
            return found;
        }
        if !filter.is_all() && self.state().tally.photos > 0 {
            let guess = self.guess(filter);
            tracing::warn!(
                "there is no photo to show for this choice: {filter}{guess}; drawn pictures are shown until there is one"
            );
        }
        self.demo.iter().map(|photo| demo_entry(photo)).collect()
    }

    /// The photos that `filter` lets through on the day `today`.
    pub fn select(&self, filter: &Filter, order: Order, today: chrono::NaiveDate) -> Vec<Entry> {
        let with_names = order != Order::Shuffle;
        let mut entries = self
            .index
            .read(|connection| index::entries(connection, filter, today, &self.roots, with_names));
        let out = self.troubles.giving_way();
        if !out.is_empty() && entries.iter().any(|entry| !out.contains(&entry.id)) {
            entries.retain(|entry| !out.contains(&entry.id));
        }
        entries
    }

    /// The photo `id`, if it is (still) there.
    pub fn photo(&self, id: PhotoId) -> Option<Arc<Photo>> {
        if let Some(photo) = self.demo.iter().find(|photo| photo.id == id) {
            return Some(photo.clone());
        }
        self.index
            .read(|connection| index::photo(connection, id, &self.roots))
            .map(Arc::new)
    }

    /// The counts as they are now.
    pub fn counts(&self) -> Counts {
        let demo = self.shows_demo();
        let state = self.state();
        let (n_remarks, not_now) = self.troubles.counts();
        Counts {
            photos: state.tally.photos,
            skipped: state.tally.skipped + n_remarks,
            not_now,
            demo,
            ..state.counts
        }
    }

    /// Files that are not shown: at most `n`, after the first `offset`. What can't be read now and what
    /// was never looked into comes first, then the rest, each by path.
    pub fn skipped(&self, offset: u32, n: u32) -> Vec<Skipped> {
        let first = self.troubles.list(&self.roots);
        let n_first = u32::try_from(first.len()).unwrap_or(u32::MAX);
        let (skip, take) = (offset as usize, n as usize);
        let mut page: Vec<Skipped> = first.into_iter().skip(skip).take(take).collect();
        let left = n - u32::try_from(page.len()).unwrap_or(n);
        if left > 0 {
            let offset = offset.saturating_sub(n_first);
            page.extend(
                self.index
                    .read(|connection| index::skipped(connection, &self.roots, offset, left)),
            );
        }
        page
    }

    /// The albums that have photos: their path below the folder given, and how many photos are in each itself.
    pub fn albums(&self) -> Vec<(String, u64)> {
        self.index
            .read(|connection| index::albums(connection, &self.roots))
    }

    /// The `n` keywords that most photos have, with how many.
    pub fn keywords(&self, n: u32) -> Vec<(String, u64)> {
        self.index.read(|connection| index::keywords(connection, n))
    }

    /// Why `filter` may let nothing through, to be put behind a sentence: `; did you mean the album Rome?`. Empty when
    /// there is no guess.
    pub fn guess(&self, filter: &Filter) -> String {
        let Some(wish) = filter.album() else {
            return String::new();
        };
        let albums = self.albums();
        let near = announce::near(wish, albums.iter().map(|(path, _)| path.as_str()));
        if near.is_empty() || near.contains(&wish) {
            return String::new();
        }
        format!("; did you mean the album {}?", near.join(" or "))
    }

    /// `photo` could not be shown. It takes no more turns until its file changes.
    pub fn skip(&self, photo: &Photo, reason: String) {
        let skipped = self
            .index
            .write(|connection| index::skip(connection, photo.id, &reason));
        if skipped {
            tracing::warn!(photo = %photo.name, %reason, "skipped a photo");
            let tally = &mut self.state().tally;
            tally.photos = tally.photos.saturating_sub(1);
            tally.skipped += 1;
            self.announce();
        }
    }

    /// `photo`'s file is not there. When its whole folder is away it is kept: it comes back.
    pub fn forget(&self, photo: &Photo) {
        let Origin::File(path) = &photo.origin else {
            return;
        };
        let root = self.roots.iter().find(|root| path.starts_with(root));
        if root.is_none_or(|root| self.root_is_away(root)) {
            return;
        }
        tracing::info!(photo = %photo.name, "a photo went away");
        self.apply(&[Change::Gone(photo.id)], false, true);
    }

    /// At most `n` photos of which nobody knows yet what they look like.
    pub fn without_likeness(&self, n: u32) -> Vec<Arc<Photo>> {
        let ids = self
            .index
            .read(|connection| index::without_likeness(connection, n));
        ids.into_iter().filter_map(|id| self.photo(id)).collect()
    }

    /// Keeps what `id` looks like, as [`likeness()`](crate::render::likeness::likeness) tells.
    pub fn set_likeness(&self, id: PhotoId, likeness: Option<u64>) {
        self.index
            .write(|connection| index::set_likeness(connection, id, likeness));
    }

    /// For benchmarks: `n` rows that look like twenty-five years of photos, without files.
    pub(crate) fn fill(&self, n: u64) {
        let Some(root) = self.roots.first() else {
            return;
        };
        let record = |i: u64| {
            let mixed = i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
            let local_seconds = 946_684_800 + i64::try_from(mixed % 788_918_400).unwrap_or(0);
            let source = DateSource::Metadata;
            let mut keywords = Vec::new();
            if i.is_multiple_of(7) {
                keywords.push("sea".to_owned());
            }
            if i.is_multiple_of(1009) {
                keywords.push("rare".to_owned());
            }
            let facts = Facts {
                size: Some(crate::size::Size::new(4000, 3000)),
                taken: Some(Taken {
                    local_seconds,
                    source,
                }),
                camera: Some("Canon EOS 5D".into()),
                rating: i.is_multiple_of(50).then_some(5),
                keywords,
                ..Facts::default()
            };
            let folder = root.join(format!("album {}", i / 250));
            Change::Seen(Box::new(index::Record {
                path: folder.join(format!("IMG_{i:07}.jpg")),
                version: Version::default(),
                outcome: index::Outcome::Photo(Box::new(facts)),
            }))
        };
        for first in (0..n).step_by(2000) {
            let batch: Vec<Change> = (first..n.min(first + 2000)).map(record).collect();
            self.apply(&batch, true, false);
        }
        self.state().scanned_once = true;
    }

    /// The folders that are shown.
    pub fn roots(&self) -> &[PathBuf] {
        &self.roots
    }

    /// Whether all folders have been looked through before, in this run or an earlier one.
    fn was_scanned(&self) -> bool {
        self.was_scanned.load(Relaxed)
    }

    fn known_in(&self, folder: &Path) -> HashMap<OsString, Known> {
        self.index
            .read(|connection| index::in_folder(connection, folder))
    }

    fn folders_below(&self, folder: &Path) -> Vec<PathBuf> {
        self.index
            .read(|connection| index::folders_below(connection, folder))
    }

    /// Whether `root` can't be reached: it is not there, or it is an empty folder on another device
    /// than the photos were on, as a mount point is when nothing is mounted.
    fn root_is_away(&self, root: &Path) -> bool {
        let Ok(mut entries) = std::fs::read_dir(root) else {
            return true;
        };
        let device = device_of(root);
        if entries.next().is_some() {
            return false;
        }
        let before = self
            .index
            .read(|connection| index::device(connection, root));
        before.is_some_and(|before| before != device)
    }

    /// Writes what a scan found; tells about it when `announce`.
    fn apply(&self, changes: &[Change], first: bool, announce: bool) {
        if !changes.is_empty() {
            let before = self.state().tally;
            let now = i64::try_from(clock::now().0 / 1000).unwrap_or(0);
            self.troubles.settle(changes);
            let after = self.index.write(|connection| {
                index::apply(connection, changes, before, now, first).map(Some)
            });
            if let Some(after) = after {
                // Others may have counted meanwhile.
                let tally = &mut self.state().tally;
                *tally = tally.adding(before, after);
            }
        }
        let mut state = self.state();
        state.unannounced |= changes
            .iter()
            .any(|change| !matches!(change, Change::Stamped(..)));
        if announce && std::mem::take(&mut state.unannounced) {
            drop(state);
            self.announce();
        }
    }

    fn scan_started(&self, everything: bool) {
        let away = self
            .roots
            .iter()
            .filter(|root| self.root_is_away(root))
            .count();
        let mut state = self.state();
        state.counts.folders_away = away;
        if everything {
            state.counts.scanning = true;
            state.counts.scanned = 0;
            state.counts.folders_unread = 0;
            let known = state.tally.photos + state.tally.skipped;
            state.counts.to_scan = (known > 0 && self.was_scanned()).then_some(known);
        }
    }

    fn scan_progress(&self, n_seen: u64, n_others: u64, to_do: u64) {
        let mut state = self.state();
        if state.counts.scanning {
            state.counts.scanned = n_seen;
            state.counts.other_files = n_others;
            if to_do > 0 {
                state.counts.to_scan = Some(to_do.max(n_seen));
            }
        }
    }

    fn scan_unread(&self, n: u64) {
        let mut state = self.state();
        if state.counts.scanning {
            state.counts.folders_unread += n;
        }
    }

    fn scan_finished(&self, everything: bool, complete: bool) {
        if !everything {
            return;
        }
        if complete {
            for root in &self.roots {
                let device = device_of(root);
                self.index
                    .write(|connection| index::set_device(connection, root, device));
            }
            self.was_scanned.store(true, Relaxed);
        }
        let mut state = self.state();
        let first = !std::mem::replace(&mut state.scanned_once, true);
        state.counts.scanning = false;
        state.counts.to_scan = None;
        drop(state);
        if first {
            self.announce();
        }
    }

    fn shows_demo(&self) -> bool {
        let state = self.state();
        state.scanned_once && state.tally.photos == 0
    }

    fn announce(&self) {
        self.changed.send_modify(|version| *version += 1);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// For fuzzing: reads metadata as a scan does, and counts the characters of its texts.
pub(crate) fn metadata_chars(bytes: &[u8]) -> usize {
    let metadata = metadata::MetadataReader::default()
        .head(bytes)
        .unwrap_or_default();
    let _ = crate::render::probe(bytes);
    let facts = metadata.facts(&String::from_utf8_lossy(bytes), 0);
    let texts = [facts.camera, facts.caption, facts.place]
        .into_iter()
        .flatten();
    texts
        .chain(facts.keywords)
        .map(|text| text.chars().count())
        .sum()
}

/// The number of the device that a folder is on; 0 where there is none.
fn device_of(folder: &Path) -> i64 {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        std::fs::metadata(folder).map_or(0, |metadata| metadata.dev().cast_signed())
    }
    #[cfg(not(unix))]
    {
        let _ = folder;
        0
    }
}

fn demo_entry(photo: &Photo) -> Entry {
    Entry {
        id: photo.id,
        taken: photo.taken,
        name: photo.name.clone(),
        shape: Shape::Unknown,
        album: 0,
        camera: 0,
        likeness: None,
        added: 0,
    }
}

fn demo_photo(index: usize) -> Photo {
    let name = demo::title(index);
    Photo {
        id: PhotoId::of(format!("demo:{name}").as_bytes()),
        origin: Origin::BuiltIn(demo::jpeg(index)),
        name: name.into(),
        taken: i64::try_from(index).unwrap_or(0),
        version: Version::default(),
        facts: Facts {
            kind: Some(crate::render::Kind::Jpeg),
            size: Some(demo::size(index)),
            ..Facts::default()
        },
    }
}

#[cfg(test)]
mod tests;
