//! HTTP: what each endpoint answers.
//!
//! Sees the feeds, the channel's commands and the library's counts; never a pixel, a file of the
//! library or a socket. What lies at which address is `address`, each answer has a file of its own.

mod address;
mod afar;
mod inlets;
mod open;
mod pages;
mod pictures;
mod policy;
mod query;
mod reply;
mod request;
pub mod search;
mod state;
mod video;

use std::{sync::Arc, time::Duration};

use futures_util::Stream;
use http::{HeaderMap, Method};
use warp::{Buf, Filter, filters::BoxedFilter, reply::Response};

use crate::{
    channel::{
        Channel,
        choices::{Channels, FeedKey},
    },
    edge::{Edge, Sent},
    hub::{Feeds, Framing},
    library::Library,
    net::{ConnectionCounts, Refusal, Visitor},
    producer::Thumbnails,
    profiles::Profiles,
    rendition::Rendition,
    rights::ChannelName,
    sleepers::Sleepers,
    source::{catalogue::Catalogue, live::RunName},
    stats::WorkStats,
    timeline::{Programme, Settings, night::Position},
    webrtc::Peers,
};
pub use address::needs;
use address::{Address, Endpoint, Names};
pub use afar::for_edges;
use inlets::{control, push, websocket};
use pages::{assets, files, qr};
pub use pictures::held::keep_within;
use pictures::{bytes, snapshot, stream, thumbnail};
pub use request::BodyLimits;
use request::{Body, Request};
use state::{
    channels, hidden, history, lists, metrics, photos, profiles, reports, screens, skipped, status,
    time,
};
pub use state::{reports::Reports, viewers::Viewers};
pub use video::hls::Packagers;

/// The things that the endpoints work with.
#[derive(Debug)]
pub struct Outputs {
    /// The house: the photos and channels that are shown.
    pub house: House,
    /// How pictures are sent.
    pub looks: Looks,
    /// The viewers and screens, and how it goes with them.
    pub watched: Watched,
    /// From where the server is used.
    pub reach: Reach,
    /// How much may be sent in.
    pub body: BodyLimits,
    /// Which run of the server this is.
    pub run: Run,
}

/// The house: the photos and channels that are shown, and what is kept for showing them.
#[derive(Debug)]
pub struct House {
    /// One feed per rendition watched.
    pub feeds: Arc<Feeds<FeedKey, Channel>>,
    /// The channels: what is on, and commands.
    pub channels: Arc<Channels>,
    /// The photos that there are to show.
    pub catalogue: Arc<Catalogue>,
    /// Counts, skipped files, names.
    pub library: Arc<Library>,
    /// Short names of screens.
    pub profiles: Arc<Profiles>,
    /// The named screens that are to sleep.
    pub sleepers: Arc<Sleepers>,
    /// Small pictures of photos, where some are made.
    pub thumbnails: Option<Thumbnails>,
    /// Where this machine shows the house of another one: the way to that.
    pub afar: Option<Arc<Edge>>,
}

/// How pictures are sent.
#[derive(Debug)]
pub struct Looks {
    /// How streams are framed.
    pub framing: Arc<Framing>,
    /// How long slides stay and how they change, as configured.
    pub settings: Settings,
    /// Where the sun of screens' own nights is looked for.
    pub position: Option<Position>,
    /// The rendition of a client that asks for nothing in particular.
    pub rendition: Rendition,
    /// After how many milliseconds a pause ends by itself, if it does.
    pub resume_after: Option<std::num::NonZeroU64>,
    /// Whether a viewer that can't keep up gets less than it asked for.
    pub step_down: bool,
}

/// The viewers and screens, and how it goes with them.
#[derive(Debug, Default)]
pub struct Watched {
    /// The viewers that are connected.
    pub viewers: Arc<Viewers>,
    /// The reports that screens send of themselves.
    pub reports: Arc<Reports>,
    /// The counters of rendering.
    pub work: Arc<WorkStats>,
    /// The counters of connections.
    pub connections: Arc<ConnectionCounts>,
    /// The segments of what is watched by playlists.
    pub packagers: Packagers,
    /// The figures of pictures that are sent to other machines.
    pub sent: std::sync::OnceLock<Sent>,
}

/// From where the server is used.
#[derive(Debug)]
pub struct Reach {
    /// The origins whose pages may frame ours.
    pub frame_origins: Vec<String>,
    /// Whether other devices of the house can connect, not this machine alone.
    pub is_in_house: bool,
    /// The peers of WebRTC, where it is spoken.
    pub peers: Option<Arc<Peers>>,
    /// The `Link` of each server of STUN or TURN that viewers of WebRTC are told of.
    pub ice_servers: Vec<String>,
}

/// One run of the server.
#[derive(Clone, Debug)]
pub struct Run {
    /// When it began.
    pub started_at: std::time::Instant,
    /// The start by the wall clock: tells one run of the server from another.
    pub started_millis: u64,
    /// The name by which servers that show one another's pictures know it.
    pub name: RunName,
}

impl Outputs {
    /// How long this server has run.
    #[expect(
        clippy::disallowed_methods,
        reason = "a clock of the server's own, by which viewers are judged"
    )]
    pub(crate) fn uptime(&self) -> Duration {
        self.run.started_at.elapsed()
    }

    /// The gallery's slides, while they are on the air.
    pub(crate) fn gallery(&self) -> Option<Arc<Programme>> {
        self.house.channels.main().programme()
    }

    /// How long slides stay and how they change, as it is now.
    pub(crate) fn settings(&self) -> Settings {
        self.gallery()
            .map_or(self.looks.settings, |gallery| gallery.settings())
    }

    /// The timeline's settings as configured: a query is held against them.
    pub(crate) fn configured(&self) -> Settings {
        self.gallery()
            .map_or(self.looks.settings, |gallery| gallery.configured())
    }
}

/// Carries out on the gallery a command in JSON, as `POST /control` takes it, for whom `by` names.
///
/// # Errors
/// It makes no sense, or can't be carried out now.
pub async fn command(outputs: &Arc<Outputs>, body: &[u8], by: &str) -> Result<(), Refusal> {
    let gallery = outputs.house.channels.main().clone();
    let done = control::carry_out(outputs, &gallery, body, Some(by.to_owned())).await;
    done.map(|_| ())
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
        .then(answer)
        .boxed()
}

async fn answer(
    method: Method,
    path: warp::path::FullPath,
    query: String,
    headers: HeaderMap,
    visitor: Visitor,
    outputs: Arc<Outputs>,
    body: impl Stream<Item = Result<impl Buf, warp::Error>> + Send + 'static,
) -> Response {
    // The door has asked for rights by the same words.
    let names = Names::of(outputs.house.channels.live());
    let found = address::find(&method, path.as_str(), &query, &names);
    let query = if visitor.is_foreign {
        query::for_foreign_pages(&query)
    } else {
        query
    };
    let channel = found.as_ref().map(|address| address.channel.clone());
    let request = Request {
        method,
        channel: channel.unwrap_or_else(|_| ChannelName::main()),
        query,
        headers,
        visitor,
    };
    let reply = match found {
        Ok(address) => {
            let at = (&address, path.as_str());
            match afar::answer(&outputs, at, &request, Body::new(body)).await {
                Ok(answered) => answered,
                Err(body) => answer_at(&address, &request, &outputs, body).await,
            }
        }
        Err(unanswered) => Err(unanswered.into()),
    };
    // To HEAD hyper sends the same head and drops the body unread.
    let mut reply = reply.unwrap_or_else(Refusal::into_response);
    policy::apply(&mut reply, request.agent(), &outputs.reach.frame_origins);
    reply
}

async fn answer_at(
    address: &Address<'_>,
    request: &Request,
    outputs: &Arc<Outputs>,
    body: Body,
) -> Result<Response, Refusal> {
    Ok(match (address.endpoint, &request.method) {
        (_, &Method::OPTIONS) => reply::options(address.allow),
        (Endpoint::Page, _) => assets::page(request),
        (Endpoint::ToPage(name), _) => reply::found(&format!("{name}/"), &request.query),
        (Endpoint::Stream, _) => stream::answer(outputs, request).await?,
        (Endpoint::Video(form), _) => video::answer(outputs, request, form).await?,
        (Endpoint::Hls(name), _) => video::hls::answer(outputs, request, name).await?,
        (Endpoint::Whep, _) => video::whep::answer(outputs, request, body).await?,
        (Endpoint::Whip, _) => video::whip::answer(outputs, request, body).await?,
        (Endpoint::RtcSession(id), _) => video::rtc::session(outputs, request, id, body).await?,
        (Endpoint::Bytes, _) => bytes::answer(outputs, request).await?,
        (Endpoint::Snapshot, _) => snapshot::answer(outputs, request).await?,
        (Endpoint::Status, _) => status::answer(outputs, request).await?,
        (Endpoint::Metrics, _) => metrics::answer(outputs)?,
        (Endpoint::Screens, _) => screens::answer(outputs).await,
        (Endpoint::Control, _) => control::answer(outputs, request, body).await?,
        (Endpoint::Push, &Method::DELETE) => push::clear(outputs, request)?,
        (Endpoint::Push, _) => match &request.visitor.switch {
            Some(switch) => websocket::answer(outputs, request, switch)?,
            None => push::answer(outputs, request, body).await?,
        },
        (Endpoint::Channels, _) => channels::answer(outputs, request),
        (Endpoint::Report, _) => reports::answer(outputs, request, body).await?,
        (Endpoint::Profiles, &Method::POST) => profiles::keep(outputs, request, body).await?,
        (Endpoint::Profiles, _) => profiles::list(outputs, request),
        (Endpoint::Profile(name), &Method::DELETE) => profiles::forget(outputs, name).await?,
        (Endpoint::Profile(name), _) => profiles::one(outputs, name, &request.query).await?,
        (Endpoint::Screen(name), _) => profiles::screen(outputs, name),
        (Endpoint::Qr, _) => qr::qr(request)?,
        (Endpoint::Photos, _) => photos::found(outputs, request).await?,
        (Endpoint::Albums, _) => photos::albums(outputs).await?,
        (Endpoint::Lists, _) => lists::answer(outputs).await?,
        (Endpoint::Skipped, _) => skipped::answer(outputs, request).await?,
        (Endpoint::Thumbnail(photo), _) => thumbnail::answer(outputs, photo).await?,
        (Endpoint::Hidden, _) => hidden::answer(outputs, request).await?,
        (Endpoint::History, _) => history::answer(outputs, request).await?,
        (Endpoint::Time, _) => time::answer(),
        (Endpoint::Health, _) if !outputs.house.channels.main().is_alive() => {
            let why = "what decides which slide is on has ended";
            return Err(Refusal::unavailable(why));
        }
        (Endpoint::Health, _) => reply::health(outputs.run.started_millis),
        (Endpoint::File("remote"), _) => {
            photos::remote(outputs, request).ok_or_else(|| reply::not_found("remote"))?
        }
        (Endpoint::File(name), _) => files::answer(name, request)
            .or_else(|| assets::answer(name, request))
            .ok_or_else(|| reply::not_found(name))?,
    })
}
