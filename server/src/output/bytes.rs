//! `GET /bytes`: one part a slide, ahead of its moment, with its metadata in the part's head. The
//! viewer page reads it and blends at its own display's rate.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::time::timeout;
use warp::reply::Response;

use super::{
    Outputs, Request, query,
    reply::{self, Problem},
};
use crate::{
    clock,
    hub::{Frame, FrameNo, Kind, Lease, Now, Subscription},
    rendition::{Captions, Rendition},
};

/// After this long without news the slide on screen is sent again: a viewer knows from it that the
/// connection lives, and the server that the viewer does.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

pub(super) async fn answer(outputs: &Arc<Outputs>, request: &Request) -> Result<Response, Problem> {
    // Who reads metadata writes captions himself: they are in the picture for the asking alone.
    let default = Rendition {
        captions: Captions::default(),
        ..outputs.rendition
    };
    let wishes = query::wishes(&request.query, default, outputs.settings)?;
    let lease = reply::open(outputs, &wishes).await?;
    let viewer = Viewer {
        subscription: lease.subscribe(Kind::Stills),
        lease,
        outputs: outputs.clone(),
        now: None,
        sent: None,
        ready: VecDeque::from([outputs.framing.opening()]),
        over: false,
    };
    Ok(reply::stream(
        "application/octet-stream",
        viewer,
        Viewer::next,
    ))
}

struct Viewer {
    lease: Lease,
    subscription: Subscription,
    outputs: Arc<Outputs>,
    now: Option<Now>,
    sent: Option<FrameNo>,
    ready: VecDeque<Bytes>,
    over: bool,
}

impl Viewer {
    async fn next(mut self) -> Option<(Bytes, Self)> {
        while self.ready.is_empty() {
            if self.over {
                return None;
            }
            self.fill().await;
        }
        self.ready.pop_front().map(|bytes| (bytes, self))
    }

    async fn fill(&mut self) {
        match timeout(KEEP_ALIVE, self.subscription.changed()).await {
            Ok(Some(now)) => {
                self.lease.stats().skipped(self.subscription.take_missed());
                // Numbers tell what this viewer has: a slide sent ahead isn't sent again.
                for frame in [Some(&now.current), now.next.as_ref()]
                    .into_iter()
                    .flatten()
                {
                    if self.sent.is_none_or(|sent| frame.no > sent) {
                        self.sent = Some(frame.no);
                        self.send(frame);
                    }
                }
                self.now = Some(now);
            }
            Ok(None) => self.over = true,
            Err(_) => {
                if let Some(now) = self.now.clone() {
                    self.send(&now.current);
                }
            }
        }
    }

    fn send(&mut self, frame: &Frame) {
        let head = self.outputs.framing.detailed_head(frame, clock::now());
        self.lease.stats().sent(1, head.len() + frame.body.len());
        self.ready.extend([head, frame.body.clone()]);
    }
}
