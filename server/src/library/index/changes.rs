//! The changes that a scan writes to the index, and the questions that it asks.

use std::{
    collections::HashMap,
    ffi::OsString,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OptionalExtension, params};

use super::{
    super::{
        Version,
        facts::{DateSource, Facts, Taken},
        letters,
    },
    marks::is_hidden,
    rows::{State, Tally, bytes, os_string, version},
};
use crate::{photo::PhotoId, render::Kind};

/// The index's knowledge of a file, enough to tell whether it has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Known {
    pub(in super::super) id: PhotoId,
    pub(in super::super) version: Version,
    pub(in super::super) gone: bool,
    pub(in super::super) state: State,
}

/// A file that was looked at.
#[derive(Clone, Debug)]
pub(in super::super) struct Record {
    pub(in super::super) path: PathBuf,
    pub(in super::super) version: Version,
    pub(in super::super) outcome: Outcome,
}

/// The outcome of looking at a file.
#[derive(Clone, Debug)]
pub(in super::super) enum Outcome {
    /// A picture, as far as can be told without decoding it.
    Photo(Box<Facts>),
    /// A picture that can't be shown, and why.
    Skipped(String),
    /// A picture, or a folder, that is not shown on purpose, and why.
    LeftOut(String),
    /// No picture.
    Other,
}

/// A message of a scan to the index.
#[derive(Clone, Debug)]
pub(in super::super) enum Change {
    /// A file is new or another one than before.
    Seen(Box<Record>),
    /// A file is back, unchanged.
    Back(PhotoId),
    /// A file is not there any more.
    Gone(PhotoId),
    /// A file is as it was; its time of change, in nanoseconds since 1970, is known only now.
    Stamped(PhotoId, i64),
}

impl Change {
    /// The file that is another one than before, but for its stamp.
    pub(in super::super) fn photo(&self) -> Option<PhotoId> {
        match self {
            Self::Seen(record) => Some(id_of(&record.path)),
            Self::Back(id) | Self::Gone(id) => Some(*id),
            Self::Stamped(..) => None,
        }
    }
}

/// Makes the folders below `roots`, and no others, the ones that are shown.
pub(in super::super) fn activate(
    connection: &mut Connection,
    roots: &[PathBuf],
) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    transaction.execute("UPDATE folders SET active = 0 WHERE active = 1", [])?;
    for root in roots {
        let (from, to) = below(root);
        transaction.execute(
            "UPDATE folders SET active = 1 WHERE path = ?1 OR (path >= ?2 AND path < ?3)",
            params![bytes(root.as_os_str()), from, to],
        )?;
    }
    transaction.commit()
}

/// The range of paths that lie below `folder`, as bytes: `/` is followed by `0`.
fn below(folder: &Path) -> (Vec<u8>, Vec<u8>) {
    let mut from = bytes(folder.as_os_str()).to_vec();
    while from.last() == Some(&b'/') {
        from.pop();
    }
    let mut to = from.clone();
    from.push(b'/');
    to.push(b'0');
    (from, to)
}

/// The files of one folder, by name.
pub(in super::super) fn in_folder(
    connection: &Connection,
    folder: &Path,
) -> rusqlite::Result<HashMap<OsString, Known>> {
    let mut statement = connection.prepare_cached(
        "SELECT files.name, files.id, n_bytes, modified, sidecar, changed, gone, state FROM files
         JOIN folders ON folders.id = files.folder WHERE folders.path = ?1",
    )?;
    let rows = statement.query_map([bytes(folder.as_os_str())], |row| {
        let known = Known {
            id: PhotoId(row.get::<_, i64>(1)?.cast_unsigned()),
            version: version(row, 2)?,
            gone: row.get::<_, i64>(6)? != 0,
            state: State::of(row.get(7)?),
        };
        Ok((os_string(row.get(0)?), known))
    })?;
    rows.collect()
}

/// The folders below `folder` that hold files which are thought to be there, `folder` among them.
pub(in super::super) fn folders_below(
    connection: &Connection,
    folder: &Path,
) -> rusqlite::Result<Vec<PathBuf>> {
    let (from, to) = below(folder);
    let mut statement = connection.prepare_cached(
        "SELECT path FROM folders WHERE (path = ?1 OR (path >= ?2 AND path < ?3))
         AND EXISTS (SELECT 1 FROM files WHERE files.folder = folders.id AND files.gone = 0)",
    )?;
    let rows = statement.query_map(params![bytes(folder.as_os_str()), from, to], |row| {
        Ok(PathBuf::from(os_string(row.get(0)?)))
    })?;
    rows.collect()
}

/// The device that `root` was on when it was last seen to hold something.
pub(in super::super) fn device(
    connection: &Connection,
    root: &Path,
) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT device FROM roots WHERE path = ?1")?
        .query_row([bytes(root.as_os_str())], |row| row.get(0))
        .optional()
}

/// Remembers the device that `root` is on.
pub(in super::super) fn set_device(
    connection: &Connection,
    root: &Path,
    device: i64,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO roots (path, device) VALUES (?1, ?2)")?
        .execute(params![bytes(root.as_os_str()), device])?;
    Ok(())
}

/// Carries out what a scan tells, all or nothing. `now` is Unix seconds; `first` says that no scan
/// was ever finished, so that what it finds is not news. Returns how the counts move.
pub(in super::super) fn apply(
    connection: &mut Connection,
    changes: &[Change],
    mut tally: Tally,
    now: i64,
    first: bool,
) -> rusqlite::Result<Tally> {
    let transaction = connection.transaction()?;
    {
        let mut state =
            transaction.prepare_cached("SELECT state, gone FROM files WHERE id = ?1")?;
        let mut set_gone =
            transaction.prepare_cached("UPDATE files SET gone = ?2 WHERE id = ?1")?;
        let mut state_of = |id: PhotoId| -> rusqlite::Result<Option<(State, bool)>> {
            state
                .query_row([id.0.cast_signed()], |row| {
                    Ok((State::of(row.get(0)?), row.get::<_, i64>(1)? != 0))
                })
                .optional()
        };
        let mut folder_ids: HashMap<&Path, i64> = HashMap::new();
        for change in changes {
            match change {
                Change::Seen(record) => {
                    let Some(folder) = record.path.parent() else {
                        continue;
                    };
                    let folder = match folder_ids.get(folder) {
                        Some(id) => *id,
                        None => {
                            let id = folder_id(&transaction, folder)?;
                            folder_ids.insert(folder, id);
                            id
                        }
                    };
                    let id = id_of(&record.path);
                    let before = state_of(id)?;
                    let added = if first { 0 } else { now };
                    if before.is_some() {
                        forget_keywords(&transaction, id)?;
                    }
                    let after = put(&transaction, id, folder, record, added)?;
                    tally.moved(
                        before.and_then(|(state, gone)| (!gone).then_some(state)),
                        Some(after),
                    );
                }
                Change::Stamped(id, changed) => {
                    transaction
                        .prepare_cached("UPDATE files SET changed = ?2 WHERE id = ?1")?
                        .execute(params![id.0.cast_signed(), changed])?;
                }
                Change::Back(id) | Change::Gone(id) => {
                    let is_gone = matches!(change, Change::Gone(_));
                    if let Some((state, gone)) = state_of(*id)?
                        && gone != is_gone
                    {
                        set_gone
                            .execute(params![id.0.cast_signed(), if is_gone { now } else { 0 }])?;
                        let (before, after) = if is_gone {
                            (Some(state), None)
                        } else {
                            (None, Some(state))
                        };
                        tally.moved(before, after);
                    }
                }
            }
        }
    }
    transaction.commit()?;
    Ok(tally)
}

fn folder_id(connection: &Connection, folder: &Path) -> rusqlite::Result<i64> {
    connection
        .prepare_cached(
            "INSERT INTO folders (path) VALUES (?1) ON CONFLICT (path) DO UPDATE SET active = 1
             RETURNING id",
        )?
        .query_row([bytes(folder.as_os_str())], |row| row.get(0))
}

fn forget_keywords(connection: &Connection, id: PhotoId) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached("DELETE FROM keywords WHERE file = ?1")?;
    statement.execute([id.0.cast_signed()]).map(drop)
}

/// Writes what is known of a file that has no keywords in the index.
fn put(
    connection: &Connection,
    id: PhotoId,
    folder: i64,
    record: &Record,
    added: i64,
) -> rusqlite::Result<State> {
    let id = id.0.cast_signed();
    let nothing = Facts::default();
    let (state, reason, facts) = match &record.outcome {
        Outcome::Photo(facts) if is_hidden(connection, id)? => (State::Hidden, None, &**facts),
        Outcome::Photo(facts) => (State::Photo, None, &**facts),
        Outcome::Skipped(reason) => (State::Skipped, Some(reason), &nothing),
        Outcome::LeftOut(reason) => (State::LeftOut, Some(reason), &nothing),
        Outcome::Other => (State::Other, None, &nothing),
    };
    let month_day = facts.taken.and_then(month_day);
    let name = record.path.file_name().unwrap_or_default();
    connection
        .prepare_cached(
            "INSERT INTO files (id, folder, name, n_bytes, modified, sidecar, state, gone, added,
                reason, kind, width, height, orientation, taken, taken_from, month_day, camera,
                latitude, longitude, place, rating, caption, likeness, changed, length)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
                ?18, ?19, ?20, ?21, ?22, NULL, ?23, ?24)
             ON CONFLICT (id) DO UPDATE SET folder = ?2, name = ?3, n_bytes = ?4, modified = ?5,
                sidecar = ?6, state = ?7, gone = 0, reason = ?9, kind = ?10, width = ?11,
                height = ?12, orientation = ?13, taken = ?14, taken_from = ?15, month_day = ?16,
                camera = ?17, latitude = ?18, longitude = ?19, place = ?20, rating = ?21,
                caption = ?22, changed = ?23, length = ?24,
                likeness = CASE WHEN n_bytes = ?4 AND modified = ?5 THEN likeness END",
        )?
        .execute(params![
            id,
            folder,
            bytes(name),
            record.version.n_bytes.cast_signed(),
            record.version.modified_nanos,
            record.version.sidecar_nanos,
            state as i64,
            added,
            reason,
            facts.kind.map(Kind::name),
            facts.size.map(|size| size.width),
            facts.size.map(|size| size.height),
            facts.orientation.to_exif(),
            facts.taken.map(|taken| taken.local_seconds),
            facts.taken.map(|taken| taken.source as u8),
            month_day,
            facts.camera,
            facts.position.map(|position| position.latitude),
            facts.position.map(|position| position.longitude),
            facts.place,
            facts.rating,
            facts.caption,
            record.version.changed_nanos,
            facts.length_millis,
        ])?;
    if !facts.keywords.is_empty() {
        let mut insert = connection.prepare_cached(
            "INSERT OR IGNORE INTO keywords (key, word, file) VALUES (?1, ?2, ?3)",
        )?;
        for word in &facts.keywords {
            insert.execute(params![letters::key(word), word, id])?;
        }
    }
    Ok(state)
}

/// A photo could not be shown after all.
pub(in super::super) fn skip(
    connection: &Connection,
    id: PhotoId,
    reason: &str,
) -> rusqlite::Result<bool> {
    let n = connection
        .prepare_cached("UPDATE files SET state = 1, reason = ?2 WHERE id = ?1 AND state = 0")?
        .execute(params![id.0.cast_signed(), reason])?;
    Ok(n > 0)
}

/// A photo is shown, but parts of it are missing. True when that is news.
pub(in super::super) fn damaged(
    connection: &Connection,
    id: PhotoId,
    reason: &str,
) -> rusqlite::Result<bool> {
    let n = connection
        .prepare_cached(
            "UPDATE files SET reason = ?2 WHERE id = ?1 AND state = 0 AND reason IS NOT ?2",
        )?
        .execute(params![id.0.cast_signed(), reason])?;
    Ok(n > 0)
}

/// At most `n` photos of which it isn't known what they look like.
pub(in super::super) fn without_likeness(
    connection: &Connection,
    n: u32,
) -> rusqlite::Result<Vec<PhotoId>> {
    let mut statement = connection.prepare_cached(
        "SELECT files.id FROM files JOIN folders ON folders.id = files.folder
         WHERE likeness IS NULL AND state = 0 AND gone = 0 AND active = 1 LIMIT ?1",
    )?;
    let rows = statement.query_map([n], |row| {
        Ok(PhotoId(row.get::<_, i64>(0)?.cast_unsigned()))
    })?;
    rows.collect()
}

/// Keeps what a photo looks like, in 64 bits; `None`: that it can't be told.
pub(in super::super) fn set_likeness(
    connection: &Connection,
    id: PhotoId,
    likeness: Option<u64>,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE files SET likeness = ?2 WHERE id = ?1")?
        .execute(params![
            id.0.cast_signed(),
            likeness.map_or(0, u64::cast_signed)
        ])?;
    Ok(())
}

/// A photo's identity is where it is stored.
pub(in super::super) fn id_of(path: &Path) -> PhotoId {
    PhotoId::of(path.as_os_str().as_encoded_bytes())
}

fn month_day(taken: Taken) -> Option<u32> {
    use chrono::Datelike;
    // A file's time of change is when it was copied: no anniversary.
    (taken.source != DateSource::Modified)
        .then(|| chrono::DateTime::from_timestamp(taken.local_seconds, 0))?
        .map(|moment| moment.month() * 100 + moment.day())
}
