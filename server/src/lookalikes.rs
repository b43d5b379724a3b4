//! Finds out what photos look like, so that two of the same picture don't follow each other.
//!
//! A thread with much time: it takes the small picture that cameras put into their files, and the
//! photo itself only where there is none and the file is small. It works a tenth of the time, and
//! rests while the folders are being looked through.

#![expect(
    clippy::disallowed_methods,
    reason = "a thread of its own, which rests by the clock"
)]

use std::{
    collections::HashSet,
    io::{self, Read},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use crate::{
    blocking::Blocking,
    files,
    library::{Library, Origin, Photo},
    photo::PhotoId,
    render::{self, DecodeLimits},
    source::{
        decoding,
        gallery::{self, LoadError},
        wire::Wish,
    },
};

/// Rest after work, in multiples of it.
const REST: u32 = 9;
/// How often the library is asked whether there is anything to do.
const LOOK_AGAIN: Duration = Duration::from_secs(20);
const BATCH: u32 = 64;
/// More photos than this that can't be read now: the trouble isn't theirs, and the work waits.
const MAX_TROUBLED: usize = 64;
/// How long photos that couldn't be read are left alone.
const TRY_AGAIN: Duration = Duration::from_secs(300);

/// EXIF, with the small picture in it, is at most this long (a JPEG segment).
const HEAD_BYTES: u64 = 128 * 1024;
/// Larger files would be read over the network for little.
const MAX_WHOLE_BYTES: u64 = 4 * 1024 * 1024;
/// Icons tell nothing.
const MIN_SIDE: u32 = 60;

/// Works until `stop`.
pub(crate) fn work(library: &Library, decode_bytes: u64, stop: &AtomicBool) {
    let limits = DecodeLimits {
        pixels: 30_000_000,
        ..DecodeLimits::default().within(decode_bytes)
    };
    let blocking = Blocking::here();
    // First pictures first.
    pause(LOOK_AGAIN, stop);
    let mut troubled: HashSet<PhotoId> = HashSet::new();
    let mut try_again = Instant::now();
    while !stop.load(Relaxed) {
        let photos = if library.counts().scanning {
            Vec::new()
        } else {
            let n = BATCH + u32::try_from(troubled.len()).unwrap_or(BATCH);
            let mut photos = library.without_likeness(blocking, n);
            photos.retain(|photo| !troubled.contains(&photo.id));
            photos
        };
        let nothing = photos.is_empty() || troubled.len() >= MAX_TROUBLED;
        for photo in photos {
            if troubled.len() >= MAX_TROUBLED {
                break;
            }
            let start = Instant::now();
            match likeness(&photo, &limits) {
                // A bad moment says nothing about the photo's looks.
                Err(error) if files::is_passing(&error) => {
                    troubled.insert(photo.id);
                    try_again = Instant::now() + TRY_AGAIN;
                }
                found => library.set_likeness(blocking, photo.id, found.unwrap_or_default()),
            }
            pause(start.elapsed() * REST, stop);
            if stop.load(Relaxed) {
                return;
            }
        }
        if Instant::now() >= try_again {
            troubled.clear();
        }
        if nothing {
            pause(LOOK_AGAIN, stop);
        }
    }
}

/// Starts the thread; nobody misses it when there is none.
pub(crate) fn start(library: Arc<Library>, decode_bytes: u64, stop: Arc<AtomicBool>) {
    let _ = std::thread::Builder::new()
        .name("lookalikes".into())
        .spawn(move || work(&library, decode_bytes, &stop));
}

/// Sleeps in pieces short enough for a stop.
fn pause(span: Duration, stop: &AtomicBool) {
    let end = Instant::now() + span;
    while !stop.load(Relaxed) {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        std::thread::sleep(left.min(Duration::from_millis(200)));
    }
}

fn likeness(photo: &Photo, limits: &DecodeLimits) -> io::Result<Option<u64>> {
    let Origin::File(path) = &photo.origin else {
        return Ok(None);
    };
    if gallery::clip(photo).is_some() {
        return decoded(gallery::poster(photo), limits);
    }
    let mut file = files::open(path)?;
    let mut bytes = Vec::new();
    file.by_ref().take(HEAD_BYTES).read_to_end(&mut bytes)?;
    if let Some(small) = thumbnail(&bytes) {
        return Ok(render::likeness::likeness(&small));
    }
    if photo.version.n_bytes > MAX_WHOLE_BYTES {
        return Ok(None);
    }
    file.take(MAX_WHOLE_BYTES).read_to_end(&mut bytes)?;
    decoded(Ok(bytes), limits)
}

fn decoded(bytes: Result<Vec<u8>, LoadError>, limits: &DecodeLimits) -> io::Result<Option<u64>> {
    match bytes.and_then(|bytes| decoding::decode(&bytes, limits, Wish::Whole)) {
        Ok(pixels) => Ok(pixels.likeness),
        // No process to decode it in, say.
        Err(LoadError::Read(error)) => Err(error),
        Err(_) => Ok(None),
    }
}

/// The small picture within a file's EXIF: a JPEG within the JPEG.
fn thumbnail(head: &[u8]) -> Option<render::Picture> {
    // Behind the file's own start.
    let inside = head.get(4..)?;
    let start = memchr::memmem::find(inside, b"\xff\xd8\xff")?;
    let limits = DecodeLimits {
        pixels: 1_000_000,
        ..DecodeLimits::default()
    };
    let picture = render::decode(&inside[start..], &limits).ok()?;
    (picture.width().min(picture.height()) >= MIN_SIDE).then_some(picture)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{library::Version, size::Size, source::demo};

    fn jpeg(index: usize, size: Size) -> Vec<u8> {
        let picture = render::fit(&demo::picture(index).unwrap(), size, render::Fit::Cover);
        render::encode(&picture, render::Quality::default()).unwrap()
    }

    fn photo(bytes: &[u8]) -> (tempfile::NamedTempFile, Photo) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let photo = Photo {
            id: PhotoId(1),
            origin: Origin::File(file.path().to_owned()),
            name: "a.jpg".into(),
            taken: 0,
            version: Version {
                n_bytes: bytes.len() as u64,
                ..Version::default()
            },
            facts: crate::library::Facts::default(),
        };
        (file, photo)
    }

    #[test]
    fn a_photo_is_like_its_own_small_picture() {
        let limits = DecodeLimits::default();
        let small = jpeg(2, Size::new(160, 120));
        let large = jpeg(2, Size::new(640, 480));
        let length = u16::try_from(small.len() + 8).unwrap().to_be_bytes();
        let with_small = [
            &large[..2],
            &[0xff, 0xe1],
            &length,
            b"Exif\0\0",
            &small,
            &large[2..],
        ]
        .concat();
        assert!(thumbnail(&with_small).is_some() && thumbnail(&large).is_none());
        let (_a, one) = photo(&with_small);
        let (_b, other) = photo(&large);
        let apart =
            likeness(&one, &limits).unwrap().unwrap() ^ likeness(&other, &limits).unwrap().unwrap();
        assert!(
            apart.count_ones() <= render::likeness::SAME_WITHIN_BITS,
            "{apart:b}"
        );
    }

    #[test]
    fn what_can_not_be_read_has_no_looks() {
        let limits = DecodeLimits::default();
        let (_file, broken) = photo(b"\xff\xd8\xff\xe1\0\0 and \xff\xd8\xff nothing");
        assert_eq!(likeness(&broken, &limits).unwrap(), None);
        let (file, gone) = photo(&jpeg(1, Size::new(64, 64)));
        drop(file);
        assert!(!files::is_passing(&likeness(&gone, &limits).unwrap_err()));
    }
}
