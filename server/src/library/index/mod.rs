//! The index: what is known of every file, in SQLite, so that a second start opens no photo again.
//!
//! Rows in, rows out; opens no photo and knows no screen. One connection writes, others read beside
//! it (WAL). Without a data directory, and when its disk takes nothing, it lives in memory. An index that
//! is damaged or of another version is set aside and made anew: everything in it can be found again.

mod changes;
mod entries;
mod find;
mod lists;
mod marks;
mod rows;
mod schema;

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::filter::Filter;
use crate::{blocking::Blocking, photo::PhotoId, store};

pub(super) use changes::{
    Change, Known, Outcome, Record, activate, apply, damaged, device, folders_below, id_of,
    in_folder, set_device, set_likeness, skip, without_likeness,
};
pub(super) use entries::Wanted;
use find::Texts;
pub use find::Words;
pub use lists::AlbumRow;
pub(super) use lists::{albums, covers, keywords, unshown};
pub(super) use marks::{Content, Marked, set_marks, which_are_there, with_content};
pub(super) use rows::{State, Tally, display_name, photo, tally, was_scanned};

/// The index of one data directory, or one in memory.
#[derive(Debug)]
pub(super) struct Index {
    writer: Mutex<Connection>,
    /// Where readers connect; none when the index is in memory, and the writer reads as well.
    path: Option<PathBuf>,
    readers: Mutex<Vec<Connection>>,
    in_memory: AtomicBool,
    /// For those who search by words.
    texts: Mutex<Texts>,
    /// Held as long as the index is open.
    _lock: Option<File>,
}

/// Why an index can't be used.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// Another process has it.
    #[error(
        "another mantel is using {}; stop that one, or give this one a folder of its own: --data-dir DIR",
        .0.display()
    )]
    InUse(PathBuf),
    /// The directory can't be used at all.
    #[error("can't keep the index in {}: {reason}; --data-dir DIR names another place", dir.display())]
    Unusable {
        /// The data directory.
        dir: PathBuf,
        /// The system's reason.
        reason: String,
    },
}

/// Readers kept open; more are opened when they are needed and closed again.
const MAX_IDLE_READERS: usize = 4;

const FILE: &str = "index.sqlite";
const LOCK: &str = "mantel.lock";

impl Index {
    /// The index in `dir`, made when there is none.
    ///
    /// # Errors
    /// Another process has it open, or the directory can't be written.
    pub(super) fn open(dir: &Path) -> Result<Self, IndexError> {
        let unusable = |error: &dyn std::fmt::Display| IndexError::Unusable {
            dir: dir.to_owned(),
            reason: error.to_string(),
        };
        store::make_folder(dir).map_err(|error| unusable(&error))?;
        let lock = store::create_private(&dir.join(LOCK)).map_err(|error| unusable(&error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(IndexError::InUse(dir.to_owned())),
            // Some network file systems have no locks.
            Err(TryLockError::Error(error)) => {
                tracing::warn!(%error, "can't lock the data directory; take care that no other mantel uses it");
            }
        }
        let path = dir.join(FILE);
        make_private(&path).map_err(|error| unusable(&error))?;
        let connection = match schema::open(&path) {
            Ok(connection) => connection,
            Err(reason) => {
                let aside = set_aside(&path).map_err(|error| unusable(&error))?;
                tracing::warn!(%reason, aside = %aside.display(),
                    "the index can't be used; it is set aside, and the folders are indexed anew");
                make_private(&path).map_err(|error| unusable(&error))?;
                schema::open(&path).map_err(|error| unusable(&error))?
            }
        };
        Ok(Self {
            writer: Mutex::new(connection),
            path: Some(path),
            readers: Mutex::default(),
            in_memory: AtomicBool::new(false),
            texts: Mutex::default(),
            _lock: Some(lock),
        })
    }

    /// A copy in memory of the index in `dir`, which another program may be writing; `None` when there
    /// is none yet.
    pub(super) fn copied(dir: &Path) -> Option<Self> {
        let path = dir.join(FILE);
        let index = Self::in_memory();
        schema::open_to_read(&path).ok()?;
        schema::copy(&path, &lock(&index.writer)).ok()?;
        Some(index)
    }

    /// The index in `dir`, which can't be written, as far as it can be read: in memory from now on.
    pub(super) fn stranded(dir: &Path) -> Self {
        let path = dir.join(FILE);
        let index = Self::in_memory();
        // A failed copy leaves nothing behind: what it holds is found again.
        if path.exists()
            && let Err(error) = schema::copy(&path, &lock(&index.writer))
        {
            tracing::debug!(%error, "the index that can't be written can't be read either");
            return Self::in_memory();
        }
        index
    }

    /// An index that ends with the program.
    ///
    /// # Panics
    /// When SQLite has no memory for an empty table: nothing works then.
    #[expect(clippy::expect_used, reason = "an empty table in memory")]
    pub(super) fn in_memory() -> Self {
        Self {
            writer: Mutex::new(schema::in_memory().expect("an empty table in memory")),
            path: None,
            readers: Mutex::default(),
            in_memory: AtomicBool::new(true),
            texts: Mutex::default(),
            _lock: None,
        }
    }

    /// Reads, beside whoever writes. What fails has been dealt with and counts as empty.
    pub(super) fn read<T: Default>(
        &self,
        _: Blocking,
        query: impl Fn(&Connection) -> rusqlite::Result<T>,
    ) -> T {
        let result = match self.reader() {
            Some(connection) => {
                let result = query(&connection);
                let mut idle = lock(&self.readers);
                if result.is_ok() && idle.len() < MAX_IDLE_READERS {
                    idle.push(connection);
                }
                result
            }
            None => query(&lock(&self.writer)),
        };
        match result {
            Ok(value) => value,
            Err(error) => {
                self.mend(&error);
                T::default()
            }
        }
    }

    /// Writes; all of it or nothing. When the disk is full the index goes on in memory, and the
    /// write with it.
    pub(super) fn write<T: Default>(
        &self,
        _: Blocking,
        work: impl Fn(&mut Connection) -> rusqlite::Result<T>,
    ) -> T {
        let result = work(&mut lock(&self.writer));
        match result {
            Ok(value) => value,
            Err(error) => {
                self.mend(&error);
                work(&mut lock(&self.writer)).unwrap_or_else(|error| {
                    tracing::error!(%error, "the index could not be written");
                    T::default()
                })
            }
        }
    }

    /// The photos that `filter` lets through and that all `words` are found with, the latest first: at most `n`, after the
    /// first `offset`.
    pub(super) fn found(
        &self,
        blocking: Blocking,
        (filter, today): (&Filter, chrono::NaiveDate),
        roots: &[PathBuf],
        (words, offset, n): (&Words, u32, u32),
    ) -> Vec<PhotoId> {
        if words.is_empty() {
            return self.read(blocking, |connection| {
                find::latest(connection, filter, today, roots, (offset, n))
            });
        }
        let texts = self.texts(blocking, roots);
        let allowed = (!filter.is_all()).then(|| {
            self.read(blocking, |connection| {
                find::allowed(connection, filter, today, roots)
            })
        });
        texts.found(words, allowed.as_ref(), (offset, n))
    }

    /// Reads what is written of photos, so that whoever searches needn't wait for it.
    pub(super) fn prepare_search(&self, blocking: Blocking, roots: &[PathBuf]) {
        drop(self.texts(blocking, roots));
    }

    /// Takes note of files that are other ones than before, for those who search. Called behind the write.
    pub(super) fn note(&self, ids: impl IntoIterator<Item = PhotoId>) {
        lock(&self.texts).changed(ids);
    }

    fn texts(&self, blocking: Blocking, roots: &[PathBuf]) -> MutexGuard<'_, Texts> {
        let texts = std::cell::RefCell::new(lock(&self.texts));
        self.read(blocking, |connection| {
            texts.borrow_mut().refresh(connection, roots)
        });
        texts.into_inner()
    }

    fn reader(&self) -> Option<Connection> {
        if self.in_memory.load(Relaxed) {
            return None;
        }
        if let Some(connection) = lock(&self.readers).pop() {
            return Some(connection);
        }
        schema::open_to_read(self.path.as_ref()?).ok()
    }

    /// Does about an error what can be done about it.
    fn mend(&self, error: &rusqlite::Error) {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => self.rebuild(error),
            Some(
                ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::ReadOnly
                | ErrorCode::CannotOpen,
            ) => self.flee(error),
            _ => tracing::error!(%error, "the index gave no answer"),
        }
    }

    /// Sets a damaged index aside while it is in use and goes on with an empty one.
    fn rebuild(&self, error: &rusqlite::Error) {
        let Some(path) = &self.path else { return };
        let mut writer = lock(&self.writer);
        // Somebody else may have mended it while this one waited.
        if self.in_memory.load(Relaxed) || schema::is_sound(&writer) {
            return;
        }
        lock(&self.readers).clear();
        *writer = match schema::in_memory() {
            Ok(connection) => connection,
            Err(_) => return,
        };
        match set_aside(path).and_then(|aside| {
            make_private(path)?;
            let fresh = schema::open(path).map_err(io::Error::other)?;
            Ok((aside, fresh))
        }) {
            Ok((aside, fresh)) => {
                *writer = fresh;
                tracing::warn!(%error, aside = %aside.display(),
                    "the index is damaged; it is set aside, and the folders are indexed anew");
            }
            Err(failed) => {
                self.in_memory.store(true, Relaxed);
                tracing::error!(%error, %failed, "the index is damaged and can't be replaced; it is kept in memory");
            }
        }
    }

    /// Takes the index into memory, because its disk takes nothing more.
    fn flee(&self, error: &rusqlite::Error) {
        let mut writer = lock(&self.writer);
        if self.in_memory.swap(true, Relaxed) {
            return;
        }
        let copy = schema::in_memory().and_then(|memory| {
            if let Some(path) = &self.path {
                schema::copy(path, &memory)?;
            }
            Ok(memory)
        });
        match copy {
            Ok(memory) => {
                *writer = memory;
                lock(&self.readers).clear();
                tracing::warn!(%error, "the index can't be written; it is kept in memory until the next start");
            }
            Err(failed) => tracing::error!(%error, %failed, "the index can't be written"),
        }
    }
}

/// Positions and captions are nobody else's business: the index is its owner's alone. SQLite gives the
/// files beside it the same rights.
fn make_private(path: &Path) -> io::Result<()> {
    if !path.exists() {
        // An empty file is an empty database.
        store::create_private(path)?;
    }
    for suffix in ["", "-wal", "-shm"] {
        let mut file = path.as_os_str().to_owned();
        file.push(suffix);
        store::tighten(Path::new(&file));
    }
    Ok(())
}

/// Out of the way, under a name that tells what it is; an older one under that name goes.
#[expect(
    clippy::disallowed_methods,
    reason = "a damaged index is set aside, on the thread that opens it"
)]
fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let aside = path.with_extension("sqlite.unusable");
    for suffix in ["-wal", "-shm"] {
        let mut beside = path.as_os_str().to_owned();
        beside.push(suffix);
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    fs::rename(path, &aside)?;
    Ok(aside)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const READ_ONLY: OpenFlags =
    OpenFlags::SQLITE_OPEN_READ_ONLY.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);

#[cfg(test)]
mod tests;
