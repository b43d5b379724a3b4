//! The way to the servers of the bus: how long to wait before one is tried again, and what the log is told when it comes,
//! goes, or can't be had.

use std::{
    future::{Ready, ready},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_nats::{ConnectOptions, Event, ReconnectToServer, Server, ServerInfo};
use tokio::sync::watch;

use crate::{fetch::NatsServers, locked::locked};

/// How long a connection may take.
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// A server that says nothing for so long is gone.
const PING: Duration = Duration::from_secs(5);
/// How much longer each pause is than the one before.
const STEP: Duration = Duration::from_millis(50);
/// The longest pause before a server is tried again.
pub(super) const LAST_PAUSE: Duration = Duration::from_secs(1);

/// How long to wait before a server is tried for this time, counted from the last connection.
fn pause(tries: usize) -> Duration {
    let tries = u32::try_from(tries).unwrap_or(u32::MAX);
    STEP.saturating_mul(tries).min(LAST_PAUSE)
}

/// Options of a connection that is kept up for good; tells `up` and the log how it is.
pub(super) fn options(servers: &NatsServers, up: watch::Sender<bool>) -> ConnectOptions {
    let faults = Arc::new(Faults::new(servers.clone()));
    let (told, tried) = (faults.clone(), faults);
    ConnectOptions::new()
        .name("mantel")
        .retry_on_initial_connect()
        .connection_timeout(CONNECT_TIME)
        .ping_interval(PING)
        .reconnect_delay_callback(pause)
        .event_callback(move |event| {
            told.tell(&event, &up);
            ready(())
        })
        // Only here is said why a server could not be had; which one is next is left to the client.
        .reconnect_to_server_callback(move |pool, _: ServerInfo| -> Ready<Option<ReconnectToServer>> {
            tried.failed(&pool);
            ready(None)
        })
}

/// The faults of a connection: each is told once, however often it is tried.
struct Faults {
    servers: NatsServers,
    last: Mutex<String>,
}

impl Faults {
    fn new(servers: NatsServers) -> Self {
        Self {
            servers,
            last: Mutex::default(),
        }
    }

    fn tell(&self, event: &Event, up: &watch::Sender<bool>) {
        let servers = &self.servers;
        match event {
            Event::Connected => {
                locked(&self.last).clear();
                if !up.send_replace(true) {
                    tracing::info!(%servers, "connected by NATS");
                }
            }
            Event::Disconnected | Event::Closed => {
                if up.send_replace(false) {
                    tracing::warn!(%servers, "the connection by NATS is lost; it is tried again");
                }
            }
            Event::ServerError(error) => self.fault(&format!("the server says: {error}")),
            // That there is none is told with its reason.
            Event::ClientError(_)
            | Event::SlowConsumer(_)
            | Event::LameDuckMode
            | Event::Draining => {}
        }
    }

    /// Tells why none of these servers could be had, those of the list and those that they named.
    fn failed(&self, pool: &[Server]) {
        let failed = pool.iter().filter_map(|server| {
            let (host, port) = (server.addr.host(), server.addr.port());
            let why = reason(server.last_error.as_ref()?);
            Some(format!("{host}:{port}: {why}"))
        });
        let mut failed: Vec<String> = failed.collect();
        if !failed.is_empty() {
            failed.sort();
            self.fault(&failed.join("; "));
        }
    }

    fn fault(&self, why: &str) {
        let mut last = locked(&self.last);
        if *last != why {
            why.clone_into(&mut last);
            tracing::warn!("no connection by NATS: {why}; it is tried again");
        }
    }
}

/// The reason why a server can't be had, in words that say what to do.
fn reason(error: &str) -> String {
    const KNOWN: [(&str, &str); 11] = [
        (
            "UnknownIssuer",
            "its certificate is by an authority that isn't known here (--nats-ca FILE)",
        ),
        (
            "CaUsedAsEndEntity",
            "its certificate is an authority's own; it needs one that is signed by it",
        ),
        (
            "not valid for name",
            "its certificate is for another name than this one",
        ),
        ("certificate expired", "its certificate has expired"),
        (
            "certificate not valid yet",
            "its certificate is not valid yet; look at this machine's clock",
        ),
        (
            "InvalidContentType",
            "it speaks no TLS; take nats:// and no --nats-ca, or set up tls there",
        ),
        (
            "authorization violation",
            "it lets nobody in by this name, password, token or nkey",
        ),
        (
            "failed signing nonce",
            "it asks for an nkey, and the one that is given can't be used (--nats-nkey FILE)",
        ),
        ("timed out", "it doesn't answer"),
        ("Connection refused", "no server listens there"),
        ("DNS error", "no address is found for its name"),
    ];
    let known = KNOWN.iter().find(|(part, _)| error.contains(part));
    match known {
        Some((_, words)) => (*words).to_owned(),
        None => error.trim_start_matches("IO error: ").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long after it is back a server is tried, when it was gone for this long and refuses at once meanwhile.
    fn found_after(gone: Duration) -> Duration {
        let mut at = Duration::ZERO;
        for tries in 1.. {
            at += pause(tries);
            if at >= gone {
                break;
            }
        }
        at - gone
    }

    #[test]
    fn a_server_that_is_back_is_found_within_a_second_however_long_it_was_gone() {
        for gone in (0..200_000).step_by(7) {
            let after = found_after(Duration::from_millis(gone));
            assert!(after <= LAST_PAUSE, "{after:?} after {gone} ms");
        }
        for tries in [0, 1, usize::MAX] {
            assert!(pause(tries) <= LAST_PAUSE);
        }
        // Nobody is flooded: ten tries take more than two seconds.
        let ten: Duration = (1..=10).map(pause).sum();
        assert!(ten > Duration::from_secs(2));
    }

    #[test]
    fn each_reason_says_what_to_do() {
        for (error, expected) in [
            (
                "IO error: invalid peer certificate: UnknownIssuer",
                "--nats-ca",
            ),
            (
                "IO error: invalid peer certificate: certificate not valid for name \"bus\"; certificate is only valid for x",
                "another name",
            ),
            (
                "IO error: invalid peer certificate: certificate expired: verification time 1, but 2",
                "expired",
            ),
            (
                "IO error: received corrupt message of type InvalidContentType",
                "no TLS",
            ),
            ("authorization violation: nats: \"x\"", "lets nobody in"),
            ("timed out", "doesn't answer"),
            (
                "IO error: Connection refused (os error 111)",
                "no server listens",
            ),
            ("IO error: of another kind", "of another kind"),
        ] {
            let reason = reason(error);
            assert!(reason.contains(expected), "{reason}");
            assert!(!reason.contains("IO error"), "{reason}");
        }
    }
}
