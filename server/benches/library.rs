//! What a large library costs: photos indexed a second, resident memory, time to the first picture
//! cold and warm, and what questions to an index of a million rows take.
//!
//! ```text
//! cargo xtask bench library            # makes 100,000 small photos with EXIF first
//! ```
//!
//! The program itself is measured, in processes of its own; memory is its peak, as the kernel keeps
//! it (VmHWM).

#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark has a clock, files and processes of its own"
)]

use std::{
    error::Error,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use mantel::bench::LibraryBench;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const MANTEL: &str = env!("CARGO_BIN_EXE_mantel");
const N_ROWS: u64 = 1_000_000;

fn main() -> Result<()> {
    let Some(photos) = std::env::var_os("MANTEL_BENCH_PHOTOS") else {
        println!("LEFT OUT: `cargo xtask bench library` makes the photos that this one indexes");
        return Ok(());
    };
    let photos = Path::new(&photos);
    let data = tempfile::tempdir()?;

    println!("index, from a warm disk");
    // Once to warm the disk's cache, which is not what is measured.
    scan(photos, tempfile::tempdir()?.path())?;
    let fresh = scan(photos, data.path())?;
    println!(
        "  first scan   {:>7} photos in {:>6.2} s = {:>6.0} a second, {:>4} MB at most",
        fresh.photos,
        fresh.seconds,
        fresh.photos as f64 / fresh.seconds,
        fresh.peak_mb
    );
    let again = scan(photos, data.path())?;
    println!(
        "  second scan  {:>7} photos in {:>6.2} s, {:>4} MB at most",
        again.photos, again.seconds, again.peak_mb
    );

    println!("from exec to the first picture");
    for (name, dir) in [("cold", tempfile::tempdir()?.path()), ("warm", data.path())] {
        let mut times: Vec<Duration> = Vec::new();
        let mut peak = 0;
        for _ in 0..3 {
            if name == "cold" {
                let _ = std::fs::remove_dir_all(dir);
            }
            let (time, mb) = first_picture(photos, dir)?;
            times.push(time);
            peak = peak.max(mb);
        }
        times.sort();
        println!(
            "  {name}         {:>6.0} ms (of {times:.0?}), {peak:>4} MB at most",
            times[1].as_secs_f64() * 1e3
        );
    }

    println!("questions to an index of {N_ROWS} rows");
    let many = tempfile::tempdir()?;
    let start = Instant::now();
    let bench = LibraryBench::fill(many.path(), N_ROWS)?;
    println!("  made in {:.1} s", start.elapsed().as_secs_f64());
    for wishes in [
        &[("album", "album 17")][..],
        &[("from", "2014-07"), ("to", "2014-07")],
        &[("rating", "5"), ("keyword", "rare")],
        &[("keyword", "rare")],
        &[("on-this-day", "10")],
        &[("on-this-day", "")],
        &[("newest", "500")],
    ] {
        let mut times = Vec::new();
        let mut n = 0;
        for _ in 0..5 {
            let start = Instant::now();
            n = bench.n_matching(wishes);
            times.push(start.elapsed());
        }
        times.sort();
        println!(
            "  {wishes:?}: {n} photos in {:.2} ms",
            times[2].as_secs_f64() * 1e3
        );
    }
    let start = Instant::now();
    let counts = bench.counts();
    println!(
        "  counts for /status: {counts} photos in {:.3} ms",
        start.elapsed().as_secs_f64() * 1e3
    );
    let start = Instant::now();
    let n = bench.n_matching(&[]);
    println!(
        "  all {n} for a playlist: {:.0} ms",
        start.elapsed().as_secs_f64() * 1e3
    );
    Ok(())
}

struct Scan {
    photos: u64,
    seconds: f64,
    peak_mb: u64,
}

fn scan(photos: &Path, data: &Path) -> Result<Scan> {
    let start = Instant::now();
    let mut child = Command::new(MANTEL)
        .args(["scan", "--json", "--data-dir"])
        .args([data, photos])
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()?;
    let mut peak_mb = 0;
    while child.try_wait()?.is_none() {
        peak_mb = peak_mb.max(peak(&child));
        std::thread::sleep(Duration::from_millis(10));
    }
    let seconds = start.elapsed().as_secs_f64();
    let mut text = String::new();
    child
        .stdout
        .take()
        .ok_or("no output")?
        .read_to_string(&mut text)?;
    let summary: serde_json::Value = serde_json::from_str(&text)?;
    Ok(Scan {
        photos: summary["photos"].as_u64().ok_or("no count of photos")?,
        seconds,
        peak_mb,
    })
}

/// From exec to the last byte of the first snapshot, and the memory it took until a second later.
fn first_picture(photos: &Path, data: &Path) -> Result<(Duration, u64)> {
    let start = Instant::now();
    let mut child = Command::new(MANTEL)
        .args(["--listen", "127.0.0.1:0", "--data-dir"])
        .args([data, photos])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let out = BufReader::new(child.stdout.take().ok_or("no output")?);
    let result = (|| {
        let address = out
            .lines()
            .map_while(std::result::Result::ok)
            .find_map(|line| {
                Some(
                    line.trim()
                        .strip_prefix("http://")?
                        .trim_end_matches('/')
                        .to_owned(),
                )
            })
            .ok_or("the server printed no address")?;
        while start.elapsed() < Duration::from_secs(30) {
            let mut stream = TcpStream::connect(&address)?;
            write!(stream, "GET /snapshot HTTP/1.0\r\n\r\n")?;
            let mut reply = Vec::new();
            stream.read_to_end(&mut reply)?;
            if reply.starts_with(b"HTTP/1.0 200") {
                let time = start.elapsed();
                std::thread::sleep(Duration::from_secs(1));
                return Ok((time, peak(&child)));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Err("no picture within 30 s".into())
    })();
    child.kill()?;
    child.wait()?;
    result
}

/// The peak of resident memory, in MB; 0 where the kernel doesn't tell.
fn peak(child: &Child) -> u64 {
    std::fs::read_to_string(format!("/proc/{}/status", child.id()))
        .ok()
        .and_then(|status| {
            let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
            line.split_whitespace().nth(1)?.parse::<u64>().ok()
        })
        .unwrap_or(0)
        / 1024
}
