//! Lists for people: the albums, the keywords, and the files that are not shown.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    path::PathBuf,
};

use rusqlite::{Connection, params};

use super::{
    super::{Skipped, letters},
    rows::{State, display_name, os_string},
};
use crate::photo::PhotoId;

/// The folders below those given that have photos, by path, with how many are in each itself.
pub(in super::super) fn albums(
    connection: &Connection,
    roots: &[PathBuf],
) -> rusqlite::Result<Vec<(String, u64)>> {
    let mut statement = connection.prepare_cached(
        "SELECT folders.path, count(*) FROM files JOIN folders ON folders.id = files.folder
         WHERE state = 0 AND gone = 0 AND folders.active = 1 GROUP BY folders.path",
    )?;
    let rows = statement.query_map([], |row| {
        let path = PathBuf::from(os_string(row.get(0)?));
        let n = row.get::<_, i64>(1)?.cast_unsigned();
        Ok((display_name(&path, roots), n))
    })?;
    // Folders of one name, below two roots or in two normal forms, are one album.
    let mut found: BTreeMap<String, (String, u64)> = BTreeMap::new();
    for row in rows {
        let (path, n) = row?;
        if !path.is_empty() {
            found.entry(letters::key(&path)).or_insert((path, 0)).1 += n;
        }
    }
    Ok(found.into_values().collect())
}

/// The `n` keywords that most photos have, with how many.
pub(in super::super) fn keywords(
    connection: &Connection,
    n: u32,
) -> rusqlite::Result<Vec<(String, u64)>> {
    let mut statement = connection.prepare_cached(
        "SELECT word, count(*) FROM keywords JOIN files ON files.id = keywords.file
         JOIN folders ON folders.id = files.folder
         WHERE state = 0 AND gone = 0 AND folders.active = 1
         GROUP BY key ORDER BY count(*) DESC, key LIMIT ?1",
    )?;
    let rows = statement.query_map([n], |row| {
        Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned()))
    })?;
    rows.collect()
}

/// Every file in `state`, which is one that is not shown, by folder and name; `offset` of them left out, at most `n`. Among
/// those that can't be shown are photos that are shown with parts missing.
pub(in super::super) fn unshown(
    connection: &Connection,
    state: State,
    roots: &[PathBuf],
    offset: u32,
    n: u32,
) -> rusqlite::Result<Vec<Skipped>> {
    let mut statement = connection.prepare_cached(
        "SELECT folders.path, files.name, reason, state FROM files
         JOIN folders ON folders.id = files.folder
         WHERE ((state > 0 AND state = ?3) OR (state = 0 AND reason IS NOT NULL AND ?3 = 1))
            AND gone = 0 AND folders.active = 1
         ORDER BY folders.path, files.name LIMIT ?2 OFFSET ?1",
    )?;
    let rows = statement.query_map(params![offset, n, state as i64], |row| {
        let path = PathBuf::from(os_string(row.get(0)?)).join(os_string(row.get(1)?));
        Ok(Skipped {
            file: display_name(&path, roots),
            reason: row.get::<_, Option<String>>(2)?.unwrap_or_default(),
            not_now: false,
            shown: row.get::<_, i64>(3)? == State::Photo as i64,
        })
    })?;
    rows.collect()
}

/// An album as people choose one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlbumRow {
    /// The path below the folder given.
    pub path: String,
    /// How many photos are in it itself.
    pub n: u64,
    /// One of them.
    pub cover: PhotoId,
    /// When its first and its last photo were taken, as far as that is known: seconds of the camera's clock.
    pub taken: Option<(i64, i64)>,
}

/// The albums that have photos, by path.
pub(in super::super) fn covers(
    connection: &Connection,
    roots: &[PathBuf],
) -> rusqlite::Result<Vec<AlbumRow>> {
    // Of the two that belong to no column in particular SQLite takes a row of the group.
    let mut statement = connection.prepare_cached(
        "SELECT folders.path, count(*), files.id,
            min(CASE WHEN taken_from < 2 THEN taken END), max(CASE WHEN taken_from < 2 THEN taken END)
         FROM files JOIN folders ON folders.id = files.folder
         WHERE state = 0 AND gone = 0 AND folders.active = 1 GROUP BY folders.path",
    )?;
    let rows = statement.query_map([], |row| {
        let path = PathBuf::from(os_string(row.get(0)?));
        let ends: (Option<i64>, Option<i64>) = (row.get(3)?, row.get(4)?);
        Ok(AlbumRow {
            path: display_name(&path, roots),
            n: row.get::<_, i64>(1)?.cast_unsigned(),
            cover: PhotoId(row.get::<_, i64>(2)?.cast_unsigned()),
            taken: ends.0.zip(ends.1),
        })
    })?;
    let mut found: BTreeMap<String, AlbumRow> = BTreeMap::new();
    for row in rows {
        let row = row?;
        if row.path.is_empty() {
            continue;
        }
        // Folders of one name, below two roots or in two normal forms, are one album.
        match found.entry(letters::key(&row.path)) {
            Entry::Vacant(free) => {
                free.insert(row);
            }
            Entry::Occupied(mut there) => {
                let known = there.get_mut();
                known.n += row.n;
                known.taken = match (known.taken, row.taken) {
                    (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
                    (one, other) => one.or(other),
                };
            }
        }
    }
    Ok(found.into_values().collect())
}
