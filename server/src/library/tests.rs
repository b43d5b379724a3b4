//! The library over an index in memory and folders made for it.

use std::sync::atomic::AtomicBool;

use super::*;
use crate::render;

/// A photo's bytes, different for each `shade`.
pub(super) fn jpeg(width: u32, height: u32, shade: u8) -> Vec<u8> {
    let picture = render::Picture::filled(width, height, [shade, 90, 200]);
    render::encode(&picture, render::Quality::default()).unwrap()
}

/// A folder and its library.
pub(super) struct Fixture {
    pub(super) folder: tempfile::TempDir,
    pub(super) library: Library,
    pub(super) scanner: Scanner,
}

impl Fixture {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let roots = roots_of(&[folder.path().to_owned()]);
        Self {
            scanner: Scanner::new(&roots),
            library: Library::in_memory(roots),
            folder,
        }
    }

    pub(super) fn add(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    pub(super) fn scan(&mut self) {
        self.scanner
            .scan(&self.library, &Scope::Everything, &AtomicBool::new(false));
    }

    pub(super) fn names(&self) -> Vec<String> {
        names(&self.library, &[])
    }

    pub(super) fn skipped(&self) -> Vec<(String, String)> {
        let skipped = self.library.skipped(Blocking::here(), 0, 100).into_iter();
        skipped
            .map(|skipped| (skipped.file, skipped.reason))
            .collect()
    }
}

/// What a filter lets through, on 4 July 2024.
pub(super) fn names(library: &Library, wishes: &[(&str, &str)]) -> Vec<String> {
    let mut filter = Filter::default();
    for (key, value) in wishes {
        filter.set(key, value).unwrap();
    }
    let today = chrono::NaiveDate::from_ymd_opt(2024, 7, 4).unwrap();
    let mut names: Vec<String> = library
        .select(Blocking::here(), &filter, Order::Name, today)
        .iter()
        .filter_map(|entry| library.photo(Blocking::here(), entry.id))
        .map(|photo| photo.name.to_string())
        .collect();
    names.sort();
    names
}

fn photo_of(fixture: &Fixture, name: &str) -> Arc<Photo> {
    let entries = fixture
        .library
        .entries(Blocking::here(), &Filter::default(), Order::Name);
    let mut photos = entries
        .iter()
        .filter_map(|entry| fixture.library.photo(Blocking::here(), entry.id));
    photos.find(|photo| &*photo.name == name).unwrap()
}

#[test]
fn a_photo_that_can_not_be_read_gives_way_until_it_can() {
    let mut fixture = Fixture::new();
    for n in 0..20 {
        fixture.add(&format!("{n:02}.jpg"), &jpeg(16, 16, n));
    }
    fixture.scan();
    let mut changes = fixture.library.changes();
    changes.mark_unchanged();
    let first = photo_of(&fixture, "00.jpg");
    fixture.library.not_now(&first, "too many open files");
    assert!(changes.has_changed().unwrap());
    assert_eq!(fixture.names().len(), 19);
    // A share that is out of reach: a few give way, and then screens keep what they have.
    for n in 1..20 {
        let name = format!("{n:02}.jpg");
        let id = index::id_of(&fixture.library.roots()[0].join(name));
        let photo = fixture.library.photo(Blocking::here(), id).unwrap();
        changes.mark_unchanged();
        fixture.library.not_now(&photo, "input/output error");
        assert_eq!(changes.has_changed().unwrap(), n < 5, "{n}");
    }
    assert_eq!(fixture.names().len(), 15);
    let counts = fixture.library.counts();
    assert_eq!((counts.skipped, counts.not_now), (0, 20));
    assert_eq!(fixture.library.skipped(Blocking::here(), 0, 100).len(), 20);
    // It works again: whoever was shown is no trouble, the others are read by the next scans.
    fixture.library.shown([first.id].into_iter());
    let mut n_rounds = 0;
    while let Some((due, scope)) = fixture.scanner.again(&fixture.library) {
        n_rounds += 1;
        assert!(n_rounds < 5);
        std::thread::sleep(due.saturating_duration_since(std::time::Instant::now()));
        let stop = AtomicBool::new(false);
        fixture.scanner.scan(&fixture.library, &scope, &stop);
    }
    assert_eq!(fixture.names().len(), 20);
    let counts = fixture.library.counts();
    assert_eq!((counts.photos, counts.skipped, counts.not_now), (20, 0, 0));
}

#[test]
fn the_only_photo_never_gives_way_to_none() {
    let mut fixture = Fixture::new();
    fixture.add("a.jpg", &jpeg(16, 16, 1));
    fixture.scan();
    fixture
        .library
        .not_now(&photo_of(&fixture, "a.jpg"), "stale file handle");
    assert_eq!(fixture.names(), ["a.jpg"]);
}

#[test]
fn a_folder_that_takes_no_index_is_no_reason_not_to_start() {
    let fixture = Fixture::new();
    fixture.add("a.jpg", &jpeg(16, 16, 1));
    let roots = fixture.library.roots().to_owned();
    let file = fixture.folder.path().join("file");
    std::fs::write(&file, b"").unwrap();
    for data in [file.join("data"), PathBuf::from("/proc/mantel")] {
        let library = Library::open(roots.clone(), Some(&data)).unwrap();
        Scanner::new(&roots).scan(&library, &Scope::Everything, &AtomicBool::new(false));
        assert_eq!(library.counts().photos, 1, "{data:?}");
    }
}

#[test]
fn a_skipped_photo_stays_skipped_until_its_file_changes() {
    let mut fixture = Fixture::new();
    fixture.add("a.jpg", &jpeg(16, 16, 1));
    fixture.add("b.jpg", &jpeg(16, 16, 2));
    fixture.scan();
    let photo = photo_of(&fixture, "a.jpg");
    fixture
        .library
        .skip(Blocking::here(), &photo, "it is cut off".into());
    fixture
        .library
        .skip(Blocking::here(), &photo, "it is cut off".into());
    fixture.scan();
    let counts = fixture.library.counts();
    assert_eq!((counts.photos, counts.skipped), (1, 1));
    assert_eq!(
        fixture.skipped(),
        [("a.jpg".into(), "it is cut off".into())]
    );
    fixture.add("a.jpg", &jpeg(32, 16, 1));
    fixture.scan();
    let counts = fixture.library.counts();
    assert_eq!((counts.photos, counts.skipped), (2, 0));
}

#[test]
fn changes_are_announced_only_when_there_are_any() {
    let mut fixture = Fixture::new();
    fixture.add("a.jpg", &jpeg(16, 16, 1));
    fixture.scan();
    let mut changes = fixture.library.changes();
    changes.mark_unchanged();
    fixture.scan();
    assert!(!changes.has_changed().unwrap());
    let photo = photo_of(&fixture, "a.jpg");
    std::fs::remove_file(fixture.folder.path().join("a.jpg")).unwrap();
    fixture.library.forget(Blocking::here(), &photo);
    assert!(changes.has_changed().unwrap());
    assert_eq!(fixture.library.counts().photos, 0);
    assert_eq!(fixture.library.photo(Blocking::here(), photo.id), None);
}

#[test]
fn a_photo_that_is_missed_while_its_folder_is_away_is_kept() {
    let mut fixture = Fixture::new();
    fixture.add("a.jpg", &jpeg(16, 16, 1));
    fixture.scan();
    let photo = photo_of(&fixture, "a.jpg");
    let away = fixture.folder.path().with_extension("away");
    std::fs::rename(fixture.folder.path(), &away).unwrap();
    fixture.library.forget(Blocking::here(), &photo);
    fixture.scan();
    assert_eq!(fixture.names(), ["a.jpg"]);
    assert_eq!(fixture.library.counts().folders_away, 1);
    std::fs::rename(&away, fixture.folder.path()).unwrap();
    fixture.scan();
    assert_eq!(fixture.library.counts().folders_away, 0);
    // Emptied by somebody, on the device where it always was.
    std::fs::remove_file(fixture.folder.path().join("a.jpg")).unwrap();
    fixture.scan();
    assert_eq!(fixture.names(), [] as [&str; 0]);
}

#[test]
fn an_empty_mount_point_is_a_share_that_is_away() {
    let mut fixture = Fixture::new();
    let path = fixture.add("a.jpg", &jpeg(16, 16, 1));
    fixture.scan();
    // As if the photos had been on another device.
    let root = fixture.library.roots()[0].clone();
    let device = device_of(&root) + 1;
    fixture.library.index.write(Blocking::here(), |connection| {
        index::set_device(connection, &root, device)
    });
    std::fs::remove_file(&path).unwrap();
    fixture.scan();
    assert_eq!(fixture.names(), ["a.jpg"]);
}

#[test]
fn filters_choose() {
    let mut fixture = Fixture::new();
    fixture.add("2021/Rome/IMG_20210704_120000.jpg", &jpeg(32, 16, 1));
    fixture.add("2021/Rome/old/IMG_20190704_120000.jpg", &jpeg(16, 32, 2));
    fixture.add("2021/romeo/IMG_20210801_120000.jpg", &jpeg(16, 16, 3));
    fixture.add("2024/IMG_20240704_120000.jpg", &jpeg(32, 16, 4));
    fixture.add(
        "2021/romeo/IMG_20210801_120000.xmp",
        b"<x:xmpmeta><rdf:RDF><rdf:Description xmp:Rating='4'><dc:subject><rdf:Bag>\
          <rdf:li>Cats</rdf:li><rdf:li>Sea</rdf:li></rdf:Bag></dc:subject>\
          </rdf:Description></rdf:RDF></x:xmpmeta>",
    );
    fixture.scan();
    let library = &fixture.library;
    let (rome, old, romeo, late) = (
        "2021/Rome/IMG_20210704_120000.jpg",
        "2021/Rome/old/IMG_20190704_120000.jpg",
        "2021/romeo/IMG_20210801_120000.jpg",
        "2024/IMG_20240704_120000.jpg",
    );
    assert_eq!(names(library, &[]), [rome, old, romeo, late]);
    assert_eq!(names(library, &[("album", "rome")]), [rome, old]);
    assert_eq!(names(library, &[("album", "2021/Rome")]), [rome, old]);
    assert_eq!(names(library, &[("album", "Paris")]), [] as [&str; 0]);
    assert_eq!(
        names(library, &[("from", "2021-07"), ("to", "2021-07")]),
        [rome]
    );
    assert_eq!(
        names(library, &[("from", "2021"), ("to", "2021")]),
        [rome, romeo]
    );
    assert_eq!(names(library, &[("rating", "4")]), [romeo]);
    assert_eq!(names(library, &[("rating", "5")]), [] as [&str; 0]);
    assert_eq!(names(library, &[("keyword", "CATS,sea")]), [romeo]);
    assert_eq!(names(library, &[("keyword", "cats,dogs")]), [] as [&str; 0]);
    assert_eq!(names(library, &[("orientation", "portrait")]), [old]);
    assert_eq!(names(library, &[("orientation", "square")]), [romeo]);
    assert_eq!(names(library, &[("on-this-day", "")]), [rome, old]);
    assert_eq!(names(library, &[("on-this-day", "3")]), [rome]);
    assert_eq!(names(library, &[("newest", "2")]), [romeo, late]);
    let photo = photo_of(&fixture, romeo);
    assert_eq!(photo.facts.album.as_deref(), Some("romeo"));
    assert_eq!(photo.facts.keywords.len(), 2);
}

#[test]
fn photos_are_found_by_words_places_and_years_the_latest_first() {
    let mut fixture = Fixture::new();
    fixture.add("Rome/IMG_20210704_120000.jpg", &jpeg(32, 16, 1));
    fixture.add("Rome/IMG_20190704_120000.jpg", &jpeg(16, 32, 2));
    fixture.add("Zürich/dinner 100%_'.jpg", &jpeg(16, 16, 3));
    fixture.add("Zürich/dinner 100%_'.xmp", tagged("Großmutter").as_bytes());
    fixture.add("x.jpg", &jpeg(16, 16, 4));
    fixture.scan();
    let all = ["2021", "2019", "dinner", "x.jpg"];
    let found = |wishes: &[(&str, &str)], text: &str, offset, n| -> Vec<&str> {
        let mut filter = Filter::default();
        for (key, value) in wishes {
            filter.set(key, value).unwrap();
        }
        let which = (&Words::of(text), offset, n);
        let ids = fixture.library.find(Blocking::here(), &filter, which);
        let name = |id| {
            fixture
                .library
                .photo(Blocking::here(), id)
                .unwrap()
                .name
                .clone()
        };
        let short = |name: Arc<str>| *all.iter().find(|part| name.contains(**part)).unwrap();
        ids.into_iter().map(name).map(short).collect()
    };
    assert_eq!(found(&[], "", 0, 9).len(), 4);
    assert_eq!(found(&[], "rome", 0, 9), ["2021", "2019"]);
    assert_eq!(found(&[], "ROME 2019", 0, 9), ["2019"]);
    assert_eq!(found(&[], "2021", 0, 9), ["2021"]);
    assert_eq!(found(&[], "ZÜRICH grossmutter", 0, 9), ["dinner"]);
    assert_eq!(found(&[], "rome zürich", 0, 9), [] as [&str; 0]);
    assert_eq!(found(&[("album", "Rome")], "jpg", 0, 9), ["2021", "2019"]);
    assert_eq!(
        found(&[("newest", "1"), ("album", "Rome")], "", 0, 9),
        ["2021"]
    );
    assert_eq!(found(&[], "rome", 1, 1), ["2019"]);
    // Signs that mean something to a query mean themselves.
    assert_eq!(found(&[], "100%_'", 0, 9), ["dinner"]);
    for text in [
        "'; DROP TABLE files; --",
        "%",
        "_",
        "\"",
        "[\"a",
        &"a ".repeat(5000),
    ] {
        found(&[], text, 0, 9);
    }
    assert_eq!(found(&[], "%%", 0, 9), [] as [&str; 0]);
}

#[test]
fn albums_have_a_cover_and_days() {
    let mut fixture = Fixture::new();
    fixture.add("Rome/IMG_20210704_120000.jpg", &jpeg(32, 16, 1));
    fixture.add("Rome/IMG_20190704_120000.jpg", &jpeg(16, 32, 2));
    fixture.add("Oslo/x.jpg", &jpeg(16, 16, 3));
    fixture.add("y.jpg", &jpeg(16, 16, 4));
    fixture.scan();
    let covers = fixture.library.covers(Blocking::here());
    let told: Vec<_> = covers
        .iter()
        .map(|row| (row.path.as_str(), row.n))
        .collect();
    assert_eq!(told, [("Oslo", 1), ("Rome", 2)]);
    assert_eq!(covers[0].taken, None, "that of a file is none of a photo");
    let (from, to) = covers[1].taken.unwrap();
    assert!(to - from > 700 * 24 * 3600);
    for row in &covers {
        let cover = fixture.library.photo(Blocking::here(), row.cover).unwrap();
        assert!(cover.name.starts_with(&row.path), "{}", cover.name);
    }
}

#[test]
fn no_name_and_no_wish_reaches_the_query_as_code() {
    let mut fixture = Fixture::new();
    fixture.add("x'; DROP TABLE files; --/a.jpg", &jpeg(16, 16, 1));
    fixture.scan();
    for key in ["album", "keyword"] {
        names(&fixture.library, &[(key, "'; DROP TABLE files; --")]);
    }
    assert_eq!(
        names(&fixture.library, &[("album", "x'; DROP TABLE files; --")]).len(),
        1
    );
}

/// An XMP file with one keyword.
fn tagged(keyword: &str) -> String {
    format!(
        "<x:xmpmeta xmlns:x='adobe:ns:meta/'>\
         <rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>\
         <rdf:Description xmlns:dc='http://purl.org/dc/elements/1.1/'>\
         <dc:subject><rdf:Bag><rdf:li>{keyword}</rdf:li></rdf:Bag></dc:subject>\
         </rdf:Description></rdf:RDF></x:xmpmeta>"
    )
}

#[test]
fn albums_and_keywords_are_found_however_their_letters_are_written() {
    // As on the disk, in the file; and as people type it.
    const ALBUMS: [(&str, &[&str]); 6] = [
        (
            "Zu\u{308}rich Ausflug",
            &["Zürich Ausflug", "zürich*", "ZÜRICH AUSFLUG"],
        ),
        ("Äpfel", &["a\u{308}pfel", "ÄPFEL"]),
        ("İzmir", &["izmir", "IZMIR", "İZMİR"]),
        ("Москва", &["МОСКВА", "мос*"]),
        ("서울", &["\u{1109}\u{1165}\u{110b}\u{116e}\u{11af}"]),
        ("２０２１ 京都", &["2021 京都"]),
    ];
    let mut fixture = Fixture::new();
    for (n, (album, _)) in ALBUMS.iter().enumerate() {
        let name = format!("{album}/{n}.jpg");
        fixture.add(&name, &jpeg(16, 16, u8::try_from(n).unwrap()));
        fixture.add(&format!("{name}.xmp"), tagged(album).as_bytes());
    }
    fixture.scan();
    for (n, (album, wishes)) in ALBUMS.iter().enumerate() {
        for wish in wishes.iter().chain([album]) {
            let found = names(&fixture.library, &[("album", wish)]);
            let file = format!("/{n}.jpg");
            assert!(
                found.len() == 1 && found[0].ends_with(&file),
                "{wish}: {found:?}"
            );
            if !wish.contains('*') {
                assert_eq!(
                    names(&fixture.library, &[("keyword", wish)]),
                    found,
                    "{wish}"
                );
            }
        }
    }
    assert!(names(&fixture.library, &[("keyword", "Apfel")]).is_empty());
    let shown = names(&fixture.library, &[("album", "Zürich Ausflug")]);
    assert_eq!(shown, ["Zürich Ausflug/0.jpg"]);
    let photo = photo_of(&fixture, "Zürich Ausflug/0.jpg");
    assert_eq!(photo.facts.album.as_deref(), Some("Zürich Ausflug"));
    assert!(photo.facts.keywords.contains(&"Zürich Ausflug".to_owned()));
}

#[test]
fn spellings_of_one_name_are_one_album_and_one_keyword_in_the_lists() {
    let mut fixture = Fixture::new();
    for (n, album) in ["Zu\u{308}rich", "Zürich", "Oslo"].iter().enumerate() {
        fixture.add(&format!("{album}/{n}.jpg"), &jpeg(16, 16, 1));
        fixture.add(&format!("{album}/{n}.xmp"), tagged(album).as_bytes());
    }
    fixture.scan();
    let once = |name: &str, n: u64| (name.to_owned(), n);
    let albums = fixture.library.albums(Blocking::here());
    assert_eq!(albums, [once("Oslo", 1), once("Zürich", 2)]);
    let keywords = fixture.library.keywords(Blocking::here(), 9);
    assert_eq!(keywords, [once("Zürich", 2), once("Oslo", 1)]);
}

#[test]
fn names_are_ordered_as_people_read_them() {
    let mut fixture = Fixture::new();
    for name in [
        "Zebra 1.jpg",
        "apfel 10.jpg",
        "Apfel 9.jpg",
        "A\u{308}pfel 1.jpg",
        "Birne.jpg",
        "ａ 1.jpg",
    ] {
        fixture.add(name, &jpeg(16, 16, 1));
    }
    fixture.scan();
    let entries = fixture
        .library
        .entries(Blocking::here(), &Filter::default(), Order::Name);
    let playlist = crate::timeline::Playlist::new(entries, Order::Name, 0);
    let first = crate::timeline::Place { round: 0, index: 0 };
    let names: Vec<String> = (0..6)
        .filter_map(|i| playlist.after(first, i))
        .filter_map(|(_, turn)| fixture.library.photo(Blocking::here(), turn.photo))
        .map(|photo| photo.name.to_string())
        .collect();
    assert_eq!(
        names,
        [
            "ａ 1.jpg",
            "Apfel 9.jpg",
            "apfel 10.jpg",
            "Äpfel 1.jpg",
            "Birne.jpg",
            "Zebra 1.jpg"
        ]
    );
}

/// What the sample photos say of themselves; left out where there are none.
#[test]
fn real_photos_tell_their_facts() {
    let folder = std::env::var_os("MANTEL_PHOTOS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/photos"),
        PathBuf::from,
    );
    if !folder.join("metadata").is_dir() {
        eprintln!(
            "LEFT OUT: no photos in {}; set MANTEL_PHOTOS",
            folder.display()
        );
        return;
    }
    let roots = roots_of(&[folder]);
    let library = Library::in_memory(roots.clone());
    Scanner::new(&roots).scan(&library, &Scope::Everything, &AtomicBool::new(false));
    assert_eq!(library.skipped(Blocking::here(), 0, 9), []);
    let entries = library.entries(Blocking::here(), &Filter::default(), Order::Name);
    let facts = |name: &str| {
        let mut photos = entries
            .iter()
            .filter_map(|entry| library.photo(Blocking::here(), entry.id));
        let photo = photos
            .find(|photo| photo.name.ends_with(name))
            .unwrap_or_else(|| panic!("{name}"));
        (photo.taken, photo.facts.clone())
    };
    for (name, taken, camera, place, rating) in [
        (
            "IMG_2682.heic",
            "2019-03-21 11:04:22",
            "Apple iPhone 7",
            Some("Ralston, Nebraska, US"),
            None,
        ),
        (
            "samsung-one-ui-6.heic",
            "2024-01-12 21:38:53",
            "samsung SM-S906U",
            None,
            None,
        ),
        (
            "denali.webp",
            "2010-08-13 21:00:01",
            "Canon EOS 7D",
            None,
            None,
        ),
        (
            "mongolels.jpg",
            "2009-08-29 13:18:08",
            "Canon EOS 500D",
            None,
            Some(3),
        ),
        (
            "thompson-springs.jpg",
            "2022-01-10 15:15:44",
            "",
            Some("Thompson Springs, Utah, United States"),
            None,
        ),
        (
            "date-priority-test.jpg",
            "2023-02-02 02:00:00",
            "",
            None,
            None,
        ),
        (
            "empty_gps.jpg",
            "2025-06-01 16:59:26",
            "motorola moto g(9) plus",
            None,
            None,
        ),
    ] {
        let (seconds, facts) = facts(name);
        let moment = chrono::DateTime::from_timestamp(seconds, 0)
            .unwrap()
            .naive_utc();
        assert_eq!(moment.to_string(), taken, "{name}");
        assert_eq!(facts.camera.unwrap_or_default(), camera, "{name}");
        assert_eq!(facts.rating, rating, "{name}");
        let found = facts.place.as_deref();
        assert!(
            place.map_or(found.is_none(), |place| found
                .is_some_and(|found| found.starts_with(place))),
            "{name}: {found:?}"
        );
        assert!(facts.size.is_some(), "{name}");
    }
    let (_, portrait) = facts("portrait-orientation-6.jpg");
    assert_eq!(portrait.keywords, ["Marie Curie", "Pierre Curie"]);
    let (_, falcon) = facts("prairie_falcon.jpg");
    assert!(
        falcon
            .caption
            .unwrap()
            .starts_with("Adult female prairie falcon")
    );
    for i in 1..=8 {
        assert!(facts(&format!("Portrait_{i}.jpg")).1.is_portrait(), "{i}");
        assert!(!facts(&format!("Landscape_{i}.jpg")).1.is_portrait(), "{i}");
    }
}
