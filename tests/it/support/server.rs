//! The server under test: in this process, through the same `run` that the program calls, or as
//! the program itself where signals, messages and exit codes are the question.

use std::{
    env,
    ffi::{OsStr, OsString},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Command,
    sync::mpsc,
    thread::{self, JoinHandle},
};

use tempfile::TempDir;
use tokio::sync::oneshot;

use super::{
    LIMIT,
    clients::left_out,
    eventually,
    http::{self, Reply},
    pixels::{Picture, Rgb},
    process::Process,
};

/// Arguments of most tests: pictures in the order of their names, small so that a debug build
/// keeps up, and standing so long that only a command changes them.
pub(crate) const STANDING: [&str; 8] = [
    "--order",
    "name",
    "--size",
    "640x360",
    "--interval",
    "2h",
    "--transition",
    "cut",
];

/// A running server; stopped, and waited for, on drop.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// Its data directory.
    pub(crate) data: PathBuf,
    stop: Option<oneshot::Sender<()>>,
    ended: mpsc::Receiver<()>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves `folder` on a free port, with a data directory of its own.
    pub(crate) fn start(folder: &Path, args: &[&str]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let data = TempDir::with_prefix("mantel-data-").expect("a data directory");
        Self::start_on(listener, data, &[folder.as_os_str()], args)
    }

    /// Serves several folders, or none.
    pub(crate) fn start_with(folders: &[&Path], args: &[&str]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let data = TempDir::with_prefix("mantel-data-").expect("a data directory");
        let folders: Vec<&OsStr> = folders.iter().map(|folder| folder.as_os_str()).collect();
        Self::start_on(listener, data, &folders, args)
    }

    /// Serves on an address that was in use before, as a restarted server does.
    pub(crate) fn start_again(address: SocketAddr, folder: &Path, args: &[&str]) -> Self {
        let listener = eventually("the port to be free again", || {
            TcpListener::bind(address).map_err(|error| error.to_string())
        });
        let data = TempDir::with_prefix("mantel-data-").expect("a data directory");
        Self::start_on(listener, data, &[folder.as_os_str()], args)
    }

    fn start_on(listener: TcpListener, data: TempDir, folders: &[&OsStr], args: &[&str]) -> Self {
        let address = listener.local_addr().expect("a bound address");
        let mut line: Vec<OsString> = args.iter().map(OsString::from).collect();
        line.push("--data-dir".into());
        line.push(data.path().into());
        line.extend(folders.iter().map(OsString::from));
        let config = mantel::Config::from_args(&line)
            .unwrap_or_else(|error| panic!("{line:?} was refused: {error}"));
        listener
            .set_nonblocking(true)
            .expect("a listener for tokio");
        let data_path = data.path().to_owned();
        let (stop, stopped) = oneshot::channel::<()>();
        let (end, ended) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("mantel under test".into())
            .spawn(move || {
                let runtime = tokio::runtime::Builder::new_multi_thread()
                    .worker_threads(2)
                    .enable_all()
                    .build()
                    .expect("a runtime");
                let shutdown = async move {
                    let _ = stopped.await;
                };
                runtime.block_on(async {
                    let listener = tokio::net::TcpListener::from_std(listener);
                    let served = mantel::run(config, listener.expect("a listener"), shutdown).await;
                    served.expect("a data directory of its own");
                });
                runtime.shutdown_timeout(std::time::Duration::from_secs(2));
                let _ = end.send(());
                drop(data);
            })
            .expect("a thread for the server");
        Self {
            address,
            data: data_path,
            stop: Some(stop),
            ended,
            thread: Some(thread),
        }
    }

    /// Asks the server to stop and waits until it has; says whether it ended well in time.
    pub(crate) fn stop(mut self) -> Result<(), String> {
        self.end()
    }

    fn end(&mut self) -> Result<(), String> {
        let Some(stop) = self.stop.take() else {
            return Ok(());
        };
        let _ = stop.send(());
        let result = self
            .ended
            .recv_timeout(LIMIT)
            .map_err(|error| format!("the server did not end well: {error}"));
        if let Some(thread) = self.thread.take()
            && result.is_ok()
        {
            let _ = thread.join();
        }
        result
    }

    /// `GET target`.
    pub(crate) fn get(&self, target: &str) -> Reply {
        http::get(self.address, target)
    }

    /// A command without arguments, which must succeed.
    pub(crate) fn command(&self, name: &str) -> Reply {
        let reply = http::control(self.address, &format!("{{\"command\":\"{name}\"}}"));
        assert_eq!(reply.status(), 200, "{name}: {}", reply.text());
        reply
    }

    /// The current frame, decoded, once there is one.
    pub(crate) fn snapshot(&self) -> Picture {
        eventually("a snapshot", || {
            let reply = self.get("/snapshot");
            if reply.status() != 200 {
                return Err(format!("{}: {}", reply.status(), reply.text()));
            }
            Picture::from_jpeg(&reply.body)
        })
    }

    /// The test colour that is on screen.
    pub(crate) fn colour(&self) -> Rgb {
        eventually("a snapshot of one of the test photos", || {
            let colour = self.snapshot().middle();
            colour.named().ok_or_else(|| format!("{colour:?}"))
        })
    }

    /// `next`, and waits until the snapshot shows another of the test colours.
    pub(crate) fn advance(&self) -> Rgb {
        self.step("next")
    }

    /// Waits until the slide that is on is the one on screen: after a command its picture may have to be
    /// made first.
    pub(crate) fn settle(&self) {
        eventually("the slide that is on to be on screen", || {
            let on = self.get("/status").json()["channel"]["slide"]["number"].to_string();
            let snapshot = self.get("/snapshot");
            let shown = snapshot.head.get("x-slide").unwrap_or("none").to_owned();
            if on == shown {
                Ok(())
            } else {
                Err(format!("{shown} instead of {on}"))
            }
        });
    }

    /// The same for any command that changes the slide.
    pub(crate) fn step(&self, command: &str) -> Rgb {
        self.settle();
        let before = self.colour();
        self.command(command);
        eventually("another photo on /snapshot", || {
            let now = self.colour();
            if now == before {
                Err(format!("still {now:?}"))
            } else {
                Ok(now)
            }
        })
    }

    /// Whether the viewer is inside this build; says what is left out if it is not.
    pub(crate) fn has_viewer(&self) -> bool {
        let is_there = self.get("/").text().contains("mantel-viewer");
        if !is_there {
            left_out(
                "the viewer",
                "built without it; `cargo xtask test` builds both",
                false,
            );
        }
        is_there
    }

    /// The page, or a resource of it.
    pub(crate) fn url(&self, target: &str) -> String {
        format!("http://{}{target}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let result = self.end();
        if !thread::panicking() {
            result.expect("the server to end well");
        }
    }
}

/// The program's path: `MANTEL_BIN`, or the debug build beside this test. Says so when it is
/// missing.
pub(crate) fn program() -> Option<PathBuf> {
    let path = env::var_os("MANTEL_BIN").map_or_else(beside_this_test, PathBuf::from);
    if path.is_file() {
        return Some(path);
    }
    left_out(
        "mantel",
        &format!("no {}; `cargo build --package mantel`", path.display()),
        false,
    );
    None
}

fn beside_this_test() -> PathBuf {
    let test = env::current_exe().unwrap_or_default();
    test.ancestors()
        .nth(2)
        .unwrap_or(Path::new("."))
        .join("mantel")
}

/// A command for the program with a data directory of its own and nothing from the environment
/// that would change its settings.
pub(crate) fn command(program: &Path, data: &Path, args: &[&OsStr]) -> Command {
    let mut command = Command::new(program);
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("MANTEL_") {
            command.env_remove(name);
        }
    }
    command
        .env_remove("RUST_BACKTRACE")
        .arg("--data-dir")
        .arg(data)
        .args(args);
    command
}

/// The program, serving on a free port.
pub(crate) struct Program {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
    _data: TempDir,
}

impl Program {
    /// Starts it and waits until it names the address to open.
    pub(crate) fn start(program: &Path, folder: &Path, args: &[&str]) -> Self {
        let data = TempDir::with_prefix("mantel-data-").expect("a data directory");
        Self::start_in(program, data, folder, args, &[])
    }

    /// The same with a data directory that is there already, and something in the environment.
    pub(crate) fn start_in(
        program: &Path,
        data: TempDir,
        folder: &Path,
        args: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let mut line: Vec<&OsStr> = vec![OsStr::new("--listen"), OsStr::new("127.0.0.1:0")];
        line.extend(args.iter().map(OsStr::new));
        line.push(folder.as_os_str());
        let mut command = command(program, data.path(), &line);
        command.envs(environment.iter().copied());
        let mut process = Process::start(command);
        let address = process.await_line("the address to open", address_in);
        Self {
            process,
            address,
            _data: data,
        }
    }
}

/// The loopback address in a line such as `http://127.0.0.1:45123/`.
pub(crate) fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("http://127.0.0.1:")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    let port: u16 = digits.parse().ok().filter(|port| *port != 0)?;
    Some(SocketAddr::from(([127, 0, 0, 1], port)))
}
