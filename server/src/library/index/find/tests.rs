//! The search against one that goes by the letter: each word in each name, for each photo.

use std::{
    path::{Path, PathBuf},
    sync::LazyLock,
};

use unicode_normalization::char::is_combining_mark;

use super::{
    super::{Change, Index, Marked, Outcome, Record, Tally, apply, id_of, set_marks},
    Words, year,
};
use crate::{
    blocking::Blocking,
    countries::Also,
    library::{
        DateSource, Facts, Filter, Taken, Version,
        letters::{key, shown},
    },
    photo::PhotoId,
};

const ROOT: &str = "/photos";
const FOLDERS: [&str; 4] = ["Rome", "Zu\u{308}rich/Day 2", "京都旅行", ""];
const NAMES: [&str; 5] = [
    "IMG_0017.jpg",
    "ÄPFEL.JPG",
    "2014 sea.png",
    "a'b\"%_.jpg",
    "x",
];
const CAPTIONS: [&str; 4] = [
    "The family at the sea",
    "Großmutter\nin Rome",
    "金閣寺の朝",
    "",
];
const PLACES: [&str; 4] = ["Lisbon, PT", "Zürich, CH", "Kyoto, JP", ""];
const KEYWORDS: [&str; 4] = ["sea", "Été", "Москва", "2014"];
const WORDS: [&str; 28] = [
    "rome",
    "ZÜRICH",
    "京都",
    "寺",
    "17",
    "äpf",
    "sea",
    "family sea",
    "lis 2014",
    "2014",
    "2013",
    "été",
    "МОСК",
    "day",
    "g",
    "%",
    "_.",
    "\u{ad}",
    "grossmutter rome",
    "nowhere",
    "jp",
    "in rome",
    "lissabon",
    "PORTUGALIA",
    "里斯本",
    "本",
    "suiz 2014",
    "apon",
];

struct Photo {
    path: PathBuf,
    facts: Facts,
    is_there: bool,
}

impl Photo {
    fn is_found(&self, word: &str) -> bool {
        let has = |text: &str| key(text).contains(word);
        let folder = self.path.parent().unwrap().strip_prefix(ROOT).unwrap();
        let of_year = || {
            let taken = self
                .facts
                .taken
                .filter(|taken| taken.source != DateSource::Modified)?;
            let (from, until) = year(word)?;
            Some((from..until).contains(&taken.local_seconds))
        };
        has(&shown(folder.to_str().unwrap()))
            || has(self.path.file_name().unwrap().to_str().unwrap())
            || self.facts.caption.iter().any(|text| has(text))
            || self
                .facts
                .place
                .iter()
                .any(|text| has(text) || is_called(text, word))
            || self.facts.keywords.iter().any(|text| has(text))
            || of_year().unwrap_or(false)
    }
}

/// Whether the word begins one in another name of the place, or is in a name whose script parts no words.
fn is_called(place: &str, word: &str) -> bool {
    static ALSO: LazyLock<Also> = LazyLock::new(Also::unpacked);
    static CALLED: LazyLock<Vec<(&str, Vec<String>)>> = LazyLock::new(|| {
        let called = |place| ALSO.of(place).into_iter().map(key).collect();
        PLACES.map(|place| (place, called(place))).into()
    });
    let of_place = CALLED.iter().filter(|(known, _)| *known == place);
    of_place.flat_map(|(_, names)| names).any(|name| {
        let mut begun = name
            .split(|c: char| !(c.is_alphanumeric() || is_combining_mark(c)))
            .filter(|rest| !rest.is_empty());
        begun.any(|rest| rest.starts_with(word)) || (word >= "\u{2e80}" && name.contains(word))
    })
}

struct Random(u32);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 as usize % n
    }

    fn of<'a>(&mut self, texts: &[&'a str]) -> &'a str {
        texts[self.below(texts.len())]
    }

    fn facts(&mut self) -> Facts {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let n_keywords = self.below(3);
        let source = [DateSource::Metadata, DateSource::Name, DateSource::Modified][self.below(3)];
        // Around the turns of 2014, and some on the same second.
        let local_seconds = 1_388_534_400 + [-1, 0, 1, 31_535_999, 31_536_000][self.below(5)];
        Facts {
            caption: text(self.of(&CAPTIONS)),
            place: text(self.of(&PLACES)),
            keywords: (0..n_keywords)
                .map(|_| self.of(&KEYWORDS).to_owned())
                .collect(),
            taken: (self.below(4) > 0).then_some(Taken {
                local_seconds,
                source,
            }),
            ..Facts::default()
        }
    }

    fn photo(&mut self, i: usize) -> Photo {
        let folder = Path::new(ROOT).join(self.of(&FOLDERS));
        Photo {
            path: folder.join(format!("{i} {}", self.of(&NAMES))),
            facts: self.facts(),
            is_there: true,
        }
    }
}

fn seen(photo: &Photo) -> Change {
    Change::Seen(Box::new(Record {
        path: photo.path.clone(),
        version: Version::default(),
        outcome: Outcome::Photo(Box::new(photo.facts.clone())),
    }))
}

fn write(index: &Index, changes: &[Change]) {
    index.write(Blocking::here(), |connection| {
        apply(connection, changes, Tally::default(), 1, false)
    });
    index.note(changes.iter().filter_map(Change::photo));
}

/// All that is found by the letter, in the order in which it is told.
fn naive(photos: &[Photo], text: &str) -> Vec<PhotoId> {
    let words: Vec<String> = text.split_whitespace().map(key).collect();
    let mut found: Vec<&Photo> = photos
        .iter()
        .filter(|photo| photo.is_there && words.iter().all(|word| photo.is_found(word)))
        .collect();
    let id = |photo: &Photo| id_of(&photo.path).0.cast_signed();
    let taken = |photo: &Photo| photo.facts.taken.map(|taken| taken.local_seconds);
    found.sort_by_key(|photo| (std::cmp::Reverse(taken(photo)), id(photo)));
    found.iter().map(|photo| id_of(&photo.path)).collect()
}

fn found(index: &Index, filter: &Filter, text: &str, offset: u32, n: u32) -> Vec<PhotoId> {
    let today = chrono::NaiveDate::from_ymd_opt(2025, 7, 4).unwrap();
    let roots = [PathBuf::from(ROOT)];
    let which = (&Words::of(text), offset, n);
    index.found(Blocking::here(), (filter, today), &roots, which)
}

#[test]
fn every_search_finds_what_goes_by_the_letter_whatever_has_changed() {
    let mut random = Random(0x2545_F491);
    let index = Index::in_memory();
    let mut photos: Vec<Photo> = (0..120).map(|i| random.photo(i)).collect();
    write(&index, &photos.iter().map(seen).collect::<Vec<_>>());
    for round in 0..60 {
        for text in WORDS {
            assert_eq!(
                found(&index, &Filter::default(), text, 0, 999),
                naive(&photos, text),
                "{round}: {text}"
            );
        }
        // A file is changed, another one goes or comes back, and some are new.
        let at = random.below(photos.len());
        photos[at].facts = random.facts();
        photos[at].is_there = true;
        write(&index, &[seen(&photos[at])]);
        let at = random.below(photos.len());
        photos[at].is_there ^= true;
        let id = id_of(&photos[at].path);
        let change = if photos[at].is_there {
            Change::Back(id)
        } else {
            Change::Gone(id)
        };
        write(&index, &[change]);
        let new = random.photo(1000 + round);
        write(&index, &[seen(&new)]);
        photos.push(new);
    }
}

#[test]
fn pages_and_choices_are_parts_of_what_is_found() {
    let mut random = Random(7);
    let index = Index::in_memory();
    let photos: Vec<Photo> = (0..80).map(|i| random.photo(i)).collect();
    write(&index, &photos.iter().map(seen).collect::<Vec<_>>());
    let all = naive(&photos, "g");
    for (offset, n) in [(0, 5), (5, 7), (70, 99), (200, 3), (0, 0)] {
        let page: Vec<PhotoId> = all.iter().skip(offset).take(n).copied().collect();
        let (offset, n) = (u32::try_from(offset).unwrap(), u32::try_from(n).unwrap());
        assert_eq!(found(&index, &Filter::default(), "g", offset, n), page);
    }
    let mut of_album = Filter::default();
    of_album.set("album", "Rome").unwrap();
    let in_album = |id: &PhotoId| {
        photos
            .iter()
            .any(|photo| id_of(&photo.path) == *id && photo.path.starts_with("/photos/Rome"))
    };
    let chosen: Vec<PhotoId> = all.iter().filter(|id| in_album(id)).copied().collect();
    assert!(!chosen.is_empty() && chosen.len() < all.len());
    assert_eq!(found(&index, &of_album, "g", 0, 999), chosen);
}

#[test]
fn what_is_hidden_is_not_found_until_it_is_back_and_many_changes_are_no_trouble() {
    let mut random = Random(9);
    let index = Index::in_memory();
    let mut photos: Vec<Photo> = (0..20).map(|i| random.photo(i)).collect();
    write(&index, &photos.iter().map(seen).collect::<Vec<_>>());
    let everything = |photos: &[Photo]| {
        assert_eq!(
            found(&index, &Filter::default(), "g", 0, 9999),
            naive(photos, "g")
        )
    };
    everything(&photos);
    let id = id_of(&photos[3].path);
    for is_there in [false, true] {
        let hidden = Marked {
            id,
            hidden: !is_there,
            favourite: false,
        };
        let (_, _, moved) = index.write(Blocking::here(), |connection| {
            set_marks(connection, &[hidden], Tally::default())
        });
        assert_eq!(moved, [id]);
        index.note(moved);
        photos[3].is_there = is_there;
        everything(&photos);
    }
    photos.extend((100..5000).map(|i| random.photo(i)));
    write(&index, &photos.iter().map(seen).collect::<Vec<_>>());
    everything(&photos);
}

#[test]
fn a_place_is_found_by_its_country_and_its_town_in_every_language() {
    const CALLED: [[&str; 2]; 10] = [
        ["Deutschland", "München"],
        ["Alemania", "Múnich"],
        ["Allemagne", "Munich"],
        ["Germania", "Monaco di Baviera"],
        ["ドイツ", "ミュンヘン"],
        ["Duitsland", "Munchen"],
        ["Niemcy", "Monachium"],
        ["Alemanha", "Munique"],
        ["Tyskland", "münchen"],
        ["德国", "慕尼黑"],
    ];
    let index = Index::in_memory();
    let mut random = Random(3);
    let photos: Vec<Photo> = [
        "Munich, Bavaria, DE",
        "Kyoto, JP",
        "Munich, North Dakota, US",
    ]
    .iter()
    .enumerate()
    .map(|(i, place)| Photo {
        path: Path::new(ROOT).join(format!("{i}.jpg")),
        facts: Facts {
            place: Some((*place).to_owned()),
            ..random.facts()
        },
        is_there: true,
    })
    .collect();
    write(&index, &photos.iter().map(seen).collect::<Vec<_>>());
    let munich = id_of(&photos[0].path);
    for called in CALLED
        .iter()
        .flatten()
        .filter(|called| **called != "Munich")
    {
        let found = found(&index, &Filter::default(), called, 0, 9);
        assert_eq!(found, [munich], "{called}");
    }
    for called in ["Japon", "Japonia", "日本", "京都", "Kioto"] {
        let found = found(&index, &Filter::default(), called, 0, 9);
        assert_eq!(found, [id_of(&photos[1].path)], "{called}");
    }
}
