//! Video of a live channel whose pictures differ all the time, for longer than players keep of it.

use std::time::Duration;

use serde_json::Value;

use crate::{
    live::{Flow, House},
    support::{
        clients::Client,
        devtools::Browser,
        eventually,
        photos::grained,
        pixels::{BLUE, GREEN, RED, YELLOW},
        webdriver::Driver,
    },
};

/// How the video does: the seconds at which what is kept of it begins and ends, which of them is on, and how many pictures
/// were painted.
const VIDEO: &str = "(function () {
    var video = document.querySelector('video'), kept = video && video.buffered;
    return kept && kept.length && document.documentElement.getAttribute('data-via') === 'mse'
        ? [kept.start(0), kept.end(kept.length - 1), video.currentTime, video.getVideoPlaybackQuality().totalVideoFrames] : [];
})()";

fn numbers(value: Value) -> Result<[f64; 4], String> {
    serde_json::from_value(value).map_err(|_| "no video".to_owned())
}

/// A channel whose pictures differ all the time, and no two of which are cut: one key frame could be enough for ever.
fn moving() -> (House, Flow) {
    let house = House::plot();
    let pictures = [RED, GREEN, BLUE, YELLOW].map(|colour| grained(colour, 40));
    let apart = Duration::from_millis(40);
    let flow = Flow::to(house.address(), "/push/plot", pictures.to_vec(), apart);
    eventually("the first picture", || {
        match house.server.get("/c/plot/snapshot").status() {
            200 => Ok(()),
            status => Err(status.to_string()),
        }
    });
    (house, flow)
}

/// Segments begin at key frames, and players of a playlist are three of them behind.
#[test]
fn a_playlist_has_segments_of_two_seconds() {
    let (house, _flow) = moving();
    let list = |address: &str| {
        let list = house.server.get(address).text();
        let lines = list.lines().map(str::to_owned);
        lines.collect::<Vec<_>>()
    };
    let index = list("/hls/plot/index.m3u8");
    let Some(variant) = index.iter().find(|line| !line.starts_with('#')) else {
        panic!("{index:?}");
    };
    if !variant.ends_with(".m3u8") {
        return; // built without an encoder
    }
    let address = format!("/hls/plot/{variant}");
    // The first one is short, so that players have something soon, and what stands before it is the first picture.
    let lengths = eventually("two segments behind the first", || {
        let list = list(&address);
        let lengths = list.iter().filter_map(|line| {
            let length = line.strip_prefix("#EXTINF:")?.trim_end_matches(',');
            length.parse::<f64>().ok()
        });
        match lengths.collect::<Vec<_>>() {
            lengths if lengths.len() > 5 => Ok(lengths),
            _ => Err(format!("{list:?}")),
        }
    });
    let last = &lengths[lengths.len() - 2..];
    assert!(last.iter().all(|n| (1.8..2.3).contains(n)), "{lengths:?}");
}

/// It is let go of what was shown, twice, and goes on.
fn plays_on(mut video: impl FnMut() -> Result<[f64; 4], String>) {
    for no in 1..=2 {
        let from = f64::from(no) * 9.0;
        eventually("what was shown to be let go of", || match video()? {
            [start, ..] if start > from => Ok(()),
            other => Err(format!("{other:?}")),
        });
        let [.., shown] = video().expect("a video");
        eventually("thirty pictures more", || match video()? {
            [start, end, now, n] if n > shown + 30.0 => {
                assert!(start <= now && now <= end && end - start < 20.0);
                Ok(())
            }
            other => Err(format!("{other:?}, {shown} before")),
        });
    }
}

#[test]
fn chromium_lets_go_of_what_was_shown_and_plays_on() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let (house, _flow) = moving();
    if !house.server.has_viewer() {
        return;
    }
    let mut page = browser.open(&house.server.url("/c/plot/?via=mse"));
    plays_on(|| numbers(page.eval(VIDEO)?));
}

#[test]
fn firefox_lets_go_of_what_was_shown_and_plays_on() {
    let Some(firefox) = Driver::firefox() else {
        return;
    };
    let (house, _flow) = moving();
    if !house.server.has_viewer() {
        return;
    }
    firefox.open(&house.server.url("/c/plot/?via=mse"));
    plays_on(|| numbers(firefox.eval(VIDEO)?));
}
