//! The server in a process of its own, and what the kernel and its allocator say of it.
//!
//! `unsafe` because `mallinfo2` is a C function; it takes nothing and returns numbers.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use mantel::{
    Config,
    render::{Picture, Quality, encode},
};

use tempfile::TempDir;

use crate::Result;

/// Twelve photos of twelve megapixels, different everywhere, so that each takes what a real one takes.
pub fn make_photos(folder: &Path) -> Result<()> {
    const SIDES: (u32, u32) = (4000, 3000);
    for n in 0..12u32 {
        let mut picture = Picture::filled(SIDES.0, SIDES.1, [0; 3]);
        let mut state = n + 1;
        for (i, pixel) in picture.pixels_mut().chunks_exact_mut(3).enumerate() {
            // Noise of a few bits on a slope: 2 to 4 MB as a JPEG.
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let (x, y) = (i as u32 % SIDES.0, i as u32 / SIDES.0);
            let shade = (x / 20 + y / 15 + n * 20) % 220;
            let noise = state >> 28;
            pixel[0] = (shade + noise) as u8;
            pixel[1] = (220 - shade + noise) as u8;
            pixel[2] = (shade / 2 + noise) as u8;
        }
        let quality = Quality::new(88).ok_or("88 is a quality")?;
        fs::write(folder.join(format!("{n}.jpg")), encode(&picture, quality)?)?;
    }
    Ok(())
}

/// A server process, ended with the benchmark.
pub struct Running {
    child: Child,
    /// Where it is asked how much is in use; another program can't be.
    ask: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    _data: TempDir,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Running {
    /// Starts a server of `photos` with options as on the command line: this library's, or `program`.
    pub fn start(program: Option<&Path>, photos: &Path, options: &[&str]) -> Result<Self> {
        let data = tempfile::tempdir()?;
        let mut command = match program {
            Some(program) => {
                let mut command = Command::new(program);
                command.args(["--listen", "127.0.0.1:0"]);
                command
            }
            None => {
                let mut command = Command::new(std::env::current_exe()?);
                command.arg("--serve");
                command
            }
        };
        let mut child = command
            .arg("--data-dir")
            .arg(data.path())
            .arg(photos)
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut answers = BufReader::new(child.stdout.take().ok_or("no stdout")?);
        let ask = child.stdin.take().filter(|_| program.is_none());
        let address = loop {
            let mut line = String::new();
            if answers.read_line(&mut line)? == 0 {
                return Err("it did not say where it listens".into());
            }
            // A program says it in an address to open.
            let words = line.split(['/', ' ', '\n']);
            if let Some(address) = words.filter_map(|word| word.parse().ok()).next() {
                break address;
            }
        };
        Ok(Self {
            child,
            ask,
            answers,
            _data: data,
            address,
        })
    }

    /// Bytes that its allocator has given out and not got back, where it can be asked.
    pub fn in_use(&mut self) -> Result<Option<u64>> {
        let Some(ask) = &mut self.ask else {
            return Ok(None);
        };
        ask.write_all(b"\n")?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        Ok(Some(line.trim().parse()?))
    }

    /// A size of the process in bytes, such as `VmRSS` or `RssAnon`.
    pub fn size(&self, name: &str) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .ok_or("no such size")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves with the arguments given, tells its address, and for each line read how much memory is in use.
pub fn serve(arguments: &[String]) -> Result<()> {
    mantel::keep_heap_small();
    mantel::source::decoding::start(true);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    println!("{}", listener.local_addr()?);
    std::thread::spawn(|| {
        for _ in std::io::stdin().lines().map_while(std::result::Result::ok) {
            println!("{}", in_use());
        }
        // A benchmark that dies must not leave its server behind.
        std::process::exit(0);
    });
    let config = Config::from_args(arguments)?;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            mantel::run(config, listener, std::future::pending()).await?;
            Ok(())
        })
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn in_use() -> usize {
    // SAFETY: it takes no argument and returns numbers.
    #[allow(unsafe_code)]
    let info = unsafe { libc::mallinfo2() };
    info.uordblks + info.hblkhd
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn in_use() -> usize {
    0
}
