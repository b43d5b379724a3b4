//! Two photos on one screen: side by side, one above the other, on each screen as it stands, and
//! what happens when one of them can't be shown.

use crate::support::{
    eventually,
    parts::Parts,
    photos::{Photos, flat, upright},
    pixels::{BLUE, GREEN, Picture, RED, Rgb, YELLOW},
    server::{STANDING, Server},
};

/// The frame that `/snapshot` gives for `query`, once there is one.
fn snapshot(server: &Server, query: &str) -> Result<Picture, String> {
    let reply = server.get(&format!("/snapshot{query}"));
    if reply.status() != 200 {
        return Err(format!("{}: {}", reply.status(), reply.text()));
    }
    Picture::from_jpeg(&reply.body)
}

/// Waits until the frame for `query` has the colours `wanted` at places given in its fractions.
fn await_colours(server: &Server, query: &str, wanted: &[((f64, f64), Rgb)]) {
    eventually(&format!("{wanted:?} on /snapshot{query}"), || {
        let picture = snapshot(server, query)?;
        let seen: Vec<Rgb> = wanted
            .iter()
            .map(|((x, y), _)| picture.around(*x, *y))
            .collect();
        let is_right = seen
            .iter()
            .zip(wanted)
            .all(|(seen, (_, wanted))| seen.is(*wanted));
        if is_right {
            Ok(())
        } else {
            Err(format!("{seen:?}"))
        }
    });
}

fn side_by_side(left: Rgb, right: Rgb) -> [((f64, f64), Rgb); 4] {
    [
        ((0.35, 0.1), left),
        ((0.35, 0.9), left),
        ((0.65, 0.1), right),
        ((0.65, 0.9), right),
    ]
}

/// Two upright photos of one day and two others.
fn mixed() -> Photos {
    let photos = Photos::none();
    photos.add("1.jpg", &upright(RED));
    photos.add("2.jpg", &flat(GREEN));
    photos.add("3.jpg", &upright(BLUE));
    photos.add("4.jpg", &flat(YELLOW));
    photos
}

fn slide(server: &Server) -> serde_json::Value {
    server.get("/status").json()["channel"]["slide"].clone()
}

fn await_n_photos(server: &Server, n: u64) {
    eventually(&format!("{n} photos"), || {
        let status = server.get("/status").json();
        let found = status["channel"]["photos"].as_u64();
        if found == Some(n) {
            Ok(())
        } else {
            Err(status.to_string())
        }
    });
}

/// `next` until the photo of this name is on.
fn go_to(server: &Server, name: &str) {
    eventually(name, || {
        let slide = slide(server);
        if slide["name"] == name {
            return Ok(());
        }
        server.command("next");
        Err(slide.to_string())
    });
}

/// Which photos are on, as a client with this query is told.
fn photos_on(server: &Server, query: &str) -> [serde_json::Value; 3] {
    let slide = &server.get(&format!("/status{query}")).json()["channel"]["slide"];
    ["number", "name", "beside"].map(|key| match key {
        "beside" => slide[key]["name"].clone(),
        _ => slide[key].clone(),
    })
}

#[test]
fn every_screen_shows_the_same_photos() {
    const UPRIGHT: &str = "?size=360x640";
    let photos = mixed();
    let server = Server::start(photos.path(), &STANDING);
    await_n_photos(&server, 4);
    for _ in 0..5 {
        assert_eq!(photos_on(&server, UPRIGHT), photos_on(&server, ""));
        server.command("next");
    }
    // Two that are side by side elsewhere are one above the other.
    go_to(&server, "1.jpg");
    await_colours(&server, UPRIGHT, &[((0.5, 0.35), RED), ((0.5, 0.65), BLUE)]);
    let mut page = Parts::open(server.address, "/bytes?size=360x640");
    let picture = Picture::from_jpeg(&page.part().body).expect("a picture");
    assert!(picture.around(0.5, 0.35).is(RED) && picture.around(0.5, 0.65).is(BLUE));
    // In a house of upright screens a wide one follows those.
    let mut args = STANDING.to_vec();
    args[3] = "360x640";
    let server = Server::start(photos.path(), &args);
    await_n_photos(&server, 4);
    go_to(&server, "2.jpg");
    assert_eq!(photos_on(&server, "?size=640x360"), photos_on(&server, ""));
    await_colours(
        &server,
        "?size=640x360",
        &[((0.25, 0.5), GREEN), ((0.75, 0.5), YELLOW)],
    );
}

#[test]
fn each_shape_of_screen_may_have_its_own_pairs_and_has_one_clock() {
    let photos = mixed();
    let server = Server::start(photos.path(), &STANDING);
    await_n_photos(&server, 4);
    go_to(&server, "1.jpg");
    await_colours(&server, "", &side_by_side(RED, BLUE));
    let shown = slide(&server);
    assert_eq!(shown["beside"]["name"], "3.jpg", "{shown}");
    // All screens show the same slide, whatever is on it.
    let number = shown["number"].as_u64().expect("a number");
    for query in [
        "",
        "?pair=off",
        "?size=360x640",
        "?size=360x640&pair=own",
        "?size=360x640&pair=off",
    ] {
        let mut parts = Parts::open(server.address, &format!("/bytes{query}"));
        assert_eq!(parts.part().head.number("X-Slide"), number, "{query}");
    }
    let own = photos_on(&server, "?size=360x640&pair=own");
    assert_ne!(own, photos_on(&server, "?size=360x640"));
    // Nothing but landscapes is left for the round of this screen.
    server.command("next");
    await_colours(&server, "", &[((0.5, 0.5), GREEN)]);
    server.command("next");
    await_colours(&server, "", &[((0.5, 0.5), YELLOW)]);
    server.command("next");
    await_colours(&server, "", &side_by_side(RED, BLUE));
}

#[test]
fn landscapes_are_stacked_on_an_upright_screen() {
    let photos = mixed();
    let mut args = STANDING.to_vec();
    args[3] = "360x640";
    let server = Server::start(photos.path(), &args);
    await_n_photos(&server, 4);
    go_to(&server, "2.jpg");
    let stacked = [
        ((0.1, 0.35), GREEN),
        ((0.9, 0.35), GREEN),
        ((0.1, 0.65), YELLOW),
        ((0.9, 0.65), YELLOW),
    ];
    await_colours(&server, "", &stacked);
    server.command("next");
    await_colours(&server, "", &[((0.5, 0.5), BLUE)]);
}

#[test]
fn pairing_can_be_turned_off_for_all_or_asked_for_by_one() {
    let photos = Photos::none();
    photos.add("1.jpg", &upright(RED));
    photos.add("2.jpg", &upright(BLUE));
    let mut args = STANDING.to_vec();
    args.extend(["--pair", "off"]);
    let server = Server::start(photos.path(), &args);
    await_n_photos(&server, 2);
    go_to(&server, "1.jpg");
    await_colours(&server, "", &[((0.5, 0.5), RED)]);
    assert!(slide(&server)["beside"].is_null());
    // Which of the two leads is the round's business.
    eventually("both on one screen", || {
        let picture = snapshot(&server, "?pair=on")?;
        let mut seen = [0.35, 0.65].map(|x| picture.around(x, 0.5));
        if seen[0].is(BLUE) {
            seen.reverse();
        }
        if seen[0].is(RED) && seen[1].is(BLUE) {
            Ok(())
        } else {
            Err(format!("{seen:?}"))
        }
    });
    assert_eq!(server.get("/snapshot?pair=maybe").status(), 400);
}

#[test]
fn a_companion_that_cannot_be_shown_is_left_out_and_listed() {
    let photos = Photos::none();
    photos.add("1.jpg", &upright(RED));
    // The head is right; there is nothing behind it.
    let whole = upright(BLUE);
    let scan = whole
        .windows(2)
        .position(|pair| pair == [0xFF, 0xDA])
        .expect("a scan");
    photos.add("2.jpg", &whole[..scan + 40]);
    photos.add("3.jpg", &flat(GREEN));
    let server = Server::start(photos.path(), &STANDING);
    eventually("the broken one on the list", || {
        server.get("/snapshot");
        let list = server.get("/library/skipped").text();
        if list.contains("2.jpg") {
            return Ok(());
        }
        server.command("next");
        Err(list)
    });
    await_n_photos(&server, 2);
    go_to(&server, "1.jpg");
    await_colours(&server, "", &[((0.5, 0.5), RED)]);
}

#[test]
fn a_photo_shown_by_its_name_has_the_screen_to_itself() {
    let photos = mixed();
    let server = Server::start(photos.path(), &STANDING);
    await_n_photos(&server, 4);
    go_to(&server, "1.jpg");
    let beside = slide(&server)["beside"]["photo"].clone();
    let body = serde_json::json!({"command": "show", "photo": beside});
    let reply = crate::support::http::control(server.address, &body.to_string());
    assert_eq!(reply.status(), 200, "{}", reply.text());
    assert!(reply.json()["slide"]["beside"].is_null());
    await_colours(&server, "", &[((0.5, 0.5), BLUE)]);
}
