//! A program that is fed and read for as long as it runs, by one thread each. It needs no supervisor: it starts nothing by itself, and the
//! end of its input, which the server's own end is, too, ends it.

#![expect(
    clippy::disallowed_methods,
    reason = "this is where other people's programs are started"
)]

use std::{
    io::{self, Read, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::mpsc::{self, Receiver, SyncSender},
    thread,
    time::Duration,
};

use super::program::{self, Ending, Line};

/// How much of what it says is kept.
const MAX_WORDS: u64 = 16 << 10;
/// How long its last words may take.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A program that runs until this is dropped.
#[derive(Debug)]
pub struct Piped {
    child: Child,
    input: Option<SyncSender<Vec<u8>>>,
    words: Receiver<String>,
}

impl Piped {
    /// Starts a program; what it writes is read from what comes with it.
    ///
    /// # Errors
    /// How it ended, where it can't be started.
    pub fn start(line: &Line) -> Result<(Self, ChildStdout), Ending> {
        let not_started = |error: io::Error| program::not_started(&error, false);
        let mut command = Command::new(&line.program);
        command.args(&line.arguments);
        program::with_environment(&mut command);
        // No terminal's Ctrl-C is its business: the server ends it.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().map_err(not_started)?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (input, taken) = mpsc::sync_channel(1);
        let (tell, words) = mpsc::channel();
        let piped = Self {
            child,
            input: Some(input),
            words,
        };
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            return Err(Ending::NotStarted("it has no pipes".into()));
        };
        let spawn = |name: &str| thread::Builder::new().name(name.into());
        spawn("pipe-in")
            .spawn(move || feed(stdin, &taken))
            .map_err(not_started)?;
        spawn("pipe-said")
            .spawn(move || {
                let mut stderr = stderr;
                let mut said = Vec::new();
                let _ = stderr.by_ref().take(MAX_WORDS).read_to_end(&mut said);
                let _ = tell.send(String::from_utf8_lossy(&said).into_owned());
                let _ = io::copy(&mut stderr, &mut io::sink());
            })
            .map_err(not_started)?;
        Ok((piped, stdout))
    }

    /// Gives it something to read, behind what it was given before. Whether it is still there shows by what it writes.
    pub fn give(&self, bytes: Vec<u8>) {
        if let Some(input) = &self.input {
            let _ = input.send(bytes);
        }
    }

    /// The process's number.
    #[cfg(test)]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it, and says how it ended, with the last line that it said.
    pub fn end(&mut self) -> (Ending, String) {
        // One that has ended by itself has another status than one that is killed.
        let status = match self.child.try_wait() {
            Ok(Some(status)) => Some(status),
            _ => {
                let _ = self.child.kill();
                self.child.wait().ok()
            }
        };
        self.input = None;
        let said = self.words.recv_timeout(LAST_WORDS).unwrap_or_default();
        let last = said.lines().rev().find(|line| !line.trim().is_empty());
        let last: String = last
            .unwrap_or("")
            .chars()
            .filter(|c| !c.is_control())
            .take(300)
            .collect();
        (program::ending(status, &last), last)
    }
}

impl Drop for Piped {
    fn drop(&mut self) {
        self.input = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn feed(mut stdin: ChildStdin, taken: &Receiver<Vec<u8>>) {
    while let Ok(bytes) = taken.recv() {
        if stdin
            .write_all(&bytes)
            .and_then(|()| stdin.flush())
            .is_err()
        {
            return;
        }
    }
}
