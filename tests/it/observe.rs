//! What the server says of its viewers, on `/status`, `/metrics` and `/screens`, and what it does for those that can't
//! have what they asked for, or can't keep up with it.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use serde_json::Value;
use socket2::{Domain, Socket, Type};

use crate::support::{
    eventually, http,
    parts::Parts,
    photos::{Photos, grained},
    pixels::{BLUE, GREEN, Picture, RED, Rgb, YELLOW},
    server::{STANDING, Server},
};

const FOUR: [Rgb; 4] = [RED, GREEN, BLUE, YELLOW];

/// Polls `/status` until `look` finds what it wants.
fn status_with<T>(server: &Server, what: &str, look: impl Fn(&Value) -> Option<T>) -> T {
    eventually(what, || {
        let status = server.get("/status").json();
        look(&status).ok_or_else(|| status.to_string())
    })
}

/// The samples of an OpenMetrics page by name and labels, read strictly.
pub(crate) fn metrics(server: &Server) -> BTreeMap<String, f64> {
    let reply = server.get("/metrics");
    assert_eq!(reply.status(), 200, "{}", reply.text());
    let content_type = reply.head.get("content-type").unwrap_or_default();
    assert!(
        content_type.starts_with("application/openmetrics-text"),
        "{content_type}"
    );
    let text = reply.text();
    assert!(text.ends_with("# EOF\n"), "{text}");
    let mut samples = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line
            .rsplit_once(' ')
            .unwrap_or_else(|| panic!("no sample: {line}"));
        let value: f64 = value
            .parse()
            .unwrap_or_else(|_| panic!("no number: {line}"));
        assert!(name.starts_with("mantel_"), "{line}");
        assert_eq!(
            samples.insert(name.to_owned(), value),
            None,
            "twice: {line}"
        );
    }
    samples
}

#[test]
fn each_viewer_has_a_row_that_says_who_and_what() {
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    let mut stream = Parts::open_as(
        server.address,
        "/stream?paint=plain&fit=cover",
        "User-Agent: A <kitchen> tablet/1.0\r\n",
    );
    let mut bytes = Parts::open(server.address, "/bytes?size=320x180");
    let sent = stream.part().body.len() as u64;
    bytes.part();
    let rows = status_with(&server, "two rows", |status| {
        let rows = status["watching"].as_array()?;
        let done = rows.iter().all(|row| row["n_frames"].as_u64() > Some(0));
        (rows.len() == 2 && done).then(|| rows.clone())
    });
    let (first, second) = (&rows[0], &rows[1]);
    assert_eq!(first["endpoint"], "stream");
    assert_eq!(first["agent"], "A <kitchen> tablet/1.0");
    assert!(
        first["address"]
            .as_str()
            .is_some_and(|from| from.starts_with("127.0.0.1"))
    );
    assert_eq!(first["rendition"]["fit"], "cover");
    assert!(first["n_bytes"].as_u64() > Some(sent), "{first}");
    assert_eq!(first["stepped_down"], false);
    assert_eq!(second["endpoint"], "bytes");
    assert_eq!(second["rendition"]["size"], "320x184");
    assert!(second["since_millis"].as_u64() >= first["since_millis"].as_u64());

    let page = server.get("/screens").text();
    assert!(page.contains("2 screens are watching"), "{page}");
    assert!(
        page.contains("A &lt;kitchen&gt; tablet/1.0") && page.contains("320x184"),
        "{page}"
    );
    let script = server.get("/screens.js");
    assert_eq!(script.status(), 200);
    drop((stream, bytes));
    status_with(&server, "no rows", |status| {
        // Who closes its end may only have said all it had to say: that it is gone shows when it is sent something.
        server.command("next");
        status["watching"]
            .as_array()
            .filter(|rows| rows.is_empty())
            .map(|_| ())
    });
    assert!(server.get("/screens").text().contains("Nobody is watching"));
}

#[test]
fn metrics_agree_with_what_clients_saw() {
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    server.settle();
    let before = metrics(&server);
    let mut stream = Parts::open(server.address, "/stream?paint=plain");
    let mut n_bytes = stream.part().body.len() as f64;
    for _ in 0..3 {
        server.command("next");
        n_bytes += stream.part().body.len() as f64;
    }
    let after = eventually("four frames in the metrics", || {
        let after = metrics(&server);
        let sent = after["mantel_frames_sent_total{endpoint=\"stream\"}"];
        let aged = after["mantel_frame_age_seconds_count"];
        if sent >= 4.0 && aged >= 4.0 {
            Ok(after)
        } else {
            Err(format!("{after:?}"))
        }
    });
    let bytes = after["mantel_bytes_sent_total{endpoint=\"stream\"}"];
    assert!(
        bytes > n_bytes && bytes < n_bytes + 8000.0,
        "{bytes} for {n_bytes} of JPEG"
    );
    assert_eq!(
        after["mantel_viewers{endpoint=\"stream\",size=\"640x360\"}"],
        1.0
    );
    assert_eq!(after["mantel_library_photos"], 4.0);
    assert!(after["mantel_render_seconds_count"] > before["mantel_render_seconds_count"]);
    assert!(after["mantel_render_seconds_sum"] > after["mantel_encode_seconds_sum"]);
    assert_eq!(after["mantel_decoders_hanging"], 0.0);
    assert!(after["mantel_connections"] >= 1.0);
    assert!(after["mantel_cache_bytes"] > 0.0);
    let ages = |bound: &str| after[&format!("mantel_frame_age_seconds_bucket{{le=\"{bound}\"}}")];
    assert_eq!(ages("+Inf"), after["mantel_frame_age_seconds_count"]);
    assert!(ages("0.001") <= ages("30.0"));
    assert!(
        after
            .keys()
            .any(|name| name.starts_with("mantel_refusals_total{reason="))
    );
}

#[test]
fn what_a_screen_reports_is_shown_and_bounded() {
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    let post = |body: &str| {
        let json = "Content-Type: application/json\r\n";
        http::request(server.address, "POST", "/report", json, body)
    };
    let report = r#"{"id":"a1","name":"living-room","rung":"wasm","state":"playing","engine":"Chromium 69",
        "width":1920,"height":1080,"fps":59.5,"late_frames":3,"memory_bytes":5e7,"reconnects":2,"hat":"red"}"#;
    assert_eq!(post(report).status(), 204);
    assert_eq!(post(report).status(), 204);
    let status = server.get("/status").json();
    assert_eq!(
        status["screens"].as_array().map(Vec::len),
        Some(1),
        "{status}"
    );
    assert_eq!(status["screens"][0]["name"], "living-room");
    assert_eq!(status["screens"][0]["address"], "127.0.0.1");
    let samples = metrics(&server);
    assert_eq!(samples["mantel_screens{rung=\"wasm\"}"], 1.0);
    assert_eq!(samples["mantel_screen_fps{screen=\"living-room\"}"], 59.5);
    assert_eq!(
        samples["mantel_screen_reconnects{screen=\"living-room\"}"],
        2.0
    );
    let page = server.get("/screens").text();
    assert!(page.contains("living-room") && page.contains("Chromium 69") && page.contains("50 MB"));

    assert_eq!(post("{\"id\":").status(), 400);
    assert_eq!(
        post(&format!("{{\"id\":\"{}\"}}", "x".repeat(5000))).status(),
        413
    );
    assert_eq!(server.get("/report").status(), 405);
}

#[test]
fn beyond_the_limit_of_renditions_the_nearest_one_is_served() {
    let photos = Photos::of(&FOUR);
    let args = [STANDING.as_slice(), &["--max-renditions", "2"]].concat();
    let server = Server::start(photos.path(), &args);
    // A stream that begins before there are photos may have the drawn pictures' note, and is another rendition.
    server.settle();
    let mut small = Parts::open(server.address, "/stream?size=320x180");
    let mut large = Parts::open(server.address, "/stream?size=1280x720");
    small.part();
    large.part();
    let size_of = |target: &str| {
        let reply = server.get(target);
        assert_eq!(reply.status(), 200, "{target}: {}", reply.text());
        let picture = Picture::from_jpeg(&reply.body).expect("a JPEG");
        (picture.width, picture.height)
    };
    assert_eq!(size_of("/snapshot?size=1366x768"), (1280, 720));
    assert_eq!(size_of("/snapshot?size=480x270"), (320, 184));
    // An upright screen has nothing near: it is told to wait, and how long.
    let reply = server.get("/snapshot?size=720x1280");
    assert_eq!(reply.status(), 503, "{}", reply.text());
    assert!(reply.head.get("retry-after").is_some());
    assert!(reply.text().contains("limit"), "{}", reply.text());
    assert_eq!(
        metrics(&server)["mantel_refusals_total{reason=\"renditions\"}"],
        3.0
    );
    drop(small);
    // A place that nobody holds any more is given away.
    eventually("the upright screen's turn", || {
        match server.get("/snapshot?size=720x1280").status() {
            200 => Ok(()),
            other => Err(other.to_string()),
        }
    });
}

/// A request for `/stream` by a client that calls itself `agent`, over a socket with small buffers.
fn ask(address: SocketAddr, agent: &str) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    // Before connecting: later the window is already told.
    socket
        .set_recv_buffer_size(16 * 1024)
        .expect("a small buffer");
    socket.connect(&address.into()).expect("a connection");
    let mut stream = TcpStream::from(socket);
    let request = format!("GET /stream HTTP/1.1\r\nHost: {address}\r\nUser-Agent: {agent}\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("to ask");
    stream
}

#[test]
fn a_viewer_that_keeps_missing_frames_gets_less_and_nobody_else_does() {
    let photos = Photos::none();
    for (i, colour) in FOUR.into_iter().enumerate() {
        photos.add(format!("{i}.jpg"), &grained(colour, 90));
    }
    let fading = "--order name --size 640x360 --interval 2s --transition 1900ms --fps 15";
    let fading: Vec<&str> = fading.split(' ').collect();
    let server = Server::start(photos.path(), &fading);
    server.settle();
    let frame = server.get("/snapshot").body.len();
    let mut fat = ask(server.address, "fat line");
    let reader = std::thread::spawn(move || {
        let mut buffer = vec![0; 1 << 20];
        while fat.read(&mut buffer).is_ok_and(|n| n > 0) {}
    });
    let mut thin = ask(server.address, "thin line");
    // Three frames a second of fifteen.
    let mut buffer = vec![0; frame * 3 / 10];
    let rows = eventually("less for the thin line", || {
        for _ in 0..5 {
            thin.read_exact(&mut buffer)
                .map_err(|error| error.to_string())?;
            std::thread::sleep(Duration::from_millis(100));
        }
        let status = server.get("/status").json();
        let rows = status["watching"].as_array().cloned().unwrap_or_default();
        let lowered = |row: &Value| row["agent"] == "thin line" && row["stepped_down"] == true;
        if rows.iter().any(lowered) {
            Ok(rows)
        } else {
            Err(status["watching"].to_string())
        }
    });
    let of = |agent: &str| {
        let row = rows.iter().find(|row| row["agent"] == agent);
        row.unwrap_or_else(|| panic!("no row of {agent}: {rows:?}"))
    };
    let (thin_row, fat_row) = (of("thin line"), of("fat line"));
    let quality = |row: &Value| row["rendition"]["quality"].as_u64();
    assert!(quality(thin_row) < quality(fat_row), "{rows:?}");
    assert_eq!(thin_row["rendition"]["size"], fat_row["rendition"]["size"]);
    assert_eq!(fat_row["stepped_down"], false, "{rows:?}");
    let skipped = |row: &Value| row["n_skipped"].as_u64();
    assert!(skipped(thin_row) > skipped(fat_row), "{rows:?}");
    assert!(metrics(&server)["mantel_viewers_stepped_down_total"] >= 1.0);
    drop(server);
    reader.join().expect("a reader that ends with its stream");
}

/// A slide that stands for hours sends nothing by which a closed connection would be noticed.
#[test]
fn who_has_gone_is_no_viewer_and_who_only_asks_no_more_gets_his_answer() {
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    for path in ["/stream", "/bytes"] {
        let mut stays = Parts::open(server.address, path);
        stays.part();
        let mut goes = Parts::open(server.address, path);
        goes.part();
        status_with(&server, "two viewers", |now| {
            (now["viewers"] == 2).then_some(())
        });
        drop(goes);
        status_with(&server, "one viewer", |now| {
            (now["viewers"] == 1).then_some(())
        });
        drop(stays);
        status_with(&server, "none", |now| (now["viewers"] == 0).then_some(()));
    }

    // As `printf ... | nc -N` does. Its size is one that has to be made first.
    let mut socket = TcpStream::connect(server.address).expect("to connect");
    let request = "GET /snapshot?size=960x540 HTTP/1.0\r\n\r\n";
    socket.write_all(request.as_bytes()).expect("to ask");
    socket.shutdown(std::net::Shutdown::Write).expect("to end");
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).expect("an answer");
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let body = head.expect("a head") + 4;
    assert!(answer.starts_with(b"HTTP/1.0 200"), "{answer:?}");
    Picture::from_jpeg(&answer[body..]).expect("a whole picture");
}
