//! Filling: `free` boxes behind chunks, so that engines that read a stream by blocks come to see its last chunk.

use alloc::{vec, vec::Vec};

/// The bytes of a block, counted from the stream's beginning. Chromium hands a plain `<video>` none of them before it has
/// all (`kBlockSizeShift` of its `UrlIndex` is 15, in all versions since 2015), whatever the server is long done with.
pub const BLOCK: u64 = 1 << 15;

/// The length of a box's head, and so of the shortest box.
const HEAD: u64 = 8;

/// How many bytes of filling bring a stream of `n_bytes` to the end of a block: none where it is there.
pub const fn missing(n_bytes: u64) -> u64 {
    let left = n_bytes.next_multiple_of(BLOCK) - n_bytes;
    if left == 0 || left >= HEAD {
        left
    } else {
        left + BLOCK
    }
}

/// A box of `n_bytes` that says nothing, and that readers leave out.
///
/// # Panics
///
/// If it is shorter than a box's head, or longer than [`missing`] asks for.
pub fn filling(n_bytes: u64) -> Vec<u8> {
    assert!(
        (HEAD..HEAD + BLOCK).contains(&n_bytes),
        "no length of a filling"
    );
    let mut out = vec![0; n_bytes as usize];
    out[..4].copy_from_slice(&(n_bytes as u32).to_be_bytes());
    out[4..8].copy_from_slice(b"free");
    out
}
