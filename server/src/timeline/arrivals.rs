//! Photos that came in while a round ran, and where in that round they are shown.
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
}

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
