//! How long caches may keep answers, by RFC 8216bis, B.1.

/// How many target durations a playlist request is held before it is given up with a 503 (6.2.5.2).
pub const WAIT_TARGETS: u32 = 3;

/// The thing that an answer tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Served {
    /// A media playlist that was asked for with `_HLS_msn`: what it says never changes.
    BlockingPlaylist,
    /// A media playlist as it is now.
    Playlist,
    /// The multivariant playlist.
    Multivariant,
    /// A segment, a part, or what stands before them.
    Media,
}

/// The `max-age` of an answer in seconds, `is_found` being whether it is no 404, `target_secs` the target
/// duration.
pub fn max_age(served: Served, is_found: bool, target_secs: u32) -> u32 {
    match (served, is_found) {
        (Served::BlockingPlaylist | Served::Media, true) => target_secs.saturating_mul(6),
        (Served::BlockingPlaylist, false) => target_secs.saturating_mul(4),
        (Served::Playlist, true) => target_secs / 2,
        // A rendition may begin to run, and its bit rate is measured anew.
        (Served::Multivariant, true) => target_secs,
        (Served::Playlist | Served::Multivariant | Served::Media, false) => target_secs,
    }
}
