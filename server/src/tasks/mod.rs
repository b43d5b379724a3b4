//! The tasks that need no screen: `mantel scan` and `mantel list` here, `mantel token` and
//! `mantel password` in `secrets`, `mantel health` in `health`, `mantel push` in `push`, `mantel cameras` in
//! `cameras`.

mod cameras;
mod health;
mod push;
mod secrets;

use std::{
    io::{self, Write},
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Instant,
};

use crate::{
    blocking::Blocking,
    clock,
    config::LibraryTask,
    library::{
        Facts, IndexError, Library, Origin, Photo, Reach, Scanner, Scope, Skipped, iso, roots_of,
    },
    progress::{Progress, grouped, many},
    timeline::{Place, Playlist},
};

pub use cameras::cameras;
pub use health::{HealthError, health};
pub use push::{PushError, push};
pub use secrets::{SecretError, password, token};

/// Why a task was not done.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// The index can't be used.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// Standard output is closed, or its disk is full.
    #[error("can't print: {0}")]
    Print(#[from] io::Error),
}

/// Brings the index up to date and prints what there is.
///
/// # Errors
/// The index can't be used, or nobody reads.
#[expect(
    clippy::disallowed_methods,
    reason = "a task of the command line: it may wait, and says how long it took"
)]
pub fn scan(task: &LibraryTask, out: &mut impl Write) -> Result<(), TaskError> {
    let library = Library::open(roots_of(&task.folders), task.index_dir.as_deref())?;
    let start = Instant::now();
    bring_up_to_date(&library, task.reach);
    let counts = library.counts();
    let others = library.others();
    let skipped = every(|offset, n| library.skipped(Blocking::here(), offset, n));
    let left_out = every(|offset, n| library.left_out(Blocking::here(), offset, n));
    if task.json {
        let summary = serde_json::json!({
            "photos": counts.photos,
            "other_files": counts.other_files,
            "others": others,
            "folders_away": counts.folders_away,
            "folders_unread": counts.folders_unread,
            "not_now": counts.not_now,
            "seconds": start.elapsed().as_secs_f64(),
            "skipped": skipped,
            "left_out": left_out,
        });
        writeln!(out, "{summary}")?;
        return Ok(());
    }
    writeln!(
        out,
        "{}; {} can't be shown",
        many(counts.photos, "photo"),
        many(counts.skipped, "file"),
    )?;
    if counts.not_now > 0 {
        writeln!(out, "{} can't be read now", counts.not_now)?;
    }
    print_rows(&skipped, out)?;
    if !left_out.is_empty() {
        let n = grouped(counts.left_out);
        writeln!(out, "{n} left out; --show-left-out shows them")?;
        print_rows(&left_out, out)?;
    }
    if !others.is_empty() {
        writeln!(out, "Beside them: {}", others.sentence(grouped))?;
    }
    if counts.folders_unread > 0 {
        writeln!(
            out,
            "{} can't be read; what was known of what is in there is kept",
            many(counts.folders_unread, "folder")
        )?;
    }
    if counts.folders_away > 0 {
        writeln!(
            out,
            "{} of the folders can't be reached; what was known of them is kept",
            counts.folders_away
        )?;
    }
    Ok(())
}

fn print_rows(rows: &[Skipped], out: &mut impl Write) -> io::Result<()> {
    for row in rows {
        let shown = if row.shown { "shown, but " } else { "" };
        writeln!(out, "  {}: {shown}{}", row.file.escape_debug(), row.reason)?;
    }
    Ok(())
}

/// Prints the photos that the filter gives.
///
/// # Errors
/// The index can't be used, or nobody reads.
pub fn list(task: &LibraryTask, out: &mut impl Write) -> Result<(), TaskError> {
    let roots = roots_of(&task.folders);
    let library = match Library::open(roots.clone(), task.index_dir.as_deref()) {
        Ok(library) => {
            bring_up_to_date(&library, task.reach);
            library
        }
        // A server holds the index and keeps it up to date, so reading it is enough.
        Err(error @ IndexError::InUse(_)) => task
            .index_dir
            .as_deref()
            .and_then(|dir| Library::open_to_read(roots, dir))
            .ok_or(error)?,
        Err(error) => return Err(error.into()),
    };
    let entries = library.select(Blocking::here(), &task.filter, task.order, clock::today());
    if entries.is_empty() && !task.json {
        tracing::warn!(
            "there is no photo for this choice: {}{}",
            task.filter,
            library.guess(Blocking::here(), &task.filter)
        );
    }
    let playlist = Playlist::new(entries, task.order, 0);
    let first = Place { round: 0, index: 0 };
    let ids = (0..playlist.n_photos()).filter_map(|i| playlist.after(first, i));
    let mut separator = "[";
    for photo in ids.filter_map(|(_, turn)| library.photo(Blocking::here(), turn.photo)) {
        if task.json {
            writeln!(out, "{separator}{}", row(&photo))?;
            separator = ",";
        } else {
            // A file's own date says nothing about when the photo was taken.
            let taken = photo.facts.taken.and_then(|taken| taken.of_photo());
            let day = taken
                .and_then(|_| chrono::DateTime::from_timestamp(photo.taken, 0))
                .map_or_else(String::new, |moment| moment.format("%Y-%m-%d").to_string());
            writeln!(out, "{day:10}  {}", photo.name.escape_debug())?;
        }
    }
    match (task.json, separator) {
        (true, "[") => writeln!(out, "[]")?,
        (true, _) => writeln!(out, "]")?,
        _ => {}
    }
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "a task of the command line: it may wait, and says how long it took"
)]
fn bring_up_to_date(library: &Library, reach: Reach) {
    let progress = Progress::start();
    let stop = AtomicBool::new(false);
    let mut scanner = Scanner::new(library.roots()).reaching(reach);
    let done = AtomicBool::new(false);
    std::thread::scope(|threads| {
        threads.spawn(|| progress.follow(library, &done));
        scanner.scan(library, &Scope::Everything, &stop);
        // Files that seemed half written are looked at once more.
        while let Some((due, scope)) = scanner.unsettled() {
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            scanner.scan(library, &scope, &stop);
        }
        done.store(true, Relaxed);
    });
}

/// All rows of a list that gives so many after the first `offset`.
fn every(list: impl Fn(u32, u32) -> Vec<Skipped>) -> Vec<Skipped> {
    const PAGE: u32 = 10_000;
    let mut all = Vec::new();
    loop {
        let page = list(u32::try_from(all.len()).unwrap_or(u32::MAX), PAGE);
        let last = page.len() < PAGE as usize;
        all.extend(page);
        if last {
            return all;
        }
    }
}

fn row(photo: &Photo) -> serde_json::Value {
    let Facts {
        kind,
        size,
        camera,
        position,
        place,
        rating,
        keywords,
        caption,
        album,
        taken,
        ..
    } = &photo.facts;
    let path = match &photo.origin {
        Origin::File(path) => path.to_string_lossy().into_owned(),
        Origin::BuiltIn(_) => String::new(),
    };
    let taken_at = taken.and_then(|taken| taken.moment()).map(iso);
    serde_json::json!({
        "photo": photo.id.to_string(),
        "name": &*photo.name,
        "path": path,
        "kind": kind.map(|kind| kind.name()),
        "width": size.map(|size| size.width),
        "height": size.map(|size| size.height),
        "taken_at": taken_at,
        "taken_from": taken.map(|taken| format!("{:?}", taken.source).to_lowercase()),
        "camera": camera,
        "latitude": position.map(|position| position.latitude),
        "longitude": position.map(|position| position.longitude),
        "place": place,
        "rating": rating,
        "keywords": keywords,
        "caption": caption,
        "album": album,
        "bytes": photo.version.n_bytes,
    })
}
