//! What living with it costs: a search, a grid of thumbnails, a command until it shows, home automation, and less light.
//!
//! ```text
//! cargo xtask bench home
//! cargo bench -p mantel --bench home -- search thumbnails
//! ```
//!
//! Scenes: `search` (an index of 100,000 photos in 1,000 albums, by the library itself), `thumbnails` (of photos of 12
//! megapixels, with and without a preview inside, asked for by four clients), `command` (from the first byte of `next` to the
//! first of another slide, at `/bytes` and `/stream`), `mqtt` (what a connection to Mosquitto takes of memory), `dim` (how many
//! pictures are encoded for a change of light).
//!
//! The server is a process of its own. Loopback only. Linux only: it reads `/proc`.

#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark has a clock, files and processes of its own"
)]

use std::{
    error::Error,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use mantel::bench::LibraryBench;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const MANTEL: &str = env!("CARGO_BIN_EXE_mantel");
const SCENES: [&str; 5] = ["search", "thumbnails", "command", "mqtt", "dim"];

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let named = |scene: &str| words.iter().any(|word| word == scene);
    let wants = |scene: &str| !SCENES.into_iter().any(named) || named(scene);
    if wants("search") {
        search()?;
    }
    if wants("thumbnails") {
        thumbnails()?;
    }
    if wants("command") {
        command()?;
    }
    if wants("mqtt") {
        mqtt()?;
    }
    if wants("dim") {
        dim()?;
    }
    Ok(())
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// The median and the longest.
fn summary(mut times: Vec<Duration>) -> String {
    times.sort();
    let longest = times.last().copied().unwrap_or_default();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    format!("{:.1} ms, {:.1} at most", millis(median), millis(longest))
}

fn search() -> Result<()> {
    const N: u64 = 100_000;
    let folder = tempfile::tempdir()?;
    let bench = LibraryBench::fill(folder.path(), N)?;
    println!("search: {N} photos in 1,000 albums, the first 60 with all that is told of them");
    let start = Instant::now();
    bench.prepare_search();
    println!(
        "  all texts read, once, when a remote opens: {:.0} ms",
        millis(start.elapsed())
    );
    for words in [
        "",
        "album 17",
        "2014",
        "lisbon",
        "family",
        "sea 2010",
        "IMG_0077",
        "nothing like it",
        "holiday lisbon 2014",
    ] {
        let mut times = Vec::new();
        let mut n = 0;
        for _ in 0..9 {
            let start = Instant::now();
            n = bench.n_found(words, 60);
            times.push(start.elapsed());
        }
        println!("  {words:?}: {n} in {}", summary(times));
    }
    Ok(())
}

fn thumbnails() -> Result<()> {
    const N: usize = 240;
    const CLIENTS: usize = 4;
    for has_preview in [true, false] {
        let photos = tempfile::tempdir()?;
        let picture = photo(has_preview)?;
        for i in 0..N {
            std::fs::write(photos.path().join(format!("{i:04}.jpg")), &picture)?;
        }
        let server = Server::start(photos.path(), &["--interval", "1h"])?;
        server.await_photos(N)?;
        let mut line = Line::to(server.address)?;
        let mut ids = Vec::new();
        for offset in [0, 200] {
            let answer = line.get(&format!("/library/photos?n=200&offset={offset}"))?;
            let answer: serde_json::Value = serde_json::from_slice(&answer)?;
            let rows = answer["photos"].as_array().cloned().unwrap_or_default();
            ids.extend(
                rows.iter()
                    .filter_map(|row| row["photo"].as_str().map(str::to_owned)),
            );
        }
        let next = AtomicUsize::new(0);
        let take = || -> Result<()> {
            let mut line = Line::to(server.address)?;
            while let Some(id) = ids.get(next.fetch_add(1, Ordering::Relaxed)) {
                line.get(&format!("/library/thumbnail/{id}"))?;
            }
            Ok(())
        };
        let start = Instant::now();
        thread::scope(|scope| -> Result<()> {
            let takers: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(take)).collect();
            for taker in takers {
                taker.join().map_err(|_| "a client panicked")??;
            }
            Ok(())
        })?;
        let rate = ids.len() as f64 / start.elapsed().as_secs_f64();
        let kind = if has_preview { "with" } else { "without" };
        println!(
            "thumbnails: {} photos of 4000x3000, {} KB, {kind} a preview inside: {rate:.0} a second",
            ids.len(),
            picture.len() / 1000
        );
    }
    Ok(())
}

/// A photo of 12 megapixels, as cameras have them: with a preview of 160x120 in its EXIF.
fn photo(has_preview: bool) -> Result<Vec<u8>> {
    let encoded = |width: u16, height: u16, quality| -> Result<Vec<u8>> {
        let mut pixels = Vec::new();
        for y in 0..u32::from(height) {
            for x in 0..u32::from(width) {
                let (x, y) = (x * 4000 / u32::from(width), y * 4000 / u32::from(width));
                let noise = x
                    .wrapping_mul(2_654_435_761)
                    .wrapping_add(y.wrapping_mul(40_503))
                    >> 27;
                for channel in [x >> 4, y >> 4, (x + y) >> 5] {
                    pixels.push(u8::try_from((channel + noise) & 0xff)?);
                }
            }
        }
        let mut jpeg = Vec::new();
        let encoder = jpeg_encoder::Encoder::new(&mut jpeg, quality);
        encoder.encode(&pixels, width, height, jpeg_encoder::ColorType::Rgb)?;
        Ok(jpeg)
    };
    let whole = encoded(4000, 3000, 88)?;
    if !has_preview {
        return Ok(whole);
    }
    let small = encoded(160, 120, 80)?;
    // TIFF: no entry in the first directory, two in the second, and the preview behind.
    let mut tiff = b"II*\0\x08\0\0\0\0\0\x0e\0\0\0\x02\0".to_vec();
    for (tag, value) in [(0x0201_u16, 44_u32), (0x0202, u32::try_from(small.len())?)] {
        tiff.extend(tag.to_le_bytes());
        tiff.extend([4, 0, 1, 0, 0, 0]);
        tiff.extend(value.to_le_bytes());
    }
    tiff.extend([0; 4]);
    tiff.extend(&small);
    let length = u16::try_from(tiff.len() + 8)?;
    let head = [
        &[0xff, 0xd8, 0xff, 0xe1][..],
        &length.to_be_bytes(),
        b"Exif\0\0",
    ]
    .concat();
    Ok([&head, &tiff[..], &whole[2..]].concat())
}

fn command() -> Result<()> {
    let photos = tempfile::tempdir()?;
    let picture = photo(false)?;
    for i in 0..20 {
        std::fs::write(photos.path().join(format!("{i:02}.jpg")), &picture)?;
    }
    let more = ["--interval", "1h", "--transition", "cut"];
    let server = Server::start(photos.path(), &more)?;
    server.await_photos(20)?;
    for path in [
        "/bytes?size=1920x1080",
        "/stream?size=1920x1080&paint=plain",
    ] {
        let (sender, parts) = std::sync::mpsc::channel();
        let address = server.address;
        let path_of_it = path.to_owned();
        thread::spawn(move || -> Result<()> {
            let mut stream = BufReader::new(TcpStream::connect(address)?);
            write!(
                stream.get_mut(),
                "GET {path_of_it} HTTP/1.1\r\nHost: localhost\r\n\r\n"
            )?;
            let mut line = Vec::new();
            loop {
                line.clear();
                if stream.read_until(b'\n', &mut line)? == 0 {
                    return Ok(());
                }
                // A part begins; its picture follows within microseconds.
                if line.to_ascii_lowercase().starts_with(b"content-length:") {
                    sender.send(Instant::now())?;
                }
            }
        });
        thread::sleep(Duration::from_secs(3));
        let mut times = Vec::new();
        let mut line = Line::to(server.address)?;
        for _ in 0..15 {
            thread::sleep(Duration::from_millis(900));
            while parts.try_recv().is_ok() {}
            let start = Instant::now();
            line.post("/control", r#"{"command":"next"}"#)?;
            let came = parts.recv_timeout(Duration::from_secs(5))?;
            times.push(came.saturating_duration_since(start));
        }
        println!(
            "command: from `next` to another part at {path}: {}",
            summary(times)
        );
    }
    Ok(())
}

fn mqtt() -> Result<()> {
    let port = free_port()?;
    let folder = tempfile::tempdir()?;
    let conf = folder.path().join("conf");
    std::fs::write(
        &conf,
        format!("listener {port} 127.0.0.1\nallow_anonymous true\n"),
    )?;
    let broker = Command::new("mosquitto")
        .arg("-c")
        .arg(&conf)
        .stderr(Stdio::null())
        .spawn();
    let Ok(broker) = broker else {
        println!("LEFT OUT: mqtt, without mosquitto");
        return Ok(());
    };
    let _broker = Running(broker);
    thread::sleep(Duration::from_secs(1));
    let url = format!("mqtt://127.0.0.1:{port}");
    let photos = tempfile::tempdir()?;
    let mut figures = [Vec::new(), Vec::new()];
    for _ in 0..5 {
        for (kind, more) in [&[][..], &["--mqtt", &url]].into_iter().enumerate() {
            let server = Server::start(photos.path(), more)?;
            let mut line = Line::to(server.address)?;
            // Something to tell of.
            for _ in 0..10 {
                line.post("/control", r#"{"command":"next"}"#)?;
                thread::sleep(Duration::from_millis(300));
            }
            figures[kind].push(server.resident_mb()?);
        }
    }
    for figure in &mut figures {
        figure.sort_by(f64::total_cmp);
    }
    let (without, with) = (figures[0][2], figures[1][2]);
    println!(
        "mqtt: resident {without:.1} MB without, {with:.1} MB with: {:.1} MB more (medians of five)",
        with - without
    );
    Ok(())
}

fn dim() -> Result<()> {
    let photos = tempfile::tempdir()?;
    std::fs::write(photos.path().join("a.jpg"), photo(false)?)?;
    std::fs::write(photos.path().join("b.jpg"), photo(true)?)?;
    let more = ["--interval", "1h", "--transition", "cut"];
    let server = Server::start(photos.path(), &more)?;
    server.await_photos(2)?;
    let address = server.address;
    thread::spawn(move || -> Result<()> {
        let mut stream = TcpStream::connect(address)?;
        write!(
            stream,
            "GET /stream?size=1920x1080&paint=plain HTTP/1.1\r\nHost: localhost\r\n\r\n"
        )?;
        let mut sink = vec![0; 65536];
        while stream.read(&mut sink)? > 0 {}
        Ok(())
    });
    thread::sleep(Duration::from_secs(4));
    let count = || -> Result<u64> {
        let text = String::from_utf8(Line::to(address)?.get("/metrics")?)?;
        let found = text
            .lines()
            .find_map(|line| line.strip_prefix("mantel_encode_seconds_count "));
        Ok(found.ok_or("no count of encodes")?.trim().parse()?)
    };
    let mut steps = Vec::new();
    for mode in [
        "dim 80%", "dim 60%", "dim 40%", "dim 20%", "warm 20%", "dim 5%",
    ] {
        let before = count()?;
        Line::to(address)?.post(
            "/control",
            &format!(r#"{{"command":"night","mode":"{mode}"}}"#),
        )?;
        thread::sleep(Duration::from_secs(4));
        steps.push(count()? - before);
    }
    let before = count()?;
    thread::sleep(Duration::from_secs(20));
    let still = count()? - before;
    println!(
        "dim: pictures encoded for each of {} changes: {steps:?}; in 20 s while it stands: {still} (one stream watches)",
        steps.len()
    );
    Ok(())
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// A program that ends with this.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Server {
    address: SocketAddr,
    program: Running,
    _data: tempfile::TempDir,
}

impl Server {
    fn start(photos: &Path, more: &[&str]) -> Result<Self> {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let data = tempfile::tempdir()?;
        let child = Command::new(MANTEL)
            .args([
                "--listen",
                &address.to_string(),
                "--mdns",
                "off",
                "--data-dir",
            ])
            .arg(data.path())
            .args(more)
            .arg(photos)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let program = Running(child);
        for _ in 0..200 {
            if TcpStream::connect(address).is_ok() {
                return Ok(Self {
                    address,
                    program,
                    _data: data,
                });
            }
            thread::sleep(Duration::from_millis(50));
        }
        Err("the server does not start".into())
    }

    /// Waits until it knows so many photos.
    fn await_photos(&self, n: usize) -> Result<()> {
        for _ in 0..600 {
            let status: serde_json::Value =
                serde_json::from_slice(&Line::to(self.address)?.get("/status")?)?;
            if status["library"]["photos"] == n && status["library"]["scanning"] == false {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(200));
        }
        Err("the photos are not indexed in time".into())
    }

    fn resident_mb(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.program.0.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS"));
        let kib = line.and_then(|line| line.split_whitespace().nth(1));
        Ok(kib.ok_or("no VmRSS")?.parse::<f64>()? / 1024.0)
    }
}

/// A connection that is kept for one request after another.
struct Line(BufReader<TcpStream>);

impl Line {
    fn to(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    fn get(&mut self, path: &str) -> Result<Vec<u8>> {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"))
    }

    fn post(&mut self, path: &str, json: &str) -> Result<Vec<u8>> {
        self.ask(&format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{json}",
            json.len()
        ))
    }

    fn ask(&mut self, request: &str) -> Result<Vec<u8>> {
        self.0.get_mut().write_all(request.as_bytes())?;
        let mut head = String::new();
        while self.0.read_line(&mut head)? > 2 {}
        if !head.starts_with("HTTP/1.1 200") {
            return Err(format!("{request}: {head}").into());
        }
        let head = head.to_ascii_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"));
        let mut body = vec![0; length.ok_or("no length")?.trim().parse()?];
        self.0.read_exact(&mut body)?;
        Ok(body)
    }
}
