//! What is measured, and the tables that come of it.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use crate::{
    FRAME_BYTES, Result,
    figures::{cpu, quantile, resident_mb, sampled_cpu},
    servers::{Server, start},
    viewers::{Crowd, ages, ask, join},
};

/// All of them, as typed.
pub const NAMES: [&str; 4] = ["loads", "never", "joins", "slides"];

/// How long servers and viewers are left to themselves before anything counts.
const WARM_UP: Duration = Duration::from_secs(2);
/// Viewers that read part by part and note ages.
const N_READERS: usize = 4;

#[derive(Clone, Copy, Debug)]
pub struct Load {
    pub n_viewers: usize,
    pub fps: u32,
}

struct Figures {
    worst_fps: f64,
    gb_per_second: f64,
    cpu_millis_per_gb: f64,
    resident_mb: f64,
    /// Median and 99th percentile, where heads tell the moment.
    ages: Option<[f64; 2]>,
}

fn head() {
    println!(
        "\n| server | viewers | fps asked | fps each, worst | GB/s | CPU ms per GB | of raw | resident MB | age ms, median | 99 % |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
}

impl Figures {
    fn print(&self, name: &str, load: Load, raw: Option<f64>) {
        let of_raw = raw.map_or("–".into(), |raw| {
            format!("{:.2}", self.cpu_millis_per_gb / raw)
        });
        let [median, most] = self.ages.map_or(["–".into(), "–".into()], |ages| {
            ages.map(|age| format!("{age:.1}"))
        });
        println!(
            "| {name} | {} | {} | {:.1} | {:.2} | {:.0} | {of_raw} | {:.1} | {median} | {most} |",
            load.n_viewers,
            load.fps,
            self.worst_fps,
            self.gb_per_second,
            self.cpu_millis_per_gb,
            self.resident_mb
        );
    }
}

fn measure(
    addr: SocketAddr,
    path: &str,
    pid: u32,
    load: Load,
    seconds: Duration,
    with_ages: bool,
) -> Result<Figures> {
    let crowd = Crowd::connect(addr, path, load.n_viewers)?;
    std::thread::sleep(WARM_UP);
    let before = crowd.bytes();
    let (cpu_before, start) = (cpu(pid)?, Instant::now());
    std::thread::sleep(seconds);
    let cpu = (cpu(pid)? - cpu_before).as_secs_f64();
    let elapsed = start.elapsed().as_secs_f64();
    let each: Vec<u64> = crowd
        .bytes()
        .iter()
        .zip(before)
        .map(|(count, before)| count - before)
        .collect();
    let gb = each.iter().sum::<u64>() as f64 / 1e9;
    let worst = each.iter().min().copied().unwrap_or(0) as f64;
    // Afterwards: what reads and parses costs a core of its own, which is not the server's.
    let ages = if with_ages {
        let readers = ages(addr, path, N_READERS)?;
        std::thread::sleep(WARM_UP / 2);
        readers.begin();
        std::thread::sleep(seconds);
        let mut ages = readers.take();
        Some([0.5, 0.99].map(|share| quantile(&mut ages, share)))
    } else {
        None
    };
    Ok(Figures {
        worst_fps: worst / FRAME_BYTES as f64 / elapsed,
        gb_per_second: gb / elapsed,
        cpu_millis_per_gb: cpu * 1000.0 / gb,
        resident_mb: resident_mb(pid)?,
        ages,
    })
}

/// Another server, measured the same way.
pub fn other(
    name: &str,
    addr: SocketAddr,
    path: &str,
    pid: u32,
    load: Load,
    seconds: Duration,
) -> Result<()> {
    head();
    let figures = measure(addr, path, pid, load, seconds, false)?;
    figures.print(name, load, None);
    Ok(())
}

pub fn loads(loads: &[Load], seconds: Duration) -> Result<()> {
    head();
    for load in loads {
        let mut raw = None;
        for server in [Server::Raw, Server::Warp, Server::Mantel] {
            let (child, addr) = start(server, load.fps)?;
            let with_ages = server == Server::Mantel;
            let figures = measure(addr, "/stream", child.pid(), *load, seconds, with_ages)?;
            raw = raw.or(Some(figures.cpu_millis_per_gb));
            figures.print(&format!("{server:?}"), *load, raw);
        }
    }
    Ok(())
}

/// A hundred viewers that read, alone and beside two hundred that never do.
pub fn never(seconds: Duration) -> Result<()> {
    const N_GOOD: usize = 100;
    const N_BAD: usize = 200;
    const FPS: u32 = 30;
    println!("\n| good viewers | that never read | frames each got, worst | mean | resident MB |");
    println!("|---|---|---|---|---|");
    let (child, addr) = start(Server::Mantel, FPS)?;
    let crowd = Crowd::connect(addr, "/stream", N_GOOD)?;
    let mut before = 0.0;
    for n_bad in [0, N_BAD] {
        let bad: Vec<_> = (0..n_bad)
            .map(|_| ask(addr, "/stream", "HTTP/1.1"))
            .collect::<Result<_>>()?;
        std::thread::sleep(WARM_UP);
        let (start, got) = (Instant::now(), crowd.bytes());
        std::thread::sleep(seconds);
        let due = start.elapsed().as_secs_f64() * f64::from(FPS) * FRAME_BYTES as f64;
        let got = crowd.bytes().into_iter().zip(got);
        let mut shares: Vec<f64> = got
            .map(|(now, before)| (now - before) as f64 / due)
            .collect();
        let mean = shares.iter().sum::<f64>() / shares.len() as f64;
        let worst = quantile(&mut shares, 0.0);
        let resident = resident_mb(child.pid())?;
        println!(
            "| {N_GOOD} | {n_bad} | {:.1} % | {:.1} % | {resident:.1} |",
            worst * 100.0,
            mean * 100.0
        );
        if n_bad == 0 {
            before = resident;
        } else {
            let each = (resident - before) * 1000.0 / n_bad as f64;
            println!("\nA viewer that never reads holds {each:.1} KB of the server's memory.");
        }
        drop(bad);
    }
    Ok(())
}

/// From connecting to the first whole frame, one after the other, on a rendition that somebody watches.
pub fn joins(n: usize) -> Result<()> {
    let (_child, addr) = start(Server::Mantel, 1)?;
    let _crowd = Crowd::connect(addr, "/stream", 1)?;
    std::thread::sleep(WARM_UP);
    let mut times = (0..n)
        .map(|_| join(addr, "/stream"))
        .collect::<Result<Vec<f64>>>()?;
    let [median, most, worst] = [0.5, 0.99, 1.0].map(|share| quantile(&mut times, share));
    println!("\n| joins | to the first whole frame, ms, median | 99 % | worst |");
    println!("|---|---|---|---|");
    println!("| {n} | {median:.2} | {most:.2} | {worst:.2} |");
    Ok(())
}

/// The whole program, whose slides fade for a second every ten, before many viewers.
pub fn slides(n_viewers: usize) -> Result<()> {
    const TICK: Duration = Duration::from_millis(250);
    const TICKS: usize = 4 * 40;
    let (child, addr) = start(Server::Gallery, 20)?;
    // As browsers are sent it; clients that nobody knows are sent the standing frame once a second.
    let crowd = Crowd::connect(addr, "/stream?paint=advance", n_viewers)?;
    std::thread::sleep(WARM_UP * 4);
    let mut ticks = Vec::new();
    let (mut cpu_before, mut bytes_before) = (sampled_cpu(child.pid())?, crowd.bytes());
    for _ in 0..TICKS {
        let start = Instant::now();
        std::thread::sleep(TICK);
        let (cpu_now, bytes_now) = (sampled_cpu(child.pid())?, crowd.bytes());
        let seconds = start.elapsed().as_secs_f64();
        let bytes: u64 = bytes_now
            .iter()
            .zip(&bytes_before)
            .map(|(now, before)| now - before)
            .sum();
        ticks.push([
            (cpu_now - cpu_before).as_secs_f64() / seconds,
            bytes as f64 / 1e9 / seconds,
        ]);
        (cpu_before, bytes_before) = (cpu_now, bytes_now);
    }
    // Something moves where more than a trickle is sent.
    let busiest = ticks.iter().map(|[_, sent]| *sent).fold(0.0, f64::max);
    let (moving, standing): (Vec<_>, Vec<_>) =
        ticks.iter().partition(|[_, sent]| *sent > busiest / 4.0);
    let mean = |ticks: &[[f64; 2]], at: usize| {
        ticks.iter().map(|tick| tick[at]).sum::<f64>() / ticks.len().max(1) as f64
    };
    let moving: Vec<[f64; 2]> = moving;
    println!("\n| viewers | | share of the time | cores | GB/s | resident MB |");
    println!("|---|---|---|---|---|---|");
    let resident = resident_mb(child.pid())?;
    for (name, part) in [("in transitions", &moving), ("between", &standing)] {
        println!(
            "| {n_viewers} | {name} | {:.0} % | {:.2} | {:.2} | {resident:.1} |",
            100.0 * part.len() as f64 / ticks.len() as f64,
            mean(part, 0),
            mean(part, 1)
        );
    }
    Ok(())
}
