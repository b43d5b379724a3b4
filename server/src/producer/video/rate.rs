//! How coarsely pictures are encoded, so that motion stays near a bitrate. Pure.
//!
//! An encoder's own control of its rate looks ahead of nothing and drops what is too much: of a crossfade seven pictures in
//! twenty-three (openh264's). This one is slow, and drops none.

/// A quantisation parameter (QP) of H.264: the greater, the coarser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Qp(pub(super) u8);

/// At the start. At this one a 1080p photo can't be told from its JPEG of the default quality.
const FIRST: Qp = Qp(26);
/// Of a picture that stands: a little finer than at the start.
const STANDING: Qp = Qp(24);
/// Nothing more is seen below it.
const FINEST: Qp = Qp(22);
/// Beyond it blocks are all that is seen.
const COARSEST: Qp = Qp(42);
/// Pictures in motion by which it is judged.
const SPAN: u32 = 12;

/// The control of one encoder's rate.
#[derive(Debug)]
pub(super) struct Rate {
    bytes_per_frame: u64,
    qp: Qp,
    n_frames: u32,
    n_bytes: u64,
}

impl Rate {
    /// So many bits a second, while there are so many pictures in one.
    pub(super) fn new(bits_per_second: u64, fps: u32) -> Self {
        Self {
            bytes_per_frame: bits_per_second / 8 / u64::from(fps.max(1)),
            qp: FIRST,
            n_frames: 0,
            n_bytes: 0,
        }
    }

    /// How coarsely to encode the next picture. One that stands is looked at: what a change left coarse in it is made fine
    /// by the first picture after it, once.
    pub(super) fn qp(&self, moves: bool) -> Qp {
        if moves {
            self.qp
        } else {
            self.qp.min(STANDING)
        }
    }

    /// A picture that builds upon the one before came to so many bytes. Those of pictures that stand say nothing, nor do
    /// those of key frames, which are few.
    pub(super) fn moved(&mut self, n_bytes: usize) {
        self.n_frames += 1;
        self.n_bytes += n_bytes as u64;
        if self.n_frames < SPAN {
            return;
        }
        let (spent, budget) = (self.n_bytes, self.bytes_per_frame * u64::from(SPAN));
        (self.n_frames, self.n_bytes) = (0, 0);
        // Six steps halve what is spent.
        let Qp(qp) = self.qp;
        let qp = match spent {
            _ if spent > 2 * budget => qp + 4,
            _ if spent > budget => qp + 1,
            _ if spent < budget / 2 => qp - 1,
            _ => qp,
        };
        self.qp = Qp(qp).clamp(FINEST, COARSEST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An encoder whose pictures halve with every six steps.
    fn settle(bits_per_second: u64, at_26: f64) -> (Rate, f64) {
        let mut rate = Rate::new(bits_per_second, 25);
        let mut size = 0.0;
        for _ in 0..100 * SPAN {
            size = at_26 * 2f64.powf((26.0 - f64::from(rate.qp(true).0)) / 6.0);
            #[expect(clippy::cast_sign_loss, reason = "no picture has less than no bytes")]
            rate.moved(size as usize);
        }
        (rate, size)
    }

    #[test]
    fn motion_comes_to_lie_below_the_bitrate_and_not_far_below() {
        for at_26 in [30_000.0, 50_000.0, 100_000.0, 200_000.0] {
            let (rate, size) = settle(8_000_000, at_26);
            let budget = 40_000.0;
            assert!(size <= budget, "{at_26} became {size}");
            assert!(
                size > budget * 0.4 || rate.qp(true) == FINEST,
                "{at_26} became {size}"
            );
        }
    }

    #[test]
    fn there_is_a_finest_and_a_coarsest() {
        assert_eq!(settle(8_000_000, 10.0).0.qp(true), FINEST);
        let (coarse, _) = settle(1000, 100_000.0);
        assert_eq!((coarse.qp(true), coarse.qp(false)), (COARSEST, STANDING));
    }
}
