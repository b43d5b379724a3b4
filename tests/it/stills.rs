//! `/bytes` and `/snapshot`: one picture a slide, with what a viewer has to know about it.

use mantel_shared::{Boundary, Collector, Limits};

use crate::{
    support::{
        http::{self, Stream},
        parts::Parts,
        photos::Photos,
        pixels::{BLUE, GREEN, RED, Rgb, YELLOW},
        server::{STANDING, Server},
    },
    wire::{QUIET, golden, is_timestamp},
};

const FOUR: [Rgb; 4] = [RED, GREEN, BLUE, YELLOW];

#[test]
fn bytes_head_is_exact() {
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    let parts = Parts::open(server.address, "/bytes");
    assert_eq!(
        golden(&parts.response, &[("date", "<date>")]),
        [
            "HTTP/1.1 200 OK",
            "cache-control: no-store, no-transform",
            // Not multipart, so that no proxy or browser takes it apart; the body's first line
            // says which boundary it has.
            "content-type: application/octet-stream",
            "date: <date>",
            "transfer-encoding: chunked",
            "x-accel-buffering: no",
            "x-content-type-options: nosniff",
        ]
    );
    assert!(
        Boundary::new(&parts.boundary).is_ok(),
        "{:?}",
        parts.boundary
    );
}

#[test]
fn bytes_sends_each_slide_once_and_ahead_of_its_moment() {
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    let mut parts = Parts::open(server.address, "/bytes");
    let (current, next) = (parts.part(), parts.part());
    for part in [&current, &next] {
        for name in ["X-Slide", "X-Show-At", "X-Sent-At", "X-Dwell-Ms"] {
            part.head.number(name);
        }
        assert_eq!(part.head.get("X-Transition"), Some("cut"));
        assert_eq!(part.head.get("Content-Type"), Some("image/jpeg"));
        assert!(part.head.get("X-Timestamp").is_some_and(is_timestamp));
    }
    assert!(current.head.number("X-Show-At") <= current.head.number("X-Sent-At"));
    assert!(next.head.number("X-Show-At") > next.head.number("X-Sent-At"));
    assert!(next.head.number("X-Slide") > current.head.number("X-Slide"));
    assert_eq!(
        parts.stream.peek_for(QUIET),
        b"",
        "more than the slide and its successor"
    );

    // `next` brings the pending slide again, to be shown now.
    server.command("next");
    let again = parts.part();
    assert_eq!(again.head.number("X-Slide"), next.head.number("X-Slide"));
    assert!(again.head.number("X-Show-At") < next.head.number("X-Show-At"));
    assert_eq!(again.body, next.body);
}

#[test]
fn bytes_announces_the_pause() {
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    let mut parts = Parts::open(server.address, "/bytes");
    let (current, next) = (parts.part(), parts.part());
    server.command("pause");
    let paused = parts.part();
    assert_eq!(paused.head.get("X-State"), Some("paused"));
    assert_eq!(
        paused.head.number("X-Slide"),
        current.head.number("X-Slide")
    );
    server.command("resume");
    let resumed = parts.part();
    assert_ne!(resumed.head.get("X-State"), Some("paused"));
    assert!(resumed.head.number("X-Slide") <= next.head.number("X-Slide"));
}

#[test]
fn the_decoder_reads_what_the_oracle_reads() {
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    let mut oracle = Parts::open(server.address, "/bytes");
    let wanted = [oracle.part(), oracle.part()];

    let request = format!("GET /bytes HTTP/1.1\r\nHost: {}\r\n\r\n", server.address);
    let mut stream = Stream::send(server.address, request.as_bytes());
    stream.read_head();
    let boundary = Boundary::new(&oracle.boundary).expect("a boundary");
    let mut collector = Collector::new(boundary, Limits::default());
    let mut found = Vec::new();
    while found.len() < wanted.len() {
        let chunk = stream.exactly(1000);
        collector
            .push(&chunk)
            .expect("what the server sends is well-formed");
        found.extend(std::iter::from_fn(|| collector.take()));
    }
    for (part, wanted) in found.iter().zip(&wanted) {
        assert_eq!(part.body, wanted.body);
        assert_eq!(
            part.head.meta.slide.map(|slide| slide.0),
            Some(wanted.head.number("X-Slide"))
        );
    }
}

#[test]
fn snapshot_has_an_etag_and_answers_304() {
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    server.colour();
    let reply = server.get("/snapshot");
    assert_eq!(reply.status(), 200);
    assert_eq!(reply.head.get("content-type"), Some("image/jpeg"));
    assert_eq!(reply.head.number("content-length"), reply.body.len() as u64);
    let etag = reply.head.get("etag").expect("an ETag").to_owned();
    assert!(
        etag.trim_start_matches("W/").starts_with('"') && etag.ends_with('"'),
        "{etag}"
    );

    let again = |tag: &str| {
        let more = format!("If-None-Match: {tag}\r\n");
        http::request(server.address, "GET", "/snapshot", &more, "")
    };
    let same = again(&etag);
    assert_eq!(same.status(), 304);
    assert_eq!(same.head.get("etag"), Some(etag.as_str()));
    assert!(same.body.is_empty());
    assert_eq!(
        again(&format!("\"other\", {etag}")).status(),
        304,
        "one of a list"
    );
    assert_eq!(again("\"other\"").status(), 200);

    server.advance();
    assert_eq!(again(&etag).status(), 200, "the tag of the slide before");
}
