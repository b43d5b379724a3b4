//! Finding the clients, and saying loudly which one is missing. A client that is not installed
//! leaves its tests out; with `CI=true` that is a failure.

use std::{
    env,
    io::Write,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Condvar, Mutex, MutexGuard},
};

/// A client of the server that a test drives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    /// Today's Chromium.
    Chromium,
    /// Chromium 64: TVs of 2019 (63).
    Chromium64,
    /// Chromium 67: TVs of 2020.
    Chromium67,
    /// Chromium 69: Samsung's TVs of 2020.
    Chromium69,
    /// Chromium 80: TVs of 2021.
    Chromium80,
    /// Chromium 88: TVs of 2022.
    Chromium88,
    /// Chromium 102: TVs of 2024 (108).
    Chromium102,
    /// hls.js, a script for pages.
    HlsJs,
    /// Firefox.
    Firefox,
    /// WebKitGTK's MiniBrowser on a display of its own, driven by WebKitWebDriver; a stand-in for
    /// Safari.
    WebKit,
    /// VLC without a window.
    Vlc,
    /// ffmpeg and ffprobe.
    Ffmpeg,
    /// mpv.
    Mpv,
    /// An X server without hardware, for programs that must have a window.
    Xvfb,
    /// nginx, as a proxy.
    Nginx,
    /// GStreamer's `gst-launch-1.0`.
    Gstreamer,
    /// curl.
    Curl,
    /// Mosquitto, a broker of MQTT, and its clients.
    Mosquitto,
    /// The server of NATS, by which machines of one house talk.
    Nats,
    /// µStreamer, which shows a picture of one's own where there is no camera.
    Ustreamer,
    /// The library that gives a program another wall clock; not a program itself.
    Faketime,
    /// systemd's check of units.
    SystemdAnalyze,
    /// Python with OpenCV.
    Opencv,
    /// Python with Matplotlib and Pillow.
    Matplotlib,
    /// Python with aiortc, a WebRTC of its own.
    Aiortc,
    /// The emulator that runs single programs of aarch64.
    Qemu,
    /// What builds images without a daemon.
    Buildah,
}

impl Client {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Client::Chromium => "Chromium",
            Client::Chromium64 => "Chromium 64",
            Client::Chromium67 => "Chromium 67",
            Client::Chromium69 => "Chromium 69",
            Client::Chromium80 => "Chromium 80",
            Client::Chromium88 => "Chromium 88",
            Client::Chromium102 => "Chromium 102",
            Client::HlsJs => "hls.js",
            Client::Firefox => "Firefox",
            Client::WebKit => "WebKit",
            Client::Vlc => "VLC",
            Client::Ffmpeg => "ffmpeg",
            Client::Mpv => "mpv",
            Client::Xvfb => "Xvfb",
            Client::Nginx => "nginx",
            Client::Gstreamer => "GStreamer",
            Client::Curl => "curl",
            Client::Mosquitto => "Mosquitto",
            Client::Nats => "nats-server",
            Client::Ustreamer => "µStreamer",
            Client::Faketime => "libfaketime with qemu",
            Client::SystemdAnalyze => "systemd-analyze",
            Client::Opencv => "OpenCV",
            Client::Matplotlib => "Matplotlib and Pillow",
            Client::Aiortc => "aiortc",
            Client::Qemu => "qemu-aarch64",
            Client::Buildah => "buildah",
        }
    }

    /// The programs that it takes, the one to start first.
    fn programs(self) -> Vec<Result<PathBuf, String>> {
        match self {
            Client::Chromium => vec![on_path("chromium").or_else(|_| on_path("chromium-browser"))],
            Client::Chromium64 => vec![in_clients_folder("chromium-64/chromium")],
            Client::Chromium67 => vec![in_clients_folder("chromium-67/chromium")],
            Client::Chromium69 => vec![in_clients_folder("chromium-69/chromium")],
            Client::Chromium80 => vec![in_clients_folder("chromium-80/chromium")],
            Client::Chromium88 => vec![in_clients_folder("chromium-88/chromium")],
            Client::Chromium102 => vec![in_clients_folder("chromium-102/chromium")],
            Client::HlsJs => vec![in_clients_folder("hls.js-1.7.4/hls.js")],
            Client::Firefox => vec![on_path("firefox-esr").or_else(|_| on_path("firefox"))],
            Client::WebKit => {
                vec![
                    on_path("xvfb-run"),
                    on_path("WebKitWebDriver"),
                    mini_browser(),
                ]
            }
            Client::Vlc => vec![on_path("cvlc")],
            Client::Ffmpeg => vec![on_path("ffmpeg"), on_path("ffprobe")],
            Client::Mpv => vec![on_path("mpv")],
            Client::Xvfb => vec![on_path("Xvfb")],
            Client::Nginx => vec![on_path("nginx").or_else(|_| in_sbin("nginx"))],
            Client::Gstreamer => vec![on_path("gst-launch-1.0")],
            Client::Curl => vec![on_path("curl")],
            Client::Mosquitto => vec![
                on_path("mosquitto").or_else(|_| in_sbin("mosquitto")),
                on_path("mosquitto_sub"),
                on_path("mosquitto_pub"),
                on_path("mosquitto_passwd"),
            ],
            Client::Nats => vec![on_path("nats-server").or_else(|_| in_sbin("nats-server"))],
            Client::Ustreamer => vec![on_path("ustreamer")],
            Client::Faketime => vec![
                in_libraries("faketime/libfaketime.so.1"),
                on_path(&format!("qemu-{}", env::consts::ARCH)),
            ],
            Client::SystemdAnalyze => vec![on_path("systemd-analyze")],
            Client::Opencv => vec![python_with("cv2")],
            Client::Matplotlib => vec![python_with("matplotlib, PIL")],
            Client::Aiortc => vec![python_with("aiortc")],
            Client::Qemu => {
                vec![on_path("qemu-aarch64").or_else(|_| on_path("qemu-aarch64-static"))]
            }
            Client::Buildah => vec![on_path("buildah")],
        }
    }
}

/// The programs of a client, or `None`, after a line that says what was left out, when one is
/// missing. `use` it as `let Some(programs) = require(…) else { return };`.
pub(crate) fn require(client: Client) -> Option<Vec<PathBuf>> {
    let programs: Result<Vec<_>, _> = client.programs().into_iter().collect();
    match programs {
        Ok(programs) => Some(programs),
        Err(missing) => {
            left_out(client.name(), &missing, false);
            None
        }
    }
}

/// Says on the terminal that the running test was left out, and why.
pub(crate) fn left_out(what: &str, missing: &str, is_optional: bool) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    let line = format!("LEFT OUT: {what} ({missing}): {test}");
    // Past the test harness, which swallows what a passing test prints.
    let _ = writeln!(std::io::stderr(), "{line}");
    let is_ci = env::var("CI").is_ok_and(|value| value == "true");
    assert!(
        !is_ci || is_optional,
        "{line}; with CI=true that is a failure"
    );
}

/// Whether this test is put off: the archive that it tries is being packed, and a later run tries it, by the list of names
/// in the file that `MANTEL_PUT_OFF` names.
pub(crate) fn is_put_off() -> bool {
    let Some(list) = env::var_os("MANTEL_PUT_OFF") else {
        return false;
    };
    let thread = std::thread::current();
    let test = thread.name().expect("a test's own thread has its name");
    let mut list = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(list)
        .expect("the list of tests that are put off");
    // In one piece: tests run side by side.
    list.write_all(format!("{test}\n").as_bytes())
        .expect("a name in the list of tests that are put off");
    true
}

/// The project's own folder for tools and old engines.
pub(crate) fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("."))
}

/// Whether the tests run as root, which some clients refuse.
pub(crate) fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// A command for `program` that runs as `nobody` where the tests run as root.
pub(crate) fn as_somebody(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"])
        .arg(program);
    command
}

fn on_path(program: &str) -> Result<PathBuf, String> {
    let folders = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&folders)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
        .ok_or_else(|| format!("{program} not found on PATH"))
}

/// Debian keeps daemons where only root's PATH leads.
fn in_sbin(program: &str) -> Result<PathBuf, String> {
    let path = Path::new("/usr/sbin").join(program);
    if path.is_file() {
        Ok(path)
    } else {
        Err(format!("{program} found neither on PATH nor in /usr/sbin"))
    }
}

/// Debian's own Python first: its packages are not seen by another one on PATH.
fn python_with(modules: &str) -> Result<PathBuf, String> {
    [PathBuf::from("/usr/bin/python3"), PathBuf::from("python3")]
        .into_iter()
        .find(|python| {
            let mut import = Command::new(python);
            import
                .args(["-c", &format!("import {modules}")])
                .stderr(Stdio::null());
            import.status().is_ok_and(|status| status.success())
        })
        .ok_or_else(|| format!("no python3 that can import {modules}"))
}

fn in_clients_folder(program: &str) -> Result<PathBuf, String> {
    let folder = env::var_os("MANTEL_CLIENTS")
        .map_or_else(|| workspace().join(".tools/clients"), PathBuf::from);
    let path = folder.join(program);
    if path.is_file() {
        Ok(path)
    } else {
        Err(format!("{} not found", path.display()))
    }
}

/// Debian keeps it off PATH, in a folder named after the machine and the library's version.
fn mini_browser() -> Result<PathBuf, String> {
    in_libraries("MiniBrowser")
}

/// A file in one of the system's folders for libraries, or in a folder of one.
fn in_libraries(name: &str) -> Result<PathBuf, String> {
    let folders = |path: &Path| -> Vec<PathBuf> {
        std::fs::read_dir(path)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .collect()
    };
    ["/usr/lib", "/usr/libexec"]
        .iter()
        .flat_map(|root| folders(Path::new(root)))
        .flat_map(|folder| [vec![folder.clone()], folders(&folder)].concat())
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
        .ok_or_else(|| format!("{name} not found"))
}

/// What browsers may take at a time of two cores: three of them, or two of those that are watched.
const ALL: usize = 6;
/// What a browser takes.
const BROWSER: usize = 2;
/// What one takes in a room whose tests tell what is on screen when, and so does a player without a window.
const WATCHED: usize = 3;
/// Those rooms. Not among them: tests that compare two screens with one another, which would wait for the whole machine.
const WATCHING: [&str; 5] = ["clips", "delay", "paint", "players", "video"];
static TAKEN: Mutex<usize> = Mutex::new(0);
static GIVEN_BACK: Condvar = Condvar::new();

/// Leave to run some browsers; given back on drop. Take all that a test needs in one go, so that
/// two tests can't wait for one another.
pub(crate) struct Permit(usize);

impl Permit {
    /// Waits until `n` (at most two) more browsers may run.
    pub(crate) fn for_browsers(n: usize) -> Self {
        let test = std::thread::current();
        let room = test.name().and_then(|name| name.split("::").next());
        let is_watched = room.is_some_and(|room| WATCHING.contains(&room));
        Self::take(n * if is_watched { WATCHED } else { BROWSER })
    }

    /// Waits until a player without a window may run, in a test without a browser.
    pub(crate) fn for_player() -> Self {
        Self::take(WATCHED)
    }

    fn take(share: usize) -> Self {
        assert!(share <= ALL, "never more than {ALL}");
        let taken: MutexGuard<'_, usize> = TAKEN
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut taken = GIVEN_BACK
            .wait_while(taken, |taken| *taken + share > ALL)
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        *taken += share;
        Permit(share)
    }

    /// One of two, given back on its own.
    pub(crate) fn split(mut self) -> (Permit, Permit) {
        let half = self.0 / 2;
        self.0 -= half;
        (Permit(half), self)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        *TAKEN
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) -= self.0;
        GIVEN_BACK.notify_all();
    }
}

/// Where tests leave pictures for people: `screens` in the target folder; CI keeps them.
pub(crate) fn artefact(name: &str) -> PathBuf {
    let target = env::current_exe().unwrap_or_default();
    let folder = target
        .ancestors()
        .nth(3)
        .map_or_else(env::temp_dir, Path::to_path_buf)
        .join("screens");
    std::fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    folder.join(name)
}
