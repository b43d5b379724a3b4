//! Players on `/stream`: VLC, ffprobe and ffmpeg, and mpv where it is installed. They write what
//! they would show as PNG files, and the colours say whether it was right.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Command,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{
    clients::{Client, Permit, as_somebody, require},
    eventually,
    photos::{Photos, grained},
    pixels::{BLUE, GREEN, Picture, RED, Rgb, YELLOW},
    process::{self, Process},
    server::{STANDING, Server},
};

pub(crate) const FOUR: [Rgb; 4] = [RED, GREEN, BLUE, YELLOW];
pub(crate) const MOVING: [&str; 8] = [
    "--order",
    "name",
    "--size",
    "640x360",
    "--interval",
    "1500ms",
    "--transition",
    "cut",
];

/// The test colours that a player wrote to `folder`, in order, each run of one colour once. A file
/// that is still being written is left for later.
pub(crate) fn colours_in(folder: &Path) -> Vec<Rgb> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|suffix| suffix == "png"))
        .collect();
    files.sort();
    let mut colours: Vec<Rgb> = files
        .iter()
        .filter_map(|path| Picture::from_png_file(path).ok())
        .map(|picture| picture.middle())
        .map(|colour| colour.named().unwrap_or(colour))
        .collect();
    colours.dedup();
    colours
}

/// A folder that a player may write to, whoever it runs as.
pub(crate) fn open_folder() -> TempDir {
    let folder = TempDir::with_prefix("mantel-frames-").expect("a folder for frames");
    fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).expect("to open it to all");
    folder
}

/// Whether `colours` walk through the four photos in their order, from any of them on.
pub(crate) fn assert_in_order(colours: &[Rgb]) {
    for pair in colours.windows(2) {
        let at = FOUR.iter().position(|colour| *colour == pair[0]);
        let at = at.unwrap_or_else(|| panic!("{:?} is none of the photos: {colours:?}", pair[0]));
        assert_eq!(pair[1], FOUR[(at + 1) % 4], "{colours:?}");
    }
}

/// VLC without sound and window, writing every frame that it would show to `frames`.
fn vlc(program: &Path, frames: &Path, url: &str) -> Process {
    vlc_with(program, frames, url, &[])
}

/// The same with more options.
pub(crate) fn vlc_with(program: &Path, frames: &Path, url: &str, more: &[&str]) -> Process {
    let mut command = as_somebody(program);
    command
        .args([
            "--intf=dummy",
            "--no-audio",
            "--vout=dummy",
            "--video-filter=scene",
        ])
        .args([
            "--scene-format=png",
            "--scene-ratio=1",
            "--scene-prefix=frame-",
        ])
        .arg(format!("--scene-path={}", frames.display()))
        .args(more)
        .args([url, "vlc://quit"])
        .env("HOME", frames)
        .current_dir(frames);
    Process::start(command)
}

/// The colour of the last picture that VLC has written whole.
pub(crate) fn last_in(folder: &Path) -> Result<Rgb, String> {
    let files = fs::read_dir(folder).map_err(|error| error.to_string())?;
    let mut pictures: Vec<_> = files.flatten().map(|entry| entry.path()).collect();
    pictures.retain(|path| path.extension().is_some_and(|suffix| suffix == "png"));
    pictures.sort();
    let mut whole = pictures
        .iter()
        .rev()
        .map(|path| Picture::from_png_file(path));
    let last = whole.find_map(Result::ok).ok_or("no picture yet")?;
    Ok(last.middle())
}

#[test]
fn vlc_shows_each_photo() {
    let _permit = Permit::for_player();
    let Some(programs) = require(Client::Vlc) else {
        return;
    };
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &MOVING);
    let frames = open_folder();
    let vlc = vlc(&programs[0], frames.path(), &server.url("/stream"));
    let colours = eventually("three photos from VLC", || {
        let colours = colours_in(frames.path());
        if colours.len() >= 3 {
            Ok(colours)
        } else {
            Err(format!("{colours:?}\n{}", vlc.output()))
        }
    });
    assert_in_order(&colours);
}

#[test]
fn vlc_shows_a_small_photo_after_a_large_one() {
    let _permit = Permit::for_player();
    let Some(programs) = require(Client::Vlc) else {
        return;
    };
    let photos = Photos::none();
    photos.add("1-large.jpg", &grained(RED, 60));
    photos.add("2-small.jpg", &grained(BLUE, 0));
    let server = Server::start(photos.path(), &STANDING);
    if !server.colour().is(RED) {
        assert_eq!(server.advance(), RED);
    }
    let frames = open_folder();
    let vlc = vlc(&programs[0], frames.path(), &server.url("/stream"));
    let await_last = |colour: Rgb| {
        eventually(&format!("{colour:?} from VLC"), || {
            let colours = colours_in(frames.path());
            let is_last = colours.last() == Some(&colour);
            if is_last {
                Ok(())
            } else {
                Err(format!("{colours:?}\n{}", vlc.output()))
            }
        });
    };
    await_last(RED);
    // VLC waits for as many bytes as the largest frame so far had; only repeats bring them.
    assert_eq!(server.advance(), BLUE);
    await_last(BLUE);
}

#[test]
fn ffprobe_finds_motion_jpeg() {
    let Some(programs) = require(Client::Ffmpeg) else {
        return;
    };
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &MOVING);
    let mut command = Command::new(&programs[1]);
    command
        .args([
            "-v",
            "error",
            "-f",
            "mpjpeg",
            "-count_frames",
            "-read_intervals",
            "%+#5",
        ])
        .args([
            "-show_entries",
            "stream=codec_name,width,height,pix_fmt,nb_read_frames",
        ])
        .args(["-of", "json", &server.url("/stream")]);
    let ended = process::run(command);
    assert!(ended.status.success(), "{}", ended.output);
    let report: Value = serde_json::from_str(&ended.output)
        .unwrap_or_else(|error| panic!("{error}: {}", ended.output));
    let stream = &report["streams"][0];
    assert_eq!(stream["codec_name"], "mjpeg", "{report}");
    assert_eq!(stream["width"], 640, "{report}");
    assert_eq!(stream["height"], 360, "{report}");
    assert_eq!(stream["pix_fmt"], "yuvj420p", "{report}");
    assert_eq!(stream["nb_read_frames"], "5", "{report}");
}

fn ffmpeg_decodes(demuxer: &[&str], target: &str) {
    let _permit = Permit::for_player();
    let Some(programs) = require(Client::Ffmpeg) else {
        return;
    };
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &MOVING);
    let frames = open_folder();
    let mut command = Command::new(&programs[0]);
    command
        .args(["-v", "error", "-nostdin"])
        .args(demuxer)
        .args(["-i", &server.url(target)])
        .args(["-fps_mode", "passthrough", "-frames:v", "4"])
        .arg(frames.path().join("frame-%03d.png"));
    let ended = process::run(command);
    assert!(ended.status.success(), "{}", ended.output);
    assert_eq!(ended.output, "", "ffmpeg complained");
    let colours = colours_in(frames.path());
    assert!(!colours.is_empty());
    assert!(
        colours.iter().all(|colour| FOUR.contains(colour)),
        "{colours:?}"
    );
    assert_in_order(&colours);
}

#[test]
fn ffmpeg_decodes_each_photo() {
    ffmpeg_decodes(&["-f", "mpjpeg"], "/stream");
}

#[test]
fn ffmpeg_finds_the_format_by_itself() {
    ffmpeg_decodes(&[], "/?action=stream");
}

#[test]
fn ffmpeg_reads_strictly() {
    ffmpeg_decodes(
        &["-f", "mpjpeg", "-strict_mime_boundary", "1"],
        "/stream?paint=plain",
    );
}

#[test]
fn mpv_shows_each_photo() {
    let _permit = Permit::for_player();
    let Some(programs) = require(Client::Mpv) else {
        return;
    };
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &MOVING);
    let frames = open_folder();
    let mut command = Command::new(&programs[0]);
    command
        .args([
            "--no-config",
            "--no-audio",
            "--untimed",
            "--vo=image",
            "--vo-image-format=png",
        ])
        .arg(format!("--vo-image-outdir={}", frames.path().display()))
        .arg(server.url("/stream"))
        .env("HOME", frames.path());
    let mpv = Process::start(command);
    let colours = eventually("two photos from mpv", || {
        let colours = colours_in(frames.path());
        if colours.len() >= 2 {
            Ok(colours)
        } else {
            Err(format!("{colours:?}\n{}", mpv.output()))
        }
    });
    assert_in_order(&colours);
}
