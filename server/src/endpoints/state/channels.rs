//! `GET /channels`: which channels there are, and what is on each: a page for people, JSON for programs.

use std::sync::Arc;

use http::header;
use serde::Serialize;
use warp::reply::Response;

use crate::{
    channel::live::{Intake, LiveChannel},
    clock,
    endpoints::{
        Outputs, Request, open,
        pages::words,
        policy::InlineStyle,
        reply,
        state::{channel::InterruptedRow, encoder},
    },
    rendition::Rendition,
    rights::ChannelName,
    source::live::Signal,
};

#[derive(Serialize)]
struct Row {
    name: String,
    /// Where its page is, from this address on.
    page: String,
    snapshot: String,
    /// The source of its pictures: `gallery`, `push`, `file`.
    source: &'static str,
    viewers: usize,
    /// How old the last picture was at the viewer that had it last, when its socket had taken it.
    #[serde(skip_serializing_if = "Option::is_none")]
    age_at_viewers_millis: Option<u128>,
    /// Of the gallery: the live channel that has its screens.
    #[serde(skip_serializing_if = "Option::is_none")]
    interrupted: Option<InterruptedRow>,
    /// Of a live channel: whose screens it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    interrupts: Option<InterruptsRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    live: Option<LiveRow>,
}

#[derive(Serialize)]
struct InterruptsRow {
    channel: &'static str,
    since_millis: u64,
    /// When it gives them back if no more pictures come.
    until_millis: u64,
}

impl InterruptsRow {
    fn of(interrupted: InterruptedRow) -> Self {
        Self {
            channel: ChannelName::MAIN,
            since_millis: interrupted.since_millis,
            until_millis: interrupted.until_millis,
        }
    }
}

/// The facts of a live channel.
#[derive(Serialize)]
pub(in crate::endpoints) struct LiveRow {
    /// `waiting`, `on`, `stale`, `silent` or `lost`.
    signal: &'static str,
    /// The moment from which nothing has come, in Unix milliseconds.
    since_millis: Option<u64>,
    /// Whether somebody is sending at this moment, or what fetches its pictures runs.
    has_sender: bool,
    /// How often what fetches its pictures was started.
    #[serde(skip_serializing_if = "Option::is_none")]
    starts: Option<u64>,
    /// Why no pictures come, and the last lines of a program's standard error.
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    last_words: String,
    /// How many pictures came, how many of them nobody saw though somebody watched, and how many came faster than is allowed
    /// and were left out.
    came: u64,
    dropped: u64,
    too_fast: u64,
    /// Where H.264 is sent: `passed through`, or why it is encoded again, for who asks for what was asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    encoder: Option<String>,
    /// The newest picture's number, size and words, and how old it is.
    frame: Option<u64>,
    size: Option<String>,
    caption: Option<String>,
    age_millis: Option<u64>,
    /// By how much its sender's clock differs, where its pictures are stamped.
    clock_differs_millis: Option<i64>,
}

impl LiveRow {
    /// `shape` is the one in which its video is asked about.
    pub(super) fn of(outputs: &Outputs, live: &LiveChannel, shape: &Rendition) -> Self {
        let now = live.source().reader().now();
        let (signal, since) = match &now.signal {
            Signal::Waiting => ("waiting", None),
            Signal::On => ("on", None),
            Signal::Stale { since } => ("stale", Some(since.0)),
            Signal::Silent { since } => ("silent", Some(since.0)),
            Signal::Lost { since, .. } => ("lost", Some(since.0)),
        };
        let sample = now.sample.as_deref();
        let upstream = live.source().upstream();
        let counts = live.source().counts();
        let is_fetched = matches!(live.intake(), Intake::Fetched(_));
        Self {
            signal,
            since_millis: since,
            has_sender: live.has_sender() || upstream.is_running,
            starts: is_fetched.then_some(upstream.n_starts),
            trouble: upstream.trouble.map(|(_, why)| why.to_string()),
            last_words: upstream.last_words,
            came: counts.came,
            dropped: counts.dropped,
            too_fast: counts.too_fast,
            encoder: encoder::told(outputs, live, shape),
            frame: sample.map(|sample| sample.no.0),
            size: sample.and_then(|sample| Some(sample.size?.to_string())),
            caption: sample.and_then(|sample| sample.caption.clone()),
            age_millis: sample.map(|sample| clock::now().0.saturating_sub(sample.taken_at.0)),
            clock_differs_millis: sample.and_then(|sample| sample.clock_differs_millis),
        }
    }
}

const PAGE: &str = include_str!("../../../pages/channels.html");

pub(in crate::endpoints) fn answer(outputs: &Arc<Outputs>, request: &Request) -> Response {
    let accept = request.header(&header::ACCEPT);
    if accept.contains("text/html") && !request.query.contains("format=json") {
        let mut page = words::page(words::of(request).fill(PAGE));
        page.extensions_mut().insert(InlineStyle);
        return page;
    }
    let watching = outputs.house.feeds.survey();
    let viewers = outputs.watched.viewers.rows();
    let all: usize = watching.iter().map(|(_, n)| n).sum();
    let interrupted = InterruptedRow::of(outputs.house.channels.main());
    let mut rows: Vec<Row> = outputs
        .house
        .channels
        .live()
        .all()
        .iter()
        .map(|live| {
            let of_it = watching.iter().filter(|(key, _)| key.channel == live.no());
            let have_it = viewers.iter().filter(|row| row.key.channel == live.no());
            Row {
                viewers: of_it.map(|(_, n)| n).sum(),
                age_at_viewers_millis: have_it.map(|row| row.age.as_millis()).max(),
                interrupts: interrupted
                    .clone()
                    .filter(|row| row.by == live.name().as_str())
                    .map(InterruptsRow::of),
                live: Some(LiveRow::of(
                    outputs,
                    live,
                    &open::live_default(live, outputs.looks.rendition),
                )),
                ..row(live.name().as_str(), live.intake().kind())
            }
        })
        .collect();
    let of_live: usize = rows.iter().map(|row| row.viewers).sum();
    let main = Row {
        viewers: all - of_live,
        interrupted,
        ..row(ChannelName::MAIN, "gallery")
    };
    rows.insert(0, main);
    reply::json(&rows)
}

fn row(name: &str, source: &'static str) -> Row {
    Row {
        name: name.to_owned(),
        page: format!("c/{name}/"),
        snapshot: format!("c/{name}/snapshot"),
        source,
        viewers: 0,
        age_at_viewers_millis: None,
        interrupted: None,
        interrupts: None,
        live: None,
    }
}
