//! Command lines of ffmpeg for a camera: JPEGs in parts with their lengths on standard output. Pictures that a camera gives
//! as JPEGs are passed on; others are encoded by one thread, because several hold back as many pictures.
//!
//! An address that holds a secret is given to ffmpeg by its standard input, as a script for its `concat` format: a command
//! line can be read by everyone on the machine.

use std::{ffi::OsString, fmt::Write as _};

use super::{Camera, Device, device::Url};
use crate::source::child::Line;

/// How a line's options are chosen.
#[derive(Clone, Copy)]
pub(in crate::source::live) struct Way {
    /// Whether JPEGs are asked for, and passed on.
    pub(in crate::source::live) is_copied: bool,
    /// Whether ffmpeg is of 2022 (5.1) or later.
    is_new: bool,
}

/// Protocols that a script may name: no files, and nothing that starts programs.
const PROTOCOLS: &str = "crypto,data,hls,http,httpproxy,https,pipe,rtmp,rtmps,rtmpt,rtp,rtsp,rtsps,srt,srtp,tcp,tls,udp";

/// The options of networks and their formats, which a script names beside the address. All others are ffmpeg's own.
const OF_NETWORKS: [&str; 25] = [
    "allowed_media_types",
    "analyzeduration",
    "auth_type",
    "buffer_size",
    "ca_file",
    "cert_file",
    "cookies",
    "fflags",
    "headers",
    "http_proxy",
    "key_file",
    "localaddr",
    "max_delay",
    "multiple_requests",
    "passphrase",
    "probesize",
    "referer",
    "reorder_queue_size",
    "rtsp_flags",
    "rtsp_transport",
    "rw_timeout",
    "seekable",
    "stimeout",
    "timeout",
    "user_agent",
];

/// The options whose values are secret.
const SECRET: [&str; 3] = ["cookies", "headers", "passphrase"];

/// How long an address may not answer, in microseconds.
const TIMEOUT: &str = "5000000";

pub(super) fn ways(camera: &Camera) -> Vec<(Way, Line)> {
    let is_asked = camera
        .input_options
        .iter()
        .any(|option| option == "-input_format");
    let copied = (matches!(camera.device, Device::V4l2(_)) && !is_asked).then_some(Way {
        is_copied: true,
        is_new: true,
    });
    let encoded = [true, false].map(|is_new| Way {
        is_copied: false,
        is_new,
    });
    let ways = copied.into_iter().chain(encoded);
    ways.map(|way| (way, line(camera, way))).collect()
}

/// The values of options that nobody is to read.
pub(super) fn secret_options(options: &[String]) -> impl Iterator<Item = &str> {
    let pairs = options.windows(2);
    pairs.filter_map(|pair| {
        let name = pair[0].strip_prefix('-')?;
        SECRET.contains(&name).then(|| pair[1].trim_end())
    })
}

fn line(camera: &Camera, way: Way) -> Line {
    let mut words: Vec<String> = ["-nostdin", "-hide_banner", "-loglevel", "warning"]
        .map(str::to_owned)
        .to_vec();
    let script = input(&mut words, camera, way);
    output(&mut words, camera, way);
    Line {
        program: "ffmpeg".into(),
        arguments: words.into_iter().map(OsString::from).collect(),
        input: script.unwrap_or_default().into_bytes(),
    }
}

fn add(words: &mut Vec<String>, more: &[&str]) {
    words.extend(more.iter().map(|&word| word.to_owned()));
}

/// Adds the input; gives the script where there is one.
fn input(words: &mut Vec<String>, camera: &Camera, way: Way) -> Option<String> {
    let fps = camera.fps.map(|fps| fps.to_string());
    let framerate = |words: &mut Vec<String>| {
        if let Some(fps) = &fps {
            add(words, &["-framerate", fps]);
        }
    };
    let name = match &camera.device {
        Device::V4l2(path) => {
            add(words, &["-f", "v4l2"]);
            if way.is_copied {
                add(words, &["-input_format", "mjpeg"]);
            }
            framerate(words);
            if let Some(size) = camera.size {
                add(words, &["-video_size", &size.to_string()]);
            }
            path
        }
        Device::Screen(display) => {
            add(words, &["-f", "x11grab"]);
            framerate(words);
            display
        }
        Device::Format { name, input } => {
            // Pictures out of nothing come as fast as they are made, unless they are held back.
            add(words, if *name == "lavfi" { &["-re"] } else { &[] });
            add(words, &["-f", name]);
            input
        }
        Device::Url(url) => {
            let is_secret =
                url.is_secret() || secret_options(&camera.input_options).next().is_some();
            if is_secret {
                return Some(scripted(words, url, &camera.input_options, way));
            }
            for (name, value) in of_scheme(url, way) {
                add(words, &[&format!("-{name}"), value]);
            }
            add(words, &["-flags", "low_delay"]);
            &url.text
        }
    };
    words.extend(camera.input_options.iter().cloned());
    add(words, &["-i", name]);
    None
}

/// The options that an address is usually opened with: without waiting for more than is needed, and not for ever.
fn of_scheme(url: &Url, way: Way) -> Vec<(&'static str, &'static str)> {
    let mut options = vec![("fflags", "nobuffer")];
    match (url.scheme, way.is_new) {
        ("rtsp" | "rtsps", true) => {
            options.extend([("rtsp_flags", "prefer_tcp"), ("timeout", TIMEOUT)]);
        }
        // There `timeout` makes it a server.
        ("rtsp" | "rtsps", false) => {
            options.extend([("rtsp_flags", "prefer_tcp"), ("stimeout", TIMEOUT)]);
        }
        ("http" | "https", _) => {
            options.extend([("timeout", TIMEOUT), ("user_agent", "Mantel")]);
        }
        _ => {}
    }
    options
}

/// Adds the script as input, and gives it.
fn scripted(words: &mut Vec<String>, url: &Url, typed: &[String], way: Way) -> String {
    let usual = of_scheme(url, way);
    let mut options: Vec<(&str, &str)> = Vec::new();
    let mut rest = typed.iter().peekable();
    while let Some(word) = rest.next() {
        let name = word.strip_prefix('-');
        let name = name.filter(|name| OF_NETWORKS.contains(name) || name.starts_with("reconnect"));
        match (name, rest.peek()) {
            (Some(name), Some(value)) => {
                options.push((name, value.trim_end()));
                rest.next();
            }
            _ => words.push(word.clone()),
        }
    }
    let is_typed = |name: &str| options.iter().any(|(typed, _)| *typed == name);
    let usual: Vec<_> = usual
        .into_iter()
        .filter(|(name, _)| !is_typed(name))
        .collect();
    let mut script = format!("ffconcat version 1.0\nfile {}\n", quoted(&url.text));
    // Older ones don't know the word.
    for (name, value) in usual.into_iter().chain(options).filter(|_| way.is_new) {
        let _ = writeln!(script, "option {name} {}", quoted(value));
    }
    add(
        words,
        &["-flags", "low_delay", "-f", "concat", "-safe", "0"],
    );
    add(words, &["-protocol_whitelist", PROTOCOLS, "-i", "pipe:0"]);
    script
}

/// A word of a script, in which only a quote is special.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn output(words: &mut Vec<String>, camera: &Camera, way: Way) {
    add(words, &["-an"]);
    if way.is_copied {
        add(words, &["-c:v", "copy"]);
    } else {
        let mut filters = Vec::new();
        let is_set_up = matches!(camera.device, Device::V4l2(_));
        if let Some(size) = camera.size.filter(|_| !is_set_up) {
            let fits = "force_original_aspect_ratio=decrease";
            filters.push(format!("scale={}:{}:{fits}", size.width, size.height));
        }
        let has_rate = is_set_up || matches!(camera.device, Device::Screen(_));
        if let Some(fps) = camera.fps.filter(|_| !has_rate) {
            filters.push(format!("fps={fps}"));
        }
        if !filters.is_empty() {
            add(words, &["-vf", &filters.join(",")]);
        }
        // No picture twice, and none left out because a rate was guessed wrongly.
        let mode = if way.is_new { "-fps_mode" } else { "-vsync" };
        add(words, &[mode, "vfr", "-enc_time_base", "1/1000"]);
        add(
            words,
            &["-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-threads", "1"],
        );
        add(words, &["-q:v", &coarseness(camera.quality).to_string()]);
    }
    add(words, &["-flush_packets", "1", "-f", "mpjpeg", "pipe:1"]);
}

/// The scale of ffmpeg's encoder, 2 to 31, for a quality of 1 to 100.
fn coarseness(quality: u8) -> u32 {
    let below = u32::from(100 - quality.min(100));
    2 + below * 29 / 99
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera(device: &str) -> Camera {
        Camera {
            device: device
                .parse()
                .unwrap_or_else(|error| panic!("{device}: {error}")),
            size: None,
            fps: None,
            quality: Camera::QUALITY,
            input_options: Vec::new(),
        }
    }

    fn told(camera: &Camera) -> Vec<(String, String)> {
        let lines = ways(camera).into_iter().map(|(_, line)| {
            let words: Vec<_> = line
                .arguments
                .iter()
                .map(|word| word.to_string_lossy())
                .collect();
            (words.join(" "), String::from_utf8(line.input).unwrap())
        });
        lines.collect()
    }

    #[test]
    fn a_camera_of_this_machine_passes_its_jpegs_on_if_it_has_any() {
        let mut webcam = camera("/dev/video0");
        webcam.size = Some(crate::size::Size::new(1280, 720));
        webcam.fps = Some(15);
        let start = "-nostdin -hide_banner -loglevel warning";
        let asked = "-framerate 15 -video_size 1280x720 -i /dev/video0 -an";
        let end = "-flush_packets 1 -f mpjpeg pipe:1";
        let encoded = |mode: &str| {
            format!(
                "{start} -f v4l2 {asked} {mode} vfr -enc_time_base 1/1000 -c:v mjpeg -pix_fmt yuvj420p -threads 1 -q:v 4 {end}"
            )
        };
        let lines: Vec<_> = told(&webcam).into_iter().map(|(line, _)| line).collect();
        assert_eq!(
            lines,
            [
                format!("{start} -f v4l2 -input_format mjpeg {asked} -c:v copy {end}"),
                encoded("-fps_mode"),
                encoded("-vsync"),
            ]
        );
        // Who names a format gets it.
        webcam.input_options = vec!["-input_format".into(), "yuyv422".into()];
        let lines = told(&webcam);
        assert_eq!(lines.len(), 2);
        assert!(
            lines[0].0.contains("-input_format yuyv422 -i /dev/video0"),
            "{lines:?}"
        );
    }

    #[test]
    fn what_is_no_camera_is_scaled_and_held_to_the_rate() {
        let mut test = camera("lavfi:testsrc2=size=640x360:rate=10");
        test.size = Some(crate::size::Size::new(320, 200));
        test.fps = Some(5);
        let line = told(&test).remove(0).0;
        let scaled = "-vf scale=320:200:force_original_aspect_ratio=decrease,fps=5";
        assert!(
            line.contains("-re -f lavfi -i testsrc2=size=640x360:rate=10 -an"),
            "{line}"
        );
        assert!(line.contains(scaled), "{line}");
        let mut screen = camera("screen");
        screen.fps = Some(5);
        let line = told(&screen).remove(0).0;
        assert!(
            line.contains("-f x11grab -framerate 5 -i  -an -fps_mode"),
            "{line}"
        );
        assert_eq!([100, 50, 1, 0].map(coarseness), [2, 16, 31, 31]);
    }

    #[test]
    fn a_plain_address_stands_on_the_line() {
        let mut plain = camera("rtsp://10.0.0.7/live");
        plain.input_options = ["-rtsp_transport", "udp"].map(str::to_owned).to_vec();
        let lines = told(&plain);
        let options = "-fflags nobuffer -rtsp_flags prefer_tcp -timeout 5000000 -flags low_delay -rtsp_transport udp";
        assert!(
            lines[0]
                .0
                .contains(&format!("{options} -i rtsp://10.0.0.7/live")),
            "{lines:?}"
        );
        assert!(lines[1].0.contains("-stimeout 5000000"), "{lines:?}");
        assert!(lines.iter().all(|(_, script)| script.is_empty()));
    }

    #[test]
    fn a_secret_stands_in_a_script_alone() {
        let mut secret = camera("rtsp://joe:it's@10.0.0.7/live");
        secret.input_options = [
            "-rtsp_transport",
            "udp",
            "-hwaccel",
            "vaapi",
            "-timeout",
            "9",
        ]
        .map(str::to_owned)
        .to_vec();
        let lines = told(&secret);
        for (line, _) in &lines {
            assert!(
                !line.contains("it's") && !line.contains("10.0.0.7"),
                "{line}"
            );
            assert!(
                line.contains("-hwaccel vaapi -flags low_delay -f concat"),
                "{line}"
            );
        }
        let (_, script) = &lines[0];
        assert_eq!(
            script,
            "ffconcat version 1.0\nfile 'rtsp://joe:it'\\''s@10.0.0.7/live'\noption fflags 'nobuffer'\n\
             option rtsp_flags 'prefer_tcp'\noption rtsp_transport 'udp'\noption timeout '9'\n"
        );
        let mut header = camera("http://10.0.0.7/live");
        header.input_options = ["-headers", "Authorization: Bearer abcdef\r\n"]
            .map(str::to_owned)
            .to_vec();
        let lines = told(&header);
        assert!(
            lines.iter().all(|(line, _)| !line.contains("abcdef")),
            "{lines:?}"
        );
        assert!(
            lines[0]
                .1
                .contains("option headers 'Authorization: Bearer abcdef'\n")
        );
        let hidden = header
            .secrets()
            .hide("bad header Authorization: Bearer abcdef");
        assert_eq!(hidden, "bad header ***");
        assert!(!format!("{secret:?}").contains("it's"));
    }
}
