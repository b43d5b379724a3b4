//! What it costs to send the same frames to many viewers: CPU seconds per gigabyte, frames per
//! second each, resident memory, beside a raw write loop and a bare warp stream in the same run.
//!
//! ```text
//! cargo xtask bench fanout                                  # the table
//! cargo bench -p mantel --bench fanout -- --viewers 500 --fps 12
//! cargo bench -p mantel --bench fanout -- --url http://127.0.0.1:8090/?action=stream --pid 4711
//! ```
//!
//! The server runs in a process of its own, so that only its CPU time is counted; the viewers read
//! without copying (MSG_TRUNC), so that they leave it the machine. Loopback only, and bounded in
//! time: with two cores for both sides the ratio to the raw loop says more than the milliseconds.

use std::{
    error::Error,
    io::{Read, Write},
    mem::MaybeUninit,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use mantel::{
    Config,
    bench::{FrameNo, Framing, Now, serve_frames},
};
use socket2::SockRef;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const FRAME_BYTES: usize = 350_000;

/// What serves.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Server {
    /// One thread that writes each frame to each socket: as little as the kernel allows.
    Raw,
    /// `warp::reply::stream` with nothing around it.
    Warp,
    /// This program: hub, output, net.
    Mantel,
}

#[derive(Clone, Copy, Debug)]
struct Load {
    n_viewers: usize,
    fps: u32,
}

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    let value = |name: &str| {
        words
            .iter()
            .position(|word| word == name)
            .and_then(|at| words.get(at + 1))
            .map(String::as_str)
    };
    let fps = value("--fps").map_or(Ok(30), str::parse)?;
    if let Some(name) = value("--serve") {
        let server = [Server::Raw, Server::Warp, Server::Mantel]
            .into_iter()
            .find(|server| format!("{server:?}") == name)
            .ok_or("--serve takes Raw, Warp or Mantel")?;
        return serve(server, fps);
    }
    let seconds = Duration::from_secs(value("--seconds").map_or(Ok(6), str::parse)?);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!(
        "Fan-out: {cores} cores for both sides, frames of {FRAME_BYTES} bytes, {seconds:?} each\n"
    );
    println!(
        "| server | viewers | fps asked | fps each, worst | GB/s | CPU ms per GB | of raw | resident MB |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    if let (Some(url), Some(pid)) = (value("--url"), value("--pid")) {
        let n_viewers = value("--viewers").map_or(Ok(100), str::parse)?;
        let (addr, path) = split_url(url)?;
        let figures = measure(addr, path, pid.parse()?, Load { n_viewers, fps }, seconds)?;
        figures.print(url, Load { n_viewers, fps }, None);
        return Ok(());
    }
    let loads = match value("--viewers") {
        Some(n_viewers) => vec![Load {
            n_viewers: n_viewers.parse()?,
            fps,
        }],
        None => vec![
            Load {
                n_viewers: 10,
                fps: 30,
            },
            Load {
                n_viewers: 100,
                fps: 30,
            },
            Load {
                n_viewers: 500,
                fps: 12,
            },
        ],
    };
    for load in loads {
        let mut raw = None;
        for server in [Server::Raw, Server::Warp, Server::Mantel] {
            let (child, addr) = start(server, load.fps)?;
            let figures = measure(addr, "/stream", child.0.id(), load, seconds)?;
            raw = raw.or(Some(figures.cpu_millis_per_gb));
            figures.print(&format!("{server:?}"), load, raw);
        }
    }
    Ok(())
}

/// A server process, ended with the benchmark.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(server: Server, fps: u32) -> Result<(Running, SocketAddr)> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["--serve", &format!("{server:?}"), "--fps", &fps.to_string()])
        .stdout(Stdio::piped())
        .stdin(Stdio::piped())
        .spawn()?;
    let mut line = String::new();
    let out = child.stdout.take().ok_or("no stdout")?;
    std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line)?;
    Ok((Running(child), line.trim().parse()?))
}

struct Figures {
    worst_fps: f64,
    gb_per_second: f64,
    cpu_millis_per_gb: f64,
    resident_mb: f64,
}

impl Figures {
    fn print(&self, name: &str, load: Load, raw: Option<f64>) {
        let of_raw = raw.map_or("–".into(), |raw| {
            format!("{:.2}", self.cpu_millis_per_gb / raw)
        });
        println!(
            "| {name} | {} | {} | {:.1} | {:.2} | {:.0} | {of_raw} | {:.1} |",
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
) -> Result<Figures> {
    if !addr.ip().is_loopback() {
        return Err("only servers on loopback are measured".into());
    }
    let counts: Arc<Vec<AtomicU64>> =
        Arc::new((0..load.n_viewers).map(|_| AtomicU64::new(0)).collect());
    for index in 0..load.n_viewers {
        let mut stream = TcpStream::connect(addr)?;
        stream.write_all(
            format!("GET {path} HTTP/1.1\r\nHost: {addr}\r\nUser-Agent: fanout\r\n\r\n").as_bytes(),
        )?;
        let counts = counts.clone();
        // Small stacks: five hundred of them are only there to wait.
        std::thread::Builder::new()
            .stack_size(64 * 1024)
            .spawn(move || drain(&stream, &counts[index]))?;
    }
    std::thread::sleep(Duration::from_secs(2));
    let before: Vec<u64> = counts.iter().map(|count| count.load(Relaxed)).collect();
    let (cpu, start) = (cpu_seconds(pid)?, Instant::now());
    std::thread::sleep(seconds);
    let cpu = cpu_seconds(pid)? - cpu;
    let elapsed = start.elapsed().as_secs_f64();
    let each: Vec<u64> = counts
        .iter()
        .zip(before)
        .map(|(count, before)| count.load(Relaxed) - before)
        .collect();
    let gb = each.iter().sum::<u64>() as f64 / 1e9;
    let worst = each.iter().min().copied().unwrap_or(0) as f64;
    Ok(Figures {
        worst_fps: worst / FRAME_BYTES as f64 / elapsed,
        gb_per_second: gb / elapsed,
        cpu_millis_per_gb: cpu * 1000.0 / gb,
        resident_mb: resident_mb(pid)?,
    })
}

/// Reads and throws away in the kernel.
fn drain(stream: &TcpStream, count: &AtomicU64) {
    let mut buffer = vec![MaybeUninit::<u8>::uninit(); 1 << 20];
    let socket = SockRef::from(stream);
    while let Ok(n @ 1..) = socket.recv_with_flags(&mut buffer, MSG_TRUNC) {
        count.fetch_add(n as u64, Relaxed);
    }
}

/// Linux: discard instead of copying (tcp(7)).
const MSG_TRUNC: i32 = 0x20;

/// User and system time of a process so far; the kernel counts hundredths of a second.
fn cpu_seconds(pid: u32) -> Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .ok_or("no such field")?
        .1
        .split_whitespace()
        .collect();
    Ok((fields[11].parse::<f64>()? + fields[12].parse::<f64>()?) / 100.0)
}

fn resident_mb(pid: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? / 1000.0)
}

fn split_url(url: &str) -> Result<(SocketAddr, &str)> {
    let rest = url
        .strip_prefix("http://")
        .ok_or("the URL has to begin with http://")?;
    let at = rest.find('/').unwrap_or(rest.len());
    let path = if at == rest.len() { "/" } else { &rest[at..] };
    Ok((rest[..at].parse()?, path))
}

/// JPEGs by their size alone: nobody here looks into them.
fn jpegs() -> Vec<Bytes> {
    (0..8u8)
        .map(|n| Bytes::from(vec![n; FRAME_BYTES]))
        .collect()
}

fn serve(server: Server, fps: u32) -> Result<()> {
    // A benchmark that dies must not leave its server behind.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    println!("{}", listener.local_addr()?);
    std::io::stdout().flush()?;
    let period = Duration::from_secs(1) / fps;
    if server == Server::Raw {
        return serve_raw(&listener, period);
    }
    listener.set_nonblocking(true)?;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            if server == Server::Warp {
                serve_warp(listener, period).await
            } else {
                serve_mantel(listener, period).await
            }
        })
}

fn serve_raw(listener: &TcpListener, period: Duration) -> Result<()> {
    listener.set_nonblocking(true)?;
    let (framing, jpegs) = (Framing::default(), jpegs());
    let frames: Vec<_> = jpegs
        .iter()
        .map(|jpeg| framing.frame(FrameNo(0), Default::default(), Default::default(), jpeg))
        .collect();
    let mut viewers: Vec<TcpStream> = Vec::new();
    let mut due = Instant::now();
    for frame in frames.iter().cycle() {
        while let Ok((mut stream, _)) = listener.accept() {
            stream.set_nonblocking(false)?;
            stream.set_nodelay(true)?;
            let _ = stream.read(&mut [0; 4096])?;
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace\r\n\r\n")?;
            viewers.push(stream);
        }
        viewers.retain_mut(|stream| write_parts(stream, &frame.head, &frame.body).is_ok());
        due += period;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    Ok(())
}

fn write_parts(stream: &mut TcpStream, head: &[u8], body: &[u8]) -> std::io::Result<()> {
    let mut slices = [std::io::IoSlice::new(head), std::io::IoSlice::new(body)];
    let mut slices = &mut slices[..];
    while !slices.is_empty() {
        let n = stream.write_vectored(slices)?;
        std::io::IoSlice::advance_slices(&mut slices, n);
    }
    Ok(())
}

async fn serve_warp(listener: tokio::net::TcpListener, period: Duration) -> Result<()> {
    use futures_util::StreamExt;
    use warp::Filter;
    let (framing, jpegs) = (Framing::default(), jpegs());
    let frames: Vec<Bytes> = jpegs
        .iter()
        .map(|jpeg| {
            let frame = framing.frame(FrameNo(0), Default::default(), Default::default(), jpeg);
            [frame.head, frame.body].concat().into()
        })
        .collect();
    let (sender, receiver) = tokio::sync::watch::channel(frames[0].clone());
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(period);
        for frame in frames.iter().cycle() {
            tick.tick().await;
            sender.send_replace(frame.clone());
        }
    });
    let route = warp::path("stream").map(move || {
        let parts = futures_util::stream::unfold(receiver.clone(), |mut receiver| async move {
            receiver.changed().await.ok()?;
            let frame = receiver.borrow_and_update().clone();
            Some((frame, receiver))
        });
        warp::reply::stream(sync_wrapper::SyncStream::new(
            parts.map(Ok::<_, std::convert::Infallible>),
        ))
    });
    warp::serve(route).incoming(listener).run().await;
    Ok(())
}

async fn serve_mantel(listener: tokio::net::TcpListener, period: Duration) -> Result<()> {
    let config = Config::from_args(["--data-dir", "/nonexistent"])?;
    let (framing, jpegs) = (Framing::default(), jpegs());
    let (framing, jpegs) = (Arc::new(framing), Arc::new(jpegs));
    serve_frames(config, listener, move |feed| {
        let (framing, jpegs) = (framing.clone(), jpegs.clone());
        async move {
            let mut tick = tokio::time::interval(period);
            let frame = |no: u64| {
                let jpeg = &jpegs[no as usize % jpegs.len()];
                Arc::new(framing.frame(FrameNo(no), Default::default(), Default::default(), jpeg))
            };
            // Framing is part of what a real producer pays for each frame.
            let mut next = frame(1);
            for no in 2.. {
                tick.tick().await;
                let current = std::mem::replace(&mut next, frame(no));
                feed.motion.publish(Now {
                    current,
                    next: Some(next.clone()),
                });
            }
        }
    })
    .await;
    Ok(())
}
