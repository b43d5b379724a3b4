//! Memory of the last large picture, kept for the next one: only bytes, never what was in them.
//!
//! A 24-megapixel photo takes 72 MB for the moment between decoding and fitting. Fresh from the system each time, its
//! 18,000 pages cost a quarter of the whole way from photo to frame; kept, they don't raise the peak.

use std::sync::{Mutex, PoisonError};

/// The least that is kept: smaller memory is the allocator's to recycle.
const KEEP_FROM: usize = 16 << 20;
/// The most that is kept: memory for more than most photos (35 megapixels) is given back.
const KEEP_TO: usize = 100 << 20;

static SPARE: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// `n` zeros, in kept memory where it suffices.
pub(crate) fn zeros(n: usize) -> Vec<u8> {
    if !(KEEP_FROM..=KEEP_TO).contains(&n) {
        return vec![0; n];
    }
    let mut spare = std::mem::take(&mut *SPARE.lock().unwrap_or_else(PoisonError::into_inner));
    if spare.capacity() < n {
        return vec![0; n];
    }
    // Every byte anew: nobody may ever see another photo through a gap in this one.
    spare.clear();
    spare.resize(n, 0);
    spare
}

/// Keeps memory that is no longer needed, unless as much is kept already.
pub(crate) fn keep(pixels: Vec<u8>) {
    if (KEEP_FROM..=KEEP_TO).contains(&pixels.capacity()) {
        let mut spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.capacity() < pixels.capacity() {
            *spare = pixels;
        }
    }
}

/// Gives kept memory back to the system.
pub fn release() {
    drop(std::mem::take(
        &mut *SPARE.lock().unwrap_or_else(PoisonError::into_inner),
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_memory_comes_back_blank() {
        for n in [KEEP_FROM, KEEP_FROM + 12_345, KEEP_FROM] {
            keep(vec![7; KEEP_FROM + 20_000]);
            let blank = zeros(n);
            assert_eq!(blank.len(), n);
            assert!(blank.iter().all(|&byte| byte == 0));
        }
        assert_eq!(zeros(3), [0, 0, 0]);
    }
}
