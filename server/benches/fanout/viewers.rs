//! Viewers: many that throw away, a few that look, some that never read.

use std::{
    io::{Read, Write},
    mem::MaybeUninit,
    net::{SocketAddr, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant, SystemTime},
};

use mantel_shared::{Boundary, Collector, Limits, Part};
use socket2::SockRef;

use crate::Result;

/// Viewers that throw away in the kernel; what each got, in bytes.
pub struct Crowd {
    counts: Arc<Vec<AtomicU64>>,
    streams: Vec<TcpStream>,
}

impl Crowd {
    pub fn connect(addr: SocketAddr, path: &str, n: usize) -> Result<Self> {
        let counts: Arc<Vec<AtomicU64>> = Arc::new((0..n).map(|_| AtomicU64::new(0)).collect());
        let mut streams = Vec::new();
        for index in 0..n {
            let stream = ask(addr, path, "HTTP/1.1")?;
            let (mine, counts) = (stream.try_clone()?, counts.clone());
            streams.push(stream);
            // Small stacks: a thousand of them are only there to wait.
            std::thread::Builder::new()
                .stack_size(64 * 1024)
                .spawn(move || drain(&mine, &counts[index]))?;
        }
        Ok(Self { counts, streams })
    }

    pub fn bytes(&self) -> Vec<u64> {
        self.counts
            .iter()
            .map(|count| count.load(Relaxed))
            .collect()
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        for stream in &self.streams {
            // It may have ended by itself.
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
    }
}

/// Asks for a stream and leaves the answer unread.
pub fn ask(addr: SocketAddr, path: &str, version: &str) -> Result<TcpStream> {
    if !addr.ip().is_loopback() {
        return Err("only servers on loopback are measured".into());
    }
    let mut stream = TcpStream::connect(addr)?;
    let request = format!("GET {path} {version}\r\nHost: {addr}\r\nUser-Agent: fanout\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    Ok(stream)
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

/// A viewer that reads part by part, over HTTP/1.0, which has no chunks.
pub struct Reader {
    stream: TcpStream,
    collector: Collector,
    buffer: Vec<u8>,
}

impl Reader {
    pub fn connect(addr: SocketAddr, path: &str) -> Result<Self> {
        let mut stream = ask(addr, path, "HTTP/1.0")?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            head.push(byte[0]);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let content_type = head
            .lines()
            .find_map(|line| {
                line.to_ascii_lowercase()
                    .starts_with("content-type:")
                    .then(|| line[13..].trim())
            })
            .ok_or("no Content-Type")?;
        let boundary = Boundary::from_content_type(content_type)?;
        Ok(Self {
            stream,
            collector: Collector::new(boundary, Limits::default()),
            buffer: vec![0; 1 << 20],
        })
    }

    /// The next whole part, as soon as its last byte has come.
    pub fn part(&mut self) -> Result<Part> {
        loop {
            if let Some(part) = self.collector.take() {
                return Ok(part);
            }
            let n = self.stream.read(&mut self.buffer)?;
            if n == 0 {
                return Err("the stream ended".into());
            }
            self.collector.push(&self.buffer[..n])?;
        }
    }
}

/// How old frames are when their last byte has come, by the moment in their own heads, in milliseconds.
pub fn ages(addr: SocketAddr, path: &str, n: usize) -> Result<Ages> {
    let (stop, ages) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(Mutex::new(Vec::new())),
    );
    for _ in 0..n {
        let mut reader = Reader::connect(addr, path)?;
        let (stop, ages) = (stop.clone(), ages.clone());
        std::thread::spawn(move || {
            while let Ok(part) = reader.part()
                && !stop.load(Relaxed)
            {
                let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
                if let (Some(at), Ok(now)) = (part.head.timestamp, now) {
                    let at = Duration::new(at.seconds, at.micros * 1000);
                    let age = now.as_secs_f64() - at.as_secs_f64();
                    let mut ages = ages.lock().unwrap_or_else(|poison| poison.into_inner());
                    ages.push(age * 1000.0);
                }
            }
        });
    }
    Ok(Ages { stop, ages })
}

/// The ages that a few readers note.
pub struct Ages {
    stop: Arc<AtomicBool>,
    ages: Arc<Mutex<Vec<f64>>>,
}

impl Ages {
    /// Forgets what was noted so far.
    pub fn begin(&self) {
        self.ages
            .lock()
            .unwrap_or_else(|poison| poison.into_inner())
            .clear();
    }

    /// What was noted since [`Self::begin`].
    pub fn take(&self) -> Vec<f64> {
        std::mem::take(
            &mut *self
                .ages
                .lock()
                .unwrap_or_else(|poison| poison.into_inner()),
        )
    }
}

impl Drop for Ages {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
    }
}

/// From connecting to the first whole frame, in milliseconds.
pub fn join(addr: SocketAddr, path: &str) -> Result<f64> {
    let start = Instant::now();
    Reader::connect(addr, path)?.part()?;
    Ok(start.elapsed().as_secs_f64() * 1000.0)
}
