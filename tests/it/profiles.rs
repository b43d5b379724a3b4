//! Settings in links: the page that builds them, QR codes, and short names of screens.

use crate::around::{await_pictures, await_true, go_to};
use crate::support::clients::Client;
use crate::support::devtools::Browser;
use crate::support::eventually;
use crate::support::http::{self, Reply};
use crate::support::photos::Photos;
use crate::support::pixels::RED;
use crate::support::server::{STANDING, Server};

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
        "/tv.living-room/.test(document.getElementById('names').textContent)",
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
