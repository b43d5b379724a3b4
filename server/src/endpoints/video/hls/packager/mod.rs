//! The packager of one feed: its video as segments and parts, kept while players ask for them.
//!
//! Players keep no connection, so whether somebody watches shows by what they ask for. Pure but for the shell that reads the
//! feed's tape.

#![expect(
    clippy::disallowed_methods,
    reason = "since when nobody has asked is told by the monotonic clock"
)]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use mantel_media::{
    fmp4::{self, Sample, Track},
    hls::{MIN_SEGMENT, Pace, Part, Prefix, Setup, Window},
};
use tokio::{sync::watch, time::Instant};

use crate::{
    channel::choices::FeedKey,
    hub::{Lease, Start, TICKS, Unit},
    locked::locked,
};

/// A packager that nobody has asked for anything for so long ends: a player asks at least once a target duration.
const KEPT: Duration = Duration::from_secs(30);
/// How long a part is: that of a picture that stands.
const PART: u32 = (TICKS / 5) as u32;
/// The segments that stand before the first picture, so that players have something in stock at once: Chromium's own gives
/// up when nothing is behind a playlist's first segment, and VLC decodes from the middle of one when it runs dry.
const N_BEFORE: u64 = 3;
/// The segments that a playlist has.
const N_SEGMENTS: usize = 6;
/// The most bytes that are kept.
const MAX_BYTES: u64 = 24 << 20;

/// A feed's segments, and word of what is new.
#[derive(Debug)]
pub(super) struct Packager {
    state: Mutex<State>,
    /// The target duration in seconds: from one key frame to the next, rounded up.
    target_secs: u32,
    news: watch::Sender<u64>,
}

#[derive(Debug)]
struct State {
    prefix: Prefix,
    /// None before the first picture.
    window: Option<Window<Bytes>>,
    start: Option<Arc<Start>>,
    asked_at: Instant,
    is_over: bool,
}

impl Packager {
    /// A packager of segments of `gop_ticks`, whose names begin with `prefix`. It is filled by [`run`].
    pub(super) fn new(prefix: Prefix, gop_ticks: u64) -> Arc<Self> {
        Arc::new(Self {
            target_secs: fits(gop_ticks.div_ceil(TICKS)).max(1),
            state: Mutex::new(State {
                prefix,
                window: None,
                start: None,
                asked_at: Instant::now(),
                is_over: false,
            }),
            news: watch::Sender::default(),
        })
    }

    /// How long a segment is at most, as far as is known ahead.
    pub(super) fn target(&self) -> Duration {
        Duration::from_secs(self.target_secs.into())
    }

    /// A segment's length in ticks.
    fn target_ticks(&self) -> u64 {
        u64::from(self.target_secs) * TICKS
    }

    /// How long what stands before the first picture is, in ticks.
    fn before(&self) -> u64 {
        N_BEFORE * self.target_ticks()
    }

    /// Somebody asks; false when it is over, and another one has to be begun.
    pub(super) fn touch(&self) -> bool {
        let mut state = locked(&self.state);
        state.asked_at = Instant::now();
        !state.is_over
    }

    /// Whether it is filled no more.
    pub(super) fn is_over(&self) -> bool {
        locked(&self.state).is_over
    }

    /// Looks at the segments, and at what they are decoded by.
    pub(super) fn look<T>(&self, see: impl FnOnce(&Window<Bytes>, &Start) -> T) -> Option<T> {
        let state = locked(&self.state);
        let (window, start) = (state.window.as_ref()?, state.start.as_ref()?);
        Some(see(window, start))
    }

    /// The prefix of names.
    pub(super) fn prefix(&self) -> Prefix {
        locked(&self.state).prefix.clone()
    }

    /// Word of what is new.
    pub(super) fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// How long until it ends if nobody asks; none when it has.
    fn left(&self) -> Option<Duration> {
        let mut state = locked(&self.state);
        let left = KEPT.checked_sub(state.asked_at.elapsed());
        state.is_over |= left.is_none();
        left
    }

    fn over(&self) {
        locked(&self.state).is_over = true;
        self.news.send_modify(|n| *n += 1);
    }

    /// Puts a part of `start`'s at the end. What stands before the very first one, so that players have something in stock
    /// at once, is `first` alone: nobody saw another picture.
    fn push(&self, part: Part<Bytes>, first: &Unit, ends_segment: bool) {
        let mut state = locked(&self.state);
        let State {
            prefix,
            window,
            start,
            ..
        } = &mut *state;
        let millis = first.start.began_at.0 + first.at * 1000 / TICKS;
        let is_known = |known: &Arc<Start>| Arc::ptr_eq(known, &first.start);
        if !start.as_ref().is_some_and(is_known) {
            let track = Track {
                sets: first.start.sets.clone(),
                duration: None,
            };
            let init = Bytes::from(fmp4::init(&track));
            *start = Some(first.start.clone());
            match window {
                Some(window) => window.restart(init),
                None => {
                    let setup = Setup {
                        prefix: prefix.clone(),
                        target_secs: self.target_secs,
                        part_target: PART,
                        n_segments: N_SEGMENTS,
                        max_bytes: MAX_BYTES,
                    };
                    let window = window.insert(Window::new(setup, init));
                    for n in 0..N_BEFORE {
                        let left = (N_BEFORE - n) * self.target_ticks();
                        let at = first.at + self.before() - left;
                        let whole = part_of(fits(n), at, &[first], first.at + self.target_ticks());
                        window.push_whole(whole, millis.saturating_sub(left * 1000 / TICKS));
                    }
                }
            }
        }
        if let Some(window) = window {
            window.push(part, millis);
            if ends_segment {
                window.end_segment();
            }
        }
        drop(state);
        self.news.send_modify(|n| *n += 1);
    }
}

/// Fills a packager from a feed's tape, until nobody has asked for a while or the feed has ended.
pub(super) async fn run(packager: Arc<Packager>, key: FeedKey, lease: Lease) {
    let mut reader = lease.read(true);
    let mut filling = Filling::new();
    tracing::debug!(rendition = ?key.rendition, "segments are made");
    while let Some(left) = packager.left() {
        tokio::select! {
            unit = reader.next() => match unit {
                Some(unit) => {
                    filling.put(&unit, &packager);
                    if filling.is_hurried() {
                        reader.want_key();
                    }
                }
                None => break,
            },
            () = tokio::time::sleep(left) => {}
        }
    }
    packager.over();
}

/// The part that is being filled.
struct Filling {
    pace: Pace,
    units: Vec<Arc<Unit>>,
    /// The newest unit. How long it lasts is known when the next one is there, which may come sooner than was foreseen.
    newest: Option<Arc<Unit>>,
    /// How many key frames there were, and when the last one is to be seen, in ticks.
    n_keys: u64,
    key_at: u64,
    n_chunks: u32,
}

impl Filling {
    fn new() -> Self {
        Self {
            pace: Pace::new(PART),
            units: Vec::new(),
            newest: None,
            n_keys: 0,
            key_at: 0,
            n_chunks: fits(N_BEFORE),
        }
    }

    /// Takes the next unit; what it completes goes to `packager`.
    fn put(&mut self, unit: &Arc<Unit>, packager: &Packager) {
        if let Some(before) = self.newest.take() {
            let follows = Arc::ptr_eq(&before.start, &unit.start);
            self.add(before, follows.then_some(unit), packager);
        }
        if unit.is_key {
            self.n_keys += 1;
            self.key_at = unit.at;
        }
        self.newest = Some(unit.clone());
    }

    /// Adds a unit, which lasts until `next` comes; without one of the same start, as long as was foreseen.
    fn add(&mut self, unit: Arc<Unit>, next: Option<&Arc<Unit>>, packager: &Packager) {
        let ends = next.map_or(unit.at + unit.duration, |next| next.at);
        let ends_segment = next.is_some_and(|next| next.is_key);
        let lasts = fits(ends.saturating_sub(unit.at));
        let cut = self.pace.add(lasts, unit.is_key);
        if cut.is_before {
            self.end(unit.at, false, packager);
        }
        self.units.push(unit);
        let is_last = ends_segment || next.is_none();
        if cut.is_behind || is_last {
            self.end(ends, ends_segment, packager);
        }
        if is_last {
            self.pace.reset();
        }
    }

    /// Whether the first segment could end: players wait for it.
    fn is_hurried(&self) -> bool {
        let newest = self.newest.as_ref();
        let since_key = newest.map_or(0, |newest| newest.at.saturating_sub(self.key_at));
        self.n_keys == 1 && since_key >= MIN_SEGMENT
    }

    /// Ends the part, which lasts until `ends`, in ticks.
    fn end(&mut self, ends: u64, ends_segment: bool, packager: &Packager) {
        let units: Vec<&Unit> = self.units.iter().map(|unit| &**unit).collect();
        let (Some(first), Some(last)) = (units.first(), units.last()) else {
            return;
        };
        let ends = ends.max(last.at + 1);
        let part = part_of(self.n_chunks, first.at + packager.before(), &units, ends);
        self.n_chunks = self.n_chunks.wrapping_add(1);
        packager.push(part, first, ends_segment);
        self.units.clear();
    }
}

/// A part of `units`, the last of which lasts until `ends`; in the stream it begins `at`, all in ticks.
fn part_of(no: u32, at: u64, units: &[&Unit], ends: u64) -> Part<Bytes> {
    let begins = units.first().map_or(ends, |first| first.at);
    let samples: Vec<Sample> = units
        .iter()
        .enumerate()
        .map(|(n, unit)| {
            let end = units.get(n + 1).map_or(ends, |next| next.at);
            Sample {
                size: fits(unit.sample.len() as u64),
                duration: fits(end.saturating_sub(unit.at)),
                is_key: unit.is_key,
            }
        })
        .collect();
    let head = fmp4::chunk_head(no, at, &samples);
    let n_bytes: usize = units.iter().map(|unit| unit.sample.len()).sum();
    let mut bytes = BytesMut::with_capacity(head.len() + n_bytes);
    bytes.extend_from_slice(&head);
    for unit in units {
        bytes.extend_from_slice(&unit.sample);
    }
    Part {
        duration: fits(ends.saturating_sub(begins)),
        is_independent: units.first().is_some_and(|first| first.is_key),
        n_bytes: bytes.len() as u64,
        content: bytes.freeze(),
    }
}

/// No part has 4 GB, or lasts half a day.
fn fits(n: u64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
