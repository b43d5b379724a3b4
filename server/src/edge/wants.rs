//! Wishes of edges: what they are sent while they have viewers, and what becomes of them at the house. A wish is good for a
//! few seconds; what nobody wishes for any more is made for nobody.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use mantel_media::wire::{Kind, Part, Topic};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::{self, error::TrySendError};

use super::{
    House,
    bus::Bus,
    publish::Publisher,
    wish::{Ungranted, Wish},
};
use crate::{
    channel::choices::FeedKey,
    hub::{Lease, Pictures},
    rendition::Rendition,
    rights::{ChannelName, Need, Right},
};

/// The most wishes that are granted at a time: more renditions than are made here at once.
const MAX_WANTS: usize = 64;
/// Wishes of one kind that wait to be looked at.
const QUEUE: usize = 64;

/// The kinds of pictures that an edge has viewers for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kinds {
    #[serde(default)]
    pub(super) stills: bool,
    #[serde(default)]
    pub(super) motion: bool,
    #[serde(default)]
    pub(super) video: bool,
    /// Whether video is cut into pieces, which begin at key frames.
    #[serde(default)]
    pub(super) cuts: bool,
    /// How many pictures of it are needed while nothing moves.
    #[serde(default)]
    pub(super) pictures: Pictures,
}

/// A wish as it travels.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct WantText {
    /// The wish's own text.
    pub(super) wish: String,
    pub(super) kinds: Kinds,
}

/// A wish that has come.
#[derive(Debug)]
pub(super) struct Want {
    pub(super) kinds: Kinds,
    /// Where what stands is to be sent.
    pub(super) reply: Option<String>,
}

/// The topic of wishes of a house.
pub(super) fn topic(house: &str) -> Topic {
    Topic::of(&format!("want {house}"))
}

/// How many wishes were not granted.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    n: AtomicU64,
}

impl Refusals {
    pub(super) fn n(&self) -> u64 {
        self.n.load(Relaxed)
    }

    /// The first of them is told, and then fewer and fewer.
    fn count(&self, why: &str) {
        let n = self.n.fetch_add(1, Relaxed) + 1;
        if n.is_power_of_two() {
            tracing::warn!(n, "an edge wishes for what it doesn't get: {why}");
        }
    }
}

/// The wishes that are granted.
pub(super) struct Wants {
    bus: Arc<Bus>,
    house: House,
    refusals: Arc<Refusals>,
    granted: HashMap<Topic, mpsc::Sender<Want>>,
}

impl Wants {
    pub(super) fn new(bus: Arc<Bus>, house: House, refusals: Arc<Refusals>) -> Self {
        Self {
            bus,
            house,
            refusals,
            granted: HashMap::new(),
        }
    }

    /// Grants nothing any more: what was granted ends.
    pub(super) fn clear(&mut self) {
        self.granted.clear();
    }

    /// Grants the wish that has come, if it can be.
    pub(super) async fn take(&mut self, part: &Part<'_>, reply: Option<String>) {
        if let Err(why) = self.granted(part, reply).await {
            self.refusals.count(&why);
        }
    }

    async fn granted(&mut self, part: &Part<'_>, reply: Option<String>) -> Result<(), String> {
        debug_assert_eq!(part.head.kind, Kind::Want);
        let malformed = || "it can't be read".to_owned();
        let text: WantText = serde_json::from_slice(part.payload).map_err(|_| malformed())?;
        let topic = Topic::of(&text.wish);
        let mut want = Want {
            kinds: text.kinds,
            reply,
        };
        // What has been granted is not read again.
        if let Some(granted) = self.granted.get(&topic) {
            match granted.try_send(want) {
                Ok(()) | Err(TrySendError::Full(_)) => return Ok(()),
                Err(TrySendError::Closed(back)) => want = back,
            }
        }
        self.granted.retain(|_, granted| !granted.is_closed());
        if self.granted.len() >= MAX_WANTS {
            return Err(format!(
                "{MAX_WANTS} wishes are granted already, which is the limit"
            ));
        }
        let read = Wish::read(
            &text.wish,
            |name| self.default(name),
            self.house.interval_millis(),
        );
        let wish = read.map_err(|why| match why {
            Ungranted::Malformed => malformed(),
            Ungranted::OffTheLadder => "nobody makes pictures of such a shape".to_owned(),
        })?;
        if wish.text() != text.wish {
            return Err(malformed());
        }
        let lease = self.open(&wish).await?;
        let (sender, wants) = mpsc::channel(QUEUE);
        let publisher = Publisher {
            bus: self.bus.clone(),
            framing: self.house.framing.clone(),
            topic,
            subject: wish.subject(),
            lease,
            wants,
        };
        tokio::spawn(publisher.run());
        let _ = sender.try_send(want);
        self.granted.insert(topic, sender);
        Ok(())
    }

    /// The rendition of whoever asks for nothing in particular.
    fn default(&self, name: &ChannelName) -> Rendition {
        let live = self.house.channels.live().named(name);
        let size = live.and_then(|live| live.size());
        Rendition {
            size: size.unwrap_or(self.house.rendition.size),
            ..self.house.rendition
        }
    }

    async fn open(&self, wish: &Wish) -> Result<Lease, String> {
        let House {
            feeds,
            channels,
            rights,
            ..
        } = &self.house;
        let name = &wish.afar.name;
        if !rights.allow(&Need::Of(Right::Watch, name.clone())) {
            return Err(format!(
                "edges have no right to watch {name} (--edge-rights)"
            ));
        }
        let live = channels.live().named(name);
        let (no, held) = match live {
            Some(live) => channels
                .live_by_night(&live, None)
                .map_err(|error| error.to_string())?,
            None if *name != ChannelName::main() => {
                return Err(format!("there is no channel {name}"));
            }
            None => {
                let chosen = channels.choose(&wish.afar.filter).await;
                let chosen = chosen.map_err(|error| error.to_string())?;
                if wish.afar.is_interruptible {
                    chosen
                } else {
                    channels.undisturbed(chosen)
                }
            }
        };
        let key = FeedKey {
            channel: no,
            rendition: wish.rendition,
        };
        match feeds.open(&key, &held) {
            Ok(Some(lease)) => Ok(lease),
            Ok(None) => Err("the server is stopping".into()),
            Err(full) => Err(full.to_string()),
        }
    }
}
