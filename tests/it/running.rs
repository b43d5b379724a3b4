//! A program that runs for long: settings read anew, few descriptors, a machine that stands still.

use std::{
    fmt::Write as _,
    fs,
    net::{SocketAddr, TcpStream},
    path::Path,
    process::Command,
    thread::sleep,
    time::Duration,
};

use tempfile::TempDir;

use crate::support::{
    eventually, http,
    parts::Parts,
    photos::{Photos, flat, sized},
    pixels::{GREEN, Picture, RED},
    process::Process,
    server::{Program, program},
};

fn status_under(address: SocketAddr, name: &str) -> u16 {
    let request = format!("GET /status HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n");
    http::Stream::send(address, request.as_bytes())
        .read_head()
        .status()
}

/// Signals `process` and waits for a word about it.
fn hang_up(process: &Process, wanted: &str) {
    let n_before = process.output().matches(wanted).count();
    process.signal("HUP");
    eventually(wanted, || {
        if process.output().matches(wanted).count() > n_before {
            Ok(())
        } else {
            Err(process.output())
        }
    });
}

#[test]
fn a_hangup_reads_the_configuration_anew() {
    let Some(program) = program() else { return };
    let photos = Photos::of(&[RED]);
    let folder = TempDir::new().expect("a directory");
    let file = folder.path().join("mantel.toml");
    let write = |text: &str| fs::write(&file, text).expect("to write");
    write("host = [\"wall.example\"]\n");
    let server = Program::start(
        &program,
        photos.path(),
        &["--config", file.to_str().expect("text")],
    );
    let address = server.address;
    // Connected all the while: reading anew cuts nobody off.
    let mut viewer = Parts::open(address, "/stream?size=320x180&paint=repeat");
    viewer.part();
    assert_eq!(status_under(address, "wall.example"), 200);
    assert_ne!(status_under(address, "hall.example"), 200);

    write("host = [\"hall.example\"]\n");
    server.process.signal("HUP");
    eventually("the other name to be answered", || {
        match (
            status_under(address, "hall.example"),
            status_under(address, "wall.example"),
        ) {
            (200, old) if old != 200 => Ok(()),
            other => Err(format!("{other:?}\n{}", server.process.output())),
        }
    });
    write("host = nonsense\n");
    hang_up(&server.process, "everything stays as it was");
    assert_eq!(status_under(address, "hall.example"), 200);
    viewer.part();
}

#[test]
fn connections_leave_descriptors_for_photos() {
    const ALLOWED: usize = 164;
    let Some(program) = program() else { return };
    let photos = Photos::none();
    for n in 0..30 {
        photos.add(format!("{n}.jpg"), &flat([RED, GREEN][n % 2]));
    }
    let data = TempDir::new().expect("a directory");
    let mut command = Command::new("sh");
    let mut line = format!("ulimit -n {ALLOWED}; exec");
    let words = [
        program.as_path(),
        Path::new("--data-dir"),
        data.path(),
        Path::new("--listen"),
        Path::new("127.0.0.1:0"),
        Path::new("--interval"),
        Path::new("300ms"),
        Path::new("--transition"),
        Path::new("cut"),
        Path::new("--size"),
        Path::new("320x180"),
        photos.path(),
    ];
    for word in words {
        let _ = write!(line, " '{}'", word.display());
    }
    command.args(["-c", &line]);
    let mut process = Process::start(command);
    let address = process.await_line("the address", |line| {
        let (_, rest) = line.split_once("http://127.0.0.1:")?;
        let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
        format!("127.0.0.1:{port}").parse::<SocketAddr>().ok()
    });
    process.await_output(&format!("{} connections are let in", ALLOWED - 100));
    let mut viewer = Parts::open(address, "/bytes?size=320x180");
    viewer.part();
    // More than there are descriptors, all of them silent.
    let crowd: Vec<_> = (0..ALLOWED + 20)
        .filter_map(|_| TcpStream::connect(address).ok())
        .collect();
    for _ in 0..12 {
        Picture::from_jpeg(&viewer.part().body).expect("a slide, however many come");
    }
    drop(crowd);
    eventually("a place", || {
        match http::get(address, "/healthz").status() {
            200 => Ok(()),
            status => Err(status.to_string()),
        }
    });
    let status = http::get(address, "/status").json();
    let lost = [&status["library"]["skipped"], &status["library"]["not_now"]];
    assert!(
        lost.iter().all(|n| n.as_u64() == Some(0)),
        "{status}\n{}",
        process.output()
    );
}

/// As a virtual machine that is frozen, or a laptop that sleeps, in the middle of a photo: longer than a
/// decoder may take.
#[test]
fn a_machine_that_stood_still_blames_no_photo() {
    let Some(program) = program() else { return };
    let photos = Photos::none();
    photos.add("a.jpg", &sized(6000, 4000, RED));
    photos.add("b.jpg", &sized(6000, 4000, GREEN));
    let args = ["--order", "name", "--interval", "2h", "--size", "1920x1080"];
    let server = Program::start(&program, photos.path(), &args);
    let address = server.address;
    let request = format!("GET /snapshot?size=1280x720 HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let _asked = http::Stream::send(address, request.as_bytes());
    eventually("a photo that is being decoded", || {
        let text = http::get(address, "/metrics").text();
        let line = text
            .lines()
            .find(|line| line.starts_with("mantel_decode_memory_bytes "));
        match line {
            Some(line) if !line.ends_with(" 0") => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
    server.process.signal("STOP");
    sleep(Duration::from_secs(33));
    server.process.signal("CONT");
    let wanted = eventually("the photo", || {
        match http::get(address, "/snapshot?size=1280x720") {
            reply if reply.status() == 200 => Ok(reply),
            reply => Err(reply.text()),
        }
    });
    Picture::from_jpeg(&wanted.body).expect("a whole picture");
    let status = http::get(address, "/status").json();
    assert_eq!(
        status["library"]["skipped"],
        0,
        "{status}\n{}",
        server.process.output()
    );
    assert_eq!(status["library"]["photos"], 2, "{status}");
}
