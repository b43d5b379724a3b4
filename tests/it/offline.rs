//! The page without its server, in engines that keep things: pictures go on, an old page never meets a
//! new server, and storage that is forbidden or full changes nothing.

use crate::{
    around::{await_pictures, await_true},
    captions::sidecar,
    page::{await_look, await_screen},
    support::{
        clients::Client,
        devtools::Browser,
        photos::{Photos, flat},
        pixels::{BLUE, RED},
        server::{STANDING, Server},
    },
};

#[test]
fn the_last_pictures_are_shown_while_the_server_is_away() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let photos = Photos::of(&[BLUE]);
    let server = Server::start(photos.path(), &STANDING);
    if !server.has_viewer() {
        return;
    }
    let address = server.address;
    let mut page = browser.open(&server.url("/?name=hall"));
    await_pictures(&mut page);
    await_true(
        &mut page,
        "caches.open('mantel-pictures-1').then(function (c) { return c.keys(); })
             .then(function (keys) { return keys.length === 1; })",
    );
    await_true(
        &mut page,
        "caches.keys().then(function (names) {
             var name = names.filter(function (n) { return /^mantel-page-/.test(n); })[0];
             return name ? caches.open(name).then(function (c) { return c.keys(); }) : [];
         }).then(function (keys) { return keys.length >= 4 && !!navigator.serviceWorker.controller; })",
    );
    server.stop().expect("the server to end");
    await_true(
        &mut page,
        "document.documentElement.hasAttribute('data-kept')",
    );
    await_screen(&mut page, BLUE);

    // A TV that is switched on while the server is still away.
    page.eval("setTimeout(function () { location.reload(); }, 0)")
        .expect("to reload");
    await_true(
        &mut page,
        "document.documentElement.hasAttribute('data-kept-page') && document.documentElement.hasAttribute('data-kept')",
    );
    await_screen(&mut page, BLUE);

    // The server comes back: the page is the server's, and so is the picture.
    let others = Photos::of(&[RED]);
    let _server = Server::start_again(address, others.path(), &STANDING);
    await_true(
        &mut page,
        "!document.documentElement.hasAttribute('data-kept-page') && !document.documentElement.hasAttribute('data-kept')",
    );
    await_look(&mut page, "playing", RED);
    await_screen(&mut page, RED);
}

#[test]
fn kept_pictures_bring_their_own_words() {
    let photos = Photos::none();
    for (name, colour) in [("Blue one", BLUE), ("Red one", RED)] {
        photos.add(format!("{name}.jpg.xmp"), &sidecar(name));
        photos.add(format!("{name}.jpg"), &flat(colour));
    }
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let server = Server::start(photos.path(), &STANDING);
    if !server.has_viewer() {
        return;
    }
    let mut page = browser.open(&server.url("/?caption=text"));
    await_pictures(&mut page);
    await_true(
        &mut page,
        "caches.open('mantel-pictures-1').then(function (c) { return c.keys(); })
             .then(function (keys) { return keys.length === 1; })",
    );
    let words = |text: &str| format!("document.querySelector('.text.on').textContent === '{text}'");
    let (kept, name) = if server.colour() == BLUE {
        (BLUE, "Blue one")
    } else {
        (RED, "Red one")
    };
    await_true(&mut page, &words(name));
    // Another slide has come, and it is not kept yet: pictures are kept with a pause between.
    server.advance();
    await_true(&mut page, &format!("!({})", words(name)));
    server.stop().expect("the server to end");
    await_true(
        &mut page,
        "document.documentElement.hasAttribute('data-kept')",
    );
    await_screen(&mut page, kept);
    await_true(&mut page, &words(name));
}

#[test]
fn a_server_that_answers_is_never_shown_an_old_page() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let photos = Photos::of(&[BLUE]);
    let server = Server::start(photos.path(), &STANDING);
    if !server.has_viewer() {
        return;
    }
    let mut page = browser.open(&server.url("/"));
    await_pictures(&mut page);
    await_true(&mut page, "!!navigator.serviceWorker.controller");
    page.eval(
        "caches.keys().then(function (names) {
             return Promise.all(names.filter(function (n) { return /^mantel-page-/.test(n); }).map(function (n) {
                 return caches.open(n).then(function (c) {
                     return c.put('page', new Response('<title>old</title>', { headers: { 'Content-Type': 'text/html' } }));
                 });
             }));
         })",
    )
    .expect("to age the page");
    page.eval("window.before = true; setTimeout(function () { location.reload(); }, 0)")
        .expect("to reload");
    await_true(&mut page, "!window.before && document.title === 'Mantel'");
    await_look(&mut page, "playing", BLUE);

    // `offline=off` throws everything away.
    page.eval("setTimeout(function () { location.search = '?offline=off'; }, 0)")
        .expect("to switch it off");
    await_true(
        &mut page,
        "/off/.test(location.search) && caches.keys().then(function (names) { return names.length === 0; })",
    );
    assert_eq!(page.complaints(), Vec::<String>::new());
}

#[test]
fn storage_that_is_forbidden_or_full_changes_nothing() {
    for script in [
        "Object.defineProperty(window, 'caches', { get: function () { throw new Error('SecurityError'); } });
         Object.defineProperty(window, 'sessionStorage', { get: function () { throw new Error('SecurityError'); } });",
        "CacheStorage.prototype.open = function () { return Promise.reject(new Error('forbidden')); };",
        "Cache.prototype.put = function () { return Promise.reject(new DOMException('full', 'QuotaExceededError')); };",
        "Object.defineProperty(Navigator.prototype, 'serviceWorker', { get: function () { return undefined; } });",
    ] {
        let Some(browser) = Browser::start(Client::Chromium) else {
            return;
        };
        let photos = Photos::of(&[BLUE, RED]);
        let server = Server::start(photos.path(), &STANDING);
        if !server.has_viewer() {
            return;
        }
        let mut page = browser.open_after(&server.url("/?clock=on"), script);
        await_pictures(&mut page);
        await_look(&mut page, "playing", server.colour());
        let next = server.advance();
        await_look(&mut page, "playing", next);
        await_true(&mut page, "document.querySelector('.time').classList.contains('on')");
        assert_eq!(page.complaints(), Vec::<String>::new(), "{script}");
    }
}

#[test]
fn what_installs_the_page_is_there() {
    let photos = Photos::of(&[BLUE]);
    let server = Server::start(photos.path(), &STANDING);
    if !server.has_viewer() {
        return;
    }
    let manifest = server.get("/manifest.webmanifest").json();
    for icon in manifest["icons"].as_array().expect("icons") {
        let source = icon["src"].as_str().expect("an address");
        let reply = server.get(&format!("/{source}"));
        assert_eq!(
            reply.head.get("content-type"),
            Some("image/png"),
            "{source}"
        );
        let picture = image::load_from_memory(&reply.body).expect("a PNG");
        let size = format!("{}x{}", picture.width(), picture.height());
        assert_eq!(icon["sizes"], size);
    }
    let worker = server.get("/sw.js");
    assert_eq!(worker.head.get("cache-control"), Some("no-store"));
    assert!(!worker.text().contains("%VERSION%"));
    assert!(server.get("/").text().contains("manifest.webmanifest"));
}
