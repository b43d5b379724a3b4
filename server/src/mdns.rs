//! This server's name in the house: TVs and phones find it by multicast DNS, without anybody typing numbers. Tells where it
//! is and nothing else; asks for nobody.

use std::{collections::BTreeSet, net::IpAddr, time::Duration};

use mdns_sd::{ServiceDaemon, ServiceInfo};

use crate::config::Listen;

/// How long the end waits until neighbours have been told that the name is free again.
const FAREWELL: Duration = Duration::from_millis(300);

/// A name that is told to the house until it is dropped.
pub struct Found {
    daemon: ServiceDaemon,
    full_names: Vec<String>,
}

/// A port as the house is told of it, with its address; none for all that this machine has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Told {
    port: u16,
    ip: Option<IpAddr>,
}

/// Tells the house of a server that is called `name` and listens there; `None` where no other machine reaches it, or where
/// this machine has no multicast.
pub fn tell(name: &str, listen: &[Listen], is_tls: bool) -> Option<Found> {
    let told = told(listen);
    if told.is_empty() {
        return None;
    }
    let started = start(name, &told, is_tls);
    started
        .inspect_err(|error| {
            tracing::warn!("the house can't be told the name {name}.local: {error}")
        })
        .ok()
}

/// The ports that other machines reach, each once.
fn told(listen: &[Listen]) -> BTreeSet<Told> {
    let tcp = listen.iter().filter_map(|address| match address {
        Listen::Tcp(address) if address.ip().is_loopback() => None,
        Listen::Tcp(address) => Some(*address),
        Listen::Unix(_) => None,
    });
    tcp.map(|address| Told {
        port: address.port(),
        ip: Some(address.ip()).filter(|ip| !ip.is_unspecified()),
    })
    .collect()
}

fn start(name: &str, told: &BTreeSet<Told>, is_tls: bool) -> mdns_sd::Result<Found> {
    let kind = if is_tls {
        "_https._tcp.local."
    } else {
        "_http._tcp.local."
    };
    let daemon = ServiceDaemon::new()?;
    let mut full_names = Vec::new();
    for (n, Told { port, ip }) in told.iter().enumerate() {
        let instance = if n == 0 {
            name.to_owned()
        } else {
            format!("{name} {port}")
        };
        let (host, about) = (format!("{name}.local."), [("path", "/")]);
        let info = match ip {
            Some(ip) => ServiceInfo::new(kind, &instance, &host, *ip, *port, &about[..])?,
            None => {
                ServiceInfo::new(kind, &instance, &host, "", *port, &about[..])?.enable_addr_auto()
            }
        };
        full_names.push(info.get_fullname().to_owned());
        daemon.register(info)?;
    }
    Ok(Found { daemon, full_names })
}

impl Drop for Found {
    fn drop(&mut self) {
        for name in &self.full_names {
            // Who is not heard is forgotten after two minutes.
            if let Ok(done) = self.daemon.unregister(name) {
                let _ = done.recv_timeout(FAREWELL);
            }
        }
        let _ = self.daemon.shutdown();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_others_reach_is_told_and_each_port_once() {
        let listen = |texts: &[&str]| -> Vec<Listen> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        let ports = |texts: &[&str]| -> Vec<(u16, bool)> {
            let told = told(&listen(texts)).into_iter();
            told.map(|told| (told.port, told.ip.is_some())).collect()
        };
        assert_eq!(ports(&["127.0.0.1:80", "[::1]:80", "unix:/run/a.sock"]), []);
        assert_eq!(
            ports(&["0.0.0.0:8080", "[::]:8080", "10.0.0.2:90"]),
            [(90, true), (8080, false)]
        );
        assert!(tell("mantel", &listen(&["127.0.0.1:80"]), false).is_none());
    }

    /// Two that speak the same are enough to see that it is said, where a machine has multicast.
    #[test]
    fn who_asks_is_told() {
        let listen: Vec<Listen> = vec!["0.0.0.0:18080".parse().unwrap()];
        let name = format!("mantel-test-{}", std::process::id());
        let Some(found) = tell(&name, &listen, false) else {
            return;
        };
        let Ok(asker) = ServiceDaemon::new() else {
            return;
        };
        let answers = asker.browse("_http._tcp.local.").unwrap();
        let end = std::time::Instant::now() + Duration::from_secs(10);
        let mut port = None;
        while port.is_none() && std::time::Instant::now() < end {
            if let Ok(mdns_sd::ServiceEvent::ServiceResolved(info)) =
                answers.recv_timeout(Duration::from_millis(200))
                && info.get_fullname().starts_with(&name)
            {
                assert_eq!(info.get_hostname(), format!("{name}.local."));
                port = Some(info.get_port());
            }
        }
        let _ = asker.shutdown();
        drop(found);
        // A machine without a network has nobody to ask.
        if crate::lan::lan_address().is_some() {
            assert_eq!(port, Some(18080));
        }
    }
}
