//! Back-off and watchdog of the connection: when to try again and when to give up waiting.
//!
//! Never a timer, a random source or a socket: instants and jitter are arguments.

use mantel_shared::UnixMillis;

use crate::clock::Local;

const FIRST_MILLIS: f64 = 500.0;
const LONGEST_MILLIS: f64 = 10_000.0;

/// The pause before each attempt to reconnect: from 0.5 s, doubling, to 10 s, for ever.
///
/// Jitter spreads the screens of a house, which all lose a restarted server at the same instant.
#[derive(Debug, Default)]
pub struct Backoff {
    n_failures: u32,
}

impl Backoff {
    /// Milliseconds to wait after one more failure. `jitter` is uniform in 0..1.
    pub fn failed(&mut self, jitter: f64) -> f64 {
        // From the fifth failure on the limit holds; the shift must not overflow.
        let doubled = FIRST_MILLIS * f64::from(1_u32 << self.n_failures.min(5));
        self.n_failures = self.n_failures.saturating_add(1);
        let spread = 0.75 + 0.5 * jitter.clamp(0.0, 1.0);
        (doubled.min(LONGEST_MILLIS) * spread).clamp(FIRST_MILLIS, LONGEST_MILLIS)
    }

    /// Notes that a part came: the next failure starts anew. A connection alone is not success; a
    /// proxy whose server is gone accepts many.
    pub fn succeeded(&mut self) {
        self.n_failures = 0;
    }
}

/// How long slides are taken to stay until the server says it: its default interval.
const UNKNOWN_DWELL_MILLIS: f64 = 10_000.0;
const GRACE_MILLIS: f64 = 15_000.0;
/// The limit of silence: with slides that stay for hours a dead connection would go unnoticed for
/// as long. Reconnecting costs one picture, which is recognised and not decoded again.
const LONGEST_SILENCE_MILLIS: f64 = 10.0 * 60.0 * 1000.0;

/// The watchdog of a connection that has died without an error: a peer that lost its power sends no
/// FIN, and `fetch` has no time-out.
#[derive(Debug)]
pub struct Watchdog {
    heard: Local,
    dwell_millis: f64,
    is_opening: bool,
}

impl Watchdog {
    /// Makes a watchdog that watches from `now` on.
    pub fn new(now: Local) -> Self {
        Self {
            heard: now,
            dwell_millis: UNKNOWN_DWELL_MILLIS,
            is_opening: false,
        }
    }

    /// Notes that a new attempt began. The server sends the current slide at once, so the attempt
    /// gets the grace time alone.
    pub fn opening(&mut self, now: Local) {
        self.heard = now;
        self.is_opening = true;
    }

    /// Notes that bytes came.
    pub fn heard(&mut self, now: Local) {
        self.heard = now;
        self.is_opening = false;
    }

    /// Whether nothing has come since the last attempt began.
    pub fn is_opening(&self) -> bool {
        self.is_opening
    }

    /// Sets how long slides stay.
    pub fn dwell(&mut self, millis: f64) {
        if millis.is_finite() {
            self.dwell_millis = millis.max(0.0);
        }
    }

    /// The instant at which silence becomes a fault: two dwells and 15 s after the last byte.
    pub fn deadline(&self) -> Local {
        if self.is_opening {
            return self.heard.after(GRACE_MILLIS);
        }
        let silence = 2.0 * self.dwell_millis + GRACE_MILLIS;
        self.heard.after(silence.min(LONGEST_SILENCE_MILLIS))
    }
}

/// The limit by which a device's two clocks move apart; beyond it, the device has slept or its
/// clock was set.
const SLEPT_MILLIS: f64 = 2_000.0;
/// The limit between two beats, for devices whose steady clock runs on while they sleep: hidden
/// pages are called once a minute.
const ABSENT_MILLIS: f64 = 5.0 * 60.0 * 1000.0;
/// How long a connection is kept: engines gather memory for a request that runs for weeks, and a
/// new one frees it.
const RECYCLE_MILLIS: f64 = 40.0 * 60.0 * 1000.0;

/// The pulse notices what no event tells: that the device has slept, or that a connection is old.
#[derive(Debug)]
pub struct Pulse {
    last: Local,
    wall: f64,
    connected: Local,
}

/// The finding of a beat of the pulse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beat {
    /// All is well.
    Fine,
    /// The device has slept or its clock was set: the connection may be dead, and the offset to the
    /// server's clock is worth nothing.
    Woke,
    /// The connection is to be replaced by a new one, for no fault of its own.
    Recycle,
}

impl Pulse {
    /// Makes a pulse that begins at `now`, when the device's wall clock says `wall`.
    pub fn new(now: Local, wall: UnixMillis) -> Self {
        Self {
            last: now,
            wall: wall.0 as f64,
            connected: now,
        }
    }

    /// Notes that a connection was opened.
    pub fn connected(&mut self, now: Local) {
        self.connected = now;
    }

    /// Looks for a fault; to be called every few seconds, with `is_quiet` while nothing moves on
    /// screen. If slides follow each other without a pause, an old connection is replaced all the
    /// same, but later.
    pub fn beat(&mut self, now: Local, wall: UnixMillis, is_quiet: bool) -> Beat {
        let wall = wall.0 as f64;
        let passed = now.since(self.last);
        let apart = (wall - self.wall - passed).abs();
        self.last = now;
        self.wall = wall;
        if apart > SLEPT_MILLIS || passed > ABSENT_MILLIS {
            Beat::Woke
        } else if now.since(self.connected) > RECYCLE_MILLIS * if is_quiet { 1.0 } else { 2.0 } {
            Beat::Recycle
        } else {
            Beat::Fine
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_ten_seconds() {
        let mut backoff = Backoff::default();
        let pauses: Vec<_> = (0..7).map(|_| backoff.failed(0.5)).collect();
        assert_eq!(
            pauses,
            [500.0, 1000.0, 2000.0, 4000.0, 8000.0, 10_000.0, 10_000.0]
        );
    }

    #[test]
    fn jitter_stays_between_the_limits() {
        for jitter in [-1.0, 0.0, 0.3, 1.0, 7.0] {
            let mut backoff = Backoff::default();
            for _ in 0..100 {
                assert!((500.0..=10_000.0).contains(&backoff.failed(jitter)));
            }
        }
        let (mut early, mut late) = (Backoff::default(), Backoff::default());
        early.failed(0.0);
        late.failed(0.0);
        assert!(early.failed(0.0) < late.failed(1.0));
    }

    #[test]
    fn a_part_resets_the_pause() {
        let mut backoff = Backoff::default();
        for _ in 0..9 {
            backoff.failed(1.0);
        }
        backoff.succeeded();
        assert_eq!(backoff.failed(0.0), 500.0);
    }

    #[test]
    fn the_watchdog_waits_two_dwells_and_fifteen_seconds() {
        let mut watchdog = Watchdog::new(Local(1000.0));
        assert_eq!(watchdog.deadline(), Local(36_000.0));
        watchdog.dwell(60_000.0);
        watchdog.heard(Local(5000.0));
        assert_eq!(watchdog.deadline(), Local(140_000.0));
    }

    #[test]
    fn an_attempt_is_given_up_after_the_grace_time() {
        let mut watchdog = Watchdog::new(Local(0.0));
        watchdog.dwell(60_000.0);
        watchdog.opening(Local(1000.0));
        assert!(watchdog.is_opening());
        assert_eq!(watchdog.deadline(), Local(16_000.0));
        watchdog.heard(Local(1100.0));
        assert!(!watchdog.is_opening());
        assert_eq!(watchdog.deadline(), Local(136_100.0));
    }

    #[test]
    fn a_slide_that_stays_for_a_day_does_not_hide_a_dead_connection() {
        let mut watchdog = Watchdog::new(Local(0.0));
        watchdog.dwell(86_400_000.0);
        assert_eq!(watchdog.deadline(), Local(600_000.0));
        watchdog.dwell(f64::INFINITY);
        assert_eq!(watchdog.deadline(), Local(600_000.0));
    }

    const WALL: u64 = 1_790_000_000_000;

    #[test]
    fn sleep_and_clocks_that_are_set_are_noticed_once() {
        let mut pulse = Pulse::new(Local(0.0), UnixMillis(WALL));
        let mut beat = |now, wall| pulse.beat(Local(now), UnixMillis(WALL + wall), true);
        assert_eq!(beat(10_000.0, 10_040), Beat::Fine);
        // The steady clock stood still for an hour.
        assert_eq!(beat(20_000.0, 3_620_000), Beat::Woke);
        assert_eq!(beat(30_000.0, 3_630_000), Beat::Fine);
        // Set back by an hour.
        assert_eq!(beat(40_000.0, 40_000), Beat::Woke);
        // Beats come once a minute, as in hidden pages.
        assert_eq!(beat(100_000.0, 100_000), Beat::Fine);
        // Both ran on.
        assert_eq!(beat(700_000.0, 700_000), Beat::Woke);
    }

    #[test]
    fn an_old_connection_is_replaced_in_a_quiet_moment() {
        let mut pulse = Pulse::new(Local(0.0), UnixMillis(WALL));
        let (mut now, mut wall) = (0.0, WALL);
        let mut beat = |pulse: &mut Pulse, is_quiet| {
            now += 10_000.0;
            wall += 10_000;
            let beat = pulse.beat(Local(now), UnixMillis(wall), is_quiet);
            (now, beat)
        };
        let busy = (0..300).map(|_| beat(&mut pulse, false).1);
        assert!(busy.into_iter().all(|beat| beat == Beat::Fine));
        let (at, verdict) = beat(&mut pulse, true);
        assert_eq!(verdict, Beat::Recycle);
        pulse.connected(Local(at));
        assert_eq!(beat(&mut pulse, true).1, Beat::Fine);
        assert!((0..600).any(|_| beat(&mut pulse, false).1 == Beat::Recycle));
    }
}
