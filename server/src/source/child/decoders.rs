//! Decoders in processes of their own: started when a picture is to be decoded, a few at a time, ended when they are
//! idle, too slow or dead. A photo over which its decoder dies is that photo's fault when it happens twice. What a
//! decoder's process does inside is `confine`'s, what the two say `wire`'s. Opens no files, and decodes nothing itself.

#![expect(
    clippy::disallowed_methods,
    reason = "this is where decoders are started, and ended by the clock"
)]

use std::{
    collections::HashMap,
    ffi::OsString,
    io::{self, BufReader, Read},
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc},
    time::{Duration, Instant},
};

use crate::{
    render::{DecodeError, DecodeLimits, Pixels},
    source::wire::{Confined, Pieces, Wish, read_reply, write_request},
};

/// How often the keeper looks whether a decoder takes too long.
const TICK: Duration = Duration::from_millis(200);
/// In what time a process says hello.
const HELLO_WITHIN: Duration = Duration::from_secs(10);
/// A photo that kills a decoder gets this many.
const TRIES: usize = 2;

/// The processes, and how they are started.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The program that is started.
    pub program: PathBuf,
    /// With what arguments.
    pub arguments: Vec<OsString>,
    /// How many may run at a time.
    pub n_processes: usize,
    /// How long one photo may take by the clock; processor time is the process's own to limit.
    pub time: Duration,
    /// How long an idle process is kept: what it holds beyond use ends with it.
    pub idle: Duration,
}

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The photo is to blame.
    #[error(transparent)]
    Photo(#[from] DecodeError),
    /// No decoder can be started now, whatever the photo.
    #[error("no decoder can be started: {0}")]
    NoDecoder(io::Error),
}

/// Decoders in processes of their own.
#[derive(Debug)]
pub struct Decoders {
    shared: Arc<Shared>,
    /// Processes are started by one thread that stays: they are told to die with the thread that started them.
    keeper: mpsc::Sender<mpsc::Sender<io::Result<Decoder>>>,
    confined: Confined,
}

#[derive(Debug)]
struct Shared {
    plan: Plan,
    state: Mutex<State>,
    free: Condvar,
}

#[derive(Debug, Default)]
struct State {
    n_lent: usize,
    idle: Vec<(Decoder, Instant)>,
    /// Those at work, and how long by the keeper's ticks: a machine that stood still does not count.
    busy: HashMap<u64, Busy>,
    next_no: u64,
}

#[derive(Debug)]
struct Busy {
    process: Arc<Mutex<Process>>,
    for_: Duration,
    limit: Duration,
    too_slow: bool,
}

/// A process that is ended with this.
#[derive(Debug)]
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A process that has said hello.
#[derive(Debug)]
struct Decoder {
    process: Arc<Mutex<Process>>,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    confined: Confined,
}

impl Decoders {
    /// Starts the first process, to see whether that works here.
    ///
    /// # Errors
    /// It does not: no process, no hello, or no thread that looks after it.
    pub fn start(plan: Plan) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            plan,
            state: Mutex::default(),
            free: Condvar::new(),
        });
        let (keeper, asked) = mpsc::channel();
        let kept = shared.clone();
        std::thread::Builder::new()
            .name("decoders".into())
            .spawn(move || keep(&kept, &asked))?;
        let mut decoders = Self {
            shared,
            keeper,
            confined: Confined::default(),
        };
        let first = decoders.new_decoder()?;
        decoders.confined = first.confined;
        decoders.shared.give_back(first);
        Ok(decoders)
    }

    /// The confinement of the processes, as they say.
    pub fn confined(&self) -> Confined {
        self.confined
    }

    /// Decodes a file. Waits for a process that is free.
    ///
    /// # Errors
    /// The photo can't be decoded, or is the end of each decoder that tries; or there is none to try.
    pub fn decode(
        &self,
        file: &[u8],
        limits: &DecodeLimits,
        wish: Wish,
    ) -> Result<Pixels, Trouble> {
        self.decode_pieces(|| Ok(vec![file.into()]), limits, wish)
    }

    /// Decodes a file as [`Self::decode`] does. `file` reads it, once more for each process that dies over it: no copy is kept
    /// while one decodes.
    ///
    /// # Errors
    /// Those of `file`, and those of [`Self::decode`].
    pub fn decode_pieces<'a, E: From<Trouble>>(
        &self,
        mut file: impl FnMut() -> Result<Pieces<'a>, E>,
        limits: &DecodeLimits,
        wish: Wish,
    ) -> Result<Pixels, E> {
        let mut ended = "crashed";
        for attempt in 0..TRIES {
            // Before there is a place: a drive that doesn't answer takes none.
            let file = file()?;
            let _place = self.shared.place();
            // One that was idle may have died meanwhile: only a new one's death says something.
            let idle = (attempt == 0).then(|| self.shared.take_idle()).flatten();
            let decoder = match idle {
                Some(decoder) => decoder,
                None => self.new_decoder().map_err(Trouble::NoDecoder)?,
            };
            match self.shared.ask(decoder, limits, wish, file) {
                Ok(result) => return Ok(result.map_err(Trouble::Photo)?),
                Err(how) => ended = how,
            }
            if ended == TOO_SLOW {
                break;
            }
        }
        Err(Trouble::Photo(DecodeError::Ended(ended)).into())
    }

    fn new_decoder(&self) -> io::Result<Decoder> {
        let (answer, answered) = mpsc::channel();
        let gone = || io::Error::other("the thread that starts decoders is gone");
        self.keeper.send(answer).map_err(|_| gone())?;
        let mut decoder = answered.recv().map_err(|_| gone())??;
        let no = self.shared.watch(&decoder, HELLO_WITHIN);
        let hello = Confined::read(&mut decoder.from);
        self.shared.unwatch(no);
        decoder.confined = hello?;
        Ok(decoder)
    }
}

const TOO_SLOW: &str = "took too long";

impl Shared {
    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place among those at work.
    fn place(&self) -> Place<'_> {
        let state = self.locked();
        let full = |state: &mut State| state.n_lent >= self.plan.n_processes;
        let waited = self.free.wait_while(state, full);
        waited.unwrap_or_else(PoisonError::into_inner).n_lent += 1;
        Place(self)
    }

    fn take_idle(&self) -> Option<Decoder> {
        self.locked().idle.pop().map(|(decoder, _)| decoder)
    }

    fn give_back(&self, decoder: Decoder) {
        self.locked().idle.push((decoder, Instant::now()));
    }

    fn watch(&self, decoder: &Decoder, limit: Duration) -> u64 {
        let mut state = self.locked();
        state.next_no += 1;
        let no = state.next_no;
        let busy = Busy {
            process: decoder.process.clone(),
            for_: Duration::ZERO,
            limit,
            too_slow: false,
        };
        state.busy.insert(no, busy);
        no
    }

    /// Whether it was ended for taking too long.
    fn unwatch(&self, no: u64) -> bool {
        let busy = self.locked().busy.remove(&no);
        busy.is_some_and(|busy| busy.too_slow)
    }

    /// One question to one process, which is given back when it answered; else how it ended.
    fn ask(
        &self,
        mut decoder: Decoder,
        limits: &DecodeLimits,
        wish: Wish,
        file: Pieces<'_>,
    ) -> Result<Result<Pixels, DecodeError>, &'static str> {
        let no = self.watch(&decoder, self.plan.time);
        // It reads the whole request before it writes a word: nobody waits for the other.
        let answer = write_request(&mut decoder.to, limits, wish, file)
            .and_then(|()| read_reply(&mut decoder.from, limits, wish));
        let too_slow = self.unwatch(no);
        match answer {
            Ok(result) => {
                self.give_back(decoder);
                Ok(result)
            }
            Err(_) if too_slow => Err(TOO_SLOW),
            Err(_) => Err(last_words(decoder)),
        }
    }

    /// Ends what takes too long, and what nobody needs. Whether there is anything to look after.
    fn look_round(&self, passed: Duration) -> bool {
        let mut state = self.locked();
        for busy in state.busy.values_mut() {
            busy.for_ += passed;
            if busy.for_ > busy.limit && !busy.too_slow {
                busy.too_slow = true;
                let mut process = busy.process.lock().unwrap_or_else(PoisonError::into_inner);
                let _ = process.0.kill();
            }
        }
        let idle = std::mem::take(&mut state.idle);
        let (kept, ended): (Vec<_>, Vec<_>) = idle
            .into_iter()
            .partition(|(_, since)| since.elapsed() < self.plan.idle);
        state.idle = kept;
        let any = !state.idle.is_empty() || !state.busy.is_empty() || state.n_lent > 0;
        drop(state);
        // Waits for them to end, without the lock.
        drop(ended);
        any
    }
}

struct Place<'a>(&'a Shared);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.locked().n_lent -= 1;
        self.0.free.notify_one();
    }
}

/// The thread that starts processes and ends them. It sleeps while there are none.
fn keep(shared: &Shared, asked: &mpsc::Receiver<mpsc::Sender<io::Result<Decoder>>>) {
    let mut any = true;
    let mut last = Instant::now();
    loop {
        let next = if any {
            asked.recv_timeout(TICK)
        } else {
            asked.recv().map_err(Into::into)
        };
        match next {
            Ok(answer) => {
                any = true;
                // Who asked may be gone.
                let _ = answer.send(spawn(&shared.plan));
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {
                // A program that was stopped for a while was not slow.
                let passed = last.elapsed().min(TICK * 2);
                any = shared.look_round(passed);
            }
            // The last user is gone; what is idle ends with the state.
            Err(mpsc::RecvTimeoutError::Disconnected) => return,
        }
        last = Instant::now();
    }
}

fn spawn(plan: &Plan) -> io::Result<Decoder> {
    let mut child = Command::new(&plan.program)
        .args(&plan.arguments)
        // Nothing that is the server's business: options, tokens, paths.
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let (to, from) = (child.stdin.take(), child.stdout.take());
    let process = Arc::new(Mutex::new(Process(child)));
    let (Some(to), Some(from)) = (to, from) else {
        return Err(io::ErrorKind::BrokenPipe.into());
    };
    Ok(Decoder {
        process,
        to,
        from: BufReader::new(from),
        confined: Confined::default(),
    })
}

/// How a process ended that no longer answers, as the rest of a sentence.
fn last_words(decoder: Decoder) -> &'static str {
    let Decoder { process, to, .. } = decoder;
    // It may still wait for something.
    drop(to);
    let mut process = process.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = process.0.kill();
    let status = process.0.wait().ok();
    let mut words = String::new();
    if let Some(from) = process.0.stderr.take() {
        let _ = from.take(4096).read_to_string(&mut words);
    }
    tracing::warn!(?status, %words, "a decoder's process ended");
    if words.contains("memory allocation of") {
        "ran out of memory"
    } else if status.is_some_and(took_all_its_time) {
        TOO_SLOW
    } else {
        "crashed"
    }
}

fn took_all_its_time(status: ExitStatus) -> bool {
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::process::ExitStatusExt;
        status.signal() == Some(libc::SIGXCPU)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = status;
        false
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::render::{Fit, Size, Slot};

    /// What a process says that confines itself, and then what `script` does.
    fn plan(script: &str) -> Plan {
        let said = r"printf 'Mhi1\003'; ";
        Plan {
            program: "/bin/sh".into(),
            arguments: ["-c".into(), format!("{said}{script}").into()].into(),
            n_processes: 1,
            time: Duration::from_secs(20),
            idle: Duration::from_secs(60),
        }
    }

    fn decode(decoders: &Decoders) -> Result<Pixels, Trouble> {
        let wish = Wish::Fitted(Slot::alone(Size::new(16, 16), Fit::Blur));
        let file = || Ok(vec![vec![1; 300_000].into(), vec![1; 200_000].into()]);
        decoders.decode_pieces(file, &DecodeLimits::default(), wish)
    }

    #[test]
    fn a_decoder_that_dies_hangs_or_lies_costs_its_photo_alone() {
        for (script, said) in [
            ("kill -9 $$", "its decoder crashed"),
            ("exit 0", "its decoder crashed"),
            ("head -c 1000 >/dev/null; exit 3", "its decoder crashed"),
            ("exec sleep 1000", "its decoder took too long"),
            ("cat >/dev/null", "its decoder took too long"),
            // An answer that is none, one of another size, one without end.
            (
                "head -c 500042 >/dev/null; printf 'nonsense'; cat",
                "its decoder crashed",
            ),
            (
                r"head -c 500042 >/dev/null; printf 'Mrp1\000\377\377\000\000\377\377\000\000'; cat",
                "its decoder crashed",
            ),
            (
                "head -c 500042 >/dev/null; echo memory allocation of 5 bytes failed >&2; kill -6 $$",
                "its decoder ran out of memory",
            ),
        ] {
            let mut plan = plan(script);
            if said.ends_with(TOO_SLOW) {
                plan.time = Duration::from_millis(300);
            }
            let decoders = Decoders::start(plan).unwrap();
            let confined = decoders.confined();
            assert!(confined.limits && confined.calls);
            for _ in 0..2 {
                match decode(&decoders) {
                    Err(Trouble::Photo(error)) => assert_eq!(error.to_string(), said, "{script}"),
                    other => panic!("{script}: {other:?}"),
                }
            }
        }
    }

    #[test]
    fn a_decoder_that_died_idle_is_replaced() {
        // The first process answers nothing; each answers one question with an error that is the photo's.
        let script = r"head -c 500042 >/dev/null; printf 'Mrp1\001'; head -c 28 /dev/zero";
        let decoders = Decoders::start(plan(script)).unwrap();
        for _ in 0..4 {
            match decode(&decoders) {
                Err(Trouble::Photo(DecodeError::Empty)) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn each_process_is_given_the_whole_file() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().display();
        // The first ends in the middle of it; the second keeps what it got.
        let script = format!(
            r"mkdir {dir}/once && head -c 1000 >/dev/null && exit 3
            head -c 500042 >{dir}/got; printf 'Mrp1\001'; head -c 28 /dev/zero; cat >/dev/null"
        );
        let decoders = Decoders::start(plan(&script)).unwrap();
        let file: Vec<u8> = (0..=255).cycle().take(500_000).collect();
        let mut n_read = 0;
        let read = || {
            n_read += 1;
            Ok(file.chunks(100_001).map(Into::into).collect())
        };
        match decoders.decode_pieces(read, &DecodeLimits::default(), Wish::Whole) {
            Err(Trouble::Photo(DecodeError::Empty)) => {}
            other => panic!("{other:?}"),
        }
        assert_eq!(n_read, 2);
        let got = std::fs::read(format!("{dir}/got")).unwrap();
        assert!(got[42..] == file);
    }

    #[test]
    fn a_file_that_can_not_be_read_takes_no_place() {
        let decoders = Decoders::start(plan("cat >/dev/null")).unwrap();
        let gone = || Err(Trouble::NoDecoder(io::ErrorKind::NotFound.into()));
        for _ in 0..3 {
            match decoders.decode_pieces(gone, &DecodeLimits::default(), Wish::Whole) {
                Err(Trouble::NoDecoder(error)) => assert_eq!(error.kind(), io::ErrorKind::NotFound),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(decoders.shared.locked().n_lent, 0);
        assert_eq!(decoders.shared.locked().idle.len(), 1);
    }

    #[test]
    fn what_can_not_be_started_is_said_at_once() {
        let nowhere = Plan {
            program: "/nonexistent".into(),
            ..plan("")
        };
        assert!(Decoders::start(nowhere).is_err());
        let mut silent = plan("");
        silent.arguments = vec!["-c".into(), "exit 0".into()];
        assert!(Decoders::start(silent).is_err());
    }

    #[test]
    fn idle_processes_end() {
        let idle = Plan {
            idle: Duration::ZERO,
            ..plan("cat >/dev/null")
        };
        let decoders = Decoders::start(idle).unwrap();
        let shared = decoders.shared.clone();
        assert!(!shared.look_round(TICK));
        assert!(shared.locked().idle.is_empty());
    }
}
