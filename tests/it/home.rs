//! Living with it: photos that somebody hides, and what was on.

use serde_json::{Value, json};

use crate::support::{
    eventually, http,
    photos::Photos,
    pixels::{BLUE, GREEN, RED},
    server::{STANDING, Server},
};

fn command(server: &Server, body: &Value) -> http::Reply {
    let lines = "Content-Type: application/json\r\n";
    http::request(server.address, "POST", "/control", lines, &body.to_string())
}

fn hidden(server: &Server) -> Vec<String> {
    let list = server.get("/library/hidden").json();
    let rows = list["hidden"].as_array().expect("a list").iter();
    rows.map(|row| row["photo"].as_str().expect("an id").to_owned())
        .collect()
}

#[test]
fn a_hidden_photo_leaves_the_screen_at_once_and_comes_back_when_asked_for() {
    let photos = Photos::of(&[RED, GREEN, BLUE]);
    let server = Server::start(photos.path(), &STANDING);
    eventually("all photos", || {
        let counts = server.get("/status").json()["library"].to_string();
        (counts.contains("\"photos\":3"))
            .then_some(())
            .ok_or(counts)
    });
    server.settle();
    let on = server.colour();
    let told = command(&server, &json!({"command": "hide"}));
    assert_eq!(told.status(), 200, "{}", told.text());
    assert_eq!(told.json()["photos"], 2);
    let [photo] = &hidden(&server)[..] else {
        panic!("one is hidden")
    };
    assert_ne!(told.json()["slide"]["photo"], json!(photo));
    eventually("another picture", || {
        let now = server.colour();
        (now != on).then_some(()).ok_or(format!("{now:?}"))
    });
    let status = server.get("/status").json();
    let library = &status["library"];
    assert_eq!(
        (&library["photos"], &library["hidden"]),
        (&json!(2), &json!(1))
    );
    let again = command(&server, &json!({"command": "show", "photo": photo}));
    assert_eq!(again.status(), 400, "{}", again.text());
    // What was on before is known, but not what is hidden.
    let history = server.get("/history").json();
    let slides = history["slides"].as_array().expect("slides");
    assert!(!slides.is_empty(), "{history}");
    assert!(!history.to_string().contains(&**photo), "{history}");

    let back = command(&server, &json!({"command": "unhide", "photo": photo}));
    assert_eq!(back.status(), 200, "{}", back.text());
    assert!(hidden(&server).is_empty());
    eventually("the photo is known again", || {
        let shown = command(&server, &json!({"command": "show", "photo": photo}));
        (shown.status() == 200).then_some(()).ok_or(shown.text())
    });
    eventually("the photo again", || {
        let now = server.colour();
        (now == on).then_some(()).ok_or(format!("{now:?}"))
    });
    let favoured = command(&server, &json!({"command": "favourite"})).json();
    assert_eq!(favoured["slide"]["favourite"], true);
    assert_eq!(favoured["slide"]["photo"], json!(photo));
    let history = server.get("/history").json();
    assert_eq!(history["slides"][0]["photos"][0]["favourite"], true);
}

#[test]
fn what_can_not_be_marked_is_refused_with_a_sentence() {
    let photos = Photos::of(&[RED]);
    let server = Server::start(photos.path(), &STANDING);
    server.snapshot();
    for (body, code, says) in [
        (json!({"command": "hide"}), 409, "last photo"),
        (
            json!({"command": "hide", "photo": "x"}),
            400,
            "no photo's id",
        ),
        (
            json!({"command": "favourite", "photo": "7f"}),
            400,
            "is known here",
        ),
        (json!({"command": "unhide"}), 400, "missing field"),
        (json!({"command": "hidden"}), 400, "no command"),
    ] {
        let told = command(&server, &body);
        assert_eq!(told.status(), code, "{body}: {}", told.text());
        assert!(told.text().contains(says), "{body}: {}", told.text());
    }
    let page = http::request(
        server.address,
        "GET",
        "/library/hidden",
        "Accept: text/html\r\n",
        "",
    );
    assert!(
        page.text().contains("No photo is hidden"),
        "{}",
        page.text()
    );
}

/// How bright the snapshot is.
fn luma(server: &Server) -> f64 {
    server.snapshot().middle().luma()
}

fn await_luma(server: &Server, what: &str, is: impl Fn(f64) -> bool) {
    eventually(what, || {
        let now = luma(server);
        is(now).then_some(()).ok_or(now.to_string())
    });
}

#[test]
fn night_darkens_what_is_on_and_a_touch_brings_it_back() {
    let photos = Photos::of(&[RED, GREEN]);
    let server = Server::start(photos.path(), &STANDING);
    server.settle();
    let day = luma(&server);
    let told = command(&server, &json!({"command": "night", "mode": "dim 10%"}));
    assert_eq!(told.status(), 200, "{}", told.text());
    let night = &told.json()["night"];
    assert_eq!(
        (&night["mode"], &night["light"]),
        (&json!("dim 10%"), &json!(10.0))
    );
    // A tenth of the light is a third of the signal.
    await_luma(&server, "dimmed", |now| {
        (day * 0.2..day * 0.5).contains(&now)
    });
    let photo = told.json()["slide"]["photo"].clone();
    command(&server, &json!({"command": "night", "mode": "black"}));
    await_luma(&server, "black", |now| now < 2.0);
    let status = server.get("/status").json();
    let channel = &status["channel"];
    assert_eq!(
        (&channel["slide"]["photo"], &channel["paused"]),
        (&photo, &json!(false))
    );
    // Whoever wants another photo wants to see it.
    command(&server, &json!({"command": "next"}));
    server.colour();
    let night = server.get("/status").json()["channel"]["night"].clone();
    assert_eq!(
        (&night["mode"], &night["by_hand"]),
        (&Value::Null, &json!(true))
    );
    let woken = command(&server, &json!({"command": "wake"}));
    assert_eq!(woken.json()["night"], Value::Null);
    for (body, says) in [
        (
            json!({"command": "night", "mode": "dark"}),
            "black or clock",
        ),
        (json!({"command": "night", "seconds": 0}), "1 to 86400"),
        (json!({"command": "wake", "seconds": 86_401}), "1 to 86400"),
    ] {
        let told = command(&server, &body);
        assert_eq!(told.status(), 400);
        assert!(told.text().contains(says), "{body}: {}", told.text());
    }
}

#[test]
fn a_server_that_starts_at_night_starts_dark_and_shows_a_clock() {
    let photos = Photos::of(&[RED, GREEN]);
    // Since yesterday, whatever the clocks here show.
    let plan = "00:00-23:59 clock, 23:00-01:00 clock";
    let server = Server::start(photos.path(), &[&STANDING[..], &["--night", plan]].concat());
    eventually("the clock", || {
        let night = server.get("/status").json()["channel"]["night"].clone();
        (night["mode"] == "clock")
            .then_some(())
            .ok_or(night.to_string())
    });
    eventually("a dark picture with something on it", || {
        let picture = server.snapshot();
        let (mut lit, mut brightest) = (0, 0.0_f64);
        for y in 0..360 {
            for x in 0..640 {
                let luma = picture.at(x, y).luma();
                lit += u32::from(luma > 20.0);
                brightest = brightest.max(luma);
            }
        }
        let is_clock = (200..20_000).contains(&lit) && brightest < 110.0;
        is_clock.then_some(()).ok_or(format!("{lit} {brightest}"))
    });
}

#[test]
fn a_message_stands_over_the_picture_and_goes() {
    let photos = Photos::of(&[BLUE, GREEN]);
    let server = Server::start(photos.path(), &STANDING);
    server.settle();
    let white = || {
        let picture = server.snapshot();
        let bright = |x: usize| {
            (0..360)
                .filter(|y| picture.at(x, *y).luma() > 230.0)
                .count()
        };
        (0..640).map(bright).sum::<usize>()
    };
    assert_eq!(white(), 0);
    let say = json!({"command": "say", "text": "Dinner is ready", "seconds": 3600});
    let told = command(&server, &say);
    assert_eq!(
        (told.status(), &told.json()["said"]),
        (200, &json!("Dinner is ready"))
    );
    let wait = |what: &str, is: fn(usize) -> bool| {
        eventually(what, || {
            let n = white();
            is(n).then_some(()).ok_or(n.to_string())
        });
    };
    wait("the message", |n| n > 100);
    command(&server, &json!({"command": "say", "text": ""}));
    wait("no message", |n| n == 0);
}
