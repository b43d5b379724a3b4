//! Which of two machines of one house sends its pictures. Pure: the questions are asked elsewhere, and time is an argument.

use tokio::time::Instant;

/// Questions without an answer after which one that stands by takes over.
const GONE_AFTER: u32 = 3;

/// Whether this machine sends its pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It has not been asked yet whether there is another one.
    Unknown,
    /// It does, since then.
    Sends(Instant),
    /// Another one does.
    StandsBy,
}

/// A change of the role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// There is nobody else: its pictures are sent.
    Begins,
    /// There is another one, which was there first.
    StandsBy,
    /// The other one is gone.
    TakesOver,
}

/// A machine's claim to be the one: for how many milliseconds it has sent, and its run, where two have begun at once.
pub(super) type Claim = (u64, u64);

/// The role of one machine, question by question.
#[derive(Debug)]
pub(super) struct Election {
    run: u64,
    role: Role,
    n_alone: u32,
}

impl Election {
    /// For this run, before anybody was asked.
    pub(super) fn new(run: u64) -> Self {
        Self {
            run,
            role: Role::Unknown,
            n_alone: 0,
        }
    }

    /// The role as it is.
    pub(super) fn role(&self) -> Role {
        self.role
    }

    /// Takes the answers to a question: the claims of all others that send.
    pub(super) fn heard(
        &mut self,
        others: impl IntoIterator<Item = Claim>,
        now: Instant,
    ) -> Option<Change> {
        let first = others.into_iter().max();
        let change = match (self.role, first) {
            (Role::Unknown, None) => Some(Change::Begins),
            (Role::Unknown, Some(_)) => Some(Change::StandsBy),
            (Role::Sends(since), Some(other)) => {
                let own = u64::try_from(now.saturating_duration_since(since).as_millis());
                let own = (own.unwrap_or(u64::MAX), self.run);
                (other > own).then_some(Change::StandsBy)
            }
            (Role::StandsBy, None) => {
                self.n_alone += 1;
                (self.n_alone >= GONE_AFTER).then_some(Change::TakesOver)
            }
            (Role::StandsBy, Some(_)) => {
                self.n_alone = 0;
                None
            }
            (Role::Sends(_), None) => None,
        };
        match change {
            Some(Change::Begins | Change::TakesOver) => self.role = Role::Sends(now),
            Some(Change::StandsBy) => (self.role, self.n_alone) = (Role::StandsBy, 0),
            None => {}
        }
        change
    }
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "a moment to count from; nothing waits"
)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A machine, and when it began to send.
    struct Machine(Election);

    impl Machine {
        fn new(run: u64) -> Self {
            Self(Election::new(run))
        }

        fn claim(&self, now: Instant) -> Option<Claim> {
            match self.0.role() {
                Role::Sends(since) => {
                    let millis = now.saturating_duration_since(since).as_millis();
                    Some((u64::try_from(millis).unwrap(), self.0.run))
                }
                _ => None,
            }
        }
    }

    /// Each asks the others that it can reach.
    fn round(all: &mut [Machine], now: Instant, reaches: impl Fn(usize, usize) -> bool) {
        for n in 0..all.len() {
            let heard: Vec<Claim> = (0..all.len())
                .filter(|other| *other != n && reaches(n, *other))
                .filter_map(|other| all[other].claim(now))
                .collect();
            all[n].0.heard(heard, now);
        }
    }

    fn senders(all: &[Machine]) -> Vec<usize> {
        let sends = |n: &usize| matches!(all[*n].0.role(), Role::Sends(_));
        (0..all.len()).filter(sends).collect()
    }

    #[test]
    fn the_second_stands_by_and_takes_over_when_the_first_is_gone_for_good() {
        let begun = Instant::now();
        let mut all = [Machine::new(9), Machine::new(1)];
        assert_eq!(all[0].0.heard([], begun), Some(Change::Begins));
        let at = |seconds| begun + Duration::from_secs(seconds);
        for seconds in 1..10 {
            round(&mut all, at(seconds), |_, _| true);
            assert_eq!(senders(&all), [0]);
        }
        // An answer or two may get lost.
        for seconds in 10..30 {
            round(&mut all, at(seconds), |_, _| seconds % 3 == 0);
            assert_eq!(senders(&all), [0]);
        }
        let first = all[0].claim(at(30));
        assert_eq!(all[1].0.heard(first, at(30)), None);
        assert_eq!(all[1].0.heard([], at(31)), None);
        assert_eq!(all[1].0.heard([], at(32)), None);
        assert_eq!(all[1].0.heard([], at(33)), Some(Change::TakesOver));
    }

    #[test]
    fn after_a_partition_who_has_sent_longer_goes_on_and_never_both() {
        for runs in [[1, 9], [9, 1]] {
            let begun = Instant::now();
            let mut all = runs.map(Machine::new);
            let at = |seconds| begun + Duration::from_secs(seconds);
            round(&mut all, at(0), |_, _| true);
            assert_eq!(senders(&all), [0]);
            for seconds in 1..20 {
                round(&mut all, at(seconds), |_, _| false);
            }
            assert_eq!(senders(&all), [0, 1], "each is alone");
            round(&mut all, at(20), |_, _| true);
            assert_eq!(senders(&all), [0], "{runs:?}");
        }
    }

    #[test]
    fn of_two_that_began_at_once_one_goes_on() {
        let begun = Instant::now();
        let mut all = [Machine::new(1), Machine::new(9)];
        round(&mut all, begun, |_, _| false);
        assert_eq!(senders(&all), [0, 1]);
        let later = begun + Duration::from_secs(3);
        round(&mut all, later, |_, _| true);
        assert_eq!(senders(&all), [1]);
    }
}
