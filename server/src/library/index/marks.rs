//! The marks that people put on photos, as far as queries need them. Their truth is a file of its own; this is a copy.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::rows::{Tally, os_string};
use crate::photo::PhotoId;

/// A copy of the marks; an index of before gets it when it is opened. A hidden file has a state of its own.
pub(super) const TABLE: &str = "CREATE TABLE IF NOT EXISTS marks (
        file INTEGER PRIMARY KEY,
        hidden INTEGER NOT NULL,
        favourite INTEGER NOT NULL
    );";

/// The condition, in SQL, that a file's number is that of a hidden one.
const IS_HIDDEN: &str = "id IN (SELECT file FROM marks WHERE hidden = 1)";

/// A photo's mark, as queries need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Marked {
    pub(in super::super) id: PhotoId,
    pub(in super::super) hidden: bool,
    pub(in super::super) favourite: bool,
}

/// The content of a file by which it is found again under another name: its size in bytes, and when it was changed.
pub(in super::super) type Content = (u64, i64);

/// Puts these marks in the place of those that there were; returns how the counts move, whether any mark changed, and the
/// photos that are hidden now or not any more.
pub(in super::super) fn set_marks(
    connection: &mut Connection,
    marks: &[Marked],
    mut tally: Tally,
) -> rusqlite::Result<(Tally, bool, Vec<PhotoId>)> {
    let transaction = connection.transaction()?;
    let sum = |connection: &Connection| {
        connection.query_row(
            "SELECT count(*), total(file), total(file * hidden), total(file * favourite) FROM marks",
            [],
            |row| {
                let sums: (i64, f64, f64, f64) =
                    (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
                Ok(sums)
            },
        )
    };
    let before = sum(&transaction)?;
    transaction.execute("DELETE FROM marks", [])?;
    {
        let mut insert = transaction.prepare_cached(
            "INSERT OR REPLACE INTO marks (file, hidden, favourite) VALUES (?1, ?2, ?3)",
        )?;
        for mark in marks {
            insert.execute(params![
                mark.id.0.cast_signed(),
                mark.hidden,
                mark.favourite
            ])?;
        }
    }
    let which = |condition: &str| -> rusqlite::Result<Vec<PhotoId>> {
        let mut statement = transaction.prepare(&format!(
            "SELECT id FROM files WHERE {condition} AND gone = 0
             AND folder IN (SELECT id FROM folders WHERE active = 1)"
        ))?;
        let rows =
            statement.query_map([], |row| Ok(PhotoId(row.get::<_, i64>(0)?.cast_unsigned())))?;
        rows.collect()
    };
    let goes = format!("state = 0 AND {IS_HIDDEN}");
    let comes = format!("state = 4 AND NOT {IS_HIDDEN}");
    let (mut moved, back) = (which(&goes)?, which(&comes)?);
    let (n_gone, n_back) = (moved.len() as u64, back.len() as u64);
    moved.extend(back);
    for (condition, state) in [(goes, 4), (comes, 0)] {
        let sql = format!("UPDATE files SET state = {state} WHERE {condition}");
        transaction.execute(&sql, [])?;
    }
    let is_news = before != sum(&transaction)? || !moved.is_empty();
    transaction.commit()?;
    tally.photos = (tally.photos + n_back).saturating_sub(n_gone);
    tally.hidden = (tally.hidden + n_gone).saturating_sub(n_back);
    Ok((tally, is_news, moved))
}

/// Whether somebody has hidden this photo.
pub(super) fn is_hidden(connection: &Connection, id: i64) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT hidden FROM marks WHERE file = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()
        .map(Option::unwrap_or_default)
}

/// Which of these photos are there, hidden or not.
pub(in super::super) fn which_are_there(
    connection: &Connection,
    ids: &[PhotoId],
) -> rusqlite::Result<Vec<PhotoId>> {
    let mut statement = connection
        .prepare_cached("SELECT 1 FROM files WHERE id = ?1 AND gone = 0 AND state IN (0, 1, 4)")?;
    let mut there = Vec::new();
    for id in ids {
        if statement.exists([id.0.cast_signed()])? {
            there.push(*id);
        }
    }
    Ok(there)
}

/// The photos with one of these contents, each with its file's name.
pub(in super::super) fn with_content(
    connection: &Connection,
    wanted: &HashMap<Content, Vec<PhotoId>>,
) -> rusqlite::Result<Vec<(Content, PhotoId, String)>> {
    let mut statement = connection.prepare_cached(
        "SELECT n_bytes, modified, files.id, name FROM files
         JOIN folders ON folders.id = files.folder
         WHERE gone = 0 AND state IN (0, 4) AND active = 1",
    )?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let content = (row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?);
        if wanted.contains_key(&content) {
            let name = os_string(row.get(3)?).to_string_lossy().into_owned();
            found.push((
                content,
                PhotoId(row.get::<_, i64>(2)?.cast_unsigned()),
                name,
            ));
        }
    }
    Ok(found)
}
