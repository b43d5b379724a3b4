//! One channel's timelines, one for each way to pair photos: the same slides at the same moments, and
//! the same photos on all screens that pair alike, which they do unless told otherwise.
//!
//! Pure. Every command and every new playlist goes to all of them at the same instant, so their
//! slides' numbers and moments are the same; only what a slide shows differs.

use std::sync::Arc;

use mantel_shared::UnixMillis;

use super::{Act, Pairing, Playlist, Roll, Saved, Settings, Timeline, UnknownPhoto};
use crate::{render::Size, rendition::Pair};

/// A channel's programme. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Programme {
    single: Arc<Timeline>,
    /// The same as `single` where nothing is paired.
    landscape: Arc<Timeline>,
    portrait: Arc<Timeline>,
}

/// What a restart needs; the others are saved only where they differ from the first.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
pub struct SavedProgramme {
    /// The timeline without pairs.
    pub saved: Option<Saved>,
    /// That of screens wider than tall.
    #[serde(default)]
    pub landscape: Option<Saved>,
    /// That of screens taller than wide.
    #[serde(default)]
    pub portrait: Option<Saved>,
}

/// Playlists for a [`Programme`], each worked out for its timeline.
#[derive(Debug)]
pub struct Playlists {
    single: Arc<Playlist>,
    landscape: Option<Arc<Playlist>>,
    portrait: Option<Arc<Playlist>>,
}

impl Programme {
    /// True when there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.single.n_photos() == 0
    }

    /// A programme over `roll` that goes on from what an earlier run saved.
    pub fn new(
        settings: Settings,
        roll: &Arc<Roll>,
        saved: SavedProgramme,
        now: UnixMillis,
    ) -> Self {
        // Empty at first: what was saved is found among the photos that were there then.
        let empty = Arc::new(Roll::new(Vec::new(), roll.order, roll.seed));
        let timeline = |saved: Option<Saved>| {
            let news = saved.as_ref().map(|saved| saved.news.clone());
            let playlist = Playlist::of(empty.clone(), Pairing::Off, news.unwrap_or_default());
            Arc::new(Timeline::new(settings, Arc::new(playlist), saved, now))
        };
        // One clock: only the place is their own.
        let with_clock = |own: Option<Saved>| {
            own.zip(saved.saved.as_ref()).map(|(own, first)| Saved {
                anchor: super::Anchor {
                    slide: first.anchor.slide,
                    starts_at: first.anchor.starts_at,
                    paused_at: first.anchor.paused_at,
                    ..own.anchor
                },
                interval_millis: first.interval_millis,
                ..own
            })
        };
        let (landscape, portrait) = (with_clock(saved.landscape), with_clock(saved.portrait));
        let single = timeline(saved.saved);
        let other = |own: Option<Saved>| match own {
            Some(own) => timeline(Some(own)),
            None => single.clone(),
        };
        let programme = Self {
            landscape: other(landscape),
            portrait: other(portrait),
            single: single.clone(),
        };
        let playlists = programme.playlists_of(roll, now);
        programme.with_playlists(playlists, now)
    }

    /// The timeline with these pairs, on a screen of this size.
    pub fn timeline(&self, size: Size, pair: Pair) -> &Arc<Timeline> {
        match pair.on(size) {
            Pair::Off => &self.single,
            Pair::Upright => &self.portrait,
            Pair::Wide | Pair::Own => &self.landscape,
        }
    }

    /// Does what a person asked, on all screens.
    ///
    /// # Errors
    /// The photo to be shown is not in the playlist; nothing has changed.
    pub fn act(&mut self, act: Act, now: UnixMillis) -> Result<(), UnknownPhoto> {
        let mut result = Ok(());
        *self = self.each(|timeline| {
            let outcome = timeline.act(act, now);
            // All have the same photos, so all say the same.
            if outcome.is_err() {
                result = outcome;
            }
        });
        result
    }

    /// The clock was set back: what was on screen at `then` is on screen from `now`.
    pub fn clock_went_back(&mut self, then: UnixMillis, now: UnixMillis) {
        *self = self.each(|timeline| timeline.clock_went_back(then, now));
    }

    /// The playlists that `roll` makes for this programme as it is at `now`. Sorts: no work for a
    /// thread that serves sockets.
    pub fn playlists_of(&self, roll: &Arc<Roll>, now: UnixMillis) -> Playlists {
        let made = |timeline: &Timeline, pairing| {
            let playlist = Arc::new(timeline.playlist_of(roll.clone(), pairing, now));
            // Worked out here, where nobody waits: the round that runs.
            playlist.warm(timeline.place(now).round);
            playlist
        };
        let other = |timeline: &Arc<Timeline>, pairing| {
            let playlist = made(timeline, pairing);
            // Once their ways have parted they stay parted: places differ.
            let is_own = !Arc::ptr_eq(timeline, &self.single) || playlist.has_pairs();
            is_own.then_some(playlist)
        };
        // Three sorts of the library, each for itself: a start waits for them.
        std::thread::scope(|threads| {
            let portrait = threads.spawn(|| other(&self.portrait, Pairing::Landscapes));
            let single = made(&self.single, Pairing::Off);
            let landscape = other(&self.landscape, Pairing::Portraits);
            let portrait = portrait
                .join()
                .unwrap_or_else(|_| other(&self.portrait, Pairing::Landscapes));
            Playlists {
                single,
                landscape,
                portrait,
            }
        })
    }

    /// Takes new playlists. Where what is on any screen is gone, all go on to the next slide at
    /// once.
    #[must_use]
    pub fn with_playlists(&self, playlists: Playlists, now: UnixMillis) -> Self {
        let Playlists {
            single,
            landscape,
            portrait,
        } = playlists;
        let step_on = self.single.loses_current(&single, now)
            || self
                .landscape
                .loses_current(landscape.as_ref().unwrap_or(&single), now)
            || self
                .portrait
                .loses_current(portrait.as_ref().unwrap_or(&single), now);
        let with = |timeline: &Timeline, playlist: Arc<Playlist>| {
            let mut timeline = timeline.clone();
            timeline.take_playlist(playlist, now, step_on);
            Arc::new(timeline)
        };
        let first = with(&self.single, single);
        let other = |timeline: &Timeline, playlist: Option<Arc<Playlist>>| match playlist {
            Some(playlist) => with(timeline, playlist),
            None => first.clone(),
        };
        Self {
            landscape: other(&self.landscape, landscape),
            portrait: other(&self.portrait, portrait),
            single: first,
        }
    }

    /// Whether no slide came between two instants.
    pub fn same_slide(&self, then: UnixMillis, now: UnixMillis) -> bool {
        let no = |at| self.single.at(at).map(|showing| showing.current.no);
        no(then) == no(now)
    }

    /// What a restart needs.
    pub fn saved(&self) -> SavedProgramme {
        let own = |timeline: &Arc<Timeline>| {
            (!Arc::ptr_eq(timeline, &self.single)).then(|| timeline.saved())
        };
        SavedProgramme {
            landscape: own(&self.landscape),
            portrait: own(&self.portrait),
            saved: Some(self.single.saved()),
        }
    }

    /// Changes every timeline once, and keeps those the same that are the same.
    fn each(&self, mut change: impl FnMut(&mut Timeline)) -> Self {
        let mut changed = |timeline: &Timeline| {
            let mut timeline = timeline.clone();
            change(&mut timeline);
            Arc::new(timeline)
        };
        let single = changed(&self.single);
        let mut other = |timeline: &Arc<Timeline>| {
            if Arc::ptr_eq(timeline, &self.single) {
                single.clone()
            } else {
                changed(timeline)
            }
        };
        Self {
            landscape: other(&self.landscape),
            portrait: other(&self.portrait),
            single: single.clone(),
        }
    }
}
