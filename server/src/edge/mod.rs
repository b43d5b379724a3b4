//! Past one machine: the pictures of a house, made once, shown by other machines. Between them is a bus of NATS.
//!
//! The house's own machine ([`start_house`]) publishes what edges wish for; an edge ([`Edge`]) has feeds that are filled by
//! what comes ([`Edge::fill`]), and has the house answer what is asked about it ([`Edge::ask`]). Knows no HTTP but the form
//! of requests, and makes no pixels but a card's.
//!
//! ```text
//! mantel.HOUSE.hello                        who is there? answered to the asker, with what an edge has to know
//! mantel.HOUSE.want.CHANNEL.RENDITION       every 5 s while there are viewers; with an inbox: and what stands, now
//! mantel.HOUSE.show.CHANNEL.RENDITION.KIND  stills, motion, video: as they are published
//! mantel.HOUSE.ask                          a request of an edge's visitor
//! ```

mod asks;
mod bus;
mod card;
mod contact;
mod ear;
mod election;
mod film;
mod hello;
mod link;
mod origin;
mod publish;
mod replica;
mod shown;
mod wants;
mod wish;

use std::{
    fmt,
    sync::{Arc, Weak},
    time::Duration,
};

use futures_util::future::BoxFuture;
use serde::Serialize;
use tokio::sync::watch;

pub use asks::{Answered, AskError, Asked, MAX_BODY};
use bus::Bus;
pub use bus::BusError;
use contact::{Contact, Signal, Why};
pub use replica::Filming;
use replica::{Replica, Shared};
use wants::Refusals;
use wish::Wish;

use crate::{
    channel::{
        Channel,
        choices::{Channels, FeedKey},
    },
    clock::Clock,
    config::BusConfig,
    hub::{Feed, Feeds, Framing},
    rendition::Rendition,
    rights::{ChannelName, Rights},
    size::Size,
};

/// Has a request answered that was passed on.
pub type Answer = Arc<dyn Fn(Asked) -> BoxFuture<'static, Answered> + Send + Sync>;

/// A house as edges may have it.
#[derive(Clone)]
pub struct House {
    /// The feeds that are filled here.
    pub feeds: Arc<Feeds<FeedKey, Channel>>,
    /// The channels.
    pub channels: Arc<Channels>,
    /// How frames are framed.
    pub framing: Arc<Framing>,
    /// The rendition of whoever asks for nothing in particular.
    pub rendition: Rendition,
    /// How long slides stay, as configured.
    pub interval_millis: u64,
    /// The rights of edges.
    pub rights: Rights,
    /// The function that answers requests.
    pub answer: Answer,
}

impl House {
    /// How long slides stay now.
    fn interval_millis(&self) -> u64 {
        let programme = self.channels.main().programme();
        programme.map_or(self.interval_millis, |all| all.settings().interval_millis)
    }
}

impl fmt::Debug for House {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("House").finish_non_exhaustive()
    }
}

/// The sending side of a bus, for figures.
#[derive(Clone, Debug)]
pub struct Sent {
    bus: Arc<Bus>,
    refusals: Arc<Refusals>,
}

/// Figures of a bus.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Figures {
    /// Whether there is a connection.
    pub connected: bool,
    /// Bytes that were sent, all in all.
    pub sent_bytes: u64,
    /// Bytes that came.
    pub came_bytes: u64,
    /// Messages that were dropped, because they were of somebody else, forged, of another version, malformed or old.
    pub dropped: u64,
    /// Pictures of which a part was lost.
    pub holes: u64,
    /// Wishes of edges that were not granted.
    pub refused: u64,
}

fn figures(bus: &Bus, refused: u64) -> Figures {
    let counts = bus.counts();
    let (sent_bytes, came_bytes) = bus.n_bytes();
    Figures {
        connected: bus.is_connected(),
        sent_bytes,
        came_bytes,
        dropped: counts.foreign
            + counts.other_version
            + counts.unsigned
            + counts.forged
            + counts.lying
            + counts.replayed,
        holes: counts.holes,
        refused,
    }
}

impl Sent {
    /// The figures as they are now.
    pub fn figures(&self) -> Figures {
        figures(&self.bus, self.refusals.n())
    }
}

/// Publishes the pictures of `house` for edges that wish for them, until `stopped`.
///
/// # Errors
/// The settings can't be.
pub async fn start_house(
    setup: &BusConfig,
    house: House,
    stopped: watch::Receiver<bool>,
) -> Result<Sent, BusError> {
    let bus = Bus::open(setup, Clock::system()).await?;
    warn_unsigned(setup);
    let refusals = Arc::new(Refusals::default());
    tokio::spawn(origin::run(bus.clone(), house, refusals.clone(), stopped));
    Ok(Sent { bus, refusals })
}

fn warn_unsigned(setup: &BusConfig) {
    if setup.key.is_none() {
        tracing::warn!(
            "pictures by NATS are not signed: whoever may publish there can show anything on the screens; --house-key FILE, the \
             same on all machines, helps"
        );
    }
}

/// A live channel of a house: its name, and the size of its pictures, where that is known.
pub type LiveFacts = (ChannelName, Option<Size>);

/// A machine that shows the house of another one.
#[derive(Debug)]
pub struct Edge {
    shared: Shared,
    stopped: watch::Receiver<bool>,
}

/// The facts that an edge knows of its house, for people and programs.
#[derive(Clone, Debug, Serialize)]
pub struct Told {
    /// The name of the house.
    pub house: String,
    /// Whether it answers.
    pub heard: bool,
    /// Why not.
    pub why: Option<&'static str>,
    /// How many milliseconds its clock is ahead.
    pub clock_ahead_millis: i64,
    /// Figures of the bus.
    #[serde(flatten)]
    pub figures: Figures,
}

impl Edge {
    /// Looks for the house, until `stopped`. While it is silent, `filming` makes video of the card that says so.
    ///
    /// # Errors
    /// The settings can't be.
    pub async fn start(
        setup: &BusConfig,
        framing: Arc<Framing>,
        filming: Filming,
        stopped: watch::Receiver<bool>,
    ) -> Result<Self, BusError> {
        let bus = Bus::open(setup, Clock::system()).await?;
        warn_unsigned(setup);
        let unknown = Arc::new(contact::unknown());
        let contact = unknown.subscribe();
        let (keeping, mut until) = (contact::keep(bus.clone(), unknown), stopped.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = keeping => {}
                _ = until.wait_for(|stopped| *stopped) => {}
            }
        });
        Ok(Self {
            shared: Shared {
                bus,
                contact,
                framing,
                silent_after: setup.silent_after,
                filming,
            },
            stopped,
        })
    }

    /// Waits until the house is heard, or for so long.
    pub async fn heard_within(&self, span: Duration) {
        let mut contact = self.shared.contact.clone();
        let heard = contact.wait_for(|contact| contact.signal == Signal::On);
        let _ = tokio::time::timeout(span, heard).await;
    }

    /// Starts what fills `feed` with what the house shows.
    pub fn fill(
        &self,
        feeds: Weak<Feeds<FeedKey, Channel>>,
        key: FeedKey,
        channel: &Channel,
        feed: Arc<Feed>,
    ) {
        let Some(afar) = channel.afar() else {
            tracing::error!("a channel of this machine's own can't be filled by another one");
            return feed.end();
        };
        let wish = Wish {
            afar,
            rendition: key.rendition,
        };
        let replica = Replica {
            shared: self.shared.clone(),
            key,
            wish,
            feed,
            feeds,
        };
        tokio::spawn(replica.run(self.stopped.clone()));
    }

    /// Has the house answer a request.
    ///
    /// # Errors
    /// It does not.
    pub async fn ask(&self, asked: Asked) -> Result<Answered, AskError> {
        asks::ask(&self.shared.bus, &self.shared.contact, asked).await
    }

    /// Waits until the house has other live channels than these, each with the size of its pictures, where that is known;
    /// `None` when no more is heard.
    pub async fn channels_beside(&self, known: &[LiveFacts]) -> Option<Vec<LiveFacts>> {
        let mut contact = self.shared.contact.clone();
        loop {
            let now = live_channels(&contact.borrow_and_update());
            if now != known {
                return Some(now);
            }
            contact.changed().await.ok()?;
        }
    }

    /// The facts that are known of the house.
    pub fn told(&self) -> Told {
        let contact = self.shared.contact.borrow().clone();
        Told {
            house: self.shared.bus.house().to_owned(),
            heard: contact.signal == Signal::On,
            why: match contact.signal {
                Signal::On => None,
                Signal::Silent { why, .. } => Some(match why {
                    Why::NoBus => "the NATS servers can't be reached",
                    Why::NoAnswer => "no server sends its pictures",
                }),
            },
            clock_ahead_millis: contact.ahead.0,
            figures: figures(&self.shared.bus, 0),
        }
    }
}

fn live_channels(contact: &Contact) -> Vec<LiveFacts> {
    let all = contact.facts.channels.iter();
    let read = all.filter_map(|live| {
        let size = live.size.as_ref().and_then(|size| size.parse().ok());
        Some((live.name.parse().ok()?, size))
    });
    read.take(MAX_CHANNELS).collect()
}

/// More live channels than a house has.
const MAX_CHANNELS: usize = 256;
