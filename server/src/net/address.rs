//! This machine's own address.

use std::net::{IpAddr, Ipv4Addr, UdpSocket};

/// This machine's address as its neighbours see it. Connecting a datagram socket sends nothing: it
/// only asks the system which of its addresses it would use.
pub fn lan_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    // TEST-NET-1 (RFC 5737): routed by default, owned by nobody.
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}
