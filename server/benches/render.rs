//! From a photo's bytes to a frame's: each step at 1080p, and the whole way for a 24-megapixel photo, beside
//! `vipsthumbnail` on one thread where that is installed. Results are kept beside this file, by date.
//!
//! Real photos come from the folder that MANTEL_PHOTOS names or a `shared/photos` beside the workspace; without it,
//! drawn ones stand in.

use std::path::PathBuf;
use std::process::Command;

use divan::{Bencher, black_box};
use mantel::render::{
    Alpha, DecodeLimits, Fit, Orientation, Picture, Quality, Size, blend, decode, decode_fitted,
    encode, fit, orient,
};
use mantel::source::demo;

const SCREEN: Size = Size::new(1920, 1080);

fn main() {
    divan::main();
}

fn photo(path: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("MANTEL_PHOTOS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/photos"),
        PathBuf::from,
    );
    Some(folder.join(path)).filter(|path| path.is_file())
}

/// Two pictures with the detail of photos.
fn pictures() -> (Picture, Picture) {
    (demo::draw(0, SCREEN), demo::draw(1, SCREEN))
}

const KINDS: [&str; 3] = ["baseline", "turned", "progressive"];

/// 24 megapixels: `progressive` as the photo is, `baseline` as a camera writes it, `turned` as a phone held upright.
fn large(kind: &str) -> Vec<u8> {
    let file = photo("albums/text/craft-beer.jpg").and_then(|path| std::fs::read(path).ok());
    if let ("progressive", Some(file)) = (kind, &file) {
        return file.clone();
    }
    let picture = file.map_or_else(
        || {
            fit(
                &demo::draw(0, Size::new(3840, 2160)),
                Size::new(6000, 4000),
                Fit::Cover,
            )
        },
        |file| open(&file),
    );
    let mut baseline = encode(&picture, Quality::new(90).unwrap_or_default()).unwrap_or_default();
    if kind == "turned" {
        // An EXIF segment with one entry: orientation 6.
        let exif = b"\xFF\xE1\0\x22Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
        baseline.splice(2..2, exif.iter().copied());
    }
    baseline
}

fn open(bytes: &[u8]) -> Picture {
    decode(bytes, &DecodeLimits::default(), Some(SCREEN)).expect("a sound photo")
}

mod at_1080p {
    use super::*;

    #[divan::bench]
    fn decode_frame(bencher: Bencher) {
        let jpeg = encode(&pictures().0, Quality::default()).expect("small enough");
        bencher.bench_local(|| open(black_box(&jpeg)));
    }

    #[divan::bench]
    fn blend_two(bencher: Bencher) {
        let (a, b) = pictures();
        let mut out = a.clone();
        bencher.bench_local(|| blend(black_box(&a), black_box(&b), Alpha::new(77), &mut out));
    }

    #[divan::bench]
    fn encode_q85(bencher: Bencher) {
        let (picture, _) = pictures();
        bencher.bench_local(|| encode(black_box(&picture), Quality::default()));
    }

    #[divan::bench]
    fn turn_a_quarter(bencher: Bencher) {
        let (picture, _) = pictures();
        bencher
            .with_inputs(|| picture.clone())
            .bench_local_values(|picture| orient(picture, Orientation::QuarterClockwise));
    }
}

/// The pictures that stand in for a library.
#[divan::bench(args = 0..demo::n_demo_pictures(), sample_count = 5)]
fn draw_demo(index: usize) -> Picture {
    demo::draw(index, SCREEN)
}

mod from_24_megapixels {
    use super::*;

    #[divan::bench(args = KINDS, sample_count = 10)]
    fn decode_photo(bencher: Bencher, kind: &str) {
        let file = large(kind);
        bencher.bench_local(|| open(black_box(&file)));
    }

    #[divan::bench(args = ["contain", "cover", "blur"], sample_count = 10)]
    fn fit_photo(bencher: Bencher, how: &str) {
        let picture = open(&large("baseline"));
        let how: Fit = how.parse().expect("a fit");
        bencher.bench_local(|| fit(black_box(&picture), SCREEN, how));
    }

    #[divan::bench(args = KINDS, sample_count = 10)]
    fn photo_to_frame(bencher: Bencher, kind: &str) {
        let file = large(kind);
        let limits = DecodeLimits::default();
        bencher.bench_local(|| {
            let picture = decode_fitted(black_box(&file), &limits, SCREEN, Fit::Blur);
            encode(&picture.expect("a sound photo"), Quality::default())
        });
    }

    /// The same photo by libvips as a process, start to end, on one thread; nothing where it is not installed.
    #[divan::bench(args = KINDS, sample_count = 10)]
    fn vipsthumbnail(bencher: Bencher, kind: &str) {
        let folder =
            std::env::temp_dir().join(format!("mantel-bench-{}-{kind}", std::process::id()));
        let file = folder.join("photo.jpg");
        let written =
            std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&file, large(kind)));
        let run = || {
            Command::new("vipsthumbnail")
                .env("VIPS_CONCURRENCY", "1")
                .args(["--size", "1920x1080", "-o", "frame.jpg[Q=85]"])
                .arg(&file)
                .status()
        };
        match written.and_then(|()| run()) {
            Ok(status) if status.success() => bencher.bench_local(run),
            _ => eprintln!("LEFT OUT: vipsthumbnail is not installed or does not work"),
        }
        let _ = std::fs::remove_dir_all(&folder);
    }
}
