//! The UDP sockets: one for each address that is listened on, which tells by which of the machine's own addresses a packet
//! came, and sends from there.

#![expect(clippy::disallowed_methods, reason = "packets are timed as they come")]

use std::{
    io::{self, IoSliceMut},
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use quinn_udp::{RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use tokio::{io::Interest, net::UdpSocket, time::Instant};

use super::ways::{By, Packet, Ways};

/// The largest packets that the system hands over together, in bytes.
const MAX_BATCH: usize = 64 << 10;
/// The room for packets to be sent, in bytes: a key frame at once.
const SEND_BUFFER: usize = 2 << 20;

/// How long nothing is read after an error.
const AFTER_ERROR: Duration = Duration::from_millis(10);

/// A socket.
#[derive(Debug)]
pub(super) struct Udp {
    socket: UdpSocket,
    state: UdpSocketState,
    bound: SocketAddr,
}

impl Udp {
    /// A socket at this address.
    pub(super) fn bind(address: SocketAddr) -> io::Result<Self> {
        use socket2::{Domain, Protocol, Socket, Type};
        let domain = Domain::for_address(address);
        let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
        if address.is_ipv6() {
            // IPv4 has a socket of its own, which names its addresses as they are.
            socket.set_only_v6(true)?;
        }
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        let socket = UdpSocket::from_std(socket.into())?;
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        // As much of it as the system allows.
        let _ = state.set_send_buffer_size(UdpSockRef::from(&socket), SEND_BUFFER);
        Ok(Self {
            bound: socket.local_addr()?,
            socket,
            state,
        })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.bound
    }

    /// Whether packets from this address of the machine go out here.
    pub(super) fn is_of(&self, ip: IpAddr) -> bool {
        let bound = self.bound.ip();
        bound == ip || (bound.is_unspecified() && bound.is_ipv4() == ip.is_ipv4())
    }

    /// Sends a packet from one of the machine's addresses. What can't be sent now is lost.
    pub(super) fn send(&self, from: IpAddr, to: SocketAddr, bytes: &[u8]) {
        let transmit = Transmit {
            destination: to,
            ecn: None,
            contents: bytes,
            segment_size: None,
            src_ip: Some(from),
        };
        let sent = self.socket.try_io(Interest::WRITABLE, || {
            self.state
                .try_send(UdpSockRef::from(&self.socket), &transmit)
        });
        if let Err(error) = sent {
            tracing::trace!(%to, %error, "a packet was not sent");
        }
    }

    /// Brings what comes to its sessions, for ever.
    pub(super) async fn keep(&self, ways: Arc<Ways>) {
        let mut buffer = vec![0; MAX_BATCH];
        loop {
            let mut meta = RecvMeta::default();
            let came = self.socket.async_io(Interest::READABLE, || {
                let mut slices = [IoSliceMut::new(&mut buffer)];
                let metas = std::slice::from_mut(&mut meta);
                self.state
                    .recv(UdpSockRef::from(&self.socket), &mut slices, metas)
            });
            if let Err(error) = came.await {
                // Of a peer that is gone, most often; one that stays must not be a task that never rests.
                tracing::trace!(%error, "UDP");
                tokio::time::sleep(AFTER_ERROR).await;
                continue;
            }
            let at = Instant::now();
            let to = meta.dst_ip.unwrap_or(self.bound.ip()).to_canonical();
            let whole = buffer.get(..meta.len).unwrap_or_default();
            for bytes in whole.chunks(meta.stride.max(1)) {
                ways.bring(Packet {
                    by: By {
                        is_tcp: false,
                        from: meta.addr,
                    },
                    to: SocketAddr::new(to, self.bound.port()),
                    bytes: Bytes::copy_from_slice(bytes),
                    at,
                });
            }
        }
    }
}
