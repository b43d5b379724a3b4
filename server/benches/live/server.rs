//! A server in a process of its own, with live channels, and a bare loop to compare it with.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use tempfile::TempDir;

use super::Result;

/// A running program; killed when it is dropped.
pub struct Server {
    pub address: SocketAddr,
    child: Child,
    _folder: TempDir,
}

impl Server {
    /// Starts `program` with these channels in its configuration.
    pub fn start(program: &Path, channels: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let config = folder.path().join("mantel.toml");
        std::fs::write(&config, channels)?;
        let free = TcpListener::bind("127.0.0.1:0")?;
        let address = free.local_addr()?;
        drop(free);
        let child = Command::new(program)
            .arg("--config")
            .arg(&config)
            .arg("--data-dir")
            .arg(folder.path().join("data"))
            .args(["--listen", &address.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        for _ in 0..200 {
            if TcpStream::connect(address).is_ok() {
                return Ok(Self {
                    address,
                    child,
                    _folder: folder,
                });
            }
            thread::sleep(Duration::from_millis(50));
        }
        Err("the server does not start".into())
    }

    /// The processor time of its threads, by the scheduler's own count.
    pub fn cpu(&self) -> Result<Duration> {
        let mut nanos = 0;
        for task in std::fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let Ok(stat) = std::fs::read_to_string(task?.path().join("schedstat")) else {
                continue;
            };
            nanos += stat
                .split_whitespace()
                .next()
                .unwrap_or("0")
                .parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanos))
    }

    /// The memory that it holds, in megabytes.
    pub fn resident_mb(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS"));
        let kib = line.and_then(|line| line.split_whitespace().nth(1));
        Ok(kib.ok_or("no VmRSS")?.parse::<f64>()? / 1024.0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A loop that takes what one sender sends and writes it to `n_viewers`, one after the other, whole pieces at a time. It
/// understands as much of a picture as its head says of its length.
pub fn raw(n_viewers: usize) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || -> Result<()> {
        let mut viewers = Vec::new();
        let mut sender = None;
        while viewers.len() < n_viewers || sender.is_none() {
            let (stream, _) = listener.accept()?;
            stream.set_nodelay(true)?;
            let mut reader = BufReader::new(stream);
            let mut first = String::new();
            reader.read_line(&mut first)?;
            let mut line = String::new();
            while reader.read_line(&mut line)? > 2 {
                line.clear();
            }
            if first.starts_with("POST") {
                sender = Some(reader);
            } else {
                let mut stream = reader.into_inner();
                stream.write_all(b"HTTP/1.0 200 OK\r\n\r\n--raw\r\n")?;
                viewers.push(stream);
            }
        }
        let mut sender = sender.ok_or("nobody sends")?;
        let mut part = Vec::new();
        loop {
            part.clear();
            let mut length = 0;
            loop {
                let begun = part.len();
                if sender.read_until(b'\n', &mut part)? == 0 {
                    return Ok(());
                }
                let line = String::from_utf8_lossy(&part[begun..]).to_ascii_lowercase();
                if let Some(value) = line.strip_prefix("content-length:") {
                    length = value.trim().parse()?;
                }
                if line == "\r\n" && length > 0 {
                    break;
                }
            }
            let begun = part.len();
            part.resize(begun + length, 0);
            sender.read_exact(&mut part[begun..])?;
            for viewer in &mut viewers {
                // Viewers leave when they have seen enough.
                let _ = viewer.write_all(&part);
            }
        }
    });
    Ok(address)
}
