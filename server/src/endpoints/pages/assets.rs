//! The viewer page and what belongs to it, from inside the program.

use http::{StatusCode, header};
use warp::reply::Response;

use crate::{
    endpoints::{Request, policy::InlineStyle, query, reply},
    hex::hex,
    rights::ChannelName,
};

/// The files that trunk built, each with its `.gz` beside it. Empty in a program that was built without
/// the viewer.
#[derive(rust_embed::RustEmbed)]
#[folder = "../dist"]
#[allow_missing = true]
struct Dist;

const PAGE: &str = "index.html";

/// Shown where the viewer should be: a page that still shows the pictures.
const WITHOUT_VIEWER: &str = include_str!("../../../pages/without-viewer.html");

/// The script that the page has before its own on live channels, and where another way than the usual one is asked for.
const VIA: &str = "<script src=\"via.js\"></script>";

/// The viewer page.
pub(in crate::endpoints) fn page(request: &Request) -> Response {
    let is_live = request.channel != ChannelName::main();
    let page = if is_live || query::value(&request.query, query::VIA).is_some() {
        page_with_ways(request)
    } else {
        answer(PAGE, request)
    };
    page.unwrap_or_else(|| {
        let mut page = reply::page("text/html; charset=utf-8", WITHOUT_VIEWER);
        page.extensions_mut().insert(InlineStyle);
        page
    })
}

/// The viewer page with the script that knows ways to show video.
fn page_with_ways(request: &Request) -> Option<Response> {
    let file = Dist::get(PAGE)?;
    let page = str::from_utf8(&file.data).ok()?;
    let at = page.find("<script")?;
    let page = [&page[..at], VIA, &page[at..]].concat();
    let tag = format!("\"via-{}\"", hex(&file.metadata.sha256_hash()[..8]));
    let builder = http::Response::builder()
        .header(header::CONTENT_TYPE, content_type(PAGE))
        .header(header::ETAG, &tag)
        .header(header::CACHE_CONTROL, "no-cache");
    if reply::is_known(&request.headers, &tag) {
        return Some(reply::built(builder.status(StatusCode::NOT_MODIFIED), ""));
    }
    Some(reply::built(builder, page))
}

/// The viewer's file of this name.
pub(in crate::endpoints) fn answer(name: &str, request: &Request) -> Option<Response> {
    let file = Dist::get(name)?;
    let tag = format!("\"{}\"", hex(&file.metadata.sha256_hash()[..8]));
    let mut builder = http::Response::builder()
        .header(header::CONTENT_TYPE, content_type(name))
        .header(header::ETAG, &tag)
        .header(header::VARY, "accept-encoding")
        // Names other than the page's have their content's hash in them.
        .header(
            header::CACHE_CONTROL,
            if name == PAGE {
                "no-cache"
            } else {
                "public, max-age=31536000, immutable"
            },
        );
    if reply::is_known(&request.headers, &tag) {
        return Some(reply::built(builder.status(StatusCode::NOT_MODIFIED), ""));
    }
    let packed = Some(request.header(&header::ACCEPT_ENCODING))
        .filter(|accepted| accepted.contains("gzip"))
        .and_then(|_| Dist::get(&format!("{name}.gz")));
    let data = match packed {
        Some(packed) => {
            builder = builder.header(header::CONTENT_ENCODING, "gzip");
            packed.data
        }
        None => file.data,
    };
    Some(reply::built(builder, data.into_owned()))
}

/// Which viewer is inside: changes with any of its files, whose names stand in the page.
pub(in crate::endpoints) fn version() -> String {
    Dist::get(PAGE).map_or_else(
        || env!("CARGO_PKG_VERSION").to_owned(),
        |page| hex(&page.metadata.sha256_hash()[..8]),
    )
}

/// The kind of a file by its name's ending; what is text is UTF-8.
fn content_type(name: &str) -> String {
    let kind = mime_guess::from_path(name).first_or_octet_stream();
    match kind.type_().as_str() {
        "text" => format!("{kind}; charset=utf-8"),
        _ => kind.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_say_what_they_are() {
        for (name, kind) in [
            ("index.html", "text/html; charset=utf-8"),
            ("page-0123.js", "text/javascript; charset=utf-8"),
            ("viewer.css", "text/css; charset=utf-8"),
            ("viewer_bg.wasm", "application/wasm"),
            ("a.json", "application/json"),
            ("a.svg", "image/svg+xml"),
            ("a.png", "image/png"),
            ("a.ico", "image/x-icon"),
            ("a", "application/octet-stream"),
        ] {
            assert_eq!(content_type(name), kind);
        }
    }
}
