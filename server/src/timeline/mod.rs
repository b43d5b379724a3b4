//! Which slide is on screen at which instant: a pure function of playlist, settings, commands and
//! time.
//!
//! No file, socket, clock, task or randomness: `now` is an argument, so a test runs a year in a
//! millisecond, and two renditions that ask at the same instant get the same answer. Wall-clock
//! time is what all screens and a restart share; slides are counted from an [`Anchor`], which only
//! commands and changes of the playlist move.

mod playlist;
mod transition;

use std::sync::Arc;

use mantel_shared::{SlideNo, UnixMillis};

pub use mantel_shared::Transition;
pub use playlist::{Entry, Order, PhotoId, Place, Playlist};
pub use transition::blend_steps;

/// How long slides stay and how they change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long a slide stays, in milliseconds, its transition included; never 0.
    pub interval_millis: u64,
    /// How one slide becomes the next; never longer than the interval.
    pub transition: Transition,
}

/// Slides are counted from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
pub struct Anchor {
    /// The slide on screen from `starts_at`.
    pub slide: u64,
    /// When that slide came on, in Unix milliseconds.
    pub starts_at: u64,
    /// Its place in the playlist.
    pub place: Place,
    /// A photo that stands in for the one at `place`, on this slide only.
    pub shown: Option<u64>,
    /// When the channel was paused, if it is.
    pub paused_at: Option<u64>,
}

/// The state that a restart needs in order to go on where the last run was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
pub struct Saved {
    /// Where slides are counted from.
    pub anchor: Anchor,
    /// The interval that held when it was saved.
    pub interval_millis: u64,
    /// The photo at the anchor's place: the place moves when photos were added meanwhile.
    pub photo: Option<u64>,
}

/// One turn of one photo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slide {
    /// Its number, which only grows.
    pub no: SlideNo,
    /// The photo it shows.
    pub photo: PhotoId,
    /// When it comes on screen: its transition starts then.
    pub starts_at: UnixMillis,
}

/// What is on screen at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Showing {
    /// The slide on screen.
    pub current: Slide,
    /// The one that will follow; while paused its `starts_at` means nothing.
    pub next: Slide,
    /// True while nothing moves on by itself.
    pub paused: bool,
}

/// What a person asks of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// On to the next slide at once.
    Next,
    /// Back to the photo before.
    Previous,
    /// Stay on this slide.
    Pause,
    /// Go on, with a full interval for the slide on screen.
    Resume,
    /// Show this photo now, then go on from where the playlist was.
    Show(PhotoId),
}

/// The command named a photo that is not in the playlist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no photo {0} is being shown here; GET /status names the current one")]
pub struct UnknownPhoto(pub PhotoId);

/// A channel's programme. Cheap to clone: what is shared is shared.
#[derive(Clone, Debug)]
pub struct Timeline {
    settings: Settings,
    playlist: Arc<Playlist>,
    anchor: Anchor,
}

impl Timeline {
    /// A timeline that counts from 1970, or goes on from what an earlier run saved.
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
            paused_at: None,
        };
        let mut timeline = Self {
            settings,
            playlist,
            anchor: saved.map_or(start, |saved| saved.anchor),
        };
        let Some(saved) = saved else { return timeline };
        if let Some(place) = saved.photo.and_then(|id| {
            timeline
                .playlist
                .find(saved.anchor.place.round, PhotoId(id))
        }) {
            timeline.anchor.place = place;
        }
        if saved.interval_millis != settings.interval_millis && saved.interval_millis > 0 {
            // Count up to now by the old interval: the numbers go on growing.
            timeline.settings.interval_millis = saved.interval_millis;
            timeline.rebase(now);
            timeline.settings.interval_millis = settings.interval_millis;
        }
        timeline
    }

    /// How long slides stay and how they change.
    pub fn settings(&self) -> Settings {
        self.settings
    }

    /// How many photos take turns.
    pub fn n_photos(&self) -> u64 {
        self.playlist.n_photos()
    }

    /// What is on screen at `now`; `None` when there is no photo.
    pub fn at(&self, now: UnixMillis) -> Option<Showing> {
        let interval = self.settings.interval_millis;
        let until = self.anchor.paused_at.unwrap_or(now.0);
        let steps = until.saturating_sub(self.anchor.starts_at) / interval;
        let (place, mut photo) = self.playlist.after(self.anchor.place, steps)?;
        if steps == 0
            && let Some(shown) = self.anchor.shown
        {
            photo = PhotoId(shown);
        }
        let (_, next) = self.playlist.after(place, 1)?;
        let starts_at = self.anchor.starts_at + steps * interval;
        let no = self.anchor.slide + steps;
        Some(Showing {
            current: Slide {
                no: SlideNo(no),
                photo,
                starts_at: UnixMillis(starts_at),
            },
            next: Slide {
                no: SlideNo(no + 1),
                photo: next,
                starts_at: UnixMillis(starts_at + interval),
            },
            paused: self.anchor.paused_at.is_some(),
        })
    }

    /// Does what a person asked. A slide that comes out of turn skips a number, because clients may
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
                if let Some((place, _)) = self.playlist.after(anchor.place, 1) {
                    *anchor = Anchor {
                        slide: anchor.slide + 1,
                        place,
                        shown: None,
                        ..*anchor
                    };
                }
            }
            Act::Previous => {
                // After a photo shown out of turn, back means back to where the playlist was.
                let place = match anchor.shown {
                    Some(_) => anchor.place,
                    None => self.playlist.before(anchor.place),
                };
                *anchor = Anchor {
                    slide: anchor.slide + 2,
                    place,
                    shown: None,
                    ..*anchor
                };
            }
            Act::Show(photo) => {
                *anchor = Anchor {
                    slide: anchor.slide + 2,
                    shown: Some(photo.0),
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
        }
        anchor.starts_at = now.0;
        if anchor.paused_at.is_some() {
            anchor.paused_at = Some(now.0);
        }
        Ok(())
    }

    /// Takes a new playlist and keeps the slide on screen; when its photo is gone, the next slide
    /// comes at once. Photos shown earlier in this round stay shown.
    pub fn set_playlist(&mut self, playlist: Arc<Playlist>, now: UnixMillis) {
        self.rebase(now);
        let old = std::mem::replace(&mut self.playlist, playlist);
        let anchor = &mut self.anchor;
        let Some((_, at_place)) = old.after(anchor.place, 0) else {
            // There was nothing; what an earlier run saved may still hold.
            return;
        };
        let shown = anchor.shown.map_or(at_place, PhotoId);
        let survivor = (0..old.n_photos()).find_map(|steps| {
            let (place, id) = old.after(anchor.place, steps)?;
            Some((steps, self.playlist.find(place.round, id)?))
        });
        let Some((steps, place)) = survivor else {
            return;
        };
        if self.playlist.contains(shown) {
            // The place itself may be gone while the photo shown out of turn stays.
            anchor.place = if steps == 0 {
                place
            } else {
                self.playlist.before(place)
            };
        } else {
            *anchor = Anchor {
                slide: anchor.slide + 1,
                starts_at: now.0,
                place,
                shown: None,
                ..*anchor
            };
            if anchor.paused_at.is_some() {
                anchor.paused_at = Some(now.0);
            }
        }
    }

    /// The clock was set back by somebody: what was on screen at `then` is on screen from `now`.
    pub fn clock_went_back(&mut self, then: UnixMillis, now: UnixMillis) {
        self.rebase(then);
        self.anchor.starts_at = now.0;
        if self.anchor.paused_at.is_some() {
            self.anchor.paused_at = Some(now.0);
        }
    }

    /// What a restart needs.
    pub fn saved(&self) -> Saved {
        Saved {
            anchor: self.anchor,
            interval_millis: self.settings.interval_millis,
            photo: self
                .playlist
                .after(self.anchor.place, 0)
                .map(|(_, id)| id.0),
        }
    }

    /// Moves the anchor to the slide on screen at `now`; changes nothing that [`Self::at`] says.
    fn rebase(&mut self, now: UnixMillis) {
        let Some(showing) = self.at(now) else { return };
        let steps = showing.current.no.0 - self.anchor.slide;
        if steps == 0 {
            return;
        }
        if let Some((place, _)) = self.playlist.after(self.anchor.place, steps) {
            self.anchor.place = place;
            self.anchor.shown = None;
            self.anchor.slide = showing.current.no.0;
            self.anchor.starts_at = showing.current.starts_at.0;
        }
    }
}

#[cfg(test)]
mod tests;
