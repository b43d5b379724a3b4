//! The decoder of a stream of H.264, on a thread of its own: in a process that is ended with it, or on that thread where
//! there are none. Opens no files, and decides nothing.

#![expect(
    clippy::disallowed_methods,
    reason = "this is where decoders are started"
)]

use std::{
    io::{self, BufReader},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
};

use super::decoders::Plan;
use crate::source::{
    film::{Decoder, MAX_UNIT_BYTES, Outcome, read_outcome, write_unit},
    wire::Confined,
};

/// The units that wait to be decoded: with more, the decoder is too slow for what comes, and goes on at a key frame.
const MAX_WAITING: usize = 8;
/// A stream that kills so many decoders is not shown.
const MAX_DEATHS: usize = 3;

/// A decoder of one stream. It ends when this is dropped.
#[derive(Debug)]
pub struct Film {
    units: SyncSender<Vec<u8>>,
    /// Whether units are left out until a key frame comes.
    is_behind: bool,
}

/// The decoder has ended: the stream has killed it over and over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended;

impl Film {
    /// Starts a decoder, in a process as `plan` has it; `came` is told what becomes of each unit.
    ///
    /// # Errors
    /// There can't be a thread for it.
    pub fn start(
        plan: Option<Plan>,
        came: impl FnMut(Outcome) + Send + 'static,
    ) -> io::Result<Self> {
        let (units, taken) = sync_channel(MAX_WAITING);
        // A process is told to die with the thread that started it: this one, which stays as long as it.
        std::thread::Builder::new()
            .name("film".into())
            .spawn(move || match plan {
                Some(plan) => decode_apart(&plan, &taken, came),
                None => decode_here(&taken, came),
            })?;
        Ok(Self {
            units,
            is_behind: false,
        })
    }

    /// Hands over a unit, with start codes. False: it is left out, and all that follow it up to a key frame.
    ///
    /// # Errors
    /// Nothing is decoded any more.
    pub fn put(&mut self, unit: &[u8], is_key: bool) -> Result<bool, Ended> {
        if (self.is_behind && !is_key) || unit.len() > MAX_UNIT_BYTES {
            self.is_behind = true;
            return Ok(false);
        }
        match self.units.try_send(unit.to_vec()) {
            Ok(()) => {
                self.is_behind = false;
                Ok(true)
            }
            Err(TrySendError::Full(_)) => {
                self.is_behind = true;
                Ok(false)
            }
            Err(TrySendError::Disconnected(_)) => Err(Ended),
        }
    }
}

fn decode_here(units: &Receiver<Vec<u8>>, mut came: impl FnMut(Outcome)) {
    let mut decoder = Decoder::default();
    for unit in units {
        came(decoder.decode(&unit));
    }
}

fn decode_apart(plan: &Plan, units: &Receiver<Vec<u8>>, mut came: impl FnMut(Outcome)) {
    let mut n_deaths = 0;
    let mut process = None;
    for unit in units {
        let outcome = match &mut process {
            Some(process) => Process::ask(process, &unit),
            none => {
                Process::start(plan).and_then(|started| Process::ask(none.insert(started), &unit))
            }
        };
        match outcome {
            Ok(outcome) => came(outcome),
            Err(error) => {
                process = None;
                n_deaths += 1;
                tracing::debug!(%error, n_deaths, "a decoder of video ended");
                if n_deaths >= MAX_DEATHS {
                    return;
                }
                came(Outcome::Lost);
            }
        }
    }
}

/// A process that decodes, ended with this.
struct Process {
    child: Child,
    from: BufReader<std::process::ChildStdout>,
    to: std::process::ChildStdin,
}

impl Process {
    fn start(plan: &Plan) -> io::Result<Self> {
        let mut child = Command::new(&plan.program)
            .args(&plan.arguments)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let pipes = (child.stdin.take(), child.stdout.take());
        let (Some(to), Some(from)) = pipes else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let mut process = Self {
            child,
            from: BufReader::new(from),
            to,
        };
        Confined::read(&mut process.from)?;
        Ok(process)
    }

    /// The process limits its own time: it answers, or ends.
    fn ask(&mut self, unit: &[u8]) -> io::Result<Outcome> {
        write_unit(&mut self.to, unit)?;
        read_outcome(&mut self.from)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
