//! The channels of the house: the main one, and one for every other choice of photos that somebody
//! watches.
//!
//! A choice that comes with a request narrows what the server was told to show, never widens it. Its
//! channel is made when it is first asked for and goes when nobody has watched it for a while. All of
//! them run by the same clock, seed and order, so that two screens with the same choice agree.
//!
//! A choice takes its place before its photos are looked for: what does not fit costs no query, few
//! queries run at a time, and who asks for the same waits for the same one.

#![expect(
    clippy::disallowed_methods,
    reason = "a choice that nobody watches lingers by the monotonic clock"
)]

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use futures_util::future::{BoxFuture, FutureExt as _, Shared, WeakShared};
use tokio::sync::Semaphore;

pub use super::numbers::{ChannelNo, FeedKey, MAIN};
use super::{
    ActError, Afar, Channel, ChannelSetup, ChannelTask, Interrupter, Role, Veils,
    chosen::{Chosen, Wishes},
    interrupts::{Interruptions, Interrupts},
    live::LiveChannel,
    own_night::{OwnNights, TooManyNights},
    roster::Roster,
};
use crate::{
    blocking::Blocking,
    library::Filter,
    rights::ChannelName,
    timeline::{Programme, night::Plan},
};

/// The limit of choices that are watched at a time is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{MAX_CHOICES} different choices of photos are being watched, which is the limit; wait, or take one of those"
)]
pub struct TooMany;

/// Choices that are watched at once; each is a playlist in memory.
const MAX_CHOICES: usize = 16;

/// Queries for new choices that run at a time: each takes a thread, and memory for its photos.
const MAX_QUERIES: usize = 2;

/// How long a choice stays that nobody watches.
const LINGER: Duration = Duration::from_secs(300);

/// All channels.
#[derive(Debug)]
pub struct Channels {
    main: Channel,
    /// The main channel's choice.
    filter: Filter,
    /// The part of it that somebody has chosen for all who don't choose themselves.
    chosen: Arc<Chosen>,
    common: ChannelSetup,
    choices: Mutex<Choices>,
    queries: Arc<Semaphore>,
    live: Arc<Roster>,
    /// The interruptions of the gallery and all choices of its photos, where a live channel may interrupt them.
    interruptions: Option<Interruptions>,
    pub(super) nights: OwnNights,
}

#[derive(Debug, Default)]
struct Choices {
    by_filter: HashMap<Filter, Choice>,
    last: u32,
}

#[derive(Debug)]
struct Choice {
    no: ChannelNo,
    state: State,
    watched: Instant,
}

/// `None` when it came to nothing.
type Making = BoxFuture<'static, Option<Channel>>;

#[derive(Debug)]
enum State {
    /// Its photos are looked for, as long as somebody waits for them.
    Making(WeakShared<Making>),
    Made(Channel),
}

impl State {
    fn channel(&self) -> Option<&Channel> {
        match self {
            Self::Making(_) => None,
            Self::Made(channel) => Some(channel),
        }
    }

    fn is_held(&self) -> bool {
        match self {
            Self::Making(making) => making.upgrade().is_some(),
            Self::Made(channel) => channel.is_held(),
        }
    }
}

/// The outcome of asking for a place.
enum Placed {
    Made(ChannelNo, Channel),
    Making(ChannelNo, Shared<Making>),
}

impl Channels {
    /// The channel that is watched when nobody chooses.
    pub fn main(&self) -> &Channel {
        &self.main
    }

    /// The channels beside `main`, which shows what `filter` lets through.
    pub fn new(main: Channel, filter: Filter, common: ChannelSetup) -> Self {
        let live = Roster::new([], false, common.clock.clone());
        Self {
            main,
            filter,
            chosen: Arc::default(),
            common,
            choices: Mutex::default(),
            queries: Arc::new(Semaphore::new(MAX_QUERIES)),
            live: Arc::new(live),
            interruptions: None,
            nights: OwnNights::default(),
        }
    }

    /// The channels of another server: nothing is made here, whatever is chosen.
    pub fn of_afar(common: ChannelSetup, live: Roster) -> Self {
        let main = Channel::of_afar(Afar::of(ChannelName::main()));
        Self::new(main, Filter::default(), common).with_live(live)
    }

    /// These channels, with what somebody has chosen before.
    #[must_use]
    pub fn with_chosen(mut self, chosen: Arc<Chosen>) -> Self {
        self.chosen = chosen;
        self
    }

    /// These channels and live ones.
    #[must_use]
    pub fn with_live(mut self, live: Roster) -> Self {
        self.live = Arc::new(live);
        self
    }

    /// These channels, whose photos live ones interrupt. Starts the task that looks out for those.
    #[must_use]
    pub fn with_interrupters(mut self, interrupters: Vec<Interrupter>) -> Self {
        if !interrupters.is_empty() {
            let (task, interruptions) = Interrupts::new(interrupters, self.common.clock.clone());
            tokio::spawn(task.run());
            self.main = self.main.open_to(Some(interruptions.clone()));
            self.interruptions = Some(interruptions);
        }
        self
    }

    /// The channel as a screen has it that nothing interrupts.
    pub fn undisturbed(&self, (no, channel): (ChannelNo, Channel)) -> (ChannelNo, Channel) {
        if let Some(afar) = channel.afar() {
            return (no.undisturbed(), Channel::of_afar(afar.undisturbed()));
        }
        if channel.is_interruptible() {
            (no.undisturbed(), channel.open_to(None))
        } else {
            (no, channel)
        }
    }

    /// The channel as a screen has it whose nights are its own: by `plan`, or none at all.
    ///
    /// # Errors
    /// Too many plans are being watched.
    pub fn by_night(
        &self,
        plan: Option<Plan>,
        (no, channel): (ChannelNo, Channel),
    ) -> Result<(ChannelNo, Channel), TooManyNights> {
        let (night, own) = self.nights.of(plan, &self.common.veils)?;
        let own_night = Some(own);
        Ok((
            no.by_night(night),
            Channel {
                own_night,
                ..channel
            },
        ))
    }

    /// A live channel as a screen has it that asks for these nights; where it asks for none, by the channel's own.
    ///
    /// # Errors
    /// Too many plans are being watched.
    pub fn live_by_night(
        &self,
        live: &LiveChannel,
        asked: Option<Option<Plan>>,
    ) -> Result<(ChannelNo, Channel), TooManyNights> {
        let chosen = (live.no(), live.channel().clone());
        match asked.or_else(|| live.night().cloned().map(Some)) {
            Some(plan) => self.by_night(plan, chosen),
            None => Ok(chosen),
        }
    }

    /// The veils over the gallery's slides, whichever are chosen.
    pub fn veils(&self) -> &Veils {
        &self.common.veils
    }

    /// The live channels.
    pub fn live(&self) -> &Arc<Roster> {
        &self.live
    }

    /// The channel that shows what `wish` lets through of what may be shown; made when there is none.
    ///
    /// # Errors
    /// Too many are being watched.
    pub async fn choose(&self, wish: &Filter) -> Result<(ChannelNo, Channel), TooMany> {
        if wish.is_all() {
            return Ok((MAIN, self.main.clone()));
        }
        let filter = wish.clone().within(&self.filter);
        let placed = self
            .choices()
            .place(&filter, || self.make(filter.clone()).shared())?;
        let (no, making) = match placed {
            Placed::Made(no, channel) => return Ok((no, self.opened(channel))),
            Placed::Making(no, making) => (no, making),
        };
        let made = making.await;
        let channel = self.choices().made(&filter, no, made);
        let channel = channel.map(|channel| (no, self.opened(channel)));
        channel.ok_or(TooMany)
    }

    /// The part of what may be shown that `wish` lets through.
    pub fn allowed(&self, wish: &Filter) -> Filter {
        wish.clone().within(&self.filter)
    }

    /// The choice of photos that is on where nobody chooses.
    pub fn chosen(&self) -> Filter {
        self.chosen.filter()
    }

    /// Shows what `wish` lets through, from now on and wherever nobody chooses; `wishes` is the same, as it was asked for.
    ///
    /// # Errors
    /// The server is stopping.
    pub async fn choose_for_all(
        &self,
        wish: &Filter,
        wishes: Wishes,
    ) -> Result<Arc<Programme>, ActError> {
        let shown = self.main.show_only(self.allowed(wish)).await?;
        let chosen = Arc::clone(&self.chosen);
        let _ = Blocking::run(move |blocking| chosen.set(blocking, wishes)).await;
        Ok(shown)
    }

    fn opened(&self, channel: Channel) -> Channel {
        channel.open_to(self.interruptions.clone())
    }

    /// Looks for the photos of a choice, once it is its turn. Given up when nobody waits any more.
    fn make(&self, filter: Filter) -> Making {
        if let Some(afar) = self.main.afar() {
            let made = Channel::of_afar(Afar { filter, ..afar });
            return std::future::ready(Some(made)).boxed();
        }
        let (common, queries) = (self.common.clone(), self.queries.clone());
        let making = async move {
            // The semaphore is never closed.
            let turn = queries.acquire_owned().await.ok()?;
            // Asking the index may take a while, and this thread serves sockets.
            let made = Blocking::run(move |_| {
                // A query that runs has its turn until it ends, whoever still waits for it.
                let _turn = turn;
                ChannelTask::new(common, filter, Role::Choice)
            });
            // A panic there is logged by the runtime, and this one choice can't be had.
            let (task, channel) = made.await.ok()?;
            // It ends when the last hold on its channel goes.
            tokio::spawn(task.run());
            Some(channel)
        };
        making.boxed()
    }

    fn choices(&self) -> MutexGuard<'_, Choices> {
        self.choices.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Choices {
    /// The choice's channel or what makes it; `make` is called where it has no place yet and there is room.
    fn place(
        &mut self,
        filter: &Filter,
        make: impl FnOnce() -> Shared<Making>,
    ) -> Result<Placed, TooMany> {
        if let Some(choice) = self.by_filter.get_mut(filter) {
            choice.watched = Instant::now();
            match &choice.state {
                State::Made(channel) if channel.is_alive() => {
                    return Ok(Placed::Made(choice.no, channel.clone()));
                }
                // Its task has failed: whoever asks now gets a channel that works, under a number of its own.
                State::Made(_) => {}
                State::Making(making) => {
                    if let Some(making) = making.upgrade() {
                        return Ok(Placed::Making(choice.no, making));
                    }
                    // Whoever wanted it went before it was there.
                }
            }
            self.by_filter.remove(filter);
        }
        self.make_room()?;
        let making = make();
        self.last += 1;
        let no = ChannelNo::of(self.last);
        let state = making.downgrade().map(State::Making).ok_or(TooMany)?;
        let choice = Choice {
            no,
            state,
            watched: Instant::now(),
        };
        self.by_filter.insert(filter.clone(), choice);
        Ok(Placed::Making(no, making))
    }

    fn make_room(&mut self) -> Result<(), TooMany> {
        self.by_filter.retain(|_, choice| match choice.state {
            State::Making(_) => choice.state.is_held(),
            State::Made(_) => choice.state.is_held() || choice.watched.elapsed() < LINGER,
        });
        if self.by_filter.len() < MAX_CHOICES {
            return Ok(());
        }
        let idle = self
            .by_filter
            .iter()
            .filter(|(_, choice)| !choice.state.is_held())
            .min_by_key(|(_, choice)| choice.watched)
            .map(|(filter, _)| filter.clone());
        self.by_filter.remove(&idle.ok_or(TooMany)?);
        Ok(())
    }

    /// A channel is there, or nothing came of it. Of all who waited the first to say so is heard.
    fn made(&mut self, filter: &Filter, no: ChannelNo, made: Option<Channel>) -> Option<Channel> {
        let place = self
            .by_filter
            .get_mut(filter)
            .filter(|choice| choice.no == no);
        match (made, place) {
            (Some(channel), Some(choice)) => {
                if choice.state.channel().is_none() {
                    choice.state = State::Made(channel.clone());
                }
                Some(channel)
            }
            (None, Some(_)) => {
                self.by_filter.remove(filter);
                None
            }
            // It has lost its place meanwhile, and so its number.
            (_, None) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        library::Library,
        source::catalogue::Catalogue,
        timeline::{Order, Settings, Transition},
    };

    fn channels() -> Channels {
        let common = ChannelSetup {
            catalogue: Arc::new(Catalogue::new(Arc::new(Library::in_memory(Vec::new())))),
            settings: Settings {
                interval_millis: 1000,
                transition: Transition::Cut,
            },
            order: Order::Name,
            seed: 1,
            often: crate::timeline::Often::default(),
            resume_after: None,
            pair: crate::rendition::Pair::Wide,
            veils: Arc::new(crate::channel::Veils::new(None)),
            clock: crate::clock::Clock::system(),
        };
        let (_, main) = ChannelTask::new(common.clone(), Filter::default(), Role::Choice);
        Channels::new(main, Filter::default(), common)
    }

    fn album(name: &str) -> Filter {
        let mut filter = Filter::default();
        filter.set("album", name).unwrap();
        filter
    }

    #[tokio::test]
    async fn the_same_choice_is_the_same_channel() {
        let channels = channels();
        let (main, _) = channels.choose(&Filter::default()).await.unwrap();
        assert_eq!(main, MAIN);
        let (rome, _held) = channels.choose(&album("Rome")).await.unwrap();
        assert_eq!(channels.choose(&album("Rome")).await.unwrap().0, rome);
        assert_ne!(channels.choose(&album("Paris")).await.unwrap().0, rome);
    }

    #[tokio::test]
    async fn a_choice_whose_task_has_failed_is_made_anew() {
        let channels = channels();
        let wish = album("Rome");
        let (no, making) = match channels.choices().place(&wish, || {
            let dead = channels.main.clone();
            async move { Some(dead) }.boxed().shared()
        }) {
            Ok(Placed::Making(no, making)) => (no, making),
            _ => panic!("nobody has asked for it yet"),
        };
        let made = making.await;
        assert!(channels.choices().made(&wish, no, made).is_some());
        let (again, channel) = channels.choose(&wish).await.unwrap();
        assert!(again != no && channel.is_alive());
        assert_eq!(channels.choose(&wish).await.unwrap().0, again);
    }

    #[tokio::test]
    async fn choices_that_are_watched_stay_and_others_give_way() {
        let channels = channels();
        let (watched, held) = channels.choose(&album("held")).await.unwrap();
        for i in 0..3 * MAX_CHOICES {
            channels.choose(&album(&i.to_string())).await.unwrap();
        }
        let (still, _) = channels.choose(&album("held")).await.unwrap();
        assert_eq!(still, watched);
        drop(held);
        let mut all = Vec::new();
        for i in 0..MAX_CHOICES {
            all.push(channels.choose(&album(&i.to_string())).await.unwrap());
        }
        assert_eq!(channels.choose(&album("more")).await.unwrap_err(), TooMany);
    }

    #[tokio::test]
    async fn who_asks_for_the_same_waits_for_the_same_query() {
        let channels = channels();
        // No query gets its turn yet.
        let turns = channels
            .queries
            .clone()
            .acquire_many_owned(2)
            .await
            .unwrap();
        let wish = album("Rome");
        let mut both = [0, 1].map(|_| Box::pin(channels.choose(&wish)));
        for waits in &mut both {
            assert!(waits.now_or_never().is_none());
        }
        assert_eq!(channels.choices().by_filter.len(), 1);
        drop(turns);
        let [first, second] = both;
        assert_eq!(first.await.unwrap().0, second.await.unwrap().0);
    }

    #[tokio::test]
    async fn what_finds_no_room_costs_no_query_and_what_is_given_up_leaves_none_behind() {
        let channels = channels();
        let turns = channels
            .queries
            .clone()
            .acquire_many_owned(2)
            .await
            .unwrap();
        let wishes: Vec<Filter> = (0..1500).map(|i| album(&i.to_string())).collect();
        let mut waiting = Vec::new();
        for (i, wish) in wishes.iter().enumerate() {
            let mut waits = Box::pin(channels.choose(wish));
            match (&mut waits).now_or_never() {
                None => waiting.push(waits),
                Some(answer) => {
                    assert!(i >= MAX_CHOICES);
                    assert_eq!(answer.unwrap_err(), TooMany);
                }
            }
        }
        assert_eq!(waiting.len(), MAX_CHOICES);
        // All of them go, and with them what they wanted.
        waiting.clear();
        drop(turns);
        assert_eq!(channels.queries.available_permits(), MAX_QUERIES);
        channels.choose(&album("Rome")).await.unwrap();
        assert_eq!(channels.choices().by_filter.len(), 1);
    }
}
