//! What `deploy/` holds, taken at its word: systemd reads the units, and the container's health check
//! runs against the program.

use std::{fs, process::Command};

use tempfile::TempDir;

use crate::support::{
    clients::{Client, require, workspace},
    photos::Photos,
    pixels::RED,
    process,
    server::{Program, STANDING, Server, program},
};

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
    let edge = sample("mantel-edge.service");
    assert!(edge.contains("\nExecStart=/usr/local/bin/mantel edge "));
    let edge = edge.replace("/usr/local/bin/mantel", &program.display().to_string());
    fs::write(unit("mantel-edge.service"), edge).expect("to write the unit");

    let mut verify = Command::new(&programs[0]);
    verify
        .arg("verify")
        .args(["mantel.service", "mantel.socket", "mantel-edge.service"].map(unit));
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
        .args(["mantel.service", "mantel-edge.service"].map(unit));
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

#[test]
fn the_health_check_tells_life_from_death() {
    let Some(program) = program() else {
        return;
    };
    let photos = Photos::of(&[RED]);
    let server = Server::start(photos.path(), &STANDING);
    let check = |address: &str| {
        let mut command = Command::new(&program);
        command.args(["health", address]);
        process::run(command)
    };
    let address = server.address.to_string();
    let ended = check(&address);
    assert!(ended.status.success(), "{}", ended.output);
    assert_eq!(ended.output, "");
    server.stop().expect("a server that ends well");
    let ended = check(&address);
    assert_eq!(ended.status.code(), Some(1));
    assert!(
        ended
            .output
            .starts_with(&format!("mantel: {address} does not answer: ")),
        "{}",
        ended.output
    );
}

#[test]
fn the_samples_for_containers_agree() {
    let dockerfile = sample("Dockerfile");
    assert!(dockerfile.contains("docker run --network host --memory 1g "));
    let compose = sample("compose.yaml");
    for line in [
        "    mem_limit: 1g",
        "    network_mode: host",
        "      dockerfile: deploy/Dockerfile",
        "      - mantel-data:/data",
    ] {
        assert!(compose.lines().any(|found| found == line), "no {line}");
    }
    assert!(compose.contains(":/photos:ro\n"));
}
