//! Favourites that come more often, and memories: counted over whole rounds, and while the marks change.

use std::collections::HashMap;

use super::*;
use crate::{rendition::Pair, size::Size, timeline::Often};

const DAY: i64 = 86_400;

fn photo(i: u64, favourite: bool) -> Entry {
    Entry {
        id: PhotoId::of(&i.to_le_bytes()),
        // Every tenth on 4 July, of another year each.
        taken: if i.is_multiple_of(10) {
            let day =
                chrono::NaiveDate::from_ymd_opt(1990 + i32::try_from(i / 10).unwrap() % 30, 7, 4);
            day.unwrap()
                .and_time(chrono::NaiveTime::MIN)
                .and_utc()
                .timestamp()
        } else {
            // None of them on that day of 1970.
            i64::try_from(i + u64::from(i == 184)).unwrap() * DAY
        },
        name: "".into(),
        shape: [Shape::Landscape, Shape::Portrait][(i % 2) as usize],
        album: i % 5,
        camera: 0,
        likeness: None,
        added: 0,
        favourite,
        plays_millis: 0,
    }
}

fn often(favour: u32, memories: u32) -> Often {
    Often {
        favour,
        memories,
        fresh_days: 0,
        today: chrono::NaiveDate::from_ymd_opt(2026, 7, 4),
    }
}

fn roster(n: u64, is_favourite: impl Fn(u64) -> bool, often: Often) -> Arc<Roster> {
    let entries = (0..n).map(|i| photo(i, is_favourite(i))).collect();
    Arc::new(Roster::new(entries, Order::Shuffle, 3).with_often(often))
}

/// The turns of one round, one after the other.
fn round(playlist: &Playlist, round: u64) -> Vec<Turn> {
    let start = Place { round, index: 0 };
    let turns = (0..).map_while(|n| playlist.after(start, n));
    turns
        .take_while(|(place, _)| place.round == round)
        .map(|(_, turn)| turn)
        .collect()
}

#[test]
fn a_favourite_comes_so_often_and_every_other_photo_once() {
    for pairing in [Pairing::Off, Pairing::Portraits] {
        let roster = roster(200, |i| i % 20 == 3, often(3, 0));
        let playlist = Playlist::of(roster, pairing, Arrivals::default());
        for no in [0, 1, 2, 77] {
            let turns = round(&playlist, no);
            let mut counts: HashMap<PhotoId, u32> = HashMap::new();
            for id in turns.iter().flat_map(|turn| turn.photos()) {
                *counts.entry(id).or_default() += 1;
            }
            for i in 0..200 {
                let expected = if i % 20 == 3 { 3 } else { 1 };
                let n = counts.get(&photo(i, false).id).copied();
                assert_eq!(n, Some(expected), "round {no}, photo {i}");
            }
            for pair in turns.windows(2) {
                let both = pair[0]
                    .photos()
                    .any(|id| pair[1].photos().any(|other| other == id));
                assert!(!both, "round {no}: twice in a row");
            }
            // Not all at once: between two turns of one favourite lies a good part of the round.
            let id = photo(3, true).id;
            let at: Vec<usize> = (0..turns.len())
                .filter(|at| turns[*at].photos().any(|other| other == id))
                .collect();
            assert!(at.windows(2).all(|pair| pair[1] - pair[0] > 20), "{at:?}");
        }
    }
}

#[test]
fn memories_are_their_share_of_the_round_and_none_on_other_days() {
    for share in [5, 20, 50, 80] {
        let all = Playlist::of(
            roster(500, |i| i == 7, often(4, share)),
            Pairing::Off,
            Arrivals::default(),
        );
        let is_memory = |turn: &Turn| (0..50).any(|i| photo(i * 10, false).id == turn.photo);
        for no in [0, 5] {
            let turns = round(&all, no);
            let n = turns.iter().filter(|turn| is_memory(turn)).count();
            // Fifty have turns of their own, a tenth, whatever is asked for.
            let percent = n as f64 * 100.0 / turns.len() as f64;
            let expected = f64::from(share).max(9.9);
            assert!((percent - expected).abs() < 1.0, "{share}: {percent}");
            // Spread over the round, not in one heap.
            let tenth = turns.len() / 10;
            for part in turns.chunks(tenth).take(10) {
                let here = part.iter().filter(|turn| is_memory(turn)).count() as f64;
                let even = part.len() as f64 * percent / 100.0;
                assert!(
                    (here - even).abs() <= 0.15 * part.len() as f64 + 2.0,
                    "{share}: {here} of {even}"
                );
            }
        }
        let another = Often {
            today: chrono::NaiveDate::from_ymd_opt(2026, 12, 27),
            ..often(1, share)
        };
        let quiet = Playlist::of(
            roster(500, |_| false, another),
            Pairing::Off,
            Arrivals::default(),
        );
        assert!(round(&quiet, 0).len() < 520);
    }
}

#[test]
fn marks_that_change_lose_no_photo_and_show_none_twice() {
    let before = roster(100, |i| i % 9 == 0, often(3, 20));
    let settings = Settings {
        interval_millis: 10_000,
        transition: Transition::Cut,
    };
    let start = 1_800_000_000_000;
    let saved = SavedProgramme::default();
    let mut all = Programme::new(settings, &before, saved, UnixMillis(start));
    let screen = (Size::new(16, 9), Pair::Off);
    let on = |all: &Programme, now: u64| {
        let timeline = all.timeline(screen.0, screen.1);
        timeline.at(UnixMillis(now)).unwrap().current
    };
    // Photos that are favourites the whole time or never, and no memories.
    let is_plain = |i: u64| [7, 9, 10].iter().all(|n| !i.is_multiple_of(*n));
    let mut seen: HashMap<PhotoId, Vec<u64>> = HashMap::new();
    let mut last = on(&all, start).no;
    for step in 1..3000_u64 {
        let now = start + step * 10_000;
        if step % 37 == 0 {
            // Somebody changes their mind about some of them, between two slides.
            let odd = step / 37 % 2;
            let roster = roster(
                100,
                |i| i % 9 == 0 || (i % 7 == 0 && odd == 1),
                often(3, 20),
            );
            let at = UnixMillis(now - 3000);
            let showing = on(&all, at.0);
            let playlists = all.playlists_of(&roster, at);
            all = all.with_playlists(playlists, at);
            assert_eq!(on(&all, at.0), showing, "what is on stays");
            if step % 111 == 0 {
                // A restart as well.
                all = Programme::new(settings, &roster, all.saved(), at);
            }
        }
        let slide = on(&all, now);
        assert!(slide.no > last, "{step}");
        last = slide.no;
        seen.entry(slide.photo).or_default().push(step);
    }
    // A round has some 150 turns: nobody waits for much longer than two, and nobody comes every few slides.
    for i in (0..100).filter(|i| is_plain(*i)) {
        let steps = &seen[&photo(i, false).id];
        assert!(steps.len() > 12, "photo {i}: {steps:?}");
        assert!(
            steps.windows(2).all(|pair| pair[1] - pair[0] < 400),
            "photo {i}: {steps:?}"
        );
    }
}
