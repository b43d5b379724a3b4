//! The accept loop.
//!
//! Our own, because `warp::serve` sets no timers: a half-sent request would stay for ever. Every
//! connection is a task; the loop never waits for one. On `shutdown` it stops listening, lets
//! answers finish for a moment, then drops what is left.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::TcpKeepalive;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::timeout,
};
use warp::{filters::BoxedFilter, reply::Response};

use super::{
    door::Door,
    limits::{self, ConnectionCounts, Place, Refusal},
    visitor::{Member, Peer, Rights, Visitor},
};
use crate::config::{Access, Limits};

/// What the accept loop needs to know.
#[derive(Clone)]
pub struct Accept {
    /// What answers.
    pub routes: BoxedFilter<(Response,)>,
    /// Who is connected.
    pub counts: Arc<ConnectionCounts>,
    /// How much they may take.
    pub limits: Limits,
    /// Who may come in.
    pub access: Arc<Access>,
}

impl std::fmt::Debug for Accept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Accept")
            .field("limits", &self.limits)
            .field("access", &self.access)
            .finish_non_exhaustive()
    }
}

/// A request's head has to come within this.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// A peer that acknowledges nothing for this long is gone: no FIN comes from a TV that was unplugged.
const USER_TIMEOUT: Duration = Duration::from_secs(30);

/// A viewer that is sent nothing, because its slide stands or is paused, is asked whether it is still there. One that
/// closed its end may only have said all it had to say; when it is gone altogether, its system answers with a reset.
const KEEPALIVE: Duration = Duration::from_secs(20);

/// The kernel asks for more only when less than this is unsent, so that a slow viewer's frames wait
/// here, where the newest wins, and not in its socket.
const NOTSENT_LOWAT: u32 = 16 * 1024;

/// hyper's own buffer; its smallest, for the same reason.
const HYPER_BUFFER: usize = 8192;

/// Answers may take this long to finish once the server is told to stop.
const GRACE: Duration = Duration::from_secs(3);

/// Clients turned away are told so, at most this many at a time: telling them must not be the load.
const MAX_REFUSALS: usize = 64;

/// Serves until `shutdown` turns true.
pub async fn serve(listener: TcpListener, accept: Accept, mut shutdown: watch::Receiver<bool>) {
    let everyone = Arc::new(Member::new(None, Rights::ALL));
    let mut connections = JoinSet::new();
    let mut refusals = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = shutdown.wait_for(|stop| *stop) => break,
            Some(_) = connections.join_next() => continue,
            Some(_) = refusals.join_next() => continue,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                after(error).await;
                continue;
            }
        };
        if !accept.access.public && !limits::is_of_the_house(peer.ip()) {
            accept.counts.refuse(Refusal::Stranger);
            refuse(&mut refusals, stream, STRANGER);
        } else if let Some(place) = accept.counts.admit(accept.limits.max_connections) {
            connections.spawn(connection(
                stream,
                peer,
                accept.clone(),
                everyone.clone(),
                place,
                shutdown.clone(),
            ));
        } else {
            refuse(&mut refusals, stream, FULL);
        }
    }
    drop(listener);
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

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    accept: Accept,
    everyone: Arc<Member>,
    place: Place,
    mut shutdown: watch::Receiver<bool>,
) {
    let _place = place;
    if let Err(error) = set_options(&stream) {
        tracing::debug!(%peer, %error, "socket options");
    }
    let service = Door {
        routes: accept.routes,
        visitor: Visitor::new(Peer::Tcp(peer), false, &everyone),
    };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(HYPER_BUFFER)
        // Some cameras' clients close their sending side once they have asked.
        .half_close(true)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let mut told = false;
    loop {
        tokio::select! {
            result = connection.as_mut() => {
                if let Err(error) = result {
                    tracing::debug!(%peer, %error, "a connection ended");
                }
                return;
            }
            _ = shutdown.wait_for(|stop| *stop), if !told => {
                told = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

fn set_options(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = socket2::SockRef::from(stream);
    socket.set_tcp_keepalive(
        &TcpKeepalive::new()
            .with_time(KEEPALIVE)
            .with_interval(KEEPALIVE),
    )?;
    #[cfg(target_os = "linux")]
    {
        socket.set_tcp_user_timeout(Some(USER_TIMEOUT))?;
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

const FULL: &str = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\n\
Retry-After: 10\r\nConnection: close\r\nContent-Length: 89\r\n\r\n\
as many connections are open as this server allows (--max-connections); try again later.\n";

const STRANGER: &str = "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain; charset=utf-8\r\n\
Connection: close\r\nContent-Length: 91\r\n\r\n\
these pictures are shown in their own house only; --public answers other networks as well.\n";

fn refuse(refusals: &mut JoinSet<()>, mut stream: TcpStream, answer: &'static str) {
    if refusals.len() >= MAX_REFUSALS {
        return;
    }
    refusals.spawn(async move {
        let polite = async {
            stream.write_all(answer.as_bytes()).await?;
            stream.shutdown().await?;
            // What the client is still sending is read away, or the reset would take the answer along.
            let mut rest = [0; 1024];
            while stream.read(&mut rest).await? > 0 {}
            io::Result::Ok(())
        };
        // A client that neither takes the answer nor goes away is not waited for.
        let _ = timeout(Duration::from_secs(2), polite).await;
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_well_formed() {
        for answer in [FULL, STRANGER] {
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("Content-Length: "))
                .unwrap();
            assert_eq!(length.parse::<usize>().unwrap(), body.len());
        }
    }
}
