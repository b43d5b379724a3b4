//! The blocks by which some read a stream that goes on: when what stands in an unfinished one has waited long enough, and is
//! to be filled up. Pure.

use mantel_media::fmp4;

use crate::hub::TICKS;

/// How long more is filled up than later.
const AT_FIRST: u64 = 4 * TICKS;
/// How long an engine's buffers fill: two seconds for Chromium's demuxer, besides what its reader (20 pictures), its decoder
/// and its painter want, which they count in pictures.
const FILLING: u64 = 3 * TICKS;

/// A reader's habit of reading a stream by blocks.
#[derive(Debug)]
pub(super) struct Habit {
    /// The bytes of a block.
    block: u64,
    /// How many bytes of filling bring a stream of so many to the end of a block.
    missing: fn(u64) -> u64,
    /// The bytes of filling that follow the first picture besides.
    ahead: u64,
    /// The longest time for which a picture waits for those that fill its block, in ticks.
    waits: u64,
    /// The longest time at first.
    waits_at_first: u64,
}

/// Chromium, which reads for a plain `<video>` in blocks of 32 KB. An engine that has nothing to play stops its clock, so that
/// the picture is late by that from then on. It begins to play when two seconds are with its demuxer, and some thirty blocks with its cache so that
/// it asks for none; what it waits until then it stays behind.
pub(super) static CHROMIUM: Habit = Habit {
    block: fmp4::BLOCK,
    missing: fmp4::missing,
    ahead: 0,
    waits: TICKS / 2,
    waits_at_first: TICKS / 15,
};

/// VLC, which reads Annex B in blocks of 2 KB (`H26X_PACKET_SIZE` in its demux/mpeg/h26x.c), a second ahead of what it shows.
/// Before it begins it looks at some 30 KB for what they may be; what it waits for those it stays behind.
pub(super) static VLC: Habit = Habit {
    block: 2048,
    missing: |n_bytes| n_bytes.next_multiple_of(2048) - n_bytes,
    ahead: 32 << 10,
    waits: TICKS / 5,
    waits_at_first: TICKS / 5,
};

/// A stream's last block, as long as it is not full.
#[derive(Clone, Debug)]
pub(super) struct Blocks {
    habit: &'static Habit,
    n_bytes: u64,
    /// When its first bytes came, in the stream's ticks.
    since: u64,
    /// When the last picture is due.
    at: u64,
}

impl Blocks {
    pub(super) fn of(habit: &'static Habit) -> Self {
        Self {
            habit,
            n_bytes: 0,
            since: 0,
            at: 0,
        }
    }

    /// A unit has been sent, whose picture is due at `at`, and with which the stream has `n_bytes`. How many bytes of filling
    /// are to follow it, if any.
    pub(super) fn sent(&mut self, at: u64, n_bytes: u64) -> Option<u64> {
        let block = self.habit.block;
        let is_first = self.n_bytes == 0;
        self.at = at;
        if n_bytes / block > self.n_bytes / block || self.n_bytes.is_multiple_of(block) {
            self.since = at;
        }
        self.n_bytes = n_bytes;
        let mut n = (self.habit.missing)(n_bytes);
        if is_first {
            n += self.habit.ahead;
        }
        let waits = match at {
            // There is a picture to see.
            _ if is_first => 0,
            ..AT_FIRST => self.habit.waits_at_first,
            _ => self.habit.waits,
        };
        if n == 0 || at - self.since < waits {
            return None;
        }
        self.n_bytes += n;
        Some(n)
    }

    /// Whether pictures fill the reader's buffers, so that it has use for many.
    pub(super) fn is_filling(&self) -> bool {
        self.at < FILLING
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When the engine sees each unit, in ticks, and how many bytes it was sent: units of so many bytes, so many ticks apart.
    fn play(habit: &'static Habit, sizes: &[u64], apart: u64) -> (Vec<u64>, u64) {
        let Habit { block, waits, .. } = *habit;
        let mut blocks = Blocks::of(habit);
        let (mut n_bytes, mut ends, mut seen) = (0, Vec::new(), Vec::new());
        for (no, size) in (0..).zip(sizes) {
            let at = no * apart;
            n_bytes += size;
            ends.push((at, n_bytes));
            n_bytes += blocks.sent(at, n_bytes).unwrap_or(0);
            // Whole blocks alone are seen.
            let n_seen = n_bytes - n_bytes % block;
            let is_new = |&&(_, end): &&(u64, u64)| end <= n_seen;
            let n = ends.iter().filter(is_new).count();
            seen.extend(ends.drain(..n).map(|(sent, _)| at - sent));
        }
        assert!(
            ends.iter()
                .all(|&(sent, _)| sizes.len() as u64 * apart - sent <= waits + apart)
        );
        (seen, n_bytes)
    }

    #[test]
    fn no_picture_waits_for_longer_than_it_may() {
        for habit in [&CHROMIUM, &VLC] {
            let Habit { block, waits, .. } = *habit;
            for apart in [TICKS / 30, TICKS / 25, TICKS / 5, TICKS / 2] {
                for most in [20, 300, 5000, 32_767, 32_768, 70_000] {
                    let sizes: Vec<u64> = (0..2000u64).map(|no| no.pow(3) % most + 1).collect();
                    let (seen, n_bytes) = play(habit, &sizes, apart);
                    let longest = seen.iter().max().unwrap();
                    assert!(
                        *longest < waits + apart,
                        "{longest} ticks with {most} bytes"
                    );
                    let n_fillings =
                        sizes.len() as u64 * apart / waits + AT_FIRST / habit.waits_at_first + 2;
                    let own: u64 = sizes.iter().sum();
                    // The shortest box is longer than what may be missing.
                    assert!(
                        n_bytes <= own + n_fillings * (block + 8) + habit.ahead,
                        "{n_bytes} for {own}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_first_picture_waits_for_none() {
        for habit in [&CHROMIUM, &VLC] {
            let (seen, n_bytes) = play(habit, &[900], TICKS / 5);
            assert_eq!((seen, n_bytes), (vec![0], habit.block + habit.ahead));
        }
    }

    #[test]
    fn what_is_in_motion_is_not_filled() {
        for habit in [&CHROMIUM, &VLC] {
            let sizes = vec![20_000; 500];
            let (_, n_bytes) = play(habit, &sizes, TICKS / 25);
            let fillings = AT_FIRST / habit.waits_at_first * habit.block + habit.ahead;
            let most = 500 * 20_000 + fillings;
            assert!(n_bytes < most, "but at its beginning");
        }
    }
}
