//! Photos that come and go while slides run, over weeks of virtual time, on every shape of screen.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;

use super::*;
use crate::{rendition::Pair, size::Size};

const SCREENS: [(Size, Pair); 3] = [
    (Size::new(16, 9), Pair::Off),
    (Size::new(16, 9), Pair::Own),
    (Size::new(9, 16), Pair::Own),
];

fn photo(i: u64, added: i64) -> Entry {
    Entry {
        id: PhotoId::of(&i.to_le_bytes()),
        taken: i64::try_from(i % 7).unwrap() * 86_400,
        name: "".into(),
        shape: [Shape::Landscape, Shape::Portrait, Shape::Unknown][(i % 3) as usize],
        album: i % 5,
        camera: 0,
        likeness: None,
        added,
        favourite: false,
        plays_millis: 0,
    }
}

fn roster(entries: &[Entry]) -> Arc<Roster> {
    Arc::new(Roster::new(entries.to_vec(), Order::Shuffle, 3))
}

fn showings(programme: &Programme, now: u64) -> [Showing; 3] {
    SCREENS.map(|(size, pair)| programme.timeline(size, pair).at(UnixMillis(now)).unwrap())
}

/// The photos that a screen has shown: how often each in the round that runs, and since when the
/// new ones wait.
#[derive(Default)]
struct Watch {
    last: Option<Showing>,
    shown: HashMap<PhotoId, u64>,
    waiting: HashMap<PhotoId, u64>,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// Each of n photos that arrive is on screen within 2·n + 3 slides, nothing announced changes,
    /// and from the arrival on no photo is seen twice before all were seen once (counted from the
    /// beginning of a round on).
    #[test]
    fn new_photos_come_soon_and_each_has_one_turn_a_round(
        n_first in 5u64..60,
        arrivals in proptest::collection::vec((1u64..12, 1u64..400), 1..12),
        restarts: bool,
    ) {
        let mut all: Vec<Entry> = (0..n_first).map(|i| photo(i, 0)).collect();
        let mut now = NOW;
        let mut programme = Programme::new(SETTINGS, &roster(&all), SavedProgramme::default(), UnixMillis(now));
        let mut watches: [Watch; 3] = Default::default();
        for (wave, (n_new, slides)) in (1..).zip(arrivals) {
            for _ in 0..slides {
                now += 10_000;
                for ((watch, showing), (size, pair)) in watches.iter_mut().zip(showings(&programme, now)).zip(SCREENS) {
                    if let Some(last) = watch.last {
                        prop_assert_eq!(last.next.turn(), showing.current.turn());
                        prop_assert_eq!(last.next.no, showing.current.no);
                    }
                    watch.last = Some(showing);
                    let round = programme.timeline(size, pair).place(UnixMillis(now)).round;
                    for id in showing.current.turn().photos() {
                        prop_assert!(watch.shown.insert(id, round).is_none_or(|last| last < round), "{size} {pair:?}: {id} twice in round {round}, slide {}", showing.current.no);
                        watch.waiting.remove(&id);
                    }
                    for (_, left) in watch.waiting.iter_mut() {
                        prop_assert!(*left > 0, "a new photo did not come");
                        *left -= 1;
                    }
                }
                let all = showings(&programme, now);
                prop_assert!(all.iter().all(|showing| showing.current.no == all[0].current.no
                    && showing.current.starts_at == all[0].current.starts_at));
            }
            let n = all.len() as u64;
            all.extend((n..n + n_new).map(|i| photo(i, wave * 100)));
            let before = showings(&programme, now);
            if restarts {
                let text = serde_json::to_string(&programme.saved()).unwrap();
                let saved = serde_json::from_str(&text).unwrap();
                // The library may be known at once, or a little later.
                let known = if wave % 2 == 0 { roster(&all) } else { roster(&[]) };
                programme = Programme::new(SETTINGS, &known, saved, UnixMillis(now));
            }
            let playlists = programme.playlists_of(&roster(&all), UnixMillis(now));
            programme = programme.with_playlists(playlists, UnixMillis(now));
            let after = showings(&programme, now);
            for (watch, (before, after)) in watches.iter_mut().zip(before.iter().zip(&after)) {
                // With the first pairs the screens begin to differ; what is announced stays.
                prop_assert_eq!(before, after);
                // Photos that wait already are put off by no more than the number of new ones.
                for left in watch.waiting.values_mut() {
                    *left += n_new;
                }
                watch.waiting.extend((n..n + n_new).map(|i| (photo(i, 0).id, 2 * n_new + 3)));
            }
        }
    }

    #[test]
    fn whatever_comes_and_goes_numbers_agree_and_never_fall(
        changes in proptest::collection::vec((any::<u64>(), 1u64..20, 0u8..6), 1..60),
    ) {
        let mut all: Vec<Entry> = (0..30).map(|i| photo(i, 0)).collect();
        let mut now = NOW;
        let mut programme = Programme::new(SETTINGS, &roster(&all), SavedProgramme::default(), UnixMillis(now));
        let mut last = 0;
        for (seed, slides, act) in changes {
            now += slides * 4_321;
            let before = showings(&programme, now);
            prop_assert!(before[0].current.no.0 >= last);
            match act {
                0 => programme.act(Act::Next, None, UnixMillis(now)).unwrap(),
                1 => programme.act(Act::Previous, None, UnixMillis(now)).unwrap(),
                2 => programme.act(Act::Show(before[1].current.photo), None, UnixMillis(now)).unwrap(),
                _ => {
                    // Some photos go, some come; the newest may be gone at once.
                    all.retain(|entry| entry.id.0 ^ seed & 15 != 0 || all_is_few(seed));
                    let n = seed % 1000 + 1000;
                    all.push(photo(n, i64::try_from(now).unwrap() / 1000));
                    let known = roster(&all);
                    let gone: Vec<bool> = before.iter()
                        .map(|showing| showing.current.turn().photos().all(|id| known.position(id).is_none())).collect();
                    let playlists = programme.playlists_of(&known, UnixMillis(now));
                    programme = programme.with_playlists(playlists, UnixMillis(now));
                    let after = showings(&programme, now);
                    for (before, after) in before.iter().zip(&after) {
                        let stepped = gone.iter().any(|gone| *gone);
                        let here = |turn: Turn| turn.photos().all(|id| known.position(id).is_some());
                        if stepped && here(before.next.turn()) {
                            prop_assert_eq!(before.next.turn(), after.current.turn());
                        } else if !stepped && here(before.current.turn()) {
                            prop_assert_eq!(before.current, after.current);
                            if here(before.next.turn()) {
                                prop_assert_eq!(before.next, after.next);
                            }
                        }
                    }
                }
            }
            let after = showings(&programme, now);
            last = after[0].current.no.0;
            prop_assert!(last >= before[0].current.no.0);
            for showing in &after {
                prop_assert_eq!(showing.current.no, after[0].current.no);
                prop_assert_eq!(showing.current.starts_at, after[0].current.starts_at);
                let is_known = |id: PhotoId| all.iter().any(|entry| entry.id == id);
                prop_assert!(showing.current.turn().photos().all(is_known));
            }
        }
    }
}

fn all_is_few(seed: u64) -> bool {
    seed.is_multiple_of(3)
}

#[test]
fn thousands_are_spread_over_the_rest_of_the_round() {
    let mut all: Vec<Entry> = (0..1000).map(|i| photo(i, 0)).collect();
    let start = Programme::new(
        SETTINGS,
        &roster(&all),
        SavedProgramme::default(),
        UnixMillis(NOW),
    );
    all.extend((1000..4000).map(|i| photo(i, 9)));
    let playlists = start.playlists_of(&roster(&all), UnixMillis(NOW));
    let programme = start.with_playlists(playlists, UnixMillis(NOW));
    let timeline = programme.timeline(SCREENS[0].0, Pair::Off);
    let round = timeline.place(UnixMillis(NOW)).round;
    let new: HashSet<PhotoId> = all[1000..].iter().map(|entry| entry.id).collect();
    let rest: Vec<PhotoId> = (0..)
        .map(|i| NOW + i * 10_000)
        .take_while(|now| timeline.place(UnixMillis(*now)).round == round)
        .map(|now| at(timeline, now).current.photo)
        .collect();
    let n_new = |photos: &[PhotoId]| photos.iter().filter(|id| new.contains(id)).count();
    assert_eq!(n_new(&rest), 3000);
    assert_eq!(rest.iter().collect::<HashSet<_>>().len(), rest.len());
    // Each tenth of the rest of the round has about its share of the new photos.
    for tenth in rest.chunks(rest.len() / 10 + 1) {
        let share = n_new(tenth) as f64 / tenth.len() as f64;
        let whole = 3000.0 / rest.len() as f64;
        assert!((share - whole).abs() < 0.15, "{share} of {whole}");
    }
}

#[test]
fn screens_differ_in_pairs_alone() {
    let all: Vec<Entry> = (0..60).map(|i| photo(i, 0)).collect();
    let programme = Programme::new(
        SETTINGS,
        &roster(&all),
        SavedProgramme::default(),
        UnixMillis(NOW),
    );
    let shape = |id: PhotoId| all.iter().find(|entry| entry.id == id).unwrap().shape;
    let mut n_pairs = [0; 3];
    for now in (NOW..NOW + 600_000).step_by(10_000) {
        let showings = showings(&programme, now);
        for ((showing, n_pairs), beside) in showings.iter().zip(&mut n_pairs).zip([
            None,
            Some(Shape::Portrait),
            Some(Shape::Landscape),
        ]) {
            if let Some(id) = showing.current.beside {
                *n_pairs += 1;
                assert_eq!(
                    (Some(shape(id)), Some(shape(showing.current.photo))),
                    (beside, beside)
                );
            }
        }
    }
    assert!(
        n_pairs[0] == 0 && n_pairs[1] > 5 && n_pairs[2] > 5,
        "{n_pairs:?}"
    );
}

#[test]
fn what_is_shown_out_of_turn_has_the_screen_to_itself() {
    let all: Vec<Entry> = (0..60).map(|i| photo(i, 0)).collect();
    let mut programme = Programme::new(
        SETTINGS,
        &roster(&all),
        SavedProgramme::default(),
        UnixMillis(NOW),
    );
    let next = showings(&programme, NOW)[1].next;
    let portrait = all
        .iter()
        .find(|entry| entry.shape == Shape::Portrait)
        .unwrap()
        .id;
    programme
        .act(Act::Show(portrait), None, UnixMillis(NOW))
        .unwrap();
    for showing in showings(&programme, NOW) {
        assert_eq!(showing.current.turn(), Turn::single(portrait));
    }
    assert_eq!(showings(&programme, NOW)[1].next.turn(), next.turn());
}

#[test]
fn of_two_on_screen_the_one_that_is_left_stays() {
    let all: Vec<Entry> = (0..60).map(|i| photo(i, 0)).collect();
    let programme = Programme::new(
        SETTINGS,
        &roster(&all),
        SavedProgramme::default(),
        UnixMillis(NOW),
    );
    let now = (NOW..)
        .step_by(10_000)
        .find(|now| showings(&programme, *now)[1].current.beside.is_some());
    let now = now.unwrap();
    let before = showings(&programme, now);
    for gone in before[1].current.turn().photos() {
        // Where nothing is paired it is on by itself, and would give way.
        if before
            .iter()
            .any(|showing| showing.current.turn() == Turn::single(gone))
        {
            continue;
        }
        let left: Vec<Entry> = all
            .iter()
            .filter(|entry| entry.id != gone)
            .cloned()
            .collect();
        let playlists = programme.playlists_of(&roster(&left), UnixMillis(now));
        let after = showings(&programme.with_playlists(playlists, UnixMillis(now)), now);
        let alone = before[1]
            .current
            .turn()
            .photos()
            .find(|id| *id != gone)
            .unwrap();
        assert_eq!(after[1].current.turn(), Turn::single(alone));
        assert_eq!(after[1].current.no, before[1].current.no);
    }
}

/// How a round opens depends on how the one before closed, also when more photos come while its first turns are on.
#[test]
fn a_round_stays_as_it_opened_when_more_photos_come() {
    let mut all: Vec<Entry> = (0..14).map(|i| photo(i, 0)).collect();
    let mut now = NOW;
    let saved = SavedProgramme::default();
    let mut programme = Programme::new(SETTINGS, &roster(&all), saved, UnixMillis(now));
    let (size, pair) = SCREENS[0];
    let mut last = HashMap::new();
    for (wave, (n_new, slides)) in (1..).zip([(7u64, 47), (8, 349), (1, 14), (1, 40)]) {
        for _ in 0..slides {
            now += 10_000;
            let timeline = programme.timeline(size, pair);
            let round = timeline.place(UnixMillis(now)).round;
            for id in timeline
                .at(UnixMillis(now))
                .unwrap()
                .current
                .turn()
                .photos()
            {
                let before = last.insert(id, round);
                assert!(before.is_none_or(|before| before < round), "{id}");
            }
        }
        let n = all.len() as u64;
        all.extend((n..n + n_new).map(|i| photo(i, wave * 100)));
        let playlists = programme.playlists_of(&roster(&all), UnixMillis(now));
        programme = programme.with_playlists(playlists, UnixMillis(now));
    }
}
