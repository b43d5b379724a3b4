//! Pauses: every screen shows who stopped it, they end by themselves, and one screen can stand while the others go on.

use serde_json::{Value, json};

use crate::{
    around::{await_pictures, await_true, go_to},
    page::await_screen,
    support::{
        clients::Client,
        devtools::{Browser, Page},
        eventually, http,
        photos::Photos,
        pixels::{BLUE, GREEN, RED, YELLOW},
        server::{STANDING, Server},
    },
};

const DOWN: u32 = 40;
const OK: u32 = 13;

fn channel(server: &Server) -> Value {
    server.get("/status").json()["channel"].take()
}

fn await_channel(server: &Server, what: &str, is: impl Fn(&Value) -> bool) {
    eventually(what, || {
        let channel = channel(server);
        if is(&channel) {
            Ok(())
        } else {
            Err(channel.to_string())
        }
    });
}

/// A command as a client of this name sends it.
fn command(server: &Server, agent: &str, body: &Value) -> Value {
    let lines = format!("Content-Type: application/json\r\nUser-Agent: {agent}\r\n");
    let reply = http::request(
        server.address,
        "POST",
        "/control",
        &lines,
        &body.to_string(),
    );
    assert_eq!(reply.status(), 200, "{}", reply.text());
    reply.json()
}

fn sign(words: &str) -> String {
    format!("(document.querySelector('.pause.on') || {{}}).textContent === '{words}'")
}

#[test]
fn a_pause_says_who_it_is_of() {
    let photos = Photos::of(&[RED, GREEN]);
    let server = Server::start(photos.path(), &STANDING);
    server.snapshot();
    let phone = "Mozilla/5.0 (Linux; Android 14; X) Chrome/156.0.0.0 Mobile Safari/537.36";
    let pause = |agent: &str, body: Value| {
        let told = command(&server, agent, &body);
        assert_eq!(told["paused"], true);
        assert!(told["paused_since_millis"].is_u64(), "{told}");
        let resumed = command(&server, agent, &json!({"command": "resume"}));
        let gone = ["paused_by", "paused_since_millis", "resumes_at_millis"];
        assert!(gone.iter().all(|key| resumed[key].is_null()), "{resumed}");
        told["paused_by"].clone()
    };
    for (agent, by, told) in [
        (phone, Value::Null, "a phone"),
        (phone, json!("hall"), "hall"),
        (phone, json!("  \u{7}hall\n "), "hall"),
        (phone, json!(" "), "a phone"),
        (phone, json!(7), "a phone"),
        ("curl/8.5.0", json!("x".repeat(400)), &*"x".repeat(40)),
        ("curl/8.5.0", Value::Null, "curl 8.5.0"),
    ] {
        assert_eq!(pause(agent, json!({"command": "pause", "by": by})), told);
    }
    // The first one counts, and an hour is what it lasts.
    command(&server, phone, &json!({"command": "pause", "by": "hall"}));
    let told = command(
        &server,
        phone,
        &json!({"command": "pause", "by": "kitchen"}),
    );
    assert_eq!(told["paused_by"], "hall");
    let [since, end] = ["paused_since_millis", "resumes_at_millis"].map(|key| told[key].as_u64());
    assert_eq!(
        end.zip(since).map(|(end, since)| end - since),
        Some(3_600_000)
    );
    let screens = server.get("/screens").text();
    assert!(screens.contains("Paused by hall, for "), "{screens}");
}

#[test]
fn a_pause_ends_by_itself_and_never_where_that_is_asked_for() {
    let photos = Photos::of(&[RED, GREEN]);
    let server = Server::start(
        photos.path(),
        &[&STANDING[..], &["--resume-after", "1s"]].concat(),
    );
    server.snapshot();
    assert_eq!(server.command("pause").json()["paused"], true);
    await_channel(&server, "the end of the pause", |now| {
        now["paused"] == false
    });
    let server = Server::start(
        photos.path(),
        &[&STANDING[..], &["--resume-after", "never"]].concat(),
    );
    server.snapshot();
    let told = server.command("pause").json();
    assert_eq!(told["paused"], true);
    assert!(
        told["resumes_at_millis"].is_null() && told["resume_after_millis"].is_null(),
        "{told}"
    );
}

#[test]
fn every_screen_shows_who_has_stopped_it() {
    let photos = Photos::of(&[RED, GREEN, BLUE, YELLOW]);
    let Some((one, other)) = Browser::start_two(Client::Chromium) else {
        return;
    };
    let server = Server::start(photos.path(), &STANDING);
    if !server.has_viewer() {
        return;
    }
    let mut hall = one.open(&server.url("/?name=hall"));
    await_pictures(&mut hall);
    for query in ["", "?viewer=img", "?viewer=snapshot"] {
        let mut den = other.open(&server.url(&format!("/{query}")));
        await_pictures(&mut den);
        hall.press("Enter", OK);
        for page in [&mut hall, &mut den] {
            await_true(page, &sign("Paused by hall"));
        }
        hall.press("Enter", OK);
        for page in [&mut hall, &mut den] {
            await_true(page, "!document.querySelector('.pause.on')");
        }
    }
    // A screen without a name is called by what it is.
    let mut den = other.open(&server.url("/"));
    await_pictures(&mut den);
    den.press("Enter", OK);
    await_true(
        &mut hall,
        "/^Paused by Chromium .* on /.test((document.querySelector('.pause.on') || {}).textContent)",
    );
    assert_eq!(hall.complaints(), Vec::<String>::new());
}

/// Opens the menu and chooses the row with these words.
fn choose(page: &mut Page, words: &str) {
    page.press("ArrowDown", DOWN);
    go_to(page, words);
    page.press("Enter", OK);
}

fn one_screen_stands_alone(client: Client, query: &str) {
    let photos = Photos::of(&[RED, GREEN, BLUE, YELLOW]);
    let Some((one, other)) = Browser::start_two(client) else {
        return;
    };
    let server = Server::start(photos.path(), &STANDING);
    if !server.has_viewer() {
        return;
    }
    let mut still = one.open(&server.url(&format!("/{query}")));
    let mut moving = other.open(&server.url("/"));
    for page in [&mut still, &mut moving] {
        await_pictures(page);
        await_true(page, "!!mantel.hold");
    }
    let colour = server.colour();
    await_screen(&mut still, colour);
    choose(&mut still, "Pause this screen only");
    await_true(&mut still, &sign("Paused on this screen"));
    for _ in 0..2 {
        let before = server.colour();
        server.command("next");
        eventually("the next picture", || {
            let now = server.colour();
            if now.is(before) {
                Err(format!("{now:?}"))
            } else {
                Ok(())
            }
        });
        await_screen(&mut moving, server.colour());
    }
    assert_ne!(server.colour(), colour);
    await_screen(&mut still, colour);
    assert_eq!(channel(&server)["paused"], false);
    assert_eq!(
        moving.eval("!document.querySelector('.pause.on')"),
        Ok(true.into())
    );
    // OK goes on, here, and no other screen hears of it.
    let slide = channel(&server)["slide"]["number"].clone();
    still.press("Enter", OK);
    await_screen(&mut still, server.colour());
    await_true(
        &mut still,
        "!document.querySelector('.pause.on') && !mantel.held",
    );
    let now = channel(&server);
    assert_eq!(
        (&now["paused"], &now["slide"]["number"]),
        (&json!(false), &slide)
    );
    server.command("next");
    await_screen(&mut still, server.colour());
    assert_eq!(still.complaints(), Vec::<String>::new());
}

#[test]
fn one_screen_stands_while_the_others_go_on() {
    one_screen_stands_alone(Client::Chromium, "");
}

#[test]
fn so_does_one_that_shows_the_stream() {
    one_screen_stands_alone(Client::Chromium, "?viewer=img");
}

#[test]
fn so_does_one_that_shows_single_pictures() {
    one_screen_stands_alone(Client::Chromium, "?viewer=snapshot");
}

#[test]
fn so_does_one_of_2018() {
    one_screen_stands_alone(Client::Chromium67, "");
}
