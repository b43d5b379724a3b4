//! The viewer page in real browsers: today's Chromium, the engines of older TVs, and Firefox.
//! The canvas is read back, so what counts is what was drawn, not what was meant.

use std::env;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::clients::{Client, workspace};
use crate::support::devtools::{Browser, Page};
use crate::support::eventually;
use crate::support::photos::Photos;
use crate::support::pixels::{BLUE, GREEN, RED, Rgb, YELLOW};
use crate::support::server::{STANDING, Server};
use crate::support::webdriver::Driver;

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
            let seen = Look::from(&firefox.eval(LOOK))?;
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

/// Records [`LOOK`] on every animation frame.
fn record(page: &mut Page) {
    let script = format!(
        "window.__seen = []; (function again() {{ __seen.push({LOOK}); \
         requestAnimationFrame(again); }})(); 0"
    );
    page.eval(&script).expect("to start recording");
}

fn crossfades_without_a_dip(client: Client) {
    let Some(browser) = Browser::start(client) else {
        return;
    };
    let three = [RED, GREEN, BLUE];
    let photos = Photos::of(&three);
    let server = Server::start(
        photos.path(),
        &[
            "--order",
            "name",
            "--size",
            "640x360",
            "--interval",
            "3s",
            "--transition",
            "2s",
        ],
    );
    if !server.has_viewer() {
        return;
    }
    let mut page = browser.open(&server.url("/"));
    eventually("the first picture", || {
        let seen = look(&mut page)?;
        if seen.state == "playing" {
            Ok(())
        } else {
            Err(format!("{seen:?}"))
        }
    });
    record(&mut page);
    let samples: Vec<Look> = eventually("three slides on the page", || {
        let seen = page.eval("__seen")?;
        let seen: Result<Vec<Look>, _> = seen
            .as_array()
            .into_iter()
            .flatten()
            .map(Look::from)
            .collect();
        let seen = seen?;
        let (first, last) = (
            seen.first().ok_or("none")?.slide,
            seen.last().ok_or("none")?.slide,
        );
        if last >= first + 3 {
            Ok(seen)
        } else {
            Err(format!("slides {first} to {last}"))
        }
    });

    // While slide n shows, the screen goes from the photo before to n's own; in a circle of three,
    // any two photos are neighbours, so n's own is found where it stands.
    let mut n_between = 0;
    for (i, sample) in samples.iter().enumerate() {
        let pair = [(RED, GREEN), (GREEN, BLUE), (BLUE, RED)]
            .into_iter()
            .find(|(from, to)| sample.colour.between(*from, *to, 16));
        let (from, to) =
            pair.unwrap_or_else(|| panic!("sample {i}: {sample:?} is no blend of two"));
        let darkest = from.luma().min(to.luma());
        assert!(
            sample.colour.luma() > darkest - 12.0,
            "sample {i}: {sample:?} dips below both"
        );
        if sample.colour.named().is_none() {
            n_between += 1;
        }
    }
    assert!(
        n_between >= 4,
        "{n_between} of {} frames between two photos",
        samples.len()
    );
    assert_eq!(page.complaints(), Vec::<String>::new());
}

#[test]
fn chromium_crossfades_without_a_dip() {
    crossfades_without_a_dip(Client::Chromium);
}

#[test]
fn chromium_67_crossfades_without_a_dip() {
    crossfades_without_a_dip(Client::Chromium67);
}

#[test]
fn two_pages_change_together() {
    const WATCH: &str = "window.__changes = {}; new MutationObserver(function () {
        var slide = document.documentElement.getAttribute('data-slide');
        if (!(slide in __changes)) __changes[slide] = Date.now();
    }).observe(document.documentElement, {attributes: true, attributeFilter: ['data-slide']}); 0";
    let Some((one, other)) = Browser::start_two(Client::Chromium) else {
        return;
    };
    let photos = Photos::of(&FOUR);
    let server = Server::start(
        photos.path(),
        &[
            "--order",
            "name",
            "--size",
            "640x360",
            "--interval",
            "4s",
            "--transition",
            "500ms",
        ],
    );
    if !server.has_viewer() {
        return;
    }
    let mut pages = [one.open(&server.url("/")), other.open(&server.url("/"))];
    for page in &mut pages {
        eventually("a playing page", || {
            let seen = look(page)?;
            if seen.state == "playing" {
                Ok(())
            } else {
                Err(format!("{seen:?}"))
            }
        });
        page.eval(WATCH).expect("to watch the slide number");
    }
    let both = eventually("two slides that both pages showed", || {
        let seen = [pages[0].eval("__changes")?, pages[1].eval("__changes")?];
        let [one, other] = seen.each_ref().map(|changes| changes.as_object());
        let (one, other) = one.zip(other).ok_or("no changes")?;
        let times: Vec<(u64, u64)> = one
            .iter()
            .filter_map(|(slide, at)| Some((at.as_u64()?, other.get(slide)?.as_u64()?)))
            .collect();
        if times.len() >= 2 {
            Ok(times)
        } else {
            Err(format!("{seen:?}"))
        }
    });
    for (one, other) in both {
        // Half the interval: pages that changed when the bytes came, one late, or on a timer of
        // their own, would be further apart; a slow machine is not.
        assert!(
            one.abs_diff(other) < 2000,
            "the same slide {} ms apart",
            one.abs_diff(other)
        );
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

/// The page in an engine that `script` has taken something from: still the right photos.
fn falls_back(client: Client, script: &str) {
    let Some(browser) = Browser::start(client) else {
        return;
    };
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    if !server.has_viewer() {
        return;
    }
    let mut page = browser.open_after(&server.url("/"), script);
    eventually("the page to fall back", || {
        let state = page.eval("document.documentElement.getAttribute('data-state')")?;
        if state == "fallback" {
            Ok(())
        } else {
            Err(state.to_string())
        }
    });
    for _ in 0..2 {
        await_screen(&mut page, server.colour());
        server.advance();
    }
    await_screen(&mut page, server.colour());
}

/// Older than what the viewer is built for: it may run or not, and no feature test tells. What
/// counts is that a person sees the photos.
#[test]
fn chromium_64_shows_each_photo_on_some_rung() {
    let Some(browser) = Browser::start(Client::Chromium64) else {
        return;
    };
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    if !server.has_viewer() {
        return;
    }
    let mut page = browser.open(&server.url("/"));
    for _ in 0..2 {
        await_screen(&mut page, server.colour());
        server.advance();
    }
    await_screen(&mut page, server.colour());
    let state = page
        .eval("document.documentElement.getAttribute('data-state')")
        .expect("a state");
    assert!(state == "playing" || state == "fallback", "{state}");
}

#[test]
fn falls_back_without_webassembly() {
    falls_back(Client::Chromium, "delete window.WebAssembly;");
}

#[test]
fn falls_back_without_fetch() {
    falls_back(
        Client::Chromium,
        "delete window.fetch; window.fetch = undefined;",
    );
}

#[test]
fn falls_back_without_readable_bodies() {
    falls_back(
        Client::Chromium67,
        "window.ReadableStream = undefined;
         delete Response.prototype.body;",
    );
}

#[test]
fn falls_back_when_the_viewer_never_reports() {
    falls_back(
        Client::Chromium,
        "['instantiate', 'instantiateStreaming', 'compile', 'compileStreaming'].forEach(
             function (name) {
                 WebAssembly[name] = function () { return new Promise(function () {}); };
             });",
    );
}

#[test]
fn falls_back_to_refreshing_where_streams_are_not_shown() {
    falls_back(
        Client::Chromium,
        "delete window.WebAssembly;
         (function () {
             var own = Object.getOwnPropertyDescriptor(HTMLImageElement.prototype, 'src');
             var set = Element.prototype.setAttribute;
             function spoil(url) {
                 return String(url).indexOf('/stream') < 0 ? url : 'data:image/png;base64,AAAA';
             }
             Object.defineProperty(HTMLImageElement.prototype, 'src', {
                 get: own.get,
                 set: function (url) { own.set.call(this, spoil(url)); },
             });
             HTMLImageElement.prototype.setAttribute = function (name, value) {
                 set.call(this, name, name === 'src' ? spoil(value) : value);
             };
         })();",
    );
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
