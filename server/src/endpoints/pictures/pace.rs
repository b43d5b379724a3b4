//! Whether a viewer keeps up, and how much less to give one that doesn't.
//!
//! Pure: told how many frames it got and missed, it says when to step down and when to try more again. What counts are
//! frames, not seconds: while a slide stands nobody can be slow.

use std::time::Duration;

/// How far below what it asked for a viewer can be; 0 is nothing.
pub(in crate::endpoints) const MAX_LEVEL: u8 = 3;

/// Frames over which a viewer is judged: a transition of a second at the default rate.
const SPAN: u64 = 20;
/// After a step the socket still holds what was written before it: nothing is judged meanwhile.
const REST: Duration = Duration::from_secs(4);
/// How long a viewer has to keep up before it is given more; twice as long each time that was too much.
const PATIENCE: Duration = Duration::from_secs(60);
const MOST_PATIENCE: Duration = Duration::from_secs(16 * 60);

/// One viewer's pace.
#[derive(Debug)]
pub(in crate::endpoints) struct Pace {
    level: u8,
    rest: Duration,
    n_got: u64,
    n_missed: u64,
    /// Of the last step.
    stepped_at: Duration,
    /// Of the last frame missed, or of the last step.
    trouble_at: Duration,
    went_up: bool,
    patience: Duration,
}

impl Pace {
    /// Of a viewer that begins at `now`; times are since anything that stands still.
    pub(in crate::endpoints) fn new(now: Duration) -> Self {
        Self::resting(now, REST)
    }

    /// Of one whose frames wait nowhere for longer than `rest` after a step.
    pub(in crate::endpoints) fn resting(now: Duration, rest: Duration) -> Self {
        Self {
            level: 0,
            rest,
            n_got: 0,
            n_missed: 0,
            stepped_at: now,
            trouble_at: now,
            went_up: false,
            patience: PATIENCE,
        }
    }

    /// A frame was sent at `now`, after `n_missed` that were not. Returns the level that would suit better, to be
    /// answered with [`Pace::step`] or [`Pace::stay`].
    pub(in crate::endpoints) fn sent(&mut self, now: Duration, n_missed: u64) -> Option<u8> {
        self.n_got += 1;
        self.n_missed += n_missed;
        if n_missed > 0 {
            self.trouble_at = now;
        }
        let n = self.n_got + self.n_missed;
        if n < SPAN || now.saturating_sub(self.stepped_at) < self.rest {
            return None;
        }
        // A third of them: less is a network's hiccup, which no smaller picture would cure.
        let slow = self.n_missed * 3 >= n;
        (self.n_got, self.n_missed) = (0, 0);
        if slow && self.level < MAX_LEVEL {
            return Some(self.level + 1);
        }
        if self.level > 0 && now.saturating_sub(self.trouble_at) >= self.patience {
            return Some(self.level - 1);
        }
        None
    }

    /// The viewer is given `level` from `now` on.
    pub(in crate::endpoints) fn step(&mut self, now: Duration, level: u8) {
        if level > self.level && self.went_up {
            self.patience = (self.patience * 2).min(MOST_PATIENCE);
        }
        self.went_up = level < self.level;
        self.level = level;
        self.stay(now);
    }

    /// There is nothing else to give at the moment.
    pub(in crate::endpoints) fn stay(&mut self, now: Duration) {
        (self.stepped_at, self.trouble_at) = (now, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Slides of 10 s with a crossfade of 1 s at 20 fps, over a network that carries `share` of what level 0 needs; each
    /// level needs half of the one before. Returns the steps, with the second in which they were taken.
    fn watch(seconds: u64, share: impl Fn(u64) -> f64) -> Vec<(u64, u8)> {
        let mut pace = Pace::new(Duration::ZERO);
        let (mut level, mut steps, mut owed, mut missed) = (0, Vec::new(), 0.0, 0);
        for second in (10..seconds).step_by(10) {
            for frame in 0..20 {
                let now = Duration::from_millis(second * 1000 + frame * 50);
                owed = (owed + share(second) * f64::from(1 << level)).min(2.0);
                if owed < 1.0 {
                    missed += 1;
                    continue;
                }
                owed -= 1.0;
                if let Some(new) = pace.sent(now, std::mem::take(&mut missed)) {
                    pace.step(now, new);
                    level = new;
                    steps.push((second, new));
                }
            }
        }
        steps
    }

    #[test]
    fn who_keeps_up_is_left_alone() {
        assert_eq!(watch(3600, |_| 1.0), []);
        // A frame missed now and then is no reason.
        assert_eq!(
            watch(3600, |second| if second % 60 == 0 { 0.9 } else { 1.0 }),
            []
        );
    }

    #[test]
    fn who_is_slow_gets_less_soon_and_no_less_than_needed() {
        let steps = watch(70, |_| 0.3);
        assert_eq!(
            steps.iter().map(|(_, level)| *level).collect::<Vec<_>>(),
            [1, 2]
        );
        assert!(steps[1].0 <= 60, "{steps:?}");
        let levels = watch(120, |_| 0.01);
        assert_eq!(levels.last().map(|(_, level)| *level), Some(MAX_LEVEL));
    }

    #[test]
    fn who_recovers_goes_back_up() {
        let steps = watch(3600, |second| if second < 100 { 0.4 } else { 1.0 });
        assert_eq!(steps.last().map(|(_, level)| *level), Some(0), "{steps:?}");
        assert!(
            steps.last().is_some_and(|(second, _)| *second < 400),
            "{steps:?}"
        );
    }

    #[test]
    fn trying_more_in_vain_becomes_rarer() {
        let ups: Vec<u64> = {
            let steps = watch(4 * 3600, |_| 0.55);
            let pairs = steps.windows(2);
            pairs
                .filter(|pair| pair[1].1 < pair[0].1)
                .map(|pair| pair[1].0)
                .collect()
        };
        assert!(ups.len() >= 3, "{ups:?}");
        let gaps: Vec<u64> = ups.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(
            gaps.windows(2).all(|pair| pair[1] + 20 >= pair[0]),
            "{gaps:?}"
        );
        assert!(gaps.last() > gaps.first(), "{gaps:?}");
    }
    #[test]
    fn who_can_not_be_given_less_is_asked_for_again_after_a_rest() {
        let mut pace = Pace::new(Duration::ZERO);
        let mut asked = Vec::new();
        for tenth in 0..200 {
            let now = Duration::from_millis(tenth * 100);
            if let Some(level) = pace.sent(now, 1) {
                asked.push((now.as_secs(), level));
                pace.stay(now);
            }
        }
        assert_eq!(asked, [(4, 1), (8, 1), (12, 1), (16, 1)]);
    }
}
