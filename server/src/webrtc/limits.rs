//! The limits of sessions: how many at a time, how many that are not connected, and how many attempts of one address.
//! Pure: told the time.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    time::Duration,
};

use tokio::time::Instant;

use super::Refused;

/// The limit of sessions.
const MAX_SESSIONS: usize = 1024;
/// The limit of those among them that are not connected yet.
const MAX_HALF_OPEN: usize = 64;
/// The limit of an address's offers that led to no connection, within [`SPAN`].
const MAX_ATTEMPTS: usize = 8;
const SPAN: Duration = Duration::from_secs(60);
/// A session that is not connected after this is over.
pub(super) const TO_CONNECT: Duration = Duration::from_secs(10);

/// The sessions that there are, in numbers.
#[derive(Debug, Default)]
pub(super) struct Limits {
    n_sessions: usize,
    n_half_open: usize,
    /// When offers came that led to no connection yet, of those addresses that are limited.
    attempts: HashMap<IpAddr, VecDeque<Instant>>,
}

impl Limits {
    /// A session begins. `from` is limited, if anybody is.
    ///
    /// # Errors
    /// There are too many.
    pub(super) fn begin(&mut self, from: Option<IpAddr>, now: Instant) -> Result<(), Refused> {
        self.attempts.retain(|_, times| {
            while times
                .front()
                .is_some_and(|&time| now.duration_since(time) >= SPAN)
            {
                times.pop_front();
            }
            !times.is_empty()
        });
        if self.n_sessions >= MAX_SESSIONS || self.n_half_open >= MAX_HALF_OPEN {
            return Err(Refused::Full);
        }
        if let Some(from) = from {
            let times = self.attempts.entry(from).or_default();
            if times.len() >= MAX_ATTEMPTS {
                return Err(Refused::TooOften);
            }
            times.push_back(now);
        }
        self.n_sessions += 1;
        self.n_half_open += 1;
        Ok(())
    }

    /// A session is connected.
    pub(super) fn connected(&mut self, from: Option<IpAddr>) {
        self.n_half_open -= 1;
        if let Some(times) = from.and_then(|from| self.attempts.get_mut(&from)) {
            times.pop_front();
        }
    }

    /// A session is over.
    pub(super) fn end(&mut self, was_connected: bool) {
        self.n_sessions -= 1;
        self.n_half_open -= usize::from(!was_connected);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_that_lead_to_nothing_are_limited_by_address() {
        let mut limits = Limits::default();
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let [one, other] = ["10.0.0.1", "10.0.0.2"].map(|ip| Some(ip.parse().unwrap()));
        for second in 0..8 {
            limits.begin(one, at(second)).unwrap();
            limits.end(false);
        }
        assert_eq!(limits.begin(one, at(9)), Err(Refused::TooOften));
        limits.begin(other, at(9)).unwrap();
        limits.begin(None, at(9)).unwrap();
        // The first of them is a minute old, and one more may come.
        limits.begin(one, at(60)).unwrap();
        assert_eq!(limits.begin(one, at(60)), Err(Refused::TooOften));
        // Whoever connects has not tried in vain.
        limits.connected(one);
        limits.begin(one, at(60)).unwrap();
    }

    #[test]
    fn sessions_are_limited_and_those_not_connected_more_so() {
        let mut limits = Limits::default();
        let now = Instant::now();
        let mut n = 0;
        while limits.begin(None, now).is_ok() {
            n += 1;
        }
        assert_eq!(n, MAX_HALF_OPEN);
        limits.end(false);
        limits.begin(None, now).unwrap();
        while limits.n_sessions < MAX_SESSIONS {
            limits.connected(None);
            limits.begin(None, now).unwrap();
        }
        limits.connected(None);
        assert_eq!(limits.begin(None, now), Err(Refused::Full));
        limits.end(true);
        limits.begin(None, now).unwrap();
    }
}
