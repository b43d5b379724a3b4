//! `POST /control`: a command in JSON; the answer is the state after it.

use std::{num::NonZeroU64, sync::Arc};

use http::StatusCode;
use mantel_shared::Command;
use warp::reply::Response;

use crate::{
    channel::{ActError, Channel},
    clock,
    endpoints::{
        Outputs,
        inlets::home,
        open, query, reply,
        request::{Body, Request},
        state::{
            agents,
            channel::{self, InterruptedRow},
        },
    },
    library::Filter,
    net::Refusal,
    timeline::{Act, Programme, Transition},
};

pub(in crate::endpoints) async fn answer(
    outputs: &Arc<Outputs>,
    request: &Request,
    body: Body,
) -> Result<Response, Refusal> {
    let example = r#"{"command":"next"}"#;
    let (limits, counts) = (outputs.body, &outputs.watched.connections);
    let body = body.json(&request.headers, limits, counts, example).await?;
    let wish = query::choice(&request.query)?;
    let (_, channel) = open::choose(outputs, request, &wish).await?;
    let by = by(&body, request);
    let programme = carry_out(outputs, &channel, &body, by).await?;
    told(outputs, request, &wish, &channel, programme).await
}

/// The fault of a body, without the list of commands, which is not all of them.
fn brief(error: &serde_json::Error) -> String {
    let error = error.to_string();
    let (start, rest) = error
        .split_once(", expected one of")
        .unwrap_or((&error, ""));
    let place = rest.rfind(" at line").map_or("", |at| &rest[at..]);
    format!("{start}{place}")
}

/// Carries out a command in JSON on what `channel` shows; gives the slides after it, where it has some.
///
/// # Errors
/// It makes no sense, or can't be carried out now.
pub(in crate::endpoints) async fn carry_out(
    outputs: &Arc<Outputs>,
    channel: &Channel,
    body: &[u8],
    by: Option<String>,
) -> Result<Option<Arc<Programme>>, Refusal> {
    let refused = |error: serde_json::Error| {
        Refusal::bad_request(format!(
            "the body is no command ({}); send JSON like {{\"command\":\"next\"}}, with next, previous, pause, resume, \
             dismiss, show, interval, hide, unhide, favourite, unfavourite, night, wake, sleep, say or choose: \
             the README tells what goes with each",
            brief(&error)
        ))
    };
    if let Some(command) = home::read(body).map_err(refused)? {
        home::carry_out(command, outputs, channel).await?;
        return Ok(channel.programme());
    }
    let command: Command = serde_json::from_slice(body).map_err(refused)?;
    // Whoever wants another slide has seen what interrupts the slides; a pause is for when it is over.
    let leaves = matches!(
        command,
        Command::Dismiss | Command::Next | Command::Previous | Command::Show { .. }
    );
    let act = match command.clone() {
        Command::Dismiss => None,
        Command::Next => Some(Act::Next),
        Command::Previous => Some(Act::Previous),
        Command::Pause => Some(Act::Pause),
        Command::Resume => Some(Act::Resume),
        Command::Interval { seconds } => Some(Act::Interval(interval(seconds, outputs)?)),
        Command::Show { photo } => Some(Act::Show(home::id_of(&photo)?)),
    };
    // Whoever leafs through the photos at night wants to see them.
    if leaves || matches!(command, Command::Resume) {
        outputs.house.channels.veils().touched(clock::now());
    }
    let was_interrupted = leaves && channel.dismiss().await;
    let done = match act {
        // The slide beneath is the one that nobody has seen.
        Some(Act::Next | Act::Previous) if was_interrupted => {
            channel.programme().ok_or(ActError::Live)
        }
        None => channel.programme().ok_or(ActError::Live),
        Some(act) => channel.act(act, by).await,
    };
    match done {
        Ok(programme) => Ok(Some(programme)),
        Err(error @ ActError::UnknownPhoto(_)) => Err(Refusal::bad_request(error.to_string())),
        Err(error @ ActError::Live) => Err(Refusal::new(StatusCode::CONFLICT, error.to_string())),
        Err(error @ ActError::Stopping) => Err(Refusal::unavailable(error.to_string())),
    }
}

/// The state after a command.
async fn told(
    outputs: &Outputs,
    request: &Request,
    wish: &Filter,
    channel: &Channel,
    programme: Option<Arc<Programme>>,
) -> Result<Response, Refusal> {
    let Some(programme) = programme else {
        let live = outputs.house.channels.live().named(&request.channel);
        let live = live.ok_or_else(|| Refusal::unavailable("this channel has no slides"))?;
        let shape = open::live_default(&live, outputs.looks.rendition);
        return Ok(reply::json(&channel::live(outputs, &live, &shape)));
    };
    let on = (&*programme, InterruptedRow::of(channel));
    let rendition = outputs.looks.rendition;
    let told = channel::gallery(outputs, request, rendition, wish, on).await;
    Ok(reply::json(&told))
}

/// A day: whoever wants one picture for longer pauses.
const MAX_SECONDS: u32 = 24 * 60 * 60;

/// How long slides are to stay, in milliseconds: at least as long as they take to change.
fn interval(seconds: u32, outputs: &Outputs) -> Result<NonZeroU64, Refusal> {
    let least = match outputs.looks.rendition.transition {
        Transition::Cut => 1,
        Transition::Crossfade { millis } => millis.div_ceil(1000).max(1),
    };
    let millis = NonZeroU64::new(u64::from(seconds) * 1000);
    millis
        .filter(|_| (least..=MAX_SECONDS).contains(&seconds))
        .ok_or_else(|| {
            Refusal::bad_request(format!(
                "slides can stay from {least} to {MAX_SECONDS} seconds, not {seconds}"
            ))
        })
}

/// The part of the body that says who sends it.
#[derive(serde::Deserialize)]
struct From {
    #[serde(default)]
    by: Option<String>,
}

/// Letters of a name: longer ones are no name.
const MAX_NAME_CHARS: usize = 40;

/// The name of whoever commands, in words that are shown on every screen: the screen's own name, else the user's or the
/// token's, else what kind of device it is.
fn by(body: &[u8], request: &Request) -> Option<String> {
    let said = serde_json::from_slice(body).ok();
    let said = said
        .and_then(|From { by }| Some(named(&by?)))
        .filter(|name| !name.is_empty());
    match (said, &request.visitor.name) {
        (Some(name), _) => Some(name),
        (None, Some(name)) => Some(name.to_string()),
        (None, None) => agents::device(request.agent()),
    }
}

fn named(text: &str) -> String {
    let letters = text.chars().filter(|c| mantel_shared::is_readable(*c));
    let name: String = letters.take(MAX_NAME_CHARS).collect();
    name.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_commands_is_named_in_one_short_line_that_reads_as_it_is() {
        assert_eq!(named(" hall\n\u{202e}way\u{2069} "), "hallway");
        assert_eq!(named(&"ä".repeat(200)).chars().count(), MAX_NAME_CHARS);
        assert_eq!(named("\u{7}\u{202e}"), "");
    }
}
