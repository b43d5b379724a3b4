//! What stands between a connection and the routes: each request passes here, is let in or turned
//! away, and is given its visitor.

use std::{
    convert::Infallible,
    net::IpAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, header};
use hyper::{body::Incoming, service::Service};
use tower_service::Service as _;
use warp::reply::Response;

use crate::{config::Tls, rights::Need};

use super::{
    accept::Accept,
    cut::Cut,
    guard::{
        Denied,
        credentials::{self, Credentials},
    },
    host::{self, Authority, BadHost, Host},
    limits::Reason,
    line::{Answering, Busy},
    refusal::Refusal,
    visitor::{Peer, Visitor},
};

/// One connection's door.
#[derive(Clone, Debug)]
pub(super) struct Door(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    accept: Arc<Accept>,
    peer: Peer,
    /// Ends the connection.
    cut: Cut,
    way: Way,
    busy: Busy,
    n_requests: AtomicUsize,
}

/// Names the type of warp's bodies, which is not public.
pub(super) trait HasBody {
    type Body;
}

impl<B> HasBody for http::Response<B> {
    type Body = B;
}

/// How bytes come to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// As they are.
    Plain,
    /// Through TLS.
    Tls,
    /// As they are, where TLS is spoken: the client is told.
    PlainOnTls,
}

impl Door {
    pub(super) fn new(accept: Arc<Accept>, (peer, cut): (Peer, Cut), way: Way, busy: Busy) -> Self {
        Self(Arc::new(Inner {
            accept,
            peer,
            cut,
            way,
            busy,
            n_requests: AtomicUsize::new(0),
        }))
    }
}

impl Service<Request<Incoming>> for Door {
    type Response = http::Response<Answering<<Response as HasBody>::Body>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let inner = self.0.clone();
        inner.busy.begin();
        let n = inner.n_requests.fetch_add(1, Relaxed) + 1;
        let is_chunked = request.headers().contains_key(header::TRANSFER_ENCODING);
        let keeps_to_tls = inner.keeps_to_tls(&request);
        Box::pin(async move {
            let mut response = inner.answer(request).await;
            let headers = response.headers_mut();
            // What is ours says so: `line` knows it by that.
            headers.insert(
                header::X_CONTENT_TYPE_OPTIONS,
                HeaderValue::from_static("nosniff"),
            );
            if keeps_to_tls {
                headers.insert(
                    header::STRICT_TRANSPORT_SECURITY,
                    HeaderValue::from_static("max-age=2592000"),
                );
            }
            if is_chunked {
                // hyper takes a length that comes with chunks away before we see it; whatever stands
                // behind this body is not read as a request (RFC 9112, 6.1).
                headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            if n >= inner.accept.limits.max_requests {
                inner.accept.counts.refuse(Reason::Requests);
                headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Ok(response.map(|body| inner.busy.until_written(body)))
        })
    }
}

/// Who asks, as far as it is known before he is let in.
struct Asked {
    own: Option<Authority>,
    peer: Peer,
    is_secure: bool,
}

/// Somebody who is let in, and the cookie that keeps him in.
struct Guest {
    visitor: Visitor,
    cookie: Option<HeaderValue>,
}

/// Why somebody is not: counted as this, told that.
type No = (Reason, Refusal);

impl Inner {
    async fn answer(&self, mut request: Request<Incoming>) -> Response {
        let origins = &self.accept.access.origins;
        let origin = host::allowed_origin(request.headers(), origins).map(HeaderValue::from_str);
        let origin = origin.and_then(Result::ok);
        let mut response = match self.let_in(&request, origin.is_some()).await {
            Ok(Guest {
                cookie: Some(cookie),
                ..
            }) if opens_a_page(&request) && credentials::without_token(request.uri()).is_some() => {
                to_page_without_token(request.uri(), cookie)
            }
            Ok(guest) => {
                // Neither the endpoints nor the log have any need of it.
                if let Some(uri) = credentials::without_token(request.uri()) {
                    *request.uri_mut() = uri;
                }
                request.headers_mut().remove(header::AUTHORIZATION);
                request.headers_mut().remove(header::COOKIE);
                let visitor = guest.visitor.on(self.cut.clone());
                request.extensions_mut().insert(visitor);
                let routes = self.accept.routes.clone();
                let Ok(mut response) = warp::service(routes).call(request).await;
                // A page's own requests don't have the page's query.
                if let Some(cookie) = guest.cookie.filter(|_| is_page(&response)) {
                    response.headers_mut().append(header::SET_COOKIE, cookie);
                }
                response
            }
            Err(Some((why, answer))) => self.turned_away(why, answer),
            Err(None) => other_answer(self.way, &request),
        };
        if !origins.is_empty() {
            share(response.headers_mut(), origin);
        }
        response
    }

    /// `Err(None)` is a request that needs no guest.
    async fn let_in(
        &self,
        request: &Request<Incoming>,
        is_allowed_origin: bool,
    ) -> Result<Guest, Option<No>> {
        let asked = self.asked(request)?;
        if self.way == Way::PlainOnTls || (is_allowed_origin && is_preflight(request)) {
            return Err(None);
        }
        let headers = request.headers();
        if !is_allowed_origin && host::is_cross_site(request.method(), asked.own.as_ref(), headers)
        {
            let sentence =
                "a page of another site may not do this; --allow-origin names those that may";
            return Err(Some((
                Reason::CrossSite,
                Refusal::new(StatusCode::FORBIDDEN, sentence),
            )));
        }
        let (path, query) = (request.uri().path(), request.uri().query());
        let need = (self.accept.needs)(request.method(), path, query.unwrap_or(""));
        let guard = &self.accept.guard;
        if need == Need::Nothing && !guard.is_open() {
            return Ok(Guest {
                visitor: Visitor::new(asked.peer, asked.is_secure, guard.nobody()),
                cookie: None,
            });
        }
        let name = credentials::cookie_name(asked.own.as_ref().and_then(|own| own.port));
        let credentials = Credentials::of(request.uri(), headers, &name);
        let entry = guard.admit(&credentials, asked.peer.ip()).await;
        let entry = entry.map_err(|denied| Some(self.denied(denied)))?;
        if !entry.member.rights.allow(&need) {
            let sentence = format!(
                "this takes the right to {need}, which {} has not",
                entry.member
            );
            return Err(Some((
                Reason::Forbidden,
                Refusal::new(StatusCode::FORBIDDEN, sentence),
            )));
        }
        let is_foreign = !host::is_allowed_page(headers, &self.accept.access.origins)
            && host::is_foreign(asked.own.as_ref(), headers);
        let cookie = entry
            .cookie
            .filter(|_| path.ends_with('/') || opens_a_page(request))
            .and_then(|(value, seconds)| {
                credentials::set_cookie(&name, &value, seconds, asked.is_secure)
            });
        Ok(Guest {
            visitor: Visitor::new(asked.peer, asked.is_secure, &entry.member).of_site(is_foreign),
            cookie,
        })
    }

    /// Whether browsers may be told to speak TLS to this name alone from now on. It holds for the name's
    /// every port: so only where the name is this server's own, with a certificate that somebody gave
    /// it, and never for a machine's name or address, behind which other things answer.
    fn keeps_to_tls<B>(&self, request: &Request<B>) -> bool {
        let access = &self.accept.access;
        if self.way != Way::Tls || !matches!(access.tls, Tls::Files { .. }) {
            return false;
        }
        let own = host::of_request(request.version(), request.uri(), request.headers());
        matches!(own, Ok(Some(Authority { host: Host::Name(name), .. })) if access.hosts.contains(&name))
    }

    /// What has to be right with every request, whoever sends it.
    fn asked(&self, request: &Request<Incoming>) -> Result<Asked, No> {
        let headers = request.headers();
        let bad = |sentence: &str| {
            let answer = Refusal::bad_request(sentence);
            (Reason::Malformed, answer)
        };
        if let Some(answer) = unanswerable(request.method(), request.uri()) {
            return Err((Reason::Malformed, answer));
        }
        if has_unknown_coding(headers) {
            let sentence =
                "a request's body may be sent in chunks, and in no other transfer coding";
            let answer = Refusal::new(StatusCode::NOT_IMPLEMENTED, sentence);
            return Err((Reason::Malformed, answer));
        }
        if has_two_lengths(headers) {
            return Err(bad(
                "where the body of this request ends can be read in two ways",
            ));
        }
        let own = host::of_request(request.version(), request.uri(), headers);
        let own = own.map_err(|why| match why {
            BadHost::Missing => bad("a request of HTTP/1.1 has to name its host"),
            BadHost::Unreadable => bad("the host of this request can't be read"),
        })?;
        let Accept { access, names, .. } = &*self.accept;
        if let Some(own) = &own
            && !host::is_ours(&own.host, access.hosts.iter().chain(&**names))
        {
            let sentence = format!(
                "this server does not go by the name {0}; use its address, or start it with --host {0}",
                own.host
            );
            let answer = Refusal::new(StatusCode::MISDIRECTED_REQUEST, sentence);
            return Err((Reason::Host, answer));
        }
        let is_trusted = |ip: IpAddr| access.trusted_proxies.contains(&ip.to_canonical());
        if let Some(ip) = self.peer.ip()
            && !is_trusted(ip)
            && self.accept.guard.is_open()
            && let Some(told) = told_by_proxies(headers)
        {
            // Behind it may be the whole net, and nothing but addresses keeps that out here.
            return Err(bad(&format!(
                "{told} says that a proxy asks for somebody else, and {ip} is not known as one; name it by \
                 --trusted-proxy {ip}, or let in by `mantel token` whom you want"
            )));
        }
        let mut asked = Asked {
            own,
            peer: self.peer,
            is_secure: self.way == Way::Tls,
        };
        // Only a process of this machine reaches a unix socket: a proxy, which is believed, since what
        // it says can only make less of who asks.
        if self.peer.ip().is_none_or(is_trusted) {
            let client = forwarded_for(headers, is_trusted)
                .map_err(|()| bad("X-Forwarded-For has something else than addresses"))?;
            if let Some(client) = client {
                asked.peer = Peer::Tcp((client, 0).into());
                if !self.accept.answers(client) {
                    return Err((Reason::Stranger, Refusal::stranger()));
                }
            }
            asked.is_secure |= last_of(headers, "x-forwarded-proto")
                .is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"));
        }
        Ok(asked)
    }

    fn denied(&self, denied: Denied) -> No {
        match denied {
            Denied::Unknown if self.accept.guard.has_lost_tokens() => {
                let sentence = "the tokens of this server are gone; whoever runs it makes one with `mantel token new NAME`, \
                                or lets everyone in the house in with `mantel token open`";
                let answer = Refusal::new(StatusCode::UNAUTHORIZED, sentence);
                (Reason::Unauthorized, answer)
            }
            Denied::Unknown => {
                let sentence = "a password or a token is needed to watch; `mantel token new NAME` prints a link with one";
                let answer = Refusal::new(StatusCode::UNAUTHORIZED, sentence);
                (Reason::Unauthorized, answer)
            }
            Denied::Throttled(wait) => {
                let sentence = "too many wrong passwords came from this address; try again later";
                let answer = Refusal::new(StatusCode::TOO_MANY_REQUESTS, sentence).after(wait);
                (Reason::RateLimited, answer)
            }
            Denied::Busy => {
                let sentence = "too many passwords are being checked; try again later";
                (Reason::RateLimited, Refusal::unavailable(sentence))
            }
        }
    }

    fn turned_away(&self, why: Reason, answer: Refusal) -> Response {
        tracing::debug!(peer = %self.peer, why = why.name(), "turned away");
        self.accept.counts.refuse(why);
        let is_final = why == Reason::Malformed;
        let asks = why == Reason::Unauthorized && self.accept.guard.has_users();
        let mut response = answer.into_response();
        let headers = response.headers_mut();
        if asks {
            let scheme = HeaderValue::from_static("Basic realm=\"Mantel\", charset=\"UTF-8\"");
            headers.insert(header::WWW_AUTHENTICATE, scheme);
        }
        if is_final {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// Why no endpoint can be asked for this: a target that is no path (RFC 9112, 3.2), or a tunnel.
fn unanswerable(method: &Method, uri: &Uri) -> Option<Refusal> {
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

/// The header by which a proxy says that it asks for somebody else.
fn told_by_proxies(headers: &HeaderMap) -> Option<&'static str> {
    ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"]
        .into_iter()
        .find(|name| headers.contains_key(*name))
}

/// A transfer coding that would have to be undone (RFC 9112, 6.1).
fn has_unknown_coding(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::TRANSFER_ENCODING)
        .iter()
        .any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"chunked"))
}

/// A page, or what leads to one.
fn is_page(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
        || response.status().is_redirection()
}

/// Two lengths, or a length and chunks: a proxy in front may read one request where we read two.
fn has_two_lengths(headers: &HeaderMap) -> bool {
    let n_lengths = headers.get_all(header::CONTENT_LENGTH).iter().count();
    let n_codings = headers.get_all(header::TRANSFER_ENCODING).iter().count();
    n_lengths + n_codings > 1
}

/// The client for whom a chain of trusted proxies asks: the last that is none of them.
fn forwarded_for(
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

fn last_of<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let value = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    value.rsplit(',').next().map(str::trim)
}

fn is_preflight<B>(request: &Request<B>) -> bool {
    request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// A preflight carries no password, and wants only to know what may be sent.
fn other_answer<B>(way: Way, request: &Request<B>) -> Response {
    if way == Way::PlainOnTls {
        return to_tls(request);
    }
    let mut response = Refusal::new(StatusCode::NO_CONTENT, "").into_response();
    *response.body_mut() = bytes::Bytes::new().into();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, POST"),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "content-type, authorization",
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
fn opens_a_page<B>(request: &Request<B>) -> bool {
    let accept = request.headers().get(header::ACCEPT);
    let takes_pages = accept
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    request.method() == Method::GET && takes_pages
}

/// The same page at an address that everybody may see: who came by a token has its cookie from now on.
fn to_page_without_token(uri: &Uri, cookie: HeaderValue) -> Response {
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

/// As seen from the page itself: a proxy may serve it below a path that is not known here.
fn relative(uri: Uri) -> String {
    let last = uri.path().rsplit('/').next().unwrap_or("");
    let query = uri.query().map(|query| format!("?{query}"));
    format!("./{last}{}", query.unwrap_or_default())
}

/// Whoever typed the address without its `s` is sent to the right one.
fn to_tls<B>(request: &Request<B>) -> Response {
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
fn share(headers: &mut HeaderMap, origin: Option<HeaderValue>) {
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    let Some(origin) = origin else { return };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true"),
        (
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            "etag, x-slide, x-started-at",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
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
