//! The start of a programme: its timelines get the first photos, and go on from where an earlier run was.
//!
//! Pure. A start waits for this, and sorting the library is most of it: so a timeline is sorted for once, both to find its
//! place among the photos that were there then and to go on from it, and each by itself, so that the first picture waits for
//! none but its own.

use std::{
    ops::Deref,
    sync::{Arc, LazyLock},
};

use mantel_shared::UnixMillis;

use super::{Arrivals, Pairing, Playlist, Roster, Timeline};

/// A timeline that may still be being sorted: who looks at it waits for that, or does it.
#[derive(Clone, Debug)]
pub(super) enum Later {
    Sorted(Arc<Timeline>),
    Begun(Arc<LazyLock<Arc<Timeline>, Begin>>),
}

type Begin = Box<dyn FnOnce() -> Arc<Timeline> + Send>;

impl Later {
    fn new(begin: impl FnOnce() -> Arc<Timeline> + Send + 'static) -> Self {
        Self::Begun(Arc::new(LazyLock::new(Box::new(begin))))
    }
}

impl Deref for Later {
    type Target = Arc<Timeline>;

    fn deref(&self) -> &Arc<Timeline> {
        match self {
            Self::Sorted(timeline) => timeline,
            Self::Begun(timeline) => timeline,
        }
    }
}

impl From<Arc<Timeline>> for Later {
    fn from(timeline: Arc<Timeline>) -> Self {
        Self::Sorted(timeline)
    }
}

/// Timelines without photos, as they go on with those of `roster`: the one without pairs, that of screens wider than tall
/// and that of screens taller than wide. The latter two are the first's object where they are here and nothing is paired;
/// they are sorted by a thread of their own, and `begun` doesn't wait for it.
pub(super) fn begun(
    [single, landscape, portrait]: [&Arc<Timeline>; 3],
    roster: &Arc<Roster>,
    now: UnixMillis,
) -> (Arc<Timeline>, Later, Later) {
    let begin = |timeline: &Arc<Timeline>, pairing| {
        let (timeline, roster) = (timeline.clone(), roster.clone());
        move || {
            let mut timeline = Timeline::clone(&timeline);
            timeline.recall(&roster, pairing);
            let playlist = timeline.playlist_of(roster, pairing, now);
            timeline.take_playlist(playlist, now, false);
            Arc::new(timeline)
        }
    };
    let first = Later::new(begin(single, Pairing::Off));
    let other = |timeline: &Arc<Timeline>, pairing| {
        // Timelines that once differed stay apart, pairs or not, because their places differ.
        let differs = !Arc::ptr_eq(timeline, single);
        let (roster, first) = (roster.clone(), first.clone());
        let begin = begin(timeline, pairing);
        Later::new(move || {
            let has_pairs = || Playlist::of(roster, pairing, Arrivals::default()).has_pairs();
            if differs || has_pairs() {
                begin()
            } else {
                Arc::clone(&first)
            }
        })
    };
    let wide = other(landscape, Pairing::Portraits);
    let upright = other(portrait, Pairing::Landscapes);
    let both = [wide.clone(), upright.clone()];
    // Without a thread it is done when they are asked for.
    let _ = std::thread::Builder::new()
        .name("sort".into())
        .spawn(move || both.iter().for_each(|timeline| drop(Arc::clone(timeline))));
    (Arc::clone(&first), wide, upright)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Act, Entry, Often, Order, PhotoId, Programme, Settings, Shape, Transition},
        *,
    };
    use crate::{rendition::Pair, size::Size};

    const SETTINGS: Settings = Settings {
        interval_millis: 1_000,
        transition: Transition::Cut,
    };
    const NOW: u64 = 1_800_000_000_000;
    const PAIRS: [Pair; 3] = [Pair::Off, Pair::Wide, Pair::Upright];

    /// Photos of all shapes in days, albums and bursts.
    fn photos(numbers: std::ops::Range<u64>, shapes: &[Shape]) -> Vec<Entry> {
        let entry = |i: u64| Entry {
            id: PhotoId(i.wrapping_mul(0x9E37_79B9_7F4A_7C15)),
            taken: i64::try_from(1_000_000 + i / 7 * 40_000 + i % 7).unwrap(),
            name: format!("{i:03}.jpg").as_str().into(),
            shape: shapes[usize::try_from(i).unwrap() % shapes.len()],
            album: 1 + i / 20,
            camera: 1 + i % 2,
            likeness: i.is_multiple_of(5).then_some(i),
            added: i64::try_from(i / 10).unwrap(),
            favourite: i.is_multiple_of(9),
            plays_millis: 0,
        };
        numbers.map(entry).collect()
    }

    fn roster(entries: Vec<Entry>, order: Order) -> Arc<Roster> {
        let often = Often {
            favour: 2,
            ..Often::default()
        };
        Arc::new(Roster::new(entries, order, 7).with_often(often))
    }

    /// All that is on, on each shape of screen, for two rounds and more.
    fn shown(programme: &Programme, now: u64) -> Vec<[String; 3]> {
        let at = |at: u64| {
            PAIRS.map(|pair| {
                let timeline = programme.timeline(Size::new(16, 9), pair);
                format!("{:?}", timeline.at(UnixMillis(at)))
            })
        };
        (0..130).map(|step| at(now + step * 1999)).collect()
    }

    #[test]
    fn a_start_shows_what_sorting_everything_anew_shows() {
        use Shape::{Landscape, Portrait, Unknown};
        let mixed: &[Shape] = &[Portrait, Landscape, Landscape, Unknown, Portrait];
        for shapes in [mixed, &[Unknown], &[Landscape]] {
            for order in [Order::Shuffle, Order::Oldest] {
                let before = roster(photos(0..90, shapes), order);
                // The same photos; more of them; fewer; other shapes; none.
                let rosters = [
                    before.clone(),
                    roster(photos(0..120, shapes), order),
                    roster(photos(4..80, shapes), order),
                    roster(photos(0..90, &[Portrait]), order),
                    roster(Vec::new(), order),
                ];
                let mut first =
                    Programme::new(SETTINGS, &before, Default::default(), UnixMillis(NOW));
                let cold =
                    Programme::waiting(SETTINGS, &before, Default::default(), UnixMillis(NOW));
                let again = cold
                    .with_playlists(cold.playlists_of(&before, UnixMillis(NOW)), UnixMillis(NOW));
                assert_eq!(shown(&first, NOW), shown(&again, NOW));
                for (step, act) in [Act::Next, Act::Previous, Act::Pause]
                    .into_iter()
                    .enumerate()
                {
                    let now = NOW + 20_000 * (step as u64 + 1);
                    first.act(act, None, UnixMillis(now)).unwrap();
                    // At once, in the same round, and in one of those that follow.
                    for later in [now, now + 15_000, now + 500_000] {
                        for roster in &rosters {
                            let start = || {
                                Programme::waiting(
                                    SETTINGS,
                                    roster,
                                    first.saved(),
                                    UnixMillis(later),
                                )
                            };
                            let quick =
                                Programme::new(SETTINGS, roster, first.saved(), UnixMillis(later));
                            let playlists = start().playlists_of(roster, UnixMillis(later));
                            let anew = start().with_playlists(playlists, UnixMillis(later));
                            assert_eq!(shown(&quick, later), shown(&anew, later), "{act:?}");
                            assert_eq!(quick.saved(), anew.saved(), "{act:?}");
                        }
                    }
                }
            }
        }
    }
}
