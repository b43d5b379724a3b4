//! Links to this server, and `GET /qr?text=…`: one of them as a QR code in SVG, drawn here so that no
//! address of the house is told to anybody else.

use std::fmt::Write as _;

use http::{HeaderMap, header};
use qrcode::{Color, EcLevel, QrCode};
use warp::reply::Response;

use crate::{
    endpoints::{Request, query, reply},
    lan,
    net::Refusal,
};

/// Longer ones make codes that phones can't read across a room.
const MAX_LINK_BYTES: usize = 1200;
/// White around the code, in modules: the standard asks for four.
const QUIET: usize = 4;

pub(in crate::endpoints) fn qr(request: &Request) -> Result<Response, Refusal> {
    let text = query::value(&request.query, "text").unwrap_or_default();
    if text.is_empty() || text.len() > MAX_LINK_BYTES {
        return Err(Refusal::bad_request(format!(
            "text has to be a link to this server, of at most {MAX_LINK_BYTES} bytes"
        )));
    }
    if !is_own(&text, &request.headers) {
        return Err(Refusal::bad_request(
            "codes are made of links to this server alone",
        ));
    }
    let code = QrCode::with_error_correction_level(text.as_bytes(), EcLevel::L)
        .map_err(|error| Refusal::bad_request(format!("that can't be a QR code: {error}")))?;
    let builder = http::Response::builder()
        .header(header::CONTENT_TYPE, "image/svg+xml")
        .header(header::CACHE_CONTROL, "private, max-age=3600");
    Ok(reply::built(builder, svg(&code.to_colors(), code.width())))
}

fn svg(modules: &[Color], width: usize) -> String {
    let side = width + 2 * QUIET;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/><path d=\""
    );
    for (y, row) in modules.chunks(width.max(1)).enumerate() {
        for (x, module) in row.iter().enumerate() {
            if *module == Color::Dark {
                // Writing to a String can't fail.
                let _ = write!(svg, "M{} {}h1v1h-1z", x + QUIET, y + QUIET);
            }
        }
    }
    svg.push_str("\"/></svg>\n");
    svg
}

/// Whether a link leads here: to the name by which we were asked, the page that asked (behind a
/// proxy the only one that knows its own name), or this machine's address.
fn is_own(link: &str, headers: &HeaderMap) -> bool {
    let Some(authority) = authority(link) else {
        return false;
    };
    let told = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    told("host") == Some(authority)
        || told("x-forwarded-host") == Some(authority)
        || told("referer").and_then(self::authority) == Some(authority)
        || house_address(headers, false)
            .as_deref()
            .and_then(self::authority)
            == Some(authority)
}

/// Host and port of an http or https link without a user's name in it.
fn authority(link: &str) -> Option<&str> {
    let rest = link
        .strip_prefix("http://")
        .or_else(|| link.strip_prefix("https://"))?;
    let authority = rest.split(['/', '?', '#']).next()?;
    (!authority.is_empty() && !authority.contains(['@', '\\'])).then_some(authority)
}

/// `http://192.168.1.7:8080/` where a page was opened on the server itself, whose `localhost` means
/// nothing to a phone. Elsewhere the page's own address is the right one.
pub(in crate::endpoints) fn house_address(headers: &HeaderMap, is_secure: bool) -> Option<String> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) => (name, port.parse::<u16>().ok()?),
        None => (host, if is_secure { 443 } else { 80 }),
    };
    let is_loopback = matches!(name, "localhost" | "127.0.0.1" | "[::1]");
    let address = is_loopback.then(lan::lan_address).flatten()?;
    let scheme = if is_secure { "https" } else { "http" };
    let address = std::net::SocketAddr::new(address, port);
    Some(format!("{scheme}://{address}/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn only_links_that_lead_here_become_codes() {
        let asked = headers(&[
            ("host", "tv.lan:8080"),
            ("referer", "https://photos.lan/m/settings"),
        ]);
        for own in [
            "http://tv.lan:8080",
            "http://tv.lan:8080/?fit=cover",
            "https://photos.lan/m/tv/x",
        ] {
            assert!(is_own(own, &asked), "{own}");
        }
        for other in [
            "http://tv.lan",
            "http://tv.lan:8080@evil.example/",
            "http://tv.lan:8080\\@evil.example/",
            "http://evil.example/http://tv.lan:8080/",
            "javascript:alert(1)",
            "ftp://tv.lan:8080/",
            "tv.lan:8080",
            "http://",
        ] {
            assert!(!is_own(other, &asked), "{other}");
        }
        assert!(!is_own("http:///", &HeaderMap::new()));
    }

    #[test]
    fn the_code_has_its_modules_and_white_around_them() {
        let svg = svg(&[Color::Dark, Color::Light, Color::Light, Color::Dark], 2);
        assert!(svg.contains("viewBox=\"0 0 10 10\""));
        assert!(svg.contains("d=\"M4 4h1v1h-1zM5 5h1v1h-1z\""), "{svg}");
    }

    #[test]
    fn pages_that_are_opened_elsewhere_know_their_address() {
        assert_eq!(
            house_address(&headers(&[("host", "tv.lan:8080")]), false),
            None
        );
        assert_eq!(
            house_address(&headers(&[("host", "localhost:http")]), false),
            None
        );
        assert_eq!(house_address(&HeaderMap::new(), false), None);
    }
}
