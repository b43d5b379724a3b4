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
    eventually, http,
    photos::{Photos, flat},
    pixels::{GREEN, RED},
    process::{self, Process},
    server::{command, program},
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
    let data = TempDir::with_prefix("mantel-data-").expect("a data directory");
    let args = [
        "--listen",
        "127.0.0.1:0",
        "--interval",
        "200ms",
        "--transition",
        "cut",
        "--size",
        "320x180",
        "--max-connections-per-address",
        "500",
    ];
    let mut line: Vec<&OsStr> = args.iter().map(OsStr::new).collect();
    line.push(photos.path().as_os_str());
    let inner = command(&program, data.path(), &line);
    // Soft and hard: the program raises its limit as far as it may.
    let mut limited = Command::new("sh");
    limited
        .args(["-c", "ulimit -n 48; exec \"$@\"", "sh"])
        .arg(inner.get_program())
        .args(inner.get_args());
    for (name, _) in inner.get_envs() {
        limited.env_remove(name);
    }
    let mut server = Process::start(limited);
    let address = server.await_line("the address to open", |line| {
        let (_, rest) = line.split_once("http://127.0.0.1:")?;
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        Some(std::net::SocketAddr::from((
            [127, 0, 0, 1],
            digits.parse().ok()?,
        )))
    });
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
    let idle: Vec<TcpStream> = (0..60)
        .filter_map(|_| TcpStream::connect(address).ok())
        .collect();
    eventually("a photo that can't be read", || {
        let said = server.output();
        if said.contains("can't be read now") {
            Ok(())
        } else {
            Err(said)
        }
    });
    thread::sleep(Duration::from_secs(2));
    drop(idle);
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
