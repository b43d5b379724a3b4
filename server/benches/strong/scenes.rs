//! The scenes: what clients do, and what is read off meanwhile.

use std::{
    path::Path,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use crate::{
    Result,
    clients::{Asker, Manner, lateness, reset, view},
    process::Running,
};

fn mb(bytes: u64) -> u64 {
    bytes / 1_000_000
}

fn metric(asker: &mut Asker, name: &str) -> Result<u64> {
    let (_, body, _) = asker.get("/metrics")?;
    let text = String::from_utf8(body)?;
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
        .ok_or("no such metric")?;
    Ok(value.trim().parse()?)
}

/// 400 snapshots of their own size each, all given up.
pub fn resets(program: Option<&Path>, photos: &Path) -> Result<()> {
    const N: usize = 400;
    let server = Running::start(program, photos, &["--interval", "5s"])?;
    let address = server.address;
    let mut asker = Asker::new(address);
    asker.get("/snapshot?size=640x360")?;
    let end = Instant::now() + Duration::from_secs(60);
    let viewer = thread::spawn(move || lateness(address, "/bytes?size=1920x1080", end));
    thread::sleep(Duration::from_secs(6));
    let before = server.size("VmRSS")?;
    let flood = thread::spawn(move || {
        (0..N).try_for_each(|i| reset(address, &format!("/snapshot?size=3840x{}", 1000 + 8 * i)))
    });
    let (mut n_producers, mut peak) = (0, 0);
    while !flood.is_finished() {
        n_producers = n_producers.max(metric(&mut asker, "mantel_producers")?);
        peak = peak.max(server.size("VmRSS")?);
        thread::sleep(Duration::from_millis(20));
    }
    flood.join().map_err(|_| "the flood ended early")??;
    let (status, _, waited) = asker.get("/snapshot?size=1001x777")?;
    let mut standing = 0;
    while Instant::now() < end {
        let now = server.size("VmRSS")?;
        peak = peak.max(now);
        standing = now;
        thread::sleep(Duration::from_millis(100));
    }
    let late = viewer.join().map_err(|_| "the viewer ended early")??;
    println!(
        "resets: {N}; at most {n_producers} producers; {} MB before, {} MB more at the peak, {} MB more at the end; \
         the next new snapshot {status} after {waited:.2?}; {} slides beside them, the latest {} ms after its moment",
        mb(before),
        mb(peak.saturating_sub(before)),
        mb(standing.saturating_sub(before)),
        late.len(),
        late.iter().max().ok_or("no slide came")?,
    );
    Ok(())
}

/// Requests for snapshots in more sizes than there are places.
pub fn requests(program: Option<&Path>, photos: &Path, n: u64) -> Result<()> {
    const N_CLIENTS: u64 = 16;
    let server = Running::start(program, photos, &["--interval", "5s"])?;
    let (address, done) = (server.address, AtomicU64::new(0));
    let start = Instant::now();
    let answers = thread::scope(|clients| -> Result<Vec<(u16, Duration)>> {
        let clients: Vec<_> = (0..N_CLIENTS)
            .map(|client| {
                let done = &done;
                clients.spawn(move || -> std::io::Result<Vec<(u16, Duration)>> {
                    let mut asker = Asker::new(address);
                    let mut answers = Vec::new();
                    while done.fetch_add(1, Relaxed) < n {
                        let i = (client * 7 + answers.len() as u64) % 25;
                        let (width, height) = (400 + 40 * i, 300 + 20 * i);
                        let target = format!("/snapshot?size={width}x{height}");
                        let (status, _, waited) = asker.get(&target)?;
                        answers.push((status, waited));
                    }
                    Ok(answers)
                })
            })
            .collect();
        let mut answers = Vec::new();
        for client in clients {
            answers.extend(client.join().map_err(|_| "a client ended early")??);
        }
        Ok(answers)
    })?;
    let mut waits: Vec<_> = answers.iter().map(|(_, waited)| *waited).collect();
    waits.sort();
    let at = |percent: usize| waits[(waits.len() - 1) * percent / 100];
    println!(
        "requests: {} answers in {:.0?}, {} of them 200; half within {:.2?}, 99 % within {:.2?}, the slowest {:.2?}; \
         peak {} MB",
        answers.len(),
        start.elapsed(),
        answers.iter().filter(|(status, _)| *status == 200).count(),
        at(50),
        at(99),
        at(100),
        mb(server.size("VmHWM")?),
    );
    Ok(())
}

/// Viewers and snapshots that come and go, by the minute.
pub fn churn(program: Option<&Path>, photos: &Path, length: Duration) -> Result<()> {
    const SIZES: [&str; 9] = [
        "320x180", "480x270", "640x360", "640x480", "800x450", "800x600", "960x540", "1024x768",
        "1280x720",
    ];
    let options = [
        "--size",
        "640x480",
        "--interval",
        "5s",
        "--transition",
        "1s",
    ];
    let mut server = Running::start(program, photos, &options)?;
    let address = server.address;
    let start = Instant::now();
    let (mut n_joins, mut n_snapshots, mut clients) = (0usize, 0u64, Vec::new());
    println!("churn: minute, joins, snapshots, resident MB, of it private, in use, peak so far");
    let tell =
        |server: &mut Running, minute: u64, n_joins: usize, n_snapshots: u64| -> Result<()> {
            println!(
                "  {minute:>3} {n_joins:>6} {n_snapshots:>6} {:>5} {:>5} {:>5} {:>5}",
                mb(server.size("VmRSS")?),
                mb(server.size("RssAnon")?),
                server
                    .in_use()?
                    .map_or_else(|| "?".to_owned(), |bytes| mb(bytes).to_string()),
                mb(server.size("VmHWM")?)
            );
            Ok(())
        };
    tell(&mut server, 0, 0, 0)?;
    let mut asker = Asker::new(address);
    let mut minute = 0;
    while start.elapsed() < length {
        let manner = match n_joins % 5 {
            0 => Manner::Slow,
            1 => Manner::NeverReads,
            _ => Manner::Good,
        };
        let output = ["stream", "bytes"][n_joins % 2];
        let target = format!("/{output}?size={}", SIZES[n_joins * 5 % 9]);
        let end = Instant::now() + Duration::from_millis(2000 + 700 * (n_joins as u64 % 25));
        // Who is cut off for being slow has what it wanted.
        clients.push(thread::spawn(move || view(address, &target, manner, end)));
        n_joins += 1;
        if n_joins.is_multiple_of(2) {
            n_snapshots += 1;
            let target = format!("/snapshot?size={}", SIZES[n_joins * 7 % 9]);
            asker.get(&target)?;
        }
        clients.retain(|client| !client.is_finished());
        if start.elapsed().as_secs() / 60 > minute {
            minute += 1;
            tell(&mut server, minute, n_joins, n_snapshots)?;
        }
        thread::sleep(Duration::from_millis(250));
    }
    for client in clients {
        let _ = client.join();
    }
    // All have left: what stays after the linger of the last.
    thread::sleep(Duration::from_secs(45));
    tell(&mut server, minute + 1, n_joins, n_snapshots)
}
