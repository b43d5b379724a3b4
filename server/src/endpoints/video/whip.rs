//! WHIP: a sender's offer of WebRTC is answered, and its video is a live channel's picture, like any that is pushed.

#![cfg_attr(
    not(feature = "webrtc"),
    allow(dead_code, reason = "without WebRTC no talk begins")
)]

use std::{pin::Pin, sync::Arc};

use http::Method;
use warp::reply::Response;

use super::rtc;
use crate::{
    channel::live::Turn,
    endpoints::{Outputs, Request, inlets::push, request::Body},
    hub::Unit,
    net::Refusal,
    render::Size,
    rendition::video,
    source::live::Reel,
    webrtc::{Offer, Talk},
};

/// The answer where senders send offers to.
pub(in crate::endpoints) async fn answer(
    outputs: &Arc<Outputs>,
    request: &Request,
    body: Body,
) -> Result<Response, Refusal> {
    if request.method != Method::POST {
        return Ok(rtc::told(outputs, request));
    }
    rtc::peers(outputs)?;
    // What encodes decodes, too.
    video::can_be(Size::new(320, 180)).map_err(|why| super::no_video(&why))?;
    let text = rtc::offer(outputs, request, body).await?;
    let offer = Offer::to_send(&text).map_err(rtc::refused)?;
    let turn = push::turn(outputs, request)?;
    let gone = request.visitor.gone();
    let sending = Sending {
        reel: Some(turn.live().source().reel(true)),
        gone: Box::pin(gone),
        turn,
    };
    rtc::answer(outputs, request, offer, "whip", sending)
}

/// One who sends by WebRTC.
struct Sending {
    /// The video that is sent, until nothing of it can be decoded.
    reel: Option<Reel>,
    /// Done when the sender may send no more.
    gone: Pin<Box<dyn Future<Output = ()> + Send + Sync>>,
    turn: Turn,
}

impl Talk for Sending {
    fn came(&mut self, unit: &[u8], is_key: bool, is_gap: bool) -> bool {
        let Some(reel) = &mut self.reel else {
            return false;
        };
        let was_lost = reel.take_lost() && !is_key;
        if is_gap {
            reel.lost();
        }
        match reel.put(unit, is_key) {
            Ok(is_taken) => {
                if reel.passes() {
                    self.turn.passed(reel.take_unseen());
                }
                is_gap || was_lost || !is_taken
            }
            Err(why) => {
                tracing::warn!(channel = %self.turn.live().name(), %why, "a sender's video is not shown");
                self.reel = None;
                false
            }
        }
    }

    /// Nothing is sent back: what came is shown meanwhile, and this is done when the session is to end.
    async fn next(&mut self) -> Option<Arc<Unit>> {
        let reel = self.reel.as_mut()?;
        loop {
            tokio::select! {
                picture = reel.next() => {
                    self.turn.came(picture);
                }
                () = &mut self.gone => return None,
                _ = self.turn.over() => return None,
            }
        }
    }

    /// The last picture is what stands from now on, whether somebody wanted it or not.
    async fn over(&mut self) {
        let Some(reel) = &mut self.reel else {
            return;
        };
        while let Ok(Some(picture)) = reel.rest().await {
            self.turn.came(picture);
        }
    }

    fn sent(&mut self, _: &Unit) {}

    fn want_key(&mut self) {}
}
