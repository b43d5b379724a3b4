//! The wall clock, read by the shells alone: everything pure is told the time.
//!
//! A task that waits for moments is given a [`Clock`], so that a test can run a day of it at once and set its time
//! forward and back.

#![expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the wall clock"
)]

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use mantel_shared::UnixMillis;

/// The clock from which a task reads the time. Sleeping is tokio's, which a test pauses.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> UnixMillis + Send + Sync>);

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(Arc::new(now))
    }

    /// Milliseconds since 1970.
    pub fn now(&self) -> UnixMillis {
        (self.0)()
    }

    /// How long until `moment`; nothing when it has passed.
    pub fn until(&self, moment: UnixMillis) -> Duration {
        Duration::from_millis(moment.0.saturating_sub(self.now().0))
    }

    /// The day that it is here.
    pub fn today(&self) -> chrono::NaiveDate {
        here(self.now()).date_naive()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clock").field(&self.now()).finish()
    }
}

/// Milliseconds since 1970.
pub fn now() -> UnixMillis {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    UnixMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// The time that it is here. A clock before 1970 is taken for one of that year, as [`now`] does: chrono's
/// own reading of it panics.
pub fn local() -> chrono::DateTime<chrono::Local> {
    here(now())
}

/// The day that it is here.
pub fn today() -> chrono::NaiveDate {
    local().date_naive()
}

/// The time of day that it was here at a moment, in hours and minutes.
pub fn time_of_day(at: UnixMillis) -> String {
    here(at).format("%H:%M").to_string()
}

/// A moment as the clocks here show it.
pub fn here(at: UnixMillis) -> chrono::DateTime<chrono::Local> {
    let at = i64::try_from(at.0).ok();
    let at = at.and_then(chrono::DateTime::from_timestamp_millis);
    at.unwrap_or_default().with_timezone(&chrono::Local)
}

#[cfg(test)]
pub(crate) mod virtual_time {
    use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

    use super::*;

    /// A wall clock that goes on with tokio's time, which a test pauses, and that a test can set.
    #[derive(Clone, Debug)]
    pub(crate) struct SetClock {
        started: tokio::time::Instant,
        /// The time at which it was started, and by how much it was set since.
        wall: Arc<AtomicU64>,
    }

    impl SetClock {
        /// A clock that says `wall` now.
        pub(crate) fn at(wall: UnixMillis) -> Self {
            Self {
                started: tokio::time::Instant::now(),
                wall: Arc::new(AtomicU64::new(wall.0)),
            }
        }

        pub(crate) fn now(&self) -> UnixMillis {
            UnixMillis(self.wall.load(SeqCst) + millis(self.started.elapsed()))
        }

        /// The clock for a task.
        pub(crate) fn clock(&self) -> Clock {
            let own = self.clone();
            Clock(Arc::new(move || own.now()))
        }

        /// The clock is set forward: the machine has slept, or the network knows better.
        pub(crate) fn set_forward(&self, by: Duration) {
            self.wall.fetch_add(millis(by), SeqCst);
        }

        /// The clock is set back.
        pub(crate) fn set_back(&self, by: Duration) {
            self.wall.fetch_sub(millis(by), SeqCst);
        }
    }

    fn millis(span: Duration) -> u64 {
        u64::try_from(span.as_millis()).expect("less than for ever")
    }
}
