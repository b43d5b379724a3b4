//! The body of an answer that goes on: hands out the pieces that are ready, and asks for more only when the connection
//! has taken them, so that what is decided is decided as late as can be.

#![expect(
    clippy::disallowed_methods,
    reason = "it is measured how long a frame took to leave"
)]

use std::{collections::VecDeque, pin::Pin, time::Duration};

use bytes::Bytes;
use mantel_shared::UnixMillis;
use tokio::time::Instant;
use warp::reply::Response;

use crate::{
    clock,
    endpoints::{pictures::held::Held, reply, state::viewers::Viewing},
    hub::Frame,
    net::Visitor,
    source::live::Passage,
};

/// Pieces shorter than this are heads, which cost next to nothing.
const LEAST_FRAME: usize = 2048;

/// The step that comes after the last one.
pub(in crate::endpoints) enum More {
    /// This many frames were put into the queue.
    Frames {
        /// How many.
        n: usize,
        /// The age of the last of them, if it counts.
        age: Age,
    },
    /// There is nothing more; what is in the queue is still sent.
    Over,
}

/// Since when a frame has been on its way to a viewer.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::endpoints) struct Age {
    /// Since when it has been on.
    pub(in crate::endpoints) since: Option<Instant>,
    /// When it was taken, if it is a live one that came while this viewer watched.
    pub(in crate::endpoints) taken_at: Option<UnixMillis>,
}

/// A script: decides what a viewer is sent next.
pub(in crate::endpoints) trait Script: Send + 'static {
    /// Waits until there is something to send and puts it into `out`.
    fn more(
        &mut self,
        viewing: &Viewing,
        out: &mut VecDeque<Bytes>,
    ) -> impl Future<Output = More> + Send;

    /// The frame that it keeps beside what is in the queue.
    fn standing(&self) -> Option<&Frame>;
}

/// One viewer's body.
pub(in crate::endpoints) struct Endless<S> {
    pub(in crate::endpoints) script: S,
    pub(in crate::endpoints) viewing: Viewing,
    /// The visitor, who may be sent away at any time.
    pub(in crate::endpoints) visitor: Visitor,
    /// The way by which the viewer came.
    pub(in crate::endpoints) _passage: Option<Passage>,
    pub(in crate::endpoints) ready: VecDeque<Bytes>,
}

struct State<S> {
    body: Endless<S>,
    /// Done when the visitor has been sent away. One for all frames: making it takes hold of what everybody shares.
    gone: Pin<Box<dyn Future<Output = ()> + Send>>,
    /// The age of the frame that the connection is taking.
    taking: Age,
    over: bool,
}

impl<S: Script> Endless<S> {
    pub(in crate::endpoints) fn into_response(self, content_type: &str) -> Response {
        let state = State {
            gone: Box::pin(self.visitor.gone()),
            body: self,
            taking: Age::default(),
            over: false,
        };
        reply::stream(content_type, state, State::next)
    }
}

impl<S: Script> State<S> {
    /// The next bytes; `None` when it is over.
    async fn next(mut self) -> Option<(Bytes, Self)> {
        let Endless {
            script,
            viewing,
            ready,
            ..
        } = &mut self.body;
        if ready.is_empty() {
            // hyper asks again when it has less than its buffer left to write.
            let Age { since, taken_at } = std::mem::take(&mut self.taking);
            if let Some(since) = since {
                viewing.took(since.elapsed());
            }
            if let Some(taken_at) = taken_at {
                let millis = clock::now().0.saturating_sub(taken_at.0);
                viewing.took_live(Duration::from_millis(millis));
            }
            viewing.holds(std::iter::empty());
        }
        while ready.is_empty() {
            if self.over {
                return None;
            }
            let more = tokio::select! {
                biased;
                more = script.more(viewing, ready) => more,
                () = &mut self.gone => return None,
            };
            match more {
                More::Frames { n, age } => {
                    viewing.sent(n, ready.iter().map(Bytes::len).sum());
                    let standing = script.standing().map(|frame| &frame.body);
                    let frames = ready.iter().filter(|piece| piece.len() >= LEAST_FRAME);
                    viewing.holds(frames.chain(standing).map(Held::of));
                    self.taking = age;
                }
                More::Over => self.over = true,
            }
        }
        ready.pop_front().map(|bytes| (bytes, self))
    }
}
