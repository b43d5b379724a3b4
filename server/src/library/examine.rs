//! Looks at one file: whether it is a picture, how large, and what its metadata says.
//!
//! Reads the head of a file, and the parts that tell of it wherever they stand. Decodes no pixels. A file that looks half
//! copied is left for later.

#![expect(
    clippy::disallowed_methods,
    reason = "whether a file has just changed is told by the clock of its times"
)]

use std::{
    fs::{File, Metadata as FileMetadata},
    io::{self, Read, Seek, SeekFrom},
    path::Path,
    time::{Duration, SystemTime},
};

use super::{
    Version,
    clips::{self, Clips},
    exif,
    headed::Headed,
    index::Outcome,
    iptc,
    kinds::{self, Ending, ending},
    metadata::Metadata,
    sidecars::Beside,
    takeout, xmp,
};
use crate::{
    files,
    render::{self, Kind, Orientation, Parts, Probe},
};

/// How much of a file is read first: the header of nearly every photo with its EXIF and XMP.
const HEAD_BYTES: usize = 64 * 1024;
/// Sidecars are texts.
const SIDECAR_BYTES: u64 = 1024 * 1024;

/// A file that changed less than this ago may still be being written.
const FRESH: Duration = Duration::from_secs(3);

/// A finding about a file.
#[derive(Debug)]
pub(super) enum Finding {
    /// The outcome for a file that stands still.
    Settled(Outcome),
    /// It looks half written; to be looked at again.
    Unsettled,
    /// It can't be read now, which says nothing about the file; and why.
    NotNow(String),
    /// It is not there any more.
    Gone,
}

/// Looks at files. One for each thread.
#[derive(Debug, Default)]
pub(super) struct Examiner {
    head: Vec<u8>,
    clips: Clips,
}

impl Examiner {
    /// One that does this with clips.
    pub(super) fn new(clips: Clips) -> Self {
        Self {
            clips,
            ..Self::default()
        }
    }

    /// Looks at `path`, with its sidecars where it has some. `settled` says that it hasn't changed for
    /// a while, whatever its times say.
    pub(super) fn examine(
        &mut self,
        path: &Path,
        version: Version,
        beside: &Beside,
        settled: bool,
    ) -> Finding {
        self.look(path, version, beside, settled)
            .unwrap_or_else(|error| match error.kind() {
                io::ErrorKind::NotFound => Finding::Gone,
                _ if files::is_passing(&error) => {
                    Finding::NotNow(format!("the file can't be read: {}", files::plain(&error)))
                }
                _ => skipped(format!("the file can't be read: {}", files::plain(&error))),
            })
    }

    fn look(
        &mut self,
        path: &Path,
        version: Version,
        beside: &Beside,
        settled: bool,
    ) -> io::Result<Finding> {
        let (mut file, metadata) = files::open_with(path)?;
        let fresh = !settled && is_fresh(&metadata);
        if version.n_bytes == 0 {
            return Ok(match ending(path) {
                _ if fresh => Finding::Unsettled,
                Ending::Picture => skipped("the file is empty".into()),
                _ => Finding::Settled(Outcome::Other),
            });
        }
        let is_all = self.read_head(&mut file, version.n_bytes)?;
        let Some(mut probe) = render::probe(&self.head) else {
            if self.clips.take(path) {
                return self.look_at_clip(path, &mut file, version, beside, fresh);
            }
            if fresh {
                return Ok(Finding::Unsettled);
            }
            let known = kinds::undecoded(&self.head, path);
            return Ok(match (known, ending(path)) {
                (Some(kind), _) => skipped(format!("{kind}, which can't be shown")),
                (None, Ending::Picture) => skipped(no_picture(&self.head)),
                (None, _) => Finding::Settled(Outcome::Other),
            });
        };
        if fresh && !is_whole(&mut file, probe.kind, version.n_bytes) {
            return Ok(Finding::Unsettled);
        }

        let mut file = Headed::new(&self.head, is_all, file);
        let parts = Parts::of(probe.kind, &mut file)?;
        let mut metadata = exif::read(&parts.tags(&mut file, &exif::WANTED)?);
        for packet in parts.xmp(&mut file)? {
            metadata.xmp = metadata.xmp.or(xmp::find(&packet).unwrap_or_default());
        }
        for resources in parts.iptc(&mut file)? {
            metadata.iptc = metadata.iptc.or(iptc::read(&resources));
        }
        // Kinds without a place for XMP may have some all the same.
        metadata.xmp = metadata.xmp.or(xmp::find(&self.head).unwrap_or_default());
        probe.size = probe.size.or(parts.size);
        let turned = parts.turned(probe.kind, &mut file)?.unwrap_or_default();
        if let Some(not_now) = read_beside(beside, &mut metadata) {
            return Ok(not_now);
        }
        Ok(Finding::Settled(Outcome::Photo(Box::new(facts(
            path, version, &probe, turned, metadata,
        )))))
    }

    /// Looks at a clip, of which another program tells.
    fn look_at_clip(
        &self,
        path: &Path,
        file: &mut File,
        version: Version,
        beside: &Beside,
        fresh: bool,
    ) -> io::Result<Finding> {
        let Clips::Shown(read) = self.clips else {
            return Ok(skipped(clips::MISSING.into()));
        };
        let Some(kind) = clips::kind(&self.head) else {
            return Ok(if fresh {
                Finding::Unsettled
            } else {
                skipped("the file is no video of a kind that is known".into())
            });
        };
        if fresh && !is_whole(file, kind, version.n_bytes) {
            return Ok(Finding::Unsettled);
        }
        let told = match read(path, kind) {
            Ok(told) => told,
            Err(trouble) if trouble.is_passing => return Ok(Finding::NotNow(trouble.reason)),
            Err(trouble) => return Ok(skipped(trouble.reason)),
        };
        let Some((size, length_millis, mut metadata)) = clips::told(&told) else {
            return Ok(skipped("there is no picture in it".into()));
        };
        if let Some(not_now) = read_beside(beside, &mut metadata) {
            return Ok(not_now);
        }
        let size = Some(size);
        let upright = Orientation::default();
        let facts = facts(path, version, &Probe { kind, size }, upright, metadata);
        Ok(Finding::Settled(Outcome::Photo(Box::new(super::Facts {
            length_millis,
            ..facts
        }))))
    }

    /// Reads the file's beginning; says whether that is all of a file that is so long.
    fn read_head(&mut self, file: &mut impl Read, n_bytes: u64) -> io::Result<bool> {
        self.head.resize(HEAD_BYTES, 0);
        let mut n_read = 0;
        // What has all its bytes needs no look at its end.
        while n_read < HEAD_BYTES && n_read as u64 != n_bytes {
            match file.read(&mut self.head[n_read..]) {
                Ok(0) => break,
                Ok(n) => n_read += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.head.truncate(n_read);
        Ok(n_read < HEAD_BYTES || n_read as u64 == n_bytes)
    }
}

/// Reads what stands beside a file; a finding where that can't be read now.
fn read_beside(beside: &Beside, metadata: &mut Metadata) -> Option<Finding> {
    for (path, kind) in [(&beside.xmp, "XMP"), (&beside.json, "JSON")] {
        let Some(path) = path else { continue };
        match read_sidecar(path) {
            Ok(bytes) if kind == "XMP" => metadata.sidecar = xmp::find(&bytes).unwrap_or_default(),
            Ok(bytes) => metadata.takeout = takeout::read(&bytes),
            // Its ratings and keywords decide who sees the photo: not shown without them.
            Err(error) if files::is_passing(&error) => {
                let reason = files::plain(&error);
                return Some(Finding::NotNow(format!(
                    "its {kind} file can't be read: {reason}"
                )));
            }
            Err(_) => {}
        }
    }
    None
}

fn facts(
    path: &Path,
    version: Version,
    probe: &Probe,
    turned: Orientation,
    metadata: Metadata,
) -> super::Facts {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    // Before 1970 nothing is in the past.
    let now = now.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    });
    let mut facts = metadata.facts(&stem, version.modified_nanos / 1_000_000, now);
    facts.kind = Some(probe.kind);
    facts.orientation = turned;
    facts.size = probe.size.map(|size| turned.upright_size(size));
    facts
}

fn skipped(reason: String) -> Finding {
    Finding::Settled(Outcome::Skipped(reason))
}

fn no_picture(head: &[u8]) -> String {
    let text = String::from_utf8_lossy(&head[..head.len().min(256)]).to_ascii_lowercase();
    if head.iter().take(4096).all(|byte| *byte == 0) {
        "the file is filled with zeros: its content was lost, or never came".into()
    } else if text.contains("<html") || text.contains("<!doctype") {
        "the file is a web page, not a picture: a download that went wrong".into()
    } else {
        "the file is not a picture of a kind that is known".into()
    }
}

fn read_sidecar(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    files::open(path)?
        .take(SIDECAR_BYTES)
        .read_to_end(&mut text)?;
    Ok(text)
}

/// The time of change that nobody can set, where there is one: a copy that keeps its original's
/// times is fresh all the same.
fn is_fresh(metadata: &FileMetadata) -> bool {
    #[cfg(unix)]
    let changed = {
        use std::os::unix::fs::MetadataExt;
        u64::try_from(metadata.ctime())
            .ok()
            .map(|seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
    };
    #[cfg(not(unix))]
    let changed = metadata.modified().ok();
    // A server's clock that is ahead makes files from the future: they are not fresh for ever.
    changed.is_some_and(|changed| {
        SystemTime::now()
            .duration_since(changed)
            .is_ok_and(|age| age < FRESH)
    })
}

/// Whether a file ends as its kind does. Where a kind has no end to know it by: no.
pub(crate) fn is_whole(file: &mut (impl Read + Seek), kind: Kind, n_bytes: u64) -> bool {
    let mut start = [0; 12];
    let mut end = [0; 12];
    let read = file
        .rewind()
        .and_then(|()| file.read_exact(&mut start))
        .and_then(|()| file.seek(SeekFrom::End(-12)))
        .and_then(|_| file.read_exact(&mut end));
    if read.is_err() {
        return false;
    }
    match kind {
        Kind::Jpeg => end.ends_with(&[0xff, 0xd9]),
        Kind::Png => end.ends_with(b"IEND\xaeB`\x82"),
        Kind::Gif => end.ends_with(b";"),
        Kind::WebP => {
            let length = u32::from_le_bytes([start[4], start[5], start[6], start[7]]);
            u64::from(length) + 8 <= n_bytes
        }
        Kind::Bmp => {
            let length = u32::from_le_bytes([start[2], start[3], start[4], start[5]]);
            u64::from(length) == n_bytes
        }
        Kind::Heic | Kind::Avif | Kind::Mp4 => boxes_end_at(file, n_bytes),
        _ => false,
    }
}

/// Whether the boxes of an ISO base media file (ISO/IEC 14496-12) end where the file does.
fn boxes_end_at(file: &mut (impl Read + Seek), n_bytes: u64) -> bool {
    let mut at = 0;
    for _ in 0..64 {
        let mut head = [0; 16];
        if file.seek(SeekFrom::Start(at)).is_err() {
            return false;
        }
        let n_read = file.read(&mut head).unwrap_or(0);
        if n_read < 8 {
            return false;
        }
        let short = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
        let length = match short {
            0 => return true,
            1 if n_read == 16 => {
                let [.., a, b, c, d, e, f, g, h] = head;
                u64::from_be_bytes([a, b, c, d, e, f, g, h])
            }
            1..=7 => return false,
            length => u64::from(length),
        };
        at = match at.checked_add(length) {
            Some(end) if end == n_bytes => return true,
            Some(end) if end < n_bytes => end,
            _ => return false,
        };
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn examined(name: &str, bytes: &[u8], settled: bool) -> Finding {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let version = Version {
            n_bytes: bytes.len() as u64,
            ..Version::default()
        };
        Examiner::default().examine(&path, version, &Beside::default(), settled)
    }

    fn jpeg() -> Vec<u8> {
        let picture = render::Picture::filled(64, 48, [9, 99, 199]);
        render::encode(&picture, render::Quality::default()).unwrap()
    }

    #[test]
    fn a_file_that_is_being_copied_is_left_until_it_is_whole() {
        let jpeg = jpeg();
        for end in (0..jpeg.len()).step_by(7) {
            assert!(
                matches!(examined("a.jpg", &jpeg[..end], false), Finding::Unsettled),
                "cut at {end}"
            );
        }
        let Finding::Settled(Outcome::Photo(facts)) = examined("a.jpg", &jpeg, false) else {
            panic!("a whole photo is one at once");
        };
        assert_eq!(facts.size, Some(render::Size::new(64, 48)));
        // Space was reserved before the bytes came.
        let mut reserved = jpeg.clone();
        reserved.extend([0; 1000]);
        assert!(matches!(
            examined("a.jpg", &reserved, false),
            Finding::Unsettled
        ));
        // What doesn't change any more is what it is.
        assert!(matches!(
            examined("a.jpg", &reserved, true),
            Finding::Settled(Outcome::Photo(_))
        ));
    }

    #[test]
    fn what_is_no_picture_says_why() {
        for (name, bytes, reason) in [
            ("a.jpg", &b""[..], "empty"),
            ("a.jpg", &[0; 5000], "zeros"),
            ("a.png", b"<!DOCTYPE html><title>404</title>", "web page"),
            ("a.heic", b"just some words", "not a picture"),
        ] {
            let Finding::Settled(Outcome::Skipped(why)) = examined(name, bytes, true) else {
                panic!("{name}");
            };
            assert!(why.contains(reason), "{name}: {why}");
        }
        for bytes in [&b"words"[..], b""] {
            assert!(matches!(
                examined("a.what", bytes, true),
                Finding::Settled(Outcome::Other)
            ));
        }
    }

    #[test]
    fn a_name_without_an_ending_is_no_obstacle() {
        assert!(matches!(
            examined("photo", &jpeg(), true),
            Finding::Settled(Outcome::Photo(_))
        ));
    }

    #[test]
    fn boxes_are_followed_to_the_end() {
        let mut file = tempfile::tempfile().unwrap();
        let bytes = [
            &16_u32.to_be_bytes()[..],
            b"ftypheic----",
            &1_u32.to_be_bytes(),
            b"mdat",
            &20_u64.to_be_bytes(),
            b"data",
        ]
        .concat();
        use std::io::Write;
        file.write_all(&bytes).unwrap();
        assert!(boxes_end_at(&mut file, 36));
        assert!(!boxes_end_at(&mut file, 37));
        assert!(!boxes_end_at(&mut file, 30));
    }
}
