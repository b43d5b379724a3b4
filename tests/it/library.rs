//! The library while the server runs: files that come, go, move and are still being copied, kills,
//! a second process, and the commands that need no screen.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::Write,
    thread,
    time::Duration,
};

use tempfile::TempDir;

use crate::support::{
    eventually, http,
    photos::{Photos, flat},
    pixels::{BLUE, GREEN, Picture, RED, YELLOW},
    process::{self, Process},
    server::{STANDING, Server, command, program},
};

/// What `/status` says of the library under `key`.
fn library(server: &Server, key: &str) -> u64 {
    let status: serde_json::Value =
        serde_json::from_str(&server.get("/status").text()).expect("JSON");
    let value = &status["library"][key];
    value.as_u64().unwrap_or_else(|| panic!("{key}: {status}"))
}

/// Waits until it says `wanted`. The timer that looks through everything is a minute: whatever
/// comes sooner was noticed.
fn await_count(server: &Server, key: &str, wanted: u64) {
    eventually(&format!("{wanted} {key}"), || {
        let found = library(server, key);
        if found == wanted {
            Ok(())
        } else {
            Err(format!("{found}"))
        }
    });
}

#[test]
fn changes_are_noticed_while_they_happen() {
    let photos = Photos::of(&[RED]);
    let server = Server::start(photos.path(), &STANDING);
    await_count(&server, "photos", 1);
    thread::sleep(Duration::from_millis(500));

    photos.add("new/deep/blue.jpg", &flat(BLUE));
    await_count(&server, "photos", 2);
    fs::rename(
        photos.path().join("new/deep/blue.jpg"),
        photos.path().join("moved.jpg"),
    )
    .expect("to rename");
    eventually("the new name", || {
        let list = server.command("next").text();
        if list.contains("moved.jpg") {
            Ok(())
        } else {
            Err(list)
        }
    });
    assert_eq!(library(&server, "photos"), 2);

    // A whole folder moves in, out and in again.
    let outside = Photos::none();
    outside.add("album/a.jpg", &flat(GREEN));
    outside.add("album/more/b.jpg", &flat(YELLOW));
    let (there, here) = (outside.path().join("album"), photos.path().join("album"));
    for _ in 0..2 {
        fs::rename(&there, &here).expect("to move a folder in");
        await_count(&server, "photos", 4);
        fs::rename(&here, &there).expect("to move a folder out");
        await_count(&server, "photos", 2);
    }
    fs::remove_file(photos.path().join("moved.jpg")).expect("to remove");
    await_count(&server, "photos", 1);
}

#[test]
fn a_file_that_is_being_copied_is_not_shown_half() {
    let photos = Photos::of(&[RED]);
    let server = Server::start(photos.path(), &STANDING);
    await_count(&server, "photos", 1);
    let bytes = flat(BLUE);
    let path = photos.path().join("slow.jpg");
    let mut file = File::create(&path).expect("to create");
    for piece in bytes.chunks(bytes.len().div_ceil(12)) {
        file.write_all(piece).expect("to write");
        file.flush().expect("to write");
        thread::sleep(Duration::from_millis(300));
        assert_eq!(library(&server, "skipped"), 0);
        let is_all = file.metadata().expect("metadata").len() == bytes.len() as u64;
        assert!(is_all || library(&server, "photos") == 1, "shown half");
    }
    drop(file);
    await_count(&server, "photos", 2);
    server.command("next");
    eventually("the copied photo, whole", || {
        let colours = server.snapshot().quadrants();
        if colours.iter().all(|colour| colour.is(BLUE)) {
            Ok(())
        } else {
            Err(format!("{colours:?}"))
        }
    });
    assert_eq!(library(&server, "skipped"), 0);
}

#[test]
fn a_copy_that_broke_off_is_listed_and_mended() {
    let photos = Photos::of(&[RED]);
    let server = Server::start(photos.path(), &STANDING);
    await_count(&server, "photos", 1);
    fs::write(photos.path().join("zeros.jpg"), [0; 9000]).expect("to write");
    await_count(&server, "skipped", 1);
    let listed = server.get("/library/skipped").text();
    assert!(
        listed.contains("zeros.jpg") && listed.contains("filled with zeros"),
        "{listed}"
    );
    photos.add("zeros.jpg", &flat(GREEN));
    await_count(&server, "photos", 2);
    await_count(&server, "skipped", 0);
}

#[test]
fn a_share_that_is_away_keeps_its_photos_and_its_picture() {
    let outer = TempDir::with_prefix("mantel-share-").expect("a folder");
    let share = outer.path().join("share");
    fs::create_dir(&share).expect("a folder");
    for (name, colour) in [("1.jpg", RED), ("2.jpg", GREEN)] {
        fs::write(share.join(name), flat(colour)).expect("to write");
    }
    let server = Server::start(&share, &STANDING);
    await_count(&server, "photos", 2);
    let before = server.colour();
    let away = outer.path().join("unmounted");
    fs::rename(&share, &away).expect("to unmount");
    await_count(&server, "folders_away", 1);
    server.command("next");
    thread::sleep(Duration::from_millis(300));
    assert_eq!(library(&server, "photos"), 2);
    // What can't be read is not shown, and the screen doesn't go black for it.
    assert!([RED, GREEN].contains(&server.colour()), "was {before:?}");
    fs::rename(&away, &share).expect("to mount again");
    await_count(&server, "folders_away", 0);
    assert_eq!(library(&server, "photos"), 2);
    server.advance();
}

#[test]
fn a_scan_that_was_killed_goes_on_and_the_second_start_opens_nothing() {
    let Some(program) = program() else { return };
    let photos = Photos::none();
    let picture = flat(RED);
    for i in 0..1500 {
        photos.add(format!("{}/{i}.jpg", i % 7), &picture);
    }
    let data = TempDir::with_prefix("mantel-data-").expect("a data directory");
    let args = [
        OsStr::new("scan"),
        OsStr::new("--json"),
        photos.path().as_os_str(),
    ];
    for millis in [30, 60, 90, 140, 200] {
        let process = Process::start(command(&program, data.path(), &args));
        thread::sleep(Duration::from_millis(millis));
        process.signal("KILL");
        process.ended();
    }
    let scan = || {
        let ended = process::run(command(&program, data.path(), &args));
        assert!(ended.status.success(), "{}", ended.output);
        let summary = ended.output.lines().find(|line| line.starts_with('{'));
        serde_json::from_str::<serde_json::Value>(summary.expect("a summary")).expect("JSON")
    };
    assert_eq!(scan()["photos"], 1500);
    let mut again = command(&program, data.path(), &args);
    again.env("MANTEL_LOG", "mantel=debug");
    let ended = process::run(again);
    assert!(ended.output.contains("n_opened: 0"), "{}", ended.output);
    assert_eq!(scan()["photos"], 1500);
}

#[test]
fn two_processes_on_one_data_dir() {
    let Some(program) = program() else { return };
    let photos = Photos::of(&[RED, GREEN]);
    let data = TempDir::with_prefix("mantel-data-").expect("a data directory");
    let folder = photos.path().as_os_str();
    let listen = [OsStr::new("--listen"), OsStr::new("127.0.0.1:0"), folder];
    let mut first = Process::start(command(&program, data.path(), &listen));
    first.await_line("the first to serve", |line| {
        line.contains("http://").then_some(())
    });
    for args in [&listen[..], &[OsStr::new("scan"), folder]] {
        let second = process::run(command(&program, data.path(), args));
        assert_eq!(second.status.code(), Some(1), "{}", second.output);
        let said = second.output.lines().last().unwrap_or_default();
        assert!(
            said.contains("another mantel is using") && said.contains("--data-dir"),
            "{said}"
        );
    }
    // To look is no trouble.
    let listed = eventually("both photos in the list", || {
        let list = process::run(command(
            &program,
            data.path(),
            &[OsStr::new("list"), folder],
        ));
        if list.output.lines().count() == 2 {
            Ok(list)
        } else {
            Err(list.output)
        }
    });
    assert!(listed.output.contains("01.jpg") && listed.output.contains("02.jpg"));
}

#[test]
fn an_index_of_rubbish_is_set_aside_and_said() {
    let Some(program) = program() else { return };
    let photos = Photos::of(&[RED]);
    let data = TempDir::with_prefix("mantel-data-").expect("a data directory");
    fs::write(data.path().join("index.sqlite"), b"rubbish".repeat(999)).expect("to write");
    let args = [OsStr::new("scan"), photos.path().as_os_str()];
    let ended = process::run(command(&program, data.path(), &args));
    assert!(ended.status.success(), "{}", ended.output);
    assert!(
        ended.output.contains("set aside") && ended.output.contains("1 photo;"),
        "{}",
        ended.output
    );
}

#[test]
fn lists_for_people_and_for_programs() {
    let Some(program) = program() else { return };
    let photos = Photos::none();
    photos.add("Rome/IMG_20210704_120000.jpg", &flat(RED));
    photos.add("Rome/IMG_20190704_120000.jpg", &flat(GREEN));
    photos.add("other/line\nbreak.jpg", &flat(BLUE));
    let data = TempDir::with_prefix("mantel-data-").expect("a data directory");
    let list = |args: &[&str]| {
        let mut line = vec![OsStr::new("list"), photos.path().as_os_str()];
        line.extend(args.iter().map(OsStr::new));
        process::run(command(&program, data.path(), &line))
    };
    let rome = list(&["--album", "Rome", "--order", "oldest"]);
    let lines: Vec<&str> = rome.output.lines().collect();
    assert_eq!(
        lines,
        [
            "2019-07-04  Rome/IMG_20190704_120000.jpg",
            "2021-07-04  Rome/IMG_20210704_120000.jpg"
        ]
    );
    let all: serde_json::Value = serde_json::from_str(&list(&["--json"]).output).expect("JSON");
    let rows = all.as_array().expect("an array");
    assert_eq!(rows.len(), 3);
    let row = rows
        .iter()
        .find(|row| row["name"] == "Rome/IMG_20190704_120000.jpg")
        .expect("it");
    assert_eq!(
        (&row["album"], &row["width"]),
        (&"Rome".into(), &640.into())
    );
    assert_eq!(row["taken_at"], "2019-07-04T12:00:00");
    // One photo, one line, whatever it is called.
    assert_eq!(list(&[]).output.lines().count(), 3);
    let none: serde_json::Value =
        serde_json::from_str(&list(&["--json", "--rating", "5"]).output).expect("JSON");
    assert_eq!(none, serde_json::json!([]));
    let wrong = list(&["--from", "yesterday"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(
        wrong.output.contains("--from") && wrong.output.contains("2021-07-04"),
        "{}",
        wrong.output
    );
    assert!(data.path().join("index.sqlite").exists());
}

#[test]
fn an_address_chooses_photos_and_each_choice_is_a_channel() {
    let photos = Photos::none();
    photos.add("Rome/IMG_20210704_120000.jpg", &flat(RED));
    photos.add("Rome/IMG_20190704_120000.jpg", &flat(GREEN));
    photos.add("Paris/IMG_20200101_120000.jpg", &flat(BLUE));
    let server = Server::start(photos.path(), &STANDING);
    await_count(&server, "photos", 3);
    let colour = |query: &str| {
        eventually("a snapshot", || {
            let reply = server.get(&format!("/snapshot?{query}"));
            if reply.status() != 200 {
                return Err(reply.text());
            }
            Picture::from_jpeg(&reply.body).map(|picture| picture.middle())
        })
    };
    assert!(colour("album=Paris").is(BLUE));
    assert!(colour("from=2021").is(RED));
    assert!(colour("to=2019").is(GREEN));
    let status = server.get("/status?album=Rome").json();
    assert_eq!(status["channel"]["photos"], 2, "{status}");
    assert_eq!(status["channel"]["shows"], "album Rome", "{status}");
    assert_eq!(server.get("/status").json()["channel"]["photos"], 3);

    // A command goes to the channel that it names, and to no other.
    let (main, rome) = (server.colour(), colour("album=Rome"));
    let reply = http::control_at(
        server.address,
        "/control?album=Rome",
        "{\"command\":\"next\"}",
    );
    assert_eq!(reply.status(), 200, "{}", reply.text());
    eventually("the other photo of Rome", || {
        let now = colour("album=Rome");
        if now.is(rome) {
            Err(format!("{now:?}"))
        } else {
            Ok(())
        }
    });
    assert_eq!(server.colour(), main);

    for (query, status, word) in [
        ("album=Atlantis", 404, "Atlantis"),
        ("rating=5", 404, "5 stars"),
        ("rating=6", 400, "rating"),
        ("from=soon", 400, "2021-07-04"),
    ] {
        let reply = server.get(&format!("/stream?{query}"));
        assert_eq!(reply.status(), status, "{query}");
        assert!(reply.text().contains(word), "{query}: {}", reply.text());
    }
}

#[test]
fn what_the_server_may_show_is_narrowed_never_widened() {
    let photos = Photos::none();
    photos.add("guests/a.jpg", &flat(RED));
    photos.add("private/b.jpg", &flat(BLUE));
    let mut args = STANDING.to_vec();
    args.extend(["--album", "guests"]);
    let server = Server::start(photos.path(), &args);
    await_count(&server, "photos", 2);
    assert_eq!(server.colour(), RED);
    for query in [
        "album=private",
        "album=private&from=1990",
        "album=guests&album=private",
    ] {
        let reply = server.get(&format!("/snapshot?{query}"));
        assert_eq!(reply.status(), 404, "{query}");
    }
    assert_eq!(
        server.get("/status?newest=9").json()["channel"]["photos"],
        1
    );
}
