//! The time for which a rendition stays warm after its last viewer has left. Pure.

use std::time::Duration;

use tokio::time::Instant;

/// How long that is: a page that is loaded again, or a client that polls snapshots, finds it ready.
const LINGER: Duration = Duration::from_secs(30);

/// How long after that it is still made as if somebody watched: a client that polls comes back sooner.
const BRISK: Duration = Duration::from_secs(2);

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

    /// Whether it is kept warm for somebody who may come back, and nobody polls it either.
    pub fn is_idle(&self, now: Instant) -> bool {
        !self.was_watched && now >= self.unwatched_since + BRISK
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_idle_when_nobody_has_come_back_for_a_while() {
        let began = Instant::now();
        let mut linger = Linger::new(began);
        let at = |millis| began + Duration::from_millis(millis);
        linger.until(true, at(500));
        assert!(!linger.is_idle(at(90_000)), "it is watched");
        assert_eq!(linger.until(false, at(1000)), at(31_000));
        assert!(!linger.is_idle(at(2999)) && linger.is_idle(at(3000)));
        // A poll is over before anybody sees it.
        linger.until(true, at(4000));
        linger.until(false, at(4000));
        assert!(!linger.is_idle(at(5999)) && linger.is_idle(at(6000)));
    }
}
