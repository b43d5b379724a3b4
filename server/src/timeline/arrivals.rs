//! Photos that came in while a round ran, and where in that round they are shown; and those that came in lately, which open
//! each round.
//!
//! Pure, and small because it is saved: it remembers no photos but groups of them, told by when
//! they were added.

use super::roster::Item;
use crate::photo::mix;

/// The groups of photos that have come in, and which photos are known already.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(default)]
pub struct Arrivals {
    /// The time at which the newest photo taken in so far was added; `None` before the first.
    taken_in: Option<i64>,
    /// Groups that came after the rounds named in them had begun, in the order in which they came.
    #[serde(rename = "waves")] // its name in state files since the first
    groups: Vec<Arrival>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fresh: Option<Fresh>,
}

/// The times from which on a photo that was added is new. What is new changes between rounds alone: a photo that ceased to be
/// while it is on would take the round with it to another place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
struct Fresh {
    /// Up to this round it is the first time, and then the second; without one no photo is new.
    round: u64,
    first: Option<i64>,
    then: Option<i64>,
}

/// The border between the keys of new photos, which lie below, and those of all others where some may be new.
const BEHIND_FRESH: u64 = 1 << 63;

/// Photos added after `after` and until `until`, which come in `round` behind the key `low` and, as
/// far as that can be, before `high`. In the round before that, which was all but over, they have
/// no turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
struct Arrival {
    round: u64,
    after: i64,
    until: i64,
    low: u64,
    high: u64,
}

/// The limit of groups that are remembered. Of more, the oldest is forgotten: its photos fall
/// back to the places of their hashes.
const MAX_ARRIVALS: usize = 1000;

impl Arrivals {
    /// Whether a photo added at `newest` is new: added after all that were taken in.
    pub(super) fn is_arrival(&self, newest: i64) -> bool {
        self.taken_in.is_some_and(|mark| newest > mark)
    }

    /// The time at which the newest photo taken in so far was added.
    pub(super) fn mark(&self) -> Option<i64> {
        self.taken_in
    }

    /// Takes in the photos added until `newest`.
    pub(super) fn take_in(&mut self, newest: i64) {
        self.taken_in = Some(self.taken_in.map_or(newest, |mark| mark.max(newest)));
    }

    /// From when on photos are new in the rounds behind `round`, and in that one too if it is the first of all.
    pub(super) fn renew(&mut self, round: u64, since: Option<i64>) {
        let first = match self.taken_in {
            Some(_) => self.fresh_since(round),
            None => since,
        };
        self.fresh = (first.is_some() || since.is_some()).then_some(Fresh {
            round,
            first,
            then: since,
        });
    }

    /// From when on photos are new in this round, if any are.
    pub(super) fn fresh_since(&self, round: u64) -> Option<i64> {
        let fresh = self.fresh?;
        if round <= fresh.round {
            fresh.first
        } else {
            fresh.then
        }
    }

    /// The key in a round of a photo that has this hash: those of new photos lie before all others.
    pub(super) fn ranked(&self, round: u64, hash: u64, item: &Item) -> u64 {
        match self.fresh_since(round) {
            None => hash,
            Some(since) if item.added >= since => hash >> 1,
            Some(_) => BEHIND_FRESH | (hash >> 1),
        }
    }

    /// The keys in a round of what has its place among all photos, new or not, by a hash.
    pub(super) fn spread(&self, round: u64, items: &[Item]) -> impl Fn(u64) -> u64 + use<> {
        let since = self.fresh_since(round);
        let is_fresh = |item: &&Item| since.is_some_and(|since| item.added >= since);
        let n_fresh = items.iter().filter(is_fresh).count() as u128;
        // So much of all hashes is before the others as new photos are of all photos.
        let border = (n_fresh << 64) / items.len().max(1) as u128;
        move |hash| {
            if since.is_none() {
                return hash;
            }
            let (hash, half) = (u128::from(hash), u128::from(BEHIND_FRESH));
            let key = if hash < border {
                hash * half / border
            } else {
                half + (hash - border) * half / ((1 << 64) - border)
            };
            u64::try_from(key).unwrap_or(u64::MAX)
        }
    }

    /// Adds a group: the photos not yet taken in that were added until `newest` are shown in
    /// `round`, between two keys.
    pub(super) fn add(&mut self, round: u64, newest: i64, (low, high): (u64, u64)) {
        let after = self.taken_in.unwrap_or(i64::MIN);
        if self.groups.len() >= MAX_ARRIVALS {
            self.groups.remove(0);
        }
        self.groups.push(Arrival {
            round,
            after,
            until: newest,
            low,
            high,
        });
    }

    /// Forgets the groups of rounds that are over, but for the one before `round`: how that one closed decides how
    /// `round` opens, and it has opened.
    pub(super) fn forget_before(&mut self, round: u64) {
        self.groups
            .retain(|group| group.round.saturating_add(1) >= round);
    }

    /// The rounds from `round` on whose turns differ from those of other rounds, in order: those in
    /// which a group comes, and the one before each.
    pub(super) fn rounds_from(&self, round: u64) -> impl Iterator<Item = u64> + use<> {
        let rounds = self.groups.iter().map(|group| group.round);
        let mut rounds: Vec<u64> = rounds
            .flat_map(|round| [round.saturating_sub(1), round])
            .collect();
        rounds.retain(|special| *special >= round);
        rounds.sort_unstable();
        rounds.dedup();
        rounds.into_iter()
    }

    /// The positions of a round's own photos, and of those that came in, group by group; `None` for
    /// a round that no group touches.
    pub(super) fn split(&self, round: u64, items: &[Item]) -> Option<(Vec<u32>, Vec<Vec<u32>>)> {
        let touches =
            |group: &Arrival| group.round == round || Some(group.round) == round.checked_add(1);
        if !self.groups.iter().any(touches) {
            return None;
        }
        let mut own = Vec::new();
        let mut groups = vec![Vec::new(); self.groups.len()];
        for (position, item) in (0..).zip(items) {
            match self.wave_of(item) {
                Some(at) if self.groups[at].round == round => groups[at].push(position),
                Some(at) if touches(&self.groups[at]) => {}
                _ => own.push(position),
            }
        }
        groups.retain(|group| !group.is_empty());
        Some((own, groups))
    }

    /// The key of a photo that came in while `round` ran.
    pub(super) fn key(&self, round: u64, seed: u64, item: &Item) -> Option<u64> {
        let group = &self.groups[self.wave_of(item)?];
        if group.round != round {
            return None;
        }
        let span = u128::from(group.high.saturating_sub(group.low));
        let share = (span * u128::from(mix(mix(!seed) ^ item.id.0))) >> 64;
        Some(group.low.saturating_add(1).saturating_add(share as u64))
    }

    fn wave_of(&self, item: &Item) -> Option<usize> {
        // Groups lie in the order in which they came and don't overlap, so this is a binary search.
        let at = self
            .groups
            .partition_point(|group| group.until < item.added);
        let group = self.groups.get(at)?;
        (group.after < item.added).then_some(at)
    }
}
