//! The ways between sessions and the network: which session a packet is for, and how one goes out.
//!
//! What tells is the user fragment of a check (RFC 8445, 7.3), which names a session by itself, and then the address from
//! which a session has taken a check. Packets of nobody are dropped, without an answer.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use str0m::{
    ice::StunMessage,
    net::{Protocol, Transmit},
};
use tokio::{sync::mpsc, time::Instant};

use super::sockets::Udp;
use crate::locked::locked;

/// The packets that wait for a session. More than these are lost, as they would be anywhere else on the way.
const MAX_WAITING: usize = 256;
/// The addresses of a peer from which checks are taken, at most.
const MAX_REMOTES: usize = 16;
/// The packets that wait for a TCP connection, at most: with more, it is too slow for what it is sent.
pub(super) const MAX_UNSENT: usize = 512;

/// A packet that came.
#[derive(Debug)]
pub(super) struct Packet {
    pub(super) by: By,
    /// The address here that it was sent to.
    pub(super) to: SocketAddr,
    pub(super) bytes: Bytes,
    pub(super) at: Instant,
}

/// How, and from where, a packet came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct By {
    pub(super) is_tcp: bool,
    pub(super) from: SocketAddr,
}

impl By {
    pub(super) fn protocol(self) -> Protocol {
        if self.is_tcp {
            Protocol::Tcp
        } else {
            Protocol::Udp
        }
    }
}

/// The sockets and sessions.
#[derive(Debug, Default)]
pub(super) struct Ways {
    pub(super) sockets: Vec<Udp>,
    routes: Mutex<Routes>,
}

#[derive(Debug, Default)]
struct Routes {
    by_fragment: HashMap<String, mpsc::Sender<Packet>>,
    by_remote: HashMap<By, mpsc::Sender<Packet>>,
    /// The TCP connections, by the address of their other end.
    connections: HashMap<SocketAddr, mpsc::Sender<Bytes>>,
}

impl Ways {
    pub(super) fn new(sockets: Vec<Udp>) -> Self {
        Self {
            sockets,
            routes: Mutex::default(),
        }
    }

    /// The entrance of a session with this user fragment, until it is dropped.
    pub(super) fn enter(self: &Arc<Self>, fragment: String) -> (Entrance, mpsc::Receiver<Packet>) {
        let (sender, packets) = mpsc::channel(MAX_WAITING);
        let mut routes = locked(&self.routes);
        routes.by_fragment.insert(fragment.clone(), sender.clone());
        let entrance = Entrance {
            ways: self.clone(),
            fragment,
            sender,
            remotes: Vec::new(),
        };
        (entrance, packets)
    }

    /// Brings a packet to its session. False: there is none that it could be for.
    pub(super) fn bring(&self, packet: Packet) -> bool {
        let named = fragment_of(&packet.bytes);
        let session = {
            let routes = locked(&self.routes);
            match named {
                Some(fragment) => routes.by_fragment.get(&fragment).cloned(),
                None => routes.by_remote.get(&packet.by).cloned(),
            }
        };
        session.is_some_and(|session| {
            // One whose queue is full loses this one, and stays.
            !matches!(
                session.try_send(packet),
                Err(mpsc::error::TrySendError::Closed(_))
            )
        })
    }

    /// Takes what is sent to `to` by TCP, until it is dropped.
    pub(super) fn connect(self: &Arc<Self>, to: SocketAddr, unsent: mpsc::Sender<Bytes>) -> Wire {
        locked(&self.routes).connections.insert(to, unsent);
        Wire {
            ways: self.clone(),
            to,
        }
    }

    /// Sends what can be sent at once; the rest is lost, as on any network.
    pub(super) fn send(&self, transmit: &Transmit) {
        if transmit.proto == Protocol::Udp {
            let ip = transmit.source.ip();
            let socket = self.sockets.iter().find(|socket| socket.is_of(ip));
            if let Some(socket) = socket {
                socket.send(ip, transmit.destination, &transmit.contents);
            }
            return;
        }
        let routes = locked(&self.routes);
        if let Some(unsent) = routes.connections.get(&transmit.destination) {
            let bytes = Bytes::copy_from_slice(&transmit.contents);
            let _ = unsent.try_send(bytes);
        }
    }
}

/// A TCP connection's entry.
#[derive(Debug)]
pub(super) struct Wire {
    ways: Arc<Ways>,
    to: SocketAddr,
}

impl Drop for Wire {
    fn drop(&mut self) {
        locked(&self.ways.routes).connections.remove(&self.to);
    }
}

/// A session's place among the ways.
#[derive(Debug)]
pub(super) struct Entrance {
    ways: Arc<Ways>,
    fragment: String,
    sender: mpsc::Sender<Packet>,
    remotes: Vec<By>,
}

impl Entrance {
    pub(super) fn ways(&self) -> &Ways {
        &self.ways
    }

    /// Has packets from there come to this session: a check from there had its password.
    pub(super) fn take(&mut self, by: By) {
        if self.remotes.contains(&by) {
            return;
        }
        let mut routes = locked(&self.ways.routes);
        if self.remotes.len() == MAX_REMOTES {
            let oldest = self.remotes.remove(0);
            forget(&mut routes, oldest, &self.sender);
        }
        self.remotes.push(by);
        routes.by_remote.insert(by, self.sender.clone());
    }
}

/// Forgets an address, unless another session has it now.
fn forget(routes: &mut Routes, by: By, sender: &mpsc::Sender<Packet>) {
    let is_ours = routes
        .by_remote
        .get(&by)
        .is_some_and(|other| other.same_channel(sender));
    if is_ours {
        routes.by_remote.remove(&by);
    }
}

impl Drop for Entrance {
    fn drop(&mut self) {
        let mut routes = locked(&self.ways.routes);
        routes.by_fragment.remove(&self.fragment);
        for by in std::mem::take(&mut self.remotes) {
            forget(&mut routes, by, &self.sender);
        }
    }
}

/// The local user fragment that a check names, if the packet is one: of STUN's classes it alone has a name.
fn fragment_of(bytes: &[u8]) -> Option<String> {
    // RFC 7983: STUN begins with 0 to 3, DTLS and RTP do not.
    if *bytes.first()? > 3 {
        return None;
    }
    let message = StunMessage::parse(bytes).ok()?;
    if !message.is_binding_request() {
        return None;
    }
    let (local, _) = message.split_username()?;
    Some(local.to_owned())
}

#[cfg(test)]
mod tests {
    use str0m::ice::TransId;

    use super::*;

    fn check(fragment: &str) -> Bytes {
        let name = format!("{fragment}:peer");
        let message = StunMessage::binding_request(&name, TransId::new(), true, 1, 1, false);
        let mut bytes = vec![0; 500];
        let n = message
            .to_bytes(Some(b"password"), &mut bytes, |_, _| [0; 20])
            .unwrap();
        bytes.truncate(n);
        bytes.into()
    }

    fn packet(from: &str, bytes: Bytes) -> Packet {
        Packet {
            by: By {
                is_tcp: false,
                from: from.parse().unwrap(),
            },
            to: "127.0.0.1:8080".parse().unwrap(),
            bytes,
            at: Instant::now(),
        }
    }

    #[test]
    fn packets_find_their_session_and_strangers_find_none() {
        let ways = Arc::new(Ways::new(Vec::new()));
        let (mut one, mut to_one) = ways.enter("one".into());
        let (other, mut to_other) = ways.enter("other".into());
        let near = "10.0.0.1:5000";
        let dtls = Bytes::from_static(&[22, 254, 253]);
        assert!(!ways.bring(packet(near, dtls.clone())), "from nobody");
        assert!(!ways.bring(packet(near, check("third"))));
        assert!(ways.bring(packet(near, check("one"))));
        let came = to_one.try_recv().unwrap();
        assert!(!ways.bring(packet(near, dtls.clone())), "not taken yet");
        one.take(came.by);
        assert!(ways.bring(packet(near, dtls.clone())));
        // A check names its session, wherever it comes from.
        assert!(ways.bring(packet(near, check("other"))));
        assert!(to_one.try_recv().is_ok());
        assert!(to_other.try_recv().is_ok());
        drop(one);
        assert!(!ways.bring(packet(near, dtls)));
        drop(other);
        assert!(!ways.bring(packet(near, check("other"))));
    }

    #[test]
    fn a_session_keeps_few_addresses_and_takes_none_from_others() {
        let ways = Arc::new(Ways::new(Vec::new()));
        let (mut one, _packets) = ways.enter("one".into());
        let (mut other, _others) = ways.enter("other".into());
        let by = |port: usize| By {
            is_tcp: false,
            from: format!("10.0.0.1:{port}").parse().unwrap(),
        };
        for port in 1000..1100 {
            one.take(by(port));
        }
        assert_eq!(locked(&ways.routes).by_remote.len(), MAX_REMOTES);
        other.take(by(1099));
        drop(one);
        assert_eq!(locked(&ways.routes).by_remote.len(), 1);
        drop(other);
        assert!(locked(&ways.routes).by_remote.is_empty());
    }
}
