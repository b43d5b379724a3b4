//! `mantel push`: files, a folder that is being written to and standard input, to a server that may be away.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::{
    access::{new_token, until_shut},
    live::House,
    support::{
        clients::{Client, require},
        eventually,
        photos::{Photos, flat},
        pixels::{BLUE, GREEN, RED, Rgb, YELLOW},
        process::{Ended, Process, run},
        server::{STANDING, command, program},
    },
};

/// `mantel push`, as it is typed.
fn pushing(program: &Path, to: &str, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.env_clear();
    command.args(["push", "plot", "--to", to]).args(args);
    command
}

fn push(program: &Path, house: &House, args: &[&str]) -> Ended {
    run(pushing(program, &house.server.url(""), args))
}

fn pictures(colours: &[Rgb]) -> (Photos, Vec<String>) {
    let photos = Photos::of(colours);
    let mut names: Vec<String> = fs::read_dir(photos.path())
        .expect("a folder")
        .map(|entry| entry.expect("a file").path())
        .map(|path| path.to_str().expect("text").to_owned())
        .collect();
    names.sort();
    (photos, names)
}

#[test]
fn files_are_sent_one_after_another_and_what_is_none_is_named() {
    let Some(program) = program() else { return };
    let house = House::plot();
    let (photos, names) = pictures(&[RED, GREEN, BLUE]);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let ended = push(&program, &house, &names);
    assert!(ended.status.success(), "{}", ended.output);
    assert!(
        ended.output.contains("plot: 3 pictures sent"),
        "{}",
        ended.output
    );
    house.await_colour(BLUE);
    // A recording has many in one file.
    let recording = photos.add("all.mjpeg", &[flat(RED), flat(BLUE), flat(YELLOW)].concat());
    let letter = photos.add("letter.txt", b"Dear Anna");
    let line = [
        letter.to_str(),
        recording.to_str(),
        Some("no-such-file.jpg"),
    ];
    let line: Vec<&str> = line.into_iter().flatten().collect();
    let ended = push(&program, &house, &line);
    assert_eq!(ended.status.code(), Some(1), "{}", ended.output);
    for said in [
        "letter.txt: this is no picture",
        "no-such-file.jpg: it can't be read",
        "3 pictures sent",
        "2 of the pictures could not be sent",
    ] {
        assert!(ended.output.contains(said), "{said}: {}", ended.output);
    }
    house.await_colour(YELLOW);
}

#[test]
fn each_refusal_is_one_sentence() {
    let Some(program) = program() else { return };
    let house = House::plot();
    let (_photos, names) = pictures(&[RED]);
    let url = house.server.url("");
    for (name, said) in [("garage", "there is no channel"), ("main", "shows photos")] {
        let mut line = Command::new(&program);
        line.env_clear();
        line.args(["push", name, &names[0], "--to", &url]);
        let ended = run(line);
        assert_eq!(ended.status.code(), Some(1), "{}", ended.output);
        assert!(ended.output.contains(said), "{}", ended.output);
    }
    let secret = new_token(&house.server.data, "plotter", &["--rights", "push@plot"]);
    until_shut(&house.server);
    let ended = push(&program, &house, &[&names[0]]);
    assert_eq!(ended.status.code(), Some(1), "{}", ended.output);
    assert!(ended.output.contains("give --token"), "{}", ended.output);
    let ended = push(&program, &house, &[&names[0], "--token", "wrong"]);
    assert_eq!(ended.status.code(), Some(1), "{}", ended.output);
    let ended = push(&program, &house, &[&names[0], "--token", &secret]);
    assert!(ended.status.success(), "{}", ended.output);
    assert!(!ended.output.contains(&secret), "{}", ended.output);
}

#[test]
fn what_is_written_into_a_folder_is_sent_when_it_is_whole() {
    let Some(program) = program() else { return };
    let house = House::plot();
    let photos = Photos::of(&[RED]);
    let folder = photos.path().to_str().expect("text");
    let sender = Process::start(pushing(&program, &house.server.url(""), &[folder]));
    // What was there before is not sent. When the folder is watched is not told: what comes is written until it is sent.
    eventually("the first picture", || {
        photos.add("new.jpg", &flat(GREEN));
        std::thread::sleep(std::time::Duration::from_secs(1));
        match house.live()["signal"].as_str() {
            Some("waiting") => Err("none".into()),
            _ => Ok(()),
        }
    });
    house.await_colour(GREEN);
    // Rewritten in place, in two halves; and beside, then renamed.
    let blue = flat(BLUE);
    photos.add("new.jpg", &blue[..blue.len() / 2]);
    std::thread::sleep(std::time::Duration::from_millis(600));
    house.await_colour(GREEN);
    photos.add("new.jpg", &blue);
    house.await_colour(BLUE);
    let hidden = photos.add(".next", &flat(YELLOW));
    fs::rename(hidden, photos.path().join("next.jpg")).expect("to rename");
    house.await_colour(YELLOW);
    sender.signal("INT");
    let ended = sender.ended();
    assert!(ended.status.success(), "{}", ended.output);
    assert!(ended.output.contains("pictures sent"), "{}", ended.output);
    assert!(!ended.output.contains("not sent"), "{}", ended.output);
}

#[test]
fn ffmpeg_is_sent_on_from_standard_input() {
    let Some(program) = program() else { return };
    let Some(programs) = require(Client::Ffmpeg) else {
        return;
    };
    let house = House::plot();
    for (dialect, wanted) in [("mpjpeg", RED), ("mjpeg", BLUE)] {
        let Rgb([r, g, b]) = wanted;
        let source = format!("color=c=0x{r:02x}{g:02x}{b:02x}:s=320x180:r=10:d=1");
        let mut line = Command::new("sh");
        let pipe = "\"$1\" -loglevel error -f lavfi -i \"$2\" -q:v 3 -f \"$3\" - | \"$4\" push plot --when-full wait --to \"$5\"";
        line.args(["-c", pipe, "sh"])
            .args([
                &programs[0],
                &PathBuf::from(source),
                &PathBuf::from(dialect),
                &program,
            ])
            .arg(house.server.url(""));
        let ended = run(line);
        assert!(ended.status.success(), "{dialect}: {}", ended.output);
        assert!(
            ended.output.contains("10 pictures sent"),
            "{}",
            ended.output
        );
        house.await_colour(wanted);
    }
}

#[test]
fn a_server_that_starts_anew_is_sent_what_is_left() {
    let Some(program) = program() else { return };
    let house = House::plot();
    let (_photos, names) = pictures(&[RED, GREEN, BLUE, YELLOW, GREEN, BLUE]);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let line = [&names[..], &["--every", "700ms"]].concat();
    let mut sender = Process::start(pushing(&program, &house.server.url(""), &line));
    house.await_colour(RED);
    let house = house.again(|| {
        sender.await_line("word that it is away", |line| {
            line.contains("trying again").then_some(())
        });
    });
    let ended = sender.ended();
    assert!(ended.status.success(), "{}", ended.output);
    assert!(ended.output.contains("answers again"), "{}", ended.output);
    assert!(ended.output.contains("6 pictures sent"), "{}", ended.output);
    house.await_colour(BLUE);
}

#[test]
fn a_certificate_of_the_servers_own_is_believed_by_its_fingerprint() {
    let Some(program) = program() else { return };
    let (photos, names) = pictures(&[RED]);
    let config = photos.add("mantel.toml", b"[channel.plot]\nsource = \"push\"\n");
    let data = TempDir::with_prefix("mantel-data-").expect("a data directory");
    let mut line: Vec<&OsStr> = STANDING.iter().map(OsStr::new).collect();
    line.extend(["--listen", "127.0.0.1:0", "--tls", "--config"].map(OsStr::new));
    line.extend([config.as_os_str(), photos.path().as_os_str()]);
    let mut server = Process::start(command(&program, data.path(), &line));
    let to = server.await_line("the address", |line| {
        let (_, rest) = line.split_once("https://127.0.0.1:")?;
        let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
        Some(format!("https://127.0.0.1:{port}"))
    });
    let fingerprint = server.await_line("the fingerprint", |line| {
        let words = line.split_whitespace();
        let mut prints = words.filter(|word| word.split(':').count() == 32);
        prints.next().map(str::to_owned)
    });
    let push = |more: &[&str]| {
        run(pushing(
            &program,
            &to,
            &[&[names[0].as_str()], more].concat(),
        ))
    };
    for more in [&["--fingerprint", &fingerprint][..], &["--insecure"]] {
        let ended = push(more);
        assert!(ended.status.success(), "{}", ended.output);
    }
    let other = "ab".repeat(32);
    for (more, said) in [
        (
            &["--fingerprint", other.as_str()][..],
            "another fingerprint",
        ),
        (&[], "fingerprint"),
    ] {
        let ended = push(more);
        assert_eq!(ended.status.code(), Some(1), "{}", ended.output);
        assert!(ended.output.contains(said), "{}", ended.output);
    }
}
