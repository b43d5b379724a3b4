//! The software that people put between cameras and screens: GStreamer and OpenCV themselves, and the
//! rules by which Home Assistant, OctoPrint and go2rtc read such streams.

use std::{process::Command, time::Duration};

use crate::{
    players::{FOUR, MOVING, assert_in_order, colours_in, open_folder},
    support::{
        clients::{Client, require},
        eventually,
        http::{self, Stream},
        parts::Parts,
        photos::{Photos, oriented},
        pixels::{Picture, Rgb},
        process::{self, Process},
        server::{STANDING, Server},
    },
};

#[test]
fn gstreamer_shows_each_photo() {
    let Some(programs) = require(Client::Gstreamer) else {
        return;
    };
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &MOVING);
    let frames = open_folder();
    let mut command = Command::new(&programs[0]);
    command
        .args(["-q", "souphttpsrc", "is-live=true"])
        .arg(format!("location={}", server.url("/stream")))
        .args(["!", "multipartdemux", "!", "jpegdec", "!", "videoconvert"])
        .args(["!", "pngenc", "compression-level=1", "!", "multifilesink"])
        .arg(format!(
            "location={}/frame-%05d.png",
            frames.path().display()
        ))
        .env("HOME", frames.path());
    let gstreamer = Process::start(command);
    let colours = eventually("three photos from GStreamer", || {
        let colours = colours_in(frames.path());
        if colours.len() >= 3 {
            Ok(colours)
        } else {
            Err(format!("{colours:?}\n{}", gstreamer.output()))
        }
    });
    assert_in_order(&colours);
}

#[test]
fn opencv_captures_each_photo() {
    const SCRIPT: &str = "
import cv2, sys
capture = cv2.VideoCapture(sys.argv[1])
assert capture.isOpened(), 'not opened'
seen = []
while len(seen) < 3:
    ok, frame = capture.read()
    assert ok, 'no frame'
    h, w = frame.shape[:2]
    patch = frame[h//2-8:h//2+8, w//2-8:w//2+8].mean(axis=(0, 1))
    colour = tuple(int(round(value)) for value in patch[::-1])
    if not seen or max(abs(a - b) for a, b in zip(colour, seen[-1])) > 40:
        seen.append(colour)
        print('frame', w, h, *colour, flush=True)
";
    let Some(programs) = require(Client::Opencv) else {
        return;
    };
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &MOVING);
    for target in ["/stream", "/?action=stream"] {
        let mut command = Command::new(&programs[0]);
        command.args(["-c", SCRIPT, &server.url(target)]);
        let ended = process::run(command);
        assert!(ended.status.success(), "{target}: {}", ended.output);
        let colours: Vec<Rgb> = ended
            .output
            .lines()
            .filter_map(|line| line.strip_prefix("frame 640 360 "))
            .map(|line| {
                let mut values = line.split(' ').map(|value| value.parse().expect("a byte"));
                let colour = Rgb([(); 3].map(|()| values.next().expect("three values")));
                colour.named().unwrap_or(colour)
            })
            .collect();
        assert_eq!(colours.len(), 3, "{target}: {}", ended.output);
        assert_in_order(&colours);
    }
}

/// How Home Assistant's MJPEG camera makes a still of a stream
/// (`homeassistant/components/mjpeg/camera.py`): chunks are joined until an end of image is among them
/// and a start, and what lies between the first of each is the picture.
fn home_assistants_still(bytes: &[u8], chunk: usize) -> Option<Vec<u8>> {
    // What was searched before is not searched again, which changes nothing but the time it takes.
    let find = |data: &[u8], from: usize, marker: [u8; 2]| {
        let mut pairs = data[from..].windows(2);
        pairs.position(|pair| pair == marker).map(|at| from + at)
    };
    let (mut data, mut from) = (Vec::new(), 0);
    for chunk in bytes.chunks(chunk) {
        data.extend(chunk);
        if let Some(end) = find(&data, from, [0xFF, 0xD9]) {
            let start = find(&data, 0, [0xFF, 0xD8])?;
            return data.get(start..end + 2).map(<[u8]>::to_vec);
        }
        from = data.len() - 1;
    }
    None
}

#[test]
fn home_assistant_cuts_whole_pictures_out_of_the_stream() {
    const AGENT: &str = "User-Agent: HomeAssistant/2026.11 aiohttp/3.13 Python/3.13\r\n";
    // Photos with a thumbnail inside, at whose end that rule would cut.
    let photos = Photos::none();
    for orientation in [1, 3] {
        photos.add(format!("turned-{orientation}.jpg"), &oriented(orientation));
    }
    let fading = ["--interval", "1s", "--transition", "600ms", "--fps", "8"];
    let args = [&["--size", "640x360"], &fading[..]].concat();
    let server = Server::start(photos.path(), &args);
    server.snapshot();
    for _ in 0..6 {
        let mut stream = Parts::open_as(server.address, "/stream", AGENT);
        // From the part's head on, with what follows.
        let head = stream.head();
        let first = stream.body(&head);
        let mut bytes = head.lines.join("\r\n").into_bytes();
        bytes.extend(b"\r\n\r\n");
        bytes.extend(&first);
        bytes.extend(stream.stream.peek_for(Duration::from_millis(300)));
        for chunk in [1, 2, 7, 1000, 102_400] {
            let still = home_assistants_still(&bytes, chunk).expect("a picture");
            assert!(still == first, "{} of {} bytes", still.len(), first.len());
            Picture::from_jpeg(&still).expect("a whole picture");
        }
    }
}

#[test]
fn home_assistants_still_address_and_proxy_are_served() {
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    let colour = server.colour();
    let agent = "User-Agent: HomeAssistant/2026.11 aiohttp/3.13 Python/3.13\r\n";
    let still = http::request(server.address, "GET", "/snapshot", agent, "");
    let still = Picture::from_jpeg(&still.body).expect("a JPEG");
    assert!(still.middle().is(colour));
    // It hands the bytes on to browsers whose names it hides: what paints everywhere is the frame
    // sent again.
    let mut stream = Parts::open_as(server.address, "/stream", agent);
    let first = stream.part();
    assert_eq!(stream.part().body, first.body);
}

#[test]
fn octoprints_addresses_answer_within_its_patience() {
    // OctoPrint's own time-out for snapshots.
    const PATIENCE: Duration = Duration::from_secs(5);
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    for n in 0..3 {
        let head = format!(
            "GET /?action=snapshot&_={n} HTTP/1.1\r\nHost: {}\r\nAccept-Encoding: gzip, deflate\r\n\
             Accept: */*\r\nConnection: keep-alive\r\nUser-Agent: python-requests/2.32.3\r\n\r\n",
            server.address
        );
        let mut stream = Stream::send(server.address, head.as_bytes());
        // The first one too, which has to be made: requests' time-out is for each silence.
        let start = stream.peek_for(PATIENCE / 5 * if n == 0 { 5 } else { 1 });
        assert!(
            start.starts_with(b"HTTP/1.1 200"),
            "nothing within {PATIENCE:?}"
        );
        let head = stream.read_head();
        assert_eq!(head.get("content-type"), Some("image/jpeg"));
        let length = usize::try_from(head.number("content-length")).expect("a length");
        Picture::from_jpeg(&stream.exactly(length)).expect("a JPEG");
    }
    // Its page puts the stream into an <img> with a cache-buster of its own.
    Parts::open(server.address, "/?action=stream&1700000000000").part();
}

#[test]
fn strict_parsers_find_every_length() {
    // go2rtc and its like: no boundary is searched for, each part's head says how long it is; and
    // names the type that opens the stream.
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &MOVING);
    let agent = "User-Agent: Go-http-client/1.1\r\nAccept-Encoding: gzip\r\n";
    let mut stream = Parts::open_as(server.address, "/stream", agent);
    assert_eq!(stream.response.get("content-encoding"), None);
    for _ in 0..4 {
        let part = stream.part();
        assert_eq!(part.head.get("content-type"), Some("image/jpeg"));
        assert!(part.body.starts_with(&[0xFF, 0xD8]) && part.body.ends_with(&[0xFF, 0xD9]));
    }
}

#[test]
fn ranges_are_not_for_moving_pictures() {
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    server.colour();
    // Players ask like this at first, and take 206 for a file that can be wound.
    for range in [
        "bytes=0-",
        "bytes=0-0",
        "bytes=-500",
        "bytes=9-3",
        "pages=1",
    ] {
        let more = format!("Range: {range}\r\n");
        for target in ["/stream", "/bytes"] {
            let stream = Parts::open_as(server.address, target, &more);
            assert_eq!(stream.response.get("content-range"), None, "{target}");
            assert_eq!(stream.response.get("accept-ranges"), None, "{target}");
        }
        let still = http::request(server.address, "GET", "/snapshot", &more, "");
        assert_eq!(still.status(), 200, "{range}");
        Picture::from_jpeg(&still.body).expect("all of it");
    }
}
