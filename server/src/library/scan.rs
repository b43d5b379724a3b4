//! Walks the folders and says of every file what it is.
//!
//! Runs on a thread of its own, hands over what it has seen in batches, and can be told to stop
//! between any two files. Whether a file is a picture is told by its ending where the ending is
//! well known, so that a slow share isn't read file by file; by its first bytes otherwise.

use std::{
    collections::HashSet,
    fs,
    io::Read,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::{Duration, Instant, SystemTime},
};

use super::{Library, Origin, Photo, Skipped, Version};
use crate::{render, timeline::PhotoId};

/// A file that the scan came by.
#[derive(Debug)]
pub struct Seen {
    /// Its identity, as [`PhotoId::of`] its path.
    pub id: PhotoId,
    /// What it is.
    pub verdict: Verdict,
}

/// What a file is.
#[derive(Debug)]
pub enum Verdict {
    /// A picture, as far as can be told without decoding it.
    Photo(Photo),
    /// A picture that can't be shown.
    Skipped(Version, Skipped),
    /// No picture.
    Other,
}

/// Walks folders into a [`Library`].
#[derive(Debug)]
pub struct Scanner {
    folders: Vec<PathBuf>,
    read_dates: bool,
}

/// Endings of pictures that can be shown.
const SHOWN: [&str; 9] = [
    "jpg", "jpeg", "jpe", "png", "webp", "gif", "bmp", "tif", "tiff",
];
/// Endings of pictures that can't, and what they are.
const NOT_YET: [(&str, &str); 7] = [
    ("heic", "HEIC"),
    ("heif", "HEIF"),
    ("avif", "AVIF"),
    ("jxl", "JPEG XL"),
    ("dng", "camera raw"),
    ("cr2", "camera raw"),
    ("nef", "camera raw"),
];
/// Folders that other programs fill with thumbnails and rubbish.
const NOT_FOR_PEOPLE: [&str; 4] = ["@eaDir", "#recycle", "$RECYCLE.BIN", "lost+found"];

/// What is known is handed over after the first of these spans, then at every multiple of the
/// second: early enough for a first picture, seldom enough not to sort a large library all day.
const FIRST_BATCH: Duration = Duration::from_millis(250);
const LATER_BATCHES: Duration = Duration::from_secs(2);

/// How much of a file is read for its date.
const HEAD_BYTES: u64 = 256 * 1024;

impl Scanner {
    /// Scans `folders`; with `read_dates` every file's head is read for the date it was taken.
    pub fn new(folders: &[PathBuf], read_dates: bool) -> Self {
        let mut roots: Vec<PathBuf> = folders
            .iter()
            .map(|folder| fs::canonicalize(folder).unwrap_or_else(|_| folder.clone()))
            .collect();
        roots.sort();
        // A folder inside another would be seen twice.
        roots.dedup_by(|inner, outer| inner.starts_with(&*outer));
        Self {
            folders: roots,
            read_dates,
        }
    }

    /// One scan of everything, into `library`. Ends early when `stop` is set.
    pub fn scan(&self, library: &Library, stop: &AtomicBool) {
        library.scan_started();
        let mut pass = Pass {
            library,
            seen: HashSet::new(),
            batch: Vec::new(),
            n_other: 0,
            due: Instant::now() + FIRST_BATCH,
        };
        let mut incomplete = false;
        for root in &self.folders {
            incomplete |= !self.walk(root, &mut pass, stop);
        }
        pass.hand_over();
        library.scan_finished(&pass.seen, pass.n_other, incomplete);
    }

    /// False when a part could not be seen.
    fn walk(&self, root: &Path, pass: &mut Pass<'_>, stop: &AtomicBool) -> bool {
        let mut complete = true;
        let entries = walkdir::WalkDir::new(root).follow_links(true).into_iter();
        for entry in entries.filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry)) {
            if stop.load(Relaxed) {
                return false;
            }
            match entry {
                Ok(entry) if entry.file_type().is_file() => {
                    pass.add(self.judge(root, entry.path()))
                }
                Ok(_) => {}
                // A link to a folder above it: its photos are being seen already.
                Err(error) if error.loop_ancestor().is_some() => {}
                Err(error) => {
                    let gone = error
                        .io_error()
                        .is_some_and(|e| e.kind() == std::io::ErrorKind::NotFound);
                    // Gone between two reads, or a dangling link: not there, which is no trouble.
                    if !gone || error.depth() == 0 {
                        tracing::warn!(%error, "a folder can't be read; its photos are kept as they are");
                        complete = false;
                    }
                }
            }
        }
        complete
    }

    fn judge(&self, root: &Path, path: &Path) -> Seen {
        let id = PhotoId::of(path.as_os_str().as_encoded_bytes());
        let name = path
            .strip_prefix(root)
            .unwrap_or(path)
            .to_string_lossy()
            .into_owned();
        let version = fs::metadata(path)
            .map(|metadata| Version {
                n_bytes: metadata.len(),
                modified: metadata.modified().ok(),
            })
            .unwrap_or_default();
        let ending = path
            .extension()
            .unwrap_or_default()
            .to_string_lossy()
            .to_ascii_lowercase();
        let skipped = |reason: String| {
            Verdict::Skipped(
                version,
                Skipped {
                    file: name.clone(),
                    reason,
                },
            )
        };

        let shown = SHOWN.contains(&ending.as_str());
        let verdict = if let Some((_, kind)) = NOT_YET.iter().find(|(known, _)| *known == ending) {
            skipped(format!("{kind} pictures can't be shown yet"))
        } else if shown && version.n_bytes == 0 {
            skipped("the file is empty".into())
        } else if shown || looks_like_a_picture(path) {
            Verdict::Photo(Photo {
                id,
                origin: Origin::File(path.to_owned()),
                name: name.as_str().into(),
                taken: self
                    .taken(path)
                    .unwrap_or_else(|| unix_seconds(version.modified)),
                version,
                facts: super::Facts::default(),
            })
        } else {
            Verdict::Other
        };
        Seen { id, verdict }
    }

    fn taken(&self, path: &Path) -> Option<i64> {
        if !self.read_dates {
            return None;
        }
        let taken_at = render::exif(&head(path, HEAD_BYTES)?).taken_at?;
        seconds_of_iso(&taken_at)
    }
}

struct Pass<'a> {
    library: &'a Library,
    seen: HashSet<PhotoId>,
    batch: Vec<Seen>,
    n_other: u64,
    due: Instant,
}

impl Pass<'_> {
    fn add(&mut self, seen: Seen) {
        match seen.verdict {
            Verdict::Other => self.n_other += 1,
            _ => {
                self.seen.insert(seen.id);
            }
        }
        self.batch.push(seen);
        if Instant::now() >= self.due {
            self.hand_over();
            self.due = Instant::now() + LATER_BATCHES;
        }
    }

    fn hand_over(&mut self) {
        self.library.seen(std::mem::take(&mut self.batch));
    }
}

fn is_hidden(entry: &walkdir::DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    name.starts_with('.') || NOT_FOR_PEOPLE.contains(&name.as_ref())
}

/// For files whose ending says nothing.
fn looks_like_a_picture(path: &Path) -> bool {
    const TEXTS_AND_FILMS: [&str; 12] = [
        "txt", "md", "json", "xml", "xmp", "html", "mp4", "mov", "avi", "mkv", "pdf", "zip",
    ];
    let ending = path
        .extension()
        .unwrap_or_default()
        .to_string_lossy()
        .to_ascii_lowercase();
    !TEXTS_AND_FILMS.contains(&ending.as_str())
        && head(path, 64).is_some_and(|head| render::probe(&head).is_some())
}

fn head(path: &Path, n_bytes: u64) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    fs::File::open(path)
        .ok()?
        .take(n_bytes)
        .read_to_end(&mut head)
        .ok()?;
    Some(head)
}

fn unix_seconds(time: Option<SystemTime>) -> i64 {
    time.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok())
        .map_or(0, |since| {
            i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
        })
}

/// Seconds since 1970 of `2021-07-04T12:30:00`, read as UTC: cameras seldom know their zone, and
/// this is only compared.
fn seconds_of_iso(text: &str) -> Option<i64> {
    let field = |range: std::ops::Range<usize>| text.get(range)?.parse::<i64>().ok();
    let (year, month, day) = (field(0..4)?, field(5..7)?, field(8..10)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Days from civil date, counted from March so that the leap day comes last
    // (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - 719_468;
    let (hour, minute, second) = (field(11..13)?, field(14..16)?, field(17..19)?);
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scanned(folders: &[PathBuf]) -> Library {
        let library = Library::new(true);
        Scanner::new(folders, false).scan(&library, &AtomicBool::new(false));
        library
    }

    fn names(library: &Library) -> Vec<String> {
        let mut names: Vec<_> = library
            .entries()
            .iter()
            .map(|entry| entry.name.to_string())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn finds_pictures_in_all_folders_below_and_counts_the_rest() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("a/b c/d'\"e");
        fs::create_dir_all(&deep).unwrap();
        fs::create_dir_all(dir.path().join(".thumbnails")).unwrap();
        for name in [
            "a/x.JPG",
            "a/b c/ü\u{1f600}\n.png",
            "a/b c/d'\"e/y.webp",
            ".thumbnails/z.jpg",
        ] {
            fs::write(dir.path().join(name), b"x").unwrap();
        }
        fs::write(dir.path().join("empty.jpg"), b"").unwrap();
        fs::write(dir.path().join("notes.txt"), b"hello").unwrap();
        fs::write(dir.path().join("iphone.HEIC"), b"x").unwrap();
        fs::write(
            dir.path().join("no-ending"),
            [0xff, 0xd8, 0xff, 0xe0, 0, 16, b'J', b'F', b'I', b'F'],
        )
        .unwrap();

        let library = scanned(&[dir.path().to_owned()]);
        assert_eq!(
            names(&library),
            [
                "a/b c/d'\"e/y.webp",
                "a/b c/ü\u{1f600}\n.png",
                "a/x.JPG",
                "no-ending"
            ]
        );
        let skipped: Vec<_> = library
            .skipped()
            .into_iter()
            .map(|s| (s.file, s.reason))
            .collect();
        assert_eq!(
            skipped,
            [
                ("empty.jpg".to_owned(), "the file is empty".to_owned()),
                (
                    "iphone.HEIC".to_owned(),
                    "HEIC pictures can't be shown yet".to_owned()
                ),
            ]
        );
        assert_eq!(library.counts().other_files, 1);
    }

    #[cfg(unix)]
    #[test]
    fn links_names_and_loops() {
        use std::os::unix::{ffi::OsStrExt, fs::symlink};
        let dir = tempfile::tempdir().unwrap();
        let photos = dir.path().join("photos");
        fs::create_dir_all(photos.join("sub")).unwrap();
        fs::write(
            photos.join(std::ffi::OsStr::from_bytes(b"caf\xe9.jpg")),
            b"x",
        )
        .unwrap();
        symlink(&photos, photos.join("sub/loop")).unwrap();
        symlink("nowhere", photos.join("dangling.jpg")).unwrap();
        let elsewhere = dir.path().join("elsewhere.jpg");
        fs::write(&elsewhere, b"x").unwrap();
        symlink(&elsewhere, photos.join("linked.jpg")).unwrap();

        let library = scanned(std::slice::from_ref(&photos));
        assert_eq!(names(&library), ["caf\u{fffd}.jpg", "linked.jpg"]);
        assert!(!library.counts().scanning);
    }

    #[test]
    fn a_folder_inside_another_is_seen_once() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("in")).unwrap();
        fs::write(dir.path().join("in/x.jpg"), b"x").unwrap();
        let library = scanned(&[dir.path().join("in"), dir.path().to_owned()]);
        assert_eq!(names(&library), ["in/x.jpg"]);
    }

    #[test]
    fn photos_come_and_go_between_scans_and_a_lost_folder_keeps_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("share");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("a.jpg"), b"x").unwrap();
        let library = Library::new(true);
        let scanner = Scanner::new(std::slice::from_ref(&folder), false);
        let go = || scanner.scan(&library, &AtomicBool::new(false));
        go();
        fs::write(folder.join("b.jpg"), b"x").unwrap();
        fs::remove_file(folder.join("a.jpg")).unwrap();
        go();
        assert_eq!(names(&library), ["b.jpg"]);
        fs::rename(&folder, dir.path().join("unmounted")).unwrap();
        go();
        assert_eq!(names(&library), ["b.jpg"]);
    }

    #[test]
    fn dates() {
        assert_eq!(seconds_of_iso("1970-01-01T00:00:00"), Some(0));
        assert_eq!(seconds_of_iso("2000-03-01T00:00:01"), Some(951_868_801));
        assert_eq!(seconds_of_iso("2021-07-04T12:30:00"), Some(1_625_401_800));
        assert_eq!(seconds_of_iso("2021-13-04T12:30:00"), None);
        assert_eq!(seconds_of_iso("yesterday"), None);
    }
}
