//! A photo to those who put photos in order: its identity, and the little that ordering needs.
//!
//! Ground for library and timeline, which know nothing of each other. Pure.

use std::sync::Arc;

pub use crate::render::likeness::SAME_WITHIN_BITS;
use crate::size::Size;

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

/// A photo as ordering needs to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which photo.
    pub id: PhotoId,
    /// When it was taken, in seconds since 1970 of the camera's local clock.
    pub taken: i64,
    /// A key for ordering by path, the same however the letters are written; never shown.
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
    /// Whether somebody has made it a favourite.
    pub favourite: bool,
    /// How long it moves when its turn comes, in milliseconds; 0 where it stands still.
    pub plays_millis: u32,
}

/// A hash that tells one album or camera from another in an [`Entry`]; never 0, which means none.
pub fn hash_of(name: &str) -> u64 {
    mix(fnv(name.as_bytes())).max(1)
}

fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Splitmix64's finaliser: every input bit moves every output bit.
pub(crate) fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
