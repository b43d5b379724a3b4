//! Findings of a scan: the threads that look at files, and the scan's own, which writes what they find
//! into the index, in batches.

#![expect(
    clippy::disallowed_methods,
    reason = "batches are written by the clock"
)]

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc::{Receiver, RecvTimeoutError, SyncSender},
    },
    time::{Duration, Instant},
};

use super::{
    super::{
        Clips, Library, Version,
        examine::{Examiner, Finding},
        index::{Change, Outcome, Record},
        places::Places,
        sidecars::{Beside, Sidecars},
        twins,
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

/// The time after which what has been found is told, though the batch is not done.
const SLOW: Duration = Duration::from_millis(5);

/// Files that can't be read now have so many lines in the log for each scan, and then one for all.
const MAX_LINES: u64 = 3;

/// A file that is new, or not as the index knows it.
pub(super) struct Job {
    pub(super) path: PathBuf,
    pub(super) version: Version,
    pub(super) beside: Beside,
    /// The file that may take its turn.
    pub(super) twin: Option<Twin>,
    pub(super) settled: bool,
}

/// A file that takes another's turn if both are of one shot.
pub(super) struct Twin {
    path: PathBuf,
    version: Version,
    beside: Beside,
}

impl Twin {
    pub(super) fn new(
        folder: &Path,
        (name, version): &(OsString, Version),
        sidecars: &Sidecars,
    ) -> Self {
        let (beside, sidecar_nanos) = sidecars.of(folder, name);
        Self {
            path: folder.join(name),
            version: Version {
                sidecar_nanos,
                ..*version
            },
            beside,
        }
    }

    /// A number that changes with the file; not 0.
    pub(super) fn stamp(&self) -> i64 {
        let Version {
            n_bytes,
            modified_nanos,
            sidecar_nanos,
            ..
        } = self.version;
        modified_nanos
            .wrapping_add(sidecar_nanos)
            .wrapping_add(n_bytes.cast_signed())
            | 1
    }
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
        arriving: &Receiver<Vec<News>>,
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
            let (all, over) = match arriving.recv_timeout(wait) {
                Ok(all) => (all, false),
                Err(RecvTimeoutError::Timeout) => (Vec::new(), false),
                Err(RecvTimeoutError::Disconnected) => (Vec::new(), true),
            };
            for news in all {
                match news {
                    News::Change(mut change) => {
                        let is_left_out = matches!(&change, Change::Seen(record)
                            if matches!(record.outcome, Outcome::LeftOut(_)));
                        n_seen += u64::from(!is_left_out && !matches!(change, Change::Stamped(..)));
                        self.n_examined +=
                            u64::from(!is_left_out && matches!(change, Change::Seen(_)));
                        if let Change::Seen(record) = &mut change
                            && let Outcome::Photo(facts) = &mut record.outcome
                        {
                            // What somebody wrote is better than the nearest town.
                            facts.place = facts.place.take().or_else(|| {
                                facts.position.and_then(|position| places.name(position))
                            });
                        }
                        batch.push(change);
                    }
                    News::Unsettled(path, version) => {
                        n_seen += 1;
                        self.unsettled.insert(path, (version, Instant::now()));
                    }
                    News::Seen(n) => n_seen += n,
                    News::NotNow(path, version, reason) => {
                        n_seen += 1;
                        if library.can_not_be_read(&path, version, &reason) {
                            n_not_now += 1;
                            if n_not_now <= MAX_LINES {
                                tracing::warn!(file = %path.display(), %reason,
                                    "a file can't be read now; it is tried again");
                            }
                        }
                    }
                }
            }
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
pub(super) fn work(
    clips: Clips,
    waiting: &Mutex<Receiver<Vec<Job>>>,
    news: &SyncSender<Vec<News>>,
) {
    let mut examiner = Examiner::new(clips);
    loop {
        let jobs = waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .recv();
        let Ok(jobs) = jobs else { return };
        let mut told = Vec::with_capacity(jobs.len());
        let mut since = Instant::now();
        for job in jobs {
            told.push(look_at(&mut examiner, job));
            // From a slow drive each is worth a message of its own.
            if since.elapsed() >= SLOW {
                if news.send(std::mem::take(&mut told)).is_err() {
                    return;
                }
                since = Instant::now();
            }
        }
        if !told.is_empty() && news.send(told).is_err() {
            return;
        }
    }
}

fn look_at(examiner: &mut Examiner, job: Job) -> News {
    let mut finding = examiner.examine(&job.path, job.version, &job.beside, job.settled);
    if let Some(twin) = &job.twin {
        finding = beside_twin(examiner, finding, twin, job.settled);
    }
    match finding {
        Finding::Settled(outcome) => News::Change(Change::Seen(Box::new(Record {
            path: job.path,
            version: job.version,
            outcome,
        }))),
        Finding::Unsettled => News::Unsettled(job.path, job.version),
        Finding::NotNow(reason) => News::NotNow(job.path, job.version, reason),
        Finding::Gone => News::Seen(0),
    }
}

/// The finding about a file of which `twin` takes the turn, if both are of one shot.
fn beside_twin(examiner: &mut Examiner, own: Finding, twin: &Twin, settled: bool) -> Finding {
    let Finding::Settled(Outcome::Photo(facts)) = &own else {
        return own;
    };
    match examiner.examine(&twin.path, twin.version, &twin.beside, settled) {
        Finding::Settled(Outcome::Photo(other)) if twins::are_one_shot(facts, &other) => {
            let name = twin.path.file_name().unwrap_or_default().to_string_lossy();
            let reason =
                format!("{name} beside it is of the same shot, and takes the turn of both");
            Finding::Settled(Outcome::LeftOut(reason))
        }
        // Both are looked at again together.
        not_yet @ (Finding::Unsettled | Finding::NotNow(_)) => not_yet,
        _ => own,
    }
}
