//! What can be wrong on a bus between machines, and what comes of it: servers that can't be used, messages of somebody else,
//! wishes by the thousand. And what an edge gives besides pictures.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::Command,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use mantel_media::wire::{self, Head, Key, Kind, MIN_MESSAGE, Topic};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    players::{last_in, open_folder},
    support::{
        afar::{Bus, Machine, colour_of_house, next_of_house},
        clients::{Client, require},
        eventually, http,
        photos::Photos,
        pixels::{BLUE, GREEN, RED, Rgb},
        process,
        server::{STANDING, command, program},
    },
    webrtc::{OFFER, SDP, received},
};

/// Somebody who may publish on the bus, but is no machine of the house.
struct Stranger(TcpStream);

impl Stranger {
    fn come(bus: &Bus, login: &str) -> Self {
        let mut socket = TcpStream::connect(("127.0.0.1", bus.port)).expect("a connection");
        let hello = format!("CONNECT {{\"verbose\":false{login}}}\r\n");
        socket.write_all(hello.as_bytes()).expect("sent");
        Self(socket)
    }

    /// Publishes to a subject, and waits until the server has all.
    fn say<'a>(&mut self, all: impl IntoIterator<Item = (&'a str, Vec<u8>)>) {
        let mut bytes = Vec::new();
        for (subject, message) in all {
            bytes.extend(format!("PUB {subject} {}\r\n", message.len()).bytes());
            bytes.extend(message);
            bytes.extend(b"\r\n");
        }
        bytes.extend(b"PING\r\n");
        self.0.write_all(&bytes).expect("sent");
        let mut heard = String::new();
        let mut buffer = [0; 4096];
        while !heard.contains("PONG") {
            let n = self.0.read(&mut buffer).expect("an answer");
            assert!(n > 0, "closed: {heard}");
            heard.push_str(&String::from_utf8_lossy(&buffer[..n]));
        }
    }
}

/// A message as machines of a house send them.
fn message(kind: Kind, topic: &str, sent_at: u64, content: &[u8], key: Option<&Key>) -> Vec<u8> {
    let head = Head {
        kind,
        topic: Topic::of(topic),
        run: 5,
        no: 1,
        sent_at,
    };
    let mut messages = wire::cut(head, content, key, MIN_MESSAGE).expect("short enough");
    messages.next().expect("one")
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let millis = since.expect("a time after 1970").as_millis();
    u64::try_from(millis).expect("a time of these centuries")
}

fn figure(machine: &Machine, part: &str, name: &str) -> u64 {
    let status = machine.status();
    let figure = status[part][name].as_u64();
    figure.unwrap_or_else(|| panic!("no {part}.{name} in {status}"))
}

/// A wish for the house's pictures in this shape.
fn want(size: &str, quality: u32, fps: u32) -> Vec<u8> {
    let wish = format!(
        "channel=main&size={size}&fit=blur&quality={quality}&bitrate=off&fps={fps}&transition=cut&pair=off&caption=off&note=on"
    );
    let kinds = "{\"stills\":true,\"motion\":true}";
    format!("{{\"wish\":\"{wish}\",\"kinds\":{kinds}}}").into_bytes()
}

#[test]
fn strangers_on_the_bus_are_counted_and_ten_thousand_wishes_change_nothing() {
    let (Some(program), Some(bus)) = (
        program(),
        Bus::start("authorization { token: geheimnisvoll }"),
    ) else {
        return;
    };
    // By a token, as the address has it.
    let url = bus.url().replace("//", "//geheimnisvoll@");
    let photos = Photos::of(&[RED, GREEN, BLUE]);
    let path = photos.path().to_str().expect("UTF-8");
    let common = ["--nats", &url, "--mdns", "off"];
    let of_house = [&STANDING[..], &common, &[path]].concat();
    let house = Machine::start(&program, &of_house);
    let of_edge = [&["edge", "--size", "640x360"][..], &common].concat();
    let edge = Machine::start(&program, &of_edge);
    edge.await_colour(colour_of_house(&house));

    let mut stranger = Stranger::come(&bus, ",\"auth_token\":\"geheimnisvoll\"");
    let subject = "mantel.home.want.main.x";
    let good = message(
        Kind::Want,
        "want home",
        now(),
        &want("640x360", 85, 20),
        None,
    );
    let changed = |at: usize, byte: u8| {
        let mut message = good.clone();
        message[at] = byte;
        message
    };
    let key = Key::new(b"of another house");
    let wrong = [
        ("nobody's", b"GET / HTTP/1.1".to_vec()),
        ("cut off", good[..40].to_vec()),
        ("of another version", changed(4, 99)),
        ("of no kind", changed(5, 99)),
        ("lying of its parts", changed(10, 9)),
        ("lying of its length", changed(12, good[12] ^ 1)),
        (
            "signed by a key of somebody else's",
            message(Kind::Want, "want home", now(), b"{}", Some(&key)),
        ),
        (
            "of another house",
            message(Kind::Want, "want away", now(), b"{}", None),
        ),
        (
            "replayed",
            message(
                Kind::Want,
                "want home",
                now() - 60_000,
                &want("640x360", 85, 20),
                None,
            ),
        ),
    ];
    for (what, message) in wrong {
        let before = figure(&house, "nats", "dropped");
        stranger.say([(subject, message)]);
        eventually(what, || {
            let now = figure(&house, "nats", "dropped");
            (now == before + 1)
                .then_some(())
                .ok_or_else(|| format!("{now} were dropped, of which {before} before"))
        });
    }
    // Pictures of nobody's are not shown.
    let before = figure(&edge, "house", "dropped");
    stranger.say(["stills", "motion"].map(|kind| {
        let subject = format!("mantel.home.show.main.{kind}").leak();
        (&*subject, b"a picture".to_vec())
    }));

    // Wishes that can't be read, of shapes that nobody makes, and more good ones than are granted: all at once.
    let sizes = ["640x360", "1280x720", "1920x1080", "640x480", "360x640"];
    let wishes = (0..10_000u32).map(|n| {
        let content = match n % 4 {
            0 => b"{\"wish\":".to_vec(),
            1 => want(&format!("{}x{}", 300 + n, 200 + n), 85, 20),
            2 => want("640x360", 1 + n % 100, 20),
            _ => want(sizes[n as usize % 5], 10 + n % 90, 1 + n % 30),
        };
        let message = message(Kind::Want, "want home", now(), &content, None);
        (subject, message)
    });
    stranger.say(wishes);
    let refused = eventually("a count", || {
        let refused = figure(&house, "nats", "refused");
        (refused > 0).then_some(refused).ok_or("none".to_owned())
    });
    assert!(refused <= 10_000);
    // The house is as it was, and so are its screens.
    edge.await_house();
    let now = next_of_house(&house, &edge);
    edge.await_colour(now);
    assert_eq!(figure(&edge, "house", "dropped"), before);
    let limits = house.status()["renditions"].clone();
    let process = house.process.as_ref().expect("a program");
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id()));
    let status = status.expect("a process that runs");
    let own = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let kilobytes = own.and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok());
    assert!(
        kilobytes.is_some_and(|kb| kb < 300_000),
        "{own:?}, {limits}"
    );
    for machine in [&house, &edge] {
        let log = machine.process.as_ref().expect("a program").output();
        assert!(!log.contains("geheimnisvoll"), "{log}");
        // The flood takes no more lines than there are powers of two.
        let n = log.matches("an edge wishes for").count();
        assert!(n <= 14, "{n} lines");
    }
}

#[test]
fn an_edge_gives_video_and_takes_no_pictures() {
    let (Some(program), Some(bus)) = (program(), Bus::start("")) else {
        return;
    };
    let photos = Photos::of(&[RED]);
    let path = photos.path().to_str().expect("UTF-8");
    let url = bus.url();
    let common = ["--nats", &url, "--mdns", "off"];
    let house = Machine::start(&program, &[&STANDING[..], &common, &[path]].concat());
    let of_edge = [&["edge", "--size", "640x360"][..], &common].concat();
    let edge = Machine::start(&program, &of_edge);
    edge.await_colour(colour_of_house(&house));

    // Pictures are sent to the house; an edge says so.
    for target in ["/push/door", "/whip/door"] {
        let head = "Content-Type: image/jpeg\r\n";
        let reply = http::request(edge.address, "POST", target, head, "picture");
        assert_eq!(reply.status(), 409, "{target}: {}", reply.text());
        assert!(reply.text().contains("send pictures to that one"));
    }
    let request = b"GET /stream.h264 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    let mut video = http::Stream::send(edge.address, request);
    // A program may be built without an encoder.
    if video.read_head().status() != 200 {
        return;
    }
    // It begins with a key frame, its parameter sets before it.
    assert_eq!(video.exactly(5), [0, 0, 0, 1, 0x67]);
    // What this form needs is the house's to know: as many pictures as in motion, twenty a second, where five are enough for
    // others while a slide stands.
    let seconds = 5;
    let units = video.peek_for(Duration::from_secs(seconds)).windows(4);
    let n_pictures = units.filter(|at| at[..3] == [0, 0, 1] && matches!(at[3] & 31, 1 | 5));
    let n_pictures = n_pictures.count() as u64;
    assert!(n_pictures > 10 * seconds, "{n_pictures} in {seconds} s");
    drop(video);
    let answer = http::request(edge.address, "POST", "/whep/main", SDP, OFFER);
    assert_eq!(answer.status(), 201, "{}", answer.text());
    assert!(answer.text().contains("m=video"), "{}", answer.text());
    if let Some(programs) = require(Client::Aiortc) {
        let url = format!("http://{}/whep/main?size=640x360", edge.address);
        let seen = received(&programs[0], &url);
        assert!(seen.is(RED), "{seen:?}");
    }
    let Some(programs) = require(Client::Ffmpeg) else {
        return;
    };
    for target in ["/stream.mp4", "/stream.ts", "/hls/main/index.m3u8"] {
        let mut probe = Command::new(&programs[1]);
        probe
            .args(["-v", "error", "-count_frames", "-read_intervals", "%+#3"])
            .args([
                "-show_entries",
                "stream=codec_name,width,height,nb_read_frames",
            ])
            .args(["-select_streams", "v", "-of", "json"])
            .arg(format!("http://{}{target}", edge.address));
        let ended = process::run(probe);
        assert!(ended.status.success(), "{target}: {}", ended.output);
        let from = ended.output.find('{').unwrap_or(0);
        let report: Value = serde_json::from_str(&ended.output[from..])
            .unwrap_or_else(|error| panic!("{target}: {error}: {}", ended.output));
        let stream = &report["streams"][0];
        assert_eq!(stream["codec_name"], "h264", "{target}: {report}");
        assert_eq!(stream["width"], 640, "{target}: {report}");
    }
}

/// The colour of the first picture that ffmpeg decodes at this address.
fn first_of(ffmpeg: &Path, url: &str) -> Rgb {
    let folder = open_folder();
    let mut command = Command::new(ffmpeg);
    command
        .args(["-v", "error", "-nostdin", "-i", url])
        .args(["-frames:v", "1"])
        .arg(folder.path().join("first.png"));
    let ended = process::run(command);
    assert!(ended.status.success(), "{url}: {}", ended.output);
    last_in(folder.path()).expect("a picture")
}

#[test]
fn video_of_an_edge_goes_on_with_a_card_and_comes_back() {
    let (Some(program), Some(bus)) = (program(), Bus::start("")) else {
        return;
    };
    let Some(programs) = require(Client::Ffmpeg) else {
        return;
    };
    let photos = Photos::of(&[RED]);
    let path = photos.path().to_str().expect("UTF-8");
    let url = bus.url();
    let common = ["--nats", &url, "--mdns", "off"];
    let mut house = Machine::start(&program, &[&STANDING[..], &common, &[path]].concat());
    let of_edge = ["edge", "--edge-silent-after", "1s", "--size", "640x360"];
    let edge = Machine::start(&program, &[&of_edge[..], &common].concat());
    edge.await_colour(colour_of_house(&house));
    let request = b"GET /stream.h264 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    if http::Stream::send(edge.address, request)
        .read_head()
        .status()
        != 200
    {
        return; // built without an encoder
    }
    let frames = open_folder();
    let mut player = Command::new(&programs[0]);
    player
        .args([
            "-v",
            "error",
            "-analyzeduration",
            "1000000",
            "-threads",
            "1",
            "-i",
        ])
        .arg(format!("http://{}/stream.ts", edge.address))
        .args(["-vf", "fps=5,scale=320:180"])
        .arg(frames.path().join("%06d.png"));
    let player = process::Process::start(player);
    let shows = |what: &str, wanted: Rgb| {
        eventually(what, || {
            let seen = last_in(frames.path())?;
            // Words may stand in the middle.
            (seen.distance(wanted) < 90)
                .then_some(())
                .ok_or_else(|| format!("{seen:?}\n{}", player.output()))
        });
    };
    let dark = Rgb([24, 26, 30]);
    for _ in 0..2 {
        shows("the photo", RED);
        house.kill();
        shows("the card", dark);
        // Who comes while the house is away has it too.
        if let Some(programs) = require(Client::Aiortc) {
            let url = format!("http://{}/whep/main?size=640x360", edge.address);
            let seen = received(&programs[0], &url);
            assert!(seen.distance(dark) < 90, "{seen:?}");
        }
        for target in ["/stream.mp4?duration=1s", "/hls/main/index.m3u8"] {
            // Players begin some segments back.
            eventually("the card to begin with", || {
                let seen = first_of(&programs[0], &format!("http://{}{target}", edge.address));
                let is_card = seen.distance(dark) < 90;
                is_card.then_some(()).ok_or(format!("{target}: {seen:?}"))
            });
        }
        house.begin(&program);
    }
    shows("the photo", RED);
}

/// A certificate that nobody else knows.
fn certificate(folder: &TempDir) -> [String; 2] {
    let names = vec!["127.0.0.1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a written file");
        path.display().to_string()
    };
    [
        file("certificate", made.cert.pem()),
        file("secret", made.signing_key.serialize_pem()),
    ]
}

#[test]
fn a_bus_that_can_not_be_used_is_told_in_one_sentence() {
    let Some(program) = program() else { return };
    let folder = TempDir::with_prefix("mantel-bus-").expect("a folder");
    let [certificate, secret] = certificate(&folder);
    let by_tls = format!("tls {{ cert_file: \"{certificate}\", key_file: \"{secret}\" }}");
    let with_token = "authorization { token: geheimnisvoll }";
    for (lines, scheme, sentence) in [
        (
            "max_payload: 32KB",
            "nats://",
            "takes messages of 32768 bytes, and 65536 are needed; set max_payload there",
        ),
        (
            &*by_tls,
            "tls://",
            "its certificate is by an authority that isn't known here (--nats-ca FILE)",
        ),
        (
            with_token,
            "nats://falschgeraten@",
            "it lets nobody in by this name, password, token or nkey",
        ),
    ] {
        let Some(bus) = Bus::start(lines) else {
            return;
        };
        let url = bus.url().replace("nats://", scheme);
        let data = TempDir::with_prefix("mantel-data-").expect("a data directory");
        let line = ["edge", "--port", "0", "--mdns", "off", "--nats", &url];
        let line = line.map(std::ffi::OsStr::new);
        let edge = process::Process::start(command(&program, data.path(), &line));
        edge.await_output(sentence);
        // It serves all the same, and goes on trying.
        edge.await_output("http://127.0.0.1:");
        assert!(
            !edge.output().contains("falschgeraten"),
            "{}",
            edge.output()
        );
    }
}
