//! The commands of `POST /control` that are no act on slides: "not that one", favourites, night, and messages.
//!
//! Pages and the viewer send them as text, and only the server reads them.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use http::StatusCode;

use crate::{
    blocking::Blocking,
    channel::{ActError, Channel},
    clock,
    endpoints::{Outputs, inlets::screens, query},
    library::{FILTER_KEYS, Filter, MarkError, Marking},
    net::Refusal,
    photo::PhotoId,
    profiles::{ProfileError, ScreenName},
    timeline::night,
};

/// A command that is no act on slides. Where no photo is named, the one on the screen is meant.
#[derive(Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(tag = "command", rename_all = "lowercase")]
pub(super) enum HomeCommand {
    /// Shows a photo no more.
    Hide { photo: Option<String> },
    /// Shows a hidden photo again.
    Unhide { photo: String },
    /// Makes a photo a favourite.
    Favourite { photo: Option<String> },
    /// Makes a favourite a photo like others.
    Unfavourite { photo: Option<String> },
    /// Darkens the pictures, until the plan's next change or for so many seconds.
    Night {
        mode: Option<String>,
        seconds: Option<u32>,
    },
    /// Gives them their light, as long; or has one screen wake.
    Wake {
        seconds: Option<u32>,
        screen: Option<String>,
    },
    /// Has one screen sleep until it is woken.
    Sleep { screen: String },
    /// Writes words over the pictures for so many seconds; none take them away.
    Say { text: String, seconds: Option<u32> },
    /// Shows these photos alone wherever nobody chooses, or on the screen that is named, which may have a channel instead; all of
    /// them where nothing is named.
    Choose(Chosen),
}

/// A choice of photos, by the keys of an address.
#[derive(Debug, PartialEq, Eq, serde::Deserialize)]
pub(super) struct Chosen {
    #[serde(flatten)]
    keys: BTreeMap<String, serde_json::Value>,
}

impl Chosen {
    /// The keys with their values as text.
    fn pairs(&self) -> impl Iterator<Item = (String, String)> {
        let given = self.keys.iter().filter(|(_, value)| !value.is_null());
        given.map(|(key, value)| {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            (key.clone(), text)
        })
    }

    /// The filter that it is.
    fn filter(&self) -> Result<Filter, Refusal> {
        let mut filter = Filter::default();
        for (key, text) in self.pairs() {
            if FILTER_KEYS.contains(&key.as_str()) {
                filter.set(&key, &text).map_err(|reason| {
                    Refusal::bad_request(format!("{key} {text:?} can't be: it has to be {reason}"))
                })?;
            }
        }
        Ok(filter)
    }
}

/// The names of these commands.
const NAMES: [&str; 9] = [
    "hide",
    "unhide",
    "favourite",
    "unfavourite",
    "night",
    "wake",
    "say",
    "choose",
    "sleep",
];

/// How long an answer waits for the slides to go on without a photo that was hidden: a large library is sorted anew.
const SETTLES_WITHIN: Duration = Duration::from_secs(2);

#[derive(serde::Deserialize)]
struct Named {
    command: String,
}

/// Reads one of these commands, if it is one.
///
/// # Errors
/// It is, and makes no sense.
pub(super) fn read(body: &[u8]) -> Result<Option<HomeCommand>, serde_json::Error> {
    match serde_json::from_slice::<Named>(body) {
        Ok(named) if NAMES.contains(&&*named.command) => serde_json::from_slice(body).map(Some),
        _ => Ok(None),
    }
}

/// Carries out a command on what `channel` shows.
///
/// # Errors
/// There is no such photo, or two are on the screen, or the mark can't be kept.
pub(super) async fn carry_out(
    command: HomeCommand,
    outputs: &Arc<Outputs>,
    channel: &Channel,
) -> Result<(), Refusal> {
    let (photo, marking) = match command {
        HomeCommand::Hide { photo } => (photo, Marking::Hide),
        HomeCommand::Unhide { photo } => (Some(photo), Marking::Unhide),
        HomeCommand::Favourite { photo } => (photo, Marking::Favour),
        HomeCommand::Unfavourite { photo } => (photo, Marking::Unfavour),
        HomeCommand::Sleep { screen } => return rest(&screen, true, outputs).await,
        HomeCommand::Wake {
            screen: Some(screen),
            ..
        } => return rest(&screen, false, outputs).await,
        HomeCommand::Choose(chosen) => return choose(chosen, outputs).await,
        other => return veil(other, outputs, channel).await,
    };
    let id = match photo {
        Some(photo) => id_of(&photo)?,
        None => on_screen(outputs, channel)?,
    };
    if outputs.house.catalogue.is_demo(id) {
        let sentence =
            "this is one of Mantel's own pictures: it goes when there are photos to show";
        return Err(Refusal::new(StatusCode::CONFLICT, sentence));
    }
    let mut airing = channel.on_air();
    airing.now();
    let library = outputs.house.library.clone();
    let marked = Blocking::run(move |blocking| library.mark(blocking, id, marking)).await;
    let marked = marked.map_err(|_| Refusal::unavailable("the photo could not be marked"))?;
    let is_news = marked.map_err(|error| match error {
        MarkError::Unknown(_) => Refusal::bad_request(error.to_string()),
        MarkError::Last | MarkError::Full => Refusal::new(StatusCode::CONFLICT, error.to_string()),
        MarkError::Save(_) => Refusal::unavailable(error.to_string()),
    })?;
    if is_news && marking == Marking::Hide {
        // The answer tells of the slide that comes in its place.
        let _ = tokio::time::timeout(SETTLES_WITHIN, airing.changed()).await;
    }
    Ok(())
}

/// Has a named screen sleep or wake.
async fn rest(screen: &str, sleeps: bool, outputs: &Outputs) -> Result<(), Refusal> {
    let name: ScreenName = screen
        .parse()
        .map_err(|error: ProfileError| Refusal::bad_request(error.to_string()))?;
    let sleepers = outputs.house.sleepers.clone();
    let set = Blocking::run(move |blocking| sleepers.set(blocking, name, sleeps)).await;
    let set = set.map_err(|_| Refusal::unavailable("the screen could not be told"))?;
    set.map_err(|error| Refusal::new(StatusCode::CONFLICT, error.to_string()))
}

/// Shows a choice of photos wherever nobody chooses, or on the screen that is named.
async fn choose(chosen: Chosen, outputs: &Arc<Outputs>) -> Result<(), Refusal> {
    let (filter, channels) = (chosen.filter()?, &outputs.house.channels);
    let screen = chosen.pairs().find(|(key, _)| key == "screen");
    let stopping = |error: ActError| Refusal::unavailable(error.to_string());
    if !filter.is_all() {
        let found = channels.choose(&filter).await;
        let (_, found) = found.map_err(|error| Refusal::unavailable(error.to_string()))?;
        if found.programme().is_none_or(|all| all.is_empty()) {
            let sentence = format!("there is no photo to show for this choice: {filter}");
            return Err(Refusal::new(StatusCode::NOT_FOUND, sentence));
        }
    }
    if let Some((_, screen)) = screen {
        let is_choice = |key: &str| key == query::CHANNEL || FILTER_KEYS.contains(&key);
        let chosen: Vec<_> = chosen.pairs().filter(|(key, _)| is_choice(key)).collect();
        return screens::choose(&screen, &chosen, outputs).await;
    }
    channels.veils().touched(clock::now());
    let wishes = chosen
        .pairs()
        .filter(|(key, _)| FILTER_KEYS.contains(&key.as_str()));
    let shown = channels.choose_for_all(&filter, wishes.collect()).await;
    shown.map_err(stopping)?;
    Ok(())
}

/// The longest that something is set by hand for, in seconds; until the plan's next change is longer.
const MAX_SECONDS: u32 = 24 * 60 * 60;
/// How long a message stands where nobody says, and at most.
const SAYS_FOR_SECONDS: u32 = 15;
const MAX_SAY_SECONDS: u32 = 60 * 60;
/// Letters of a message: more is no message.
const MAX_SAY_CHARS: usize = 200;

/// Lays something over the slides of all choices of photos.
async fn veil(
    command: HomeCommand,
    outputs: &Arc<Outputs>,
    channel: &Channel,
) -> Result<(), Refusal> {
    if channel.programme().is_none() {
        let sentence = "this channel is live: what lies over the slides is the gallery's";
        return Err(Refusal::new(StatusCode::CONFLICT, sentence));
    }
    let (veils, now) = (outputs.house.channels.veils(), clock::now());
    let mut airing = channel.on_air();
    airing.now();
    match command {
        HomeCommand::Night { mode, seconds } => {
            let read = |text: &String| {
                text.parse().map_err(|reason| {
                    Refusal::bad_request(format!("mode {text:?} can't be: {reason}"))
                })
            };
            let mode = mode.as_ref().map_or(Ok(night::USUAL), read)?;
            veils.set(Some(mode), millis(seconds, MAX_SECONDS)?, now);
        }
        HomeCommand::Wake { seconds, .. } => veils.set(None, millis(seconds, MAX_SECONDS)?, now),
        HomeCommand::Say { text, seconds } => {
            let text = message(&text)?;
            let seconds = Some(seconds.unwrap_or(SAYS_FOR_SECONDS));
            let millis = millis(seconds, MAX_SAY_SECONDS)?.unwrap_or_default();
            veils.say(&text, millis, now);
        }
        // Those of photos are carried out elsewhere.
        _ => return Ok(()),
    }
    // The answer tells of the slide with it.
    let _ = tokio::time::timeout(SETTLES_WITHIN, airing.changed()).await;
    Ok(())
}

fn millis(seconds: Option<u32>, most: u32) -> Result<Option<u64>, Refusal> {
    let Some(seconds) = seconds else {
        return Ok(None);
    };
    if (1..=most).contains(&seconds) {
        Ok(Some(u64::from(seconds) * 1000))
    } else {
        let sentence = format!("that can be for 1 to {most} seconds, not {seconds}");
        Err(Refusal::bad_request(sentence))
    }
}

/// A message in letters that can be read; empty takes away the one that stands.
fn message(text: &str) -> Result<String, Refusal> {
    if text.chars().count() > MAX_SAY_CHARS {
        let sentence = format!("a message has at most {MAX_SAY_CHARS} letters");
        return Err(Refusal::bad_request(sentence));
    }
    let letters = text
        .chars()
        .filter(|c| *c == '\n' || mantel_shared::is_readable(*c));
    Ok(letters.collect::<String>().trim().to_owned())
}

/// The photo of this id.
pub(super) fn id_of(photo: &str) -> Result<PhotoId, Refusal> {
    photo.parse().map_err(|_| {
        Refusal::bad_request(format!(
            "photo {photo:?} is no photo's id; GET /status names the current one"
        ))
    })
}

fn on_screen(outputs: &Outputs, channel: &Channel) -> Result<PhotoId, Refusal> {
    let conflict = |sentence: String| Refusal::new(StatusCode::CONFLICT, sentence);
    let look = outputs.looks.rendition;
    if channel.interruption().is_some() {
        let sentence = "a live channel has the screens now: name the photo that is meant";
        return Err(conflict(sentence.to_owned()));
    }
    let programme = channel
        .programme()
        .ok_or_else(|| conflict("this channel is live: it has no photo to mark".to_owned()))?;
    let showing = programme.timeline(look.size, look.pair).at(clock::now());
    let slide = showing.map(|showing| showing.current);
    match slide.map(|slide| (slide.photo, slide.beside)) {
        None => Err(conflict("there is no photo on the screen".to_owned())),
        Some((photo, None)) => Ok(photo),
        Some((photo, Some(beside))) => Err(conflict(format!(
            "two photos share the screen: name one, by \"photo\":\"{photo}\" (left or above) or \"photo\":\"{beside}\""
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_and_those_of_slides_left_to_others() {
        let hide = |photo: Option<&str>| HomeCommand::Hide {
            photo: photo.map(str::to_owned),
        };
        let read = |text: &str| read(text.as_bytes());
        assert_eq!(read(r#"{"command":"hide"}"#).unwrap(), Some(hide(None)));
        let named = r#"{"by":"hall","photo":"7f","command":"hide"}"#;
        assert_eq!(read(named).unwrap(), Some(hide(Some("7f"))));
        for other in [
            r#"{"command":"next"}"#,
            r#"{"command":"no such"}"#,
            r#"{"command":7}"#,
            "",
            "[",
        ] {
            assert_eq!(read(other).unwrap(), None, "{other}");
        }
        for bad in [r#"{"command":"unhide"}"#, r#"{"command":"hide","photo":7}"#] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_message_is_of_letters_that_can_be_read() {
        let message = |text: &str| message(text).map_err(|refusal| refusal.sentence().to_owned());
        assert_eq!(
            message(" Dinner\u{7}\u{202e}!\nNow ").unwrap(),
            "Dinner!\nNow"
        );
        assert_eq!(message(" \u{7} ").unwrap(), "");
        assert_eq!(message(&"é".repeat(200)).unwrap().chars().count(), 200);
        assert!(message(&"e".repeat(201)).unwrap_err().contains("200"));
    }

    #[test]
    fn times_are_within_reason() {
        let millis = |seconds| millis(seconds, 60).map_err(|refusal| refusal.sentence().to_owned());
        assert_eq!(millis(None), Ok(None));
        assert_eq!(
            (millis(Some(1)), millis(Some(60))),
            (Ok(Some(1000)), Ok(Some(60_000)))
        );
        assert!(millis(Some(0)).is_err() && millis(Some(61)).is_err());
    }

    #[test]
    fn every_name_is_a_command() {
        for name in NAMES {
            let text =
                format!(r#"{{"command":"{name}","photo":"7f","text":"Dinner","screen":"hall"}}"#);
            assert!(read(text.as_bytes()).unwrap().is_some(), "{name}");
        }
    }
}
