//! Tests alone: what a scan knows of Canon's CR3, made here box by box, of Panasonic's RW2 and Sigma's X3F.

use super::{
    Facts, Version,
    examine::{Examiner, Finding},
    facts::iso,
    index::Outcome,
    sidecars::Beside,
};
use crate::render::{self, Orientation, Picture, Quality, Size};

/// Canon's box within `moov`, which holds a TIFF structure for each directory of EXIF.
const CANON: [u8; 16] = *b"\x85\xC0\xB6\x87\x82\x0F\x11\xE0\x81\x11\xF4\xCE\x46\x2B\x6A\x48";

const SHORT: u16 = 3;
const TEXT: u16 = 2;
const FRACTIONS: u16 = 5;

fn boxed(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let n = u32::try_from(content.len() + 8).unwrap();
    [&n.to_be_bytes()[..], name, content].concat()
}

/// A TIFF structure of one directory; values of more than four bytes stand behind it.
fn tiff(entries: &[(u16, u16, u32, Vec<u8>)]) -> Vec<u8> {
    let mut file = b"II*\0\x08\0\0\0".to_vec();
    file.extend(u16::try_from(entries.len()).unwrap().to_le_bytes());
    let mut behind: Vec<u8> = Vec::new();
    let start = file.len() + entries.len() * 12 + 4;
    for (tag, kind, n, value) in entries {
        file.extend(tag.to_le_bytes());
        file.extend(kind.to_le_bytes());
        file.extend(n.to_le_bytes());
        if value.len() <= 4 {
            let mut short = value.clone();
            short.resize(4, 0);
            file.extend(short);
        } else {
            let at = u32::try_from(start + behind.len()).unwrap();
            file.extend(at.to_le_bytes());
            behind.extend(value);
        }
    }
    file.extend([0; 4]);
    file.extend(behind);
    file
}

fn text(tag: u16, text: &str) -> (u16, u16, u32, Vec<u8>) {
    let value = [text.as_bytes(), b"\0"].concat();
    (tag, TEXT, u32::try_from(value.len()).unwrap(), value)
}

/// Degrees, minutes and hundredths of seconds.
fn degrees(tag: u16, parts: [u32; 3]) -> (u16, u16, u32, Vec<u8>) {
    let below = [1, 1, 100_u32];
    let value = parts
        .iter()
        .zip(below)
        .flat_map(|(part, below)| [*part, below]);
    (
        tag,
        FRACTIONS,
        3,
        value.flat_map(u32::to_le_bytes).collect(),
    )
}

/// A CR3 whose first track is a JPEG of this size, and whose second is something else.
fn cr3(width: u32, height: u32, orientation: u8) -> Vec<u8> {
    let main = tiff(&[
        text(0x10F, "Canon"),
        text(0x110, "Canon EOS R5"),
        (0x112, SHORT, 1, vec![orientation, 0]),
    ]);
    let exif = tiff(&[text(0x9003, "2021:07:04 12:30:05")]);
    let gps = tiff(&[
        text(1, "N"),
        degrees(2, [47, 22, 4044]),
        text(3, "W"),
        degrees(4, [8, 32, 2508]),
    ]);
    let canon = [
        &CANON[..],
        &boxed(b"CMT1", &main),
        &boxed(b"CMT2", &exif),
        &boxed(b"CMT4", &gps),
    ]
    .concat();
    let picture = Picture::filled(width, height, [9, 99, 199]);
    let jpeg = render::encode(&picture, Quality::default()).unwrap();
    let raw = [0x5A; 300];
    let build = |at: u64| {
        let track = |at: u64, n: usize| {
            let place = [&[0, 0, 0, 0, 0, 0, 0, 1], &at.to_be_bytes()[..]].concat();
            let n = u32::try_from(n).unwrap();
            let sizes = [0, n, 1].map(u32::to_be_bytes).concat();
            let table = [boxed(b"stsz", &sizes), boxed(b"co64", &place)].concat();
            let media = boxed(b"mdia", &boxed(b"minf", &boxed(b"stbl", &table)));
            boxed(b"trak", &media)
        };
        let tracks = [
            track(at, jpeg.len()),
            track(at + jpeg.len() as u64, raw.len()),
        ];
        let moov = [boxed(b"uuid", &canon), tracks.concat()].concat();
        [
            boxed(b"ftyp", b"crx \0\0\0\x01crx isom"),
            boxed(b"moov", &moov),
        ]
        .concat()
    };
    let at = build(0).len() as u64 + 8;
    [build(at), boxed(b"mdat", &[&jpeg[..], &raw].concat())].concat()
}

fn examined(bytes: &[u8]) -> Option<Facts> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("IMG_0001.CR3");
    std::fs::write(&path, bytes).unwrap();
    let version = Version {
        n_bytes: bytes.len() as u64,
        ..Version::default()
    };
    match Examiner::default().examine(&path, version, &Beside::default(), true) {
        Finding::Settled(Outcome::Photo(facts)) => Some(*facts),
        _ => None,
    }
}

#[test]
fn date_camera_position_turn_and_size_are_known() {
    for (orientation, upright) in [(1, Size::new(640, 400)), (8, Size::new(400, 640))] {
        let file = cr3(640, 400, orientation);
        let facts = examined(&file).unwrap();
        let moment = facts.taken.and_then(|taken| taken.of_photo()).map(iso);
        assert_eq!(moment.as_deref(), Some("2021-07-04T12:30:05"));
        assert_eq!(facts.camera.as_deref(), Some("Canon EOS R5"));
        let position = facts.position.unwrap();
        assert!((position.latitude - 47.377_9).abs() < 1e-6, "{position:?}");
        assert!((position.longitude + 8.540_3).abs() < 1e-6, "{position:?}");
        assert_eq!(facts.size, Some(upright));
        assert_eq!(
            Some(facts.orientation),
            Orientation::from_exif(orientation.into())
        );
        // It is what is shown.
        let picture = render::decode(&file, &render::DecodeLimits::default()).unwrap();
        assert_eq!(picture.size(), upright);
    }
}

#[test]
fn the_size_of_a_raw_by_panasonic_is_that_of_its_jpeg() {
    let picture = Picture::filled(640, 400, [9, 99, 199]);
    let jpeg = render::encode(&picture, Quality::default()).unwrap();
    let n = u32::try_from(jpeg.len()).unwrap();
    let mut file = tiff(&[
        text(0x10F, "Panasonic"),
        (0x112, SHORT, 1, vec![6, 0]),
        (0x2E, 7, n, jpeg),
    ]);
    file[2..4].copy_from_slice(b"U\0");
    let facts = examined(&file).unwrap();
    assert_eq!(facts.size, Some(Size::new(400, 640)));
    let picture = render::decode(&file, &render::DecodeLimits::default()).unwrap();
    assert_eq!(picture.size(), Size::new(400, 640));
}

/// Properties of Sigma's: numbers of characters at which names and values begin, then those.
fn properties(pairs: &[(&str, &str)]) -> Vec<u8> {
    let long = |n: usize| u32::try_from(n).unwrap().to_le_bytes();
    let mut characters: Vec<u16> = Vec::new();
    let mut places = Vec::new();
    for text in pairs.iter().flat_map(|(name, value)| [name, value]) {
        places.extend(long(characters.len()));
        characters.extend(text.encode_utf16().chain([0]));
    }
    let head = [
        long(0x0002_0000),
        long(pairs.len()),
        [0; 4],
        [0; 4],
        long(characters.len()),
    ];
    let characters = characters.iter().flat_map(|unit| unit.to_le_bytes());
    let characters: Vec<u8> = characters.collect();
    [&b"SECp"[..], head.as_flattened(), &places, &characters].concat()
}

/// A raw of Sigma's: sections, and a directory of them at the end. Its JPEGs have EXIF from the SD14 on.
fn x3f(has_exif: bool) -> Vec<u8> {
    let jpeg = |width, height, exif: &[u8]| {
        let picture = Picture::filled(width, height, [9, 99, 199]);
        let jpeg = render::encode(&picture, Quality::default()).unwrap();
        let n = u16::try_from(exif.len() + 8).unwrap().to_be_bytes();
        if !has_exif {
            return jpeg;
        }
        [&jpeg[..2], b"\xFF\xE1", &n, b"Exif\0\0", exif, &jpeg[2..]].concat()
    };
    let exif = tiff(&[text(0x110, "SIGMA DP2"), (0x112, SHORT, 1, vec![6, 0])]);
    let small = tiff(&[text(0x110, "none"), (0x112, SHORT, 1, vec![1, 0])]);
    let long = u32::to_le_bytes;
    let mut file = [&b"FOVb\x01\0\x02\0"[..], &[0; 252]].concat();
    let mut entries = vec![];
    for (kind, format, data) in [
        (
            b"PROP",
            0,
            properties(&[
                ("APERTURE", "8.0"),
                ("CAMMANUF", "SIGMA"),
                ("CAMMODEL", "SIGMA SD10"),
                ("TIME", "1069503072"),
                ("WB_DESC", "Sunlight"),
            ]),
        ),
        (b"IMA2", 18, jpeg(160, 120, &small)),
        (b"IMAG", 3, vec![0; 300]),
        (b"IMA2", 18, jpeg(640, 400, &exif)),
    ] {
        let head = [
            long(0x0002_0000),
            long(2),
            long(format),
            long(9),
            long(9),
            long(0),
        ];
        let section = match kind {
            b"PROP" => data,
            _ => [&b"SECi"[..], head.as_flattened(), &data].concat(),
        };
        let at = u32::try_from(file.len()).unwrap();
        let n = u32::try_from(section.len()).unwrap();
        entries.extend([long(at), long(n), *kind].concat());
        file.extend(section);
    }
    let directory = u32::try_from(file.len()).unwrap();
    let head = [*b"SECd", long(0x0002_0000), long(4)];
    [&file, head.as_flattened(), &entries, &long(directory)].concat()
}

#[test]
fn a_raw_by_sigma_is_known_by_its_largest_jpeg_and_its_properties() {
    for (has_exif, camera, size) in [
        (true, "SIGMA DP2", Size::new(400, 640)),
        (false, "SIGMA SD10", Size::new(640, 400)),
    ] {
        let file = x3f(has_exif);
        let facts = examined(&file).unwrap();
        assert_eq!(facts.camera.as_deref(), Some(camera));
        assert_eq!(facts.size, Some(size));
        let taken = facts.taken.and_then(|taken| taken.of_photo()).map(iso);
        assert_eq!(taken.as_deref(), Some("2003-11-22T12:11:12"), "{camera}");
        let picture = render::decode(&file, &render::DecodeLimits::default()).unwrap();
        assert_eq!(picture.size(), size);
        for end in (0..file.len()).step_by(7) {
            let _ = examined(&file[..end]);
        }
        // Numbers of properties and places of theirs that lie.
        for at in 260..460 {
            for byte in [0, 0x7F, 0xFF] {
                let mut spoiled = file.clone();
                spoiled[at] = byte;
                let _ = examined(&spoiled);
            }
        }
    }
}

#[test]
fn one_that_is_cut_or_spoiled_anywhere_says_what_is_left_of_it() {
    let file = cr3(64, 48, 1);
    for end in (0..file.len()).step_by(5) {
        if let Some(facts) = examined(&file[..end]) {
            assert!(
                facts.size.is_none_or(|size| size == Size::new(64, 48)),
                "{end}"
            );
        }
    }
    let n_boxes = file.len() - file.len() / 2;
    for at in (0..n_boxes).step_by(7) {
        for byte in [0, 0xFF] {
            let mut spoiled = file.clone();
            spoiled[at] = byte;
            let _ = examined(&spoiled);
        }
    }
}
