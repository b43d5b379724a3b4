//! Figures of the viewer in the engines themselves, printed and never asserted on: how fast the first
//! picture is there, how smooth a crossfade, how quick the parser, and what months cost.
//!
//! `cargo test --test it reach:: -- --nocapture` shows them; the long ones are ignored, and run with
//! `--ignored` (and `MANTEL_SLIDES=10000`, `MANTEL_MINUTES=120`).

use std::{
    collections::BTreeSet,
    fs,
    time::{Duration, Instant},
};

use crate::{
    img,
    live::Flow,
    support::{
        clients::Client,
        devtools::{Browser, Page},
        eventually,
        hostile::{Hostile, begin_slides, hold, slide},
        photos::{Photos, flat, grained},
        pixels::{BLUE, GREEN, RED, Rgb, YELLOW},
        server::{STANDING, Server},
    },
};

fn number(page: &mut Page, expression: &str) -> Result<f64, String> {
    let value = page.eval(expression)?;
    value.as_f64().ok_or_else(|| value.to_string())
}

/// One of the viewer's figures; nothing as long as it is not known.
fn figure(page: &mut Page, name: &str) -> Result<f64, String> {
    let stats = page.stats();
    stats[name]
        .as_f64()
        .ok_or_else(|| format!("no {name} in {stats}"))
}

/// Keeps when the first slide was on the canvas, from the beginning of the navigation.
const FIRST: &str = "new MutationObserver(function () {
        if (!window.__first && document.documentElement && document.documentElement.hasAttribute('data-slide'))
            window.__first = performance.now();
    }).observe(document, {attributes: true, subtree: true, childList: true, attributeFilter: ['data-slide']});";

fn first_picture(client: Client) {
    let Some(browser) = Browser::start(client) else {
        return;
    };
    let photos = Photos::of(&[RED, GREEN]);
    let server = Server::start(photos.path(), &STANDING);
    if !server.has_viewer() {
        return;
    }
    server.colour();
    let mut times = Vec::new();
    for n in 0..4 {
        let mut page = browser.open_after(&server.url(&format!("/?again={n}")), FIRST);
        times.push(eventually("the first picture", || {
            number(&mut page, "window.__first || null")
        }));
    }
    println!("{}: first picture after {times:.0?} ms", client.name());
}

#[test]
fn first_picture_in_chromium() {
    first_picture(Client::Chromium);
}

#[test]
fn first_picture_in_chromium_67() {
    first_picture(Client::Chromium67);
}

fn crossfade(browser: Option<Browser>, name: &str, query: &str) {
    let Some(browser) = browser else {
        return;
    };
    let photos = Photos::of(&[RED, GREEN, BLUE, YELLOW]);
    let args = "--order name --size 1920x1080 --interval 2h --transition 2s";
    let args: Vec<&str> = args.split(' ').collect();
    let server = Server::start(photos.path(), &args);
    if !server.has_viewer() {
        return;
    }
    let mut page = browser.open_after(&server.url(query), "");
    page.resize(1920, 1080);
    let mut rates = Vec::new();
    for _ in 0..3 {
        let before = figure(&mut page, "nSlides").unwrap_or(0.0);
        server.advance();
        eventually("the next slide", || {
            let n = figure(&mut page, "nSlides")?;
            if n > before {
                Ok(())
            } else {
                Err(n.to_string())
            }
        });
        std::thread::sleep(Duration::from_millis(2600));
        rates.extend(figure(&mut page, "fps"));
    }
    let figures = eventually("figures", || page.eval("mantel.stats()"));
    println!(
        "{name}: crossfades at 1920x1080 with {rates:.1?} frames a second, {} late; drawn by {} in {} ms",
        figures["nLateFrames"], figures["renderer"], figures["drawMillis"]
    );
}

#[test]
fn crossfades_in_software() {
    crossfade(Browser::start(Client::Chromium), "Chromium", "/");
    crossfade(Browser::start(Client::Chromium67), "Chromium 67", "/");
    let with_gl = Browser::start_with_gl(Client::Chromium);
    crossfade(with_gl, "Chromium, WebGL in software", "/?renderer=webgl");
}

fn parses(client: Client) {
    const N_PARTS: u64 = 400;
    let Some(browser) = Browser::start(client) else {
        return;
    };
    let photos = Photos::of(&[YELLOW]);
    let real = Server::start(photos.path(), &STANDING);
    if !real.has_viewer() {
        return;
    }
    // The same picture again and again: it is read, recognised, and not decoded.
    let body = grained(GREEN, 120);
    let length = body.len();
    let hostile = Hostile::start(
        real.address,
        Box::new(move |socket, _| {
            begin_slides(socket)?;
            for _ in 0..N_PARTS {
                slide(socket, 1, "", &body)?;
            }
            hold()
        }),
    );
    let mut page = browser.open(&format!("http://{}/", hostile.address));
    let wanted = length as f64 * N_PARTS as f64;
    eventually("all parts", || {
        let n = figure(&mut page, "nBytes")?;
        if n >= wanted {
            Ok(())
        } else {
            Err(format!("{n} of {wanted}"))
        }
    });
    let bytes = figure(&mut page, "nBytes").expect("a count");
    let millis = figure(&mut page, "parseMillis").expect("a time");
    println!(
        "{}: {:.0} MB of parts of {} KB read with {:.0} MB/s",
        client.name(),
        bytes / 1e6,
        length / 1000,
        bytes / 1000.0 / millis
    );
}

#[test]
fn parsing_in_chromium() {
    parses(Client::Chromium);
}

#[test]
fn parsing_in_chromium_67() {
    parses(Client::Chromium67);
}

/// Memory of a process and its children, in MB.
fn resident(root: u32) -> f64 {
    let mut all = vec![root];
    let mut at = 0;
    while let Some(id) = all.get(at).copied() {
        let tasks = fs::read_dir(format!("/proc/{id}/task"))
            .into_iter()
            .flatten()
            .flatten();
        for task in tasks {
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            all.extend(
                children
                    .split_whitespace()
                    .filter_map(|id| id.parse::<u32>().ok()),
            );
        }
        at += 1;
    }
    let pages = |id: &u32| {
        let text = fs::read_to_string(format!("/proc/{id}/statm")).unwrap_or_default();
        text.split(' ')
            .nth(1)
            .and_then(|pages| pages.parse::<f64>().ok())
            .unwrap_or(0.0)
    };
    all.iter().map(pages).sum::<f64>() * 4096.0 / 1e6
}

/// A day in less: 10,000 slides, or as many as `MANTEL_SLIDES` says.
#[test]
#[ignore = "takes a quarter of an hour"]
fn a_day_of_slides() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let n_slides: f64 = std::env::var("MANTEL_SLIDES")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(10_000.0);
    let photos = Photos::of(&[RED, GREEN, BLUE, YELLOW]);
    photos.add("05.jpg", &flat(RED));
    let args = "--order name --size 640x360 --interval 100ms --transition 40ms";
    let args: Vec<&str> = args.split(' ').collect();
    let server = Server::start(photos.path(), &args);
    if !server.has_viewer() {
        return;
    }
    let mut page = browser.open(&server.url("/?size=640x360"));
    let began = Instant::now();
    for part in 0..=10 {
        let wanted = (n_slides * f64::from(part) / 10.0).max(100.0);
        while figure(&mut page, "nSlides").unwrap_or(0.0) < wanted {
            assert!(
                began.elapsed() < Duration::from_secs(3600),
                "never {wanted} slides"
            );
            std::thread::sleep(Duration::from_millis(500));
        }
        println!(
            "{wanted:.0} slides, {:.0} s: JavaScript {:.2} MB, Wasm {:.1} MB, processes {:.0} MB",
            began.elapsed().as_secs_f64(),
            page.heap_bytes() / 1e6,
            figure(&mut page, "wasmBytes").unwrap_or(0.0) / 1e6,
            resident(browser.process_id())
        );
    }
}

/// Two hours of 30 pictures a second on the page of a live channel, or as many minutes as `MANTEL_MINUTES` says.
#[test]
#[ignore = "takes two hours"]
fn hours_of_live_pictures() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let mut page = None;
    // Each picture by itself: video is the browser's own to play.
    let seen = hours_of(|server| {
        if page.is_none() && !server.has_viewer() {
            return None;
        }
        let page = page.get_or_insert_with(|| browser.open(&server.url("/c/door/?via=bytes")));
        Some(vec![
            ("pictures", figure(page, "nSlides").unwrap_or(0.0)),
            ("JavaScript MB", page.heap_bytes() / 1e6),
            ("Wasm MB", figure(page, "wasmBytes").unwrap_or(0.0) / 1e6),
            ("processes MB", resident(browser.process_id())),
        ])
    });
    if seen.is_empty() {
        return;
    }
    // What comes in the first tenth of the time is all that there ever is.
    let (first, last) = (&seen[1], &seen[10]);
    assert!(last[0].1 > first[0].1 * 8.0, "pictures: {seen:?}");
    assert!(last[1].1 < first[1].1 + 1.0, "JavaScript: {seen:?}");
    assert!(last[2].1 < first[2].1 + 1.0, "Wasm: {seen:?}");
    assert!(last[3].1 < first[3].1 * 1.1, "processes: {seen:?}");
}

/// The same in an `<img>` of somebody's own page, which has no script that could let go of anything.
#[test]
#[ignore = "takes two hours"]
fn hours_of_an_image() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let mut page = None;
    let seen = hours_of(|server| {
        let page = page.get_or_insert_with(|| {
            let site = img::site_with(&server.url("/c/door/stream"));
            browser.open(&format!("http://{site}/"))
        });
        // Ten looks that see one colour alone are of a picture that stands; at uneven times, as the
        // colours come in turn.
        let colours: BTreeSet<_> = (0..10)
            .filter_map(|n| {
                std::thread::sleep(Duration::from_millis(17 * n));
                let seen = page.screenshot().ok()?.middle();
                COLOURS.iter().position(|colour| seen.is(*colour))
            })
            .collect();
        Some(vec![
            ("colours of four", count(colours.len())),
            ("JavaScript MB", page.heap_bytes() / 1e6),
            ("processes MB", resident(browser.process_id())),
        ])
    });
    assert!(seen[1..].iter().all(|now| now[0].1 > 1.0), "{seen:?}");
    let (first, last) = (&seen[1], &seen[10]);
    assert!(last[1].1 < first[1].1 + 1.0, "JavaScript: {seen:?}");
    assert!(last[2].1 < first[2].1 * 1.1, "processes: {seen:?}");
}

const COLOURS: [Rgb; 4] = [RED, GREEN, BLUE, YELLOW];

fn count(n: usize) -> f64 {
    u32::try_from(n).map_or(f64::MAX, f64::from)
}

/// What `look` gives at the beginning of 30 pictures a second, and at each tenth of their time; nothing where it gives none.
fn hours_of(
    mut look: impl FnMut(&Server) -> Option<Vec<(&'static str, f64)>>,
) -> Vec<Vec<(&'static str, f64)>> {
    let minutes = std::env::var("MANTEL_MINUTES").ok();
    let minutes: f64 = minutes.and_then(|n| n.parse().ok()).unwrap_or(120.0);
    let photos = Photos::of(&[RED]);
    let args = [&STANDING[..], &["--push-creates"]].concat();
    let server = Server::start(photos.path(), &args);
    let began = Instant::now();
    let passed = move || began.elapsed().as_secs_f64() / 60.0;
    let pictures = COLOURS.map(|colour| grained(colour, 40)).to_vec();
    let sender = Flow::to(
        server.address,
        "/push/door",
        pictures,
        Duration::from_millis(33),
    );
    let mut seen = Vec::new();
    for part in 0..=10 {
        while passed() < (minutes * f64::from(part) / 10.0).max(0.1) {
            std::thread::sleep(Duration::from_millis(200));
        }
        let Some(now) = look(&server) else {
            return Vec::new();
        };
        println!("{:.1} min: {now:?}", passed());
        seen.push(now);
    }
    let n_sent = sender.end();
    println!("{n_sent} pictures were sent");
    assert!(
        f64::from(n_sent) > minutes * 60.0 * 15.0,
        "{n_sent} pictures"
    );
    seen
}
