//! Channels by name: below `/c/NAME/` everything is as it is at the root, for pages, players and rights.

use crate::{
    access::{new_token, start, until_shut, with},
    page::await_look,
    support::{
        clients::Client,
        devtools::Browser,
        eventually, http,
        photos::Photos,
        pixels::{GREEN, RED},
        server::{STANDING, Server},
    },
};

/// Addresses whose answers end.
const ADDRESSES: [&str; 14] = [
    "",
    "snapshot",
    "?action=snapshot",
    "status",
    "time",
    "healthz",
    "metrics",
    "screens",
    "profiles",
    "library/lists",
    "library/skipped",
    "settings",
    "sw.js",
    "manifest.webmanifest",
];

#[test]
fn the_main_channel_is_the_same_by_its_name() {
    let photos = Photos::of(&[RED, GREEN]);
    let server = Server::start(photos.path(), &STANDING);
    server.colour();
    for address in ADDRESSES {
        let plain = server.get(&format!("/{address}"));
        let named = server.get(&format!("/c/main/{address}"));
        assert_eq!(named.status(), 200, "{address}");
        let kind = |reply: &http::Reply| reply.head.get("content-type").map(str::to_owned);
        assert_eq!(kind(&named), kind(&plain), "{address}");
    }
    for address in [
        "/c/main/stream",
        "/c/main/bytes",
        "/stream?channel=main",
        "/c/main/?action=stream",
    ] {
        let head = http::request(server.address, "HEAD", address, "", "");
        assert_eq!(head.status(), 200, "{address}");
    }
    // Relative, so that it leads there behind a proxy, too.
    let page = server.get("/c/main?fit=cover");
    assert_eq!(page.status(), 302);
    assert_eq!(page.head.get("location"), Some("main/?fit=cover"));

    let before = server.get("/snapshot").head.number("x-slide");
    let json = "Content-Type: application/json\r\n";
    let command = r#"{"command":"next"}"#;
    let reply = http::request(server.address, "POST", "/c/main/control", json, command);
    assert_eq!(reply.status(), 200, "{}", reply.text());
    assert_eq!(reply.json()["name"], "main");
    eventually("the next slide", || {
        match server.get("/c/main/snapshot").head.number("x-slide") {
            slide if slide > before => Ok(()),
            slide => Err(format!("{slide} after {before}")),
        }
    });
}

#[test]
fn another_name_is_told_which_channels_there_are() {
    let photos = Photos::of(&[RED]);
    let server = Server::start(photos.path(), &STANDING);
    for address in [
        "/c/garage/",
        "/c/garage",
        "/c/garage/stream",
        "/c/garage/viewer.js",
        "/stream?channel=garage",
        "/status?channel=garage",
        "/?channel=garage",
    ] {
        let reply = server.get(address);
        assert_eq!(reply.status(), 404, "{address}");
        let sentence = "there is no channel \"garage\"; those that there are: main\n";
        assert_eq!(reply.text(), sentence, "{address}");
    }
    let json = "Content-Type: application/json\r\n";
    let command = r#"{"command":"next"}"#;
    for address in ["/c/garage/control", "/control?channel=garage"] {
        let reply = http::request(server.address, "POST", address, json, command);
        assert_eq!(reply.status(), 404, "{address}");
    }
    let reply = http::request(server.address, "DELETE", "/c/main/stream", "", "");
    assert_eq!(reply.status(), 405);
    assert_eq!(reply.head.get("allow"), Some("GET, HEAD, OPTIONS"));
}

#[test]
fn a_token_opens_its_own_channels_alone() {
    let photos = Photos::of(&[RED]);
    let server = start(&photos, &[]);
    server.colour();
    let new = |name: &str, rights: &str| {
        let secret = new_token(&server.data, name, &["--rights", rights]);
        format!("Authorization: Bearer {secret}\r\n")
    };
    let plotter = new("plotter", "push@plot");
    let hall = new("hall", "watch@main");
    let elsewhere = new("elsewhere", "control@plot");
    until_shut(&server);
    let refusal = |address: &str, token: &str| {
        let reply = with(&server, address, token);
        (reply.status(), reply.text().trim().to_owned())
    };
    // What it may push to is all that a plot's script may do.
    for address in [
        "/",
        "/stream",
        "/snapshot",
        "/status",
        "/c/main/bytes",
        "/library/skipped",
    ] {
        let told = "this takes the right to watch main, which plotter has not".to_owned();
        assert_eq!(refusal(address, &plotter), (403, told), "{address}");
    }
    assert_eq!(refusal("/c/plot/snapshot", &plotter).0, 403);
    for address in [
        "/snapshot",
        "/c/main/snapshot",
        "/snapshot?channel=main",
        "/status",
    ] {
        assert_eq!(refusal(address, &hall).0, 200, "{address}");
        assert_eq!(refusal(address, &elsewhere).0, 403, "{address}");
    }
    // Who has no right to a channel hears nothing of it, not even that there is none.
    assert_eq!(refusal("/c/plot/snapshot", &hall).0, 403);
    assert_eq!(refusal("/c/plot/snapshot", &elsewhere).0, 404);
    let json = format!("Content-Type: application/json\r\n{hall}");
    let command = r#"{"command":"next"}"#;
    let reply = http::request(server.address, "POST", "/control", &json, command);
    assert_eq!(reply.status(), 403);
    let told = "this takes the right to control main, which hall has not";
    assert_eq!(reply.text().trim(), told);
}

#[test]
fn chromium_shows_the_page_of_a_channel_by_its_name() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let photos = Photos::of(&[RED, GREEN]);
    let server = Server::start(photos.path(), &STANDING);
    if !server.has_viewer() {
        return;
    }
    let mut page = browser.open(&server.url("/c/main/"));
    await_look(&mut page, "playing", server.colour());
    let wanted = server.advance();
    await_look(&mut page, "playing", wanted);
    let asked = page
        .eval(
            "performance.getEntriesByType('resource').map(function (entry) { \
             return new URL(entry.name).pathname; }).filter(function (path) { \
             return path.indexOf('/c/main/') !== 0; })",
        )
        .expect("what the page has asked for");
    assert_eq!(asked, serde_json::json!([]), "asked for beside its channel");
    assert_eq!(page.complaints(), Vec::<String>::new());

    let mut settings = browser.open(&server.url("/c/main/settings"));
    eventually("a preview on the page of settings", || {
        let shown = settings
            .eval("(document.getElementById('preview') || {}).src || document.readyState")?;
        match shown.as_str() {
            Some(address) if address.contains("/c/main/") => Ok(()),
            _ => Err(shown.to_string()),
        }
    });
    assert_eq!(settings.complaints(), Vec::<String>::new());
}
