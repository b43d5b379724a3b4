//! What an edge adds and what it spares: one house, four edges with viewers, on loopback.
//!
//! ```text
//! cargo xtask bench edge                                     # 500 viewers each, half a minute
//! cargo bench -p mantel --bench edge -- --viewers 100 --edges 2 --seconds 10
//! ```
//!
//! The house shows its own pictures, 640x360, with crossfades of a second; viewers read `/stream`. Told are the bytes that the house
//! sent by the bus beside those that viewers got, the processor time and memory of each, and by how much later a frame came
//! from an edge than from the house itself: the same JPEG, seen by two readers of one clock. Needs `nats-server`.

#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark has a clock, files and processes of its own"
)]

use std::{
    collections::HashMap,
    error::Error,
    hash::{DefaultHasher, Hash, Hasher},
    net::{SocketAddr, TcpListener},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A program that ends with the benchmark.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    fn start(command: &mut Command) -> Result<Self> {
        let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self(quiet.spawn()?))
    }

    /// Processor time so far, in seconds.
    fn cpu(&self) -> Result<f64> {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id()))?;
        let rest = text.rsplit(')').next().unwrap_or("");
        let words: Vec<&str> = rest.split_whitespace().collect();
        let ticks = |n: usize| words.get(n).and_then(|word| word.parse::<f64>().ok());
        Ok((ticks(11).unwrap_or(0.0) + ticks(12).unwrap_or(0.0)) / 100.0)
    }

    /// Memory of its own, in megabytes.
    fn memory(&self) -> Result<f64> {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = text.lines().find(|line| line.starts_with("RssAnon:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
        Ok(kilobytes.unwrap_or(0.0) / 1024.0)
    }
}

fn free() -> Result<SocketAddr> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?)
}

fn number(name: &str, default: u64) -> Result<u64> {
    let words: Vec<String> = std::env::args().collect();
    let at = words.iter().position(|word| word == name);
    match at.and_then(|at| words.get(at + 1)) {
        Some(word) => Ok(word.parse()?),
        None => Ok(default),
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let (viewers, edges) = (number("--viewers", 500)?, number("--edges", 4)?);
    let span = Duration::from_secs(number("--seconds", 20)?);
    let bus = free()?;
    let _nats = Running::start(Command::new("nats-server").args([
        "-a",
        "127.0.0.1",
        "-p",
        &bus.port().to_string(),
    ]))?;
    let folder = tempfile::tempdir()?;
    let program = |address: &SocketAddr, name: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mantel"));
        let data = folder.path().join(name);
        command
            .env("MANTEL_NATS", format!("nats://{bus}"))
            .env("MANTEL_LISTEN", address.to_string())
            .env("MANTEL_DATA_DIR", data)
            .args(["--mdns", "off", "--size", "640x360"])
            .args([
                "--max-connections",
                "4000",
                "--max-connections-per-address",
                "4000",
            ]);
        command
    };
    let house_at = free()?;
    let house = Running::start(program(&house_at, "house").args(["--interval", "3s"]))?;
    let mut all = Vec::new();
    for n in 0..edges {
        let address = free()?;
        let mut line = program(&address, &format!("edge-{n}"));
        all.push((address, Running::start(line.arg("edge"))?));
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    for (address, edge) in &all {
        println!("edge {address}, idle: {:.1} MB", edge.memory()?);
    }
    let counts: Vec<_> = all.iter().map(|_| Arc::new(AtomicU64::new(0))).collect();
    for ((address, _), count) in all.iter().zip(&counts) {
        for _ in 0..viewers {
            tokio::spawn(read(*address, count.clone()));
        }
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    let edge_at = all.first().ok_or("an edge")?.0;
    let before = (
        house.cpu()?,
        cpu(&all)?,
        sent(house_at).await?,
        total(&counts),
    );
    let (from_house, from_edge) = tokio::join!(watch(house_at, span), watch(edge_at, span));
    let after = (
        house.cpu()?,
        cpu(&all)?,
        sent(house_at).await?,
        total(&counts),
    );
    let seconds = span.as_secs_f64();
    let mb = |bytes: u64| bytes as f64 / 1e6;
    let (bus_mb, viewers_mb) = (mb(after.2 - before.2), mb(after.3 - before.3));
    println!("{} viewers on {edges} edges, {seconds} s", viewers * edges);
    println!(
        "  by the bus {:.2} MB/s, to viewers {:.1} MB/s: 1 to {:.0}",
        bus_mb / seconds,
        viewers_mb / seconds,
        viewers_mb / bus_mb
    );
    println!(
        "  house: {:.2} cores, {:.1} MB",
        (after.0 - before.0) / seconds,
        house.memory()?
    );
    println!(
        "  edges: {:.2} cores together, {:.2} s of a core per GB",
        (after.1 - before.1) / seconds,
        (after.1 - before.1) / (viewers_mb / 1000.0)
    );
    for (address, edge) in &all {
        println!("  edge {address}: {:.1} MB", edge.memory()?);
    }
    let mut late: Vec<f64> = from_edge
        .iter()
        .filter_map(|(picture, at)| {
            let first = from_house.get(picture)?;
            let later = at.saturating_duration_since(*first).as_secs_f64();
            Some((later - first.saturating_duration_since(*at).as_secs_f64()) * 1000.0)
        })
        .collect();
    late.sort_by(f64::total_cmp);
    let at = |percent: usize| late.get(late.len() * percent / 100).copied();
    println!(
        "  a frame of an edge is later by {:.1} ms at the median, {:.1} ms at the 99th percentile ({} frames)",
        at(50).unwrap_or(f64::NAN),
        at(99).unwrap_or(f64::NAN),
        late.len()
    );
    Ok(())
}

fn cpu(all: &[(SocketAddr, Running)]) -> Result<f64> {
    all.iter().map(|(_, edge)| edge.cpu()).sum()
}

fn total(counts: &[Arc<AtomicU64>]) -> u64 {
    counts.iter().map(|count| count.load(Relaxed)).sum()
}

async fn open(address: SocketAddr, target: &str) -> Result<TcpStream> {
    let mut socket = TcpStream::connect(address).await?;
    let head = format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
    socket.write_all(head.as_bytes()).await?;
    Ok(socket)
}

/// Reads a stream for good.
async fn read(address: SocketAddr, count: Arc<AtomicU64>) {
    let Ok(mut socket) = open(address, "/stream").await else {
        return;
    };
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(n @ 1..) = socket.read(&mut buffer).await {
        count.fetch_add(n as u64, Relaxed);
    }
}

/// When each picture of a stream had come whole.
async fn watch(address: SocketAddr, span: Duration) -> HashMap<u64, Instant> {
    let mut seen = HashMap::new();
    let Ok(mut socket) = open(address, "/stream?paint=plain").await else {
        return seen;
    };
    let (until, mut bytes, mut buffer) = (Instant::now() + span, Vec::new(), vec![0; 64 * 1024]);
    while Instant::now() < until {
        let read = tokio::time::timeout(Duration::from_secs(4), socket.read(&mut buffer)).await;
        let Ok(Ok(n @ 1..)) = read else { break };
        bytes.extend_from_slice(&buffer[..n]);
        // Its last two bytes end a JPEG, and stand nowhere else in one.
        while let Some(end) = find(&bytes, &[0xff, 0xd9]) {
            if let Some(start) = find(&bytes[..end], &[0xff, 0xd8]) {
                let mut hasher = DefaultHasher::new();
                // Chunks of the transfer may be cut elsewhere: of its length and its last bytes a picture is known as well.
                bytes[end.saturating_sub(200).max(start)..end].hash(&mut hasher);
                seen.entry(hasher.finish()).or_insert_with(Instant::now);
            }
            bytes.drain(..end + 2);
        }
    }
    seen
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|found| found == wanted)
}

/// The bytes that the house has sent by the bus.
async fn sent(address: SocketAddr) -> Result<u64> {
    let mut socket = open(address, "/status").await?;
    let mut text = String::new();
    socket.read_to_string(&mut text).await?;
    let rest = text.split("\"sent_bytes\":").nth(1).ok_or("no figures")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Ok(digits.parse()?)
}
