//! Files that can't be read now, through no fault of theirs: kept in memory alone, tried again after
//! growing pauses, and forgotten once they work.
//!
//! Pure: the time is an argument. What is wrong with a file itself belongs into the index.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::Version;
use crate::photo::PhotoId;

/// The pause before the second try; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);
/// The time between two failures after which they are two troubles, not one.
const FORGIVEN_AFTER: Duration = Duration::from_secs(3600);
/// Photos that give way to the next in a row. When more fail, it isn't they that are the trouble: the
/// screens wait, rather than run through all of them.
const MAX_IN_A_ROW: u32 = 5;
/// More files than this are not told apart; the rest is found again by the next scan.
const MAX_FILES: usize = 100_000;

/// The finder of a file that can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finder {
    /// A scan: the file may still be known from before.
    Scan,
    /// A screen that was to show it.
    Screen,
}

/// The verdict on a failure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Nobody has been told of this file's trouble yet.
    pub(super) is_new: bool,
    /// The photo gives way: playlists have changed.
    pub(super) gives_way: bool,
    /// This is the failure after which screens wait.
    pub(super) begins_to_wait: bool,
}

/// A file's trouble.
#[derive(Clone, Debug)]
struct Wait {
    id: PhotoId,
    /// The file's version when it was tried: another one is tried at once.
    version: Version,
    reason: String,
    n_tries: u32,
    failed_at: Instant,
    /// When it is tried again; `None` once it was read, and not yet shown.
    due: Option<Instant>,
    gives_way: bool,
}

/// All files that wait.
#[derive(Debug, Default)]
pub(super) struct Later {
    files: BTreeMap<PathBuf, Wait>,
    in_a_row: u32,
}

/// The pause after a file was tried `n` times in vain.
pub(super) fn pause_after(n: u32) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(1 << n.saturating_sub(1).min(16));
    doubled.min(LONGEST_PAUSE)
}

impl Later {
    /// `path`, which is photo `id`, could not be read at `now`.
    pub(super) fn failed(
        &mut self,
        path: &Path,
        (id, version): (PhotoId, Version),
        reason: &str,
        finder: Finder,
        now: Instant,
    ) -> Verdict {
        let mut verdict = Verdict::default();
        if !self.files.contains_key(path) {
            if self.files.len() >= MAX_FILES {
                return verdict;
            }
            verdict.is_new = true;
        }
        let wait = self.files.entry(path.to_owned()).or_insert(Wait {
            id,
            version,
            reason: String::new(),
            n_tries: 0,
            failed_at: now,
            due: None,
            gives_way: false,
        });
        // Several screens try the same one at the same time: that is one try.
        let is_a_try = wait.due.is_none_or(|due| due <= now)
            || (finder == Finder::Scan && wait.version != version);
        if now.saturating_duration_since(wait.failed_at) >= FORGIVEN_AFTER && wait.due.is_none() {
            wait.n_tries = 0;
        }
        if is_a_try {
            wait.n_tries += 1;
            wait.due = Some(now + pause_after(wait.n_tries));
            wait.failed_at = now;
            wait.version = version;
            reason.clone_into(&mut wait.reason);
        }
        if finder == Finder::Screen && !wait.gives_way {
            self.in_a_row = self.in_a_row.saturating_add(1);
            verdict.gives_way = self.in_a_row <= MAX_IN_A_ROW;
            verdict.begins_to_wait = self.in_a_row == MAX_IN_A_ROW + 1;
            wait.gives_way = verdict.gives_way;
        }
        verdict
    }

    /// `path` could be read. True when a photo takes turns again.
    pub(super) fn read(&mut self, path: &Path) -> bool {
        let Some(wait) = self.files.get_mut(path) else {
            return false;
        };
        // Kept until it is shown: one whose end can't be read is not tried every other second.
        wait.due = None;
        std::mem::take(&mut wait.gives_way)
    }

    /// Photos were shown: the trouble, if there was one, is over.
    pub(super) fn shown(&mut self, ids: impl Iterator<Item = PhotoId>) {
        self.in_a_row = 0;
        if self.files.is_empty() {
            return;
        }
        let ids: Vec<PhotoId> = ids.collect();
        self.files.retain(|_, wait| !ids.contains(&wait.id));
    }

    /// `path` is not there any more. True when a photo gave way.
    pub(super) fn forget(&mut self, path: &Path) -> bool {
        self.files.remove(path).is_some_and(|wait| wait.gives_way)
    }

    /// The files that wait: what they were when they were tried, and whether it is time to try again.
    pub(super) fn waiting(&self, now: Instant) -> HashMap<PathBuf, (Version, bool)> {
        let waiting = |(path, wait): (&PathBuf, &Wait)| {
            Some((path.clone(), (wait.version, wait.due? <= now)))
        };
        self.files.iter().filter_map(waiting).collect()
    }

    /// When the next is to be tried.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.files.values().filter_map(|wait| wait.due).min()
    }

    /// The folders of those that are to be tried until `by`.
    pub(super) fn folders_due(&self, by: Instant) -> HashSet<PathBuf> {
        let due = self
            .files
            .iter()
            .filter(|(_, wait)| wait.due.is_some_and(|due| due <= by));
        due.filter_map(|(path, _)| path.parent().map(Path::to_owned))
            .collect()
    }

    /// The photos that take no turns.
    pub(super) fn giving_way(&self) -> HashSet<PhotoId> {
        let out = self.files.values().filter(|wait| wait.gives_way);
        out.map(|wait| wait.id).collect()
    }

    /// How many files wait.
    pub(super) fn n_waiting(&self) -> usize {
        self.files
            .values()
            .filter(|wait| wait.due.is_some())
            .count()
    }

    /// Every file that waits, with the reason, by path.
    pub(super) fn list(&self) -> impl Iterator<Item = (&Path, &str)> {
        let waiting = self.files.iter().filter(|(_, wait)| wait.due.is_some());
        waiting.map(|(path, wait)| (path.as_path(), wait.reason.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(n: u64) -> PathBuf {
        PathBuf::from(format!("/photos/{n}.jpg"))
    }

    fn fail(later: &mut Later, n: u64, now: Instant) -> Verdict {
        later.failed(
            &path(n),
            (PhotoId(n), Version::default()),
            "too many open files",
            Finder::Screen,
            now,
        )
    }

    #[test]
    fn pauses_grow_to_a_limit_and_start_anew_once_it_works() {
        let mut later = Later::default();
        let mut now = Instant::now();
        let mut pauses = Vec::new();
        for _ in 0..12 {
            fail(&mut later, 1, now);
            let due = later.next_due().unwrap();
            pauses.push((due - now).as_secs());
            now = due;
            // It can be opened, and fails again farther in.
            later.read(&path(1));
        }
        assert_eq!(pauses[..4], [2, 4, 8, 16]);
        assert_eq!(pauses[10..], [600, 600]);
        later.shown([PhotoId(1)].into_iter());
        assert_eq!((later.n_waiting(), later.next_due()), (0, None));
        assert!(fail(&mut later, 1, now).is_new);
        assert_eq!(later.next_due().unwrap() - now, FIRST_PAUSE);
        later.read(&path(1));
        now += FORGIVEN_AFTER + FIRST_PAUSE;
        fail(&mut later, 1, now);
        assert_eq!(later.next_due().unwrap() - now, FIRST_PAUSE);
    }

    #[test]
    fn a_few_give_way_and_then_screens_wait() {
        let mut later = Later::default();
        let now = Instant::now();
        let verdicts: Vec<Verdict> = (0..2000).map(|n| fail(&mut later, n, now)).collect();
        let n_giving_way = verdicts.iter().filter(|verdict| verdict.gives_way).count();
        assert_eq!(n_giving_way, MAX_IN_A_ROW as usize);
        assert_eq!(later.giving_way().len(), MAX_IN_A_ROW as usize);
        let n_told = verdicts
            .iter()
            .filter(|verdict| verdict.begins_to_wait)
            .count();
        assert_eq!(n_told, 1);
        assert_eq!(later.n_waiting(), 2000);
        later.shown(std::iter::empty());
        assert!(fail(&mut later, 3000, now).gives_way);
        assert!(later.read(&path(0)) && !later.read(&path(1999)));
    }

    #[test]
    fn twelve_screens_that_fail_at_once_are_one_try() {
        let mut later = Later::default();
        let now = Instant::now();
        let verdicts: Vec<Verdict> = (0..12).map(|_| fail(&mut later, 7, now)).collect();
        assert!(verdicts[0].is_new && verdicts[0].gives_way);
        assert!(
            verdicts[1..]
                .iter()
                .all(|verdict| *verdict == Verdict::default())
        );
        assert_eq!(later.next_due().unwrap() - now, FIRST_PAUSE);
    }

    #[test]
    fn what_a_scan_finds_empties_no_wall() {
        let mut later = Later::default();
        let now = Instant::now();
        for n in 0..50 {
            later.failed(
                &path(n),
                (PhotoId(n), Version::default()),
                "permission denied",
                Finder::Scan,
                now,
            );
        }
        assert!(later.giving_way().is_empty());
        let due = later.next_due().unwrap();
        assert_eq!(
            later.folders_due(due),
            HashSet::from([PathBuf::from("/photos")])
        );
        assert!(later.waiting(now).values().all(|(_, is_due)| !is_due));
        assert!(later.waiting(due).values().all(|(_, is_due)| *is_due));
        assert_eq!(later.list().count(), 50);
        assert!(!later.forget(&path(0)));
        assert_eq!(later.list().count(), 49);
    }
}
