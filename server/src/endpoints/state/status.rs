//! `GET /status`: what is on, how much there is, who watches.

use std::sync::Arc;

use mantel_shared::Report;
use serde::Serialize;
use warp::reply::Response;

use crate::{
    channel::{Channel, choices::FeedKey},
    clock,
    edge::{Figures, Sent, Told},
    endpoints::{
        Outputs, Request, afar, open, query, reply,
        state::{
            channel::{self, InterruptedRow},
            encoder,
            reports::Reported,
            viewers::{self, Outlet, Totals},
        },
    },
    library::{Counts, Filter},
    net::Refusal,
    rendition::Rendition,
    source::decoding,
};

/// How much there is, and whether the demo is shown for want of it.
#[derive(Serialize)]
struct LibraryRow {
    #[serde(flatten)]
    counts: Counts,
    demo: bool,
}

#[derive(Serialize)]
struct Status {
    version: &'static str,
    uptime_seconds: u64,
    /// The server's clock, for clients that compare.
    now_millis: u64,
    channel: Part<channel::Channel>,
    library: Part<LibraryRow>,
    /// Of an edge: the house that it shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    house: Option<Told>,
    /// Of a house that other machines show: what was sent to them.
    #[serde(skip_serializing_if = "Option::is_none")]
    nats: Option<Figures>,
    connections: u64,
    connections_refused: u64,
    /// How many watch.
    viewers: usize,
    /// Each of them.
    watching: Vec<ViewerRow>,
    renditions: Vec<RenditionRow>,
    /// The reports of the screens that run the page.
    screens: Vec<ScreenRow>,
    /// Where what is no JPEG is decoded, `process` or `inside`, and what is to be said about it.
    decoder: &'static str,
    decoder_note: String,
    sent: Totals,
}

/// A part of the answer: told of this machine, or by the house that it shows; nothing while that is silent.
#[derive(Serialize)]
#[serde(untagged)]
enum Part<T> {
    Here(T),
    There(Option<serde_json::Value>),
}

#[derive(Serialize)]
struct RenditionRow {
    /// Of the main channel, not of a choice of photos.
    main: bool,
    #[serde(flatten)]
    shape: Shape,
    /// Where H.264 is sent to its channel: whether its video is `passed through`, or why it is encoded again.
    #[serde(skip_serializing_if = "Option::is_none")]
    encoder: Option<String>,
    viewers: usize,
}

/// A rendition in words and numbers.
#[derive(Serialize)]
struct Shape {
    size: String,
    fit: String,
    quality: u8,
    /// The most in motion, such as `2.5M`.
    #[serde(skip_serializing_if = "Option::is_none")]
    bitrate: Option<String>,
    /// The most time between key frames of video, where somebody says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    gop: Option<String>,
    fps: u32,
}

impl Shape {
    fn of(rendition: &Rendition) -> Self {
        Self {
            size: rendition.size.to_string(),
            fit: rendition.fit.to_string(),
            quality: rendition.quality.value(),
            bitrate: rendition.bitrate.map(|rate| rate.to_string()),
            gop: rendition.gop.map(|gop| gop.to_string()),
            fps: rendition.fps.0,
        }
    }
}

#[derive(Serialize)]
struct ViewerRow {
    /// Never another's, as long as the server runs.
    number: u64,
    endpoint: Outlet,
    address: String,
    agent: String,
    /// The user's or the token's.
    name: Option<String>,
    since_millis: u64,
    rendition: Shape,
    /// Whether it is given less than it asked for, because its network is slow.
    stepped_down: bool,
    #[serde(flatten)]
    sent: Totals,
    /// Over the last seconds.
    frames_per_second: f64,
    /// How old its last frame was when its socket had taken it.
    age_millis: u64,
}

#[derive(Serialize)]
struct ScreenRow {
    address: String,
    reported_millis: u64,
    #[serde(flatten)]
    report: Report,
}

impl From<Reported> for ScreenRow {
    fn from(reported: Reported) -> Self {
        Self {
            address: reported.address,
            reported_millis: reported.at.0,
            report: reported.report,
        }
    }
}

impl From<viewers::ViewerRow> for ViewerRow {
    fn from(row: viewers::ViewerRow) -> Self {
        Self {
            number: row.no,
            endpoint: row.endpoint,
            address: row.who.address,
            agent: row.who.agent,
            name: row.who.name.as_deref().map(str::to_owned),
            since_millis: row.since.0,
            rendition: Shape::of(&row.key.rendition),
            stepped_down: row.stepped_down,
            sent: row.sent,
            frames_per_second: (row.fps * 10.0).round() / 10.0,
            age_millis: u64::try_from(row.age.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

pub(in crate::endpoints) async fn answer(
    outputs: &Arc<Outputs>,
    request: &Request,
) -> Result<Response, Refusal> {
    let wish = query::choice(&request.query)?;
    let (_, chosen) = open::choose(outputs, request, &wish).await?;
    let renditions = outputs.house.feeds.survey();
    let live = outputs.house.channels.live().all();
    let renditions = renditions
        .iter()
        .map(|(FeedKey { channel, rendition }, viewers)| RenditionRow {
            main: channel.is_main(),
            shape: Shape::of(rendition),
            encoder: live
                .iter()
                .find(|live| live.no() == *channel)
                .and_then(|live| encoder::told(outputs, live, rendition)),
            viewers: *viewers,
        });
    let watching: Vec<ViewerRow> = outputs
        .watched
        .viewers
        .rows()
        .into_iter()
        .map(Into::into)
        .collect();
    let screens = outputs.watched.reports.fresh(clock::now());
    let mut sent = Totals::default();
    for (_, totals) in outputs.watched.viewers.totals() {
        sent += totals;
    }
    // Screens may pair other photos: whoever says its size and `pair` hears of its own.
    let shape = open::wishes(outputs, request, outputs.looks.rendition)?.rendition;
    let (channel, library) = match &outputs.house.afar {
        Some(edge) => {
            let mut told = afar::status(edge, request).await.unwrap_or_default();
            let mut part = |key| told.get_mut(key).map(serde_json::Value::take);
            (Part::There(part("channel")), Part::There(part("library")))
        }
        None => here(outputs, request, shape, &chosen, &wish).await?,
    };
    let (decoder, decoder_note) = decoding::told();
    Ok(reply::json(&Status {
        version: env!("CARGO_PKG_VERSION"),
        uptime_seconds: outputs.uptime().as_secs(),
        now_millis: clock::now().0,
        channel,
        library,
        house: outputs.house.afar.as_ref().map(|edge| edge.told()),
        nats: outputs.watched.sent.get().map(Sent::figures),
        connections: outputs.watched.connections.open(),
        connections_refused: outputs.watched.connections.refused(),
        viewers: watching.len(),
        watching,
        renditions: renditions.collect(),
        screens: screens.into_iter().map(Into::into).collect(),
        decoder,
        decoder_note,
        sent,
    }))
}

/// The parts that are told of what is shown from here.
async fn here(
    outputs: &Arc<Outputs>,
    request: &Request,
    shape: Rendition,
    chosen: &Channel,
    wish: &Filter,
) -> Result<(Part<channel::Channel>, Part<LibraryRow>), Refusal> {
    let live = outputs.house.channels.live().named(&request.channel);
    let channel = match (live, chosen.programme()) {
        (Some(live), _) => channel::live(outputs, &live, &shape),
        (None, Some(programme)) => {
            let on = (&*programme, InterruptedRow::of(chosen));
            channel::gallery(outputs, request, shape, wish, on).await
        }
        (None, None) => return Err(Refusal::unavailable("there are no slides on this channel")),
    };
    let library = LibraryRow {
        counts: outputs.house.library.counts(),
        demo: outputs.house.catalogue.shows_demo(),
    };
    Ok((Part::Here(channel), Part::Here(library)))
}
