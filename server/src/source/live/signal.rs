//! The signal of a source: whether pictures come, or have not for too long. Pure: every moment is an argument.

use mantel_shared::UnixMillis;

/// The signal of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Signal {
    /// Nothing has come yet.
    #[default]
    Waiting,
    /// Pictures come.
    On,
    /// Nothing has come for longer than the source may be silent.
    Silent {
        /// When the last one came.
        since: UnixMillis,
    },
}

/// The judge of one source's signal.
#[derive(Clone, Debug)]
pub struct Judge {
    /// How many milliseconds a source may be silent; `None`: for ever.
    silent_after: Option<u64>,
    /// When the last picture came, and until when it may stay at least.
    last: Option<(UnixMillis, UnixMillis)>,
}

impl Judge {
    /// A judge of a source that may be silent so many milliseconds, or for ever.
    pub fn new(silent_after: Option<u64>) -> Self {
        Self {
            silent_after,
            last: None,
        }
    }

    /// A picture came, which its sender wants to stay so many milliseconds, if it says so.
    pub fn came(&mut self, now: UnixMillis, stays_millis: Option<u64>) {
        let until = UnixMillis(now.0.saturating_add(stays_millis.unwrap_or(0)));
        self.last = Some((now, until));
    }

    /// The signal as it is now.
    pub fn signal(&self, now: UnixMillis) -> Signal {
        match self.last {
            None => Signal::Waiting,
            Some((since, _)) if self.ends().is_some_and(|ends| now >= ends) => {
                Signal::Silent { since }
            }
            Some(_) => Signal::On,
        }
    }

    /// When the signal changes by itself, if it does.
    pub fn next_change(&self, now: UnixMillis) -> Option<UnixMillis> {
        let ends = self.ends()?;
        (ends > now).then_some(ends)
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
        assert_eq!(judge.next_change(T(1000)), Some(T(4000)));
        assert_eq!(judge.signal(T(3999)), Signal::On);
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
        assert_eq!(judge.next_change(T(70_000)), Some(T(73_000)));
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
}
