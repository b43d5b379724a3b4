//! Requests that are given up as soon as they are made, and viewers that take nothing: what they asked
//! for ends with them, and whoever watches notices nothing. Loopback only; each flood is bounded.

use std::{
    fs,
    io::Write as _,
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use socket2::SockRef;

use crate::support::{
    clients::left_out,
    eventually, http,
    parts::Parts,
    photos::{Photos, sized},
    pixels::{BLUE, GREEN, Picture, RED, YELLOW},
    server::{Program, program},
};

/// A number that /proc tells of a process, such as `Threads` or `VmRSS` (in kB).
fn told(id: u32, what: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).expect("a running process");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(what)?.strip_prefix(':'))
        .expect("a line of that name");
    let digits = line.trim().split(' ').next().expect("a word");
    digits.parse().expect("a number")
}

/// The value of a metric without labels.
fn metric(address: SocketAddr, name: &str) -> u64 {
    let text = http::get(address, "/metrics").text();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
        .unwrap_or_else(|| panic!("no {name} in {text}"));
    line.trim().parse().expect("a whole number")
}

/// Asks for `target` and resets the connection after a moment.
fn asked_and_reset(address: SocketAddr, target: &str) {
    let mut socket = TcpStream::connect(address).expect("to reach the server");
    let request = format!("GET {target} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    socket.write_all(request.as_bytes()).expect("to ask");
    std::thread::sleep(Duration::from_millis(4));
    // Closing sends a reset, not a FIN: nothing is owed to whoever left like that.
    SockRef::from(&socket)
        .set_linger(Some(Duration::ZERO))
        .expect("the option");
}

/// Photos of twelve megapixels: each takes a worker a while.
fn large_photos() -> Photos {
    let photos = Photos::none();
    for (i, colour) in [RED, GREEN, BLUE, YELLOW].into_iter().enumerate() {
        photos.add(format!("{i}.jpg"), &sized(4000, 3000, colour));
    }
    photos
}

#[test]
fn sizes_that_nobody_waits_for_are_not_made() {
    const LIMIT: u64 = 6;
    const N: usize = 300;
    let Some(program) = program() else { return };
    let photos = large_photos();
    let args = [
        "--max-renditions",
        "6",
        "--interval",
        "2s",
        "--transition",
        "cut",
    ];
    let server = Program::start(&program, photos.path(), &args);
    let (address, id) = (server.address, server.process.id());
    let mut viewer = Parts::open(address, "/bytes?size=640x360");
    viewer.part();
    let before = told(id, "VmRSS");
    let flood = std::thread::spawn(move || {
        for i in 0..N {
            let height = 1000 + 8 * (i % 145);
            let fit = ["blur", "contain", "cover"][i / 145];
            asked_and_reset(address, &format!("/snapshot?size=3840x{height}&fit={fit}"));
        }
    });
    let (mut most_producers, mut most_memory) = (0, 0);
    while !flood.is_finished() {
        most_producers = most_producers.max(metric(address, "mantel_producers"));
        most_memory = most_memory.max(told(id, "VmRSS"));
        std::thread::sleep(Duration::from_millis(20));
    }
    flood.join().expect("the flood itself is no failure");
    assert!(most_producers <= LIMIT, "{most_producers} producers");

    // A size that nobody asked for before, at once and whole.
    let reply = http::get(address, "/snapshot?size=1001x777");
    assert_eq!(reply.status(), 200, "{}", reply.text());
    Picture::from_jpeg(&reply.body).expect("a whole picture");
    // The viewer's slides: each is there before it is to be shown.
    let mut slides = Vec::new();
    while slides.len() < 4 {
        let part = viewer.part();
        Picture::from_jpeg(&part.body).expect("a whole slide");
        let (at, sent) = (part.head.number("x-show-at"), part.head.number("x-sent-at"));
        slides.push((part.head.number("x-slide"), sent.saturating_sub(at)));
    }
    assert!(
        slides.iter().all(|(_, late)| *late <= 500),
        "slides, and by how many ms they came late: {slides:?}"
    );
    let grown = most_memory.max(told(id, "VmRSS")).saturating_sub(before) / 1024;
    let _ = writeln!(
        std::io::stderr(),
        "resets: {N}, at most {most_producers} producers, {grown} MB more"
    );
    assert!(grown <= 300, "{grown} MB more");
    eventually("the workers to be free again", || {
        match metric(address, "mantel_decode_memory_bytes") {
            0 => Ok(()),
            n => Err(format!("{n} bytes are being decoded")),
        }
    });
}

#[test]
fn choices_that_nobody_waits_for_cost_no_threads() {
    const N: usize = 400;
    let Some(program) = program() else { return };
    let photos = Photos::of(&[RED, GREEN, BLUE, YELLOW]);
    let server = Program::start(&program, photos.path(), &["--interval", "1s"]);
    let (address, id) = (server.address, server.process.id());
    let mut viewer = Parts::open(address, "/stream?size=320x180&paint=repeat");
    viewer.part();
    let before = told(id, "Threads");
    let mut most = 0;
    for i in 0..N {
        asked_and_reset(address, &format!("/snapshot?newest={}&size=320x180", i + 1));
        if i % 20 == 0 {
            most = most.max(told(id, "Threads"));
            viewer.part();
        }
    }
    assert!(most <= before + 24, "{most} threads, {before} before");
    eventually("a place for a choice", || {
        match http::get(address, "/snapshot?newest=2&size=320x180").status() {
            200 => Ok(()),
            status => Err(status.to_string()),
        }
    });
}

#[test]
fn viewers_that_take_nothing_hold_no_more_than_their_budget() {
    const N: usize = 24;
    if cfg!(not(target_os = "linux")) {
        left_out(
            "viewers that take nothing",
            "sockets are full later here",
            false,
        );
        return;
    }
    let Some(program) = program() else { return };
    let photos = Photos::none();
    for (i, colour) in [RED, GREEN, BLUE, YELLOW].into_iter().enumerate() {
        let grainy = crate::support::photos::grained(colour, 90);
        photos.add(format!("{i}.jpg"), &grainy);
    }
    // Several frames, so that the reader below is not slow by being late once.
    let args = [
        "--slow-viewer-memory",
        "4",
        "--size",
        "1920x1080",
        "--quality",
        "95",
        "--interval",
        "1s",
        "--transition",
        "500ms",
        "--fps",
        "10",
    ];
    let server = Program::start(&program, photos.path(), &args);
    let address = server.address;
    let mut viewer = Parts::open(address, "/stream?paint=repeat");
    let n_bytes = viewer.part().body.len();
    assert!(
        n_bytes > 100_000,
        "frames of {n_bytes} bytes don't fill a socket"
    );
    let cut = || {
        let text = http::get(address, "/metrics").text();
        let line = text
            .lines()
            .find(|line| line.contains("\"memory\""))
            .expect("a reason");
        let n = line.rsplit(' ').next().expect("a value");
        n.parse::<u64>().expect("a number")
    };
    // They join one after the other, so that each is stuck in another frame.
    let request = format!("GET /stream HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let _stuck: Vec<http::Stream> = (0..N)
        .map(|_| {
            let stuck = http::Stream::send(address, request.as_bytes());
            Picture::from_jpeg(&viewer.part().body).expect("a whole frame, whoever is stuck");
            stuck
        })
        .collect();
    eventually("who is stuck to be cut off", || {
        viewer.part();
        if cut() >= 4 {
            Ok(())
        } else {
            Err(format!("{} were", cut()))
        }
    });
    for _ in 0..10 {
        Picture::from_jpeg(&viewer.part().body).expect("a whole frame, whoever was cut off");
    }
}
