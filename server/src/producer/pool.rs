//! A few threads of their own for short work that must not wait behind anybody else's, such as a frame
//! of a crossfade behind queries to the index.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError, mpsc},
};

use tokio::sync::oneshot;

type Job = Box<dyn FnOnce() + Send>;

/// Threads that take what is next; they end when the pool is dropped.
#[derive(Debug)]
pub(super) struct Pool {
    jobs: mpsc::Sender<Job>,
}

impl Pool {
    /// A pool of so many threads, all with this name. Where none can be started, work given to it fails.
    pub(super) fn new(n_threads: usize, name: &str) -> Self {
        let (jobs, next) = mpsc::channel::<Job>();
        let next = Arc::new(Mutex::new(next));
        for _ in 0..n_threads {
            let next = next.clone();
            let thread = std::thread::Builder::new().name(name.into());
            let started = thread.spawn(move || {
                loop {
                    // In a statement of its own: the lock is let go before the job is done.
                    let job = next.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    match job {
                        Ok(job) => job(),
                        Err(mpsc::RecvError) => return,
                    }
                }
            });
            if let Err(error) = started {
                tracing::error!(%error, "can't start a thread of {name}");
            }
        }
        Self { jobs }
    }

    /// Has `work` done. It is left out when the future is dropped before its turn comes.
    ///
    /// # Errors
    /// It panicked, or there is no thread.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Undone> {
        let (tell, told) = oneshot::channel();
        let job = move || {
            if tell.is_closed() {
                return;
            }
            if let Ok(result) = catch_unwind(AssertUnwindSafe(work)) {
                // Nobody may be waiting any more.
                let _ = tell.send(result);
            }
        };
        self.jobs.send(Box::new(job)).map_err(|_| Undone)?;
        told.await.map_err(|_| Undone)
    }
}

/// Work that came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a worker failed")]
pub(super) struct Undone;

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn a_panic_costs_its_own_work_and_no_thread() {
        let pool = Pool::new(1, "test");
        for _ in 0..3 {
            let failed = pool.run(|| -> u8 { panic!("on purpose") }).await;
            assert_eq!(failed, Err(Undone));
            assert_eq!(pool.run(|| 7).await, Ok(7));
        }
    }

    #[tokio::test]
    async fn what_nobody_waits_for_is_left_out() {
        let pool = Pool::new(1, "test");
        let (go, gate) = mpsc::channel::<()>();
        let mut held = Box::pin(pool.run(move || gate.recv().is_ok()));
        assert!(held.as_mut().now_or_never().is_none());
        let done = Arc::new(AtomicUsize::new(0));
        for _ in 0..100 {
            let done = done.clone();
            let mut waits = Box::pin(pool.run(move || done.fetch_add(1, SeqCst)));
            assert!(waits.as_mut().now_or_never().is_none());
        }
        go.send(()).expect("the thread waits for it");
        assert_eq!(held.await, Ok(true));
        assert_eq!(pool.run(|| 5).await, Ok(5));
        assert_eq!(done.load(SeqCst), 0);
    }
}
