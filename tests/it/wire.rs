//! What goes over the wire, byte for byte: response heads, part heads, framing in every paint
//! mode, conditional requests, and the sentences for bad ones.

use std::time::Duration;

use mantel_shared::{Boundary, Collector, Limits};

use crate::support::eventually;
use crate::support::http::{self, Head, Parts, Stream};
use crate::support::photos::{Photos, oriented};
use crate::support::pixels::{BLUE, GREEN, JpegFacts, Picture, RED, Rgb, YELLOW};
use crate::support::server::{STANDING, Server};

const FOUR: [Rgb; 4] = [RED, GREEN, BLUE, YELLOW];

/// Longer than the server needs to send what it has, shorter than anything it sends on a timer
/// that a test waits for. Only for "nothing came": too short can't fail a right server.
const QUIET: Duration = Duration::from_millis(600);

/// Header lines in a fixed order, names in lower case, what differs each time replaced.
fn golden(head: &Head, replace: &[(&str, &str)]) -> Vec<String> {
    let mut lines: Vec<String> = head
        .lines
        .iter()
        .map(|line| match line.split_once(": ") {
            Some((name, value)) => {
                let name = name.to_ascii_lowercase();
                let known = replace.iter().find(|(key, _)| *key == name);
                format!("{name}: {}", known.map_or(value, |(_, instead)| instead))
            }
            None => line.clone(),
        })
        .collect();
    lines[1..].sort();
    lines
}

/// Whether `value` is `seconds.micros`, the form that mjpg-streamer made usual.
fn is_timestamp(value: &str) -> bool {
    value.split_once('.').is_some_and(|(seconds, micros)| {
        micros.len() == 6
            && !seconds.is_empty()
            && seconds
                .bytes()
                .chain(micros.bytes())
                .all(|byte| byte.is_ascii_digit())
    })
}

#[test]
fn stream_head_is_exact() {
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    let parts = Parts::open(server.address, "/stream");
    let boundary = parts.boundary.clone();
    assert_eq!(
        golden(&parts.response, &[("date", "<date>")]),
        [
            "HTTP/1.1 200 OK".to_owned(),
            "cache-control: no-store, no-transform".to_owned(),
            // The boundary is the first parameter: Firefox reads no other.
            format!("content-type: multipart/x-mixed-replace; boundary={boundary}"),
            "date: <date>".to_owned(),
            "transfer-encoding: chunked".to_owned(),
            "x-accel-buffering: no".to_owned(),
            "x-content-type-options: nosniff".to_owned(),
        ]
    );
    assert!(boundary.len() >= 16, "photos could contain {boundary:?}");
    assert!(
        boundary.len() <= 70,
        "RFC 2046 allows 70, ffmpeg 72: {boundary:?}"
    );
}

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
fn stream_part_heads_are_exact() {
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    let mut parts = Parts::open(server.address, "/stream?paint=repeat");
    for _ in 0..3 {
        let part = parts.part();
        let timestamp = part.head.get("x-timestamp").unwrap_or("").to_owned();
        assert!(is_timestamp(&timestamp), "{timestamp:?}");
        assert_eq!(
            part.head.lines,
            [
                "Content-Type: image/jpeg".to_owned(),
                format!("Content-Length: {}", part.body.len()),
                format!("X-Timestamp: {timestamp}"),
            ]
        );
        // ffmpeg reads header lines of fewer than 128 bytes.
        assert!(part.head.lines.iter().all(|line| line.len() < 128));
    }
}

#[test]
fn advance_promises_the_next_frame_and_keeps_its_word() {
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    let mut parts = Parts::open(server.address, "/stream?paint=advance");
    let first = parts.part();
    let shown = Picture::from_jpeg(&first.body).expect("a JPEG").middle();
    assert!(shown.named().is_some(), "{shown:?}");
    // The whole head of the next part is there though the next slide is two hours away.
    let mut promised = parts.head();
    assert_eq!(
        parts.stream.peek_for(QUIET),
        b"",
        "the next frame came before its moment"
    );

    for command in ["next", "previous", "previous", "next"] {
        let wanted = server.step(command);
        let mut seen = Vec::new();
        while seen.last() != Some(&wanted) {
            assert!(
                seen.len() < 4,
                "after {command}, {wanted:?} did not come: {seen:?}"
            );
            // Fails when the length is not the promised one.
            let body = parts.body(&promised);
            let colour = Picture::from_jpeg(&body).expect("a JPEG").middle();
            seen.push(colour.named().unwrap_or(colour));
            promised = parts.head();
        }
    }
}

#[test]
fn a_stream_ends_with_what_was_promised_and_nothing_more() {
    let photos = Photos::of(&FOUR);
    for (paint, is_owed) in [("advance", true), ("repeat", false), ("plain", false)] {
        let server = Server::start(photos.path(), &STANDING);
        let mut parts = Parts::open(server.address, &format!("/stream?paint={paint}"));
        parts.part();
        let promised = is_owed.then(|| parts.head());
        server.stop().expect("a server that ends well");
        if let Some(promised) = promised {
            let body = parts.body(&promised);
            Picture::from_jpeg(&body).expect("the frame that was promised");
        }
        // A close-delimiter after a delimiter would be an empty part, on which browsers go blank.
        // Repeats may have been on their way.
        let rest = parts.stream.rest();
        let is_blank = String::from_utf8_lossy(&rest).contains(&format!("{}--", parts.boundary));
        assert!(
            !is_blank && (paint == "repeat" || rest.is_empty()),
            "{paint}: {} bytes",
            rest.len()
        );
    }
}

#[test]
fn plain_ends_with_the_delimiter_alone() {
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    let mut parts = Parts::open(server.address, "/stream?paint=plain");
    parts.part();
    assert_eq!(
        parts.stream.peek_for(QUIET),
        b"",
        "something after the delimiter"
    );
    let wanted = server.advance();
    let part = parts.part();
    assert!(
        Picture::from_jpeg(&part.body)
            .expect("a JPEG")
            .middle()
            .is(wanted)
    );
}

#[test]
fn repeat_sends_the_standing_frame_again() {
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    let mut parts = Parts::open(server.address, "/stream?paint=repeat");
    let first = parts.part();
    for _ in 0..2 {
        assert_eq!(
            parts.part().body,
            first.body,
            "another picture while the slide stands"
        );
    }
}

#[test]
fn auto_repeats_for_players_and_promises_to_browsers() {
    const VLC: &str = "User-Agent: VLC/3.0.23 LibVLC/3.0.23\r\n";
    const CHROME: &str = "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 \
                          (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36\r\n";
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);

    let mut vlc = Parts::open_as(server.address, "/stream", VLC);
    let first = vlc.part();
    assert_eq!(vlc.part().body, first.body);

    let mut chrome = Parts::open_as(server.address, "/stream", CHROME);
    chrome.part();
    chrome.head();
    assert_eq!(
        chrome.stream.peek_for(QUIET),
        b"",
        "a frame before its moment"
    );

    // The query is the last word, since proxies hide who is behind them.
    let mut forced = Parts::open_as(server.address, "/stream?paint=plain", CHROME);
    forced.part();
    assert_eq!(
        forced.stream.peek_for(QUIET),
        b"",
        "something after the delimiter"
    );
}

#[test]
fn every_frame_of_a_stream_is_alike_and_bare() {
    let photos = Photos::of(&[RED, GREEN]);
    for orientation in [3, 6] {
        photos.add(format!("turned-{orientation}.jpg"), &oriented(orientation));
    }
    let server = Server::start(
        photos.path(),
        &[
            "--size",
            "640x360",
            "--interval",
            "1s",
            "--transition",
            "500ms",
            "--fps",
            "8",
        ],
    );
    let mut parts = Parts::open(server.address, "/stream");
    for i in 0..24 {
        let part = parts.part();
        let facts = JpegFacts::read(&part.body).unwrap_or_else(|why| panic!("frame {i}: {why}"));
        assert_eq!(
            facts,
            JpegFacts {
                baseline: true,
                is_420: true,
                width: 640,
                height: 360,
                has_metadata: false,
                n_end_markers: 1,
            },
            "frame {i}"
        );
        Picture::from_jpeg(&part.body).unwrap_or_else(|why| panic!("frame {i}: {why}"));
    }
}

#[test]
fn stream_blends_between_slides() {
    let photos = Photos::of(&[RED, BLUE]);
    let server = Server::start(
        photos.path(),
        &[
            "--size",
            "640x360",
            "--interval",
            "2s",
            "--transition",
            "1s",
            "--fps",
            "10",
        ],
    );
    let mut parts = Parts::open(server.address, "/stream");
    let (mut n_red, mut n_blue, mut n_blends) = (0, 0, 0);
    for _ in 0..60 {
        let colour = Picture::from_jpeg(&parts.part().body)
            .expect("a JPEG")
            .middle();
        assert!(
            colour.between(RED, BLUE, 20),
            "{colour:?} lies outside red and blue"
        );
        match colour.named() {
            Some(RED) => n_red += 1,
            Some(BLUE) => n_blue += 1,
            _ => n_blends += 1,
        }
        if n_red > 0 && n_blue > 0 && n_blends >= 3 {
            return;
        }
    }
    panic!("{n_red} red, {n_blue} blue, {n_blends} between");
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

#[test]
fn mjpg_streamer_clients_are_served() {
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    let colour = server.colour();
    // OctoPrint appends a cache-buster.
    for target in ["/?action=snapshot", "/?action=snapshot&_1699999999"] {
        let reply = server.get(target);
        assert_eq!(reply.status(), 200, "{target}");
        assert!(
            Picture::from_jpeg(&reply.body)
                .expect("a JPEG")
                .middle()
                .is(colour)
        );
    }
    for target in ["/?action=stream", "/?action=stream&1699999999"] {
        let mut parts = Parts::open(server.address, target);
        let kind = parts.response.get("content-type").unwrap_or("");
        assert!(
            kind.starts_with("multipart/x-mixed-replace; boundary="),
            "{kind}"
        );
        assert!(
            Picture::from_jpeg(&parts.part().body)
                .expect("a JPEG")
                .middle()
                .is(colour)
        );
    }
}

#[test]
fn query_gives_the_rendition() {
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    let colour = server.colour();
    for endpoint in ["/snapshot", "/stream", "/bytes"] {
        let target = format!("{endpoint}?size=1280x720&fit=cover&quality=60");
        let body = if endpoint == "/snapshot" {
            server.get(&target).body
        } else {
            Parts::open(server.address, &target).part().body
        };
        let picture = Picture::from_jpeg(&body).expect("a JPEG");
        assert_eq!((picture.width, picture.height), (1280, 720), "{target}");
        assert!(picture.middle().is(colour), "{target}");
    }
}

#[test]
fn unknown_query_keys_are_ignored_and_bad_values_refused_with_a_sentence() {
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    server.colour();
    for query in [
        "?cachebuster=1",
        "?_",
        "?&&",
        "?=",
        "?%20=%zz",
        "?size=640x360&nocache",
    ] {
        assert_eq!(
            server.get(&format!("/snapshot{query}")).status(),
            200,
            "{query}"
        );
    }
    for (key, value) in [
        ("size", "0x0"),
        ("size", "640"),
        ("size", "-1x5"),
        ("size", "640xx360"),
        ("size", "99999999999999999999x1"),
        ("fit", "squeeze"),
        ("quality", "0"),
        ("quality", "101"),
        ("quality", "good"),
        ("fps", "0"),
        ("fps", "-3"),
        ("transition", "soon"),
        ("paint", "oil"),
        ("channel", "no-such-channel"),
    ] {
        for endpoint in ["/snapshot", "/stream", "/bytes"] {
            let target = format!("{endpoint}?{key}={value}");
            let reply = server.get(&target);
            let allowed: &[u16] = if key == "channel" {
                &[400, 404]
            } else {
                &[400]
            };
            assert!(
                allowed.contains(&reply.status()),
                "{target}: {}",
                reply.status()
            );
            assert_sentence(&target, &reply.text(), key);
        }
    }
}

/// A refusal for people: short, one line, plain text, and it names what was wrong.
fn assert_sentence(what: &str, text: &str, names: &str) {
    let text = text.trim();
    assert!((10..400).contains(&text.len()), "{what}: {text:?}");
    assert!(
        text.contains(names),
        "{what}: {text:?} does not name {names}"
    );
    assert!(!text.contains('\n'), "{what}: {text:?}");
    for leak in ["Error {", "Err(", "panicked", "src/"] {
        assert!(!text.contains(leak), "{what}: {text:?}");
    }
}

#[test]
fn bad_control_messages_are_refused_with_a_sentence() {
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    let before = server.colour();
    for json in [
        "",
        "{",
        "next",
        "[]",
        "null",
        "{\"command\":7}",
        "{\"command\":\"explode\"}",
        "{\"cmd\":\"next\"}",
        "{\"command\":\"show\"}",
        "\u{FEFF}\u{0}",
    ] {
        let reply = http::control(server.address, json);
        assert_eq!(reply.status(), 400, "{json:?}: {}", reply.text());
        assert_sentence(json, &reply.text(), "");
    }
    let nested = "[".repeat(20_000);
    assert!(matches!(
        http::control(server.address, &nested).status(),
        400 | 413
    ));
    let huge = format!("{{\"command\":\"{}\"}}", "x".repeat(1 << 20));
    assert!(matches!(
        http::control(server.address, &huge).status(),
        400 | 413
    ));
    assert_eq!(server.get("/control").status(), 405);
    assert_eq!(
        server.colour(),
        before,
        "a refused command changed the picture"
    );
}

#[test]
fn control_replies_with_the_new_state() {
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    let first = server.colour();
    let reply = server.command("pause").json();
    assert_eq!(reply["paused"], true, "{reply}");
    let reply = server.command("resume").json();
    assert_eq!(reply["paused"], false, "{reply}");
    server.advance();
    assert_eq!(server.step("previous"), first);
    let channel = server.get("/status").json()["channel"].clone();
    let place = |slide: &str| {
        let names = ["01.jpg", "02.jpg", "03.jpg", "04.jpg"];
        names
            .iter()
            .position(|name| channel[slide]["name"] == *name)
            .expect("a photo's name")
    };
    assert_eq!(
        place("next"),
        (place("slide") + 1) % FOUR.len(),
        "{channel}"
    );
}

#[test]
fn control_shows_the_photo_asked_for() {
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    server.colour();
    // Ids are what `/status` calls photos; go round once to learn them all.
    let mut ids = std::collections::HashMap::new();
    for _ in 0..FOUR.len() {
        let slide = server.get("/status").json()["channel"]["slide"].clone();
        let id = slide["photo"].as_str().expect("an id").to_owned();
        ids.insert(slide["name"].as_str().expect("a name").to_owned(), id);
        server.advance();
    }
    for (name, wanted) in [("04.jpg", YELLOW), ("02.jpg", GREEN), ("03.jpg", BLUE)] {
        let json = format!("{{\"command\":\"show\",\"photo\":\"{}\"}}", ids[name]);
        let reply = http::control(server.address, &json);
        assert_eq!(reply.status(), 200, "{}", reply.text());
        eventually(&format!("{name}, which was asked for"), || {
            let now = server.colour();
            if now == wanted {
                Ok(())
            } else {
                Err(format!("{now:?}"))
            }
        });
    }
    let reply = http::control(
        server.address,
        r#"{"command":"show","photo":"ffffffffffffffff"}"#,
    );
    assert!(
        matches!(reply.status(), 400 | 404),
        "{}: {}",
        reply.status(),
        reply.text()
    );
    assert_sentence("show", &reply.text(), "photo");
}

#[test]
fn status_tells_what_is_going_on() {
    let photos = Photos::of(&FOUR);
    photos.add("broken.jpg", b"not a picture");
    let server = Server::start(photos.path(), &STANDING);
    server.colour();
    let viewer = Parts::open(server.address, "/stream");
    let status = eventually("one viewer in the status", || {
        let status = server.get("/status").json();
        if status["viewers"] == 1 {
            Ok(status)
        } else {
            Err(status.to_string())
        }
    });
    drop(viewer);
    let channel = &status["channel"];
    assert_eq!(channel["name"], "main", "{status}");
    assert_eq!(channel["paused"], false, "{status}");
    assert_eq!(channel["interval_millis"], 7_200_000, "{status}");
    let next = channel["next_change_millis"].as_u64().expect("a time");
    assert!(
        next > status["now_millis"].as_u64().expect("a time"),
        "{status}"
    );
    let number = |slide: &serde_json::Value| slide["number"].as_u64().expect("a number");
    assert!(
        number(&channel["next"]) > number(&channel["slide"]),
        "{status}"
    );
    assert_eq!(status["library"]["photos"], 4, "{status}");
    assert_eq!(status["library"]["skipped"], 1, "{status}");
    assert_eq!(status["library"]["scanning"], false, "{status}");
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"), "{status}");
    eventually("the viewer to be gone from the status", || {
        let status = server.get("/status").json();
        if status["viewers"] == 0 {
            Ok(())
        } else {
            Err(status.to_string())
        }
    });
}

#[test]
fn health_is_answered_and_the_unknown_is_not_found() {
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    assert_eq!(server.get("/healthz").status(), 200);
    assert_eq!(server.get("/no/such/thing").status(), 404);
}

#[test]
fn head_and_options_are_answered() {
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    server.colour();
    for target in ["/", "/stream", "/bytes", "/snapshot", "/status", "/healthz"] {
        let head = http::request(server.address, "HEAD", target, "", "");
        assert_eq!(head.status(), 200, "HEAD {target}");
        assert!(head.body.is_empty(), "HEAD {target} has a body");
        let options = http::request(server.address, "OPTIONS", target, "", "");
        assert!(
            matches!(options.status(), 200 | 204),
            "OPTIONS {target}: {}",
            options.status()
        );
        let allow = options.head.get("allow").unwrap_or("").to_owned();
        assert!(
            allow.contains("GET") && allow.contains("HEAD"),
            "OPTIONS {target}: {allow:?}"
        );
    }
    let head = http::request(server.address, "HEAD", "/stream", "", "");
    let kind = head.head.get("content-type").unwrap_or("");
    assert!(
        kind.starts_with("multipart/x-mixed-replace; boundary="),
        "{kind}"
    );
}

#[test]
fn http_1_0_gets_no_chunks() {
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    let colour = server.colour();
    for target in ["/stream", "/bytes"] {
        let request = format!("GET {target} HTTP/1.0\r\n\r\n");
        let mut stream = Stream::send(server.address, request.as_bytes());
        let head = stream.read_head();
        assert_eq!(head.status(), 200, "{target}");
        assert_eq!(head.get("transfer-encoding"), None, "{target}");
        let mut parts = Parts::over(stream, head);
        assert!(
            Picture::from_jpeg(&parts.part().body)
                .expect("a JPEG")
                .middle()
                .is(colour)
        );
    }
}

#[test]
fn other_sites_may_not_read_the_photos() {
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    server.colour();
    for target in ["/", "/snapshot", "/status", "/library/skipped"] {
        for method in ["GET", "OPTIONS"] {
            let origin = "Origin: http://elsewhere.example\r\n";
            let reply = http::request(server.address, method, target, origin, "");
            let allowed = reply.head.get("access-control-allow-origin");
            assert_eq!(allowed, None, "{method} {target}");
        }
    }
}
