//! Tests alone: files that people's programs stumble over, from the folder that MANTEL_CASES names or a `shared/cases` beside
//! the workspace. Most show one scene, so each is right when it looks like the plain one.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
};

use crate::{
    DecodeError, DecodeLimits, Fit, Picture, Size, Slot, decode, decode_fitted, decode_whole, fit,
};

/// The file that shows the scene as it is.
const PLAIN: &str = "04.07.2021 12.30.59.jpg";
const SIZE: Size = Size::new(160, 120);

/// The bytes of a case; `None`, and a line that says so, where there are none.
pub(super) fn case(name: &str) -> Option<Vec<u8>> {
    let folder = std::env::var_os("MANTEL_CASES").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/cases"),
        PathBuf::from,
    );
    let packed = || {
        let bytes = std::fs::read(folder.join(format!("{name}.gz"))).ok()?;
        let mut unpacked = vec![];
        let mut unpacker = flate2::read::GzDecoder::new(bytes.as_slice());
        unpacker.read_to_end(&mut unpacked).ok()?;
        Some(unpacked)
    };
    let found = std::fs::read(folder.join(name)).ok().or_else(packed);
    if found.is_none() {
        let folder = folder.display();
        eprintln!("LEFT OUT: {name} in {folder}; MANTEL_CASES names another");
    }
    found
}

fn open(name: &str) -> Option<Result<Picture, DecodeError>> {
    let picture = decode(&case(name)?, &DecodeLimits::default());
    Some(picture.map(|picture| fit(&picture, SIZE, Fit::Contain)))
}

/// The mean difference to the scene.
fn error(picture: &Picture, scene: &Picture) -> f64 {
    let pairs = picture.pixels().iter().zip(scene.pixels());
    let sum: u64 = pairs.map(|(&a, &b)| u64::from(a.abs_diff(b))).sum();
    sum as f64 / scene.pixels().len() as f64
}

#[test]
fn they_look_like_the_scene() {
    let Some(scene) = open(PLAIN) else { return };
    let scene = scene.unwrap();
    let mut wrong = vec![];
    for (name, most) in [
        ("gama-linear.png", 5.0),
        ("chrm-p3.png", 5.0),
        ("rgb-with-grey-profile.jpg", 5.0),
        ("no-dht.jpg", 5.0),
        ("no-iend.png", 5.0),
        ("chroma-finer-than-luma.jpg", 9.0),
        ("restart-missing.jpg", 9.0),
        ("palette.tif", 9.0),
        ("thumbnail-first.tif", 5.0),
    ] {
        match open(name) {
            None => {}
            Some(Ok(picture)) => {
                let error = error(&picture, &scene);
                println!("{name}: {error:.2}");
                if error > most {
                    wrong.push(format!("{name}: off by {error:.1}"));
                }
            }
            Some(Err(error)) => wrong.push(format!("{name}: {error}")),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Most of it is there: the corners that the damage did not reach, each in its own colour.
#[test]
fn a_heic_with_a_flipped_bit_shows_what_is_there() {
    let Some(picture) = open("one-bit-flipped.heic") else {
        return;
    };
    let picture = picture.unwrap();
    let at = |x: u32, y: u32| {
        let at = (y * SIZE.width + x) as usize * 3;
        [0, 1, 2].map(|n| picture.pixels()[at + n])
    };
    for (x, y, wanted) in [
        (20, 15, [225, 30, 30]),
        (155, 4, [250, 5, 140]),
        (4, 112, [10, 245, 150]),
    ] {
        let seen = at(x, y);
        let is_near = seen.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) < 40);
        assert!(is_near, "{seen:?} for {wanted:?} at {x}, {y}");
    }
}

#[test]
fn grey_of_little_range_is_black_and_white() {
    let (Some(grey), Some(scene)) = (open("grey-limited.avif"), open(PLAIN)) else {
        return;
    };
    let (grey, scene) = (grey.unwrap(), scene.unwrap());
    let luma = |pixels: &[u8]| -> Vec<u8> {
        let (pixels, _) = pixels.as_chunks::<3>();
        let weighed = pixels.iter().map(|&[r, g, b]| {
            let sum = 299 * u32::from(r) + 587 * u32::from(g) + 114 * u32::from(b);
            [(sum / 1000) as u8; 3]
        });
        weighed.flatten().collect()
    };
    let scene = Picture::new(SIZE.width, SIZE.height, luma(scene.pixels())).unwrap();
    let error = error(&grey, &scene);
    assert!(error < 3.0, "{error}");
}

#[test]
fn kinds_that_were_refused_are_shown() {
    let (large, small) = (Size::new(320, 240), SIZE);
    for (name, size) in [
        ("selection-channel-lzw-predictor.tif", large),
        ("premultiplied-alpha.tif", large),
        ("grey-selection-channel.tif", large),
        ("thumbnail-first.tif", small),
        ("scan.jp2", large),
        ("poster.psd", Size::new(100, 75)),
    ] {
        let Some(file) = case(name) else { continue };
        let shown = decode_whole(&file, &DecodeLimits::default()).expect(name);
        assert_eq!((shown.upright, shown.damage), (size, None), "{name}");
    }
}

#[test]
fn what_is_there_of_a_cut_photo_is_shown() {
    let (Some(cut), Some(whole)) = (
        case("cut-at-90-percent.jpg"),
        case("not-interleaved-420.jpg"),
    ) else {
        return;
    };
    // Both are of one picture.
    let [cut, whole] =
        [cut, whole].map(|file| decode_whole(&file, &DecodeLimits::default()).unwrap());
    assert_eq!(whole.damage, None);
    let told = cut.damage.map(|damage| damage.to_string());
    let expected = "the file is cut off: only 88 % of the picture is there";
    assert_eq!(told.as_deref(), Some(expected));
    let n_bytes = cut.picture.stride() * 200;
    let pairs = cut.picture.pixels()[..n_bytes].iter();
    let pairs = pairs.zip(&whole.picture.pixels()[..n_bytes]);
    let sum: u64 = pairs.map(|(&a, &b)| u64::from(a.abs_diff(b))).sum();
    assert!(sum / (n_bytes as u64) < 3, "{sum}");
    assert!(cut.picture.pixels().ends_with(&[128; 3]));
}

#[test]
fn large_pictures_of_any_kind_fit_into_the_memory_that_is_allowed() {
    let slot = Slot::alone(SIZE, Fit::Blur);
    for (name, size) in [
        ("48mp.jxl", Size::new(8064, 6048)),
        ("200mp.jpg", Size::new(16_320, 12_240)),
    ] {
        let Some(file) = case(name) else { continue };
        let pixels = decode_fitted(&file, &DecodeLimits::default(), slot).expect(name);
        assert_eq!((pixels.upright, pixels.damage), (size, None), "{name}");
    }
}

#[test]
fn memory_is_the_limit() {
    let Some(file) = case("200mp.jpg") else {
        return;
    };
    let slot = Slot::alone(SIZE, Fit::Blur);
    let little = DecodeLimits::default().within(400 << 20);
    let error = decode_fitted(&file, &little, slot).unwrap_err();
    assert!(matches!(error, DecodeError::TooHungry { .. }), "{error}");
}
