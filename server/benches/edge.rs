//! What an edge adds and what it spares: one house and edges with viewers, on loopback.
//!
//! ```text
//! cargo xtask bench edge                                     # three scenes, about two minutes
//! cargo bench -p mantel --bench edge -- --viewers 100 --edges 2 --seconds 10
//! ```
//!
//! `--program FILE` measures another build of the program.
//!
//! The house shows its own pictures, 640x360, with crossfades of a second; viewers read `/stream` and throw away in the kernel.
//! Scenes: the house with a hundred viewers of its own, with as many as one edge has, and with as many as all edges have, which
//! tells what a crowd costs on a machine without edges; one edge with a hundred; as many edges and viewers as are asked for.
//! Told are the bytes that the house sent by the bus beside those that
//! viewers got, the processor time and memory of each, how old a frame is when its last byte has come, by how much later it
//! comes from an edge than from the house itself (the same JPEG, seen by two readers of one clock), and how far two edges are
//! apart: in what they promise (`X-Show-At`) and in what they show. Needs `nats-server`.

#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark has a clock, files and processes of its own"
)]

use std::{
    collections::HashMap,
    error::Error,
    hash::{DefaultHasher, Hash, Hasher},
    io::ErrorKind,
    net::{SocketAddr, TcpListener},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant, SystemTime},
};

use socket2::SockRef;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, Interest},
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

    /// Processor time so far, in seconds, by the scheduler's own count: what works in bursts shorter than a tick escapes the other.
    fn cpu(&self) -> Result<f64> {
        let mut nanos = 0;
        for task in std::fs::read_dir(format!("/proc/{}/task", self.0.id()))? {
            let stat = std::fs::read_to_string(task?.path().join("schedstat")).unwrap_or_default();
            let first = stat.split_whitespace().next();
            nanos += first.and_then(|word| word.parse::<u64>().ok()).unwrap_or(0);
        }
        Ok(Duration::from_nanos(nanos).as_secs_f64())
    }

    /// Memory that it holds, in megabytes: all of it, and what is its own.
    fn memory(&self) -> Result<(f64, f64)> {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let of = |name: &str| {
            let line = text.lines().find(|line| line.starts_with(name));
            let kilobytes =
                line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
            kilobytes.unwrap_or(0.0) / 1024.0
        };
        Ok((of("VmRSS:"), of("RssAnon:")))
    }
}

fn free() -> Result<SocketAddr> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?)
}

/// The word behind this one.
fn word(name: &str) -> Option<String> {
    let words: Vec<String> = std::env::args().collect();
    let at = words.iter().position(|word| word == name)?;
    words.get(at + 1).cloned()
}

fn number(name: &str, default: u64) -> Result<u64> {
    Ok(word(name).map_or(Ok(default), |word| word.parse())?)
}

/// A machine of the house.
struct Machine {
    address: SocketAddr,
    process: Running,
}

/// The machines of one house.
struct Scene {
    _bus: Running,
    house: Machine,
    edges: Vec<Machine>,
    _folder: tempfile::TempDir,
}

impl Scene {
    async fn start(n_edges: u64) -> Result<Self> {
        let bus = free()?;
        let mut nats = Command::new("nats-server");
        nats.args(["-a", "127.0.0.1", "-p", &bus.port().to_string()]);
        let nats = Running::start(&mut nats)?;
        let folder = tempfile::tempdir()?;
        let program = word("--program").unwrap_or_else(|| env!("CARGO_BIN_EXE_mantel").into());
        let start = |name: &str, words: &[&str]| -> Result<Machine> {
            let address = free()?;
            let mut command = Command::new(&program);
            command
                .env("MANTEL_NATS", format!("nats://{bus}"))
                .env("MANTEL_LISTEN", address.to_string())
                .env("MANTEL_DATA_DIR", folder.path().join(name))
                .args(words)
                .args(["--mdns", "off", "--size", "640x360"])
                .args(["--max-connections", "4000"])
                .args(["--max-connections-per-address", "4000"]);
            let process = Running::start(&mut command)?;
            Ok(Machine { address, process })
        };
        let house = start("house", &["--interval", "3s"])?;
        let edges: Result<Vec<Machine>> = (0..n_edges)
            .map(|n| start(&format!("edge-{n}"), &["edge"]))
            .collect();
        let edges = edges?;
        tokio::time::sleep(Duration::from_secs(3)).await;
        Ok(Self {
            _bus: nats,
            house,
            edges,
            _folder: folder,
        })
    }
}

/// What a crowd took of the machines that it looks at.
struct Taken {
    cores: f64,
    gigabytes: f64,
    memory: f64,
}

impl Taken {
    fn cpu_per_gb(&self, seconds: f64) -> f64 {
        self.cores * seconds * 1000.0 / self.gigabytes
    }
}

/// Has this many look at each of these machines, and watches meanwhile.
async fn looked_at<T>(
    machines: &[&Machine],
    viewers: u64,
    span: Duration,
    watching: impl Future<Output = T>,
) -> Result<(Taken, T)> {
    let count = Arc::new(AtomicU64::new(0));
    let mut crowd = tokio::task::JoinSet::new();
    for machine in machines {
        for _ in 0..viewers {
            crowd.spawn(read(machine.address, count.clone()));
        }
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    let cpu = || -> Result<f64> { machines.iter().map(|machine| machine.process.cpu()).sum() };
    let (cpu_before, bytes_before) = (cpu()?, count.load(Relaxed));
    let seen = watching.await;
    let seconds = span.as_secs_f64();
    let memory: Result<Vec<f64>> = machines
        .iter()
        .map(|machine| Ok(machine.process.memory()?.1))
        .collect();
    let taken = Taken {
        cores: (cpu()? - cpu_before) / seconds,
        gigabytes: (count.load(Relaxed) - bytes_before) as f64 / 1e9,
        memory: memory?.into_iter().fold(0.0, f64::max),
    };
    Ok((taken, seen))
}

#[tokio::main]
async fn main() -> Result<()> {
    let (viewers, edges) = (number("--viewers", 500)?, number("--edges", 4)?);
    let span = Duration::from_secs(number("--seconds", 20)?);
    let seconds = span.as_secs_f64();
    for viewers in [100, viewers, viewers * edges] {
        let scene = Scene::start(0).await?;
        let house = &scene.house;
        let watching = watch(house.address, span);
        let (taken, seen) = looked_at(&[house], viewers, span, watching).await?;
        println!("the house with {viewers} viewers of its own");
        tell(&taken, seconds);
        tell_ages("house", &seen);
    }
    for (viewers, edges) in [(100, 1), (viewers, edges)] {
        let scene = Scene::start(edges).await?;
        println!("{edges} edges with {viewers} viewers each");
        for edge in &scene.edges {
            let (all, own) = edge.process.memory()?;
            println!("  idle: an edge holds {all:.1} MB, of which its own are {own:.1}");
        }
        let house = &scene.house;
        let ends = (scene.edges.first(), scene.edges.last());
        let (Some(first), Some(last)) = ends else {
            continue;
        };
        let before = (house.process.cpu()?, sent(house.address).await?);
        let watching = async {
            tokio::join!(
                watch(house.address, span),
                watch(first.address, span),
                watch(last.address, span),
                promises(first.address, span),
                promises(last.address, span)
            )
        };
        let all: Vec<&Machine> = scene.edges.iter().collect();
        let (taken, seen) = looked_at(&all, viewers, span, watching).await?;
        let (from_house, from_first, from_last, first_says, last_says) = seen;
        let by_bus = (sent(house.address).await? - before.1) as f64 / 1e6;
        // Five seconds more than the crowd was counted for: those in which it came.
        let longer = seconds + 5.0;
        println!(
            "  by the bus {:.2} MB/s; the house takes {:.2} cores",
            by_bus / longer,
            (house.process.cpu()? - before.0) / longer
        );
        tell(&taken, seconds);
        tell_ages("house", &from_house);
        tell_ages("edge", &from_first);
        figures("an edge is later by", apart(&from_house, &from_first));
        let shown: Vec<f64> = apart(&from_first, &from_last).map(f64::abs).collect();
        figures("two edges show it apart by", shown.into_iter());
        let promised = first_says.iter().filter_map(|(slide, at)| {
            let other = last_says.get(slide)?;
            Some((at - other).abs())
        });
        figures("two edges promise it apart by", promised);
    }
    Ok(())
}

fn tell(taken: &Taken, seconds: f64) {
    println!(
        "  {:.2} cores for {:.1} MB/s: {:.0} ms for a GB; at most {:.1} MB of its own",
        taken.cores,
        taken.gigabytes * 1000.0 / seconds,
        taken.cpu_per_gb(seconds),
        taken.memory
    );
}

fn tell_ages(whose: &str, seen: &Seen) {
    let ages = seen.values().map(|(_, age)| *age);
    figures(&format!("a frame of the {whose} is old"), ages);
}

/// By how many milliseconds the same pictures came later at the second.
fn apart<'a>(first: &'a Seen, second: &'a Seen) -> impl Iterator<Item = f64> + 'a {
    second.iter().filter_map(|(picture, (at, _))| {
        let (before, _) = first.get(picture)?;
        let later = at.saturating_duration_since(*before).as_secs_f64();
        Some((later - before.saturating_duration_since(*at).as_secs_f64()) * 1000.0)
    })
}

fn figures(what: &str, all: impl Iterator<Item = f64>) {
    let mut all: Vec<f64> = all.collect();
    all.sort_by(f64::total_cmp);
    let at = |percent: usize| all.get(all.len() * percent / 100).copied();
    println!(
        "  {what} {:.1} ms, 99 % within {:.1} ms ({} of them)",
        at(50).unwrap_or(f64::NAN),
        at(99).unwrap_or(f64::NAN),
        all.len()
    );
}

async fn open(address: SocketAddr, target: &str) -> Result<TcpStream> {
    let mut socket = TcpStream::connect(address).await?;
    let head = format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
    socket.write_all(head.as_bytes()).await?;
    Ok(socket)
}

/// Linux: discard instead of copying (tcp(7)).
const MSG_TRUNC: i32 = 0x20;

/// Reads a stream for good, and throws it away in the kernel.
async fn read(address: SocketAddr, count: Arc<AtomicU64>) {
    let Ok(socket) = open(address, "/stream").await else {
        return;
    };
    // Nothing is written there, so that its pages are none.
    let mut buffer = Vec::<u8>::with_capacity(1 << 20);
    while socket.readable().await.is_ok() {
        let taken = socket.try_io(Interest::READABLE, || {
            SockRef::from(&socket).recv_with_flags(buffer.spare_capacity_mut(), MSG_TRUNC)
        });
        match taken {
            Ok(n @ 1..) => {
                count.fetch_add(n as u64, Relaxed);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Ok(_) | Err(_) => return,
        }
    }
}

/// When each picture of a stream had come whole, and how many milliseconds it was behind its moment then.
type Seen = HashMap<u64, (Instant, f64)>;

async fn watch(address: SocketAddr, span: Duration) -> Seen {
    let mut seen = HashMap::new();
    each_part(address, "/stream?paint=plain", span, |part| {
        let Some(start) = find(part, &[0xff, 0xd8]) else {
            return;
        };
        let head = String::from_utf8_lossy(&part[..start]);
        let mut hasher = DefaultHasher::new();
        // Chunks of the transfer may be cut elsewhere: of its length and its last bytes a picture is known as well.
        part[part.len().saturating_sub(200).max(start)..].hash(&mut hasher);
        if let (Some(at), Ok(now)) = (value(&head, "X-Timestamp"), since_1970()) {
            let age = (now - at) * 1000.0;
            seen.entry(hasher.finish())
                .or_insert_with(|| (Instant::now(), age));
        }
    })
    .await;
    // What stood when it was joined is older than the stream.
    seen.retain(|_, (_, age)| *age < 900.0);
    seen
}

/// When each slide is to be on by what `/bytes` says, in milliseconds.
async fn promises(address: SocketAddr, span: Duration) -> HashMap<u64, f64> {
    let mut said = HashMap::new();
    each_part(address, "/bytes", span, |part| {
        let head = String::from_utf8_lossy(part);
        if let (Some(slide), Some(at)) = (value(&head, "X-Slide"), value(&head, "X-Show-At")) {
            said.insert(slide.to_bits(), at);
        }
    })
    .await;
    said
}

/// Hands over each part of a stream as it comes, its head and its picture without the last two bytes, for so long.
async fn each_part(address: SocketAddr, path: &str, span: Duration, mut take: impl FnMut(&[u8])) {
    let Ok(mut socket) = open(address, path).await else {
        return;
    };
    let (until, mut bytes, mut buffer) = (Instant::now() + span, Vec::new(), vec![0; 64 * 1024]);
    while Instant::now() < until {
        let read = tokio::time::timeout(Duration::from_secs(4), socket.read(&mut buffer)).await;
        let Ok(Ok(n @ 1..)) = read else { break };
        bytes.extend_from_slice(&buffer[..n]);
        // Those two end a JPEG, and stand nowhere else in one.
        while let Some(end) = find(&bytes, &[0xff, 0xd9]) {
            take(&bytes[..end]);
            bytes.drain(..end + 2);
        }
    }
}

/// The number in a line of a head.
fn value(head: &str, name: &str) -> Option<f64> {
    let (_, rest) = head.rsplit_once(&format!("\n{name}: "))?;
    rest.lines().next()?.trim().parse().ok()
}

fn since_1970() -> Result<f64> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    Ok(since.as_secs_f64())
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
