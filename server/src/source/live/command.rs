//! A program that brings pictures on its standard output: one that the configuration names, or a camera's ffmpeg. Reads what
//! it writes, keeps what it says, and tells in a sentence why it ended.

#![expect(
    clippy::disallowed_methods,
    reason = "the shell: how long a picture takes is a matter of the monotonic clock"
)]

use std::{
    ffi::OsString,
    fmt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use mantel_media::inlet::{InletError, Kind, Sample};
use tokio::{
    io::AsyncReadExt as _,
    sync::Semaphore,
    time::{Instant, sleep_until},
};

use super::{
    Ended, MAX_PICTURE_TIME, Reel, Source, Undecoded, camera, camera::Camera,
    last_words::LastWords, reel, secrets::Secrets,
};
use crate::{
    buffers,
    source::child::{Ending, Line, Process, Running},
};

/// A program that brings pictures, started anew by its keeper each time.
#[derive(Clone)]
pub struct Command {
    what: What,
    memory: Arc<Memory>,
}

#[derive(Clone, PartialEq, Eq)]
enum What {
    Program(Line),
    Camera(Camera),
}

/// The memory that goes from one start to the next.
struct Memory {
    /// The number of the command line that works, of those that a camera has.
    line: AtomicUsize,
    /// The one place: a camera that is still being closed can't be opened.
    place: Arc<Semaphore>,
}

/// How much is read at a time: what a pipe holds.
const BUFFER_BYTES: usize = 64 << 10;
/// How long a camera may bring nothing: what hangs is started again.
const CAMERA_HANGS: Duration = Duration::from_secs(30);
/// How long a program may go on that has closed its output.
const LAST_WORDS: Duration = Duration::from_secs(2);

impl Command {
    /// The program `run[0]` with the rest as its arguments; `None` if it names none.
    pub fn new(run: Vec<String>) -> Option<Self> {
        let mut words = run.into_iter().map(Into::into);
        let program: OsString = words.next()?;
        if program.is_empty() {
            return None;
        }
        Some(Self::of(What::Program(Line {
            program,
            arguments: words.collect(),
            input: Vec::new(),
        })))
    }

    /// The program for a camera.
    pub fn camera(camera: Camera) -> Self {
        Self::of(What::Camera(camera))
    }

    fn of(what: What) -> Self {
        let memory = Arc::new(Memory {
            line: AtomicUsize::new(0),
            place: Arc::new(Semaphore::new(1)),
        });
        Self { what, memory }
    }

    /// The word for it: `camera` or `command`.
    pub(super) fn kind(&self) -> &'static str {
        match self.what {
            What::Program(_) => "command",
            What::Camera(_) => "camera",
        }
    }

    /// Brings pictures until the program ends, or this is dropped.
    pub(super) async fn run(&self, source: &Source) -> Ended {
        let (ways, secrets) = match &self.what {
            What::Program(line) => (vec![(None, line.clone())], Secrets::default()),
            What::Camera(camera) => {
                let ways = camera.ways().into_iter();
                let ways = ways.map(|(way, line)| (Some(way), line));
                (ways.collect(), camera.secrets())
            }
        };
        loop {
            let n = self.memory.line.load(Relaxed).min(ways.len() - 1);
            let (way, line) = &ways[n];
            let mut attempt = Attempt::new(source, &secrets, way.is_some());
            let outcome = attempt.run(line, self.memory.place.clone()).await;
            let has_failed = matches!(outcome, Outcome::Ended(Ending::Status(_)));
            if attempt.n_came == 0 && has_failed && self.plain(&attempt).is_none() {
                // Not every camera gives JPEGs; what else fails would fail the other ways, too.
                let is_copied = way.is_some_and(|way| way.is_copied);
                if n + 1 < ways.len() && (is_copied || camera::is_too_old(attempt.said.lines())) {
                    self.memory.line.store(n + 1, Relaxed);
                    continue;
                }
                self.memory.line.store(0, Relaxed);
            }
            return self.sentence(line, &attempt, outcome);
        }
    }

    /// Why a camera brings nothing, where its last words tell it.
    fn plain(&self, attempt: &Attempt<'_>) -> Option<String> {
        match &self.what {
            What::Program(_) => None,
            What::Camera(camera) => camera::plain(&camera.device, attempt.said.lines()),
        }
    }

    fn sentence(&self, line: &Line, attempt: &Attempt<'_>, outcome: Outcome) -> Ended {
        let path = Path::new(&line.program);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let last = match attempt.said.last() {
            Some(last) => format!(": {last}"),
            None => String::new(),
        };
        let ending = match outcome {
            Outcome::Ended(ending) => ending,
            Outcome::Unfit(error) => {
                return Ended(format!("what {name} writes can't be shown: {error}"));
            }
            Outcome::Undecoded(error) => {
                return Ended(format!("what {name} writes can't be shown: {error}"));
            }
            Outcome::Slow => {
                let seconds = MAX_PICTURE_TIME.as_secs();
                return Ended(format!(
                    "a picture of {name}'s took longer than {seconds} s to come"
                ));
            }
            Outcome::Hangs => {
                let seconds = CAMERA_HANGS.as_secs();
                return Ended(format!("no picture came from {name} for {seconds} s{last}"));
            }
        };
        Ended(match ending {
            Ending::NotFound => not_found(&line.program.to_string_lossy()),
            Ending::NotStarted(reason) => format!("{name} can't be started: {reason}"),
            Ending::Signal(signal) => format!("{name} was ended by signal {signal}"),
            Ending::Status(status) => match self.plain(attempt) {
                Some(plain) => plain,
                None if status == 0 => format!("{name} ended{last}"),
                None => format!("{name} ended with status {status}{last}"),
            },
        })
    }
}

impl PartialEq for Command {
    /// Whether both are the same program, whatever is remembered of it.
    fn eq(&self, other: &Self) -> bool {
        self.what == other.what
    }
}

impl Eq for Command {}

impl fmt::Debug for Command {
    /// Without arguments, which may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Program(line) => write!(f, "Command({:?})", line.program),
            What::Camera(camera) => camera.fmt(f),
        }
    }
}

/// How to get a program that is not there.
fn not_found(program: &str) -> String {
    let package = match program {
        "ffmpeg" => "ffmpeg",
        "gst-launch-1.0" => "gstreamer1.0-tools",
        "rpicam-jpeg" | "rpicam-still" | "rpicam-vid" => "rpicam-apps",
        "libcamera-vid" => "libcamera-apps",
        "ustreamer" => "ustreamer",
        path if path.contains('/') => return format!("there is no program {path}"),
        other => return format!("{other} is not installed, or not in a folder of PATH"),
    };
    format!("{program} is not installed: on Debian `sudo apt install {package}`")
}

async fn ended(process: &mut Option<Process>) {
    match process {
        Some(process) => process.ended().await,
        None => std::future::pending().await,
    }
}

/// How an attempt ended.
enum Outcome {
    Ended(Ending),
    /// It wrote what is no picture.
    Unfit(InletError),
    /// Its video can't be decoded.
    Undecoded(Undecoded),
    /// A picture took too long.
    Slow,
    /// None came for too long.
    Hangs,
}

/// One run of a program.
struct Attempt<'a> {
    source: &'a Source,
    is_camera: bool,
    n_came: u64,
    said: LastWords<'a>,
}

impl<'a> Attempt<'a> {
    fn new(source: &'a Source, secrets: &'a Secrets, is_camera: bool) -> Self {
        Self {
            source,
            is_camera,
            n_came: 0,
            said: LastWords::new(source, secrets),
        }
    }

    async fn run(&mut self, line: &Line, place: Arc<Semaphore>) -> Outcome {
        // Whoever closes it never.
        let Ok(place) = place.acquire_owned().await else {
            return Outcome::Ended(Ending::NotStarted("it is closed".into()));
        };
        let mut running = match Running::start(line, place).await {
            Ok(running) => running,
            Err(ending) => return Outcome::Ended(ending),
        };
        let unfit = match self.read(&mut running).await {
            Ok(unfit) => unfit,
            Err(outcome) => return outcome,
        };
        self.said.end_line();
        let last = self.said.last().unwrap_or_default();
        match (running.end(last).await, unfit) {
            (Ending::Status(0), Some(error)) => Outcome::Unfit(error),
            (ending, _) => Outcome::Ended(ending),
        }
    }

    /// Reads until it ends; gives what was wrong with the end of its output.
    async fn read(&mut self, running: &mut Running) -> Result<Option<InletError>, Outcome> {
        let mut inlet = reel::inlet(None, None);
        let mut reel = self.source.reel(false);
        let mut output = vec![0; BUFFER_BYTES];
        let mut words = [0; 4096];
        let (mut is_output_open, mut is_error_open) = (true, true);
        // What a supervisor leaves behind that was killed may write on; it is ended like the rest.
        let mut until = None;
        let Running {
            process,
            stdout,
            stderr,
        } = running;
        // Since when it has been quiet: brought no picture, begun this one, or closed its output.
        let mut since = Instant::now();
        let mut unfit = None;
        while is_output_open || is_error_open {
            let limit = match (is_output_open, inlet.is_inside()) {
                (false, _) => Some(LAST_WORDS),
                (true, true) => Some(MAX_PICTURE_TIME),
                (true, false) => self.is_camera.then_some(CAMERA_HANGS),
            };
            let is_late = sleep_until(since + limit.unwrap_or_default());
            tokio::select! {
                n = stdout.read(&mut output), if is_output_open => match n {
                    Ok(n @ 1..) => {
                        if !inlet.is_inside() && !self.is_camera {
                            since = Instant::now();
                        }
                        let mut input = &output[..n];
                        while let Some(sample) = inlet.next(&mut input).map_err(Outcome::Unfit)? {
                            since = Instant::now();
                            let n_bytes = sample.bytes.len();
                            self.take(&mut reel, sample).await?;
                            inlet.reuse(buffers::taken(n_bytes));
                        }
                    }
                    _ => {
                        is_output_open = false;
                        since = Instant::now();
                        loop {
                            match inlet.finish() {
                                Ok(Some(sample)) => self.take(&mut reel, sample).await?,
                                Ok(None) => break,
                                Err(InletError::Empty) => break,
                                Err(error) => {
                                    unfit = Some(error);
                                    break;
                                }
                            }
                        }
                    }
                },
                picture = reel.next() => self.came(picture),
                n = stderr.read(&mut words), if is_error_open => match n {
                    Ok(n @ 1..) => self.said.take(&words[..n]),
                    _ => is_error_open = false,
                },
                () = ended(process), if until.is_none() => until = Some(Instant::now() + LAST_WORDS),
                () = sleep_until(until.unwrap_or(since)), if until.is_some() => break,
                () = is_late, if limit.is_some() => match (is_output_open, inlet.is_inside()) {
                    (false, _) => break,
                    (true, true) => return Err(Outcome::Slow),
                    (true, false) => return Err(Outcome::Hangs),
                },
            }
        }
        while let Some(picture) = reel.rest().await.map_err(Outcome::Undecoded)? {
            self.came(picture);
        }
        Ok(unfit)
    }

    /// Takes a picture, or what a decoder makes into pictures.
    async fn take(&mut self, reel: &mut Reel, sample: Sample) -> Result<(), Outcome> {
        match sample.kind {
            Kind::H264 { is_key } => {
                while let Some(picture) = reel.room().await {
                    self.came(picture);
                }
                let put = reel.put(&sample.bytes, is_key);
                put.map_err(Outcome::Undecoded)?;
                if reel.passes() {
                    let n_unseen = reel.take_unseen();
                    self.n_came += n_unseen;
                    self.source.passed(n_unseen);
                }
                Ok(())
            }
            _ => {
                self.came(sample);
                Ok(())
            }
        }
    }

    fn came(&mut self, sample: Sample) {
        self.n_came += 1;
        self.source.came(sample);
    }
}
