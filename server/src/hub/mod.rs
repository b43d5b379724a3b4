//! Where frames are published once and subscribed to by many.
//!
//! Knows no HTTP and no pixels: a frame is numbered bytes with what a client is told about them.
//! A hub holds only what is on now and what is known to come next. There is no queue: a
//! subscriber that was busy finds the newest frame, and how many it missed is counted. Video is kept on a [`Tape`],
//! because its frames build upon each other.

mod ending;
mod feeds;
mod frame;
mod given;
mod linger;
mod look;
mod readers;
mod stream_time;
mod tape;

use std::sync::Arc;

use bytes::Bytes;
use tokio::{sync::watch, time::Instant};

pub use ending::Ending;
pub use feeds::{Feed, Feeds, Kind, Lease};
pub use frame::{Frame, FrameNo, Framing, ROOM};
pub use given::Given;
pub use linger::Linger;
pub use look::Look;
pub use readers::Pictures;
pub use stream_time::{StreamTime, ticks};
pub use tape::{Encoded, Reader, Start, TICKS, Tape, Unit};

/// The frames of a hub: the one that is on and the one that comes next.
#[derive(Clone, Debug)]
pub struct Now {
    /// The frame that is on.
    pub current: Arc<Frame>,
    /// The frame that will follow it.
    pub next: Next,
}

/// The frame that follows the one that is on, as far as it is known: a client may be promised it.
#[derive(Clone, Debug)]
pub enum Next {
    /// It is made, and comes at its moment unless somebody gives a command.
    Known(Arc<Frame>),
    /// Something is to follow that is not made yet.
    NotYet,
    /// Nobody can say what comes and when, as with a camera.
    Unforeseen,
}

impl Next {
    /// The frame, where it is known.
    pub fn known(&self) -> Option<&Arc<Frame>> {
        match self {
            Self::Known(frame) => Some(frame),
            Self::NotYet | Self::Unforeseen => None,
        }
    }
}

impl From<Option<Arc<Frame>>> for Next {
    /// For what plans ahead: a frame that is not there yet will be.
    fn from(frame: Option<Arc<Frame>>) -> Self {
        frame.map_or(Self::NotYet, Self::Known)
    }
}

/// [`Now`], and how many frames were on before it: a gap is what somebody missed.
#[derive(Debug, Default)]
struct Board {
    now: Option<Now>,
    /// Since when the current frame is on.
    since: Option<Instant>,
    turn: u64,
    over: bool,
}

/// One publisher, any number of subscribers.
#[derive(Debug, Default)]
pub struct Hub {
    board: watch::Sender<Board>,
}

impl Hub {
    /// Makes `now` what every subscriber sees from here on.
    #[expect(
        clippy::disallowed_methods,
        reason = "since when a frame is on, to measure its age; nothing is decided by it"
    )]
    pub fn publish(&self, now: Now) {
        self.board.send_modify(|board| {
            let same = board
                .now
                .as_ref()
                .is_some_and(|old| old.current.no == now.current.no);
            if !same {
                board.turn += 1;
                board.since = Some(Instant::now());
            }
            board.now = Some(now);
        });
    }

    /// The bytes of the frame that is on and of the one that is known to follow.
    fn frames(&self) -> impl Iterator<Item = Bytes> {
        let now = self.board.borrow().now.clone();
        let frames = now.map(|now| [Some(now.current), now.next.known().cloned()]);
        frames
            .into_iter()
            .flatten()
            .flatten()
            .map(|frame| frame.body.clone())
    }

    /// Nothing is known of what is on: who comes waits for the next frame.
    pub fn forget(&self) {
        self.board.send_if_modified(|board| {
            board.now = None;
            false
        });
    }

    /// Nothing more comes: every subscription ends.
    pub fn close(&self) {
        self.board.send_modify(|board| board.over = true);
    }

    /// How many are subscribed.
    pub fn n_subscribers(&self) -> usize {
        self.board.receiver_count()
    }

    fn subscribe(&self) -> Subscription {
        let mut board = self.board.subscribe();
        // The frame that is on now is news to a new subscriber.
        board.mark_changed();
        Subscription {
            board,
            turn: None,
            since: None,
            n_missed: 0,
        }
    }
}

/// One subscriber's end. Ends when the hub is gone.
#[derive(Debug)]
pub struct Subscription {
    board: watch::Receiver<Board>,
    turn: Option<u64>,
    since: Option<Instant>,
    n_missed: u64,
}

impl Subscription {
    /// Waits until something new is published and returns what is on then; `None` when the hub is
    /// gone. What was published and replaced meanwhile is never seen, only counted. Cancel safe.
    pub async fn changed(&mut self) -> Option<Now> {
        loop {
            self.board.changed().await.ok()?;
            let board = self.board.borrow_and_update();
            if board.over {
                return None;
            }
            if let Some(now) = &board.now {
                if let Some(last) = self.turn {
                    self.n_missed += board.turn.saturating_sub(last + 1);
                }
                self.turn = Some(board.turn);
                self.since = board.since;
                return Some(now.clone());
            }
        }
    }

    /// Since when the frame that was seen last had been on.
    pub fn since(&self) -> Option<Instant> {
        self.since
    }

    /// How many frames were replaced before this subscriber looked, since it was last asked.
    pub fn take_missed(&mut self) -> u64 {
        std::mem::take(&mut self.n_missed)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use mantel_shared::{FrameMeta, UnixMillis};

    use super::*;

    fn now(no: u64) -> Now {
        let framing = Framing::default();
        let frame = framing.frame(
            FrameNo(no),
            UnixMillis(0),
            FrameMeta::default(),
            &Bytes::from_static(b"jpeg"),
        );
        Now {
            current: Arc::new(frame),
            next: Next::NotYet,
        }
    }

    #[tokio::test]
    async fn a_new_subscriber_gets_the_frame_that_is_on() {
        let hub = Hub::default();
        hub.publish(now(1));
        assert_eq!(
            hub.subscribe().changed().await.unwrap().current.no,
            FrameNo(1)
        );
    }

    #[tokio::test]
    async fn a_slow_subscriber_finds_the_newest_and_the_end() {
        let hub = Hub::default();
        let mut slow = hub.subscribe();
        hub.publish(now(1));
        slow.changed().await.unwrap();
        for no in 2..=50 {
            hub.publish(now(no));
            // More is known of what follows: no new frame.
            hub.publish(Now {
                next: Next::Known(now(no + 1).current),
                ..now(no)
            });
        }
        assert_eq!(slow.changed().await.unwrap().current.no, FrameNo(50));
        assert_eq!((slow.take_missed(), slow.take_missed()), (48, 0));
        // Who comes when nothing is known is not told of what was on.
        hub.forget();
        let mut late = hub.subscribe();
        assert!(late.changed().now_or_never().is_none());
        drop(hub);
        assert!(slow.changed().await.is_none());
    }
}
