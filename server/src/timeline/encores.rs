//! Encores: the turns that a photo has in a round besides its own. Favourites come more often, and photos of this day in
//! earlier years make up a share of the shuffle.
//!
//! Pure. A round has its own turns, in an order that encores don't change, and as many encores as every other round.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime};

use super::roster::{Item, Roster};
use crate::photo::mix;

/// The photos that come more often in a shuffle, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Often {
    /// How often a favourite comes in a round, 1 to [`Self::MAX_FAVOUR`].
    pub favour: u32,
    /// The share, in percent, of photos of this day in earlier years, 0 to [`Self::MAX_MEMORIES`].
    pub memories: u32,
    /// For how many days a photo that has come in is new: those come first in each round. 0 for none.
    pub fresh_days: u32,
    /// The day that it is.
    pub today: Option<NaiveDate>,
}

impl Default for Often {
    fn default() -> Self {
        Self {
            favour: 1,
            memories: 0,
            fresh_days: 0,
            today: None,
        }
    }
}

impl Often {
    /// Beyond this the others are hardly seen.
    pub const MAX_FAVOUR: u32 = 10;
    /// Beyond this it is no shuffle.
    pub const MAX_MEMORIES: u32 = 80;
    /// Beyond this nothing is new.
    pub const MAX_FRESH_DAYS: u32 = 366;

    /// Whether another day makes a difference.
    pub fn changes_daily(&self) -> bool {
        self.memories > 0 || self.fresh_days > 0
    }

    /// The time, in Unix seconds, from which on a photo that was added is new, to the day.
    pub(super) fn fresh_since(&self) -> Option<i64> {
        let days = u64::from(self.fresh_days.min(Self::MAX_FRESH_DAYS));
        let from = self.today?.checked_sub_days(Days::new(days))?;
        (days > 0).then(|| from.and_time(NaiveTime::MIN).and_utc().timestamp())
    }

    fn is_memory(&self, item: &Item) -> bool {
        let (Some(today), true) = (self.today, item.taken != 0) else {
            return false;
        };
        let taken = DateTime::from_timestamp(item.taken, 0).map(|taken| taken.date_naive());
        taken.is_some_and(|taken| taken.year() < today.year() && is_anniversary(taken, today))
    }
}

/// Whether `today` is the day of the year that `day` was; that of 29 February is the 28th where there is no 29th.
fn is_anniversary(day: NaiveDate, today: NaiveDate) -> bool {
    let of = |day: NaiveDate| (day.month(), day.day());
    of(day) == of(today) || (of(day) == (2, 29) && of(today) == (2, 28) && !today.leap_year())
}

/// The encores of a roster: positions of its photos, favourites first.
#[derive(Debug, Default)]
pub(super) struct Encores {
    favourites: Vec<u32>,
    memories: Vec<u32>,
    /// How often a favourite comes besides its own turn.
    n_more: u32,
    /// How many encores memories have in a round.
    n_memories: usize,
}

impl Encores {
    /// Those of a roster whose photos take so many turns of their own in a round.
    pub(super) fn of(roster: &Roster, n_turns: usize) -> Self {
        let often = roster.often;
        let positions = |is: &dyn Fn(&Item) -> bool| -> Vec<u32> {
            let items = (0..).zip(&roster.items);
            items
                .filter(|(_, item)| is(item))
                .map(|(at, _)| at)
                .collect()
        };
        let n_more = often.favour.clamp(1, Often::MAX_FAVOUR) - 1;
        let favourites = if n_more > 0 {
            positions(&|item| item.favourite)
        } else {
            Vec::new()
        };
        let share = often.memories.min(Often::MAX_MEMORIES) as usize;
        let memories = if share > 0 {
            positions(&|item| often.is_memory(item))
        } else {
            Vec::new()
        };
        let n_others = n_turns + favourites.len() * n_more as usize;
        // Their own turns count.
        let wanted = (n_others.saturating_sub(memories.len()) * share).div_ceil(100 - share);
        let n_memories = match memories.len() {
            0 => 0,
            n => wanted.saturating_sub(n),
        };
        Self {
            favourites,
            memories,
            n_more,
            n_memories,
        }
    }

    /// How many there are in each round.
    pub(super) fn n(&self) -> usize {
        self.favourites.len() * self.n_more as usize + self.n_memories
    }

    /// The encores of a round with their keys among hashes, in no order: a favourite's turns are equally far from each other,
    /// and so are those of memories.
    pub(super) fn of_round(&self, roster: &Roster, round: u64) -> Vec<(u64, u32)> {
        let mut encores = Vec::with_capacity(self.n());
        for photo in &self.favourites {
            let (own, n_more) = (roster.key(round, *photo), u64::from(self.n_more));
            let step = u64::MAX / (n_more + 1);
            let keys = (1..=n_more).map(|n| own.wrapping_add(n * step));
            encores.extend(keys.map(|key| (key, *photo)));
        }
        let n = self.n_memories as u128;
        // Another one begins in each round.
        let first = mix(roster.seed ^ mix(round)) as usize;
        for (at, place) in (0..n).enumerate() {
            let room = u128::from(u64::MAX) / n;
            let shift = (room * u128::from(mix(roster.seed ^ round ^ at as u64))) >> 64;
            let photo = self.memories[first.wrapping_add(at) % self.memories.len()];
            encores.push(((place * room + shift) as u64, photo));
        }
        encores
    }
}
