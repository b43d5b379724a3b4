//! A channel: what is on, as a value that a task keeps and everybody else reads.
//!
//! One [`task`] owns a channel's programme and carries out commands; [`choices`] are all channels of the house; by [`air`]
//! and [`interrupts`] live ones take the gallery's screens for a while. Knows no pixels and no HTTP.

pub mod afar;
pub mod air;
pub mod choices;
pub mod chosen;
pub mod hand;
mod interrupts;
pub mod live;
mod numbers;
mod own_night;
pub mod roster;
mod state;
mod task;
mod veils;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    library::Filter,
    locked::locked,
    source::live::LiveSource,
    timeline::{Act, History, Programme, Slide, UnknownPhoto},
};

pub use afar::Afar;
use interrupts::Interruptions;
pub use interrupts::{Interrupter, Interruption};
pub use own_night::OwnNight;
pub use state::StateFile;
pub use task::{ChannelSetup, ChannelTask, Role};
pub use veils::{NightNow, Veils};

/// A channel's content that is on the air. Which kind that is matters to the channel and its producers alone.
#[derive(Clone, Debug)]
pub enum OnAir {
    /// Slides by the clock: a pure function of time, so the next one is known and made before its moment.
    Programme(Arc<Programme>),
    /// Pictures that come when they come: of each the next one is unforeseen.
    Live(LiveSource),
    /// Whatever another server shows on its channel. Here nothing is known but that frames come, so nothing is made here.
    Afar(Afar),
}

/// An ear for what is on the air of a channel.
#[derive(Clone, Debug)]
pub struct Airing {
    own: watch::Receiver<OnAir>,
    over: Option<watch::Receiver<Option<Interruption>>>,
}

impl Airing {
    /// The content that is on now: from here on what comes later is news.
    pub fn now(&mut self) -> OnAir {
        let own = self.own.borrow_and_update().clone();
        let over = self.over.as_mut();
        let over = over.and_then(|over| over.borrow_and_update().clone());
        over.map_or(own, |interruption| OnAir::Live(interruption.source))
    }

    /// Waits for news: of what is on, or of what would be on if nothing interrupted. Cancel safe.
    ///
    /// # Errors
    /// The channel's task has ended.
    pub async fn changed(&mut self) -> Result<(), watch::error::RecvError> {
        let Some(over) = &mut self.over else {
            return self.own.changed().await;
        };
        tokio::select! {
            changed = self.own.changed() => changed,
            // What interrupts ends with the server, and takes no channel with it.
            Ok(()) = over.changed() => Ok(()),
        }
    }
}

/// A handle on a channel, as others hold it.
#[derive(Clone, Debug)]
pub struct Channel {
    /// The channel's own content, which counts on while others interrupt it.
    own: watch::Receiver<OnAir>,
    /// The interruptions that it is open to.
    interruptions: Option<Interruptions>,
    /// The nights of the screen that has it, where they are not the house's.
    own_night: Option<OwnNight>,
    /// Where commands go; a live channel carries out none.
    acts: Option<mpsc::Sender<Ask>>,
    /// The slides that were on lately.
    history: Arc<Mutex<History>>,
    holds: Arc<()>,
    /// Held, where no task does it, so that the channel stays alive.
    _on_air: Option<Arc<watch::Sender<OnAir>>>,
}

#[derive(Debug)]
struct Ask {
    what: Asked,
    reply: oneshot::Sender<Result<Arc<Programme>, UnknownPhoto>>,
}

/// The thing that a channel's task is asked for.
#[derive(Debug)]
enum Asked {
    /// A command, by whom, if that is known.
    Act(Act, Option<String>),
    /// Other photos from here on.
    Photos(Filter),
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
    pub fn on_air(&self) -> Airing {
        let interruptions = self.interruptions.as_ref();
        Airing {
            own: self.own.clone(),
            over: interruptions.map(|interruptions| interruptions.now.clone()),
        }
    }

    /// The channel's own programme as it is now, where it has one: it counts on while the channel is interrupted.
    pub fn programme(&self) -> Option<Arc<Programme>> {
        match &*self.own.borrow() {
            OnAir::Programme(programme) => Some(programme.clone()),
            OnAir::Live(_) | OnAir::Afar(_) => None,
        }
    }

    /// The channel of another server that it shows, where it does.
    pub fn afar(&self) -> Option<Afar> {
        match &*self.own.borrow() {
            OnAir::Afar(afar) => Some(afar.clone()),
            OnAir::Programme(_) | OnAir::Live(_) => None,
        }
    }

    /// The slides that were on in the last hour, the latest first; of a live channel none.
    pub fn history(&self) -> Vec<Slide> {
        locked(&self.history).latest_first().collect()
    }

    /// Whether anybody beside the asker has a hold on this channel.
    pub fn is_held(&self) -> bool {
        Arc::strong_count(&self.holds) > 1
    }

    /// Whether its task still works.
    pub fn is_alive(&self) -> bool {
        self.own.has_changed().is_ok()
    }

    /// Whether live channels may interrupt it.
    pub fn is_interruptible(&self) -> bool {
        self.interruptions.is_some()
    }

    /// The interruption that is on, if one is.
    pub fn interruption(&self) -> Option<Interruption> {
        self.interruptions.as_ref()?.now.borrow().clone()
    }

    /// How long it lasts from now on, if nothing more comes.
    pub fn interruption_lasts(&self) -> Option<Duration> {
        self.interruptions.as_ref()?.lasts()
    }

    /// Ends the interruption that is on; says whether one was.
    pub async fn dismiss(&self) -> bool {
        let Some(interruptions) = &self.interruptions else {
            return false;
        };
        let was_interrupted = interruptions.now.borrow().is_some();
        if was_interrupted {
            interruptions.dismiss().await;
        }
        was_interrupted
    }

    /// The nights of its screen, where they are not the house's.
    pub fn own_night(&self) -> Option<&OwnNight> {
        self.own_night.as_ref()
    }

    /// This channel, open to these interruptions.
    fn open_to(self, interruptions: Option<Interruptions>) -> Self {
        Self {
            interruptions,
            ..self
        }
    }

    /// Has a command carried out that `by` has given, if that is known; returns the programme after it.
    pub async fn act(&self, act: Act, by: Option<String>) -> Result<Arc<Programme>, ActError> {
        self.ask(Asked::Act(act, by)).await
    }

    /// Shows the photos that `filter` lets through, from now on.
    async fn show_only(&self, filter: Filter) -> Result<Arc<Programme>, ActError> {
        self.ask(Asked::Photos(filter)).await
    }

    async fn ask(&self, what: Asked) -> Result<Arc<Programme>, ActError> {
        let (reply, answer) = oneshot::channel();
        let acts = self.acts.as_ref().ok_or(ActError::Live)?;
        acts.send(Ask { what, reply })
            .await
            .map_err(|_| ActError::Stopping)?;
        answer
            .await
            .map_err(|_| ActError::Stopping)?
            .map_err(ActError::from)
    }
}
