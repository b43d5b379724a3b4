//! A server in a process of its own, and what the kernel says of it and its children.

use std::{
    fs,
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use tempfile::TempDir;

use super::Result;

/// A running program; ended when it is dropped.
pub struct Server {
    pub address: SocketAddr,
    child: Child,
    _data: TempDir,
}

impl Server {
    /// Starts `program` with these options. Without a folder it shows the built-in pictures.
    pub fn start(program: &Path, options: &[&str]) -> Result<Self> {
        let data = tempfile::tempdir()?;
        let free = TcpListener::bind("127.0.0.1:0")?;
        let address = free.local_addr()?;
        drop(free);
        let child = Command::new(program)
            .args(["--listen", &address.to_string(), "--mdns", "off"])
            .arg("--data-dir")
            .arg(data.path().join("data"))
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        for _ in 0..200 {
            if TcpStream::connect(address).is_ok() {
                return Ok(Self {
                    address,
                    child,
                    _data: data,
                });
            }
            thread::sleep(Duration::from_millis(50));
        }
        Err("the server does not start".into())
    }

    /// The processor time of the server's threads and of those of its children.
    pub fn cpu(&self) -> Result<Duration> {
        let mut nanos = 0;
        for process in self.family()? {
            // An encoder may have ended between the list and here.
            let Ok(tasks) = fs::read_dir(format!("/proc/{process}/task")) else {
                continue;
            };
            for task in tasks {
                let stat = fs::read_to_string(task?.path().join("schedstat"));
                let first = stat.ok().and_then(|stat| {
                    let word = stat.split_whitespace().next()?;
                    word.parse::<u64>().ok()
                });
                nanos += first.unwrap_or(0);
            }
        }
        Ok(Duration::from_nanos(nanos))
    }

    /// The memory that the server holds, its children's beside it, in megabytes.
    pub fn resident_mb(&self) -> Result<f64> {
        let mut kib = 0.0;
        for process in self.family()? {
            let status = fs::read_to_string(format!("/proc/{process}/status"));
            let kept = status.ok().and_then(|status| {
                let line = status.lines().find(|line| line.starts_with("VmRSS"))?;
                line.split_whitespace().nth(1)?.parse::<f64>().ok()
            });
            kib += kept.unwrap_or(0.0);
        }
        Ok(kib / 1024.0)
    }

    fn family(&self) -> Result<Vec<u32>> {
        let own = self.child.id();
        let mut all = vec![own];
        for entry in fs::read_dir("/proc")? {
            let Some(id) = entry?.file_name().to_str().and_then(|id| id.parse().ok()) else {
                continue;
            };
            let Ok(stat) = fs::read_to_string(format!("/proc/{id}/stat")) else {
                continue;
            };
            let parent = stat.rsplit_once(") ").and_then(|(_, rest)| {
                let word = rest.split_whitespace().nth(1)?;
                word.parse::<u32>().ok()
            });
            if parent == Some(own) {
                all.push(id);
            }
        }
        Ok(all)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
