//! A plain `<img src="…/stream">` on somebody's own page, in browsers that paint a part only when
//! they know that it is over: each slide must be visible while it stands, the first one included.
//! Slides stand for hours here, so a client that is one slide late never gets there.

use std::net::SocketAddr;

use crate::{
    page::await_screen,
    support::{
        clients::Client,
        devtools::Browser,
        eventually,
        photos::Photos,
        pixels::{BLUE, GREEN, RED, Rgb, YELLOW},
        server::{STANDING, Server},
        site,
        webdriver::Driver,
    },
};

const FOUR: [Rgb; 4] = [RED, GREEN, BLUE, YELLOW];

/// A page of another site with the picture filling it.
pub(crate) fn site_with(image: &str) -> SocketAddr {
    site::serve(&format!(
        "<!doctype html><title>a page</title><style>html, body {{ margin: 0; background: #777 }} \
         img {{ width: 100vw; height: 100vh; display: block }}</style><img alt='' src='{image}'>"
    ))
}

fn chromium_paints_each_slide(client: Client, query: &str, args: &[&str]) {
    let Some(browser) = Browser::start(client) else {
        return;
    };
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), args);
    let site = site_with(&server.url(&format!("/stream{query}")));
    let mut page = browser.open(&format!("http://{site}/"));
    await_screen(&mut page, server.colour());
    for _ in 0..4 {
        let colour = server.advance();
        await_screen(&mut page, colour);
    }
    let colour = server.step("previous");
    await_screen(&mut page, colour);
}

fn driven_paints_each_slide(browser: Option<Driver>, query: &str, args: &[&str]) {
    let Some(browser) = browser else {
        return;
    };
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), args);
    let site = site_with(&server.url(&format!("/stream{query}")));
    browser.open(&format!("http://{site}/"));
    let await_colour = |colour: Rgb| {
        eventually(&format!("{colour:?} on the screen"), || {
            let seen = browser.screenshot()?.middle();
            if seen.is(colour) {
                Ok(())
            } else {
                Err(format!("{seen:?}"))
            }
        });
    };
    await_colour(server.colour());
    for _ in 0..4 {
        await_colour(server.advance());
    }
    await_colour(server.step("previous"));
}

/// The same with crossfades, which end in a frame that must be painted too.
const FADING: [&str; 10] = [
    "--order",
    "name",
    "--size",
    "640x360",
    "--interval",
    "2h",
    "--transition",
    "500ms",
    "--fps",
    "8",
];

#[test]
fn chromium_paints_each_slide_at_once() {
    chromium_paints_each_slide(Client::Chromium, "", &STANDING);
}

#[test]
fn chromium_paints_each_slide_at_once_after_a_crossfade() {
    chromium_paints_each_slide(Client::Chromium, "?paint=advance", &FADING);
}

#[test]
fn chromium_67_paints_each_slide_at_once() {
    chromium_paints_each_slide(Client::Chromium67, "", &STANDING);
}

#[test]
fn firefox_paints_each_slide_at_once() {
    driven_paints_each_slide(Driver::firefox(), "", &STANDING);
}

#[test]
fn firefox_paints_each_slide_at_once_after_a_crossfade() {
    driven_paints_each_slide(Driver::firefox(), "?paint=advance", &FADING);
}

#[test]
fn webkit_paints_each_slide() {
    driven_paints_each_slide(Driver::webkit(), "", &STANDING);
}

#[test]
fn chromium_keeps_the_last_picture_when_the_server_goes() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    let site = site_with(&server.url("/stream?paint=advance"));
    let mut page = browser.open(&format!("http://{site}/"));
    let colour = server.colour();
    await_screen(&mut page, colour);
    server.stop().expect("a server that ends well");
    // Long enough for the browser to have drawn what the end of the stream made of it.
    std::thread::sleep(std::time::Duration::from_secs(1));
    let seen = page.screenshot().expect("a screenshot").middle();
    assert!(
        FOUR.iter().any(|colour| seen.is(*colour)),
        "{seen:?} after {colour:?}"
    );
}
