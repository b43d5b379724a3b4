//! The endpoints around the pictures: queries, commands, status, and the manners of HTTP. Every
//! refusal is a sentence for a person.

use crate::support::{
    eventually,
    http::{self, Stream},
    parts::Parts,
    photos::Photos,
    pixels::{BLUE, GREEN, Picture, RED, Rgb, YELLOW},
    server::{STANDING, Server},
};

const FOUR: [Rgb; 4] = [RED, GREEN, BLUE, YELLOW];

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
    // It was written just now, and could have become a picture.
    eventually("the broken file to be skipped", || {
        let library = server.get("/status").json()["library"].clone();
        if library["skipped"] == 1 {
            Ok(())
        } else {
            Err(library.to_string())
        }
    });
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
