//! The time for which a rendition stays warm after its last viewer has left. Pure.

use std::time::Duration;

use tokio::time::Instant;

/// How long that is: a page that is loaded again, or a client that polls snapshots, finds it ready.
const LINGER: Duration = Duration::from_secs(30);

/// The watch over one rendition's viewers.
#[derive(Debug)]
pub struct Linger {
    unwatched_since: Instant,
    was_watched: bool,
}

impl Linger {
    /// Begins with somebody who is about to watch.
    pub fn new(now: Instant) -> Self {
        Self {
            unwatched_since: now,
            was_watched: true,
        }
    }

    /// The moment at which nobody will have watched for too long, if nobody comes.
    pub fn until(&mut self, is_watched: bool, now: Instant) -> Instant {
        // From the moment on which the last one left: nobody may have looked since one came.
        if std::mem::replace(&mut self.was_watched, is_watched) || is_watched {
            self.unwatched_since = now;
        }
        self.unwatched_since + LINGER
    }
}
