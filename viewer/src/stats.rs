//! The viewer's figures: rates, recent times and counts.
//!
//! Never how they are shown, and nothing here decides anything: a figure is written and read.

use crate::clock::Local;

const N_BUCKETS: usize = 10;
const N_SECONDS: i64 = 10;

/// An amount per second, over the last ten seconds. Slides come seconds apart: over one second
/// the rate would be either nothing or a peak.
#[derive(Debug, Default)]
pub struct Rate {
    buckets: [f64; N_BUCKETS],
    /// The whole second of the newest bucket.
    newest: i64,
}

impl Rate {
    /// Counts `amount` at `now`.
    pub fn add(&mut self, amount: f64, now: Local) {
        let index = self.roll(now);
        self.buckets[index] += amount;
    }

    /// The average over the last ten seconds, the running one included.
    pub fn per_second(&mut self, now: Local) -> f64 {
        self.roll(now);
        self.buckets.iter().sum::<f64>() / N_SECONDS as f64
    }

    /// Empties the buckets whose second is over and returns the index of the current one.
    fn roll(&mut self, now: Local) -> usize {
        let second = (now.0 / 1000.0) as i64;
        let n_passed = (second - self.newest).clamp(0, N_SECONDS);
        for step in 0..n_passed {
            self.buckets[bucket(second - step)] = 0.0;
        }
        self.newest = self.newest.max(second);
        bucket(self.newest)
    }
}

fn bucket(second: i64) -> usize {
    // A remainder of ten always fits into a usize.
    usize::try_from(second.rem_euclid(N_SECONDS)).unwrap_or(0)
}

/// The frames per second of the crossfade that runs, or of the last one. A standing slide is not
/// drawn at all, and that is no fault.
#[derive(Debug, Default)]
pub struct FrameRate {
    run: Option<(Local, Local, u32)>,
    last: Option<f64>,
    n_late: u32,
}

/// The gap between two frames from which the page was hidden or the device slept: no fault of the
/// engine.
const HIDDEN_MILLIS: f64 = 1000.0;

/// The gap between two frames from which a frame counts as late: two and a half refreshes of a
/// display of 60 Hz, which people notice.
const LATE_MILLIS: f64 = 42.0;

impl FrameRate {
    /// Counts a draw of the canvas; `moving` while a crossfade runs.
    pub fn drawn(&mut self, now: Local, moving: bool) {
        self.run = match self.run {
            Some((_, last, _)) if now.since(last) > HIDDEN_MILLIS => Some((now, now, 0)),
            Some((first, last, n_frames)) => {
                if now.since(last) > LATE_MILLIS {
                    self.n_late = self.n_late.saturating_add(1);
                }
                Some((first, now, n_frames + 1))
            }
            None if moving => Some((now, now, 0)),
            None => None,
        };
        if let Some((first, last, n_frames @ 1..)) = self.run {
            self.last = Some(f64::from(n_frames) * 1000.0 / last.since(first).max(1.0));
        }
        if !moving {
            self.run = None;
        }
    }

    /// The number of frames that came late while something moved.
    pub fn n_late(&self) -> u32 {
        self.n_late
    }

    /// The frames per second, once a crossfade has been seen.
    pub fn per_second(&self) -> Option<f64> {
        self.last
    }
}

/// The running mean of a time in milliseconds that is measured again and again.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timing {
    mean: Option<f64>,
}

impl Timing {
    /// Takes one more measurement; older ones fade out over about eight.
    pub fn add(&mut self, millis: f64) {
        self.mean = Some(
            self.mean
                .map_or(millis, |mean| mean + (millis - mean) / 8.0),
        );
    }

    /// The running mean.
    pub fn mean(self) -> Option<f64> {
        self.mean
    }
}

/// The figures that are counted while the page runs.
#[derive(Debug, Default)]
pub struct Stats {
    /// Bytes received, per second.
    pub received: Rate,
    /// Bytes received since the page was opened.
    pub n_bytes: f64,
    /// The time spent on received bytes before pictures are decoded.
    pub parse_millis: f64,
    /// Draws of the canvas.
    pub frames: FrameRate,
    /// The time from encoded bytes to a picture that can be drawn.
    pub decode: Timing,
    /// The time of one draw of the canvas, as far as the page can see: the rest is done by the
    /// compositor.
    pub draw: Timing,
    /// How long before its moment a picture was ready; negative when it was late.
    pub lead: Timing,
    /// The number of connections that were lost.
    pub n_reconnects: u32,
    /// The number of pictures that the browser could not decode.
    pub n_undecodable: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_an_average_over_ten_seconds() {
        let mut rate = Rate::default();
        rate.add(350_000.0, Local(5000.0));
        assert_eq!(rate.per_second(Local(5900.0)), 35_000.0);
        rate.add(350_000.0, Local(14_999.0));
        assert_eq!(rate.per_second(Local(14_999.0)), 70_000.0);
        assert_eq!(rate.per_second(Local(15_000.0)), 35_000.0);
        assert_eq!(rate.per_second(Local(9e9)), 0.0);
    }

    #[test]
    fn a_clock_that_stands_or_steps_back_does_no_harm() {
        let mut rate = Rate::default();
        rate.add(10.0, Local(20_000.0));
        rate.add(10.0, Local(3000.0));
        assert_eq!(rate.per_second(Local(20_500.0)), 2.0);
    }

    #[test]
    fn the_frame_rate_is_that_of_the_last_crossfade() {
        let mut frames = FrameRate::default();
        frames.drawn(Local(0.0), false);
        assert_eq!(frames.per_second(), None);
        for step in 0..=60 {
            frames.drawn(Local(1000.0 + f64::from(step) * 1000.0 / 60.0), step < 60);
        }
        assert_eq!(frames.per_second().map(f64::round), Some(60.0));
        frames.drawn(Local(9000.0), false);
        assert_eq!(frames.per_second().map(f64::round), Some(60.0));
    }

    #[test]
    fn a_page_that_was_hidden_in_between_is_not_slow() {
        let mut frames = FrameRate::default();
        for step in 0..30 {
            frames.drawn(Local(f64::from(step) * 20.0), true);
        }
        frames.drawn(Local(60_000.0), true);
        frames.drawn(Local(60_020.0), false);
        assert_eq!(frames.per_second().map(f64::round), Some(50.0));
        assert_eq!(frames.n_late(), 0);
    }
}
