//! Video that a feed's source brings as it is wanted: who fills the feed says so, and who makes its video takes it.

use std::sync::Arc;

use tokio::sync::watch;

use super::Tape;

/// The video that is on the screen already, of one feed.
#[derive(Debug, Default)]
pub struct Given {
    tape: watch::Sender<Option<Arc<Tape>>>,
    is_drawn: watch::Sender<bool>,
}

impl Given {
    /// From now on this is what the screen shows, as video; nothing is by `None`.
    pub fn give(&self, tape: Option<Arc<Tape>>) {
        self.tape.send_if_modified(|given| {
            let of = |tape: &Option<Arc<Tape>>| tape.as_ref().map(Arc::as_ptr);
            let is_news = of(given) != of(&tape);
            *given = tape;
            is_news
        });
    }

    /// The video on the screen, and word of every change.
    pub fn tape(&self) -> watch::Receiver<Option<Arc<Tape>>> {
        self.tape.subscribe()
    }

    /// Says whether video is made of pictures.
    pub fn draw(&self, is_drawn: bool) {
        self.is_drawn.send_if_modified(|now| {
            let changes = *now != is_drawn;
            *now = is_drawn;
            changes
        });
    }

    /// Whether video is made of pictures at this moment, and word of every change.
    pub fn is_drawn(&self) -> watch::Receiver<bool> {
        self.is_drawn.subscribe()
    }
}
