//! The pictures that are to be sent: from files, from a folder that is being written to, from standard input.

#![expect(
    clippy::disallowed_methods,
    reason = "the shell: a file stands still by the monotonic clock, and a task's folder is read"
)]

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use mantel_media::inlet::{Inlet, MAX_PICTURE_BYTES, Sample};
use mantel_shared::Timestamp;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, sleep_until},
};

use super::{
    PushError,
    slot::{Picture, Slot},
};
use crate::{
    blocking::Blocking,
    clock,
    config::{Pictures, PushTask},
    files,
    source::live::{CUT_AFTER, Reading, STILL, Version, read, version},
};

/// How often a folder is looked at; a large one less often, so that looking is never all that is done.
const TICK: Duration = Duration::from_millis(200);
const REST: u32 = 5;
/// The largest piece that is read of standard input.
const PIECE: usize = 64 * 1024;
/// The largest piece that is read of a file.
const FILE_PIECE: usize = 1 << 20;

/// Brings the pictures of `task` until there are no more, or none are wanted.
pub(super) async fn feed(task: &PushTask, slot: &Slot) -> Result<(), PushError> {
    match &task.what {
        Pictures::Files(paths) => {
            feed_files(paths, task.every, slot).await;
            Ok(())
        }
        Pictures::Folder(path) => feed_folder(path, slot).await,
        Pictures::Input => feed_input(slot).await,
    }
}

async fn feed_files(paths: &[PathBuf], every: Duration, slot: &Slot) {
    let mut due = Instant::now();
    for path in paths {
        let (name, path) = (path.display().to_string(), path.clone());
        let mut pictures = PicturesOf::Path(path);
        loop {
            let read = Blocking::run(move |_| pictures.next()).await;
            let (rest, sample) = read.unwrap_or_else(|error| {
                // It panicked, which the log tells.
                (PicturesOf::Nothing, Some(Err(error.to_string())))
            });
            pictures = rest;
            let Some(sample) = sample else { break };
            sleep_until(due).await;
            due = Instant::now() + every;
            let name = Some(name.clone());
            if !slot.put(Picture { name, sample }).await {
                return;
            }
        }
    }
}

/// The pictures of a file that are still to be sent: most files have one, a recording has many.
enum PicturesOf {
    Path(PathBuf),
    /// A file that was opened, and whether one of its pictures has been found.
    Open(File, Box<Inlet>, Bytes, bool),
    Nothing,
}

impl PicturesOf {
    /// The next picture or why there is none, and the rest.
    fn next(self) -> (Self, Option<Result<Sample, String>>) {
        let unread = |error: &io::Error| format!("it can't be read: {}", files::plain(error));
        let (mut file, mut inlet, mut piece, has_one) = match self {
            Self::Open(file, inlet, piece, has_one) => (file, inlet, piece, has_one),
            Self::Nothing => return (Self::Nothing, None),
            Self::Path(path) => match files::open(&path) {
                Ok(file) => (file, Box::new(Inlet::new(None, None)), Bytes::new(), false),
                Err(error) => return (Self::Nothing, Some(Err(unread(&error)))),
            },
        };
        let mut room = vec![0; FILE_PIECE];
        loop {
            let mut input = &piece[..];
            let found = inlet.next(&mut input);
            piece = piece.slice(piece.len() - input.len()..);
            match found {
                Ok(Some(sample)) => {
                    return (Self::Open(file, inlet, piece, true), Some(Ok(sample)));
                }
                Ok(None) => {}
                Err(error) => return (Self::Nothing, Some(Err(error.to_string()))),
            }
            match file.read(&mut room) {
                Ok(0) => break,
                Ok(n) => piece = Bytes::copy_from_slice(&room[..n]),
                Err(error) => return (Self::Nothing, Some(Err(unread(&error)))),
            }
        }
        // One picture at most is left at the end. Behind others, what is no whole one is a recording's cut end, or what
        // phones put behind a photo.
        let last = inlet.finish().transpose();
        let last = last.filter(|last| last.is_ok() || !has_one);
        let last = last.map(|last| last.map_err(|error| error.to_string()));
        (Self::Nothing, last)
    }
}

/// A file in a watched folder, as far as it is known.
struct Seen {
    version: Version,
    since: Instant,
    /// This version was sent, or was there before, or is none to send.
    is_done: bool,
}

async fn feed_folder(folder: &Path, slot: &Slot) -> Result<(), PushError> {
    let mut seen: HashMap<PathBuf, Seen> = HashMap::new();
    let mut is_first = true;
    loop {
        let started = Instant::now();
        let path = folder.to_owned();
        let found = Blocking::run(move |_| list(&path)).await;
        let found = found.map_err(|error| PushError::Read(error.to_string()))?;
        let found = found.map_err(|error| {
            let (folder, why) = (folder.display(), files::plain(&error));
            PushError::Read(format!("{folder} can't be read: {why}"))
        })?;
        seen.retain(|path, _| found.iter().any(|(known, _)| known == path));
        for (path, version) in found {
            let entry = seen.entry(path.clone()).or_insert(Seen {
                version,
                since: started,
                is_done: is_first,
            });
            if entry.version != version {
                *entry = Seen {
                    version,
                    since: started,
                    is_done: false,
                };
            }
            // What ends as its kind does is whole at once; but what is written in place may end so before it is.
            let age = started - entry.since;
            if entry.is_done || age < STILL {
                continue;
            }
            let name = Some(path.display().to_string());
            let read = Blocking::run(move |_| read(&path, version, age >= CUT_AFTER)).await;
            let sample = match read {
                Ok(Ok(Reading::Picture(sample))) => Ok(sample),
                Ok(Ok(Reading::Bad(why))) => Err(why),
                // Gone, or still being written.
                Ok(Ok(Reading::Unfinished) | Err(_)) | Err(_) => continue,
            };
            entry.is_done = true;
            if !slot.put(Picture { name, sample }).await {
                return Ok(());
            }
        }
        is_first = false;
        sleep(TICK.max(started.elapsed() * REST)).await;
    }
}

/// The files of a folder with their versions, the oldest first. Hidden ones are other programs' own.
fn list(folder: &Path) -> io::Result<Vec<(PathBuf, Version)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let is_hidden = path
            .file_name()
            .is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
        if is_hidden {
            continue;
        }
        // Folders and pipes are no files, and what has just gone is none either.
        if let Ok(version) = version(&path) {
            found.push((path, version));
        }
    }
    found.sort_by(|(a, one), (b, other)| one.written.cmp(&other.written).then_with(|| a.cmp(b)));
    Ok(found)
}

async fn feed_input(slot: &Slot) -> Result<(), PushError> {
    let (send, mut pieces) = mpsc::channel::<io::Result<Bytes>>(1);
    // A thread of its own, because nothing ends a read of standard input.
    std::thread::Builder::new()
        .name("input".into())
        .spawn(move || read_input(&send))?;
    let mut inlet = Inlet::with_limit(None, None, MAX_PICTURE_BYTES);
    let failed = |error: mantel_media::inlet::InletError| {
        PushError::Read(format!("standard input can't be sent: {error}"))
    };
    while let Some(piece) = pieces.recv().await {
        let piece = piece.map_err(|error| {
            let why = files::plain(&error);
            PushError::Read(format!("standard input can't be read: {why}"))
        })?;
        let mut input = &piece[..];
        while let Some(sample) = inlet.next(&mut input).map_err(failed)? {
            if !slot.put(stamped(sample)).await {
                return Ok(());
            }
        }
    }
    while let Some(sample) = inlet.finish().map_err(failed)? {
        slot.put(stamped(sample)).await;
    }
    Ok(())
}

fn read_input(send: &mpsc::Sender<io::Result<Bytes>>) {
    let mut input = io::stdin().lock();
    let mut piece = vec![0; PIECE];
    loop {
        let read = match input.read(&mut piece) {
            Ok(0) => return,
            Ok(n) => Ok(Bytes::copy_from_slice(&piece[..n])),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let is_over = read.is_err();
        if send.blocking_send(read).is_err() || is_over {
            return;
        }
    }
}

/// A picture of standard input. One that doesn't say when it was taken was taken now: how old it is at a viewer counts from
/// here.
fn stamped(mut sample: Sample) -> Picture {
    let now = clock::now().0;
    let micros = u32::try_from(now % 1000).unwrap_or(0) * 1000;
    sample.timestamp = sample.timestamp.or(Some(Timestamp {
        seconds: now / 1000,
        micros,
    }));
    Picture {
        name: None,
        sample: Ok(sample),
    }
}
