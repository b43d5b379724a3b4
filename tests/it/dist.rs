//! The archives that `cargo xtask dist` makes, and the image that is made of one, each as somebody gets it who has
//! nothing else: unpacked, started, and asked for a picture. xtask says in `MANTEL_ARCHIVES` where they lie.

use std::{
    collections::BTreeSet,
    env, fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, SystemTime},
};

use tempfile::TempDir;

use crate::{
    decoder,
    support::{
        clients::{Client, is_put_off, is_root, left_out, require, workspace},
        emulated::emulated,
        eventually, http,
        photos::Photos,
        pixels::{GREEN, Picture, RED, Rgb},
        process::{self, Process},
        server::{Program, STANDING, address_in},
    },
};

const X86_64: &str = "x86_64-unknown-linux-musl";
const AARCH64: &str = "aarch64-unknown-linux-musl";

/// An archive, unpacked; goes away with its owner.
struct Unpacked {
    scratch: TempDir,
    folder: PathBuf,
}

impl Unpacked {
    /// The archive for `target`; says what is left out where there is none.
    fn of(target: &str) -> Option<Self> {
        // Those for other kinds of machines are packed beside the tests.
        if !target.starts_with(env::consts::ARCH) && is_put_off() {
            return None;
        }
        let archives = archives();
        let name = format!("mantel-{}-{target}", env!("CARGO_PKG_VERSION"));
        let archive = archives.join(format!("{name}.tar.gz"));
        if !archive.is_file() {
            let missing = format!("no {}; `cargo xtask dist` makes it", archive.display());
            left_out("the archive", &missing, false);
            return None;
        }
        let scratch = TempDir::with_prefix("mantel-archive-").expect("a folder for the archive");
        let mut tar = Command::new("tar");
        tar.arg("-xzf").arg(&archive).arg("-C").arg(scratch.path());
        let ended = process::run(tar);
        assert!(ended.status.success(), "{}", ended.output);
        let folder = scratch.path().join(name);
        Some(Self { scratch, folder })
    }

    fn program(&self) -> PathBuf {
        self.folder.join("mantel")
    }
}

fn archives() -> PathBuf {
    env::var_os("MANTEL_ARCHIVES")
        .map_or_else(|| workspace().join("target").join("dist"), PathBuf::from)
}

/// What matters of an ELF file: ELF-64, little-endian, as both targets are.
#[derive(Debug, PartialEq, Eq)]
struct Elf {
    machine: u16,
    /// Kinds of its segments.
    segments: BTreeSet<u32>,
    /// It names libraries that have to be loaded with it.
    needs_libraries: bool,
}

impl Elf {
    /// A segment that names the program that loads this one.
    const INTERPRETER: u32 = 3;
    const DYNAMIC: u32 = 2;
    const LOADED: u32 = 1;

    fn of(file: &[u8]) -> Option<Self> {
        let half = |at: usize| Some(u16::from_le_bytes(file.get(at..at + 2)?.try_into().ok()?));
        let word = |at: usize| Some(u32::from_le_bytes(file.get(at..at + 4)?.try_into().ok()?));
        let long = |at: usize| Some(u64::from_le_bytes(file.get(at..at + 8)?.try_into().ok()?));
        let place = |at: usize| usize::try_from(long(at)?).ok();
        if file.get(..6)? != b"\x7fELF\x02\x01" {
            return None;
        }
        let (first, size, n) = (place(32)?, usize::from(half(54)?), usize::from(half(56)?));
        let mut elf = Self {
            machine: half(18)?,
            segments: BTreeSet::new(),
            needs_libraries: false,
        };
        for header in (0..n).map(|i| first + i * size) {
            let kind = word(header)?;
            elf.segments.insert(kind);
            if kind == Self::DYNAMIC {
                let (at, length) = (place(header + 8)?, place(header + 32)?);
                // Pairs of a tag and a value; DT_NEEDED is 1, and 0 ends them.
                let tags: Option<Vec<u64>> = (at..at + length).step_by(16).map(long).collect();
                let tags = tags?.into_iter().take_while(|tag| *tag != 0);
                elf.needs_libraries = tags.into_iter().any(|tag| tag == 1);
            }
        }
        Some(elf)
    }
}

#[test]
fn an_archive_holds_a_static_program_and_what_belongs_to_it() {
    for (target, machine) in [(X86_64, 62), (AARCH64, 183)] {
        let Some(unpacked) = Unpacked::of(target) else {
            continue;
        };
        let program = fs::read(unpacked.program()).expect("the program");
        let elf = Elf::of(&program).expect("an ELF file");
        assert_eq!(elf.machine, machine, "{target}");
        assert!(elf.segments.contains(&Elf::LOADED), "{target}: {elf:?}");
        assert!(!elf.segments.contains(&Elf::INTERPRETER), "{target}");
        assert!(!elf.needs_libraries, "{target}");
        let mode = unpacked.program().metadata().expect("it is there").mode();
        assert_eq!(mode & 0o777, 0o755, "{target}");
        for name in [
            "README.md",
            "LICENSE",
            "CHANGELOG.md",
            "docs/screenshot.png",
            "deploy/Dockerfile",
            "deploy/compose.yaml",
            "deploy/mantel.service",
            "deploy/mantel.toml",
        ] {
            assert!(unpacked.folder.join(name).is_file(), "{target}: no {name}");
        }
        let mut check = Command::new("sha256sum");
        check.current_dir(archives());
        check.args(["--check", "--strict", "SHA256SUMS"]);
        let ended = process::run(check);
        assert!(ended.status.success(), "{}", ended.output);
        assert!(ended.output.contains(&format!("-{target}.tar.gz: OK")));
    }
}

/// The test's own way of telling a static program from another one.
#[test]
fn the_shell_is_no_static_program() {
    let shell = fs::read("/bin/sh").expect("a shell");
    let elf = Elf::of(&shell).expect("an ELF file");
    assert!(elf.segments.contains(&Elf::INTERPRETER) && elf.needs_libraries);
}

/// A JPEG and a PNG, in this order.
fn photos() -> Photos {
    let photos = Photos::of(&[RED]);
    photos.add("02.png", &png(GREEN));
    photos
}

fn png(colour: Rgb) -> Vec<u8> {
    let mut file = io::Cursor::new(Vec::new());
    image::RgbImage::from_pixel(640, 360, image::Rgb(colour.0))
        .write_to(&mut file, image::ImageFormat::Png)
        .expect("to encode");
    file.into_inner()
}

/// Waits for one of the photos on the snapshot.
fn shown(address: std::net::SocketAddr, wanted: &[Rgb]) -> Rgb {
    eventually("a photo on /snapshot", || {
        let reply = http::get(address, "/snapshot");
        if reply.status() != 200 {
            return Err(reply.text());
        }
        let middle = Picture::from_jpeg(&reply.body)?.middle();
        let found = wanted.iter().find(|colour| middle.is(**colour));
        found.copied().ok_or_else(|| format!("{middle:?}"))
    })
}

/// Both photos, one after the other; which is first, the clock decides.
fn shows_both(address: std::net::SocketAddr) {
    let first = shown(address, &[RED, GREEN]);
    assert_eq!(
        http::control(address, r#"{"command":"next"}"#).status(),
        200
    );
    shown(address, &[if first == RED { GREEN } else { RED }]);
}

#[test]
#[cfg(target_arch = "x86_64")]
fn the_static_program_shows_what_the_library_shows() {
    let Some(unpacked) = Unpacked::of(X86_64) else {
        return;
    };
    // All kinds, through decoders that have taken their rights away from themselves.
    decoder::shows_what_the_library_shows(&unpacked.program());
    let photos = photos();
    let server = Program::start(&unpacked.program(), photos.path(), &STANDING);
    shows_both(server.address);
    let status = http::get(server.address, "/status").json();
    assert_eq!(status["decoder"], "process", "{status}");
    assert!(
        http::get(server.address, "/")
            .text()
            .contains("mantel-viewer")
    );
    server.process.signal("TERM");
    let ended = server.process.ended();
    assert!(ended.status.success(), "{}", ended.output);
}

#[test]
fn the_one_for_arm_shows_a_picture_in_an_emulator() {
    let (Some(unpacked), Some(emulator)) = (Unpacked::of(AARCH64), require(Client::Qemu)) else {
        return;
    };
    let folder = unpacked.scratch.path();
    let program = emulated(folder, &emulator[0], &unpacked.program(), &[]);
    let photos = photos();
    let server = Program::start(&program, photos.path(), &STANDING);
    shows_both(server.address);
    // An emulator has no seccomp, and can start itself only where the kernel knows of it: what is said must be true.
    let status = http::get(server.address, "/status").json();
    let is_confined = status["decoder_note"].to_string().contains("seccomp");
    assert!(!is_confined, "{status}");
}

/// buildah with its images in a folder of this test, away from the network, and from what anybody else has.
struct Buildah {
    program: PathBuf,
    storage: TempDir,
}

impl Buildah {
    fn run(&self, folder: &Path, arguments: &[&str]) -> String {
        let mut command = Command::new("unshare");
        command
            .args(["--net", "--"])
            .arg(&self.program)
            .arg("--root")
            .arg(self.storage.path().join("images"))
            .arg("--runroot")
            .arg(self.storage.path().join("run"))
            .args(["--storage-driver", "vfs"])
            .args(arguments)
            .current_dir(folder);
        let ended = process::run(command);
        assert!(ended.status.success(), "{arguments:?}: {}", ended.output);
        ended.output.trim().to_owned()
    }
}

#[test]
#[cfg(target_arch = "x86_64")]
fn the_image_holds_all_that_the_program_needs() {
    let (Some(unpacked), Some(programs)) = (Unpacked::of(X86_64), require(Client::Buildah)) else {
        return;
    };
    if !is_root() {
        let missing = "root, to enter what is in it";
        left_out("the image", missing, true);
        return;
    }
    let buildah = Buildah {
        program: programs[0].clone(),
        storage: TempDir::with_prefix("mantel-images-").expect("a folder for images"),
    };
    let run = |arguments: &[&str]| buildah.run(&unpacked.folder, arguments);
    run(&[
        "build",
        "--isolation=chroot",
        "--pull=never",
        "--format=docker",
        "--tag=mantel",
        "--file=deploy/Dockerfile",
        ".",
    ]);
    let image: serde_json::Value =
        serde_json::from_str(&run(&["inspect", "--type=image", "mantel"]))
            .expect("what buildah tells of the image");
    let config = &image["Docker"]["config"];
    let words = |value: &serde_json::Value| -> Vec<String> {
        serde_json::from_value(value.clone()).unwrap_or_else(|_| panic!("{config}"))
    };
    let user = config["User"].as_str().expect("a user");
    assert_eq!(user, "10001:10001");
    for volume in ["/photos", "/data"] {
        assert!(config["Volumes"].get(volume).is_some(), "{config}");
    }
    let container = run(&["from", "--pull=never", "mantel"]);
    let root = PathBuf::from(run(&["mount", &container]));

    let photos = photos();
    let midnight = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600);
    let first = fs::File::options()
        .append(true)
        .open(photos.path().join("01.jpg"));
    first
        .and_then(|file| file.set_modified(midnight))
        .expect("to date a photo");
    // As in a container: its user, its folders, and /proc, which decoders are started by.
    let inside = |line: &[String]| {
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "--", "sh", "-ec"])
            .arg(
                "mkdir -p \"$1/proc\"; mount -t proc proc \"$1/proc\"; mount --bind -o ro \"$2\" \"$1/photos\"; \
                 root=$1 user=$3; shift 3; exec chroot --userspec=\"$user\" \"$root\" \"$@\"",
            )
            .arg("sh")
            .args([&root, photos.path()])
            .arg(user)
            .args(line)
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .env("TZ", "Asia/Kathmandu");
        for setting in words(&config["Env"]) {
            let (name, value) = setting.split_once('=').expect("NAME=VALUE");
            if name != "PATH" {
                command.env(name, value);
            }
        }
        command
    };

    let entry = words(&config["Entrypoint"]);
    let free_port = |word: String| word.replace("0.0.0.0:8080", "127.0.0.1:0");
    let mut line: Vec<String> = entry.iter().cloned().map(free_port).collect();
    assert!(line.contains(&"127.0.0.1:0".to_owned()), "{entry:?}");
    line.extend(STANDING.map(str::to_owned));
    line.extend(words(&config["Cmd"]));
    let mut server = Process::start(inside(&line));
    let address = server.await_line("the address to open", address_in);
    shows_both(address);
    let status = http::get(address, "/status").json();
    assert_eq!(status["decoder"], "process", "{status}");

    // The health check, at the port that was free.
    let check = words(&config["Healthcheck"]["Test"]);
    assert_eq!(check[0], "CMD");
    let check = |port: u16| {
        let port = format!(":{port}");
        let line = check[1..].iter().map(|word| word.replace(":8080", &port));
        process::run(inside(&line.collect::<Vec<String>>()))
    };
    let well = check(address.port());
    assert!(well.status.success(), "{}", well.output);
    server.signal("TERM");
    let ended = server.ended();
    assert!(ended.status.success(), "{}", ended.output);
    assert!(!check(address.port()).status.success());
    let kept = fs::read_dir(root.join("data")).expect("/data").count();
    assert!(kept > 0, "nothing was kept in /data");

    // Time zones by their names: a photo that knows no date has its file's, as it was there.
    let list = [&entry[0], "list", "--json", "--data-dir=/data", "/photos"];
    let listed = process::run(inside(&list.map(str::to_owned))).output;
    assert!(listed.contains("2026-01-01T05:45:00"), "{listed}");

    run(&["umount", &container]);
    run(&["rm", &container]);
}
