//! The viewer page in every engine that it is made for: the right photo, a crossfade, a server that
//! restarts, and memory that stays. Screenshots are left in the target folder's `screens`.

use serde_json::Value;

use crate::{
    page::{LOOK, Look},
    support::{
        clients::{Client, artefact},
        devtools::{Browser, Page},
        eventually,
        photos::Photos,
        pixels::{BLUE, GREEN, RED, Rgb, YELLOW},
        server::Server,
        webdriver::Driver,
    },
};

/// An engine, whichever way it is driven.
enum Engine {
    Chromium(
        Box<Page>,
        #[expect(dead_code, reason = "it ends with its page")] Browser,
    ),
    Other(Driver),
}

/// Keeps the states that the page went through.
const REMEMBER_STATES: &str = "window.__states = [];
    new MutationObserver(function () {
        var state = document.documentElement && document.documentElement.getAttribute('data-state');
        if (state && __states[__states.length - 1] !== state) __states.push(state);
    }).observe(document, {attributes: true, childList: true, subtree: true, attributeFilter: ['data-state']});";

impl Engine {
    fn open(client: Client, url: &str) -> Option<Self> {
        let driver = match client {
            Client::Firefox => Driver::firefox()?,
            Client::WebKit => Driver::webkit()?,
            _ => {
                let browser = Browser::start(client)?;
                let page = browser.open_after(url, REMEMBER_STATES);
                return Some(Self::Chromium(Box::new(page), browser));
            }
        };
        driver.open(url);
        Some(Self::Other(driver))
    }

    fn eval(&mut self, script: &str) -> Result<Value, String> {
        match self {
            Self::Chromium(page, _) => page.eval(script),
            Self::Other(driver) => driver.eval(script),
        }
    }

    fn look(&mut self) -> Result<Look, String> {
        Look::from(&self.eval(LOOK)?)
    }

    fn await_look(&mut self, state: &str, colour: Rgb) -> Look {
        eventually(&format!("{state} and {colour:?}"), || {
            let seen = self.look()?;
            if seen.state == state && seen.colour.is(colour) {
                return Ok(seen);
            }
            let reason = self.eval("document.documentElement.getAttribute('data-reason')")?;
            Err(format!("{seen:?}, {reason}"))
        })
    }

    fn keep_screenshot(&mut self, name: &str) {
        let png = match self {
            Self::Chromium(page, _) => page.screenshot_png(),
            Self::Other(driver) => driver.screenshot_png(),
        };
        let path = artefact(&format!("{name}.png"));
        std::fs::write(&path, png.expect("a screenshot"))
            .unwrap_or_else(|error| panic!("{path:?}: {error}"));
    }
}

/// Everything that a person would notice within a minute.
fn shows(client: Client) {
    let photos = Photos::of(&[RED, GREEN, BLUE, YELLOW]);
    let args = "--order name --size 640x360 --interval 2h --transition 1s --pair off";
    let args: Vec<&str> = args.split(' ').collect();
    let server = Server::start(photos.path(), &args);
    if !server.has_viewer() {
        return;
    }
    let Some(mut engine) = Engine::open(client, &server.url("/")) else {
        return;
    };
    let first = engine.await_look("playing", server.colour());
    if let Engine::Chromium(page, _) = &mut engine {
        let states = page.eval("__states").expect("the states");
        assert_eq!(states, serde_json::json!(["connecting", "playing"]));
    }
    let rung = engine.eval("document.documentElement.getAttribute('data-rung')");
    assert_eq!(rung, Ok("wasm".into()));

    let is_still = engine.eval("matchMedia('(prefers-reduced-motion: reduce)').matches");
    if is_still == Ok(Value::Bool(true)) {
        println!("{} is set to less motion: it cuts", client.name());
        server.advance();
        engine.await_look("playing", server.colour());
        return;
    }
    let record = format!(
        "(function () {{ window.__seen = []; (function again() {{ __seen.push({LOOK}); \
         requestAnimationFrame(again); }})(); return 0; }})()"
    );
    engine.eval(&record).expect("to record");
    // A browser that is starved for a second shows the first and the last frame of a crossfade and
    // nothing between: then the next one counts.
    let mut wanted = first.colour;
    let n_between = (0..6).find_map(|_| {
        let before = wanted;
        engine.eval("(__seen.length = 0)").expect("to begin anew");
        wanted = server.advance();
        engine.await_look("playing", wanted);
        let seen = engine.eval("__seen").expect("what was seen");
        let seen: Vec<Look> = seen
            .as_array()
            .into_iter()
            .flatten()
            .map(|seen| Look::from(seen).expect("a picture at any time"))
            .collect();
        for look in &seen {
            assert!(
                look.colour.between(before, wanted, 16),
                "{look:?} is not between {before:?} and {wanted:?}"
            );
        }
        let between = seen.iter().filter(|look| look.colour.named().is_none());
        Some(between.count()).filter(|n| *n >= 3)
    });
    assert!(n_between.is_some(), "six crossfades, and none was seen");

    // A tablet that is turned twice: a new rendition each time, and never a gap.
    if let Engine::Chromium(page, _) = &mut engine {
        for (width, height) in [(360, 640), (640, 360), (800, 450)] {
            page.resize(width, height);
            eventually("a picture made for the turned screen", || {
                let stats = page.stats();
                let seen = Look::from(&page.eval(LOOK)?)?;
                assert!(seen.colour.is(wanted), "{seen:?} while it turns");
                let side = |name: &str| stats[name].as_u64().unwrap_or(0);
                let is_right = side("canvasWidth") == u64::from(width)
                    && (side("sourceWidth") > side("sourceHeight")) == (width > height);
                if is_right {
                    Ok(())
                } else {
                    Err(stats.to_string())
                }
            });
        }
    }

    let address = server.address;
    server.stop().expect("a server that ends well");
    engine.await_look("reconnecting", wanted);
    let other = Photos::of(&[BLUE]);
    let server = Server::start_again(address, other.path(), &args);
    engine.await_look("playing", BLUE);
    let stats = eventually("figures", || engine.eval("mantel.stats()"));
    assert!(
        stats["nReconnects"].as_u64() > Some(0),
        "it was loaded anew: {stats}"
    );
    println!("{}: {stats}", client.name());
    drop(server);
}

/// What it looks like, for people: the pictures that the server draws itself.
fn portrait(client: Client) {
    let server = Server::start_with(
        &[],
        &["--size", "1280x720", "--seed", "5", "--interval", "2h"],
    );
    if !server.has_viewer() {
        return;
    }
    let Some(mut engine) = Engine::open(client, &server.url("/?clock=on&date=on&caption=on"))
    else {
        return;
    };
    if let Engine::Chromium(page, _) = &mut engine {
        page.resize(1280, 720);
    }
    eventually("a picture of the screen's size", || {
        let state = engine.eval("document.documentElement.getAttribute('data-state')")?;
        let stats = engine.eval("window.mantel && mantel.stats ? mantel.stats() : {}")?;
        let is_there = state == "playing" && stats["sourceWidth"].as_u64().unwrap_or(0) >= 640;
        if is_there {
            Ok(())
        } else {
            Err(format!("{state} {stats}"))
        }
    });
    std::thread::sleep(std::time::Duration::from_millis(1500));
    engine.keep_screenshot(&client.name().to_lowercase().replace(' ', "-"));
}

/// After 500 slides as much memory as after 50.
fn keeps_its_memory(client: Client) {
    let Some(browser) = Browser::start(client) else {
        return;
    };
    let photos = Photos::of(&[RED, GREEN, BLUE, YELLOW]);
    let args = "--order name --size 320x180 --interval 100ms --transition cut";
    let args: Vec<&str> = args.split(' ').collect();
    let server = Server::start(photos.path(), &args);
    if !server.has_viewer() {
        return;
    }
    let mut page = browser.open(&server.url("/?size=320x180"));
    let mut after = |n_slides: u64| {
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(300);
        while page.stats()["nSlides"].as_u64().unwrap_or(0) < n_slides {
            assert!(
                std::time::Instant::now() < deadline,
                "never {n_slides} slides"
            );
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
        let wasm = page.stats()["wasmBytes"].as_f64().expect("a size");
        (page.heap_bytes(), wasm)
    };
    let (early, late) = (after(50), after(500));
    println!(
        "{}: {early:?}, then {late:?} bytes of JavaScript and Wasm",
        client.name()
    );
    // A picture that stayed would be 450 times 40 KB.
    assert!(
        late.0 < early.0 * 1.25 + 400_000.0,
        "JavaScript: {early:?}, then {late:?}"
    );
    assert!(late.1 <= early.1, "Wasm: {early:?}, then {late:?}");
}

macro_rules! engines {
    ($($module:ident $client:ident $($test:ident)*;)*) => { $(mod $module {
        use super::*;
        $(#[test]
        fn $test() {
            super::$test(Client::$client);
        })*
    })* };
}

engines! {
    chromium_64 Chromium64 shows portrait keeps_its_memory;
    chromium_67 Chromium67 shows portrait keeps_its_memory;
    chromium_69 Chromium69 shows portrait;
    chromium_80 Chromium80 shows portrait;
    chromium_88 Chromium88 shows portrait;
    chromium_102 Chromium102 shows portrait;
    chromium Chromium shows portrait keeps_its_memory;
    firefox Firefox shows portrait;
    webkit WebKit shows portrait;
}
