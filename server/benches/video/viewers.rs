//! Viewers that read an output to its last byte and count.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use super::Result;

/// A viewer; leaves when it is dropped.
pub struct Viewer {
    stream: TcpStream,
    n_bytes: Arc<AtomicU64>,
    /// What has come, where it is kept.
    kept: Arc<Mutex<Vec<u8>>>,
}

impl Viewer {
    /// Reads and counts.
    pub fn counting(address: SocketAddr, path: &str) -> Result<Self> {
        Self::start(address, path, false)
    }

    /// Reads and keeps everything.
    pub fn keeping(address: SocketAddr, path: &str) -> Result<Self> {
        Self::start(address, path, true)
    }

    fn start(address: SocketAddr, path: &str, keeps: bool) -> Result<Self> {
        let mut stream = TcpStream::connect(address)?;
        // HTTP/1.0: a body that is no chunks.
        write!(
            stream,
            "GET {path} HTTP/1.0\r\nHost: {address}\r\nUser-Agent: bench\r\n\r\n"
        )?;
        let n_bytes = Arc::<AtomicU64>::default();
        let kept = Arc::<Mutex<Vec<u8>>>::default();
        let (mut reader, count, keep) = (stream.try_clone()?, n_bytes.clone(), kept.clone());
        thread::spawn(move || {
            let mut buffer = vec![0; 256 << 10];
            while let Ok(n @ 1..) = reader.read(&mut buffer) {
                count.fetch_add(n as u64, Ordering::Relaxed);
                if keeps {
                    let mut kept = keep.lock().unwrap_or_else(PoisonError::into_inner);
                    kept.extend_from_slice(&buffer[..n]);
                }
            }
        });
        Ok(Self {
            stream,
            n_bytes,
            kept,
        })
    }

    /// The bytes so far, the head of the answer among them.
    pub fn bytes(&self) -> u64 {
        self.n_bytes.load(Ordering::Relaxed)
    }

    /// The body so far.
    pub fn body(&self) -> Vec<u8> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let head = kept.windows(4).position(|four| four == b"\r\n\r\n");
        head.map_or_else(Vec::new, |at| kept[at + 4..].to_vec())
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

/// The body that a request is answered by.
pub fn get(address: SocketAddr, path: &str) -> Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    write!(
        stream,
        "GET {path} HTTP/1.0\r\nHost: {address}\r\nUser-Agent: bench\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let head = head.ok_or_else(|| format!("{path} has no answer"))?;
    if !answer.starts_with(b"HTTP/1.0 200") && !answer.starts_with(b"HTTP/1.1 200") {
        return Err(format!("{path}: {}", String::from_utf8_lossy(&answer)).into());
    }
    Ok(answer[head + 4..].to_vec())
}

/// The pictures in a stream of H.264: slices that begin one.
pub fn pictures(annexb: &[u8]) -> usize {
    let begins = |w: &[u8]| w[..3] == [0, 0, 1] && matches!(w[3] & 31, 1 | 5) && w[4] & 0x80 != 0;
    annexb.windows(5).filter(|window| begins(window)).count()
}

/// What there is from the last key frame on: its parameters, and all that follow.
pub fn since_key(annexb: &[u8]) -> &[u8] {
    let key = annexb
        .windows(5)
        .rposition(|w| w[..4] == [0, 0, 0, 1] && w[4] & 31 == 7);
    key.map_or(annexb, |at| &annexb[at..])
}

#[test]
fn pictures_are_told_from_their_parts() {
    let one = [
        0, 0, 0, 1, 0x67, 9, 0, 0, 0, 1, 0x65, 0x88, 0, 0, 1, 0x65, 0x10,
    ];
    assert_eq!(pictures(&one), 1);
    assert_eq!(since_key(&[&[1, 2, 3], &one[..]].concat()), one);
}
