use mantel_media::{
    avc::ParameterSets,
    hls::{Found, Name},
};
use mantel_shared::UnixMillis;

use super::*;
use crate::size::Size;

/// Of a picture of 64x48, from openh264.
const SPS: [u8; 10] = [0x67, 0x42, 0xC0, 0x0A, 0x8C, 0x8D, 0x44, 0x2A, 0x01, 0xE0];
const PPS: [u8; 4] = [0x68, 0xCE, 0x3C, 0x80];

const FRAME: u64 = TICKS / 25;

fn start(no: u64) -> Arc<Start> {
    Arc::new(Start {
        no,
        began_at: UnixMillis(1_000_000),
        size: Size::new(64, 48),
        sets: ParameterSets::new(&SPS, [&PPS[..]]).unwrap(),
    })
}

fn unit(start: &Arc<Start>, at: u64, duration: u64, is_key: bool) -> Arc<Unit> {
    Arc::new(Unit {
        no: 0,
        start: start.clone(),
        at,
        duration,
        is_key,
        is_given: false,
        annexb: Bytes::new(),
        sample: Bytes::from_static(b"sample"),
        since: Instant::now(),
    })
}

fn playlist(packager: &Packager) -> String {
    packager
        .look(|window, _| window.playlist(false, ""))
        .expect("a playlist")
}

fn lengths<'a>(playlist: &'a str, line: &str) -> Vec<&'a str> {
    let lines = playlist.lines().filter_map(|text| text.strip_prefix(line));
    lines.filter_map(|text| text.split(',').next()).collect()
}

/// Ten seconds of a slide that stands, between two of motion, with a key frame every two seconds.
#[test]
fn parts_are_even_and_segments_begin_at_key_frames() {
    let packager = Packager::new(Prefix::new(7), 2 * TICKS);
    let (start, mut filling, mut at) = (start(0), Filling::new(), 0);
    while at < 8 * TICKS {
        let duration = if (2 * TICKS..6 * TICKS).contains(&at) {
            TICKS / 5
        } else {
            FRAME
        };
        filling.put(
            &unit(&start, at, duration, at % (2 * TICKS) == 0),
            &packager,
        );
        at += duration;
    }
    filling.put(&unit(&start, at, FRAME, true), &packager);
    let playlist = playlist(&packager);
    assert_eq!(lengths(&playlist, "#EXTINF:"), ["2.00000"; 6], "{playlist}");
    let parts = lengths(&playlist, "#EXT-X-PART:DURATION=");
    assert!(
        !parts.is_empty() && parts.iter().all(|part| *part == "0.20000"),
        "{playlist}"
    );
    assert!(playlist.contains("CAN-BLOCK-RELOAD=YES"), "{playlist}");
}

/// One picture is enough for a playlist that players can begin with, at times that go on without a hole.
#[test]
fn the_first_picture_stands_before_itself() {
    let packager = Packager::new(Prefix::new(7), 2 * TICKS);
    let (start, mut filling) = (start(0), Filling::new());
    filling.put(&unit(&start, TICKS, TICKS / 5, true), &packager);
    assert!(packager.look(|_, _| ()).is_none());
    filling.put(&unit(&start, TICKS * 6 / 5, TICKS / 5, false), &packager);
    let text = playlist(&packager);
    assert_eq!(lengths(&text, "#EXTINF:"), ["2.00000"; 3], "{text}");
    let parts = lengths(&text, "#EXT-X-PART:DURATION=");
    assert_eq!(parts, ["0.20000"], "parts of what is being filled alone");
    assert!(text.contains("PART-TARGET=0.20000"), "{text}");
    let dates = lengths(&text, "#EXT-X-PROGRAM-DATE-TIME:");
    let seconds: Vec<_> = dates.iter().map(|date| &date[17..23]).collect();
    assert_eq!(seconds, ["35.000", "37.000", "39.000", "41.000"], "{text}");
    // The time in the stream is in `tfdt`, behind its version and flags.
    let times = packager.look(|window, _| {
        (0..4)
            .map(|msn| match window.find(Name::Segment { msn }) {
                Found::Parts([part, ..]) => time_of(&part.content),
                _ => match window.find(Name::Part { msn, part: 0 }) {
                    Found::Parts([part]) => time_of(&part.content),
                    _ => panic!("{msn}"),
                },
            })
            .collect::<Vec<_>>()
    });
    assert_eq!(times, Some(vec![TICKS, 3 * TICKS, 5 * TICKS, 7 * TICKS]));
}

fn time_of(chunk: &[u8]) -> u64 {
    let at = chunk
        .windows(4)
        .position(|four| four == b"tfdt")
        .expect("a time")
        + 8;
    u64::from_be_bytes(chunk[at..at + 8].try_into().unwrap())
}

/// A picture that came sooner than the one before it foresaw: the lengths add up all the same.
#[test]
fn what_comes_early_shortens_what_was_before() {
    let packager = Packager::new(Prefix::new(7), 2 * TICKS);
    let (start, mut filling) = (start(0), Filling::new());
    // Each stands for a part, and the last one for less than it was to.
    let standing = TICKS / 5;
    for (at, is_key) in [
        (0, true),
        (standing, false),
        (2 * standing, false),
        (TICKS / 2, true),
    ] {
        filling.put(&unit(&start, at, standing, is_key), &packager);
    }
    let playlist = playlist(&packager);
    assert_eq!(
        lengths(&playlist, "#EXTINF:"),
        ["2.00000", "2.00000", "2.00000", "0.50000"],
        "{playlist}"
    );
}

/// Each live picture may be the last for a while, and says so; the next one comes a moment later.
#[test]
fn parts_of_live_pictures_are_as_long_as_others() {
    let packager = Packager::new(Prefix::new(7), 2 * TICKS);
    let (start, mut filling) = (start(0), Filling::new());
    for n in 0..120 {
        let at = n * FRAME + n * n % 3 * 90;
        filling.put(&unit(&start, at, TICKS / 5, n % 50 == 0), &packager);
    }
    let playlist = playlist(&packager);
    let parts: Vec<f64> = lengths(&playlist, "#EXT-X-PART:DURATION=")
        .iter()
        .map(|length| length.parse().unwrap())
        .collect();
    assert!(parts.len() > 4, "{playlist}");
    let even = parts.iter().filter(|length| (0.15..=0.2).contains(*length));
    // The last of each segment takes what is left.
    assert!(even.count() + 3 >= parts.len(), "{playlist}");
}

#[test]
fn another_start_is_a_discontinuity_with_parameters_of_its_own() {
    let packager = Packager::new(Prefix::new(7), 2 * TICKS);
    let mut filling = Filling::new();
    for start in [start(0), start(1), start(2)] {
        for n in 0..50 {
            filling.put(&unit(&start, n * FRAME, FRAME, n == 0), &packager);
        }
    }
    let playlist = playlist(&packager);
    assert!(playlist.contains("#EXT-X-DISCONTINUITY\n"), "{playlist}");
    assert!(playlist.matches("#EXT-X-MAP").count() >= 2, "{playlist}");
    let is_there = |name| packager.look(|window, _| window.find(name) != Found::Gone);
    assert_eq!(is_there(Name::Init { epoch: 0 }), Some(true));
    assert_eq!(is_there(Name::Segment { msn: 1 }), Some(true));
    assert_eq!(is_there(Name::Segment { msn: 9 }), Some(false));
}

#[tokio::test(start_paused = true)]
async fn it_ends_when_nobody_asks() {
    let packager = Packager::new(Prefix::new(7), 2 * TICKS);
    tokio::time::advance(KEPT - Duration::from_secs(1)).await;
    assert!(packager.touch());
    tokio::time::advance(KEPT - Duration::from_secs(1)).await;
    assert!(packager.left().is_some());
    tokio::time::advance(Duration::from_secs(2)).await;
    assert!(packager.left().is_none() && !packager.touch() && packager.is_over());
}

/// Segments are as long as the time between key frames, in whole seconds, whatever that is.
#[test]
fn the_time_between_key_frames_is_the_target_duration() {
    for (millis, target, before) in [
        (500, 1, "1.00000"),
        (1500, 2, "2.00000"),
        (10_000, 10, "10.00000"),
    ] {
        let packager = Packager::new(Prefix::new(7), millis * TICKS / 1000);
        let (start, mut filling) = (start(0), Filling::new());
        filling.put(&unit(&start, 0, TICKS / 5, true), &packager);
        filling.put(&unit(&start, TICKS / 5, TICKS / 5, false), &packager);
        let text = playlist(&packager);
        assert_eq!(lengths(&text, "#EXTINF:"), [before; 3], "{text}");
        assert!(
            text.contains(&format!("TARGETDURATION:{target}\n")),
            "{text}"
        );
    }
}
