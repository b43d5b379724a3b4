//! Playlists: photos in an order, for ever, round after round, each photo once a round.
//!
//! Pure. A playlist is asked for the turn at a [`Place`]; it never remembers where anybody is.
//! The shuffle is a sort by a keyed hash, so a photo that is added or taken away moves no other
//! photo of the round, and every screen and every restart works out the same order. Photos that
//! came while a round runs stand in [`Arrivals`] and come soon.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::{arrivals::Arrivals, encores::Encores, pairs::Plan, roster::Roster, round};
use crate::photo::{Entry, Order, PhotoId};

/// A place in a playlist: the `index`th turn of the `round`th time through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
pub struct Place {
    /// The number of times that all photos have been shown before.
    pub round: u64,
    /// The turn's number in the round's order, from 0.
    pub index: u64,
}

/// The photo or the two photos that one slide shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Deserialize, serde::Serialize)]
pub struct Turn {
    /// The photo, or the left or upper one of two.
    pub photo: PhotoId,
    /// The photo beside the first, if two share the screen.
    pub beside: Option<PhotoId>,
}

impl Turn {
    /// A photo that has the screen to itself.
    pub fn single(photo: PhotoId) -> Self {
        Self {
            photo,
            beside: None,
        }
    }

    /// The photos of the turn, one or two.
    pub fn photos(self) -> impl Iterator<Item = PhotoId> {
        [Some(self.photo), self.beside].into_iter().flatten()
    }
}

/// Which photos share a slide, two by two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pairing {
    /// No photos share a slide.
    #[default]
    Off,
    /// Portraits share one, side by side on a screen that is wider than tall.
    Portraits,
    /// Landscapes share one, stacked on a screen that is taller than wide.
    Landscapes,
}

/// A turn, by positions in the roster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seat {
    pub(super) photo: u32,
    /// The second photo; [`Self::NOBODY`] for a photo by itself.
    beside: u32,
}

impl Seat {
    const NOBODY: u32 = u32::MAX;
    /// Stands for nobody in a turn that is not the photo's own.
    const AGAIN: u32 = u32::MAX - 1;

    fn encore(photo: u32) -> Self {
        Self::pair(photo, Self::AGAIN)
    }

    fn is_encore(self) -> bool {
        self.beside == Self::AGAIN
    }

    pub(super) fn single(photo: u32) -> Self {
        Self::pair(photo, Self::NOBODY)
    }

    pub(super) fn pair(photo: u32, beside: u32) -> Self {
        Self { photo, beside }
    }

    pub(super) fn photos(self) -> impl Iterator<Item = u32> {
        let beside = (self.beside < Self::AGAIN).then_some(self.beside);
        [Some(self.photo), beside].into_iter().flatten()
    }

    pub(super) fn has(self, photo: u32) -> bool {
        self.photo == photo || self.beside == photo
    }
}

/// Photos in an order. Cheap to share; never changes once made.
#[derive(Debug)]
pub struct Playlist {
    roster: Arc<Roster>,
    pairing: Pairing,
    plan: Plan,
    encores: Encores,
    arrivals: Arrivals,
    /// Rounds worked out lately, so that the next slide doesn't take a sort of the library.
    rounds: Mutex<HashMap<u64, Arc<[Seat]>>>,
}

/// The limit of rounds that are kept: the one that runs, and its neighbours.
const MAX_ROUNDS: usize = 3;

impl Playlist {
    /// Puts `entries` in `order`, each by itself.
    pub fn new(entries: Vec<Entry>, order: Order, seed: u64) -> Self {
        let roster = Arc::new(Roster::new(entries, order, seed));
        Self::of(roster, Pairing::Off, Arrivals::default())
    }

    /// Puts the photos of `roster` in its order, paired, with those that came in while a round ran.
    pub fn of(roster: Arc<Roster>, pairing: Pairing, arrivals: Arrivals) -> Self {
        let all = 0..u32::try_from(roster.items.len()).unwrap_or(u32::MAX);
        let plan = Plan::new(&roster, all, pairing);
        let encores = match roster.order {
            // Of two photos neither can come more often.
            Order::Shuffle if plan.n_turns() >= 3 => Encores::of(&roster, plan.n_turns()),
            _ => Encores::default(),
        };
        Self {
            plan,
            encores,
            roster,
            pairing,
            arrivals,
            rounds: Mutex::default(),
        }
    }

    /// The number of photos in a round.
    pub fn n_photos(&self) -> u64 {
        self.roster.n_photos()
    }

    /// All photos of the playlist.
    pub(super) fn roster(&self) -> &Arc<Roster> {
        &self.roster
    }

    /// The rule by which photos share slides.
    pub fn pairing(&self) -> Pairing {
        self.pairing
    }

    /// The photos that came in while a round ran, and when they are shown.
    pub fn arrivals(&self) -> &Arrivals {
        &self.arrivals
    }

    /// Whether any two photos share a slide.
    pub fn has_pairs(&self) -> bool {
        self.plan.has_pairs()
    }

    /// Whether this is what [`Self::of`] makes of the same: the same turns in every round.
    pub(super) fn is_of(
        &self,
        roster: &Arc<Roster>,
        pairing: Pairing,
        arrivals: &Arrivals,
    ) -> bool {
        Arc::ptr_eq(&self.roster, roster) && self.pairing == pairing && self.arrivals == *arrivals
    }

    /// Whether there is no photo to show.
    pub fn is_empty(&self) -> bool {
        self.roster.items.is_empty()
    }

    /// The turn `steps` after `place`, with its own place; `None` when the playlist is empty.
    pub fn after(&self, place: Place, steps: u64) -> Option<(Place, Turn)> {
        let n = (self.plan.n_turns() + self.encores.n()) as u128;
        if n == 0 {
            return None;
        }
        let mut index = u128::from(place.index) + u128::from(steps);
        let mut round = u128::from(place.round);
        let mut is_special = false;
        // Rounds are equally long but for the few in which photos came in, so a slide a year ahead
        // takes a division and not a walk.
        for special in self.arrivals.rounds_from(place.round) {
            let before = n * (u128::from(special) - round);
            if index < before {
                break;
            }
            index -= before;
            round = u128::from(special);
            let length = self.round(special).len() as u128;
            if index < length {
                is_special = true;
                break;
            }
            index -= length;
            round += 1;
        }
        if !is_special {
            round += index / n;
            index %= n;
        }
        let place = Place {
            round: round as u64,
            index: index as u64,
        };
        self.at(place).map(|turn| (place, turn))
    }

    /// The place before `place`; the very first stays where it is.
    pub fn before(&self, place: Place) -> Place {
        match (place.index.checked_sub(1), place.round.checked_sub(1)) {
            (Some(index), _) => Place { index, ..place },
            (None, Some(round)) => Place {
                round,
                index: (self.round(round).len() as u64).saturating_sub(1),
            },
            (None, None) => place,
        }
    }

    /// The place of `id` in a round, if it is in the playlist.
    pub fn find(&self, round: u64, id: PhotoId) -> Option<Place> {
        let photo = self.roster.position(id)?;
        let order = self.round(round);
        let is_own = |unit: &Seat| unit.has(photo) && !unit.is_encore();
        let index = order.iter().position(is_own)?;
        Some(Place {
            round,
            index: index as u64,
        })
    }

    /// Whether the turn at `place` is one that its photo has besides its own.
    pub(super) fn is_encore(&self, place: Place) -> bool {
        if self.encores.n() == 0 {
            return false;
        }
        let index = usize::try_from(place.index).ok();
        let order = self.round(place.round);
        index
            .and_then(|index| order.get(index))
            .is_some_and(|seat| seat.is_encore())
    }

    /// Whether `id` is in the playlist.
    pub fn contains(&self, id: PhotoId) -> bool {
        self.roster.position(id).is_some()
    }

    /// Works out a round before somebody waits for it.
    pub(super) fn warm(&self, round: u64) {
        self.round(round);
    }

    fn at(&self, place: Place) -> Option<Turn> {
        let order = self.round(place.round);
        let unit = order.get(usize::try_from(place.index).ok()?)?;
        let id = |photo: u32| self.roster.items[photo as usize].id;
        Some(Turn {
            photo: id(unit.photo),
            beside: unit.photos().nth(1).map(id),
        })
    }

    /// The lowest and the highest key of photos that are to be shown soon: behind the turn at
    /// `index` of `round`, and before the one `n` turns later, if there is one.
    pub(super) fn keys_behind(&self, round: u64, index: u64, n: u64) -> (u64, u64) {
        let order = self.round(round);
        let highest = |upto: u64| {
            let upto = usize::try_from(upto).unwrap_or(usize::MAX).min(order.len());
            let keys = order[..upto]
                .iter()
                .filter(|unit| !unit.is_encore())
                .map(|unit| self.place_key(round, unit.photo));
            keys.max().unwrap_or(0)
        };
        let end = index.saturating_add(n);
        let high = if end.saturating_add(1) < order.len() as u64 {
            highest(end + 1)
        } else {
            u64::MAX
        };
        (highest(index + 1), high)
    }

    /// The key that places a photo in a round, its own or that of the group in which it came.
    fn place_key(&self, round: u64, photo: u32) -> u64 {
        let roster = &self.roster;
        self.arrivals
            .key(round, roster.seed, &roster.items[photo as usize])
            .unwrap_or_else(|| self.key(round, photo))
    }

    /// The key that places a photo in a round as one of its own.
    fn key(&self, round: u64, photo: u32) -> u64 {
        let roster = &self.roster;
        let hash = roster.key(round, photo);
        self.arrivals
            .ranked(round, hash, &roster.items[photo as usize])
    }

    fn round(&self, round: u64) -> Arc<[Seat]> {
        let shuffled = self.roster.order == Order::Shuffle;
        // Two turns can only alternate; shuffled anew each round, one would come twice in a row.
        let round = if self.plan.n_turns() < 3 || !shuffled {
            0
        } else {
            round
        };
        let mut rounds = self.rounds.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(order) = rounds.get(&round) {
            return order.clone();
        }
        let before = round.checked_sub(1).and_then(|before| rounds.get(&before));
        let order: Arc<[Seat]> = if shuffled {
            self.shuffled(round, before.and_then(|order| order.last()).copied())
                .into()
        } else {
            let sorted = self.plan.turns(|photo| self.roster.key(0, photo));
            sorted.into_iter().map(|(_, seat)| seat).collect()
        };
        if rounds.len() >= MAX_ROUNDS {
            rounds.clear();
        }
        rounds.insert(round, order.clone());
        order
    }

    /// The order of a shuffled round; `before` is the turn that closes the round before, if it is
    /// known.
    fn shuffled(&self, round: u64, before: Option<Seat>) -> Vec<Seat> {
        let (mut order, mut late) = self.sorted(round);
        if order.len() >= 3
            && let Some(last_round) = round.checked_sub(1)
            && let Some(before) = before.or_else(|| self.sorted(last_round).0.last().copied())
        {
            round::mend_seam(&self.roster.items, before, &mut order);
        }
        let encores = self.encores.of_round(&self.roster, round);
        if !encores.is_empty() {
            let spread = self.arrivals.spread(round, &self.roster.items);
            late.extend(
                encores
                    .into_iter()
                    .map(|(hash, photo)| (spread(hash), Seat::encore(photo))),
            );
            late.sort_unstable_by_key(|(key, seat)| (*key, seat.photo));
        }
        if late.is_empty() {
            return order;
        }
        round::merge(&self.roster, &order, |photo| self.key(round, photo), late)
    }

    /// A round's own turns, without a look at the round before, and with their keys the turns that
    /// came in while it ran.
    fn sorted(&self, round: u64) -> (Vec<Seat>, Vec<(u64, Seat)>) {
        let roster = &self.roster;
        let arranged = |plan: &Plan| {
            let sorted = plan.turns(|photo| self.key(round, photo));
            round::apart(&roster.items, sorted.into_iter().map(|(_, seat)| seat))
        };
        let Some((own, groups)) = self.arrivals.split(round, &roster.items) else {
            return (arranged(&self.plan), Vec::new());
        };
        let own = Plan::new(roster, own.into_iter(), self.pairing);
        if own.n_turns() < 3 {
            return (arranged(&self.plan), Vec::new());
        }
        let mut late = Vec::new();
        for group in groups {
            // Photos that came at different times are not paired: an announced turn must stay.
            let plan = Plan::new(roster, group.into_iter(), self.pairing);
            late.extend(plan.turns(|photo| self.place_key(round, photo)));
        }
        late.sort_unstable_by_key(|(key, seat)| (*key, seat.photo));
        (arranged(&own), late)
    }
}

#[cfg(test)]
mod tests;
