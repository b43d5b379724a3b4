//! Names and sites: which `Host` this server answers to, and whether a request is a page's of another
//! site. Pure.
//!
//! A page anywhere can point a name of its own at an address in this house (DNS rebinding); its
//! script would then read the pictures as its own. But a page can't make a browser send another
//! name than the page's own, so only names are answered that nobody else can own.

#![expect(
    clippy::disallowed_methods,
    reason = "this machine's name is asked for at the start and for a new certificate"
)]

use std::net::{IpAddr, Ipv6Addr};

use http::{HeaderMap, Method, Uri, Version, header};

/// The host and port of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Authority {
    pub(super) host: Host,
    pub(super) port: Option<u16>,
}

/// The host of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    /// An address, in digits.
    Ip(IpAddr),
    /// A name, in lower case, without a final dot.
    Name(String),
}

impl Authority {
    /// Reads `name`, `name:port`, `1.2.3.4:port` or `[v6]:port`, and nothing else: no user, no zone,
    /// no other way to write an address.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.len() > 300 {
            return None;
        }
        if let Some(rest) = text.strip_prefix('[') {
            let (address, rest) = rest.split_once(']')?;
            let address: Ipv6Addr = address.parse().ok()?;
            let port = match rest {
                "" => None,
                rest => Some(port(rest.strip_prefix(':')?)?),
            };
            let host = Host::Ip(IpAddr::V6(address).to_canonical());
            return Some(Self { host, port });
        }
        let (name, port) = match text.split_once(':') {
            Some((name, digits)) => (name, Some(port(digits)?)),
            None => (text, None),
        };
        let host = match name.parse() {
            Ok(address) => Host::Ip(IpAddr::V4(address)),
            Err(_) => Host::Name(host_name(name)?),
        };
        Some(Self { host, port })
    }
}

impl std::fmt::Display for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

fn port(digits: &str) -> Option<u16> {
    let known = (1..=5).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    known.then(|| digits.parse().ok())?
}

fn host_name(text: &str) -> Option<String> {
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let label = |label: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        (1..=63).contains(&label.len()) && label.bytes().all(fits)
    };
    if name.len() > 253 || !name.split('.').all(label) {
        return None;
    }
    // Some resolvers take 127.1, 0x7f.1 and 2130706433 for addresses; no host has such a name.
    let last = name.rsplit('.').next().unwrap_or("");
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    (!is_number(last) && !last.starts_with("0x")).then_some(name)
}

/// Whether a request that names `host` is meant for this server: an address, `localhost`, a name of
/// the local network's own (RFC 6762), or one of `names`.
pub(super) fn is_ours<'a>(host: &Host, names: impl IntoIterator<Item = &'a String>) -> bool {
    match host {
        Host::Ip(address) => !address.is_unspecified(),
        Host::Name(name) => {
            let is_local = name
                .strip_suffix(".local")
                .is_some_and(|rest| !rest.is_empty());
            name == "localhost"
                || name.ends_with(".localhost")
                || is_local
                || names.into_iter().any(|known| known == name)
        }
    }
}

/// The fault of a request's `Host`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadHost {
    /// A request of HTTP/1.1 has none, though it must.
    Missing,
    /// A request has more than one, or one that can't be read.
    Unreadable,
}

/// The host that a request is for; `None` for one of HTTP/1.0 that doesn't say. The host in the
/// request line wins over the header (RFC 9112, 3.2.2).
pub(super) fn of_request(
    version: Version,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<Option<Authority>, BadHost> {
    let mut values = headers.get_all(header::HOST).iter();
    let value = match (values.next(), values.next()) {
        (None, _) => None,
        (Some(value), None) => Some(value.to_str().map_err(|_| BadHost::Unreadable)?),
        (Some(_), Some(_)) => return Err(BadHost::Unreadable),
    };
    let text = match (uri.authority(), value) {
        (Some(authority), _) => authority.as_str(),
        (None, Some(value)) => value.trim(),
        (None, None) if version <= Version::HTTP_10 => return Ok(None),
        (None, None) => return Err(BadHost::Missing),
    };
    Authority::parse(text).map(Some).ok_or(BadHost::Unreadable)
}

/// The origin of the page that sent a request, if `allowed` has it.
pub(super) fn allowed_origin<'a>(headers: &'a HeaderMap, allowed: &[String]) -> Option<&'a str> {
    let origin = headers.get(header::ORIGIN)?.to_str().ok()?;
    allowed
        .iter()
        .any(|known| known == origin)
        .then_some(origin)
}

/// Whether a request wants to change something and comes from a page of another site: any page could
/// send one, with the viewer's address and cookies. Browsers say where a request comes from; programs
/// don't, but no other site can make them send one.
pub(super) fn is_cross_site(method: &Method, own: Option<&Authority>, headers: &HeaderMap) -> bool {
    if method.is_safe() {
        return false;
    }
    told_site(headers).unwrap_or_else(|| is_from_elsewhere(own, headers))
}

/// Whether a page of another site asks for something that it shows as its own. That is not so when
/// somebody followed a link to us: they get a page of ours, in a window of its own.
pub(super) fn is_foreign(own: Option<&Authority>, headers: &HeaderMap) -> bool {
    match told_site(headers) {
        Some(is_other) => {
            let dest = headers.get("sec-fetch-dest");
            is_other && dest.is_none_or(|dest| dest.as_bytes() != b"document")
        }
        None => is_from_elsewhere(own, headers),
    }
}

/// Whether another site asks, as the browser says; `None` if it doesn't say: old browsers don't,
/// and none does over a connection that it doesn't trust, such as plain HTTP.
fn told_site(headers: &HeaderMap) -> Option<bool> {
    let site = headers.get("sec-fetch-site")?.as_bytes();
    Some(site != b"same-origin" && site != b"none")
}

/// Whether another site asks, by the page that the request names; programs name none.
fn is_from_elsewhere(own: Option<&Authority>, headers: &HeaderMap) -> bool {
    let named = headers.get(header::ORIGIN).or(headers.get(header::REFERER));
    named.is_some_and(|page| {
        let page = page.to_str().unwrap_or("null");
        own.is_none_or(|own| !is_page_of(page, own))
    })
}

/// Whether a request comes from a page of one of `allowed`: pictures are asked for without an
/// `Origin`.
pub(super) fn is_allowed_page(headers: &HeaderMap, allowed: &[String]) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let page = text(header::ORIGIN).or_else(|| text(header::REFERER));
    let origin = page.and_then(|page| {
        let (scheme, rest) = page.split_once("://")?;
        Some(format!(
            "{scheme}://{}",
            rest.split(['/', '?', '#']).next()?
        ))
    });
    origin.is_some_and(|origin| allowed.contains(&origin))
}

/// Whether an origin, or an address of a page, has the same host and port as `own`. The scheme may
/// differ: a proxy may have taken TLS off.
fn is_page_of(page: &str, own: &Authority) -> bool {
    let Some((scheme, rest)) = page.split_once("://") else {
        return false;
    };
    let default = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return false,
    };
    let text = rest.split(['/', '?', '#']).next().unwrap_or("");
    Authority::parse(text).is_some_and(|page| {
        page.host == own.host
            && match (page.port, own.port) {
                (Some(page), Some(own)) => page == own,
                (None, Some(own)) => own == default,
                (Some(page), None) => page == default,
                (None, None) => true,
            }
    })
}

/// The names that this machine has by itself, in lower case: `mantel`, and `mantel.local`.
pub(super) fn own_names() -> Vec<String> {
    let from_file = |path| std::fs::read_to_string(path).ok();
    let name = from_file("/proc/sys/kernel/hostname")
        .or_else(|| from_file("/etc/hostname"))
        .or_else(|| std::env::var("HOSTNAME").ok())
        .or_else(|| std::env::var("COMPUTERNAME").ok());
    let Some(name) = name.as_deref().map(str::trim).and_then(host_name) else {
        return Vec::new();
    };
    let short = name.split('.').next().unwrap_or(&name);
    vec![format!("{short}.local"), name.clone()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(text: &str) -> Option<bool> {
        let names = ["photos.example.org".to_owned()];
        Authority::parse(text).map(|authority| is_ours(&authority.host, &names))
    }

    #[test]
    fn hosts_that_nobody_else_can_own() {
        for text in [
            "192.168.1.9:8080",
            "192.168.1.9",
            "8.8.8.8",
            "[::1]:8080",
            "[fd00::1]",
            "[::ffff:1.2.3.4]:1",
            "localhost",
            "LOCALHOST:80",
            "localhost.",
            "tv.localhost",
            "mantel.local",
            "Mantel.Local.:8080",
            "a.b.local",
            "photos.example.org",
            "PHOTOS.example.ORG.:443",
        ] {
            assert_eq!(ours(text), Some(true), "{text}");
        }
    }

    #[test]
    fn hosts_of_others() {
        for text in [
            "evil.example",
            "evil.example:8080",
            "local",
            "localhost.evil.example",
            "mantel.local.evil.example",
            "evillocalhost",
            "evil-local",
            "192.168.1.9.evil.example",
            "127.0.0.1.nip.io",
            "example.org",
            "x.photos.example.org",
            "photos.example.org.evil.example",
        ] {
            assert_eq!(ours(text), Some(false), "{text}");
        }
    }

    #[test]
    fn junk_is_no_host() {
        for text in [
            "",
            ".",
            "..",
            ":80",
            "a..b",
            ".local",
            "localhost..",
            "localhost:",
            "localhost:0x50",
            "localhost:+80",
            "localhost:99999",
            "localhost:808080",
            "localhost:80:80",
            "localhost/",
            "localhost, evil.example",
            "localhost evil.example",
            "localhost\t",
            "evil.example@localhost",
            "localhost@evil.example",
            "user:pw@localhost",
            "localhost#evil",
            "localhost?x",
            "localhost\\evil",
            "local%68ost",
            "[::1",
            "::1",
            "[::1]80",
            "[::1]:",
            "[::1%25eth0]",
            "[127.0.0.1]",
            "[localhost]",
            "127.1",
            "2130706433",
            "0x7f.0x1",
            "0177.0.0.1",
            "127.0.0.1.",
            "1.2.3.4.5",
            "ｌocalhost",
        ] {
            assert_eq!(ours(text), None, "{text:?}");
        }
        assert_eq!(ours(&format!("{}.local", "a".repeat(64))), None);
        assert_eq!(ours(&"a.".repeat(200)), None);
    }

    fn of(version: Version, target: &str, hosts: &[&str]) -> Result<Option<String>, BadHost> {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(header::HOST, host.parse().unwrap());
        }
        let authority = of_request(version, &target.parse().unwrap(), &headers)?;
        Ok(authority.map(|authority| authority.host.to_string()))
    }

    #[test]
    fn the_host_of_a_request() {
        let of_11 = |target, hosts: &[&str]| of(Version::HTTP_11, target, hosts);
        assert_eq!(of_11("/", &["a"]).unwrap().as_deref(), Some("a"));
        assert_eq!(of_11("/", &[]), Err(BadHost::Missing));
        assert_eq!(of_11("/", &[""]), Err(BadHost::Unreadable));
        assert_eq!(of_11("/", &["a", "a"]), Err(BadHost::Unreadable));
        // The request line wins, and can't hide behind the header.
        let whole = of_11("http://evil.example/stream", &["localhost"]);
        assert_eq!(whole.unwrap().as_deref(), Some("evil.example"));
        assert_eq!(of(Version::HTTP_10, "/", &[]), Ok(None));
        assert_eq!(
            of(Version::HTTP_10, "/", &["a"]).unwrap().as_deref(),
            Some("a")
        );
    }

    fn crosses(method: &Method, own: &str, headers: &[(&'static str, &str)]) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        is_cross_site(method, Authority::parse(own).as_ref(), &map)
    }

    #[test]
    fn commands_come_from_our_pages_or_from_programs() {
        for headers in [
            &[][..],
            &[
                ("sec-fetch-site", "same-origin"),
                ("origin", "http://mantel.local:8080"),
            ],
            &[("sec-fetch-site", "none")],
            &[("origin", "http://mantel.local:8080")],
            &[("origin", "http://MANTEL.local.:8080")],
            &[("referer", "http://mantel.local:8080/?album=Rome")],
        ] {
            assert!(
                !crosses(&Method::POST, "mantel.local:8080", headers),
                "{headers:?}"
            );
        }
        // Default ports are left out, and a proxy may have taken TLS off.
        assert!(!crosses(
            &Method::POST,
            "photos.example",
            &[("origin", "https://photos.example")]
        ));
        assert!(!crosses(
            &Method::POST,
            "photos.example:443",
            &[("origin", "https://photos.example")]
        ));
    }

    #[test]
    fn commands_of_other_sites_are_refused() {
        for headers in [
            &[("sec-fetch-site", "cross-site")][..],
            // The same machine, another port: another site's page as well.
            &[
                ("sec-fetch-site", "same-site"),
                ("origin", "http://mantel.local:8123"),
            ],
            &[("origin", "http://mantel.local:8123")],
            &[("origin", "http://mantel.local")],
            &[("origin", "null")],
            &[("origin", "")],
            &[("origin", "https://evil.example")],
            &[("origin", "http://mantel.local:8080.evil.example")],
            &[("origin", "http://mantel.local:8080@evil.example")],
            &[("referer", "http://evil.example/http://mantel.local:8080/")],
            &[("origin", "file://mantel.local:8080")],
        ] {
            assert!(
                crosses(&Method::POST, "mantel.local:8080", headers),
                "{headers:?}"
            );
            assert!(
                !crosses(&Method::GET, "mantel.local:8080", headers),
                "{headers:?}"
            );
        }
    }

    #[test]
    fn origins_are_allowed_letter_by_letter() {
        let allowed = ["https://home.example".to_owned()];
        let of = |origin: &str| {
            let headers = HeaderMap::from_iter([(header::ORIGIN, origin.parse().unwrap())]);
            allowed_origin(&headers, &allowed).is_some()
        };
        assert!(of("https://home.example"));
        for origin in [
            "null",
            "http://home.example",
            "https://home.example:8443",
            "https://home.example.evil",
        ] {
            assert!(!of(origin), "{origin}");
        }
    }
}
