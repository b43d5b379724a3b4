//! How coarse JPEGs in motion are, so that they stay below a bitrate. Pure: a slow loop, which looks at what half a second took and
//! takes a step.

use mantel_shared::UnixMillis;

use crate::{
    render::Quality,
    rendition::{Bitrate, Rendition},
};

/// The span that is judged at once, in milliseconds.
const SPAN: u64 = 500;
/// A longer pause than this is a picture that stands: what was before it says nothing of what comes.
const PAUSE: u64 = 1500;
/// The time after something was too much in which nothing finer is tried: else what passes through as it came
/// and what is made anew would take turns.
const PATIENCE: u64 = 20_000;
/// A wall shows blocks below it.
const LEAST: u8 = 20;

/// The control of one rendition's bitrate.
#[derive(Debug)]
pub(super) struct Coarseness {
    bitrate: Bitrate,
    most: u8,
    quality: u8,
    /// When the span began, when its last picture came, and the bytes since its first one.
    began_at: u64,
    last_at: u64,
    n_bytes: u64,
    lowered_at: u64,
}

impl Coarseness {
    /// The control of `rendition`, where a bitrate is wished for.
    pub(super) fn of(rendition: &Rendition) -> Option<Self> {
        let most = rendition.quality.value();
        Some(Self {
            bitrate: rendition.bitrate?,
            most,
            quality: most,
            began_at: 0,
            last_at: 0,
            n_bytes: 0,
            lowered_at: 0,
        })
    }

    /// The quality of the next picture.
    pub(super) fn quality(&self) -> Quality {
        Quality::new(self.quality).unwrap_or_default()
    }

    /// A picture of so many bytes is sent now.
    pub(super) fn took(&mut self, n_bytes: usize, now: UnixMillis) {
        let UnixMillis(now) = now;
        let pause = now.checked_sub(self.last_at);
        self.last_at = now;
        if pause.is_none_or(|pause| pause > PAUSE) {
            (self.began_at, self.n_bytes) = (now, 0);
            self.lowered_at = self.lowered_at.min(now);
            return;
        }
        self.n_bytes += n_bytes as u64;
        let span = now.saturating_sub(self.began_at);
        if span < SPAN {
            return;
        }
        let spent = self.n_bytes * 8 * 1000 / span;
        (self.began_at, self.n_bytes) = (now, 0);
        let most = self.bitrate.bits_per_second();
        let down = |steps: u8| self.quality.saturating_sub(steps).max(LEAST.min(self.most));
        if spent > most {
            self.quality = down(if spent > 2 * most { 15 } else { 5 });
            self.lowered_at = now;
        } else if spent < most * 6 / 10 && now.saturating_sub(self.lowered_at) >= PATIENCE {
            self.quality = (self.quality + 5).min(self.most);
        }
    }
}

#[cfg(test)]
mod tests {
    use mantel_shared::Transition;

    use super::*;
    use crate::{
        render::Fit,
        rendition::{Captions, Fps, Pair},
        size::Size,
    };

    fn rendition(quality: u8, bitrate: Option<&str>) -> Rendition {
        let size = Size::new(1920, 1080);
        Rendition {
            size,
            fit: Fit::Blur,
            quality: Quality::new(quality).unwrap(),
            bitrate: bitrate.map(|rate| rate.parse().unwrap()),
            gop: None,
            fps: Fps(20),
            transition: Transition::Cut,
            pair: Pair::Off,
            captions: Captions::default(),
            note: true,
        }
    }

    fn coarseness(bitrate: &str) -> Coarseness {
        Coarseness::of(&rendition(85, Some(bitrate))).unwrap()
    }

    /// Sends pictures for so many seconds, 20 a second, each the larger the finer; returns what the last two seconds
    /// took, in bits a second.
    fn send(control: &mut Coarseness, from: &mut u64, secs: u64, at_85: u64) -> u64 {
        let mut taken = 0;
        for n in 0..20 * secs {
            let quality = u64::from(control.quality().value());
            let n_bytes = at_85 * quality * quality / (85 * 85);
            *from += 50;
            control.took(usize::try_from(n_bytes).unwrap(), UnixMillis(*from));
            if n >= 20 * (secs - 2) {
                taken += n_bytes * 8;
            }
        }
        taken / 2
    }

    #[test]
    fn it_settles_below_and_comes_back() {
        let (mut control, mut at) = (coarseness("4M"), 1_000_000);
        assert_eq!(control.quality().value(), 85);
        // 8 Mbit/s at full quality.
        let taken = send(&mut control, &mut at, 5, 50_000);
        assert!((1_500_000..=4_000_000).contains(&taken), "{taken}");
        let low = control.quality();
        // An easier motif: nothing happens at once, everything after a while.
        send(&mut control, &mut at, 10, 5_000);
        assert_eq!(control.quality(), low);
        send(&mut control, &mut at, 30, 5_000);
        assert_eq!(control.quality().value(), 85);
    }

    #[test]
    fn it_never_leaves_its_bounds() {
        let (mut control, mut at) = (coarseness("100k"), 1_000_000);
        send(&mut control, &mut at, 60, 500_000);
        assert_eq!(control.quality().value(), LEAST);
        let mut control = Coarseness::of(&rendition(10, Some("100k"))).unwrap();
        send(&mut control, &mut at, 5, 500_000);
        assert_eq!(control.quality().value(), 10);
        assert!(Coarseness::of(&rendition(85, None)).is_none());
    }

    /// One picture after ten seconds of another is no motion; nor is anything made of a clock that is set back.
    #[test]
    fn what_stands_and_clocks_that_jump_say_nothing() {
        let mut control = coarseness("100k");
        for n in 1..100 {
            control.took(1_000_000, UnixMillis(n * 10_000));
        }
        for n in 1..100 {
            control.took(1_000_000, UnixMillis(1_000_000 - n * 10_000));
        }
        assert_eq!(control.quality().value(), 85);
    }
}
