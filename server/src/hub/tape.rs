//! The last seconds of a rendition's video. Frames of video build upon those before them, so that here, unlike in a
//! [`Hub`](super::Hub), a run of them is kept: bounded in seconds and bytes, and read from a key frame on.

#![expect(
    clippy::disallowed_methods,
    reason = "units hold since when they are there: an old key frame is no place to join at"
)]

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use mantel_media::avc::ParameterSets;
use mantel_shared::UnixMillis;
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

use super::readers::{Pictures, Readers};
use crate::{locked::locked, size::Size};

/// Ticks of a second: the clock of MPEG-TS and RTP.
pub const TICKS: u64 = 90_000;

/// A tape holds no more seconds than this, in ticks.
const MAX_TICKS: u64 = 10 * TICKS;
/// A tape holds no more bytes than this.
const MAX_BYTES: usize = 8 << 20;
/// A key frame that is no older than this is a place to join at: what came after it is little, and decoded at once.
const FRESH: Duration = Duration::from_millis(500);
/// A key frame that a sender made, which nobody can ask for another one, is a place to join at as long as this.
const REACH: Duration = Duration::from_secs(2);
/// A reader that is further behind than this, in ticks, goes on at a newer key frame.
const MAX_LAG: u64 = 3 * TICKS;

/// The start of an encoder: everything that units are decoded by. Units of another start can't follow in one stream of a
/// container that names its parameters once.
#[derive(Debug, PartialEq, Eq)]
pub struct Start {
    /// The starts of this rendition before it.
    pub no: u64,
    /// When its ticks began.
    pub began_at: UnixMillis,
    /// Width and height of its pictures.
    pub size: Size,
    /// The parameter sets.
    pub sets: ParameterSets,
}

/// One encoded picture.
#[derive(Debug)]
pub struct Unit {
    /// The unit's number on this tape.
    pub no: u64,
    /// The parameters that it is decoded by.
    pub start: Arc<Start>,
    /// When it is to be seen, in ticks since the start.
    pub at: u64,
    /// For how long, in ticks, as far as is known: the next one may come sooner.
    pub duration: u64,
    /// Whether a decoder can begin with it.
    pub is_key: bool,
    /// Whether a sender made it, and it was passed on.
    pub is_given: bool,
    /// The access unit with start codes; a key frame has its parameter sets before it.
    pub annexb: Bytes,
    /// The access unit as a sample of an MP4: lengths in place of start codes, no parameter sets.
    pub sample: Bytes,
    /// Since when it is there.
    pub since: Instant,
}

/// A unit before it is on a tape.
#[derive(Clone, Debug)]
pub struct Encoded {
    /// See [`Unit::start`].
    pub start: Arc<Start>,
    /// See [`Unit::at`].
    pub at: u64,
    /// See [`Unit::duration`].
    pub duration: u64,
    /// See [`Unit::is_key`].
    pub is_key: bool,
    /// See [`Unit::annexb`].
    pub annexb: Bytes,
    /// See [`Unit::sample`].
    pub sample: Bytes,
}

/// The last seconds of one rendition's video, and who reads them.
#[derive(Debug, Default)]
pub struct Tape {
    roll: Mutex<Roll>,
    news: watch::Sender<u64>,
    readers: Readers,
    asked: Notify,
}

#[derive(Debug, Default)]
struct Roll {
    units: VecDeque<Arc<Unit>>,
    n_bytes: usize,
    /// The units that there were in all.
    n_units: u64,
    wants_key: bool,
    /// Whether the newest unit was not made here: its sender decides when key frames come.
    is_given: bool,
    over: bool,
}

impl Roll {
    fn last_key(&self) -> Option<&Arc<Unit>> {
        self.units.iter().rev().find(|unit| unit.is_key)
    }

    fn first_no(&self) -> u64 {
        self.n_units - self.units.len() as u64
    }
}

impl Tape {
    /// How many read it.
    pub fn n_readers(&self) -> usize {
        self.readers.n()
    }

    /// Whether somebody reads it who cuts it into pieces, which begin at key frames: they are to come by themselves.
    pub fn is_cut(&self) -> bool {
        self.readers.is_cut()
    }

    /// How many pictures are needed while nothing moves.
    pub fn needed(&self) -> Pictures {
        self.readers.needed()
    }

    /// Whether somebody waits for a key frame.
    pub fn wants_key(&self) -> bool {
        locked(&self.roll).wants_key
    }

    /// Waits until a reader comes, goes, or asks for a key frame. One who listens is enough: word is kept for them.
    pub async fn asked(&self) {
        self.asked.notified().await;
    }

    /// Puts a unit at the end.
    pub fn push(&self, encoded: Encoded) {
        self.put(encoded, Instant::now(), false);
    }

    /// Puts a unit at the end that a sender made, and that has been there since that moment.
    pub fn push_given(&self, encoded: Encoded, since: Instant) {
        self.put(encoded, since, true);
    }

    fn put(&self, encoded: Encoded, since: Instant, is_given: bool) {
        let mut roll = locked(&self.roll);
        roll.is_given = is_given;
        let Encoded {
            start,
            at,
            duration,
            is_key,
            annexb,
            sample,
        } = encoded;
        let unit = Unit {
            no: roll.n_units,
            start,
            at,
            duration,
            is_key,
            is_given,
            annexb,
            sample,
            since,
        };
        roll.wants_key &= !is_key;
        roll.n_bytes += n_bytes(&unit);
        roll.n_units += 1;
        roll.units.push_back(Arc::new(unit));
        while let Some(first) = roll.units.front()
            && roll.units.len() > 1
            && (roll.n_bytes > MAX_BYTES || at.saturating_sub(first.at) > MAX_TICKS)
        {
            roll.n_bytes -= n_bytes(first);
            roll.units.pop_front();
        }
        self.news.send_replace(roll.n_units);
    }

    /// Forgets all units: what comes next builds upon none of them.
    pub fn wind(&self) {
        let mut roll = locked(&self.roll);
        roll.units.clear();
        roll.n_bytes = 0;
    }

    /// Nothing more comes: every reader ends.
    pub fn close(&self) {
        locked(&self.roll).over = true;
        self.news.send_modify(|_| {});
        self.asked.notify_one();
    }

    /// Whether nothing more comes.
    pub fn is_over(&self) -> bool {
        locked(&self.roll).over
    }

    fn want_key(&self, roll: &mut Roll) {
        if !std::mem::replace(&mut roll.wants_key, true) {
            self.asked.notify_one();
        }
    }
}

fn n_bytes(unit: &Unit) -> usize {
    unit.annexb.len() + unit.sample.len()
}

/// One who reads a tape, from a key frame on.
#[derive(Debug)]
pub struct Reader {
    tape: Arc<Tape>,
    news: watch::Receiver<u64>,
    place: Place,
    cuts: bool,
    needs: Pictures,
}

/// The place of a reader on the tape.
#[derive(Debug)]
struct Place {
    /// The number of the next unit to read; none while a key frame is waited for.
    next: Option<u64>,
    /// No unit before this one is of any use.
    floor: u64,
    /// How old a key frame may be to begin at where there can be no other.
    reach: Duration,
    n_missed: u64,
}

impl Reader {
    /// Begins to read; one who `cuts` needs key frames all the time.
    pub fn new(tape: Arc<Tape>, cuts: bool) -> Self {
        Self::within(tape, cuts, REACH)
    }

    /// Begins to read what is sent at once to who shows it at once: nothing that is older.
    pub fn at_once(tape: Arc<Tape>) -> Self {
        Self::within(tape, false, FRESH)
    }

    fn within(tape: Arc<Tape>, cuts: bool, reach: Duration) -> Self {
        tape.readers.enter(cuts);
        let place = Place {
            next: None,
            floor: 0,
            reach,
            n_missed: 0,
        };
        {
            let mut roll = locked(&tape.roll);
            if place.key(&roll).is_none() {
                tape.want_key(&mut roll);
            }
        }
        tape.asked.notify_one();
        Self {
            news: tape.news.subscribe(),
            tape,
            place,
            cuts,
            needs: Pictures::Few,
        }
    }

    /// Waits for the next unit; `None` when nothing more comes. Cancel safe.
    pub async fn next(&mut self) -> Option<Arc<Unit>> {
        loop {
            self.news.borrow_and_update();
            {
                let mut roll = locked(&self.tape.roll);
                if roll.over {
                    return None;
                }
                if let Some(unit) = self.place.find(&roll) {
                    return Some(unit);
                }
                if self.place.next.is_none() {
                    self.tape.want_key(&mut roll);
                }
            }
            self.news.changed().await.ok()?;
        }
    }

    /// Asks for a key frame, as soon as there is another picture.
    pub fn want_key(&self) {
        self.tape.want_key(&mut locked(&self.tape.roll));
    }

    /// Needs so many pictures while nothing moves, from now on.
    pub fn need(&mut self, pictures: Pictures) {
        let before = std::mem::replace(&mut self.needs, pictures);
        if before == pictures {
            return;
        }
        self.tape.readers.change(before, pictures);
        self.tape.asked.notify_one();
    }

    /// How many units were passed over since this was last asked, because the reader was too slow.
    pub fn take_missed(&mut self) -> u64 {
        std::mem::take(&mut self.place.n_missed)
    }
}

impl Place {
    /// The key frame to begin at, if there is one.
    fn key<'a>(&self, roll: &'a Roll) -> Option<&'a Arc<Unit>> {
        let reach = if roll.is_given { self.reach } else { FRESH };
        let key = roll.last_key().filter(|key| key.no >= self.floor);
        key.filter(|key| key.since.elapsed() <= reach)
    }

    /// The unit that is to be read next, if it is there.
    fn find(&mut self, roll: &Roll) -> Option<Arc<Unit>> {
        let newest = roll.units.back()?;
        let index = |no: u64| usize::try_from(no.checked_sub(roll.first_no())?).ok();
        let Some(no) = self.next else {
            let key = self.key(roll)?.clone();
            self.next = Some(key.no + 1);
            return Some(key);
        };
        if no == roll.n_units {
            return None;
        }
        let unit = index(no).and_then(|index| roll.units.get(index));
        if let Some(unit) = unit
            && (Arc::ptr_eq(&unit.start, &newest.start) || unit.is_key)
            && newest.at.saturating_sub(unit.at) <= MAX_LAG
        {
            self.next = Some(no + 1);
            return Some(unit.clone());
        }
        // Too far behind: the newest key frame, if that is ahead.
        let key = roll.last_key().filter(|key| key.no >= no).cloned();
        let resumes = key.as_ref().map_or(roll.n_units, |key| key.no);
        self.n_missed += resumes - no;
        self.floor = resumes;
        self.next = key.as_ref().map(|key| key.no + 1);
        key
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.need(Pictures::Few);
        self.tape.readers.leave(self.cuts);
        self.tape.asked.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    /// Of a picture of 64x48, from openh264.
    const SPS: [u8; 10] = [0x67, 0x42, 0xC0, 0x0A, 0x8C, 0x8D, 0x44, 0x2A, 0x01, 0xE0];
    const PPS: [u8; 4] = [0x68, 0xCE, 0x3C, 0x80];

    fn start(no: u64) -> Arc<Start> {
        Arc::new(Start {
            no,
            began_at: UnixMillis(0),
            size: Size::new(64, 48),
            sets: ParameterSets::new(&SPS, [&PPS[..]]).unwrap(),
        })
    }

    fn unit(start: &Arc<Start>, at: u64, is_key: bool, n_bytes: usize) -> Encoded {
        Encoded {
            start: start.clone(),
            at,
            duration: 3600,
            is_key,
            annexb: vec![0; n_bytes].into(),
            sample: Bytes::new(),
        }
    }

    fn read(reader: &mut Reader) -> Option<u64> {
        reader
            .next()
            .now_or_never()
            .map(|unit| unit.expect("the tape goes on").no)
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_begins_at_a_fresh_key_frame_or_asks_for_one() {
        let tape = Arc::new(Tape::default());
        let start = start(0);
        tape.push(unit(&start, 0, true, 1));
        tape.push(unit(&start, 3600, false, 1));
        let mut fresh = Reader::new(tape.clone(), false);
        assert_eq!((read(&mut fresh), read(&mut fresh)), (Some(0), Some(1)));
        assert!(!tape.wants_key());
        tokio::time::advance(FRESH + Duration::from_millis(1)).await;
        let mut late = Reader::new(tape.clone(), false);
        assert!(tape.wants_key());
        assert_eq!(read(&mut late), None);
        tape.push(unit(&start, 7200, false, 1));
        assert_eq!((read(&mut late), read(&mut fresh)), (None, Some(2)));
        tape.push(unit(&start, 10_800, true, 1));
        assert!(!tape.wants_key());
        assert_eq!((read(&mut late), read(&mut late)), (Some(3), None));
    }

    #[tokio::test(start_paused = true)]
    async fn who_can_have_no_other_key_frame_begins_at_one_of_the_last_seconds() {
        let tape = Arc::new(Tape::default());
        let start = start(0);
        let mut early = Reader::new(tape.clone(), false);
        let mut at_once = Reader::at_once(tape.clone());
        let came = Instant::now();
        tokio::time::advance(FRESH + Duration::from_millis(1)).await;
        tape.push_given(unit(&start, 0, true, 1), came);
        tape.push_given(unit(&start, 3600, false, 1), came);
        // What came before they looked is as good as new.
        assert_eq!((read(&mut early), read(&mut early)), (Some(0), Some(1)));
        assert_eq!(read(&mut at_once), None, "who shows it at once waits");
        tokio::time::advance(REACH).await;
        let mut late = Reader::new(tape.clone(), false);
        assert_eq!(read(&mut late), None);
        assert!(tape.wants_key());
        tape.push_given(unit(&start, 7200, true, 1), Instant::now());
        for reader in [&mut late, &mut at_once, &mut early] {
            assert_eq!((read(reader), read(reader)), (Some(2), None));
        }
    }

    #[test]
    fn a_tape_is_bounded_in_bytes_and_seconds() {
        let tape = Tape::default();
        let start = start(0);
        for no in 0..1000 {
            tape.push(unit(&start, no * 3600, no % 50 == 0, 100_000));
            let roll = locked(&tape.roll);
            assert!(roll.n_bytes <= MAX_BYTES);
            let sum: usize = roll.units.iter().map(|unit| n_bytes(unit)).sum();
            assert_eq!(sum, roll.n_bytes);
        }
        for no in 1000..3000 {
            tape.push(unit(&start, no * 3600, false, 10));
        }
        let roll = locked(&tape.roll);
        assert_eq!(roll.units.len() as u64, MAX_TICKS / 3600 + 1);
    }

    #[tokio::test]
    async fn whoever_is_too_slow_goes_on_at_the_newest_key_frame() {
        let tape = Arc::new(Tape::default());
        let start = start(0);
        tape.push(unit(&start, 0, true, 1));
        let mut slow = Reader::new(tape.clone(), false);
        assert_eq!(read(&mut slow), Some(0));
        for no in 1..=100 {
            tape.push(unit(&start, no * 3600, no == 60, 1));
        }
        assert_eq!(read(&mut slow), Some(60), "4 s behind");
        assert_eq!(slow.take_missed(), 59);
        assert_eq!(read(&mut slow), Some(61), "and no more than that");
        for no in 101..=200 {
            tape.push(unit(&start, no * 3600, false, 1));
        }
        assert_eq!(read(&mut slow), None, "no key frame to go on with");
        assert!(tape.wants_key());
        assert_eq!(slow.take_missed(), 201 - 62);
        tape.push(unit(&start, 201 * 3600, true, 1));
        assert_eq!(read(&mut slow), Some(201));
    }

    #[tokio::test]
    async fn another_start_is_entered_at_its_key_frame() {
        let tape = Arc::new(Tape::default());
        let (old, new) = (start(0), start(1));
        tape.push(unit(&old, 0, true, 1));
        tape.push(unit(&old, 3600, false, 1));
        let mut reader = Reader::new(tape.clone(), true);
        assert!(tape.is_cut());
        assert_eq!(read(&mut reader), Some(0));
        tape.push(unit(&new, 0, true, 1));
        tape.push(unit(&new, 3600, false, 1));
        // What is left of the old one is of no use to anybody any more.
        assert_eq!((read(&mut reader), read(&mut reader)), (Some(2), Some(3)));
        drop(reader);
        assert_eq!((tape.n_readers(), tape.is_cut()), (0, false));
    }

    #[tokio::test]
    async fn readers_end_with_the_tape() {
        let tape = Arc::new(Tape::default());
        let mut reader = Reader::new(tape.clone(), false);
        let ended = tokio::spawn(async move { reader.next().await.is_none() });
        tokio::task::yield_now().await;
        tape.close();
        assert!(ended.await.unwrap());
    }
}
