//! What a process of their own costs decoders: the same file decoded to a Full HD frame inside and there, in turns.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use mantel::{
    render::{DecodeLimits, Fit, Size, Slot, decode_fitted},
    source::{
        child::{Decoders, Plan},
        wire::Wish,
    },
};

use crate::Result;

const KINDS: [&str; 9] = [
    "jpg", "png", "webp", "gif", "tiff", "avif", "heic", "jxl", "bmp",
];
const ROUNDS: usize = 9;

/// Measures with the largest file of each kind below `folder`.
pub fn compare(folder: &Path) -> Result<()> {
    const SCREEN: Size = Size::new(1920, 1080);
    let decoders = Decoders::start(Plan {
        program: std::env::current_exe()?,
        arguments: vec![OsString::from("decode"), OsString::from("--seconds=60")],
        n_processes: 1,
        time: Duration::from_secs(60),
        idle: Duration::from_secs(60),
    })?;
    let limits = DecodeLimits::default();
    println!(
        "decoder: file, megabytes, inside, in a process of its own (medians of {ROUNDS} in turns)"
    );
    let mut largest = BTreeMap::new();
    find(folder, &mut largest)?;
    for (_, path) in largest.values() {
        let bytes = fs::read(path)?;
        let (mut inside, mut outside) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let start = Instant::now();
            let one = decode_fitted(&bytes, &limits, Slot::alone(SCREEN, Fit::Blur))?;
            inside.push(start.elapsed());
            let start = Instant::now();
            let other = decoders.decode(
                &bytes,
                &limits,
                Wish::Fitted(Slot::alone(SCREEN, Fit::Blur)),
            )?;
            outside.push(start.elapsed());
            if one != other {
                return Err(format!("{}: two pictures", path.display()).into());
            }
        }
        inside.sort();
        outside.sort();
        let (inside, outside) = (inside[ROUNDS / 2], outside[ROUNDS / 2]);
        println!(
            "  {:<40} {:>5.1} {inside:>10.1?} {outside:>10.1?}  x {:.3}",
            path.file_name().unwrap_or_default().to_string_lossy(),
            bytes.len() as f64 / 1e6,
            outside.as_secs_f64() / inside.as_secs_f64()
        );
    }
    Ok(())
}

/// The largest file of each kind.
fn find(folder: &Path, largest: &mut BTreeMap<String, (u64, PathBuf)>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, largest)?;
            continue;
        }
        let kind = path.extension().unwrap_or_default().to_string_lossy();
        let kind = kind.to_lowercase();
        let length = path.metadata()?.len();
        let known = largest.get(&kind).map_or(0, |(length, _)| *length);
        if KINDS.contains(&kind.as_str()) && length > known {
            largest.insert(kind, (length, path));
        }
    }
    Ok(())
}
