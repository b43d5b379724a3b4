//! Short streams as devices and servers write them. Their framing is byte for byte what the sender
//! named is known to write (its source where that is open, reports of its users where not); they
//! are no recordings: in place of pictures they have a few bytes that look like a delimiter's
//! beginning as often as possible.

use mantel_shared::Boundary;

/// A stream and what is in it.
pub(crate) struct Sample {
    /// The device or server that writes like this.
    pub(crate) sender: &'static str,
    /// The Content-Type of the whole stream.
    pub(crate) content_type: &'static str,
    pub(crate) stream: Vec<u8>,
    /// The bodies, each with the Content-Type of its part.
    pub(crate) parts: Vec<(&'static str, &'static [u8])>,
    pub(crate) closed: bool,
    /// Whether the last part has neither a length nor a delimiter after it.
    pub(crate) open: bool,
}

impl Sample {
    pub(crate) fn boundary(&self) -> Boundary {
        Boundary::from_content_type(self.content_type).unwrap()
    }
}

const ONE: &[u8] = b"\xff\xd8\r\n--\r\n-\n--b\r\n\r\n--bound\r\xff\xd9";
const TWO: &[u8] = b"\xff\xd8--frame.--myboundary!\r\n--Boundary\xff\xd9";
const JPEG: &str = "image/jpeg";

/// Puts `ONE` and `TWO` where the braces with `1` and `2` are, and their lengths at `#1`, `#2`.
fn fill(template: &str) -> Vec<u8> {
    let text = template
        .replace("#1", &ONE.len().to_string())
        .replace("#2", &TWO.len().to_string());
    let mut stream = Vec::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find(['{', '}']) {
        stream.extend_from_slice(&rest.as_bytes()[..at]);
        stream.extend_from_slice(match &rest[at..at + 3] {
            "{1}" => ONE,
            "{2}" => TWO,
            other => panic!("{other}"),
        });
        rest = &rest[at + 3..];
    }
    stream.extend_from_slice(rest.as_bytes());
    stream
}

fn sample(sender: &'static str, content_type: &'static str, template: &str) -> Sample {
    Sample {
        sender,
        content_type,
        stream: fill(template),
        parts: vec![(JPEG, ONE), (JPEG, TWO)],
        closed: false,
        open: false,
    }
}

/// All samples.
pub(crate) fn all() -> Vec<Sample> {
    let mut all = cameras();
    all.extend(servers());
    all.extend(oddities());
    all
}

fn cameras() -> Vec<Sample> {
    vec![
        sample(
            "Axis",
            "multipart/x-mixed-replace; boundary=myboundary",
            "--myboundary\r\nContent-Type: image/jpeg\r\nContent-Length: #1\r\n\r\n{1}\r\n\
             --myboundary\r\nContent-Type: image/jpeg\r\nContent-Length: #2\r\n\r\n{2}\r\n",
        ),
        sample(
            "Axis and its kin, dashes already in the parameter",
            "multipart/x-mixed-replace; boundary=--myboundary",
            "--myboundary\r\nContent-Type: image/jpeg\r\nContent-Length: #1\r\n\r\n{1}\r\n\
             --myboundary\r\nContent-Type: image/jpeg\r\nContent-Length: #2\r\n\r\n{2}\r\n--myboundary\r\n",
        ),
        Sample {
            open: true,
            ..sample(
                "dashes in the parameter, and two more in the body, no lengths",
                "multipart/x-mixed-replace; boundary=--myboundary",
                "----myboundary\r\nContent-Type: image/jpeg\r\n\r\n{1}\r\n\
                 ----myboundary\r\nContent-Type: image/jpeg\r\n\r\n{2}",
            )
        },
        sample(
            "Foscam",
            "multipart/x-mixed-replace;boundary=ipcamera",
            "--ipcamera\r\nContent-Type: image/jpeg\r\nContent-Length: #1\r\n\r\n{1}\r\n\r\n\
             --ipcamera\r\nContent-Type: image/jpeg\r\nContent-Length: #2\r\n\r\n{2}\r\n\r\n",
        ),
        sample(
            "D-Link: a boundary with a space, ending in dashes",
            "multipart/x-mixed-replace;boundary=--video boundary--",
            "--video boundary--\r\nContent-length: #1\r\nDate: 2012-06-01 15:40:42 IO_00000000_PT_005_000\r\n\
             Content-type: image/jpeg\r\n\r\n{1}\r\n--video boundary--\r\nContent-length: #2\r\n\
             Date: 2012-06-01 15:40:43 IO_00000000_PT_005_000\r\nContent-type: image/jpeg\r\n\r\n{2}\r\n",
        ),
        sample(
            "ESP32-CAM: a newline first, the boundary leads",
            "multipart/x-mixed-replace;boundary=123456789000000000000987654321",
            "\r\n--123456789000000000000987654321\r\nContent-Type: image/jpeg\r\nContent-Length: #1\r\n\
             X-Timestamp: 12.000345\r\n\r\n{1}\r\n--123456789000000000000987654321\r\n\
             Content-Type: image/jpeg\r\nContent-Length: #2\r\nX-Timestamp: 12.040345\r\n\r\n{2}",
        ),
    ]
}

fn servers() -> Vec<Sample> {
    vec![
        sample(
            "mjpg-streamer",
            "multipart/x-mixed-replace;boundary=boundarydonotcross",
            "--boundarydonotcross\r\nContent-Type: image/jpeg\r\nContent-Length: #1\r\n\
             X-Timestamp: 1636464646.000123\r\n\r\n{1}\r\n--boundarydonotcross\r\n\
             Content-Type: image/jpeg\r\nContent-Length: #2\r\nX-Timestamp: 1636464646.033456\r\n\r\n\
             {2}\r\n--boundarydonotcross\r\n",
        ),
        sample(
            "ustreamer: many headers of its own",
            "multipart/x-mixed-replace;boundary=boundarydonotcross",
            "--boundarydonotcross\r\nContent-Type: image/jpeg\r\nContent-Length: #1\r\n\
             X-Timestamp: 1636464646.000123\r\nX-UStreamer-Online: true\r\nX-UStreamer-Dropped: 0\r\n\
             X-UStreamer-Width: 1280\r\nX-UStreamer-Height: 720\r\nX-UStreamer-Client-FPS: 0\r\n\
             X-UStreamer-Send-Time: 1636464646.001\r\n\r\n{1}\r\n--boundarydonotcross\r\n\
             Content-Type: image/jpeg\r\nContent-Length: #2\r\n\r\n{2}\r\n--boundarydonotcross\r\n",
        ),
        sample(
            "ffmpeg, muxer mpjpeg",
            "multipart/x-mixed-replace;boundary=ffmpeg",
            "--ffmpeg\r\nContent-type: image/jpeg\r\nContent-length: #1\r\n\r\n{1}\r\n\
             --ffmpeg\r\nContent-type: image/jpeg\r\nContent-length: #2\r\n\r\n{2}\r\n--ffmpeg\r\n",
        ),
        sample(
            "go2rtc",
            "multipart/x-mixed-replace; boundary=frame",
            "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: #1\r\n\r\n{1}\r\n\
             --frame\r\nContent-Type: image/jpeg\r\nContent-Length: #2\r\n\r\n{2}\r\n",
        ),
        Sample {
            open: true,
            ..sample(
                "Flask, as its tutorials have it: no lengths, the boundary leads",
                "multipart/x-mixed-replace; boundary=frame",
                "--frame\r\nContent-Type: image/jpeg\r\n\r\n{1}\r\n\
                 --frame\r\nContent-Type: image/jpeg\r\n\r\n{2}",
            )
        },
        sample(
            "Motion: the length is padded on the left",
            "multipart/x-mixed-replace; boundary=BoundaryString",
            "--BoundaryString\r\nContent-type: image/jpeg\r\nContent-Length:        #1\r\n\r\n{1}\r\n\
             --BoundaryString\r\nContent-type: image/jpeg\r\nContent-Length:        #2\r\n\r\n{2}\r\n",
        ),
        sample(
            "GStreamer multipartmux",
            "multipart/x-mixed-replace; boundary=ThisRandomString",
            "--ThisRandomString\r\nContent-Type: image/jpeg\r\nContent-Length: #1\r\n\r\n{1}\r\n\
             --ThisRandomString\r\nContent-Type: image/jpeg\r\nContent-Length: #2\r\n\r\n{2}\r\n",
        ),
        sample(
            "Mantel: the head of what comes next goes ahead of it",
            "multipart/x-mixed-replace; boundary=mantel-frame-3f9c1e7a5b2d48608d41c7e9",
            "--mantel-frame-3f9c1e7a5b2d48608d41c7e9\r\nContent-Type: image/jpeg\r\n\
             Content-Length: #1\r\nX-Slide: 7\r\nX-Show-At: 1636464646000\r\n\
             X-Transition: crossfade; ms=1000\r\nX-Caption: Gr%C3%BC%C3%9Fe%20%25\r\n\r\n{1}\r\n\
             --mantel-frame-3f9c1e7a5b2d48608d41c7e9\r\nContent-Type: image/jpeg\r\n\
             Content-Length: #2\r\nX-Slide: 8\r\nX-State: paused\r\n\r\n{2}\r\n\
             --mantel-frame-3f9c1e7a5b2d48608d41c7e9\r\n",
        ),
    ]
}

fn oddities() -> Vec<Sample> {
    let mixed = "multipart/x-mixed-replace; boundary=frame";
    vec![
        sample(
            "LF in place of CR LF, no lengths",
            mixed,
            "--frame\nContent-Type: image/jpeg\n\n{1}\n--frame\nContent-Type: image/jpeg\n\n{2}\n--frame\n",
        ),
        sample(
            "no newline before delimiters",
            mixed,
            "--frame\r\nContent-Type: image/jpeg\r\n\r\n{1}--frame\r\n\
             content-type:image/jpeg\r\ncontent-LENGTH:#2\r\n\r\n{2}--frame",
        ),
        sample(
            "a length, and padding to a block",
            mixed,
            "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: #1\r\n\r\n{1}\0\0\0\0\0\r\n\
             --frame\r\nContent-Type: image/jpeg\r\nContent-Length: #2\r\n\r\n{2}\r\n \t\r\n\r\n--frame\r\n",
        ),
        Sample {
            closed: true,
            ..sample(
                "preamble, padding behind boundaries, close-delimiter, epilogue",
                "Multipart/Mixed; charset=utf-8; Boundary=\"frame\"",
                "This is a multipart message.\r\n--framed, no\r\n--frame \t \r\nCONTENT-TYPE: image/jpeg\r\n\r\n{1}\r\n\
                 --frame\t\nContent-Type : image/jpeg\nX: y\n\n{2}\r\n--frame--\r\nepilogue\r\n--frame\r\nNo: part\r\n\r\n",
            )
        },
        Sample {
            closed: true,
            ..sample(
                "two delimiters in a row, in three ways",
                mixed,
                "--frame\r\n--frame\r\nContent-Type: image/jpeg\r\n\r\n{1}\r\n--frame\r\n\r\n\
                 --frame\r\nContent-Type: image/jpeg\r\nContent-Length: #2\r\n\r\n{2}\r\n--frame\n--frame--",
            )
        },
        Sample {
            parts: vec![
                ("application/octet-stream", ONE),
                (JPEG, b""),
                ("text/plain", b""),
                (JPEG, TWO),
            ],
            closed: true,
            ..sample(
                "a part without a head, and empty parts with one",
                mixed,
                "--frame\r\n\r\n{1}\r\n--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 0\r\n\r\n\r\n\
                 --frame\r\nContent-Type: text/plain\r\n\r\n\r\n--frame\r\nContent-Type: image/jpeg\r\n\r\n{2}\r\n--frame--",
            )
        },
    ]
}
