//! The limits of what a source takes, whoever brings it: pushes, programs, cameras, servers and files alike. Pure: every
//! moment is an argument, counted from one that stands still.

use std::{collections::VecDeque, time::Duration};

/// Pictures a second: more are counted and left out.
pub const MAX_PER_SECOND: usize = 120;

/// How long a picture may take to come, from its first byte to its last.
pub const MAX_PICTURE_TIME: Duration = Duration::from_secs(60);

const SECOND: Duration = Duration::from_secs(1);

/// The pictures of a source, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// The number of those that came.
    pub came: u64,
    /// The number of those that nobody saw, though somebody watched: newer ones came first.
    pub dropped: u64,
    /// The number of those that came faster than is allowed, and were left out.
    pub too_fast: u64,
}

/// The gate that holds a flood to [`MAX_PER_SECOND`], in whichever second.
#[derive(Debug, Default)]
pub(super) struct Gate {
    /// When the last ones were let through, the oldest first.
    passed: VecDeque<Duration>,
}

impl Gate {
    /// Whether a picture that comes now is let through.
    pub(super) fn lets(&mut self, now: Duration) -> bool {
        let is_open = self.opens(now).is_zero();
        if is_open {
            if self.passed.len() >= MAX_PER_SECOND {
                self.passed.pop_front();
            }
            self.passed.push_back(now);
        }
        is_open
    }

    /// How long until one would be.
    pub(super) fn opens(&self, now: Duration) -> Duration {
        match self.passed.front() {
            Some(first) if self.passed.len() >= MAX_PER_SECOND => {
                (*first + SECOND).saturating_sub(now)
            }
            _ => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// How many pictures come in ten seconds, one every so many microseconds, and how many of them are let through.
    fn passed_of(every_micros: u64) -> (u64, u64) {
        let mut gate = Gate::default();
        let moments = (0..10_000_000).step_by(every_micros as usize);
        let (mut came, mut passed) = (0, 0);
        for at in moments {
            came += 1;
            passed += u64::from(gate.lets(Duration::from_micros(at)));
        }
        (came, passed)
    }

    #[test]
    fn a_flood_is_held_to_the_limit_and_what_is_within_it_passes() {
        for every_micros in [100, 1000, 5000, 8000] {
            let (came, passed) = passed_of(every_micros);
            assert!(came > 1200, "{every_micros}");
            assert_eq!(passed, 1200, "{every_micros}");
        }
        for every_micros in [8334, 16_667, 33_333, 1_000_000] {
            let (came, passed) = passed_of(every_micros);
            assert_eq!(came, passed, "{every_micros}");
        }
    }

    proptest! {
        #[test]
        fn no_second_has_more_than_the_limit_and_none_is_held_back_for_nothing(
            gaps in prop::collection::vec(prop_oneof![9 => 0..9_u64, 1 => 0..2000_u64], 1..2000),
        ) {
            let mut gate = Gate::default();
            let mut passed: Vec<Duration> = Vec::new();
            let mut now = Duration::ZERO;
            for gap in gaps {
                now += Duration::from_millis(gap);
                let within = passed.iter().filter(|at| **at + SECOND > now).count();
                let opens = gate.opens(now);
                prop_assert_eq!(opens.is_zero(), within < MAX_PER_SECOND);
                prop_assert!(opens <= SECOND);
                if gate.lets(now) {
                    passed.push(now);
                } else {
                    // It opens then, and no moment before.
                    let left = |then| passed.iter().filter(|at| **at + SECOND > then).count();
                    prop_assert!(left(now + opens) < MAX_PER_SECOND);
                    prop_assert_eq!(left(now + opens - Duration::from_nanos(1)), MAX_PER_SECOND);
                }
            }
        }
    }
}
