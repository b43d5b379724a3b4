//! The peers: offers are answered, and sessions begin.

#![expect(
    clippy::disallowed_methods,
    reason = "sessions are limited by the time at which they begin"
)]

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, LazyLock, Mutex},
};

use str0m::{
    Candidate, Rtc, RtcConfig,
    bwe::Bitrate,
    config::{CryptoProvider, DtlsCert},
    rtp::Extension,
};
use tokio::{net::TcpStream, sync::mpsc, task::JoinHandle, time::Instant};

use super::{
    Answer, Offer, Reached, Refused, Talk, Untaken,
    answer::with_ways_where_they_count,
    candidates,
    codecs::{self, Way},
    limits::Limits,
    session::{FIRST_BITRATE, Order, Session},
    sockets::Udp,
    stream,
    ways::Ways,
};
use crate::{hex::hex, lan::lan_addresses, locked::locked};

/// The words that wait for a session: candidates of its peer.
const MAX_ORDERS: usize = 32;

/// The number of the extension by which a peer is told not to hold frames back. An offer's own takes the place of it.
const PLAYOUT_DELAY: u8 = 5;

/// The sockets of WebRTC, and who talks by them.
#[derive(Debug)]
pub struct Peers {
    ways: Arc<Ways>,
    udp: Vec<SocketAddr>,
    /// The addresses at which packets are taken by TCP.
    tcp: Vec<SocketAddr>,
    limits: Arc<Mutex<Limits>>,
    sessions: Arc<Mutex<HashMap<String, Known>>>,
    crypto: Arc<CryptoProvider>,
    /// The certificate of a run. Making it takes milliseconds, which no start waits for.
    certificate: LazyLock<Option<DtlsCert>>,
    readers: Vec<JoinHandle<()>>,
}

/// A session, as far as it is known to others.
#[derive(Debug)]
struct Known {
    orders: mpsc::Sender<Order>,
    tag: String,
    /// The user fragment of the peer.
    fragment: Option<String>,
}

impl Drop for Peers {
    fn drop(&mut self) {
        for reader in &self.readers {
            reader.abort();
        }
    }
}

impl Peers {
    /// Peers that are talked to at `udp`, and at `tcp` by connections that [`Peers::carry`] is given. What can't be had of
    /// `udp` is left out, with a word in the log.
    pub fn start(udp: &[SocketAddr], tcp: Vec<SocketAddr>) -> Self {
        let mut sockets = Vec::new();
        for &address in udp {
            match Udp::bind(address) {
                Ok(socket) => sockets.push(socket),
                Err(error) => tracing::warn!(
                    "no WebRTC by UDP at {address}: {error}; --webrtc PORT takes another port"
                ),
            }
        }
        let bound: Vec<_> = sockets.iter().map(Udp::address).collect();
        let ways = Arc::new(Ways::new(sockets));
        let readers = (0..bound.len()).map(|no| {
            let ways = ways.clone();
            tokio::spawn(async move {
                if let Some(socket) = ways.sockets.get(no) {
                    socket.keep(ways.clone()).await;
                }
            })
        });
        let readers = readers.collect();
        let crypto = Arc::new(str0m::crypto::from_feature_flags());
        let certificate: LazyLock<Option<DtlsCert>> = LazyLock::new(|| {
            let crypto = str0m::crypto::from_feature_flags();
            crypto.dtls_provider.generate_certificate()
        });
        Self {
            ways,
            udp: bound,
            tcp,
            limits: Arc::default(),
            sessions: Arc::default(),
            crypto,
            certificate,
            readers,
        }
    }

    /// Carries the packets of a TCP connection to their sessions, and back.
    pub async fn carry(&self, stream: TcpStream) {
        if let Err(error) = stream::carry(stream, self.ways.clone()).await {
            tracing::trace!(%error, "packets by TCP");
        }
    }

    /// Answers an offer: a session begins, which talks `talk`. Offers of `from` are limited in number.
    ///
    /// # Errors
    /// The offer can't be answered, or there are too many.
    pub fn answer(
        &self,
        offer: Offer,
        from: Option<IpAddr>,
        reached: &Reached,
        talk: impl Talk,
    ) -> Result<Answer, Refused> {
        locked(&self.limits).begin(from, Instant::now())?;
        let mut place = Place {
            limits: self.limits.clone(),
            is_connected: false,
        };
        let mut rtc = self.engine(offer.way);
        let ours = lan_addresses();
        let [udp, tcp] =
            [&self.udp, &self.tcp].map(|bound| candidates::addresses(bound, &ours, reached));
        for candidate in candidates::candidates(&udp, &tcp, reached) {
            rtc.add_local_candidate(candidate);
        }
        let answer = rtc.sdp_api().accept_offer(offer.sdp);
        let answer = answer.map_err(|error| Refused::Unanswerable(error.to_string()))?;
        let fragment = rtc.direct_api().local_ice_credentials().ufrag;
        let (entrance, packets) = self.ways.enter(fragment);
        let (orders, taken) = mpsc::channel(MAX_ORDERS);
        let (id, tag) = (random::<16>()?, format!("\"{}\"", random::<4>()?));
        let known = Known {
            orders,
            tag: tag.clone(),
            fragment: offer.fragment,
        };
        locked(&self.sessions).insert(id.clone(), known);
        let listed = Listed {
            sessions: self.sessions.clone(),
            id: id.clone(),
        };
        let session = Session {
            rtc,
            entrance,
            packets,
            orders: taken,
            talk,
        };
        tokio::spawn(async move {
            let _listed = listed;
            session.run(|| place.connected(from)).await;
        });
        Ok(Answer {
            id,
            tag,
            sdp: with_ways_where_they_count(&answer.to_sdp_string()),
        })
    }

    fn engine(&self, way: Way) -> Rtc {
        let mut config = RtcConfig::new()
            .set_crypto_provider(self.crypto.clone())
            .set_ice_lite(true)
            .set_extension(PLAYOUT_DELAY, Extension::PlayoutDelay)
            .enable_bwe(Some(Bitrate::bps(FIRST_BITRATE)));
        *config.codec_config() = codecs::config(way);
        if let Some(certificate) = &*self.certificate {
            config = config.set_dtls_cert(certificate.clone());
        }
        config.build(Instant::now().into_std())
    }

    /// Tells a session of more addresses of its peer, from a fragment of a description (RFC 8840).
    ///
    /// # Errors
    /// There is no such session, the tag is another one, or the fragment can't be taken.
    pub fn trickle(&self, id: &str, tag: &str, fragment: &str) -> Result<(), Untaken> {
        let sessions = locked(&self.sessions);
        let known = sessions.get(id).ok_or(Untaken::NoSession)?;
        if tag != known.tag && tag != "*" {
            return Err(Untaken::OtherTag);
        }
        let lines = || fragment.lines().map(str::trim_end);
        let named = lines().find_map(|line| line.strip_prefix("a=ice-ufrag:"));
        if tag == "*" || (named.is_some() && named != known.fragment.as_deref()) {
            return Err(Untaken::Restart);
        }
        let mut n = 0;
        for line in lines().filter_map(|line| line.strip_prefix("a=")) {
            if !line.starts_with("candidate:") {
                continue;
            }
            n += 1;
            // A name of mDNS is nobody's that can be asked here: the peer's checks tell the address.
            if let Ok(candidate) = Candidate::from_sdp_string(line) {
                let _ = known.orders.try_send(Order::Candidate(Box::new(candidate)));
            }
        }
        if n == 0 && named.is_none() && !lines().any(|line| line == "a=end-of-candidates") {
            return Err(Untaken::Unreadable);
        }
        Ok(())
    }

    /// Whether there is a session of this name.
    pub fn has(&self, id: &str) -> bool {
        locked(&self.sessions).contains_key(id)
    }

    /// Ends a session.
    ///
    /// # Errors
    /// There is none.
    pub fn end(&self, id: &str) -> Result<(), Untaken> {
        let known = locked(&self.sessions).remove(id);
        let known = known.ok_or(Untaken::NoSession)?;
        // With as many orders waiting, it ends when its sender goes, at once.
        let _ = known.orders.try_send(Order::End);
        Ok(())
    }
}

fn random<const N: usize>() -> Result<String, Refused> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Refused::Unanswerable(error.to_string()))?;
    Ok(hex(&bytes))
}

/// A session's place within the limits.
struct Place {
    limits: Arc<Mutex<Limits>>,
    is_connected: bool,
}

impl Place {
    fn connected(&mut self, from: Option<IpAddr>) {
        self.is_connected = true;
        locked(&self.limits).connected(from);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        locked(&self.limits).end(self.is_connected);
    }
}

/// A session's entry in the list.
struct Listed {
    sessions: Arc<Mutex<HashMap<String, Known>>>,
    id: String,
}

impl Drop for Listed {
    fn drop(&mut self) {
        locked(&self.sessions).remove(&self.id);
    }
}
