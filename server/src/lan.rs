//! This machine's own addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// This machine's address as its neighbours see it.
pub fn lan_address() -> Option<IpAddr> {
    // TEST-NET-1 (RFC 5737): routed by default, owned by nobody.
    towards(
        Ipv4Addr::UNSPECIFIED.into(),
        Ipv4Addr::new(192, 0, 2, 1).into(),
    )
}

/// This machine's addresses as its neighbours see them, of IPv4 and IPv6, as far as it has them.
pub fn lan_addresses() -> Vec<IpAddr> {
    // The prefix for documentation (RFC 3849), which is owned by nobody either.
    let far = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
    let v6 = towards(Ipv6Addr::UNSPECIFIED.into(), far.into());
    lan_address().into_iter().chain(v6).collect()
}

/// The address that this machine would use towards `far`. Connecting a datagram socket sends
/// nothing: the system only chooses the address.
fn towards(any: IpAddr, far: IpAddr) -> Option<IpAddr> {
    let socket = UdpSocket::bind(SocketAddr::new(any, 0)).ok()?;
    socket.connect(SocketAddr::new(far, 9)).ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}
