//! The segments and parts that there are: those a playlist tells, and those it told a short while ago.

use alloc::{collections::VecDeque, vec, vec::Vec};
use core::mem;

use super::{Name, Prefix, TICKS};

/// The longest part; what is said to be longer is said to be so long.
const MAX_PART: u32 = 10 * TICKS as u32;

/// The longest segment, and the most parts in one: then it ends without a key frame.
const MAX_SEGMENT: u64 = 30 * TICKS;
const MAX_PARTS: usize = 1024;

/// The shortest segment, but where an encoder ends. With key frames every two seconds and others between, none
/// is longer than 2.45 s then, which counts as two (RFC 8216bis, 4.4.3.1).
pub const MIN_SEGMENT: u64 = TICKS * 45 / 100;

/// How many target durations a playlist lasts at least (6.2.2).
const LEAST_TARGETS: u64 = 3;

/// How many segments more than are wanted may be listed, where they are too short for three target durations.
const MORE_SEGMENTS: usize = 32;

/// How long and how large a window is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// The letters that the names of the run begin with.
    pub prefix: Prefix,
    /// The target duration in seconds, at least 1: how long a segment is at most, rounded. It grows where
    /// key frames come more seldom.
    pub target_secs: u32,
    /// How long a part is at most, in ticks. It grows where parts are longer.
    pub part_target: u32,
    /// How many segments a playlist has, but that they last three target durations at least.
    pub n_segments: usize,
    /// The most bytes held, but for the segment that is being filled. It comes before all other rules: where
    /// it is too little, playlists are shorter than players expect.
    pub max_bytes: u64,
}

/// A part: some pictures, one after another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<T> {
    /// How long it is, in ticks.
    pub duration: u32,
    /// Whether it begins with a key frame.
    pub is_independent: bool,
    /// How many bytes it has.
    pub n_bytes: u64,
    /// Whatever it is.
    pub content: T,
}

#[derive(Clone, Debug)]
pub(super) struct Segment<T> {
    pub(super) msn: u64,
    pub(super) epoch: u64,
    pub(super) is_discontinuous: bool,
    pub(super) at_unix_millis: u64,
    /// Of all parts together.
    pub(super) duration: u64,
    n_bytes: u64,
    pub(super) parts: Vec<Part<T>>,
    /// Whether playlists tell its parts.
    pub(super) tells_parts: bool,
    /// How much time had passed in the stream when it was taken off the playlist.
    unlisted_at: u64,
}

/// The segments of a stream, from those that were taken off the playlist a short while ago to the one that is
/// being filled. `T` is what a part or an initialisation segment is to the caller.
///
/// A playlist keeps its promises whatever is put in: numbers only grow, no segment changes or vanishes but at
/// the front, and none is longer than the target duration, which grows before a segment breaks it.
#[derive(Clone, Debug)]
pub struct Window<T> {
    setup: Setup,
    /// Whole ones; the first `n_unlisted` are on no playlist any more.
    pub(super) segments: VecDeque<Segment<T>>,
    n_unlisted: usize,
    current: Segment<T>,
    /// The initialisation segments of the epochs that there are, the last one at the end.
    pub(super) inits: Vec<(u64, T)>,
    n_discontinuities: u64,
    /// How much time has passed, in ticks, and the longest playlist there was.
    passed: u64,
    longest: u64,
    n_bytes: u64,
    peak_bits: u64,
    is_independent: bool,
}

impl<T> Segment<T> {
    fn new(msn: u64, epoch: u64, is_discontinuous: bool) -> Self {
        Self {
            msn,
            epoch,
            is_discontinuous,
            at_unix_millis: 0,
            duration: 0,
            n_bytes: 0,
            parts: Vec::new(),
            tells_parts: true,
            unlisted_at: 0,
        }
    }
}

impl<T> Window<T> {
    /// A window without segments; `init` stands before the first ones.
    pub fn new(setup: Setup, init: T) -> Self {
        let setup = Setup {
            target_secs: setup.target_secs.max(1),
            part_target: setup.part_target.clamp(1, MAX_PART),
            ..setup
        };
        Self {
            setup,
            segments: VecDeque::new(),
            n_unlisted: 0,
            current: Segment::new(0, 0, false),
            inits: vec![(0, init)],
            n_discontinuities: 0,
            passed: 0,
            longest: 0,
            n_bytes: 0,
            peak_bits: 0,
            is_independent: true,
        }
    }

    /// Puts a part at the end. A segment begins with it where it has a key frame. `at_unix_millis` is when its
    /// first picture was taken.
    pub fn push(&mut self, part: Part<T>, at_unix_millis: u64) {
        let duration = part.duration.clamp(1, MAX_PART);
        let current = &self.current;
        let may_end = part.is_independent && current.duration >= MIN_SEGMENT;
        let must_end = current.duration + u64::from(duration) > MAX_SEGMENT
            || current.parts.len() >= MAX_PARTS
            || current.n_bytes > self.setup.max_bytes / 4;
        if may_end || must_end {
            self.end_segment();
        }
        if self.current.parts.is_empty() {
            self.current.at_unix_millis = at_unix_millis;
            self.is_independent &= part.is_independent;
        }
        self.setup.part_target = self.setup.part_target.max(duration);
        self.passed += u64::from(duration);
        self.n_bytes = self.n_bytes.saturating_add(part.n_bytes);
        self.current.n_bytes = self.current.n_bytes.saturating_add(part.n_bytes);
        self.current.duration += u64::from(duration);
        self.current.parts.push(Part { duration, ..part });
    }

    /// Puts a segment at the end that has no parts: `whole` is all of it, and may be longer than parts are.
    pub fn push_whole(&mut self, whole: Part<T>, at_unix_millis: u64) {
        self.end_segment();
        let part_target = self.setup.part_target;
        self.push(whole, at_unix_millis);
        self.setup.part_target = part_target;
        self.current.tells_parts = false;
        self.end_segment();
    }

    /// Ends the segment that is being filled, if there is anything in it. Who knows that a key frame comes next
    /// says so by this: players learn of the whole segment one part earlier.
    pub fn end_segment(&mut self) {
        if self.current.parts.is_empty() {
            return;
        }
        let next = Segment::new(self.current.msn + 1, self.current.epoch, false);
        let ended = mem::replace(&mut self.current, next);
        let rounded = u32::try_from((ended.duration + TICKS / 2) / TICKS).unwrap_or(u32::MAX);
        self.setup.target_secs = self.setup.target_secs.max(rounded);
        // What is much shorter than a target duration has no rate of its own (4.1).
        if ended.duration * 2 >= self.target_ticks() {
            self.peak_bits = self.peak_bits.max(bits(ended.n_bytes, ended.duration));
        }
        self.segments.push_back(ended);
        self.trim();
        let listed = self.listed().map(|segment| segment.duration).sum();
        self.longest = self.longest.max(listed);
    }

    /// Begins another encoder's run: what comes from now on belongs to this initialisation segment.
    pub fn restart(&mut self, init: T) {
        self.end_segment();
        self.current.epoch += 1;
        self.current.is_discontinuous = self.current.msn > 0;
        self.inits.push((self.current.epoch, init));
        self.drop_inits();
    }

    /// Lets go of everything, for a stream that nobody watches. Numbers go on where they were, so that a player
    /// that comes back isn't lost; [`restart`](Self::restart) is due before the next part.
    pub fn forget(&mut self) {
        self.end_segment();
        let flags = self.listed().filter(|segment| segment.is_discontinuous);
        self.n_discontinuities += flags.count() as u64;
        self.segments.clear();
        (self.n_unlisted, self.n_bytes) = (0, 0);
    }

    /// The target duration in seconds.
    pub fn target_secs(&self) -> u32 {
        self.setup.target_secs
    }

    /// The longest part in ticks.
    pub fn part_target(&self) -> u32 {
        self.setup.part_target
    }

    /// The letters that names begin with.
    pub fn prefix(&self) -> &Prefix {
        &self.setup.prefix
    }

    /// How many bytes are held, those that are on no playlist any more with them.
    pub fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    /// The most bits a second that a segment had; 0 before there was one.
    pub fn peak_bits(&self) -> u64 {
        self.peak_bits
    }

    /// Bits a second of what the playlist has.
    pub fn average_bits(&self) -> u64 {
        let all = self
            .listed()
            .map(|segment| (segment.n_bytes, segment.duration));
        let (n_bytes, duration) = all.fold((0_u64, 0), |(n, time), (more, longer)| {
            (n.saturating_add(more), time + longer)
        });
        bits(n_bytes, duration)
    }

    pub(super) fn listed(&self) -> impl Iterator<Item = &Segment<T>> {
        self.segments.iter().skip(self.n_unlisted)
    }

    pub(super) fn current(&self) -> &Segment<T> {
        &self.current
    }

    pub(super) fn n_discontinuities(&self) -> u64 {
        self.n_discontinuities
    }

    /// Whether every segment there was begins with a key frame.
    pub(super) fn is_independent(&self) -> bool {
        self.is_independent
    }

    pub(super) fn first_msn(&self) -> u64 {
        let first = self.listed().next();
        first.map_or(self.current.msn, |segment| segment.msn)
    }

    /// The part that comes next, unless a key frame does.
    pub(super) fn next_part(&self) -> Name {
        Name::Part {
            msn: self.current.msn,
            part: self.current.parts.len() as u64,
        }
    }

    fn target_ticks(&self) -> u64 {
        u64::from(self.setup.target_secs) * TICKS
    }

    /// Takes off the playlist what is too much of it, and lets go of what was taken off long enough ago: a
    /// client may be fetching it, by a playlist that it got before (6.2.2).
    fn trim(&mut self) {
        let n_wanted = self.setup.n_segments.clamp(1, 1 << 16);
        let mut duration: u64 = self.listed().map(|segment| segment.duration).sum();
        let least = LEAST_TARGETS * self.target_ticks();
        loop {
            let n_listed = self.segments.len() - self.n_unlisted;
            let Some(first) = self.segments.get_mut(self.n_unlisted) else {
                break;
            };
            let is_spare = n_listed > n_wanted && duration - first.duration >= least;
            let is_too_large = self.n_bytes > self.setup.max_bytes && n_listed > 1;
            if !is_spare && n_listed <= n_wanted + MORE_SEGMENTS && !is_too_large {
                break;
            }
            duration -= first.duration;
            first.unlisted_at = self.passed;
            self.n_discontinuities += u64::from(first.is_discontinuous);
            self.n_unlisted += 1;
            self.drop_unlisted(n_wanted);
        }
        self.drop_unlisted(n_wanted);
        self.drop_inits();
    }

    fn drop_unlisted(&mut self, n_wanted: usize) {
        while self.n_unlisted > 0
            && let Some(first) = self.segments.front()
            && (self.n_bytes > self.setup.max_bytes
                || self.n_unlisted > n_wanted + MORE_SEGMENTS
                || self.passed - first.unlisted_at > first.duration + self.longest)
        {
            self.n_bytes -= first.n_bytes.min(self.n_bytes);
            self.segments.pop_front();
            self.n_unlisted -= 1;
        }
    }

    fn drop_inits(&mut self) {
        let (segments, current) = (&self.segments, &self.current);
        let is_used = |epoch| segments.iter().any(|segment| segment.epoch == epoch);
        self.inits
            .retain(|&(epoch, _)| epoch == current.epoch || is_used(epoch));
    }
}

/// Bits a second.
fn bits(n_bytes: u64, duration: u64) -> u64 {
    n_bytes.saturating_mul(8 * TICKS) / duration.max(1)
}
