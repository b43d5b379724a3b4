//! What `deploy/` holds, taken at its word: systemd reads the units, and the container's health check
//! runs against the program.

use std::fs;
use std::process::Command;

use tempfile::TempDir;

use crate::support::clients::{Client, require, workspace};
use crate::support::photos::Photos;
use crate::support::pixels::RED;
use crate::support::process;
use crate::support::server::{Program, STANDING, Server, program};

fn sample(name: &str) -> String {
    let path = workspace().join("deploy").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn systemd_takes_the_units() {
    let (Some(programs), Some(program)) = (require(Client::SystemdAnalyze), program()) else {
        return;
    };
    let folder = TempDir::with_prefix("mantel-units-").expect("a folder for the units");
    let unit = |name: &str| folder.path().join(name);
    let service = sample("mantel.service");
    assert!(service.contains("\nExecStart=/usr/local/bin/mantel "));
    assert!(service.contains("\nMemoryMax=1G\n"));
    // It must be there to be checked.
    let service = service.replace("/usr/local/bin/mantel", &program.display().to_string());
    fs::write(unit("mantel.service"), service).expect("to write the unit");
    fs::write(unit("mantel.socket"), sample("mantel.socket")).expect("to write the unit");

    let mut verify = Command::new(&programs[0]);
    verify
        .arg("verify")
        .args([unit("mantel.service"), unit("mantel.socket")]);
    let ended = process::run(verify);
    let about_ours: Vec<&str> = ended
        .output
        .lines()
        .filter(|line| line.contains("mantel"))
        .collect();
    assert!(ended.status.success(), "{}", ended.output);
    assert_eq!(about_ours, Vec::<&str>::new());

    // 0 is locked up, 10 is free: what is left is the network and reading files.
    let mut security = Command::new(&programs[0]);
    security
        .args(["security", "--offline=true", "--threshold=20"])
        .arg(unit("mantel.service"));
    let ended = process::run(security);
    assert!(ended.status.success(), "{}", ended.output);
}

#[test]
fn the_units_options_are_the_programs() {
    let Some(program) = program() else {
        return;
    };
    let photos = Photos::of(&[RED]);
    // What ExecStart says, with what systemd fills in.
    let service = sample("mantel.service");
    let line = service
        .lines()
        .find_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/mantel "))
        .expect("ExecStart");
    assert_eq!(line, "--data-dir ${STATE_DIRECTORY} /srv/photos");
    // `Program` gives the same two.
    Program::start(&program, photos.path(), &[]);
}

/// The health check's command in the Dockerfile, for another port.
fn health_check(port: u16) -> Command {
    let dockerfile = sample("Dockerfile").replace("\\\n", " ");
    let line = dockerfile
        .lines()
        .find(|line| line.starts_with("HEALTHCHECK"))
        .expect("a health check");
    let (_, words) = line.split_once("CMD ").expect("its command");
    let words: Vec<String> = serde_json::from_str(words.trim()).expect("a JSON list");
    let mut command = Command::new(&words[0]);
    for word in &words[1..] {
        command.arg(word.replace("/8080", &format!("/{port}")));
    }
    command
}

#[test]
fn the_containers_health_check_tells_life_from_death() {
    let photos = Photos::of(&[RED]);
    let server = Server::start(photos.path(), &STANDING);
    let port = server.address.port();
    let ended = process::run(health_check(port));
    assert!(ended.status.success(), "{}", ended.output);
    server.stop().expect("a server that ends well");
    assert!(!process::run(health_check(port)).status.success());
}

#[test]
fn the_container_runs_as_nobody_in_particular() {
    let dockerfile = sample("Dockerfile");
    assert!(dockerfile.contains("docker run --network host --memory 1g "));
    let last = dockerfile.rsplit("\nFROM ").next().expect("a stage");
    for line in [
        "USER mantel",
        "VOLUME [\"/photos\", \"/data\"]",
        "ENTRYPOINT [\"mantel\", \"--listen\", \"0.0.0.0:8080\", \"--data-dir\", \"/data\"]",
    ] {
        assert!(last.lines().any(|found| found == line), "no {line}");
    }
    // Built by the compiler that is pinned, so that it is not fetched a second time.
    let toolchain = fs::read_to_string(workspace().join("rust-toolchain.toml"));
    let toolchain = toolchain.expect("the pinned toolchain");
    let version = dockerfile
        .lines()
        .find_map(|line| line.strip_prefix("FROM rust:"))
        .and_then(|rest| rest.split('-').next())
        .expect("the build's image");
    assert!(
        toolchain.contains(&format!("channel = \"{version}.")),
        "{version}"
    );
}
