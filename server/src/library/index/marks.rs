//! The marks that people put on photos, as far as queries need them. Their truth is a file of its own; this is a copy.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::rows::{State, Tally, os_string};
use crate::photo::PhotoId;

/// A copy of the marks; an index of before gets it when it is opened. A hidden file has a state of its own.
pub(super) const TABLE: &str = "CREATE TABLE IF NOT EXISTS marks (
        file INTEGER PRIMARY KEY,
        hidden INTEGER NOT NULL,
        favourite INTEGER NOT NULL
    );";

/// The condition, in SQL, that a photo is hidden now. It is found by its number.
const GOES: &str = "state = 0 AND id IN (SELECT file FROM marks WHERE hidden = 1)";
/// The condition that one is hidden no more. `state > 0` is what SQLite knows the index `files_unshown` by: it went through
/// all files without, at each start.
const COMES: &str =
    "state > 0 AND state = 4 AND id NOT IN (SELECT file FROM marks WHERE hidden = 1)";

/// The photos of a condition that are shown, or were. Folders are no way to them: nearly all files are in such.
fn shown(condition: &str) -> String {
    format!(
        "SELECT id FROM files WHERE {condition} AND gone = 0
         AND +folder IN (SELECT id FROM folders WHERE active = 1)"
    )
}

fn update(condition: &str, state: State) -> String {
    format!(
        "UPDATE files SET state = {} WHERE {condition}",
        state as i64
    )
}

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
        let mut statement = transaction.prepare(&shown(condition))?;
        let rows =
            statement.query_map([], |row| Ok(PhotoId(row.get::<_, i64>(0)?.cast_unsigned())))?;
        rows.collect()
    };
    let (mut moved, back) = (which(GOES)?, which(COMES)?);
    let (n_gone, n_back) = (moved.len() as u64, back.len() as u64);
    moved.extend(back);
    for (condition, state) in [(GOES, State::Hidden), (COMES, State::Photo)] {
        transaction.execute(&update(condition, state), [])?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{blocking::Blocking, library::index::Index};

    #[test]
    fn marks_take_no_walk_through_all_files() {
        let index = Index::in_memory();
        for sql in [
            shown(GOES),
            shown(COMES),
            update(GOES, State::Hidden),
            update(COMES, State::Photo),
        ] {
            let plan: Vec<String> = index.read(Blocking::here(), |connection| {
                let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
                plan.query_map([], |row| row.get(3))?.collect()
            });
            let walks =
                |step: &String| step.starts_with("SCAN files") || step.contains("files_by_folder");
            assert!(
                !plan.is_empty() && !plan.iter().any(walks),
                "{sql}: {plan:?}"
            );
        }
    }
}
