//! How long a thread that renders is waited for.
//!
//! A photo that keeps a processor busy for the limit is too slow, and that is its own fault. A thread
//! that has hardly run meanwhile is no photo's fault: the machine was stopped, or a drive does not
//! answer. It is waited for a few times longer, and then the photo is tried again another time.

use std::{path::PathBuf, time::Duration};

/// How many limits of waiting a thread gets that does not use the processor.
const N_LIMITS: u32 = 4;

/// The verdict on a thread that has not finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Wait for another limit.
    Wait,
    /// It has used the processor for the limit.
    Slow,
    /// It does nothing.
    Stuck,
}

/// The verdict on a thread when it has been waited for `n` whole limits and has used so much processor time,
/// `None` where the system does not tell.
pub(super) fn judge(n: u32, used: Option<Duration>, limit: Duration) -> Verdict {
    match used {
        Some(used) if used >= limit => Verdict::Slow,
        Some(_) if n < N_LIMITS => Verdict::Wait,
        Some(_) => Verdict::Stuck,
        // Twice: after a stop of the whole machine the first is over at once.
        None if n < 2 => Verdict::Wait,
        None => Verdict::Slow,
    }
}

/// The processor time of one thread.
#[derive(Clone, Debug)]
pub(super) struct ThreadClock(Option<PathBuf>);

/// The unit in which Linux counts processor time, whatever its own clock (USER_HZ, see proc(5)).
const TICK: Duration = Duration::from_millis(10);

impl ThreadClock {
    /// The clock of the thread that asks.
    pub(super) fn of_this_thread() -> Self {
        // A link to PID/task/TID; on other systems there is none.
        let task = std::fs::read_link("/proc/thread-self").ok();
        Self(task.map(|task| PathBuf::from("/proc").join(task).join("stat")))
    }

    /// How long it has run so far; `None` where the system does not tell, or when it has ended.
    #[expect(clippy::disallowed_methods, reason = "files of /proc do not wait")]
    pub(super) fn used(&self) -> Option<Duration> {
        let stat = std::fs::read_to_string(self.0.as_ref()?).ok()?;
        ticks(&stat).map(|ticks| TICK * ticks)
    }
}

/// User and system time of a line of /proc/PID/stat: fields 14 and 15, where the second, a name in
/// parentheses, may hold anything.
fn ticks(stat: &str) -> Option<u32> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let (user, system): (u32, u32) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    user.checked_add(system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_thread_that_has_run_is_slow() {
        const LIMIT: Duration = Duration::from_secs(30);
        let some = |seconds| Some(Duration::from_secs(seconds));
        for (n, used, verdict) in [
            (1, some(30), Verdict::Slow),
            (1, some(29), Verdict::Wait),
            (3, some(0), Verdict::Wait),
            (4, some(29), Verdict::Stuck),
            (4, some(31), Verdict::Slow),
            (1, None, Verdict::Wait),
            (2, None, Verdict::Slow),
        ] {
            assert_eq!(judge(n, used, LIMIT), verdict, "{n} {used:?}");
        }
    }

    #[test]
    fn a_name_with_parentheses_and_spaces_is_no_field() {
        let line = "17 (a) 9 (b) R 1 1 1 0 -1 4194304 100 0 0 0 250 31 0 0 20 0 9 0 1 1 1";
        assert_eq!(ticks(line), Some(281));
        for bad in [
            "",
            "17 (render) R 1",
            "no parenthesis 1 2 3 4 5 6 7 8 9 10 11 12 13 14",
        ] {
            assert_eq!(ticks(bad), None, "{bad:?}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_thread_that_works_is_seen_to_work() {
        let clock = ThreadClock::of_this_thread();
        let before = clock.used().expect("Linux tells");
        let mut sum = 0_u64;
        while clock.used().expect("Linux tells") < before + TICK * 2 {
            sum = (0..100_000).fold(sum, |sum, n| std::hint::black_box(sum ^ n));
        }
    }
}
