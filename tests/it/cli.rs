//! The program itself: what it says when it can't start, and how it stops.

use std::{ffi::OsStr, net::TcpListener, path::Path, time::Duration};

use tempfile::TempDir;

use crate::support::{
    eventually, http,
    parts::Parts,
    photos::Photos,
    pixels::{GREEN, Picture, RED},
    process::{self, Ended},
    server::{Program, command, program},
};

/// Runs the program with arguments that it must refuse.
fn refuse(program: &Path, args: &[&OsStr]) -> Ended {
    let data = TempDir::with_prefix("mantel-data-").expect("a data directory");
    process::run(command(program, data.path(), args))
}

/// The code, one clear sentence that names every one of `names`, and nothing of the inside.
fn assert_refusal(ended: &Ended, code: i32, names: &[&str]) {
    let said = &ended.output;
    assert_eq!(ended.status.code(), Some(code), "{said}");
    for name in names {
        assert!(said.contains(name), "{name:?} is missing: {said}");
    }
    assert!(said.trim().len() < 800, "more than a sentence: {said}");
    for leak in ["panicked", "backtrace", "src/", "Os {", "Error {", "Err("] {
        assert!(!said.contains(leak), "{leak:?} in {said}");
    }
}

#[test]
fn usage_errors_end_with_2_and_a_sentence() {
    let Some(program) = program() else { return };
    let photos = Photos::of(&[RED]);
    let cases: [(&[&str], &[&str]); 11] = [
        (&["--size", "0x0"], &["size", "0x0"]),
        (&["--size", "100000x100000"], &["size", "100000x100000"]),
        (&["--size", "big"], &["size", "big"]),
        (
            &["--interval", "500ms", "--transition", "2s"],
            &["interval", "transition"],
        ),
        (&["--interval", "0s"], &["interval"]),
        (&["--interval", "soon"], &["interval", "soon"]),
        (&["--quality", "0"], &["quality", "0"]),
        (&["--fps", "0"], &["fps"]),
        (&["--order", "chaos"], &["order", "chaos", "shuffle"]),
        (&["--no-such-option"], &["--no-such-option"]),
        (&["--listen", "nowhere"], &["listen", "nowhere"]),
    ];
    for (args, names) in cases {
        let mut line: Vec<&OsStr> = args.iter().map(OsStr::new).collect();
        line.push(photos.path().as_os_str());
        assert_refusal(&refuse(&program, &line), 2, names);
    }
}

#[test]
fn a_missing_folder_is_named() {
    let Some(program) = program() else { return };
    let photos = Photos::of(&[RED]);
    let listen = [OsStr::new("--listen"), OsStr::new("127.0.0.1:0")];
    let missing = photos.path().join("no such folder");
    let ended = refuse(&program, &[listen[0], listen[1], missing.as_os_str()]);
    assert_refusal(&ended, 1, &["no such folder"]);
    // A file is no folder.
    let file = photos.path().join("01.jpg");
    let ended = refuse(&program, &[listen[0], listen[1], file.as_os_str()]);
    assert_refusal(&ended, 1, &["01.jpg"]);
}

#[test]
fn a_port_in_use_is_named() {
    let Some(program) = program() else { return };
    let photos = Photos::of(&[RED]);
    let taken = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let address = taken.local_addr().expect("its address");
    let (address, port) = (address.to_string(), address.port().to_string());
    let line = [
        OsStr::new("--listen"),
        OsStr::new(&address),
        photos.path().as_os_str(),
    ];
    assert_refusal(&refuse(&program, &line), 1, &[&port]);
}

#[test]
fn a_bad_config_file_is_named_with_the_place() {
    let Some(program) = program() else { return };
    let photos = Photos::of(&[RED]);
    let file = photos.add("mantel.toml", b"interval = \"5s\"\nintervall = \"6s\"\n");
    let line = [
        OsStr::new("--config"),
        file.as_os_str(),
        photos.path().as_os_str(),
    ];
    let ended = refuse(&program, &line);
    assert_refusal(&ended, 2, &["mantel.toml", "intervall", "2"]);
    let missing = photos.path().join("nowhere.toml");
    let line = [
        OsStr::new("--config"),
        missing.as_os_str(),
        photos.path().as_os_str(),
    ];
    let ended = refuse(&program, &line);
    assert!(
        matches!(ended.status.code(), Some(1 | 2)),
        "{}",
        ended.output
    );
    assert!(ended.output.contains("nowhere.toml"), "{}", ended.output);
}

#[test]
fn help_and_version_end_well() {
    let Some(program) = program() else { return };
    for (flag, says) in [
        ("--help", "--interval"),
        ("--version", env!("CARGO_PKG_VERSION")),
    ] {
        let ended = refuse(&program, &[OsStr::new(flag)]);
        assert!(ended.status.success(), "{}", ended.output);
        assert!(ended.output.contains(says), "{}", ended.output);
    }
}

#[test]
fn sigterm_ends_the_streams_and_then_the_program() {
    let Some(path) = program() else { return };
    let photos = Photos::of(&[RED, GREEN]);
    for signal in ["TERM", "INT"] {
        let program = Program::start(&path, photos.path(), &["--size", "640x360"]);
        let mut parts = Parts::open(program.address, "/stream?paint=repeat");
        let frame = parts.part();
        Picture::from_jpeg(&frame.body).expect("a frame");
        program.process.signal(signal);
        assert!(
            parts.stream.closed_within(Duration::from_secs(30)),
            "the stream stays open"
        );
        let ended = program.process.ended();
        assert_eq!(
            ended.status.code(),
            Some(0),
            "after SIG{signal}: {}",
            ended.output
        );
    }
}

#[test]
fn a_second_signal_forces_the_end() {
    let Some(path) = program() else { return };
    let photos = Photos::of(&[RED, GREEN]);
    let program = Program::start(&path, photos.path(), &["--size", "640x360"]);
    // A client that reads nothing more, with as much on its way as it takes.
    let parts = Parts::open(program.address, "/stream?paint=repeat");
    program.process.signal("TERM");
    program.process.signal("TERM");
    let ended = program.process.ended();
    assert!(
        ended.status.code().is_some(),
        "it was killed: {}",
        ended.output
    );
    drop(parts);
}

#[test]
fn the_program_serves_until_it_is_told_to_stop() {
    let Some(path) = program() else { return };
    let photos = Photos::of(&[GREEN]);
    let program = Program::start(&path, photos.path(), &["--size", "640x360"]);
    eventually("a snapshot of the photo", || {
        let reply = http::get(program.address, "/snapshot");
        let colour = Picture::from_jpeg(&reply.body)?.middle();
        if colour.is(GREEN) {
            Ok(())
        } else {
            Err(format!("{colour:?}"))
        }
    });
    // One server a port, and it says which.
    let address = program.address.to_string();
    let data = TempDir::with_prefix("mantel-data-").expect("a data directory");
    let line = [
        OsStr::new("--listen"),
        OsStr::new(&address),
        photos.path().as_os_str(),
    ];
    let second = process::run(command(&path, data.path(), &line));
    assert_eq!(second.status.code(), Some(1), "{}", second.output);
    assert!(
        !program.process.output().contains("panicked"),
        "{}",
        program.process.output()
    );
}
