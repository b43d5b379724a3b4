//! The search for photos by words: in places, captions, keywords, albums and names of files, and by years.

mod places;
mod texts;

use std::{collections::HashSet, path::PathBuf};

use rusqlite::{Connection, types::Value};

use super::{
    super::{
        filter::{Filter, Query},
        letters,
    },
    rows::{all_shown, folders_of_album},
};
use crate::photo::PhotoId;
pub(super) use texts::Texts;

/// The words to look for: all of them, each anywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words(Vec<String>);

/// More words than this narrow nothing.
const MAX_WORDS: usize = 6;
const MAX_CHARS: usize = 100;

impl Words {
    /// Whether there are none, so that everything is found.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The words of a text, as they are compared.
    pub fn of(text: &str) -> Self {
        let text: String = text.chars().take(MAX_CHARS).collect();
        let words = text.split_whitespace().take(MAX_WORDS);
        Self(words.map(letters::key).collect())
    }
}

/// The photos that `filter` lets through, whatever is written of them, the latest first: at most `n`, after the first
/// `offset`.
pub(super) fn latest(
    connection: &Connection,
    filter: &Filter,
    today: chrono::NaiveDate,
    roots: &[PathBuf],
    (offset, n): (u32, u32),
) -> rusqlite::Result<Vec<PhotoId>> {
    // The plus keeps SQLite from going by folders and sorting all of them: by date, it ends with the last that is wanted.
    let mut sql = String::from(
        "SELECT id FROM files WHERE state = 0 AND gone = 0
         AND +folder IN (SELECT id FROM folders WHERE active = 1)",
    );
    let mut values = Vec::new();
    if !filter.is_all() {
        let query = of_filter(connection, filter, today, roots)?;
        sql = format!(
            "SELECT id FROM files WHERE id IN (SELECT id FROM ({}))",
            query.sql
        );
        values = query.values;
    }
    sql.push_str(" ORDER BY taken DESC, id LIMIT ? OFFSET ?");
    values.extend([Value::Integer(n.into()), Value::Integer(offset.into())]);
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(rusqlite::params_from_iter(values), |row| {
        Ok(PhotoId(row.get::<_, i64>(0)?.cast_unsigned()))
    })?;
    rows.collect()
}

/// The ids of all that `filter` lets through.
pub(super) fn allowed(
    connection: &Connection,
    filter: &Filter,
    today: chrono::NaiveDate,
    roots: &[PathBuf],
) -> rusqlite::Result<HashSet<i64>> {
    let query = of_filter(connection, filter, today, roots)?;
    let mut statement = connection.prepare_cached(&query.sql)?;
    let rows = statement.query_map(rusqlite::params_from_iter(query.values), |row| row.get(0))?;
    rows.collect()
}

fn of_filter(
    connection: &Connection,
    filter: &Filter,
    today: chrono::NaiveDate,
    roots: &[PathBuf],
) -> rusqlite::Result<Query> {
    filter.query(today, all_shown(connection)?, false, &|album: &str| {
        folders_of_album(connection, album, roots)
    })
}

/// The first second of a year, and the first one after it.
fn year(word: &str) -> Option<(i64, i64)> {
    let year: i32 = word
        .parse()
        .ok()
        .filter(|year| (1800..2200).contains(year))?;
    let start = |year| {
        let day = chrono::NaiveDate::from_ymd_opt(year, 1, 1)?;
        Some(day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp())
    };
    Some((start(year)?, start(year + 1)?))
}

#[cfg(test)]
mod tests;
