//! The channels of the house: the main one, and one for every other choice of photos that somebody
//! watches.
//!
//! A choice that comes with a request narrows what the server was told to show, never widens it. Its
//! channel is made when it is first asked for and goes when nobody has watched it for a while. All of
//! them run by the same clock, seed and order, so that two screens with the same choice agree.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::{
    channel::{Channel, ChannelTask, Common, Role},
    library::Filter,
    rendition::Rendition,
};

/// A channel's number, for as long as this server runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChannelNo(u32);

/// The channel that is watched when nobody chooses.
pub const MAIN: ChannelNo = ChannelNo(0);

/// What a feed is the feed of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Show {
    /// What is on.
    pub channel: ChannelNo,
    /// In which shape.
    pub rendition: Rendition,
}

/// As many choices are watched as this server allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{MAX_CHOICES} different choices of photos are being watched, which is the limit; wait, or take one of those"
)]
pub struct TooMany;

/// Choices that are watched at once; each is a playlist in memory.
const MAX_CHOICES: usize = 16;

/// How long a choice stays that nobody watches.
const LINGER: Duration = Duration::from_secs(300);

/// All channels.
#[derive(Debug)]
pub struct Channels {
    main: Channel,
    /// What the main channel shows.
    filter: Filter,
    common: Common,
    choices: Mutex<Choices>,
}

#[derive(Debug, Default)]
struct Choices {
    by_filter: HashMap<Filter, Choice>,
    last: u32,
}

#[derive(Debug)]
struct Choice {
    no: ChannelNo,
    channel: Channel,
    watched: Instant,
}

impl Channels {
    /// The channel that is watched when nobody chooses.
    pub fn main(&self) -> &Channel {
        &self.main
    }

    /// The channels beside `main`, which shows what `filter` lets through.
    pub fn new(main: Channel, filter: Filter, common: Common) -> Self {
        Self {
            main,
            filter,
            common,
            choices: Mutex::default(),
        }
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
        if let Some(found) = self.choices().find(&filter) {
            return Ok(found);
        }
        let (common, own) = (self.common.clone(), filter.clone());
        // Asking the index may take a while, and this thread serves sockets.
        let made = tokio::task::spawn_blocking(move || ChannelTask::new(common, own, Role::Choice));
        // A panic there is logged by the runtime, and this one choice can't be had.
        let (task, channel) = made.await.map_err(|_| TooMany)?;
        let (no, channel, is_new) = self.choices().add(filter, channel)?;
        if is_new {
            // It ends when the last hold on its channel goes.
            tokio::spawn(task.run());
        }
        Ok((no, channel))
    }

    /// The channel with this number, if it is still there.
    pub fn by_no(&self, no: ChannelNo) -> Option<Channel> {
        if no == MAIN {
            return Some(self.main.clone());
        }
        let choices = self.choices();
        let found = choices.by_filter.values().find(|choice| choice.no == no);
        found.map(|choice| choice.channel.clone())
    }

    fn choices(&self) -> MutexGuard<'_, Choices> {
        self.choices.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Choices {
    fn find(&mut self, filter: &Filter) -> Option<(ChannelNo, Channel)> {
        let choice = self.by_filter.get_mut(filter)?;
        choice.watched = Instant::now();
        Some((choice.no, choice.channel.clone()))
    }

    /// Adds a channel, unless somebody was faster; then theirs is the one.
    fn add(
        &mut self,
        filter: Filter,
        channel: Channel,
    ) -> Result<(ChannelNo, Channel, bool), TooMany> {
        if let Some((no, channel)) = self.find(&filter) {
            return Ok((no, channel, false));
        }
        self.by_filter
            .retain(|_, choice| choice.channel.is_held() || choice.watched.elapsed() < LINGER);
        if self.by_filter.len() >= MAX_CHOICES {
            let idle = self
                .by_filter
                .iter()
                .filter(|(_, choice)| !choice.channel.is_held())
                .min_by_key(|(_, choice)| choice.watched)
                .map(|(filter, _)| filter.clone());
            self.by_filter.remove(&idle.ok_or(TooMany)?);
        }
        self.last += 1;
        let no = ChannelNo(self.last);
        let choice = Choice {
            no,
            channel: channel.clone(),
            watched: Instant::now(),
        };
        self.by_filter.insert(filter, choice);
        Ok((no, channel, true))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        library::Library,
        timeline::{Order, Settings, Transition},
    };

    fn channels() -> Channels {
        let common = Common {
            library: Arc::new(Library::in_memory(Vec::new())),
            settings: Settings {
                interval_millis: 1000,
                transition: Transition::Cut,
            },
            order: Order::Name,
            seed: 1,
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
        assert!(channels.by_no(rome).is_some() && channels.by_no(ChannelNo(99)).is_none());
    }

    #[tokio::test]
    async fn choices_that_are_watched_stay_and_others_give_way() {
        let channels = channels();
        let (watched, held) = channels.choose(&album("held")).await.unwrap();
        for i in 0..3 * MAX_CHOICES {
            channels.choose(&album(&i.to_string())).await.unwrap();
        }
        assert!(channels.by_no(watched).is_some());
        drop(held);
        let mut all = Vec::new();
        for i in 0..MAX_CHOICES {
            all.push(channels.choose(&album(&i.to_string())).await.unwrap());
        }
        assert_eq!(channels.choose(&album("more")).await.unwrap_err(), TooMany);
    }
}
