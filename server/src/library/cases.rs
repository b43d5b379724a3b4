//! Tests alone: files that people's programs stumble over, each with what is right to know of it; from the folder that
//! MANTEL_CASES names, or a `shared/cases` beside the workspace.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
};

use super::{
    Facts, Version,
    examine::{Examiner, Finding},
    facts::{DateSource, iso},
    index::Outcome,
    letters,
    places::Places,
    sidecars::Sidecars,
};

/// The facts of a file in a folder with all the others, as a scan finds it.
fn facts(folder: &Path, name: &str) -> Option<Facts> {
    let files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    let all = Sidecars::among(files.iter().map(|name| (name.as_os_str(), 1)));
    let path = folder.join(name);
    let version = Version {
        n_bytes: std::fs::metadata(&path).ok()?.len(),
        ..Version::default()
    };
    let (beside, _) = all.of(folder, name.as_ref());
    match Examiner::default().examine(&path, version, &beside, true) {
        Finding::Settled(Outcome::Photo(facts)) => Some(*facts),
        other => panic!("{name}: {other:?}"),
    }
}

/// A copy of the cases, unpacked.
fn cases() -> Option<tempfile::TempDir> {
    let folder = std::env::var_os("MANTEL_CASES").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/cases"),
        PathBuf::from,
    );
    let Ok(files) = std::fs::read_dir(&folder) else {
        eprintln!("LEFT OUT: {}; MANTEL_CASES names another", folder.display());
        return None;
    };
    let copy = tempfile::tempdir().unwrap();
    for file in files.flatten().map(|entry| entry.path()) {
        let mut bytes = std::fs::read(&file).unwrap();
        let mut name = PathBuf::from(file.file_name().unwrap());
        if name.extension().is_some_and(|ending| ending == "gz") {
            let packed = std::mem::take(&mut bytes);
            flate2::read::GzDecoder::new(packed.as_slice())
                .read_to_end(&mut bytes)
                .unwrap();
            name.set_extension("");
        }
        std::fs::write(copy.path().join(name), bytes).unwrap();
    }
    Some(copy)
}

#[test]
fn dates_are_those_of_the_photos() {
    let Some(folder) = cases() else { return };
    let mut wrong = Vec::new();
    for (name, source, expected) in [
        (
            "exif-offset-0.heic",
            DateSource::Metadata,
            "2011-03-04T05:06:07",
        ),
        ("exif-brob.jxl", DateSource::Metadata, "2011-03-04T05:06:07"),
        (
            "sidecar-wins.jpg",
            DateSource::Metadata,
            "1987-06-05T12:00:00",
        ),
        ("date-dash.jpg", DateSource::Metadata, "2012-12-22T10:37:28"),
        ("date-t.jpg", DateSource::Metadata, "2012-12-22T10:37:28"),
        (
            "date-no-seconds.jpg",
            DateSource::Metadata,
            "2012-12-22T10:37:00",
        ),
        (
            "date-day-only.jpg",
            DateSource::Metadata,
            "2012-12-22T12:00:00",
        ),
        (
            "xmp-datecreated-first.jpg",
            DateSource::Metadata,
            "2010-09-30T16:06:06",
        ),
        (
            "xmp-date-no-seconds-zone.jpg",
            DateSource::Metadata,
            "2017-10-23T12:34:00",
        ),
        (
            "xmp-date-exif-style.jpg",
            DateSource::Metadata,
            "2017-10-23T12:34:56",
        ),
        (
            "04.07.2021 12.30.59.jpg",
            DateSource::Name,
            "2021-07-04T12:30:59",
        ),
        (
            "WhatsApp Image 2021-07-04 at 1.05.09 PM.jpg",
            DateSource::Name,
            "2021-07-04T13:05:09",
        ),
        (
            "IMG_20150704_123000_clock-1904.jpg",
            DateSource::Name,
            "2015-07-04T12:30:00",
        ),
        (
            "IMG_20150704_123000_clock-2036.jpg",
            DateSource::Name,
            "2015-07-04T12:30:00",
        ),
        (
            "gpsdate-without-time.jpg",
            DateSource::Metadata,
            "2012-12-22T12:00:00",
        ),
        ("iptc.jpg", DateSource::Metadata, "1975-06-07T08:09:10"),
        ("olympus.orf", DateSource::Metadata, "2019-05-06T07:08:09"),
    ] {
        let taken = facts(folder.path(), name).and_then(|facts| facts.taken);
        let found = taken.map(|taken| (taken.source, taken.moment().map(iso)));
        if found != Some((source, Some(expected.into()))) {
            wrong.push(format!("{name}: {found:?}, not {expected}"));
        }
    }
    // Whatever zone this machine is in.
    let unix = facts(folder.path(), "mmexport1625401859000.jpg")
        .and_then(|facts| facts.taken)
        .unwrap();
    assert_eq!(unix.source, DateSource::Name);
    assert!((unix.local_seconds - 1_625_401_859).abs() <= 14 * 3600);
    for name in [
        "modifydate-alone.jpg",
        "exif-behind-pixels.tif",
        "exif-pointer-type-13.tif",
    ] {
        let taken = facts(folder.path(), name).and_then(|facts| facts.taken);
        if taken.is_none_or(|taken| taken.source != DateSource::Metadata) {
            wrong.push(format!("{name}: {taken:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn words_stars_and_positions_are_those_of_people() {
    let Some(folder) = cases() else { return };
    let of = |name: &str| facts(folder.path(), name).unwrap();
    let mut wrong = Vec::new();
    let mut expect = |name: &str, is_right: bool, found: &dyn std::fmt::Debug| {
        if !is_right {
            wrong.push(format!("{name}: {found:?}"));
        }
    };
    for name in [
        "xmp-after-idat.png",
        "two-packets.heic",
        "SIDECAR-CASE.JPG",
        "exif-brob.jxl",
    ] {
        let found = of(name);
        expect(name, found.rating == Some(4), &found.rating);
    }
    let found = of("sidecar-unrated.jpg").rating;
    expect("sidecar-unrated.jpg", found.is_none(), &found);
    for name in [
        "words-cuva.jpg",
        "words-dcf.jpg",
        "words-kenox.jpg",
        "words-oznor.jpg",
    ] {
        let found = of(name);
        expect(name, found.caption.is_none(), &found.caption);
    }
    let found = of("iptc.jpg").caption;
    let is_right = found.as_deref() == Some("Grandma at the lake");
    expect("iptc.jpg", is_right, &found);
    let found = of("xp.jpg");
    expect(
        "xp.jpg",
        found.caption.is_some() && found.keywords.len() == 2,
        &(found.caption, found.keywords),
    );
    let found = of("keyword-slash.jpg");
    expect(
        "keyword-slash.jpg",
        found.keywords == ["AC/DC", "1/2 marathon"],
        &found.keywords,
    );
    let found = of("exif-brob.jxl");
    expect("exif-brob.jxl", found.keywords == ["cats"], &found.keywords);
    for (name, latitude, longitude) in [
        ("xmp-gps-ref.jpg", 28.1845, -14.1606),
        ("sidecar-wins.jpg", 52.52, 13.405),
        ("exif-offset-0.heic", 52.5, 13.4),
    ] {
        let found = of(name).position;
        let near = |a: f64, b: f64| (a - b).abs() < 0.1;
        let is_right = found.is_some_and(|found| {
            near(found.latitude, latitude) && near(found.longitude, longitude)
        });
        expect(name, is_right, &found);
    }
    let found = of("exif-offset-0.heic");
    expect(
        "exif-offset-0.heic",
        found.camera.as_deref() == Some("Acme Box"),
        &found.camera,
    );
    for (name, width, height) in [
        ("portrait-by-irot.avif", 120, 160),
        ("portrait-by-header.jxl", 120, 160),
        ("landscape-exif-lies.avif", 160, 120),
        ("directory-at-end.tif", 800, 1000),
        ("600k-before-frame.jpg", 120, 160),
    ] {
        let found = of(name).size;
        let is_right = found == Some(crate::render::Size::new(width, height));
        expect(name, is_right, &found);
    }
    let turned = of("turned-raw-profile.png");
    let as_six = crate::render::Orientation::from_exif(6);
    expect(
        "turned-raw-profile.png",
        Some(turned.orientation) == as_six,
        &turned.orientation,
    );
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn places_are_named_as_people_name_them() {
    let Some(folder) = cases() else { return };
    let mut places = Places::default();
    for (name, expected) in [
        ("exif-offset-0.heic", "Berlin"),
        ("sidecar-wins.jpg", "Berlin"),
        ("xmp-gps-ref.jpg", "Canary Islands, ES"),
        ("place-times-square.jpg", "New York"),
        ("place-eiffel-tower.jpg", "Paris"),
    ] {
        let position = facts(folder.path(), name).and_then(|facts| facts.position);
        let place = position.and_then(|position| places.name(position));
        assert!(
            place.as_ref().is_some_and(|place| place.contains(expected)),
            "{name}: {place:?}, not {expected}"
        );
    }
}

/// The words in the file, each in other letters than it has there.
#[test]
fn keywords_with_capitals_beyond_ascii_are_found() {
    let Some(folder) = cases() else { return };
    let facts = facts(folder.path(), "keyword-capital-umlaut.jpg").unwrap();
    let keys: Vec<String> = facts
        .keywords
        .iter()
        .map(|word| letters::key(word))
        .collect();
    for wish in [
        "Äpfel",
        "äpfel",
        "a\u{308}pfel",
        "Москва",
        "МОСКВА",
        "ÉTÉ",
        "été",
    ] {
        let wish = letters::key(wish);
        assert!(keys.contains(&wish), "{wish} is not in {keys:?}");
    }
}
