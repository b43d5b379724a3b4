//! Settings in links: the page that builds them, QR codes, and short names of screens.

use crate::{
    around::{await_pictures, await_true, go_to},
    support::{
        clients::Client,
        devtools::{Browser, Page},
        eventually,
        http::{self, Reply},
        parts::Parts,
        photos::Photos,
        pixels::RED,
        server::{STANDING, Server},
    },
};

const JSON: &str = "Content-Type: application/json\r\n";

fn post(server: &Server, more: &str, body: &str) -> Reply {
    http::request(server.address, "POST", "/profiles", more, body)
}

#[test]
fn a_name_leads_to_its_settings() {
    let photos = Photos::of(&[RED]);
    let server = Server::start(photos.path(), &STANDING);
    let kept = post(
        &server,
        JSON,
        r#"{"name":"hall","query":"?fit=cover&clock=on&name=x"}"#,
    );
    assert_eq!(kept.status(), 200, "{}", kept.text());
    let there = server.get("/tv/hall");
    assert_eq!(there.status(), 302);
    // Relative, so that a proxy may serve below a path of its own.
    assert_eq!(
        there.head.get("location"),
        Some("../?fit=cover&clock=on&name=hall")
    );
    let list = server.get("/profiles").json();
    assert_eq!(list["profiles"][0]["name"], "hall");
    assert_eq!(list["profiles"][0]["query"], "fit=cover&clock=on");

    let gone = http::request(server.address, "DELETE", "/profiles/hall", "", "");
    assert_eq!(gone.status(), 200);
    let nobody = server.get("/tv/hall");
    assert_eq!(nobody.status(), 404);
    assert!(
        nobody.text().contains("href=\"../settings\""),
        "{}",
        nobody.text()
    );
    assert_eq!(
        http::request(server.address, "DELETE", "/profiles/hall", "", "").status(),
        404
    );
}

#[test]
fn what_is_no_name_or_no_link_is_refused() {
    let photos = Photos::of(&[RED]);
    let server = Server::start(photos.path(), &STANDING);
    for body in [
        "",
        "{}",
        r#"{"name":"../x"}"#,
        r#"{"name":"Hall"}"#,
        r#"{"name":"hall","query":"a=\r\nSet-Cookie: b"}"#,
        r#"{"name":"hall","query":"a=<script>"}"#,
        &format!(r#"{{"name":"hall","query":"{}"}}"#, "x".repeat(2000)),
    ] {
        let reply = post(&server, JSON, body);
        assert_eq!(reply.status(), 400, "{body}: {}", reply.text());
    }
    // What a form on somebody else's page can send.
    let form = post(
        &server,
        "Content-Type: text/plain\r\n",
        r#"{"name":"hall","query":""}"#,
    );
    assert_eq!(form.status(), 415);
    for target in ["/tv/", "/tv/..", "/tv/hall/x", "/tv/%0d%0aa"] {
        assert_eq!(server.get(target).status(), 404, "{target}");
    }
    let own = server.get(&format!(
        "/qr?text=http%3A%2F%2F{}%2Ftv%2Fhall",
        server.address
    ));
    assert_eq!(
        (own.status(), own.head.get("content-type")),
        (200, Some("image/svg+xml"))
    );
    for target in ["/qr", "/qr?text=", "/qr?text=http%3A%2F%2Fevil.example%2F"] {
        assert_eq!(server.get(target).status(), 400, "{target}");
    }
}

#[test]
fn the_settings_page_builds_a_link_and_keeps_it() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let photos = Photos::of(&[RED]);
    let server = Server::start(photos.path(), &STANDING);
    if !server.has_viewer() {
        return;
    }
    let mut page = browser.open(&server.url("/settings?fit=cover&odd=1"));
    await_true(&mut page, "!!document.getElementById('field-clock')");
    page.eval(
        "(function () {
             document.getElementById('field-clock').value = '24';
             document.getElementById('field-album').value = 'Rome & more';
             document.getElementById('name').value = 'living-room';
             document.getElementById('name').oninput();
         })()",
    )
    .expect("to fill the form");
    // What the form doesn't know stays in the link.
    await_true(
        &mut page,
        "document.getElementById('link').getAttribute('href') ===
             './?album=Rome%20%26%20more&fit=cover&clock=24&odd=1&name=living-room'",
    );
    await_true(&mut page, "document.getElementById('qr').naturalWidth > 0");
    await_true(
        &mut page,
        "/clock=24/.test(document.getElementById('preview').contentWindow.location.search)",
    );
    page.eval("document.getElementById('field-album').value = ''")
        .expect("no album");
    page.eval("document.getElementById('keep').click()")
        .expect("to keep it");
    await_true(
        &mut page,
        "/tv.living-room/.test(document.getElementById('names').textContent) &&
         /living-room is saved/.test(document.getElementById('said').textContent)",
    );
    // How long pictures stay is the same on all screens: it takes effect at once, or says why not.
    let set = |page: &mut Page, seconds: &str| {
        page.eval(&format!(
            "document.getElementById('seconds').value = '{seconds}'; document.getElementById('stay').click()"
        ))
        .expect("to set it");
    };
    let interval = || server.get("/status").json()["channel"]["interval_millis"].clone();
    set(&mut page, "0");
    await_true(
        &mut page,
        "/can stay from 1 to 86400 seconds/.test(document.getElementById('stays').textContent)",
    );
    assert_eq!(interval(), 7_200_000);
    set(&mut page, "8");
    await_true(
        &mut page,
        "/Each photo stays 8 s now/.test(document.getElementById('stays').textContent)",
    );
    assert_eq!(interval(), 8_000);
    let mut slides = Parts::open(server.address, "/bytes");
    assert_eq!(slides.part().head.number("X-Dwell-Ms"), 8_000);
    // A screen whose slides were to change more slowly goes on, and keeps up.
    let mut slow = Parts::open(server.address, "/bytes?transition=30s");
    let head = slow.part().head;
    assert_eq!(head.get("X-Transition"), Some("crossfade; ms=8000"));
    // Fields and buttons are for fingers, and Save is where one sees it.
    await_true(
        &mut page,
        "[].every.call(document.querySelectorAll('input, select, button'), function (field) {
             return !field.offsetParent || field.offsetHeight >= 44;
         }) && document.getElementById('keep').getBoundingClientRect().bottom <= innerHeight",
    );
    // The server listens on this machine alone: no address of the house is offered.
    await_true(
        &mut page,
        "/127\\.0\\.0\\.1/.test(document.getElementById('link').textContent)",
    );
    assert_eq!(page.complaints(), Vec::<String>::new());
    drop(page);

    let mut screen = browser.open(&server.url("/tv/living-room"));
    await_pictures(&mut screen);
    await_true(
        &mut screen,
        "location.pathname === '/' && mantel.get('name') === 'living-room' && mantel.get('fit') === 'cover' &&
         document.querySelector('.time').classList.contains('on')",
    );
    // What the remote changes lasts until the TV is switched off, unless it is kept.
    screen.press("", 40);
    go_to(&mut screen, "Date");
    screen.press("", 39);
    go_to(&mut screen, "Keep for “living-room”");
    screen.press("", 13);
    eventually("the change to be kept", || {
        let list = server.get("/profiles").json();
        let query = list["profiles"][0]["query"]
            .as_str()
            .unwrap_or("")
            .to_owned();
        if query.contains("date=on") && query.contains("clock=24") {
            Ok(())
        } else {
            Err(list.to_string())
        }
    });
    assert_eq!(screen.complaints(), Vec::<String>::new());
}

#[test]
fn what_is_kept_reaches_the_screen_that_is_on() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let photos = Photos::of(&[RED]);
    let server = Server::start(photos.path(), &STANDING);
    if !server.has_viewer() {
        return;
    }
    let keep = |query: &str| {
        let body = format!(r#"{{"name":"hall","query":"{query}"}}"#);
        assert_eq!(post(&server, JSON, &body).status(), 200);
    };
    keep("clock=on");
    let mut screen = browser.open(&server.url("/tv/hall"));
    await_pictures(&mut screen);
    screen.eval("window.sameAsBefore = true").expect("a mark");
    // Without loading the page anew where that can be.
    keep("clock=off&fit=cover");
    await_true(
        &mut screen,
        "window.sameAsBefore && mantel.get('fit') === 'cover' && mantel.get('name') === 'hall' &&
         !document.querySelector('.time').classList.contains('on')",
    );
    // What an engine reads once, at the start of a page.
    keep("fit=cover&lang=de");
    await_true(
        &mut screen,
        "!window.sameAsBefore && !!window.mantel && mantel.get('lang') === 'de' && mantel.get('name') === 'hall'",
    );
    drop(screen);
    // A bookmark from before.
    let mut screen = browser.open(&server.url("/?clock=12&name=hall"));
    await_true(
        &mut screen,
        "!!window.mantel && mantel.get('lang') === 'de' && !mantel.get('clock')",
    );
    assert_eq!(screen.complaints(), Vec::<String>::new());
}

#[test]
fn a_name_that_is_asked_for_waits_for_news() {
    let photos = Photos::of(&[RED]);
    let server = Server::start(photos.path(), &STANDING);
    let none = server.get("/profiles/hall?not=&wait=1").json();
    assert_eq!(
        (none["query"].is_null(), none["version"].as_str()),
        (true, Some("none"))
    );
    std::thread::scope(|threads| {
        let address = server.address;
        let waiting =
            threads.spawn(move || http::get(address, "/profiles/hall?not=none&wait=1").json());
        post(&server, JSON, r#"{"name":"hall","query":"clock=on"}"#);
        let news = waiting.join().expect("an answer");
        assert_eq!(news["query"], "clock=on");
        let version = news["version"].as_str().expect("a version");
        let same = server.get(&format!("/profiles/hall?not={version}")).json();
        assert_eq!(same["version"], version);
    });
    assert_eq!(server.get("/profiles/Hall").status(), 400);
}
