//! Figures of the viewer in the engines themselves, printed and never asserted on: how fast the first
//! picture is there, how smooth a crossfade, how quick the parser, and what months cost.
//!
//! `cargo test --test it reach:: -- --nocapture` shows them; the long ones are ignored, and run with
//! `--ignored` (and `MANTEL_SLIDES=10000`, `MANTEL_MINUTES=120`).

use std::{
    fs,
    time::{Duration, Instant},
};

use crate::support::{
    clients::Client,
    devtools::{Browser, Page},
    eventually,
    hostile::{Hostile, begin_slides, hold, slide},
    http::Stream,
    photos::{Photos, flat, grained},
    pixels::{BLUE, GREEN, RED, YELLOW},
    server::{STANDING, Server},
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
    let minutes = std::env::var("MANTEL_MINUTES").ok();
    let minutes: f64 = minutes.and_then(|n| n.parse().ok()).unwrap_or(120.0);
    let photos = Photos::of(&[RED]);
    let args = [&STANDING[..], &["--push-creates"]].concat();
    let server = Server::start(photos.path(), &args);
    if !server.has_viewer() {
        return;
    }
    let began = Instant::now();
    let passed = move || began.elapsed().as_secs_f64() / 60.0;
    let address = server.address;
    let sender = std::thread::spawn(move || {
        let head = format!(
            "POST /push/door HTTP/1.1\r\nHost: {address}\r\nContent-Length: {}\r\n\r\n",
            u64::MAX / 4
        );
        let mut stream = Stream::send(address, head.as_bytes());
        let pictures = [RED, GREEN, BLUE, YELLOW].map(|colour| grained(colour, 40));
        for picture in pictures.iter().cycle() {
            if passed() > minutes || stream.write(picture).is_err() {
                return;
            }
            std::thread::sleep(Duration::from_millis(33));
        }
    });
    let mut page = None;
    let mut seen = Vec::new();
    for part in 0..=10 {
        while passed() < (minutes * f64::from(part) / 10.0).max(0.1) {
            std::thread::sleep(Duration::from_millis(200));
        }
        // Each picture by itself: video is the browser's own to play.
        let page = page.get_or_insert_with(|| browser.open(&server.url("/c/door/?via=bytes")));
        let now = [
            figure(page, "nSlides").unwrap_or(0.0),
            page.heap_bytes() / 1e6,
            figure(page, "wasmBytes").unwrap_or(0.0) / 1e6,
            resident(browser.process_id()),
        ];
        let [n_slides, heap, wasm, processes] = now;
        println!(
            "{:.1} min: {n_slides:.0} pictures, JavaScript {heap:.2} MB, Wasm {wasm:.1} MB, processes {processes:.0} MB",
            passed()
        );
        seen.push(now);
    }
    // What comes in the first tenth of the time is all that there ever is.
    let ([_, heap, wasm, processes], [n_slides, last_heap, last_wasm, last]) = (seen[1], seen[10]);
    assert!(n_slides > minutes * 60.0 * 15.0, "{n_slides} pictures");
    assert!(
        last_heap < heap + 1.0,
        "JavaScript {heap} to {last_heap} MB"
    );
    assert!(last_wasm < wasm + 1.0, "Wasm {wasm} to {last_wasm} MB");
    assert!(last < processes * 1.1, "processes {processes} to {last} MB");
    drop(server);
    sender.join().expect("the sender");
}
