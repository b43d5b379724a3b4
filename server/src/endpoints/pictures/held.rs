//! The memory of slow viewers: frames that are neither on nor next any more, but that a connection
//! still has to send.
//!
//! A frame's bytes are shared by all who are stuck in it, so a viewer that never reads costs as much
//! as the frame does, unless others are stuck in the same. When all that is held in this way grows
//! beyond a budget, who has been stuck longest is cut off. Pure but for [`keep_within`], which looks
//! once a second.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::{
    channel::{Channel, choices::FeedKey},
    endpoints::state::viewers::Viewers,
    hub::Feeds,
};

/// A frame's bytes, told from all others that are alive by where they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Held {
    at: usize,
    n_bytes: usize,
}

impl Held {
    /// The frame of which these are the bytes.
    pub fn of(bytes: &Bytes) -> Self {
        Self {
            at: bytes.as_ptr() as usize,
            n_bytes: bytes.len(),
        }
    }
}

/// The frames that one viewer's connection still has to send.
#[derive(Clone, Debug)]
pub(in crate::endpoints) struct Holding {
    /// The viewer's number.
    pub(in crate::endpoints) no: u64,
    /// Since when it has taken nothing new.
    pub(in crate::endpoints) since: Instant,
    /// The frames.
    pub(in crate::endpoints) frames: Vec<Held>,
}

/// How often is looked. Between two looks as much more can be held as is published meanwhile.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Keeps what slow viewers hold within `budget` bytes, for ever.
pub async fn keep_within(
    viewers: Arc<Viewers>,
    feeds: Arc<Feeds<FeedKey, Channel>>,
    budget: usize,
) {
    let mut looks = interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let holdings = viewers.holdings();
        // Asked after the viewers: what is on by now costs nothing more.
        let fresh = feeds.frames().iter().map(Held::of).collect();
        for no in too_much(holdings, &fresh, budget) {
            tracing::info!(
                viewer = no,
                "a viewer that takes nothing is cut off: old frames need its memory"
            );
            viewers.cut(no);
        }
    }
}

/// The viewers that have to go, so that frames beside the `fresh` ones are within `budget` bytes: whoever has been stuck
/// longest first, and only those whose going gives something back.
fn too_much(mut holdings: Vec<Holding>, fresh: &HashSet<Held>, budget: usize) -> Vec<u64> {
    let mut held: HashMap<Held, usize> = HashMap::new();
    for holding in &mut holdings {
        holding.frames.retain(|frame| !fresh.contains(frame));
        holding.frames.sort_unstable_by_key(|frame| frame.at);
        holding.frames.dedup();
        for frame in &holding.frames {
            *held.entry(*frame).or_default() += 1;
        }
    }
    let mut n_bytes: usize = held.keys().map(|frame| frame.n_bytes).sum();
    holdings.retain(|holding| !holding.frames.is_empty());
    holdings.sort_unstable_by_key(|holding| (holding.since, holding.no));
    let mut gone = Vec::new();
    for holding in holdings {
        if n_bytes <= budget {
            break;
        }
        for frame in holding.frames {
            let n = held.entry(frame).or_default();
            *n = n.saturating_sub(1);
            if *n == 0 {
                n_bytes -= frame.n_bytes;
            }
        }
        gone.push(holding.no);
    }
    gone
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(at: usize, n_bytes: usize) -> Held {
        Held { at, n_bytes }
    }

    fn holdings(rows: &[(u64, &[Held])]) -> Vec<Holding> {
        let start = Instant::now();
        let rows = rows.iter().enumerate();
        rows.map(|(no, (seconds_ago, frames))| Holding {
            no: no as u64,
            since: start + Duration::from_secs(1000 - seconds_ago),
            frames: frames.to_vec(),
        })
        .collect()
    }

    #[test]
    fn who_has_been_stuck_longest_goes_first_and_no_more_than_needed() {
        let (a, b, c, on) = (frame(1, 40), frame(2, 40), frame(3, 40), frame(4, 500));
        let rows = holdings(&[
            (5, &[a]),
            (50, &[b, on]),
            (20, &[b]),
            (9, &[c]),
            (99, &[on]),
        ]);
        let fresh = HashSet::from([on]);
        assert_eq!(too_much(rows.clone(), &fresh, 120), [0; 0]);
        // Two are stuck in the same frame: one going gives nothing back yet.
        assert_eq!(too_much(rows.clone(), &fresh, 119), [1, 2]);
        assert_eq!(too_much(rows.clone(), &fresh, 79), [1, 2, 3]);
        assert_eq!(too_much(rows, &fresh, 0), [1, 2, 3, 0]);
    }

    proptest! {
        #[test]
        fn what_is_left_is_within_the_budget_and_the_last_to_go_was_needed(
            rows in prop::collection::vec((0..100_u64, prop::collection::vec(0..20_usize, 0..3)), 0..40),
            fresh in prop::collection::hash_set(0..20_usize, 0..4),
            budget in 0..2000_usize,
        ) {
            let of = |at: &usize| frame(*at, 10 + at * 7);
            let frames: Vec<Vec<Held>> = rows.iter().map(|row| row.1.iter().map(of).collect()).collect();
            let rows: Vec<_> = rows.iter().zip(&frames).map(|(row, frames)| (row.0, &frames[..])).collect();
            let rows = holdings(&rows);
            let fresh: HashSet<Held> = fresh.iter().map(of).collect();
            let gone = too_much(rows.clone(), &fresh, budget);
            let left = |gone: &[u64]| {
                let stay = rows.iter().filter(|row| !gone.contains(&row.no));
                let held: HashSet<Held> = stay.flat_map(|row| row.frames.clone()).collect();
                held.difference(&fresh).map(|frame| frame.n_bytes).sum::<usize>()
            };
            prop_assert!(left(&gone) <= budget);
            if let Some((_, but_last)) = gone.split_last() {
                prop_assert!(left(but_last) > budget);
            }
        }
    }
}
