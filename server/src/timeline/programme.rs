//! A channel's programme: its timelines, one for each way to pair photos. All show their slides at
//! the same moments, and the same photos on all screens that pair alike, as they do by default.
//!
//! Pure. Every command and every new playlist goes to all timelines at the same instant, so the
//! numbers and moments of their slides are the same; only what a slide shows differs. Where clips
//! play, screens that pair differently go their own ways: each stays as long as its own clip does.

use std::{num::NonZeroU64, sync::Arc};

use mantel_shared::UnixMillis;

use super::{
    Act, History, Pairing, Playlist, Roster, Saved, Settings, Timeline, UnknownPhoto, Veil,
    start::{self, Later},
};
use crate::{rendition::Pair, size::Size};

/// A channel's timelines, one for each way to pair photos. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Programme {
    single: Arc<Timeline>,
    /// The timeline of screens wider than tall; the same object as `single` if nothing is paired,
    /// as is `portrait`.
    landscape: Later,
    portrait: Later,
    pause: Option<Pause>,
    /// How long slides stay by the configuration, in milliseconds.
    configured_millis: u64,
    /// The veil over every slide.
    veil: Veil,
}

/// A pause, as it is told on the screens that it stops.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
pub struct Pause {
    /// The name of whoever asked for the pause, in words for people; `None` if that is not known.
    pub by: Option<String>,
    /// The time at which the pause began, in Unix milliseconds.
    pub since: u64,
}

/// The state of a programme that a restart needs; timelines with pairs are saved only if they
/// differ from the first.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
pub struct SavedProgramme {
    /// The timeline without pairs.
    pub saved: Option<Saved>,
    /// The timeline of screens wider than tall.
    #[serde(default)]
    pub landscape: Option<Saved>,
    /// The timeline of screens taller than wide.
    #[serde(default)]
    pub portrait: Option<Saved>,
    /// The pause, if there is one.
    #[serde(default)]
    pub pause: Option<Pause>,
    /// The interval that somebody has set, if it differs from the configured one.
    #[serde(default)]
    pub interval: Option<Interval>,
}

/// An interval that somebody has set. It holds until another one is configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
pub struct Interval {
    /// How long slides stay, in milliseconds.
    pub millis: NonZeroU64,
    /// How long slides would stay by the configuration that held when it was set, in milliseconds.
    pub configured_millis: u64,
}

/// The playlists of a [`Programme`], each worked out for its timeline.
#[derive(Debug)]
pub struct Playlists {
    single: Arc<Playlist>,
    landscape: Option<Arc<Playlist>>,
    portrait: Option<Arc<Playlist>>,
}

impl Programme {
    /// Adds what has been on, on a screen that pairs so, to a history.
    pub fn note(&self, history: &mut History, pair: Pair, now: UnixMillis) {
        let timeline: &Arc<Timeline> = match pair {
            Pair::Off => &self.single,
            Pair::Wide | Pair::Own => &self.landscape,
            Pair::Upright => &self.portrait,
        };
        history.note(timeline, now);
    }

    /// The veil over every slide, as it is now.
    pub fn veil(&self) -> &Veil {
        &self.veil
    }

    /// Lays another veil over every slide: the one on screen is shown again under it, and while none can be seen none
    /// follows. Says whether it is another one.
    pub fn set_veil(&mut self, veil: Veil, now: UnixMillis) -> bool {
        if self.veil == veil {
            return false;
        }
        let (anew, held) = (veil.is_far_from(&self.veil), veil.is_opaque());
        *self = self.each(|timeline| timeline.show_again(anew, held, now));
        self.veil = veil;
        true
    }

    /// Whether there is no photo to show.
    pub fn is_empty(&self) -> bool {
        self.single.n_photos() == 0
    }

    /// Makes a programme of the photos in `roster` that goes on from what an earlier run saved.
    pub fn new(
        settings: Settings,
        roster: &Arc<Roster>,
        saved: SavedProgramme,
        now: UnixMillis,
    ) -> Self {
        let waiting = Self::waiting(settings, roster, saved, now);
        let all = [&waiting.single, &waiting.landscape, &waiting.portrait];
        let (single, landscape, portrait) = start::begun(all, roster, now);
        Self {
            single,
            landscape,
            portrait,
            ..waiting
        }
    }

    /// Waits until all timelines are sorted: those of which the start needed none still may be being.
    pub fn wait(&self) {
        for timeline in [&self.landscape, &self.portrait] {
            drop(Arc::clone(timeline));
        }
    }

    /// A programme that has no photos yet, and goes on from what an earlier run saved once there are some.
    pub(super) fn waiting(
        settings: Settings,
        roster: &Roster,
        saved: SavedProgramme,
        now: UnixMillis,
    ) -> Self {
        let configured_millis = settings.interval_millis;
        let set = saved.interval;
        let settings = Settings {
            interval_millis: set
                .filter(|set| set.configured_millis == configured_millis)
                .map_or(configured_millis, |set| set.millis.get()),
            ..settings
        };
        // Empty at first: `recall` finds the saved place among the photos that were there then.
        let empty = Arc::new(Roster::new(Vec::new(), roster.order, roster.seed));
        let timeline = |saved: Option<Saved>| {
            let arrivals = saved.as_ref().map(|saved| saved.arrivals.clone());
            let playlist = Playlist::of(empty.clone(), Pairing::Off, arrivals.unwrap_or_default());
            Arc::new(Timeline::new(settings, Arc::new(playlist), saved, now))
        };
        // One clock for all: only the place is a timeline's own.
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
        let paused_at = saved
            .saved
            .as_ref()
            .and_then(|first| first.anchor.paused_at);
        // State files of earlier versions say only that there is a pause, not whose.
        let pause = paused_at.map(|since| saved.pause.unwrap_or(Pause { by: None, since }));
        let single = timeline(saved.saved);
        let other = |own: Option<Saved>| match own {
            Some(own) => timeline(Some(own)),
            None => single.clone(),
        };
        Self {
            landscape: other(landscape).into(),
            portrait: other(portrait).into(),
            single: single.clone(),
            pause,
            configured_millis,
            veil: Veil::default(),
        }
    }

    /// The timeline with these pairs, on a screen of this size.
    pub fn timeline(&self, size: Size, pair: Pair) -> &Arc<Timeline> {
        match pair.on(size) {
            Pair::Off => &self.single,
            Pair::Upright => &self.portrait,
            Pair::Wide | Pair::Own => &self.landscape,
        }
    }

    /// Carries out a command on all screens; `by` is who gave it.
    ///
    /// # Errors
    /// The photo to be shown is not in the playlist; nothing has changed.
    pub fn act(
        &mut self,
        act: Act,
        by: Option<String>,
        now: UnixMillis,
    ) -> Result<(), UnknownPhoto> {
        let mut result = Ok(());
        *self = self.each(|timeline| {
            let outcome = timeline.act(act, now);
            // All timelines have the same photos, so all refuse or none.
            if outcome.is_err() {
                result = outcome;
            }
        });
        self.pause = match (act, self.pause.take()) {
            (Act::Resume, _) => None,
            (Act::Pause, None) => Some(Pause { by, since: now.0 }),
            (_, pause) => pause,
        };
        result
    }

    /// The pause, if there is one.
    pub fn pause(&self) -> Option<&Pause> {
        self.pause.as_ref()
    }

    /// The time at which a pause ends by itself that may last `after_millis`, counted from the last
    /// command during it.
    pub fn resumes_at(&self, after_millis: NonZeroU64) -> Option<UnixMillis> {
        let touched = self.single.paused_at()?;
        Some(UnixMillis(touched.0.saturating_add(after_millis.get())))
    }

    /// Ends a pause that has lasted `after_millis`; returns whether it did.
    pub fn end_pause(&mut self, after_millis: NonZeroU64, now: UnixMillis) -> bool {
        let is_over = self.resumes_at(after_millis).is_some_and(|end| end <= now);
        is_over && self.act(Act::Resume, None, now).is_ok()
    }

    /// Counts slides from the one that is on, where they are counted one by one; changes nothing of what is on when. Returns
    /// whether it was time to.
    pub fn settle(&mut self, now: UnixMillis) -> bool {
        let all = [&self.single, &*self.landscape, &*self.portrait];
        let is_far = all.iter().any(|timeline| timeline.is_far(now));
        if is_far {
            *self = self.each(|timeline| timeline.settle(now));
        }
        is_far
    }

    /// Goes on after the clock was set back: the slide on screen at `then` is on screen from `now`.
    pub fn clock_went_back(&mut self, then: UnixMillis, now: UnixMillis) {
        *self = self.each(|timeline| timeline.clock_went_back(then, now));
    }

    /// The playlists that `roster` makes for this programme as it is at `now`. Sorts: no work for a
    /// thread that serves sockets.
    pub fn playlists_of(&self, roster: &Arc<Roster>, now: UnixMillis) -> Playlists {
        let made = |timeline: &Timeline, pairing| {
            let playlist = timeline.playlist_of(roster.clone(), pairing, now);
            // The round that runs is worked out here, on a thread for which no viewer waits.
            playlist.warm(timeline.place(now).round);
            playlist
        };
        let other = |timeline: &Arc<Timeline>, pairing| {
            let playlist = made(timeline, pairing);
            // Timelines that once differed stay apart, pairs or not, because their places differ.
            let is_own = !Arc::ptr_eq(timeline, &self.single) || playlist.has_pairs();
            is_own.then_some(playlist)
        };
        // Three sorts of the library, each for itself.
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

    /// The programme with new playlists. If a photo on any screen is gone, all screens go on to the
    /// next slide at once.
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
            landscape: other(&self.landscape, landscape).into(),
            portrait: other(&self.portrait, portrait).into(),
            single: first,
            pause: self.pause.clone(),
            configured_millis: self.configured_millis,
            veil: self.veil.clone(),
        }
    }

    /// Whether no slide came between two instants.
    pub fn same_slide(&self, then: UnixMillis, now: UnixMillis) -> bool {
        let no = |at| self.single.at(at).map(|showing| showing.current.no);
        no(then) == no(now)
    }

    /// The state that a restart needs.
    pub fn saved(&self) -> SavedProgramme {
        let own = |timeline: &Arc<Timeline>| {
            (!Arc::ptr_eq(timeline, &self.single)).then(|| timeline.saved())
        };
        SavedProgramme {
            landscape: own(&self.landscape),
            portrait: own(&self.portrait),
            saved: Some(self.single.saved()),
            pause: self.pause.clone(),
            interval: NonZeroU64::new(self.settings().interval_millis)
                .filter(|millis| millis.get() != self.configured_millis)
                .map(|millis| Interval {
                    millis,
                    configured_millis: self.configured_millis,
                }),
        }
    }

    /// How long slides stay and how they change.
    pub fn settings(&self) -> Settings {
        self.single.settings()
    }

    /// The settings as they are configured, whatever interval was set since. Wishes in an address
    /// are checked against these, so that an address that was valid stays valid.
    pub fn configured(&self) -> Settings {
        Settings {
            interval_millis: self.configured_millis,
            ..self.settings()
        }
    }

    /// Changes every timeline once; timelines that share one object go on sharing it.
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
            landscape: other(&self.landscape).into(),
            portrait: other(&self.portrait).into(),
            single: single.clone(),
            pause: self.pause.clone(),
            configured_millis: self.configured_millis,
            veil: self.veil.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::{Entry, Order, PhotoId, Shape, Transition};

    const HOUR: NonZeroU64 = NonZeroU64::new(3_600_000).unwrap();
    const SETTINGS: Settings = Settings {
        interval_millis: 10_000,
        transition: Transition::Cut,
    };

    fn entry(n: u64) -> Entry {
        Entry {
            id: PhotoId(n),
            taken: 0,
            name: n.to_string().into(),
            shape: Shape::Landscape,
            album: 0,
            camera: 0,
            likeness: None,
            added: 0,
            favourite: false,
            plays_millis: 0,
        }
    }

    fn programme(saved: SavedProgramme, now: u64) -> Programme {
        let entries = (1..20).map(entry).collect();
        let roster = Arc::new(Roster::new(entries, Order::Shuffle, 7));
        Programme::new(SETTINGS, &roster, saved, UnixMillis(now))
    }

    fn is_paused(programme: &Programme, now: u64) -> bool {
        let timeline = programme.timeline(Size::new(16, 9), Pair::Own);
        timeline.at(UnixMillis(now)).unwrap().paused
    }

    #[test]
    fn a_set_interval_outlives_a_restart_until_another_is_configured() {
        let roster = Arc::new(Roster::new((0..9).map(entry).collect(), Order::Name, 1));
        let now = UnixMillis(1_800_000_000_000);
        let start = |interval_millis, saved| {
            let settings = Settings {
                interval_millis,
                ..SETTINGS
            };
            Programme::new(settings, &roster, saved, now)
        };
        let mut programme = start(10_000, SavedProgramme::default());
        assert_eq!(programme.saved().interval, None);
        let interval = Act::Interval(NonZeroU64::new(3_000).unwrap());
        programme.act(interval, None, now).unwrap();
        let again = start(10_000, programme.saved());
        assert_eq!(again.settings().interval_millis, 3_000);
        let once_more = start(10_000, again.saved());
        assert_eq!(once_more.settings().interval_millis, 3_000);
        let configured = start(20_000, again.saved());
        assert_eq!(configured.settings().interval_millis, 20_000);
        assert_eq!(configured.saved().interval, None);
    }

    #[test]
    fn a_pause_tells_who_and_ends_by_itself() {
        let mut all = programme(SavedProgramme::default(), 0);
        let start = 1_000_000;
        assert_eq!(all.resumes_at(HOUR), None);
        all.act(Act::Pause, Some("hall".into()), UnixMillis(start))
            .unwrap();
        // A second pause changes neither who paused nor since when.
        all.act(Act::Pause, Some("kitchen".into()), UnixMillis(start + 5))
            .unwrap();
        let told = Pause {
            by: Some("hall".into()),
            since: start,
        };
        assert_eq!(all.pause(), Some(&told));
        let on = |now| {
            all.timeline(Size::new(16, 9), Pair::Own)
                .at(UnixMillis(now))
                .unwrap()
                .current
                .no
        };
        assert_eq!(on(start + 50 * 60_000), on(start));
        let end = start + HOUR.get();
        assert!(!all.end_pause(HOUR, UnixMillis(end - 1)) && is_paused(&all, end - 1));
        assert!(all.end_pause(HOUR, UnixMillis(end)));
        assert!(!is_paused(&all, end) && all.pause().is_none());
        // A channel that isn't paused has no pause to end.
        assert!(!all.end_pause(HOUR, UnixMillis(end + 10 * HOUR.get())));
        assert!(is_paused(&paused_again(all.clone(), end), end + 1));
    }

    fn paused_again(mut all: Programme, now: u64) -> Programme {
        all.act(Act::Pause, None, UnixMillis(now)).unwrap();
        all
    }

    #[test]
    fn whoever_leafs_through_a_pause_prolongs_it() {
        let mut all = paused_again(programme(SavedProgramme::default(), 0), 1_000_000);
        let half = 1_000_000 + HOUR.get() / 2;
        all.act(Act::Next, Some("hall".into()), UnixMillis(half))
            .unwrap();
        assert_eq!(all.pause().map(|pause| pause.since), Some(1_000_000));
        assert!(!all.end_pause(HOUR, UnixMillis(1_000_000 + HOUR.get())));
        assert!(all.end_pause(HOUR, UnixMillis(half + HOUR.get())));
    }

    #[test]
    fn a_restart_makes_no_pause_last_for_ever() {
        let mut first = programme(SavedProgramme::default(), 0);
        first
            .act(Act::Pause, Some("hall".into()), UnixMillis(1_000_000))
            .unwrap();
        let saved = serde_json::to_string(&first.saved()).unwrap();
        let restored = |text: &str| {
            let now = 1_000_000 + HOUR.get() / 2;
            let mut again = programme(serde_json::from_str(text).unwrap(), now);
            assert_eq!(again.pause().map(|pause| pause.since), Some(1_000_000));
            assert!(is_paused(&again, now) && !again.end_pause(HOUR, UnixMillis(now)));
            let by = again.pause().and_then(|pause| pause.by.clone());
            assert!(again.end_pause(HOUR, UnixMillis(1_000_000 + HOUR.get())));
            by
        };
        assert_eq!(restored(&saved).as_deref(), Some("hall"));
        // The state as an earlier version has written it.
        let mut old: serde_json::Value = serde_json::from_str(&saved).unwrap();
        old.as_object_mut().unwrap().remove("pause");
        assert_eq!(restored(&old.to_string()), None);
    }

    #[test]
    fn a_pause_outlives_new_photos() {
        let mut all = programme(SavedProgramme::default(), 0);
        all.act(Act::Pause, Some("hall".into()), UnixMillis(1_000_000))
            .unwrap();
        let entries = (1..30).map(entry).collect();
        let roster = Arc::new(Roster::new(entries, Order::Shuffle, 7));
        let playlists = all.playlists_of(&roster, UnixMillis(1_000_001));
        let after = all.with_playlists(playlists, UnixMillis(1_000_002));
        assert_eq!(after.pause(), all.pause());
        let mut back = after;
        back.clock_went_back(UnixMillis(1_000_003), UnixMillis(500_000));
        assert!(back.pause().is_some() && is_paused(&back, 500_001));
    }
}
