//! Pairs: the photos that share a slide.
//!
//! Pure. Photos of one shape are grouped by day and, if left over there, by album. Which photos are
//! in a group and which stay alone does not depend on the round, so that every round has the same
//! number of turns; which two are paired does, so that each round has other pairs.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    playlist::{Pairing, Seat},
    roster::{Item, Roster},
};
use crate::photo::{Shape, mix};

/// The photos that are paired, in groups, and those that are not.
#[derive(Debug, Default)]
pub(super) struct Plan {
    singles: Vec<u32>,
    /// Groups of an even number of photos of which no burst has more than half: all can be paired
    /// without two of a burst side by side.
    groups: Vec<Vec<Member>>,
}

#[derive(Clone, Copy, Debug)]
struct Member {
    photo: u32,
    /// The number of the photo's burst within its group.
    burst: u32,
}

const SECONDS_A_DAY: i64 = 86_400;

impl Plan {
    /// Plans the pairs of the photos at these positions in the roster.
    pub(super) fn new(
        roster: &Roster,
        photos: impl Iterator<Item = u32>,
        pairing: Pairing,
    ) -> Self {
        let wanted = match pairing {
            Pairing::Off => None,
            Pairing::Portraits => Some(Shape::Portrait),
            Pairing::Landscapes => Some(Shape::Landscape),
        };
        let mut plan = Self::default();
        let item = |photo: &u32| &roster.items[*photo as usize];
        let mut eligible = Vec::new();
        for photo in photos {
            if wanted == Some(item(&photo).shape) {
                eligible.push(photo);
            } else {
                plan.singles.push(photo);
            }
        }
        let day = |photo: &u32| item(photo).taken.div_euclid(SECONDS_A_DAY);
        let is_dated = |photo: &u32| item(photo).taken != 0;
        eligible.sort_unstable_by_key(|photo| (day(photo), *photo));
        let mut left = Vec::new();
        for group in eligible.chunk_by(|a, b| day(a) == day(b)) {
            // An unknown day is no common day.
            let (dated, undated): (Vec<u32>, Vec<u32>) =
                group.iter().partition(|photo| is_dated(photo));
            left.extend(undated);
            left.extend(plan.settle(roster, &dated));
        }
        left.sort_unstable_by_key(|photo| (item(photo).album, *photo));
        for group in left.chunk_by(|a, b| item(a).album == item(b).album) {
            if item(&group[0]).album == 0 {
                plan.singles.extend(group);
            } else {
                let alone = plan.settle(roster, group);
                plan.singles.extend(alone);
            }
        }
        plan
    }

    /// The number of turns that the photos take.
    pub(super) fn n_turns(&self) -> usize {
        let pairs: usize = self.groups.iter().map(|group| group.len() / 2).sum();
        self.singles.len() + pairs
    }

    pub(super) fn has_pairs(&self) -> bool {
        !self.groups.is_empty()
    }

    /// The turns with their keys, in the order of these: the earlier of two photos brings the
    /// other along.
    pub(super) fn turns(&self, key: impl Fn(u32) -> u64) -> Vec<(u64, Seat)> {
        let mut turns = Vec::with_capacity(self.n_turns());
        turns.extend(
            self.singles
                .iter()
                .map(|photo| (key(*photo), Seat::single(*photo))),
        );
        for group in &self.groups {
            pair_up(group, &key, &mut turns);
        }
        turns.sort_unstable_by_key(|(key, unit)| (*key, unit.photo));
        turns
    }

    /// Makes a group of those in `photos` that can be paired; returns the others.
    fn settle(&mut self, roster: &Roster, photos: &[u32]) -> Vec<u32> {
        if photos.len() < 2 {
            return photos.to_vec();
        }
        let item = |photo: u32| &roster.items[photo as usize];
        let mut photos = photos.to_vec();
        photos.sort_unstable_by_key(|photo| (item(*photo).camera, item(*photo).taken, *photo));
        let mut bursts: Vec<Vec<u32>> = photos
            .chunk_by(|a, b| item(*a).is_near(item(*b)))
            .map(<[u32]>::to_vec)
            .collect();
        let mut left = Vec::new();
        // A hash that no round changes: otherwise rounds would differ in who stays alone, and so in
        // length.
        let rank = |photo: &u32| mix(!item(*photo).id.0);
        bursts.sort_by_key(|burst| (burst.len(), burst[0]));
        if let Some((largest, others)) = bursts.split_last_mut() {
            let n_others: usize = others.iter().map(Vec::len).sum();
            largest.sort_unstable_by_key(rank);
            left.extend(largest.drain(n_others.min(largest.len())..));
            if (largest.len() + n_others) % 2 == 1 {
                left.extend(largest.pop());
            }
        }
        let group: Vec<Member> = (0..)
            .zip(&bursts)
            .flat_map(|(burst, photos)| {
                photos.iter().map(move |photo| Member {
                    photo: *photo,
                    burst,
                })
            })
            .collect();
        if !group.is_empty() {
            self.groups.push(group);
        }
        left
    }
}

/// Pairs a group in the order of its keys, first with second, third with fourth, passing over
/// those of the same burst: a photo that comes or goes changes the pairs after its place alone.
fn pair_up(group: &[Member], key: &impl Fn(u32) -> u64, turns: &mut Vec<(u64, Seat)>) {
    let mut order: Vec<(u64, Member)> = group
        .iter()
        .map(|member| (key(member.photo), *member))
        .collect();
    order.sort_unstable_by_key(|(key, member)| (*key, member.photo));
    let n_bursts = group.chunk_by(|a, b| a.burst == b.burst).count();
    if n_bursts == group.len() {
        let pair =
            |pair: &[(u64, Member)]| (pair[0].0, Seat::pair(pair[0].1.photo, pair[1].1.photo));
        turns.extend(order.chunks_exact(2).map(pair));
        return;
    }
    // `waiting` has each burst's photos, the next one last; `heads` the next one of every burst.
    let mut waiting: BTreeMap<u32, Vec<(u64, u32)>> = BTreeMap::new();
    for (key, member) in order.iter().rev() {
        let burst = waiting.entry(member.burst).or_default();
        burst.push((*key, member.photo));
    }
    let mut heads: BTreeSet<(u64, u32, u32)> = BTreeSet::new();
    let mut sizes: BTreeSet<(usize, u32)> = BTreeSet::new();
    for (burst, photos) in &waiting {
        sizes.insert((photos.len(), *burst));
        heads.extend(photos.last().map(|(key, photo)| (*key, *photo, *burst)));
    }
    let mut n_left = order.len();
    while let Some(first) = heads.first().copied() {
        // A burst that has half of the photos left must give one to every pair from now on.
        let pressing = sizes.last().filter(|(n, _)| n * 2 >= n_left);
        let second = match pressing {
            Some((_, burst)) if *burst != first.2 => waiting
                .get(burst)
                .and_then(|photos| photos.last())
                .map(|(key, photo)| (*key, *photo, *burst)),
            _ => heads.iter().nth(1).copied(),
        };
        let Some(second) = second else { return };
        for (key, photo, burst) in [first, second] {
            heads.remove(&(key, photo, burst));
            let Some(photos) = waiting.get_mut(&burst) else {
                continue;
            };
            sizes.remove(&(photos.len(), burst));
            photos.pop();
            if let Some((key, photo)) = photos.last() {
                heads.insert((*key, *photo, burst));
                sizes.insert((photos.len(), burst));
            }
        }
        n_left -= 2;
        turns.push((first.0, Seat::pair(first.1, second.1)));
    }
}

/// Whether any photo of the one turn is too much like any of the other.
pub(super) fn are_near(items: &[Item], a: Seat, b: Seat) -> bool {
    a.photos().any(|a| {
        b.photos()
            .any(|b| items[a as usize].is_near(&items[b as usize]))
    })
}
