//! What was sent to whom, counted.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counters of one feed, shared by its subscribers. Only ever added to.
#[derive(Debug, Default)]
pub struct Stats {
    n_frames: AtomicU64,
    n_bytes: AtomicU64,
    n_skipped: AtomicU64,
}

/// [`Stats`], read at one instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Totals {
    /// Frames handed to connections.
    pub n_frames: u64,
    /// Their bytes, heads included.
    pub n_bytes: u64,
    /// Frames that a viewer was too slow for.
    pub n_skipped: u64,
}

impl Stats {
    /// Frames and bytes were handed to a connection.
    pub fn sent(&self, n_frames: usize, n_bytes: usize) {
        self.n_frames.fetch_add(n_frames as u64, Relaxed);
        self.n_bytes.fetch_add(n_bytes as u64, Relaxed);
    }

    /// A viewer missed `n` frames.
    pub fn skipped(&self, n: u64) {
        self.n_skipped.fetch_add(n, Relaxed);
    }

    /// The counts so far.
    pub fn totals(&self) -> Totals {
        Totals {
            n_frames: self.n_frames.load(Relaxed),
            n_bytes: self.n_bytes.load(Relaxed),
            n_skipped: self.n_skipped.load(Relaxed),
        }
    }
}

impl std::ops::AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.n_frames += other.n_frames;
        self.n_bytes += other.n_bytes;
        self.n_skipped += other.n_skipped;
    }
}
