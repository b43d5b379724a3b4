//! The shape in which a client wants a channel, and how strangers' wishes are bounded.
//!
//! Pure. A rendition is the key under which a picture is rendered once for everybody who wants the
//! same, so two clients whose wishes hardly differ must come out equal: sizes are snapped to a
//! ladder.

mod bitrate;
mod encoder;
mod gop;
mod ladder;
mod language;
pub mod video;
mod wishes;

use mantel_shared::Transition;

pub use bitrate::{Bitrate, BitrateError};
pub use encoder::{EncoderChoice, EncoderChoiceError, FfmpegEncoder};
pub use gop::{Gop, GopError};
pub use ladder::snap;
pub use language::Language;
pub use wishes::{KEYS as WISH_KEYS, Wishes};

use crate::{
    render::{Fit, Quality},
    size::Size,
};

/// Frames per second while something moves, 1 to 60.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fps(pub u32);

impl Fps {
    /// The least time between two live pictures, in a unit of which a second has so many: that of a rate a tenth higher.
    /// Pictures that come at this rate come unevenly, and one that was late would hold up all behind it for as long.
    pub fn least_apart(self, per_second: u64) -> u64 {
        per_second * 10 / (11 * u64::from(self.0.max(1)))
    }
}

/// Everything that decides what a frame's bytes are, given the timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rendition {
    /// The size that every frame has exactly.
    pub size: Size,
    /// How a photo fills it.
    pub fit: Fit,
    /// JPEG quality.
    pub quality: Quality,
    /// The most bits a second in motion; none where quality alone counts.
    pub bitrate: Option<Bitrate>,
    /// The most time between two key frames of video; none where only video that is cut up has them by themselves.
    pub gop: Option<Gop>,
    /// Frame rate of blended transitions.
    pub fps: Fps,
    /// How one slide becomes the next.
    pub transition: Transition,
    /// Which photos share the screen.
    pub pair: Pair,
    /// The words that are written on the picture.
    pub captions: Captions,
    /// Whether pictures that are no photos say why they are shown. Pages say it themselves.
    pub note: bool,
}

/// Which photos share the screen. The order of the slides depends on it, too: where two photos
/// take one turn, there are fewer turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pair {
    /// No photos: each has the screen to itself.
    Off,
    /// Two portraits, as wide screens have room for.
    Wide,
    /// Two landscapes, as upright screens have room for.
    Upright,
    /// Two of the shape that this screen itself has room for.
    Own,
}

impl Pair {
    /// The pairs that a screen of this size has room for; a square one counts as wide.
    pub fn of(size: Size) -> Self {
        if size.width >= size.height {
            Self::Wide
        } else {
            Self::Upright
        }
    }

    /// The pairs on a screen of a known size: never [`Self::Own`].
    pub fn on(self, size: Size) -> Self {
        match self {
            Self::Own => Self::of(size),
            known => known,
        }
    }
}

/// The pair as a wish is typed.
impl std::fmt::Display for Pair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Off => "off",
            Self::Wide => "wide",
            Self::Upright => "upright",
            Self::Own => "own",
        })
    }
}

/// The words that are written on a picture, as far as they are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Captions {
    /// The day on which the photo was taken, in words.
    pub date: bool,
    /// The place at which it was taken.
    pub place: bool,
    /// The album that it is in.
    pub album: bool,
    /// The photo's own text, as somebody wrote it.
    pub text: bool,
    /// The language of the names of places.
    pub language: Language,
}

impl Captions {
    /// The parts alone, for screens that have a language of their own.
    pub fn in_no_language(self) -> Self {
        Self {
            language: Language::default(),
            ..self
        }
    }

    /// Whether nothing is written at all.
    pub fn is_off(self) -> bool {
        let Self {
            date,
            place,
            album,
            text,
            language: _,
        } = self;
        !(date || place || album || text)
    }
}

/// The form that [`FromStr`](std::str::FromStr) reads.
impl std::fmt::Display for Captions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words = [
            (self.date, "date"),
            (self.place, "place"),
            (self.album, "album"),
            (self.text, "text"),
        ];
        let words: Vec<&str> = words
            .iter()
            .filter(|(on, _)| *on)
            .map(|(_, word)| *word)
            .collect();
        f.write_str(if words.is_empty() { "off" } else { "" })?;
        f.write_str(&words.join(","))?;
        if self.language != Language::En && !self.is_off() {
            write!(f, ",{}", self.language)?;
        }
        Ok(())
    }
}

impl std::str::FromStr for Captions {
    type Err = &'static str;

    /// Reads `off`, `all`, or any of `date,place,album,text`; all but `off` with a language: `all,de`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "off, all, or any of date,place,album,text, and a language such as de";
        let mut captions = Self::default();
        if text.trim() == "off" {
            return Ok(captions);
        }
        for word in text.split(',') {
            match word.trim() {
                "all" => {
                    captions = Self {
                        date: true,
                        place: true,
                        album: true,
                        text: true,
                        ..captions
                    }
                }
                "date" => captions.date = true,
                "place" => captions.place = true,
                "album" => captions.album = true,
                "text" => captions.text = true,
                language => captions.language = language.parse().map_err(|_| wrong)?,
            }
        }
        if captions.is_off() {
            return Err(wrong);
        }
        Ok(captions)
    }
}

impl Rendition {
    /// A rendition for a slow network: fewer bytes a frame and fewer frames, `level` steps down,
    /// but never another size. VLC stumbles over a size that changes inside a stream, and a page
    /// around an `<img>` would move.
    pub fn lowered(self, level: u8) -> Self {
        let (most_quality, most_fps) = match level {
            0 => return self,
            1 => (60, 15),
            2 => (40, 10),
            _ => (25, 5),
        };
        Self {
            quality: Quality::new(most_quality).map_or(self.quality, |most| self.quality.min(most)),
            bitrate: None,
            fps: Fps(self.fps.0.min(most_fps)),
            ..self
        }
    }

    /// The difference that a viewer would see if `other` stood in for this rendition; `None` when
    /// it can't, because it is upright and this one isn't or the other way round, or has other
    /// words written on it.
    pub fn distance(&self, other: &Self) -> Option<u64> {
        let upright = |size: Size| size.height > size.width;
        if upright(self.size) != upright(other.size) || self.captions != other.captions {
            return None;
        }
        let apart = |one: u32, other: u32| u64::from(one.abs_diff(other));
        let shape = |size: Size| size.width * 1000 / size.height.max(1);
        // The weights: a wrong shape is seen most, then too few pixels, then the rest.
        let mut distance = apart(shape(self.size), shape(other.size)) * 20;
        let sides = apart(self.size.width, other.size.width);
        distance += if other.size.width < self.size.width {
            sides * 3
        } else {
            sides
        };
        distance += u64::from(self.fit != other.fit) * 2000;
        distance += u64::from(self.pair != other.pair) * 1000;
        distance += u64::from(self.note != other.note) * 500;
        distance += u64::from(self.transition != other.transition) * 200;
        distance += Bitrate::distance(self.bitrate, other.bitrate) * 20;
        distance += u64::from(self.gop != other.gop) * 20;
        distance += apart(self.fps.0, other.fps.0) * 10;
        distance += apart(self.quality.value().into(), other.quality.value().into()) * 5;
        Some(distance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(width: u32, height: u32) -> Size {
        Size { width, height }
    }

    fn rendition(width: u32, height: u32) -> Rendition {
        let config = crate::Config::from_args([] as [&str; 0]).unwrap();
        Rendition {
            size: size(width, height),
            ..config.rendition
        }
    }

    #[test]
    fn the_nearest_rendition_is_of_the_same_shape() {
        let wanted = rendition(1600, 900);
        let nearest = |others: &[(u32, u32)]| {
            let others = others
                .iter()
                .map(|(width, height)| rendition(*width, *height));
            let near = others.min_by_key(|other| wanted.distance(other).unwrap_or(u64::MAX));
            near.unwrap().size
        };
        assert_eq!(
            nearest(&[(1280, 720), (1600, 1200), (1080, 1920)]),
            size(1280, 720)
        );
        assert_eq!(
            nearest(&[(1280, 720), (1920, 1080), (320, 180)]),
            size(1920, 1080)
        );
        assert_eq!(wanted.distance(&rendition(900, 1600)), None);
        assert_eq!(wanted.distance(&wanted), Some(0));
        let written = Rendition {
            captions: "all".parse().unwrap(),
            ..wanted
        };
        assert_eq!(wanted.distance(&written), None);
    }

    #[test]
    fn a_lowered_rendition_costs_less_and_keeps_its_size() {
        let full = rendition(1920, 1080);
        assert_eq!(full.lowered(0), full);
        for level in 1..=4 {
            let (before, after) = (full.lowered(level - 1), full.lowered(level));
            assert!(after.quality <= before.quality && after.fps.0 <= before.fps.0);
            assert_eq!(after.size, full.size);
        }
        let modest = Rendition {
            fps: Fps(2),
            quality: Quality::new(10).unwrap(),
            ..full
        };
        assert_eq!(modest.lowered(3), modest);
    }

    #[test]
    fn captions_are_off_all_or_a_list() {
        let read = |text: &str| text.parse::<Captions>();
        assert!(read("off").unwrap().is_off());
        let two = read("date, text").unwrap();
        assert!(two.date && two.text && !two.place && !two.album);
        assert_eq!(read("all"), read("text,album,place,date"));
        let german = read("all,de").unwrap();
        assert_eq!(
            (german.language, german.to_string()),
            (Language::De, "date,place,album,text,de".into())
        );
        // Screens have a language of their own.
        assert_eq!(Ok(german.in_no_language()), read("all"));
        for language in Language::ALL {
            let captions = read(&format!("{language}, place")).unwrap();
            assert_eq!(captions.language, language);
            assert_eq!(read(&captions.to_string()), Ok(captions));
        }
        for bad in [
            "", "on", "date,", "date,off", "Date", "de", "all,xx", "off,de", "all,DE",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
