//! Videos among the photos, made by ffmpeg and seen through the server.

use std::{collections::BTreeMap, fs, path::PathBuf, process::Command};

use crate::{
    page::look,
    players::{FOUR, assert_in_order, colours_in, open_folder},
    support::{
        clients::{Client, Permit, require},
        devtools::Browser,
        eventually,
        parts::Parts,
        photos::{Photos, flat},
        pixels::{BLUE, GREEN, Picture, RED, Rgb},
        process,
        server::{STANDING, Server},
    },
};

/// A video in which a colour follows on a second of black, with these options for its encoder and container.
fn add_clip(photos: &Photos, ffmpeg: &PathBuf, name: &str, colour: Rgb, options: &[&str]) {
    let path = photos.path().join(".being-written");
    let [red, green, blue] = colour.0;
    let source = format!(
        "color=0x{red:02x}{green:02x}{blue:02x}:size=320x180:rate=10:duration=3,drawbox=color=black:thickness=fill:enable='lt(t,0.9)'"
    );
    let made = Command::new(ffmpeg)
        .args([
            "-nostdin",
            "-loglevel",
            "error",
            "-y",
            "-f",
            "lavfi",
            "-i",
            &source,
        ])
        .args(["-pix_fmt", "yuv420p"])
        .args(options)
        .arg(&path)
        .status();
    assert!(made.expect("ffmpeg to start").success());
    std::fs::rename(&path, photos.path().join(name)).expect("a video to be named");
}

const DATED: [&str; 6] = [
    "-c:v",
    "mpeg4",
    "-metadata",
    "creation_time=2021-07-04T10:30:00Z",
    "-f",
    "mp4",
];

#[test]
fn a_video_takes_its_turn_as_a_picture() {
    let Some(programs) = require(Client::Ffmpeg) else {
        return;
    };
    let photos = Photos::none();
    add_clip(&photos, &programs[0], "a.mp4", BLUE, &DATED);
    add_clip(
        &photos,
        &programs[0],
        "b.mkv",
        RED,
        &["-c:v", "mpeg4", "-f", "matroska"],
    );
    photos.add("words.mov", b"#EXTM3U\nno video at all\n");
    let server = Server::start(photos.path(), &STANDING);
    eventually("both videos", || {
        let library = server.get("/status").json()["library"].clone();
        if library["photos"] == 2 {
            Ok(())
        } else {
            Err(library.to_string())
        }
    });
    let first = server.colour();
    let second = server.advance();
    let seen = [first, second];
    assert!(
        seen.iter().any(|colour| colour.is(BLUE)) && seen.iter().any(|colour| colour.is(RED)),
        "{seen:?}"
    );
    let listed = server.get("/library/skipped").text();
    assert!(listed.contains("words.mov"), "{listed}");
}

#[test]
fn nobody_who_wants_no_videos_gets_any() {
    let Some(programs) = require(Client::Ffmpeg) else {
        return;
    };
    let photos = Photos::of(&[BLUE]);
    add_clip(&photos, &programs[0], "a.mp4", RED, &DATED);
    let args = [&STANDING[..], &["--clips", "off"]].concat();
    let server = Server::start(photos.path(), &args);
    eventually("the count of videos", || {
        let listed = server.get("/library/skipped").text();
        if listed.contains("1 video") || listed.contains("\"videos\":1") {
            Ok(())
        } else {
            Err(listed)
        }
    });
    assert_eq!(server.get("/status").json()["library"]["photos"], 1);
    assert!(server.colour().is(BLUE));
}

/// Clips play, and stay for as long as that takes.
const PLAYING: [&str; 10] = [
    "--clips",
    "play",
    "--size",
    "640x360",
    "--interval",
    "2s",
    "--transition",
    "cut",
    "--order",
    "name",
];

/// A server of one video of four colours, each for a second.
fn four_colours(more: &[&str]) -> Option<(Server, Photos, Vec<PathBuf>)> {
    let programs = require(Client::Ffmpeg)?;
    let photos = Photos::none();
    let colours = FOUR.map(|Rgb([red, green, blue])| {
        format!("color=0x{red:02x}{green:02x}{blue:02x}:size=640x360:rate=20:duration=1")
    });
    let path = photos.path().join(".being-written");
    let mut command = Command::new(&programs[0]);
    command.args(["-nostdin", "-loglevel", "error", "-y"]);
    for colour in &colours {
        command.args(["-f", "lavfi", "-i", colour]);
    }
    command
        .args(["-filter_complex", "concat=n=4", "-pix_fmt", "yuv420p"])
        .args(["-c:v", "mpeg4", "-f", "mp4"])
        .arg(&path);
    let ended = process::run(command);
    assert!(ended.status.success(), "{}", ended.output);
    fs::rename(&path, photos.path().join("a.mp4")).expect("a video to be named");
    let server = Server::start(photos.path(), &[&PLAYING[..], more].concat());
    eventually("the video", || {
        let library = server.get("/status").json()["library"].clone();
        if library["photos"] == 1 {
            Ok(())
        } else {
            Err(library.to_string())
        }
    });
    Some((server, photos, programs))
}

/// The colours without those of a slide that was come upon in its middle, which begins with its first picture all the same.
fn from_its_beginning(colours: &[Rgb]) -> &[Rgb] {
    let second = colours.iter().skip(1).position(|colour| *colour == RED);
    &colours[second.map_or(0, |at| at + 1)..]
}

#[test]
fn a_video_plays_in_a_stream_and_its_slide_is_as_long_as_it() {
    let _permit = Permit::for_player();
    let Some((server, _photos, _)) = four_colours(&[]) else {
        return;
    };
    let mut parts = Parts::open(server.address, "/stream");
    let mut colours = Vec::new();
    // All of it, and its beginning once more.
    while from_its_beginning(&colours).len() < 6 {
        let picture = Picture::from_jpeg(&parts.part().body).expect("a frame");
        colours.extend(picture.middle().named());
        colours.dedup();
    }
    assert_in_order(from_its_beginning(&colours));
    let channel = server.get("/status").json()["channel"].clone();
    let moment = |of: &serde_json::Value| of["started_millis"].as_u64();
    let started = moment(&channel["slide"]).expect("when it began");
    let next = channel["next_change_millis"]
        .as_u64()
        .expect("when the next one comes");
    // Four seconds, and a moment to see the end.
    assert_eq!(next - started, 5_000, "{channel}");
}

#[test]
fn a_video_plays_no_longer_than_it_may() {
    let _permit = Permit::for_player();
    let Some((server, _photos, _)) = four_colours(&["--clip-limit", "2s"]) else {
        return;
    };
    let mut parts = Parts::open(server.address, "/stream");
    let mut colours = Vec::new();
    while colours.len() < 5 {
        let picture = Picture::from_jpeg(&parts.part().body).expect("a frame");
        colours.extend(picture.middle().named());
        colours.dedup();
    }
    let only = |colour: &Rgb| *colour == RED || *colour == GREEN;
    assert!(colours.iter().all(only), "{colours:?}");
}

#[test]
fn a_video_plays_in_video() {
    let _permit = Permit::for_player();
    let Some((server, _photos, programs)) = four_colours(&[]) else {
        return;
    };
    let frames = open_folder();
    let mut command = Command::new(&programs[0]);
    command
        .args(["-v", "error", "-nostdin"])
        .args(["-i", &server.url("/stream.mp4?duration=12s")])
        .args(["-vf", "fps=5"])
        .arg(frames.path().join("frame-%03d.png"));
    let ended = process::run(command);
    assert!(ended.status.success(), "{}", ended.output);
    let colours = colours_in(frames.path());
    let whole = from_its_beginning(&colours);
    assert!(whole.len() >= 4, "{colours:?}");
    assert_in_order(whole);
}

#[test]
fn a_video_plays_on_the_page() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let Some((server, _photos, _)) = four_colours(&[]) else {
        return;
    };
    if !server.has_viewer() {
        return;
    }
    let mut page = browser.open(&server.url("/"));
    let mut seen: BTreeMap<u64, Vec<Rgb>> = BTreeMap::new();
    eventually("one slide of several colours", || {
        let now = look(&mut page)?;
        let colours = seen.entry(now.slide).or_default();
        colours.extend(now.colour.named());
        colours.dedup();
        // The first may have been come upon in its middle.
        if seen.values().skip(1).any(|colours| colours.len() >= 3) {
            Ok(())
        } else {
            Err(format!("{seen:?}"))
        }
    });
    for colours in seen.values().skip(1) {
        let place = |colour: &Rgb| FOUR.iter().position(|one| one == colour);
        // Looks may miss one, but none comes twice.
        assert!(colours.iter().is_sorted_by_key(place), "{seen:?}");
    }
}

/// A photo with a video behind it, as phones write it, moves when its turn comes and then stands.
#[test]
fn a_motion_photo_moves_and_then_stands() {
    let _permit = Permit::for_player();
    let Some(programs) = require(Client::Ffmpeg) else {
        return;
    };
    let photos = Photos::none();
    let clip = two_colours(&programs[0]);
    let xmp = format!(
        "http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF \
         xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description \
         xmlns:GCamera='http://ns.google.com/photos/1.0/camera/' GCamera:MicroVideo='1' \
         GCamera:MicroVideoOffset='{}'/></rdf:RDF></x:xmpmeta>",
        clip.len()
    );
    let length = u16::try_from(xmp.len() + 2)
        .expect("one segment")
        .to_be_bytes();
    let still = flat(RED);
    let photo = [
        &still[..2],
        b"\xff\xe1",
        &length,
        xmp.as_bytes(),
        &still[2..],
        &clip,
    ]
    .concat();
    photos.add("a.jpg", &photo);
    let mut args = PLAYING;
    args[5] = "4s";
    let server = Server::start(photos.path(), &args);
    let mut parts = Parts::open(server.address, "/stream");
    let mut colours = Vec::new();
    // Whoever comes in the middle sees less of the first.
    while colours.iter().filter(|colour| **colour == RED).count() < 3 {
        let picture = Picture::from_jpeg(&parts.part().body).expect("a frame");
        colours.extend(picture.middle().named());
        colours.dedup();
    }
    assert!(colours.ends_with(&[RED, GREEN, BLUE, RED]), "{colours:?}");
}

/// The bytes of a video of two colours, each for a second.
fn two_colours(ffmpeg: &PathBuf) -> Vec<u8> {
    let folder = open_folder();
    let path = folder.path().join("clip.mp4");
    let mut command = Command::new(ffmpeg);
    command.args(["-nostdin", "-loglevel", "error"]);
    for Rgb([red, green, blue]) in [GREEN, BLUE] {
        let source =
            format!("color=0x{red:02x}{green:02x}{blue:02x}:size=320x180:rate=20:duration=1");
        command.args(["-f", "lavfi", "-i", &source]);
    }
    command
        .args([
            "-filter_complex",
            "concat=n=2",
            "-pix_fmt",
            "yuv420p",
            "-c:v",
            "mpeg4",
        ])
        .arg(&path);
    let ended = process::run(command);
    assert!(ended.status.success(), "{}", ended.output);
    fs::read(&path).expect("a video")
}

/// What can't be played stands as its picture, and is told in one sentence.
#[test]
fn half_a_video_plays_as_far_as_it_goes() {
    let _permit = Permit::for_player();
    let Some((server, photos, _)) = four_colours(&[]) else {
        return;
    };
    let path = photos.path().join("a.mp4");
    let whole = fs::read(&path).expect("the video");
    // Its index is at its end, so what is left has none: as where a disk fails.
    fs::write(&path, &whole[..whole.len() / 2]).expect("half of it");
    let mut parts = Parts::open(server.address, "/stream");
    Picture::from_jpeg(&parts.part().body).expect("a picture, whatever it shows");
    assert_eq!(server.get("/status").status(), 200);
}
