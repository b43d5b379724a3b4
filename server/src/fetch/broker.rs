//! The address of a broker, such as `mqtts://anna:secret@hass.local`: pure.

use std::{fmt, str::FromStr};

use super::{Credentials, Target};

/// The address of a broker. Neither its [`Display`](fmt::Display) nor its [`Debug`] tells a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broker(Target);

/// The text is no broker's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a broker's address is like mqtt://HOST, mqtt://NAME:PASSWORD@HOST:1883 or mqtts://HOST, with %40 for @ and so on, \
     and nothing behind it"
)]
pub struct NoBroker;

impl Broker {
    /// Where it is, and whether it is reached by TLS.
    pub fn target(&self) -> &Target {
        &self.0
    }

    /// The name and the password to log in with, if the address holds them.
    pub fn user(&self) -> Option<(&str, &str)> {
        match self.0.credentials()? {
            Credentials::User { name, password } => Some((name, password)),
            Credentials::Token(_) => None,
        }
    }
}

impl FromStr for Broker {
    type Err = NoBroker;

    fn from_str(text: &str) -> Result<Self, NoBroker> {
        let (scheme, rest) = text.trim().split_once("://").ok_or(NoBroker)?;
        let (scheme, port) = match scheme.to_ascii_lowercase().as_str() {
            "mqtt" => ("http", 1883),
            "mqtts" => ("https", 8883),
            _ => return Err(NoBroker),
        };
        let rest = rest.trim_end_matches('/');
        let host = rest.rsplit(['@', ']']).next().unwrap_or(rest);
        let has_port = host.contains(':');
        let rest = if has_port {
            rest.to_owned()
        } else {
            format!("{rest}:{port}")
        };
        let target: Target = format!("{scheme}://{rest}").parse().map_err(|_| NoBroker)?;
        (target.path() == "/")
            .then_some(Self(target))
            .ok_or(NoBroker)
    }
}

impl fmt::Display for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.0.is_tls() { "mqtts" } else { "mqtt" };
        let (host, port) = (self.0.host(), self.0.port());
        if host.contains(':') {
            write!(f, "{scheme}://[{host}]:{port}")
        } else {
            write!(f, "{scheme}://{host}:{port}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_s_address_is_taken_apart_and_tells_no_secret() {
        for (text, told, user) in [
            ("mqtt://hass.local", "mqtt://hass.local:1883", None),
            ("MQTTS://hass.local/", "mqtts://hass.local:8883", None),
            ("mqtt://[::1]", "mqtt://[::1]:1883", None),
            ("mqtt://[::1]:1", "mqtt://[::1]:1", None),
            (
                "mqtt://an%20na:s%40c:ret@10.0.0.2:80",
                "mqtt://10.0.0.2:80",
                Some(("an na", "s@c:ret")),
            ),
            ("mqtts://anna@h", "mqtts://h:8883", Some(("anna", ""))),
        ] {
            let broker: Broker = text.parse().unwrap();
            assert_eq!((broker.to_string().as_str(), broker.user()), (told, user));
            assert!(!format!("{broker:?}").contains("ret"));
        }
        for text in [
            "",
            "hass.local",
            "http://hass.local",
            "mqtt://",
            "mqtt://hass.local:99999",
            "mqtt://hass.local/topic",
            "mqtt://hass.local?x=1",
            "mqtt://a b",
        ] {
            assert_eq!(text.parse::<Broker>(), Err(NoBroker), "{text}");
        }
    }
}
