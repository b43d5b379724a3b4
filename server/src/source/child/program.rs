//! A program of other people's that runs: started without a shell and with little of the environment, its output read as it
//! comes, and ended, with all that it has started, when it is dropped. On Linux a supervisor sees to that
//! (`supervisor`), also when the server is killed; elsewhere the program alone is killed.

#![expect(
    clippy::disallowed_methods,
    reason = "this is where other people's programs are started, with a part of the environment"
)]

use std::{
    ffi::{OsStr, OsString},
    io,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::OnceLock,
    time::Duration,
};

use tokio::{
    io::AsyncWriteExt as _,
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
    runtime::Handle,
    sync::OwnedSemaphorePermit,
    time::timeout,
};

use super::supervisor;
use crate::files;

/// The program that supervises others; without one they are started as they are.
static SUPERVISOR: OnceLock<PathBuf> = OnceLock::new();

/// How long a supervisor may take to end: longer than it kills for.
const END_WITHIN: Duration = Duration::from_secs(15);

/// The variables that programs are given: where to find programs, files, screens and words, and nothing of Mantel's.
const VARIABLES: [&str; 13] = [
    "DISPLAY",
    "HOME",
    "LANG",
    "LANGUAGE",
    "LD_LIBRARY_PATH",
    "LOGNAME",
    "PATH",
    "TMPDIR",
    "TZ",
    "USER",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "XDG_RUNTIME_DIR",
];
/// The beginnings of names of more: languages, what chooses a graphics driver or tunes a camera's.
const PREFIXES: [&str; 3] = ["LC_", "LIBCAMERA_", "LIBVA_"];

/// Has programs be supervised by `program`, which becomes a supervisor when it is asked to: this one, or a test's.
/// Done once; the first one stays.
pub fn supervise_by(program: PathBuf) {
    if cfg!(target_os = "linux") {
        let _ = SUPERVISOR.set(program);
    }
}

/// A program, its arguments, and what it is given to read.
#[derive(Clone, PartialEq, Eq)]
pub struct Line {
    /// The program's name or path.
    pub program: OsString,
    /// The arguments, which everyone on this machine can read.
    pub arguments: Vec<OsString>,
    /// The bytes on its standard input, at most 16 KB, which nobody else can.
    pub input: Vec<u8>,
}

/// The end of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// There is no such program.
    NotFound,
    /// It can't be started, for this reason.
    NotStarted(String),
    /// It ended with this status.
    Status(i32),
    /// This signal ended it.
    Signal(i32),
}

/// A program that runs, until this is dropped.
pub struct Running {
    /// The process itself, until it is ended.
    pub process: Option<Process>,
    /// The pipe of its standard output.
    pub stdout: ChildStdout,
    /// The pipe of its standard error.
    pub stderr: ChildStderr,
}

/// The process of a program, or of its supervisor.
pub struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    is_supervised: bool,
    /// Given back when nothing of it is left.
    _place: OwnedSemaphorePermit,
}

/// A program that is ready to be started.
pub(super) struct Prepared {
    pub(super) command: std::process::Command,
    /// Whether it is started by a supervisor.
    pub(super) is_supervised: bool,
}

/// The command that starts a program, with a supervisor over it where there is one.
pub(super) fn prepared(line: &Line) -> Prepared {
    let supervisor = SUPERVISOR.get();
    let program = supervisor.map_or(line.program.as_os_str(), |path| path.as_os_str());
    let mut command = std::process::Command::new(program);
    if supervisor.is_some() {
        // Its name in lists of processes.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::arg0(&mut command, "mantel");
        command.args([supervisor::COMMAND, "--"]).arg(&line.program);
    }
    command.args(&line.arguments);
    with_environment(&mut command);
    Prepared {
        command,
        is_supervised: supervisor.is_some(),
    }
}

/// Gives a program the part of the environment that is meant for it.
pub(super) fn with_environment(command: &mut std::process::Command) {
    command
        .env_clear()
        .envs(std::env::vars_os().filter(|(name, _)| is_passed_on(name)));
}

/// The bytes that go to its standard input: a supervisor wants to know how many of them are the program's.
pub(super) fn message(line: &Line, is_supervised: bool) -> Vec<u8> {
    let length = u32::try_from(line.input.len()).unwrap_or(u32::MAX);
    let length = length.to_be_bytes();
    let head: &[u8] = if is_supervised { &length } else { &[] };
    [head, &line.input].concat()
}

impl Running {
    /// Starts the program. It holds `place` until it has ended, which is after it was dropped.
    ///
    /// # Errors
    /// How it ended, where it can't be started at all.
    pub async fn start(line: &Line, place: OwnedSemaphorePermit) -> Result<Self, Ending> {
        let Prepared {
            command,
            is_supervised,
        } = prepared(line);
        let mut command = Command::from(command);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command
            // A supervisor ends others, which takes a moment.
            .kill_on_drop(!is_supervised)
            .spawn()
            .map_err(|error| not_started(&error, is_supervised))?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(mut stdin), Some(stdout), Some(stderr)) = pipes else {
            return Err(Ending::NotStarted("it has no pipes".into()));
        };
        // Errors here are its early end, which is told below.
        let _ = stdin.write_all(&message(line, is_supervised)).await;
        let stdin = is_supervised.then_some(stdin);
        let process = Process {
            child,
            stdin,
            is_supervised,
            _place: place,
        };
        Ok(Self {
            process: Some(process),
            stdout,
            stderr,
        })
    }

    /// Ends it, if it hasn't ended, and says how it did; `said` is the last line on its standard error.
    pub async fn end(mut self, said: &str) -> Ending {
        match self.process.take() {
            Some(process) => ending(process.end().await, said),
            None => Ending::Status(0),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Without a runtime the server itself ends, and its end of the pipe with it.
        if let (Some(process), Ok(runtime)) = (self.process.take(), Handle::try_current()) {
            runtime.spawn(process.end());
        }
    }
}

impl Process {
    /// Waits until it has ended; what it has written may still have to be read.
    pub async fn ended(&mut self) {
        // An error is an end, too: of what can be known of it.
        let _ = self.child.wait().await;
    }

    async fn end(mut self) -> Option<ExitStatus> {
        let id = self.child.id();
        drop(self.stdin.take());
        if !self.is_supervised && !self.has_ended_soon().await {
            let _ = self.child.start_kill();
        }
        let ended = timeout(END_WITHIN, self.child.wait()).await;
        let status = match ended {
            Ok(status) => status.ok(),
            Err(_) => {
                let _ = self.child.start_kill();
                None
            }
        };
        if self.is_supervised && status.is_none_or(|status| status.code().is_none()) {
            end_group(id);
        }
        status
    }

    /// Whether it ends by itself: its output has, or nobody wants it any more.
    async fn has_ended_soon(&mut self) -> bool {
        let soon = Duration::from_millis(200);
        timeout(soon, self.child.wait()).await.is_ok()
    }
}

/// Kills what a supervisor leaves behind that was itself killed: they are one process group, whose number nobody else gets
/// as long as one of them is left.
pub(super) fn end_group(supervisor: Option<u32>) {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Pid, Signal, kill_process_group};
        let id = supervisor.and_then(|id| i32::try_from(id).ok());
        if let Some(group) = id.and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = supervisor;
}

fn is_passed_on(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| {
        VARIABLES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
    })
}

/// Why nothing was started: the program, or the supervisor that was to start it.
pub(super) fn not_started(error: &io::Error, is_supervised: bool) -> Ending {
    match error.kind() {
        io::ErrorKind::NotFound if !is_supervised => Ending::NotFound,
        _ => Ending::NotStarted(files::plain(error)),
    }
}

/// How it ended, by what its supervisor says.
pub(super) fn ending(status: Option<ExitStatus>, said: &str) -> Ending {
    let Some(status) = status else {
        return Ending::NotStarted("it does not end".into());
    };
    let Some(code) = status.code() else {
        return Ending::Signal(signal(status));
    };
    let not_started = said.strip_prefix(supervisor::NOT_STARTED);
    match not_started.filter(|_| code == i32::from(supervisor::NOT_STARTED_STATUS)) {
        Some(supervisor::NOT_FOUND) => Ending::NotFound,
        Some(reason) => Ending::NotStarted(reason.to_owned()),
        None => match code - i32::from(supervisor::SIGNALLED) {
            signal @ 1..=64 => Ending::Signal(signal),
            _ => Ending::Status(code),
        },
    }
}

fn signal(status: ExitStatus) -> i32 {
    #[cfg(unix)]
    return std::os::unix::process::ExitStatusExt::signal(&status).unwrap_or(0);
    #[cfg(not(unix))]
    {
        let _ = status;
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_get_nothing_of_mantels() {
        for (name, is_passed) in [
            ("PATH", true),
            ("LC_ALL", true),
            ("MANTEL_USER", false),
            ("LD_PRELOAD", false),
            ("AWS_SECRET_ACCESS_KEY", false),
        ] {
            assert_eq!(is_passed_on(OsStr::new(name)), is_passed, "{name}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_supervisors_status_tells_how_the_program_ended() {
        use std::os::unix::process::ExitStatusExt as _;
        let ending =
            |code: i32, said: &str| super::ending(Some(ExitStatus::from_raw(code << 8)), said);
        assert_eq!(ending(1, "no"), Ending::Status(1));
        assert_eq!(ending(137, ""), Ending::Signal(9));
        assert_eq!(ending(127, "sh: 1: nosuch: not found"), Ending::Status(127));
        assert_eq!(ending(127, "mantel supervise: not found"), Ending::NotFound);
        let reason = "permission denied";
        assert_eq!(
            ending(127, "mantel supervise: permission denied"),
            Ending::NotStarted(reason.into())
        );
        assert_eq!(
            super::ending(Some(ExitStatus::from_raw(9)), ""),
            Ending::Signal(9)
        );
    }
}
