//! Photos that are no photos, and clients that misbehave. Each is skipped or refused with a
//! sentence; the stream goes on, and nobody else notices.

use std::time::Duration;

use crate::support::{
    eventually,
    http::{self, Stream},
    parts::Parts,
    photos::{Photos, broken, flat},
    pixels::{BLUE, GREEN, Picture, RED, YELLOW},
    server::{STANDING, Server},
};

/// The files that the server says it skipped, with its reasons.
fn skipped(server: &Server) -> Vec<(String, String)> {
    let list = server.get("/library/skipped").json();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("").to_owned();
    list["skipped"]
        .as_array()
        .unwrap_or_else(|| panic!("no list of skipped files: {list}"))
        .iter()
        .map(|file| (text(&file["file"]), text(&file["reason"])))
        .collect()
}

#[test]
fn broken_photos_are_skipped_and_told() {
    let photos = Photos::of(&[RED, GREEN]);
    let broken = broken();
    for (name, bytes) in &broken {
        photos.add(name, bytes);
    }
    let server = Server::start(photos.path(), &STANDING);
    let mut viewer = Parts::open(server.address, "/stream?paint=repeat");
    server.colour();
    eventually("all broken photos on the skipped page", || {
        // Whatever is found out only when a photo's turn comes is found out by its turn.
        server.command("next");
        let frame = viewer.part();
        let colour = Picture::from_jpeg(&frame.body)
            .expect("a whole frame")
            .middle();
        assert!(colour.is(RED) || colour.is(GREEN), "{colour:?}");
        let found = skipped(&server);
        let missing: Vec<&str> = broken
            .iter()
            .map(|(name, _)| *name)
            .filter(|name| !found.iter().any(|(path, _)| path.ends_with(name)))
            .collect();
        if missing.is_empty() {
            Ok(())
        } else {
            Err(format!("{missing:?} not among {found:?}"))
        }
    });
    let found = skipped(&server);
    assert_eq!(found.len(), broken.len(), "{found:?}");
    for (path, reason) in &found {
        assert!((4..300).contains(&reason.len()), "{path}: {reason:?}");
        assert!(!reason.contains("panicked"), "{path}: {reason:?}");
    }
    // A page for people.
    let html = "Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8\r\n";
    let page = http::request(server.address, "GET", "/library/skipped", html, "");
    assert!(
        page.head
            .get("content-type")
            .unwrap_or("")
            .starts_with("text/html")
    );
    assert!(page.text().contains("bomb.png"), "{}", page.text());
    // Both good photos still take turns.
    server.settle();
    let one = server.colour();
    let other = server.advance();
    assert_ne!(one, other);
}

#[test]
fn a_photo_cut_at_any_length_never_stops_the_stream() {
    let photos = Photos::of(&[BLUE]);
    let whole = flat(RED);
    let header = whole
        .windows(2)
        .position(|pair| pair == [0xFF, 0xDA])
        .expect("a scan");
    // Every eleventh length through the header, then a few through the scan.
    let lengths = (0..header)
        .step_by(11)
        .chain((header..whole.len()).step_by(whole.len() / 8));
    let mut n_files = 0;
    for length in lengths {
        photos.add(format!("cut-{length:06}.jpg"), &whole[..length]);
        n_files += 1;
    }
    let server = Server::start(photos.path(), &STANDING);
    let mut viewer = Parts::open(server.address, "/stream?paint=repeat");
    for _ in 0..12 {
        server.command("next");
        let picture = Picture::from_jpeg(&viewer.part().body).expect("a whole frame");
        assert_eq!((picture.width, picture.height), (640, 360));
    }
    let skipped = skipped(&server);
    assert!(skipped.len() <= n_files, "{skipped:?}");
    assert!(
        !skipped.iter().any(|(path, _)| path.ends_with("01.jpg")),
        "{skipped:?}"
    );
}

#[test]
fn a_folder_without_photos_is_served_and_watched() {
    let photos = Photos::none();
    photos.add("letter.txt", b"no picture");
    let server = Server::start(photos.path(), &STANDING);
    let status = server.get("/status").json();
    assert_eq!(status["library"]["photos"], 0, "{status}");
    // A picture that says so, in words: every client shows it.
    let picture = server.snapshot();
    assert_eq!((picture.width, picture.height), (640, 360));
    Parts::open(server.address, "/stream").part();
}

#[test]
fn a_client_that_never_reads_slows_nobody() {
    let photos = Photos::of(&[RED, GREEN, BLUE, YELLOW]);
    let server = Server::start(
        photos.path(),
        &[
            "--size",
            "640x360",
            "--interval",
            "1s",
            "--transition",
            "800ms",
            "--fps",
            "10",
        ],
    );
    let request = format!("GET /stream HTTP/1.1\r\nHost: {}\r\n\r\n", server.address);
    let sleepers: Vec<Stream> = (0..8)
        .map(|_| Stream::send(server.address, request.as_bytes()))
        .collect();
    let mut viewer = Parts::open(server.address, "/stream");
    for _ in 0..60 {
        let picture = Picture::from_jpeg(&viewer.part().body);
        picture.expect("a whole frame, whoever sleeps");
    }
    drop(sleepers);
    eventually("the sleepers to be gone from the status", || {
        let status = server.get("/status").json();
        if status["viewers"] == 1 {
            Ok(())
        } else {
            Err(status.to_string())
        }
    });
}

#[test]
fn a_request_may_come_byte_by_byte() {
    let photos = Photos::of(&[RED]);
    let server = Server::start(photos.path(), &STANDING);
    server.colour();
    let request = format!("GET /snapshot HTTP/1.1\r\nHost: {}\r\n\r\n", server.address);
    let mut stream = Stream::send(server.address, b"");
    for byte in request.as_bytes() {
        stream.write(&[*byte]).expect("to send a byte");
        std::thread::sleep(Duration::from_millis(3));
    }
    let head = stream.read_head();
    assert_eq!(head.status(), 200);
    let length = usize::try_from(head.number("content-length")).expect("a length");
    assert!(
        Picture::from_jpeg(&stream.exactly(length))
            .expect("a JPEG")
            .middle()
            .is(RED)
    );
}

#[test]
fn a_request_that_never_ends_is_closed() {
    let photos = Photos::of(&[RED]);
    let server = Server::start(photos.path(), &STANDING);
    let mut waiting = [
        Stream::send(server.address, b""),
        Stream::send(server.address, b"GET /snap"),
        Stream::send(
            server.address,
            b"GET /stream HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        ),
    ];
    for (i, stream) in waiting.iter_mut().enumerate() {
        assert!(
            stream.closed_within(Duration::from_secs(60)),
            "request {i} is still waited for"
        );
    }
}

#[test]
fn nonsense_gets_an_answer_or_a_close() {
    let photos = Photos::of(&[RED]);
    let server = Server::start(photos.path(), &STANDING);
    let long = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(1 << 20));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "X-A: b\r\n".repeat(5000));
    for bytes in [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".as_slice(),
        b"\r\n\r\n\r\n",
        b"BREW /pot HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /snapshot?size=%00%ff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"POST /control HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n{",
        long.as_bytes(),
        many.as_bytes(),
    ] {
        let start = String::from_utf8_lossy(&bytes[..bytes.len().min(50)]).into_owned();
        let mut stream = Stream::send(server.address, bytes);
        let answer = stream.peek_for(Duration::from_secs(1)).to_vec();
        let answer = String::from_utf8_lossy(&answer);
        assert!(!answer.starts_with("HTTP/1.1 5"), "{start:?}: {answer}");
        assert!(!answer.contains("root:"), "{start:?}: {answer}");
    }
    assert!(server.colour().is(RED));
}

#[test]
fn viewers_that_vanish_are_forgotten() {
    let photos = Photos::of(&[RED, GREEN]);
    let server = Server::start(
        photos.path(),
        &[
            "--size",
            "640x360",
            "--interval",
            "500ms",
            "--transition",
            "cut",
        ],
    );
    let mut stays = Parts::open(server.address, "/stream");
    for _ in 0..5 {
        let mut goes = Parts::open(server.address, "/stream");
        goes.part();
        let request = format!("GET /bytes HTTP/1.1\r\nHost: {}\r\n\r\n", server.address);
        drop(Stream::send(server.address, request.as_bytes()));
    }
    eventually("one viewer to be left", || {
        stays.part();
        let status = server.get("/status").json();
        if status["viewers"] == 1 {
            Ok(())
        } else {
            Err(status.to_string())
        }
    });
}

#[test]
fn more_connections_than_the_limit_are_told_so() {
    let photos = Photos::of(&[RED]);
    let mut args = STANDING.to_vec();
    args.extend(["--max-connections", "4"]);
    let server = Server::start(photos.path(), &args);
    let mut held: Vec<Parts> = (0..4)
        .map(|_| Parts::open(server.address, "/stream?paint=repeat"))
        .collect();
    let refused = server.get("/snapshot");
    assert_eq!(refused.status(), 503);
    let sentence = refused.text();
    assert!(
        sentence.contains("connections") && sentence.len() < 300,
        "{sentence:?}"
    );
    assert!(
        refused.head.get("retry-after").is_some(),
        "{:?}",
        refused.head
    );
    // Those who are in don't notice, and whoever leaves makes room.
    for parts in &mut held {
        parts.part();
    }
    held.pop();
    eventually("room for one more", || {
        match server.get("/snapshot").status() {
            200 => Ok(()),
            status => Err(status.to_string()),
        }
    });
}
