//! Waiting for a worker and for memory. The order is [`queue`](super::queue)'s; here are the locks.
//!
//! Work belongs to those who wait for it: its urgency is that of the most urgent of them, and when the
//! last of them goes while it is queued, it is dropped.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError, Weak,
    atomic::{AtomicBool, AtomicU8, Ordering::SeqCst},
};

use tokio::sync::oneshot;

use super::queue::{Queue, Ticket, Urgency};
use crate::stats::WorkStats;

/// One producer's interest in a piece of work. Dropped when it waits no longer.
#[derive(Debug)]
pub struct Claim {
    urgency: AtomicU8,
    started: AtomicBool,
}

impl Claim {
    pub(super) fn new(urgency: Urgency) -> Arc<Self> {
        Arc::new(Self {
            urgency: AtomicU8::new(urgency as u8),
            started: AtomicBool::new(false),
        })
    }

    /// From now on the work is so urgent.
    pub(super) fn set(&self, urgency: Urgency) {
        self.urgency.store(urgency as u8, SeqCst);
    }

    /// Whether a worker has begun with it.
    pub(super) fn is_started(&self) -> bool {
        self.started.load(SeqCst)
    }

    fn urgency(&self) -> Urgency {
        match self.urgency.load(SeqCst) {
            3 => Urgency::Current,
            2 => Urgency::Next,
            1 => Urgency::Idle,
            _ => Urgency::Past,
        }
    }
}

/// All claims to one piece of work.
#[derive(Clone, Debug, Default)]
pub(super) struct Claims(Arc<Mutex<Claimed>>);

#[derive(Debug, Default)]
struct Claimed {
    claims: Vec<Weak<Claim>>,
    started: bool,
}

impl Claims {
    /// Somebody else wants the same.
    pub(super) fn add(&self, claim: &Arc<Claim>) {
        let mut claimed = locked(&self.0);
        claimed.claims.retain(|claim| claim.strong_count() > 0);
        claimed.claims.push(Arc::downgrade(claim));
        if claimed.started {
            claim.started.store(true, SeqCst);
        }
    }

    /// A worker begins with it.
    pub(super) fn start(&self) {
        let mut claimed = locked(&self.0);
        claimed.started = true;
        for claim in claimed.claims.iter().filter_map(Weak::upgrade) {
            claim.started.store(true, SeqCst);
        }
    }

    fn urgency(&self) -> Urgency {
        let claimed = locked(&self.0);
        let claims = claimed.claims.iter().filter_map(Weak::upgrade);
        let urgencies = claims.map(|claim| claim.urgency());
        urgencies.max().unwrap_or(Urgency::Past)
    }
}

/// Lends workers and memory.
#[derive(Debug)]
pub(super) struct Admission {
    queue: Mutex<Queue<Asking>>,
    stats: Arc<WorkStats>,
}

#[derive(Debug)]
struct Asking {
    claims: Claims,
    tell: oneshot::Sender<Lent>,
}

impl Admission {
    pub(super) fn new(n_workers: usize, memory_mib: u32, stats: Arc<WorkStats>) -> Arc<Self> {
        Arc::new(Self {
            queue: Mutex::new(Queue::new(n_workers, memory_mib)),
            stats,
        })
    }

    /// A worker and `n_mib`, as soon as it is the claims' turn. Whoever drops the future waits no
    /// longer and holds nobody up.
    pub(super) async fn lend(self: &Arc<Self>, n_mib: u32, claims: Claims) -> Lent {
        let (tell, told) = oneshot::channel();
        let asking = Asking {
            claims: claims.clone(),
            tell,
        };
        let waiting = self.ask(n_mib, asking);
        self.admit();
        let lent = told.await;
        drop(waiting);
        match lent {
            Ok(lent) => {
                claims.start();
                lent
            }
            // The other end is in the queue until it has spoken, and the queue lives as long as this.
            Err(_) => std::future::pending().await,
        }
    }

    fn ask(self: &Arc<Self>, n_mib: u32, asking: Asking) -> InQueue<'_> {
        let mut queue = locked(&self.queue);
        if queue.free_mib() < n_mib {
            self.stats.decode_waits.fetch_add(1, SeqCst);
        }
        InQueue {
            admission: self,
            ticket: queue.ask(n_mib, asking),
        }
    }

    fn admit(self: &Arc<Self>) {
        loop {
            let next = locked(&self.queue).admit(|asking| asking.claims.urgency());
            let Some((asking, n_mib)) = next else { return };
            let n_bytes = u64::from(n_mib) << 20;
            self.stats.decode_bytes.fetch_add(n_bytes, SeqCst);
            // Whoever has just left lets it drop, which gives it back.
            let _ = asking.tell.send(Lent {
                admission: self.clone(),
                n_mib,
            });
        }
    }

    #[cfg(test)]
    pub(super) fn n_waiting(&self) -> usize {
        locked(&self.queue).len()
    }

    #[cfg(test)]
    pub(super) fn n_free(&self) -> usize {
        locked(&self.queue).n_free()
    }
}

/// A place in the queue; left when dropped.
struct InQueue<'a> {
    admission: &'a Arc<Admission>,
    ticket: Ticket,
}

impl Drop for InQueue<'_> {
    fn drop(&mut self) {
        let left = locked(&self.admission.queue).leave(self.ticket);
        if left.is_some() {
            // It may have stood before somebody for whom there is room.
            self.admission.admit();
        }
    }
}

/// A worker's place and memory; given back when dropped.
#[derive(Debug)]
pub(super) struct Lent {
    admission: Arc<Admission>,
    n_mib: u32,
}

impl Drop for Lent {
    fn drop(&mut self) {
        let n_bytes = u64::from(self.n_mib) << 20;
        self.admission.stats.decode_bytes.fetch_sub(n_bytes, SeqCst);
        locked(&self.admission.queue).give_back(self.n_mib);
        self.admission.admit();
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn claims(urgency: Urgency) -> (Arc<Claim>, Claims) {
        let (claim, claims) = (Claim::new(urgency), Claims::default());
        claims.add(&claim);
        (claim, claims)
    }

    #[tokio::test]
    async fn who_leaves_the_queue_is_never_served() {
        let admission = Admission::new(1, 10, Arc::default());
        let (_first, first) = claims(Urgency::Next);
        let lent = admission.lend(10, first).await;
        let waiting: Vec<_> = (0..400)
            .map(|_| {
                let (claim, claims) = claims(Urgency::Current);
                let admission = admission.clone();
                let waits = async move { admission.lend(10, claims).await };
                let mut waits = Box::pin(waits);
                assert!(waits.as_mut().now_or_never().is_none());
                (claim, waits)
            })
            .collect();
        assert_eq!(admission.n_waiting(), 400);
        drop(waiting);
        assert_eq!(admission.n_waiting(), 0);
        drop(lent);
        assert_eq!(admission.n_free(), 1);
        let (_last, last) = claims(Urgency::Idle);
        assert!(admission.lend(10, last).now_or_never().is_some());
    }

    #[tokio::test]
    async fn what_was_lent_to_somebody_who_left_that_moment_comes_back() {
        let admission = Admission::new(1, 10, Arc::default());
        let (_first, first) = claims(Urgency::Next);
        let lent = admission.lend(10, first).await;
        let (_claim, second) = claims(Urgency::Next);
        let mut waits = Box::pin(admission.lend(10, second));
        assert!(waits.as_mut().now_or_never().is_none());
        // It is told, and goes before it has heard.
        drop(lent);
        assert_eq!((admission.n_free(), admission.n_waiting()), (0, 0));
        drop(waits);
        assert_eq!(admission.n_free(), 1);
    }

    #[tokio::test]
    async fn the_most_urgent_claim_counts_and_a_late_one_knows_that_work_began() {
        let (first, claims) = claims(Urgency::Past);
        let second = Claim::new(Urgency::Current);
        claims.add(&second);
        assert_eq!(claims.urgency(), Urgency::Current);
        drop(second);
        assert_eq!(claims.urgency(), Urgency::Past);
        first.set(Urgency::Next);
        assert_eq!(claims.urgency(), Urgency::Next);
        assert!(!first.is_started());
        let admission = Admission::new(1, 10, Arc::default());
        let _lent = admission.lend(1, claims.clone()).await;
        let late = Claim::new(Urgency::Idle);
        claims.add(&late);
        assert!(first.is_started() && late.is_started());
    }
}
