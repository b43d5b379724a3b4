//! Findings of a scan: the threads that look at files, and the scan's own, which writes what they find
//! into the index, in batches.

#![expect(
    clippy::disallowed_methods,
    reason = "batches are written by the clock"
)]

use std::{
    path::PathBuf,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc::{Receiver, RecvTimeoutError, SyncSender},
    },
    time::{Duration, Instant},
};

use super::{
    super::{
        Library, Version,
        examine::{Examiner, Finding},
        index::{Change, Outcome, Record},
        places::Places,
        sidecars::Beside,
    },
    Scanner,
};
use crate::blocking::Blocking;

/// The span after which findings are first written; later ones are longer: early for the
/// first picture, seldom enough not to make a playlist of a large library all day.
const FIRST_BATCH: Duration = Duration::from_millis(60);
const LATEST_BATCH: Duration = Duration::from_secs(8);
/// More would be held in memory for nothing.
const MAX_BATCH: usize = 2000;

/// Files that can't be read now have so many lines in the log for each scan, and then one for all.
const MAX_LINES: u64 = 3;

/// A file that is new, or not as the index knows it.
pub(super) struct Job {
    pub(super) path: PathBuf,
    pub(super) version: Version,
    pub(super) beside: Beside,
    pub(super) settled: bool,
}

/// A message of the threads that look at files.
pub(super) enum News {
    Change(Change),
    Unsettled(PathBuf, Version),
    NotNow(PathBuf, Version, String),
    /// So many files are as they were.
    Seen(u64),
}

impl Scanner {
    /// Writes what arrives until nobody sends any more.
    pub(super) fn write(
        &mut self,
        blocking: Blocking,
        library: &Library,
        arriving: &Receiver<News>,
        to_do: &AtomicU64,
        first: bool,
    ) {
        let mut places = Places::default();
        let mut batch = Vec::new();
        let mut n_not_now = 0;
        let mut span = FIRST_BATCH;
        let mut due = Instant::now() + span;
        let mut n_seen = 0;
        loop {
            let wait = due.saturating_duration_since(Instant::now());
            let over = match arriving.recv_timeout(wait) {
                Ok(News::Change(mut change)) => {
                    let is_left_out = matches!(&change, Change::Seen(record)
                        if matches!(record.outcome, Outcome::LeftOut(_)));
                    n_seen += u64::from(!is_left_out && !matches!(change, Change::Stamped(..)));
                    self.n_examined += u64::from(!is_left_out && matches!(change, Change::Seen(_)));
                    if let Change::Seen(record) = &mut change
                        && let Outcome::Photo(facts) = &mut record.outcome
                    {
                        // What somebody wrote is better than the nearest town.
                        facts.place = facts
                            .place
                            .take()
                            .or_else(|| facts.position.and_then(|position| places.name(position)));
                    }
                    batch.push(change);
                    false
                }
                Ok(News::Unsettled(path, version)) => {
                    n_seen += 1;
                    self.unsettled.insert(path, (version, Instant::now()));
                    false
                }
                Ok(News::Seen(n)) => {
                    n_seen += n;
                    false
                }
                Ok(News::NotNow(path, version, reason)) => {
                    n_seen += 1;
                    if library.can_not_be_read(&path, version, &reason) {
                        n_not_now += 1;
                        if n_not_now <= MAX_LINES {
                            tracing::warn!(file = %path.display(), %reason,
                                "a file can't be read now; it is tried again");
                        }
                    }
                    false
                }
                Err(RecvTimeoutError::Timeout) => false,
                Err(RecvTimeoutError::Disconnected) => true,
            };
            let is_due = Instant::now() >= due;
            if over || is_due || batch.len() >= MAX_BATCH {
                library.apply(blocking, &std::mem::take(&mut batch), first, over || is_due);
                library.scan_progress(n_seen, to_do.load(Relaxed));
            }
            if over {
                if n_not_now > MAX_LINES {
                    tracing::warn!(
                        n_files = n_not_now,
                        "files can't be read now; they are tried again"
                    );
                }
                return;
            }
            if is_due {
                span = (span * 2).min(LATEST_BATCH);
                due = Instant::now() + span;
            }
        }
    }
}

/// One of the threads that look at files.
pub(super) fn work(waiting: &Mutex<Receiver<Job>>, news: &SyncSender<News>) {
    let mut examiner = Examiner::default();
    loop {
        let job = waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .recv();
        let Ok(job) = job else { return };
        let finding = examiner.examine(&job.path, job.version, &job.beside, job.settled);
        let told = match finding {
            Finding::Settled(outcome) => News::Change(Change::Seen(Box::new(Record {
                path: job.path,
                version: job.version,
                outcome,
            }))),
            Finding::Unsettled => News::Unsettled(job.path, job.version),
            Finding::NotNow(reason) => News::NotNow(job.path, job.version, reason),
            Finding::Gone => News::Seen(0),
        };
        if news.send(told).is_err() {
            return;
        }
    }
}
