//! The time of a stream that one viewer is sent, of units that count from the starts of an encoder. Pure.

use std::{sync::Arc, time::Duration};

use super::{Start, TICKS, Unit};

/// A span in ticks.
pub fn ticks(span: Duration) -> u64 {
    let ticks = span.as_micros() * u128::from(TICKS) / 1_000_000;
    u64::try_from(ticks).unwrap_or(u64::MAX)
}

/// The time of a stream that began at 0, also across the starts of an encoder.
#[derive(Debug, Default)]
pub struct StreamTime {
    start: Option<Arc<Start>>,
    /// The unit's tick that is the stream's `offset`.
    from: u64,
    offset: u64,
    /// When the last unit ends.
    end: u64,
}

impl StreamTime {
    /// When a unit is to be seen, in ticks.
    pub fn of(&mut self, unit: &Unit) -> u64 {
        if !self.is_of(unit) {
            self.start = Some(unit.start.clone());
            (self.from, self.offset) = (unit.at, self.end);
        }
        let at = self.offset + unit.at.saturating_sub(self.from);
        self.end = at + unit.duration;
        at
    }

    /// Whether there was a unit.
    pub fn has_begun(&self) -> bool {
        self.start.is_some()
    }

    /// Whether a unit can follow the one before without anything new.
    pub fn is_of(&self, unit: &Unit) -> bool {
        let start = self.start.as_ref();
        start.is_some_and(|start| Arc::ptr_eq(start, &unit.start))
    }
}
