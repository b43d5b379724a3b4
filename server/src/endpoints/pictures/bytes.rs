//! `GET /bytes`: one part a slide, ahead of its moment, with its metadata in the part's head. The
//! viewer page reads it and blends at its own display's rate.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::time::timeout;
use warp::reply::Response;

use crate::{
    clock,
    endpoints::{
        Outputs, Request, open,
        pictures::body::{Age, Endless, More, Script},
        state::viewers::{Outlet, Viewing},
    },
    hub::{Frame, FrameNo, Kind, Lease, Subscription},
    net::Refusal,
    rendition::{Captions, Rendition},
};

/// After this long without news the slide on screen is sent again: a viewer knows from it that the
/// connection lives, and the server that the viewer does.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

pub(in crate::endpoints) async fn answer(
    outputs: &Arc<Outputs>,
    request: &Request,
) -> Result<Response, Refusal> {
    // Who reads metadata writes captions himself: they are in the picture for the asking alone.
    let default = Rendition {
        captions: Captions::default(),
        note: false,
        ..outputs.looks.rendition
    };
    let passage = open::passage(outputs, request)?;
    let wishes = open::wishes(outputs, request, default)?;
    let (key, lease) = open::feed(outputs, request, &wishes).await?;
    let script = Slides {
        subscription: lease.subscribe(Kind::Stills),
        _lease: lease,
        outputs: outputs.clone(),
        standing: None,
        sent: [None; 2],
    };
    let viewing = outputs.watched.viewers.enter(
        Outlet::Bytes,
        request.who(),
        key,
        clock::now(),
        request.visitor.connection.clone(),
    );
    let body = Endless {
        script,
        viewing,
        visitor: request.visitor.clone(),
        _passage: passage,
        ready: VecDeque::from([outputs.looks.framing.opening()]),
    };
    Ok(body.into_response("application/octet-stream"))
}

struct Slides {
    _lease: Lease,
    subscription: Subscription,
    outputs: Arc<Outputs>,
    /// The slide that is on; not what follows it, which a viewer that never reads would hold as well.
    standing: Option<Arc<Frame>>,
    /// The numbers of what was on and what was to follow when something was sent last: a viewer has both.
    sent: [Option<FrameNo>; 2],
}

impl Script for Slides {
    async fn more(&mut self, viewing: &Viewing, out: &mut VecDeque<Bytes>) -> More {
        let (mut n, mut age) = (0, Age::default());
        match timeout(KEEP_ALIVE, self.subscription.changed()).await {
            Ok(Some(now)) => {
                viewing.skipped(self.subscription.take_missed());
                // Numbers tell what this viewer has: a slide sent ahead isn't sent again.
                let frames = [Some(&now.current), now.next.known()];
                let has = std::mem::replace(
                    &mut self.sent,
                    frames.map(|frame| frame.map(|frame| frame.no)),
                );
                for frame in frames.into_iter().flatten() {
                    if !has.contains(&Some(frame.no)) {
                        self.send(frame, out);
                        n += 1;
                    }
                }
                // What was on before this viewer came is as old as it is.
                let came = n > 0 && self.standing.is_some();
                age.taken_at = now.current.taken_at.filter(|_| came);
                self.standing = Some(now.current);
            }
            Ok(None) => return More::Over,
            Err(_) => {
                if let Some(frame) = &self.standing {
                    self.send(frame, out);
                    n = 1;
                }
            }
        }
        // Ahead of its moment a slide has no age.
        More::Frames { n, age }
    }

    fn standing(&self) -> Option<&Frame> {
        self.standing.as_deref()
    }
}

impl Slides {
    fn send(&self, frame: &Frame, out: &mut VecDeque<Bytes>) {
        let head = self
            .outputs
            .looks
            .framing
            .detailed_head(frame, clock::now());
        out.extend([head, frame.body.clone()]);
    }
}
