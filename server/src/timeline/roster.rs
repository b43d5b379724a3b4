//! The roster: every photo that takes turns, with what ordering needs to know of it.
//!
//! Pure. Shared by the playlists of all shapes of screen; knows no place and no round.

use std::sync::Arc;

use super::natural::natural;
use crate::render::{self, Size};

/// A photo's identity: a hash of where it is stored, the same after a restart.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Deserialize, serde::Serialize,
)]
pub struct PhotoId(pub u64);

impl PhotoId {
    /// The identity of the photo stored under `name` (a path's bytes, or a demo picture's name).
    pub fn of(name: &[u8]) -> Self {
        // FNV-1a, then mixed: the shuffle sorts by hashes of this, so neighbours must differ widely.
        Self(mix(fnv(name)))
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

/// Which way a photo lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// Wider than tall.
    Landscape,
    /// Taller than wide.
    Portrait,
    /// Square, or not known: never paired.
    #[default]
    Unknown,
}

impl Shape {
    /// The shape of a photo whose upright size is `size`.
    pub fn of(size: Option<Size>) -> Self {
        match size {
            Some(size) if size.width > size.height => Self::Landscape,
            Some(size) if size.width < size.height => Self::Portrait,
            _ => Self::Unknown,
        }
    }
}

/// What ordering needs to know of a photo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which photo.
    pub id: PhotoId,
    /// When it was taken, in seconds since 1970 of the camera's local clock.
    pub taken: i64,
    /// Its path as text; only compared.
    pub name: Arc<str>,
    /// Which way it lies.
    pub shape: Shape,
    /// Which album it belongs to ([`hash_of`] its name); 0 for none.
    pub album: u64,
    /// Which camera took it ([`hash_of`] its name); 0 where that is not known.
    pub camera: u64,
    /// A 64-bit perceptual hash: the fewer bits differ, the more alike two photos are.
    pub likeness: Option<u64>,
    /// When the library first saw it, in Unix seconds; 0 for what its very first scan found.
    pub added: i64,
}

/// What tells one album or camera from another in an [`Entry`]; never 0, which means none.
pub fn hash_of(name: &str) -> u64 {
    mix(fnv(name.as_bytes())).max(1)
}

/// An entry as a roster keeps it, without its name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub(super) id: PhotoId,
    pub(super) taken: i64,
    pub(super) album: u64,
    pub(super) camera: u64,
    pub(super) likeness: Option<u64>,
    pub(super) added: i64,
    pub(super) shape: Shape,
}

/// The seconds within which two photos of the same camera are of one burst.
const BURST_SECONDS: u64 = 5;
/// Perceptual hashes that differ in no more bits than this are of nearly the same picture.
const ALIKE_BITS: u32 = render::likeness::SAME_WITHIN_BITS;

impl Item {
    /// Whether two photos are so much alike that they must not follow each other.
    pub(super) fn is_near(&self, other: &Self) -> bool {
        let same_burst = self.camera != 0
            && self.camera == other.camera
            && self.taken.abs_diff(other.taken) <= BURST_SECONDS;
        let alike = || match (self.likeness, other.likeness) {
            (Some(a), Some(b)) => (a ^ b).count_ones() <= ALIKE_BITS,
            _ => false,
        };
        self.id == other.id || same_burst || alike()
    }
}

/// All photos that take turns. Never changes once made.
#[derive(Debug)]
pub struct Roster {
    pub(super) order: Order,
    pub(super) seed: u64,
    /// The photos in the fixed order, or by identity when shuffled.
    pub(super) items: Box<[Item]>,
    /// Each photo's position in `items`, by identity; empty when `items` is in that order.
    by_id: Box<[(PhotoId, u32)]>,
}

impl Roster {
    /// Takes `entries` in; of two with the same identity one is kept.
    pub fn new(mut entries: Vec<Entry>, order: Order, seed: u64) -> Self {
        entries.sort_unstable_by(|a, b| (a.id, &a.name).cmp(&(b.id, &b.name)));
        entries.dedup_by_key(|entry| entry.id);
        // Positions are 32-bit numbers, and the highest means "none" (`Seat::NOBODY`).
        entries.truncate(u32::MAX as usize - 1);
        match order {
            Order::Shuffle => {}
            Order::Oldest => entries.sort_by(|a, b| (a.taken, &a.name).cmp(&(b.taken, &b.name))),
            Order::Newest => entries.sort_by(|a, b| (b.taken, &a.name).cmp(&(a.taken, &b.name))),
            Order::Name => entries.sort_by(|a, b| natural(&a.name, &b.name)),
        }
        let items: Box<[Item]> = entries
            .iter()
            .map(|entry| Item {
                id: entry.id,
                taken: entry.taken,
                album: entry.album,
                camera: entry.camera,
                likeness: entry.likeness,
                added: entry.added,
                shape: entry.shape,
            })
            .collect();
        Self::over(items, order, seed)
    }

    /// The photos that were added until `mark`.
    pub(super) fn until(&self, mark: i64) -> Self {
        let known = self.items.iter().filter(|item| item.added <= mark);
        Self::over(known.copied().collect(), self.order, self.seed)
    }

    fn over(items: Box<[Item]>, order: Order, seed: u64) -> Self {
        let mut by_id: Vec<(PhotoId, u32)> = match order {
            Order::Shuffle => Vec::new(),
            _ => items.iter().map(|item| item.id).zip(0..).collect(),
        };
        by_id.sort_unstable();
        Self {
            order,
            seed,
            items,
            by_id: by_id.into(),
        }
    }

    /// The number of photos.
    pub fn n_photos(&self) -> u64 {
        self.items.len() as u64
    }

    pub(super) fn position(&self, id: PhotoId) -> Option<u32> {
        if self.order == Order::Shuffle {
            let at = self.items.binary_search_by_key(&id, |item| item.id).ok()?;
            return u32::try_from(at).ok();
        }
        let at = self.by_id.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        Some(self.by_id[at].1)
    }

    /// The time at which the newest photo was added, in Unix seconds; `None` without photos.
    pub(super) fn newest(&self) -> Option<i64> {
        self.items.iter().map(|item| item.added).max()
    }

    /// The key that places a photo in a round: a keyed hash, or its position in the fixed order.
    pub(super) fn key(&self, round: u64, photo: u32) -> u64 {
        match self.order {
            Order::Shuffle => mix(mix(self.seed ^ mix(round)) ^ self.items[photo as usize].id.0),
            _ => u64::from(photo),
        }
    }
}

fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Splitmix64's finaliser: every input bit moves every output bit.
pub(super) fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
