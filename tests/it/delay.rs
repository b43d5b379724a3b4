//! How far what is painted is behind what a program draws, by each way of video: a script draws boxes by OpenCV, which
//! write its clock in every frame, and Chromium reads them back from the frame that it paints.

use std::{path::Path, process::Command};

use crate::{
    live::House,
    support::{
        clients::{Client, left_out, require},
        devtools::{Browser, Page},
        eventually,
        process::Process,
    },
};

/// Draws frames of so many pixels and so many a second: in motion, and with a box for each bit of the clock that is set,
/// in milliseconds, and one that is always there.
const DRAWS: &str = "
import sys, time
import cv2, numpy
from mantel_push import Pusher
width, height, fps = int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
ground = numpy.random.default_rng(1).integers(0, 60, (height // 8, width // 8, 3), dtype=numpy.uint8)
ground = cv2.resize(ground, (width, height), interpolation=cv2.INTER_LINEAR)
side = width // 17
with Pusher(sys.argv[1]) as cam:
    due = time.monotonic()
    while True:
        at = time.time()
        frame = numpy.roll(ground, cam.pushed.sent * 4 % width, axis=1)
        bits = int(at * 1000) % 65536 | 65536
        for bit in range(17):
            if bits >> bit & 1:
                cv2.rectangle(frame, (bit * side, 0), (bit * side + side - 1, side), (255, 255, 255), -1)
            else:
                cv2.rectangle(frame, (bit * side, 0), (bit * side + side - 1, side), (0, 0, 0), -1)
        cam.push(cv2.imencode('.jpg', frame)[1].tobytes(), taken_at=at)
        due += 1 / fps
        time.sleep(max(0, due - time.monotonic()))
";

/// Reads the boxes of the frames that are painted, until there are `n`: how old each was, in milliseconds.
const READ: &str = "new Promise(function (done) {
    var video = document.querySelector('video'), pen = document.createElement('canvas').getContext('2d'), found = [];
    pen.canvas.width = 170;
    pen.canvas.height = 10;
    function read() {
        pen.drawImage(video, 0, 0, video.videoWidth, video.videoWidth / 17, 0, 0, 170, 10);
        var dots = pen.getImageData(0, 5, 170, 1).data, bits = 0;
        for (var bit = 0; bit < 17; bit++) { bits += dots[(bit * 10 + 5) * 4] > 128 ? Math.pow(2, bit) : 0; }
        if (bits >= 65536) { found.push((Date.now() - (bits - 65536) + 131072) % 65536); }
        if (found.length < N) { video.requestVideoFrameCallback(read); } else { done(found); }
    }
    video.requestVideoFrameCallback(read);
})";

/// A house whose channel a script draws on.
struct Drawn {
    house: House,
    _script: Process,
}

impl Drawn {
    fn start(size: [&str; 2], fps: &str) -> Option<Self> {
        let python = require(Client::Opencv)?;
        let house = House::plot();
        if !house.server.has_viewer() {
            return None;
        }
        let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/pages");
        let mut line = Command::new(&python[0]);
        line.env("PYTHONPATH", module)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .args(["-c", DRAWS])
            .arg(house.server.url("/push/plot"))
            .args(size)
            .arg(fps);
        let script = Process::start(line);
        eventually("the first frame", || match house.live()["frame"].as_u64() {
            Some(n) if n > 0 => Ok(()),
            _ => Err(script.output()),
        });
        Some(Self {
            house,
            _script: script,
        })
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
        let found = found.unwrap_or_else(|error| panic!("{error}: {}", self.house.live()));
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
    let url = drawn.house.server.url("/c/plot/?via=webrtc");
    let mut page = browser.open(&url);
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
    for way in ["webrtc", "mse", "mp4"] {
        let url = drawn.house.server.url(&format!("/c/plot/?via={way}"));
        let mut page = browser.open(&url);
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
