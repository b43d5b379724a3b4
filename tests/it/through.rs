//! H.264 that is sent and goes on as it came: its slices to the byte, in every container, in engines that play it, and what
//! takes its place when it stops.

use std::{
    collections::HashSet,
    path::PathBuf,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use mantel_media::{
    annexb::{Nal, Splitter, Unit},
    avc::{ParameterSets, is_b_slice},
};
use serde_json::Value;

use crate::{
    live::House,
    support::{
        clients::{Client, require},
        devtools::{Browser, Page},
        eventually,
        http::Stream,
        parts::Parts,
        pixels::{BLUE, GREEN, Picture, RED, Rgb, YELLOW},
        process, site,
        webdriver::Driver,
    },
};

/// The pictures in a second, and the seconds in a round.
const FPS: u32 = 25;
const COLOURS: [Rgb; 4] = [RED, BLUE, GREEN, YELLOW];

/// A second of each colour by x264, with so many options more.
fn film(ffmpeg: &[PathBuf], more: &[&str]) -> Vec<Unit> {
    let mut line = Command::new(&ffmpeg[0]);
    line.args(["-loglevel", "error", "-nostdin"]);
    for Rgb([r, g, b]) in COLOURS {
        let source = format!("color=c=0x{r:02x}{g:02x}{b:02x}:s=640x360:r={FPS}:d=1");
        line.args(["-f", "lavfi", "-i", &source]);
    }
    line.args([
        "-filter_complex",
        "concat=n=4,noise=alls=4:allf=t",
        "-c:v",
        "libx264",
    ])
    .args(["-pix_fmt", "yuv420p", "-preset", "superfast"])
    .args(["-g", "25", "-sc_threshold", "0"])
    .args(more)
    .args(["-f", "h264", "-"]);
    let made = line.output().expect("ffmpeg runs");
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let units = units(&made.stdout);
    assert_eq!(units.len(), 4 * FPS as usize);
    units
}

fn units(stream: &[u8]) -> Vec<Unit> {
    let (mut splitter, mut rest) = (Splitter::new(1 << 20), stream);
    let mut units: Vec<_> =
        std::iter::from_fn(|| splitter.next(&mut rest).expect("whole units")).collect();
    units.extend(splitter.flush());
    units
}

fn slices(units: &[Unit]) -> Vec<Vec<u8>> {
    let nals = units.iter().flat_map(Unit::nals);
    let slices = nals.filter(|nal| nal.kind().is_slice());
    slices.map(|nal| nal.bytes().to_vec()).collect()
}

/// The options of what goes on as it comes.
const MAIN: [&str; 4] = ["-profile:v", "main", "-tune", "zerolatency"];
const HIGH: [&str; 4] = ["-profile:v", "high", "-tune", "zerolatency"];
const BASELINE: [&str; 4] = ["-profile:v", "baseline", "-tune", "zerolatency"];

/// A sender of a film, over and over, at its own pace, until it is dropped.
struct Sender {
    stops: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Sender {
    fn of(house: &House, film: &[Unit]) -> Self {
        let address = house.address();
        let film: Vec<Vec<u8>> = film.iter().map(|unit| unit.annexb().to_vec()).collect();
        let stops = Arc::new(AtomicBool::new(false));
        let stopped = stops.clone();
        let thread = thread::spawn(move || {
            let head = format!(
                "POST /push/plot HTTP/1.1\r\nHost: {address}\r\nContent-Type: video/h264\r\n\
                 Transfer-Encoding: chunked\r\n\r\n"
            );
            let mut stream = Stream::send(address, head.as_bytes());
            let begun = Instant::now();
            for (no, unit) in (1..).zip(film.iter().cycle()) {
                if stopped.load(Relaxed) {
                    break;
                }
                let chunk = [format!("{:x}\r\n", unit.len()).as_bytes(), unit, b"\r\n"].concat();
                if stream.write(&chunk).is_err() {
                    break;
                }
                let due = begun + Duration::from_secs(1) * no / FPS;
                thread::sleep(due.saturating_duration_since(Instant::now()));
            }
        });
        Self {
            stops,
            thread: Some(thread),
        }
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.stops.store(true, Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Waits until what is sent goes on in this way.
fn await_encoder(house: &House, wanted: &str) {
    eventually(wanted, || {
        let live = house.live();
        match live["encoder"].as_str() {
            Some(encoder) if encoder.contains(wanted) => Ok(()),
            _ => Err(live.to_string()),
        }
    });
}

/// Waits until nothing is sent.
fn await_none(house: &House) {
    eventually("no sender", || {
        let live = house.live();
        if live["encoder"].is_null() {
            Ok(())
        } else {
            Err(live.to_string())
        }
    });
}

/// So many bytes of a stream.
fn some(house: &House, target: &str, n: usize) -> Vec<u8> {
    let head = format!("GET {target} HTTP/1.0\r\nHost: {}\r\n\r\n", house.address());
    let mut stream = Stream::send(house.address(), head.as_bytes());
    stream.read_head();
    stream.exactly(n)
}

fn probed(ffmpeg: &[PathBuf], options: &[&str], url: &str) -> Value {
    let mut command = Command::new(&ffmpeg[1]);
    command
        .args(["-v", "error"])
        .args(options)
        .args(["-count_frames", "-read_intervals", "%+#10"])
        .args(["-show_entries", "stream", "-of", "json", url]);
    let ended = process::run(command);
    assert!(ended.status.success(), "{}", ended.output);
    let report: Value = serde_json::from_str(&ended.output)
        .unwrap_or_else(|error| panic!("{error}: {}", ended.output));
    report["streams"][0].clone()
}

#[test]
fn what_is_sent_goes_on_to_the_byte_in_every_container() {
    let Some(ffmpeg) = require(Client::Ffmpeg) else {
        return;
    };
    let house = House::plot();
    let film = film(&ffmpeg, &MAIN);
    let _sender = Sender::of(&house, &film);
    await_encoder(&house, "passed through");
    let got = some(&house, "/c/plot/stream.h264", 600_000);
    let mut got = units(&got);
    got.pop(); // It may be cut.
    assert!(got.len() > 10 && got[0].is_key(), "{}", got.len());
    let sets = ParameterSets::of(&got[0]).expect("a head");
    let head = sets.expect("its sets").head().clone();
    assert_eq!((head.profile, head.n_reordered()), (77, Some(0)));
    let sent: HashSet<_> = slices(&film).into_iter().collect();
    let got = slices(&got);
    assert!(got.iter().all(|slice| sent.contains(slice)));
    for (options, target) in [
        (&["-f", "h264"][..], "/c/plot/stream.h264"),
        (&[], "/c/plot/stream.ts"),
        (&[], "/c/plot/stream.mp4"),
        (&[], "/hls/plot/index.m3u8"),
    ] {
        let stream = probed(&ffmpeg, options, &house.server.url(target));
        assert_eq!(stream["profile"], "Main", "{target}: {stream}");
        assert_eq!(stream["width"], 640, "{target}: {stream}");
        assert_eq!(stream["has_b_frames"], 0, "{target}: {stream}");
        assert_eq!(stream["nb_read_frames"], "10", "{target}: {stream}");
    }
    // Whoever asks for anything is sent what was made for that.
    for query in ["bitrate=1M", "fps=10", "size=320x180", "gop=2s"] {
        let url = house.server.url(&format!("/c/plot/stream.ts?{query}"));
        let stream = probed(&ffmpeg, &[], &url);
        assert_eq!(
            stream["profile"], "Constrained Baseline",
            "{query}: {stream}"
        );
    }
    await_encoder(&house, "passed through");
}

/// Pictures are made all the same for who wants pictures, and one is there at any time.
#[test]
fn pictures_are_made_of_what_goes_on_while_somebody_wants_them() {
    let Some(ffmpeg) = require(Client::Ffmpeg) else {
        return;
    };
    let house = House::plot();
    let _sender = Sender::of(&house, &film(&ffmpeg, &MAIN));
    await_encoder(&house, "passed through");
    let frame = |house: &House| house.live()["frame"].as_u64().expect("a number");
    // One a second; all of them are 25. A machine that stood still counts anew.
    eventually("few pictures", || {
        let before = frame(&house);
        thread::sleep(Duration::from_secs(2));
        match frame(&house) - before {
            ..10 => Ok(()),
            more => Err(more.to_string()),
        }
    });
    let before = house.live()["came"].as_u64().expect("a number");
    let mut colours = Vec::new();
    let mut stream = Parts::open(house.address(), "/c/plot/stream?paint=plain");
    eventually("every colour", || {
        let picture = Picture::from_jpeg(&stream.part().body)?;
        let colour = picture.middle().named();
        if let Some(colour) = colour
            && !colours.contains(&colour)
        {
            colours.push(colour);
        }
        if colours.len() == 4 {
            Ok(())
        } else {
            Err(format!("{colours:?}"))
        }
    });
    assert!(house.live()["came"].as_u64() > Some(before + 25));
    assert_eq!(house.live()["signal"], "on");
}

#[test]
fn what_can_not_go_on_is_encoded_again_and_says_why() {
    let Some(ffmpeg) = require(Client::Ffmpeg) else {
        return;
    };
    let house = House::plot();
    for (more, why) in [
        (&["-profile:v", "main", "-bf", "2"][..], "B-frames"),
        (
            &["-tune", "zerolatency", "-g", "250"],
            "key frames are more than 4 s",
        ),
    ] {
        let film = film(&ffmpeg, more);
        let slices = slices(&film);
        let mut slices = slices.iter().filter_map(|slice| Nal::new(slice));
        assert_eq!(slices.any(is_b_slice), why == "B-frames");
        // One key frame in all: the round is not begun again.
        let once: Vec<Unit> = if why == "B-frames" {
            film
        } else {
            let deltas = film[1..].iter().cycle().take(2000).cloned();
            film[..1].iter().cloned().chain(deltas).collect()
        };
        let sender = Sender::of(&house, &once);
        await_encoder(&house, why);
        drop(sender);
        await_none(&house);
    }
}

fn seen(page: &mut Page) -> Result<Rgb, String> {
    let middle = page.screenshot()?.middle();
    middle.named().ok_or_else(|| format!("{middle:?}"))
}

/// Waits until so many colours that differ from the one before were seen.
fn follows(n: usize, mut seen: impl FnMut() -> Result<Rgb, String>) {
    let mut colours = Vec::new();
    eventually("colours that move", || {
        let colour = seen()?;
        if COLOURS.contains(&colour) && colours.last() != Some(&colour) {
            colours.push(colour);
        }
        if colours.len() >= n {
            Ok(())
        } else {
            Err(format!("{colours:?}"))
        }
    });
}

const SILENT: &str = "[channel.plot]\nsource = \"push\"\nsilent-after = \"3s\"\n";

/// The card that says that nothing comes is none of the colours.
fn await_card(mut screen: impl FnMut() -> Result<Picture, String>) {
    eventually("the card", || {
        let middle = screen()?.around(0.1, 0.1);
        match middle.named() {
            Some(colour) if COLOURS.contains(&colour) => Err(format!("{middle:?}")),
            _ => Ok(()),
        }
    });
}

/// The sender goes and comes back: words take the place of its pictures, and no viewer ends.
fn outlives_its_sender(via: &str, options: &[&str]) {
    let (Some(browser), Some(ffmpeg)) = (Browser::start(Client::Chromium), require(Client::Ffmpeg))
    else {
        return;
    };
    let house = House::with(SILENT);
    if !house.server.has_viewer() {
        return;
    }
    let film = film(&ffmpeg, options);
    let sender = Sender::of(&house, &film);
    await_encoder(&house, "passed through");
    let mut page = browser.open(&house.server.url(&format!("/c/plot/?via={via}")));
    follows(5, || seen(&mut page));
    assert_eq!(page.root("data-via"), via, "{}", page.root("data-reason"));
    drop(sender);
    await_card(|| page.screenshot());
    let _sender = Sender::of(&house, &film);
    await_encoder(&house, "passed through");
    follows(5, || seen(&mut page));
    assert_eq!(page.root("data-via"), via, "and not a lower way");
}

#[test]
fn chromium_plays_it_by_fragments_and_outlives_its_sender() {
    outlives_its_sender("mse", &MAIN);
}

#[test]
fn chromium_plays_it_by_webrtc_and_outlives_its_sender() {
    outlives_its_sender("webrtc", &HIGH);
}

#[test]
fn chromium_plays_its_playlist_and_outlives_its_sender() {
    outlives_its_sender("hls", &MAIN);
}

/// A plain `<video>` has one answer for all: what is encoded in between brings its parameters with it.
#[test]
fn a_plain_video_element_outlives_its_sender() {
    let (Some(browser), Some(ffmpeg)) = (Browser::start(Client::Chromium), require(Client::Ffmpeg))
    else {
        return;
    };
    let house = House::with(SILENT);
    let film = film(&ffmpeg, &MAIN);
    let sender = Sender::of(&house, &film);
    await_encoder(&house, "passed through");
    let html = format!(
        "<body style='margin:0'><video autoplay muted src='{}' style='width:100vw'></video>",
        house.server.url("/c/plot/stream.mp4")
    );
    let mut page = browser.open(&format!("http://{}/", site::serve(&html)));
    follows(5, || seen(&mut page));
    drop(sender);
    await_card(|| page.screenshot());
    let _sender = Sender::of(&house, &film);
    follows(5, || seen(&mut page));
}

#[test]
fn firefox_plays_its_fragments_and_outlives_its_sender() {
    let (Some(firefox), Some(ffmpeg)) = (Driver::firefox(), require(Client::Ffmpeg)) else {
        return;
    };
    let house = House::with(SILENT);
    if !house.server.has_viewer() {
        return;
    }
    let film = film(&ffmpeg, &MAIN);
    let sender = Sender::of(&house, &film);
    await_encoder(&house, "passed through");
    firefox.open(&house.server.url("/c/plot/?via=mse"));
    let seen = || {
        let middle = firefox.screenshot()?.middle();
        middle.named().ok_or_else(|| format!("{middle:?}"))
    };
    follows(5, seen);
    drop(sender);
    await_card(|| firefox.screenshot());
    let _sender = Sender::of(&house, &film);
    follows(5, seen);
}

/// What `/status` says of a rendition that is watched, of which this is true.
fn watched(house: &House, asks: impl Fn(&Value) -> bool) -> Result<Value, String> {
    let status = house.server.get("/status").json();
    let rows = status["renditions"].as_array().expect("a list").clone();
    let mut rows = rows
        .into_iter()
        .filter(|row| row["viewers"] != 0 && asks(row));
    rows.next().ok_or_else(|| status.to_string())
}

#[test]
fn each_rendition_is_told_whether_it_goes_on_as_it_came() {
    let Some(ffmpeg) = require(Client::Ffmpeg) else {
        return;
    };
    let house = House::plot();
    let _sender = Sender::of(&house, &film(&ffmpeg, &MAIN));
    await_encoder(&house, "passed through");
    let bitrate = "encoded again: a bitrate is asked for";
    let size = "encoded again: another size than its 640x360 is asked for";
    for (query, encoder) in [
        ("", "passed through"),
        ("?size=640x360&fps=60", "passed through"),
        ("?bitrate=1M", bitrate),
        ("?size=320x180", size),
        (
            "?fps=10",
            "encoded again: fewer pictures a second than its 25 are asked for",
        ),
        (
            "?gop=2s",
            "encoded again: a time between key frames is asked for",
        ),
    ] {
        let status = house.server.get(&format!("/c/plot/status{query}")).json();
        assert_eq!(status["channel"]["live"]["encoder"], encoder, "{query}");
    }
    let streams = ["", "?bitrate=1M", "?size=320x180"].map(|query| {
        let target = format!("/c/plot/stream.h264{query}");
        let head = format!("GET {target} HTTP/1.0\r\nHost: {}\r\n\r\n", house.address());
        Stream::send(house.address(), head.as_bytes())
    });
    let encoders = || {
        let of = |asks: &dyn Fn(&Value) -> bool| {
            watched(&house, asks).map(|row| row["encoder"].as_str().map(str::to_owned))
        };
        let plain = |row: &Value| row["bitrate"].is_null() && row["size"] == "640x360";
        Ok([
            of(&plain)?,
            of(&|row| row["bitrate"] == "1M")?,
            of(&|row| row["size"] != "640x360")?,
        ])
    };
    let told = eventually("three renditions", encoders);
    let told = told.map(Option::unwrap_or_default);
    assert_eq!(told, ["passed through", bitrate, size]);
    drop(streams);
}

/// A house that gives nobody less, however busy the machine is.
fn steady() -> House {
    House::with_options(
        "[channel.plot]\nsource = \"push\"\n",
        &["--step-down", "off"],
    )
}

/// A page's script that keeps its sessions, to be asked about.
const PEERS: &str = "(function () {
    var Peer = RTCPeerConnection;
    window.peers = [];
    window.RTCPeerConnection = function (settings) {
        var peer = new Peer(settings);
        window.peers.push(peer);
        return peer;
    };
    window.RTCPeerConnection.prototype = Peer.prototype;
}())";

/// The parameters of the payload type by which the page is sent video.
const SENT_BY: &str = "peers[peers.length - 1].getStats().then(function (all) {
    var parameters = '';
    all.forEach(function (one) {
        if (one.type === 'inbound-rtp' && one.codecId) {
            parameters = all.get(one.codecId).sdpFmtpLine;
        }
    });
    return parameters;
})";

/// Each profile goes on by its own payload type, also where the sender comes back with another one. High goes by that of High
/// 4:4:4, all that Chromium's own decoder offers above Main.
#[test]
fn chromium_is_sent_every_profile_by_webrtc_as_it_comes() {
    let (Some(browser), Some(ffmpeg)) = (Browser::start(Client::Chromium), require(Client::Ffmpeg))
    else {
        return;
    };
    let house = steady();
    if !house.server.has_viewer() {
        return;
    }
    let mut page = None;
    for (options, profile, id) in [
        (&MAIN, 77, "4d001f"),
        (&BASELINE, 66, "42e01f"),
        (&HIGH, 100, "f4001f"),
    ] {
        let film = film(&ffmpeg, options);
        let sets = ParameterSets::of(&film[0]).expect("a head");
        assert_eq!(sets.expect("its sets").head().profile, profile);
        await_none(&house);
        let _sender = Sender::of(&house, &film);
        await_encoder(&house, "passed through");
        let page = page.get_or_insert_with(|| {
            browser.open_after(&house.server.url("/c/plot/?via=webrtc"), PEERS)
        });
        follows(5, || seen(page));
        eventually("its payload type", || {
            let parameters = page.eval(SENT_BY)?;
            match parameters.as_str() {
                Some(parameters) if parameters.contains(id) => Ok(()),
                _ => {
                    let status = house.server.get("/status").json();
                    Err(format!("{parameters}, not {id}: {}", status["watching"]))
                }
            }
        });
        assert_eq!(
            page.root("data-via"),
            "webrtc",
            "{}",
            page.root("data-reason")
        );
        let told = watched(&house, |_| true).expect("a rendition");
        assert_eq!(told["encoder"], "passed through", "{told}");
        assert_eq!(told["bitrate"], Value::Null, "{told}");
    }
}

/// Python's own WebRTC takes Baseline alone: it tells the colours that it sees, and the profile of each set that came.
const WATCH: &str = r#"
import asyncio, re, sys, urllib.request
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.codecs.h264 import H264Decoder
url = sys.argv[1]
decode = H264Decoder.decode

def told(self, encoded):
    for sps in re.finditer(rb"\x00\x00\x01[\x07\x27\x47\x67](.)", encoded.data, re.S):
        print("profile", sps.group(1)[0], flush=True)
    return decode(self, encoded)

H264Decoder.decode = told

async def main():
    peer = RTCPeerConnection()
    tracks = asyncio.Queue()
    peer.on("track", tracks.put_nowait)
    peer.addTransceiver("video", direction="recvonly")
    await peer.setLocalDescription(await peer.createOffer())
    offered = set(re.findall("profile-level-id=(..)", peer.localDescription.sdp))
    assert offered == {"42"}, offered
    request = urllib.request.Request(url, peer.localDescription.sdp.encode(),
                                     {"Content-Type": "application/sdp"}, method="POST")
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 201, answer.status
        await peer.setRemoteDescription(RTCSessionDescription(answer.read().decode(), "answer"))
    track = await tracks.get()
    while True:
        array = (await track.recv()).to_ndarray(format="rgb24")
        print("colour", *array[array.shape[0] // 2, array.shape[1] // 2], flush=True)

asyncio.run(main())
"#;

/// One that watches by it.
struct Watcher(process::Process);

impl Watcher {
    fn of(house: &House, python: &[PathBuf]) -> Self {
        let mut command = Command::new(&python[0]);
        command.args(["-c", WATCH, &house.server.url("/whep/plot")]);
        Self(process::Process::start(command))
    }

    fn seen(&self) -> Result<Rgb, String> {
        let output = self.0.output();
        let last = output
            .lines()
            .rev()
            .find_map(|line| line.strip_prefix("colour "));
        let bytes = last.into_iter().flat_map(|line| line.split(' '));
        let bytes: Vec<u8> = bytes.filter_map(|byte| byte.parse().ok()).collect();
        let colour = Rgb(bytes.try_into().map_err(|_| output)?);
        colour.named().ok_or_else(|| format!("{colour:?}"))
    }

    /// Nothing of another profile came.
    fn had_baseline_alone(&self) {
        let output = self.0.output();
        let mut profiles = output
            .lines()
            .filter_map(|line| line.strip_prefix("profile "));
        assert!(profiles.all(|profile| profile == "66"), "{output}");
        assert!(output.contains("profile 66"), "{output}");
    }
}

/// Who takes Baseline alone is sent that as it comes, and what is made here as soon as another one comes.
#[test]
fn who_takes_baseline_alone_is_sent_nothing_else_whatever_the_sender_turns_to() {
    let (Some(python), Some(ffmpeg)) = (require(Client::Aiortc), require(Client::Ffmpeg)) else {
        return;
    };
    let house = steady();
    let [baseline, main, high] = [&BASELINE, &MAIN, &HIGH].map(|options| film(&ffmpeg, options));
    let sends = |film: &[Unit]| {
        await_none(&house);
        let sender = Sender::of(&house, film);
        await_encoder(&house, "passed through");
        sender
    };
    let passed = |row: &Value| row["encoder"] == "passed through";
    let made = |row: &Value| row["encoder"] == "encoded again: a bitrate is asked for";

    let sender = sends(&main);
    let watcher = Watcher::of(&house, &python);
    follows(3, || watcher.seen());
    assert!(watched(&house, made).is_ok() && watched(&house, passed).is_err());
    watcher.had_baseline_alone();
    drop((sender, watcher));

    let sender = sends(&baseline);
    let first = Watcher::of(&house, &python);
    follows(3, || first.seen());
    eventually("the passed-through one", || watched(&house, passed));
    drop(sender);
    let sender = sends(&high);
    eventually("the one that is made", || watched(&house, made));
    follows(5, || first.seen());
    assert!(watched(&house, passed).is_err());
    first.had_baseline_alone();
    drop(sender);

    let _sender = sends(&baseline);
    let second = Watcher::of(&house, &python);
    follows(3, || second.seen());
    assert!(watched(&house, passed).is_ok() && watched(&house, made).is_ok());
    follows(3, || first.seen());
}
