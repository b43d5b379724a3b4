//! The scenes, each a table of its own.

use std::{net::SocketAddr, path::Path, thread, time::Duration};

use super::{
    Result,
    likeness::{last_picture, ssim},
    server::Server,
    viewers::{Viewer, get, pictures, since_key},
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

fn at_1080p(program: &Path, options: &[&str]) -> Result<Server> {
    Server::start(program, &[&["--size", "1920x1080"], options].concat())
}

/// The cores that a server keeps busy for so long, in the mean.
fn busy_cores(server: &Server, time: Duration) -> Result<f64> {
    let before = server.cpu()?;
    thread::sleep(time);
    Ok((server.cpu()? - before).as_secs_f64() / time.as_secs_f64())
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
        let server = at_1080p(program, &options)?;
        let viewer = Viewer::keeping(server.address, path)?;
        warm_up();
        let before = viewer.body().len();
        let cores = busy_cores(&server, time)?;
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
    for path in [
        "/stream.ts",
        "/stream.mp4?fill=off",
        "/stream.mp4",
        "/stream.h264?fill=off",
        "/stream.h264",
    ] {
        let server = at_1080p(program, &["--interval", "1h"])?;
        let viewer = Viewer::counting(server.address, path)?;
        // In the first seconds the picture becomes finer and the next one is made.
        warm_up();
        let before = viewer.bytes();
        let cores = busy_cores(&server, time)?;
        let rate = (viewer.bytes() - before) as f64 / 1000.0 / time.as_secs_f64();
        println!(
            "| {path} | {cores:.3} | {rate:.1} | {:.0} |",
            server.resident_mb()?
        );
    }
    Ok(())
}

pub fn crowd(program: &Path, time: Duration) -> Result<()> {
    println!("\n| crossfades, viewers | cores | more than one viewer | resident MB |");
    println!("|---|---|---|---|");
    let server = at_1080p(program, &MOTION)?;
    let at = server.address;
    let first = Viewer::counting(at, "/stream.mp4")?;
    warm_up();
    let one = busy_cores(&server, time)?;
    println!("| 1 of MP4 | {one:.2} | | {:.0} |", server.resident_mb()?);
    let more = (1..N_VIEWERS)
        .map(|_| Viewer::counting(at, "/stream.mp4"))
        .collect::<Result<Vec<_>>>()?;
    warm_up();
    let cores = busy_cores(&server, time)?;
    println!(
        "| {N_VIEWERS} of MP4 | {cores:.2} | {:.2} | {:.0} |",
        cores - one,
        server.resident_mb()?
    );
    drop(more);
    let crowd = Crowd::join(at, N_VIEWERS)?;
    warm_up();
    let before = crowd.bytes();
    let cores = busy_cores(&server, time)?;
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
    let server = at_1080p(program, &SLIDES)?;
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

/// The pictures of a slide that stands: as it is, by each quality, and by video.
struct Shown {
    original: Vec<u8>,
    jpegs: Vec<Vec<u8>>,
    video: Option<Vec<u8>>,
}

const QUALITIES: [&str; 4] = ["40", "60", "75", "90"];

impl Shown {
    /// Waits until the slide that is on, or the next one, has stood for a while and stands on.
    fn take(at: SocketAddr, video: Option<&Viewer>, qualities: &[&str]) -> Result<Self> {
        const STAYS: Duration = Duration::from_secs(3);
        while remaining(at)? < STAYS {
            thread::sleep(Duration::from_millis(500));
        }
        thread::sleep(remaining(at)?.saturating_sub(STAYS));
        let get = |quality: &str| get(at, &format!("/snapshot?quality={quality}"));
        let jpegs = qualities.iter().map(|quality| get(quality));
        let shown = Self {
            video: video.map(|video| since_key(&video.body()).to_vec()),
            original: get("100")?,
            jpegs: jpegs.collect::<Result<_>>()?,
        };
        // Until it has gone, so that none is taken twice.
        thread::sleep(STAYS + Duration::from_secs(1));
        Ok(shown)
    }

    /// The likenesses of video and of each quality to the original.
    fn likenesses(&self) -> Result<Vec<f64>> {
        let folder = tempfile::tempdir()?;
        let (original, file) = (folder.path().join("o.jpg"), folder.path().join("p.png"));
        std::fs::write(&original, &self.original)?;
        let mut all = Vec::new();
        if let Some(video) = &self.video {
            last_picture(video, pictures(video), &file)?;
            all.push(ssim(&file, &original)?);
        }
        for jpeg in &self.jpegs {
            let file = folder.path().join("p.jpg");
            std::fs::write(&file, jpeg)?;
            all.push(ssim(&file, &original)?);
        }
        Ok(all)
    }
}

/// The likenesses, each the mean of all slides.
fn mean(shown: &[Shown]) -> Result<Vec<f64>> {
    let all = shown.iter().map(Shown::likenesses);
    let all = all.collect::<Result<Vec<_>>>()?;
    let n_ways = all.first().map_or(0, Vec::len);
    let mean = |way| all.iter().map(|one| one[way]).sum::<f64>() / all.len() as f64;
    Ok((0..n_ways).map(mean).collect())
}

/// H.264 with what it takes in motion: as usual for its size, and less.
const VIDEOS: [&str; 4] = [
    "/stream.h264?fill=off",
    "/stream.h264?fill=off&bitrate=2M",
    "/stream.h264?fill=off&bitrate=1M",
    "/stream.h264?fill=off&bitrate=500k",
];

pub fn hour(program: &Path, time: Duration) -> Result<()> {
    if !has_ffmpeg() {
        return Ok(());
    }
    println!(
        "\n| slides of 10 s | MB an hour | SSIM of what stands, mean | Motion JPEG as like to it |"
    );
    println!("|---|---|---|---|");
    let jpegs = QUALITIES.map(|quality| format!("/stream?quality={quality}&paint=plain"));
    let (rates, likenesses) = slides(program, time, None, &jpegs)?;
    let mut rows = Vec::new();
    for (n, quality) in QUALITIES.iter().enumerate() {
        let (rate, likeness) = (rates[n], likenesses[n]);
        println!("| Motion JPEG, quality {quality} | {rate:.0} | {likeness:.4} | |");
        rows.push((likeness, rate));
    }
    for path in VIDEOS {
        let (rates, likenesses) = slides(program, time, Some(path), &[])?;
        let (rate, likeness) = (rates[0], likenesses[0]);
        let times = between(&rows, likeness).map_or("outside".to_owned(), |jpeg| {
            format!("{:.1} times as much", jpeg / rate)
        });
        println!("| {path} | {rate:.0} | {likeness:.4} | {times} |");
    }
    Ok(())
}

/// Megabytes an hour of video, if any, and of each of `jpegs`, and how like their slides are to what they are made of.
fn slides(
    program: &Path,
    time: Duration,
    video: Option<&str>,
    jpegs: &[String],
) -> Result<(Vec<f64>, Vec<f64>)> {
    let server = at_1080p(program, &SLIDES)?;
    let at = server.address;
    let video = video.map(|path| Viewer::keeping(at, path)).transpose()?;
    let jpegs = jpegs.iter().map(|path| Viewer::counting(at, path));
    let jpegs = jpegs.collect::<Result<Vec<_>>>()?;
    let qualities: &[&str] = if jpegs.is_empty() { &[] } else { &QUALITIES };
    warm_up();
    let counts = || -> Vec<u64> {
        let all = video.iter().chain(&jpegs);
        all.map(Viewer::bytes).collect()
    };
    let (before, start) = (counts(), std::time::Instant::now());
    let mut shown = Vec::new();
    for _ in 0..time.as_secs() / 10 {
        shown.push(Shown::take(at, video.as_ref(), qualities)?);
    }
    let hours = start.elapsed().as_secs_f64() / 3600.0;
    let rates = counts()
        .iter()
        .zip(&before)
        .map(|(after, before)| (after - before) as f64 * 1e-6 / hours)
        .collect();
    Ok((rates, mean(&shown)?))
}

/// The bytes at a likeness, on the line between the two measured points around it.
fn between(rows: &[(f64, f64)], likeness: f64) -> Option<f64> {
    let pairs = rows.windows(2).map(|pair| (pair[0], pair[1]));
    let mut around = pairs.filter(|(low, high)| low.0 <= likeness && likeness <= high.0);
    let (low, high) = around.next()?;
    let share = (likeness - low.0) / (high.0 - low.0).max(f64::EPSILON);
    Some(low.1 + share * (high.1 - low.1))
}

/// How long the slide that is on stays.
fn remaining(at: SocketAddr) -> Result<Duration> {
    let status: serde_json::Value = serde_json::from_slice(&get(at, "/status")?)?;
    let millis = |place: &str| status.pointer(place).and_then(serde_json::Value::as_u64);
    let next = millis("/channel/next_change_millis").ok_or("nothing changes")?;
    let now = millis("/now_millis").ok_or("no time")?;
    Ok(Duration::from_millis(next.saturating_sub(now)))
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
        let server = at_1080p(program, &options)?;
        let at = server.address;
        let video = Viewer::keeping(at, "/stream.h264")?;
        warm_up();
        let (bytes, cpu, start) = (video.bytes(), server.cpu()?, std::time::Instant::now());
        let mut shown = Vec::new();
        for _ in 0..time.as_secs() / 10 {
            shown.push(Shown::take(at, Some(&video), &[])?);
        }
        let seconds = start.elapsed().as_secs_f64();
        println!(
            "| {name} | {:.2} | {:.2} | {:.4} |",
            (server.cpu()? - cpu).as_secs_f64() / seconds,
            (video.bytes() - bytes) as f64 * 8e-6 / seconds,
            mean(&shown)?[0]
        );
    }
    Ok(())
}
