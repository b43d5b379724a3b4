//! The scenes, each a table of its own.

use std::{net::SocketAddr, path::Path, thread, time::Duration};

use super::{
    Result,
    likeness::{last_picture, ssim},
    server::Server,
    viewers::{Viewer, get, pictures},
    whep::Crowd,
};

pub const NAMES: [&str; 6] = ["motion", "still", "crowd", "outputs", "hour", "encoders"];

/// Crossfades that hardly pause, 25 pictures a second.
const MOTION: [&str; 6] = ["--interval", "2s", "--transition", "1900ms", "--fps", "25"];
const SLIDES: [&str; 2] = ["--interval", "10s"];
const X264: [&str; 2] = ["--encoder", "ffmpeg:libx264"];
const N_VIEWERS: usize = 100;

/// What is made first has been made then.
fn warm_up() {
    thread::sleep(Duration::from_secs(6));
}

fn has_ffmpeg() -> bool {
    let version = std::process::Command::new("ffmpeg")
        .arg("-version")
        .output();
    let is_there = version.is_ok_and(|output| output.status.success());
    if !is_there {
        println!("LEFT OUT: what wants ffmpeg");
    }
    is_there
}

pub fn motion(program: &Path, time: Duration) -> Result<()> {
    println!(
        "\n| crossfades, 25 a second, one viewer | cores | pictures a second | Mbit/s | resident MB |"
    );
    println!("|---|---|---|---|---|");
    let mut rows = vec![
        ("H.264, openh264", "/stream.h264", MOTION.to_vec()),
        ("Motion JPEG", "/stream?paint=plain", MOTION.to_vec()),
    ];
    if has_ffmpeg() {
        let options = [&MOTION[..], &X264[..]].concat();
        rows.push(("H.264, libx264 by ffmpeg", "/stream.h264", options));
    }
    for (name, path, options) in rows {
        let server = Server::start(program, &options)?;
        let viewer = Viewer::keeping(server.address, path)?;
        warm_up();
        let before = viewer.body().len();
        let cores = server.cores(time)?;
        let body = viewer.body();
        let body = &body[before..];
        let n_pictures = match path {
            "/stream.h264" => pictures(body),
            _ => body.windows(3).filter(|w| *w == [0xff, 0xd8, 0xff]).count(),
        };
        let seconds = time.as_secs_f64();
        println!(
            "| {name} | {cores:.2} | {:.1} | {:.1} | {:.0} |",
            n_pictures as f64 / seconds,
            body.len() as f64 * 8e-6 / seconds,
            server.resident_mb()?
        );
    }
    Ok(())
}

pub fn still(program: &Path, time: Duration) -> Result<()> {
    println!("\n| a slide that stands, one viewer | cores | KB/s | resident MB |");
    println!("|---|---|---|---|");
    let server = Server::start(program, &["--interval", "1h"])?;
    let viewer = Viewer::counting(server.address, "/stream.h264")?;
    // After the first seconds, in which the picture becomes finer and the next one is made.
    for name in ["the first seconds", "later"] {
        let before = viewer.bytes();
        let cores = server.cores(time)?;
        let rate = (viewer.bytes() - before) as f64 / 1000.0 / time.as_secs_f64();
        println!(
            "| {name} | {cores:.3} | {rate:.1} | {:.0} |",
            server.resident_mb()?
        );
    }
    Ok(())
}

pub fn crowd(program: &Path, time: Duration) -> Result<()> {
    println!("\n| crossfades, viewers | cores | more than one viewer | resident MB |");
    println!("|---|---|---|---|");
    let server = Server::start(program, &MOTION)?;
    let at = server.address;
    let first = Viewer::counting(at, "/stream.mp4")?;
    warm_up();
    let one = server.cores(time)?;
    println!("| 1 of MP4 | {one:.2} | | {:.0} |", server.resident_mb()?);
    let more = (1..N_VIEWERS)
        .map(|_| Viewer::counting(at, "/stream.mp4"))
        .collect::<Result<Vec<_>>>()?;
    warm_up();
    let cores = server.cores(time)?;
    println!(
        "| {N_VIEWERS} of MP4 | {cores:.2} | {:.2} | {:.0} |",
        cores - one,
        server.resident_mb()?
    );
    drop(more);
    let crowd = Crowd::join(at, N_VIEWERS)?;
    warm_up();
    let before = crowd.bytes();
    let cores = server.cores(time)?;
    let rate = (crowd.bytes() - before) as f64 * 8e-6 / time.as_secs_f64();
    println!(
        "| 1 of MP4, {} of WebRTC, {:.1} Mbit/s each | {cores:.2} | {:.2} | {:.0} |",
        crowd.n_connected(),
        rate / N_VIEWERS as f64,
        cores - one,
        server.resident_mb()?
    );
    drop(first);
    Ok(())
}

pub fn outputs(program: &Path, time: Duration) -> Result<()> {
    println!("\n| outputs of one channel, 10 s slides | resident MB |");
    println!("|---|---|");
    let server = Server::start(program, &SLIDES)?;
    let at = server.address;
    println!("| none | {:.0} |", server.resident_mb()?);
    let stream = Viewer::counting(at, "/stream")?;
    warm_up();
    println!("| /stream | {:.0} |", server.resident_mb()?);
    let more = ["/bytes", "/stream.h264", "/stream.ts", "/stream.mp4"]
        .map(|path| Viewer::counting(at, path))
        .into_iter()
        .collect::<Result<Vec<_>>>()?;
    let crowd = Crowd::join(at, 1)?;
    let mut highest = 0.0_f64;
    for _ in 0..time.as_secs().max(1) {
        let list = get(at, "/hls/main/index.m3u8")?;
        let list = String::from_utf8_lossy(&list);
        if let Some(media) = list.lines().find(|line| !line.starts_with('#')) {
            get(at, &format!("/hls/main/{media}"))?;
        }
        thread::sleep(Duration::from_secs(1));
        highest = highest.max(server.resident_mb()?);
    }
    let n = crowd.n_connected();
    println!("| all: MJPEG, /bytes, H.264, TS, MP4, HLS, {n} of WebRTC | {highest:.0} |");
    drop((stream, more));
    Ok(())
}

/// What stands on the screen, from each way to show it.
struct Shown {
    h264: f64,
    jpegs: [f64; QUALITIES.len()],
}

const QUALITIES: [&str; 4] = ["40", "60", "75", "90"];

fn shown(at: SocketAddr, video: &Viewer, folder: &Path) -> Result<Shown> {
    let original = folder.join("original.jpg");
    std::fs::write(&original, get(at, "/snapshot?quality=100")?)?;
    let mut jpegs = [0.0; QUALITIES.len()];
    for (quality, likeness) in QUALITIES.iter().zip(&mut jpegs) {
        let file = folder.join("picture.jpg");
        std::fs::write(&file, get(at, &format!("/snapshot?quality={quality}"))?)?;
        *likeness = ssim(&file, &original)?;
    }
    let file = folder.join("picture.png");
    last_picture(&video.body(), &file)?;
    let h264 = ssim(&file, &original)?;
    Ok(Shown { h264, jpegs })
}

pub fn hour(program: &Path, time: Duration) -> Result<()> {
    if !has_ffmpeg() {
        return Ok(());
    }
    println!("\n| slides of 10 s | MB an hour | SSIM of what stands, mean | bytes of H.264 |");
    println!("|---|---|---|---|");
    let server = Server::start(program, &SLIDES)?;
    let at = server.address;
    let video = Viewer::keeping(at, "/stream.h264")?;
    let jpegs = QUALITIES
        .map(|quality| Viewer::counting(at, &format!("/stream?quality={quality}&paint=plain")))
        .into_iter()
        .collect::<Result<Vec<_>>>()?;
    warm_up();
    let folder = tempfile::tempdir()?;
    let n_slides = time.as_secs() / 10;
    let counts = || -> Vec<u64> {
        let all = [&video].into_iter().chain(&jpegs);
        all.map(Viewer::bytes).collect()
    };
    let before = counts();
    let mut seen = Vec::new();
    let start = std::time::Instant::now();
    for n in 0..n_slides {
        // A second before it goes.
        let due = start + Duration::from_secs(n * 10);
        thread::sleep(due.saturating_duration_since(std::time::Instant::now()));
        let wait = remaining(at)?.saturating_sub(Duration::from_millis(2500));
        thread::sleep(wait);
        seen.push(shown(at, &video, folder.path())?);
    }
    let hours = start.elapsed().as_secs_f64() / 3600.0;
    let rates: Vec<f64> = counts()
        .iter()
        .zip(&before)
        .map(|(after, before)| (after - before) as f64 * 1e-6 / hours)
        .collect();
    let mean = |of: &dyn Fn(&Shown) -> f64| seen.iter().map(of).sum::<f64>() / seen.len() as f64;
    let h264 = mean(&|shown| shown.h264);
    println!("| H.264 | {:.0} | {h264:.4} | 1.0 |", rates[0]);
    let mut rows = Vec::new();
    for (n, quality) in QUALITIES.iter().enumerate() {
        let likeness = mean(&|shown| shown.jpegs[n]);
        let times = rates[n + 1] / rates[0];
        println!(
            "| Motion JPEG, quality {quality} | {:.0} | {likeness:.4} | {times:.1} |",
            rates[n + 1]
        );
        rows.push((likeness, times));
    }
    match between(&rows, h264) {
        Some(times) => println!("| Motion JPEG as like as H.264 | | {h264:.4} | {times:.1} |"),
        None => println!("| Motion JPEG as like as H.264 | | outside of these qualities | |"),
    }
    Ok(())
}

/// The bytes at a likeness, on the line between the two measured points around it.
fn between(rows: &[(f64, f64)], likeness: f64) -> Option<f64> {
    let pairs = rows.windows(2).map(|pair| (pair[0], pair[1]));
    let mut around = pairs.filter(|(low, high)| low.0 <= likeness && likeness <= high.0);
    let (low, high) = around.next()?;
    let share = (likeness - low.0) / (high.0 - low.0).max(f64::EPSILON);
    Some(low.1 + share * (high.1 - low.1))
}

/// How long the slide that stands still does.
fn remaining(at: SocketAddr) -> Result<Duration> {
    let status: serde_json::Value = serde_json::from_slice(&get(at, "/status")?)?;
    let millis = status.pointer("/slide/remaining_ms");
    let millis = millis.and_then(serde_json::Value::as_u64);
    Ok(Duration::from_millis(millis.unwrap_or(7500)))
}

pub fn encoders(program: &Path, time: Duration) -> Result<()> {
    if !has_ffmpeg() {
        return Ok(());
    }
    println!("\n| slides of 10 s at 2 Mbit/s | cores | Mbit/s | SSIM of what stands, mean |");
    println!("|---|---|---|---|");
    let options = [&SLIDES[..], &["--bitrate", "2M"]].concat();
    for (name, options) in [
        ("openh264", options.clone()),
        ("libx264 by ffmpeg", [&options[..], &X264[..]].concat()),
    ] {
        let server = Server::start(program, &options)?;
        let at = server.address;
        let video = Viewer::keeping(at, "/stream.h264")?;
        warm_up();
        let folder = tempfile::tempdir()?;
        let (bytes, cpu, start) = (video.bytes(), server.cpu()?, std::time::Instant::now());
        let mut likeness = Vec::new();
        for n in 0..time.as_secs() / 10 {
            let due = start + Duration::from_secs(n * 10);
            thread::sleep(due.saturating_duration_since(std::time::Instant::now()));
            thread::sleep(remaining(at)?.saturating_sub(Duration::from_millis(2000)));
            let (original, file) = (
                folder.path().join("original.jpg"),
                folder.path().join("picture.png"),
            );
            std::fs::write(&original, get(at, "/snapshot?quality=100")?)?;
            last_picture(&video.body(), &file)?;
            likeness.push(ssim(&file, &original)?);
        }
        let seconds = start.elapsed().as_secs_f64();
        println!(
            "| {name} | {:.2} | {:.2} | {:.4} |",
            (server.cpu()? - cpu).as_secs_f64() / seconds,
            (video.bytes() - bytes) as f64 * 8e-6 / seconds,
            likeness.iter().sum::<f64>() / likeness.len() as f64
        );
    }
    Ok(())
}
