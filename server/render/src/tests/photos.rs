//! Tests alone: real photos, from the folder that MANTEL_PHOTOS names or a `shared/photos` beside the workspace.

use std::path::{Path, PathBuf};

use crate::{
    DecodeLimits, Fit, Kind, Orientation, Picture, Probe, Quality, Size, Slot, decode,
    decode_fitted, encode, fit, formats::upright::stated_in, probe,
};

pub(crate) fn folder() -> PathBuf {
    std::env::var_os("MANTEL_PHOTOS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/photos"),
        PathBuf::from,
    )
}

/// A photo's bytes; `None`, and a line that says so, where there are no photos.
pub(crate) fn photo(path: &str) -> Option<Vec<u8>> {
    let folder = folder();
    match std::fs::read(folder.join(path)) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            eprintln!(
                "LEFT OUT: {} ({error}); set MANTEL_PHOTOS to the folder of test photos",
                folder.join(path).display()
            );
            None
        }
    }
}

fn mean_error(a: &Picture, b: &Picture) -> f64 {
    let sum: u64 = a
        .pixels()
        .iter()
        .zip(b.pixels())
        .map(|(&a, &b)| u64::from(a.abs_diff(b)))
        .sum();
    sum as f64 / a.pixels().len() as f64
}

#[test]
fn sixteen_orientations_are_two_pictures() {
    for name in ["Landscape", "Portrait"] {
        let upright: Option<Vec<Picture>> = (1..=8)
            .map(|i| {
                let bytes = photo(&format!("orientation/{name}_{i}.jpg"))?;
                let picture = decode(&bytes, &DecodeLimits::default())
                    .unwrap_or_else(|error| panic!("{name}_{i}: {error}"));
                Some(fit(
                    &picture,
                    Size::new(picture.width() / 4, picture.height() / 4),
                    Fit::Contain,
                ))
            })
            .collect();
        let Some(upright) = upright else { return };
        for (i, picture) in upright.iter().enumerate() {
            assert_eq!(picture.size(), upright[0].size(), "{name}_{}", i + 1);
            let error = mean_error(picture, &upright[0]);
            // Each has its number printed on it; turned wrongly they differ by 50 and more.
            assert!(error < 8.0, "{name}_{}: {error}", i + 1);
        }
    }
}

#[test]
fn real_photos_are_read() {
    for path in [
        "albums/text/craft-beer.jpg",
        "albums/nature/prairie_falcon.jpg",
        "formats/png/density_plot.png",
        "formats/webp/denali.webp",
        "metadata/faces/portrait-orientation-6.jpg",
        "metadata/dates/datetimeoriginal-gps.jpg",
    ] {
        let Some(bytes) = photo(path) else { return };
        let picture = decode(&bytes, &DecodeLimits::default())
            .unwrap_or_else(|error| panic!("{path}: {error}"));
        let head = &bytes[..bytes.len().min(65_536)];
        let found = probe(head).unwrap_or_else(|| panic!("{path}: no picture"));
        let stored = found.size.unwrap_or_else(|| panic!("{path}: no size"));
        let turned = stated_in(found.kind, &bytes).unwrap_or_default();
        assert_eq!(turned.upright_size(stored), picture.size(), "{path}");
    }
}

#[test]
fn heads_of_real_photos_tell_size_and_turn() {
    // Samsung writes what a HEIC holds behind its pixels.
    let behind = "formats/motionphoto/samsung-one-ui-6.heic";
    for (path, kind, width, height, turned) in [
        ("formats/heic/IMG_2682.heic", Kind::Heic, 4032, 3024, 1),
        (behind, Kind::Heic, 4000, 3000, 6),
        ("formats/avif/8bit-sRGB.avif", Kind::Avif, 1617, 1080, 0),
        (
            "formats/avif/10bit-HDR-P3-nclx.avif",
            Kind::Avif,
            3681,
            5594,
            0,
        ),
        ("formats/jxl/8bit-sRGB.jxl", Kind::JpegXl, 1440, 1080, 1),
    ] {
        let Some(bytes) = photo(path) else { return };
        let expected = Probe {
            kind,
            size: Some(Size::new(width, height)),
        };
        let turned = Orientation::from_exif(turned);
        assert_eq!(stated_in(kind, &bytes), turned, "{path}");
        assert_eq!(probe(&bytes), Some(expected), "{path}");
        let head = probe(&bytes[..65_536]).unwrap();
        assert_eq!(head.kind, kind);
        assert_eq!(head == expected, path != behind, "{path}: {head:?}");
    }
}

/// Files that can't be shown, and why.
const NOT_SHOWN: [(&str, &str); 0] = [];

/// All files below a folder, sorted.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// Every file of the folder is shown or known not to be. All of them, eight abreast and in order, are written to
/// MANTEL_CONTACT_SHEET, or else to the folder for temporary files.
#[test]
fn every_photo_is_shown() {
    let folder = folder();
    if !folder.is_dir() {
        eprintln!("LEFT OUT: there is no folder {}", folder.display());
        return;
    }
    const CELL: Size = Size::new(300, 225);
    const COLUMNS: usize = 8;
    let mut paths = vec![];
    files(&folder, &mut paths);
    let mut cells = vec![];
    for path in &paths {
        let name = path.strip_prefix(&folder).unwrap().to_str().unwrap();
        let bytes = std::fs::read(path).unwrap();
        let head = &bytes[..bytes.len().min(65_536)];
        if probe(head).is_none() {
            assert!(
                name.ends_with("README.md") || name.ends_with("LICENSE"),
                "{name}"
            );
            continue;
        }
        let shown = decode_fitted(
            &bytes,
            &DecodeLimits::default(),
            Slot::alone(CELL, Fit::Contain),
        );
        let why = NOT_SHOWN.iter().find(|(known, _)| *known == name);
        match (shown, why) {
            (Ok(picture), None) => {
                println!("{} {name}", cells.len());
                cells.push(picture);
            }
            (Err(error), Some((_, why))) => assert_eq!(error.to_string(), *why, "{name}"),
            (Ok(_), Some(_)) => panic!("{name} is shown after all"),
            (Err(error), None) => panic!("{name}: {error}"),
        }
    }
    let rows = cells.len().div_ceil(COLUMNS);
    let (width, height) = (CELL.width as usize, CELL.height as usize);
    let mut sheet = Picture::filled((COLUMNS * width) as u32, (rows * height) as u32, [40; 3]);
    let stride = sheet.stride();
    for (i, cell) in cells.iter().enumerate() {
        let left = i % COLUMNS * width * 3;
        let top = i / COLUMNS * height;
        let rows = sheet.pixels_mut().chunks_exact_mut(stride).skip(top);
        for (row, source) in rows.zip(cell.picture.pixels().chunks_exact(width * 3)) {
            row[left..left + width * 3].copy_from_slice(source);
        }
    }
    let path = std::env::var_os("MANTEL_CONTACT_SHEET").map_or_else(
        || std::env::temp_dir().join("mantel-contact-sheet.jpg"),
        PathBuf::from,
    );
    std::fs::write(&path, encode(&sheet, Quality::default()).unwrap()).unwrap();
    println!("{} photos on {}", cells.len(), path.display());
}
