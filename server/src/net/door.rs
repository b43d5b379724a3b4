//! The door between a connection and the routes: each request passes here, is let in or turned
//! away, and is given its visitor.

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use http::{HeaderValue, Method, Request, StatusCode, header};
use hyper::{body::Incoming, service::Service};
use tower_service::Service as _;
use warp::reply::Response;

use crate::{
    config::Tls,
    rights::{Need, Right},
};

use super::{
    detours,
    entrance::Accept,
    guard::{
        Denied,
        credentials::{self, Credentials},
    },
    host::{self, Authority, BadHost, Host},
    limits::Reason,
    line::{Answering, Busy},
    refusal::Refusal,
    shapes,
    switch::Switch,
    visitor::{Ends, Peer, Visitor},
};

/// One connection's door.
#[derive(Clone, Debug)]
pub(super) struct Door(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    accept: Arc<Accept>,
    ends: Ends,
    way: Way,
    busy: Busy,
    switch: Switch,
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
    pub(super) fn new(
        accept: Arc<Accept>,
        ends: Ends,
        way: Way,
        (busy, switch): (Busy, Switch),
    ) -> Self {
        Self(Arc::new(Inner {
            accept,
            ends,
            way,
            busy,
            switch,
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

/// A request's sender, as far as known before they are let in.
struct Asked {
    own: Option<Authority>,
    peer: Peer,
    is_secure: bool,
}

impl Asked {
    /// The address and port that were asked for, where they are digits.
    fn address(&self) -> Option<SocketAddr> {
        let Authority { host, port } = self.own.as_ref()?;
        let Host::Ip(ip) = host else { return None };
        let usual = if self.is_secure { 443 } else { 80 };
        Some(SocketAddr::new(*ip, port.unwrap_or(usual)))
    }
}

/// A guest who is let in, and the cookie that keeps them in.
struct Guest {
    visitor: Visitor,
    cookie: Option<HeaderValue>,
}

/// Why somebody is not: counted as this, told that.
type No = (Reason, Refusal);

impl Inner {
    async fn answer(&self, mut request: Request<Incoming>) -> Response {
        let switch = self.push_by_websocket(&request).then(|| {
            // From here on it is what it does: a push, which takes that right and comes from no page of another site.
            *request.method_mut() = Method::POST;
            self.switch.clone()
        });
        let origins = &self.accept.access.origins;
        let origin = host::allowed_origin(request.headers(), origins).map(HeaderValue::from_str);
        let origin = origin.and_then(Result::ok);
        let mut response = match self.let_in(&request, origin.is_some()).await {
            Ok(Guest {
                cookie: Some(cookie),
                ..
            }) if detours::opens_a_page(&request)
                && credentials::without_token(request.uri()).is_some() =>
            {
                detours::to_page_without_token(request.uri(), cookie)
            }
            Ok(guest) => {
                // Neither most endpoints nor the log have any need of it.
                let token = request.uri().query().and_then(credentials::token_in);
                if let Some(uri) = credentials::without_token(request.uri()) {
                    *request.uri_mut() = uri;
                }
                request.headers_mut().remove(header::AUTHORIZATION);
                request.headers_mut().remove(header::COOKIE);
                let visitor = guest.visitor.on(&self.ends).by(token).switching(switch);
                request.extensions_mut().insert(visitor);
                let routes = self.accept.routes.clone();
                let Ok(mut response) = warp::service(routes).call(request).await;
                // A page's own requests don't have the page's query.
                if let Some(cookie) = guest.cookie.filter(|_| detours::is_page(&response)) {
                    response.headers_mut().append(header::SET_COOKIE, cookie);
                }
                response
            }
            Err(Some((why, answer))) => self.turned_away(why, answer),
            Err(None) if self.way == Way::PlainOnTls => detours::to_tls(&request),
            Err(None) => detours::preflight(&request),
        };
        if !origins.is_empty() {
            detours::share(response.headers_mut(), origin);
        }
        response
    }

    /// Whether a request asks for a WebSocket where pictures are pushed to. Elsewhere there is none, and who asks for one
    /// is answered as if they had not.
    fn push_by_websocket(&self, request: &Request<Incoming>) -> bool {
        if !shapes::is_websocket(request.method(), request.headers()) {
            return false;
        }
        let (path, query) = (request.uri().path(), request.uri().query());
        let need = (self.accept.needs)(&Method::POST, path, query.unwrap_or(""));
        matches!(need, Need::Of(Right::Push, _))
    }

    /// `Err(None)` is a request that needs no guest.
    async fn let_in(
        &self,
        request: &Request<Incoming>,
        is_allowed_origin: bool,
    ) -> Result<Guest, Option<No>> {
        let asked = self.asked(request)?;
        if self.way == Way::PlainOnTls || (is_allowed_origin && detours::is_preflight(request)) {
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
            .filter(|_| path.ends_with('/') || detours::opens_a_page(request))
            .and_then(|(value, seconds)| {
                credentials::set_cookie(&name, &value, seconds, asked.is_secure)
            });
        Ok(Guest {
            visitor: Visitor::new(asked.peer, asked.is_secure, &entry.member)
                .of_site(is_foreign)
                .asking(asked.address()),
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

    /// Checks that have to be passed by every request, whoever sends it.
    fn asked(&self, request: &Request<Incoming>) -> Result<Asked, No> {
        let headers = request.headers();
        let bad = |sentence: &str| {
            let answer = Refusal::bad_request(sentence);
            (Reason::Malformed, answer)
        };
        if let Some(answer) = shapes::unanswerable(request.method(), request.uri()) {
            return Err((Reason::Malformed, answer));
        }
        if shapes::has_unknown_coding(headers) {
            let sentence =
                "a request's body may be sent in chunks, and in no other transfer coding";
            let answer = Refusal::new(StatusCode::NOT_IMPLEMENTED, sentence);
            return Err((Reason::Malformed, answer));
        }
        if shapes::has_two_lengths(headers) {
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
        if let Some(ip) = self.ends.peer.ip()
            && !is_trusted(ip)
            && self.accept.guard.is_open()
            && let Some(told) = shapes::told_by_proxies(headers)
        {
            // Behind it may be the whole net, and nothing but addresses keeps that out here.
            return Err(bad(&format!(
                "{told} says that a proxy asks for somebody else, and {ip} is not known as one; name it by \
                 --trusted-proxy {ip}, or let in by `mantel token` whom you want"
            )));
        }
        let mut asked = Asked {
            own,
            peer: self.ends.peer,
            is_secure: self.way == Way::Tls,
        };
        // Only a process of this machine reaches a unix socket: a proxy, which is believed, since what
        // it says can only make less of who asks.
        if self.ends.peer.ip().is_none_or(is_trusted) {
            let client = shapes::forwarded_for(headers, is_trusted)
                .map_err(|()| bad("X-Forwarded-For has something else than addresses"))?;
            if let Some(client) = client {
                asked.peer = Peer::Tcp((client, 0).into());
                if !self.accept.answers(client) {
                    return Err((Reason::Stranger, Refusal::stranger()));
                }
            }
            asked.is_secure |= shapes::last_of(headers, "x-forwarded-proto")
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
        tracing::debug!(peer = %self.ends.peer, why = why.name(), "turned away");
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
