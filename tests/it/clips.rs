//! Videos among the photos, made by ffmpeg and seen through the server.

use std::{path::PathBuf, process::Command};

use crate::support::{
    clients::{Client, require},
    eventually,
    photos::Photos,
    pixels::{BLUE, RED, Rgb},
    server::{STANDING, Server},
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
