//! The supervisor of a program that brings pictures: this same program as a process of its own (`mantel supervise`), between
//! the server and the program. It starts the program, waits for its end or for the server's, and ends whatever the program
//! has started by then. So nothing is left behind, however the server ends: the end of its standard input tells. Output
//! goes past it, by the descriptors that the program inherits.
//!
//! Its standard input begins with what the program is to read, the length first.

use std::{ffi::OsString, process::ExitCode};

/// The word on the command line by which the program becomes a supervisor.
pub(super) const COMMAND: &str = "supervise";

/// The beginning of the line that it writes when the program can't be started, and its status then.
pub(super) const NOT_STARTED: &str = "mantel supervise: ";
pub(super) const NOT_STARTED_STATUS: u8 = 127;

/// The line's end where there is no such program.
pub(super) const NOT_FOUND: &str = "not found";

/// The statuses that tell of a program that a signal has ended begin above this one, as in a shell.
pub(super) const SIGNALLED: u8 = 128;

/// Whether the program was started to be a supervisor: then it is one until nothing is left to be supervised, and that
/// was all.
pub fn ran_as_supervisor(line: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    let line: Vec<OsString> = line.into_iter().collect();
    match line.as_slice() {
        [command, dashes, program, arguments @ ..] if command == COMMAND && dashes == "--" => {
            Some(run(program, arguments))
        }
        _ => None,
    }
}

#[cfg(not(target_os = "linux"))]
fn run(_program: &OsString, _arguments: &[OsString]) -> ExitCode {
    eprintln!("{NOT_STARTED}there are no supervisors on this system");
    ExitCode::from(NOT_STARTED_STATUS)
}

#[cfg(target_os = "linux")]
use linux::run;

#[cfg(target_os = "linux")]
mod linux {
    #![expect(
        clippy::disallowed_methods,
        reason = "this is the process that starts another one; files of /proc do not wait"
    )]

    use std::{
        collections::{HashMap, VecDeque},
        ffi::OsString,
        fs,
        io::{self, Read as _, Write as _},
        process::{Command, ExitCode, Stdio},
        sync::mpsc,
        thread,
        time::Duration,
    };

    use rustix::{
        io::Errno,
        process::{
            Pid, Signal, WaitOptions, WaitStatus, getpid, kill_process, set_child_subreaper,
            setsid, wait,
        },
    };

    use crate::files;

    use super::{NOT_FOUND, NOT_STARTED, NOT_STARTED_STATUS, SIGNALLED};

    /// How long programs have to end by themselves once they were asked to.
    const PATIENCE: Duration = Duration::from_secs(1);
    /// How often those that don't are killed again, with what they have started meanwhile, and how far apart.
    const N_KILLS: u32 = 100;
    const BETWEEN_KILLS: Duration = Duration::from_millis(100);

    /// The most bytes that a program is given to read: they fit into a pipe at once.
    const MAX_INPUT_BYTES: u32 = 16 << 10;

    /// The status of what is killed.
    const KILLED: u8 = SIGNALLED + 9;

    enum Event {
        /// The program has ended, with this status.
        Ended(u8),
        /// Nothing that it has started is left.
        AllGone,
        /// The server wants no more, or is gone.
        Stop,
    }

    pub(super) fn run(program: &OsString, arguments: &[OsString]) -> ExitCode {
        let status = supervise(program, arguments).unwrap_or_else(|error| {
            let reason = match error.kind() {
                io::ErrorKind::NotFound => NOT_FOUND.to_owned(),
                _ => files::plain(&error),
            };
            eprintln!("{NOT_STARTED}{reason}");
            NOT_STARTED_STATUS
        });
        ExitCode::from(status)
    }

    fn supervise(program: &OsString, arguments: &[OsString]) -> io::Result<u8> {
        // No terminal's Ctrl-C comes here: the server's end does. Who leads a session already goes on as it is.
        let _ = setsid();
        // Whatever the program's children leave behind when they end becomes a child of this process.
        set_child_subreaper(Some(getpid()))?;
        let input = input()?;
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(if input.is_empty() {
                Stdio::null()
            } else {
                Stdio::piped()
            })
            .spawn()?;
        if let Some(mut to) = child.stdin.take() {
            // It may have ended already; its status tells.
            let _ = to.write_all(&input);
        }
        let (tell, events) = mpsc::channel();
        let tell_stop = tell.clone();
        thread::spawn(move || {
            // Nothing comes but the end.
            let _ = io::copy(&mut io::stdin(), &mut io::sink());
            let _ = tell_stop.send(Event::Stop);
        });
        let id = child.id();
        thread::spawn(move || reap(id, &tell));
        let mut ended = None;
        if let Ok(Event::Ended(status)) = events.recv() {
            ended = Some(status);
        }
        end_all(&events, &mut ended);
        Ok(ended.unwrap_or(KILLED))
    }

    fn input() -> io::Result<Vec<u8>> {
        let mut length = [0; 4];
        let mut from = io::stdin().lock();
        from.read_exact(&mut length)?;
        let length = u32::from_be_bytes(length);
        if length > MAX_INPUT_BYTES {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let mut input = vec![0; length as usize];
        from.read_exact(&mut input)?;
        Ok(input)
    }

    /// Waits for every child, until there are none.
    fn reap(program: u32, tell: &mpsc::Sender<Event>) {
        loop {
            match wait(WaitOptions::empty()) {
                Ok(Some((pid, status))) if pid.as_raw_nonzero().get().unsigned_abs() == program => {
                    let _ = tell.send(Event::Ended(code(status)));
                }
                Ok(_) | Err(Errno::INTR) => {}
                Err(_) => {
                    let _ = tell.send(Event::AllGone);
                    return;
                }
            }
        }
    }

    fn code(status: WaitStatus) -> u8 {
        let code = match status.terminating_signal() {
            Some(signal) => i32::from(SIGNALLED) + signal,
            None => status.exit_status().unwrap_or(0),
        };
        u8::try_from(code).unwrap_or(u8::MAX)
    }

    /// Ends all that is left: asks first, then kills. What can't be killed, because a drive doesn't answer, is left alone
    /// in the end.
    fn end_all(events: &mpsc::Receiver<Event>, ended: &mut Option<u8>) {
        let mut is_all_gone_within = |patience: Duration| {
            loop {
                match events.recv_timeout(patience) {
                    Ok(Event::Ended(status)) => *ended = Some(status),
                    Ok(Event::Stop) => {}
                    Ok(Event::AllGone) | Err(mpsc::RecvTimeoutError::Disconnected) => return true,
                    Err(mpsc::RecvTimeoutError::Timeout) => return false,
                }
            }
        };
        signal_all(Signal::TERM);
        if is_all_gone_within(PATIENCE) {
            return;
        }
        for _ in 0..N_KILLS {
            signal_all(Signal::KILL);
            if is_all_gone_within(BETWEEN_KILLS) {
                return;
            }
        }
    }

    fn signal_all(signal: Signal) {
        for pid in descendants() {
            // It may have ended meanwhile.
            let _ = kill_process(pid, signal);
        }
    }

    /// The processes that this one has started, and those that they have started.
    fn descendants() -> Vec<Pid> {
        let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let name = entry.file_name();
            let pid = name.to_str().and_then(|name| name.parse::<i32>().ok());
            let Some(pid) = pid else { continue };
            if let Some(parent) = fs::read_to_string(format!("/proc/{pid}/stat"))
                .ok()
                .and_then(|stat| parent(&stat))
            {
                children.entry(parent).or_default().push(pid);
            }
        }
        let mut found = Vec::new();
        let mut parents = VecDeque::from([getpid().as_raw_nonzero().get()]);
        while let Some(parent) = parents.pop_front() {
            for pid in children.remove(&parent).into_iter().flatten() {
                found.extend(Pid::from_raw(pid));
                parents.push_back(pid);
            }
        }
        found
    }

    /// The parent that a line of /proc/PID/stat names: the second word behind the program's name, which may hold anything.
    fn parent(stat: &str) -> Option<i32> {
        let (_, behind) = stat.rsplit_once(')')?;
        behind.split_whitespace().nth(1)?.parse().ok()
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_parent_is_found_behind_any_name() {
            assert_eq!(parent("12 (sh) S 7 12 12 0"), Some(7));
            assert_eq!(parent("12 (a) S 3 (b) R 7 12"), Some(7));
            assert_eq!(parent("12 (sh"), None);
            assert_eq!(parent(""), None);
            let own = fs::read_to_string("/proc/self/stat").unwrap();
            assert_eq!(
                parent(&own).map(i32::unsigned_abs),
                Some(std::os::unix::process::parent_id())
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_line_makes_a_supervisor() {
        for line in [
            vec![],
            vec!["supervise"],
            vec!["supervise", "--"],
            vec!["supervise", "true"],
            vec!["photos", "--", "true"],
        ] {
            let line = line.into_iter().map(OsString::from);
            assert!(ran_as_supervisor(line).is_none());
        }
    }
}
