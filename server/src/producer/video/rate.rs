//! How coarsely pictures are encoded, so that motion stays near a bitrate. Pure.
//!
//! An encoder's own control of its rate looks ahead of nothing and drops what is too much: of a crossfade seven pictures in
//! twenty-three (openh264's). This one is slow, and drops none. It counts by time, not by pictures: a camera may bring a
//! sixth of those that its channel could show.

use crate::hub::TICKS;

/// A quantisation parameter (QP) of H.264: the greater, the coarser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Qp(pub(super) u8);

impl Qp {
    fn coarser(self, steps: u8) -> Self {
        Self(self.0.saturating_add(steps)).min(COARSEST)
    }

    fn finer(self, steps: u8) -> Self {
        Self(self.0.saturating_sub(steps)).max(FINEST)
    }
}

/// At the start. At this one a 1080p photo can't be told from its JPEG of the default quality.
const FIRST: Qp = Qp(26);
/// Of a picture that stands: a little finer than at the start.
const STANDING: Qp = Qp(24);
/// Nothing more is seen below it.
const FINEST: Qp = Qp(22);
/// Beyond it blocks are all that is seen.
const COARSEST: Qp = Qp(42);
/// The steps by which each picture is finer than the one before while it stands: all at once would be as much as a key
/// frame, and a thin network is longest behind just when there is time to look.
const FINER: u8 = 4;
/// The steps that halve what is spent.
const HALVE: f64 = 6.0;
/// Pictures in motion by which it is judged.
const SPAN: u32 = 12;
/// Pictures by which it is judged that too much by far is spent.
const SOON: u32 = 5;
/// The longest time between two pictures, in ticks, whose bits the second one may have.
const PAUSE: u64 = TICKS / 5;
/// A key frame takes no longer than this, in ticks, at the bitrate.
const KEY: u64 = TICKS / 2;

/// The picture that is to be encoded.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Kind {
    /// Whether it shows something else than the last one.
    pub(super) moves: bool,
    /// Whether it has to be a key frame.
    pub(super) key: bool,
}

/// The control of one encoder's rate.
#[derive(Debug)]
pub(super) struct Rate {
    bits_per_second: u64,
    /// In motion.
    qp: Qp,
    /// Of the last picture.
    last: Qp,
    /// The bytes of the last key frame, and how coarse it was.
    key: Option<(usize, Qp)>,
    n_frames: u32,
    n_bytes: u64,
    ticks: u64,
    /// When the last picture in motion was seen.
    moved_at: Option<u64>,
}

impl Rate {
    /// At most so many bits a second in motion, over a while.
    pub(super) fn new(bits_per_second: u64) -> Self {
        Self {
            bits_per_second,
            qp: FIRST,
            last: FIRST,
            key: None,
            n_frames: 0,
            n_bytes: 0,
            ticks: 0,
            moved_at: None,
        }
    }

    /// How coarsely to encode the next picture. One that stands is looked at: what a change left coarse in it is made fine
    /// by the pictures after it.
    pub(super) fn qp(&mut self, kind: Kind) -> Qp {
        let qp = if kind.moves {
            self.qp
        } else {
            self.last.finer(FINER).max(STANDING).min(self.qp)
        };
        let least = self.key.filter(|_| kind.key).map(|(n_bytes, qp)| {
            let most = self.bytes(KEY);
            let steps = HALVE * (n_bytes as f64 / most.max(1) as f64).log2();
            #[expect(clippy::cast_sign_loss, reason = "what is below nothing is nothing")]
            qp.finer(-steps.min(0.0) as u8)
                .coarser(steps.ceil().max(0.0) as u8)
        });
        self.last = least.map_or(qp, |least| qp.max(least));
        self.last
    }

    /// The picture that was asked for last came to so many bytes, to be seen `at` a tick. Those of pictures that stand say
    /// nothing of motion, nor do those of key frames, which are few.
    pub(super) fn made(&mut self, kind: Kind, n_bytes: usize, at: u64) {
        if kind.key {
            self.key = Some((n_bytes, self.last));
        }
        if !kind.moves {
            return;
        }
        let since = self.moved_at.replace(at);
        if kind.key {
            return;
        }
        self.n_frames += 1;
        self.n_bytes += n_bytes as u64;
        self.ticks += since.map_or(PAUSE, |since| at.saturating_sub(since).min(PAUSE));
        let (spent, budget) = (self.n_bytes, self.bytes(self.ticks));
        let is_far_off = self.n_frames >= SOON && spent > 2 * budget;
        if self.n_frames < SPAN && !is_far_off {
            return;
        }
        (self.n_frames, self.n_bytes, self.ticks) = (0, 0, 0);
        self.qp = match spent {
            _ if spent > 4 * budget => self.qp.coarser(8),
            _ if spent > 2 * budget => self.qp.coarser(4),
            _ if spent > budget => self.qp.coarser(1),
            _ if spent < budget / 2 => self.qp.finer(1),
            _ => self.qp,
        };
    }

    /// The bytes that there may be in so many ticks.
    fn bytes(&self, ticks: u64) -> u64 {
        self.bits_per_second * ticks / (8 * TICKS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOVES: Kind = Kind {
        moves: true,
        key: false,
    };
    const STANDS: Kind = Kind {
        moves: false,
        key: false,
    };
    const KEY_FRAME: Kind = Kind {
        moves: false,
        key: true,
    };

    /// The bytes of a picture that would have so many at the start: they halve with every six steps.
    fn bytes(at_26: f64, Qp(qp): Qp) -> usize {
        let bytes = at_26 * 2f64.powf((26.0 - f64::from(qp)) / 6.0);
        #[expect(clippy::cast_sign_loss, reason = "no picture has less than no bytes")]
        let bytes = bytes as usize;
        bytes
    }

    /// A rate after many pictures of `fps`, and what a second of them comes to, in bits.
    fn settle(bits_per_second: u64, fps: u64, at_26: f64) -> (Rate, usize) {
        let mut rate = Rate::new(bits_per_second);
        let mut size = 0;
        for no in 0..100 * u64::from(SPAN) {
            size = bytes(at_26, rate.qp(MOVES));
            rate.made(MOVES, size, no * TICKS / fps);
        }
        (rate, size * 8 * fps as usize)
    }

    #[test]
    fn motion_comes_to_lie_below_the_bitrate_and_not_far_below() {
        for fps in [60, 25, 10] {
            for at_26 in [30_000.0, 50_000.0, 100_000.0, 200_000.0] {
                let (mut rate, bits) = settle(8_000_000, fps, at_26);
                let qp = rate.qp(MOVES);
                assert!(
                    bits <= 8_000_000 || qp == COARSEST,
                    "{at_26} at {fps} became {bits}"
                );
                assert!(
                    bits > 3_000_000 || qp == FINEST,
                    "{at_26} at {fps} became {bits}"
                );
            }
        }
    }

    #[test]
    fn far_too_much_is_answered_within_a_few_pictures() {
        let mut rate = Rate::new(1_000_000);
        let mut n_bits = 0;
        for no in 0..25 {
            let size = bytes(100_000.0, rate.qp(MOVES));
            n_bits += size * 8;
            rate.made(MOVES, size, no * TICKS / 25);
        }
        assert!(rate.qp(MOVES) > Qp(38), "{rate:?}");
        assert!(n_bits < 10_000_000, "{n_bits} bits in the first second");
    }

    #[test]
    fn a_picture_that_stands_becomes_fine_step_by_step() {
        let (mut rate, _) = settle(1_000_000, 25, 100_000.0);
        let coarse = rate.qp(MOVES);
        let fine: Vec<Qp> = (0..8).map(|_| rate.qp(STANDS)).collect();
        assert!(fine[0] < coarse && fine[0] > STANDING, "{fine:?}");
        assert!(fine.windows(2).all(|pair| pair[1] <= pair[0]), "{fine:?}");
        assert_eq!(fine.last(), Some(&STANDING));
        assert_eq!(rate.qp(MOVES), coarse);
    }

    #[test]
    fn a_key_frame_is_no_more_than_half_a_second_of_the_bitrate() {
        for at_26 in [10_000.0, 60_000.0, 250_000.0] {
            let mut rate = Rate::new(1_000_000);
            let sizes: Vec<usize> = (0..10)
                .map(|no| {
                    for _ in 0..10 {
                        rate.qp(STANDS);
                    }
                    let size = bytes(at_26, rate.qp(KEY_FRAME));
                    rate.made(KEY_FRAME, size, no * TICKS);
                    size
                })
                .collect();
            // The first is not known before it is made.
            assert!(sizes[1..].iter().all(|size| *size <= 63_000), "{sizes:?}");
            let (least, most) = (sizes[1..].iter().min(), sizes[1..].iter().max());
            assert_eq!(least, most, "they are alike");
            // And no coarser than that.
            assert!(rate.last == STANDING || sizes[9] > 50_000, "{sizes:?}");
        }
    }

    #[test]
    fn there_is_a_finest_and_a_coarsest() {
        assert_eq!(settle(8_000_000, 25, 10.0).0.qp(MOVES), FINEST);
        let (mut coarse, _) = settle(1000, 25, 100_000.0);
        assert_eq!(coarse.qp(MOVES), COARSEST);
        for _ in 0..10 {
            coarse.qp(STANDS);
        }
        assert_eq!(coarse.qp(STANDS), STANDING);
    }
}
