//! `POST /control`: a command in JSON; the answer is the state after it.

use std::{num::NonZeroU64, sync::Arc};

use futures_util::{Stream, StreamExt};
use http::{HeaderMap, header};
use mantel_shared::Command;
use tokio::time::timeout;
use warp::{Buf, reply::Response};

use crate::endpoints::{
    Outputs, Request, query,
    reply::{self, Problem},
    state::{agents, status},
};
use crate::{
    channel::ActError,
    net::Refusal,
    timeline::{Act, Transition},
};

pub(in crate::endpoints) async fn answer<S, B>(
    outputs: &Arc<Outputs>,
    request: &Request,
    body: S,
) -> Result<Response, Problem>
where
    S: Stream<Item = Result<B, warp::Error>> + Send,
    B: Buf,
{
    let example = r#"{"command":"next"}"#;
    let body = read(outputs, &request.headers, body, outputs.max_body, example).await?;
    let command: Command = serde_json::from_slice(&body).map_err(|error| {
        Problem::bad_request(format!(
            "the body is no command ({error}); send JSON like {{\"command\":\"next\"}}, with next, previous, pause, \
             resume, show and a \"photo\", or interval and \"seconds\""
        ))
    })?;
    let act = match command {
        Command::Next => Act::Next,
        Command::Previous => Act::Previous,
        Command::Pause => Act::Pause,
        Command::Resume => Act::Resume,
        Command::Interval { seconds } => Act::Interval(interval(seconds, outputs)?),
        Command::Show { photo } => Act::Show(photo.parse().map_err(|_| {
            Problem::bad_request(format!(
                "photo {photo:?} is no photo's id; GET /status names the current one"
            ))
        })?),
    };
    let by = by(&body, request);
    let wish = query::choice(&request.query)?;
    let (_, channel) = reply::choose(outputs, &wish).await?;
    match channel.act(act, by).await {
        Ok(programme) => Ok(reply::json(&status::channel(
            outputs,
            outputs.rendition,
            &wish,
            &programme,
        ))),
        Err(error @ ActError::UnknownPhoto(_)) => Err(Problem::bad_request(error.to_string())),
        Err(error @ ActError::Stopping) => Err(Problem::unavailable(&error.to_string())),
    }
}

/// A day: whoever wants one picture for longer pauses.
const MAX_SECONDS: u32 = 24 * 60 * 60;

/// How long slides are to stay, in milliseconds: at least as long as they take to change.
fn interval(seconds: u32, outputs: &Outputs) -> Result<NonZeroU64, Problem> {
    let least = match outputs.rendition.transition {
        Transition::Cut => 1,
        Transition::Crossfade { millis } => millis.div_ceil(1000).max(1),
    };
    let millis = NonZeroU64::new(u64::from(seconds) * 1000);
    millis
        .filter(|_| (least..=MAX_SECONDS).contains(&seconds))
        .ok_or_else(|| {
            Problem::bad_request(format!(
                "slides can stay from {least} to {MAX_SECONDS} seconds, not {seconds}"
            ))
        })
}

/// What the body says of who sends it.
#[derive(serde::Deserialize)]
struct From {
    #[serde(default)]
    by: Option<String>,
}

/// Letters of a name: longer ones are no name.
const MAX_NAME_CHARS: usize = 40;

/// Who commands, in words that are shown on every screen: the screen's own name, else the user's or the
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

/// Refuses what does not say that it is JSON: a page of another site may send forms and plain text to
/// us; for JSON its browser asks first, and is not answered. `example` is told to whoever forgot.
fn expect_json(headers: &HeaderMap, example: &str) -> Result<(), Problem> {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or("");
    let essence = kind.split(';').next().unwrap_or("").trim();
    if essence.eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        Err(Problem::not_json(example))
    }
}

/// The whole body, unless it is larger than `limit` bytes, which it may announce, slower than allowed,
/// or no JSON by its own word; `example` tells what to send.
pub(in crate::endpoints) async fn read<S, B>(
    outputs: &Outputs,
    headers: &HeaderMap,
    body: S,
    limit: u64,
    example: &str,
) -> Result<Vec<u8>, Problem>
where
    S: Stream<Item = Result<B, warp::Error>> + Send,
    B: Buf,
{
    let announced = headers.get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|n| n.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|n| n > limit) {
        outputs.connections.refuse(Refusal::TooLarge);
        return Err(Problem::too_large(limit));
    }
    expect_json(headers, example)?;
    let read = timeout(outputs.body_timeout, collect(body, limit)).await;
    let read = read.unwrap_or_else(|_| {
        outputs.connections.refuse(Refusal::SlowBody);
        Err(Problem::slow_body())
    });
    read.inspect_err(|problem| {
        if problem.is_too_large() {
            outputs.connections.refuse(Refusal::TooLarge);
        }
    })
}

async fn collect<S, B>(body: S, limit: u64) -> Result<Vec<u8>, Problem>
where
    S: Stream<Item = Result<B, warp::Error>> + Send,
    B: Buf,
{
    let mut body = std::pin::pin!(body);
    let mut bytes = Vec::new();
    while let Some(piece) = body.next().await {
        let mut piece = piece.map_err(|_| Problem::bad_request("the body ended early".into()))?;
        if bytes.len() as u64 + piece.remaining() as u64 > limit {
            return Err(Problem::too_large(limit));
        }
        while piece.has_remaining() {
            let chunk = piece.chunk();
            bytes.extend_from_slice(chunk);
            let n = chunk.len();
            piece.advance(n);
        }
    }
    Ok(bytes)
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
