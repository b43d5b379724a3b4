//! Live pictures: of each source the newest one, and whether it gives a signal.
//!
//! A [`Source`] is what comes in by; a [`LiveSource`] is what producers and pages see of it. Newest wins: a picture that
//! nobody has taken when the next one comes is never seen, and counted. Nothing is decoded here.

mod camera;
mod command;
mod file;
mod keeper;
mod last_words;
mod limits;
mod pace;
pub mod reel;
mod relay;
mod secrets;
mod shape;
mod signal;
mod strip;
mod upstream;
mod via;
mod watcher;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use mantel_media::inlet;
use mantel_shared::UnixMillis;
use tokio::{sync::watch, time::Instant};

use crate::{
    buffers,
    caption::Template,
    clock::Clock,
    locked::locked,
    render::{Orientation, words::Style},
    size::Size,
};
pub use camera::{Camera, Device};
pub use command::Command;
pub use file::File;
pub(crate) use file::{CUT_AFTER, Reading, STILL, Version, read, version};
pub use inlet::Kind;
pub use keeper::{Ended, Keep, Upstream};
use limits::Gate;
pub use limits::{Counts, MAX_PICTURE_TIME};
pub use reel::{Reel, Undecoded};
pub use relay::Relay;
use shape::{frame_size, shape};
use signal::Judge;
pub use signal::Signal;
pub use strip::{Fate, Form, Strip};
pub use upstream::UpstreamFacts;
use via::Ways;
pub use via::{Passage, RunName, VIA, Via};
pub use watcher::Watcher;

/// A picture's number: of two of one source the later one has the greater, as long as the server runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SampleNo(pub u64);

/// A picture that came.
#[derive(Debug)]
pub struct Sample {
    /// The picture's number.
    pub no: SampleNo,
    /// The picture, as it came.
    pub bytes: Bytes,
    /// The kind of file that it is.
    pub kind: Kind,
    /// When it was taken, by its sender's clock where that can be believed, else when it came.
    pub taken_at: UnixMillis,
    /// By how many milliseconds the sender's stamp differs from its arrival; `None`: it has none.
    pub clock_differs_millis: Option<i64>,
    /// When it came.
    pub came_at: UnixMillis,
    /// The words that its sender wrote under it.
    pub caption: Option<String>,
    /// Width and height, upright, where its head tells.
    pub size: Option<Size>,
    /// How its stored pixels are to be turned.
    pub turned: Orientation,
}

/// A sender's stamp is believed when it differs from the arrival by no more than so many milliseconds.
const BELIEVED_MILLIS: u64 = 2000;

/// The live picture at a moment.
#[derive(Clone, Debug, Default)]
pub struct Live {
    /// The size that its pictures have where nobody asks for another: the first one's.
    pub size: Option<Size>,
    /// The newest picture, if one has come and was not taken off.
    pub sample: Option<Arc<Sample>>,
    /// The number of the last one that came, also when it was taken off.
    pub last: Option<SampleNo>,
    /// Whether more come.
    pub signal: Signal,
}

/// A source as others see it.
#[derive(Clone, Debug)]
pub struct LiveSource {
    name: Arc<str>,
    live: watch::Receiver<Live>,
    taken: Arc<watch::Sender<SampleNo>>,
    watchers: Arc<watch::Sender<usize>>,
    ways: Ways,
    strip: Arc<Strip>,
    words: Option<Arc<Words>>,
}

/// The words that are written on each picture, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// The text, with its gaps.
    pub template: Template,
    /// How they look.
    pub style: Style,
}

impl LiveSource {
    /// The name of its channel.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The words that are written on each picture.
    pub fn words(&self) -> Option<Arc<Words>> {
        self.words.clone()
    }

    /// The live picture as it is now.
    pub fn now(&self) -> Live {
        self.live.borrow().clone()
    }

    /// The live picture, and word of every change.
    pub fn live(&self) -> watch::Receiver<Live> {
        self.live.clone()
    }

    /// From now on somebody watches.
    pub fn watch(&self) -> Watcher {
        Watcher::new(&self.watchers)
    }

    /// Somebody watches who came this way.
    pub fn enter(&self, way: Via) -> Passage {
        self.ways.enter(way)
    }

    /// A viewer's frame has been made of this picture, or it was passed over.
    pub fn take(&self, no: SampleNo) {
        self.taken.send_if_modified(|taken| {
            let is_newer = no > *taken;
            *taken = no.max(*taken);
            is_newer
        });
    }
}

/// The end of a source by which pictures come in.
#[derive(Debug)]
pub struct Source {
    name: Arc<str>,
    live: watch::Sender<Live>,
    taken: Arc<watch::Sender<SampleNo>>,
    watchers: Arc<watch::Sender<usize>>,
    ways: Ways,
    strip: Arc<Strip>,
    words: Option<Arc<Words>>,
    state: Mutex<State>,
    upstream: Mutex<UpstreamFacts>,
    clock: Clock,
    started: Instant,
}

#[derive(Debug)]
struct State {
    judge: Judge,
    gate: Gate,
    counts: Counts,
    last: SampleNo,
}

/// The fate of a picture that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    /// The picture is shown.
    Taken {
        /// The picture's number.
        no: SampleNo,
        /// Whether the one before it was never taken, though somebody watched.
        was_missed: bool,
    },
    /// The picture was left out: more came in a second than are shown.
    TooFast,
}

impl Source {
    /// The source of the channel of this name, which may be silent for so long, or for ever. Numbers count from the wall
    /// clock, so that they go on behind those of a server that ran before: who compares numbers sees no picture from
    /// before as a newer one.
    pub fn new(name: &str, silent_after: Option<Duration>, clock: Clock) -> Self {
        let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        let last = SampleNo(clock.now().0);
        Self {
            name: name.into(),
            live: watch::Sender::default(),
            taken: Arc::new(watch::Sender::new(last)),
            watchers: Arc::default(),
            ways: Ways::default(),
            strip: Arc::new(Strip::new(clock.clone())),
            words: None,
            upstream: Mutex::default(),
            state: Mutex::new(State {
                judge: Judge::new(silent_after.map(millis)),
                gate: Gate::default(),
                counts: Counts::default(),
                last,
            }),
            clock,
            started: instant(),
        }
    }

    /// The source with words on each of its pictures.
    #[must_use]
    pub fn with_words(mut self, words: Option<Words>) -> Self {
        self.words = words.map(Arc::new);
        self
    }

    /// The source as others see it.
    pub fn reader(&self) -> LiveSource {
        LiveSource {
            name: self.name.clone(),
            live: self.live.subscribe(),
            taken: self.taken.clone(),
            watchers: self.watchers.clone(),
            ways: self.ways.clone(),
            strip: self.strip.clone(),
            words: self.words.clone(),
        }
    }

    /// A picture comes, and is counted.
    pub fn came(&self, sample: inlet::Sample) -> Came {
        if !self.lets() {
            return Came::TooFast;
        }
        let (stored, turned) = shape(&sample);
        let mut state = locked(&self.state);
        let now = self.clock.now();
        let was_missed = self.is_watched() && *self.taken.borrow() < state.last;
        state.counts.dropped += u64::from(was_missed);
        state.last = SampleNo(state.last.0 + 1);
        state.judge.came(now, sample.duration_millis);
        let stamp = sample
            .timestamp
            .map(|stamp| stamp.seconds.saturating_mul(1000) + u64::from(stamp.micros / 1000));
        let differs = stamp.map(|stamp| {
            i64::try_from(stamp)
                .unwrap_or(i64::MAX)
                .saturating_sub_unsigned(now.0)
        });
        let believed = stamp.filter(|stamp| stamp.abs_diff(now.0) <= BELIEVED_MILLIS);
        let sample = Sample {
            no: state.last,
            kind: sample.kind,
            taken_at: believed.map_or(now, UnixMillis),
            clock_differs_millis: differs,
            came_at: now,
            caption: sample.caption,
            size: stored.map(|size| turned.upright_size(size)),
            turned,
            bytes: buffers::shared(sample.bytes),
        };
        let signal = state.judge.signal(now);
        locked(&self.upstream).trouble = None;
        self.live.send_modify(|live| {
            live.size = live.size.or(sample.size.and_then(frame_size));
            live.last = Some(sample.no);
            live.sample = Some(Arc::new(sample));
            live.signal = signal;
        });
        let no = state.last;
        Came::Taken { no, was_missed }
    }

    /// Counts a picture that comes; whether it comes within the limits.
    fn lets(&self) -> bool {
        let mut state = locked(&self.state);
        let lets = state.gate.lets(since(self.started));
        state.counts.came += 1;
        state.counts.too_fast += u64::from(!lets);
        lets
    }

    /// The pictures that came so far, counted.
    pub fn counts(&self) -> Counts {
        locked(&self.state).counts
    }

    /// Waits until a picture would not come too fast.
    pub async fn room(&self) {
        let opens = locked(&self.state).gate.opens(since(self.started));
        tokio::time::sleep(opens).await;
    }

    /// Takes the picture off: it is waited for one as if none had come. The size stays, which streams have begun with.
    pub fn clear(&self) {
        let mut state = locked(&self.state);
        state.judge.cleared();
        self.live.send_modify(|live| {
            live.sample = None;
            live.signal = Signal::Waiting;
        });
    }

    /// The size that its pictures have where nobody asks for another, once that is known.
    pub fn size(&self) -> Option<Size> {
        self.live.borrow().size
    }

    /// Nothing can come until something does; says why, in a sentence.
    pub fn lost(&self, why: &str) {
        let mut state = locked(&self.state);
        let now = self.clock.now();
        state.judge.lost(now, why);
        let signal = state.judge.signal(now);
        // Word of it even where the signal stays: when it changes by itself may be another moment now.
        self.live.send_modify(|live| live.signal = signal);
    }

    /// Waits until this picture was taken, or passed over for a newer one, or nobody watches.
    pub async fn taken(&self, no: SampleNo) {
        let mut taken = self.taken.subscribe();
        while self.is_watched() && *taken.borrow_and_update() < no {
            // Who stops watching says nothing: that is looked for now and then.
            let _ = tokio::time::timeout(LOOK_AGAIN, taken.changed()).await;
        }
    }

    /// Whether anybody takes pictures from it.
    pub fn is_watched(&self) -> bool {
        *self.watchers.borrow() > 0
    }

    /// Notices silence; runs as long as the server does.
    pub async fn keep(self: Arc<Self>) {
        let mut changes = self.live.subscribe();
        loop {
            changes.mark_unchanged();
            let next = {
                // Held until it is told: a picture that comes meanwhile is not taken for silence.
                let state = locked(&self.state);
                let now = self.clock.now();
                let signal = state.judge.signal(now);
                self.live.send_if_modified(|live| {
                    let changed = live.signal != signal;
                    live.signal = signal;
                    changed
                });
                state.judge.next_change(now)
            };
            let sleep = async {
                match next {
                    Some(at) => tokio::time::sleep(self.clock.until(at)).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = sleep => {}
                changed = changes.changed() => if changed.is_err() { return },
            }
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how fast pictures come is no matter of the wall clock"
)]
fn instant() -> Instant {
    Instant::now()
}

fn since(then: Instant) -> Duration {
    instant() - then
}

/// How often it is looked whether anybody still watches.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests;
