//! `GET /stream`: Motion JPEG, transitions blended, for clients that only show what they are sent.

#![expect(
    clippy::disallowed_methods,
    reason = "a stream's own clock: how long it has run, when a frame is sent again"
)]

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use tokio::time::{Instant, sleep_until};
use warp::reply::Response;

use crate::{
    channel::choices::FeedKey,
    clock,
    endpoints::{
        Outputs, Request, open,
        pictures::{
            body::{Age, Endless, More, Script},
            pace::Pace,
            paint::{Paint, Painter},
        },
        state::viewers::{Outlet, Viewing},
    },
    hub::{Frame, Kind, Lease, Now, Subscription},
    net::Refusal,
};

pub(in crate::endpoints) async fn answer(
    outputs: &Arc<Outputs>,
    request: &Request,
) -> Result<Response, Refusal> {
    let passage = open::passage(outputs, request)?;
    let wishes = open::wishes(outputs, request, outputs.looks.rendition)?;
    let paint = wishes
        .paint
        .unwrap_or_else(|| Paint::for_agent(request.agent()));
    let (key, lease) = open::feed(outputs, request, &wishes).await?;
    let watching = Watching {
        subscription: lease.subscribe(Kind::Motion),
        _lease: lease,
    };
    let script = Stream {
        outputs: outputs.clone(),
        asked: key,
        shown: key,
        watching,
        moving: None,
        pace: outputs.looks.step_down.then(|| Pace::new(outputs.uptime())),
        painter: Painter::new(paint, &outputs.looks.framing),
        standing: None,
        started_at: Instant::now(),
        repeat: None,
        out: Vec::new(),
    };
    let viewing = outputs.watched.viewers.enter(
        Outlet::Stream,
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
    Ok(body.into_response(&outputs.looks.framing.content_type()))
}

struct Stream {
    outputs: Arc<Outputs>,
    /// The feed that was asked for.
    asked: FeedKey,
    /// The feed that is shown, or is about to be.
    shown: FeedKey,
    watching: Watching,
    /// The feed that is about to be watched instead, until that has a first frame.
    moving: Option<Watching>,
    pace: Option<Pace>,
    painter: Painter,
    /// The frame that stands; not what follows it, which a viewer that never reads would hold as well.
    standing: Option<Arc<Frame>>,
    started_at: Instant,
    /// When to send the frame that stands again.
    repeat: Option<Instant>,
    out: Vec<Bytes>,
}

/// A hold on a feed, and an ear.
struct Watching {
    _lease: Lease,
    subscription: Subscription,
}

impl Script for Stream {
    async fn more(&mut self, viewing: &Viewing, out: &mut VecDeque<Bytes>) -> More {
        let (mut n, mut age) = (0, Age::default());
        match self.news().await {
            News::Changed(now) => {
                let n_missed = self.watching.subscription.take_missed();
                viewing.skipped(n_missed);
                n = self.painter.turn(&now, &mut self.out);
                if n > 0 {
                    age.since = self.watching.subscription.since();
                    // What was on before this viewer came is as old as it is.
                    let came = self.standing.is_some();
                    age.taken_at = now.current.taken_at.filter(|_| came);
                    self.judge(n_missed, viewing);
                    self.repeat = self.next_repeat();
                }
                self.standing = Some(now.current);
            }
            News::Standing => {
                if let Some(frame) = &self.standing {
                    n = self.painter.again(frame, &mut self.out);
                    self.repeat = self.next_repeat();
                }
            }
            News::Moved => {}
            News::Over => {
                // No close-delimiter: after a delimiter browsers read it as an empty part, and an
                // <img> goes blank that could keep its last picture.
                self.painter.close(self.standing.as_deref(), &mut self.out);
                out.extend(self.out.drain(..));
                return More::Over;
            }
        }
        out.extend(self.out.drain(..));
        More::Frames { n, age }
    }

    fn standing(&self) -> Option<&Frame> {
        self.standing.as_deref()
    }
}

impl Stream {
    /// The first of: a change, the moment to repeat, or the first frame of the feed that is moved to.
    async fn news(&mut self) -> News {
        let (repeat, moving) = (self.repeat, &mut self.moving);
        let repeat = async {
            match repeat {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let moved = async {
            match moving {
                Some(next) => next.subscription.changed().await.is_some(),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            changed = self.watching.subscription.changed() => {
                return changed.map_or(News::Over, News::Changed);
            }
            () = repeat => return News::Standing,
            ready = moved => if !ready {
                return News::Over;
            }
        }
        // What is on there is on here too, so it is taken up at its next change; and what was announced comes first, as
        // always.
        if let Some(next) = self.moving.take() {
            tracing::debug!(rendition = ?self.shown.rendition, "a viewer is shown another rendition");
            self.watching = next;
        }
        News::Moved
    }

    fn next_repeat(&self) -> Option<Instant> {
        let after = self.painter.again_after(self.started_at.elapsed());
        after.map(|after| Instant::now() + after)
    }

    /// Gives less to a viewer that keeps missing frames, and more to one that no longer does.
    fn judge(&mut self, n_missed: u64, viewing: &Viewing) {
        let now = self.outputs.uptime();
        let Some(pace) = &mut self.pace else {
            return;
        };
        let Some(level) = pace.sent(now, n_missed) else {
            return;
        };
        let key = FeedKey {
            rendition: self.asked.rendition.lowered(level),
            ..self.asked
        };
        // Who asked for little may have the least already; and with no room for another rendition this
        // one has to do.
        let lease = if key == self.shown {
            None
        } else {
            let opened = self.outputs.house.feeds.open_beside(&self.shown, &key);
            opened.ok().flatten()
        };
        let Some(lease) = lease else {
            return pace.stay(now);
        };
        pace.step(now, level);
        self.shown = key;
        self.moving = Some(Watching {
            subscription: lease.subscribe(Kind::Motion),
            _lease: lease,
        });
        viewing.changed(key, key != self.asked);
    }
}

enum News {
    Changed(Now),
    Standing,
    /// Another feed is listened to from here on.
    Moved,
    Over,
}
