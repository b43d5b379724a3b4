//! `POST` or `PUT /push/NAME`: live pictures, one or many, in whatever dialect they are sent. What they are is told by their
//! first bytes ([`mantel_media::inlet`]); the answer tells what became of them.

#![expect(
    clippy::disallowed_methods,
    reason = "the shell of a sender: pictures are timed as they come"
)]

use std::sync::Arc;

use http::{StatusCode, header};
use mantel_media::inlet::{Inlet, InletError, Sample};
use mantel_shared::{PartHead, Timestamp};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use tokio::time::{Instant, sleep_until};
use warp::reply::Response;

use crate::{
    buffers,
    channel::{
        live::{LiveChannel, NoTurn, Over, Turn},
        roster::NoChannel,
    },
    endpoints::{
        Outputs, query, reply,
        request::{Body, Request},
    },
    net::{Reason, Refusal},
    source::live::{Came, Kind, MAX_PICTURE_TIME, Reel, Undecoded, reel},
};

/// The outcome of a push.
#[derive(Default, Serialize)]
pub(super) struct Sent {
    /// The number of the last picture that was taken.
    frame: Option<u64>,
    /// The number of pictures that came.
    came: u64,
    /// The number of those that nobody saw, though somebody watched: newer ones came first.
    dropped: u64,
    /// The number of those that came faster than is allowed, and were left out.
    too_fast: u64,
    /// The number of viewers.
    viewers: usize,
}

pub(in crate::endpoints) async fn answer(
    outputs: &Arc<Outputs>,
    request: &Request,
    mut body: Body,
) -> Result<Response, Refusal> {
    let mut pusher = Pusher::begin(outputs, request)?;
    let gone = request.visitor.gone();
    let result = tokio::select! {
        result = pusher.read(&mut body) => result,
        () = gone => Err(Trouble::Gone),
    };
    match result {
        Ok(()) => Ok(reply::json(&pusher.told(outputs))),
        Err(Trouble::Picture(error)) => {
            let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
            if status == StatusCode::PAYLOAD_TOO_LARGE {
                outputs.watched.connections.refuse(Reason::TooLarge);
            }
            Err(Refusal::new(status, error.to_string()))
        }
        Err(Trouble::Undecoded(why)) => {
            let status = match why {
                Undecoded::NotStarted(_) => StatusCode::SERVICE_UNAVAILABLE,
                Undecoded::Unfit => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            };
            Err(Refusal::new(status, why.to_string()))
        }
        Err(Trouble::Slow) => {
            outputs.watched.connections.refuse(Reason::SlowBody);
            Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, too_slow()))
        }
        Err(Trouble::Over(over)) => Err(Refusal::new(StatusCode::CONFLICT, sentence_of(over))),
        Err(Trouble::Gone) => {
            let sentence = "the token or user by which this sender came in is no more";
            Err(Refusal::new(StatusCode::UNAUTHORIZED, sentence))
        }
        Err(Trouble::Broken) => Err(Refusal::bad_request("the body ended early")),
    }
}

/// `DELETE`: whoever sends sends no more, and the picture is taken off until the next one comes.
pub(in crate::endpoints) fn clear(
    outputs: &Arc<Outputs>,
    request: &Request,
) -> Result<Response, Refusal> {
    let live = live_of(outputs, request)?;
    live.clear().map_err(no_turn)?;
    Ok(reply::json(&serde_json::json!({"cleared": true})))
}

fn live_of(outputs: &Outputs, request: &Request) -> Result<Arc<LiveChannel>, Refusal> {
    let live = outputs.house.channels.live().named(&request.channel);
    live.ok_or_else(|| {
        let sentence = format!(
            "{} shows photos; nothing can be pushed to it",
            request.channel
        );
        Refusal::new(StatusCode::CONFLICT, sentence)
    })
}

/// A turn of sending on the channel that the request names, which is made where that is allowed.
///
/// # Errors
/// There is none to be had.
pub(in crate::endpoints) fn turn(outputs: &Outputs, request: &Request) -> Result<Turn, Refusal> {
    let live = outputs.house.channels.live();
    let live = match live.named_or_made(&request.channel) {
        Ok(live) => live,
        Err(why @ NoChannel::TooMany) => return Err(Refusal::unavailable(why.to_string())),
        Err(NoChannel::NotAllowed) => live_of(outputs, request)?,
    };
    live.begin().map_err(no_turn)
}

fn no_turn(why: NoTurn) -> Refusal {
    Refusal::new(StatusCode::CONFLICT, why.to_string())
}

/// Why a sender's turn is over, as it is told.
pub(super) fn sentence_of(over: Over) -> &'static str {
    match over {
        Over::Replaced => "another sender has taken the place of this one",
        Over::Cleared => "the picture was taken off, and with it the sender's turn",
    }
}

/// Why a picture that trickles is given up.
pub(super) fn too_slow() -> String {
    let seconds = MAX_PICTURE_TIME.as_secs();
    format!("a picture took longer than {seconds} s to come")
}

/// Whether a sender waits until its picture was taken (`when-full=wait`); else the newest wins.
fn waits(text: &str) -> Result<bool, Refusal> {
    match query::value(text, "when-full").as_deref() {
        None | Some("newest") => Ok(false),
        Some("wait") => Ok(true),
        Some(other) => {
            let reason = "it has to be newest or wait";
            Err(reply::bad_value("when-full", other, reason))
        }
    }
}

/// The words of a request or a message about its pictures; a part's own count before them.
pub(super) struct Said {
    caption: Option<String>,
    timestamp: Option<Timestamp>,
    duration_millis: Option<u64>,
}

impl Said {
    /// Read as the same headers of a part are.
    fn of(request: &Request) -> Self {
        let mut block = Vec::new();
        for name in ["x-caption", "x-timestamp", "x-duration-ms"] {
            if let Some(value) = request.headers.get(name) {
                block.extend_from_slice(name.as_bytes());
                block.extend_from_slice(b": ");
                block.extend_from_slice(value.as_bytes());
                block.extend_from_slice(b"\r\n");
            }
        }
        Self::read(&block)
    }

    /// These words, as far as a header could tell them.
    pub(super) fn told(
        caption: Option<&str>,
        timestamp: Option<f64>,
        duration_millis: Option<u64>,
    ) -> Self {
        let mut block = String::new();
        if let Some(caption) = caption {
            let caption = utf8_percent_encode(caption, NON_ALPHANUMERIC);
            block += &format!("x-caption: {caption}\r\n");
        }
        if let Some(seconds) = timestamp {
            block += &format!("x-timestamp: {seconds:.6}\r\n");
        }
        if let Some(millis) = duration_millis {
            block += &format!("x-duration-ms: {millis}\r\n");
        }
        Self::read(block.as_bytes())
    }

    fn read(block: &[u8]) -> Self {
        let head = PartHead::parse(block).unwrap_or_default();
        Self {
            caption: head.meta.caption,
            timestamp: head.timestamp,
            duration_millis: head.meta.dwell_millis,
        }
    }

    /// A picture with these words, where it brings none of its own.
    fn over(&self, sample: Sample) -> Sample {
        Sample {
            caption: sample.caption.or_else(|| self.caption.clone()),
            timestamp: sample.timestamp.or(self.timestamp),
            duration_millis: sample.duration_millis.or(self.duration_millis),
            ..sample
        }
    }
}

enum Trouble {
    Picture(InletError),
    Undecoded(Undecoded),
    Slow,
    Over(Over),
    Gone,
    Broken,
}

pub(super) struct Pusher {
    inlet: Inlet,
    reel: Reel,
    turn: Turn,
    said: Said,
    waits: bool,
    sent: Sent,
}

impl Pusher {
    /// Begins a turn on the channel that the request names, which is made where that is allowed.
    ///
    /// # Errors
    /// There is none to be had.
    pub(super) fn begin(outputs: &Outputs, request: &Request) -> Result<Self, Refusal> {
        let waits = waits(&request.query)?;
        let turn = turn(outputs, request)?;
        let length = request.header(&header::CONTENT_LENGTH).parse().ok();
        let content_type = request.headers.get(header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok());
        Ok(Self {
            inlet: reel::inlet(content_type, length),
            reel: if waits {
                Reel::default()
            } else {
                turn.live().source().reel(false)
            },
            turn,
            said: Said::of(request),
            waits,
            sent: Sent::default(),
        })
    }

    /// Done when the turn is over.
    pub(super) async fn over(&self) -> Over {
        self.turn.over().await
    }

    /// The outcome so far, which then counts anew, and how many watch.
    pub(super) fn told(&mut self, outputs: &Outputs) -> Sent {
        let watching = outputs.house.feeds.survey();
        let no = self.turn.live().no();
        let of_it = watching.iter().filter(|(key, _)| key.channel == no);
        self.sent.viewers = of_it.map(|(_, n)| n).sum();
        std::mem::take(&mut self.sent)
    }

    /// Takes what is whole: a picture, or several in one piece.
    ///
    /// # Errors
    /// It is none; those before it were taken.
    pub(super) async fn whole(
        &mut self,
        bytes: &[u8],
        content_type: Option<&str>,
        said: Said,
    ) -> Result<(), InletError> {
        let mut inlet = Inlet::new(content_type, Some(bytes.len() as u64));
        let mut input = bytes;
        while let Some(sample) = inlet.next(&mut input)? {
            self.came(said.over(sample)).await;
        }
        while let Some(sample) = inlet.finish()? {
            self.came(said.over(sample)).await;
        }
        Ok(())
    }

    async fn read(&mut self, body: &mut Body) -> Result<(), Trouble> {
        let mut begun = Instant::now();
        loop {
            // Between pictures a sender may be silent: what that means is the channel's affair.
            let patience = sleep_until(begun + MAX_PICTURE_TIME);
            let piece = tokio::select! {
                biased;
                over = self.turn.over() => return Err(Trouble::Over(over)),
                picture = self.reel.next() => {
                    self.came(picture).await;
                    continue;
                }
                piece = body.piece() => piece,
                () = patience, if self.inlet.is_inside() => return Err(Trouble::Slow),
            };
            let piece = match piece {
                Some(Ok(piece)) => piece,
                // What came whole is shown; a connection that breaks is how many senders end.
                Some(Err(_)) => {
                    while let Ok(Some(picture)) = self.reel.rest().await {
                        self.came(picture).await;
                    }
                    return Err(Trouble::Broken);
                }
                None => break,
            };
            if !self.inlet.is_inside() {
                begun = Instant::now();
            }
            let mut input = &piece[..];
            while let Some(sample) = self.inlet.next(&mut input).map_err(Trouble::Picture)? {
                let n_bytes = sample.bytes.len();
                self.take(sample).await?;
                self.inlet.reuse(buffers::taken(n_bytes));
                // A sender is not late while it is not listened to.
                begun = Instant::now();
            }
        }
        while let Some(sample) = self.inlet.finish().map_err(Trouble::Picture)? {
            self.take(sample).await?;
        }
        while let Some(picture) = self.reel.rest().await.map_err(Trouble::Undecoded)? {
            self.came(picture).await;
        }
        Ok(())
    }

    /// Takes a picture, or what a decoder makes into pictures.
    async fn take(&mut self, sample: Sample) -> Result<(), Trouble> {
        match sample.kind {
            Kind::H264 { is_key } => {
                while let Some(picture) = self.reel.room().await {
                    self.came(picture).await;
                }
                let put = self.reel.put(&sample.bytes, is_key);
                put.map_err(Trouble::Undecoded)?;
                if self.reel.passes() {
                    let n_unseen = self.reel.take_unseen();
                    self.sent.came += n_unseen;
                    self.turn.passed(n_unseen);
                }
                Ok(())
            }
            _ => {
                self.came(sample).await;
                Ok(())
            }
        }
    }

    async fn came(&mut self, sample: Sample) {
        self.sent.came += 1;
        let sample = self.said.over(sample);
        if self.waits {
            tokio::select! {
                () = self.turn.live().source().room() => {}
                _ = self.turn.over() => {}
            }
        }
        match self.turn.came(sample) {
            // Whose turn is over hears so when the next bytes are read.
            None => {}
            Some(Came::TooFast) => self.sent.too_fast += 1,
            Some(Came::Taken { no, was_missed }) => {
                self.sent.frame = Some(no.0);
                self.sent.dropped += u64::from(was_missed);
                if self.waits {
                    tokio::select! {
                        () = self.turn.live().source().taken(no) => {}
                        _ = self.turn.over() => {}
                    }
                }
            }
        }
    }
}
