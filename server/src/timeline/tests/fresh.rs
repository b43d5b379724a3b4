//! Photos that came in lately and open each round: held against a sort in one line, and over weeks of virtual time with
//! arrivals, midnights and restarts.

use std::collections::{BTreeMap, HashSet};

use chrono::NaiveDate;
use proptest::prelude::*;

use super::*;
use crate::{
    rendition::Pair,
    size::Size,
    timeline::{Often, arrivals::Arrivals},
};

const DAY: i64 = 86_400;
const SCREEN: (Size, Pair) = (Size::new(16, 9), Pair::Off);

fn photo(i: u64, added: i64) -> Entry {
    Entry {
        id: PhotoId::of(&i.to_le_bytes()),
        taken: 0,
        name: "".into(),
        shape: Shape::Landscape,
        album: 0,
        camera: 0,
        likeness: None,
        added,
        favourite: i.is_multiple_of(5),
        plays_millis: 0,
    }
}

fn often(fresh_days: u32, day: i64) -> Often {
    Often {
        fresh_days,
        today: NaiveDate::from_ymd_opt(2026, 3, 1)
            .unwrap()
            .checked_add_days(chrono::Days::new(day.unsigned_abs())),
        ..Often::default()
    }
}

/// Midnight of the day that [`often`] counts from.
fn midnight(day: i64) -> i64 {
    let first = NaiveDate::from_ymd_opt(2026, 3, 1).unwrap();
    first.and_time(chrono::NaiveTime::MIN).and_utc().timestamp() + day * DAY
}

fn round(playlist: &Playlist, round: u64) -> Vec<PhotoId> {
    let turns = (0..).map_while(|n| playlist.after(Place { round, index: 0 }, n));
    let of_it = turns.take_while(|(place, _)| place.round == round);
    of_it.map(|(_, turn)| turn.photo).collect()
}

proptest! {
    /// A round is what it was, with what is new sorted to its front.
    #[test]
    fn a_round_is_the_same_shuffle_with_new_photos_in_front(
        added in proptest::collection::vec(0..40_i64, 3..80),
        days in 1..40_u32,
        no in 0..5_u64,
    ) {
        let entries: Vec<Entry> = (0..).zip(&added).map(|(i, day)| photo(i, midnight(*day))).collect();
        let roster = |often| Arc::new(Roster::new(entries.clone(), Order::Shuffle, 3).with_often(often));
        let often = often(days, 40);
        let since = often.fresh_since().unwrap();
        prop_assert_eq!(since, midnight(40 - i64::from(days)));
        let plain = Playlist::of(roster(Often::default()), Pairing::Off, Arrivals::default());
        let mut arrivals = Arrivals::default();
        arrivals.renew(0, Some(since));
        let fresh = Playlist::of(roster(often), Pairing::Off, arrivals);
        let is_new = |id: &PhotoId| entries.iter().any(|entry| entry.id == *id && entry.added >= since);
        let (mut expected, others): (Vec<PhotoId>, Vec<PhotoId>) = round(&plain, no).into_iter().partition(is_new);
        let (n_new, got) = (expected.len(), round(&fresh, no));
        expected.extend(others);
        // The seam to the round before may move one turn of each.
        let moved = got.iter().zip(&expected).filter(|(a, b)| a != b).count();
        prop_assert!(moved == 0 || no > 0, "{:?} {:?}", got, expected);
        let front: HashSet<&PhotoId> = got[..n_new].iter().collect();
        prop_assert!(got[..n_new].iter().all(is_new) && front.len() == n_new, "{:?}", got);
        prop_assert!(!got[n_new..].iter().any(is_new), "{:?}", got);
    }
}

/// Favourites are spread over the whole of a round that opens with new photos.
#[test]
fn encores_are_spread_over_new_and_others_alike() {
    for n_new in [0, 3, 100, 400] {
        let entries = (0..400).map(|i| photo(i, if i < n_new { midnight(9) } else { 0 }));
        let often = Often {
            favour: 3,
            ..often(14, 10)
        };
        let roster = Roster::new(entries.collect(), Order::Shuffle, 3).with_often(often);
        let mut arrivals = Arrivals::default();
        arrivals.renew(0, often.fresh_since());
        let playlist = Playlist::of(Arc::new(roster), Pairing::Off, arrivals);
        let turns = round(&playlist, 1);
        assert_eq!(turns.len(), 400 + 80 * 2);
        let is_encore: Vec<bool> = (0..turns.len() as u64)
            .map(|index| playlist.is_encore(Place { round: 1, index }))
            .collect();
        for eighth in is_encore.chunks(turns.len() / 8).take(8) {
            let n = eighth.iter().filter(|is| **is).count();
            assert!(
                (10..=32).contains(&n),
                "{n_new} new: {n} of {}",
                eighth.len()
            );
        }
    }
}

/// Sixty days with a slide every ten minutes. Each photo that is there when a round begins has one turn in it, and those that
/// were new then come first.
#[test]
fn rounds_open_with_what_is_new_and_lose_nothing_at_midnight() {
    for (n_first, restarts) in [(40, false), (40, true), (400, true)] {
        let mut entries: Vec<Entry> = (0..n_first).map(|i| photo(i, 0)).collect();
        let settings = Settings {
            interval_millis: 600_000,
            transition: Transition::Cut,
        };
        let often = |day| often(14, day);
        let roster = |entries: &[Entry], day| {
            Roster::new(entries.to_vec(), Order::Shuffle, 3).with_often(often(day))
        };
        let start = u64::try_from(midnight(0)).unwrap() * 1000;
        let mut all = Programme::new(
            settings,
            &Arc::new(roster(&entries, 0)),
            SavedProgramme::default(),
            UnixMillis(start),
        );
        // What was shown in each round, in order; and what was known, and new, as it began.
        let mut shown: BTreeMap<u64, Vec<PhotoId>> = BTreeMap::new();
        let mut began: BTreeMap<u64, (Vec<Entry>, i64, i64)> = BTreeMap::new();
        let mut since = often(0).fresh_since().unwrap();
        for slide in 1..60 * 144_u64 {
            let now = start + slide * 600_000;
            let day = i64::try_from(slide / 144).unwrap();
            // At midnight the days are counted anew; every fifth day three photos come at noon.
            let at = UnixMillis(now - 300_000);
            let came = slide % 720 == 72;
            if came {
                let n = entries.len() as u64;
                entries.extend((n..n + 3).map(|i| photo(i, midnight(day) + DAY / 2)));
            }
            let before = since;
            if slide % 144 == 0 || came {
                let roster = Arc::new(roster(&entries, day));
                if restarts && day % 3 == 0 {
                    all = Programme::new(settings, &roster, all.saved(), at);
                }
                let playlists = all.playlists_of(&roster, at);
                all = all.with_playlists(playlists, at);
                since = often(day).fresh_since().unwrap();
            }
            let mut timeline = Timeline::clone(all.timeline(SCREEN.0, SCREEN.1));
            timeline.rebase(UnixMillis(now));
            let round = timeline.anchor.place.round;
            let on = timeline.at(UnixMillis(now)).unwrap().current.photo;
            // With the first slide of a round announced already, what is new is counted anew another time.
            if !began.contains_key(&round) {
                since = before;
            }
            began.entry(round).or_insert_with(|| {
                (
                    entries.clone(),
                    since,
                    midnight(0) + slide.cast_signed() * 600,
                )
            });
            shown.entry(round).or_default().push(on);
        }
        assert!(shown.len() > 15, "{} rounds", shown.len());
        // The first and the last were not seen whole.
        let (first, last) = (
            *shown.keys().next().unwrap(),
            *shown.keys().next_back().unwrap(),
        );
        for (no, turns) in shown.iter().filter(|(no, _)| first < **no && **no < last) {
            let (known, since, start) = &began[no];
            let distinct: HashSet<PhotoId> = turns.iter().copied().collect();
            assert_eq!(distinct.len(), turns.len(), "round {no}: one came twice");
            for entry in known {
                assert!(distinct.contains(&entry.id), "round {no} lost one");
            }
            // What came while the round before ended comes soon in this one, as it would have in that one.
            let is_old = |entry: &&Entry| entry.added < start - 3600;
            let of = |id: &PhotoId| known.iter().filter(is_old).find(|entry| entry.id == *id);
            let known_turns = turns.iter().filter_map(of);
            let is_new: Vec<bool> = known_turns.map(|entry| entry.added >= *since).collect();
            assert!(is_new.is_sorted_by(|a, b| a >= b), "round {no}: {is_new:?}");
        }
    }
}
