//! The scenes, each a table of its own.

use std::{net::SocketAddr, path::Path, thread, time::Duration};

use mantel::render::{Picture, Quality, encode};

use super::{
    Result,
    ends::{self, Ages, Sent, middle_and_worst},
    raw::raw,
    server::Server,
};

pub const NAMES: [&str; 6] = ["push", "rate", "crowd", "relay", "memory", "slow"];

const PLOT: &str = "[channel.plot]\nsource = \"push\"\n";
const STREAM: &str = "/c/plot/stream?paint=plain";
const PUSH: &str = "/push/plot";

/// A picture with as much in it as a photo: slopes, and noise that a JPEG keeps.
pub fn picture(width: u32, height: u32) -> Result<Vec<u8>> {
    let mut pixels = Vec::with_capacity(width as usize * height as usize * 3);
    let mut noise = 0x2545_f491_u32;
    for y in 0..height {
        for x in 0..width {
            noise ^= noise << 13;
            noise ^= noise >> 17;
            noise ^= noise << 5;
            let grain = (noise % 24) as u8;
            pixels.push((x * 200 / width) as u8 + grain);
            pixels.push((y * 200 / height) as u8 + grain);
            pixels.push(((x + y) * 100 / (width + height)) as u8 + grain);
        }
    }
    let picture = Picture::new(width, height, pixels)?;
    Ok(encode(&picture, Quality::default())?)
}

/// A server with these channels in its configuration.
fn with_channels(program: &Path, channels: &str) -> Result<Server> {
    let folder = tempfile::tempdir()?;
    let config = folder.path().join("mantel.toml");
    std::fs::write(&config, channels)?;
    // It has read the file before it listens.
    Server::start(program, &["--config", &config.to_string_lossy()])
}

/// The ages that so many viewers see while one sender sends.
fn watched(
    to: (SocketAddr, &str),
    from: (SocketAddr, &str),
    n_viewers: usize,
    (picture, fps, time): (&[u8], u32, Duration),
) -> Result<Ages> {
    let sent = Sent::default();
    let viewers: Vec<_> = (0..n_viewers)
        .map(|_| ends::view(from.0, from.1, time, &sent, None))
        .collect::<Result<_>>()?;
    // They are there before the first picture.
    thread::sleep(Duration::from_millis(500));
    ends::send(to.0, to.1, picture, fps, time, &sent)?;
    let mut all = Ages::new();
    for viewer in viewers {
        all.extend(viewer.join().map_err(|_| "a viewer failed")??);
    }
    Ok(all)
}

pub fn push(program: &Path, picture: &[u8], time: Duration) -> Result<()> {
    println!("\n| push, 30 fps, 10 viewers | pictures | age ms, median | 99 % | of raw |");
    println!("|---|---|---|---|---|");
    let address = raw(10)?;
    let mut ages = watched((address, PUSH), (address, "/"), 10, (picture, 30, time))?;
    let (raw_middle, raw_worst) = middle_and_worst(&mut ages);
    println!(
        "| raw | {} | {raw_middle:.2} | {raw_worst:.2} | 1.00 |",
        ages.len()
    );
    let server = with_channels(program, PLOT)?;
    let at = server.address;
    let mut ages = watched((at, PUSH), (at, STREAM), 10, (picture, 30, time))?;
    let (middle, worst) = middle_and_worst(&mut ages);
    let of_raw = middle / raw_middle;
    println!(
        "| Mantel | {} | {middle:.2} | {worst:.2} | {of_raw:.2} |",
        ages.len()
    );
    Ok(())
}

pub fn rate(program: &Path, picture: &[u8], time: Duration) -> Result<()> {
    println!("\n| 60 fps passed through, viewers | fps each | of a core |");
    println!("|---|---|---|");
    for n_viewers in [0, 1] {
        let server = with_channels(program, PLOT)?;
        let at = server.address;
        let before = server.cpu()?;
        let ages = watched((at, PUSH), (at, STREAM), n_viewers, (picture, 60, time))?;
        let cpu = server.cpu()?.saturating_sub(before).as_secs_f64() / time.as_secs_f64();
        let fps = ages.len() as f64 / time.as_secs_f64() / n_viewers.max(1) as f64;
        println!("| {n_viewers} | {fps:.1} | {:.1} % |", cpu * 100.0);
    }
    Ok(())
}

/// The processor time in seconds, and the bytes that viewers had.
type Drained = (f64, u64);

/// The cost of so many viewers while `meanwhile` goes on.
fn drained(
    server: &Server,
    path: &str,
    n_viewers: usize,
    time: Duration,
    meanwhile: impl Fn() -> Result<()>,
) -> Result<Drained> {
    let viewers: Vec<_> = (0..n_viewers)
        .map(|_| ends::drain(server.address, path, time + Duration::from_millis(500)))
        .collect::<Result<_>>()?;
    thread::sleep(Duration::from_millis(500));
    let before = server.cpu()?;
    meanwhile()?;
    let mut n_bytes = 0;
    for viewer in viewers {
        n_bytes += viewer.join().map_err(|_| "a viewer failed")?;
    }
    Ok((server.cpu()?.saturating_sub(before).as_secs_f64(), n_bytes))
}

/// What a hundred viewers cost beyond the first, of slides and of live pictures of the same rate and about the same size.
pub fn crowd(program: &Path, picture: &[u8], time: Duration) -> Result<()> {
    const FPS: u32 = 4;
    println!("\n| 100 viewers beyond the first, {FPS} pictures a second | GB | processor s a GB |");
    println!("|---|---|---|");
    let slides = [
        "--interval",
        "250ms",
        "--transition",
        "cut",
        "--size",
        "1920x1080",
    ];
    let gallery = Server::start(program, &slides)?;
    let live = with_channels(program, PLOT)?;
    let send = || ends::send(live.address, PUSH, picture, FPS, time, &Sent::default());
    let of_slides = |n| drained(&gallery, "/stream?paint=plain", n, time, || Ok(()));
    let of_live = |n| drained(&live, STREAM, n, time, send);
    beyond_the_first("the gallery", of_slides)?;
    beyond_the_first("a live channel", of_live)
}

fn beyond_the_first(name: &str, drain: impl Fn(usize) -> Result<Drained>) -> Result<()> {
    let ((one, n_one), (all, n_all)) = (drain(1)?, drain(100)?);
    let gigabytes = n_all.saturating_sub(n_one) as f64 / 1e9;
    let seconds = (all - one) / gigabytes;
    println!("| {name} | {gigabytes:.2} | {seconds:.2} |");
    Ok(())
}

pub fn relay(program: &Path, picture: &[u8], time: Duration) -> Result<()> {
    println!("\n| relay, 30 fps, 1 viewer | pictures | age ms, median | 99 % |");
    println!("|---|---|---|---|");
    let first = with_channels(program, PLOT)?;
    let at = first.address;
    let far = format!("[channel.far]\nsource = \"relay\"\nurl = \"http://{at}/c/plot/stream\"\n");
    let second = with_channels(program, &far)?;
    let near = (second.address, "/c/far/stream?paint=plain");
    for (name, from) in [("the first server", (at, STREAM)), ("behind a relay", near)] {
        let mut ages = watched((at, PUSH), from, 1, (picture, 30, time))?;
        let (middle, worst) = middle_and_worst(&mut ages);
        println!("| {name} | {} | {middle:.2} | {worst:.2} |", ages.len());
    }
    Ok(())
}

pub fn memory(program: &Path, picture: &[u8]) -> Result<()> {
    println!("\n| live channels, viewers | resident MB |");
    println!("|---|---|");
    let three = ["a", "b", "c"].map(|name| format!("[channel.{name}]\nsource = \"push\"\n"));
    let server = with_channels(program, &three.concat())?;
    let at = server.address;
    thread::sleep(Duration::from_secs(2));
    println!("| 3, nobody, nothing sent | {:.1} |", server.resident_mb()?);
    let time = Duration::from_secs(10);
    thread::scope(|scope| -> Result<()> {
        let sent = Sent::default();
        let mut viewers = Vec::new();
        for (name, n_viewers) in [("a", 4), ("b", 3), ("c", 3)] {
            for _ in 0..n_viewers {
                let path = format!("/c/{name}/stream?paint=plain");
                viewers.push(ends::view(at, &path, time, &sent, None)?);
            }
            let (path, sent) = (format!("/push/{name}"), sent.clone());
            scope.spawn(move || ends::send(at, &path, picture, 30, time, &sent));
        }
        thread::sleep(time - Duration::from_secs(1));
        println!("| 3 at 30 fps, 10 viewers | {:.1} |", server.resident_mb()?);
        Ok(())
    })
}

pub fn slow(program: &Path, picture: &[u8], time: Duration) -> Result<()> {
    println!(
        "\n| slow link, half of 30 fps | pictures | frame time ms | age ms, median | 99 % | in frames of the link |"
    );
    println!("|---|---|---|---|---|---|");
    let server = with_channels(program, PLOT)?;
    let (at, sent) = (server.address, Sent::default());
    let rate = picture.len() as f64 * 15.0;
    let viewer = ends::view(at, STREAM, time, &sent, Some(rate))?;
    thread::sleep(Duration::from_millis(500));
    ends::send(at, PUSH, picture, 30, time, &sent)?;
    let mut ages = viewer.join().map_err(|_| "the viewer failed")??;
    let (middle, worst) = middle_and_worst(&mut ages);
    let frame = 1000.0 / 15.0;
    let n = ages.len();
    println!(
        "| Mantel | {n} | {frame:.1} | {middle:.1} | {worst:.1} | {:.2} |",
        worst / frame
    );
    Ok(())
}
