//! The slides of the last hour: what was on, and since when.
//!
//! Pure. Whoever owns a timeline tells when it is looked at, and before each change of it.

use std::collections::VecDeque;

use mantel_shared::UnixMillis;

use super::{Slide, Timeline};

/// How far back it goes, in milliseconds.
const SPAN_MILLIS: u64 = 60 * 60 * 1000;

/// The limit of slides that are kept: one a second.
const MAX_SLIDES: usize = 3600;

/// The slides that were on in the last hour, the earliest first.
#[derive(Clone, Debug, Default)]
pub struct History {
    slides: VecDeque<Slide>,
    /// Up to when slides have been noted.
    until: Option<UnixMillis>,
}

impl History {
    /// Notes what `timeline` showed since it was noted last, up to `now`.
    pub fn note(&mut self, timeline: &Timeline, now: UnixMillis) {
        let earliest = UnixMillis(now.0.saturating_sub(SPAN_MILLIS));
        // A clock that was set back begins anew.
        let mut at = match self.until {
            Some(until) if until <= now => until.max(earliest),
            _ => now,
        };
        for _ in 0..=MAX_SLIDES {
            let Some(showing) = timeline.at(at) else {
                break;
            };
            self.add(showing.current);
            if showing.paused || showing.next.starts_at > now {
                break;
            }
            at = showing.next.starts_at;
        }
        self.until = Some(now);
        // The last one may be on for longer.
        while self.slides.len() > 1 && self.slides[1].starts_at < earliest {
            self.slides.pop_front();
        }
    }

    fn add(&mut self, slide: Slide) {
        match self.slides.back_mut() {
            // Of two the one that went away has left the other.
            Some(last) if last.no == slide.no => *last = slide,
            // Shown again, under another veil: it was on all the time.
            Some(last) if last.turn() == slide.turn() => last.no = slide.no,
            _ => {
                self.slides.push_back(slide);
                if self.slides.len() > MAX_SLIDES {
                    self.slides.pop_front();
                }
            }
        }
    }

    /// The slides, the latest first.
    pub fn latest_first(&self) -> impl Iterator<Item = Slide> {
        self.slides.iter().rev().copied()
    }
}
