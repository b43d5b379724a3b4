//! Answers that lead elsewhere or to no endpoint: preflights, the address with TLS, the page without its token, and
//! the headers that let another site's page read an answer.

use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, header};
use warp::reply::Response;

use super::{guard::credentials, refusal::Refusal};

/// A page, or what leads to one.
pub(super) fn is_page(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
        || response.status().is_redirection()
}

/// Whether a browser asks before it sends a request of another site's page.
pub(super) fn is_preflight<B>(request: &Request<B>) -> bool {
    request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// The answer to a preflight, which carries no password and wants only to know what may be sent.
pub(super) fn preflight<B>(request: &Request<B>) -> Response {
    let mut response = Refusal::new(StatusCode::NO_CONTENT, "").into_response();
    *response.body_mut() = bytes::Bytes::new().into();
    let headers = response.headers_mut();
    for (name, value) in [
        (
            header::ACCESS_CONTROL_ALLOW_METHODS,
            "GET, HEAD, POST, PATCH, DELETE",
        ),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "content-type, authorization, if-match",
        ),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // Chromium asks before a page of the open net may speak to a private address.
    if request
        .headers()
        .contains_key("access-control-request-private-network")
    {
        let name = header::HeaderName::from_static("access-control-allow-private-network");
        headers.insert(name, HeaderValue::from_static("true"));
    }
    response
}

/// Whether a browser asks, to show the answer by itself: only then it says that it takes a page.
pub(super) fn opens_a_page<B>(request: &Request<B>) -> bool {
    let accept = request.headers().get(header::ACCEPT);
    let takes_pages = accept
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    request.method() == Method::GET && takes_pages
}

/// The redirect to the page at an address that everybody may see: who came by a token has its cookie from now on.
pub(super) fn to_page_without_token(uri: &Uri, cookie: HeaderValue) -> Response {
    let sentence = "the page is at the same address without its token";
    let mut response = Refusal::new(StatusCode::SEE_OTHER, sentence).into_response();
    let headers = response.headers_mut();
    let to = credentials::without_token(uri).map_or_else(|| "/".to_owned(), relative);
    if let Ok(to) = HeaderValue::from_str(&to) {
        headers.insert(header::LOCATION, to);
    }
    headers.append(header::SET_COOKIE, cookie);
    response
}

/// The address as seen from the page itself: a proxy may serve it below a path that is not known here.
fn relative(uri: Uri) -> String {
    let last = uri.path().rsplit('/').next().unwrap_or("");
    let query = uri.query().map(|query| format!("?{query}"));
    format!("./{last}{}", query.unwrap_or_default())
}

/// Whoever typed the address without its `s` is sent to the right one.
pub(super) fn to_tls<B>(request: &Request<B>) -> Response {
    let sentence = "this server speaks TLS: the address begins with https";
    let target = request
        .uri()
        .path_and_query()
        .map_or("/", |target| target.as_str());
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let to = host.map(|host| HeaderValue::from_str(&format!("https://{host}{target}")));
    match to {
        Some(Ok(to)) if request.method().is_safe() => {
            let mut response =
                Refusal::new(StatusCode::TEMPORARY_REDIRECT, sentence).into_response();
            response.headers_mut().insert(header::LOCATION, to);
            response
        }
        _ => Refusal::bad_request(sentence).into_response(),
    }
}

/// Lets the pages of `origin` read the answer; nobody else's, and no cache may confuse the two.
pub(super) fn share(headers: &mut HeaderMap, origin: Option<HeaderValue>) {
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    let Some(origin) = origin else { return };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true"),
        (
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            "etag, link, location, x-slide, x-started-at",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
