//! `GET /stream`: Motion JPEG, transitions blended, for clients that only show what they are sent.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::time::{Instant, timeout_at};
use warp::reply::Response;

use super::{
    Outputs, Request,
    paint::{Paint, Painter},
    query,
    reply::{self, Problem},
};
use crate::hub::{Kind, Lease, Now, Subscription};

/// How long a frame stands before `repeat` sends it again: once soon, for clients that paint at the
/// next part; then about once a second.
const FIRST_REPEAT: Duration = Duration::from_millis(100);
const LATER_REPEATS: Duration = Duration::from_secs(1);

pub(super) async fn answer(outputs: &Arc<Outputs>, request: &Request) -> Result<Response, Problem> {
    let wishes = query::wishes(&request.query, outputs.rendition, outputs.settings)?;
    let paint = wishes
        .paint
        .unwrap_or_else(|| Paint::for_agent(request.agent()));
    let lease = reply::open(outputs, &wishes).await?;
    let viewer = Viewer {
        subscription: lease.subscribe(Kind::Motion),
        lease,
        painter: Painter::new(paint),
        now: None,
        repeat: None,
        ready: VecDeque::from([outputs.framing.opening()]),
        over: false,
    };
    Ok(reply::stream(
        &outputs.framing.content_type(),
        viewer,
        Viewer::next,
    ))
}

struct Viewer {
    lease: Lease,
    subscription: Subscription,
    painter: Painter,
    now: Option<Now>,
    /// When to send the frame that stands again, and how long to wait after that.
    repeat: Option<Instant>,
    ready: VecDeque<Bytes>,
    over: bool,
}

impl Viewer {
    /// The next bytes; `None` when the stream is over. Called when the connection has room, so what
    /// is decided here is decided as late as can be.
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
        let mut out = Vec::new();
        let mut n_frames = 1;
        match self.news().await {
            News::Changed(now) => {
                self.lease.stats().skipped(self.subscription.take_missed());
                n_frames = self.painter.turn(&now, &mut out);
                if n_frames > 0 && self.painter.repeats() {
                    self.repeat = Some(Instant::now() + FIRST_REPEAT);
                }
                self.now = Some(now);
            }
            News::Standing => {
                if let Some(now) = &self.now {
                    n_frames = self.painter.again(now, &mut out);
                    self.repeat = Some(Instant::now() + LATER_REPEATS);
                }
            }
            News::Over => {
                self.over = true;
                // No close-delimiter: after a delimiter browsers read it as an empty part, and an
                // <img> goes blank that could keep its last picture.
                self.painter.close(&mut out);
                n_frames = 0;
            }
        }
        self.lease
            .stats()
            .sent(n_frames, out.iter().map(Bytes::len).sum());
        self.ready.extend(out);
    }

    async fn news(&mut self) -> News {
        let changed = match self.repeat {
            Some(at) => match timeout_at(at, self.subscription.changed()).await {
                Ok(changed) => changed,
                Err(_) => return News::Standing,
            },
            None => self.subscription.changed().await,
        };
        changed.map_or(News::Over, News::Changed)
    }
}

enum News {
    Changed(Now),
    Standing,
    Over,
}
