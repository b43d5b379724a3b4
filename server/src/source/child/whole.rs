//! A program whose output is wanted as a whole: run to its end, by the clock, with no more output than was foreseen. Blocking.

use std::{
    io::{self, Read, Write as _},
    process::{Child, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use super::program::{self, Ending, Line, Prepared};

/// How much of what a program says on its standard error is kept.
const MAX_WORDS: u64 = 16 << 10;

/// How long the last words of a program that has ended may take.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Why there is no output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoOutput {
    /// It ended otherwise than well; with the last line that it said.
    Ended(Ending, String),
    /// It took too long.
    Slow,
    /// It wrote more than was foreseen.
    TooMuch,
}

/// Runs a program to its end; gives what it wrote, at most `max_bytes`, if it ended well `within` so long.
///
/// # Errors
/// It can't be started, ends badly, takes too long or writes too much. Nothing of it is left then.
pub fn run(line: &Line, max_bytes: usize, within: Duration) -> Result<Vec<u8>, NoOutput> {
    let Prepared {
        mut command,
        is_supervised,
    } = program::prepared(line);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| {
        NoOutput::Ended(program::not_started(&error, is_supervised), String::new())
    })?;
    let mut stdin = child.stdin.take();
    // An error is its early end, which is told below.
    if let Some(stdin) = &mut stdin {
        let _ = stdin.write_all(&program::message(line, is_supervised));
    }
    if !is_supervised {
        stdin = None;
    }
    let told = child.stderr.take().map(|from| read(from, MAX_WORDS, true));
    let output = child.stdout.take();
    let output = output.map(|from| read(from, max_bytes as u64 + 1, false));
    let output = match output {
        Some(Ok(output)) => output.recv_timeout(within),
        Some(Err(_)) | None => Err(RecvTimeoutError::Disconnected),
    };
    let is_slow = output == Err(RecvTimeoutError::Timeout);
    let is_too_much = output.as_ref().is_ok_and(|bytes| bytes.len() > max_bytes);
    if is_slow || is_too_much || output.is_err() {
        // A supervisor ends it, and what it has started.
        drop(stdin.take());
        if !is_supervised {
            let _ = child.kill();
        }
    }
    let status = ended(&mut child, is_supervised);
    drop(stdin);
    // Without a supervisor something may be left that holds the pipe.
    let words = told.and_then(Result::ok);
    let words = words.and_then(|words| words.recv_timeout(LAST_WORDS).ok());
    let words = String::from_utf8_lossy(&words.unwrap_or_default()).into_owned();
    let last = words.lines().rev().find(|line| !line.trim().is_empty());
    let last = last.unwrap_or("").trim().to_owned();
    if is_slow {
        return Err(NoOutput::Slow);
    }
    if is_too_much {
        return Err(NoOutput::TooMuch);
    }
    match (program::ending(status, &last), output) {
        (Ending::Status(0), Ok(bytes)) => Ok(bytes),
        (ending, _) => Err(NoOutput::Ended(ending, last)),
    }
}

fn ended(child: &mut Child, is_supervised: bool) -> Option<std::process::ExitStatus> {
    let id = child.id();
    let status = child.wait().ok();
    if is_supervised && status.is_none_or(|status| status.code().is_none()) {
        program::end_group(Some(id));
    }
    status
}

/// Reads from a pipe, but no more than `most`. What is beyond it `goes_on` unread, so that nobody is held up by a full pipe, or
/// else finds it closed.
fn read(
    mut from: impl Read + Send + 'static,
    most: u64,
    goes_on: bool,
) -> io::Result<mpsc::Receiver<Vec<u8>>> {
    let (tell, told) = mpsc::channel();
    thread::Builder::new().name("pipe".into()).spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.by_ref().take(most).read_to_end(&mut bytes);
        let _ = tell.send(bytes);
        if goes_on {
            let _ = io::copy(&mut from, &mut io::sink());
        }
    })?;
    Ok(told)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn sh(script: &str) -> Line {
        Line {
            program: "sh".into(),
            arguments: ["-c", script].map(Into::into).to_vec(),
            input: Vec::new(),
        }
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn output_comes_whole_or_not_at_all() {
        assert_eq!(run(&sh("printf abc"), 3, LONG), Ok(b"abc".to_vec()));
        assert_eq!(run(&sh("printf abcd"), 3, LONG), Err(NoOutput::TooMuch));
        assert_eq!(
            run(&sh("exec yes"), 1000, LONG),
            Err(NoOutput::TooMuch),
            "without an end"
        );
        let failed = run(
            &sh("printf abc; echo first >&2; echo why >&2; exit 7"),
            9,
            LONG,
        );
        assert_eq!(
            failed,
            Err(NoOutput::Ended(Ending::Status(7), "why".into()))
        );
        let loud = run(&sh("head -c 300000 /dev/zero >&2; printf abc"), 9, LONG);
        assert_eq!(loud, Ok(b"abc".to_vec()));
    }

    #[test]
    fn who_takes_too_long_is_ended() {
        let within = Duration::from_millis(50);
        assert_eq!(run(&sh("exec sleep 600"), 9, within), Err(NoOutput::Slow));
    }

    #[test]
    fn a_program_that_is_not_there_is_told() {
        let line = Line {
            program: "no-such-program".into(),
            ..sh("")
        };
        let Err(NoOutput::Ended(Ending::NotFound, _)) = run(&line, 9, LONG) else {
            panic!("it can't have run");
        };
    }
}
