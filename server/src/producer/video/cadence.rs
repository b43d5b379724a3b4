//! When a picture is encoded, at which tick it is to be seen, and which one is a key frame. Pure.
//!
//! In motion there is a picture every so many ticks. While nothing moves there are five a second, which cost next to
//! nothing and keep players, whose buffers are counted in pictures, close to the present. What is new is encoded at once.
//! Those who read a form without times, as Annex B is, have pictures at a steady rate, and those whose buffers fill have many.

use crate::{
    hub::{Pictures, TICKS},
    rendition::Fps,
};

/// From one picture to the next while nothing moves.
const STANDING: u64 = TICKS / 5;
/// From one picture to the next where many are needed, at the most.
const MANY: u64 = TICKS / 30;
/// A steady rate keeps its count: what was held up for no longer than this is made up for.
const CAUGHT_UP: u64 = TICKS;
/// From one key frame to the next for those who ask, at the least.
const KEYS_APART: u64 = TICKS / 2;

/// The state of things when a picture may be due.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Input {
    /// Ticks since the encoder's start.
    pub(super) now: u64,
    /// Whether the screen is changing.
    pub(super) moves: bool,
    /// How many pictures are needed while nothing moves.
    pub(super) needed: Pictures,
    /// Whether it shows something else than the last picture did, and is not changing from that slowly.
    pub(super) is_new: bool,
    /// Whether what is new has nothing of what was there before, as after a cut.
    pub(super) is_cut: bool,
    /// Whether somebody waits for a key frame.
    pub(super) wants_key: bool,
    /// Whether somebody cuts the video into pieces that begin at key frames.
    pub(super) is_cut_up: bool,
}

/// The thing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing until this tick, or until something changes.
    Wait(u64),
    /// Encode a picture.
    Encode {
        /// When it is to be seen.
        at: u64,
        /// For how long, as far as is known.
        duration: u64,
        /// Whether it has to be a key frame.
        key: bool,
    },
}

/// The cadence of one encoder.
#[derive(Debug)]
pub(super) struct Cadence {
    /// From one picture to the next in motion.
    moving: u64,
    /// From one live picture to the next, at the least.
    least: u64,
    /// From one key frame to the next where the video is cut into pieces.
    gop: u64,
    /// When the last picture is to be seen, and for how long.
    last: Option<(u64, u64)>,
    last_key: u64,
}

impl Cadence {
    /// So many pictures a second in motion, and where the video is cut up a key frame after so many ticks.
    pub(super) fn new(fps: Fps, gop: u64) -> Self {
        Self {
            moving: TICKS / u64::from(fps.0.max(1)),
            least: fps.least_apart(TICKS),
            gop: gop.max(KEYS_APART),
            last: None,
            last_key: 0,
        }
    }

    /// Says what is to be done; what it says is taken for done.
    pub(super) fn step(&mut self, input: Input) -> Step {
        let is_steady = input.needed == Pictures::Steady;
        let moving = match input.needed {
            Pictures::Many => self.moving.min(MANY),
            Pictures::Few | Pictures::Steady => self.moving,
        };
        let is_rapid = input.moves || input.needed != Pictures::Few;
        let period = if is_rapid { moving } else { STANDING };
        let Some((at, duration)) = self.last else {
            return self.encode(input.now, period, true);
        };
        let soonest = at + moving;
        let planned = at + duration;
        let (by_wish, by_itself) = self.keys_due(input);
        // One that comes by itself waits for a picture that comes anyway.
        let key_due = by_wish.min(by_itself.max(planned));
        let due = if is_rapid {
            soonest.min(planned)
        } else if input.is_new {
            planned.min(at + self.least)
        } else {
            planned.min(key_due.max(soonest))
        };
        if input.now < due {
            return Step::Wait(due);
        }
        // By the plan while that is kept to, so that pictures come evenly. What is new can't have been planned; and what
        // was held up is seen when it is there.
        let patience = if is_steady { CAUGHT_UP } else { moving };
        let is_planned = due == planned && input.now < planned + patience;
        let next = if is_planned { planned } else { input.now };
        // After a gap of more than two durations a page's buffer waits for a key frame ("coded frame processing" of Media
        // Source Extensions).
        let is_gap = next - at > 2 * duration;
        let key = is_gap || next >= by_wish.min(by_itself) || self.is_cut_with_key(input, next);
        self.encode(next, period, key)
    }

    /// When the next key frame is due by wish, and when by itself.
    fn keys_due(&self, input: Input) -> (u64, u64) {
        let due = |is_due: bool, apart| match is_due {
            true => self.last_key + apart,
            false => u64::MAX,
        };
        (
            due(input.wants_key, KEYS_APART),
            due(input.is_cut_up, self.gop),
        )
    }

    /// A picture that has nothing of the one before costs no more as a key frame.
    fn is_cut_with_key(&self, input: Input, at: u64) -> bool {
        input.is_cut && at >= self.last_key + KEYS_APART
    }

    fn encode(&mut self, at: u64, duration: u64, key: bool) -> Step {
        self.last = Some((at, duration));
        if key {
            self.last_key = at;
        }
        Step::Encode { at, duration, key }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: u64 = TICKS / 25;
    const GOP: u64 = 2 * TICKS;

    /// Runs `cadence` in steps of a millisecond; `input` tells the state at a tick.
    fn run(
        cadence: &mut Cadence,
        ticks: std::ops::Range<u64>,
        mut input: impl FnMut(u64) -> Input,
    ) -> Vec<(u64, u64, bool)> {
        let mut made = Vec::new();
        for now in ticks.step_by(90) {
            let input = Input { now, ..input(now) };
            match cadence.step(input) {
                Step::Encode { at, duration, key } => made.push((at, duration, key)),
                Step::Wait(until) => assert!(until > now),
            }
        }
        made
    }

    fn standing(_: u64) -> Input {
        Input::default()
    }

    #[test]
    fn five_a_second_while_nothing_moves_and_one_key_frame() {
        let made = run(&mut Cadence::new(Fps(25), GOP), 0..10 * TICKS, standing);
        assert_eq!(made.len(), 50);
        assert_eq!(made.iter().filter(|(.., key)| *key).count(), 1);
        let is_even = |pair: &[(u64, u64, bool)]| pair[1].0 - pair[0].0 == STANDING;
        assert!(made.windows(2).all(is_even));
    }

    #[test]
    fn motion_has_its_rate_from_its_first_moment_on() {
        let mut cadence = Cadence::new(Fps(25), GOP);
        run(&mut cadence, 0..TICKS, standing);
        let begins = TICKS + 90 * 57;
        let moves = |now| Input {
            moves: (begins..begins + TICKS).contains(&now),
            ..Input::default()
        };
        let made = run(&mut cadence, TICKS..4 * TICKS, moves);
        let moving: Vec<u64> = made
            .iter()
            .map(|(at, ..)| *at)
            .filter(|at| (begins..begins + TICKS).contains(at))
            .collect();
        assert_eq!(moving.len(), 25);
        assert!(moving[0] - begins < 90, "the first at once");
        assert!(moving.windows(2).all(|pair| pair[1] - pair[0] == FRAME));
        // What stands is there in full a frame later.
        let last = *moving.last().unwrap();
        assert!(made.iter().any(|(at, ..)| *at == last + FRAME));
        for pair in made.windows(2) {
            assert!(pair[1].0 > pair[0].0 && pair[1].0 - pair[0].0 <= pair[0].1);
        }
    }

    #[test]
    fn a_steady_rate_is_that_of_motion_without_key_frames() {
        let mut cadence = Cadence::new(Fps(25), GOP);
        run(&mut cadence, 0..TICKS, standing);
        let begins = TICKS + 90 * 57;
        let steady = |now| Input {
            needed: match now {
                now if (begins..begins + TICKS).contains(&now) => Pictures::Steady,
                _ => Pictures::Few,
            },
            ..Input::default()
        };
        let made = run(&mut cadence, TICKS..4 * TICKS, steady);
        let is_between = |(at, ..): &&(u64, u64, bool)| (begins..begins + TICKS).contains(at);
        let between: Vec<_> = made.iter().filter(is_between).collect();
        assert_eq!(between.len(), 25);
        assert!(between[0].0 - begins < 90, "the first at once");
        assert!(made.iter().all(|(.., key)| !key));
        let last = made.windows(2).last().unwrap();
        assert_eq!(last[1].0 - last[0].0, STANDING, "as before in the end");
    }

    #[test]
    fn where_many_are_needed_there_are_thirty_a_second() {
        for (fps, n) in [(10, 30), (20, 30), (30, 30), (60, 60)] {
            let many = |_| Input {
                needed: Pictures::Many,
                ..Input::default()
            };
            let made = run(&mut Cadence::new(Fps(fps), GOP), 0..TICKS, many);
            assert_eq!(made.len(), n, "{fps}");
        }
    }

    #[test]
    fn a_steady_rate_makes_up_for_what_was_held_up_but_not_for_a_long_time() {
        let mut cadence = Cadence::new(Fps(25), GOP);
        let steady = |_| Input {
            needed: Pictures::Steady,
            ..Input::default()
        };
        let mut made = run(&mut cadence, 0..TICKS, steady);
        made.extend(run(&mut cadence, TICKS * 19 / 10..4 * TICKS, steady));
        assert_eq!(made.len(), 100);
        assert!(
            made.iter()
                .map(|(at, ..)| *at)
                .eq((0..100).map(|n| n * FRAME))
        );
        let made = run(&mut cadence, 6 * TICKS..7 * TICKS, steady);
        assert_eq!((made.len(), made[0].0), (25, 6 * TICKS));
    }

    #[test]
    fn what_is_new_comes_at_once_but_no_faster_than_the_rate() {
        let mut cadence = Cadence::new(Fps(25), GOP);
        run(&mut cadence, 0..TICKS, standing);
        let pushed = TICKS + 50 * 90;
        let input = Input {
            now: pushed,
            is_new: true,
            ..Input::default()
        };
        assert_eq!(
            cadence.step(input),
            Step::Encode {
                at: pushed,
                duration: STANDING,
                key: false
            }
        );
        let soon = Input {
            now: pushed + 90,
            ..input
        };
        assert_eq!(cadence.step(soon), Step::Wait(pushed + FRAME * 10 / 11));
    }

    #[test]
    fn a_picture_that_was_late_does_not_hold_up_all_behind_it() {
        let mut cadence = Cadence::new(Fps(25), GOP);
        let mut free_at = 0;
        for no in 0..50_u64 {
            let came = no * FRAME + if no == 10 { 30 * 90 } else { 0 };
            let mut now = came.max(free_at);
            let new = |now| Input {
                now,
                is_new: true,
                ..Input::default()
            };
            while let Step::Wait(until) = cadence.step(new(now)) {
                now = until;
            }
            let most = if no < 20 { 30 * 90 } else { 0 };
            assert!(now - came <= most, "{no} waits {} ticks", now - came);
            free_at = now;
        }
    }

    #[test]
    fn joiners_get_their_key_frame_but_not_more_than_two_a_second() {
        let mut cadence = Cadence::new(Fps(25), GOP);
        let wanted = |_| Input {
            wants_key: true,
            ..Input::default()
        };
        let made = run(&mut cadence, 0..3 * TICKS, wanted);
        let keys: Vec<u64> = made
            .iter()
            .filter(|(.., key)| *key)
            .map(|(at, ..)| *at)
            .collect();
        assert!((5..=7).contains(&keys.len()), "{keys:?}");
        assert!(keys.windows(2).all(|pair| pair[1] - pair[0] >= KEYS_APART));
        // One joins in the middle of nothing: no later than the next frame could be.
        let mut cadence = Cadence::new(Fps(25), GOP);
        run(&mut cadence, 0..10 * TICKS + 90 * 100, standing);
        let joined = Input {
            now: 10 * TICKS + 90 * 101,
            wants_key: true,
            ..Input::default()
        };
        assert!(matches!(
            cadence.step(joined),
            Step::Encode { at, key: true, .. } if at == joined.now
        ));
    }

    #[test]
    fn pieces_begin_every_two_seconds_at_pictures_that_come_anyway() {
        let cut_up = |_| Input {
            is_cut_up: true,
            ..Input::default()
        };
        let made = run(&mut Cadence::new(Fps(25), GOP), 0..20 * TICKS, cut_up);
        assert_eq!(made.len(), 100);
        let keys = made.iter().filter(|(.., key)| *key).map(|(at, ..)| *at);
        assert!(keys.eq((0..10).map(|n| n * GOP)));
    }

    /// Each live picture may be the last for a while, and none is planned before that.
    #[test]
    fn pieces_begin_every_two_seconds_at_live_pictures_too() {
        let mut cadence = Cadence::new(Fps(60), GOP);
        let live = |now| Input {
            is_cut_up: true,
            is_new: now % FRAME < 90,
            ..Input::default()
        };
        let made = run(&mut cadence, 0..20 * TICKS, live);
        assert_eq!(made.len(), 500);
        let keys = made.iter().filter(|(.., key)| *key).map(|(at, ..)| *at);
        assert!(keys.eq((0..10).map(|n| n * GOP)));
    }

    #[test]
    fn a_slow_machine_skips_and_heals_by_a_key_frame() {
        let mut cadence = Cadence::new(Fps(25), GOP);
        let moves = |now| Input {
            now,
            moves: true,
            ..Input::default()
        };
        cadence.step(moves(0));
        let at = |step| match step {
            Step::Encode { at, key, .. } => (at, key),
            Step::Wait(_) => panic!("it is due"),
        };
        // A little late is no matter.
        assert_eq!(at(cadence.step(moves(FRAME + 900))), (FRAME, false));
        let late = FRAME + 2 * FRAME + 90;
        assert_eq!(at(cadence.step(moves(late))), (late, true));
        let later = late + FRAME + FRAME;
        assert_eq!(at(cadence.step(moves(later))), (later, false));
    }
}
