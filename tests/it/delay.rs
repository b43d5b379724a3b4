//! How far what is painted is behind what a program draws, by each way of video: a script draws boxes by OpenCV, which
//! write its clock in every frame, and Chromium reads them back from the frame that it paints.

use std::{path::Path, process::Command};

use crate::support::{
    clients::{Client, left_out, require},
    devtools::{Browser, Page},
    eventually, http,
    photos::Photos,
    pixels::YELLOW,
    process::Process,
    server::{self, Program, STANDING},
};

/// Draws frames of so many pixels and so many a second: in motion, and with a box for each bit that is set of the time at
/// which it is pushed, in milliseconds, and one that is always there. It is drawn and encoded before that time.
const DRAWS: &str = "
import sys, time
import cv2, numpy
from mantel_push import Pusher
width, height, fps = int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
ground = numpy.random.default_rng(1).integers(0, 60, (height // 8, width // 8, 3), dtype=numpy.uint8)
ground = cv2.resize(ground, (width, height), interpolation=cv2.INTER_LINEAR)
side = width // 17
with Pusher(sys.argv[1]) as cam:
    at = time.time()
    while True:
        at = max(at + 1 / fps, time.time())
        frame = numpy.roll(ground, cam.pushed.sent * 4 % width, axis=1)
        bits = int(at * 1000) % 65536 | 65536
        for bit in range(17):
            if bits >> bit & 1:
                cv2.rectangle(frame, (bit * side, 0), (bit * side + side - 1, side), (255, 255, 255), -1)
            else:
                cv2.rectangle(frame, (bit * side, 0), (bit * side + side - 1, side), (0, 0, 0), -1)
        jpeg = cv2.imencode('.jpg', frame)[1].tobytes()
        time.sleep(max(0, at - time.time()))
        cam.push(jpeg, taken_at=at)
";

/// Reads the boxes of the frames that are painted, until there are `n`: how old each was, in milliseconds.
const READ: &str = "new Promise(function (done) {
    var video = document.querySelector('video'), pen = document.createElement('canvas').getContext('2d'), found = [];
    pen.canvas.width = 170;
    pen.canvas.height = 10;
    function read() {
        var now = Date.now();
        pen.drawImage(video, 0, 0, video.videoWidth, video.videoWidth / 17, 0, 0, 170, 10);
        var dots = pen.getImageData(0, 5, 170, 1).data, bits = 0;
        for (var bit = 0; bit < 17; bit++) { bits += dots[(bit * 10 + 5) * 4] > 128 ? Math.pow(2, bit) : 0; }
        if (bits >= 65536) { found.push((now - (bits - 65536) + 131072) % 65536); }
        if (found.length < N) { video.requestVideoFrameCallback(read); } else { done(found); }
    }
    video.requestVideoFrameCallback(read);
})";

/// A server whose channel a script draws on.
struct Drawn {
    program: Program,
    _script: Process,
    _photos: Photos,
}

impl Drawn {
    fn start(size: [&str; 2], fps: &str) -> Option<Self> {
        let (python, program) = (require(Client::Opencv)?, server::program()?);
        let photos = Photos::of(&[YELLOW]);
        let args = [&STANDING[..], &["--push-creates"]].concat();
        let program = Program::start(&program, photos.path(), &args);
        let page = http::get(program.address, "/").text();
        if !page.contains("mantel-viewer") {
            left_out("the viewer", "the program is built without it", false);
            return None;
        }
        let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/pages");
        let mut line = Command::new(&python[0]);
        line.env("PYTHONPATH", module)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .args(["-c", DRAWS])
            .arg(format!("http://{}/push/plot", program.address))
            .args(size)
            .arg(fps);
        let script = Process::start(line);
        eventually("the first frame", || {
            match http::get(program.address, "/c/plot/snapshot").status() {
                200 => Ok(()),
                _ => Err(script.output()),
            }
        });
        Some(Self {
            program,
            _script: script,
            _photos: photos,
        })
    }

    fn url(&self, way: &str) -> String {
        format!("http://{}/c/plot/?via={way}", self.program.address)
    }

    /// The ages of `n` frames as they are painted, in order of size.
    fn ages(&self, page: &mut Page, n: usize) -> Vec<f64> {
        eventually("video that is painted", || {
            let painted = page.eval("(document.querySelector('video') || {}).currentTime > 0")?;
            if painted == true {
                Ok(())
            } else {
                Err("none".to_owned())
            }
        });
        let found = page.eval(&READ.replace('N', &n.to_string()));
        let found = found.unwrap_or_else(|error| {
            let channels = http::get(self.program.address, "/channels").text();
            panic!("{error}: {channels}")
        });
        let mut ages: Vec<f64> = serde_json::from_value(found).expect("ages");
        ages.sort_by(f64::total_cmp);
        ages
    }
}

fn told(way: &str, ages: &[f64]) -> String {
    let share = |percent: usize| ages[(ages.len() - 1) * percent / 100];
    format!(
        "{way}: {} ms behind in the median, {} at the 95th percentile, {} at most",
        share(50),
        share(95),
        share(100)
    )
}

/// Frames from a program, over WebRTC: what OpenCV draws is read in the frames that a browser paints. How soon is told, and
/// measured by itself ([`delays_of_each_way`]); that it is no second shows that nothing gathers.
#[test]
fn boxes_of_opencv_are_painted_by_webrtc_while_they_are_new() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let Some(drawn) = Drawn::start(["640", "360"], "10") else {
        return;
    };
    let mut page = browser.open(&drawn.url("webrtc"));
    let ages = drawn.ages(&mut page, 30);
    let told = told("webrtc", &ages);
    println!("{told}");
    assert!(ages[ages.len() / 2] < 1000.0, "{told}");
    let via = page.eval("document.documentElement.getAttribute('data-via')");
    assert_eq!(via, Ok("webrtc".into()));
}

#[test]
#[ignore = "measures; needs a machine of its own"]
fn delays_of_each_way() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let Some(drawn) = Drawn::start(["1920", "1080"], "25") else {
        return;
    };
    let ways = std::env::var("MANTEL_WAYS").unwrap_or_else(|_| "webrtc mse mp4".to_owned());
    for way in ways.split_whitespace() {
        let mut page = browser.open(&drawn.url(way));
        // What an engine gathers at first is behind it by then.
        std::thread::sleep(std::time::Duration::from_secs(5));
        println!("{}", told(way, &drawn.ages(&mut page, 250)));
        let via = page.eval("document.documentElement.getAttribute('data-via')");
        if via != Ok(way.into()) {
            left_out(way, &format!("the page went another way: {via:?}"), false);
        }
        page.eval("location.href = 'about:blank'").expect("a page");
    }
}
