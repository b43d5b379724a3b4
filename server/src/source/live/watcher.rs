//! Watchers of a source, which brings pictures only while there are any.

use std::sync::Arc;

use tokio::sync::watch;

/// Somebody for whom frames are made of a source, until it is dropped.
#[derive(Debug)]
pub struct Watcher(Arc<watch::Sender<usize>>);

impl Watcher {
    /// One more of these.
    pub(super) fn new(watchers: &Arc<watch::Sender<usize>>) -> Self {
        watchers.send_modify(|n| *n += 1);
        Self(watchers.clone())
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.0.send_modify(|n| *n -= 1);
    }
}
