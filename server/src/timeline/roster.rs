//! The roster: every photo that takes turns, with what ordering needs to know of it.
//!
//! Pure. Shared by the playlists of all shapes of screen; knows no place and no round.

use std::sync::Arc;

use super::{encores::Often, natural::natural};
use crate::photo::{Entry, Order, PhotoId, SAME_WITHIN_BITS, Shape, mix};

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
    pub(super) favourite: bool,
    /// How long it moves, in milliseconds.
    pub(super) plays_millis: u32,
}

// A library of a million photos holds a million of these.
const _: () = assert!(size_of::<Item>() <= 64);

/// The seconds within which two photos of the same camera are of one burst.
const BURST_SECONDS: u64 = 5;

impl Item {
    /// Whether two photos are so much alike that they must not follow each other.
    pub(super) fn is_near(&self, other: &Self) -> bool {
        let same_burst = self.camera != 0
            && self.camera == other.camera
            && self.taken.abs_diff(other.taken) <= BURST_SECONDS;
        let alike = || match (self.likeness, other.likeness) {
            (Some(a), Some(b)) => (a ^ b).count_ones() <= SAME_WITHIN_BITS,
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
    /// The photos that come more often, where the order is a shuffle.
    pub(super) often: Often,
    /// The photos in the fixed order, or by identity when shuffled.
    pub(super) items: Box<[Item]>,
    /// Whether any of them moves.
    pub(super) moves: bool,
    /// Each photo's position in `items`, by identity; empty when `items` is in that order.
    by_id: Box<[(PhotoId, u32)]>,
}

impl Roster {
    /// Takes `entries` in; of two with the same identity one is kept.
    pub fn new(mut entries: Vec<Entry>, order: Order, seed: u64) -> Self {
        entries.sort_unstable_by(|a, b| (a.id, &a.name).cmp(&(b.id, &b.name)));
        entries.dedup_by_key(|entry| entry.id);
        // Positions are 32-bit numbers, and the two highest mean no photo (`Seat`).
        entries.truncate(u32::MAX as usize - 2);
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
                favourite: entry.favourite,
                plays_millis: entry.plays_millis,
            })
            .collect();
        Self::over(items, order, seed)
    }

    /// The photos that were added until `mark`; the roster itself where those are all.
    pub(super) fn until(self: &Arc<Self>, mark: i64) -> Arc<Self> {
        let is_known = |item: &&Item| item.added <= mark;
        if self.items.iter().all(|item| is_known(&item)) {
            return self.clone();
        }
        let known = self.items.iter().filter(is_known).copied().collect();
        Arc::new(Self::over(known, self.order, self.seed).with_often(self.often))
    }

    /// These photos, some of which come more often.
    #[must_use]
    pub fn with_often(self, often: Often) -> Self {
        Self { often, ..self }
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
            often: Often::default(),
            moves: items.iter().any(|item| item.plays_millis > 0),
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

    /// The hash that places a photo in a round, or its position in the fixed order.
    pub(super) fn key(&self, round: u64, photo: u32) -> u64 {
        match self.order {
            Order::Shuffle => mix(mix(self.seed ^ mix(round)) ^ self.items[photo as usize].id.0),
            _ => u64::from(photo),
        }
    }
}
