//! What can't be made again lies where no cleaner empties it, and a server that had tokens stays shut
//! whatever becomes of their file.

use std::{
    ffi::OsStr,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::support::{
    http,
    photos::Photos,
    pixels::RED,
    process::{self, Process},
    server::{address_in, command, program},
};

/// A home with folders of its own for caches and for state.
struct Home {
    folder: TempDir,
    photos: Photos,
    program: PathBuf,
}

impl Home {
    fn new() -> Option<Self> {
        Some(Self {
            folder: TempDir::with_prefix("mantel-home-").expect("a home"),
            photos: Photos::of(&[RED]),
            program: program()?,
        })
    }

    fn cache(&self) -> PathBuf {
        self.folder.path().join("cache/mantel")
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state/mantel")
    }

    /// The program in this home, without a word about where to keep things.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .env_clear()
            .env("HOME", self.folder.path())
            .env("XDG_CACHE_HOME", self.folder.path().join("cache"))
            .env("XDG_STATE_HOME", self.folder.path().join("state"))
            .args(args);
        command
    }

    fn run(&self, args: &[&str]) -> String {
        let ended = process::run(self.command(args));
        assert!(ended.status.success(), "{args:?}: {}", ended.output);
        ended.output
    }

    fn serve(&self) -> (Process, SocketAddr) {
        let mut command = self.command(&["--listen", "127.0.0.1:0", "--size", "640x360"]);
        command.arg(self.photos.path());
        let mut process = Process::start(command);
        let address = process.await_line("the address to open", address_in);
        (process, address)
    }

    /// Starts a server, asks it for its state, and ends it: the answer's code and sentence, and the log.
    fn asked_once(&self) -> (u16, String, String) {
        let (server, address) = self.serve();
        let reply = http::get(address, "/status");
        server.signal("TERM");
        let ended = server.ended();
        (reply.status(), reply.text(), ended.output)
    }
}

fn is_there(folder: &Path, name: &str) -> bool {
    folder.join(name).exists()
}

#[test]
fn a_cleaner_opens_nothing_and_loses_nothing() {
    let Some(home) = Home::new() else { return };
    assert_eq!(home.asked_once().0, 200);
    assert!(is_there(&home.cache(), "index.sqlite"));
    assert!(is_there(&home.state(), "channel.json"));
    assert!(!is_there(&home.cache(), "channel.json"));

    let told = home.run(&["token", "new", "tv"]);
    let (_, rest) = told.split_once("?token=").expect("a link");
    let secret = rest.split_whitespace().next().expect("a token");
    assert_eq!(home.asked_once().0, 401);
    fs::remove_dir_all(home.cache()).expect("an empty cache");
    let (server, address) = home.serve();
    assert_eq!(http::get(address, "/status").status(), 401);
    let with = format!("/status?token={secret}");
    assert_eq!(http::get(address, &with).status(), 200);
    drop(server);
}

#[test]
fn a_server_that_had_tokens_stays_shut_without_their_file() {
    let Some(home) = Home::new() else { return };
    home.run(&["token", "new", "tv"]);
    let lost: [&dyn Fn(); 3] = [
        &|| fs::remove_file(home.state().join("tokens.json")).expect("no tokens"),
        &|| fs::remove_dir_all(home.state()).expect("no state"),
        // The word beside them is left.
        &|| {
            fs::remove_file(home.state().join("tokens.json")).expect("no tokens");
            fs::remove_dir_all(home.cache()).expect("no cache");
        },
    ];
    for lose in lost {
        lose();
        let (status, sentence, log) = home.asked_once();
        assert_eq!(status, 401, "{sentence}");
        assert!(
            sentence.contains("the tokens of this server are gone"),
            "{sentence}"
        );
        assert!(
            log.contains("mantel token new") && log.contains("mantel token open"),
            "{log}"
        );
        home.run(&["token", "new", "tv"]);
        let (status, sentence, _) = home.asked_once();
        assert_eq!(status, 401);
        assert!(!sentence.contains("are gone"), "{sentence}");
    }
    fs::remove_file(home.state().join("tokens.json")).expect("no tokens");
    let told = home.run(&["token", "open"]);
    assert!(told.contains("started again"), "{told}");
    assert_eq!(home.asked_once().0, 200);
}

#[test]
fn what_an_older_version_left_in_the_cache_is_moved() {
    let Some(home) = Home::new() else { return };
    home.run(&["token", "new", "tv"]);
    fs::create_dir_all(home.cache()).expect("a cache");
    let names = r#"{"hall":"fit=cover"}"#;
    fs::write(home.cache().join("profiles.json"), names).expect("names");
    // As it lay before: all in one place, and nothing that tells of tokens.
    let (old, new) = (
        home.cache().join("tokens.json"),
        home.state().join("tokens.json"),
    );
    fs::copy(&new, &old).expect("tokens in the old place");
    fs::remove_dir_all(home.state()).expect("no state yet");
    fs::remove_file(home.cache().join("tokens.made")).expect("no word yet");
    // Where they are is where they are looked for, and a command moves nothing from under a server.
    assert!(home.run(&["token", "list"]).contains("tv"));
    assert!(old.exists());

    let (status, _, log) = home.asked_once();
    assert_eq!(status, 401);
    assert!(log.contains("has moved from"), "{log}");
    assert!(new.exists() && !old.exists());
    assert!(is_there(&home.state(), "profiles.json"));
    assert!(!is_there(&home.cache(), "profiles.json"));
    assert!(is_there(&home.cache(), "index.sqlite"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| {
            let metadata = fs::metadata(path).expect("what was moved");
            metadata.permissions().mode() & 0o777
        };
        assert_eq!((mode(&home.state()), mode(&new)), (0o700, 0o600));
    }
    let log = home.asked_once().2;
    assert!(!log.contains("moved"), "{log}");
}

#[test]
fn state_that_can_not_be_moved_is_used_where_it_is() {
    let Some(home) = Home::new() else { return };
    home.run(&["token", "new", "tv"]);
    let old = home.cache().join("tokens.json");
    fs::copy(home.state().join("tokens.json"), &old).expect("tokens in the old place");
    // A file where the folder for state should be: not even root can make one there.
    fs::remove_dir_all(home.folder.path().join("state")).expect("no state");
    fs::write(home.folder.path().join("state"), "").expect("a file in its place");
    let (status, _, log) = home.asked_once();
    assert_eq!(status, 401);
    assert!(log.contains("can't be moved to"), "{log}");
    assert!(old.exists());
    assert!(home.run(&["token", "list"]).contains("tv"));
}

#[test]
fn what_was_asked_for_holds_everything() {
    let Some(home) = Home::new() else { return };
    let data = TempDir::with_prefix("mantel-data-").expect("a data directory");
    let line = ["token", "new", "tv"].map(OsStr::new);
    let ended = process::run({
        let mut command = command(&home.program, data.path(), &line);
        command.env("XDG_STATE_HOME", home.folder.path().join("state"));
        command
    });
    assert!(ended.status.success(), "{}", ended.output);
    assert!(is_there(data.path(), "tokens.json"));
    assert!(!home.state().exists());
}
