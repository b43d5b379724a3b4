//! Clips among the photos: which files are some, and what ffprobe tells of one.
//!
//! Pure: bytes in, facts out. Whoever looks through folders is given the program's answers by a [`ReadClip`].

use std::{collections::BTreeMap, path::Path};

use chrono::DateTime;
use serde::Deserialize;

use super::{
    Library, dates,
    metadata::{self, Metadata},
};
use crate::{
    photo::{Entry, Shape},
    render::Kind,
    size::Size,
};

/// The fate of clips in the folders.
#[derive(Clone, Copy, Debug, Default)]
pub enum Clips {
    /// Counted, and not opened.
    #[default]
    Off,
    /// Not shown for want of a program that can read them.
    Missing,
    /// Photos like others, as this reader tells of them.
    Shown(ReadClip),
}

/// Has a program tell of the clip at a path, in JSON: see [`told`].
pub(crate) type ReadClip = fn(&Path, Kind) -> Result<Vec<u8>, ClipTrouble>;

/// Why a clip can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct ClipTrouble {
    /// The reason, in a sentence.
    pub reason: String,
    /// Whether the moment is to blame, and not the clip.
    pub is_passing: bool,
}

/// Why clips are skipped where there is no program for them.
pub(super) const MISSING: &str = "a video, of which a frame can be shown once ffmpeg is installed: on Debian `sudo apt install ffmpeg`, then start Mantel again";

/// The endings of files that may be clips.
const ENDINGS: [&str; 6] = ["m4v", "mkv", "mov", "mp4", "qt", "webm"];

/// The question to ffprobe, in its own words.
pub const ENTRIES: &str = "stream=width,height,sample_aspect_ratio,duration:stream_tags=rotate:\
    stream_disposition=attached_pic:stream_side_data=rotation:format=duration:format_tags";

impl Clips {
    /// Whether a file of this name is looked at as a clip.
    pub(super) fn take(self, path: &Path) -> bool {
        !matches!(self, Self::Off) && may_be_one(path)
    }

    /// A number that tells what becomes of clips from what else may: another one has them looked at again.
    pub(super) fn stamp(self) -> i64 {
        match self {
            Self::Off => 0,
            Self::Missing => 3,
            Self::Shown(_) => 7,
        }
    }
}

/// Whether a file may be a clip, by its name.
pub(super) fn may_be_one(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default();
    ENDINGS.iter().any(|one| ending.eq_ignore_ascii_case(one))
}

/// The kind of clip by the first bytes of a file. QuickTime's older files begin with any of several boxes.
pub fn kind(head: &[u8]) -> Option<Kind> {
    const MATROSKA: &[u8] = b"\x1a\x45\xdf\xa3";
    match head {
        _ if head.starts_with(MATROSKA) => Some(Kind::Matroska),
        [_, _, _, _, b'f', b't', b'y', b'p', ..]
        | [_, _, _, _, b'm', b'o', b'o', b'v', ..]
        | [_, _, _, _, b'm', b'd', b'a', b't', ..]
        | [_, _, _, _, b'w', b'i', b'd', b'e', ..]
        | [_, _, _, _, b'f', b'r', b'e', b'e', ..]
        | [_, _, _, _, b's', b'k', b'i', b'p', ..] => Some(Kind::Mp4),
        _ => None,
    }
}

/// The answer of ffprobe, as far as it is read here.
#[derive(Debug, Deserialize)]
struct Answer {
    #[serde(default)]
    streams: Vec<Stream>,
    #[serde(default)]
    format: Format,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Stream {
    width: u32,
    height: u32,
    sample_aspect_ratio: String,
    duration: Option<String>,
    disposition: Disposition,
    tags: BTreeMap<String, String>,
    side_data_list: Vec<SideData>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Disposition {
    attached_pic: u8,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SideData {
    rotation: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Format {
    duration: Option<String>,
    tags: BTreeMap<String, String>,
}

/// The size as people see it, the length in milliseconds, and all that is told besides; `None` where there is no picture in it.
pub(super) fn told(json: &[u8]) -> Option<(Size, Option<u32>, Metadata)> {
    let answer: Answer = serde_json::from_slice(json).ok()?;
    let is_picture = |stream: &&Stream| stream.disposition.attached_pic == 0 && stream.width > 0;
    let stream = answer.streams.iter().find(is_picture)?;
    let size = stream.upright_size()?;
    // Matroska says it of the whole alone.
    let length = [&stream.duration, &answer.format.duration];
    let length = length.into_iter().flatten().find_map(|text| millis(text));
    // Matroska shouts.
    let tags = answer.format.tags.into_iter();
    let tags: BTreeMap<String, String> = tags
        .map(|(key, value)| (key.to_ascii_lowercase(), value))
        .collect();
    let tag = |keys: &[&str]| {
        let mut found = keys.iter().filter_map(|key| tags.get(*key));
        found.find_map(|text| metadata::sentence(text))
    };
    let position = tag(&["com.apple.quicktime.location.iso6709", "location"]);
    let told = Metadata {
        // By the clock of the camera, with its zone; the other is UTC.
        original: tag(&["com.apple.quicktime.creationdate"]).and_then(|text| dates::moment(&text)),
        digitized: tag(&["creation_time"]).and_then(|text| here(&text)),
        camera: metadata::camera(
            tag(&[
                "com.apple.quicktime.make",
                "com.android.manufacturer",
                "make",
            ]),
            tag(&["com.apple.quicktime.model", "com.android.model", "model"]),
        ),
        position: position.and_then(|text| iso_6709(&text)),
        description: tag(&["com.apple.quicktime.description", "description"]),
        title: tag(&["com.apple.quicktime.title", "title"]),
        ..Metadata::default()
    };
    Some((size, length, told))
}

impl Library {
    /// The library whose clips play, each for at most so many milliseconds.
    #[must_use]
    pub fn playing_clips(self, plays_millis: u32) -> Self {
        Self {
            plays_millis,
            ..self
        }
    }
}

/// Has clips among the entries play for at most so long, or not at all. One that plays has the screen to itself.
pub(super) fn play(entries: &mut [Entry], most_millis: u32) {
    for entry in entries {
        entry.plays_millis = entry.plays_millis.min(most_millis);
        if entry.plays_millis > 0 {
            entry.shape = Shape::Unknown;
        }
    }
}

/// A length that is told in seconds; `None` where it is none.
fn millis(text: &str) -> Option<u32> {
    let millis = text.trim().parse::<f64>().ok()? * 1000.0;
    #[expect(clippy::cast_sign_loss, reason = "it is within the bounds")]
    (millis >= 1.0 && millis <= f64::from(u32::MAX)).then_some(millis as u32)
}

impl Stream {
    fn upright_size(&self) -> Option<Size> {
        let ratio = self.sample_aspect_ratio.split_once(':');
        let ratio = ratio.and_then(|(width, height)| {
            let ratio = (width.parse::<f64>().ok()?, height.parse::<f64>().ok()?);
            (ratio.0 > 0.0 && ratio.1 > 0.0).then_some(ratio.0 / ratio.1)
        });
        #[expect(clippy::cast_sign_loss, reason = "no width is negative")]
        let width = (f64::from(self.width) * ratio.unwrap_or(1.0)).round() as u32;
        let size = Size::new(width, self.height);
        let of_track = self.tags.get("rotate").and_then(|text| text.parse().ok());
        let turned: Option<f64> = self.side_data_list.iter().find_map(|data| data.rotation);
        let quarters = turned.or(of_track).unwrap_or(0.0) / 90.0;
        let is_on_its_side = quarters.round().rem_euclid(2.0) == 1.0;
        let size = if is_on_its_side {
            Size::new(size.height, size.width)
        } else {
            size
        };
        (size.width > 0 && size.height > 0).then_some(size)
    }
}

/// The local time here at a moment that is told in UTC: cameras seldom say where they were.
fn here(text: &str) -> Option<chrono::NaiveDateTime> {
    let moment = DateTime::parse_from_rfc3339(text).ok()?;
    Some(moment.with_timezone(&chrono::Local).naive_local())
}

/// A position as ISO 6709 writes it, in degrees: `+48.8577+002.2950+035.0/`.
fn iso_6709(text: &str) -> Option<super::facts::Position> {
    let signs = text
        .char_indices()
        .filter(|(_, c)| matches!(c, '+' | '-' | '/'));
    let mut at = signs.map(|(at, _)| at).chain([text.len()]);
    let (first, second, end) = (at.next()?, at.next()?, at.next()?);
    let degrees = |text: &str| text.parse::<f64>().ok();
    metadata::position(degrees(&text[first..second])?, degrees(&text[second..end])?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = r#"{"programs": [], "streams": [
        {"width": 600, "height": 600, "disposition": {"attached_pic": 1}},
        {"width": 1440, "height": 1080, "sample_aspect_ratio": "4:3", "disposition": {"attached_pic": 0},
         "tags": {}, "side_data_list": [{"rotation": -90}]}],
        "format": {"duration": "2.0", "tags": {"creation_time": "2021-07-04T10:30:00.000000Z",
        "com.apple.quicktime.creationdate": "2021-07-04T12:30:00+0200",
        "com.apple.quicktime.make": "Apple", "com.apple.quicktime.model": "iPhone 13",
        "COM.APPLE.QUICKTIME.LOCATION.ISO6709": "+48.8577+002.2950+035.000/"}}}"#;

    #[test]
    fn size_turn_length_date_and_place_are_told() {
        let (size, length, told) = told(ANSWER.as_bytes()).unwrap();
        assert_eq!(size, Size::new(1080, 1920), "square pixels, upright");
        assert_eq!(length, Some(2000));
        assert_eq!(
            told.original.unwrap().to_string(),
            "2021-07-04 12:30:00",
            "by the clock on the spot"
        );
        assert!(told.digitized.is_some());
        assert_eq!(told.camera.as_deref(), Some("Apple iPhone 13"));
        let position = told.position.unwrap();
        assert!(
            (position.latitude - 48.8577).abs() < 1e-6 && (position.longitude - 2.295).abs() < 1e-6
        );
    }

    #[test]
    fn half_an_answer_is_none_and_breaks_nothing() {
        for end in 0..ANSWER.len() {
            assert!(told(&ANSWER.as_bytes()[..end]).is_none(), "cut at {end}");
        }
        for odd in [
            "[]",
            "{}",
            r#"{"streams":[{"width":0,"height":9}]}"#,
            r#"{"streams":[{"width":9,"height":0}]}"#,
            r#"{"streams":[{"width":-9,"height":9}]}"#,
            r#"{"streams":[{"width":9,"height":9,"disposition":{"attached_pic":1}}]}"#,
        ] {
            assert!(told(odd.as_bytes()).is_none(), "{odd}");
        }
        let plain = r#"{"streams":[{"width":4294967295,"height":9,"sample_aspect_ratio":"0:1","tags":{"rotate":"90"}}]}"#;
        let (size, length, told) = told(plain.as_bytes()).unwrap();
        assert_eq!((size.width, size.height, length), (9, u32::MAX, None));
        assert_eq!(told, Metadata::default());
    }

    #[test]
    fn a_length_is_the_pictures_and_no_nonsense() {
        for (stream, whole, length) in [
            (r#""1.5""#, r#""9.0""#, Some(1500)),
            ("null", r#""9.25""#, Some(9250)),
            (r#""N/A""#, r#""0.04""#, Some(40)),
            (r#""-3""#, "null", None),
            (r#""NaN""#, r#""inf""#, None),
            (r#""0""#, r#""1e300""#, None),
        ] {
            let json = format!(
                r#"{{"streams":[{{"width":9,"height":9,"duration":{stream}}}],"format":{{"duration":{whole}}}}}"#
            );
            let (_, told, _) = told(json.as_bytes()).unwrap();
            assert_eq!(told, length, "{stream} in {whole}");
        }
    }

    #[test]
    fn positions_are_read_with_their_signs() {
        for (text, is_one) in [
            ("+48.8577+002.2950/", true),
            ("-33.8568+151.2153", true),
            ("+00.0000+000.0000/", false),
            ("+99.0+002.0/", false),
            ("48.8,2.3", false),
            ("+", false),
            ("", false),
            ("/+-", false),
        ] {
            assert_eq!(iso_6709(text).is_some(), is_one, "{text}");
        }
    }

    #[test]
    fn kinds_are_known_by_the_first_bytes() {
        assert_eq!(kind(b"\0\0\0\x20ftypisom"), Some(Kind::Mp4));
        assert_eq!(kind(b"\0\0\0\x08wide\0\0\0\0mdat"), Some(Kind::Mp4));
        assert_eq!(kind(b"\x1a\x45\xdf\xa3\x01"), Some(Kind::Matroska));
        for other in [&b""[..], b"\0\0\0\x20fty", b"#EXTM3U\n", b"\x1a\x45"] {
            assert_eq!(kind(other), None);
        }
        for (name, is_one) in [
            ("a.MOV", true),
            ("a.webm", true),
            ("mp4", false),
            ("a.avi", false),
        ] {
            assert_eq!(may_be_one(Path::new(name)), is_one, "{name}");
        }
    }
}
