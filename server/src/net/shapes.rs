//! Shapes of requests that are refused whoever sends them, because two readers could read them in two ways,
//! and the headers by which proxies tell of their clients. Pure.

use std::net::IpAddr;

use http::{HeaderMap, Method, StatusCode, Uri, header};

use super::refusal::Refusal;

/// Why no endpoint can be asked for this: a target that is no path (RFC 9112, 3.2), or a tunnel.
pub(super) fn unanswerable(method: &Method, uri: &Uri) -> Option<Refusal> {
    if method == Method::CONNECT {
        let sentence = "this server is no proxy: it makes no tunnels";
        let answer = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, sentence);
        return Some(answer.allowing("GET, HEAD, POST, OPTIONS"));
    }
    let is_server = uri.path() == "*" && method == Method::OPTIONS;
    if uri.path().starts_with('/') || is_server {
        return None;
    }
    let sentence =
        "the target of this request is no address of this server: it has to begin with /";
    Some(Refusal::bad_request(sentence))
}

/// Whether a request asks to go on as a WebSocket (RFC 6455, 4.1).
pub(super) fn is_websocket(method: &Method, headers: &HeaderMap) -> bool {
    let names = |name: &str, word: &str| {
        let values = headers.get_all(name).iter();
        let mut words = values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','));
        words.any(|found| found.trim().eq_ignore_ascii_case(word))
    };
    *method == Method::GET && names("upgrade", "websocket") && names("connection", "upgrade")
}

/// The header by which a proxy says that it asks for somebody else.
pub(super) fn told_by_proxies(headers: &HeaderMap) -> Option<&'static str> {
    ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"]
        .into_iter()
        .find(|name| headers.contains_key(*name))
}

/// A transfer coding that would have to be undone (RFC 9112, 6.1).
pub(super) fn has_unknown_coding(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::TRANSFER_ENCODING)
        .iter()
        .any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"chunked"))
}

/// Two lengths, or a length and chunks: a proxy in front may read one request where we read two.
pub(super) fn has_two_lengths(headers: &HeaderMap) -> bool {
    let n_lengths = headers.get_all(header::CONTENT_LENGTH).iter().count();
    let n_codings = headers.get_all(header::TRANSFER_ENCODING).iter().count();
    n_lengths + n_codings > 1
}

/// The client for whom a chain of trusted proxies asks: the last that is none of them.
pub(super) fn forwarded_for(
    headers: &HeaderMap,
    is_trusted: impl Fn(IpAddr) -> bool,
) -> Result<Option<IpAddr>, ()> {
    let mut client = None;
    for value in headers.get_all("x-forwarded-for").iter().rev() {
        for hop in value.to_str().map_err(|_| ())?.rsplit(',') {
            let hop = hop.trim();
            let address: IpAddr = hop
                .parse()
                .or_else(|_| {
                    hop.parse::<std::net::SocketAddr>()
                        .map(|address| address.ip())
                })
                .map_err(|_| ())?;
            client = Some(address.to_canonical());
            if !is_trusted(address) {
                return Ok(client);
            }
        }
    }
    Ok(client)
}

pub(super) fn last_of<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let value = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    value.rsplit(',').next().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in lines {
            map.append(*name, value.parse().unwrap());
        }
        map
    }

    #[test]
    fn a_proxys_client_is_the_last_that_is_no_proxy() {
        let is_trusted = |ip: IpAddr| ip.to_string().starts_with("10.0.0.");
        let of = |lines: &[&str]| {
            let lines: Vec<_> = lines
                .iter()
                .map(|line| ("x-forwarded-for", *line))
                .collect();
            forwarded_for(&headers(&lines), is_trusted).map(|ip| ip.map(|ip| ip.to_string()))
        };
        for (lines, client) in [
            (&["1.2.3.4"][..], "1.2.3.4"),
            // What the client claims stands to the left.
            (&["127.0.0.1, 1.2.3.4"], "1.2.3.4"),
            (&["127.0.0.1", "1.2.3.4, 10.0.0.2"], "1.2.3.4"),
            (&["1.2.3.4:5678"], "1.2.3.4"),
            (&["[2001:db8::1]:5678"], "2001:db8::1"),
            (&["::ffff:1.2.3.4"], "1.2.3.4"),
            (&["10.0.0.2, 10.0.0.3"], "10.0.0.2"),
        ] {
            assert_eq!(of(lines).unwrap().unwrap(), client, "{lines:?}");
        }
        assert_eq!(of(&[]), Ok(None));
        for lines in [
            &["unknown"][..],
            &[""],
            &["1.2.3.4,"],
            &["1.2.3.4, localhost"],
        ] {
            assert!(of(lines).is_err(), "{lines:?}");
        }
    }

    #[test]
    fn two_lengths_are_refused() {
        for lines in [
            &[("content-length", "1"), ("content-length", "1")][..],
            &[("content-length", "1"), ("transfer-encoding", "chunked")],
            &[
                ("transfer-encoding", "chunked"),
                ("transfer-encoding", "chunked"),
            ],
        ] {
            assert!(has_two_lengths(&headers(lines)), "{lines:?}");
        }
        assert!(!has_two_lengths(&headers(&[("content-length", "1")])));
    }
}
