//! The channel's part of the status, which `/control` answers with as well: of slides, or of live pictures.

use serde::Serialize;

use crate::{
    caption,
    channel::{self, NightNow, live::LiveChannel},
    clock,
    endpoints::{Outputs, Request, pages::words, state::channels::LiveRow},
    library::{Facts, Filter, iso},
    render::pair,
    rendition::{Captions, Language, Pair, Rendition},
    timeline::{Programme, Slide, Transition, Turn},
};

/// The limit of texts that strangers wrote: they are cut before they are sent with every answer.
const MAX_TOLD_CHARS: usize = 400;

/// The channel's part of the status, which `/control` answers with.
#[derive(Default, Serialize)]
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
    /// How dark it is, where there is a plan of nights or somebody has set it.
    #[serde(skip_serializing_if = "Option::is_none")]
    night: Option<NightRow>,
    /// The message that stands over the pictures.
    #[serde(skip_serializing_if = "Option::is_none")]
    said: Option<String>,
    /// The live channel that has the screens, where one interrupts the slides; those count on.
    #[serde(skip_serializing_if = "Option::is_none")]
    interrupted: Option<InterruptedRow>,
    /// The source's facts, where it is live.
    #[serde(skip_serializing_if = "Option::is_none")]
    live: Option<LiveRow>,
}

/// How dark it is.
#[derive(Clone, Serialize)]
struct NightRow {
    /// The mode, such as `dim 15%`; absent by day.
    mode: Option<String>,
    /// The light that is left, in percent.
    light: f64,
    /// When that changes next.
    until_millis: Option<u64>,
    by_hand: bool,
}

impl From<NightNow> for NightRow {
    fn from(night: NightNow) -> Self {
        Self {
            mode: night.mode.map(|mode| mode.to_string()),
            light: f64::from(night.light) / 10.0,
            until_millis: night.until.map(|until| until.0),
            by_hand: night.by_hand,
        }
    }
}

/// An interruption of the gallery.
#[derive(Clone, Serialize)]
pub(in crate::endpoints) struct InterruptedRow {
    /// The live channel's name.
    pub(super) by: String,
    pub(super) since_millis: u64,
    /// When it ends if no more pictures come.
    pub(super) until_millis: u64,
}

impl InterruptedRow {
    /// The interruption of this channel, if one is on.
    pub(in crate::endpoints) fn of(channel: &channel::Channel) -> Option<Self> {
        let interruption = channel.interruption()?;
        let lasts = channel.interruption_lasts().unwrap_or_default();
        let lasts = u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX);
        Some(Self {
            by: interruption.source.name().to_owned(),
            since_millis: interruption.since.0,
            until_millis: clock::now().0.saturating_add(lasts),
        })
    }
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
    /// Whether somebody has made it a favourite.
    favourite: bool,
    /// Of two on a screen: between which columns that is written, in percent of the screen's width.
    words_from: Option<f64>,
    words_to: Option<f64>,
}

/// A live channel, whose video is asked about in this shape: of slides it has none, but the picture that is on as one that has
/// no next.
pub(in crate::endpoints) fn live(
    outputs: &Outputs,
    live: &LiveChannel,
    shape: &Rendition,
) -> Channel {
    let now = live.source().reader().now();
    let rendition = outputs.looks.rendition;
    Channel {
        name: live.name().to_string(),
        captions: Captions::default().to_string(),
        fit: rendition.fit.to_string(),
        slide: now.sample.map(|sample| SlideRow {
            number: sample.no.0,
            photo: String::new(),
            name: None,
            told: Told {
                caption: sample.caption.clone(),
                ..Told::default()
            },
            beside: None,
            started_millis: Some(sample.came_at.0),
        }),
        night: live.night().map(|plan| {
            let veils = outputs.house.channels.veils();
            NightRow::from(veils.own_night(plan, clock::now()))
        }),
        live: Some(LiveRow::of(outputs, live, shape)),
        ..Channel::default()
    }
}

/// A channel of slides as screens of the shape of `shape` show it.
pub(in crate::endpoints) async fn gallery(
    outputs: &Outputs,
    request: &Request,
    shape: Rendition,
    wish: &Filter,
    (programme, interrupted): (&Programme, Option<InterruptedRow>),
) -> Channel {
    let timeline = programme.timeline(shape.size, shape.pair);
    let showing = timeline.at(clock::now());
    let slides = showing.map(|showing| [showing.current, showing.next]);
    let turns = slides.into_iter().flatten().map(|slide| slide.turn());
    let photos = turns.flat_map(Turn::photos);
    let photos = outputs.house.catalogue.photos(photos).await;
    let language = words::language(request, shape.captions.language);
    let is_seen = !programme.veil().is_opaque();
    let known = |id, part: Option<usize>| match photos.get(&id) {
        Some(photo) if !is_seen => (Some(photo.name.to_string()), Told::default()),
        Some(photo) => {
            let facts = &photo.facts;
            let told = told(facts, language);
            let told = match part {
                Some(part) => told.lying(facts, shape, part),
                None => told,
            };
            let favourite = outputs.house.library.is_favourite(id);
            let told = Told { favourite, ..told };
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
        shows: if wish.is_all() {
            outputs.house.channels.chosen().to_string()
        } else {
            wish.to_string()
        },
        paused: pause.is_some(),
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
        captions: outputs
            .looks
            .rendition
            .captions
            .in_no_language()
            .to_string(),
        fit: outputs.looks.rendition.fit.to_string(),
        pair: outputs.looks.rendition.pair != Pair::Off,
        nothing_in,
        slide: showing.map(|showing| row(showing.current, true)),
        next: showing.map(|showing| row(showing.next, false)),
        next_change_millis: showing
            .filter(|showing| !showing.paused)
            .map(|showing| showing.next.starts_at.0),
        night: outputs
            .house
            .channels
            .veils()
            .night(clock::now())
            .map(NightRow::from),
        said: programme.veil().said.as_deref().map(str::to_owned),
        interrupted,
        live: None,
    }
}

fn told(facts: &Facts, language: Language) -> Told {
    let short = |text: Option<&str>| {
        let text = text.filter(|text| !text.is_empty())?;
        let letters = text.chars().filter(|c| mantel_shared::is_readable(*c));
        Some(letters.take(MAX_TOLD_CHARS).collect())
    };
    Told {
        taken_at: facts.taken.and_then(|taken| taken.of_photo()).map(iso),
        place: short(caption::place(facts, language).as_deref()),
        album: short(caption::album(facts)),
        caption: short(caption::text(facts)),
        favourite: false,
        words_from: None,
        words_to: None,
    }
}

impl Told {
    /// The words about one photo of two, 0 the left or upper one, with where they lie on a screen of this shape.
    fn lying(self, facts: &Facts, shape: Rendition, part: usize) -> Self {
        let lines = facts.size.map(|photo| {
            let shown = pair::part_size(photo, shape.size, part, shape.fit);
            pair::lines(shown, shape.size, part)
        });
        let percent = |column: u32| {
            (f64::from(column) * 10_000.0 / f64::from(shape.size.width)).round() / 100.0
        };
        Self {
            words_from: lines.map(|(left, _)| percent(left)),
            words_to: lines.map(|(left, width)| percent(left + width)),
            ..self
        }
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
        let told = told(&facts, Language::En);
        assert_eq!(told.album.as_deref(), Some("Rome/Evil"));
        assert_eq!(told.place.as_deref(), Some("At home"));
        assert_eq!(told.caption.as_deref(), Some("Grandma jumps"));
    }
}
