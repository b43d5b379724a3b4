//! A picture in a file that is written again and again: shown anew when the file is replaced or rewritten in place, never
//! half written. It is asked for its version many times a second, which works on every file system, shares included.

#![expect(
    clippy::disallowed_methods,
    reason = "the shell: a file stands still by the monotonic clock, and its metadata is asked for"
)]

use std::{
    io::{self, Cursor, Read as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use mantel_media::inlet::{self, Inlet, MAX_PICTURE_BYTES};
use tokio::time::{Instant, sleep};

use super::{Ended, Source};
use crate::{blocking::Blocking, files, library, render};

/// A file that is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Where it lies.
    pub path: PathBuf,
}

/// How often the file is looked at.
const TICK: Duration = Duration::from_millis(50);
/// For how long a file that was rewritten in place has to stand still: what replaces it by its name was finished before.
pub(crate) const STILL: Duration = Duration::from_millis(250);
/// When a file that doesn't end as its kind does is given up as cut.
pub(crate) const CUT_AFTER: Duration = Duration::from_secs(3);
/// For how long there may be no file: programs delete and write anew.
const MISSING: Duration = Duration::from_secs(1);

/// The version of a file: what changes when it is replaced or written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    file: u64,
    n_bytes: u64,
    pub(crate) written: Option<SystemTime>,
}

/// The outcome of reading a version.
#[derive(Debug)]
pub(crate) enum Reading {
    Picture(inlet::Sample),
    /// It may still be being written.
    Unfinished,
    /// It is no picture, for this reason.
    Bad(String),
}

impl File {
    /// Brings each version of the file, until there is none.
    pub(super) async fn run(&self, source: &Source) -> Ended {
        let mut taken: Option<Version> = None;
        let mut seen: Option<(Version, Instant)> = None;
        let mut there = Instant::now();
        loop {
            let path = self.path.clone();
            let now = Instant::now();
            match Blocking::run(move |_| version(&path)).await {
                Ok(Ok(version)) => {
                    there = now;
                    let since = match seen {
                        Some((known, since)) if known == version => since,
                        _ => now,
                    };
                    seen = Some((version, since));
                    let is_still = now - since >= STILL;
                    // What took another one's place is looked at when it is first seen, and then like any other.
                    let is_another = taken.is_none_or(|taken| taken.file != version.file);
                    if taken != Some(version) && (is_still || is_another && since == now) {
                        let (path, is_old) = (self.path.clone(), now - since >= CUT_AFTER);
                        let read = Blocking::run(move |_| read(&path, version, is_old));
                        match read.await.unwrap_or(Ok(Reading::Unfinished)) {
                            Ok(Reading::Picture(sample)) => {
                                taken = Some(version);
                                source.came(sample);
                            }
                            Ok(Reading::Bad(why)) => {
                                taken = Some(version);
                                source.in_trouble(&why);
                            }
                            Ok(Reading::Unfinished) => {}
                            Err(error) => return self.ended(&error),
                        }
                    }
                }
                Ok(Err(error)) if now - there >= MISSING => return self.ended(&error),
                Ok(Err(_)) | Err(_) => {}
            }
            sleep(TICK).await;
        }
    }

    /// The file's name alone: folders are nobody's affair.
    fn ended(&self, error: &io::Error) -> Ended {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        Ended(format!("{name} can't be read: {}", files::plain(error)))
    }
}

/// The version of the file at `path`, as it is now.
///
/// # Errors
/// There is none.
pub(crate) fn version(path: &Path) -> io::Result<Version> {
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, files::NO_FILE));
    }
    #[cfg(unix)]
    let file = std::os::unix::fs::MetadataExt::ino(&metadata);
    #[cfg(not(unix))]
    let file = 0;
    Ok(Version {
        file,
        n_bytes: metadata.len(),
        written: metadata.modified().ok(),
    })
}

/// Reads the file as it is; what isn't `wanted` any more, or doesn't end, is unfinished, unless it `is_old`.
pub(crate) fn read(path: &Path, wanted: Version, is_old: bool) -> io::Result<Reading> {
    let mut bytes = Vec::new();
    let limit = MAX_PICTURE_BYTES as u64;
    files::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        let why = format!("the file is larger than {} MB", limit >> 20);
        return Ok(Reading::Bad(why));
    }
    if version(path)? != wanted {
        return Ok(Reading::Unfinished);
    }
    if !is_old && !is_finished(&bytes) {
        return Ok(Reading::Unfinished);
    }
    let mut inlet = Inlet::new(None, Some(bytes.len() as u64));
    let sample = match inlet.next(&mut &bytes[..]) {
        Ok(None) => inlet.finish(),
        found => found,
    };
    Ok(match sample {
        Ok(Some(sample)) => Reading::Picture(sample),
        Ok(None) => Reading::Bad("the file is empty".into()),
        Err(error) => Reading::Bad(format!("the file can't be shown: {error}")),
    })
}

/// Whether bytes end as their kind of picture does. What has no end by which to tell stands still first.
fn is_finished(bytes: &[u8]) -> bool {
    render::probe(bytes).is_some_and(|probe| {
        library::is_whole(&mut Cursor::new(bytes), probe.kind, bytes.len() as u64)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::Clock,
        render::{Picture, Quality, encode},
    };

    fn picture(shade: u8) -> Vec<u8> {
        encode(
            &Picture::filled(64, 48, [shade, 40, 40]),
            Quality::default(),
        )
        .unwrap()
    }

    #[test]
    fn no_half_of_a_picture_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plot.jpg");
        let whole = picture(9);
        for n in 0..whole.len() {
            std::fs::write(&path, &whole[..n]).unwrap();
            let read = read(&path, version(&path).unwrap(), false).unwrap();
            assert!(matches!(read, Reading::Unfinished), "{n}: {read:?}");
        }
        std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        let cut = read(&path, version(&path).unwrap(), true).unwrap();
        assert!(matches!(cut, Reading::Bad(_)), "{cut:?}");
        let before = version(&path).unwrap();
        std::fs::write(&path, &whole).unwrap();
        let changed = read(&path, before, false).unwrap();
        assert!(matches!(changed, Reading::Unfinished), "{changed:?}");
        let read = read(&path, version(&path).unwrap(), false).unwrap();
        assert!(matches!(read, Reading::Picture(_)), "{read:?}");
    }

    #[test]
    fn no_half_of_any_kind_with_an_end_is_taken() {
        use image::ImageFormat;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plot");
        let read_now = || read(&path, version(&path).unwrap(), false).unwrap();
        for kind in [
            ImageFormat::Png,
            ImageFormat::Gif,
            ImageFormat::WebP,
            ImageFormat::Bmp,
        ] {
            let mut whole = Cursor::new(Vec::new());
            let picture = image::RgbImage::from_fn(9, 7, |x, y| image::Rgb([x as u8, y as u8, 9]));
            picture.write_to(&mut whole, kind).unwrap();
            let whole = whole.into_inner();
            for n in 0..whole.len() {
                std::fs::write(&path, &whole[..n]).unwrap();
                let read = read_now();
                assert!(
                    matches!(read, Reading::Unfinished),
                    "{kind:?} {n}: {read:?}"
                );
            }
            std::fs::write(&path, &whole).unwrap();
            let read = read_now();
            assert!(matches!(read, Reading::Picture(_)), "{kind:?}: {read:?}");
        }
    }

    #[tokio::test]
    async fn each_version_is_brought_once_and_a_lost_file_ends_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plot.jpg");
        let source = Source::new("plot", None, Clock::system());
        let mut live = source.reader().live();
        let file = File { path: path.clone() };
        std::fs::write(&path, picture(1)).unwrap();
        let changes = async {
            for shade in [2, 3, 4] {
                live.changed().await.unwrap();
                // In place, but for the second time by its name.
                let beside = folder.path().join("next");
                let to = if shade == 3 { &beside } else { &path };
                std::fs::write(to, picture(shade)).unwrap();
                if shade == 3 {
                    std::fs::rename(&beside, &path).unwrap();
                }
            }
            live.changed().await.unwrap();
            let last = live.borrow().sample.clone().unwrap();
            assert_eq!(last.bytes, picture(4));
            std::fs::remove_file(&path).unwrap();
        };
        let (Ended(why), ()) = tokio::join!(file.run(&source), changes);
        assert!(why.starts_with("plot.jpg can't be read"), "{why}");
        assert!(!live.has_changed().unwrap());
    }
}
