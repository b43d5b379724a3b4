//! Live channels: pictures that are pushed, in every dialect, to every kind of screen, and what becomes of senders that
//! send nonsense, stop, or come two at a time.

use std::{
    net::SocketAddr,
    path::Path,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    access::{new_token, token, until_shut, with},
    observe::metrics,
    page::await_screen,
    support::{
        clients::{Client, require},
        devtools::Browser,
        eventually,
        http::{Reply, Stream, get},
        parts::Parts,
        photos::{Photos, flat, grainy, sized},
        pixels::{BLUE, GREEN, Picture, RED, Rgb, YELLOW},
        server::{STANDING, Server},
    },
};

/// A server with live channels beside its gallery.
pub(crate) struct House {
    pub(crate) server: Server,
    folder: TempDir,
    photos: Photos,
}

impl House {
    /// `channels` is what stands in the configuration file.
    pub(crate) fn with(channels: &str) -> Self {
        Self::with_options(channels, &[])
    }

    pub(crate) fn with_options(channels: &str, more: &[&str]) -> Self {
        Self::start(channels, |folder, args| {
            Server::start(folder, &[args, more].concat())
        })
    }

    /// At an address that is free.
    pub(crate) fn at(address: SocketAddr, channels: &str) -> Self {
        Self::start(channels, |folder, args| {
            Server::start_again(address, folder, args)
        })
    }

    fn start(channels: &str, start: impl Fn(&Path, &[&str]) -> Server) -> Self {
        let folder = TempDir::with_prefix("mantel-live-").expect("a folder");
        let path = folder.path().join("mantel.toml");
        std::fs::write(&path, channels).expect("a configuration");
        let photos = Photos::of(&[YELLOW]);
        let config = ["--config", path.to_str().expect("a path that is text")];
        let server = start(photos.path(), &[&STANDING[..], &config].concat());
        Self {
            server,
            folder,
            photos,
        }
    }

    /// The same house, whose server has been away while `meanwhile` went on.
    pub(crate) fn again(self, meanwhile: impl FnOnce()) -> Self {
        let address = self.address();
        self.server.stop().expect("the server to end");
        meanwhile();
        let path = self.folder.path().join("mantel.toml");
        let config = ["--config", path.to_str().expect("a path that is text")];
        let args = [&STANDING[..], &config].concat();
        let server = Server::start_again(address, self.photos.path(), &args);
        Self { server, ..self }
    }

    pub(crate) fn plot() -> Self {
        Self::with("[channel.plot]\nsource = \"push\"\n")
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address
    }

    pub(crate) fn push(&self, more: &str, body: &[u8]) -> Reply {
        push(self.address(), "/push/plot", more, body)
    }

    pub(crate) fn push_colour(&self, colour: Rgb) -> u64 {
        let reply = self.push("", &flat(colour));
        assert_eq!(reply.status(), 200, "{}", reply.text());
        reply.json()["frame"].as_u64().expect("a number")
    }

    /// What `/channels` says of the live one.
    pub(crate) fn live(&self) -> Value {
        let rows = self.server.get("/channels").json();
        let rows = rows.as_array().expect("a list").clone();
        let plot = rows.into_iter().find(|row| row["name"] == "plot");
        plot.expect("the channel")["live"].clone()
    }

    pub(crate) fn await_colour(&self, colour: Rgb) {
        eventually("the colour that was pushed", || {
            let reply = self.server.get("/c/plot/snapshot");
            let seen = Picture::from_jpeg(&reply.body)?.middle();
            if seen.is(colour) {
                Ok(())
            } else {
                Err(format!("{seen:?}"))
            }
        });
    }
}

/// A sender of the same pictures over and over in one request, JPEG after JPEG, until it is dropped.
pub(crate) struct Flow {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<u32>>,
}

impl Flow {
    pub(crate) fn to(
        address: SocketAddr,
        target: &str,
        pictures: Vec<Vec<u8>>,
        apart: Duration,
    ) -> Self {
        let head = format!(
            "POST {target} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {}\r\n\r\n",
            u64::MAX / 4
        );
        let over = Arc::<AtomicBool>::default();
        let is_over = over.clone();
        let thread = thread::spawn(move || {
            let mut stream = Stream::send(address, head.as_bytes());
            let mut n_sent = 0;
            for picture in pictures.iter().cycle() {
                if is_over.load(SeqCst) || stream.write(picture).is_err() {
                    break;
                }
                n_sent += 1;
                thread::sleep(apart);
            }
            n_sent
        });
        Self {
            over,
            thread: Some(thread),
        }
    }

    /// Ends it; how many pictures were sent.
    pub(crate) fn end(mut self) -> u32 {
        self.over.store(true, SeqCst);
        let thread = self.thread.take().expect("it ends once");
        thread.join().expect("the sender")
    }
}

impl Drop for Flow {
    fn drop(&mut self) {
        self.over.store(true, SeqCst);
    }
}

pub(crate) fn push(address: SocketAddr, target: &str, more: &str, body: &[u8]) -> Reply {
    let head = format!(
        "PUT {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{more}Content-Length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = Stream::send(address, &[head.as_bytes(), body].concat());
    let head = stream.read_head();
    let body = stream.rest();
    Reply { head, body }
}

/// A sender that goes on: its request has begun, and has no length.
fn begin(address: SocketAddr, more: &str) -> Stream {
    let head = format!(
        "POST /push/plot HTTP/1.1\r\nHost: {address}\r\n{more}Transfer-Encoding: chunked\r\n\r\n"
    );
    Stream::send(address, head.as_bytes())
}

fn chunk(bytes: &[u8]) -> Vec<u8> {
    let length = format!("{:x}\r\n", bytes.len());
    [length.as_bytes(), bytes, b"\r\n"].concat()
}

#[test]
fn a_picture_is_shown_as_it_was_pushed() {
    let house = House::plot();
    let waiting = house.server.get("/c/plot/snapshot");
    assert_eq!(waiting.status(), 200);
    assert_eq!(house.live()["signal"], "waiting");
    let first = house.push_colour(GREEN);
    house.await_colour(GREEN);
    let more = "X-Caption: Gr%C3%BC%C3%9Fe\r\n";
    let second = house.push(more, &sized(640, 360, BLUE)).json();
    assert!(second["frame"].as_u64().expect("a number") > first);
    house.await_colour(BLUE);
    let live = house.live();
    assert_eq!(
        (&live["signal"], &live["caption"], &live["size"]),
        (&"on".into(), &"Grüße".into(), &"640x360".into())
    );
    let snapshot = house.server.get("/c/plot/snapshot");
    assert_eq!(
        snapshot.head.number("x-slide"),
        second["frame"].as_u64().expect("a number")
    );
    let status = house.server.get("/c/plot/status").json();
    assert_eq!(status["channel"]["name"], "plot");
    assert_eq!(status["channel"]["slide"]["number"], second["frame"]);
    // The gallery goes on beside it.
    house.server.settle();
    assert!(house.server.snapshot().middle().is(YELLOW));
}

#[test]
fn a_stream_goes_on_whatever_its_sender_does() {
    let house = House::with("[channel.plot]\nsource = \"push\"\nsilent-after = \"4s\"\n");
    house.push_colour(GREEN);
    let mut stream = Parts::open(house.address(), "/c/plot/stream?paint=plain");
    let mut seen = |wanted: Option<Rgb>| {
        let part = stream.part();
        let picture = Picture::from_jpeg(&part.body).expect("a picture");
        let colour = picture.middle();
        match wanted {
            Some(wanted) => assert!(colour.is(wanted), "{colour:?}"),
            None => assert!(colour.named().is_none(), "{colour:?}"),
        }
        (picture.width, picture.height)
    };
    let size = seen(Some(GREEN));
    // Each with another size, as when a camera is set up anew.
    for (n, colour) in [RED, BLUE, YELLOW, GREEN].into_iter().enumerate() {
        let side = 100 * (n as u16 + 2);
        let reply = house.push("", &sized(side, side, colour));
        assert_eq!(reply.status(), 200, "{}", reply.text());
        assert_eq!(seen(Some(colour)), size);
    }
    // Then nothing comes: the last one is shown with its age, and at last words alone.
    assert_eq!(seen(Some(GREEN)), size);
    let signal = house.live()["signal"].clone();
    assert!(signal == "stale" || signal == "silent", "{signal}");
    assert_eq!(seen(None), size);
    assert_eq!(house.live()["signal"], "silent");
    house.push_colour(RED);
    assert_eq!(seen(Some(RED)), size);
}

#[test]
fn ffmpeg_pushes_in_both_of_its_dialects() {
    let Some(programs) = require(Client::Ffmpeg) else {
        return;
    };
    let house = House::plot();
    for (dialect, wanted) in [("mpjpeg", RED), ("mjpeg", BLUE)] {
        let Rgb([r, g, b]) = wanted;
        let source = format!("color=c=0x{r:02x}{g:02x}{b:02x}:s=320x180:r=10:d=1");
        let target = house.server.url("/push/plot");
        let line = [
            "-loglevel",
            "error",
            "-f",
            "lavfi",
            "-i",
            &source,
            "-q:v",
            "3",
        ];
        let status = Command::new(&programs[0])
            .args(line)
            .args(["-method", "POST", "-f", dialect, &target])
            .stdin(Stdio::null())
            .status()
            .expect("ffmpeg to run");
        assert!(status.success(), "{dialect}: {status}");
        house.await_colour(wanted);
        assert_eq!(house.live()["size"], "320x180", "{dialect}");
    }
}

#[test]
fn what_is_no_picture_gets_one_sentence() {
    let house = House::plot();
    house.push_colour(GREEN);
    let jpeg = flat(RED);
    let raw = "Content-Type: image/x-rgb8; width=64; height=48\r\n";
    let huge = "Content-Type: image/x-rgb8; width=64000; height=48000\r\n";
    for (more, body, status) in [
        ("", &b"hello, this is no picture"[..], 415),
        ("", b"", 400),
        ("", &jpeg[..jpeg.len() / 2], 400),
        // H.265, and H.264 that ends before a picture.
        ("", b"\0\0\0\x01\x40\x01\x0c\x01", 415),
        ("", b"\0\0\0\x01\x67\x42\0\x1f", 400),
        (raw, &[0; 64], 400),
        (huge, &[0; 64], 413),
        ("", b"--\r\n\r\nnothing", 400),
    ] {
        let reply = house.push(more, body);
        let text = reply.text();
        assert_eq!(reply.status(), status, "{text}");
        assert_eq!(text.trim().lines().count(), 1, "{text}");
    }
    for (target, status) in [("/push/garage", 404), ("/push/main", 409)] {
        let reply = push(house.address(), target, "", &jpeg);
        assert_eq!(reply.status(), status, "{}", reply.text());
    }
    let reply = push(house.address(), "/push/plot?when-full=never", "", &jpeg);
    assert_eq!(reply.status(), 400, "{}", reply.text());
    // Nobody else's page sends anything.
    let foreign = "Origin: https://evil.example\r\nSec-Fetch-Site: cross-site\r\n";
    assert_eq!(house.push(foreign, &jpeg).status(), 403);
    house.await_colour(GREEN);
}

#[test]
fn of_two_senders_the_later_one_sends() {
    let house = House::plot();
    let mut first = begin(house.address(), "");
    first.write(&chunk(&flat(RED))).expect("to send");
    house.await_colour(RED);
    assert_eq!(house.live()["has_sender"], true);
    house.push_colour(BLUE);
    let head = first.read_head();
    assert_eq!(head.status(), 409);
    house.await_colour(BLUE);
}

#[test]
fn a_channel_may_keep_its_sender() {
    let house = House::with("[channel.plot]\nsource = \"push\"\non-conflict = \"refuse\"\n");
    let mut first = begin(house.address(), "");
    first.write(&chunk(&flat(RED))).expect("to send");
    house.await_colour(RED);
    assert_eq!(house.push("", &flat(BLUE)).status(), 409);
    first.write(&chunk(&flat(GREEN))).expect("to send");
    house.await_colour(GREEN);
    drop(first);
    eventually("the place to be free", || {
        let reply = house.push("", &flat(BLUE));
        if reply.status() == 200 {
            Ok(())
        } else {
            Err(reply.text())
        }
    });
    house.await_colour(BLUE);
}

#[test]
fn a_push_makes_its_channel_where_that_was_asked_for() {
    let house = House::with_options("", &["--push-creates"]);
    let push = |name: &str, more: &str| push(house.address(), name, more, &flat(GREEN));
    assert_eq!(house.server.get("/c/garage/").status(), 404);
    let reply = push("/push/garage", "");
    assert_eq!(reply.status(), 200, "{}", reply.text());
    let snapshot = house.server.get("/c/garage/snapshot");
    let colour = Picture::from_jpeg(&snapshot.body)
        .expect("a picture")
        .middle();
    assert!(colour.is(GREEN), "{colour:?}");
    for name in ["/push/My-Plot", "/push/a%20b", "/push/", "/push/a/b"] {
        let reply = push(name, "");
        assert_eq!(reply.status(), 404, "{name}: {}", reply.text());
    }
    assert_eq!(push("/push/main", "").status(), 409);
    for n in 1..16 {
        assert_eq!(push(&format!("/c/cam-{n}/push"), "").status(), 200);
    }
    let full = push("/push/more", "");
    assert_eq!(full.status(), 503, "{}", full.text());
    assert!(full.text().contains("16"), "{}", full.text());
    assert_eq!(push("/push/garage", "").status(), 200);
    let rows = house.server.get("/channels").json();
    assert_eq!(rows.as_array().map(Vec::len), Some(17));
}

#[test]
fn who_may_push_to_one_channel_makes_that_one_alone() {
    let house = House::with_options("", &["--push-creates"]);
    let secret = new_token(&house.server.data, "plotter", &["--rights", "push@plot"]);
    until_shut(&house.server);
    let token = format!("Authorization: Bearer {secret}\r\n");
    let push = |name: &str, more: &str| push(house.address(), name, more, &flat(RED)).status();
    assert_eq!(push("/push/plot", ""), 401);
    assert_eq!(push("/push/garage", &token), 403);
    assert_eq!(push("/push/plot", &token), 200);
}

#[test]
fn a_picture_is_taken_off_at_once_and_its_sender_hears_so() {
    let house = House::plot();
    let delete = |more: &str, target: &str| {
        crate::support::http::request(house.address(), "DELETE", target, more, "")
    };
    let mut sender = begin(house.address(), "");
    sender
        .write(&chunk(&sized(320, 180, RED)))
        .expect("to send");
    house.await_colour(RED);
    let mut stream = Parts::open(house.address(), "/c/plot/stream?paint=plain");
    let mut seen = || Picture::from_jpeg(&stream.part().body).expect("a picture");
    assert!(seen().middle().is(RED));
    let foreign = "Origin: https://evil.example\r\nSec-Fetch-Site: cross-site\r\n";
    assert_eq!(delete(foreign, "/push/plot").status(), 403);
    let reply = delete("", "/push/plot");
    assert_eq!(reply.status(), 200, "{}", reply.text());
    let card = seen();
    assert!(card.middle().named().is_none());
    assert_eq!((card.width, card.height), (320, 180));
    assert_eq!(sender.read_head().status(), 409);
    let live = house.live();
    assert_eq!(
        (&live["signal"], &live["frame"], &live["has_sender"]),
        (&"waiting".into(), &Value::Null, &false.into())
    );
    // Nothing to take off is no error, and what comes next is shown.
    assert_eq!(delete("", "/c/plot/push").status(), 200);
    house.push_colour(BLUE);
    house.await_colour(BLUE);
    assert_eq!(delete("", "/push/main").status(), 409);
    assert_eq!(delete("", "/push/garage").status(), 404);
}

#[test]
fn the_age_of_pictures_counts_from_their_stamps() {
    let house = House::plot();
    house.push_colour(YELLOW);
    house.await_colour(YELLOW);
    let mut stream = Parts::open(house.address(), "/c/plot/stream?paint=plain");
    stream.part();
    // Taken a second before it is sent.
    for colour in [RED, GREEN, BLUE] {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let taken = now.expect("a clock behind 1970").as_secs_f64() - 1.0;
        let reply = house.push(&format!("X-Timestamp: {taken:.6}\r\n"), &flat(colour));
        assert_eq!(reply.status(), 200, "{}", reply.text());
        let part = stream.part();
        assert!(
            Picture::from_jpeg(&part.body)
                .expect("a picture")
                .middle()
                .is(colour)
        );
        let told: f64 = part
            .head
            .get("x-timestamp")
            .expect("a stamp")
            .parse()
            .expect("seconds");
        assert!((told - taken).abs() < 0.002, "{told} for {taken}");
    }
    // What was on before this viewer came is not counted.
    let ages = eventually("three ages", || {
        let metrics = metrics(&house.server);
        let n = metrics["mantel_live_age_seconds_count"];
        if n >= 3.0 {
            Ok(metrics)
        } else {
            Err(n.to_string())
        }
    });
    assert_eq!(ages["mantel_live_age_seconds_count"], 3.0);
    assert_eq!(ages["mantel_live_age_seconds_bucket{le=\"0.75\"}"], 0.0);
    assert!(ages["mantel_live_age_seconds_sum"] >= 2.9);
}

#[test]
fn who_may_push_to_a_channel_sees_nothing() {
    let house = House::plot();
    let secret = new_token(&house.server.data, "plotter", &["--rights", "push@plot"]);
    until_shut(&house.server);
    let token = format!("Authorization: Bearer {secret}\r\n");
    assert_eq!(house.push("", &flat(RED)).status(), 401);
    let reply = house.push(&token, &flat(RED));
    assert_eq!(reply.status(), 200, "{}", reply.text());
    for address in [
        "/",
        "/c/plot/",
        "/c/plot/snapshot",
        "/channels",
        "/snapshot",
    ] {
        assert_eq!(
            with(&house.server, address, &token).status(),
            403,
            "{address}"
        );
    }
    assert_eq!(with(&house.server, "/push.py", "").status(), 200);
}

#[test]
fn a_sender_whose_token_is_revoked_sends_no_more() {
    let house = House::plot();
    let secret = new_token(&house.server.data, "plotter", &["--rights", "push@plot"]);
    until_shut(&house.server);
    let more = format!("Authorization: Bearer {secret}\r\n");
    let mut sender = begin(house.address(), &more);
    sender.write(&chunk(&flat(RED))).expect("to send");
    token(&house.server.data, &["revoke", "plotter"]);
    assert_eq!(sender.read_head().status(), 401);
}

#[test]
fn a_sender_that_goes_on_holds_up_no_stop() {
    let house = House::plot();
    let mut sender = begin(house.address(), "");
    sender.write(&chunk(&flat(RED))).expect("to send");
    house.await_colour(RED);
    house.server.stop().expect("the server to end");
}

#[test]
fn a_flood_is_held_to_a_number_a_second_and_counted() {
    let house = House::plot();
    let before = house.push_colour(RED);
    let flood = house.push("", &flat(GREEN).repeat(1000)).json();
    let number = |value: &Value| value.as_u64().expect("a number");
    let too_fast = number(&flood["too_fast"]);
    assert!(too_fast > 0, "{flood}");
    assert_eq!(number(&flood["came"]), 1000);
    assert_eq!(number(&flood["frame"]) - before, 1000 - too_fast);
    let live = house.live();
    assert_eq!(number(&live["too_fast"]), too_fast, "{live}");
    assert_eq!(number(&live["came"]), 1001, "{live}");
    let status = house.server.get("/c/plot/status").json();
    assert_eq!(number(&status["channel"]["live"]["too_fast"]), too_fast);
    // Whoever waits is slowed instead.
    let target = "/push/plot?when-full=wait";
    let batch = push(house.address(), target, "", &flat(BLUE).repeat(300)).json();
    assert_eq!(
        (number(&batch["came"]), number(&batch["too_fast"])),
        (300, 0)
    );
    house.await_colour(BLUE);
}

/// What passes through as it came is made coarser where it is more than a viewer wishes for, and told.
#[test]
fn a_bitrate_is_kept() {
    const MOST: usize = 6_000_000 / 8 / 20;
    let house = House::plot();
    let picture = grainy(640, 360);
    assert!(
        picture.len() > 2 * MOST,
        "{} bytes are too few",
        picture.len()
    );
    let mut sender = begin(house.address(), "");
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let sending = std::thread::spawn(move || {
        let timeout = std::sync::mpsc::RecvTimeoutError::Timeout;
        while stopped.recv_timeout(Duration::from_millis(50)) == Err(timeout) {
            sender.write(&chunk(&picture)).expect("to send");
        }
    });
    let mut parts = Parts::open(house.address(), "/c/plot/stream?size=640x360&bitrate=6M");
    eventually("pictures that keep the bitrate", || {
        let n_bytes = parts.part().body.len();
        if n_bytes > 1000 && n_bytes <= MOST {
            Ok(())
        } else {
            Err(format!("{n_bytes} bytes in place of {MOST}"))
        }
    });
    let status = house.server.get("/c/plot/status").text();
    assert!(status.contains("\"bitrate\":\"6M\""), "{status}");
    drop(stop);
    sending.join().expect("the sender");
    let wrong = house.server.get("/stream?bitrate=fast");
    assert_eq!(wrong.status(), 400);
    assert!(wrong.text().contains("2.5M, or off"), "{}", wrong.text());
}

#[test]
fn a_live_channel_takes_no_commands() {
    let house = House::plot();
    let json = "Content-Type: application/json\r\n";
    let command = r#"{"command":"next"}"#;
    let reply =
        crate::support::http::request(house.address(), "POST", "/c/plot/control", json, command);
    assert_eq!(reply.status(), 409, "{}", reply.text());
}

#[test]
fn chromium_shows_what_is_pushed_on_the_page_of_the_channel() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let house = House::plot();
    if !house.server.has_viewer() {
        return;
    }
    let mut page = browser.open(&house.server.url("/c/plot/"));
    for colour in [GREEN, RED, BLUE] {
        house.push_colour(colour);
        await_screen(&mut page, colour);
    }
    assert_eq!(page.complaints(), Vec::<String>::new());
}

/// With nothing but Python's standard library, and with arrays where Python has them.
const SCRIPT: &str = r#"
import sys, types, urllib.request
base, picture = sys.argv[1:]
module = types.ModuleType("mantel_push")
exec(urllib.request.urlopen(base + "/push.py").read().decode(), module.__dict__)
pusher = module.Pusher(base + "/push/plot")
data = open(picture, "rb").read()
for n in range(5):
    pushed = pusher.push(data, caption="number %d" % n, wait=True, timeout=20)
    assert pushed.error is None, pushed
assert (pushed.sent, pushed.dropped) == (5, 0), pushed
try:
    pusher.push(7)
    raise SystemExit("a number is no picture")
except TypeError:
    pass
try:
    import numpy
except ImportError:
    numpy = None
if numpy is not None:
    array = numpy.zeros((90, 160, 3), numpy.uint8)
    array[:] = (40, 40, 205)
    pushed = pusher.push(module.bgr(array), wait=True, timeout=20)
    assert pushed.error is None, pushed
    array[:] = (205, 40, 40)
    pushed = pusher.push(array, wait=True, timeout=20)
    assert pushed.error is None, pushed
pusher.close()
"#;

#[test]
fn a_script_pushes_with_one_file_of_python() {
    let Some(programs) = require(Client::Opencv) else {
        return;
    };
    let house = House::plot();
    let photos = Photos::none();
    let picture = photos.add("a.jpg", &flat(GREEN));
    let output = Command::new(&programs[0])
        .args(["-c", SCRIPT, &house.server.url("")])
        .arg(&picture)
        .output()
        .expect("python to run");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    house.await_colour(RED);
}

#[test]
fn snapshots_wait_for_what_is_young_or_new() {
    let house = House::plot();
    let first = house.push_colour(GREEN);
    house.await_colour(GREEN);
    let old = house.server.get("/c/plot/snapshot?max_age=0");
    assert_eq!(old.status(), 503, "{}", old.text());
    assert!(old.text().contains("within 3 s"), "{}", old.text());
    let target = format!("/c/plot/snapshot?after={first}");
    let address = house.address();
    let (later, second) = std::thread::scope(|scope| {
        let waits = scope.spawn(|| get(address, &target));
        std::thread::sleep(std::time::Duration::from_millis(300));
        let second = house.push_colour(BLUE);
        (waits.join().expect("an answer"), second)
    });
    assert_eq!(later.head.number("x-slide"), second);
    let seen = Picture::from_jpeg(&later.body).expect("a picture").middle();
    assert!(seen.is(BLUE), "{seen:?}");
    let young = house.server.get("/c/plot/snapshot?max_age=1h");
    assert_eq!(young.head.number("x-slide"), second);
    for bad in ["max_age=soon", "after=x"] {
        let target = format!("/c/plot/snapshot?{bad}");
        assert_eq!(house.server.get(&target).status(), 400, "{bad}");
    }
}

/// A config file that names a file beside it.
fn watching(path: &std::path::Path) -> String {
    let path = path.display();
    format!("[channel.plot]\nsource = \"file\"\npath = \"{path}\"\n")
}

#[test]
fn a_watched_file_is_shown_whenever_it_is_written_and_no_half_of_it() {
    let folder = TempDir::with_prefix("mantel-watched-").expect("a folder");
    let path = folder.path().join("plot.jpg");
    let house = House::with(&watching(&path));
    let write = |bytes: &[u8]| std::fs::write(&path, bytes).expect("a file");
    let card = house.server.get("/c/plot/snapshot");
    assert_eq!(card.status(), 200);
    eventually("the reason why there is no picture", || {
        let live = house.live();
        let trouble = live["trouble"].as_str().unwrap_or_default().to_owned();
        (live["signal"] == "lost" && trouble.starts_with("plot.jpg can't be read"))
            .then_some(())
            .ok_or(live.to_string())
    });
    write(&flat(GREEN));
    house.await_colour(GREEN);
    // Half of the next one stands there for longer than it takes to look.
    let next = flat(RED);
    write(&next[..next.len() / 2]);
    for _ in 0..10 {
        std::thread::sleep(std::time::Duration::from_millis(100));
        let reply = house.server.get("/c/plot/snapshot");
        let seen = Picture::from_jpeg(&reply.body).expect("a picture").middle();
        assert!(seen.is(GREEN), "{seen:?}");
    }
    write(&next);
    house.await_colour(RED);
    let beside = folder.path().join("next");
    std::fs::write(&beside, flat(BLUE)).expect("a file");
    std::fs::rename(&beside, &path).expect("a file in its place");
    house.await_colour(BLUE);
    let refused = house.push("", &flat(GREEN));
    assert_eq!(refused.status(), 409);
    assert!(
        refused.text().contains("shows its file"),
        "{}",
        refused.text()
    );
}

#[test]
fn channels_are_listed_for_people_with_their_pictures() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let house = House::plot();
    house.push_colour(GREEN);
    let mut page = browser.open(&house.server.url("/channels"));
    eventually("the channels' pictures", || {
        let screen = page.screenshot()?;
        let seen = |colour: Rgb| {
            (0..400).any(|i| {
                let (x, y) = (f64::from(i % 20) / 20.0, f64::from(i / 20) / 20.0);
                screen.around(x, y).is(colour)
            })
        };
        let both = (seen(YELLOW), seen(GREEN));
        (both == (true, true))
            .then_some(())
            .ok_or_else(|| format!("{both:?}"))
    });
    let list = house.server.get("/channels?format=json").json();
    assert_eq!(list[1]["name"], "plot");
}

#[test]
fn a_live_channel_has_nights_where_it_is_given_some() {
    let house = House::with(
        "[channel.plot]\nsource = \"push\"\nnight = \"00:00-12:00 dim 10%, 12:00-00:00 dim 10%\"\n",
    );
    house.push_colour(GREEN);
    let luma_of = |query: &str| {
        let target = format!("/c/plot/snapshot{query}");
        let reply = house.server.get(&target);
        assert_eq!(reply.status(), 200, "{}", reply.text());
        Picture::from_jpeg(&reply.body).map(|picture| picture.middle().luma())
    };
    let await_luma = |query: &str, is: &dyn Fn(f64) -> bool| {
        eventually(&format!("the light of {query:?}"), || {
            let now = luma_of(query)?;
            is(now).then_some(now).ok_or(now.to_string())
        })
    };
    let day = await_luma("?night=off", &|now| now > 60.0);
    await_luma("", &|now| now > day * 0.2 && now < day * 0.6);
    await_luma("?night=00:00-12:00%20black,12:00-00:00%20black", &|now| {
        now < 2.0
    });
    let night = house.server.get("/c/plot/status").json()["channel"]["night"].clone();
    assert_eq!(night["mode"], "dim 10%", "{night}");
    // The gallery has its light, and another picture is as dark.
    house.push_colour(RED);
    eventually("the next picture", || {
        let reply = house.server.get("/c/plot/snapshot?night=off");
        let seen = Picture::from_jpeg(&reply.body)?.middle();
        seen.is(RED).then_some(()).ok_or(format!("{seen:?}"))
    });
    await_luma("", &|now| now < 50.0);
    assert_eq!(house.server.colour(), YELLOW);
}

#[test]
fn words_stand_on_each_picture_and_change_with_it() {
    let house = House::with(
        "[channel.plot]\nsource = \"push\"\ntext = \"{caption} {%Y}\"\ntext-place = \"top\"\n\
         text-size = 20\ntext-colour = \"#2d46d2\"\ntext-shadow = false\n",
    );
    // Blue letters on green, in the upper third and nowhere else.
    let blue = |caption: &str| {
        let reply = house.push(
            &format!("X-Caption: {caption}\r\n"),
            &sized(640, 360, GREEN),
        );
        let no = reply.json()["frame"].as_u64().expect("a number");
        let target = format!("/c/plot/snapshot?after={}", no - 1);
        let picture = Picture::from_jpeg(&house.server.get(&target).body).expect("a picture");
        let count = |rows: std::ops::Range<usize>| {
            let all = rows.flat_map(|y| (0..picture.width).map(move |x| (x, y)));
            all.filter(|&(x, y)| picture.at(x, y).is(BLUE)).count()
        };
        assert_eq!(count(180..360), 0, "{caption}");
        count(0..180)
    };
    let (short, long) = (blue("I"), blue("MMM"));
    assert!(short > 100 && long > short + 500, "{short} {long}");
    assert_eq!(blue("MMM"), long);
}

#[test]
fn words_stand_on_the_gallerys_photos_as_well() {
    let house = House::with(
        "[channel.main]\ntext = \"{channel} {caption}\"\ntext-place = \"top\"\n\
         text-size = 20\ntext-colour = \"#2d46d2\"\ntext-shadow = false\n",
    );
    house.server.colour();
    let reply = house.server.get("/snapshot?size=640x360");
    let picture = Picture::from_jpeg(&reply.body).expect("a picture");
    let count = |rows: std::ops::Range<usize>| {
        let all = rows.flat_map(|y| (0..picture.width).map(move |x| (x, y)));
        all.filter(|&(x, y)| picture.at(x, y).is(BLUE)).count()
    };
    assert!(count(0..180) > 500);
    assert_eq!(count(180..360), 0);
    assert!(picture.middle().is(YELLOW));
}
