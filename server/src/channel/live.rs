//! A live channel: one source of pictures under a name, and who may send to it at a time.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::SeqCst},
};

use mantel_media::inlet::Sample;
use tokio::sync::watch;

use super::{Afar, Channel, OnAir, choices::ChannelNo};
use crate::{
    rights::ChannelName,
    size::Size,
    source::live::{Came, Source},
    timeline::night::Plan,
};

/// The rule for a sender that comes while another one sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnConflict {
    /// The new one takes its place.
    #[default]
    Replace,
    /// The new one is refused.
    Refuse,
}

/// How a live channel's pictures come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intake {
    /// Somebody sends them, by this rule for a second sender.
    Pushed(OnConflict),
    /// The server fetches them itself, by what has this name.
    Fetched(&'static str),
}

impl Intake {
    /// The word for it: `push`, `camera`, `relay`, `command` or `file`.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Pushed(_) => "push",
            Self::Fetched(kind) => kind,
        }
    }
}

/// A channel of pictures that come when they come.
#[derive(Debug)]
pub struct LiveChannel {
    name: ChannelName,
    no: ChannelNo,
    channel: Channel,
    source: Arc<Source>,
    intake: Intake,
    /// When its pictures are darkened, if they are.
    night: Option<Plan>,
    /// The size of its pictures, where those come to another server.
    size_afar: Option<Size>,
    /// The turn of the sender that may send; 0 while nobody does.
    sender: watch::Sender<u64>,
    last_turn: AtomicU64,
}

/// A sender's turn; over when it is dropped, or when another one took its place.
#[derive(Debug)]
pub struct Turn {
    live: Arc<LiveChannel>,
    turn: u64,
}

/// Why a sender's turn is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// Another sender has taken the place.
    Replaced,
    /// The picture was taken off.
    Cleared,
}

/// Why nobody may send to a channel now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoTurn {
    /// Somebody else sends.
    #[error("somebody else sends to this channel, and it takes one sender at a time")]
    Taken,
    /// The server fetches its pictures itself.
    #[error("this channel shows its {0}; nothing can be pushed to it")]
    Fetched(&'static str),
}

impl LiveChannel {
    /// The channel of this name and number, which shows what `source` brings.
    pub fn new(name: ChannelName, no: ChannelNo, source: Arc<Source>, intake: Intake) -> Self {
        let (on_air, own) = watch::channel(OnAir::Live(source.reader()));
        let channel = Channel {
            own,
            interruptions: None,
            own_night: None,
            acts: None,
            history: Arc::default(),
            holds: Arc::default(),
            _on_air: Some(Arc::new(on_air)),
        };
        Self {
            name,
            no,
            channel,
            source,
            intake,
            night: None,
            size_afar: None,
            sender: watch::Sender::new(0),
            last_turn: AtomicU64::new(0),
        }
    }

    /// This channel, darkened by a plan.
    #[must_use]
    pub fn with_night(self, night: Option<Plan>) -> Self {
        Self { night, ..self }
    }

    /// When its pictures are darkened, if they are.
    pub fn night(&self) -> Option<&Plan> {
        self.night.as_ref()
    }

    /// The live channel of this name at another server, shown here as it is there, with pictures of this size, where that is
    /// known.
    pub fn of_afar(
        name: ChannelName,
        no: ChannelNo,
        source: Arc<Source>,
        size: Option<Size>,
    ) -> Self {
        let channel = Channel::of_afar(Afar::of(name.clone()));
        Self {
            channel,
            size_afar: size,
            ..Self::new(name, no, source, Intake::Fetched("house"))
        }
    }

    /// The channel's name.
    pub fn name(&self) -> &ChannelName {
        &self.name
    }

    /// The channel's number.
    pub fn no(&self) -> ChannelNo {
        self.no
    }

    /// The hold that others have of it.
    pub fn channel(&self) -> &Channel {
        &self.channel
    }

    /// The source by which pictures come in.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// Width and height of its pictures, where some have come.
    pub fn size(&self) -> Option<Size> {
        self.size_afar.or_else(|| self.source.size())
    }

    /// How its pictures come in.
    pub fn intake(&self) -> Intake {
        self.intake
    }

    /// The turn of somebody who begins to send.
    ///
    /// # Errors
    /// Somebody else sends, and this channel doesn't replace senders; or it takes none.
    pub fn begin(self: &Arc<Self>) -> Result<Turn, NoTurn> {
        let on_conflict = match self.intake {
            Intake::Pushed(on_conflict) => on_conflict,
            Intake::Fetched(kind) => return Err(NoTurn::Fetched(kind)),
        };
        let turn = self.last_turn.fetch_add(1, SeqCst) + 1;
        let mut is_refused = false;
        self.sender.send_if_modified(|now| {
            is_refused = *now != 0 && on_conflict == OnConflict::Refuse;
            if !is_refused {
                *now = turn;
            }
            !is_refused
        });
        let live = self.clone();
        if is_refused {
            return Err(NoTurn::Taken);
        }
        Ok(Turn { live, turn })
    }

    /// Ends the turn of whoever sends, and takes the picture off until the next one comes.
    ///
    /// # Errors
    /// Nobody sends to it: the server fetches its pictures itself.
    pub fn clear(&self) -> Result<(), NoTurn> {
        if let Intake::Fetched(kind) = self.intake {
            return Err(NoTurn::Fetched(kind));
        }
        self.sender.send_replace(0);
        self.source.clear();
        Ok(())
    }

    /// Whether somebody is sending.
    pub fn has_sender(&self) -> bool {
        *self.sender.borrow() != 0
    }
}

impl Turn {
    /// The channel that is sent to.
    pub fn live(&self) -> &Arc<LiveChannel> {
        &self.live
    }

    /// Done when the turn is over.
    pub async fn over(&self) -> Over {
        let mut sender = self.live.sender.subscribe();
        // The channel's own end is held here.
        let now = sender.wait_for(|now| *now != self.turn).await;
        if now.is_ok_and(|now| *now == 0) {
            Over::Cleared
        } else {
            Over::Replaced
        }
    }

    /// A picture comes, as [`Source::came`] takes it; nothing of one whose turn is over.
    pub fn came(&self, sample: Sample) -> Option<Came> {
        // Held, so that no turn ends between the question and the picture.
        let now = self.live.sender.borrow();
        (*now == self.turn).then(|| self.live.source.came(sample))
    }

    /// Video came that went on as it was, as [`Source::passed`] takes it.
    pub fn passed(&self, n_unseen: u64) {
        let now = self.live.sender.borrow();
        if *now == self.turn {
            self.live.source.passed(n_unseen);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.live.sender.send_if_modified(|now| {
            let is_own = *now == self.turn;
            if is_own {
                *now = 0;
            }
            is_own
        });
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::{
        clock::Clock,
        source::live::{Kind, Signal},
    };

    fn channel(on_conflict: OnConflict) -> Arc<LiveChannel> {
        let source = Arc::new(Source::new("plot", None, Clock::system()));
        let name = "plot".parse().unwrap();
        Arc::new(LiveChannel::new(
            name,
            ChannelNo::live(0),
            source,
            Intake::Pushed(on_conflict),
        ))
    }

    #[test]
    fn a_new_sender_takes_the_place_of_the_old_one() {
        let live = channel(OnConflict::Replace);
        assert!(!live.has_sender());
        let first = live.begin().unwrap();
        assert!(first.over().now_or_never().is_none());
        let second = live.begin().unwrap();
        assert!(first.over().now_or_never().is_some());
        drop(first);
        assert!(second.over().now_or_never().is_none());
        assert!(live.has_sender());
        drop(second);
        assert!(!live.has_sender());
    }

    #[test]
    fn what_is_taken_off_ends_a_turn_and_nothing_more_comes_of_it() {
        let live = channel(OnConflict::Refuse);
        let sample = || Sample {
            bytes: vec![0xff],
            kind: Kind::Jpeg,
            caption: None,
            timestamp: None,
            duration_millis: None,
        };
        let first = live.begin().unwrap();
        let Some(Came::Taken { no, .. }) = first.came(sample()) else {
            panic!("it is the sender's turn");
        };
        live.clear().unwrap();
        assert_eq!(first.over().now_or_never(), Some(Over::Cleared));
        assert!(first.came(sample()).is_none());
        let now = live.source().reader().now();
        assert_eq!((now.signal, now.last), (Signal::Waiting, Some(no)));
        assert!(now.sample.is_none() && !live.has_sender());
        let second = live.begin().unwrap();
        drop(first);
        let later = second.came(sample());
        assert!(matches!(later, Some(Came::Taken { no: later, .. }) if later > no));
        assert_eq!(live.source().reader().now().signal, Signal::On);
    }

    #[test]
    fn a_channel_may_keep_its_sender() {
        let live = channel(OnConflict::Refuse);
        let first = live.begin().unwrap();
        assert_eq!(live.begin().unwrap_err(), NoTurn::Taken);
        assert!(first.over().now_or_never().is_none());
        drop(first);
        assert!(live.begin().is_ok());
    }
}
