//! The server goes and comes back: what viewers see meanwhile, and that the same photo is due.

use crate::{
    page::{await_look, await_screen, look},
    support::{
        clients::Client,
        devtools::Browser,
        parts::Parts,
        photos::Photos,
        pixels::{BLUE, GREEN, RED, YELLOW},
        server::{STANDING, Server},
    },
};

#[test]
fn the_page_keeps_its_picture_and_heals() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let photos = Photos::of(&[RED]);
    let server = Server::start(photos.path(), &STANDING);
    let address = server.address;
    if !server.has_viewer() {
        return;
    }
    let mut page = browser.open(&server.url("/"));
    await_look(&mut page, "playing", RED);
    server.stop().expect("a server that ends well");
    await_look(&mut page, "reconnecting", RED);
    // Still there a while later, and still trying.
    std::thread::sleep(std::time::Duration::from_secs(2));
    let seen = look(&mut page).expect("the last picture");
    assert!(seen.colour.is(RED), "{seen:?}");

    let photos = Photos::of(&[BLUE]);
    let server = Server::start_again(address, photos.path(), &STANDING);
    await_look(&mut page, "playing", BLUE);
    assert!(server.colour().is(BLUE));
}

#[test]
fn the_fallback_heals_too() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let photos = Photos::of(&[RED]);
    let server = Server::start(photos.path(), &STANDING);
    let address = server.address;
    if !server.has_viewer() {
        return;
    }
    let mut page = browser.open_after(&server.url("/"), "delete window.WebAssembly;");
    await_screen(&mut page, RED);
    server.stop().expect("a server that ends well");
    let photos = Photos::of(&[BLUE]);
    let _server = Server::start_again(address, photos.path(), &STANDING);
    await_screen(&mut page, BLUE);
}

#[test]
fn a_restarted_server_shows_the_same_photo() {
    let photos = Photos::of(&[RED, GREEN, BLUE, YELLOW]);
    let args = [
        "--seed",
        "7",
        "--interval",
        "2h",
        "--transition",
        "cut",
        "--size",
        "640x360",
    ];
    let see = || {
        let server = Server::start(photos.path(), &args);
        let colour = server.colour();
        let mut parts = Parts::open(server.address, "/bytes");
        let slides = [parts.part(), parts.part()].map(|part| part.head.number("X-Slide"));
        (colour, slides)
    };
    assert_eq!(see(), see());
}

#[test]
fn streams_end_well_when_the_server_stops() {
    let photos = Photos::of(&[RED, GREEN]);
    let server = Server::start(photos.path(), &STANDING);
    let targets = [
        "/stream?paint=advance",
        "/stream?paint=repeat",
        "/stream?paint=plain",
        "/bytes",
    ];
    let mut open = targets.map(|target| Parts::open(server.address, target));
    for parts in &mut open {
        parts.part();
    }
    server
        .stop()
        .expect("a server that ends though streams are open");
    for (parts, target) in open.iter_mut().zip(targets) {
        parts.stream.rest();
        assert!(
            parts.stream.ended_well(),
            "{target} was cut off in the middle"
        );
    }
}
