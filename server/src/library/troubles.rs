//! The files that can't be read now, and those that are not looked into: kept in memory, beside the index.
//!
//! `later` decides when a file is tried again; here it is shared, told and listed.

#![expect(
    clippy::disallowed_methods,
    reason = "the clock is read here for `later`, which is pure"
)]

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    time::Instant,
};

use super::{
    Library, Origin, Photo, Scope, Version, Waker,
    index::{self, Change},
    later::{Finder, Later},
    scan::Walked,
};
use crate::photo::PhotoId;

/// A file that is not shown, or not all of it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Skipped {
    /// The file's path below its folder.
    pub file: String,
    /// Why, in words.
    pub reason: String,
    /// Whether it is no fault of the file's: it is tried again by itself.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub not_now: bool,
    /// Whether it is shown all the same, with what is there of it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub shown: bool,
}

/// Why something in the folders is not looked at that is no file of the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Remark {
    pub(super) reason: String,
    pub(super) is_passing: bool,
}

/// The troubles of a library.
#[derive(Debug, Default)]
pub(super) struct Troubles {
    later: Mutex<Later>,
    /// Links and folders that are not looked into.
    remarks: Mutex<BTreeMap<PathBuf, Remark>>,
    /// The thread that is told that a file is to be tried again.
    waker: OnceLock<Waker>,
}

impl Troubles {
    fn later(&self) -> MutexGuard<'_, Later> {
        self.later.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remarks(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Remark>> {
        self.remarks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The photos that take no turns now.
    pub(super) fn giving_way(&self) -> HashSet<PhotoId> {
        self.later().giving_way()
    }

    /// How many things are not looked into, and how many can't be read now.
    pub(super) fn counts(&self) -> (u64, u64) {
        let remarks = self.remarks();
        let passing = remarks.values().filter(|remark| remark.is_passing).count();
        let n_not_now = passing + self.later().n_waiting();
        ((remarks.len() - passing) as u64, n_not_now as u64)
    }

    /// All of them, by path.
    pub(super) fn list(&self, roots: &[PathBuf]) -> Vec<Skipped> {
        let row = |path: &Path, reason: &str, not_now: bool| Skipped {
            file: index::display_name(path, roots),
            reason: if not_now {
                format!("not now: {reason}; it is tried again")
            } else {
                reason.to_owned()
            },
            not_now,
            shown: false,
        };
        let later = self.later();
        let mut rows: Vec<Skipped> = later
            .list()
            .map(|(path, reason)| row(path, reason, true))
            .collect();
        drop(later);
        let remarks = self.remarks();
        let remarks = remarks.iter();
        rows.extend(remarks.map(|(path, remark)| row(path, &remark.reason, remark.is_passing)));
        rows.sort_by(|a, b| a.file.cmp(&b.file));
        rows
    }

    /// Files that a scan could read, or that are gone, wait no longer.
    pub(super) fn settle(&self, changes: &[Change]) {
        let mut later = self.later();
        for change in changes {
            if let Change::Seen(record) = change {
                later.read(&record.path);
            }
        }
    }
}

impl Library {
    /// `photo` can't be read now, for a reason that is not its file's. It gives way to the next and is
    /// tried again; when several in a row can't be read, none gives way any more, so that a share that
    /// is out of reach empties no screen.
    pub fn not_now(&self, photo: &Photo, reason: &str) {
        let Origin::File(path) = &photo.origin else {
            return;
        };
        let told = (photo.id, photo.version);
        let verdict =
            self.troubles
                .later()
                .failed(path, told, reason, Finder::Screen, Instant::now());
        if verdict.is_new && verdict.gives_way {
            tracing::warn!(photo = %photo.name, %reason, "a photo can't be read now; it is tried again");
        }
        if verdict.begins_to_wait {
            tracing::warn!(%reason,
                "several photos in a row can't be read now; what is on stays on, and they are tried again");
        }
        if verdict.gives_way {
            self.announce();
        }
        if let Some(waker) = self.troubles.waker.get() {
            waker.wake();
        }
    }

    /// These photos were shown: whatever trouble they had is over.
    pub fn shown(&self, ids: impl Iterator<Item = PhotoId>) {
        self.troubles.later().shown(ids);
    }

    /// Has `waker` woken when a file is to be tried again.
    pub fn wake_for_tries(&self, waker: Waker) {
        // Only the first scanner is told; there is one.
        let _ = self.troubles.waker.set(waker);
    }

    /// When files are to be tried again, and where they are.
    pub(super) fn next_try(&self) -> Option<(Instant, Scope)> {
        let later = self.troubles.later();
        let due = later.next_due()?;
        let flat = later
            .folders_due(due.max(Instant::now()))
            .into_iter()
            .collect();
        let deep = Vec::new();
        Some((due, Scope::Folders { deep, flat }))
    }

    /// The files that wait: what they were when they were tried, and whether it is time to try again.
    pub(super) fn waiting(&self) -> HashMap<PathBuf, (Version, bool)> {
        self.troubles.later().waiting(Instant::now())
    }

    /// A scan can't read a file now. True when nobody has been told of it.
    pub(super) fn can_not_be_read(&self, path: &Path, version: Version, reason: &str) -> bool {
        let told = (index::id_of(path), version);
        let mut later = self.troubles.later();
        later
            .failed(path, told, reason, Finder::Scan, Instant::now())
            .is_new
    }

    /// Takes in what a walk came by where it has been, as `covers` tells.
    pub(super) fn walked(&self, covers: &dyn Fn(&Path) -> bool, walked: &Walked) {
        let is_unread = |path: &Path| walked.unread.keys().any(|folder| path.starts_with(folder));
        let mut later = self.troubles.later();
        let waiting = later.waiting(Instant::now());
        let mut change = false;
        for path in waiting.keys() {
            if covers(path) && !walked.met.contains(path) && !is_unread(path) {
                change |= later.forget(path);
            }
        }
        drop(later);
        let mut remarks = self.troubles.remarks();
        remarks.retain(|path, _| !covers(path));
        remarks.extend(walked.remarks.iter().cloned());
        drop(remarks);
        if change {
            self.announce();
        }
    }
}
