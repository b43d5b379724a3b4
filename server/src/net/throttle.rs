//! A limit of the wrong passwords that an address may try. Pure: time is an argument.
//!
//! Our own few lines and no crate: the table has to be bounded, and neighbours in an IPv6 network
//! share a bucket, neither of which crates for rate limits do by themselves.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    time::{Duration, Instant},
};

/// The limit of wrong passwords at once.
const BURST: u32 = 10;

/// How long it takes until one more may be tried.
const REFILL: Duration = Duration::from_secs(6);

/// The limit of addresses that are remembered; the one that was quiet longest is forgotten first.
const MAX_ADDRESSES: usize = 4096;

/// The failures of each address, as token buckets.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    // The time at which each address's bucket is full again: a token bucket needs no more.
    full_at: HashMap<IpAddr, Instant>,
}

impl Throttle {
    /// Takes one try of `from` at `now`.
    ///
    /// # Errors
    /// There is none left; how long to wait for the next.
    pub(super) fn take(&mut self, from: IpAddr, now: Instant) -> Result<(), Duration> {
        let from = key(from);
        let full_at = self.full_at.get(&from).map_or(now, |at| *at.max(&now));
        let after = full_at + REFILL;
        let wait = after.saturating_duration_since(now + REFILL * BURST);
        if !wait.is_zero() {
            return Err(wait);
        }
        if self.full_at.len() >= MAX_ADDRESSES && !self.full_at.contains_key(&from) {
            self.make_room(now);
        }
        self.full_at.insert(from, after);
        Ok(())
    }

    /// Gives a try back that was no failure.
    pub(super) fn give_back(&mut self, from: IpAddr) {
        if let Some(full_at) = self.full_at.get_mut(&key(from))
            && let Some(before) = full_at.checked_sub(REFILL)
        {
            *full_at = before;
        }
    }

    fn make_room(&mut self, now: Instant) {
        self.full_at.retain(|_, at| *at > now);
        if self.full_at.len() >= MAX_ADDRESSES
            && let Some(first) = self
                .full_at
                .iter()
                .min_by_key(|(_, at)| **at)
                .map(|(key, _)| *key)
        {
            self.full_at.remove(&first);
        }
    }
}

/// The address that counts for `address`: itself, or its /64 in IPv6's global networks, in which
/// anyone has as many addresses as they like.
pub(super) fn key(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6)
            if !v6.is_unicast_link_local() && !v6.is_unique_local() && !v6.is_loopback() =>
        {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tries(throttle: &mut Throttle, from: &str, now: Instant) -> u32 {
        (0..100)
            .take_while(|_| throttle.take(from.parse().unwrap(), now).is_ok())
            .count() as u32
    }

    #[test]
    fn a_burst_then_one_at_a_time() {
        let (mut throttle, start) = (Throttle::default(), Instant::now());
        assert_eq!(tries(&mut throttle, "10.0.0.1", start), BURST);
        let wait = throttle
            .take("10.0.0.1".parse().unwrap(), start)
            .unwrap_err();
        assert_eq!(wait, REFILL);
        // Another address has a bucket of its own.
        assert_eq!(tries(&mut throttle, "10.0.0.2", start), BURST);
        assert_eq!(tries(&mut throttle, "10.0.0.1", start + REFILL), 1);
        assert_eq!(
            tries(&mut throttle, "10.0.0.1", start + REFILL * 100),
            BURST
        );
    }

    #[test]
    fn right_ones_cost_nothing() {
        let (mut throttle, start) = (Throttle::default(), Instant::now());
        let from = "10.0.0.1".parse().unwrap();
        for _ in 0..100 {
            throttle.take(from, start).unwrap();
            throttle.give_back(from);
        }
    }

    #[test]
    fn neighbours_in_a_global_network_are_one() {
        let (mut throttle, start) = (Throttle::default(), Instant::now());
        assert_eq!(tries(&mut throttle, "2001:db8::1", start), BURST);
        assert_eq!(tries(&mut throttle, "2001:db8::ffff:2", start), 0);
        assert_eq!(tries(&mut throttle, "2001:db8:0:1::1", start), BURST);
        // Addresses of a home network are single devices: none shares a bucket.
        assert_eq!(tries(&mut throttle, "fd00::1", start), BURST);
        assert_eq!(tries(&mut throttle, "fd00::2", start), BURST);
    }

    #[test]
    fn the_table_is_bounded_and_the_worst_stay_in_it() {
        let (mut throttle, start) = (Throttle::default(), Instant::now());
        assert_eq!(tries(&mut throttle, "10.0.0.1", start), BURST);
        for i in 0..20_000_u32 {
            let _ = throttle.take(IpAddr::from((i + 0x0b00_0000).to_be_bytes()), start);
        }
        assert!(throttle.full_at.len() <= MAX_ADDRESSES);
        assert_eq!(tries(&mut throttle, "10.0.0.1", start), 0);
    }
}
