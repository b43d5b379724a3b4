//! The candidates of this server: the addresses at which a peer can reach it. Pure.

use std::net::{IpAddr, SocketAddr};

use str0m::{Candidate, net::TcpType};

use super::Reached;

/// The addresses that are named at most: each is tried by a peer.
const MAX_ADDRESSES: usize = 8;

/// The addresses of a server that has sockets at `sockets`, of which some may be of all addresses of their family; `ours` are the
/// machine's own. The one by which the offer came is the first.
pub(super) fn addresses(
    sockets: &[SocketAddr],
    ours: &[IpAddr],
    reached: &Reached,
) -> Vec<SocketAddr> {
    let mut found: Vec<SocketAddr> = Vec::new();
    let local = reached.local.map(|local| local.ip().to_canonical());
    for ip in local.iter().chain(ours) {
        let of_ip = sockets.iter().find(|socket| {
            let bound = socket.ip();
            bound == *ip || (bound.is_unspecified() && bound.is_ipv4() == ip.is_ipv4())
        });
        let Some(socket) = of_ip else { continue };
        let address = SocketAddr::new(*ip, socket.port());
        if !found.contains(&address) && found.len() < MAX_ADDRESSES {
            found.push(address);
        }
    }
    found
}

/// The candidates of these addresses, by UDP and by TCP, and of the one that the client asked for, where that is none of
/// them: a port forward leads here from there.
pub(super) fn candidates(
    udp: &[SocketAddr],
    tcp: &[SocketAddr],
    reached: &Reached,
) -> Vec<Candidate> {
    let udp_host = |address: SocketAddr| Candidate::host(address, "udp").ok();
    let mut all: Vec<_> = udp
        .iter()
        .filter_map(|&address| udp_host(address))
        .collect();
    all.extend(tcp.iter().filter_map(|&address| tcp_host(address)));
    let asked = reached.asked.filter(|asked| {
        let ip = asked.ip();
        asked.port() > 0 && !ip.is_unspecified() && !ip.is_multicast() && !tcp.contains(asked)
    });
    // Nothing is known of what leads here from there, and checks that come so arrive at an address of ours: to the engine
    // it is one more of these.
    if let Some(asked) = asked {
        all.extend(udp_host(asked).filter(|_| !udp.is_empty() && !udp.contains(&asked)));
        all.extend(tcp_host(asked).filter(|_| !tcp.is_empty()));
    }
    all
}

/// The candidate of a listener.
pub(super) fn tcp_host(address: SocketAddr) -> Option<Candidate> {
    let builder = Candidate::builder().tcp().host(address);
    builder.tcptype(TcpType::Passive).build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn lines(sockets: &[&str], ours: &[&str], reached: Reached) -> Vec<String> {
        lines_of(sockets, sockets, ours, reached)
    }

    fn lines_of(sockets: &[&str], tcp: &[&str], ours: &[&str], reached: Reached) -> Vec<String> {
        let sockets: Vec<_> = sockets.iter().map(|text| at(text)).collect();
        let ours: Vec<_> = ours.iter().map(|text| text.parse().unwrap()).collect();
        let tcp: Vec<_> = tcp.iter().map(|text| at(text)).collect();
        let [udp, tcp] = [sockets, tcp].map(|bound| addresses(&bound, &ours, &reached));
        candidates(&udp, &tcp, &reached)
            .iter()
            .map(|one| {
                let proto = one.proto().to_string();
                format!("{proto} {} {}", one.kind(), one.addr())
            })
            .collect()
    }

    #[test]
    fn the_way_by_which_an_offer_came_is_named_first() {
        let reached = Reached {
            local: Some(at("[::ffff:10.0.0.5]:8080")),
            asked: Some(at("10.0.0.5:8080")),
        };
        assert_eq!(
            lines(&["0.0.0.0:8080"], &["192.168.1.2", "fd00::1"], reached),
            [
                "udp host 10.0.0.5:8080",
                "udp host 192.168.1.2:8080",
                "tcp host 10.0.0.5:8080",
                "tcp host 192.168.1.2:8080",
            ]
        );
    }

    #[test]
    fn a_forwarded_port_is_named_as_it_was_asked_for() {
        let reached = Reached {
            local: Some(at("172.17.0.2:8080")),
            asked: Some(at("203.0.113.7:9000")),
        };
        assert_eq!(
            lines(&["0.0.0.0:8080", "[::]:8080"], &["172.17.0.2"], reached),
            [
                "udp host 172.17.0.2:8080",
                "tcp host 172.17.0.2:8080",
                "udp host 203.0.113.7:9000",
                "tcp host 203.0.113.7:9000",
            ]
        );
    }

    #[test]
    fn a_socket_of_one_address_is_named_by_no_other() {
        let reached = Reached {
            local: Some(at("127.0.0.1:8080")),
            asked: None,
        };
        assert_eq!(
            lines(&["127.0.0.1:8080"], &["192.168.1.2"], reached),
            ["udp host 127.0.0.1:8080", "tcp host 127.0.0.1:8080"]
        );
        assert!(lines(&[], &["192.168.1.2"], reached).is_empty());
    }

    #[test]
    fn a_way_that_can_not_be_had_takes_no_other_with_it() {
        let reached = Reached {
            local: Some(at("10.0.0.5:8080")),
            asked: Some(at("203.0.113.7:9000")),
        };
        // Another program has the port of UDP.
        assert_eq!(
            lines_of(&[], &["0.0.0.0:8080"], &[], reached),
            ["tcp host 10.0.0.5:8080", "tcp host 203.0.113.7:9000"]
        );
        assert_eq!(
            lines_of(&["0.0.0.0:8189"], &["0.0.0.0:8080"], &[], reached),
            [
                "udp host 10.0.0.5:8189",
                "tcp host 10.0.0.5:8080",
                "udp host 203.0.113.7:9000",
                "tcp host 203.0.113.7:9000",
            ]
        );
    }
}
