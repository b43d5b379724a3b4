//! Slides as they were when their hashes were written down: what moves code about must not move a pixel.
//!
//! A change that is meant to be seen changes `golden.txt`, and its diff shows which slides it changes. Hashes of frames
//! hold for one architecture: decoders and scalers have code of their own for each.

#![cfg(target_arch = "x86_64")]

use std::{fmt::Write as _, io::Cursor, path::Path};

use image::{ImageFormat, RgbaImage};
use sha2::{Digest as _, Sha256};

use super::*;
use crate::{
    library::{DateSource, Taken, Version},
    render::{Fit, Picture, Quality, Size, encode, words::Style},
    rendition::{Captions, Fps, Pair},
    timeline::Transition,
};

const GOLDEN: &str = include_str!("golden.txt");
const WIDE: Size = Size::new(480, 270);
const UPRIGHT: Size = Size::new(270, 480);

/// A slope in every channel with a patch that stands out, away from the middle.
fn painted(width: u32, height: u32) -> Picture {
    let (patch_x, patch_y) = (width / 5, height / 3);
    let pixels = (0..height).flat_map(|y| {
        (0..width).flat_map(move |x| {
            let near = x.abs_diff(patch_x) < width / 9 && y.abs_diff(patch_y) < height / 7;
            let slope = [x * 200 / width, y * 220 / height, (x + y) * 31 % 97];
            let patch = if (x / 3 + y / 3) % 2 == 0 { 230 } else { 70 };
            let pixel = if near { [patch, patch / 2, 40] } else { slope };
            pixel.map(|value| u8::try_from(value).unwrap())
        })
    });
    Picture::new(width, height, pixels.collect()).unwrap()
}

/// A JPEG whose EXIF has an orientation and nothing else.
fn jpeg(width: u32, height: u32, orientation: u8) -> Vec<u8> {
    let jpeg = encode(&painted(width, height), Quality::new(92).unwrap()).unwrap();
    let exif = [
        &b"\xFF\xE1\0\x22Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0"[..],
        &[orientation, 0, 0, 0, 0, 0, 0, 0],
    ]
    .concat();
    [&jpeg[..2], &exif, &jpeg[2..]].concat()
}

fn png_with_alpha(width: u32, height: u32) -> Vec<u8> {
    let picture = painted(width, height);
    let (pixels, _) = picture.pixels().as_chunks::<3>();
    let rgba = pixels.iter().enumerate().flat_map(|(i, &[r, g, b])| {
        let alpha = u8::try_from(i % 256).unwrap();
        [r, g, b, alpha]
    });
    let image = RgbaImage::from_raw(width, height, rgba.collect()).unwrap();
    let mut file = Vec::new();
    image
        .write_to(&mut Cursor::new(&mut file), ImageFormat::Png)
        .unwrap();
    file
}

fn photo(folder: &Path, id: u64, name: &str, file: &[u8], upright: Size) -> Arc<Photo> {
    let path = folder.join(name);
    std::fs::write(&path, file).unwrap();
    Arc::new(Photo {
        id: PhotoId(id),
        origin: Origin::File(path),
        name: name.into(),
        taken: 0,
        version: Version::default(),
        facts: Facts {
            size: Some(upright),
            taken: Some(Taken {
                local_seconds: 1_625_401_859,
                source: DateSource::Metadata,
            }),
            caption: Some(format!("What is written under {id}")),
            ..Facts::default()
        },
    })
}

/// Photos of every kind that a frame treats in its own way.
fn photos(folder: &Path) -> Vec<Arc<Photo>> {
    let (wide, tall) = (Size::new(300, 200), Size::new(200, 300));
    let mut photos = vec![
        photo(folder, 0, "tall.jpg", &jpeg(200, 300, 1), tall),
        photo(
            folder,
            9,
            "alpha.png",
            &png_with_alpha(160, 120),
            Size::new(160, 120),
        ),
        photo(folder, 10, "small.jpg", &jpeg(40, 30, 1), Size::new(40, 30)),
        photo(
            folder,
            11,
            "large.jpg",
            &jpeg(641, 483, 6),
            Size::new(483, 641),
        ),
    ];
    photos.extend((1..=8).map(|turn| {
        let upright = if turn < 5 { wide } else { tall };
        let file = jpeg(300, 200, turn);
        photo(
            folder,
            turn.into(),
            &format!("turned-{turn}.jpg"),
            &file,
            upright,
        )
    }));
    photos
}

fn rendition(size: Size, fit: Fit, captions: Captions) -> Rendition {
    Rendition {
        size,
        fit,
        quality: Quality::default(),
        bitrate: None,
        gop: None,
        fps: Fps(10),
        transition: Transition::Cut,
        pair: Pair::Own,
        captions,
        note: false,
    }
}

/// One line about a slide: what it is of, its frame's hash, and what else is told of it.
fn told(photos: &[&Arc<Photo>], rendition: Rendition) -> String {
    let subject = Subject {
        photo: photos[0].clone(),
        beside: photos.get(1).map(|&photo| photo.clone()),
        note: None,
        veil: Veil::default(),
        is_small: false,
    };
    let rendered = render_now(&subject, &DecodeLimits::default(), rendition, None, None).unwrap();
    let names: Vec<&str> = photos.iter().map(|photo| &*photo.name).collect();
    let mut line = format!("{} {} {}", names.join("+"), rendition.size, rendition.fit);
    if !rendition.captions.is_off() {
        line.push_str(" words");
    }
    line.push_str(": ");
    for byte in &Sha256::digest(&rendered.jpeg)[..6] {
        write!(line, "{byte:02x}").unwrap();
    }
    if let Some(focus) = rendered.notes.focus {
        write!(line, " focus {},{}", focus.x, focus.y).unwrap();
    }
    for (id, looks) in &rendered.looks {
        write!(line, " looks {}={looks:016x}", id.0).unwrap();
    }
    for area in &rendered.notes.photos {
        write!(line, " lies {area:?}").unwrap();
    }
    line
}

#[test]
fn slides_are_what_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let photos = photos(folder.path());
    let named = |name: &str| photos.iter().find(|photo| &*photo.name == name).unwrap();
    let off = Captions::default();
    let words = Captions {
        date: true,
        text: true,
        ..off
    };
    let mut found = Vec::new();
    for fit in [Fit::Contain, Fit::Cover, Fit::Blur] {
        for photo in &photos {
            found.push(told(&[photo], rendition(WIDE, fit, off)));
        }
        for name in ["small.jpg", "turned-6.jpg", "large.jpg"] {
            found.push(told(&[named(name)], rendition(UPRIGHT, fit, off)));
        }
        for (one, other, size) in [
            ("tall.jpg", "turned-6.jpg", WIDE),
            ("large.jpg", "small.jpg", WIDE),
            ("turned-3.jpg", "alpha.png", UPRIGHT),
        ] {
            let pair = [named(one), named(other)];
            found.push(told(&pair, rendition(size, fit, off)));
            found.push(told(&pair, rendition(size, fit, words)));
        }
        found.push(told(&[named("large.jpg")], rendition(WIDE, fit, words)));
    }
    let golden: Vec<&str> = GOLDEN.lines().collect();
    assert!(
        found == golden,
        "slides are not what they were; now:\n{}",
        found.join("\n")
    );
}

#[test]
fn the_channels_words_are_each_photos_own() {
    let folder = tempfile::tempdir().unwrap();
    let photos = photos(folder.path());
    let signed = |facts: [Option<&Facts>; 2]| {
        let photo = |at: usize| {
            let facts = facts[at]?.clone();
            let photo = (*photos[at]).clone();
            Some(Arc::new(Photo { facts, ..photo }))
        };
        let subject = Subject {
            photo: photo(0).unwrap(),
            beside: photo(1),
            note: None,
            veil: Veil::default(),
            is_small: false,
        };
        let words = Words {
            template: "{channel} · {date} {%H:%M:%S} · {caption}".parse().unwrap(),
            style: Style::USUAL,
        };
        let rendition = rendition(WIDE, Fit::Contain, Captions::default());
        recipe(&subject, rendition, Some(&words)).sign.unwrap().0
    };
    let known = &photos[0].facts;
    let other = &photos[1].facts;
    let unknown = &Facts::default();
    // The file's own time is none of the photo's, and a file's name is no caption.
    let vague = &Facts {
        taken: known.taken.map(|taken| Taken {
            source: DateSource::Modified,
            ..taken
        }),
        caption: Some("IMG_0001.jpg".into()),
        ..Facts::default()
    };
    let date = "main · 4 July 2021 12:30:59";
    for (facts, words) in [
        (
            [Some(known), None],
            format!("{date} · What is written under 0"),
        ),
        (
            [Some(known), Some(other)],
            format!("{date} · What is written under 0 · What is written under 9"),
        ),
        (
            [Some(known), Some(unknown)],
            format!("{date} · What is written under 0"),
        ),
        ([Some(unknown), None], "main".into()),
        ([Some(vague), None], "main".into()),
    ] {
        assert_eq!(signed(facts), words);
    }
}
