//! The offset of the server's wall clock from this device's, learnt from `/time` and `X-Sent-At`.
//!
//! Never reads a clock: the caller says what time it is on its own steady clock. TVs' wall
//! clocks are often minutes wrong and jump when they are set; the steady one does neither.

use mantel_shared::UnixMillis;

/// An instant of this device's steady clock, in milliseconds (`performance.now()`) from a zero
/// that means nothing.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Local(pub f64);

impl Local {
    /// The milliseconds from `earlier` to `self`; negative when `self` is the earlier one.
    pub fn since(self, earlier: Self) -> f64 {
        self.0 - earlier.0
    }

    /// The instant `millis` later.
    pub fn after(self, millis: f64) -> Self {
        Self(self.0 + millis)
    }
}

/// How long the smallest offset is believed before a newer one replaces it even when it is
/// larger: at 50 ppm two quartz clocks drift apart by 18 ms in two windows, about a frame, and a
/// window still holds many parts, of which one is likely to have come without delay.
const WINDOW_MILLIS: f64 = 3.0 * 60.0 * 1000.0;

/// The offset between the two clocks.
///
/// A part that was sent at S (server) and came at R (local) gives R − S = offset + the time on
/// the way. That time is never negative, so the smallest difference seen is the best estimate.
/// The smallest of a sliding window counts rather than of all time, because screens run for months.
#[derive(Debug)]
pub struct Clock {
    /// The offset believed until the first sample, by the device's own wall clock.
    guess: f64,
    /// The smallest offset of the window that is being filled, with the instant it began.
    current: Option<(Local, f64)>,
    /// The smallest offset of the window before.
    previous: Option<f64>,
    /// The quickest exchange of the last minutes.
    exchange: Option<Exchange>,
}

/// A question for the time and its answer: the server's clock was read between the two.
#[derive(Clone, Copy, Debug)]
struct Exchange {
    at: Local,
    offset: f64,
    round_trip: f64,
}

/// How long the quickest exchange is believed before a slower one replaces it: at 50 ppm two clocks
/// drift apart by 30 ms meanwhile.
const EXCHANGE_MILLIS: f64 = 10.0 * 60.0 * 1000.0;

/// The limit of what drift and cut-off milliseconds amount to; a larger difference means that a
/// clock was set.
const SET_MILLIS: f64 = 40.0;

impl Clock {
    /// A clock that trusts the device until a part says better: `now` and `wall` are the same
    /// instant on its steady clock and on its wall clock.
    pub fn new(now: Local, wall: UnixMillis) -> Self {
        Self {
            guess: now.0 - millis(wall),
            current: None,
            previous: None,
            exchange: None,
        }
    }

    /// Takes note that the server was asked at `asked`, read its clock as `server`, and that the
    /// answer came at `answered`. Of several the quickest is believed: half of its round trip is all
    /// that it can be wrong by.
    pub fn exchange(&mut self, asked: Local, server: UnixMillis, answered: Local) {
        let round_trip = answered.since(asked);
        if round_trip < 0.0 {
            return;
        }
        // The server's clock is told in whole milliseconds, cut off.
        let server = millis(server) + 0.5;
        let offset = f64::midpoint(asked.0, answered.0) - server;
        let better = self.exchange.is_none_or(|best| {
            // Each is wrong by half its round trip at most; if they differ by more, a clock was
            // set.
            let was_set = (offset - best.offset).abs()
                > f64::midpoint(round_trip, best.round_trip) + SET_MILLIS;
            let is_old = answered.since(best.at) > EXCHANGE_MILLIS;
            round_trip <= best.round_trip || is_old || was_set
        });
        if better {
            self.exchange = Some(Exchange {
                at: answered,
                offset,
                round_trip,
            });
        }
    }

    /// The round trip of the exchange that is believed, in milliseconds.
    pub fn round_trip(&self) -> Option<f64> {
        self.exchange.map(|exchange| exchange.round_trip)
    }

    /// Takes note that something sent at `sent` came at `received`.
    pub fn sample(&mut self, sent: UnixMillis, received: Local) {
        let difference = received.0 - millis(sent);
        // A part can't come before it is sent: if so, the server's clock was set.
        self.exchange
            .take_if(|best| difference < best.offset - best.round_trip / 2.0 - SET_MILLIS);
        self.current = match self.current {
            Some((began, smallest)) if received.since(began) < WINDOW_MILLIS => {
                Some((began, smallest.min(difference)))
            }
            // If nothing came for a whole window, the smallest of the last one is too old.
            Some((began, smallest)) => {
                let recent = received.since(began) < 2.0 * WINDOW_MILLIS;
                self.previous = recent.then_some(smallest);
                Some((received, difference))
            }
            None => Some((received, difference)),
        };
    }

    /// Forgets all samples: another server may answer after a reconnect, or the same one with its
    /// clock set. The last estimate stays as the guess until the first sample.
    pub fn restart(&mut self) {
        self.guess = self.offset();
        self.current = None;
        self.previous = None;
        self.exchange = None;
    }

    /// The instant of the steady clock at which the server's clock shows `at`.
    pub fn local(&self, at: UnixMillis) -> Local {
        Local(millis(at) + self.offset())
    }

    /// The time on the server's clock at `now`, in Unix milliseconds.
    pub fn server(&self, now: Local) -> f64 {
        now.0 - self.offset()
    }

    fn offset(&self) -> f64 {
        if let Some(exchange) = self.exchange {
            return exchange.offset;
        }
        match (self.current, self.previous) {
            (Some((_, current)), Some(previous)) => current.min(previous),
            (Some((_, current)), None) => current,
            (None, _) => self.guess,
        }
    }
}

/// Turns Unix milliseconds into a double, which holds them exactly until the year 287,396.
#[expect(clippy::cast_precision_loss, reason = "see above")]
fn millis(at: UnixMillis) -> f64 {
    at.0 as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPOCH: u64 = 1_790_000_000_000;

    fn clock() -> Clock {
        Clock::new(Local(1000.0), UnixMillis(EPOCH))
    }

    #[test]
    fn the_device_is_believed_until_the_first_part() {
        assert_eq!(clock().local(UnixMillis(EPOCH + 500)), Local(1500.0));
    }

    #[test]
    fn the_smallest_difference_wins() {
        let mut clock = clock();
        // The device is an hour slow: local 0 is EPOCH + 3_600_000.
        let sent = |at: u64| UnixMillis(EPOCH + 3_600_000 + at);
        clock.sample(sent(2000), Local(2080.0));
        assert_eq!(clock.local(sent(5000)), Local(5080.0));
        clock.sample(sent(3000), Local(3005.0));
        clock.sample(sent(4000), Local(4400.0));
        assert_eq!(clock.local(sent(5000)), Local(5005.0));
        assert_eq!(clock.server(Local(5005.0)), (EPOCH + 3_605_000) as f64);
    }

    #[test]
    fn drift_is_followed_within_two_windows() {
        let mut clock = clock();
        // The device's clock runs 50 ppm fast: the difference grows by 0.5 ms in 10 s.
        let mut local = 0.0;
        for step in 0..400_u64 {
            local = step as f64 * 10_000.0 * 1.00005;
            clock.sample(UnixMillis(EPOCH + step * 10_000), Local(local + 7.0));
        }
        let error = clock.server(Local(local)) - (EPOCH + 399 * 10_000) as f64;
        assert!(error.abs() <= 20.0, "{error}");
    }

    #[test]
    fn a_long_silence_forgets_the_window_before() {
        let mut clock = clock();
        clock.sample(UnixMillis(EPOCH), Local(0.0));
        // The server's clock was set back by a minute while nothing came for an hour.
        clock.sample(UnixMillis(EPOCH + 3_540_000), Local(3_600_000.0));
        assert_eq!(clock.server(Local(3_600_000.0)), (EPOCH + 3_540_000) as f64);
    }

    #[test]
    fn the_quickest_exchange_wins_over_parts_until_it_is_old() {
        let mut clock = clock();
        clock.sample(UnixMillis(EPOCH), Local(80.0));
        // Local 0 is EPOCH; the way there takes 5 ms, the way back 3.
        clock.exchange(Local(100.0), UnixMillis(EPOCH + 105), Local(108.0));
        assert_eq!(clock.server(Local(200.0)), (EPOCH + 200) as f64 + 1.5);
        assert_eq!(clock.round_trip(), Some(8.0));
        // A slow exchange is not better, however new.
        clock.exchange(Local(1000.0), UnixMillis(EPOCH + 1005), Local(1400.0));
        assert_eq!(clock.round_trip(), Some(8.0));
        // Nor is an exchange during which the clock went backwards.
        clock.exchange(Local(1500.0), UnixMillis(EPOCH), Local(1400.0));
        assert_eq!(clock.round_trip(), Some(8.0));
        clock.exchange(
            Local(700_000.0),
            UnixMillis(EPOCH + 700_500),
            Local(700_020.0),
        );
        assert_eq!(clock.round_trip(), Some(20.0));
        // The server's clock is set forward by a second: as slow as the answer is, it counts.
        clock.exchange(
            Local(701_000.0),
            UnixMillis(EPOCH + 702_500),
            Local(701_060.0),
        );
        assert_eq!(clock.round_trip(), Some(60.0));
        // Once more, and a part tells before anybody has asked.
        clock.sample(UnixMillis(EPOCH + 704_500), Local(702_000.0));
        assert_eq!(clock.round_trip(), None);
        clock.restart();
        assert_eq!(clock.round_trip(), None);
    }

    #[test]
    fn a_restart_keeps_the_estimate_as_a_guess_only() {
        let mut clock = clock();
        clock.sample(UnixMillis(EPOCH), Local(0.0));
        clock.restart();
        assert_eq!(clock.local(UnixMillis(EPOCH)), Local(0.0));
        clock.sample(UnixMillis(EPOCH), Local(250.0));
        assert_eq!(clock.local(UnixMillis(EPOCH)), Local(250.0));
    }
}
