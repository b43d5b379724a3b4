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
