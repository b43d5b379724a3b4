//! The viewer page in real browsers: today's Chromium, the engines of older TVs, and Firefox.
//! The canvas is read back, so what counts is what was drawn, not what was meant.

use std::{env, path::PathBuf};

use serde_json::Value;

use crate::support::{
    clients::{Client, workspace},
    devtools::{Browser, Page},
    eventually, http,
    photos::Photos,
    pixels::{BLUE, GREEN, RED, Rgb, YELLOW},
    server::{STANDING, Server},
    webdriver::Driver,
};

const FOUR: [Rgb; 4] = [RED, GREEN, BLUE, YELLOW];

/// State, slide, and the mean colour of the canvas' middle; ES5, for the oldest engine.
pub(crate) const LOOK: &str = "(function () {
    var root = document.documentElement, canvas = document.querySelector('canvas');
    var seen = [root.getAttribute('data-state'), Number(root.getAttribute('data-slide'))];
    if (!canvas || !canvas.width || !canvas.height) return seen.concat([-1, -1, -1]);
    var probe = window.__probe || (window.__probe = document.createElement('canvas'));
    probe.width = probe.height = 16;
    var context = probe.getContext('2d');
    context.drawImage(canvas, canvas.width / 2 - 8, canvas.height / 2 - 8, 16, 16, 0, 0, 16, 16);
    var data = context.getImageData(0, 0, 16, 16).data, sum = [0, 0, 0];
    for (var i = 0; i < data.length; i += 4)
        for (var c = 0; c < 3; c++) sum[c] += data[i + c];
    return seen.concat(sum.map(function (total) { return Math.round(total / 256); }));
})()";

/// What [`LOOK`] saw.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    pub(crate) state: String,
    pub(crate) slide: u64,
    pub(crate) colour: Rgb,
}

impl Look {
    pub(crate) fn from(value: &Value) -> Result<Self, String> {
        let channel = |i: usize| value[i].as_u64().and_then(|value| u8::try_from(value).ok());
        let (Some(r), Some(g), Some(b)) = (channel(2), channel(3), channel(4)) else {
            return Err(format!("no picture yet: {value}"));
        };
        Ok(Self {
            state: value[0].as_str().unwrap_or("").to_owned(),
            slide: value[1].as_u64().unwrap_or(0),
            colour: Rgb([r, g, b]),
        })
    }
}

/// Looks at a page once.
pub(crate) fn look(page: &mut Page) -> Result<Look, String> {
    Look::from(&page.eval(LOOK)?)
}

/// Waits until the page is in `state` and its canvas shows `colour`.
pub(crate) fn await_look(page: &mut Page, state: &str, colour: Rgb) -> Look {
    eventually(&format!("{state} and {colour:?} on the page"), || {
        let seen = look(page)?;
        if seen.state == state && seen.colour.is(colour) {
            Ok(seen)
        } else {
            let reason = page.eval("document.documentElement.getAttribute('data-reason')")?;
            Err(format!(
                "{seen:?}, {reason}, complaints {:?}",
                page.complaints()
            ))
        }
    })
}

fn shows_each_photo(client: Client) {
    let Some(browser) = Browser::start(client) else {
        return;
    };
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    if !server.has_viewer() {
        return;
    }
    let mut page = browser.open(&server.url("/"));
    let first = await_look(&mut page, "playing", server.colour());
    let size = page
        .eval("[document.querySelector('canvas').width, innerWidth]")
        .expect("sizes");
    assert_eq!(size[0], size[1], "a canvas of the screen's own pixels");

    let wanted = server.advance();
    let second = await_look(&mut page, "playing", wanted);
    assert!(second.slide > first.slide, "{first:?} then {second:?}");

    server.command("pause");
    await_look(&mut page, "paused", wanted);
    server.command("resume");
    await_look(&mut page, "playing", wanted);
    assert_eq!(page.complaints(), Vec::<String>::new());
}

#[test]
fn chromium_shows_each_photo() {
    shows_each_photo(Client::Chromium);
}

#[test]
fn chromium_80_shows_each_photo() {
    shows_each_photo(Client::Chromium80);
}

#[test]
fn chromium_67_shows_each_photo() {
    shows_each_photo(Client::Chromium67);
}

#[test]
fn firefox_shows_each_photo() {
    let Some(firefox) = Driver::firefox() else {
        return;
    };
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    if !server.has_viewer() {
        return;
    }
    firefox.open(&server.url("/"));
    for _ in 0..3 {
        let wanted = server.colour();
        eventually(&format!("playing and {wanted:?}"), || {
            let seen = Look::from(&firefox.eval(LOOK)?)?;
            let is_right = seen.state == "playing" && seen.colour.is(wanted);
            if is_right {
                Ok(())
            } else {
                Err(format!("{seen:?}"))
            }
        });
        server.advance();
    }
}

#[test]
fn keys_and_resize_reach_the_picture() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    if !server.has_viewer() {
        return;
    }
    let mut page = browser.open(&server.url("/"));
    let first = await_look(&mut page, "playing", server.colour());
    page.press("ArrowRight", 39);
    let second = eventually("the next slide after →", || {
        let seen = look(&mut page)?;
        let is_next = seen.slide > first.slide && !seen.colour.is(first.colour);
        if is_next {
            Ok(seen)
        } else {
            Err(format!("{seen:?}"))
        }
    });
    await_look(&mut page, "playing", server.colour());
    page.press("ArrowLeft", 37);
    await_look(&mut page, "playing", first.colour);

    page.resize(360, 640);
    eventually(
        "a canvas of the turned screen's size, with the photo on it",
        || {
            let size = page.eval(
                "(function (c) { return [c.width, c.height]; })(document.querySelector('canvas'))",
            )?;
            let seen = look(&mut page)?;
            let is_right = size[0] == 360 && size[1] == 640 && seen.colour.is(first.colour);
            if is_right {
                Ok(())
            } else {
                Err(format!("{size} {seen:?}, before {second:?}"))
            }
        },
    );
    assert_eq!(page.complaints(), Vec::<String>::new());
}

#[test]
fn screens_are_drawn_in_their_own_pixels_up_to_4k() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let photos = Photos::of(&[RED]);
    let server = Server::start(photos.path(), &STANDING);
    if !server.has_viewer() {
        return;
    }
    let mut page = browser.open(&server.url("/"));
    await_look(&mut page, "playing", RED);
    page.resize_dense(1920, 1080, 2);
    eventually("a picture of 4K on a canvas of 4K", || {
        let stats = page.stats();
        let sizes = ["canvasWidth", "canvasHeight", "sourceWidth", "sourceHeight"]
            .map(|name| stats[name].as_u64().unwrap_or(0));
        if sizes == [3840, 2160, 3840, 2160] {
            Ok(())
        } else {
            Err(stats.to_string())
        }
    });
    await_look(&mut page, "playing", RED);
}

/// Waits until a person would see `colour`.
pub(crate) fn await_screen(page: &mut Page, colour: Rgb) {
    eventually(&format!("{colour:?} on the screen"), || {
        let seen = page.screenshot()?.middle();
        if seen.is(colour) {
            Ok(())
        } else {
            Err(format!("{seen:?}"))
        }
    });
}

/// Also makes the README's picture: with `MANTEL_SCREENSHOT=FILE` the page is written there at
/// 1280x720, on the photos of `MANTEL_PHOTOS`, of `../shared/photos`, or the demo pictures.
#[test]
fn demo_or_real_photos_fill_the_screen() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let folder = env::var_os("MANTEL_PHOTOS")
        .map(PathBuf::from)
        .or_else(|| Some(workspace().parent()?.join("shared/photos/albums")))
        .filter(|folder| folder.is_dir());
    let folders: Vec<_> = folder.iter().map(PathBuf::as_path).collect();
    let args = ["--order", "name", "--size", "1280x720", "--interval", "2h"];
    let server = Server::start_with(&folders, &args);
    if !server.has_viewer() {
        return;
    }
    let mut page = browser.open(&server.url("/"));
    page.resize(1280, 720);
    eventually("a picture on the page", || {
        let seen = look(&mut page)?;
        if seen.state == "playing" {
            Ok(())
        } else {
            Err(format!("{seen:?}"))
        }
    });
    // The crossfade that the page may begin with is over when two looks are alike.
    let png = eventually("a picture that stands", || {
        let before = page.screenshot_png()?;
        std::thread::sleep(std::time::Duration::from_millis(700));
        let now = page.screenshot_png()?;
        if before == now {
            Ok(now)
        } else {
            Err("it still moves".into())
        }
    });
    let picture = crate::support::pixels::Picture::from_png(&png).expect("a PNG");
    assert_eq!((picture.width, picture.height), (1280, 720));
    let colours = picture.quadrants();
    assert!(
        colours.iter().any(|colour| colour.luma() > 20.0),
        "black: {colours:?}"
    );
    if let Some(path) = env::var_os("MANTEL_SCREENSHOT") {
        std::fs::write(&path, &png).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    }
    assert_eq!(page.complaints(), Vec::<String>::new());
}

/// Ten-year-old TVs on a weak Wi-Fi load it each time: the viewer and all scripts around it.
#[test]
fn what_is_loaded_first_is_small() {
    const MOST: usize = 60_000;
    let photos = Photos::of(&[RED]);
    let server = Server::start(photos.path(), &STANDING);
    if !server.has_viewer() {
        return;
    }
    let page = server.get("/").text();
    let names = page.split('"').filter_map(|text| text.strip_prefix("./"));
    let names = names.filter(|name| name.ends_with(".js") || name.ends_with(".wasm"));
    let sizes: Vec<(&str, usize)> = names
        .map(|name| {
            let gzip = "Accept-Encoding: gzip\r\n";
            let reply = http::request(server.address, "GET", &format!("/{name}"), gzip, "");
            assert_eq!(reply.head.get("content-encoding"), Some("gzip"), "{name}");
            (name, reply.body.len())
        })
        .collect();
    assert_eq!(sizes.len(), 3, "{sizes:?}");
    let all: usize = sizes.iter().map(|(_, n)| n).sum();
    assert!(all <= MOST, "{all} bytes: {sizes:?}");
}
