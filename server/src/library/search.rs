//! The search for photos by words, for those who choose one.

use super::{Filter, Library, Words};
use crate::{blocking::Blocking, clock, photo::PhotoId};

impl Library {
    /// The photos that `filter` lets through and that all words are found with, the latest first: at most `n`, after the
    /// first `offset`.
    pub fn find(
        &self,
        blocking: Blocking,
        filter: &Filter,
        which: (&Words, u32, u32),
    ) -> Vec<PhotoId> {
        let today = clock::today();
        self.index
            .found(blocking, (filter, today), &self.roots, which)
    }

    /// Reads what is written of photos, so that the first search needn't wait for it.
    pub fn prepare_search(&self, blocking: Blocking) {
        self.index.prepare_search(blocking, &self.roots);
    }
}
