//! One kind of pictures as an edge hears it: messages put together, and what is on by them.

use std::sync::Arc;

use async_nats::Subscriber;
use futures_util::StreamExt;
use mantel_media::wire::{Assembler, Kind as Content, Sheet, Topic};
use tokio::time::Instant;

use super::{
    bus::Bus,
    shown::{Ahead, Shown},
};
use crate::hub::{FrameNo, Framing, Next, Now};

/// The frames of a sheet by their numbers, and whether anything is foreseen.
type Numbers = (FrameNo, Option<FrameNo>, bool);

/// One kind of pictures, while somebody wants it.
pub(super) struct Ear {
    pub(super) kind: Content,
    /// Until when it is wanted, if nobody comes: who asks for a picture now and then finds that of this moment.
    pub(super) wanted_until: Option<Instant>,
    pub(super) subscriber: Option<Subscriber>,
    /// The parts that all edges are sent, and those that this one is sent alone.
    parts: [Assembler; 2],
    shown: Shown,
    /// The number of the sheet that was taken last.
    last: u64,
    /// The frames that it showed, by their numbers here.
    on: Option<Numbers>,
    /// Whether what stands has to be asked for.
    pub(super) is_lost: bool,
}

impl Ear {
    pub(super) fn new(kind: Content, topic: Topic, framing: &Arc<Framing>) -> Self {
        Self {
            kind,
            wanted_until: None,
            subscriber: None,
            parts: [0; 2].map(|run| Assembler::new(kind, topic, run)),
            shown: Shown::new(framing.clone()),
            last: 0,
            on: None,
            is_lost: false,
        }
    }

    pub(super) async fn next(&mut self) -> Option<async_nats::Message> {
        match &mut self.subscriber {
            Some(subscriber) => subscriber.next().await,
            None => std::future::pending().await,
        }
    }

    /// From here on the pictures of another program are taken.
    pub(super) fn follow(&mut self, run: u64) {
        if self.parts[0].run() != run {
            for parts in &mut self.parts {
                parts.follow(run);
            }
            self.shown.forget();
            self.last = 0;
            self.is_lost = self.subscriber.is_some();
        }
    }

    /// Nothing that was sent is known any more, if anything is wanted.
    pub(super) fn lose(&mut self) {
        self.shown.forget();
        self.is_lost = self.subscriber.is_some();
    }

    /// Takes a message, of which there are two ways; says what is on by it, where that is news.
    pub(super) fn take(
        &mut self,
        bus: &Bus,
        message: &[u8],
        way: usize,
        ahead: Ahead,
    ) -> Option<Now> {
        let part = bus.read(message)?;
        let parts = &mut self.parts[way];
        let content = parts.take(&part, ahead.there(bus.clock.now()));
        self.is_lost |= parts.counts().holes > 0;
        bus.count(parts.counts());
        let content = content?;
        if content.head.no <= self.last {
            return None;
        }
        let now = Sheet::read(&content.bytes).ok();
        let now = now.and_then(|sheet| self.shown.take(&sheet, ahead));
        self.is_lost = now.is_none();
        let now = now?;
        self.last = content.head.no;
        let is_foreseen = !matches!(now.next, Next::Unforeseen);
        let next = now.next.known().map(|frame| frame.no);
        let numbers = (now.current.no, next, is_foreseen);
        // What stands is named again and again.
        (self.on.replace(numbers) != Some(numbers)).then_some(now)
    }
}
