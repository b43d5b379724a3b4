//! The limits of connections: how many there may be, and from where.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
};

use super::throttle;

use crate::locked::locked;

/// Why a client was turned away, or cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// An address that is not of this house.
    Stranger,
    /// A `Host` that this server doesn't go by, or none.
    Host,
    /// A page of another site wanted to change something.
    CrossSite,
    /// The limit of connections was reached.
    Full,
    /// The limit of connections of one address was reached.
    PerAddress,
    /// A request without a password or token, or with a wrong one.
    Unauthorized,
    /// The right password, but not the right to do this.
    Forbidden,
    /// Too many wrong passwords came from this address.
    RateLimited,
    /// The request's head did not come in time.
    SlowHead,
    /// The request's body did not come in time.
    SlowBody,
    /// A head larger than the limit.
    LargeHead,
    /// A body larger than the limit.
    TooLarge,
    /// Bytes that are no HTTP, or HTTP that can be read in two ways.
    Malformed,
    /// A peer that took no byte for as long as is allowed.
    Stalled,
    /// A handshake of TLS that failed or did not come in time.
    Tls,
    /// The limit of renditions was reached.
    Renditions,
    /// The limit of requests on a connection was reached: it was closed after the last.
    Requests,
    /// The old frames that a client did not take needed too much memory.
    Memory,
}

impl Reason {
    const N: usize = 18;

    /// All reasons, in the order of their discriminants.
    pub const ALL: [Self; Self::N] = [
        Self::Stranger,
        Self::Host,
        Self::CrossSite,
        Self::Full,
        Self::PerAddress,
        Self::Unauthorized,
        Self::Forbidden,
        Self::RateLimited,
        Self::SlowHead,
        Self::SlowBody,
        Self::LargeHead,
        Self::TooLarge,
        Self::Malformed,
        Self::Stalled,
        Self::Tls,
        Self::Renditions,
        Self::Requests,
        Self::Memory,
    ];

    /// The reason's name in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stranger => "stranger",
            Self::Host => "host",
            Self::CrossSite => "cross_site",
            Self::Full => "full",
            Self::PerAddress => "per_address",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::RateLimited => "rate_limited",
            Self::SlowHead => "slow_head",
            Self::SlowBody => "slow_body",
            Self::LargeHead => "large_head",
            Self::TooLarge => "too_large",
            Self::Malformed => "malformed",
            Self::Stalled => "stalled",
            Self::Tls => "tls",
            Self::Renditions => "renditions",
            Self::Requests => "requests",
            Self::Memory => "memory",
        }
    }
}

/// Counts connections and refusals; shared with the status page.
#[derive(Debug, Default)]
pub struct ConnectionCounts {
    open: AtomicU64,
    refusals: [AtomicU64; Reason::N],
    /// The connections of each address that has a limit: never more rows than connections.
    by_address: Mutex<HashMap<IpAddr, usize>>,
}

impl ConnectionCounts {
    /// The number of open connections.
    pub fn open(&self) -> u64 {
        self.open.load(SeqCst)
    }

    /// The number of clients turned away since the start, for whatever reason.
    pub fn refused(&self) -> u64 {
        self.refusals().map(|(_, n)| n).sum()
    }

    /// The number of clients turned away since the start, by reason.
    pub fn refusals(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Reason::ALL.into_iter().map(|refusal| {
            let n = self.refusals[refusal as usize].load(SeqCst);
            (refusal.name(), n)
        })
    }

    /// Takes a place below `limit`, and below the address's own limit if it has one; given back
    /// when the place is dropped.
    ///
    /// # Errors
    /// One of the two limits is reached, and which; the refusal is counted.
    pub(super) fn admit(
        self: &Arc<Self>,
        limit: usize,
        address: Option<(IpAddr, usize)>,
    ) -> Result<Place, Reason> {
        let taken = self.open.fetch_update(SeqCst, SeqCst, |open| {
            (open < limit as u64).then_some(open + 1)
        });
        if taken.is_err() {
            self.refuse(Reason::Full);
            return Err(Reason::Full);
        }
        let mut place = Place {
            counts: self.clone(),
            address: None,
        };
        if let Some((address, limit)) = address {
            let address = throttle::key(address);
            let mut by_address = self.by_address();
            let n = by_address.entry(address).or_default();
            if *n >= limit {
                drop(by_address);
                self.refuse(Reason::PerAddress);
                return Err(Reason::PerAddress);
            }
            *n += 1;
            place.address = Some(address);
        }
        Ok(place)
    }

    fn by_address(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        locked(&self.by_address)
    }

    /// Counts a client that was turned away.
    pub fn refuse(&self, why: Reason) {
        self.refusals[why as usize].fetch_add(1, SeqCst);
    }
}

/// A connection's place among those that there may be.
#[derive(Debug)]
pub(super) struct Place {
    counts: Arc<ConnectionCounts>,
    address: Option<IpAddr>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.counts.open.fetch_sub(1, SeqCst);
        if let Some(address) = self.address {
            let mut by_address = self.counts.by_address();
            if let Some(n) = by_address.get_mut(&address) {
                *n -= 1;
                if *n == 0 {
                    by_address.remove(&address);
                }
            }
        }
    }
}

/// Whether `peer` is of this house: loopback, private (RFC 1918), link-local, unique-local
/// (RFC 4193). Photos are private; a router that forwards the port by mistake must not publish them.
pub(super) fn is_of_the_house(peer: IpAddr) -> bool {
    match peer.to_canonical() {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_limited_counted_and_given_back() {
        let counts = Arc::new(ConnectionCounts::default());
        let first = counts.admit(1, None).unwrap();
        assert_eq!(counts.admit(1, None).unwrap_err(), Reason::Full);
        assert_eq!((counts.open(), counts.refused()), (1, 1));
        assert!(counts.refusals().any(|row| row == ("full", 1)));
        drop(first);
        assert!(counts.admit(1, None).is_ok());
    }

    #[test]
    fn one_address_leaves_room_for_others() {
        let counts = Arc::new(ConnectionCounts::default());
        let of = |ip: &str| counts.admit(10, Some((ip.parse().unwrap(), 2)));
        let (first, _second) = (of("10.0.0.1").unwrap(), of("10.0.0.1").unwrap());
        assert_eq!(of("10.0.0.1").unwrap_err(), Reason::PerAddress);
        let _other = of("10.0.0.2").unwrap();
        assert_eq!(counts.open(), 3);
        drop(first);
        let _third = of("10.0.0.1").unwrap();
        let _global = (of("2001:db8::1").unwrap(), of("2001:db8::2").unwrap());
        assert!(of("2001:db8::3").is_err());
        assert_eq!(counts.by_address().len(), 3);
    }

    #[test]
    fn refusals_are_in_order_and_have_names_of_their_own() {
        let names: std::collections::HashSet<_> = Reason::ALL.map(Reason::name).into();
        assert_eq!(names.len(), Reason::N);
        for (i, refusal) in Reason::ALL.into_iter().enumerate() {
            assert_eq!(refusal as usize, i);
        }
    }

    #[test]
    fn the_house_and_strangers() {
        for ours in [
            "127.0.0.1",
            "::1",
            "192.168.1.9",
            "10.0.0.1",
            "172.16.3.3",
            "169.254.1.1",
            "fe80::1",
            "fd00::1",
            "::ffff:192.168.0.2",
        ] {
            assert!(is_of_the_house(ours.parse().unwrap()), "{ours}");
        }
        for theirs in [
            "8.8.8.8",
            "172.32.0.1",
            "2001:4860::1",
            "::ffff:1.1.1.1",
            "100.64.0.1",
        ] {
            assert!(!is_of_the_house(theirs.parse().unwrap()), "{theirs}");
        }
    }
}
