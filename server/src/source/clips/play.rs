//! Clips that play: the pictures of one, each with its moment, from an ffmpeg that is ended when they are not wanted any more.
//! Whoever takes them paces it: its pipe holds less than a picture.

use std::{
    borrow::Cow,
    path::{Path, PathBuf},
};

use tokio::{io::AsyncReadExt as _, sync::OwnedSemaphorePermit};

use super::{input_from, motion_photo, words};
use crate::{
    files,
    library::{Origin, Photo},
    render::{Fit, Kind, Picture, Size, lies},
    source::child::{Ending, Line, Running},
};

/// More pictures a second than this are not asked for.
const MOST_FPS: u32 = 30;
/// How much of what it says is kept.
const MAX_WORDS: u64 = 4 << 10;

/// A slide's part that moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Motion {
    /// The file.
    path: PathBuf,
    /// The byte at which it begins there.
    offset: u64,
    kind: Kind,
    /// The size of what stands, upright.
    upright: Size,
    /// The picture that is to be seen when it is over.
    pub still: Still,
    /// For how long it plays at most, in milliseconds.
    pub most_millis: u32,
}

/// The picture that stands when a clip is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Still {
    /// The clip's last.
    Last,
    /// The one that was there before.
    First,
}

/// How a clip is to be played.
#[derive(Clone, Copy, Debug)]
pub struct Playing {
    /// The frame that it is for.
    pub frame: Size,
    /// How it fills that.
    pub fit: Fit,
    /// How many pictures a second are wanted at most.
    pub fps: u32,
    /// Where in it to begin, in milliseconds.
    pub from_millis: u64,
}

/// A clip that plays, until this is dropped.
pub struct Moving {
    running: Option<Running>,
    size: Size,
    fps: u64,
    from_millis: u64,
    n_pictures: u64,
    /// The file as ffmpeg calls it, which is nobody's business.
    name: String,
}

impl Motion {
    /// The motion of a clip or a photo, of which at most so much is shown; none where there is none. Blocking.
    pub fn of(photo: &Photo, most_millis: u32) -> Option<Self> {
        let (Origin::File(path), Some(kind)) = (&photo.origin, photo.facts.kind) else {
            return None;
        };
        if !kind.is_clip() {
            return Self::beside(photo, path, most_millis);
        }
        let length = photo.facts.length_millis?;
        Some(Self {
            path: path.clone(),
            offset: 0,
            kind,
            upright: photo.facts.size?,
            still: Still::Last,
            most_millis: length.min(most_millis),
        })
    }

    /// The moving half of a photo: the file that the library has left out for it, or what is behind the photo in its own.
    fn beside(photo: &Photo, path: &Path, most_millis: u32) -> Option<Self> {
        let (path, offset) = match &photo.facts.moving_half {
            Some(half) => (half.clone(), 0),
            None => {
                let mut file = files::open(path).ok()?;
                (path.to_owned(), motion_photo::begins(&mut file).ok()??)
            }
        };
        Some(Self {
            path,
            offset,
            kind: Kind::Mp4,
            upright: photo.facts.size?,
            still: Still::First,
            most_millis,
        })
    }

    /// The size of what stands, upright.
    pub fn upright(&self) -> Size {
        self.upright
    }

    /// The file's name, for people.
    pub fn name(&self) -> Cow<'_, str> {
        let name = self.path.file_name().unwrap_or_default();
        name.to_string_lossy()
    }

    /// Starts to play it; `place` is held until nothing of it is left.
    ///
    /// # Errors
    /// Why it can't be started.
    pub async fn play(
        &self,
        playing: Playing,
        place: OwnedSemaphorePermit,
    ) -> Result<Moving, String> {
        let size = size(self.upright, playing.frame, playing.fit);
        let fps = playing.fps.clamp(1, MOST_FPS);
        let line = self.line(size, fps, playing.from_millis);
        let running = Running::start(&line, place).await;
        Ok(Moving {
            running: Some(running.map_err(|ending| sentence(&ending, ""))?),
            size,
            fps: u64::from(fps),
            from_millis: playing.from_millis,
            n_pictures: 0,
            name: format!("file:{}", self.path.display()),
        })
    }

    fn line(&self, size: Size, fps: u32, from_millis: u64) -> Line {
        let seconds = |millis: u64| format!("{}.{:03}", millis / 1000, millis % 1000);
        let left = u64::from(self.most_millis).saturating_sub(from_millis);
        let mut arguments = words(&["-nostdin", "-hide_banner", "-loglevel", "error"]);
        if from_millis > 0 {
            arguments.extend(words(&["-ss", &seconds(from_millis)]));
        }
        // Each thread holds pictures.
        arguments.extend(words(&["-threads", "2"]));
        arguments.extend(input_from(&self.path, self.kind, self.offset));
        let Size { width, height } = size;
        // Evenly, whatever the clip's own rate; upright, in square pixels, and of exactly this size.
        let filters = format!(
            "fps={fps},scale=w='max(2,iw*sar)':h=ih,setsar=1,\
             scale={width}:{height}:force_original_aspect_ratio=increase:flags=bilinear,crop={width}:{height}"
        );
        arguments.extend(words(&["-an", "-sn", "-dn", "-t", &seconds(left)]));
        arguments.extend(words(&["-vf", &filters]));
        arguments.extend(words(&["-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"]));
        Line {
            program: "ffmpeg".into(),
            arguments,
            input: Vec::new(),
        }
    }
}

impl Moving {
    /// The next picture, and how many milliseconds after the clip's beginning it is to be seen. Not cancel safe: what was
    /// begun is to be waited for, or all given up.
    ///
    /// # Errors
    /// There is no other: it is over, or has failed for this reason.
    pub async fn next(&mut self) -> Result<(u64, Picture), Option<String>> {
        let Some(running) = &mut self.running else {
            return Err(None);
        };
        let mut pixels = vec![0; self.size.n_bytes().unwrap_or(0)];
        if running.stdout.read_exact(&mut pixels).await.is_err() {
            return Err(self.end().await);
        }
        let at = self.from_millis + self.n_pictures * 1000 / self.fps;
        self.n_pictures += 1;
        let Size { width, height } = self.size;
        Picture::new(width, height, pixels)
            .map(|picture| (at, picture))
            .map_err(|error| Some(error.to_string()))
    }

    /// Ends it, and says why it has failed, if it has: what is cut plays as far as it goes.
    async fn end(&mut self) -> Option<String> {
        let mut running = self.running.take()?;
        let mut said = Vec::new();
        let mut words = (&mut running.stderr).take(MAX_WORDS);
        let _ = words.read_to_end(&mut said).await;
        let said = String::from_utf8_lossy(&said).into_owned();
        let last = said.lines().rev().find(|line| !line.trim().is_empty());
        let last = last.unwrap_or("").replace(&self.name, "");
        match running.end(&last).await {
            // Behind the last picture there is none: who comes late has missed it.
            Ending::Status(0) if self.n_pictures > 0 || self.from_millis > 0 => None,
            ending => Some(sentence(&ending, &last)),
        }
    }
}

/// The size in which pictures are asked for: no larger than they are shown.
fn size(upright: Size, frame: Size, fit: Fit) -> Size {
    let inner = lies(upright, frame, fit).map_or(frame, |(_, inner)| inner);
    if fit != Fit::Cover {
        return inner;
    }
    // What overhangs is cut off where the picture's point of interest is, which ffmpeg doesn't know.
    let side = |own: u32, other: u32, shown: u32| {
        let scaled = u64::from(own) * u64::from(shown) / u64::from(other.max(1));
        u32::try_from(scaled).unwrap_or(u32::MAX)
    };
    let wide = side(upright.width, upright.height, inner.height);
    if wide >= inner.width {
        Size::new(wide, inner.height)
    } else {
        Size::new(
            inner.width,
            side(upright.height, upright.width, inner.width).max(inner.height),
        )
    }
}

/// Why it plays no more, in words for people.
fn sentence(ending: &Ending, last: &str) -> String {
    let said = last.replace(|c: char| c.is_control(), " ");
    let said = match said.get(..said.floor_char_boundary(200)) {
        Some(said) if !said.is_empty() => format!(": {said}"),
        _ => String::new(),
    };
    match ending {
        Ending::NotFound => "ffmpeg is not installed any more".into(),
        Ending::NotStarted(reason) => format!("ffmpeg can't be started: {reason}"),
        Ending::Signal(signal) => format!("ffmpeg was ended by signal {signal}"),
        Ending::Status(_) => format!("ffmpeg brings no pictures of it{said}"),
    }
}
