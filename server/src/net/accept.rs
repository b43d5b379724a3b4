//! The accept loop.
//!
//! Our own, because `warp::serve` sets no timers: a half-sent request would stay for ever. Every
//! connection is a task; the loop never waits for one. On `shutdown` it stops listening, lets
//! answers finish for a moment, then drops what is left.

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
    cut::Cut,
    door::{Door, Way},
    guard::{Guard, GuardError, TokenFile},
    host,
    limits::{self, ConnectionCounts, Place, Reason},
    line::{Busy, Line},
    listen::{Listeners, Socket},
    refusal::Refusal,
    stall::Stall,
    tls::{Keys, TlsError},
    visitor::Peer,
};
use crate::{
    config::{Access, Config, Limits},
    rights::Need,
};

/// What the accept loop needs to know.
#[derive(Clone)]
pub struct Accept {
    pub(super) routes: BoxedFilter<(Response,)>,
    pub(super) needs: fn(&Method, &str, &str) -> Need,
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
    /// Lets in whom `config` lets in; `routes` answer them, and `needs` says what a request
    /// of this method, path and query takes.
    ///
    /// # Errors
    /// Passwords, tokens or certificates can't be read.
    pub fn new(
        config: &Config,
        routes: BoxedFilter<(Response,)>,
        needs: fn(&Method, &str, &str) -> Need,
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

/// A peer that acknowledges nothing for this long is gone: no FIN comes from a TV that was unplugged.
/// At least; one that acknowledges but takes nothing is left to the stall limit, which counts it.
const USER_TIMEOUT: Duration = Duration::from_secs(30);

/// A viewer that is sent nothing, because its slide stands or is paused, is asked whether it is still there. One that
/// closed its end may only have said all it had to say; when it is gone altogether, its system answers with a reset.
const KEEPALIVE: Duration = Duration::from_secs(20);

/// The kernel asks for more only when less than this is unsent, so that a slow viewer's frames wait
/// here, where the newest wins, and not in its socket.
const NOTSENT_LOWAT: u32 = 16 * 1024;

/// Answers may take this long to finish once the server is told to stop.
const GRACE: Duration = Duration::from_secs(3);

/// Clients turned away are told so, at most this many at a time: telling them must not be the load.
const MAX_REFUSALS: usize = 64;

/// The last words of a connection, and what is still coming in, may take this long, and be so much.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: u64 = 4 << 20;

/// Serves until `shutdown` turns true. What `reloads` brings holds for connections that come later.
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
            // To a client of TLS it would be gibberish.
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

/// Whether there is a place for somebody from there, and what to tell him if not.
fn place(accept: &Accept, peer: Peer) -> Result<Place, Refusal> {
    let limits = &accept.limits;
    let ip = peer.ip();
    if ip.is_some_and(|ip| !accept.answers(ip) && !accept.is_trusted(ip)) {
        accept.counts.refuse(Reason::Stranger);
        return Err(Refusal::stranger());
    }
    let limited = ip.filter(|ip| !ip.is_loopback() && !accept.is_trusted(*ip));
    let limited = limited.map(|ip| (ip, limits.max_connections_per_address));
    let place = accept.counts.admit(limits.max_connections, limited);
    place.map_err(|why| match why {
        Reason::PerAddress => Refusal::per_address(),
        _ => Refusal::full(),
    })
}

/// Its future is what a viewer costs while nothing moves: what few need is put elsewhere.
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
        Err(_) => return counts.refuse(Reason::SlowHead),
    }
    let shaken = Box::pin(keys.acceptor.accept(socket));
    match timeout(limits.head_timeout, shaken).await {
        Ok(Ok(stream)) => Box::pin(speak(stream, line, Way::Tls, accept, shutdown)).await,
        Ok(Err(error)) => {
            tracing::debug!(%peer, %error, "TLS");
            counts.refuse(Reason::Tls);
        }
        Err(_) => counts.refuse(Reason::Tls),
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

/// HTTP, until one of both has had enough.
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
        // For a head and for what waits to be sent: no larger than a head has to be, so that a slow
        // viewer's frames wait where the newest wins.
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
                Reason::LargeHead
            } else {
                Reason::Malformed
            });
            Some(Refusal::unreadable(code, limits.max_head))
        }
        (Err(error), None) if error.is_timeout() => {
            // One that has had its answers and asks no more has done nothing wrong.
            if line.has_heard || !line.has_spoken {
                counts.refuse(Reason::SlowHead);
            }
            line.has_heard.then(Refusal::slow_head)
        }
        _ => None,
    };
    let mut io = line.into_inner();
    match (result, answer) {
        (_, Some(answer)) => Box::pin(part(&mut io, answer)).await,
        // The rest of TLS, too, is owed to a peer that goes on listening.
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

/// Out of file descriptors, say: trying again at once would only burn the processor.
async fn after(error: io::Error) {
    match error.kind() {
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset => {}
        _ => {
            tracing::error!(%error, "can't accept a connection; trying again");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

fn refuse(refusals: &mut JoinSet<()>, mut socket: Socket, answer: Refusal) {
    if refusals.len() >= MAX_REFUSALS {
        // Too many to linger for. What fits into its socket at once is said all the same.
        if let Socket::Tcp(stream) = &socket {
            let _ = socket2::SockRef::from(stream).send(&answer.into_bytes());
        }
        return;
    }
    refusals.spawn(async move { part(&mut socket, answer).await });
}

/// Last words. A client that neither takes them nor goes away is not waited for.
async fn part(io: &mut (impl AsyncRead + AsyncWrite + Unpin), answer: Refusal) {
    let polite = async {
        io.write_all(&answer.into_bytes()).await?;
        io.shutdown().await?;
        // What the client is still sending is read away, or the reset would take the answer along.
        let mut rest = io.take(LINGER_BYTES);
        tokio::io::copy(&mut rest, &mut tokio::io::sink()).await
    };
    let _ = timeout(LINGER, polite).await;
}
