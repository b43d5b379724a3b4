//! How far a network is behind what it is sent, by what it is thought to carry, and how much that is. Pure.

use std::time::Duration;

/// A network that is further behind than this carries too little. A key frame alone is sent in less.
const BEHIND: Duration = Duration::from_millis(500);
/// No more than so much of a network's time is remembered: what was too much once, and is sent by now, counts no more.
const MOST: Duration = Duration::from_secs(2);

/// The bits that wait for a network, if it carries what it is thought to.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    /// Bits a second; none while nothing is known.
    room: Option<u64>,
    waiting: u64,
    /// Of the last change.
    at: Duration,
}

impl Backlog {
    /// The network is thought to carry so many bits a second from `now` on.
    pub(super) fn set_room(&mut self, now: Duration, bits_per_second: u64) {
        self.go_on(now);
        self.room = Some(bits_per_second);
    }

    /// Whether so many bits a second are no more than the network is thought to carry.
    pub(super) fn has_room_for(&self, bits_per_second: u64) -> bool {
        self.room.is_none_or(|room| bits_per_second <= room)
    }

    /// So many bytes are sent `now`. Whether the network is too far behind with them.
    pub(super) fn sent(&mut self, now: Duration, n_bytes: usize) -> bool {
        let Some(room) = self.room else {
            return false;
        };
        self.go_on(now);
        self.waiting = (self.waiting + n_bytes as u64 * 8).min(bits(room, MOST));
        self.waiting > bits(room, BEHIND)
    }

    fn go_on(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.at);
        self.at = now;
        let carried = self.room.map_or(0, |room| bits(room, passed));
        self.waiting = self.waiting.saturating_sub(carried);
    }
}

/// How long bits are counted before they are told: long enough that a key frame does not stand out.
const COUNTED: Duration = Duration::from_secs(2);

/// The bits a second to reckon with by what was sent: a quarter above it, and fewer slowly, since what stands now may move
/// soon. It stays while it is within double of what is sent: each time that it grows the network is probed for it.
#[derive(Debug, Default)]
pub(super) struct Flow {
    per_second: u64,
    /// Of those that are counted now.
    since: Duration,
    n_bits: u64,
}

impl Flow {
    /// So many bytes are sent `now`.
    pub(super) fn sent(&mut self, now: Duration, n_bytes: usize) {
        let passed = now.saturating_sub(self.since);
        if passed >= COUNTED {
            let millis = u64::try_from(passed.as_millis()).unwrap_or(u64::MAX);
            let counted = self.n_bits.saturating_mul(1000) / millis;
            if counted > self.per_second {
                self.per_second = counted + counted / 4;
            } else if counted < self.per_second / 2 {
                self.per_second -= self.per_second / 8;
            }
            (self.since, self.n_bits) = (now, 0);
        }
        self.n_bits += n_bytes as u64 * 8;
    }

    pub(super) const fn bits_per_second(&self) -> u64 {
        self.per_second
    }
}

/// The bits that are carried in a time.
fn bits(per_second: u64, time: Duration) -> u64 {
    let bits = u128::from(per_second) * time.as_micros() / 1_000_000;
    u64::try_from(bits).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLION: u64 = 1_000_000;

    /// Whether each of `n` frames of so many bytes, `every` milliseconds apart, is too much for so many bits a second.
    fn send(backlog: &mut Backlog, from: u64, n: u64, every: u64, n_bytes: usize) -> Vec<bool> {
        let at = |no| Duration::from_millis(from + no * every);
        (0..n).map(|no| backlog.sent(at(no), n_bytes)).collect()
    }

    #[test]
    fn what_is_more_than_there_is_room_for_is_told_and_what_is_less_is_not() {
        // 25 frames a second of 10 KB are two million bits.
        for (room, is_too_much) in [(3, false), (2, false), (1, true)] {
            let mut backlog = Backlog::default();
            backlog.set_room(Duration::ZERO, room * MILLION);
            let told = send(&mut backlog, 0, 100, 40, 10_000);
            assert_eq!(told.last(), Some(&is_too_much), "{room}");
        }
    }

    #[test]
    fn a_key_frame_and_a_slide_that_stands_are_not_too_much() {
        let mut backlog = Backlog::default();
        backlog.set_room(Duration::ZERO, 3 * MILLION);
        assert!(!backlog.sent(Duration::ZERO, 150_000));
        // Who sends little is thought to have little room, often.
        backlog.set_room(Duration::from_secs(1), MILLION / 10);
        assert!(!send(&mut backlog, 1000, 100, 200, 2000).contains(&true));
    }

    #[test]
    fn what_is_sent_is_told_within_seconds_and_forgotten_slowly() {
        let mut flow = Flow::default();
        let mut at = Duration::ZERO;
        // 25 frames a second of 30 KB are six million bits.
        let mut send = |seconds: u64, n_bytes: usize| {
            for _ in 0..seconds * 25 {
                flow.sent(at, n_bytes);
                at += Duration::from_millis(40);
            }
            flow.bits_per_second()
        };
        assert_eq!(send(1, 30_000), 0);
        assert_eq!(send(2, 30_000), 7_500_000);
        assert_eq!(send(20, 36_000), 7_500_000);
        assert!(send(4, 100) > 4 * MILLION);
        assert!(send(60, 100) < MILLION);
        assert!(send(5, 60_000) > 12 * MILLION);
    }

    #[test]
    fn nothing_is_too_much_where_nothing_is_known_and_what_was_is_forgotten() {
        let mut backlog = Backlog::default();
        assert!(!send(&mut backlog, 0, 100, 10, 1_000_000).contains(&true));
        backlog.set_room(Duration::from_secs(1), MILLION);
        assert!(send(&mut backlog, 1000, 100, 10, 1_000_000)[99]);
        let later = Duration::from_secs(2) + MOST;
        assert!(!backlog.sent(later, 10_000));
    }
}
