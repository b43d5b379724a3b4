//! The readers of a tape, counted by what they need, so that whoever makes its pictures can ask.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

/// How many pictures a reader needs while nothing moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Pictures {
    /// A few a second.
    #[default]
    Few,
    /// So many that a buffer that is counted in pictures is full soon.
    Many,
    /// As many as in motion, always, since they are all that time is told by. Goes before [`Many`](Self::Many).
    Steady,
}

/// The counts of readers.
#[derive(Debug, Default)]
pub(super) struct Readers {
    n: AtomicUsize,
    n_cutting: AtomicUsize,
    n_many: AtomicUsize,
    n_steady: AtomicUsize,
}

impl Readers {
    /// A reader comes, who needs few pictures.
    pub(super) fn enter(&self, cuts: bool) {
        self.n.fetch_add(1, SeqCst);
        if cuts {
            self.n_cutting.fetch_add(1, SeqCst);
        }
    }

    /// A reader goes, who needs few pictures.
    pub(super) fn leave(&self, cuts: bool) {
        self.n.fetch_sub(1, SeqCst);
        if cuts {
            self.n_cutting.fetch_sub(1, SeqCst);
        }
    }

    /// A reader needs other pictures than before.
    pub(super) fn change(&self, before: Pictures, after: Pictures) {
        if let Some(n) = self.n_needing(after) {
            n.fetch_add(1, SeqCst);
        }
        if let Some(n) = self.n_needing(before) {
            n.fetch_sub(1, SeqCst);
        }
    }

    pub(super) fn n(&self) -> usize {
        self.n.load(SeqCst)
    }

    pub(super) fn is_cut(&self) -> bool {
        self.n_cutting.load(SeqCst) > 0
    }

    pub(super) fn needed(&self) -> Pictures {
        if self.n_steady.load(SeqCst) > 0 {
            Pictures::Steady
        } else if self.n_many.load(SeqCst) > 0 {
            Pictures::Many
        } else {
            Pictures::Few
        }
    }

    fn n_needing(&self, pictures: Pictures) -> Option<&AtomicUsize> {
        match pictures {
            Pictures::Few => None,
            Pictures::Many => Some(&self.n_many),
            Pictures::Steady => Some(&self.n_steady),
        }
    }
}
