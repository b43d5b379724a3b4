//! A channel: what is on, as a value that a task keeps and everybody else reads.
//!
//! One [`task`] owns a channel's programme and carries out commands; [`choices`] are all channels of the house. Knows no
//! pixels and no HTTP.

pub mod choices;
pub mod live;
pub mod roster;
mod state;
mod task;

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    source::live::LiveSource,
    timeline::{Act, Programme, UnknownPhoto},
};

pub use state::StateFile;
pub use task::{ChannelSetup, ChannelTask, Role};

/// A channel's content that is on the air. Which kind that is matters to the channel and its producers alone.
#[derive(Clone, Debug)]
pub enum OnAir {
    /// Slides by the clock: a pure function of time, so the next one is known and made before its moment.
    Programme(Arc<Programme>),
    /// Pictures that come when they come: of each the next one is unforeseen.
    Live(LiveSource),
}

/// A handle on a channel, as others hold it.
#[derive(Clone, Debug)]
pub struct Channel {
    on_air: watch::Receiver<OnAir>,
    /// Where commands go; a live channel carries out none.
    acts: Option<mpsc::Sender<Ask>>,
    holds: Arc<()>,
}

#[derive(Debug)]
struct Ask {
    act: Act,
    by: Option<String>,
    reply: oneshot::Sender<Result<Arc<Programme>, UnknownPhoto>>,
}

/// Why a command was not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActError {
    /// The photo to be shown is not on this channel.
    #[error(transparent)]
    UnknownPhoto(#[from] UnknownPhoto),
    /// The server is going down.
    #[error("the server is stopping")]
    Stopping,
    /// The channel has no slides.
    #[error("this channel is live: there are no slides to go to or to stop at")]
    Live,
}

impl Channel {
    /// The content that is on the air, and word of every change.
    pub fn on_air(&self) -> watch::Receiver<OnAir> {
        self.on_air.clone()
    }

    /// The programme as it is now, where slides are on the air.
    pub fn programme(&self) -> Option<Arc<Programme>> {
        match &*self.on_air.borrow() {
            OnAir::Programme(programme) => Some(programme.clone()),
            OnAir::Live(_) => None,
        }
    }

    /// Whether anybody beside the asker has a hold on this channel.
    pub fn is_held(&self) -> bool {
        Arc::strong_count(&self.holds) > 1
    }

    /// Whether its task still works.
    pub fn is_alive(&self) -> bool {
        self.on_air.has_changed().is_ok()
    }

    /// Has a command carried out that `by` has given, if that is known; returns the programme after it.
    pub async fn act(&self, act: Act, by: Option<String>) -> Result<Arc<Programme>, ActError> {
        let (reply, answer) = oneshot::channel();
        let acts = self.acts.as_ref().ok_or(ActError::Live)?;
        acts.send(Ask { act, by, reply })
            .await
            .map_err(|_| ActError::Stopping)?;
        answer
            .await
            .map_err(|_| ActError::Stopping)?
            .map_err(ActError::from)
    }
}
