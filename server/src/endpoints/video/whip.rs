//! WHIP: a sender's offer of WebRTC is answered, and its video is a live channel's picture, like any that is pushed.

#![cfg_attr(
    not(feature = "webrtc"),
    allow(dead_code, reason = "without WebRTC no talk begins")
)]

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
};

use http::{Method, StatusCode};
use mantel_media::inlet::Sample;
use warp::reply::Response;

use super::rtc;
use crate::{
    channel::live::Turn,
    endpoints::{Outputs, Request, inlets::push, request::Body},
    hub::Unit,
    net::Refusal,
    render::Size,
    rendition::video,
    source::{child::Film, decoding, film::Outcome, live::Kind},
    webrtc::{Offer, Talk},
};

/// The answer where senders send offers to.
pub(in crate::endpoints) async fn answer(
    outputs: &Arc<Outputs>,
    request: &Request,
    body: Body,
) -> Result<Response, Refusal> {
    if request.method != Method::POST {
        return Ok(rtc::told(request));
    }
    let peers = rtc::peers(outputs)?;
    // What encodes decodes, too.
    video::can_be(Size::new(320, 180)).map_err(|why| super::no_video(&why))?;
    let text = rtc::offer(outputs, request, body).await?;
    let offer = Offer::to_send(&text).map_err(rtc::refused)?;
    let turn = Arc::new(push::turn(outputs, request)?);
    let is_lost = Arc::new(AtomicBool::new(false));
    let (taken, lost) = (turn.clone(), is_lost.clone());
    let film = decoding::film(move |outcome| match outcome {
        Outcome::Picture(bytes) => {
            taken.came(Sample {
                bytes,
                kind: Kind::Jpeg,
                caption: None,
                timestamp: None,
                duration_millis: None,
            });
        }
        Outcome::Nothing => {}
        Outcome::Lost => lost.store(true, SeqCst),
    });
    let film = film.map_err(|error| {
        let sentence = format!("no decoder of video can be started: {error}");
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, sentence)
    })?;
    let gone = request.visitor.gone();
    let sending = Sending {
        film: Some(film),
        is_lost,
        gone: Box::pin(gone),
        turn,
    };
    rtc::answer(peers, request, offer, "whip", sending)
}

/// One who sends by WebRTC.
struct Sending {
    /// The decoder, until it has ended.
    film: Option<Film>,
    /// Whether the decoder waits for a key frame.
    is_lost: Arc<AtomicBool>,
    /// Done when the sender may send no more.
    gone: Pin<Box<dyn Future<Output = ()> + Send + Sync>>,
    turn: Arc<Turn>,
}

impl Talk for Sending {
    fn came(&mut self, unit: &[u8], is_key: bool, is_gap: bool) -> bool {
        let Some(film) = &mut self.film else {
            return false;
        };
        let was_lost = self.is_lost.swap(false, SeqCst) && !is_key;
        match film.put(unit, is_key) {
            Ok(is_taken) => is_gap || was_lost || !is_taken,
            Err(_) => {
                tracing::warn!(
                    channel = %self.turn.live().name(),
                    "a sender's video can't be decoded"
                );
                self.film = None;
                false
            }
        }
    }

    /// Nothing is sent back: this is done when the session is to end.
    async fn next(&mut self) -> Option<Arc<Unit>> {
        self.film.as_ref()?;
        tokio::select! {
            () = &mut self.gone => None,
            _ = self.turn.over() => None,
        }
    }

    fn sent(&mut self, _: &Unit) {}

    fn want_key(&mut self) {}
}
