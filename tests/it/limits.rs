//! How much one may take: heads, bodies, requests, connections, time. Past each limit stands an
//! answer with a sentence, never a hang; and what can be read in two ways is not read at all.

use std::time::Duration;

use crate::support::{
    clients::left_out,
    eventually,
    http::{self, Head, Stream},
    parts::Parts,
    photos::Photos,
    pixels::{GREEN, RED},
    server::{STANDING, Server},
};

/// Longer than any limit that a test sets, shorter than a person's patience.
const PATIENCE: Duration = Duration::from_secs(20);

fn start(photos: &Photos, more: &[&str]) -> Server {
    let args: Vec<&str> = STANDING.iter().chain(more).copied().collect();
    Server::start(photos.path(), &args)
}

/// How often something was refused for this reason.
fn refusals(server: &Server, reason: &str) -> u64 {
    let metrics = server.get("/metrics").text();
    let row = metrics
        .lines()
        .find(|line| line.contains("refusals") && line.contains(&format!("reason=\"{reason}\"")))
        .unwrap_or_else(|| panic!("no {reason} in {metrics}"));
    let (_, n) = row.rsplit_once(' ').expect("a value");
    n.parse().expect("a whole number")
}

/// The head and the sentence of an answer after which the connection is closed.
fn last_words(stream: &mut Stream) -> (Head, String) {
    let head = stream.read_head();
    let body = stream.rest();
    (head, String::from_utf8_lossy(&body).into_owned())
}

#[test]
fn large_heads_are_answered_with_a_sentence() {
    let photos = Photos::of(&[RED]);
    let server = start(&photos, &[]);
    let megabyte = "a".repeat(1 << 20);
    for (what, request) in [
        (
            "a header",
            format!("GET / HTTP/1.1\r\nHost: localhost\r\nX-A: {megabyte}\r\n\r\n"),
        ),
        (
            "a cookie",
            format!("GET / HTTP/1.1\r\nHost: localhost\r\nCookie: {megabyte}\r\n\r\n"),
        ),
        (
            "many headers",
            format!(
                "GET / HTTP/1.1\r\nHost: localhost\r\n{}\r\n",
                "X-A: b\r\n".repeat(90_000)
            ),
        ),
        (
            "an address",
            format!("GET /{megabyte} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        ),
        (
            "a query",
            format!("GET /stream?{megabyte} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        ),
        (
            "a method",
            format!("{megabyte} / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        ),
    ] {
        let mut stream = Stream::send(server.address, request.as_bytes());
        let (head, sentence) = last_words(&mut stream);
        assert!(matches!(head.status(), 400 | 414 | 431), "{what}: {head:?}");
        assert!(
            sentence.len() > 20 && sentence.len() < 200,
            "{what}: {sentence:?}"
        );
        assert_eq!(head.get("connection"), Some("close"), "{what}");
    }
    assert!(refusals(&server, "large_head") >= 4);
    // A head that fits is no matter.
    let more = format!("X-A: {}\r\n", "a".repeat(6000));
    assert_eq!(
        http::request(server.address, "GET", "/healthz", &more, "").status(),
        200
    );
}

#[test]
fn a_larger_limit_of_heads_is_kept_too() {
    let photos = Photos::of(&[RED]);
    let server = start(&photos, &["--max-head", "20000"]);
    let of = |n: usize| {
        let more = format!("Cookie: {}\r\n", "a".repeat(n));
        http::request(server.address, "GET", "/healthz", &more, "").status()
    };
    assert_eq!(of(15_000), 200);
    assert_eq!(of(30_000), 431);
}

#[test]
fn slow_heads_and_slow_bodies_are_told_that_time_is_up() {
    let photos = Photos::of(&[RED]);
    let server = start(
        &photos,
        &["--head-timeout", "500ms", "--body-timeout", "500ms"],
    );
    let mut slow = Stream::send(
        server.address,
        b"GET /stream HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
    );
    let (head, sentence) = last_words(&mut slow);
    assert_eq!(head.status(), 408);
    assert!(sentence.contains("--head-timeout"), "{sentence}");
    let mut silent = Stream::send(server.address, b"");
    assert!(silent.closed_within(PATIENCE));
    // One that asks no more is closed without a word.
    let mut idle = Stream::send(
        server.address,
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    );
    let head = idle.read_head();
    idle.exactly(usize::try_from(head.number("content-length")).expect("a length"));
    assert_eq!(idle.rest(), b"");
    assert_eq!(refusals(&server, "slow_head"), 2);

    for (framing, rest) in [
        ("Content-Length: 100", "{"),
        ("Transfer-Encoding: chunked", "5\r\n{\"co"),
    ] {
        let request = format!(
            "POST /control HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{framing}\r\n\r\n{rest}"
        );
        let mut slow = Stream::send(server.address, request.as_bytes());
        let head = slow.read_head();
        assert_eq!(head.status(), 408, "{framing}");
        assert!(slow.closed_within(PATIENCE), "{framing}");
    }
    assert_eq!(refusals(&server, "slow_body"), 2);
    // A body that nobody reads is waited for by nobody.
    let request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n";
    let mut unread = Stream::send(server.address, request);
    assert_eq!(unread.read_head().status(), 200);
    assert!(unread.closed_within(PATIENCE));
}

#[test]
fn large_bodies_are_refused() {
    let photos = Photos::of(&[RED]);
    let server = start(&photos, &["--max-body", "2000"]);
    let body = "x".repeat(3000);
    let reply = http::request(server.address, "POST", "/control", "", &body);
    assert_eq!(reply.status(), 413);
    assert!(reply.text().contains("2000"), "{}", reply.text());
    assert_eq!(refusals(&server, "too_large"), 1);
    assert_eq!(server.command("next").status(), 200);
}

#[test]
fn a_connection_has_so_many_requests_and_says_when_it_was_the_last() {
    let photos = Photos::of(&[RED]);
    let server = start(&photos, &["--max-requests", "3"]);
    let mut stream = Stream::send(server.address, b"");
    for n in 1..=3 {
        stream
            .write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .expect("to ask");
        let head = stream.read_head();
        stream.exactly(usize::try_from(head.number("content-length")).expect("a length"));
        let is_last = head.get("connection") == Some("close");
        assert_eq!(is_last, n == 3, "request {n}");
    }
    assert!(stream.closed_within(PATIENCE));
}

#[test]
fn one_address_leaves_room_for_others() {
    let Some(own) = mantel::lan_address() else {
        return left_out("another address", "this machine has loopback alone", true);
    };
    let photos = Photos::of(&[RED]);
    let args: Vec<&str> = STANDING
        .iter()
        .chain(&["--public", "--max-connections-per-address", "3"])
        .copied()
        .collect();
    let any = std::net::SocketAddr::from(([0, 0, 0, 0], 0));
    let server = Server::start_again(any, photos.path(), &args);
    let port = server.address.port();
    let outside = std::net::SocketAddr::new(own, port);
    let mut held: Vec<Parts> = (0..3)
        .map(|_| Parts::open(outside, "/stream?paint=repeat"))
        .collect();
    let refused = http::get(outside, "/healthz");
    assert_eq!(refused.status(), 429);
    assert!(refused.head.number("retry-after") >= 1);
    assert!(
        refused.text().contains("--max-connections-per-address"),
        "{}",
        refused.text()
    );
    // Another one, which is this machine itself, notices nothing.
    let inside = std::net::SocketAddr::from(([127, 0, 0, 1], port));
    let viewers: Vec<Parts> = (0..5).map(|_| Parts::open(inside, "/stream")).collect();
    assert_eq!(viewers.len(), 5);
    for parts in &mut held {
        parts.part();
    }
    held.pop();
    eventually("a place", || {
        match http::get(outside, "/healthz").status() {
            200 => Ok(()),
            status => Err(status.to_string()),
        }
    });
}

#[test]
fn a_viewer_that_takes_nothing_is_cut_off_and_counted() {
    let photos = Photos::of(&[RED, GREEN]);
    let server = Server::start(
        photos.path(),
        &[
            "--size",
            "1280x720",
            "--interval",
            "1s",
            "--transition",
            "900ms",
            "--fps",
            "20",
            "--stall-timeout",
            "2s",
        ],
    );
    let request = "GET /stream?quality=100 HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let sleepers: Vec<Stream> = (0..3)
        .map(|_| Stream::send(server.address, request.as_bytes()))
        .collect();
    let mut viewer = Parts::open(server.address, "/stream?paint=repeat");
    eventually("the sleepers to be cut off", || {
        viewer.part();
        match refusals(&server, "stalled") {
            3 => Ok(()),
            n => Err(format!("{n} so far")),
        }
    });
    // Who takes what comes stays.
    for _ in 0..20 {
        viewer.part();
    }
    drop(sleepers);
}

/// Requests that a proxy in front might read in another way than we do, each with a second request in
/// its body: that one must never be answered.
#[test]
fn nothing_is_smuggled() {
    let photos = Photos::of(&[RED]);
    let server = start(&photos, &[]);
    let inner = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let n = inner.len();
    let chunk = format!("{n:x}\r\n{inner}\r\n0\r\n\r\n");
    for (what, head, body) in [
        (
            "both lengths",
            format!(
                "Content-Length: {}\r\nTransfer-Encoding: chunked\r\n",
                chunk.len()
            ),
            format!("0\r\n\r\n{inner}"),
        ),
        (
            "chunks, then a length",
            "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n".into(),
            chunk.clone(),
        ),
        (
            "two lengths",
            format!("Content-Length: 0\r\nContent-Length: {n}\r\n"),
            inner.into(),
        ),
        (
            "two equal lengths",
            format!("Content-Length: {n}\r\nContent-Length: {n}\r\n"),
            inner.into(),
        ),
        (
            "a list of lengths",
            format!("Content-Length: 0, {n}\r\n"),
            inner.into(),
        ),
        (
            "a signed length",
            format!("Content-Length: +{n}\r\n"),
            inner.into(),
        ),
        (
            "a negative length",
            format!("Content-Length: -{n}\r\n"),
            inner.into(),
        ),
        (
            "a length in hex",
            format!("Content-Length: 0x{n:x}\r\n"),
            inner.into(),
        ),
        (
            "an endless length",
            format!("Content-Length: 99999999999999999999999{n}\r\n"),
            inner.into(),
        ),
        (
            "an unknown coding",
            "Transfer-Encoding: xchunked\r\n".into(),
            chunk.clone(),
        ),
        (
            "two codings",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n".into(),
            chunk.clone(),
        ),
        (
            "chunked not last",
            "Transfer-Encoding: chunked, identity\r\n".into(),
            chunk.clone(),
        ),
        (
            "a space before the colon",
            format!("Content-Length : {n}\r\n"),
            inner.into(),
        ),
        (
            "a folded line",
            format!("X-A: b\r\n Content-Length: {n}\r\n"),
            inner.into(),
        ),
        (
            "a NUL",
            format!("X-A: \0\r\nContent-Length: {n}\r\n"),
            inner.into(),
        ),
        (
            "a bare CR",
            format!("X-A: b\rContent-Length: {n}\r\n"),
            inner.into(),
        ),
        (
            "a chunk's size that overflows",
            "Transfer-Encoding: chunked\r\n".into(),
            format!("fffffffffffffffff\r\n{inner}"),
        ),
        (
            "a chunk's negative size",
            "Transfer-Encoding: chunked\r\n".into(),
            format!("-1\r\n{inner}"),
        ),
    ] {
        let request = format!(
            "POST /control HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{head}\r\n{body}"
        );
        let mut stream = Stream::send(server.address, request.as_bytes());
        let answer = stream.peek_for(Duration::from_millis(1500)).to_vec();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(answer.starts_with("HTTP/1.1 4"), "{what}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{what}: {answer}");
        // `x-started-at` is what only the answer to the inner request has.
        assert!(!answer.contains("x-started-at"), "{what}: {answer}");
        assert!(
            stream.closed_within(PATIENCE),
            "{what}: the connection stays open"
        );
    }
    assert_eq!(server.get("/healthz").status(), 200);
}

#[test]
fn a_body_that_nobody_asked_for_is_no_request() {
    let photos = Photos::of(&[RED]);
    let server = start(&photos, &[]);
    let inner = "GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for method in ["GET", "HEAD", "OPTIONS", "DELETE"] {
        let request = format!(
            "{method} /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{inner}",
            inner.len()
        );
        let mut stream = Stream::send(server.address, request.as_bytes());
        let answer = stream.peek_for(Duration::from_millis(700)).to_vec();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{method}: {answer}");
        assert!(!answer.contains("uptime_seconds"), "{method}: {answer}");
    }
}

#[test]
fn no_path_leads_out_of_the_program() {
    let photos = Photos::of(&[RED]);
    let server = start(&photos, &[]);
    for path in [
        "/../../etc/passwd",
        "/..%2f..%2fetc%2fpasswd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/..\\..\\etc\\passwd",
        "//etc/passwd",
        "/etc/passwd",
        "/./index.html/../../../etc/passwd",
        "/index.html%00.js",
        "/%00",
        "/%",
        "/%ff%fe",
        "/tv/../../etc/passwd",
        "/tv/%2e%2e%2f%2e%2e",
        "/profiles/../../etc/passwd",
        "/library/skipped/../../../etc/passwd",
        "*",
        "/\u{e9}",
    ] {
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        let mut stream = Stream::send(server.address, request.as_bytes());
        let head = stream.read_head();
        let body = String::from_utf8_lossy(&stream.rest()).into_owned();
        assert!(matches!(head.status(), 400 | 404), "{path}: {head:?}");
        assert!(!body.contains("root:"), "{path}: {body}");
        assert!(body.len() < 3000, "{path}: {} bytes", body.len());
    }
}

#[test]
fn hundreds_of_half_open_connections_keep_nobody_out() {
    let photos = Photos::of(&[RED]);
    let server = start(&photos, &[]);
    let half: Vec<Stream> = (0..400)
        .map(|i| {
            let start: &[u8] = if i % 2 == 0 {
                b""
            } else {
                b"GET /stream HTTP/1.1\r\nHost: loc"
            };
            Stream::send(server.address, start)
        })
        .collect();
    let mut viewer = Parts::open(server.address, "/stream?paint=repeat");
    for _ in 0..3 {
        viewer.part();
    }
    assert!(server.get("/status").json()["connections"].as_u64() > Some(400));
    drop(half);
    eventually("their places to be free", || {
        viewer.part();
        let n = server.get("/status").json()["connections"].as_u64();
        if n < Some(10) {
            Ok(())
        } else {
            Err(format!("{n:?}"))
        }
    });
}
