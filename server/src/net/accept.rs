//! The accept loop.
//!
//! Our own, because `warp::serve` sets no timers: a half-sent request would stay for ever. Every
//! connection is a task; the loop never waits for one. On `shutdown` it stops listening, lets
//! answers finish for a moment, then drops the connections that are left.

use std::{future::poll_fn, io, net::IpAddr, path::PathBuf, sync::Arc, time::Duration};

use http::Method;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::TcpKeepalive;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    sync::{mpsc, watch},
    task::JoinSet,
    time::timeout,
};
use warp::{filters::BoxedFilter, reply::Response};

use super::{
    answers::Answer,
    cut::Cut,
    door::{Door, Way},
    guard::{Guard, GuardError, TokenFile},
    host,
    limits::{self, ConnectionCounts, Place, Refusal},
    line::{Busy, Line},
    listen::{Listeners, Socket},
    stall::Stall,
    tls::{Keys, TlsError},
    visitor::{Need, Peer},
};
use crate::config::{Access, Config, Limits};

/// What the accept loop needs to know.
#[derive(Clone)]
pub struct Accept {
    pub(super) routes: BoxedFilter<(Response,)>,
    pub(super) needs: fn(&Method, &str) -> Need,
    pub(super) counts: Arc<ConnectionCounts>,
    pub(super) limits: Limits,
    pub(super) access: Access,
    /// The names that this machine has by itself.
    pub(super) names: Arc<Vec<String>>,
    pub(super) guard: Arc<Guard>,
    keys: Option<Keys>,
    /// Where our own certificate is kept: where it was found at the start.
    state_dir: Option<PathBuf>,
}

/// Why nobody can be let in. One sentence.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// See there.
    #[error(transparent)]
    Guard(#[from] GuardError),
    /// See there.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl Accept {
    /// Lets in whom `config` lets in; `routes` answer them, and `needs` says what a request takes.
    ///
    /// # Errors
    /// Passwords, tokens or certificates can't be read.
    pub fn new(
        config: &Config,
        routes: BoxedFilter<(Response,)>,
        needs: fn(&Method, &str) -> Need,
        counts: Arc<ConnectionCounts>,
    ) -> Result<Self, AcceptError> {
        let access = config.access.clone();
        let state_dir = config.dirs.state.clone();
        let index_dir = config.dirs.index.as_deref();
        let tokens = state_dir
            .as_deref()
            .map(|dir| TokenFile::of(dir, index_dir));
        Ok(Self {
            routes,
            needs,
            counts,
            limits: config.limits,
            names: Arc::new(host::own_names()),
            guard: Arc::new(Guard::new(
                access.password_file.clone(),
                access.users.clone(),
                tokens,
            )?),
            keys: Keys::new(&access.tls, state_dir.as_deref())?,
            state_dir,
            access,
        })
    }

    /// The same with the limits, names, origins, proxies and certificates of `config`. The files of
    /// passwords and tokens are followed anyway.
    fn reloaded(&self, config: &Config) -> Result<Self, AcceptError> {
        let keys = Keys::new(&config.access.tls, self.state_dir.as_deref())?;
        tracing::info!("the configuration and the certificates were read again");
        Ok(Self {
            limits: config.limits,
            access: config.access.clone(),
            keys,
            ..self.clone()
        })
    }

    /// What connections are encrypted with, if they are.
    pub(crate) fn keys(&self) -> Option<&Keys> {
        self.keys.as_ref()
    }

    /// Whether this address is answered at all.
    pub(super) fn answers(&self, ip: IpAddr) -> bool {
        self.access.public || !self.guard.is_open() || limits::is_of_the_house(ip)
    }

    fn is_trusted(&self, ip: IpAddr) -> bool {
        self.access.trusted_proxies.contains(&ip)
    }
}

impl std::fmt::Debug for Accept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Accept")
            .field("limits", &self.limits)
            .field("access", &self.access)
            .finish_non_exhaustive()
    }
}

/// How long a peer may acknowledge nothing, at least, before it counts as gone: no FIN comes from a
/// TV that was unplugged. A peer that acknowledges but takes nothing is left to the stall limit,
/// which counts it.
const USER_TIMEOUT: Duration = Duration::from_secs(30);

/// How often a viewer that is sent nothing, because its slide stands or is paused, is asked whether
/// it is still there. A viewer that closed its end may only have finished its request; when it is
/// gone altogether, its system answers with a reset.
const KEEPALIVE: Duration = Duration::from_secs(20);

/// The bytes unsent below which the kernel asks for more, so that a slow viewer's frames wait here,
/// where the newest wins, and not in its socket.
const NOTSENT_LOWAT: u32 = 16 * 1024;

/// How long answers may take to finish once the server is told to stop.
const GRACE: Duration = Duration::from_secs(3);

/// The limit of clients that are told at a time that they are turned away: telling them must not be
/// the load.
const MAX_REFUSALS: usize = 64;

/// How long a connection's last answer may take, with the rest of its request that is read away;
/// [`LINGER_BYTES`] is the limit of that rest.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: u64 = 4 << 20;

/// Serves until `shutdown` turns true. A configuration from `reloads` holds for connections that
/// come later.
pub async fn serve(
    listeners: impl Into<Listeners>,
    accept: Accept,
    mut shutdown: watch::Receiver<bool>,
    mut reloads: mpsc::Receiver<Config>,
) {
    let mut listeners = listeners.into();
    let mut accept = Arc::new(accept);
    let mut connections = JoinSet::new();
    let mut refusals = JoinSet::new();
    let guard = accept.guard.clone();
    let mut followed = std::pin::pin!(guard.keep_up());
    loop {
        let accepted = tokio::select! {
            accepted = listeners.accept() => accepted,
            _ = shutdown.wait_for(|stop| *stop) => break,
            Some(_) = connections.join_next() => continue,
            Some(_) = refusals.join_next() => continue,
            () = &mut followed => continue,
            Some(config) = reloads.recv() => {
                match accept.reloaded(&config) {
                    Ok(new) => accept = Arc::new(new),
                    Err(error) => tracing::error!("{error}; everything stays as it was"),
                }
                continue;
            }
        };
        let (socket, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                after(error).await;
                continue;
            }
        };
        match place(&accept, peer) {
            Ok(place) => {
                let (accept, shutdown) = (accept.clone(), shutdown.clone());
                connections.spawn(connection(socket, peer, accept, place, shutdown));
            }
            // A client of TLS could not read a plain answer.
            Err(_) if accept.keys.is_some() && peer != Peer::Unix => {}
            Err(answer) => refuse(&mut refusals, socket, answer),
        }
    }
    drop(listeners);
    let finished = timeout(GRACE, async {
        while connections.join_next().await.is_some() {}
    })
    .await;
    if finished.is_err() {
        tracing::info!(
            n = connections.len(),
            "some connections did not end in time and are dropped"
        );
    }
}

/// Takes a place for a connection from `peer`.
///
/// # Errors
/// There is none, or the peer is no address of this house; the answer that tells the client so.
fn place(accept: &Accept, peer: Peer) -> Result<Place, Answer> {
    let limits = &accept.limits;
    let ip = peer.ip();
    if ip.is_some_and(|ip| !accept.answers(ip) && !accept.is_trusted(ip)) {
        accept.counts.refuse(Refusal::Stranger);
        return Err(Answer::stranger());
    }
    let limited = ip.filter(|ip| !ip.is_loopback() && !accept.is_trusted(*ip));
    let limited = limited.map(|ip| (ip, limits.max_connections_per_address));
    let place = accept.counts.admit(limits.max_connections, limited);
    place.map_err(|why| match why {
        Refusal::PerAddress => Answer::per_address(),
        _ => Answer::full(),
    })
}

/// Serves one connection. The future of this function is the memory that an idle viewer costs, so
/// futures that few connections need, such as TLS, are boxed.
async fn connection(
    socket: Socket,
    peer: Peer,
    accept: Arc<Accept>,
    place: Place,
    shutdown: watch::Receiver<bool>,
) {
    let _place = place;
    let limits = accept.limits;
    if let Socket::Tcp(stream) = &socket
        && let Err(error) = set_options(stream, limits.stall_timeout)
    {
        tracing::debug!(%peer, %error, "socket options");
    }
    let keys = accept.keys.clone().filter(|_| peer != Peer::Unix);
    let counts = accept.counts.clone();
    let cut = Cut::default();
    let socket = Stall::new(socket, limits.stall_timeout, counts.clone(), cut.clone());
    let line = (peer, cut);
    let Some(keys) = keys else {
        return speak(socket, line, Way::Plain, accept, shutdown).await;
    };
    match timeout(limits.head_timeout, begins_tls(socket.get_ref())).await {
        Ok(Ok(true)) => {}
        Ok(Ok(false)) => {
            return Box::pin(speak(socket, line, Way::PlainOnTls, accept, shutdown)).await;
        }
        Ok(Err(_)) => return,
        Err(_) => return counts.refuse(Refusal::SlowHead),
    }
    let shaken = Box::pin(keys.acceptor.accept(socket));
    match timeout(limits.head_timeout, shaken).await {
        Ok(Ok(stream)) => Box::pin(speak(stream, line, Way::Tls, accept, shutdown)).await,
        Ok(Err(error)) => {
            tracing::debug!(%peer, %error, "TLS");
            counts.refuse(Refusal::Tls);
        }
        Err(_) => counts.refuse(Refusal::Tls),
    }
}

/// Whether the first byte is that of a TLS handshake (RFC 8446, 5.1).
async fn begins_tls(socket: &Socket) -> io::Result<bool> {
    let mut first = [0];
    match socket {
        Socket::Tcp(stream) => match stream.peek(&mut first).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(first[0] == 0x16),
        },
        #[cfg(unix)]
        Socket::Unix(_) => Ok(false),
    }
}

/// Speaks HTTP until client or server ends the connection.
async fn speak<T>(
    io: T,
    (peer, cut): (Peer, Cut),
    way: Way,
    accept: Arc<Accept>,
    mut shutdown: watch::Receiver<bool>,
) where
    T: AsyncRead + AsyncWrite + Unpin + Send,
{
    let limits = accept.limits;
    let counts = accept.counts.clone();
    let busy = Busy::default();
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        // hyper has one limit for heads and for bytes that wait to be sent: no larger than a head
        // has to be, so that a slow viewer's frames wait where the newest wins.
        .max_buf_size(limits.max_head)
        .serve_connection(
            TokioIo::new(Line::new(io, busy.clone())),
            Door::new(accept, (peer, cut), way, busy),
        );
    let mut told = false;
    let result = loop {
        tokio::select! {
            result = poll_fn(|cx| connection.poll_without_shutdown(cx)) => break result,
            _ = shutdown.wait_for(|stop| *stop), if !told => {
                told = true;
                std::pin::Pin::new(&mut connection).graceful_shutdown();
            }
        }
    };
    let line = connection.into_parts().io.into_inner();
    let answer = match (&result, line.held_back) {
        (_, Some(code)) => {
            let is_large = matches!(code, 414 | 431);
            counts.refuse(if is_large {
                Refusal::LargeHead
            } else {
                Refusal::Malformed
            });
            Some(Answer::unreadable(code, limits.max_head))
        }
        (Err(error), None) if error.is_timeout() => {
            // An idle connection that has had its answers is closed, too, but nobody is refused.
            if line.has_heard || !line.has_spoken {
                counts.refuse(Refusal::SlowHead);
            }
            line.has_heard.then(Answer::slow_head)
        }
        _ => None,
    };
    let mut io = line.into_inner();
    match (result, answer) {
        (_, Some(answer)) => Box::pin(part(&mut io, answer)).await,
        // TLS ends with a message of its own; without it a peer takes its answer for cut off.
        (Ok(()), None) => {
            let _ = timeout(LINGER, io.shutdown()).await;
        }
        (Err(error), None) => tracing::debug!(%peer, %error, "a connection ended"),
    }
}

fn set_options(stream: &TcpStream, stall_timeout: Duration) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = socket2::SockRef::from(stream);
    socket.set_tcp_keepalive(
        &TcpKeepalive::new()
            .with_time(KEEPALIVE)
            .with_interval(KEEPALIVE),
    )?;
    #[cfg(target_os = "linux")]
    {
        let patience = USER_TIMEOUT.max(stall_timeout + Duration::from_secs(5));
        socket.set_tcp_user_timeout(Some(patience))?;
        socket.set_tcp_notsent_lowat(NOTSENT_LOWAT)?;
    }
    Ok(())
}

/// Waits after a failed accept, unless it was the client's own end: without a file descriptor left,
/// for one, trying again at once would only burn the processor.
async fn after(error: io::Error) {
    match error.kind() {
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset => {}
        _ => {
            tracing::error!(%error, "can't accept a connection; trying again");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

fn refuse(refusals: &mut JoinSet<()>, mut socket: Socket, answer: Answer) {
    if refusals.len() >= MAX_REFUSALS {
        // Too many to linger for; as much of the answer as fits into the socket is sent at once.
        if let Socket::Tcp(stream) = &socket {
            let _ = socket2::SockRef::from(stream).send(&answer.into_bytes());
        }
        return;
    }
    refusals.spawn(async move { part(&mut socket, answer).await });
}

/// Sends a connection's last answer. A client that neither takes it nor goes away is not waited
/// for.
async fn part(io: &mut (impl AsyncRead + AsyncWrite + Unpin), answer: Answer) {
    let polite = async {
        io.write_all(&answer.into_bytes()).await?;
        io.shutdown().await?;
        // The rest of the request is read away: with bytes unread, closing the socket sends a
        // reset, and the client would lose the answer.
        let mut rest = io.take(LINGER_BYTES);
        tokio::io::copy(&mut rest, &mut tokio::io::sink()).await
    };
    let _ = timeout(LINGER, polite).await;
}
