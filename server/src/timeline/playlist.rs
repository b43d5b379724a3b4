//! Photos in an order, for ever: round after round, each photo once a round.
//!
//! Pure. A playlist is asked for the photo at a [`Place`]; it never remembers where anybody is.
//! The shuffle is a sort by a keyed hash, so a photo that is added or taken away moves no other
//! photo of the round, and every screen and every restart works out the same order.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
};

/// A photo's identity: a hash of where it is stored, the same after a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PhotoId(pub u64);

impl PhotoId {
    /// The identity of the photo stored under `name` (a path's bytes, or a demo picture's name).
    pub fn of(name: &[u8]) -> Self {
        // FNV-1a, then mixed: the shuffle sorts by hashes of this, so neighbours must differ widely.
        let hash = name.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(mix(hash))
    }
}

impl std::fmt::Display for PhotoId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl std::str::FromStr for PhotoId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u64::from_str_radix(text, 16).map(Self)
    }
}

/// In which order a playlist runs.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, serde::Deserialize, serde::Serialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// Every photo once, in an order of the seed's, before any comes again.
    Shuffle,
    /// By the date taken, latest first.
    Newest,
    /// By the date taken, earliest first.
    Oldest,
    /// By path, with numbers in names compared as numbers.
    Name,
}

/// What ordering needs to know of a photo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which photo.
    pub id: PhotoId,
    /// When it was taken, in seconds since 1970; only compared.
    pub taken: i64,
    /// Its path as text; only compared.
    pub name: Arc<str>,
}

/// A place in a playlist: the `index`th photo of the `round`th time through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
pub struct Place {
    /// How often all photos have been shown before.
    pub round: u64,
    /// Which photo of the round's order.
    pub index: u64,
}

/// Photos in an order. Cheap to share; never changes once made.
#[derive(Debug)]
pub struct Playlist {
    order: Order,
    seed: u64,
    /// In the fixed order, or by identity when shuffled.
    ids: Arc<[PhotoId]>,
    members: HashSet<PhotoId>,
    /// Shuffled rounds worked out lately, so that a slide's next photo isn't a sort of the library.
    rounds: Mutex<HashMap<u64, Arc<[PhotoId]>>>,
}

impl Playlist {
    /// Puts `entries` in `order`; of two with the same identity one is kept.
    pub fn new(mut entries: Vec<Entry>, order: Order, seed: u64) -> Self {
        match order {
            Order::Shuffle => entries.sort_unstable_by_key(|entry| entry.id),
            Order::Oldest => entries.sort_by(|a, b| (a.taken, &a.name).cmp(&(b.taken, &b.name))),
            Order::Newest => entries.sort_by(|a, b| (b.taken, &a.name).cmp(&(a.taken, &b.name))),
            Order::Name => entries.sort_by(|a, b| natural(&a.name, &b.name)),
        }
        let mut ids: Vec<PhotoId> = entries.iter().map(|entry| entry.id).collect();
        let mut members = HashSet::with_capacity(ids.len());
        ids.retain(|id| members.insert(*id));
        Self {
            order,
            seed,
            ids: ids.into(),
            members,
            rounds: Mutex::default(),
        }
    }

    /// How many photos a round has.
    pub fn n_photos(&self) -> u64 {
        self.ids.len() as u64
    }

    /// True when there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The photo `steps` after `place`, and its own place. `None` when the playlist is empty.
    pub fn after(&self, place: Place, steps: u64) -> Option<(Place, PhotoId)> {
        let n = self.n_photos();
        if n == 0 {
            return None;
        }
        let index = u128::from(place.index) + u128::from(steps);
        let round = u128::from(place.round) + index / u128::from(n);
        let place = Place {
            round: round as u64,
            index: (index % u128::from(n)) as u64,
        };
        self.at(place).map(|id| (place, id))
    }

    /// The place before `place`; the very first stays where it is.
    pub fn before(&self, place: Place) -> Place {
        match (place.index.checked_sub(1), place.round.checked_sub(1)) {
            (Some(index), _) => Place { index, ..place },
            (None, Some(round)) => Place {
                round,
                index: self.n_photos().saturating_sub(1),
            },
            (None, None) => place,
        }
    }

    /// Where `id` comes in a round, if it is in the playlist.
    pub fn find(&self, round: u64, id: PhotoId) -> Option<Place> {
        if !self.contains(id) {
            return None;
        }
        let order = self.round(round);
        let index = order.iter().position(|other| *other == id)?;
        Some(Place {
            round,
            index: index as u64,
        })
    }

    /// Whether `id` is in the playlist.
    pub fn contains(&self, id: PhotoId) -> bool {
        self.members.contains(&id)
    }

    fn at(&self, place: Place) -> Option<PhotoId> {
        self.round(place.round)
            .get(usize::try_from(place.index).ok()?)
            .copied()
    }

    fn round(&self, round: u64) -> Arc<[PhotoId]> {
        // Two photos can only alternate; shuffling each round anew would show one twice in a row.
        let round = if self.ids.len() < 3 { 0 } else { round };
        if self.order != Order::Shuffle {
            return self.ids.clone();
        }
        let mut rounds = self
            .rounds
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(order) = rounds.get(&round) {
            return order.clone();
        }
        let order: Arc<[PhotoId]> = self.shuffled(round).into();
        if rounds.len() >= 3 {
            rounds.clear();
        }
        rounds.insert(round, order.clone());
        order
    }

    fn shuffled(&self, round: u64) -> Vec<PhotoId> {
        let mut order = self.sorted(round);
        // The last photo of a round must not open the next one. The swap leaves the last place of
        // three or more alone, so the round before needs no look at its own predecessor.
        if let Some(before) = round.checked_sub(1)
            && order.len() >= 3
            && self
                .ids
                .iter()
                .copied()
                .max_by_key(|id| self.key(before, *id))
                == order.first().copied()
        {
            order.swap(0, 1);
        }
        order
    }

    fn sorted(&self, round: u64) -> Vec<PhotoId> {
        let mut order = self.ids.to_vec();
        order.sort_unstable_by_key(|id| self.key(round, *id));
        order
    }

    fn key(&self, round: u64, id: PhotoId) -> (u64, PhotoId) {
        (mix(mix(self.seed ^ mix(round)) ^ id.0), id)
    }
}

/// Splitmix64's finaliser: every input bit moves every output bit.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// `IMG_9` before `IMG_10`: runs of digits compare as numbers, the rest as text, ties by the text.
fn natural(a: &str, b: &str) -> std::cmp::Ordering {
    let (mut x, mut y) = (a, b);
    loop {
        let (run_x, rest_x) = split_run(x);
        let (run_y, rest_y) = split_run(y);
        if run_x.is_empty() || run_y.is_empty() {
            return run_x.len().cmp(&run_y.len()).then_with(|| a.cmp(b));
        }
        let digits = |run: &str| run.starts_with(|c: char| c.is_ascii_digit());
        let ordering = if digits(run_x) && digits(run_y) {
            let (n, m) = (run_x.trim_start_matches('0'), run_y.trim_start_matches('0'));
            n.len().cmp(&m.len()).then_with(|| n.cmp(m))
        } else {
            run_x.cmp(run_y)
        };
        if ordering.is_ne() {
            return ordering;
        }
        (x, y) = (rest_x, rest_y);
    }
}

fn split_run(text: &str) -> (&str, &str) {
    let digits = text.starts_with(|c: char| c.is_ascii_digit());
    let end = text
        .find(|c: char| c.is_ascii_digit() != digits)
        .unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn playlist(n: u64, seed: u64) -> Playlist {
        let entries = (0..n).map(|i| entry(&format!("{i}.jpg"), 0)).collect();
        Playlist::new(entries, Order::Shuffle, seed)
    }

    fn entry(name: &str, taken: i64) -> Entry {
        Entry {
            id: PhotoId::of(name.as_bytes()),
            taken,
            name: name.into(),
        }
    }

    const START: Place = Place { round: 0, index: 0 };

    proptest! {
        #[test]
        fn every_photo_once_before_any_again_and_never_twice_in_a_row(n in 1u64..40, seed: u64) {
            let list = playlist(n, seed);
            let shown: Vec<PhotoId> =
                (0..n * 4).map(|i| list.after(START, i).unwrap().1).collect();
            for round in shown.chunks(n as usize) {
                let distinct: HashSet<_> = round.iter().collect();
                prop_assert_eq!(distinct.len() as u64, n);
            }
            if n > 1 {
                prop_assert!(shown.windows(2).all(|pair| pair[0] != pair[1]));
            }
        }

        #[test]
        fn a_photo_more_moves_no_other_photo(n in 3u64..40, seed: u64, round in 0u64..5) {
            let before = playlist(n, seed).sorted(round);
            let mut after = playlist(n + 1, seed).sorted(round);
            after.retain(|id| before.contains(id));
            prop_assert_eq!(before, after);
        }

        #[test]
        fn before_undoes_after(n in 1u64..20, seed: u64, steps in 0u64..100) {
            let list = playlist(n, seed);
            let (place, _) = list.after(START, steps).unwrap();
            let (next, _) = list.after(place, 1).unwrap();
            prop_assert_eq!(list.before(next), place);
        }

        #[test]
        fn natural_order_is_total(a in "[a0-9]{0,6}", b in "[a0-9]{0,6}", c in "[a0-9]{0,6}") {
            prop_assert_eq!(natural(&a, &b), natural(&b, &a).reverse());
            if natural(&a, &b).is_le() && natural(&b, &c).is_le() {
                prop_assert!(natural(&a, &c).is_le());
            }
        }
    }

    #[test]
    fn rounds_differ_and_seeds_differ() {
        let list = playlist(30, 7);
        assert_ne!(list.sorted(0), list.sorted(1));
        assert_ne!(list.sorted(0), playlist(30, 8).sorted(0));
        assert_eq!(list.sorted(3), playlist(30, 7).sorted(3));
    }

    #[test]
    fn fixed_orders() {
        let entries = || {
            vec![
                entry("IMG_10.jpg", 5),
                entry("IMG_9.jpg", 7),
                entry("IMG_009b.jpg", 1),
            ]
        };
        let names = |order| {
            let list = Playlist::new(entries(), order, 0);
            (0..3)
                .map(|i| list.after(START, i).unwrap().1)
                .collect::<Vec<_>>()
        };
        let ids = |names: [&str; 3]| names.map(|name| PhotoId::of(name.as_bytes())).to_vec();
        assert_eq!(
            names(Order::Name),
            ids(["IMG_9.jpg", "IMG_009b.jpg", "IMG_10.jpg"])
        );
        assert_eq!(
            names(Order::Oldest),
            ids(["IMG_009b.jpg", "IMG_10.jpg", "IMG_9.jpg"])
        );
        assert_eq!(
            names(Order::Newest),
            ids(["IMG_9.jpg", "IMG_10.jpg", "IMG_009b.jpg"])
        );
    }

    #[test]
    fn an_empty_playlist_has_nothing_anywhere() {
        assert_eq!(
            playlist(0, 0).after(Place { round: 9, index: 9 }, u64::MAX),
            None
        );
    }
}
