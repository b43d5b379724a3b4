//! How answers are built: one place for headers, one for errors.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::stream;
use headers::{ETag, HeaderMapExt, IfNoneMatch};
use http::{HeaderMap, StatusCode, header, response::Builder};
use warp::{Reply, reply::Response};

use crate::net::Refusal;

/// A value that a key of the query can't have.
pub(super) fn bad_value(key: &str, value: &str, reason: impl std::fmt::Display) -> Refusal {
    Refusal::bad_request(format!("{key}={value} can't be: {reason}"))
}

/// Nothing lies at this path.
pub(super) fn not_found(path: &str) -> Refusal {
    let sentence = format!("there is nothing at /{path}; the page is at /, the stream at /stream");
    Refusal::new(StatusCode::NOT_FOUND, sentence)
}

/// A whole answer from `builder`.
pub(super) fn built(builder: Builder, body: impl Into<Bytes>) -> Response {
    match builder
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .body(body.into())
    {
        Ok(response) => response.map(Into::into),
        // Only a header that can't be one ends here, and those are our own.
        Err(error) => {
            tracing::error!(%error, "an answer could not be built");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

pub(super) fn json(value: &impl serde::Serialize) -> Response {
    let builder = http::Response::builder()
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::CACHE_CONTROL, "no-store");
    match serde_json::to_vec(value) {
        Ok(body) => built(builder, body),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written as JSON");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// `ok`, and which run of the server says so: a page whose stream ended without a word finds out.
pub(super) fn health(started_millis: u64) -> Response {
    let builder = http::Response::builder()
        .header(header::CONTENT_TYPE, "text/plain; charset=utf-8")
        .header(header::CACHE_CONTROL, "no-store")
        .header("x-started-at", started_millis);
    built(builder, "ok\n")
}

/// Whether a client has what `tag` is the tag of, by its `If-None-Match`.
pub(super) fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let known = headers.typed_get::<IfNoneMatch>();
    match (known, tag.parse::<ETag>()) {
        (Some(known), Ok(tag)) => !known.precondition_passes(&tag),
        _ => false,
    }
}

/// Something that must be asked for anew each time.
pub(super) fn page(content_type: &str, body: impl Into<Bytes>) -> Response {
    let builder = http::Response::builder()
        .header(header::CONTENT_TYPE, content_type)
        .header(header::CACHE_CONTROL, "no-store");
    built(builder, body)
}

/// A page of `server/pages` up to where its middle belongs, to be written on, and what follows it.
pub(super) fn halves(page: &str) -> (String, &str) {
    let (start, rest) = page.split_once("%MAIN%").unwrap_or((page, ""));
    (start.to_owned(), rest)
}

/// Text that can stand in a page.
pub(super) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            // By them `gpj.exe` reads `exe.jpg`.
            c if mantel_shared::is_deceptive(c) => {}
            c => html.push(c),
        }
    }
    html
}

/// The answer to `OPTIONS`: the methods that an address allows.
pub(super) fn options(allowed: &str) -> Response {
    let builder = http::Response::builder()
        .status(StatusCode::NO_CONTENT)
        .header(header::ALLOW, allowed);
    built(builder, "")
}

/// Leads to another page. `to` is relative, for proxies that serve below a path.
pub(super) fn found(to: &str, query: &str) -> Response {
    let mark = if query.is_empty() { "" } else { "?" };
    let builder = http::Response::builder()
        .status(StatusCode::FOUND)
        .header(header::LOCATION, format!("{to}{mark}{query}"))
        .header(header::CACHE_CONTROL, "no-store");
    built(builder, "")
}

/// A body that goes on: `next` is asked for more whenever the connection has room.
pub(super) fn stream<S, F, Fut>(content_type: &str, state: S, next: F) -> Response
where
    S: Send + 'static,
    F: FnMut(S) -> Fut + Send + 'static,
    Fut: Future<Output = Option<(Bytes, S)>> + Send + 'static,
{
    use futures_util::StreamExt;
    let bytes = stream::unfold(state, next).map(Ok::<_, Infallible>);
    // warp wants Sync of a stream, which one that is only ever polled need not be.
    let mut response = warp::reply::stream(sync_wrapper::SyncStream::new(bytes)).into_response();
    let headers = response.headers_mut();
    if let Ok(value) = content_type.parse() {
        headers.insert(header::CONTENT_TYPE, value);
    }
    let fixed = [
        (header::CACHE_CONTROL, "no-store, no-transform"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // nginx and its like would hold frames back.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    for (name, value) in fixed {
        headers.insert(name, header::HeaderValue::from_static(value));
    }
    response
}
