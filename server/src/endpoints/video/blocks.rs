//! The blocks by which engines read a stream for a plain `<video>`: when what stands in an unfinished one has waited long
//! enough, and is to be filled up. Pure.

use mantel_media::fmp4::{BLOCK, missing};

use crate::hub::TICKS;

/// The longest time for which a picture waits for those that fill its block, in ticks. Each filling is up to 32 KB, and an
/// engine that has nothing to play stops its clock, so that the picture is late by that from then on.
const WAITS: u64 = TICKS / 2;
/// The longest time at first: Chromium begins to play when two seconds are with its demuxer and further blocks come, for which
/// nobody waits any more. What it waits until then it stays behind.
const WAITS_AT_FIRST: u64 = TICKS / 10;
/// How long that is so.
const AT_FIRST: u64 = 4 * TICKS;

/// A stream's last block, as long as it is not full.
#[derive(Clone, Debug, Default)]
pub(super) struct Blocks {
    n_bytes: u64,
    /// When its first bytes came, in the stream's ticks.
    since: u64,
}

impl Blocks {
    /// A unit has been sent, whose picture is due at `at`, and with which the stream has `n_bytes`. How many bytes of filling
    /// are to follow it, if any.
    pub(super) fn sent(&mut self, at: u64, n_bytes: u64) -> Option<u64> {
        let is_first = self.n_bytes == 0;
        if n_bytes / BLOCK > self.n_bytes / BLOCK || self.n_bytes.is_multiple_of(BLOCK) {
            self.since = at;
        }
        self.n_bytes = n_bytes;
        let n = missing(n_bytes);
        let waits = match at {
            // There is a picture to see.
            _ if is_first => 0,
            ..AT_FIRST => WAITS_AT_FIRST,
            _ => WAITS,
        };
        if n == 0 || at - self.since < waits {
            return None;
        }
        self.n_bytes += n;
        Some(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When the engine sees each unit, in ticks, and how many bytes it was sent: units of so many bytes, so many ticks apart.
    fn play(sizes: &[u64], apart: u64) -> (Vec<u64>, u64) {
        let mut blocks = Blocks::default();
        let (mut n_bytes, mut ends, mut seen) = (0, Vec::new(), Vec::new());
        for (no, size) in (0..).zip(sizes) {
            let at = no * apart;
            n_bytes += size;
            ends.push((at, n_bytes));
            n_bytes += blocks.sent(at, n_bytes).unwrap_or(0);
            // Whole blocks alone are seen.
            let n_seen = n_bytes - n_bytes % BLOCK;
            let is_new = |&&(_, end): &&(u64, u64)| end <= n_seen;
            let n = ends.iter().filter(is_new).count();
            seen.extend(ends.drain(..n).map(|(sent, _)| at - sent));
        }
        assert!(
            ends.iter()
                .all(|&(sent, _)| sizes.len() as u64 * apart - sent <= WAITS + apart)
        );
        (seen, n_bytes)
    }

    #[test]
    fn no_picture_waits_for_longer_than_it_may() {
        for apart in [TICKS / 30, TICKS / 25, TICKS / 5, TICKS / 2] {
            for most in [20, 300, 5000, 32_767, 32_768, 70_000] {
                let sizes: Vec<u64> = (0..2000u64).map(|no| no.pow(3) % most + 1).collect();
                let (seen, n_bytes) = play(&sizes, apart);
                let longest = seen.iter().max().unwrap();
                assert!(
                    *longest < WAITS + apart,
                    "{longest} ticks with {most} bytes"
                );
                let n_fillings = sizes.len() as u64 * apart / WAITS + 42;
                let own: u64 = sizes.iter().sum();
                // The shortest box is longer than what may be missing.
                assert!(
                    n_bytes <= own + n_fillings * (BLOCK + 8),
                    "{n_bytes} for {own}"
                );
            }
        }
    }

    #[test]
    fn the_first_picture_waits_for_none() {
        let (seen, n_bytes) = play(&[900], TICKS / 5);
        assert_eq!((seen, n_bytes), (vec![0], BLOCK));
    }

    #[test]
    fn what_is_in_motion_is_not_filled() {
        let sizes = vec![20_000; 500];
        let (_, n_bytes) = play(&sizes, TICKS / 25);
        assert!(n_bytes < 500 * 20_000 + BLOCK + 8, "but at its beginning");
    }
}
