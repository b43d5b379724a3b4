//! The credentials that a request brings to be let in: pure.

use base64::{Engine, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, Uri, header};

/// The key of the query that carries a token.
const TOKEN: &str = "token";

/// The credentials that a request brings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::net) struct Credentials {
    /// From the query; a token.
    pub(super) in_query: Option<String>,
    /// From `Authorization: Bearer`; a token.
    pub(super) bearer: Option<String>,
    /// From our cookie: a token, or a user's signed name.
    pub(super) cookies: Vec<String>,
    /// From `Authorization: Basic`: name and password.
    pub(super) basic: Option<(String, String)>,
}

impl Credentials {
    /// Reads them all. `cookie` is our cookie's name.
    pub(in crate::net) fn of(uri: &Uri, headers: &HeaderMap, cookie: &str) -> Self {
        let authorization = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '));
        let after = |name: &str| {
            let (_, rest) =
                authorization.filter(|(scheme, _)| scheme.eq_ignore_ascii_case(name))?;
            Some(rest.trim())
        };
        Self {
            in_query: uri.query().and_then(token_in),
            bearer: after("bearer").map(str::to_owned),
            cookies: cookies(headers, cookie),
            basic: after("basic").and_then(basic),
        }
    }

    /// Whether there is something that could be wrong. A cookie alone may just be old.
    pub(super) fn is_try(&self) -> bool {
        self.in_query.is_some() || self.bearer.is_some() || self.basic.is_some()
    }
}

pub(in crate::net) fn token_in(query: &str) -> Option<String> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, value)| *key == TOKEN && !value.is_empty())
        .map(|(_, value)| value.to_owned())
}

fn basic(text: &str) -> Option<(String, String)> {
    let bytes = BASE64_STANDARD.decode(text).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (name, password) = text.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

fn cookies(headers: &HeaderMap, name: &str) -> Vec<String> {
    let lines = headers.get_all(header::COOKIE).iter();
    lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
        // One is ours; who sends more is playing.
        .take(4)
        .collect()
}

/// The address without its token, which the endpoints and the log have no need of.
pub(in crate::net) fn without_token(uri: &Uri) -> Option<Uri> {
    let query = uri.query()?;
    token_in(query)?;
    let rest: Vec<&str> = query
        .split('&')
        .filter(|pair| pair.split('=').next() != Some(TOKEN))
        .collect();
    let mut text = uri.path().to_owned();
    if !rest.is_empty() {
        text.push('?');
        text.push_str(&rest.join("&"));
    }
    text.parse().ok()
}

/// Cookies know no ports, so that two servers on one machine need two names.
pub(in crate::net) fn cookie_name(port: Option<u16>) -> String {
    port.map_or_else(|| "mantel".to_owned(), |port| format!("mantel-{port}"))
}

/// The cookie that keeps somebody in: for this site's own requests, out of reach of scripts. `Lax`, so
/// that it comes along where a link in a message leads here; what changes something is asked for by
/// other methods than `GET`, which it does not go with.
pub(in crate::net) fn set_cookie(
    name: &str,
    value: &str,
    seconds: u64,
    is_secure: bool,
) -> Option<HeaderValue> {
    let secure = if is_secure { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// A user's cookie: the name and its signature.
pub(super) fn signed(name: &str, signature: &[u8]) -> String {
    let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    format!("{}.{}", encode(name.as_bytes()), encode(signature))
}

/// The name and the signature in a user's cookie.
pub(super) fn unsigned(cookie: &str) -> Option<(String, Vec<u8>)> {
    let (name, signature) = cookie.split_once('.')?;
    let name = BASE64_URL_SAFE_NO_PAD.decode(name).ok()?;
    let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
    Some((String::from_utf8(name).ok()?, signature))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(target: &str, headers: &[(&'static str, &str)]) -> Credentials {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        Credentials::of(&target.parse().unwrap(), &map, "mantel-8080")
    }

    #[test]
    fn they_are_found_wherever_they_stand() {
        assert_eq!(
            of("/stream?size=1x1&token=abc", &[]).in_query.unwrap(),
            "abc"
        );
        assert_eq!(
            of("/", &[("authorization", "bearer  abc ")])
                .bearer
                .unwrap(),
            "abc"
        );
        let basic = of("/", &[("authorization", "BASIC YW5uYTpzOmVjcmV0")])
            .basic
            .unwrap();
        assert_eq!(basic, ("anna".to_owned(), "s:ecret".to_owned()));
        let cookies = of(
            "/",
            &[
                ("cookie", "a=b; mantel-8080=x"),
                ("cookie", "mantel=z;mantel-8080=y"),
            ],
        );
        assert_eq!(cookies.cookies, ["x", "y"]);
        assert!(!cookies.is_try());
    }

    #[test]
    fn junk_is_nothing() {
        for (target, headers) in [
            ("/?token", &[][..]),
            ("/?token=", &[]),
            ("/?TOKEN=a&xtoken=b", &[]),
            ("/", &[("authorization", "Basic")]),
            ("/", &[("authorization", "Basic !!!")]),
            ("/", &[("authorization", "Basic YW5uYQ==")]),
            ("/", &[("authorization", "Basic /////w==")]),
            ("/", &[("cookie", "mantel-8080")]),
            ("/", &[("cookie", ";;=;")]),
        ] {
            assert_eq!(
                of(target, headers),
                Credentials::default(),
                "{target} {headers:?}"
            );
        }
    }

    #[test]
    fn a_token_is_taken_out_of_the_address() {
        for (before, after) in [
            ("/stream?token=abc", "/stream"),
            ("/?size=1x1&token=abc&on-this-day", "/?size=1x1&on-this-day"),
            ("/?token=a&token=b&x=1", "/?x=1"),
            ("http://localhost/a?token=b", "/a"),
        ] {
            assert_eq!(without_token(&before.parse().unwrap()).unwrap(), after);
        }
        assert_eq!(without_token(&"/stream?size=1x1".parse().unwrap()), None);
    }

    #[test]
    fn a_signed_name_comes_back() {
        let cookie = signed("änna: x", &[1, 2, 3]);
        assert!(
            cookie
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        );
        assert_eq!(
            unsigned(&cookie).unwrap(),
            ("änna: x".to_owned(), vec![1, 2, 3])
        );
        for text in ["", ".", "a.b.c", "*.*"] {
            assert!(
                unsigned(text).is_none_or(|(_, signature)| signature.is_empty()),
                "{text}"
            );
        }
    }
}
