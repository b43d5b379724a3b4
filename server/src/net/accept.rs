//! The accept loop.
//!
//! Our own, because `warp::serve` sets no timers: a half-sent request would stay for ever. Every
//! connection is a task; the loop never waits for one. On `shutdown` it stops listening, lets
//! answers finish for a moment, then drops the connections that are left.

use std::{future::poll_fn, io, sync::Arc, time::Duration};

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

use super::{
    cut::Cut,
    door::{Door, Way},
    entrance::{Accept, Packets},
    limits::{Place, Reason},
    line::{Busy, Line},
    listen::{Listeners, Socket},
    refusal::Refusal,
    stall::Stall,
    switch::Switch,
    visitor::{Ends, Peer},
};
use crate::{blocking::Blocking, config::Config};

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
    let mut followed = std::pin::pin!(accept.guard.clone().keep_up());
    loop {
        let accepted = tokio::select! {
            accepted = listeners.accept() => accepted,
            _ = shutdown.wait_for(|stop| *stop) => break,
            Some(_) = connections.join_next() => continue,
            Some(_) = refusals.join_next() => continue,
            () = &mut followed => continue,
            Some(config) = reloads.recv() => {
                let before = accept.clone();
                let read = Blocking::run(move |blocking| before.reloaded(blocking, &config)).await;
                match read {
                    Ok(Ok(new)) => accept = Arc::new(new),
                    Ok(Err(error)) => tracing::error!("{error}; everything stays as it was"),
                    // It panicked, which the log tells.
                    Err(_) => {}
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
            Err(_) if accept.keys().is_some() && peer != Peer::Unix => {}
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
    let keys = accept.keys().cloned().filter(|_| peer != Peer::Unix);
    let counts = accept.counts.clone();
    let cut = Cut::default();
    let mut local = None;
    if let (Socket::Tcp(stream), Some(packets)) = (&socket, &accept.packets) {
        local = stream.local_addr().ok();
        match timeout(limits.head_timeout, first_byte(stream)).await {
            // A packet's length, which no request and no handshake of TLS begins with.
            Ok(Ok(0 | 1)) => return carry(socket, &packets.clone(), shutdown).await,
            Ok(Ok(_)) => {}
            Ok(Err(_)) => return,
            Err(_) => return counts.refuse(Reason::SlowHead),
        }
    }
    let socket = Stall::new(socket, limits.stall_timeout, counts.clone(), cut.clone());
    let ends = Ends { peer, local, cut };
    let Some(keys) = keys else {
        return speak(socket, ends, Way::Plain, accept, shutdown).await;
    };
    match timeout(limits.head_timeout, begins_tls(socket.get_ref())).await {
        Ok(Ok(true)) => {}
        Ok(Ok(false)) => {
            return Box::pin(speak(socket, ends, Way::PlainOnTls, accept, shutdown)).await;
        }
        Ok(Err(_)) => return,
        Err(_) => return counts.refuse(Reason::SlowHead),
    }
    let shaken = Box::pin(keys.acceptor.accept(socket));
    match timeout(limits.head_timeout, shaken).await {
        Ok(Ok(stream)) => Box::pin(speak(stream, ends, Way::Tls, accept, shutdown)).await,
        Ok(Err(error)) => {
            tracing::debug!(%peer, %error, "TLS");
            counts.refuse(Reason::Tls);
        }
        Err(_) => counts.refuse(Reason::Tls),
    }
}

/// Whether the first byte is that of a TLS handshake (RFC 8446, 5.1).
async fn begins_tls(socket: &Socket) -> io::Result<bool> {
    match socket {
        Socket::Tcp(stream) => Ok(first_byte(stream).await? == 0x16),
        #[cfg(unix)]
        Socket::Unix(_) => Ok(false),
    }
}

/// The byte that comes first, which stays where it is.
async fn first_byte(stream: &TcpStream) -> io::Result<u8> {
    let mut first = [0];
    match stream.peek(&mut first).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(first[0]),
    }
}

/// Hands a connection of packets on, until the server stops.
async fn carry(socket: Socket, packets: &Packets, mut shutdown: watch::Receiver<bool>) {
    if let Socket::Tcp(stream) = socket {
        tokio::select! {
            () = packets(stream) => {}
            _ = shutdown.wait_for(|stop| *stop) => {}
        }
    }
}

/// Speaks HTTP until client or server ends the connection.
async fn speak<T>(
    io: T,
    ends: Ends,
    way: Way,
    accept: Arc<Accept>,
    mut shutdown: watch::Receiver<bool>,
) where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (limits, peer) = (accept.limits, ends.peer);
    let counts = accept.counts.clone();
    let (busy, switch) = (Busy::default(), Switch::default());
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        // hyper has one limit for heads and for bytes that wait to be sent: no larger than a head
        // has to be, so that a slow viewer's frames wait where the newest wins.
        .max_buf_size(limits.max_head)
        .serve_connection(
            TokioIo::new(Line::new(io, busy.clone())),
            Door::new(accept, ends, way, (busy, switch.clone())),
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
    let parts = connection.into_parts();
    let line = parts.io.into_inner();
    if let (Ok(()), Some(next)) = (&result, switch.taken()) {
        let talk = next(Box::new(line.into_inner()), parts.read_buf);
        tokio::select! {
            () = talk => {}
            // Whoever sends pictures sends them again to the server that comes.
            _ = shutdown.wait_for(|stop| *stop) => {}
        }
        return;
    }
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
            // An idle connection that has had its answers is closed, too, but nobody is refused.
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

fn refuse(refusals: &mut JoinSet<()>, mut socket: Socket, answer: Refusal) {
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
async fn part(io: &mut (impl AsyncRead + AsyncWrite + Unpin), answer: Refusal) {
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
