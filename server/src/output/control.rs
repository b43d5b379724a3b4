//! `POST /control`: a command in JSON; the answer is the state after it.

use std::sync::Arc;

use futures_util::{Stream, StreamExt};
use mantel_shared::Command;
use tokio::time::timeout;
use warp::{Buf, reply::Response};

use super::{
    Outputs, query,
    reply::{self, Problem},
    status,
};
use crate::{channel::ActError, net::Refusal, timeline::Act};

pub(super) async fn answer<S, B>(
    outputs: &Arc<Outputs>,
    query: &str,
    body: S,
) -> Result<Response, Problem>
where
    S: Stream<Item = Result<B, warp::Error>> + Send,
    B: Buf,
{
    let body = read(outputs, body, outputs.max_body).await?;
    let command: Command = serde_json::from_slice(&body).map_err(|error| {
        Problem::bad_request(format!(
            "the body is no command ({error}); send JSON like {{\"command\":\"next\"}}, with next, previous, pause, \
             resume, or show and a \"photo\""
        ))
    })?;
    let act = match command {
        Command::Next => Act::Next,
        Command::Previous => Act::Previous,
        Command::Pause => Act::Pause,
        Command::Resume => Act::Resume,
        Command::Show { photo } => Act::Show(photo.parse().map_err(|_| {
            Problem::bad_request(format!(
                "photo {photo:?} is no photo's id; GET /status names the current one"
            ))
        })?),
    };
    let wish = query::choice(query)?;
    let (_, channel) = reply::choose(outputs, &wish).await?;
    match channel.act(act).await {
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

/// The whole body, up to `limit` bytes.
/// The whole body, unless it is larger than `limit` bytes or slower than allowed.
pub(super) async fn read<S, B>(outputs: &Outputs, body: S, limit: u64) -> Result<Vec<u8>, Problem>
where
    S: Stream<Item = Result<B, warp::Error>> + Send,
    B: Buf,
{
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
