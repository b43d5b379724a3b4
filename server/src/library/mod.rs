//! All photos below the folders given, what is known of each, and what became of it.
//!
//! The scan brings the index up to date, the renderer reports what it could not show, everybody else
//! reads. A file that can't be shown is never dropped in silence: it stands in the list of skipped
//! files with its reason until it changes. Nothing is kept in memory for each photo but what
//! playlists hold.

mod albums;
mod bench;
#[cfg(test)]
mod cases;
mod clips;
mod counts;
mod dates;
mod dates_in_names;
mod examine;
mod exif;
mod facts;
mod filter;
mod headed;
mod index;
mod iptc;
mod keeper;
mod kinds;
mod later;
mod leavings;
mod letters;
mod marks;
mod metadata;
mod photo;
mod places;
#[cfg(test)]
mod raws;
mod reach;
mod scan;
mod search;
mod sidecars;
#[cfg(test)]
mod sizes;
mod takeout;
mod troubles;
mod twins;
mod walk;
mod watch;
mod words;
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

pub(crate) use bench::metadata_chars;
pub use clips::{ClipTrouble, Clips, ENTRIES as CLIP_ENTRIES};
pub use counts::Counts;
pub(crate) use examine::is_whole;
pub use facts::{DateSource, Facts, Taken, iso};
pub use filter::{Filter, KEYS as FILTER_KEYS};
pub use index::{AlbumRow, IndexError, Words};
pub use keeper::Keeper;
pub use kinds::Kinds;
pub use marks::{HiddenPhoto, MarkError, Marking, PhotoIdText};
pub use photo::{Origin, Photo, Version};
pub use reach::Reach;
pub use scan::{Scanner, Scope, roots_of};
pub use troubles::Skipped;
use watch::{Waker, Watcher};

use crate::{
    blocking::Blocking,
    clock,
    near::near,
    photo::{Entry, Order, PhotoId},
};
use counts::State;
use index::{Change, Index, Known};
use marks::Marks;
use troubles::{Remark, Troubles};

/// The library. Shared. What takes a [`Blocking`] asks the index; the rest takes a short lock.
#[derive(Debug)]
pub struct Library {
    index: Index,
    roots: Vec<PathBuf>,
    state: Mutex<State>,
    was_scanned: AtomicBool,
    changed: Sender<u64>,
    troubles: Troubles,
    marks: Marks,
    /// For how long a clip plays at most, in milliseconds; 0 where none does.
    plays_millis: u32,
}

impl Library {
    /// The library of `roots` with its index in `data_dir`, or in memory where that can't be written;
    /// without roots it has no photos for good.
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
        // Libraries are opened before anything is served.
        let blocking = Blocking::here();
        index.write(blocking, |connection| index::activate(connection, &roots));
        let tally = index.read(blocking, index::tally);
        let was_scanned = !roots.is_empty()
            && index.read(blocking, |connection| {
                index::was_scanned(connection, &roots)
            });
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
            troubles: Troubles::default(),
            marks: Marks::default(),
            plays_millis: 0,
        }
    }

    /// Tells when the photos that take turns have changed.
    pub fn changes(&self) -> Receiver<u64> {
        self.changed.subscribe()
    }

    /// The entries that a playlist in `order` needs of every photo that `filter` lets through. On a day
    /// on which nothing happened those of any day stand in.
    pub fn entries(&self, blocking: Blocking, filter: &Filter, order: Order) -> Vec<Entry> {
        let found = self.select(blocking, filter, order, clock::today());
        if found.is_empty() && filter.changes_daily() {
            return self.select(blocking, &filter.on_any_day(), order, clock::today());
        }
        found
    }

    /// The photos that `filter` lets through on the day `today`.
    pub fn select(
        &self,
        blocking: Blocking,
        filter: &Filter,
        order: Order,
        today: chrono::NaiveDate,
    ) -> Vec<Entry> {
        let wanted = index::Wanted {
            filter,
            today,
            roots: &self.roots,
            with_names: order != Order::Shuffle,
        };
        let n_rows = self.state().tally.photos;
        let mut entries = self.index.entries(blocking, wanted, n_rows);
        let out = self.troubles.giving_way();
        if !out.is_empty() && entries.iter().any(|entry| !out.contains(&entry.id)) {
            entries.retain(|entry| !out.contains(&entry.id));
        }
        clips::play(&mut entries, self.plays_millis);
        self.mark_favourites(&mut entries);
        entries
    }

    /// The photo `id`, if it is (still) there.
    pub fn photo(&self, blocking: Blocking, id: PhotoId) -> Option<Arc<Photo>> {
        self.index
            .read(blocking, |connection| {
                index::photo(connection, id, &self.roots)
            })
            .map(Arc::new)
    }

    /// Files that are not shown, or not all of them: at most `n`, after the first `offset`. What can't be read now and what
    /// was never looked into comes first, then the rest, each by path.
    pub fn skipped(&self, blocking: Blocking, offset: u32, n: u32) -> Vec<Skipped> {
        let first = self.troubles.list(&self.roots);
        let n_first = u32::try_from(first.len()).unwrap_or(u32::MAX);
        let (skip, take) = (offset as usize, n as usize);
        let mut page: Vec<Skipped> = first.into_iter().skip(skip).take(take).collect();
        let left = n - u32::try_from(page.len()).unwrap_or(n);
        if left > 0 {
            let offset = offset.saturating_sub(n_first);
            page.extend(self.index.read(blocking, |connection| {
                index::unshown(connection, index::State::Skipped, &self.roots, offset, left)
            }));
        }
        page
    }

    /// Files and folders that are left out on purpose, with the reason, by path: at most `n`, after the first `offset`.
    pub fn left_out(&self, blocking: Blocking, offset: u32, n: u32) -> Vec<Skipped> {
        self.index.read(blocking, |connection| {
            index::unshown(connection, index::State::LeftOut, &self.roots, offset, n)
        })
    }

    /// The albums that have photos: their path below the folder given, and how many photos are in each itself.
    pub fn albums(&self, blocking: Blocking) -> Vec<(String, u64)> {
        self.index.read(blocking, |connection| {
            index::albums(connection, &self.roots)
        })
    }

    /// The albums that have photos, with a cover for each, and from when its photos are.
    pub fn covers(&self, blocking: Blocking) -> Vec<AlbumRow> {
        self.index.read(blocking, |connection| {
            index::covers(connection, &self.roots)
        })
    }

    /// The `n` keywords that most photos have, with how many.
    pub fn keywords(&self, blocking: Blocking, n: u32) -> Vec<(String, u64)> {
        self.index
            .read(blocking, |connection| index::keywords(connection, n))
    }

    /// Why `filter` may let nothing through, to be put behind a sentence: `; did you mean the album Rome?`. Empty when
    /// there is no guess.
    pub fn guess(&self, blocking: Blocking, filter: &Filter) -> String {
        let Some(wish) = filter.album() else {
            return String::new();
        };
        let albums = self.albums(blocking);
        let near = near(wish, albums.iter().map(|(path, _)| path.as_str()));
        if near.is_empty() || near.contains(&wish) {
            return String::new();
        }
        format!("; did you mean the album {}?", near.join(" or "))
    }

    /// `photo` could not be shown. It takes no more turns until its file changes.
    pub fn skip(&self, blocking: Blocking, photo: &Photo, reason: String) {
        let skipped = self.index.write(blocking, |connection| {
            index::skip(connection, photo.id, &reason)
        });
        if skipped {
            self.index.note([photo.id]);
            tracing::warn!(photo = %photo.name, %reason, "skipped a photo");
            let tally = &mut self.state().tally;
            tally.photos = tally.photos.saturating_sub(1);
            tally.skipped += 1;
            self.announce();
        }
    }

    /// `photo` is shown, but parts of it are missing.
    pub fn damaged(&self, blocking: Blocking, photo: &Photo, reason: &str) {
        let is_news = self.index.write(blocking, |connection| {
            index::damaged(connection, photo.id, reason)
        });
        if is_news {
            tracing::warn!(photo = %photo.name, %reason, "a photo is shown without what is missing of it");
        }
    }

    /// `photo`'s file is not there. When its whole folder is away it is kept: it comes back.
    pub fn forget(&self, blocking: Blocking, photo: &Photo) {
        let Origin::File(path) = &photo.origin else {
            return;
        };
        let root = self.roots.iter().find(|root| path.starts_with(root));
        if root.is_none_or(|root| self.root_is_away(blocking, root)) {
            return;
        }
        tracing::info!(photo = %photo.name, "a photo went away");
        self.apply(blocking, &[Change::Gone(photo.id)], false, true);
    }

    /// At most `n` photos of which nobody knows yet what they look like.
    pub fn without_likeness(&self, blocking: Blocking, n: u32) -> Vec<Arc<Photo>> {
        let ids = self.index.read(blocking, |connection| {
            index::without_likeness(connection, n)
        });
        ids.into_iter()
            .filter_map(|id| self.photo(blocking, id))
            .collect()
    }

    /// Keeps what `id` looks like, as [`likeness()`](crate::render::likeness::likeness) tells.
    pub fn set_likeness(&self, blocking: Blocking, id: PhotoId, likeness: Option<u64>) {
        self.index.write(blocking, |connection| {
            index::set_likeness(connection, id, likeness)
        });
    }

    /// The folders that are shown.
    pub fn roots(&self) -> &[PathBuf] {
        &self.roots
    }

    /// Whether all folders have been looked through before, in this run or an earlier one.
    fn was_scanned(&self) -> bool {
        self.was_scanned.load(Relaxed)
    }

    fn known_in(&self, blocking: Blocking, folder: &Path) -> HashMap<OsString, Known> {
        self.index
            .read(blocking, |connection| index::in_folder(connection, folder))
    }

    fn folders_below(&self, blocking: Blocking, folder: &Path) -> Vec<PathBuf> {
        self.index.read(blocking, |connection| {
            index::folders_below(connection, folder)
        })
    }

    /// Whether `root` can't be reached: it is not there, or it is an empty folder on another device
    /// than the photos were on, as a mount point is when nothing is mounted.
    #[expect(
        clippy::disallowed_methods,
        reason = "on the thread of a scan, which may wait for a drive"
    )]
    fn root_is_away(&self, blocking: Blocking, root: &Path) -> bool {
        let Ok(mut entries) = std::fs::read_dir(root) else {
            return true;
        };
        let device = device_of(root);
        if entries.next().is_some() {
            return false;
        }
        let before = self
            .index
            .read(blocking, |connection| index::device(connection, root));
        before.is_some_and(|before| before != device)
    }

    fn announce(&self) {
        self.changed.send_modify(|version| *version += 1);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The number of the device that a folder is on; 0 where there is none.
#[cfg_attr(
    unix,
    expect(
        clippy::disallowed_methods,
        reason = "on the thread of a scan, which may wait for a drive"
    )
)]
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

#[cfg(test)]
mod tests;
