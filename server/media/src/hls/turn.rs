//! The judgement of a request: answered now, after the next part, or never.

use core::slice;

use super::{
    Name, Refusal, TICKS, Wish,
    window::{Part, Window},
};

/// Whether an answer can be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Turn {
    /// It can.
    Now,
    /// It will be, once something comes: ask again then.
    Wait,
}

/// The thing that a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<'a, T> {
    /// An initialisation segment.
    Init(&'a T),
    /// The parts that make it, at least one.
    Parts(&'a [Part<T>]),
    /// The part that comes next, as the playlist hints: ask again once something has come.
    Wait,
    /// Nothing, or no longer: 404.
    Gone,
}

impl<T> Window<T> {
    /// Says whether a playlist request can be answered: without `_HLS_msn`, as soon as there is a segment with
    /// parts: without one hls.js begins with what has none, and then waits for the whole next one.
    ///
    /// # Errors
    ///
    /// [`Refusal::TooFar`].
    pub fn judge(&self, wish: &Wish) -> Result<Turn, Refusal> {
        let turn = |is_there| if is_there { Turn::Now } else { Turn::Wait };
        let Some(msn) = wish.msn else {
            let is_there = self.listed().any(|segment| segment.tells_parts);
            return Ok(turn(is_there));
        };
        // Two more than the last whole segment's number (6.2.5.2).
        if msn > self.current().msn.saturating_add(1) {
            return Err(Refusal::TooFar);
        }
        let Some(part) = wish.part else {
            return Ok(turn(msn < self.current().msn));
        };
        let n_parts = self.current().parts.len() as u64;
        if msn < self.current().msn {
            let told = self.segments.iter().find(|segment| segment.msn == msn);
            let is_there = told.is_none_or(|told| part < told.parts.len() as u64);
            // A part behind a segment's last one is the next segment's first.
            return Ok(turn(
                is_there || msn + 1 < self.current().msn || n_parts > 0,
            ));
        }
        let n_there = if msn == self.current().msn {
            n_parts
        } else {
            0
        };
        if part >= n_there.saturating_add(self.n_parts_ahead()) {
            return Err(Refusal::TooFar);
        }
        Ok(turn(part < n_there))
    }

    /// Looks for what has this name.
    pub fn find(&self, name: Name) -> Found<'_, T> {
        let parts = |msn| {
            let mut all = self.segments.iter();
            let told = all.find(|segment| segment.msn == msn);
            told.map(|segment| &segment.parts[..])
        };
        match name {
            Name::Init { epoch } => {
                let init = self.inits.iter().find(|(other, _)| *other == epoch);
                init.map_or(Found::Gone, |(_, init)| Found::Init(init))
            }
            Name::Segment { msn } => parts(msn).map_or(Found::Gone, Found::Parts),
            name if name == self.next_part() => Found::Wait,
            Name::Part { msn, part } => {
                let parts = if msn == self.current().msn {
                    Some(&self.current().parts[..])
                } else {
                    parts(msn)
                };
                let at = usize::try_from(part).unwrap_or(usize::MAX);
                let one = parts.and_then(|parts| parts.get(at));
                one.map_or(Found::Gone, |one| Found::Parts(slice::from_ref(one)))
            }
        }
    }

    /// How many parts ahead of the last one may be asked for: three, or so many as three seconds have.
    fn n_parts_ahead(&self) -> u64 {
        (3 * TICKS).div_ceil(u64::from(self.part_target())).max(3)
    }
}
