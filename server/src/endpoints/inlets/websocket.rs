//! Pushing by a WebSocket: a picture a message, and an answer for each.
//!
//! A text message before a picture holds words for it, as JSON: `{"caption": "…", "timestamp": 1764000000.5}`.

use std::{io::ErrorKind, mem, sync::Arc};

use bytes::Bytes;
use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use http::{Response as Answer, StatusCode, header};
use mantel_media::inlet::MAX_PICTURE_BYTES;
use serde::Deserialize;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message,
        handshake::derive_accept_key,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};
use warp::reply::Response;

use super::{
    push::{Pusher, Said, sentence_of, too_slow},
    timely::Timely,
};
use crate::{
    endpoints::{Outputs, reply, request::Request},
    net::{Reason, Refusal, Switch, Wire},
};

/// The words for the next picture, in a text message.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    caption: Option<String>,
    /// Seconds since 1970.
    timestamp: Option<f64>,
    duration_ms: Option<u64>,
    /// The content type, for raw pixels.
    r#type: Option<String>,
}

/// Begins to take pictures by a WebSocket, on the connection on which this is asked for.
pub(in crate::endpoints) fn answer(
    outputs: &Arc<Outputs>,
    request: &Request,
    switch: &Switch,
) -> Result<Response, Refusal> {
    let key = request.headers.get(header::SEC_WEBSOCKET_KEY);
    let version = request.headers.get(header::SEC_WEBSOCKET_VERSION);
    let (Some(key), Some(b"13")) = (key, version.map(|version| version.as_bytes())) else {
        let sentence = "this asks for no WebSocket of version 13, which is the one there is";
        return Err(Refusal::bad_request(sentence));
    };
    let accept = derive_accept_key(key.as_bytes());
    let pusher = Pusher::begin(outputs, request)?;
    let (outputs, gone) = (outputs.clone(), request.visitor.gone());
    switch.to(move |wire, come| {
        async move {
            tokio::pin!(gone);
            talk(wire, come, pusher, &outputs, gone).await;
        }
        .boxed()
    });
    let head = Answer::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_ACCEPT, accept);
    Ok(reply::built(head, Bytes::new()))
}

async fn talk(
    wire: Box<dyn Wire>,
    come: Bytes,
    mut pusher: Pusher,
    outputs: &Outputs,
    mut gone: impl Future<Output = ()> + Unpin,
) {
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_PICTURE_BYTES))
        .max_frame_size(Some(MAX_PICTURE_BYTES));
    let wire = Timely::new(wire, &come);
    let socket =
        WebSocketStream::from_partially_read(wire, come.to_vec(), Role::Server, Some(config));
    let mut socket = socket.await;
    let mut words = Words::default();
    let (code, why) = loop {
        let message = tokio::select! {
            biased;
            over = pusher.over() => break (CloseCode::Policy, sentence_of(over).to_owned()),
            () = &mut gone => {
                let why = "the token or user by which this sender came in is no more";
                break (CloseCode::Policy, why.to_owned());
            }
            message = socket.next() => message,
        };
        let answer = match message {
            Some(Ok(Message::Binary(bytes))) => {
                taken(&mut pusher, &bytes, mem::take(&mut words), outputs).await
            }
            Some(Ok(Message::Text(text))) => match serde_json::from_str(&text) {
                Ok(next) => {
                    words = next;
                    continue;
                }
                Err(error) => failed(400, &format!("these are no words for a picture: {error}")),
            },
            // Pings are answered by the library.
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
            Some(Ok(Message::Close(_))) | None => return,
            Some(Err(Error::Capacity(_))) => {
                let why = format!("a picture has at most {} MB", MAX_PICTURE_BYTES >> 20);
                break (CloseCode::Size, why);
            }
            Some(Err(Error::Io(error))) if error.kind() == ErrorKind::TimedOut => {
                outputs.watched.connections.refuse(Reason::SlowBody);
                break (CloseCode::Policy, too_slow());
            }
            Some(Err(_)) => return,
        };
        socket.get_mut().count_anew();
        if socket.send(Message::text(answer)).await.is_err() {
            return;
        }
    };
    let frame = CloseFrame {
        code,
        reason: why.into(),
    };
    let _ = socket.close(Some(frame)).await;
}

/// Takes one message's pictures, of which there should be one; the answer.
async fn taken(pusher: &mut Pusher, bytes: &[u8], words: Words, outputs: &Outputs) -> String {
    let Words {
        caption,
        timestamp,
        duration_ms,
        r#type,
    } = words;
    let timestamp = timestamp.filter(|seconds| seconds.is_finite() && *seconds >= 0.0);
    let said = Said::told(caption.as_deref(), timestamp, duration_ms);
    match pusher.whole(bytes, r#type.as_deref(), said).await {
        Ok(()) => {
            let sent = pusher.told(outputs);
            serde_json::to_string(&sent).unwrap_or_default()
        }
        Err(error) => failed(error.status(), &error.to_string()),
    }
}

fn failed(status: u16, why: &str) -> String {
    serde_json::json!({"error": why, "status": status}).to_string()
}
