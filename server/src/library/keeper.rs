//! When folders are looked through again: on a timer, when the system tells of a change, and when something waits for
//! another try.

#![expect(
    clippy::disallowed_methods,
    reason = "the thread that keeps the index waits by the clock"
)]

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use super::{Counts, Library, Reach, Scanner, Scope, Waker, Watcher};
use crate::vital::Vital;

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

/// The thread that keeps the index up to date. Told to stop when dropped.
#[derive(Debug)]
pub struct Keeper {
    stop: Arc<AtomicBool>,
    waker: Option<Waker>,
}

impl Keeper {
    /// Keeps the index of `library` up to date. `ready` is called once, with what there is and how long it took to find
    /// out. `vital` goes when the thread ends.
    pub fn start(
        library: Arc<Library>,
        reach: Reach,
        vital: Vital,
        ready: impl FnOnce(&Counts, Duration) + Send + 'static,
    ) -> Self {
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
        let told = stop.clone();
        let thread = std::thread::Builder::new()
            .name("scan".into())
            .spawn(move || {
                let _vital = vital;
                std::thread::sleep(rest);
                keep_up(&library, &watcher, reach, ready, &told);
            });
        if let Err(error) = thread {
            tracing::error!(%error, "can't start the thread that scans the folders");
        }
        Self { stop, waker }
    }

    /// True once this is dropped.
    pub fn stopped(&self) -> Arc<AtomicBool> {
        self.stop.clone()
    }
}

impl Drop for Keeper {
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
    reach: Reach,
    ready: impl FnOnce(&Counts, Duration),
    stop: &AtomicBool,
) {
    let mut scanner = Scanner::new(library.roots()).reaching(reach);
    let mut scope = Some(Scope::Everything);
    let started = Instant::now();
    let mut ready = Some(ready);
    let mut next_full = Instant::now();
    while !stop.load(Relaxed) {
        if let Some(scope) = scope.take() {
            let start = Instant::now();
            scanner.scan(library, &scope, stop);
            if scope == Scope::Everything {
                let n_photos = library.counts().photos;
                next_full = Instant::now() + until_next(n_photos, start.elapsed());
            }
        }
        // Files that seem half written are looked at once more before anybody is told how many there are.
        let is_counted = scanner.unsettled().is_none() || started.elapsed() > COUNTED_BY;
        if let Some(ready) = ready.take_if(|_| is_counted) {
            ready(&library.counts(), started.elapsed());
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

/// How long after a scan of everything, which took so long and found so many photos, the next one begins.
fn until_next(n_photos: u64, took: Duration) -> Duration {
    let span = if n_photos == 0 { RESCAN_EMPTY } else { RESCAN };
    span.max(took * SCANNING_SHARE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_that_takes_long_is_looked_through_the_more_seldom() {
        let seconds = Duration::from_secs;
        assert_eq!(until_next(0, seconds(0)), RESCAN_EMPTY);
        assert_eq!(until_next(9, seconds(1)), RESCAN);
        assert_eq!(until_next(9, seconds(60)), seconds(1800));
    }
}
