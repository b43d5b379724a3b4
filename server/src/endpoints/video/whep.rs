//! WHEP: a viewer's offer of WebRTC is answered by video.

#![cfg_attr(
    not(feature = "webrtc"),
    allow(dead_code, reason = "without WebRTC no talk begins")
)]

use std::{pin::Pin, sync::Arc};

use http::Method;
use warp::reply::Response;

use super::{no_video, rtc};
use crate::{
    clock,
    endpoints::{
        Outputs, Request, open,
        request::Body,
        state::viewers::{Outlet, Viewing},
    },
    hub::{Lease, Reader, Unit},
    net::{Cut, Refusal},
    rendition::video,
    source::live::Passage,
    webrtc::{Offer, Talk},
};

/// The answer where viewers send offers to.
pub(in crate::endpoints) async fn answer(
    outputs: &Arc<Outputs>,
    request: &Request,
    body: Body,
) -> Result<Response, Refusal> {
    if request.method != Method::POST {
        return Ok(rtc::told(request));
    }
    let peers = rtc::peers(outputs)?;
    let text = rtc::offer(outputs, request, body).await?;
    let offer = Offer::to_be_sent(&text).map_err(rtc::refused)?;
    let passage = open::passage(outputs, request)?;
    let wishes = open::wishes(outputs, request, outputs.looks.rendition)?;
    video::can_be(wishes.rendition.size).map_err(|why| no_video(&why))?;
    let (key, lease) = open::feed(outputs, request, &wishes).await?;
    video::can_be(key.rendition.size).map_err(|why| no_video(&why))?;
    let viewing = outputs.watched.viewers.enter(
        Outlet::Whep,
        request.who(),
        key,
        clock::now(),
        Cut::default(),
    );
    let watching = Watching {
        reader: lease.read(false),
        _lease: lease,
        viewing,
        gone: Box::pin(request.visitor.gone()),
        _passage: passage,
    };
    rtc::answer(peers, request, offer, "whep", watching)
}

/// One who watches by WebRTC.
struct Watching {
    _lease: Lease,
    reader: Reader,
    viewing: Viewing,
    /// Done when the viewer is to be sent nothing more.
    gone: Pin<Box<dyn Future<Output = ()> + Send + Sync>>,
    _passage: Option<Passage>,
}

impl Talk for Watching {
    async fn next(&mut self) -> Option<Arc<Unit>> {
        let unit = tokio::select! {
            unit = self.reader.next() => unit,
            () = &mut self.gone => None,
        };
        self.viewing.skipped(self.reader.take_missed());
        unit
    }

    fn sent(&mut self, unit: &Unit) {
        self.viewing.sent(1, unit.annexb.len());
    }

    fn want_key(&mut self) {
        self.reader.want_key();
    }
}
