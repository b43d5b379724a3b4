//! The wishes that somebody has of a rendition: read the same from an option, the environment, the file and a
//! query.
//!
//! Pure.

use mantel_shared::Transition;

use super::{Bitrate, BitrateError, Captions, Fps, Gop, GopError, Pair, Rendition, ladder};
use crate::{
    render::{Fit, FitError, Quality, QualityError, Size, SizeError},
    typed,
};

/// The keys that [`Wishes::set`] knows: options of the command line without their dashes, keys of the
/// configuration file and of an address' query.
pub const KEYS: [&str; 10] = [
    "size",
    "fit",
    "quality",
    "bitrate",
    "gop",
    "transition",
    "fps",
    "pair",
    "caption",
    "note",
];

/// Wishes, each checked by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    size: Option<Size>,
    fit: Option<Fit>,
    quality: Option<Quality>,
    /// Whether there is to be a limit, and which.
    bitrate: Option<Option<Bitrate>>,
    gop: Option<Gop>,
    fps: Option<Fps>,
    transition: Option<Transition>,
    pair: Option<PairWish>,
    captions: Option<Captions>,
    note: Option<bool>,
}

/// Which photos are to share the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PairWish {
    /// Those that a screen of the house's size has room for, so that all screens show the same.
    House,
    Known(Pair),
}

/// Why a wish can't be fulfilled, as what follows the key and the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WishError {
    /// A size that can't be.
    #[error(transparent)]
    Size(#[from] SizeError),
    /// A way to fill the screen that is none.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// A quality that can't be.
    #[error(transparent)]
    Quality(#[from] QualityError),
    /// A bitrate that can't be.
    #[error("{0}, or off")]
    Bitrate(#[from] BitrateError),
    /// A time between key frames that can't be.
    #[error(transparent)]
    Gop(#[from] GopError),
    /// A transition that is none.
    #[error("it has to be cut or a duration: {0}")]
    Transition(&'static str),
    /// A transition that has no room between two changes.
    #[error("the crossfade can't be longer than the interval of {}; give a shorter one, or \"cut\"", typed::span(*.0))]
    LongTransition(u64),
    /// Anything else.
    #[error("it has to be {0}")]
    Other(&'static str),
}

impl Wishes {
    /// Takes note of one wish, whose key is one of [`KEYS`]. Slides stay for `interval_millis`.
    ///
    /// # Errors
    /// The value can't be.
    pub fn set(&mut self, key: &str, value: &str, interval_millis: u64) -> Result<(), WishError> {
        let other = |expected| Err(WishError::Other(expected));
        match key {
            "size" => self.size = Some(value.parse()?),
            "fit" => self.fit = Some(value.parse()?),
            "quality" => self.quality = Some(value.parse()?),
            "bitrate" if typed::on_or_off(value) == Some(false) => self.bitrate = Some(None),
            "bitrate" => self.bitrate = Some(Some(value.parse()?)),
            "gop" => self.gop = Some(value.parse()?),
            "fps" => match value.trim().parse() {
                Ok(fps @ 1..=60) => self.fps = Some(Fps(fps)),
                _ => return other("from 1 to 60"),
            },
            "transition" => self.transition = Some(transition(value, interval_millis)?),
            "pair" => match pair(value) {
                Some(pair) => self.pair = Some(pair),
                None => return other("on, own, wide, upright or off"),
            },
            "caption" => match value.parse() {
                Ok(captions) => self.captions = Some(captions),
                Err(expected) => return other(expected),
            },
            "note" => match typed::on_or_off(value) {
                Some(note) => self.note = Some(note),
                None => return other("on or off"),
            },
            _ => {}
        }
        Ok(())
    }

    /// The size that is wished for.
    pub fn size(&self) -> Option<Size> {
        self.size
    }

    /// The transition that is wished for.
    pub fn transition(&self) -> Option<Transition> {
        self.transition
    }

    /// Exactly what is wished for, and of `default` the rest; the screens of the house have the size
    /// `house`.
    pub fn over(&self, default: &Rendition, house: Size) -> Rendition {
        Rendition {
            size: self.size.unwrap_or(default.size),
            fit: self.fit.unwrap_or(default.fit),
            quality: self.quality.unwrap_or(default.quality),
            bitrate: self.bitrate.unwrap_or(default.bitrate),
            gop: self.gop.or(default.gop),
            fps: self.fps.unwrap_or(default.fps),
            transition: self.transition.unwrap_or(default.transition),
            pair: match self.pair {
                None => default.pair,
                Some(PairWish::House) => Pair::of(house),
                Some(PairWish::Known(pair)) => pair,
            },
            captions: self.captions.unwrap_or(default.captions),
            note: self.note.unwrap_or(default.note),
        }
    }

    /// The rendition of a client that wishes this where others get `default`: on the ladder, and for a screen of
    /// a known size.
    pub fn bounded(&self, default: &Rendition) -> Rendition {
        let rendition = ladder::snapped(self.over(default, default.size), default);
        Rendition {
            pair: rendition.pair.on(rendition.size),
            ..rendition
        }
    }
}

/// Reads `cut` or a duration that fits into the interval.
fn transition(text: &str, interval_millis: u64) -> Result<Transition, WishError> {
    if text.trim().eq_ignore_ascii_case("cut") {
        return Ok(Transition::Cut);
    }
    let millis = typed::millis(text).map_err(WishError::Transition)?;
    if millis > interval_millis {
        return Err(WishError::LongTransition(interval_millis));
    }
    match u32::try_from(millis) {
        Ok(0) => Ok(Transition::Cut),
        Ok(millis) => Ok(Transition::Crossfade { millis }),
        Err(_) => Err(WishError::Transition(typed::TOO_LONG)),
    }
}

fn pair(text: &str) -> Option<PairWish> {
    let text = text.trim().to_ascii_lowercase();
    Some(match (text.as_str(), typed::on_or_off(&text)) {
        (_, Some(true)) => PairWish::House,
        (_, Some(false)) => PairWish::Known(Pair::Off),
        ("own", _) => PairWish::Known(Pair::Own),
        ("wide", _) => PairWish::Known(Pair::Wide),
        ("upright", _) => PairWish::Known(Pair::Upright),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(key: &str, value: &str) -> String {
        let mut wishes = Wishes::default();
        let told = wishes.set(key, value, 1500).unwrap_err().to_string();
        assert_eq!(wishes, Wishes::default(), "{key} {value}");
        told
    }

    #[test]
    fn each_rule_has_one_sentence() {
        for (key, values, sentence) in [
            (
                "size",
                &["big", "", "640"][..],
                "a size is width x height in pixels, such as",
            ),
            (
                "size",
                &["0x0", "100000x100000"],
                "each side is 16 to 7680 pixels",
            ),
            ("fit", &["stretch", ""], "fit is contain, cover or blur"),
            ("quality", &["0", "101", "85%"], "from 1 to 100"),
            (
                "bitrate",
                &["fast", "1G", ""],
                "such as 800k or 2.5M, or off",
            ),
            ("gop", &["0", "11s", "often"], "from 500ms to 10s"),
            (
                "fps",
                &["0", "61", "fast", "-1"],
                "it has to be from 1 to 60",
            ),
            (
                "transition",
                &["soon", ""],
                "it has to be cut or a duration: a duration is",
            ),
            (
                "transition",
                &["1501ms", "1h"],
                "longer than the interval of 1500ms; give",
            ),
            (
                "pair",
                &["maybe", ""],
                "it has to be on, own, wide, upright or off",
            ),
            (
                "caption",
                &["dates", ""],
                "it has to be off, all, or any of",
            ),
            ("note", &["maybe", ""], "it has to be on or off"),
        ] {
            for value in values {
                let told = told(key, value);
                assert!(told.contains(sentence), "{key}={value}: {told}");
            }
        }
    }

    #[test]
    fn every_key_is_known() {
        for (key, value) in KEYS.into_iter().zip([
            "640x480", "cover", "70", "2M", "4s", "cut", "12", "off", "date", "off",
        ]) {
            let mut wishes = Wishes::default();
            wishes.set(key, value, 1500).unwrap();
            assert_ne!(wishes, Wishes::default(), "{key}");
        }
    }
}
