//! Tests alone: HEIC, AVIF and JPEG XL that are sound, cut off, altered, or made to blow up. The samples were made with
//! libvips 8.14 (`vips heifsave`, `vips jxlsave`) and ffmpeg (`pq.avif`) from the picture that `hostile` draws.

use image::{DynamicImage, ImageFormat};
use proptest::prelude::*;

use crate::{
    DecodeError, DecodeLimits, Kind, Orientation, Picture, Size, decode, decode_whole,
    formats::upright::{stated_in, tests::block},
    orient, probe,
    tests::hostile::{HEIGHT, WIDTH, mean_error, open, original, with_image},
};

const PLAIN_HEIC: &[u8] = include_bytes!("samples/plain.heic");
const PLAIN_AVIF: &[u8] = include_bytes!("samples/plain.avif");

/// Name, file, and whether it shows the original all over; the others have a right half that is transparent.
const SAMPLES: [(&str, &[u8], Kind, bool); 11] = [
    ("plain.heic", PLAIN_HEIC, Kind::Heic, true),
    (
        "alpha.heic",
        include_bytes!("samples/alpha.heic"),
        Kind::Heic,
        false,
    ),
    ("plain.avif", PLAIN_AVIF, Kind::Avif, true),
    (
        "full-chroma.avif",
        include_bytes!("samples/full-chroma.avif"),
        Kind::Avif,
        true,
    ),
    (
        "alpha.avif",
        include_bytes!("samples/alpha.avif"),
        Kind::Avif,
        false,
    ),
    (
        "lossy.jxl",
        include_bytes!("samples/lossy.jxl"),
        Kind::JpegXl,
        true,
    ),
    (
        "lossless.jxl",
        include_bytes!("samples/lossless.jxl"),
        Kind::JpegXl,
        true,
    ),
    (
        "alpha.jxl",
        include_bytes!("samples/alpha.jxl"),
        Kind::JpegXl,
        false,
    ),
    (
        "lossless.jp2",
        include_bytes!("samples/lossless.jp2"),
        Kind::Jpeg2000,
        true,
    ),
    (
        "lossy.j2k",
        include_bytes!("samples/lossy.j2k"),
        Kind::Jpeg2000,
        true,
    ),
    (
        "alpha.jp2",
        include_bytes!("samples/alpha.jp2"),
        Kind::Jpeg2000,
        false,
    ),
];

/// 10 bits, BT.2020, PQ.
const PQ_AVIF: &[u8] = include_bytes!("samples/pq.avif");

fn size() -> Size {
    Size::new(WIDTH, HEIGHT)
}

#[test]
fn every_sample_is_decoded() {
    for (name, file, kind, all_over) in SAMPLES {
        let found = probe(file).unwrap();
        assert_eq!((found.kind, found.size), (kind, Some(size())), "{name}");
        let picture = open(file).expect(name);
        assert_eq!(picture.size(), size(), "{name}");
        let mut expected = original();
        if !all_over {
            for row in expected.pixels_mut().chunks_exact_mut(WIDTH as usize * 3) {
                row[30 * 3..].fill(0);
            }
        }
        let error = mean_error(&picture, &expected);
        let allowed = if name.starts_with("lossless") {
            0.0
        } else {
            9.0
        };
        assert!(error <= allowed, "{name}: {error}");
    }
}

#[test]
fn high_dynamic_range_fits_the_screen() {
    let picture = open(PQ_AVIF).unwrap();
    assert_eq!(picture.size(), size());
    // Taken for PQ the samples are light of hundreds of cd/m²; the order of bright and dark stays.
    let row = |y: usize| -> u32 {
        let row = &picture.pixels()[y * picture.stride()..][..picture.stride()];
        row.iter()
            .skip(1)
            .step_by(3)
            .map(|&green| u32::from(green))
            .sum::<u32>()
            / WIDTH
    };
    assert!(
        row(2) < row(20) && row(20) < row(44),
        "{} {} {}",
        row(2),
        row(20),
        row(44)
    );
    assert!(row(44) < 256);
}

/// Slopes over several tiles.
fn large() -> Picture {
    let pixels = (0..560u32)
        .flat_map(|y| (0..1100u32).flat_map(move |x| [x / 5, y / 3, (x + y) / 8]))
        .map(|channel| channel as u8)
        .collect();
    Picture::new(1100, 560, pixels).unwrap()
}

fn heic(picture: &Picture, exif: Option<Vec<u8>>) -> Vec<u8> {
    let rgba: Vec<u16> = picture
        .pixels()
        .as_chunks::<3>()
        .0
        .iter()
        .flat_map(|&[r, g, b]| [r, g, b, 255].map(u16::from))
        .collect();
    let image = heifer::Image {
        width: picture.width(),
        height: picture.height(),
        bit_depth: 8,
        has_alpha: false,
        data: rgba,
    };
    let metadata = heifer::Metadata {
        exif,
        ..heifer::Metadata::default()
    };
    heifer::encode_with_metadata(&image, &metadata, &heifer::EncodeOptions::default()).unwrap()
}

#[test]
fn tiles_are_put_together() {
    let file = heic(&large(), None);
    assert!(file.windows(4).any(|name| name == b"grid"));
    let picture = open(&file).unwrap();
    assert!(mean_error(&picture, &large()) < 2.0);
    // Cut off it lacks tiles; with more than half of them it is shown.
    for percent in [5, 40] {
        let error = open(&file[..file.len() * percent / 100]).unwrap_err();
        assert!(matches!(error, DecodeError::Truncated { .. }), "{error}");
    }
    let cut = &file[..file.len() * 99 / 100];
    let cut = decode_whole(cut, &DecodeLimits::default()).unwrap();
    let damage = cut.damage.unwrap().to_string();
    assert!(damage.starts_with("the file is cut off: only "), "{damage}");
    let rows = 512 * 1100 * 3;
    let pairs = cut.picture.pixels()[..rows].iter().zip(picture.pixels());
    // The decoder has a quicker way to convert tiles of a whole picture.
    assert!(pairs.into_iter().all(|(a, b)| a.abs_diff(*b) <= 1));
    let (pixels, _) = cut.picture.pixels().as_chunks::<3>();
    let is_grey = |pixel: &&[u8; 3]| pixel.iter().all(|channel| (127..=131).contains(channel));
    let n_grey = pixels.iter().filter(is_grey).count();
    assert!(n_grey > 300, "{n_grey}: {damage}");
}

#[test]
fn what_is_there_of_a_damaged_heic_is_shown() {
    // Of one with tiles, one tile is spoiled; of others any part.
    let tiled = heic(&large(), None);
    let whole = open(&tiled).unwrap();
    let start = tiled.windows(4).position(|name| name == b"mdat").unwrap() + 8;
    let n_pixels = tiled.len() - start;
    let (mut n_shown, mut n_damaged) = (0, 0);
    for i in 1..20 {
        let mut spoiled = tiled.clone();
        let at = start + n_pixels * i / 20;
        spoiled[at..at + 40].fill(0xFF);
        if let Ok(shown) = decode_whole(&spoiled, &DecodeLimits::default()) {
            n_shown += 1;
            n_damaged += u32::from(shown.damage.is_some());
            let pairs = shown.picture.pixels().iter().zip(whole.pixels());
            let n_same = pairs.filter(|(a, b)| a == b).count();
            assert!(n_same * 2 > whole.pixels().len(), "{i}: {n_same}");
        }
    }
    assert!(n_shown >= 17 && n_damaged > 0, "{n_shown}, {n_damaged}");
    let single = heic(&original(), None);
    let start = single.windows(4).position(|name| name == b"mdat").unwrap() + 4;
    let mut n_shown = 0;
    for at in start..single.len() {
        let mut spoiled = single.clone();
        spoiled[at] ^= 1 << (at % 8);
        n_shown += u32::from(open(&spoiled).is_ok());
    }
    let n_all = (single.len() - start) as u32;
    assert!(n_shown * 2 > n_all, "{n_shown} of {n_all}");
}

#[test]
fn exif_turns_a_heic_only_where_no_box_does() {
    let picture = large();
    let mut file = heic(&picture, Some(block(6, "2021:07:04 12:30:00", true)));
    // The encoder writes it as upright.
    let entry = [0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 1];
    let at = file.windows(10).position(|bytes| bytes == entry).unwrap();
    file[at + 9] = 6;
    let shown = open(&file).unwrap();
    let upright = orient(picture.clone(), Orientation::QuarterClockwise);
    assert_eq!(shown.size(), upright.size());
    assert!(mean_error(&shown, &upright) < 2.0);
    assert_eq!(
        stated_in(Kind::Heic, &file),
        Some(Orientation::QuarterClockwise)
    );

    // Another box of the same length, which all its users ignore, becomes one that turns.
    let file = with_box_turned(PLAIN_HEIC);
    assert_eq!(stated_in(Kind::Heic, &file), Some(Orientation::TurnedOver));
    let shown = open(&file).unwrap();
    let expected = orient(open(PLAIN_HEIC).unwrap(), Orientation::TurnedOver);
    assert_eq!(shown, expected);
}

/// Puts an `irot` box of half a turn in the place of the primary picture's `pixi` (16 bytes).
fn with_box_turned(file: &[u8]) -> Vec<u8> {
    let mut file = file.to_vec();
    let at = file.windows(4).position(|name| name == b"pixi").unwrap();
    let length = u32::from_be_bytes(*file[at - 4..].first_chunk().unwrap());
    assert!(length >= 9);
    file[at..at + 4].copy_from_slice(b"irot");
    file[at + 4] = 2;
    file
}

#[test]
fn cut_samples_are_refused_or_good() {
    for (name, file, kind, _) in SAMPLES {
        let whole = open(file).unwrap();
        let n_cuts = if kind == Kind::Avif { 40 } else { 150 };
        for end in (0..file.len()).step_by(1 + file.len() / n_cuts) {
            if let Ok(picture) = open(&file[..end]) {
                let error = mean_error(&picture, &whole);
                // Half of a JPEG 2000 is all of it, coarse.
                let allowed = if kind == Kind::Jpeg2000 { 20.0 } else { 4.0 };
                assert!(
                    error < allowed,
                    "{name} cut at {end} of {}: off by {error}",
                    file.len()
                );
            }
            let _ = probe(&file[..end]);
        }
    }
}

/// Tight enough that what lies about its size is refused soon.
const TIGHT: DecodeLimits = DecodeLimits {
    pixels: 1_000_000,
    side: 4096,
    bytes: 48 << 20,
};

#[test]
fn every_altered_byte_is_survived() {
    for (name, file, kind, _) in SAMPLES {
        // rav1d checks every access a second time in builds for tests, and takes its time.
        let (step, n) = match kind {
            Kind::Avif => (1 + file.len() / 60, 1),
            _ => (1 + file.len() / 300, 3),
        };
        for at in (0..file.len()).step_by(step) {
            for byte in [0xFF, 0, file[at] ^ 0x01].into_iter().take(n) {
                let mut altered = file.to_vec();
                altered[at] = byte;
                let shown = decode(&altered, &TIGHT);
                assert!(
                    shown.is_err() || shown.is_ok_and(|picture| picture.width() > 0),
                    "{name} at {at}"
                );
                let _ = probe(&altered);
            }
        }
    }
}

/// Every picture in it, tiles too, said to be of another size.
fn with_size(file: &[u8], width: u32, height: u32) -> Vec<u8> {
    let mut file = file.to_vec();
    for at in 0..file.len() - 16 {
        if &file[at..at + 4] == b"ispe" {
            file[at + 8..at + 12].copy_from_slice(&width.to_be_bytes());
            file[at + 12..at + 16].copy_from_slice(&height.to_be_bytes());
        }
    }
    file
}

#[test]
fn bombs_are_refused_by_their_header() {
    for file in [PLAIN_HEIC, PLAIN_AVIF] {
        let error = open(&with_size(file, 30_000, 30_000)).unwrap_err();
        assert!(
            matches!(error, DecodeError::TooHungry { width: 30_000, .. }),
            "{error}"
        );
        let error = open(&with_size(file, 100_000, 2)).unwrap_err();
        assert!(matches!(error, DecodeError::TooLong { .. }), "{error}");
    }
    // 30000 x 30000 in JPEG XL's first bits: not by eight, 18 bits each, no ratio.
    let mut bits: Vec<u64> = vec![0];
    let side = |bits: &mut Vec<u64>| {
        bits.extend([0, 1]);
        bits.extend((0..18).map(|i| 29_999 >> i & 1));
    };
    side(&mut bits);
    bits.extend([0, 0, 0]);
    side(&mut bits);
    bits.push(1);
    let bytes = bits
        .chunks(8)
        .map(|bits| bits.iter().rev().fold(0, |sum, &bit| sum << 1 | bit as u8));
    let jxl: Vec<u8> = [0xFF, 0x0A].into_iter().chain(bytes).collect();
    let error = open(&jxl).unwrap_err();
    assert!(
        matches!(error, DecodeError::TooHungry { width: 30_000, .. }),
        "{error}"
    );
}

#[test]
fn a_grid_that_asks_for_more_work_than_pixels_is_refused() {
    let file = heic(&large(), None);
    // The grid's own size stands in its data: 1100 x 560 in 16 bits each, behind two rows and three columns.
    let data = [0, 0, 1, 2, 0x04, 0x4C, 0x02, 0x30];
    let at = file.windows(8).position(|bytes| bytes == data).unwrap();
    let mut small = file.clone();
    small[at + 4..at + 8].copy_from_slice(&[0, 16, 0, 16]);
    assert_eq!(
        open(&small).unwrap_err().to_string(),
        "the file is damaged: its tiles do not fit"
    );
    let mut many = file.clone();
    many[at + 2..at + 4].copy_from_slice(&[255, 255]);
    assert!(matches!(open(&many), Err(DecodeError::Damaged(_))));
}

#[test]
fn derivations_in_circles_end() {
    // A grid whose only tile is itself, and one made of another that is made of the first.
    let file = heic(&large(), None);
    let at = file.windows(4).position(|name| name == b"dimg").unwrap();
    let from = file[at + 4..at + 6].to_vec();
    let mut circle = file.clone();
    for i in 0..6 {
        circle[at + 8 + 2 * i..at + 10 + 2 * i].copy_from_slice(&from);
    }
    let error = open(&circle).unwrap_err();
    assert!(
        matches!(error, DecodeError::Damaged(_) | DecodeError::Unsupported(_)),
        "{error}"
    );
}

#[test]
fn what_a_phone_puts_behind_a_picture_does_no_harm() {
    // A moving picture in a box, and Samsung's trailer, which is none.
    let trailers: [&[u8]; 3] = [
        b"\0\0\0\x10mpvd\0\0\0\0\0\0\0\0",
        b"\0\0\0\x10mpvd\0\0\0\0\0\0\0\0SEFHk\0\0\0SEFT",
        b"\0\0\0\x01\x02\x03\x04\x05\x06",
    ];
    for trailer in trailers {
        for file in [PLAIN_HEIC, PLAIN_AVIF] {
            let shown = open(&[file, trailer].concat()).unwrap();
            assert_eq!(shown, open(file).unwrap());
        }
    }
    let jpeg = crate::encode(&original(), crate::Quality::default()).unwrap();
    let moving = [&jpeg[..], b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", &[0; 5000]].concat();
    assert_eq!(open(&moving).unwrap(), open(&jpeg).unwrap());
}

#[test]
fn garbage_profiles_are_no_reason_not_to_show_a_photo() {
    let jpeg = crate::encode(&original(), crate::Quality::default()).unwrap();
    let plain = open(&jpeg).unwrap();
    for garbage in [vec![], vec![0; 200], vec![0xFF; 3000], b"abc".repeat(500)] {
        let n = u16::try_from(garbage.len() + 16).unwrap().to_be_bytes();
        let segment = [&[0xFF, 0xE2], &n[..], b"ICC_PROFILE\0\x01\x01", &garbage].concat();
        let file = [&jpeg[..2], &segment, &jpeg[2..]].concat();
        assert_eq!(open(&file), Ok(plain.clone()));
    }
}

#[test]
fn deep_samples_and_alpha_are_seen() {
    let deep = with_image(
        DynamicImage::from(image::RgbaImage::from_pixel(
            9,
            9,
            image::Rgba([200, 100, 50, 128]),
        ))
        .into_rgba16(),
        ImageFormat::Tiff,
    );
    let picture = open(&deep).unwrap();
    assert!(mean_error(&picture, &Picture::filled(9, 9, [100, 50, 25])) <= 1.0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn no_altered_sample_panics(damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8), cut in any::<prop::sample::Index>()) {
        for (_, file, ..) in SAMPLES {
            let mut file = file.to_vec();
            for &(at, byte) in &damage {
                let at = at.index(file.len());
                file[at] = byte;
            }
            for file in [&file[..], &file[..cut.index(file.len())]] {
                let _ = (decode(file, &TIGHT), probe(file));
            }
        }
    }

    #[test]
    fn no_random_bytes_behind_a_mark_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), start in 0usize..9) {
        let marks: [&[u8]; 9] = [
            b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
            b"\0\0\0\x18ftypavif\0\0\0\0mif1avif\0\0\x01\0meta\0\0\0\0",
            b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom",
            b"\xFF\x0A",
            b"\0\0\0\x0CJXL \r\n\x87\n\0\0\0\0jxlc\xFF\x0A",
            b"FUJIFILMCCD-RAW 0201",
            b"IIRO\x08\0\0\0",
            b"II*\0\x10\0\0\0CR\x02\0\0\0\0\0",
            b"MM\0*\0\0\0\x08",
        ];
        let file = [marks[start], &bytes].concat();
        let _ = (decode(&file, &TIGHT), probe(&file));
    }
}

#[test]
fn linear_light_is_brought_to_the_screens_curve() {
    let mut n_shown = 0;
    for file in [PQ_AVIF, PLAIN_HEIC, PLAIN_AVIF] {
        let Some(at) = file.windows(4).position(|name| name == b"nclx") else {
            continue;
        };
        let with = |primaries: u8, transfer: u8| {
            let mut file = file.to_vec();
            file[at + 4..at + 8].copy_from_slice(&[0, primaries, 0, transfer]);
            open(&file).unwrap()
        };
        let (plain, linear) = (with(1, 13), with(1, 8));
        for (&signal, &brighter) in plain.pixels().iter().zip(linear.pixels()) {
            let light = f64::from(signal) / 255.0;
            let right = match light {
                _ if light <= 0.003_130_8 => light * 12.92,
                _ => 1.055 * light.powf(1.0 / 2.4) - 0.055,
            };
            // A step of the signal is many where it is dark.
            let allowed = if signal < 8 { 24.0 } else { 8.0 };
            assert!(
                (right * 255.0 - f64::from(brighter)).abs() < allowed,
                "{signal} became {brighter}"
            );
        }
        n_shown += 1;
    }
    assert!(n_shown > 0);
}
