//! Rounds: fair, apart, paired, and fast.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;

use super::*;
use crate::timeline::Shape;

fn entry(name: &str, taken: i64) -> Entry {
    Entry {
        id: PhotoId::of(name.as_bytes()),
        taken,
        name: name.into(),
        shape: Shape::Unknown,
        album: 0,
        camera: 0,
        likeness: None,
        added: 0,
        favourite: false,
        plays_millis: 0,
    }
}

fn entries(n: u64) -> Vec<Entry> {
    (0..n).map(|i| entry(&format!("{i}.jpg"), 0)).collect()
}

fn playlist(n: u64, seed: u64) -> Playlist {
    Playlist::new(entries(n), Order::Shuffle, seed)
}

fn paired(entries: Vec<Entry>, seed: u64) -> Playlist {
    let roster = Roster::new(entries, Order::Shuffle, seed);
    Playlist::of(Arc::new(roster), Pairing::Portraits, Arrivals::default())
}

fn turns(list: &Playlist, round: u64) -> Vec<Turn> {
    let order = list.round(round);
    let place = |index| Place { round, index };
    (0..order.len() as u64)
        .map(|index| list.at(place(index)).unwrap())
        .collect()
}

fn ids(list: &Playlist, round: u64) -> Vec<PhotoId> {
    turns(list, round).iter().map(|turn| turn.photo).collect()
}

const START: Place = Place { round: 0, index: 0 };

proptest! {
    #[test]
    fn every_photo_once_before_any_again_and_never_twice_in_a_row(n in 1u64..40, seed: u64) {
        let list = playlist(n, seed);
        let shown: Vec<PhotoId> =
            (0..n * 4).map(|i| list.after(START, i).unwrap().1.photo).collect();
        for round in shown.chunks(n as usize) {
            let distinct: HashSet<_> = round.iter().collect();
            prop_assert_eq!(distinct.len() as u64, n);
        }
        if n > 1 {
            prop_assert!(shown.windows(2).all(|pair| pair[0] != pair[1]));
        }
    }

    #[test]
    fn a_photo_more_moves_no_other_photo(n in 3u64..40, seed: u64) {
        let before = ids(&playlist(n, seed), 0);
        let mut after = ids(&playlist(n + 1, seed), 0);
        after.retain(|id| before.contains(id));
        prop_assert_eq!(before, after);
    }

    #[test]
    fn before_undoes_after(n in 1u64..20, seed: u64, steps in 0u64..100) {
        let list = playlist(n, seed);
        let (place, _) = list.after(START, steps).unwrap();
        let (next, _) = list.after(place, 1).unwrap();
        prop_assert_eq!(list.before(next), place);
    }

    /// Bursts of up to five among photos by themselves; a round in which none is larger than half
    /// of it can keep all apart, but a forward repair may fail at the very end of a short one.
    #[test]
    fn bursts_are_torn_apart(n_singles in 30u64..80, bursts in proptest::collection::vec(2u64..6, 0..6), seed: u64) {
        let mut all = entries(n_singles);
        for (at, n) in bursts.iter().enumerate() {
            for i in 0..*n {
                let taken = i64::try_from(at).unwrap() * 1000 + i64::try_from(i).unwrap();
                let mut photo = entry(&format!("burst {at} {i}"), taken);
                if at % 2 == 0 {
                    photo.camera = 7;
                } else {
                    photo.likeness = Some(mix_of(at as u64) ^ (1 << i));
                }
                all.push(photo);
            }
        }
        let roster = Arc::new(Roster::new(all, Order::Shuffle, seed));
        let list = Playlist::of(roster.clone(), Pairing::Off, Arrivals::default());
        let n = list.n_photos();
        let shown: Vec<u32> = (0..4).flat_map(|round| list.round(round).to_vec()).map(|unit| unit.photo).collect();
        for round in shown.chunks(n as usize) {
            prop_assert_eq!(round.iter().collect::<HashSet<_>>().len() as u64, n);
        }
        for pair in shown.windows(2) {
            let (a, b) = (&roster.items[pair[0] as usize], &roster.items[pair[1] as usize]);
            prop_assert!(!a.is_near(b), "{a:?} {b:?}");
        }
    }

    #[test]
    fn paired_rounds_have_every_photo_once_and_are_equally_long(
        photos in proptest::collection::vec((0u8..4, 0i64..6, 0u64..3, 0u64..3), 0..60), seed: u64,
    ) {
        let all: Vec<Entry> = (0..).zip(&photos).map(|(i, (shape, day, album, camera))| Entry {
            shape: [Shape::Portrait, Shape::Portrait, Shape::Landscape, Shape::Unknown][usize::from(*shape)],
            album: *album,
            camera: *camera,
            // Some are a few seconds apart, so there are bursts, too.
            ..entry(&format!("{i}"), day * 86_400 + 43_200 + i % 40)
        }).collect();
        let by_id: HashMap<PhotoId, Entry> = all.iter().map(|entry| (entry.id, entry.clone())).collect();
        let list = paired(all, seed);
        let lengths: Vec<usize> = (0..4).map(|round| turns(&list, round).len()).collect();
        prop_assert!(lengths.iter().all(|n| *n == lengths[0]), "{:?}", lengths);
        for round in 0..4 {
            let mut seen = HashSet::new();
            for turn in turns(&list, round) {
                for id in turn.photos() {
                    prop_assert!(seen.insert(id), "{id} twice");
                }
                if let Some(beside) = turn.beside {
                    let (a, b) = (&by_id[&turn.photo], &by_id[&beside]);
                    prop_assert_eq!((a.shape, b.shape), (Shape::Portrait, Shape::Portrait));
                    let same_day = a.taken / 86_400 == b.taken / 86_400;
                    prop_assert!(same_day || a.album == b.album && a.album != 0);
                }
            }
            prop_assert_eq!(seen.len(), photos.len());
        }
    }

    #[test]
    fn two_of_a_burst_do_not_sit_side_by_side(sizes in proptest::collection::vec(1i64..7, 1..8), seed: u64) {
        let all: Vec<Entry> = (0..).zip(&sizes).flat_map(|(burst, n)| (0..*n).map(move |i| Entry {
            shape: Shape::Portrait,
            camera: 1,
            ..entry(&format!("{burst} {i}"), 1000 * (burst + 1) + i)
        })).collect();
        let taken: HashMap<PhotoId, i64> = all.iter().map(|entry| (entry.id, entry.taken)).collect();
        let (n, largest) = (all.len(), usize::try_from(*sizes.iter().max().unwrap()).unwrap());
        let list = paired(all, seed);
        for round in 0..4 {
            let turns = turns(&list, round);
            for turn in &turns {
                if let Some(beside) = turn.beside {
                    prop_assert_ne!(taken[&turn.photo] / 1000, taken[&beside] / 1000);
                }
            }
            // Every photo that can be paired is.
            let n_pairs = turns.iter().filter(|turn| turn.beside.is_some()).count();
            prop_assert_eq!(n_pairs, (n / 2).min(n - largest));
        }
    }
}

fn mix_of(value: u64) -> u64 {
    PhotoId::of(&value.to_le_bytes()).0
}

#[test]
fn rounds_differ_and_seeds_differ() {
    let list = playlist(30, 7);
    assert_ne!(ids(&list, 0), ids(&list, 1));
    assert_ne!(ids(&list, 0), ids(&playlist(30, 8), 0));
    assert_eq!(ids(&list, 3), ids(&playlist(30, 7), 3));
}

#[test]
fn fixed_orders() {
    let entries = || {
        vec![
            entry("IMG_10.jpg", 5),
            entry("IMG_9.jpg", 7),
            entry("IMG_009b.jpg", 1),
        ]
    };
    let names = |order| {
        let list = Playlist::new(entries(), order, 0);
        (0..3)
            .map(|i| list.after(START, i).unwrap().1.photo)
            .collect::<Vec<_>>()
    };
    let ids = |names: [&str; 3]| names.map(|name| PhotoId::of(name.as_bytes())).to_vec();
    assert_eq!(
        names(Order::Name),
        ids(["IMG_9.jpg", "IMG_009b.jpg", "IMG_10.jpg"])
    );
    assert_eq!(
        names(Order::Oldest),
        ids(["IMG_009b.jpg", "IMG_10.jpg", "IMG_9.jpg"])
    );
    assert_eq!(
        names(Order::Newest),
        ids(["IMG_9.jpg", "IMG_10.jpg", "IMG_009b.jpg"])
    );
}

#[test]
fn in_a_fixed_order_the_first_of_two_brings_the_other_forward() {
    let portrait = |name: &str, day: i64| Entry {
        shape: Shape::Portrait,
        ..entry(name, day * 86_400)
    };
    let all = vec![
        portrait("1", 1),
        entry("2", 86_400),
        portrait("3", 2),
        portrait("4", 1),
        entry("5", 86_400),
    ];
    let roster = Roster::new(all, Order::Name, 0);
    let list = Playlist::of(Arc::new(roster), Pairing::Portraits, Arrivals::default());
    let id = |name: &str| PhotoId::of(name.as_bytes());
    let expected =
        [("1", Some("4")), ("2", None), ("3", None), ("5", None)].map(|(photo, beside)| Turn {
            photo: id(photo),
            beside: beside.map(id),
        });
    assert_eq!(turns(&list, 0), expected);
    assert_eq!(turns(&list, 7), expected);
    assert_eq!(list.find(3, id("4")), Some(Place { round: 3, index: 0 }));
}

#[test]
fn an_empty_playlist_has_nothing_anywhere() {
    let place = Place { round: 9, index: 9 };
    assert_eq!(playlist(0, 0).after(place, u64::MAX), None);
}

#[test]
fn what_cannot_be_kept_apart_is_shown_all_the_same() {
    let mut all = entries(50);
    for entry in &mut all {
        entry.camera = 1;
    }
    let list = Playlist::new(all, Order::Shuffle, 1);
    assert_eq!(ids(&list, 0).iter().collect::<HashSet<_>>().len(), 50);
}

/// The time that it takes is printed, not judged: `--nocapture` shows it.
#[test]
fn a_million_photos_of_one_burst_are_no_quadratic_work() {
    let mut all: Vec<Entry> = (0..1_000_000_u64)
        .map(|i| entry(&i.to_string(), 0))
        .collect();
    for (i, entry) in all.iter_mut().enumerate() {
        entry.camera = 1 + (i as u64) % 3;
        entry.shape = Shape::Portrait;
        entry.taken = i64::try_from(i).unwrap();
    }
    let start = std::time::Instant::now();
    let roster = Arc::new(Roster::new(all, Order::Shuffle, 1));
    let list = Playlist::of(roster.clone(), Pairing::Off, Arrivals::default());
    list.after(START, 5).unwrap();
    eprintln!("a million photos: {:?}", start.elapsed());
    let start = std::time::Instant::now();
    let list = Playlist::of(roster, Pairing::Portraits, Arrivals::default());
    let n: usize = turns(&list, 0)
        .iter()
        .map(|turn| turn.photos().count())
        .sum();
    eprintln!("and in pairs: {:?}", start.elapsed());
    assert_eq!(n, 1_000_000);
}
