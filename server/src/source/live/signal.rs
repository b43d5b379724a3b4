//! The signal of a source: whether pictures come, have not for a while, or have not for too long, and why. Pure: every
//! moment is an argument.

use std::sync::Arc;

use mantel_shared::UnixMillis;

/// The signal of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Signal {
    /// Nothing has come yet.
    #[default]
    Waiting,
    /// Pictures come.
    On,
    /// Nothing has come for three quarters of the time that the source may be silent, or it is lost: its last picture is still shown,
    /// with its age.
    Stale {
        /// When the last one came.
        since: UnixMillis,
    },
    /// Nothing has come for longer than the source may be silent.
    Silent {
        /// When the last one came.
        since: UnixMillis,
    },
    /// Nothing can come at present, and no picture is left that may still be shown.
    Lost {
        /// When the last one came, or, where none has, when the source was found lost.
        since: UnixMillis,
        /// Why, in a sentence.
        why: Arc<str>,
    },
}

/// The judge of one source's signal.
#[derive(Clone, Debug)]
pub struct Judge {
    /// How many milliseconds a source may be silent; `None`: for ever.
    silent_after: Option<u64>,
    /// When the last picture came, and until when it may stay at least.
    last: Option<(UnixMillis, UnixMillis)>,
    /// When the source was found lost, and why.
    lost: Option<(UnixMillis, Arc<str>)>,
}

impl Judge {
    /// A judge of a source that may be silent so many milliseconds, or for ever.
    pub fn new(silent_after: Option<u64>) -> Self {
        Self {
            silent_after,
            last: None,
            lost: None,
        }
    }

    /// A picture came, which its sender wants to stay so many milliseconds, if it says so.
    pub fn came(&mut self, now: UnixMillis, stays_millis: Option<u64>) {
        let until = UnixMillis(now.0.saturating_add(stays_millis.unwrap_or(0)));
        self.last = Some((now, until));
        self.lost = None;
    }

    /// Nothing can come until something does: the camera is unplugged, a server is away.
    pub fn lost(&mut self, now: UnixMillis, why: &str) {
        let since = self.lost.take().map_or(now, |(since, _)| since);
        self.lost = Some((since, why.into()));
    }

    /// The picture was taken off, as if nothing had come yet.
    pub fn cleared(&mut self) {
        (self.last, self.lost) = (None, None);
    }

    /// The signal as it is now.
    pub fn signal(&self, now: UnixMillis) -> Signal {
        let Some((since, _)) = self.last else {
            return match self.lost.clone() {
                Some((since, why)) => Signal::Lost { since, why },
                None => Signal::Waiting,
            };
        };
        if self.ends().is_some_and(|ends| now >= ends) {
            return match self.lost.clone() {
                Some((_, why)) => Signal::Lost { since, why },
                None => Signal::Silent { since },
            };
        }
        if self.goes_stale().is_some_and(|stale| now >= stale) {
            return Signal::Stale { since };
        }
        Signal::On
    }

    /// When the signal changes by itself, if it does.
    pub fn next_change(&self, now: UnixMillis) -> Option<UnixMillis> {
        let changes = [self.goes_stale(), self.ends()];
        changes.into_iter().flatten().filter(|at| *at > now).min()
    }

    /// When the last picture's age is worth telling: at once where its source is lost.
    fn goes_stale(&self) -> Option<UnixMillis> {
        let (came, until) = self.last?;
        let at = match &self.lost {
            Some((at, _)) => *at,
            None => UnixMillis(came.0.saturating_add(self.silent_after? / 4 * 3)),
        };
        Some(at.max(until))
    }

    /// When a silence has lasted too long: never before the last picture may go.
    fn ends(&self) -> Option<UnixMillis> {
        let (came, until) = self.last?;
        let ends = UnixMillis(came.0.saturating_add(self.silent_after?));
        Some(ends.max(until))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: fn(u64) -> UnixMillis = UnixMillis;

    #[test]
    fn a_source_is_silent_when_nothing_has_come_for_too_long() {
        let mut judge = Judge::new(Some(3000));
        assert_eq!(judge.signal(T(9_000_000)), Signal::Waiting);
        judge.came(T(1000), None);
        assert_eq!(judge.next_change(T(1000)), Some(T(3250)));
        assert_eq!(judge.signal(T(3249)), Signal::On);
        assert_eq!(judge.signal(T(3250)), Signal::Stale { since: T(1000) });
        assert_eq!(judge.next_change(T(3250)), Some(T(4000)));
        assert_eq!(judge.signal(T(3999)), Signal::Stale { since: T(1000) });
        assert_eq!(judge.signal(T(4000)), Signal::Silent { since: T(1000) });
        assert_eq!(judge.next_change(T(4000)), None);
        judge.came(T(5000), None);
        assert_eq!(judge.signal(T(5000)), Signal::On);
    }

    #[test]
    fn a_picture_stays_as_long_as_its_sender_wants() {
        let mut judge = Judge::new(Some(3000));
        judge.came(T(0), Some(60_000));
        assert_eq!(judge.signal(T(59_999)), Signal::On);
        assert_eq!(judge.signal(T(60_000)), Signal::Silent { since: T(0) });
        judge.came(T(70_000), Some(10));
        assert_eq!(judge.next_change(T(72_500)), Some(T(73_000)));
        judge.came(T(80_000), Some(u64::MAX));
        assert_eq!(judge.signal(T(u64::MAX - 1)), Signal::On);
    }

    #[test]
    fn a_source_without_a_limit_is_never_silent() {
        let mut judge = Judge::new(None);
        judge.came(T(0), Some(5));
        assert_eq!(judge.signal(T(u64::MAX)), Signal::On);
        assert_eq!(judge.next_change(T(1)), None);
    }

    #[test]
    fn a_lost_source_says_why_once_its_last_picture_has_gone() {
        let why = |why: &str| -> Arc<str> { why.into() };
        let mut judge = Judge::new(Some(3000));
        judge.lost(T(10), "no such device");
        judge.lost(T(20), "it is busy");
        let lost = Signal::Lost {
            since: T(10),
            why: why("it is busy"),
        };
        assert_eq!(judge.signal(T(30)), lost);
        judge.came(T(100), None);
        assert_eq!(judge.signal(T(100)), Signal::On);
        judge.lost(T(200), "it was unplugged");
        assert_eq!(judge.signal(T(200)), Signal::Stale { since: T(100) });
        assert_eq!(judge.next_change(T(200)), Some(T(3100)));
        let lost = Signal::Lost {
            since: T(100),
            why: why("it was unplugged"),
        };
        assert_eq!(judge.signal(T(3100)), lost);
        judge.came(T(4000), None);
        assert_eq!(judge.signal(T(4000)), Signal::On);
    }

    #[test]
    fn a_lost_source_that_may_be_silent_keeps_its_picture_with_its_age() {
        let mut judge = Judge::new(None);
        judge.came(T(5), None);
        judge.lost(T(50), "the file is gone");
        assert_eq!(judge.signal(T(u64::MAX)), Signal::Stale { since: T(5) });
    }
}
