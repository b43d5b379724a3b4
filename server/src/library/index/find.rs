//! The search for photos by words: in places, captions, keywords, albums and names of files, and by years.

use std::path::PathBuf;

use rusqlite::{Connection, types::Value};

use super::{
    super::{Filter, letters},
    rows::{all_shown, display_name, folders_of_album, os_string},
};
use crate::photo::PhotoId;

/// The words to look for: all of them, each anywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words(Vec<String>);

/// More words than this narrow nothing.
const MAX_WORDS: usize = 6;
const MAX_CHARS: usize = 100;

impl Words {
    /// The words of a text, as they are compared.
    pub fn of(text: &str) -> Self {
        let text: String = text.chars().take(MAX_CHARS).collect();
        let words = text.split_whitespace().take(MAX_WORDS);
        Self(words.map(letters::key).collect())
    }
}

/// The photos that `filter` lets through and that all `words` are found with, the latest first: at most `n`, after the first
/// `offset`.
pub(in super::super) fn found(
    connection: &Connection,
    filter: &Filter,
    today: chrono::NaiveDate,
    roots: &[PathBuf],
    (words, offset, n): (&Words, u32, u32),
) -> rusqlite::Result<Vec<PhotoId>> {
    let mut sql = String::from("SELECT id FROM files WHERE ");
    let mut values = Vec::new();
    if filter.is_all() {
        // The plus keeps SQLite from going by folders and sorting all of them: by date, it ends with the last that is wanted.
        sql.push_str(
            "state = 0 AND gone = 0 AND +folder IN (SELECT id FROM folders WHERE active = 1)",
        );
    } else {
        let query = filter.query(today, all_shown(connection)?, false, &|album: &str| {
            folders_of_album(connection, album, roots)
        })?;
        sql.push_str(&format!("id IN (SELECT id FROM ({}))", query.sql));
        values = query.values;
    }
    if !words.0.is_empty() {
        let (folders, places) = (folders(connection, roots)?, places(connection)?);
        for word in &words.0 {
            let list: Vec<String> = folders
                .iter()
                .filter(|(_, name)| name.contains(word))
                .map(|(id, _)| id.to_string())
                .collect();
            let meant: Vec<&str> = places
                .iter()
                .filter(|(_, key)| key.contains(word))
                .map(|(place, _)| place.as_str())
                .collect();
            sql.push_str(&format!(
                " AND (folder IN ({}) OR place IN (SELECT value FROM json_each(?)) \
                 OR id IN (SELECT file FROM keywords WHERE instr(key, ?) > 0) \
                 OR (caption IS NOT NULL AND instr(key_of(caption), ?) > 0) \
                 OR instr(lower(CAST(name AS TEXT)), ?) > 0",
                list.join(",")
            ));
            values.push(Value::Text(serde_json::json!(meant).to_string()));
            values.extend([(); 3].map(|()| Value::Text(word.clone())));
            if let Some((from, until)) = year(word) {
                sql.push_str(" OR (taken_from < 2 AND taken >= ? AND taken < ?)");
                values.extend([Value::Integer(from), Value::Integer(until)]);
            }
            sql.push(')');
        }
    }
    sql.push_str(" ORDER BY taken DESC, id LIMIT ? OFFSET ?");
    values.extend([Value::Integer(n.into()), Value::Integer(offset.into())]);
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(rusqlite::params_from_iter(values), |row| {
        Ok(PhotoId(row.get::<_, i64>(0)?.cast_unsigned()))
    })?;
    rows.collect()
}

/// The folders that are shown, by the keys of their names.
fn folders(connection: &Connection, roots: &[PathBuf]) -> rusqlite::Result<Vec<(i64, String)>> {
    let mut statement =
        connection.prepare_cached("SELECT id, path FROM folders WHERE active = 1")?;
    let rows = statement.query_map([], |row| {
        let path = PathBuf::from(os_string(row.get(1)?));
        Ok((row.get(0)?, letters::key(&display_name(&path, roots))))
    })?;
    rows.collect()
}

/// The places that there are, with their keys.
fn places(connection: &Connection) -> rusqlite::Result<Vec<(String, String)>> {
    let mut statement =
        connection.prepare_cached("SELECT DISTINCT place FROM files WHERE place IS NOT NULL")?;
    let rows = statement.query_map([], |row| {
        let place: String = row.get(0)?;
        let key = letters::key(&place);
        Ok((place, key))
    })?;
    rows.collect()
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
