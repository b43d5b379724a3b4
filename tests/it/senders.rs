//! Other programs that send live pictures: GStreamer, what pipes into curl, and the example scripts.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    live::House,
    support::{
        clients::{Client, require},
        eventually,
        parts::Parts,
        photos::Photos,
        pixels::{BLUE, GREEN, Picture, RED, Rgb, YELLOW},
        process::{Ended, run},
    },
};

fn push_url(house: &House) -> String {
    house.server.url("/push/plot")
}

/// The number of the newest picture.
fn frame(house: &House) -> u64 {
    house.live()["frame"].as_u64().expect("a number")
}

fn in_hex(Rgb([r, g, b]): Rgb) -> String {
    format!("0x{r:02x}{g:02x}{b:02x}")
}

/// GStreamer's pictures of one colour.
fn test_source(colour: Rgb) -> Vec<String> {
    let colour = in_hex(colour).replace("0x", "0xff");
    let line = format!(
        "-q videotestsrc num-buffers=20 is-live=true pattern=solid-color foreground-color={colour} ! \
         video/x-raw,width=320,height=180,framerate=20/1 ! jpegenc"
    );
    line.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn gstreamer_pushes_with_and_without_parts() {
    let Some(programs) = require(Client::Gstreamer) else {
        return;
    };
    let house = House::plot();
    // Its sink sends a PUT for what has gathered since the last one.
    for (framing, wanted) in [(&["!", "multipartmux"][..], RED), (&[], BLUE)] {
        let before = house.push_colour(GREEN);
        let mut line = Command::new(&programs[0]);
        line.args(test_source(wanted)).args(framing);
        line.args(["!", "souphttpclientsink"]);
        line.arg(format!("location={}", push_url(&house)));
        let ended = run(line);
        assert!(ended.status.success(), "{}", ended.output);
        house.await_colour(wanted);
        assert_eq!(house.live()["size"], "320x180");
        // What it still holds at its end it may keep to itself.
        let n = frame(&house) - before;
        assert!((15..=20).contains(&n), "{n}");
    }
}

/// A second of one colour as ffmpeg encodes it, with so many options more.
fn encoded(ffmpeg: &Path, colour: Rgb, more: &[&str]) -> Vec<u8> {
    let source = format!("color=c={}:s=320x180:r=20:d=1", in_hex(colour));
    let mut line = Command::new(ffmpeg);
    line.args(["-loglevel", "error", "-f", "lavfi", "-i", &source]);
    line.args(more).arg("-");
    let made = line.output().expect("ffmpeg runs");
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    made.stdout
}

const X264: [&str; 6] = [
    "-c:v",
    "libx264",
    "-tune",
    "zerolatency",
    "-pix_fmt",
    "yuv420p",
];

#[test]
fn h264_is_pushed_as_it_is() {
    let Some(ffmpeg) = require(Client::Ffmpeg) else {
        return;
    };
    let house = House::plot();
    // By ffmpeg itself, which goes on as long as it likes.
    let mut line = Command::new(&ffmpeg[0]);
    let source = format!("color=c={}:s=320x180:r=20:d=2", in_hex(RED));
    line.args(["-loglevel", "error", "-re", "-f", "lavfi", "-i", &source])
        .args(X264)
        .args(["-f", "h264"])
        .arg(push_url(&house));
    let ended = run(line);
    assert!(ended.status.success(), "{}", ended.output);
    house.await_colour(RED);
    assert_eq!(house.live()["size"], "320x180");

    let of = |colour, more: &[&str]| {
        let options = [&X264[..], more, &["-f", "h264"]].concat();
        encoded(&ffmpeg[0], colour, &options)
    };
    // Whole, and begun in the middle of the first of its groups of pictures.
    for (colour, from) in [(BLUE, 0), (YELLOW, 100)] {
        let body = of(colour, &["-g", "5"]);
        let told = house.push("Content-Type: video/h264\r\n", &body[from..]);
        assert_eq!(told.status(), 200, "{}", told.text());
        let came = told.json()["came"].as_u64().expect("a number");
        assert!((10..=20).contains(&came), "{}", told.text());
        house.await_colour(colour);
    }
    // What is damaged is passed over, up to the next key frame.
    let mut damaged = of(GREEN, &["-g", "5"]);
    let n = damaged.len();
    for byte in &mut damaged[n / 3..n / 3 + 60] {
        *byte = !*byte;
    }
    assert_eq!(house.push("", &damaged).status(), 200);
    house.await_colour(GREEN);
}

#[test]
fn video_that_can_not_be_decoded_is_told_so() {
    let Some(ffmpeg) = require(Client::Ffmpeg) else {
        return;
    };
    let house = House::plot();
    house.push_colour(GREEN);
    for (options, word) in [
        (
            &[
                "-c:v",
                "libx265",
                "-x265-params",
                "log-level=error",
                "-f",
                "hevc",
            ][..],
            "h.265",
        ),
        (
            &["-c:v", "libx264", "-pix_fmt", "yuv422p", "-f", "h264"],
            "4:2:0",
        ),
        (
            &["-c:v", "libx264", "-pix_fmt", "yuv420p10le", "-f", "h264"],
            "8 bits",
        ),
        (&["-c:v", "mpeg2video", "-f", "mpegts"], "transport streams"),
    ] {
        let told = house.push("", &encoded(&ffmpeg[0], RED, options));
        assert_eq!(told.status(), 415, "{word}: {}", told.text());
        assert!(told.text().contains(word), "{}", told.text());
    }
    house.await_colour(GREEN);
}

#[test]
fn what_is_piped_into_curl_is_shown_picture_by_picture() {
    let (Some(curl), Some(ffmpeg), Some(gst)) = (
        require(Client::Curl),
        require(Client::Ffmpeg),
        require(Client::Gstreamer),
    ) else {
        return;
    };
    let house = House::plot();
    let color = |colour| format!("color=c={}:s=320x180:r=20:d=1", in_hex(colour));
    let of_ffmpeg = |colour, more: &[&str]| {
        let source = color(colour);
        let mut line = vec![
            "-loglevel",
            "error",
            "-f",
            "lavfi",
            "-i",
            &source,
            "-q:v",
            "3",
        ];
        line.extend(more);
        line.push("-");
        line.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let mut of_gst = test_source(YELLOW);
    of_gst.extend(["!", "multipartmux", "!", "fdsink"].map(str::to_owned));
    let senders = [
        // As `rpicam-vid --codec mjpeg -o -` writes them: no framing, no length.
        (&ffmpeg[0], of_ffmpeg(RED, &["-f", "mjpeg"]), RED),
        (&ffmpeg[0], of_ffmpeg(BLUE, &["-f", "mpjpeg"]), BLUE),
        (&gst[0], of_gst, YELLOW),
    ];
    for (program, args, wanted) in senders {
        let mut line = Command::new("sh");
        line.args([
            "-c",
            "curl=$1; to=$2; shift 2; \"$@\" | \"$curl\" -sS -T - \"$to\"",
            "sh",
        ]);
        line.arg(&curl[0]).arg(push_url(&house));
        line.arg(program).args(args);
        let ended = run(line);
        assert!(ended.status.success(), "{}", ended.output);
        assert!(ended.output.contains("\"came\":20"), "{}", ended.output);
        house.await_colour(wanted);
    }
}

/// Runs an example script against the house, to its end.
fn example(python: &Path, house: &House, script: &str, more: &[&str]) -> Ended {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut line = Command::new(python);
    line.arg(root.join("docs/examples").join(script))
        .arg(push_url(house))
        .args(more)
        // As it lies beside a script that somebody downloads.
        .env("PYTHONPATH", root.join("server/pages"))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    let ended = run(line);
    assert!(ended.status.success(), "{}", ended.output);
    ended
}

/// The picture that the channel shows, once it is as wanted.
fn await_picture(house: &House, is_wanted: impl Fn(&Picture) -> bool) -> Picture {
    eventually("the script's picture", || {
        let reply = house.server.get("/c/plot/snapshot");
        let picture = Picture::from_jpeg(&reply.body)?;
        if is_wanted(&picture) {
            Ok(picture)
        } else {
            Err(format!("{:?}", picture.middle()))
        }
    })
}

/// The number of pixels, in a band of rows, of which `is_one` is true.
fn count(picture: &Picture, rows: std::ops::Range<usize>, is_one: impl Fn(Rgb) -> bool) -> usize {
    let all = rows.flat_map(|y| (0..picture.width).map(move |x| (x, y)));
    all.filter(|&(x, y)| is_one(picture.at(x, y))).count()
}

#[test]
fn the_plot_is_a_line_on_white() {
    let Some(python) = require(Client::Matplotlib) else {
        return;
    };
    let house = House::plot();
    let ended = example(&python[0], &house, "plot.py", &["3"]);
    assert!(ended.output.contains("error=None"), "{}", ended.output);
    let is_line = |colour: Rgb| colour.is(Rgb([214, 39, 40]));
    let picture = await_picture(&house, |picture| {
        count(picture, 0..picture.height, is_line) > 500
    });
    assert_eq!((picture.width, picture.height), (640, 360));
    assert!(picture.at(3, 3).is(Rgb([255, 255, 255])));
    // Its stamps are believed.
    let differs = house.live()["clock_differs_millis"]
        .as_i64()
        .expect("a stamp");
    assert!(differs.abs() <= 2000, "{differs}");
}

#[test]
fn boxes_are_around_what_is_bright() {
    let (Some(python), Some(ffmpeg)) = (require(Client::Opencv), require(Client::Ffmpeg)) else {
        return;
    };
    let house = House::plot();
    let photos = Photos::none();
    let video = photos.path().join("cam.avi");
    let mut line = Command::new(&ffmpeg[0]);
    line.args(["-loglevel", "error", "-f", "lavfi", "-i"])
        .arg("color=c=black:s=640x360:r=10:d=1,drawbox=x=240:y=120:w=160:h=120:color=white:t=fill")
        .args(["-c:v", "mjpeg", "-q:v", "3"])
        .arg(&video);
    let made = run(line);
    assert!(made.status.success(), "{}", made.output);
    example(
        &python[0],
        &house,
        "boxes.py",
        &[video.to_str().expect("text")],
    );
    let picture = await_picture(&house, |picture| picture.middle().luma() > 230.0);
    // The box's four sides, eight pixels off what it is around.
    for (x, y) in [(232, 180), (407, 180), (320, 112), (320, 247)] {
        assert!(
            picture.at(x, y).is(GREEN),
            "{x},{y}: {:?}",
            picture.at(x, y)
        );
    }
    assert!(picture.around(0.1, 0.1).luma() < 20.0);
    assert_eq!(house.live()["caption"], "1 found");
}

#[test]
fn a_producer_is_as_fast_as_its_viewers_and_loses_nothing() {
    let Some(python) = require(Client::Opencv) else {
        return;
    };
    let house = House::plot();
    let before = house.push_colour(RED);
    let mut viewer = Parts::open(house.address(), "/c/plot/stream");
    let (seen, ended) = std::thread::scope(|threads| {
        let seen = threads.spawn(move || {
            let mut n = 0;
            while !Picture::from_jpeg(&viewer.part().body)
                .is_ok_and(|picture| picture.at(630, 180).is(GREEN))
            {
                n += 1;
            }
            n
        });
        let ended = example(&python[0], &house, "producer.py", &["40"]);
        (seen.join().expect("the last frame"), ended)
    });
    let said = &ended.output;
    assert!(said.contains("sent=40, dropped=0"), "{said}");
    assert_eq!(frame(&house) - before, 40);
    assert!(seen > 0);
}

#[test]
fn the_clock_is_written_in_both_scripts() {
    let Some(python) = require(Client::Matplotlib) else {
        return;
    };
    let house = House::plot();
    example(&python[0], &house, "clock.py", &["1"]);
    let is_lit = |colour: Rgb| colour.luma() > 150.0;
    let picture = await_picture(&house, |picture| count(picture, 200..300, is_lit) > 800);
    assert!(count(&picture, 50..150, is_lit) > 800);
    assert_eq!(count(&picture, 0..20, is_lit), 0);
    assert!(count(&picture, 200..300, |colour| colour.is(YELLOW)) > 300);
    let caption = house.live()["caption"].to_string();
    assert!(
        caption.contains('年') && caption.contains("星期"),
        "{caption}"
    );
}

#[test]
fn pillow_needs_nothing_else() {
    let Some(python) = require(Client::Matplotlib) else {
        return;
    };
    let house = House::plot();
    example(&python[0], &house, "drawing.py", &["6"]);
    let picture = await_picture(&house, |picture| picture.middle().is(YELLOW));
    assert!(picture.around(0.1, 0.1).is(BLUE));
}

/// Figures that are made anew for each picture, by the library and by pyplot's windows, and how many are left.
const FIGURES: &str = r#"
import gc, os, sys
os.environ["MANTEL_PUSH"] = sys.argv[1]
import matplotlib
matplotlib.use("module://mantel_push")
from matplotlib import pyplot
from matplotlib.figure import Figure
from mantel_push import Pusher
pusher = Pusher(sys.argv[1])
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
def held():
    gc.collect()
    return sum(isinstance(thing, Figure) for thing in gc.get_objects())
for n in range(300):
    figure = Figure(figsize=(2, 1), dpi=50)
    figure.text(0.5, 0.5, str(n))
    pusher.push(figure)
    del figure
    if n == 50:
        before = resident()
assert held() <= 1, held()
# By the backend: one figure that is drawn again and again, as `plt.pause` does.
figure = pyplot.figure(figsize=(2, 1), dpi=50)
for n in range(50):
    figure.clear()
    figure.text(0.5, 0.5, str(n))
    pyplot.pause(0.001)
pyplot.close(figure)
del figure
assert held() <= 1, held()
grown = resident() - before
assert grown < 40 << 20, grown
pusher.close()
assert pusher.pushed.error is None, pusher.pushed
"#;

#[test]
fn no_figure_is_kept() {
    let Some(python) = require(Client::Matplotlib) else {
        return;
    };
    let house = House::plot();
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut line = Command::new(&python[0]);
    line.args(["-c", FIGURES, &push_url(&house)])
        .env("PYTHONPATH", root.join("server/pages"))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    let ended = run(line);
    assert!(ended.status.success(), "{}", ended.output);
}
