//! The slide on screen at each instant: a pure function of playlist, settings, commands and time.
//!
//! No file, socket, clock, task or randomness: `now` is an argument, so a test runs a year in a
//! millisecond, and two renditions that ask at the same instant get the same answer. Wall-clock
//! time is what all screens and a restart share; slides are counted from an [`Anchor`], which only
//! commands and changes of the playlist move.

mod arrivals;
mod change;
mod encores;
mod history;
mod natural;
pub mod night;
mod pairs;
mod playlist;
mod programme;
mod roster;
mod round;
mod start;
mod stays;
mod transition;
mod veil;

use std::{num::NonZeroU64, sync::Arc};

use mantel_shared::{SlideNo, UnixMillis};

pub use crate::photo::{Entry, Order, PhotoId, Shape, hash_of};
pub use arrivals::Arrivals;
pub use encores::Often;
pub use history::History;
pub use mantel_shared::Transition;
pub use playlist::{Pairing, Place, Playlist, Turn};
pub use programme::{Pause, Programme, SavedProgramme};
pub use roster::Roster;
pub use transition::{blend_at, blend_steps};
pub use veil::{Clock, Veil};

/// How long slides stay and how they change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long a slide stays, in milliseconds, its transition included; never 0.
    pub interval_millis: u64,
    /// How one slide becomes the next; never longer than the interval.
    pub transition: Transition,
}

/// The slide from which slides are counted, with its time and place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
pub struct Anchor {
    /// The number of the slide on screen from `starts_at`.
    pub slide: u64,
    /// The time at which that slide came on, in Unix milliseconds.
    pub starts_at: u64,
    /// The slide's place in the playlist.
    pub place: Place,
    /// A photo that stands in for the one at `place`, on this slide only.
    pub shown: Option<u64>,
    /// The photo beside `shown`, if there is one.
    #[serde(default)]
    pub beside: Option<u64>,
    /// The turn that the next slide shows before the playlist goes on, because it was announced.
    #[serde(default)]
    pub promised: Option<Turn>,
    /// The time at which the channel was paused, if it is, in Unix milliseconds; a command during
    /// the pause moves it.
    pub paused_at: Option<u64>,
}

/// The state that a restart needs in order to go on where the last run was.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
pub struct Saved {
    /// The slide from which slides are counted.
    pub anchor: Anchor,
    /// The interval that held when it was saved.
    pub interval_millis: u64,
    /// The photo at the anchor's place: the place moves when photos were added meanwhile.
    pub photo: Option<u64>,
    /// The photos that came in while the round ran.
    #[serde(default)]
    #[serde(rename = "news")] // its name in state files since the first
    pub arrivals: Arrivals,
}

/// One turn of one photo, or of two that share the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slide {
    /// The slide's number, which only grows.
    pub no: SlideNo,
    /// The photo that it shows, or the left or upper one of two.
    pub photo: PhotoId,
    /// The photo beside the first, if two share the screen.
    pub beside: Option<PhotoId>,
    /// The time at which it comes on screen: its transition starts then.
    pub starts_at: UnixMillis,
}

impl Slide {
    /// The turn that the slide shows.
    pub fn turn(&self) -> Turn {
        Turn {
            photo: self.photo,
            beside: self.beside,
        }
    }
}

/// The slides on screen and next at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Showing {
    /// The slide on screen.
    pub current: Slide,
    /// The slide that will follow; while paused its `starts_at` means nothing.
    pub next: Slide,
    /// Whether the channel is paused: no slide follows by itself.
    pub paused: bool,
}

/// A command that a person gives to a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Goes on to the next slide at once.
    Next,
    /// Goes back to the photo before.
    Previous,
    /// Stays on this slide.
    Pause,
    /// Goes on, with a full interval for the slide on screen.
    Resume,
    /// Shows this photo now, by itself, then goes on from where the playlist was.
    Show(PhotoId),
    /// Sets how many milliseconds slides stay; the one on screen begins anew, so that none is cut
    /// short.
    Interval(NonZeroU64),
}

/// An error: the command named a photo that is not in the playlist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no photo {0} is being shown here; GET /status names the current one")]
pub struct UnknownPhoto(pub PhotoId);

/// The slides of one playlist, counted from an anchor by the clock. Cheap to clone: the playlist
/// is shared.
#[derive(Clone, Debug)]
pub struct Timeline {
    settings: Settings,
    playlist: Arc<Playlist>,
    anchor: Anchor,
    /// The photo at the saved place, until there are photos among which it can be found.
    sought: Option<PhotoId>,
    /// The interval by which slides are counted up to now, if it differs from the set one.
    counted_by: Option<u64>,
    /// Since when no slide follows because none could be seen, in Unix milliseconds.
    held: Option<u64>,
}

impl Timeline {
    /// Makes a timeline that counts from 1970, or goes on from the state that an earlier run saved.
    pub fn new(
        settings: Settings,
        playlist: Arc<Playlist>,
        saved: Option<Saved>,
        now: UnixMillis,
    ) -> Self {
        let start = Anchor {
            slide: 0,
            starts_at: 0,
            place: Place { round: 0, index: 0 },
            shown: None,
            beside: None,
            promised: None,
            paused_at: None,
        };
        let mut timeline = Self {
            settings,
            playlist,
            anchor: saved.as_ref().map_or(start, |saved| saved.anchor),
            held: None,
            sought: saved.as_ref().and_then(|saved| saved.photo).map(PhotoId),
            counted_by: saved
                .map(|saved| saved.interval_millis)
                .filter(|millis| *millis > 0 && *millis != settings.interval_millis),
        };
        timeline.seek();
        timeline.settle(now);
        timeline
    }

    /// How long slides stay and how they change.
    pub fn settings(&self) -> Settings {
        self.settings
    }

    /// The number of photos that take turns.
    pub fn n_photos(&self) -> u64 {
        self.playlist.n_photos()
    }

    /// The slides on screen and next at `now`; `None` when there is no photo.
    pub fn at(&self, now: UnixMillis) -> Option<Showing> {
        let interval = self.counted_by.unwrap_or(self.settings.interval_millis);
        let until = self.anchor.paused_at.or(self.held).unwrap_or(now.0);
        let elapsed = until.saturating_sub(self.anchor.starts_at);
        let (steps, began) = self.steps_in(elapsed, interval)?;
        let current = self.turn(steps)?;
        let next = self.turn(steps.checked_add(1)?)?;
        let starts_at = self.anchor.starts_at + began;
        let no = self.anchor.slide + steps;
        let slide = |turn: Turn, no: u64, starts_at: u64| Slide {
            no: SlideNo(no),
            photo: turn.photo,
            beside: turn.beside,
            starts_at: UnixMillis(starts_at),
        };
        Some(Showing {
            current: slide(current, no, starts_at),
            next: slide(next, no + 1, starts_at + self.stays_by(interval, current)),
            paused: self.anchor.paused_at.or(self.held).is_some(),
        })
    }

    /// Carries out a command. A slide that comes out of turn skips a number, because clients may
    /// already hold another photo under the next one.
    pub fn act(&mut self, act: Act, now: UnixMillis) -> Result<(), UnknownPhoto> {
        if let Act::Show(photo) = act
            && !self.playlist.contains(photo)
        {
            return Err(UnknownPhoto(photo));
        }
        let paused = self.anchor.paused_at;
        self.rebase(now);
        let anchor = &mut self.anchor;
        match act {
            Act::Next => {
                if !self.playlist.is_empty() {
                    self.advance(1);
                }
            }
            Act::Previous => {
                // A photo shown out of turn has no place: back leads to where the playlist was.
                let place = match anchor.shown {
                    Some(_) => anchor.place,
                    None => self.playlist.before(anchor.place),
                };
                *anchor = Anchor {
                    slide: anchor.slide + 2,
                    place,
                    shown: None,
                    beside: None,
                    promised: None,
                    ..*anchor
                };
            }
            Act::Show(photo) => {
                *anchor = Anchor {
                    slide: anchor.slide + 2,
                    shown: Some(photo.0),
                    beside: None,
                    ..*anchor
                }
            }
            Act::Pause if paused.is_some() => return Ok(()),
            Act::Pause => {
                anchor.paused_at = Some(now.0);
                return Ok(());
            }
            Act::Resume if paused.is_none() => return Ok(()),
            Act::Resume => anchor.paused_at = None,
            Act::Interval(millis) => {
                if self.playlist.is_empty() {
                    // Kept, so that slides until now are counted as they would have come once there
                    // are photos: their numbers must not jump.
                    self.counted_by.get_or_insert(self.settings.interval_millis);
                }
                self.settings.interval_millis = millis.get();
            }
        }
        self.starts_now(now);
        Ok(())
    }

    /// Goes on after the clock was set back: the slide on screen at `then` is on screen from `now`.
    pub fn clock_went_back(&mut self, then: UnixMillis, now: UnixMillis) {
        self.rebase(then);
        self.starts_now(now);
    }

    /// The time of the pause, if there is one, or of the last command during it.
    pub(super) fn paused_at(&self) -> Option<UnixMillis> {
        self.anchor.paused_at.map(UnixMillis)
    }

    /// The state that a restart needs.
    pub fn saved(&self) -> Saved {
        Saved {
            anchor: self.anchor,
            interval_millis: self.settings.interval_millis,
            photo: self
                .own_turn()
                .map(|turn| turn.photo.0)
                .or(self.sought.map(|id| id.0)),
            arrivals: self.playlist.arrivals().clone(),
        }
    }

    /// The turn at the anchor's place; where that is besides a photo's own, the next that is one.
    fn own_turn(&self) -> Option<Turn> {
        (0..self.playlist.n_photos()).find_map(|steps| {
            let (place, turn) = self.playlist.after(self.anchor.place, steps)?;
            (!self.playlist.is_encore(place)).then_some(turn)
        })
    }

    /// The place in the playlist at `now`.
    fn place(&self, now: UnixMillis) -> Place {
        let mut here = self.clone();
        here.rebase(now);
        here.anchor.place
    }

    /// The turn shown `steps` slides after the anchor's.
    fn turn(&self, steps: u64) -> Option<Turn> {
        let anchor = &self.anchor;
        let natural = |steps| self.playlist.after(anchor.place, steps);
        match (steps, anchor.shown, anchor.promised) {
            (_, _, _) if self.playlist.is_empty() => None,
            (0, Some(shown), _) => Some(Turn {
                photo: PhotoId(shown),
                beside: anchor.beside.map(PhotoId),
            }),
            (1, _, Some(promised)) => Some(promised),
            (1.., _, Some(_)) => natural(steps - 1).map(|(_, turn)| turn),
            _ => natural(steps).map(|(_, turn)| turn),
        }
    }

    /// Moves the anchor to the slide on screen at `now`; changes nothing that [`Self::at`] says.
    fn rebase(&mut self, now: UnixMillis) {
        let Some(showing) = self.at(now) else { return };
        let steps = showing.current.no.0 - self.anchor.slide;
        if steps > 0 {
            self.advance(steps);
            self.anchor.starts_at = showing.current.starts_at.0;
        }
    }

    /// Moves the anchor by `steps` slides; its time stays.
    fn advance(&mut self, steps: u64) {
        let promised = self.anchor.promised.take();
        let by_playlist = steps - u64::from(promised.is_some());
        (self.anchor.shown, self.anchor.beside) = match promised {
            Some(turn) if steps == 1 => (Some(turn.photo.0), turn.beside.map(|id| id.0)),
            _ => (None, None),
        };
        if let Some((place, _)) = self.playlist.after(self.anchor.place, by_playlist) {
            self.anchor.place = place;
        }
        self.anchor.slide += steps;
    }

    /// Lets the anchor's slide come on at `now`, and a pause be counted from then.
    fn starts_now(&mut self, now: UnixMillis) {
        self.anchor.starts_at = now.0;
        for stop in [&mut self.anchor.paused_at, &mut self.held] {
            *stop = stop.map(|_| now.0);
        }
    }
}

#[cfg(test)]
mod tests;
