//! The strip of a source: the H.264 that its sender brings, as it came, for whoever sends it on without decoding it.

#![expect(
    clippy::disallowed_methods,
    reason = "the shell: how evenly pictures come is a matter of the monotonic clock"
)]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use mantel_media::{
    annexb::{Unit, split},
    avc::{Profile, Through},
};
use tokio::{sync::watch, time::Instant};

use super::{
    LiveSource, Reel, Source,
    pace::{Pace, Why},
    watcher::Watcher,
};
use crate::{
    clock::Clock,
    hub::{Encoded, Start, Tape, ticks},
    locked::locked,
    size::Size,
};

/// The fate of a sender's video where somebody wants video of the same size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fate {
    /// Nobody sends any.
    #[default]
    None,
    /// It is decoded, and encoded anew.
    Encoded(Why),
    /// It goes on as it comes.
    Passed(Form),
}

/// The form of video that is passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// Width and height of its pictures.
    pub size: Size,
    /// How many come in a second.
    pub fps: u32,
    /// The profile that a decoder needs for it; none where it is one that few have.
    pub profile: Option<Profile>,
}

/// The strip of one source.
#[derive(Debug)]
pub struct Strip {
    /// The units, where they are passed on.
    tape: Arc<Tape>,
    fate: watch::Sender<Fate>,
    lookers: Arc<watch::Sender<usize>>,
    /// The number of the sender whose units are taken: the last one that began.
    holder: Mutex<u64>,
    clock: Clock,
}

impl Strip {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            tape: Arc::default(),
            fate: watch::Sender::default(),
            lookers: Arc::default(),
            holder: Mutex::default(),
            clock,
        }
    }

    /// The units, while they are passed on.
    pub fn tape(&self) -> &Arc<Tape> {
        &self.tape
    }

    /// The fate of the video that comes in, and word of every change.
    pub fn fate(&self) -> watch::Receiver<Fate> {
        self.fate.subscribe()
    }

    /// From now on somebody wants every picture, as a picture.
    pub fn look(&self) -> Watcher {
        Watcher::new(&self.lookers)
    }

    fn set(&self, fate: Fate) {
        self.fate.send_if_modified(|now| {
            let changes = *now != fate;
            *now = fate;
            changes
        });
    }
}

impl LiveSource {
    /// The video that is sent to it, as it comes.
    pub fn strip(&self) -> &Arc<Strip> {
        &self.strip
    }
}

impl Source {
    /// The H.264 of a sender that begins, which can be asked for key frames or can't.
    pub fn reel(&self, can_be_asked: bool) -> Reel {
        Reel::to(self.strip.clone(), can_be_asked)
    }

    /// Video came that went on as it was: there is a signal, though no picture, for which `n_unseen` pictures are counted that nobody
    /// wanted.
    pub fn passed(&self, n_unseen: u64) {
        let mut state = locked(&self.state);
        let now = self.clock.now();
        state.counts.came += n_unseen;
        state.judge.came(now, None);
        let signal = state.judge.signal(now);
        locked(&self.upstream).trouble = None;
        self.live.send_if_modified(|live| {
            let changes = live.signal != signal && live.sample.is_some();
            if changes {
                live.signal = signal;
            }
            changes
        });
    }
}

/// One sender's hold on the strip.
#[derive(Debug)]
pub(super) struct Hold {
    strip: Arc<Strip>,
    no: u64,
    lookers: watch::Receiver<usize>,
    through: Through,
    pace: Pace,
    begun: Instant,
    start: Option<Arc<Start>>,
    /// When a key frame was decoded that nobody asked for.
    drawn: Option<Instant>,
}

/// Key frames that nobody wants to see are decoded no more often than this.
const DRAWN_APART: Duration = Duration::from_millis(900);
/// The longest time after which a sender that can be asked for key frames is asked for one, while nobody wants pictures.
const ASKED_APART: Duration = Duration::from_secs(2);

impl Hold {
    /// The hold of a sender that begins; the one before it has none any more.
    pub(super) fn new(strip: Arc<Strip>, can_be_asked: bool) -> Self {
        let no = {
            let mut holder = locked(&strip.holder);
            *holder += 1;
            *holder
        };
        strip.set(Fate::Encoded(Why::Unknown));
        Self {
            no,
            lookers: strip.lookers.subscribe(),
            through: Through::default(),
            pace: Pace::of(can_be_asked),
            begun: Instant::now(),
            start: None,
            drawn: None,
            strip,
        }
    }

    /// A unit came, with start codes. Whether it is passed on as it came.
    pub(super) fn came(&mut self, unit: &[u8]) -> bool {
        let unit = Unit::new(split(unit));
        let since = Instant::now();
        let stamp = self.pace.came(ticks(since - self.begun), unit.is_key());
        let taken = self.through.take(&unit);
        if let Err(why) = taken {
            self.pace.is_wrong(why);
        }
        let is_on = self.start.is_some();
        let holder = locked(&self.strip.holder);
        if *holder != self.no {
            return false;
        }
        let fps = match self.pace.passes() {
            Ok(fps) => fps,
            Err(why) => {
                if self.start.take().is_some() {
                    self.strip.tape.wind();
                }
                self.strip.set(Fate::Encoded(why));
                return false;
            }
        };
        let (Ok(unit), Some(sets)) = (taken, self.through.sets()) else {
            return false;
        };
        if !is_on && !unit.is_key() {
            return false;
        }
        let head = sets.head();
        let size = Size::new(head.width.into(), head.height.into());
        let start = match &self.start {
            Some(start) if start.sets == *sets => start.clone(),
            before => {
                let began_at = match before {
                    Some(before) => before.began_at,
                    None => {
                        let millis = u64::try_from(self.begun.elapsed().as_millis());
                        let now = self.strip.clock.now();
                        mantel_shared::UnixMillis(now.0.saturating_sub(millis.unwrap_or(0)))
                    }
                };
                let start = Arc::new(Start {
                    no: self.no,
                    began_at,
                    size,
                    sets: sets.clone(),
                });
                self.start.insert(start).clone()
            }
        };
        let encoded = Encoded {
            start,
            at: stamp.at,
            duration: stamp.duration,
            is_key: unit.is_key(),
            annexb: Bytes::copy_from_slice(unit.annexb()),
            sample: unit.sample().into(),
        };
        self.strip.tape.push_given(encoded, since);
        self.strip.set(Fate::Passed(Form {
            size,
            fps,
            profile: sets.profile(),
        }));
        drop(holder);
        true
    }

    /// A gap: the next unit may build upon one that never came.
    pub(super) fn lost(&mut self) {
        self.through.lost();
    }

    /// Whether a key frame is wanted, of a sender that can be asked for one.
    pub(super) fn wants_key(&self) -> bool {
        // One who makes key frames when asked makes none by itself, and nobody would see what it shows by now.
        let is_old = self.can_be_asked()
            && !self.is_looked_at()
            && self
                .drawn
                .is_none_or(|drawn| drawn.elapsed() >= ASKED_APART);
        self.start.is_some() && (is_old || self.strip.tape.wants_key())
    }

    /// Whether it is time for another picture though nobody wants one; it is taken for made.
    pub(super) fn draws(&mut self) -> bool {
        let is_due = self
            .drawn
            .is_none_or(|drawn| drawn.elapsed() >= DRAWN_APART);
        if is_due {
            self.drawn = Some(Instant::now());
        }
        is_due
    }

    /// Whether its sender can be asked for key frames.
    pub(super) fn can_be_asked(&self) -> bool {
        self.pace.can_be_asked()
    }

    /// Whether its sender sends what it has, and not what it sees.
    pub(super) fn is_too_fast(&self) -> bool {
        self.pace.passes() == Err(Why::TooFast)
    }

    /// Whether somebody wants every picture.
    pub(super) fn is_looked_at(&self) -> bool {
        *self.lookers.borrow() > 0
    }

    /// Waits until somebody comes who wants every picture, or the last one goes.
    pub(super) async fn looked(&mut self) {
        // The other end is held here.
        let _ = self.lookers.changed().await;
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let holder = locked(&self.strip.holder);
        if *holder == self.no {
            self.strip.tape.wind();
            self.strip.set(Fate::None);
        }
    }
}
