//! Clips: a frame of one as a picture, and what ffprobe tells of it. Both programs are children that open the one file, by its
//! container as its first bytes tell it, so that no list of other files or addresses in it is followed.

#![expect(
    clippy::disallowed_methods,
    reason = "the folders where programs are, once at the start; looking there doesn't wait for people's drives"
)]

use std::{ffi::OsString, path::Path, time::Duration};

mod motion_photo;
mod play;

pub use play::{Motion, Moving, Playing, Still};

use super::{
    child::{self, Ending, Line, NoOutput},
    gallery::LoadError,
};
use crate::{
    library::{CLIP_ENTRIES, ClipTrouble, Clips},
    render::Kind,
};

/// How long a frame may take to come, by the clock.
const POSTER_WITHIN: Duration = Duration::from_secs(30);
/// How long it may take to say what a clip is.
const TOLD_WITHIN: Duration = Duration::from_secs(20);
/// The most bytes that a frame has, as a JPEG.
const MAX_POSTER: usize = 32 << 20;
/// The most bytes that are told of a clip.
const MAX_TOLD: usize = 256 << 10;
/// Where a frame is taken: many a clip begins in the dark, or with a blur.
const AT_SECONDS: &str = "1";

/// How clips are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClipMode {
    /// A frame of each, as a photo.
    #[default]
    Poster,
    /// Each moves when its turn comes, and so does the moving half of a photo.
    Play,
    /// Counted, and that is all.
    Off,
}

impl ClipMode {
    /// The fate of clips on this machine.
    pub fn clips(self) -> Clips {
        match (self, has("ffmpeg") && has("ffprobe")) {
            (Self::Off, _) => Clips::Off,
            (Self::Poster | Self::Play, false) => Clips::Missing,
            (Self::Poster | Self::Play, true) => Clips::Shown(told),
        }
    }

    /// Whether they move, on this machine.
    pub fn plays(self) -> bool {
        self == Self::Play && has("ffmpeg") && has("ffprobe")
    }
}

fn has(program: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| folder.join(program).is_file())
}

/// Has ffprobe tell of a clip.
fn told(path: &Path, kind: Kind) -> Result<Vec<u8>, ClipTrouble> {
    let mut arguments = words(&["-v", "error"]);
    arguments.extend(input(path, kind));
    arguments.extend(words(&[
        "-select_streams",
        "v",
        "-show_entries",
        CLIP_ENTRIES,
        "-of",
        "json=compact=1",
    ]));
    let line = Line {
        program: "ffprobe".into(),
        arguments,
        input: Vec::new(),
    };
    child::run(&line, MAX_TOLD, TOLD_WITHIN).map_err(|why| ClipTrouble {
        is_passing: matches!(
            &why,
            NoOutput::Slow | NoOutput::Ended(Ending::NotStarted(_), _)
        ),
        reason: sentence("ffprobe", &why, TOLD_WITHIN, path),
    })
}

/// A frame of a clip, as a JPEG: one of its second second, upright, in square pixels.
///
/// # Errors
/// There is none, and why.
pub(super) fn poster(path: &Path, kind: Kind) -> Result<Vec<u8>, LoadError> {
    // A shorter clip has nothing there.
    match frame(path, kind, Some(AT_SECONDS)) {
        Ok(bytes) if !bytes.is_empty() => return Ok(bytes),
        Err(
            why @ (NoOutput::Slow | NoOutput::Ended(Ending::NotFound | Ending::NotStarted(_), _)),
        ) => {
            return Err(failed(&why, path));
        }
        Ok(_) | Err(_) => {}
    }
    first(path, kind)
}

/// The very first frame of a clip, as a JPEG: what one that plays begins with.
///
/// # Errors
/// There is none, and why.
pub(super) fn first(path: &Path, kind: Kind) -> Result<Vec<u8>, LoadError> {
    match frame(path, kind, None) {
        Ok(bytes) if bytes.is_empty() => Err(LoadError::Clip("there is no picture in it".into())),
        Ok(bytes) => Ok(bytes),
        Err(why) => Err(failed(&why, path)),
    }
}

fn failed(why: &NoOutput, path: &Path) -> LoadError {
    match why {
        NoOutput::Ended(Ending::NotStarted(reason), _) => {
            LoadError::Read(std::io::Error::other(reason.clone()))
        }
        NoOutput::Slow => LoadError::Slow(POSTER_WITHIN.as_secs()),
        why => LoadError::Clip(sentence("ffmpeg", why, POSTER_WITHIN, path)),
    }
}

fn frame(path: &Path, kind: Kind, at: Option<&str>) -> Result<Vec<u8>, NoOutput> {
    let mut arguments = words(&["-nostdin", "-hide_banner", "-loglevel", "error"]);
    if let Some(at) = at {
        arguments.extend(words(&["-ss", at]));
    }
    // Several threads would each hold pictures.
    arguments.extend(words(&["-threads", "1"]));
    arguments.extend(input(path, kind));
    arguments.extend(words(&[
        "-an",
        "-sn",
        "-dn",
        "-frames:v",
        "1",
        "-vf",
        FILTERS,
    ]));
    arguments.extend(words(&[
        "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-q:v", "2",
    ]));
    arguments.extend(words(&["-threads", "1", "-f", "image2pipe", "pipe:1"]));
    let line = Line {
        program: "ffmpeg".into(),
        arguments,
        input: Vec::new(),
    };
    child::run(&line, MAX_POSTER, POSTER_WITHIN)
}

/// Square pixels, no more than a screen has, and the colours that a JPEG without a word about them has.
const FILTERS: &str = "scale=w='max(2,iw*sar)':h=ih,setsar=1,\
    scale=w='min(3840,iw)':h='min(3840,ih)':force_original_aspect_ratio=decrease:out_color_matrix=bt601:out_range=pc";

/// The one file, opened as what it is and as nothing else: a playlist in a clip's clothes would name other files.
fn input(path: &Path, kind: Kind) -> Vec<OsString> {
    input_from(path, kind, 0)
}

/// The file from one of its bytes on.
fn input_from(path: &Path, kind: Kind, offset: u64) -> Vec<OsString> {
    let format = match kind {
        Kind::Matroska => "matroska",
        _ => "mov",
    };
    let mut arguments = words(&["-protocol_whitelist", "file,subfile", "-f", format, "-i"]);
    let mut name = OsString::from(match offset {
        0 => "file:".to_owned(),
        offset => format!("subfile,,start,{offset},end,0,,:file:"),
    });
    name.push(path);
    arguments.push(name);
    arguments
}

fn words(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}

/// Why there is nothing, in words for people; the file's path is in none of them.
fn sentence(program: &str, why: &NoOutput, within: Duration, path: &Path) -> String {
    match why {
        NoOutput::Slow => format!("{program} takes longer than {} s for it", within.as_secs()),
        NoOutput::TooMuch => format!("{program} finds more in it than a clip has"),
        NoOutput::Ended(Ending::NotFound, _) => format!("{program} is not installed any more"),
        NoOutput::Ended(Ending::NotStarted(reason), _) => {
            format!("{program} can't be started: {reason}")
        }
        NoOutput::Ended(Ending::Signal(signal), _) => {
            format!("{program} was ended by signal {signal} over it")
        }
        NoOutput::Ended(Ending::Status(_), said) => {
            let name = format!("file:{}", path.display());
            let said = said
                .replace(&name, "")
                .replace(|c: char| c.is_control(), " ");
            let said = said.trim_matches([':', ' ']);
            match said.get(..said.floor_char_boundary(200)) {
                Some(said) if !said.is_empty() => format!("{program} can't read it: {said}"),
                _ => format!("{program} can't read it"),
            }
        }
    }
}

#[cfg(test)]
mod tests;
