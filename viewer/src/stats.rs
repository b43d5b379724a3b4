//! The figures of the statistics panel: rates, recent times and counts, and their rows.
//!
//! Never the panel itself, and nothing here decides anything: a figure is written and read.

use crate::clock::Local;
use crate::fit::Size;
use crate::text;

const N_BUCKETS: usize = 10;
const N_SECONDS: i64 = 10;

/// An amount per second, over the last ten seconds. Slides come seconds apart: over one second
/// the rate would be either nothing or a peak.
#[derive(Debug, Default)]
pub struct Rate {
    buckets: [f64; N_BUCKETS],
    /// Whole second of the newest bucket.
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
    // A remainder of ten always fits.
    usize::try_from(second.rem_euclid(N_SECONDS)).unwrap_or(0)
}

/// How often the canvas was drawn per second while something moved: of the crossfade that runs,
/// or of the last one. A standing slide is not drawn at all, and that is no fault.
#[derive(Debug, Default)]
pub struct FrameRate {
    run: Option<(Local, Local, u32)>,
    last: Option<f64>,
    n_late: u32,
}

/// A frame that comes later than this after the one before it was missed by the eye: two and a half
/// refreshes of a display of 60 Hz.
const LATE_MILLIS: f64 = 42.0;

impl FrameRate {
    /// The canvas was drawn; `moving` while a crossfade runs.
    pub fn drawn(&mut self, now: Local, moving: bool) {
        self.run = match self.run {
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

    /// Frames that came late while something moved.
    pub fn n_late(&self) -> u32 {
        self.n_late
    }

    /// Frames per second, once a crossfade has been seen.
    pub fn per_second(&self) -> Option<f64> {
        self.last
    }
}

/// A time in milliseconds that is measured again and again: the last one and a running mean.
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

    fn text(self) -> String {
        self.mean.map_or_else(|| "–".to_owned(), text::duration)
    }
}

/// What is counted while the page runs.
#[derive(Debug, Default)]
pub struct Stats {
    /// Bytes received.
    pub received: Rate,
    /// Bytes received since the page was opened.
    pub n_bytes: f64,
    /// Draws of the canvas.
    pub frames: FrameRate,
    /// From encoded bytes to a picture that can be drawn.
    pub decode: Timing,
    /// One draw of the canvas, as far as the page can see: the rest is done by the compositor.
    pub draw: Timing,
    /// How long before its moment a picture was ready; negative when it was late.
    pub lead: Timing,
    /// Connections that were lost.
    pub n_reconnects: u32,
    /// Pictures that the browser could not decode.
    pub n_undecodable: u32,
}

/// What the panel shows besides the counts: how things are at this moment.
#[derive(Debug)]
pub struct Now<'a> {
    /// This moment.
    pub at: Local,
    /// Number of the slide that shows.
    pub slide: Option<u64>,
    /// When it was to be on screen.
    pub shown_since: Option<Local>,
    /// The slide that waits, and whether it is decoded.
    pub pending: Option<(u64, bool)>,
    /// Slides never shown.
    pub n_skipped: u64,
    /// Of the picture that shows.
    pub source: Option<Size>,
    /// Of the canvas.
    pub canvas: Size,
    /// Engine and version.
    pub engine: &'a str,
    /// How pictures are decoded.
    pub decoder: &'a str,
    /// The server's clock minus this device's wall clock, in milliseconds.
    pub clock_offset: f64,
}

/// One line of the panel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What it is.
    pub label: &'static str,
    /// Its figures, with units.
    pub value: String,
}

impl Stats {
    /// The panel's lines, always the same ones in the same order.
    pub fn rows(&mut self, now: &Now<'_>) -> Vec<Row> {
        let dash = || "–".to_owned();
        let rate = self.received.per_second(now.at);
        let source = now.source.map_or_else(dash, size);
        let slide = match (now.slide, now.pending) {
            (Some(slide), Some((next, ready))) => {
                format!(
                    "{slide}, then {next}{}",
                    if ready { "" } else { " (decoding)" }
                )
            }
            (Some(slide), None) => slide.to_string(),
            (None, _) => dash(),
        };
        let fps = self
            .frames
            .per_second()
            .map_or_else(dash, |fps| text::fixed(fps, 1));
        let mut skipped = now.n_skipped.to_string();
        if self.n_undecodable > 0 {
            skipped.push_str(&format!(", {} undecodable", self.n_undecodable));
        }
        let age = now
            .shown_since
            .map_or_else(dash, |since| text::duration(now.at.since(since)));
        [
            ("slide", slide),
            ("age", age),
            ("ready ahead", self.lead.text()),
            ("crossfade", format!("{fps} fps")),
            ("draw", self.draw.text()),
            ("decode", format!("{}, {}", self.decode.text(), now.decoder)),
            (
                "received",
                format!("{}/s, {}", text::bytes(rate), text::bytes(self.n_bytes)),
            ),
            ("skipped", skipped),
            ("reconnects", self.n_reconnects.to_string()),
            ("source", source),
            ("canvas", size(now.canvas)),
            ("server clock", text::duration(now.clock_offset)),
            ("engine", now.engine.to_owned()),
        ]
        .into_iter()
        .map(|(label, value)| Row { label, value })
        .collect()
    }
}

fn size(size: Size) -> String {
    format!("{} × {}", size.width, size.height)
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
    fn rows_have_units_and_stay_in_order() {
        let mut stats = Stats::default();
        stats.decode.add(21.0);
        stats.received.add(350_000.0, Local(9000.0));
        stats.n_bytes = 350_000.0;
        let now = Now {
            at: Local(9500.0),
            slide: Some(184),
            shown_since: Some(Local(5000.0)),
            pending: Some((185, false)),
            n_skipped: 0,
            source: Some(Size::new(1920, 1080)),
            canvas: Size::new(1366, 768),
            engine: "Chromium 67",
            decoder: "bitmap",
            clock_offset: -250.0,
        };
        let rows = stats.rows(&now);
        let value = |label| {
            rows.iter()
                .find(|row| row.label == label)
                .map(|row| row.value.as_str())
        };
        assert_eq!(value("slide"), Some("184, then 185 (decoding)"));
        assert_eq!(value("age"), Some("4.5 s"));
        assert_eq!(value("received"), Some("35.0 KB/s, 350 KB"));
        assert_eq!(value("decode"), Some("21 ms, bitmap"));
        assert_eq!(value("crossfade"), Some("– fps"));
        assert_eq!(value("source"), Some("1920 × 1080"));
        assert_eq!(value("server clock"), Some("−250 ms"));
        assert_eq!(stats.rows(&now), rows);
    }
}
