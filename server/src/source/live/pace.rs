//! The pace of a sender's video: when each of its pictures is to be seen, by when they come, and whether it can be passed
//! on as it comes. Pure: every moment is an argument, in ticks since the sender began.

use mantel_media::avc::NotThrough;

use crate::hub::TICKS;

/// Pictures are no closer and no further apart than this: 60 a second, with some room for clocks and networks, and 2.
const CLOSEST: u64 = TICKS / 66;
const FURTHEST: u64 = TICKS / 2;
/// A picture that comes later than this is late by intent: there was a pause.
const PAUSE: u64 = TICKS;
/// From one key frame to the next at most, where they can't be asked for: so long may who comes have to wait.
const KEYS_WITHIN: u64 = TICKS * 9 / 2;
/// The pictures by which a pace is known at first, and later on.
const N_KNOWN: u64 = 12;
const N_COUNTED: u64 = 256;

/// Why a sender's video is not passed on as it comes. Half a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// It has only begun.
    #[error("it is not known yet how often it has key frames")]
    Unknown,
    /// Its units can't be passed on.
    #[error("{0}")]
    NotThrough(NotThrough),
    /// Whoever comes would wait too long.
    #[error(
        "its key frames are more than 4 s apart: have more in the encoder (ffmpeg: -g 50, rpicam-vid: --intra 50)"
    )]
    KeysApart,
    /// It comes faster than it can be meant to be seen.
    #[error("it comes faster than 60 pictures a second")]
    TooFast,
    /// It is more of a slide show.
    #[error("it has fewer than 2 pictures a second")]
    TooSlow,
}

/// When a picture is to be seen, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) at: u64,
    pub(super) duration: u64,
}

/// The pace of one sender's video.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Whether key frames can be asked for.
    can_be_asked: bool,
    /// The pictures since there was none for too long.
    n: u64,
    /// Those that are counted, since when, and from one to the next of those that were counted before.
    n_counted: u64,
    first: u64,
    mean: Option<u64>,
    /// When the last picture came, when it is to be seen, and for how long it was said to be.
    last: u64,
    seen: u64,
    duration: u64,
    /// From one picture to the next, as it is now.
    period: u64,
    last_key: Option<u64>,
    /// How many times a key frame has followed another one soon enough, with nothing wrong in between.
    n_good: u32,
    /// Whether the last two were too far apart.
    is_apart: bool,
    /// The fault, until two key frames have come without one.
    wrong: Option<NotThrough>,
}

impl Pace {
    /// The pace of a sender that begins, which can be asked for key frames or can't.
    pub(super) fn of(can_be_asked: bool) -> Self {
        Self {
            can_be_asked,
            ..Self::default()
        }
    }

    /// Whether key frames can be asked for.
    pub(super) fn can_be_asked(&self) -> bool {
        self.can_be_asked
    }

    /// A picture came. Pictures are seen evenly although they come unevenly, and never further apart than two durations: a
    /// page's buffer drops what follows a longer gap, up to a key frame. What is late is caught up with bit by bit.
    pub(super) fn came(&mut self, now: u64, is_key: bool) -> Stamp {
        let interval = now.saturating_sub(self.last);
        if self.n == 0 || interval > PAUSE {
            // Behind a pause whoever was shown it has gone on with something else.
            self.seen = now.max(self.seen + self.duration);
            (self.first, self.n, self.n_counted, self.mean) = (now, 0, 0, None);
            (self.n_good, self.last_key) = (0, None);
            // None is known yet.
            self.period = FURTHEST;
        } else {
            self.n_counted += 1;
            self.period = match self.n {
                n @ ..=32 => now.saturating_sub(self.first) / n,
                _ => (self.period * 31 + interval.min(8 * self.period)) / 32,
            }
            .clamp(CLOSEST / 2, FURTHEST * 2);
            let planned = self.seen + self.period;
            // An eighth of what it is late by, within bounds.
            let late = now.saturating_sub(planned) / 8;
            let early = planned.saturating_sub(now) / 8;
            let step = self.period + late.min(self.period) - early.min(self.period / 2);
            self.seen += step.min(2 * self.duration);
        }
        self.last = now;
        self.n += 1;
        if self.n_counted == N_COUNTED {
            self.mean = self.counted();
            (self.first, self.n_counted) = (now, 0);
        }
        if is_key {
            let apart = self.last_key.map(|last| now.saturating_sub(last));
            self.is_apart = apart.is_some_and(|apart| apart > KEYS_WITHIN);
            if apart.is_some() && !self.is_apart {
                self.n_good += 1;
            } else {
                self.n_good = 0;
            }
            if self.n_good > 0 {
                self.wrong = None;
            }
            self.last_key = Some(now);
        }
        self.duration = self.period.clamp(CLOSEST, FURTHEST);
        Stamp {
            at: self.seen,
            duration: self.duration,
        }
    }

    /// From one picture to the next of those that are counted.
    fn counted(&self) -> Option<u64> {
        self.last
            .saturating_sub(self.first)
            .checked_div(self.n_counted)
    }

    /// Something about the last picture is wrong.
    pub(super) fn is_wrong(&mut self, why: NotThrough) {
        if why != NotThrough::WaitsForKey {
            self.wrong = Some(why);
        }
        (self.n_good, self.last_key) = (0, None);
    }

    /// How many pictures a second are passed on.
    ///
    /// # Errors
    /// None are, and why.
    pub(super) fn passes(&self) -> Result<u32, Why> {
        if let Some(why) = self.wrong {
            return Err(Why::NotThrough(why));
        }
        let mean = self.mean.or(self.counted()).filter(|_| self.n >= N_KNOWN);
        let mean = mean.ok_or(Why::Unknown)?;
        if mean < CLOSEST {
            return Err(Why::TooFast);
        }
        if mean > FURTHEST {
            return Err(Why::TooSlow);
        }
        let since_key = self.last_key.map(|key| self.last.saturating_sub(key));
        if !self.can_be_asked {
            if since_key.is_some_and(|since| since > KEYS_WITHIN)
                || self.last_key.is_none() && self.n * mean > KEYS_WITHIN
                || self.is_apart
            {
                return Err(Why::KeysApart);
            }
            if self.n_good == 0 {
                return Err(Why::Unknown);
            }
        }
        let rate = (TICKS + mean / 2) / mean;
        Ok(u32::try_from(rate).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: u64 = TICKS / 25;

    /// Pictures that come at these moments, a key frame every `gop`.
    fn run(pace: &mut Pace, moments: impl IntoIterator<Item = u64>, gop: usize) -> Vec<Stamp> {
        let came = |(no, at): (usize, u64)| pace.came(at, no.is_multiple_of(gop));
        moments.into_iter().enumerate().map(came).collect()
    }

    #[test]
    fn an_even_pace_is_seen_as_it_came_and_known_by_its_second_key_frame() {
        let mut pace = Pace::default();
        let stamps = run(&mut pace, (0..50).map(|no| no * FRAME), 50);
        assert!(
            stamps
                .iter()
                .zip(0..)
                .all(|(stamp, no)| stamp.at == no * FRAME)
        );
        assert!(stamps[20..].iter().all(|stamp| stamp.duration == FRAME));
        assert_eq!(pace.passes(), Err(Why::Unknown));
        pace.came(50 * FRAME, true);
        assert_eq!(pace.passes(), Ok(25));
    }

    #[test]
    fn what_comes_in_bursts_is_seen_evenly_and_soon() {
        let mut pace = Pace::default();
        // Four at a time, as a network or a pipe may have it.
        let moments = (0..500).map(|no| no / 4 * 4 * FRAME);
        let stamps = run(&mut pace, moments.clone(), 50);
        for (pair, came) in stamps.windows(2).zip(moments.skip(1)).skip(50) {
            let apart = pair[1].at - pair[0].at;
            assert!((FRAME / 2..2 * FRAME).contains(&apart), "{apart}");
            assert!(pair[1].at.abs_diff(came) < 4 * FRAME);
        }
        assert_eq!(pace.passes(), Ok(25));
    }

    #[test]
    fn no_gap_is_longer_than_two_durations_and_what_was_late_is_caught_up_with() {
        let mut pace = Pace::default();
        let held_up = |no: u64| {
            if no < 200 {
                no * FRAME
            } else {
                no * FRAME + TICKS / 2
            }
        };
        let stamps = run(&mut pace, (0..400).map(held_up), 50);
        for pair in stamps[40..].windows(2) {
            assert!(pair[1].at > pair[0].at);
            assert!(pair[1].at - pair[0].at <= 2 * pair[0].duration);
        }
        let last = stamps.last().unwrap().at;
        assert!(last.abs_diff(held_up(399)) < FRAME, "{last}");
    }

    #[test]
    fn a_pause_is_none_of_the_pace_and_the_key_frames_after_it_count_anew() {
        let mut pace = Pace::default();
        run(&mut pace, (0..101).map(|no| no * FRAME), 50);
        assert_eq!(pace.passes(), Ok(25));
        let after = 101 * FRAME + 60 * TICKS;
        let stamp = pace.came(after, false);
        assert_eq!(stamp.at, after);
        assert_eq!(pace.passes(), Err(Why::Unknown));
        run(&mut pace, (1..102).map(|no| after + no * FRAME), 50);
        assert_eq!(pace.passes(), Ok(25));
    }

    #[test]
    fn each_reason_is_told() {
        let told = |fps: u64, gop, n| {
            let mut pace = Pace::default();
            run(&mut pace, (0..n).map(|no| no * TICKS / fps), gop);
            pace.passes()
        };
        assert_eq!(told(25, 50, 11), Err(Why::Unknown));
        assert_eq!(told(25, 250, 60), Err(Why::Unknown));
        assert_eq!(told(25, 250, 120), Err(Why::KeysApart));
        assert_eq!(told(25, 250, 600), Err(Why::KeysApart));
        assert_eq!(told(25, 100, 300), Ok(25));
        assert_eq!(told(60, 60, 300), Ok(60));
        assert_eq!(told(1000, 60, 600), Err(Why::TooFast));
        assert_eq!(told(1, 2, 60), Err(Why::TooSlow));
        // All of them key frames.
        assert_eq!(told(30, 1, 60), Ok(30));
        let mut asked = Pace::of(true);
        run(&mut asked, (0..600).map(|no| no * FRAME), 1000);
        assert_eq!(asked.passes(), Ok(25));
    }

    #[test]
    fn key_frames_that_cease_are_noticed() {
        let mut pace = Pace::default();
        run(&mut pace, (0..101).map(|no| no * FRAME), 50);
        assert_eq!(pace.passes(), Ok(25));
        run(&mut pace, (101..210).map(|no| no * FRAME), 50);
        let last = 210 * FRAME;
        for no in 0..120 {
            pace.came(last + no * FRAME, false);
        }
        assert_eq!(pace.passes(), Err(Why::KeysApart));
    }

    #[test]
    fn what_is_wrong_once_a_group_of_pictures_is_wrong() {
        let mut pace = Pace::default();
        for no in 0..600_u64 {
            pace.came(no * FRAME, no.is_multiple_of(50));
            if no % 50 == 7 {
                pace.is_wrong(NotThrough::Reorders);
            } else if no % 50 > 7 {
                pace.is_wrong(NotThrough::WaitsForKey);
            }
            assert!(pace.passes().is_err(), "{no}");
        }
        assert_eq!(pace.passes(), Err(Why::NotThrough(NotThrough::Reorders)));
        run(&mut pace, (600..701).map(|no| no * FRAME), 50);
        assert_eq!(
            pace.passes(),
            Ok(25),
            "and healed by two key frames without"
        );
    }
}
