//! From a photo's bytes to a frame's: each step at 1080p, and the whole way for a 24-megapixel photo, beside
//! `vipsthumbnail` on one thread where that is installed. Results are kept beside this file, by date.
//!
//! Real photos come from the folder that MANTEL_PHOTOS names or a `shared/photos` beside the workspace; without it,
//! the demo's stand in.

#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark has a clock, files and processes of its own"
)]

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use divan::{Bencher, black_box};
use mantel::{
    render::{
        Alpha, DecodeLimits, Fit, Orientation, Picture, Quality, Size, Slot, blend, decode,
        decode_fitted, encode, fit, orient,
    },
    source::demo,
};

const SCREEN: Size = Size::new(1920, 1080);

fn main() {
    divan::main();
    // `cargo bench` says so; tests and lists of benchmarks want no more.
    if std::env::args().any(|arg| arg == "--bench") {
        heic_beside_vips::report();
    }
}

fn photo(path: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("MANTEL_PHOTOS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/photos"),
        PathBuf::from,
    );
    Some(folder.join(path)).filter(|path| path.is_file())
}

/// One of the demo's pictures, filling `size`.
fn demo_picture(index: usize, size: Size) -> Picture {
    let picture = demo::picture(index).expect("a sound picture");
    fit(&picture, size, Fit::Cover)
}

/// Two pictures with the detail of photos.
fn pictures() -> (Picture, Picture) {
    (demo_picture(0, SCREEN), demo_picture(1, SCREEN))
}

const KINDS: [&str; 3] = ["baseline", "turned", "progressive"];

/// 24 megapixels: `progressive` as the photo is, `baseline` as a camera writes it, `turned` as a phone held upright.
fn large(kind: &str) -> Vec<u8> {
    let file = photo("albums/text/craft-beer.jpg").and_then(|path| std::fs::read(path).ok());
    if let ("progressive", Some(file)) = (kind, &file) {
        return file.clone();
    }
    let picture = file.map_or_else(
        || demo_picture(0, Size::new(6000, 4000)),
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
    decode(bytes, &DecodeLimits::default()).expect("a sound photo")
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

/// Other kinds than JPEG, from file to frame.
#[divan::bench(
    args = [
        "formats/heic/IMG_2682.heic",
        "formats/motionphoto/samsung-one-ui-6.heic",
        "formats/avif/8bit-sRGB.avif",
        "formats/jxl/8bit-sRGB.jxl",
        "formats/webp/denali.webp",
    ],
    sample_count = 5
)]
fn other_kinds_to_frame(bencher: Bencher, path: &str) {
    let Some(file) = photo(path).and_then(|path| std::fs::read(path).ok()) else {
        eprintln!("LEFT OUT: {path} is not there");
        return;
    };
    bencher.bench_local(|| to_frame(black_box(&file)));
}

fn to_frame(file: &[u8]) -> Vec<u8> {
    let picture = decode_fitted(
        file,
        &DecodeLimits::default(),
        Slot::alone(SCREEN, Fit::Blur),
    );
    encode(&picture.expect("a sound photo").picture, Quality::default()).expect("small enough")
}

/// A 12-megapixel HEIC to a frame of 1080p, by turns here and by libvips (libheif) as a process on one thread: wall
/// and processor time, as ratios from one and the same run.
mod heic_beside_vips {
    use super::*;

    const ROUNDS: u32 = 5;

    pub fn report() {
        let Some(path) = photo("formats/heic/IMG_2682.heic") else {
            eprintln!("LEFT OUT: there is no HEIC to measure with");
            return;
        };
        let (Ok(file), Some(())) = (std::fs::read(&path), thumbnail(&path)) else {
            eprintln!("LEFT OUT: vipsthumbnail is not installed or does not work");
            return;
        };
        let mut ours = (Duration::ZERO, Duration::ZERO);
        let mut theirs = ours;
        for _ in 0..ROUNDS {
            let (start, before) = (Instant::now(), spent(OWN).unwrap_or_default());
            black_box(to_frame(&file));
            ours.0 += start.elapsed();
            ours.1 += spent(OWN).unwrap_or_default().saturating_sub(before);

            let (start, before) = (Instant::now(), spent(CHILDREN).unwrap_or_default());
            thumbnail(&path);
            theirs.0 += start.elapsed();
            theirs.1 += spent(CHILDREN).unwrap_or_default().saturating_sub(before);
        }
        let ratio = |theirs: Duration, ours: Duration| theirs.as_secs_f64() / ours.as_secs_f64();
        println!("12-megapixel HEIC to a 1080p frame, mean of {ROUNDS}:");
        for (name, ours, theirs) in [("wall", ours.0, theirs.0), ("processor", ours.1, theirs.1)] {
            println!(
                "  {name}: ours {:?}, vipsthumbnail {:?}, ratio {:.2}",
                ours / ROUNDS,
                theirs / ROUNDS,
                ratio(theirs, ours)
            );
        }
    }

    fn thumbnail(path: &Path) -> Option<()> {
        let out = std::env::temp_dir().join(format!("mantel-bench-{}.jpg", std::process::id()));
        let status = Command::new("vipsthumbnail")
            .env("VIPS_CONCURRENCY", "1")
            .args(["--export-profile", "srgb", "--size", "1920x1080", "-o"])
            .arg(format!("{}[Q=85]", out.display()))
            .arg(path)
            .status()
            .ok()?;
        let _ = std::fs::remove_file(out);
        status.success().then_some(())
    }

    /// Where the ticks of user and system time stand in `/proc/self/stat`, behind the name (proc(5)).
    const OWN: usize = 11;
    const CHILDREN: usize = 13;

    /// Processor time, in the kernel's ticks of 10 ms.
    fn spent(first: usize) -> Option<Duration> {
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        let (_, fields) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let ticks = |at: usize| fields.get(at)?.parse::<u64>().ok();
        Some(Duration::from_millis(
            (ticks(first)? + ticks(first + 1)?) * 10,
        ))
    }
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
            let picture = decode_fitted(black_box(&file), &limits, Slot::alone(SCREEN, Fit::Blur));
            encode(&picture.expect("a sound photo").picture, Quality::default())
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
