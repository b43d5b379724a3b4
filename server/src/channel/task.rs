//! The task that owns a channel's programme.
//!
//! Commands come in through one bounded queue, changes of the library through a watch; after each
//! the new timeline is published whole. Everybody else works with such a copy, which is a pure
//! function of time, so nobody asks this task what is on. Knows no pixels and no HTTP.

#![expect(
    clippy::disallowed_methods,
    reason = "the monotonic clock tells how far the wall clock was set"
)]

use std::{
    num::NonZeroU64,
    sync::{Arc, Mutex},
    time::Duration,
};

use mantel_shared::UnixMillis;
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};

use super::{Ask, Asked, Channel, OnAir, StateFile, Veils};
use crate::{
    blocking::Blocking,
    clock::Clock,
    library::Filter,
    locked::locked,
    photo::PhotoId,
    rendition::Pair,
    source::catalogue::Catalogue,
    timeline::{
        Act, History, Often, Order, Programme, Roster, SavedProgramme, Settings, UnknownPhoto,
    },
};

/// Commands that may wait; a person presses no faster than they are carried out.
const QUEUE: usize = 16;

/// How often a playlist is worked out again because slides moved on meanwhile.
const MAX_TRIES: usize = 4;

/// How often the clock is compared with itself.
const CLOCK_CHECK: Duration = Duration::from_secs(1);

/// By how many milliseconds the clock may go back without a word: the network's time is followed by small steps.
const UNNOTICED: u64 = 500;

/// The setup that every channel of a server shares.
#[derive(Clone, Debug)]
pub struct ChannelSetup {
    /// The photos that there are to show.
    pub catalogue: Arc<Catalogue>,
    /// Interval and transition.
    pub settings: Settings,
    /// In which order photos come.
    pub order: Order,
    /// The seed of the shuffle.
    pub seed: u64,
    /// The photos that come more often in it; which day it is is filled in.
    pub often: Often,
    /// After how many milliseconds a pause ends by itself, if it does.
    pub resume_after: Option<NonZeroU64>,
    /// Which photos share a slide on the screens whose history is kept.
    pub pair: Pair,
    /// The veils over the slides.
    pub veils: Arc<Veils>,
    /// By which slides come and go.
    pub clock: Clock,
}

/// The part that a channel plays in the house.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "one for each channel, and gone at once"
)]
pub enum Role {
    /// The main channel, on when nobody chooses. It keeps its place over restarts, and when there is no photo
    /// to show it shows the demo's pictures.
    Main {
        /// Where its place is kept, if anywhere.
        state: Option<StateFile>,
        /// Where it was.
        saved: SavedProgramme,
    },
    /// Somebody's choice of photos, as long as it is watched.
    Choice,
}

/// Which photos a channel shows, in which order.
#[derive(Clone, Debug)]
struct Choice {
    common: ChannelSetup,
    filter: Filter,
    is_main: bool,
}

impl Choice {
    fn roster(&self, blocking: Blocking) -> Roster {
        let ChannelSetup {
            catalogue,
            order,
            seed,
            often,
            clock,
            ..
        } = &self.common;
        let entries = if self.is_main {
            catalogue.entries_or_demo(blocking, &self.filter, *order)
        } else {
            catalogue.library().entries(blocking, &self.filter, *order)
        };
        let often = Often {
            today: Some(clock.today()),
            ..*often
        };
        Roster::new(entries, *order, *seed).with_often(often)
    }
}

/// The owner of a channel's programme.
#[derive(Debug)]
pub struct ChannelTask {
    choice: Choice,
    changes: watch::Receiver<u64>,
    state: Option<StateFile>,
    programme: Programme,
    published: watch::Sender<OnAir>,
    acts: mpsc::Receiver<Ask>,
    history: Arc<Mutex<History>>,
    /// The clock's last reading, and when that was by a clock that nobody sets.
    last: (UnixMillis, Instant),
}

impl ChannelTask {
    /// A channel that shows what `filter` lets through. Asks the index: called before anything is served, or on
    /// a thread that may wait.
    pub fn new(common: ChannelSetup, filter: Filter, role: Role) -> (Self, Channel) {
        let choice = Choice {
            common,
            filter,
            is_main: matches!(role, Role::Main { .. }),
        };
        let (state, saved) = match role {
            Role::Main { state, saved } => (state, saved),
            Role::Choice => (None, SavedProgramme::default()),
        };
        // From before the playlist is made: what comes meanwhile counts.
        let changes = choice.common.catalogue.library().changes();
        let roster = Arc::new(choice.roster(Blocking::here()));
        let now = choice.common.clock.now();
        let mut programme = Programme::new(choice.common.settings, &roster, saved, now);
        // The first picture of a night is no flash.
        programme.set_veil(choice.common.veils.at(now), now);
        let (published, receiver) = watch::channel(OnAir::Programme(Arc::new(programme.clone())));
        let (sender, acts) = mpsc::channel(QUEUE);
        let history = Arc::default();
        let task = Self {
            choice,
            changes,
            state,
            programme,
            published,
            acts,
            history: Arc::clone(&history),
            last: (now, Instant::now()),
        };
        (
            task,
            Channel {
                own: receiver,
                interruptions: None,
                own_night: None,
                acts: Some(sender),
                history,
                holds: Arc::default(),
                _on_air: None,
            },
        )
    }

    /// Runs until every [`Channel`] is gone or the task is aborted.
    pub async fn run(mut self) {
        // What is still being sorted holds up a thread that serves nobody.
        let programme = self.programme.clone();
        let _ = Blocking::run(move |_| programme.wait()).await;
        let mut tick = tokio::time::interval(CLOCK_CHECK);
        let clock = self.choice.common.clock.clone();
        let mut day = clock.today();
        let mut veils = self.choice.common.veils.changes();
        loop {
            tokio::select! {
                Ok(()) = veils.changed() => self.take_veil().await,
                ask = self.acts.recv() => {
                    let Some(ask) = ask else { return };
                    let result = self.carry_out(ask.what).await;
                    let programme = self.publish().await;
                    // Who asked may have gone: the command stands all the same.
                    let _ = ask.reply.send(result.map(|()| programme));
                }
                Ok(()) = self.changes.changed() => {
                    self.changes.mark_unchanged();
                    self.take_playlist().await;
                }
                _ = tick.tick() => {
                    let (now, went_back) = self.read_clock();
                    if went_back {
                        self.publish().await;
                    }
                    self.note(now);
                    self.take_veil().await;
                    if let Some(after) = self.choice.common.resume_after
                        && self.programme.end_pause(after, now)
                    {
                        tracing::info!("the pause has lasted long enough; slides go on");
                        self.publish().await;
                    }
                    if self.programme.settle(now) {
                        self.publish().await;
                    }
                    // What happened on this day changes at midnight.
                    let today = clock.today();
                    let is_daily = self.choice.filter.changes_daily() || self.choice.common.often.changes_daily();
                    if std::mem::replace(&mut day, today) != today && is_daily {
                        self.take_playlist().await;
                    }
                }
            }
        }
    }

    async fn carry_out(&mut self, what: Asked) -> Result<(), UnknownPhoto> {
        let (act, by) = match what {
            Asked::Act(act, by) => (act, by),
            Asked::Photos(filter) => {
                self.choice.filter = filter;
                self.take_playlist().await;
                // Nobody who chooses wants to see first what was announced before.
                match self.first_of_choice().await {
                    Some(photo) => (Act::Show(photo), None),
                    None => return Ok(()),
                }
            }
        };
        let (now, _) = self.read_clock();
        self.note(now);
        self.programme.act(act, by, now)
    }

    /// A photo to begin a choice with; in a shuffle not always the same one.
    async fn first_of_choice(&self) -> Option<PhotoId> {
        let (choice, now) = (self.choice.clone(), self.choice.common.clock.now());
        let found = Blocking::run(move |blocking| {
            let ChannelSetup {
                catalogue, order, ..
            } = &choice.common;
            let all = catalogue
                .library()
                .entries(blocking, &choice.filter, *order);
            let place = match order {
                Order::Shuffle => now.0 % (all.len() as u64).max(1),
                _ => 0,
            };
            let place = usize::try_from(place).unwrap_or(0);
            all.get(place).map(|entry| entry.id)
        });
        found.await.ok().flatten()
    }

    /// The time, and whether the clock was set back. The programme is told of that before anything else: by the earlier time
    /// it would show earlier slides.
    fn read_clock(&mut self) -> (UnixMillis, bool) {
        let now = self.choice.common.clock.now();
        let (last, read_at) = std::mem::replace(&mut self.last, (now, Instant::now()));
        let went_back = now.0 + UNNOTICED < last.0;
        if went_back {
            tracing::warn!("the clock went back; slides go on from where they were");
            // What is on screen by now, not what was when the clock was read last.
            let since = u64::try_from(read_at.elapsed().as_millis()).unwrap_or(0);
            self.programme
                .clock_went_back(UnixMillis(last.0 + since), now);
        }
        (now, went_back)
    }

    /// Lays over the slides what lies over them by now.
    async fn take_veil(&mut self) {
        let (now, went_back) = self.read_clock();
        let veil = self.choice.common.veils.at(now);
        let is_news = veil != *self.programme.veil();
        if is_news {
            self.note(now);
            self.programme.set_veil(veil, now);
        }
        if is_news || went_back {
            self.publish().await;
        }
    }

    /// Keeps in mind what has been on up to `now`: a change is about to come, or might.
    fn note(&self, now: UnixMillis) {
        let pair = self.choice.common.pair;
        self.programme.note(&mut locked(&self.history), pair, now);
    }

    async fn take_playlist(&mut self) {
        let mut roster = None;
        for _ in 0..MAX_TRIES {
            let (programme, choice, known) =
                (self.programme.clone(), self.choice.clone(), roster.take());
            // Sorting a hundred thousand photos is no work for a thread that serves sockets.
            let built = Blocking::run(move |blocking| {
                let roster = known.unwrap_or_else(|| Arc::new(choice.roster(blocking)));
                let asked = choice.common.clock.now();
                let playlists = programme.playlists_of(&roster, asked);
                (roster, asked, playlists)
            });
            let Ok((built, asked, playlists)) = built.await else {
                return;
            };
            let (now, _) = self.read_clock();
            // New photos come behind the slide that was announced when they were placed.
            if self.programme.same_slide(asked, now) {
                self.note(now);
                self.programme = self.programme.with_playlists(playlists, now);
                self.publish().await;
                return;
            }
            roster = Some(built);
        }
        // Slides change faster than photos are sorted: what is announced is kept all the same.
        if let Some(roster) = roster {
            let (now, _) = self.read_clock();
            self.note(now);
            let playlists = self.programme.playlists_of(&roster, now);
            self.programme = self.programme.with_playlists(playlists, now);
            self.publish().await;
        }
    }

    async fn publish(&mut self) -> Arc<Programme> {
        // What came on by this is history as well, before anybody can ask.
        self.note(self.choice.common.clock.now());
        let programme = Arc::new(self.programme.clone());
        self.published
            .send_replace(OnAir::Programme(programme.clone()));
        if let Some(state) = &mut self.state {
            state.save(self.choice.common.seed, &self.programme).await;
        }
        programme
    }
}

#[cfg(test)]
mod tests {
    use super::{super::ActError, *};
    use crate::{library::Library, timeline::Transition};

    fn common(seed: u64) -> ChannelSetup {
        ChannelSetup {
            catalogue: Arc::new(Catalogue::new(Arc::new(Library::in_memory(Vec::new())))),
            settings: Settings {
                interval_millis: 10_000,
                transition: Transition::Cut,
            },
            order: Order::Shuffle,
            seed,
            often: Often::default(),
            resume_after: None,
            pair: Pair::Wide,
            veils: Arc::new(Veils::new(None)),
            clock: Clock::system(),
        }
    }

    #[tokio::test]
    async fn a_restart_keeps_seed_and_place() {
        let dir = tempfile::tempdir().unwrap();
        let start = || {
            let (state, seed, saved) = StateFile::open(dir.path(), 1);
            let role = Role::Main {
                state: Some(state),
                saved,
            };
            let (task, channel) =
                ChannelTask::new(common(seed.unwrap_or(77)), Filter::default(), role);
            (tokio::spawn(task.run()), channel)
        };
        let (task, channel) = start();
        channel.act(Act::Previous, None).await.unwrap();
        let paused = channel.act(Act::Pause, None).await.unwrap();
        task.abort();

        let (_, seed, _) = StateFile::open(dir.path(), 1);
        assert_eq!(seed, Some(77));
        assert_eq!(
            StateFile::open(dir.path(), 2).2,
            SavedProgramme::default(),
            "another programme has another place"
        );
        let (_task, channel) = start();
        let (now, size) = (Clock::system().now(), crate::render::Size::new(16, 9));
        let again = channel.programme().unwrap();
        assert_eq!(
            again.timeline(size, crate::rendition::Pair::Own).at(now),
            paused.timeline(size, crate::rendition::Pair::Own).at(now)
        );
    }

    #[tokio::test]
    async fn a_command_after_the_end_says_so() {
        let (task, channel) = ChannelTask::new(common(0), Filter::default(), Role::Choice);
        drop(task);
        assert_eq!(
            channel.act(Act::Next, None).await.unwrap_err(),
            ActError::Stopping
        );
    }
}
