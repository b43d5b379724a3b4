//! Cameras and programs that bring pictures, as processes: what they bring is shown, they run once and only while somebody
//! watches, they are started again when they end, and nothing of them is left, and no secret told.

use std::{
    collections::BTreeMap,
    fs,
    io::{Read, Write},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Command,
    thread,
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{
    clients::{Client, require},
    eventually, http,
    parts::Parts,
    photos::{Photos, flat},
    pixels::{BLUE, GREEN, Picture, Rgb, YELLOW},
    process,
    server::{Program, STANDING, command, program},
};

/// The program with live channels beside its gallery.
struct House {
    program: Program,
    folder: TempDir,
    _photos: Photos,
}

impl House {
    /// `channels` makes what stands in the configuration, given a folder for files of the test's own.
    fn with(channels: impl Fn(&Path) -> String, environment: &[(&str, &str)]) -> Option<Self> {
        let program = program()?;
        let folder = TempDir::with_prefix("mantel-cameras-").expect("a folder");
        let path = folder.path().join("mantel.toml");
        fs::write(&path, channels(folder.path())).expect("a configuration");
        let photos = Photos::of(&[YELLOW]);
        let config = ["--config", path.to_str().expect("a path that is text")];
        let args = [&STANDING[..], &config].concat();
        let data = TempDir::with_prefix("mantel-data-").expect("a data directory");
        let program = Program::start_in(&program, data, photos.path(), &args, environment);
        Some(Self {
            program,
            folder,
            _photos: photos,
        })
    }

    fn get(&self, target: &str) -> http::Reply {
        http::get(self.program.address, target)
    }

    /// What `/channels` says of one of its channels.
    fn live(&self, name: &str) -> Value {
        let rows = self.get("/channels").json();
        let rows = rows.as_array().expect("a list").clone();
        let row = rows.into_iter().find(|row| row["name"] == name);
        row.expect("the channel")["live"].clone()
    }

    fn await_live(&self, what: &str, name: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        eventually(what, || {
            let live = self.live(name);
            if is_so(&live) {
                Ok(live)
            } else {
                Err(live.to_string())
            }
        })
    }

    fn await_colour(&self, name: &str, colour: Rgb) {
        eventually("the colour that is sent", || {
            let reply = self.get(&format!("/c/{name}/snapshot"));
            let seen = Picture::from_jpeg(&reply.body)?.middle();
            if seen.is(colour) {
                Ok(())
            } else {
                Err(format!("{seen:?} {}", self.live(name)))
            }
        });
    }

    /// The processes below it.
    fn below(&self) -> Vec<Seen> {
        let all = processes();
        let mut found: Vec<Seen> = Vec::new();
        let mut parents = vec![self.program.process.id()];
        while let Some(parent) = parents.pop() {
            for seen in all.values().filter(|seen| seen.parent == parent) {
                parents.push(seen.id);
                found.push(seen.clone());
            }
        }
        found
    }

    /// The ids of those that run ffmpeg itself.
    fn ffmpegs(&self) -> Vec<u32> {
        let below = self.below().into_iter();
        let ours = below.filter(|seen| seen.name == "ffmpeg");
        ours.map(|seen| seen.id).collect()
    }

    fn n_descriptors(&self) -> usize {
        let path = format!("/proc/{}/fd", self.program.process.id());
        fs::read_dir(path).expect("a process").count()
    }
}

/// A process as /proc shows it.
#[derive(Clone, Debug)]
struct Seen {
    id: u32,
    parent: u32,
    name: String,
    state: String,
    line: String,
}

fn processes() -> BTreeMap<u32, Seen> {
    let entries = fs::read_dir("/proc").expect("/proc").flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let seen = ids.filter_map(|id| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        let (start, rest) = stat.rsplit_once(')')?;
        let (_, name) = start.split_once('(')?;
        let mut words = rest.split_whitespace();
        let state = words.next()?.to_owned();
        let parent = words.next()?.parse().ok()?;
        let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        let name = name.to_owned();
        Some((
            id,
            Seen {
                id,
                parent,
                name,
                state,
                line,
            },
        ))
    });
    seen.collect()
}

/// Processes with `mark` on their command lines.
fn marked(mark: &str) -> Vec<Seen> {
    let all = processes().into_values();
    all.filter(|seen| seen.line.contains(mark)).collect()
}

fn await_none(what: &str, mark: &str) {
    eventually(what, || {
        let left = marked(mark);
        if left.is_empty() {
            Ok(())
        } else {
            Err(format!("{left:?}"))
        }
    });
}

fn kill(signal: &str, id: u32) {
    let sent = Command::new("kill")
        .args(["-s", signal, &id.to_string()])
        .status();
    assert!(sent.is_ok_and(|status| status.success()));
}

/// The numbers of the next so many frames of a stream.
fn frames(stream: &mut Parts, n: usize) -> Vec<Vec<u8>> {
    (0..n).map(|_| stream.part().body).collect()
}

#[test]
fn a_camera_is_one_ffmpeg_that_is_started_again_when_it_dies() {
    if require(Client::Ffmpeg).is_none() {
        return;
    }
    let channels = |_: &Path| {
        "[channel.cam]\nsource = \"camera\"\ndevice = \"lavfi:testsrc2=size=640x360:rate=10\"\nsize = \"320x180\"\n"
            .to_owned()
    };
    let Some(house) = House::with(channels, &[]) else {
        return;
    };
    assert_eq!(house.live("cam")["starts"], 0);
    assert!(house.ffmpegs().is_empty());
    let address = house.program.address;
    let mut streams = [
        "paint=plain",
        "paint=plain&quality=50",
        "paint=plain&size=160x90",
    ]
    .map(|query| Parts::open(address, &format!("/c/cam/stream?{query}")));
    house.await_live("pictures", "cam", |live| live["signal"] == "on");
    for stream in &mut streams {
        frames(stream, 4);
    }
    let snapshot = Picture::from_jpeg(&house.get("/c/cam/snapshot").body).expect("a picture");
    assert_eq!((snapshot.width, snapshot.height), (320, 180));
    let live = house.live("cam");
    assert_eq!(
        (&live["starts"], &live["size"]),
        (&1.into(), &"320x180".into())
    );
    let [ffmpeg] = house.ffmpegs()[..] else {
        panic!("one ffmpeg: {:?}", house.below());
    };
    kill("KILL", ffmpeg);
    house.await_live("it to be started again", "cam", |live| live["starts"] == 2);
    let before = house.live("cam")["frame"].as_u64();
    let after = |live: &Value| live["signal"] == "on" && live["frame"].as_u64() > before;
    house.await_live("pictures again", "cam", after);
    // No stream has ended, and each goes on.
    for stream in &mut streams {
        frames(stream, 4);
    }
    assert_eq!(house.ffmpegs().len(), 1);
    house.program.process.signal("TERM");
    eventually("nothing to be left", || {
        let left = marked("testsrc2=size=640x360:rate=10");
        if left.is_empty() {
            Ok(())
        } else {
            Err(format!("{left:?}"))
        }
    });
}

/// An ffmpeg of 2021 with a webcam that makes no JPEGs, and one that somebody else has open; it writes down its calls.
const OLD_FFMPEG: &str = r#"#!/bin/sh
dir=$(dirname "$0")
echo "$*" >> "$dir/calls"
case "$*" in
    *video1*) echo '/dev/video1: Device or resource busy' >&2; exit 1;;
    *input_format*) echo "[v4l2] Cannot find a proper format for codec 'mjpeg'" >&2; exit 1;;
    *fps_mode*) echo "Unrecognized option 'fps_mode'." >&2; exit 1;;
esac
while :; do
    printf -- '--ffmpeg
Content-type: image/jpeg
Content-length: %s

' $(wc -c < "$dir/a.jpg")
    cat "$dir/a.jpg"
    printf '
'
    sleep 0.1
done
"#;

#[test]
fn a_camera_without_jpegs_and_an_old_ffmpeg_are_found_out_once() {
    let path = std::env::var("PATH").unwrap_or_default();
    let fake = TempDir::with_prefix("mantel-ffmpeg-").expect("a folder");
    let ffmpeg = fake.path().join("ffmpeg");
    fs::write(&ffmpeg, OLD_FFMPEG).expect("a script");
    fs::set_permissions(&ffmpeg, fs::Permissions::from_mode(0o755)).expect("a program");
    fs::write(fake.path().join("a.jpg"), flat(GREEN)).expect("a picture");
    let path = format!("{}:{path}", fake.path().display());
    let channels = |_: &Path| {
        let table = |n| {
            format!(
                "[channel.cam{n}]\nsource = \"camera\"\nkeep = \"always\"\ndevice = \"/dev/video{n}\"\n"
            )
        };
        table(0) + &table(1)
    };
    let Some(house) = House::with(channels, &[("PATH", &path)]) else {
        return;
    };
    house.await_colour("cam0", GREEN);
    let calls = |device: &str| {
        let calls = fs::read_to_string(fake.path().join("calls")).unwrap_or_default();
        calls.lines().filter(|call| call.contains(device)).count()
    };
    assert_eq!(
        (calls("video0"), &house.live("cam0")["starts"]),
        (3, &1.into())
    );
    let shells = house.below().into_iter();
    let shell = shells.filter(|seen| seen.line.contains("/ffmpeg") && seen.line.contains("video0"));
    let shell = shell.filter(|seen| !seen.line.contains("supervise"));
    kill("KILL", shell.map(|seen| seen.id).next().expect("a script"));
    house.await_live("it to be started again", "cam0", |live| live["starts"] == 2);
    house.await_live("no trouble", "cam0", |live| live["trouble"].is_null());
    assert_eq!(calls("video0"), 4, "the way that works is remembered");
    // What fails for another reason is tried no other way.
    let live = house.await_live("a third start", "cam1", |live| {
        live["starts"].as_u64() >= Some(3)
    });
    assert_eq!(live["trouble"], "/dev/video1 is in use by another program");
    assert!(calls("video1") as u64 <= 1 + house.live("cam1")["starts"].as_u64().unwrap_or(0));
}

#[test]
fn a_program_shows_what_it_writes_and_a_mistake_is_told_in_a_sentence() {
    let channels = |folder: &Path| {
        fs::write(folder.join("a.jpg"), flat(GREEN)).expect("a picture");
        let picture = folder.join("a.jpg");
        let picture = picture.display();
        let table = |name: &str, run: &str| {
            format!("[channel.{name}]\nsource = \"command\"\nkeep = \"always\"\nrun = {run}\n")
        };
        table(
            "row",
            &format!(r#"["sh", "-c", "while :; do cat {picture}; sleep 0.1; done"]"#),
        ) + &table("gone", r#"["rpicam-vid-of-nobody", "-o", "-"]"#)
            + &table(
                "bad",
                r#"["sh", "-c", "echo 'no camera at http://joe:geheim@host/' >&2; exit 3"]"#,
            )
            + &table(
                "video",
                r#"["sh", "-c", "printf '\\000\\000\\000\\001\\100\\001'; sleep 30"]"#,
            )
    };
    let Some(house) = House::with(channels, &[]) else {
        return;
    };
    house.await_colour("row", GREEN);
    for (name, told) in [
        ("gone", "rpicam-vid-of-nobody is not installed"),
        (
            "bad",
            "sh ended with status 3: no camera at http://***@host/",
        ),
        ("video", "what sh writes can't be shown: h.265"),
    ] {
        let live = house.await_live("a reason", name, |live| live["trouble"].is_string());
        let trouble = live["trouble"].as_str().expect("a sentence");
        assert!(trouble.starts_with(told), "{name}: {trouble}");
        // In the picture, too: a stream has something to show.
        assert_eq!(house.get(&format!("/c/{name}/snapshot")).status(), 200);
    }
    let words = house.live("bad")["last_words"].to_string();
    assert!(
        words.contains("http://***@host/") && !words.contains("geheim"),
        "{words}"
    );
}

#[test]
fn hundreds_of_starts_leave_nothing_behind() {
    const N_CHANNELS: u64 = 50;
    let channels = |_: &Path| {
        let table = |n| {
            format!(
                "[channel.c{n}]\nsource = \"command\"\nkeep = \"always\"\nrun = [\"sh\", \"-c\", \"sleep 4242 & exit 1\"]\n"
            )
        };
        (0..N_CHANNELS).map(table).collect()
    };
    let Some(house) = House::with(channels, &[]) else {
        return;
    };
    let n_starts = || -> u64 {
        let rows = house.get("/channels").json();
        let rows = rows.as_array().expect("a list").clone();
        rows.iter()
            .filter_map(|row| row["live"]["starts"].as_u64())
            .sum()
    };
    let at_rest = |what: &str, n_least: u64| {
        eventually(what, || {
            let n = n_starts();
            let left = house.below();
            let n_descriptors = house.n_descriptors();
            let is_quiet = left.iter().all(|seen| seen.line.contains("decode"));
            if n >= n_least && is_quiet {
                Ok(n_descriptors)
            } else {
                Err(format!("{n} starts, {left:?}"))
            }
        })
    };
    let before = at_rest("each to have run twice", 2 * N_CHANNELS);
    let after = at_rest("each to have run five times", 5 * N_CHANNELS);
    // A connection of this test's own may be one more.
    assert!(
        after <= before + 5,
        "{before} descriptors have become {after}"
    );
    let defunct = house.below().into_iter().filter(|seen| seen.state == "Z");
    assert_eq!(defunct.count(), 0);
    drop(house);
    await_none("grandchildren to be gone", "sleep 4242");
}

#[test]
fn a_server_that_is_killed_leaves_nothing_of_a_script() {
    // A number that stands in no other test.
    let mark = "sleep 73911";
    let channels = |folder: &Path| {
        let script = folder.join("camera.sh");
        let text = format!(
            "#!/bin/sh\ntrap '' TERM HUP\n{mark} &\n(trap '' TERM; {mark}; {mark}) &\nsetsid {mark} &\nwhile :; do cat a.jpg; sleep 0.2; done\n"
        );
        fs::write(&script, text).expect("a script");
        let script = script.display();
        format!(
            "[channel.pi]\nsource = \"command\"\nkeep = \"always\"\nrun = [\"sh\", \"{script}\"]\n"
        )
    };
    let Some(house) = House::with(channels, &[]) else {
        return;
    };
    eventually("the script's children", || {
        let found = marked(mark).len();
        if found >= 3 {
            Ok(())
        } else {
            Err(format!("{found}"))
        }
    });
    house.program.process.signal("KILL");
    await_none("the script's children to be gone", mark);
    let script = house.folder.path().join("camera.sh");
    await_none("the script to be gone", &script.display().to_string());
}

/// A camera in the network that wants a user and a password; serves one picture again and again.
fn camera_with_a_password(picture: Vec<u8>, credentials: &'static str) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let picture = picture.clone();
            thread::spawn(move || {
                let mut connection = connection;
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") && connection.read_exact(&mut byte).is_ok() {
                    head.push(byte[0]);
                }
                let head = String::from_utf8_lossy(&head).into_owned();
                if !head.contains(&format!("Authorization: Basic {credentials}\r\n")) {
                    let refusal = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"cam\"\r\n\
                                   Content-Length: 0\r\nConnection: close\r\n\r\n";
                    let _ = connection.write_all(refusal.as_bytes());
                    return;
                }
                let start = "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace;boundary=cam\r\n\r\n";
                let part = format!(
                    "--cam\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n",
                    picture.len()
                );
                let part = [part.as_bytes(), &picture, b"\r\n"].concat();
                let mut sent = connection.write_all(start.as_bytes());
                while sent.is_ok() {
                    sent = connection.write_all(&part);
                    thread::sleep(Duration::from_millis(100));
                }
            });
        }
    });
    port
}

#[test]
fn a_cameras_password_is_told_to_nobody() {
    if require(Client::Ffmpeg).is_none() {
        return;
    }
    // joe:se'cret-42
    let port = camera_with_a_password(flat(BLUE), "am9lOnNlJ2NyZXQtNDI=");
    let channels = |_: &Path| {
        let table = |name: &str, password: &str| {
            format!(
                "[channel.{name}]\nsource = \"camera\"\nkeep = \"always\"\n\
                 device = \"http://joe:{password}@127.0.0.1:{port}/video?token=tok-42\"\n"
            )
        };
        table("right", "se%27cret-42") + &table("wrong", "other-42")
    };
    let Some(house) = House::with(channels, &[("MANTEL_LOG", "debug")]) else {
        return;
    };
    house.await_colour("right", BLUE);
    let live = house.await_live("a reason", "wrong", |live| live["trouble"].is_string());
    assert_eq!(
        live["trouble"],
        format!("http://127.0.0.1:{port} refuses this user and password")
    );
    assert!(
        !live["last_words"].as_str().unwrap_or_default().is_empty(),
        "{live}"
    );
    let mut told: Vec<(String, String)> = ["/channels", "/status", "/metrics", "/c/wrong/status"]
        .map(|target| (target.to_owned(), house.get(target).text()))
        .to_vec();
    told.push(("the log".into(), house.program.process.output()));
    told.extend(house.below().into_iter().map(|seen| (seen.name, seen.line)));
    assert!(told.iter().any(|(name, _)| name == "ffmpeg"), "{told:?}");
    for (place, text) in told {
        for secret in ["cret-42", "other-42", "tok-42", "am9lOnNl"] {
            assert!(!text.contains(secret), "{secret} in {place}: {text}");
        }
    }
}

/// What `rpicam-vid --codec h264 -o -` and others write.
#[test]
fn a_program_may_write_h264() {
    if require(Client::Ffmpeg).is_none() {
        return;
    }
    let channels = |_: &Path| {
        "[channel.cam]\nsource = \"command\"\nrun = [\"ffmpeg\", \"-loglevel\", \"error\", \"-re\", \"-f\", \"lavfi\", \"-i\", \
         \"color=c=0x28a03c:s=320x180:r=10\", \"-c:v\", \"libx264\", \"-tune\", \"zerolatency\", \"-pix_fmt\", \"yuv420p\", \
         \"-f\", \"h264\", \"-\"]\nkeep = \"always\"\n"
            .to_owned()
    };
    let Some(house) = House::with(channels, &[]) else {
        return;
    };
    house.await_colour("cam", GREEN);
    let frame = |live: &Value| live["frame"].as_u64();
    let first = frame(&house.live("cam"));
    house.await_live("more pictures", "cam", |live| frame(live) > first);
    assert_eq!(house.live("cam")["size"], "320x180");
}

#[test]
fn where_ffmpeg_is_missing_it_is_said_how_to_get_it() {
    let nothing = TempDir::with_prefix("mantel-nothing-").expect("a folder");
    let channels =
        |_: &Path| "[channel.cam]\nsource = \"camera\"\ndevice = \"lavfi:testsrc2\"\n".to_owned();
    let path = nothing.path().to_str().expect("a path that is text");
    let Some(house) = House::with(channels, &[("PATH", path)]) else {
        return;
    };
    let _stream = Parts::open(house.program.address, "/c/cam/stream?paint=plain");
    let live = house.await_live("a reason", "cam", |live| live["trouble"].is_string());
    assert_eq!(
        live["trouble"],
        "ffmpeg is not installed: on Debian `sudo apt install ffmpeg`"
    );
    house
        .program
        .process
        .await_output("ffmpeg is not installed");
}

#[test]
fn a_device_that_is_not_there_is_named() {
    if require(Client::Ffmpeg).is_none() {
        return;
    }
    let channels = |_: &Path| {
        "[channel.cam]\nsource = \"camera\"\ndevice = \"/dev/video77\"\nkeep = \"always\"\n"
            .to_owned()
    };
    let Some(house) = House::with(channels, &[]) else {
        return;
    };
    let live = house.await_live("a reason", "cam", |live| live["trouble"].is_string());
    assert_eq!(
        live["trouble"],
        "there is no /dev/video77: `mantel cameras` lists what is there"
    );
}

#[test]
fn cameras_are_listed() {
    let Some(program) = program() else { return };
    let data = TempDir::with_prefix("mantel-data-").expect("a data directory");
    let mut command = command(&program, data.path(), &[]);
    command.arg("cameras");
    let ended = process::run(command);
    assert!(ended.status.success(), "{}", ended.output);
    // What there is, or that there is nothing.
    let is_told = ["/dev/video", "source = \"camera\""];
    assert!(
        is_told.iter().any(|words| ended.output.contains(words)),
        "{}",
        ended.output
    );
}

/// Video goes on where its encoder is killed, with a key frame of the next one's; a server that is killed leaves none.
#[test]
fn an_encoder_that_is_killed_has_one_after_it() {
    const SPS: &[u8] = b"\0\0\0\x01\x67";
    if require(Client::Ffmpeg).is_none() {
        return;
    }
    let environment = [("MANTEL_ENCODER", "ffmpeg:libx264")];
    let Some(house) = House::with(|_| String::new(), &environment) else {
        return;
    };
    let request = b"GET /stream.h264 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let mut video = http::Stream::send(house.program.address, request);
    assert_eq!(video.read_head().status(), 200);
    video.through(SPS);
    let [first] = house.ffmpegs()[..] else {
        panic!("one ffmpeg: {:?}", house.below());
    };
    kill("KILL", first);
    video.through(SPS);
    let [second] = house.ffmpegs()[..] else {
        panic!("one ffmpeg: {:?}", house.below());
    };
    assert_ne!(first, second);
    house.program.process.signal("KILL");
    eventually("nothing to be left", || {
        let all = processes();
        match all.get(&second).filter(|seen| seen.name == "ffmpeg") {
            None => Ok(()),
            Some(seen) => Err(format!("{seen:?}")),
        }
    });
}
