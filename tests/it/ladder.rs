//! The page in engines that can't run the viewer: it finds a rung by itself, and the photos show.

use crate::{
    page::await_screen,
    support::{
        clients::Client,
        devtools::Browser,
        eventually,
        photos::Photos,
        pixels::{BLUE, GREEN, RED, Rgb, YELLOW},
        server::{STANDING, Server},
    },
};

const FOUR: [Rgb; 4] = [RED, GREEN, BLUE, YELLOW];

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
