//! Child processes that can't outlive a test: each in a process group of its own, ended as a
//! whole, and every wait bounded.

use std::{
    io::{BufRead, BufReader, Read},
    os::unix::process::CommandExt,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use super::{LIMIT, eventually};

/// A running program whose output is collected line by line. Killed, with all its children, on
/// drop.
pub(crate) struct Process {
    child: Child,
    output: Arc<Mutex<String>>,
}

/// How a program ended.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    /// Both streams, in the order in which lines came.
    pub(crate) output: String,
}

impl Process {
    /// Starts `command` in a new process group. Its stdin is empty.
    pub(crate) fn start(mut command: Command) -> Self {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{:?} did not start: {error}", command.get_program()));
        let output = Arc::new(Mutex::new(String::new()));
        if let Some(pipe) = child.stdout.take() {
            collect(pipe, Arc::clone(&output));
        }
        if let Some(pipe) = child.stderr.take() {
            collect(pipe, Arc::clone(&output));
        }
        Self { child, output }
    }

    /// Everything that was written so far.
    pub(crate) fn output(&self) -> String {
        self.output.lock().expect("no reader panics").clone()
    }

    /// The first value that `find` makes of a line of output.
    pub(crate) fn await_line<T>(&mut self, what: &str, find: impl Fn(&str) -> Option<T>) -> T {
        eventually(what, || {
            let output = self.output();
            if let Some(found) = output.lines().find_map(&find) {
                return Ok(found);
            }
            match self.child.try_wait() {
                Ok(Some(status)) => panic!("ended with {status} before {what}:\n{output}"),
                _ => Err(output),
            }
        })
    }

    /// Waits until this was written: what is told over HTTP may be ahead of the log by a moment.
    pub(crate) fn await_output(&self, part: &str) {
        eventually(&format!("{part:?} in the output"), || {
            let output = self.output();
            if output.contains(part) {
                Ok(())
            } else {
                Err(output)
            }
        });
    }

    /// Its number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal, by name without SIG, to the program itself.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status();
        assert!(
            sent.is_ok_and(|status| status.success()),
            "could not send SIG{name}"
        );
    }

    /// Waits until the program ends by itself.
    pub(crate) fn ended(mut self) -> Ended {
        let status = self.ended_within(LIMIT);
        Ended {
            status,
            output: self.output(),
        }
    }

    fn ended_within(&mut self, limit: Duration) -> ExitStatus {
        let deadline = Instant::now() + limit;
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                // The pipes close with the process; give their readers a moment to drain them.
                let drained = Instant::now() + Duration::from_secs(2);
                while Arc::strong_count(&self.output) > 1 && Instant::now() < drained {
                    thread::sleep(Duration::from_millis(5));
                }
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "still running after {limit:?}:\n{}",
                self.output()
            );
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill")
            .args(["-s", "KILL", "--", &group])
            .stderr(Stdio::null())
            .status();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a program to its end.
pub(crate) fn run(command: Command) -> Ended {
    Process::start(command).ended()
}

fn collect(pipe: impl Read + Send + 'static, output: Arc<Mutex<String>>) {
    thread::spawn(move || {
        let mut reader = BufReader::new(pipe);
        let mut line = Vec::new();
        while reader
            .read_until(b'\n', &mut line)
            .is_ok_and(|n_bytes| n_bytes > 0)
        {
            if let Ok(mut text) = output.lock() {
                text.push_str(&String::from_utf8_lossy(&line));
            }
            line.clear();
        }
    });
}
