//! The pace that this engine can afford, from WebGL down to pictures that change at once, judged by
//! the frames that it missed.
//!
//! Never a guess by name or year, and never back up: a TV that was too slow once would be so again,
//! and a picture that changes its manner every few minutes is worse than a plain one.

/// How the picture is drawn, the costliest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pace {
    /// WebGL, where there is one: crossfades in linear light.
    #[default]
    Gl,
    /// The 2D canvas.
    Flat,
    /// The 2D canvas, and standing pictures stand still.
    Still,
    /// The 2D canvas without slow moves and crossfades.
    Cut,
}

/// The frames a second below which people see steps: films have 24.
const SMOOTH: f64 = 20.0;
/// The frames a second below which a crossfade looks like a fault, and a cut does not.
const TOLERABLE: f64 = 7.0;
/// The number of bad crossfades in a row that show that the engine is too slow; a single one may
/// come from a photo that was being decoded.
const N_BAD: u32 = 3;

/// The judge of an engine, which counts bad crossfades.
#[derive(Debug, Default)]
pub struct Judge {
    pace: Pace,
    n_bad: u32,
}

impl Judge {
    /// Makes a judge that begins with `pace`.
    pub fn new(pace: Pace) -> Self {
        Self { pace, n_bad: 0 }
    }

    /// The pace that holds.
    pub fn pace(&self) -> Pace {
        self.pace
    }

    /// Judges a crossfade that ran with `per_second` frames. Returns the slower pace, when it is
    /// time for one.
    pub fn judge(&mut self, per_second: f64) -> Option<Pace> {
        let least = match self.pace {
            Pace::Gl | Pace::Flat => SMOOTH,
            Pace::Still => TOLERABLE,
            Pace::Cut => return None,
        };
        if per_second >= least {
            self.n_bad = 0;
            return None;
        }
        self.n_bad += 1;
        (self.n_bad >= N_BAD).then(|| self.slow_down())
    }

    /// Goes on to the next slower pace at once, as when a context is lost, and returns it.
    pub fn slow_down(&mut self) -> Pace {
        self.n_bad = 0;
        self.pace = match self.pace {
            Pace::Gl => Pace::Flat,
            Pace::Flat => Pace::Still,
            Pace::Still | Pace::Cut => Pace::Cut,
        };
        self.pace
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bad_crossfade_is_no_reason() {
        let mut judge = Judge::default();
        for per_second in [5.0, 5.0, 60.0, 5.0, 5.0, 60.0] {
            assert_eq!(judge.judge(per_second), None);
        }
        assert_eq!(judge.pace(), Pace::Gl);
    }

    #[test]
    fn a_slow_engine_goes_down_step_by_step_and_stays() {
        let mut judge = Judge::default();
        let steps: Vec<_> = (0..30).filter_map(|_| judge.judge(3.0)).collect();
        assert_eq!(steps, [Pace::Flat, Pace::Still, Pace::Cut]);
        for _ in 0..30 {
            assert_eq!(judge.judge(60.0), None);
        }
        assert_eq!(judge.pace(), Pace::Cut);
    }

    #[test]
    fn crossfades_that_can_be_borne_are_kept() {
        let mut judge = Judge::new(Pace::Flat);
        let steps: Vec<_> = (0..30).filter_map(|_| judge.judge(12.0)).collect();
        assert_eq!(steps, [Pace::Still]);
    }

    #[test]
    fn what_fails_outright_goes_down_at_once() {
        let mut judge = Judge::default();
        judge.judge(1.0);
        assert_eq!(judge.slow_down(), Pace::Flat);
        assert_eq!(judge.judge(1.0), None);
    }
}
