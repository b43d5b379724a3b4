//! How long slides stay: an interval each, but for what moves, which is seen to its end.
//!
//! Pure. Where nothing moves a slide is found by a division; else slides are counted one by one, from an anchor that is never
//! long ago while somebody moves it.

use mantel_shared::UnixMillis;

use super::{Playlist, Showing, Timeline, Transition, Turn};

/// How long the last picture of what moves stands before the next slide comes: time to see the end, and to make ready what it
/// becomes.
const AFTERWARDS_MILLIS: u64 = 1000;

/// How many slides are counted one by one at most. What lies further back is counted by the interval alone: nobody has seen it.
const MAX_COUNTED: u64 = 4096;

/// How many slides behind the anchor it is time to move it.
const FAR: u64 = 32;

impl Playlist {
    /// How long the photos of a turn move, in milliseconds.
    pub fn plays_millis(&self, turn: Turn) -> u64 {
        if !self.roster().moves {
            return 0;
        }
        let roster = self.roster();
        let positions = turn.photos().filter_map(|id| roster.position(id));
        let millis = positions.map(|at| roster.items[at as usize].plays_millis);
        u64::from(millis.max().unwrap_or(0))
    }
}

impl Timeline {
    /// How long a slide of this turn stays, in milliseconds: what moves begins when the slide has come, and is seen to its end.
    pub fn stays_millis(&self, turn: Turn) -> u64 {
        self.stays_by(self.settings.interval_millis, turn)
    }

    /// How long a slide of this turn stays where others stay for `interval`.
    pub(super) fn stays_by(&self, interval: u64, turn: Turn) -> u64 {
        match self.playlist.plays_millis(turn) {
            0 => interval,
            plays => interval.max(self.coming_millis() + plays + AFTERWARDS_MILLIS),
        }
    }

    /// How long a slide takes to come, in milliseconds: what moves begins then, on all screens.
    pub fn coming_millis(&self) -> u64 {
        match self.settings.transition {
            Transition::Cut => 0,
            Transition::Crossfade { millis } => u64::from(millis),
        }
    }

    /// How many slides behind the anchor's it is after `elapsed` milliseconds, and when that one began. `None` when there is no
    /// photo.
    pub(super) fn steps_in(&self, elapsed: u64, interval: u64) -> Option<(u64, u64)> {
        let plainly = elapsed / interval;
        if !self.playlist.roster().moves {
            return Some((plainly, plainly * interval));
        }
        let mut steps = plainly - plainly % MAX_COUNTED;
        let mut began = steps * interval;
        loop {
            let ends = began.checked_add(self.stays_by(interval, self.turn(steps)?))?;
            if elapsed < ends {
                return Some((steps, began));
            }
            (steps, began) = (steps + 1, ends);
        }
    }

    /// Whether the anchor is so long ago that it is to be moved, because slides are counted one by one.
    pub(super) fn is_far(&self, now: UnixMillis) -> bool {
        let steps = |showing: Showing| showing.current.no.0 - self.anchor.slide;
        self.playlist.roster().moves && self.at(now).is_some_and(|showing| steps(showing) > FAR)
    }
}
