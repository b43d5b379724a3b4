//! The address of something on another server: pure.

use std::{fmt, str::FromStr};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{HeaderValue, Uri};
use percent_encoding::percent_decode_str;

/// The address of something on another server, such as `https://anna:secret@cam.local/stream?fps=5`. Neither its
/// [`Display`](fmt::Display) nor its [`Debug`] tells a password, a token, or any other part of the query.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    is_tls: bool,
    /// Without the brackets of an address of IPv6.
    host: String,
    port: u16,
    /// With the query.
    path: String,
    credentials: Option<Credentials>,
}

/// The proof that a client brings of who it is.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// A name and a password, for basic or digest authentication.
    User {
        /// The name.
        name: String,
        /// The password.
        password: String,
    },
    /// A token, for `Authorization: Bearer`.
    Token(String),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(…)")
    }
}

/// Why a text is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// It is none, or one of another scheme.
    #[error("an address is like http://HOST:8080 or https://HOST")]
    NotHttp,
    /// The name or the password in it can't be read.
    #[error("the name and password in an address are text, with %40 for @ and so on")]
    Credentials,
}

impl Target {
    /// Whether the connection is encrypted.
    pub fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// The name or number of the host, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The path and the query, beginning with a slash.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The credentials that the address holds, or was given.
    pub fn credentials(&self) -> Option<&Credentials> {
        self.credentials.as_ref()
    }

    /// The address with these credentials instead of its own.
    #[must_use]
    pub fn with_credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// The address of something below this one: `more` takes its place behind the path, without a slash in front, and
    /// `query` joins its query.
    #[must_use]
    pub fn below(&self, more: &str, query: &str) -> Self {
        let (path, own) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let queries = [own, query].into_iter().filter(|query| !query.is_empty());
        let query = queries.collect::<Vec<_>>().join("&");
        let mark = if query.is_empty() { "" } else { "?" };
        let path = format!("{}/{more}{mark}{query}", path.trim_end_matches('/'));
        Self {
            path,
            ..self.clone()
        }
    }

    /// The address to which a redirect leads, if it stays on this host: another one is not to have the credentials.
    pub fn redirected(&self, location: &str) -> Option<Self> {
        if location.starts_with('/') && !location.starts_with("//") {
            let path: Uri = location.parse().ok()?;
            return Some(Self {
                path: path.to_string(),
                ..self.clone()
            });
        }
        let to: Self = location.parse().ok()?;
        let is_same = to.is_tls == self.is_tls && to.port == self.port;
        let is_encrypted = to.is_tls && !self.is_tls;
        (to.host.eq_ignore_ascii_case(&self.host) && (is_same || is_encrypted)).then(|| Self {
            credentials: self.credentials.clone(),
            ..to
        })
    }

    /// The header `Host`.
    pub fn authority(&self) -> String {
        let usual = if self.is_tls { 443 } else { 80 };
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        if self.port == usual {
            host
        } else {
            format!("{host}:{}", self.port)
        }
    }

    /// The header `Authorization` for a server that asks for none in particular: basic, or a token.
    pub fn authorization(&self) -> Option<HeaderValue> {
        let text = match self.credentials.as_ref()? {
            Credentials::User { name, password } => {
                format!(
                    "Basic {}",
                    BASE64_STANDARD.encode(format!("{name}:{password}"))
                )
            }
            Credentials::Token(token) => format!("Bearer {token}"),
        };
        let mut value = HeaderValue::from_str(&text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let uri: Uri = text.parse().map_err(|_| TargetError::NotHttp)?;
        let is_tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(TargetError::NotHttp),
        };
        let authority = uri.authority().ok_or(TargetError::NotHttp)?;
        let host = authority.host().trim_matches(['[', ']']);
        // A port that is none is left out by the parser, and would be taken for the usual one.
        let end = authority.as_str().rsplit(['@', ']']).next().unwrap_or("");
        if host.is_empty() || end.contains(':') && authority.port_u16().is_none() {
            return Err(TargetError::NotHttp);
        }
        let user = authority.as_str().rsplit_once('@').map(|(user, _)| user);
        let path = uri
            .path_and_query()
            .map_or("/", http::uri::PathAndQuery::as_str);
        Ok(Self {
            is_tls,
            host: host.to_owned(),
            port: authority
                .port_u16()
                .unwrap_or(if is_tls { 443 } else { 80 }),
            path: if path.starts_with('/') {
                path.to_owned()
            } else {
                format!("/{path}")
            },
            credentials: user.map(credentials).transpose()?,
        })
    }
}

fn credentials(user: &str) -> Result<Credentials, TargetError> {
    let decoded = |text: &str| {
        let text = percent_decode_str(text).decode_utf8();
        text.map(String::from).map_err(|_| TargetError::Credentials)
    };
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    Ok(Credentials::User {
        name: decoded(name)?,
        password: decoded(password)?,
    })
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_tls { "https" } else { "http" };
        let path = self.path.split('?').next().unwrap_or_default();
        write!(f, "{scheme}://{}{path}", self.authority())
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str) -> Target {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_is_taken_apart_and_tells_no_secret() {
        let it = target("https://an%20na:s%40c:ret@Cam.local/a/stream?token=abc");
        assert_eq!((it.is_tls(), it.port()), (true, 443));
        assert_eq!((it.host(), it.path()), ("Cam.local", "/a/stream?token=abc"));
        let user = Credentials::User {
            name: "an na".into(),
            password: "s@c:ret".into(),
        };
        assert_eq!(it.credentials(), Some(&user));
        let header = it.authorization().unwrap();
        assert_eq!(
            header,
            format!("Basic {}", BASE64_STANDARD.encode("an na:s@c:ret"))
        );
        let told = format!("{it} {it:?} {header:?} {:?}", it.credentials());
        for secret in ["s%40c", "s@c", "abc", "an na"] {
            assert!(!told.contains(secret), "{told}");
        }
        let six = target("http://[::1]:8080");
        assert_eq!((six.host(), six.port(), six.path()), ("::1", 8080, "/"));
        assert_eq!(six.authority(), "[::1]:8080");
        assert_eq!(target("http://a?x=1").path(), "/?x=1");
        let token = six.with_credentials(Credentials::Token("abc".into()));
        assert_eq!(token.authorization().unwrap(), "Bearer abc");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "cam.local",
            "cam.local:8080",
            "ftp://cam.local/",
            "http://",
            "http:///push",
            "http://a:port/",
            "http://a:99999/",
            "file:///etc/passwd",
            "http://a b/",
        ] {
            assert_eq!(text.parse::<Target>(), Err(TargetError::NotHttp), "{text}");
        }
        let no_text = "http://%ff:x@a/".parse::<Target>();
        assert_eq!(no_text, Err(TargetError::Credentials));
    }

    #[test]
    fn paths_and_queries_are_joined() {
        let at = |base: &str, query: &str| target(base).below("push/plot", query).path().to_owned();
        assert_eq!(at("http://a", ""), "/push/plot");
        assert_eq!(at("http://a/mantel/", "b=1"), "/mantel/push/plot?b=1");
        assert_eq!(at("http://a/?token=x", "b=1"), "/push/plot?token=x&b=1");
    }

    #[test]
    fn a_redirect_stays_on_its_host() {
        let it = target("http://u:p@cam:8080/a");
        let to = |location: &str| it.redirected(location).map(|to| to.to_string());
        assert_eq!(to("/b?x").unwrap(), "http://cam:8080/b");
        assert_eq!(to("http://CAM:8080/b").unwrap(), "http://CAM:8080/b");
        assert_eq!(to("https://cam/b").unwrap(), "https://cam/b");
        assert!(
            it.redirected("https://cam/b")
                .unwrap()
                .credentials
                .is_some()
        );
        for elsewhere in [
            "http://other/",
            "//other/",
            "http://cam:81/",
            "ftp://cam/",
            "b",
        ] {
            assert_eq!(to(elsewhere), None, "{elsewhere}");
        }
        assert_eq!(target("https://cam/").redirected("http://cam:443/"), None);
    }
}
