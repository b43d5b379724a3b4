//! `GET /status`: what is on, how much there is, who watches.

#![expect(clippy::disallowed_methods, reason = "the uptime is told by the clock")]

use std::sync::Arc;

use mantel_shared::Report;
use serde::Serialize;
use warp::reply::Response;

use crate::{
    caption,
    channel::choices::{FeedKey, MAIN},
    clock,
    endpoints::{
        Outputs, Request, open, query, reply,
        state::{
            reports::Reported,
            viewers::{self, Outlet, Totals},
        },
    },
    library::{Counts, Facts, Filter, iso},
    net::Refusal,
    render::pair,
    rendition::{Pair, Rendition},
    source::decoding,
    timeline::{Programme, Slide, Transition, Turn},
};

/// The limit of texts that strangers wrote: they are cut before they are sent with every answer.
const MAX_TOLD_CHARS: usize = 400;

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
    channel: Channel,
    library: LibraryRow,
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

/// The channel's part of the status, which `/control` answers with.
#[derive(Serialize)]
pub(in crate::endpoints) struct Channel {
    name: String,
    /// Which photos were asked for.
    shows: String,
    paused: bool,
    /// The name of whoever paused it, in words for people.
    paused_by: Option<String>,
    paused_since_millis: Option<u64>,
    /// When the pause ends by itself, and how long one lasts at most; absent where it never does.
    resumes_at_millis: Option<u64>,
    resume_after_millis: Option<u64>,
    interval_millis: u64,
    transition_millis: u32,
    photos: u64,
    /// How pictures look for those who don't say: what is written on them, how they fill the screen,
    /// whether two may share it.
    captions: String,
    fit: String,
    pair: bool,
    /// The folders in which there is no photo to show, while built-in pictures stand in for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    nothing_in: Option<Vec<String>>,
    slide: Option<SlideRow>,
    next: Option<SlideRow>,
    /// When the next slide comes, in Unix milliseconds; absent while paused.
    next_change_millis: Option<u64>,
}

#[derive(Serialize)]
struct SlideRow {
    number: u64,
    photo: String,
    name: Option<String>,
    #[serde(flatten)]
    told: Told,
    /// The photo beside it, if two share the screen.
    beside: Option<BesideRow>,
    started_millis: Option<u64>,
}

#[derive(Serialize)]
struct BesideRow {
    photo: String,
    name: Option<String>,
    #[serde(flatten)]
    told: Told,
}

/// The words that may be written about a photo, for pages that write them themselves.
#[derive(Default, Serialize)]
struct Told {
    /// Local time in ISO 8601; never the time of a file.
    taken_at: Option<String>,
    place: Option<String>,
    album: Option<String>,
    /// The words that somebody wrote under it.
    caption: Option<String>,
    /// Of two on a screen: between which columns that is written, in percent of the screen's width.
    words_from: Option<f64>,
    words_to: Option<f64>,
}

#[derive(Serialize)]
struct RenditionRow {
    /// Of the main channel, not of a choice of photos.
    main: bool,
    #[serde(flatten)]
    shape: Shape,
    viewers: usize,
}

/// A rendition in words and numbers.
#[derive(Serialize)]
struct Shape {
    size: String,
    fit: String,
    quality: u8,
    fps: u32,
}

impl Shape {
    fn of(rendition: &Rendition) -> Self {
        Self {
            size: rendition.size.to_string(),
            fit: rendition.fit.to_string(),
            quality: rendition.quality.value(),
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
    let (_, chosen) = open::choose(outputs, &wish).await?;
    let renditions = outputs.house.feeds.survey();
    let renditions = renditions
        .iter()
        .map(|(FeedKey { channel, rendition }, viewers)| RenditionRow {
            main: *channel == MAIN,
            shape: Shape::of(rendition),
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
    let programme = chosen.programme();
    // Screens may pair other photos: whoever says its size and `pair` hears of its own.
    let shape = query::wishes(
        &request.query,
        outputs.looks.rendition,
        outputs.configured(),
    )?
    .rendition;
    let (decoder, decoder_note) = decoding::told();
    Ok(reply::json(&Status {
        version: env!("CARGO_PKG_VERSION"),
        uptime_seconds: outputs.run.started_at.elapsed().as_secs(),
        now_millis: clock::now().0,
        channel: channel(outputs, request, shape, &wish, &programme).await,
        library: LibraryRow {
            counts: outputs.house.library.counts(),
            demo: outputs.house.catalogue.shows_demo(),
        },
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

/// The channel as screens of the shape of `shape` show it.
pub(in crate::endpoints) async fn channel(
    outputs: &Outputs,
    request: &Request,
    shape: Rendition,
    wish: &Filter,
    programme: &Programme,
) -> Channel {
    let timeline = programme.timeline(shape.size, shape.pair);
    let showing = timeline.at(clock::now());
    let slides = showing.map(|showing| [showing.current, showing.next]);
    let turns = slides.into_iter().flatten().map(|slide| slide.turn());
    let photos = turns.flat_map(Turn::photos);
    let photos = outputs.house.catalogue.photos(photos).await;
    let known = |id, part: Option<usize>| match photos.get(&id) {
        Some(photo) => {
            let facts = &photo.facts;
            let told = part.map_or_else(|| told(facts), |part| told_at(facts, shape, part));
            (Some(photo.name.to_string()), told)
        }
        None => (None, Told::default()),
    };
    let row = |slide: Slide, started: bool| {
        let (name, told) = known(slide.photo, slide.beside.map(|_| 0));
        SlideRow {
            number: slide.no.0,
            photo: slide.photo.to_string(),
            name,
            told,
            beside: slide.beside.map(|id| {
                let (name, told) = known(id, Some(1));
                BesideRow {
                    photo: id.to_string(),
                    name,
                    told,
                }
            }),
            started_millis: started.then_some(slide.starts_at.0),
        }
    };
    let settings = timeline.settings();
    let is_demo =
        showing.is_some_and(|showing| outputs.house.catalogue.is_demo(showing.current.photo));
    let folders = || outputs.house.library.roots().iter();
    let nothing_in = is_demo.then(|| folders().map(|root| root.display().to_string()).collect());
    let pause = programme.pause();
    let resumes_at = outputs
        .looks
        .resume_after
        .and_then(|after| programme.resumes_at(after));
    Channel {
        name: request.channel.to_string(),
        shows: wish.to_string(),
        paused: showing.is_some_and(|showing| showing.paused),
        paused_by: pause.and_then(|pause| pause.by.clone()),
        paused_since_millis: pause.map(|pause| pause.since),
        resumes_at_millis: resumes_at.map(|end| end.0),
        resume_after_millis: outputs.looks.resume_after.map(std::num::NonZero::get),
        interval_millis: settings.interval_millis,
        transition_millis: match settings.transition {
            Transition::Cut => 0,
            Transition::Crossfade { millis } => millis,
        },
        photos: timeline.n_photos(),
        captions: outputs.looks.rendition.captions.to_string(),
        fit: outputs.looks.rendition.fit.to_string(),
        pair: outputs.looks.rendition.pair != Pair::Off,
        nothing_in,
        slide: showing.map(|showing| row(showing.current, true)),
        next: showing.map(|showing| row(showing.next, false)),
        next_change_millis: showing
            .filter(|showing| !showing.paused)
            .map(|showing| showing.next.starts_at.0),
    }
}

fn told(facts: &Facts) -> Told {
    let short = |text: Option<&str>| {
        let text = text.filter(|text| !text.is_empty())?;
        let letters = text.chars().filter(|c| mantel_shared::is_readable(*c));
        Some(letters.take(MAX_TOLD_CHARS).collect())
    };
    Told {
        taken_at: facts.taken.and_then(|taken| taken.of_photo()).map(iso),
        place: short(caption::place(facts).as_deref()),
        album: short(caption::album(facts)),
        caption: short(caption::text(facts)),
        words_from: None,
        words_to: None,
    }
}

/// The words about one photo of two, 0 the left or upper one, with where they lie on a screen of this shape.
fn told_at(facts: &Facts, shape: Rendition, part: usize) -> Told {
    let lines = facts.size.map(|photo| {
        let shown = pair::part_size(photo, shape.size, part, shape.fit);
        pair::lines(shown, shape.size, part)
    });
    let percent =
        |column: u32| (f64::from(column) * 10_000.0 / f64::from(shape.size.width)).round() / 100.0;
    Told {
        words_from: lines.map(|(left, _)| percent(left)),
        words_to: lines.map(|(left, width)| percent(left + width)),
        ..told(facts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_of_a_photo_reads_as_it_is() {
        let facts = Facts {
            album: Some("Rome/Ev\u{202e}il".into()),
            place: Some("At\u{2066} home".into()),
            caption: Some("Grandma\u{202e} jumps".into()),
            ..Facts::default()
        };
        let told = told(&facts);
        assert_eq!(told.album.as_deref(), Some("Rome/Evil"));
        assert_eq!(told.place.as_deref(), Some("At home"));
        assert_eq!(told.caption.as_deref(), Some("Grandma jumps"));
    }
}
