//! Work that blocks: it waits for a disk, or for a lock that somebody holds while waiting for one.
//!
//! A thread that serves sockets must not wait, or everybody whom it serves does. So what blocks takes a [`Blocking`],
//! and async code gets one only by handing the work to a thread that may.

use tokio::task::{JoinError, spawn_blocking};

/// Proof that this thread may wait.
#[derive(Clone, Copy, Debug)]
pub struct Blocking(());

impl Blocking {
    /// Does `work` on a thread that may wait.
    ///
    /// # Errors
    /// It panicked, which the log tells.
    pub async fn run<T: Send + 'static>(
        work: impl FnOnce(Self) -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        Self::begin(work).await
    }

    /// Has `work` done on a thread that may wait, whether or not anybody waits for the result.
    pub fn begin<T: Send + 'static>(
        work: impl FnOnce(Self) -> T + Send + 'static,
    ) -> tokio::task::JoinHandle<T> {
        spawn_blocking(move || work(Self(())))
    }

    /// The caller's word that this thread may wait: it is one of its own, or nothing is served yet.
    pub fn here() -> Self {
        Self(())
    }
}
