//! Bad moments: what can't be read for a while is shown again once it can.

use std::{
    ffi::OsStr,
    fs,
    io::Write,
    net::TcpStream,
    os::unix::fs::{PermissionsExt, symlink},
    process::Command,
    thread,
    time::Duration,
};

use tempfile::TempDir;

use crate::support::{
    clients::left_out,
    eventually, http,
    photos::{Photos, flat},
    pixels::{GREEN, RED},
    process,
    server::{Program, command, program},
};

const N_PHOTOS: u64 = 600;

#[test]
fn a_time_without_descriptors_loses_no_photo() {
    let Some(program) = program() else { return };
    // More than take their turn during the test: each has to be opened when it comes.
    let photos = Photos::none();
    let picture = flat(RED);
    for n in 0..N_PHOTOS {
        photos.add(format!("{n}.jpg"), &picture);
    }
    let args = [
        "--interval",
        "200ms",
        "--transition",
        "cut",
        "--size",
        "320x180",
    ];
    let server = Program::start(&program, photos.path(), &args);
    let address = server.address;
    let id = server.process.id().to_string();
    // How many files it may have open; from outside, since it keeps its connections within that itself.
    let may_open = |limits: &str| {
        let set = Command::new("prlimit")
            .args(["--pid", &id, &format!("--nofile={limits}")])
            .status();
        set.is_ok_and(|status| status.success())
    };
    let library = |key: &str| -> u64 {
        let status = http::get(address, "/status").json();
        status["library"][key].as_u64().unwrap_or_default()
    };
    eventually("all photos", || match library("photos") {
        N_PHOTOS => Ok(()),
        n => Err(format!("{n}")),
    });
    // Somebody watches, and then nothing can be opened for a while.
    let mut viewer = TcpStream::connect(address).expect("a viewer");
    viewer
        .write_all(b"GET /bytes HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .expect("a request");
    let mut taken = viewer.try_clone().expect("the same connection");
    thread::spawn(move || std::io::copy(&mut taken, &mut std::io::sink()));
    if !may_open("8:") {
        return left_out("a time without descriptors", "no prlimit", true);
    }
    eventually("a photo that can't be read", || {
        let said = server.process.output();
        if said.contains("can't be read now") {
            Ok(())
        } else {
            Err(said)
        }
    });
    thread::sleep(Duration::from_secs(2));
    assert!(may_open("1024:"));
    eventually("every photo to take turns again", || {
        let now = (library("photos"), library("skipped"), library("not_now"));
        if now == (N_PHOTOS, 0, 0) {
            Ok(())
        } else {
            Err(format!("{now:?}"))
        }
    });
}

#[test]
fn a_folder_without_room_for_state_and_links_out() {
    let Some(program) = program() else { return };
    let photos = Photos::of(&[RED]);
    let outside = TempDir::with_prefix("mantel-outside-").expect("a folder");
    fs::write(outside.path().join("o.jpg"), flat(GREEN)).expect("to write");
    symlink(outside.path(), photos.path().join("out")).expect("a link");
    let file = outside.path().join("file");
    fs::write(&file, "").expect("to write");
    let scan = |more: &[&str]| {
        let mut line = vec![OsStr::new("scan"), OsStr::new("--json")];
        line.extend(more.iter().map(OsStr::new));
        line.push(photos.path().as_os_str());
        // A data directory that can't be made: a file is in its place.
        process::run(command(&program, &file.join("data"), &line))
    };
    let ended = scan(&[]);
    assert!(ended.status.success(), "{}", ended.output);
    assert!(ended.output.contains("\"photos\":1"), "{}", ended.output);
    assert!(ended.output.contains("--follow-links"), "{}", ended.output);
    let told = ended.output.matches("it is kept in memory").count();
    assert_eq!(told, 1, "{}", ended.output);
    let ended = scan(&["--follow-links"]);
    assert!(ended.output.contains("\"photos\":2"), "{}", ended.output);
}

#[test]
fn what_is_kept_is_private_on_a_plain_start() {
    let Some(program) = program() else { return };
    let photos = Photos::of(&[RED]);
    let place = TempDir::with_prefix("mantel-data-").expect("a folder");
    let data = place.path().join("new");
    let mode = |path: &std::path::Path| {
        let metadata = fs::metadata(path).expect("to be there");
        metadata.permissions().mode() & 0o777
    };
    let line = [OsStr::new("scan"), photos.path().as_os_str()];
    let ended = process::run(command(&program, &data, &line));
    assert!(ended.status.success(), "{}", ended.output);
    assert_eq!(mode(&data), 0o700);
    for file in fs::read_dir(&data).expect("a folder") {
        let path = file.expect("a file").path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}
