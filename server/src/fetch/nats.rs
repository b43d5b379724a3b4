//! The addresses of NATS servers, such as `nats://anna:secret@bus.local,nats://bus2.local`: pure.

use std::{fmt, str::FromStr};

use super::{Credentials, Target};

/// The most servers that are named.
const MAX_SERVERS: usize = 16;

/// The servers of one bus, at least one. Neither its [`Display`](fmt::Display) nor its [`Debug`] tells a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NatsServers(Vec<Target>);

/// The text names no NATS servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the address of a NATS server is like nats://HOST, nats://NAME:PASSWORD@HOST:4222, nats://TOKEN@HOST or tls://HOST, with %40 for @ \
     and so on; several have commas between"
)]
pub struct NoNatsServers;

/// The words by which a NATS server lets somebody in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum NatsLogin<'a> {
    /// A user's name and password.
    User(&'a str, &'a str),
    /// A token.
    Token(&'a str),
}

impl NatsServers {
    /// Each server's address without what is secret in it.
    pub fn addresses(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(told)
    }

    /// The login of the first address that has one.
    pub fn login(&self) -> Option<NatsLogin<'_>> {
        self.0
            .iter()
            .find_map(|server| match server.credentials()? {
                Credentials::User { name, password } if password.is_empty() => {
                    Some(NatsLogin::Token(name))
                }
                Credentials::User { name, password } => Some(NatsLogin::User(name, password)),
                Credentials::Token(_) => None,
            })
    }
}

fn told(server: &Target) -> String {
    let scheme = if server.is_tls() { "tls" } else { "nats" };
    let (host, port) = (server.host(), server.port());
    if host.contains(':') {
        format!("{scheme}://[{host}]:{port}")
    } else {
        format!("{scheme}://{host}:{port}")
    }
}

impl FromStr for NatsServers {
    type Err = NoNatsServers;

    fn from_str(text: &str) -> Result<Self, NoNatsServers> {
        let servers: Result<Vec<Target>, _> = text.split(',').map(server).collect();
        let servers = servers?;
        (1..=MAX_SERVERS)
            .contains(&servers.len())
            .then_some(Self(servers))
            .ok_or(NoNatsServers)
    }
}

fn server(text: &str) -> Result<Target, NoNatsServers> {
    let (scheme, rest) = text.trim().split_once("://").ok_or(NoNatsServers)?;
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "nats" => "http",
        "tls" => "https",
        _ => return Err(NoNatsServers),
    };
    let rest = rest.trim_end_matches('/');
    let host = rest.rsplit(['@', ']']).next().unwrap_or(rest);
    let port = if host.contains(':') { "" } else { ":4222" };
    let target: Target = format!("{scheme}://{rest}{port}")
        .parse()
        .map_err(|_| NoNatsServers)?;
    (target.path() == "/")
        .then_some(target)
        .ok_or(NoNatsServers)
}

impl fmt::Display for NatsServers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.addresses().collect();
        f.write_str(&all.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_taken_apart_and_tell_no_secret() {
        for (text, told, login) in [
            ("nats://bus", "nats://bus:4222", None),
            (
                "NATS://bus/ ,tls://b2:1",
                "nats://bus:4222,tls://b2:1",
                None,
            ),
            ("nats://[::1]", "nats://[::1]:4222", None),
            (
                "nats://a,nats://an%20na:s%40c:ret@10.0.0.2",
                "nats://a:4222,nats://10.0.0.2:4222",
                Some(NatsLogin::User("an na", "s@c:ret")),
            ),
            (
                "nats://secret@bus",
                "nats://bus:4222",
                Some(NatsLogin::Token("secret")),
            ),
        ] {
            let servers: NatsServers = text.parse().unwrap();
            assert_eq!(servers.to_string(), told);
            assert!(servers.login() == login, "{text}");
            assert!(!format!("{servers:?}").contains("ret"), "{text}");
        }
        let many = ["nats://a"; MAX_SERVERS + 1].join(",");
        for text in [
            "",
            "bus",
            "http://bus",
            "nats://",
            "nats://a,",
            "nats://bus/x",
            &many,
        ] {
            assert_eq!(text.parse::<NatsServers>(), Err(NoNatsServers), "{text}");
        }
    }
}
