//! HTTP Live Streaming with low latency (RFC 8216bis), without HTTP: which segments and parts there are
//! ([`Window`]), the playlists that tell them, the names they have ([`Name`]), what a client asks for
//! ([`Wish`]), and how long a cache may keep an answer ([`max_age`]). Media are whatever the caller puts in,
//! and are never looked into. Times are whole numbers of ticks, and come from outside.

mod cache;
mod multivariant;
mod name;
mod pace;
mod playlist;
mod turn;
mod window;
mod wish;

pub use cache::{Served, WAIT_TARGETS, max_age};
pub use multivariant::{Variant, multivariant};
pub use name::{Name, Prefix};
pub use pace::{Cut, Pace};
pub use turn::{Found, Turn};
pub use window::{MIN_SEGMENT, Part, Setup, Window};
pub use wish::{Refusal, Wish};

/// Ticks a second, as in [`fmp4`](crate::fmp4).
pub const TICKS: u64 = 90_000;

/// A playlist's media type.
pub const PLAYLIST_TYPE: &str = "application/vnd.apple.mpegurl";

/// The media type of segments, parts and what stands before them.
pub const MEDIA_TYPE: &str = "video/mp4";
