//! How many connections there may be, and from where.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
};

/// Counts connections; shared with the status page.
#[derive(Debug, Default)]
pub struct ConnectionCounts {
    open: AtomicU64,
    refused: AtomicU64,
}

impl ConnectionCounts {
    /// How many are open.
    pub fn open(&self) -> u64 {
        self.open.load(SeqCst)
    }

    /// How many were turned away since the start.
    pub fn refused(&self) -> u64 {
        self.refused.load(SeqCst)
    }

    /// Takes a place below `limit`, if there is one; the place is given back when it is dropped.
    pub(super) fn admit(self: &Arc<Self>, limit: usize) -> Option<Place> {
        let taken = self.open.fetch_update(SeqCst, SeqCst, |open| {
            (open < limit as u64).then_some(open + 1)
        });
        match taken {
            Ok(_) => Some(Place {
                counts: self.clone(),
            }),
            Err(_) => {
                self.refuse();
                None
            }
        }
    }

    pub(super) fn refuse(&self) {
        self.refused.fetch_add(1, SeqCst);
    }
}

/// One connection's place.
#[derive(Debug)]
pub(super) struct Place {
    counts: Arc<ConnectionCounts>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.counts.open.fetch_sub(1, SeqCst);
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
        let first = counts.admit(1).unwrap();
        assert!(counts.admit(1).is_none());
        assert_eq!((counts.open(), counts.refused()), (1, 1));
        drop(first);
        assert!(counts.admit(1).is_some());
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
