//! Opens the outputs to connections, of whichever machine's pictures they are, and closes them.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use tokio::{sync::watch, task::JoinHandle};

use crate::{
    channel::{Channel, choices::FeedKey},
    config::{Config, Listen, WebRtc},
    endpoints::{self, Outputs},
    hub::Feeds,
    net::{Accept, AcceptError, Listeners},
    webrtc::Peers,
};

/// The outputs, open to connections.
pub(super) struct Opened {
    pub(super) outputs: Arc<Outputs>,
    pub(super) accept: Accept,
    /// The task that keeps slow viewers within their memory.
    pub(super) held: JoinHandle<()>,
}

/// Opens the outputs to those who come by `listeners`.
pub(super) fn opened(
    config: &Config,
    mut outputs: Outputs,
    listeners: &Listeners,
) -> Result<Opened, AcceptError> {
    outputs.reach.is_in_house = listeners.addresses().iter().any(Listen::is_in_house);
    let peers = peers(config.webrtc, &listeners.addresses());
    outputs.reach.peers.clone_from(&peers);
    let (viewers, feeds) = (outputs.watched.viewers.clone(), outputs.house.feeds.clone());
    let held = endpoints::keep_within(viewers, feeds, config.slow_viewer_bytes);
    let held = tokio::spawn(held);
    let outputs = Arc::new(outputs);
    let accept = with_packets(accept(config, outputs.clone())?, peers);
    Ok(Opened {
        outputs,
        accept,
        held,
    })
}

/// Ends everything after `shutdown`.
pub(super) async fn closed_after(
    shutdown: impl Future<Output = ()>,
    feeds: Arc<Feeds<FeedKey, Channel>>,
    stop: watch::Sender<bool>,
) {
    shutdown.await;
    // Streams end when their feeds do; only then can connections finish.
    feeds.close();
    stop.send_replace(true);
}

/// The terms on which connections to these outputs are taken.
pub(crate) fn accept(config: &Config, outputs: Arc<Outputs>) -> Result<Accept, AcceptError> {
    let counts = outputs.watched.connections.clone();
    let live = outputs.house.channels.live().clone();
    let needs = Arc::new(move |method: &_, path: &_, query: &_| {
        endpoints::needs(method, path, query, &live)
    });
    Accept::new(config, endpoints::routes(outputs), needs, counts)
}

/// The peers of WebRTC: by UDP at the addresses that are listened on, by TCP beside HTTP.
fn peers(webrtc: WebRtc, listeners: &[Listen]) -> Option<Arc<Peers>> {
    let port = match webrtc {
        WebRtc::Off => return None,
        WebRtc::Beside => None,
        WebRtc::Port(port) => Some(port),
    };
    let mut tcp: Vec<SocketAddr> = Vec::new();
    for listen in listeners {
        let Listen::Tcp(address) = listen else {
            continue;
        };
        tcp.push(*address);
        // A listener of [::] takes IPv4 along, and there a socket of UDP is one of its own.
        let v4 = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), address.port());
        if address.ip() == Ipv6Addr::UNSPECIFIED && !listeners.contains(&Listen::Tcp(v4)) {
            tcp.push(v4);
        }
    }
    let at = |address: &SocketAddr| {
        let port = port.unwrap_or(address.port());
        SocketAddr::new(address.ip(), port)
    };
    let udp: Vec<_> = tcp.iter().map(at).collect();
    Some(Arc::new(Peers::start(&udp, tcp)))
}

/// These terms, and connections that carry packets of WebRTC.
fn with_packets(accept: Accept, peers: Option<Arc<Peers>>) -> Accept {
    let Some(peers) = peers else { return accept };
    accept.with_packets(Arc::new(move |stream| {
        let peers = peers.clone();
        Box::pin(async move { peers.carry(stream).await })
    }))
}
