//! The order of one round: photos that are alike kept apart, the seam to the round before, and
//! photos that came in while the round ran.
//!
//! Pure. Every repair is local and goes forward only, so that a round up to some place depends on
//! nothing that comes after.

use std::collections::VecDeque;

use super::{
    pairs::are_near,
    playlist::Seat,
    roster::{Item, Roster},
};

/// The limit of turns that wait for a place where they fit.
const MAX_WAITING: usize = 64;
/// The limit of places that are tried: backwards for a turn that found none to the end of the
/// round, forwards for one that may open a round.
const MAX_TRIES: usize = 256;

/// Keeps turns that are too much alike apart: one that must not follow waits for the next place
/// where it may. A turn that fits nowhere comes all the same.
pub(super) fn apart(items: &[Item], sorted: impl Iterator<Item = Seat>) -> Vec<Seat> {
    let mut out: Vec<Seat> = Vec::with_capacity(sorted.size_hint().0);
    let mut waiting: VecDeque<Seat> = VecDeque::new();
    for unit in sorted {
        while let Some(at) = waiting.iter().position(|unit| follows(items, &out, *unit)) {
            out.extend(waiting.remove(at));
        }
        if follows(items, &out, unit) {
            out.push(unit);
        } else {
            waiting.push_back(unit);
            if waiting.len() > MAX_WAITING {
                out.extend(waiting.pop_front());
            }
        }
    }
    for unit in waiting {
        let fits = |at: usize| {
            follows(items, &out[..at], unit)
                && out.get(at).is_none_or(|next| !are_near(items, unit, *next))
        };
        let tries = out.len().saturating_sub(MAX_TRIES)..=out.len();
        let at = tries.rev().find(|at| fits(*at)).unwrap_or(out.len());
        out.insert(at, unit);
    }
    out
}

fn follows(items: &[Item], before: &[Seat], unit: Seat) -> bool {
    before
        .last()
        .is_none_or(|last| !are_near(items, *last, unit))
}

/// Keeps a round from opening with the turn that closed the round before, or one too much like
/// it. The last place of three or more is left alone, so the round before needs no look at its own
/// predecessor.
pub(super) fn mend_seam(items: &[Item], before: Seat, order: &mut Vec<Seat>) {
    let n = order.len();
    if n < 3 || !are_near(items, before, order[0]) {
        return;
    }
    let near = |a: Seat, b: Seat| are_near(items, a, b);
    let last = (n - 2).min(MAX_TRIES);
    let fitting = (1..=last).find(|at| {
        let unit = order[*at];
        !near(before, unit) && !near(unit, order[0]) && !near(order[at - 1], order[at + 1])
    });
    // If all are alike, at least the same photo must not come twice in a row.
    let other = || (1..=last).find(|at| order[*at].photos().all(|photo| !before.has(photo)));
    if let Some(at) = fitting.or_else(other) {
        let unit = order.remove(at);
        order.insert(0, unit);
    }
}

/// Puts turns that came in late into a round that has begun, each behind the place of its key and
/// where it fits. Turns of `order` keep their order, and the last one its place, because the next
/// round's seam depends on it.
pub(super) fn merge(
    roster: &Roster,
    order: &[Seat],
    key: impl Fn(u32) -> u64,
    late: Vec<(u64, Seat)>,
) -> Vec<Seat> {
    let items = &roster.items;
    let mut out = Vec::with_capacity(order.len() + late.len());
    let mut late = late.into_iter().peekable();
    let mut waiting: VecDeque<Seat> = VecDeque::new();
    let mut reached = 0;
    for (at, unit) in order.iter().enumerate() {
        let is_last = at + 1 == order.len();
        reached = reached.max(key(unit.photo));
        if at > 0 {
            while let Some((_, unit)) = late.next_if(|(key, _)| is_last || *key < reached) {
                waiting.push_back(unit);
            }
            while let Some(at) = waiting.iter().take(MAX_WAITING).position(|candidate| {
                follows(items, &out, *candidate) && !are_near(items, *candidate, *unit)
            }) {
                out.extend(waiting.remove(at));
            }
            if is_last {
                out.extend(waiting.drain(..));
            }
        }
        out.push(*unit);
    }
    out
}
