//! Memory of pictures, used again. A live picture is in memory as it came, as it is passed on and as it is framed, half a
//! megabyte each time; fresh from the system for every one, the kernel's giving and taking back was a third of the processor
//! time that passing it on took. Knows nothing of what is in it.
//!
//! No more is kept than is in use: what a stream needs goes when the stream does.
//!
//! One thing outlives a call and can't be seen in a result: the memory that is kept.

use std::{
    mem,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use bytes::Bytes;

use crate::locked::locked;

/// The least that is kept: smaller memory is the allocator's to recycle.
const KEEP_FROM: usize = 64 << 10;
/// The most that is kept of one piece: what is larger comes too seldom.
const KEEP_TO: usize = 4 << 20;
/// A piece is lent for something that fills this part of it at least.
const FILLED: usize = 4;

/// The pieces that nobody uses, and how many bytes those have that are in use.
#[derive(Debug)]
struct Pool {
    kept: Mutex<Vec<Vec<u8>>>,
    n_in_use: AtomicUsize,
}

static POOL: Pool = Pool::new();

/// An empty piece of memory with room for `n` bytes.
pub fn taken(n: usize) -> Vec<u8> {
    POOL.taken(n)
}

/// These bytes, to be shared; once nobody has them any more, their memory may be used again.
pub fn shared(bytes: Vec<u8>) -> Bytes {
    POOL.shared(bytes)
}

impl Pool {
    const fn new() -> Self {
        Self {
            kept: Mutex::new(Vec::new()),
            n_in_use: AtomicUsize::new(0),
        }
    }

    fn taken(&self, n: usize) -> Vec<u8> {
        if n >= KEEP_FROM {
            let mut kept = locked(&self.kept);
            let fits = |piece: &Vec<u8>| (n..=n.saturating_mul(FILLED)).contains(&piece.capacity());
            if let Some(at) = kept.iter().position(fits) {
                return kept.swap_remove(at);
            }
        }
        Vec::with_capacity(n)
    }

    fn shared(&'static self, bytes: Vec<u8>) -> Bytes {
        if !(KEEP_FROM..=KEEP_TO).contains(&bytes.capacity()) {
            return bytes.into();
        }
        self.n_in_use.fetch_add(bytes.capacity(), Relaxed);
        Bytes::from_owner(Piece { bytes, pool: self })
    }

    /// Takes a piece back, and keeps what may be kept.
    fn keep(&self, mut piece: Vec<u8>) {
        let n_in_use = self.n_in_use.fetch_sub(piece.capacity(), Relaxed) - piece.capacity();
        piece.clear();
        let mut left = n_in_use;
        let mut kept = locked(&self.kept);
        kept.insert(0, piece);
        // The last ones first, which nobody has wanted for longest.
        kept.retain(|piece| {
            let is_kept = piece.capacity() <= left;
            left -= if is_kept { piece.capacity() } else { 0 };
            is_kept
        });
    }
}

/// Bytes in use, whose memory goes back to its pool.
struct Piece {
    bytes: Vec<u8>,
    pool: &'static Pool,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.pool.keep(mem::take(&mut self.bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const N: usize = 500_000;

    fn pool() -> &'static Pool {
        Box::leak(Box::new(Pool::new()))
    }

    fn filled(pool: &Pool, n: usize, byte: u8) -> Vec<u8> {
        let mut piece = pool.taken(n);
        assert!(piece.is_empty() && piece.capacity() >= n);
        piece.resize(n, byte);
        piece
    }

    fn n_kept(pool: &Pool) -> usize {
        locked(&pool.kept).iter().map(Vec::capacity).sum()
    }

    #[test]
    fn a_stream_goes_round_in_the_memory_that_it_has() {
        let pool = pool();
        let mut places = std::collections::BTreeSet::new();
        let mut last = Vec::new();
        for n in 0..200 {
            // As it came, and as it is framed; the one before is still with its viewers.
            let pictures: Vec<Bytes> = (0..2)
                .map(|_| pool.shared(filled(pool, N - n, n as u8)))
                .collect();
            for picture in &pictures {
                assert!(picture.len() == N - n && picture.iter().all(|byte| *byte == n as u8));
                places.insert(picture.as_ptr());
            }
            last = pictures;
            assert!(n_kept(pool) <= pool.n_in_use.load(Relaxed));
        }
        assert!(places.len() <= 6, "{}", places.len());
        drop(last);
        assert_eq!((n_kept(pool), pool.n_in_use.load(Relaxed)), (0, 0));
    }

    #[test]
    fn what_is_small_huge_or_much_too_large_is_the_allocators() {
        let pool = pool();
        let in_use = pool.shared(filled(pool, N, 1));
        for n in [10, KEEP_FROM - 1, KEEP_TO + 1] {
            drop(pool.shared(filled(pool, n, 1)));
            assert_eq!(n_kept(pool), 0, "{n}");
        }
        drop(pool.shared(filled(pool, N, 1)));
        assert_eq!(n_kept(pool), N);
        assert_eq!(pool.taken(KEEP_FROM).capacity(), KEEP_FROM);
        assert_eq!(pool.taken(N / 2).capacity(), N);
        drop(in_use);
        assert_eq!(n_kept(pool), 0);
    }
}
