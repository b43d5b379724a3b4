//! The two ends: who sends pictures, stamped, and who reads them and notes when each one was there.

use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant, SystemTime},
};

use socket2::{Domain, Socket, Type};

use super::Result;

/// When pictures were sent, by their stamps.
#[derive(Clone, Default)]
pub struct Sent(Arc<Mutex<HashMap<String, Instant>>>);

impl Sent {
    fn note(&self, stamp: String, at: Instant) {
        let mut sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sent.insert(stamp, at);
    }

    fn at(&self, stamp: &str) -> Option<Instant> {
        let sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sent.get(stamp).copied()
    }
}

/// Sends the picture so many times a second, for so long, to `path`.
pub fn send(
    address: SocketAddr,
    path: &str,
    picture: &[u8],
    fps: u32,
    time: Duration,
    sent: &Sent,
) -> Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let kind = "multipart/x-mixed-replace;boundary=pictures";
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
        u64::MAX / 4
    )?;
    let (start, apart) = (Instant::now(), Duration::from_secs(1) / fps);
    let mut n = 0;
    while start.elapsed() < time {
        let due = start + apart * n;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
        // In milliseconds, as the server hands it on.
        let stamp = format!("{}.{:03}000", now.as_secs(), now.subsec_millis());
        let head = format!(
            "--pictures\r\nContent-Type: image/jpeg\r\nX-Timestamp: {stamp}\r\nContent-Length: {}\r\n\r\n",
            picture.len()
        );
        sent.note(stamp, Instant::now());
        // What ends a part is sent with it, so that nobody has to wait for the next one.
        stream.write_all(&[head.as_bytes(), picture, b"\r\n"].concat())?;
        n += 1;
    }
    Ok(())
}

/// Reads a stream for so long, and counts its bytes.
pub fn drain(address: SocketAddr, path: &str, time: Duration) -> Result<JoinHandle<u64>> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n")?;
    stream.set_read_timeout(Some(Duration::from_millis(500)))?;
    let start = Instant::now();
    Ok(thread::spawn(move || {
        let (mut n_bytes, mut buffer) = (0, vec![0; 1 << 18]);
        while start.elapsed() < time {
            match stream.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => n_bytes += n as u64,
                // Nothing has come for a while.
                Err(_) => {}
            }
        }
        n_bytes
    }))
}

/// What a viewer saw: how old each picture was when its last byte was there.
pub type Ages = Vec<Duration>;

/// Reads a stream of parts for so long. `bytes_a_second` is what its link takes, if it is a slow one.
pub fn view(
    address: SocketAddr,
    path: &str,
    time: Duration,
    sent: &Sent,
    bytes_a_second: Option<f64>,
) -> Result<JoinHandle<Result<Ages>>> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    if bytes_a_second.is_some() {
        // What a link doesn't take waits at its sender, not here.
        socket.set_recv_buffer_size(16 << 10)?;
    }
    socket.connect(&address.into())?;
    let mut stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    write!(
        stream,
        "GET {path} HTTP/1.0\r\nHost: {address}\r\nUser-Agent: bench\r\n\r\n"
    )?;
    let sent = sent.clone();
    Ok(thread::spawn(move || {
        let mut reader = BufReader::with_capacity(16 << 10, stream);
        let (start, mut ages, mut body) = (Instant::now(), Ages::new(), Vec::new());
        let mut n_read = 0.0;
        let mut line = String::new();
        while start.elapsed() < time {
            let (mut length, mut stamp) = (None, None);
            loop {
                line.clear();
                match reader.read_line(&mut line) {
                    Ok(0) | Err(_) => return Ok(ages),
                    Ok(_) => {}
                }
                let Some((name, value)) = line.trim().split_once(':') else {
                    if line.trim().is_empty() && length.is_some() {
                        break;
                    }
                    continue;
                };
                match name.to_ascii_lowercase().as_str() {
                    "content-length" => length = value.trim().parse::<usize>().ok(),
                    "x-timestamp" => stamp = Some(value.trim().to_owned()),
                    _ => {}
                }
            }
            body.resize(length.unwrap_or(0), 0);
            for piece in body.chunks_mut(4096) {
                reader.read_exact(piece)?;
                n_read += piece.len() as f64;
                if let Some(rate) = bytes_a_second {
                    let due = start + Duration::from_secs_f64(n_read / rate);
                    thread::sleep(due.saturating_duration_since(Instant::now()));
                }
            }
            // The picture that was there before the first one that is counted has no sender here.
            if let Some(at) = stamp.and_then(|stamp| sent.at(&stamp)) {
                ages.push(at.elapsed());
            }
        }
        Ok(ages)
    }))
}

/// The median and the 99th percentile, in milliseconds.
pub fn middle_and_worst(ages: &mut [Duration]) -> (f64, f64) {
    ages.sort_unstable();
    let at = |percent: usize| {
        let place = ages.len() * percent / 100;
        let age = ages.get(place.min(ages.len().saturating_sub(1)));
        age.map_or(f64::NAN, |age| age.as_secs_f64() * 1000.0)
    };
    (at(50), at(99))
}
