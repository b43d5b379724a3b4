//! HTTP: what each endpoint answers.
//!
//! Sees the feeds, the channel's commands and the library's counts; never a pixel, a file of the
//! library or a socket. Routes are in this file, each answer in a file of its own.

mod agents;
mod assets;
mod body;
mod bytes;
mod control;
mod held;
mod lists;
mod metrics;
mod pace;
mod pages;
mod paint;
mod policy;
mod profiles;
mod qr;
mod query;
mod reply;
mod reports;
mod screens;
pub mod search;
mod skipped;
mod snapshot;
mod status;
mod stream;
mod time;
mod viewers;

use std::sync::Arc;

use http::{HeaderMap, Method};
use warp::{Filter, filters::BoxedFilter, reply::Response};

use crate::{
    channel::Channel,
    channels::{Channels, FeedKey},
    hub::{Feeds, Framing},
    library::Library,
    net::{ConnectionCounts, Need, Visitor},
    profiles::Profiles,
    rendition::Rendition,
    source::catalogue::Catalogue,
    stats::WorkStats,
    timeline::Settings,
};
pub use held::keep_within;
pub use reports::Reports;
pub use viewers::Viewers;
use viewers::Who;

/// What the endpoints work with.
#[derive(Debug)]
pub struct Outputs {
    /// One feed per rendition watched.
    pub feeds: Arc<Feeds<FeedKey, Channel>>,
    /// What is on, and commands.
    pub channels: Arc<Channels>,
    /// What there is to show.
    pub catalogue: Arc<Catalogue>,
    /// Counts, skipped files, names.
    pub library: Arc<Library>,
    /// Short names of screens.
    pub profiles: Arc<Profiles>,
    /// How streams are framed.
    pub framing: Arc<Framing>,
    /// What a client gets that asks for nothing in particular.
    pub rendition: Rendition,
    /// After how many milliseconds a pause ends by itself, if it does.
    pub resume_after: Option<std::num::NonZeroU64>,
    /// Who watches.
    pub viewers: Arc<Viewers>,
    /// What screens say of themselves.
    pub reports: Arc<Reports>,
    /// What rendering does.
    pub work: Arc<WorkStats>,
    /// Whether a viewer that can't keep up gets less than it asked for.
    pub step_down: bool,
    /// Who is connected.
    pub connections: Arc<ConnectionCounts>,
    /// Whose pages may frame ours.
    pub frame_origins: Vec<String>,
    /// Whether other devices of the house can connect, not this machine alone.
    pub is_in_house: bool,
    /// The largest body of a `POST`, in bytes.
    pub max_body: u64,
    /// It has to come within this.
    pub body_timeout: std::time::Duration,
    /// When the server started.
    pub started_at: std::time::Instant,
    /// The same by the wall clock: tells one run of the server from another.
    pub started_millis: u64,
}

impl Outputs {
    /// How long slides stay and how they change, as it is now.
    pub(crate) fn settings(&self) -> Settings {
        self.channels.main().programme().settings()
    }

    /// The same as configured: what a query is held against.
    pub(crate) fn configured(&self) -> Settings {
        self.channels.main().programme().configured()
    }
}

/// All endpoints as one filter that answers every request.
pub fn routes(outputs: Arc<Outputs>) -> BoxedFilter<(Response,)> {
    let with = warp::any().map(move || outputs.clone());
    let text = warp::query::raw().or(warp::any().map(String::new)).unify();
    warp::any()
        .and(warp::method())
        .and(warp::path::full())
        .and(text)
        .and(warp::header::headers_cloned())
        .and(warp::ext::get())
        .and(with)
        .and(warp::body::stream())
        .then(
            |method,
             path: warp::path::FullPath,
             query: String,
             headers,
             visitor,
             outputs,
             body| async move {
                let visitor: Visitor = visitor;
                let query = if visitor.is_foreign {
                    query::for_foreign_pages(&query)
                } else {
                    query
                };
                let request = Request {
                    method,
                    query,
                    headers,
                    visitor,
                };
                answer(path.as_str(), request, outputs, body).await
            },
        )
        .boxed()
}

/// What a request takes: looking needs less than changing, and whether the server lives is nobody's
/// secret.
pub fn needs(method: &Method, path: &str) -> Need {
    match (method, path) {
        (_, "/healthz") | (&Method::OPTIONS, _) => Need::Nothing,
        (&Method::GET | &Method::HEAD, path) if is_program(path) => Need::Nothing,
        (&Method::GET | &Method::HEAD, _) | (&Method::POST, "/report") => Need::Watch,
        _ => Need::Control,
    }
}

/// The program's own files, the same for everyone: engines before Chromium 72, and whatever fetches
/// what installs the page, ask for them without a cookie.
fn is_program(path: &str) -> bool {
    const ENDINGS: [&str; 4] = [".js", ".css", ".wasm", ".webmanifest"];
    let name = path.strip_prefix('/').unwrap_or(path);
    let is_icon = matches!(name, "icon-192.png" | "icon-512.png");
    is_icon || (!name.contains('/') && ENDINGS.iter().any(|ending| name.ends_with(ending)))
}

/// What the endpoints need to know of a request.
#[derive(Debug)]
struct Request {
    method: Method,
    query: String,
    headers: HeaderMap,
    visitor: Visitor,
}

impl Request {
    /// Who asks, for the list of viewers.
    fn who(&self) -> Who {
        let Visitor { peer, name, .. } = &self.visitor;
        Who::new(peer.to_string(), self.agent(), name.clone())
    }

    fn agent(&self) -> &str {
        self.headers
            .get(http::header::USER_AGENT)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("")
    }
}

async fn answer<S, B>(path: &str, request: Request, outputs: Arc<Outputs>, body: S) -> Response
where
    S: futures_util::Stream<Item = Result<B, warp::Error>> + Send,
    B: warp::Buf,
{
    let path = match (path, query::mjpg_streamer_action(&request.query)) {
        ("/", Some(action)) => action,
        _ => path,
    };
    let reply = match (&request.method, path) {
        (&Method::OPTIONS, _) => Ok(reply::options(path)),
        (&Method::POST, "/control") => control::answer(&outputs, &request, body).await,
        (&Method::POST, "/report") => reports::answer(&outputs, &request, body).await,
        (_, "/control" | "/report") => Err(reply::Problem::method("POST")),
        (&Method::POST, "/profiles") => profiles::keep(&outputs, &request.headers, body).await,
        (&Method::DELETE, path) if path.starts_with("/profiles/") => {
            profiles::forget(&outputs, &path["/profiles/".len()..]).await
        }
        (&(Method::GET | Method::HEAD), _) => get(path, &request, &outputs).await,
        _ => Err(reply::Problem::method("GET, HEAD")),
    };
    // To HEAD hyper sends the same head and drops the body unread.
    let mut reply = reply.unwrap_or_else(|problem| problem.into_response());
    policy::apply(&mut reply, request.agent(), &outputs.frame_origins);
    reply
}

async fn get(
    path: &str,
    request: &Request,
    outputs: &Arc<Outputs>,
) -> Result<Response, reply::Problem> {
    match path {
        "/stream" => stream::answer(outputs, request).await,
        "/bytes" => bytes::answer(outputs, request).await,
        "/snapshot" => snapshot::answer(outputs, request).await,
        "/status" => status::answer(outputs, request).await,
        "/metrics" => metrics::answer(outputs),
        "/screens" => Ok(screens::answer(outputs).await),
        screens::SCRIPT_PATH => Ok(screens::script()),
        "/profiles" => Ok(profiles::list(outputs, request)),
        "/qr" => qr::qr(request),
        "/library/lists" => lists::answer(outputs).await,
        "/library/skipped" => skipped::answer(outputs, request).await,
        "/time" => time::answer(),
        "/healthz" if !outputs.channels.main().is_alive() => Err(reply::Problem::unavailable(
            "what decides which slide is on has ended",
        )),
        "/healthz" => Ok(reply::health(outputs.started_millis)),
        path if path.starts_with("/profiles/") => {
            profiles::one(outputs, &path["/profiles/".len()..], &request.query).await
        }
        _ => match path.strip_prefix("/tv/") {
            Some(name) => Ok(profiles::screen(outputs, name)),
            None => pages::answer(path)
                .or_else(|| assets::answer(path, request))
                .ok_or_else(|| reply::Problem::not_found(path)),
        },
    }
}
