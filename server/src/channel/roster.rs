//! The live channels that there are: those of the configuration, and those that a push has made, where that is allowed.
//!
//! What was made goes an hour after its last picture, so that a mistyped name is no channel for ever.

use std::{
    sync::{Arc, PoisonError, RwLock, Weak},
    time::Duration,
};

use tokio::time::timeout;

use super::{
    choices::ChannelNo,
    live::{Intake, LiveChannel, OnConflict},
};
use crate::{
    clock::Clock, rights::ChannelName, size::Size, source::live::Source, timeline::night::Plan,
};

/// The limit of channels that pushes have made.
const MAX_MADE: usize = 16;

/// How long a channel stays that a push has made, after its last picture.
const STAYS: Duration = Duration::from_secs(3600);

/// The live channels.
#[derive(Debug)]
pub struct Roster {
    held: RwLock<Held>,
    /// Whether a push makes the channel that it names.
    creates: bool,
    clock: Clock,
}

#[derive(Clone, Debug)]
struct Held {
    all: Arc<[Arc<LiveChannel>]>,
    /// The gallery's name, and theirs.
    names: Arc<[ChannelName]>,
    /// Those that pushes have made.
    made: Vec<ChannelName>,
    /// How many there have been: no number is given twice, because feeds may outlive their channel.
    n_numbers: usize,
}

/// Why a push makes no channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoChannel {
    /// Pushes make none here.
    #[error("there is no such channel, and pushes make none")]
    NotAllowed,
    /// There are as many as there may be.
    #[error(
        "{MAX_MADE} channels have been made by pushes, which is the limit; one goes an hour after its last picture, or \
         send to one of those that there are"
    )]
    TooMany,
}

impl Roster {
    /// The channels of the configuration, each a name, its source, how its pictures come in, and its nights; `creates` tells whether a
    /// push makes others.
    pub fn new(
        live: impl IntoIterator<Item = (ChannelName, Arc<Source>, Intake, Option<Plan>)>,
        creates: bool,
        clock: Clock,
    ) -> Self {
        let live = live.into_iter().enumerate();
        let all: Arc<[_]> = live
            .map(|(place, (name, source, intake, night))| {
                let no = ChannelNo::live(place);
                Arc::new(LiveChannel::new(name, no, source, intake).with_night(night))
            })
            .collect();
        let held = Held {
            names: names(&all),
            n_numbers: all.len(),
            made: Vec::new(),
            all,
        };
        Self {
            held: RwLock::new(held),
            creates,
            clock,
        }
    }

    /// All of them, in the order in which they were named or made.
    pub fn all(&self) -> Arc<[Arc<LiveChannel>]> {
        self.read(|held| held.all.clone())
    }

    /// The one of this name.
    pub fn named(&self, name: &ChannelName) -> Option<Arc<LiveChannel>> {
        self.read(|held| held.all.iter().find(|live| live.name() == name).cloned())
    }

    /// The gallery's name, and theirs.
    pub fn names(&self) -> Arc<[ChannelName]> {
        self.read(|held| held.names.clone())
    }

    /// Whether a push makes the channel that it names.
    pub fn creates(&self) -> bool {
        self.creates
    }

    /// The channel of this name, for a push: made if there is none. It goes when nothing has come for an hour.
    ///
    /// # Errors
    /// None may be made, or no more.
    pub fn named_or_made(
        self: &Arc<Self>,
        name: &ChannelName,
    ) -> Result<Arc<LiveChannel>, NoChannel> {
        if let Some(live) = self.named(name) {
            return Ok(live);
        }
        if !self.creates || *name == ChannelName::main() {
            return Err(NoChannel::NotAllowed);
        }
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        // Another push may have been quicker.
        if let Some(live) = held.all.iter().find(|live| live.name() == name) {
            return Ok(live.clone());
        }
        if held.made.len() >= MAX_MADE {
            return Err(NoChannel::TooMany);
        }
        let source = Arc::new(Source::new(name.as_str(), None, self.clock.clone()));
        let no = ChannelNo::live(held.n_numbers);
        let intake = Intake::Pushed(OnConflict::default());
        let live = Arc::new(LiveChannel::new(name.clone(), no, source, intake));
        held.n_numbers += 1;
        held.made.push(name.clone());
        held.all = held.all.iter().chain([&live]).cloned().collect();
        held.names = names(&held.all);
        drop(held);
        tracing::info!(channel = %name, "a push has made a channel");
        tokio::spawn(go_when_left(Arc::downgrade(self), live.clone()));
        Ok(live)
    }

    /// Has exactly these channels of another server, each with the size of its pictures, where that is known.
    pub fn follow(&self, afar: &[(ChannelName, Option<Size>)]) {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        let mut all = Vec::new();
        for (name, size) in afar {
            let known = held.all.iter().find(|live| live.name() == name).cloned();
            all.push(match known {
                Some(known) if known.size() == *size => known,
                known => {
                    let no = known.map(|known| known.no());
                    let no = no.unwrap_or_else(|| ChannelNo::live(held.n_numbers));
                    held.n_numbers += 1;
                    let source = Source::new(name.as_str(), None, self.clock.clone());
                    let live = LiveChannel::of_afar(name.clone(), no, Arc::new(source), *size);
                    Arc::new(live)
                }
            });
        }
        held.all = all.into();
        held.names = names(&held.all);
    }

    fn remove(&self, gone: &Arc<LiveChannel>) {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        held.all = held
            .all
            .iter()
            .filter(|live| !Arc::ptr_eq(live, gone))
            .cloned()
            .collect();
        held.made.retain(|name| name != gone.name());
        held.names = names(&held.all);
    }

    fn read<T>(&self, read: impl FnOnce(&Held) -> T) -> T {
        read(&self.held.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn names(all: &[Arc<LiveChannel>]) -> Arc<[ChannelName]> {
    let live = all.iter().map(|live| live.name().clone());
    std::iter::once(ChannelName::main()).chain(live).collect()
}

/// Takes a channel away that a push has made, when no picture has come for long enough.
async fn go_when_left(roster: Weak<Roster>, live: Arc<LiveChannel>) {
    let mut pictures = live.source().reader().live();
    loop {
        let last = pictures.borrow().last;
        let newer = pictures.wait_for(|live| live.last != last);
        match timeout(STAYS, newer).await {
            Ok(Ok(_)) => {}
            // Its source is held here, so that it has ended by no fault of its own.
            Ok(Err(_)) | Err(_) => break,
        }
    }
    if let Some(roster) = roster.upgrade() {
        roster.remove(&live);
        tracing::info!(channel = %live.name(), "nothing has come for an hour; the channel that a push made is gone");
    }
    // A sender that still holds its connection hears that it is over, and makes the channel anew by its next push.
    let _ = live.clear();
}

#[cfg(test)]
mod tests {
    use mantel_media::inlet::{Kind, Sample};

    use super::*;

    fn roster(creates: bool) -> Arc<Roster> {
        let clock = Clock::system();
        let source = Arc::new(Source::new("plot", None, clock.clone()));
        let plot = (
            "plot".parse().unwrap(),
            source,
            Intake::Fetched("file"),
            None,
        );
        Arc::new(Roster::new([plot], creates, clock))
    }

    fn name(text: &str) -> ChannelName {
        text.parse().unwrap()
    }

    fn listed(roster: &Roster) -> String {
        let names = roster.names();
        let names: Vec<&str> = names.iter().map(ChannelName::as_str).collect();
        names.join(" ")
    }

    fn picture() -> Sample {
        Sample {
            bytes: vec![0xff],
            kind: Kind::Jpeg,
            caption: None,
            timestamp: None,
            duration_millis: None,
        }
    }

    /// Moves the clock of the test, and lets whoever waits for that go on.
    async fn after(minutes: u64) {
        tokio::time::sleep(Duration::from_secs(minutes * 60)).await;
        tokio::task::yield_now().await;
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_push_made_goes_an_hour_after_its_last_picture() {
        let roster = roster(true);
        let cam = roster.named_or_made(&name("cam")).unwrap();
        assert!(Arc::ptr_eq(
            &cam,
            &roster.named_or_made(&name("cam")).unwrap()
        ));
        assert_eq!(listed(&roster), "main plot cam");
        let turn = cam.begin().unwrap();
        for _ in 0..3 {
            after(59).await;
            turn.came(picture()).unwrap();
        }
        after(59).await;
        assert_eq!(listed(&roster), "main plot cam");
        after(2).await;
        assert_eq!(listed(&roster), "main plot");
        assert!(roster.named(&name("cam")).is_none());
        assert!(turn.came(picture()).is_none());
        // Its next push makes it anew, under another number.
        let again = roster.named_or_made(&name("cam")).unwrap();
        assert_ne!(again.no(), cam.no());
        after(61).await;
        assert_eq!(listed(&roster), "main plot");
    }

    #[tokio::test(start_paused = true)]
    async fn only_so_many_are_made_and_none_where_that_was_not_asked_for() {
        let closed = roster(false);
        assert_eq!(
            closed.named_or_made(&name("cam")).unwrap_err(),
            NoChannel::NotAllowed
        );
        assert!(closed.named_or_made(&name("plot")).is_ok());
        let open = roster(true);
        assert_eq!(
            open.named_or_made(&ChannelName::main()).unwrap_err(),
            NoChannel::NotAllowed
        );
        for n in 0..MAX_MADE {
            open.named_or_made(&name(&format!("cam-{n}"))).unwrap();
        }
        assert_eq!(
            open.named_or_made(&name("more")).unwrap_err(),
            NoChannel::TooMany
        );
        assert!(open.named_or_made(&name("cam-7")).is_ok());
        after(61).await;
        assert!(open.named_or_made(&name("more")).is_ok());
    }
}
