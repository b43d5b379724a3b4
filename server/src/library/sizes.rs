//! Tests alone: the size that the index knows of a photo is that of the picture that a screen shows of it.

use std::{
    io::Cursor,
    path::{Path, PathBuf},
};

use image::{DynamicImage, ImageFormat};

use super::{
    Version,
    examine::{Examiner, Finding},
    index::Outcome,
    sidecars::Beside,
};
use crate::render::{self, DecodeLimits, Kind, Orientation, Picture, Quality, Size};

/// The size and orientation that the index would know of a file.
fn indexed(path: &Path) -> Option<(Option<Size>, Orientation)> {
    let version = Version {
        n_bytes: std::fs::metadata(path).unwrap().len(),
        ..Version::default()
    };
    match Examiner::default().examine(path, version, &Beside::default(), true) {
        Finding::Settled(Outcome::Photo(facts)) => Some((facts.size, facts.orientation)),
        _ => None,
    }
}

/// Whether it is a picture that can be shown.
fn check(path: &Path) -> bool {
    let bytes = std::fs::read(path).unwrap();
    let (Some((size, _)), Ok(picture)) = (
        indexed(path),
        render::decode(&bytes, &DecodeLimits::default()),
    ) else {
        return false;
    };
    let shown = Some(picture.size());
    if render::probe(&bytes).is_some_and(|probe| probe.kind == Kind::Raw) {
        // What a raw shows is a smaller picture that it carries.
        let is_upright = |size: Size| size.width < size.height;
        assert_eq!(
            size.map(is_upright),
            shown.map(is_upright),
            "{}",
            path.display()
        );
    } else {
        assert_eq!(size, shown, "{}", path.display());
    }
    true
}

/// A TIFF structure that has an orientation and nothing else.
fn exif(orientation: u8) -> Vec<u8> {
    let head = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0";
    [&head[..], &[orientation, 0, 0, 0, 0, 0, 0, 0]].concat()
}

fn picture() -> Picture {
    let pixels = (0..48_u32).flat_map(|y| (0..64).flat_map(move |x| [x * 3, y * 5, x + y]));
    Picture::new(64, 48, pixels.map(|value| value as u8).collect()).unwrap()
}

fn by_image(format: ImageFormat) -> Vec<u8> {
    let picture = picture();
    let image = image::RgbImage::from_raw(64, 48, picture.pixels().to_vec()).unwrap();
    let mut file = Vec::new();
    DynamicImage::from(image)
        .write_to(&mut Cursor::new(&mut file), format)
        .unwrap();
    file
}

fn jpeg(orientation: u8) -> Vec<u8> {
    let file = render::encode(&picture(), Quality::default()).unwrap();
    let exif = exif(orientation);
    let n = u16::try_from(exif.len() + 8).unwrap().to_be_bytes();
    [&file[..2], b"\xFF\xE1", &n, b"Exif\0\0", &exif, &file[2..]].concat()
}

/// A PNG whose EXIF stands behind its pixels.
fn png(orientation: u8) -> Vec<u8> {
    let file = by_image(ImageFormat::Png);
    let exif = exif(orientation);
    let n = u32::try_from(exif.len()).unwrap().to_be_bytes();
    let (pixels, end) = file.split_at(file.len() - 12);
    // No reader that is used looks at the checksum of a chunk that it needs not know.
    [pixels, &n, b"eXIf", &exif, &[0; 4], end].concat()
}

/// A HEIC whose EXIF item begins so, without a box that turns it.
fn heic(orientation: u8) -> Vec<u8> {
    let picture = picture();
    let (pixels, _) = picture.pixels().as_chunks::<3>();
    let rgba = pixels.iter().flat_map(|&[r, g, b]| [r, g, b, 255]);
    let image = heifer::Image {
        width: 64,
        height: 48,
        bit_depth: 8,
        has_alpha: false,
        data: rgba.map(u16::from).collect(),
    };
    let metadata = heifer::Metadata {
        exif: Some(exif(orientation)),
        ..heifer::Metadata::default()
    };
    let options = heifer::EncodeOptions::default();
    let mut file = heifer::encode_with_metadata(&image, &metadata, &options).unwrap();
    // The encoder writes it as upright.
    let entry = b"\x12\x01\x03\0\x01\0\0\0\x01\0";
    let at = memchr::memmem::find(&file, entry).unwrap();
    file[at + 8] = orientation;
    file
}

#[test]
fn what_the_index_says_of_made_files_is_what_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, file: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, file).unwrap();
        path
    };
    for orientation in 1..=8 {
        for (kind, file) in [("jpg", jpeg(orientation)), ("png", png(orientation))] {
            let path = write(&format!("{orientation}.{kind}"), &file);
            assert!(check(&path), "{}", path.display());
            let known = Orientation::from_exif(orientation.into());
            assert_eq!(indexed(&path).map(|found| found.1), known, "{kind}");
        }
    }
    for format in [
        ImageFormat::WebP,
        ImageFormat::Gif,
        ImageFormat::Bmp,
        ImageFormat::Tiff,
    ] {
        let path = write(&format!("{format:?}"), &by_image(format));
        assert!(check(&path), "{}", path.display());
    }
    let turned = heic(6);
    let path = write("turned.heic", &turned);
    assert!(check(&path));
    assert_eq!(indexed(&path).unwrap().0, Some(Size::new(48, 64)));
    for (name, file) in [
        (
            "plain.heic",
            &include_bytes!("../../render/src/tests/samples/plain.heic")[..],
        ),
        (
            "alpha.heic",
            include_bytes!("../../render/src/tests/samples/alpha.heic"),
        ),
        (
            "plain.avif",
            include_bytes!("../../render/src/tests/samples/plain.avif"),
        ),
        (
            "pq.avif",
            include_bytes!("../../render/src/tests/samples/pq.avif"),
        ),
        (
            "alpha.jxl",
            include_bytes!("../../render/src/tests/samples/alpha.jxl"),
        ),
        (
            "lossy.jxl",
            include_bytes!("../../render/src/tests/samples/lossy.jxl"),
        ),
    ] {
        assert!(check(&write(name, file)), "{name}");
    }
}

/// The folder that a variable names, or one beside the workspace; nothing, with a word, where there is none.
fn files_of(variable: &str, beside: &str) -> Vec<PathBuf> {
    let folder = std::env::var_os(variable).map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join(beside),
        PathBuf::from,
    );
    let mut folders = vec![folder.clone()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    if files.is_empty() {
        eprintln!("LEFT OUT: {}; {variable} names another", folder.display());
    }
    files
}

#[test]
fn what_the_index_says_of_real_photos_is_what_is_shown() {
    for (variable, beside) in [
        ("MANTEL_PHOTOS", "../../shared/photos"),
        ("MANTEL_CASES", "../../shared/cases"),
    ] {
        let files = files_of(variable, beside);
        let n_shown = files.iter().filter(|file| check(file)).count();
        assert!(n_shown > 0 || files.is_empty(), "none of {}", files.len());
    }
}
