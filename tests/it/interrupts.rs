//! Live channels that interrupt the gallery, as screens see it: the doorbell at once, within the stream that they have, and
//! afterwards the slide that is on by then.
//!
//! How late it was each time is printed; as with slides, that is what is asserted.

use std::{
    io::Write,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    live::push,
    page, paint,
    players::{open_folder, vlc_with},
    support::{
        clients::{Client, require},
        devtools::{Browser, Page},
        eventually,
        parts::{Part, Parts},
        photos::{Photos, flat, sized},
        pixels::{BLUE, GREEN, Picture, RED, Rgb, YELLOW},
        server::Server,
        sight::{Display, Files, Sighting, Witness, now},
        webdriver::Driver,
    },
};

const SLIDES: [Rgb; 3] = [GREEN, BLUE, YELLOW];
const DOOR: Rgb = RED;

/// How late the doorbell may be in a browser and in VLC, half of the times at least; in milliseconds.
const BROWSER: i64 = 300;
const VLC: i64 = 1500;

const N_RINGS: usize = 3;

/// A server whose gallery a door interrupts.
struct House {
    server: Server,
    interval: i64,
    _folder: TempDir,
    _photos: Photos,
}

impl House {
    fn with(door: &str, interval: &str) -> Self {
        let folder = TempDir::with_prefix("mantel-interrupts-").expect("a folder");
        let path = folder.path().join("mantel.toml");
        let config = format!(
            "[channel.door]\nsource = \"push\"\ninterrupts = \"main\"\n{door}\n\
             [channel.plot]\nsource = \"push\"\n"
        );
        std::fs::write(&path, config).expect("a configuration");
        let photos = Photos::none();
        for (i, colour) in SLIDES.into_iter().enumerate() {
            photos.add(format!("Rome/{i:02}.jpg"), &flat(colour));
        }
        let config = path.to_str().expect("a path that is text");
        let args = [
            "--order",
            "name",
            "--size",
            "640x360",
            "--transition",
            "cut",
        ];
        let more = ["--interval", interval, "--config", config];
        let server = Server::start(photos.path(), &[&args[..], &more].concat());
        server.settle();
        let status = server.get("/status").json();
        Self {
            interval: status["channel"]["interval_millis"]
                .as_i64()
                .expect("a number"),
            server,
            _folder: folder,
            _photos: photos,
        }
    }

    fn standing(hold: &str) -> Self {
        Self::with(&format!("hold = \"{hold}\"\nleast = \"100ms\""), "2h")
    }

    fn ring_with(&self, body: &[u8]) {
        let reply = push(self.server.address, "/push/door", "", body);
        assert_eq!(reply.status(), 200, "{}", reply.text());
    }

    fn ring(&self) {
        self.ring_with(&flat(DOOR));
    }

    fn channel(&self) -> Value {
        self.server.get("/status").json()["channel"].clone()
    }

    fn interrupted_by(&self) -> Value {
        self.channel()["interrupted"]["by"].clone()
    }

    fn await_gallery(&self) {
        eventually("the gallery to have its screens back", || {
            let by = self.interrupted_by();
            if by.is_null() {
                Ok(())
            } else {
                Err(by.to_string())
            }
        });
    }

    fn await_snapshot(&self, colour: Rgb) {
        eventually("a colour on /snapshot", || {
            match self.colour_at("/snapshot") {
                seen if seen == colour => Ok(()),
                other => Err(format!("{other:?}")),
            }
        });
    }

    fn colour_at(&self, target: &str) -> Rgb {
        let reply = self.server.get(target);
        let picture = Picture::from_jpeg(&reply.body).expect("a JPEG");
        picture.middle().named().expect("one of the colours")
    }

    /// The slides that a screen may show at this moment that is late by no more than `late` milliseconds.
    fn slides_at(&self, at: i64, late: i64) -> [Rgb; 2] {
        let channel = self.channel();
        let slide = &channel["slide"];
        let started = slide["started_millis"].as_i64().expect("a moment");
        let name = slide["name"].as_str().expect("a name");
        // Photos are named by their order.
        let digits: String = name.chars().filter(char::is_ascii_digit).collect();
        let now_on = digits.parse::<i64>().expect("a number");
        let passed = |at: i64| (at - started).div_euclid(self.interval);
        [at - late, at].map(|at| {
            let n = i64::try_from(SLIDES.len()).expect("few");
            let which = (now_on + passed(at)).rem_euclid(n);
            SLIDES[usize::try_from(which).expect("no less than none")]
        })
    }
}

fn colour(part: &Part) -> (Rgb, (usize, usize)) {
    let picture = Picture::from_jpeg(&part.body).expect("a JPEG");
    let colour = picture.middle();
    (
        colour.named().unwrap_or(colour),
        (picture.width, picture.height),
    )
}

#[test]
fn a_stream_shows_the_door_in_its_own_size_and_goes_on() {
    let house = House::standing("2s");
    let address = house.server.address;
    let slide = house.server.colour();
    let number = house.channel()["slide"]["number"].clone();
    let mut stream = Parts::open(address, "/stream?paint=plain");
    let mut bytes = Parts::open(address, "/bytes");
    let (first, size) = colour(&stream.part());
    assert_eq!(first, slide);
    assert_eq!(bytes.part().head.get("x-source"), None);
    // Each time with another size.
    for (n, side) in [(0, 200), (1, 500), (2, 100)] {
        house.ring_with(&sized(side, 300, DOOR));
        assert_eq!(colour(&stream.part()), (DOOR, size), "{n}");
        loop {
            let part = bytes.part();
            if part.head.get("x-source") == Some("door; live") {
                assert_eq!(colour(&part), (DOOR, size));
                assert_eq!(part.head.get("x-show-at"), None);
                break;
            }
        }
        let channel = house.channel();
        assert_eq!(channel["interrupted"]["by"], "door");
        assert!(channel["interrupted"]["since_millis"].is_u64());
        assert_eq!(
            channel["slide"]["number"], number,
            "the slides count on beneath"
        );
        assert_eq!(house.colour_at("/snapshot"), DOOR);
        assert_eq!(house.colour_at("/snapshot?interrupts=off"), slide);
        assert!(
            house.server.get("/status?interrupts=off").json()["channel"]["interrupted"].is_null()
        );
        assert_eq!(colour(&stream.part()), (slide, size), "{n}");
        house.await_gallery();
        let part = bytes.part();
        assert_eq!(part.head.get("x-source"), None);
        assert_eq!(colour(&part), (slide, size));
    }
    let reply = house.server.get("/snapshot?interrupts=maybe");
    assert_eq!(reply.status(), 400, "{}", reply.text());
}

#[test]
fn another_channel_interrupts_nothing_and_is_not_interrupted() {
    let house = House::standing("1h");
    let slide = house.server.colour();
    let reply = push(house.server.address, "/push/plot", "", &flat(DOOR));
    assert_eq!(reply.status(), 200, "{}", reply.text());
    assert_eq!(house.server.colour(), slide);
    house.ring_with(&flat(GREEN));
    eventually("the door", || {
        let by = house.interrupted_by();
        if by == "door" {
            Ok(())
        } else {
            Err(by.to_string())
        }
    });
    assert_eq!(house.colour_at("/c/plot/snapshot"), DOOR);
    // Both of them are told, and until when.
    let rows = house.server.get("/channels").json();
    let row = |name: &str| {
        let mut rows = rows.as_array().expect("rows").iter();
        rows.find(|row| row["name"] == name)
            .expect("the channel")
            .clone()
    };
    let (main, door, plot) = (row("main"), row("door"), row("plot"));
    assert_eq!(main["interrupted"]["by"], "door", "{main}");
    assert_eq!(door["interrupts"]["channel"], "main", "{door}");
    assert!(
        plot["interrupts"].is_null() && plot["interrupted"].is_null(),
        "{plot}"
    );
    let millis = |at: &Value| at.as_u64().expect("a moment");
    for told in [&main["interrupted"], &door["interrupts"]] {
        let lasts = millis(&told["until_millis"]) - millis(&told["since_millis"]);
        // An hour, which would be longer than one may last.
        assert!((290_000..=310_000).contains(&lasts), "{told}");
    }
    assert!(millis(&house.channel()["interrupted"]["until_millis"]) > 0);
}

#[test]
fn the_list_of_channels_says_who_has_the_screens() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let house = House::standing("1h");
    let mut page = browser.open(&house.server.url("/channels"));
    let lines = "[].map.call(document.querySelectorAll('.on'), function (line) { return line.textContent; })";
    let mut await_lines = |wanted: [&str; 3]| {
        eventually("whose the screens are", || {
            let seen = page.eval(&format!("{lines}.join('|')"))?;
            let seen = seen.as_str().unwrap_or_default();
            let each: Vec<&str> = seen.split('|').collect();
            let is_told = |(seen, wanted): (&&str, &&str)| {
                seen.starts_with(*wanted) && seen.is_empty() == wanted.is_empty()
            };
            let is_so = each.len() == wanted.len() && each.iter().zip(&wanted).all(is_told);
            is_so.then_some(()).ok_or_else(|| seen.to_owned())
        });
    };
    await_lines(["", "", ""]);
    house.ring();
    await_lines([
        "door has its screens · until ",
        "on the screens of main · until ",
        "",
    ]);
    house.server.command("dismiss");
    await_lines(["", "", ""]);
    assert_eq!(page.complaints(), Vec::<String>::new());
}

#[test]
fn who_has_seen_enough_has_the_slide_back_that_they_missed() {
    for command in ["next", "previous", "dismiss"] {
        let house = House::standing("1h");
        let slide = house.server.colour();
        let number = house.channel()["slide"]["number"].clone();
        house.ring();
        house.await_snapshot(DOOR);
        let answer = house.server.command(command).json();
        assert!(answer["interrupted"].is_null(), "{command}: {answer}");
        assert_eq!(answer["slide"]["number"], number, "{command}");
        house.await_snapshot(slide);
        // Who has been sent away does not come back by ringing on.
        house.ring();
        thread::sleep(Duration::from_millis(300));
        assert_eq!(house.colour_at("/snapshot"), slide);
        // Where nothing interrupts, that ends nothing.
        house.server.command("dismiss");
        assert_eq!(house.channel()["slide"]["number"], number);
        house.server.command("next");
        assert_ne!(house.channel()["slide"]["number"], number);
    }
}

/// Rings some times, and sees that the doorbell is on screen soon, then the right slide, and nothing else. Returns by how
/// many milliseconds the doorbell was late.
fn rings(house: &House, witness: &mut impl Witness, bound: i64) -> Vec<i64> {
    let is_slide = |sight: &Sighting| SLIDES.iter().any(|slide| sight.colour.is(*slide));
    let patience = Duration::from_secs(30);
    let mut see = |what: &str, seen: &dyn Fn(&[Sighting]) -> Option<Sighting>| {
        let start = Instant::now();
        loop {
            let sightings = witness.sightings();
            if let Some(sight) = seen(&sightings) {
                return sight;
            }
            assert!(
                start.elapsed() < patience,
                "{what} was never seen: {:?}",
                sightings.iter().rev().take(20).collect::<Vec<_>>()
            );
        }
    };
    see("a slide", &|seen| seen.iter().copied().find(is_slide));
    let late = (0..N_RINGS).map(|n| {
        thread::sleep(Duration::from_millis(300 + 700 * n as u64));
        let at = now();
        house.ring();
        let door = see("the door", &|seen| {
            let mut seen = seen.iter().copied();
            seen.find(|sight| sight.at >= at && sight.colour.is(DOOR))
        });
        house.await_gallery();
        let back = see("a slide after it", &|seen| {
            let mut seen = seen.iter().copied();
            seen.find(|sight| sight.at > door.at && !sight.colour.is(DOOR))
        });
        let right = house.slides_at(back.at, bound + 100);
        assert!(
            right.iter().any(|slide| back.colour.is(*slide)),
            "{back:?} where one of {right:?} is on"
        );
        door.at - at
    });
    let late: Vec<i64> = late.collect();
    // Then slides alone.
    let quiet = now();
    thread::sleep(Duration::from_millis(2 * house.interval.unsigned_abs()));
    see("another slide", &|seen| {
        let mut seen = seen.iter().copied();
        seen.find(|sight| sight.at > quiet && is_slide(sight))
    });
    late
}

fn assert_at_once(client: &str, late: &[i64], bound: i64) {
    // Past the test harness, which swallows what a passing test prints.
    let _ = writeln!(
        std::io::stderr(),
        "interrupts: {client:<22} the door after {late:?} ms"
    );
    let mut sorted = late.to_vec();
    sorted.sort_unstable();
    assert!(sorted[sorted.len() / 2] <= bound, "{client}: {late:?}");
}

fn moving() -> House {
    House::with("hold = \"1500ms\"\nleast = \"100ms\"", "2s")
}

fn image(client: Client) {
    let Some(browser) = Browser::start(client) else {
        return;
    };
    let house = moving();
    let mut page = browser.open_filmed(&paint::page(&house.server.url("/stream")));
    let late = rings(&house, &mut page, BROWSER);
    assert_at_once(&format!("{} <img>", client.name()), &late, BROWSER);
}

fn viewer(client: Client) {
    let Some(browser) = Browser::start(client) else {
        return;
    };
    let house = moving();
    if !house.server.has_viewer() {
        return;
    }
    let mut page = browser.open_filmed(&house.server.url("/"));
    let late = rings(&house, &mut page, BROWSER);
    assert_at_once(&format!("{} page", client.name()), &late, BROWSER);
}

#[test]
fn chromium_shows_the_door_in_an_img() {
    image(Client::Chromium);
}

#[test]
fn chromium_67_shows_the_door_in_an_img() {
    image(Client::Chromium67);
}

fn windowed_image(name: &str, start: impl Fn(Option<&Display>) -> Option<Driver>) {
    let Some(display) = Display::start() else {
        return;
    };
    let Some(browser) = start(Some(&display)) else {
        return;
    };
    let Some(mut watcher) = display.watch(400, 350) else {
        return;
    };
    browser.fill_screen();
    let house = moving();
    browser.open(&paint::page(&house.server.url("/stream")));
    let late = rings(&house, &mut watcher, BROWSER);
    assert_at_once(&format!("{name} <img>"), &late, BROWSER);
}

#[test]
fn firefox_shows_the_door_in_an_img() {
    windowed_image("Firefox", Driver::firefox_on);
}

#[test]
fn webkit_shows_the_door_in_an_img() {
    windowed_image("WebKit", Driver::webkit_on);
}

#[test]
fn chromium_shows_the_door_on_the_page() {
    viewer(Client::Chromium);
}

#[test]
fn chromium_67_shows_the_door_on_the_page() {
    viewer(Client::Chromium67);
}

#[test]
fn vlc_shows_the_door() {
    let Some(programs) = require(Client::Vlc) else {
        return;
    };
    let house = moving();
    let frames = open_folder();
    let small = ["--scene-width=64", "--scene-height=36"];
    let _vlc = vlc_with(
        &programs[0],
        frames.path(),
        &house.server.url("/stream"),
        &small,
    );
    let late = rings(&house, &mut Files::of(frames.path()), VLC);
    assert_at_once("VLC", &late, VLC);
}

#[test]
fn a_page_that_is_kept_out_of_it_and_a_key_that_ends_it() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let house = House::standing("1h");
    if !house.server.has_viewer() {
        return;
    }
    let slide = house.server.colour();
    let mut page = browser.open(&house.server.url("/?interrupts=off"));
    page::await_screen(&mut page, slide);
    house.ring();
    house.await_snapshot(DOOR);
    thread::sleep(Duration::from_millis(1000));
    let seen = page.screenshot().expect("a screenshot").middle();
    assert!(seen.is(slide), "{seen:?}");
    house.server.command("dismiss");
    let house = House::standing("1h");
    let mut page = browser.open(&house.server.url("/?caption=all"));
    await_words(&mut page, "Rome");
    house.ring();
    page::await_screen(&mut page, DOOR);
    await_words(&mut page, "");
    // It says nothing of a pause, either: slides go on beneath.
    let state = page.eval("document.documentElement.getAttribute('data-state')");
    assert_eq!(state, Ok("playing".into()));
    page.press("ArrowRight", 39);
    page::await_screen(&mut page, slide);
    await_words(&mut page, "Rome");
    house.await_gallery();
    assert_eq!(page.complaints(), Vec::<String>::new());
}

/// Waits until this is what the page writes about the photo.
fn await_words(page: &mut Page, words: &str) {
    let lines = "[].map.call(document.querySelectorAll('.told .on'), function (line) { return line.textContent; })";
    eventually(&format!("the words {words:?}"), || {
        let seen = page.eval(&format!("{lines}.join()"))?;
        if seen == words {
            Ok(())
        } else {
            Err(seen.to_string())
        }
    });
}
