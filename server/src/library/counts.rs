//! How much there is, how far the scan is, and who is told.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::atomic::Ordering::Relaxed,
};

use super::{
    Library, device_of,
    index::{self, Change, Tally},
    kinds::{Kind, Kinds},
    scan::Walked,
};
use crate::{blocking::Blocking, clock};

/// How much there is, and how far the scan is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Photos that take turns.
    pub photos: u64,
    /// Picture files that could not be shown.
    pub skipped: u64,
    /// Files and folders that can't be read now and are tried again; not among the skipped.
    pub not_now: u64,
    /// Files and folders that are left out on purpose; what is in such a folder is not counted.
    pub left_out: u64,
    /// Photos that somebody has hidden.
    pub hidden: u64,
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
}

/// The state that changes with every scan, under one lock.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) tally: Tally,
    pub(super) counts: Counts,
    /// The files that are not looked into, in each folder that has some, and in all.
    pub(super) others: BTreeMap<PathBuf, Kinds>,
    pub(super) all_others: Kinds,
    pub(super) scanned_once: bool,
    /// Something changed that nobody was told of.
    pub(super) unannounced: bool,
}

impl Library {
    /// The counts as they are now.
    pub fn counts(&self) -> Counts {
        let state = self.state();
        let (n_remarks, not_now) = self.troubles.counts();
        Counts {
            photos: state.tally.photos,
            skipped: state.tally.skipped + n_remarks,
            not_now,
            left_out: state.tally.left_out,
            hidden: state.tally.hidden,
            other_files: state.tally.others + state.all_others.total(),
            ..state.counts
        }
    }

    /// The files that are no pictures, by their kinds.
    pub fn others(&self) -> Kinds {
        let state = self.state();
        let mut kinds = state.all_others.clone();
        kinds.add(Kind::Unknown, state.tally.others);
        kinds
    }

    /// Takes in what a walk counted where it has been, as `covers` tells; what it could not read stays as it was.
    pub(super) fn counted(&self, covers: &dyn Fn(&Path) -> bool, walked: &Walked) {
        let mut state = self.state();
        state.others.retain(|folder, _| {
            let was_read = !walked
                .unread
                .keys()
                .any(|unread| folder.starts_with(unread));
            !(was_read && covers(&folder.join("a file")))
        });
        state.others.extend(walked.kinds.iter().cloned());
        let mut all = Kinds::default();
        for kinds in state.others.values() {
            all.add_all(kinds);
        }
        state.all_others = all;
    }

    /// Whether everything has been looked through, in this run; there may be nothing to look through.
    pub fn has_scanned(&self) -> bool {
        self.state().scanned_once
    }

    /// Writes what a scan found; tells about it when `announce`.
    pub(super) fn apply(
        &self,
        blocking: Blocking,
        changes: &[Change],
        first: bool,
        announce: bool,
    ) {
        if !changes.is_empty() {
            let before = self.state().tally;
            let now = i64::try_from(clock::now().0 / 1000).unwrap_or(0);
            self.troubles.settle(changes);
            let after = self.index.write(blocking, |connection| {
                index::apply(connection, changes, before, now, first).map(Some)
            });
            self.index.note(changes.iter().filter_map(Change::photo));
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

    pub(super) fn scan_started(&self, blocking: Blocking, everything: bool) {
        let away = self
            .roots
            .iter()
            .filter(|root| self.root_is_away(blocking, root))
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

    pub(super) fn scan_progress(&self, n_seen: u64, to_do: u64) {
        let mut state = self.state();
        if state.counts.scanning {
            state.counts.scanned = n_seen;
            if to_do > 0 {
                state.counts.to_scan = Some(to_do.max(n_seen));
            }
        }
    }

    pub(super) fn scan_unread(&self, n: u64) {
        let mut state = self.state();
        if state.counts.scanning {
            state.counts.folders_unread += n;
        }
    }

    pub(super) fn scan_finished(&self, blocking: Blocking, everything: bool, complete: bool) {
        if !everything {
            return;
        }
        if complete {
            for root in &self.roots {
                let device = device_of(root);
                self.index.write(blocking, |connection| {
                    index::set_device(connection, root, device)
                });
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
}
