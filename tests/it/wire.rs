//! `/stream`, byte for byte: the response's head, part heads, framing in every paint mode, and what
//! is in each frame. What the browsers make of it is in [`crate::img`].

use std::time::Duration;

use crate::support::{
    http::Head,
    parts::Parts,
    photos::{Photos, oriented},
    pixels::{BLUE, GREEN, JpegFacts, Picture, RED, Rgb, YELLOW},
    server::{STANDING, Server},
};

const FOUR: [Rgb; 4] = [RED, GREEN, BLUE, YELLOW];

/// Longer than the server needs to send what it has, shorter than anything it sends on a timer
/// that a test waits for. Only for "nothing came": too short can't fail a right server.
pub(crate) const QUIET: Duration = Duration::from_millis(600);

/// Header lines in a fixed order, names in lower case, what differs each time replaced.
pub(crate) fn golden(head: &Head, replace: &[(&str, &str)]) -> Vec<String> {
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
pub(crate) fn is_timestamp(value: &str) -> bool {
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
