//! Parts at an even pace: which pictures belong to one.

/// Groups pictures into parts. Players of Apple's give up where parts come unevenly: each is to be as long as
/// the others, but for the last one of a segment.
#[derive(Clone, Debug)]
pub struct Pace {
    target: u32,
    filled: u32,
}

/// Where parts end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cut {
    /// Whether the part that was being filled ended before this picture.
    pub is_before: bool,
    /// Whether the part that has this picture ends with it: another as long wouldn't fit.
    pub is_behind: bool,
}

impl Pace {
    /// A pace of parts that are at most `target` ticks long. Where pictures last longer, parts do too.
    pub fn new(target: u32) -> Self {
        Self { target, filled: 0 }
    }

    /// Takes the next picture, of so many ticks. A key frame begins a part.
    pub fn add(&mut self, duration: u32, is_key: bool) -> Cut {
        let is_before = self.filled > 0 && (is_key || !self.fits(duration));
        if is_before {
            self.filled = 0;
        }
        self.filled = self.filled.saturating_add(duration);
        let is_behind = !self.fits(duration);
        if is_behind {
            self.filled = 0;
        }
        Cut {
            is_before,
            is_behind,
        }
    }

    /// Ends the part that is being filled: an encoder begins anew.
    pub fn reset(&mut self) {
        self.filled = 0;
    }

    fn fits(&self, duration: u32) -> bool {
        self.filled.saturating_add(duration) <= self.target
    }
}
