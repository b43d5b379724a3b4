//! The photos that take turns, as playlists need them: the rows that a start waits for.

use std::{path::PathBuf, sync::Arc};

use rusqlite::{Connection, Row};

use super::{
    super::{facts::DateSource, filter::Filter, letters},
    Index,
    rows::{all_shown, bytes, display_name, folders_of_album, os_string},
};
use crate::{
    blocking::Blocking,
    photo::{Entry, PhotoId, Shape, hash_of},
    size::Size,
};

/// The photos that somebody wants to put in order.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Wanted<'a> {
    pub(in super::super) filter: &'a Filter,
    pub(in super::super) today: chrono::NaiveDate,
    /// Where names begin.
    pub(in super::super) roots: &'a [PathBuf],
    pub(in super::super) with_names: bool,
}

/// The number of rows from which on two threads read them.
const MANY: u64 = 10_000;

/// Rows by their number, a hash that is spread over all numbers of 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rows {
    All,
    /// The half below 2^63.
    Lower,
    /// The half above, which SQLite, whose numbers have a sign, has below 0.
    Upper,
}

impl Index {
    /// The photos that are wanted, of about `n_rows` in all, in no order that means anything.
    pub(in super::super) fn entries(
        &self,
        blocking: Blocking,
        wanted: Wanted<'_>,
        n_rows: u64,
    ) -> Vec<Entry> {
        let read = |rows| self.read(blocking, |connection| wanted.read(connection, rows));
        // What an index finds is few, or is found by one search.
        if n_rows < MANY || !wanted.filter.is_all() {
            return read(Rows::All);
        }
        std::thread::scope(|threads| {
            let thread = std::thread::Builder::new();
            let upper = thread.spawn_scoped(threads, || read(Rows::Upper));
            let mut all = read(Rows::Lower);
            let upper = upper.ok().and_then(|upper| upper.join().ok());
            all.append(&mut upper.unwrap_or_else(|| read(Rows::Upper)));
            all
        })
    }
}

impl Wanted<'_> {
    fn read(&self, connection: &Connection, rows: Rows) -> rusqlite::Result<Vec<Entry>> {
        let no_albums = folders_of_roots(connection, self.roots)?;
        let album = |album: &str| folders_of_album(connection, album, self.roots);
        let all_shown = all_shown(connection)?;
        let mut query = (self.filter).query(self.today, all_shown, self.with_names, &album)?;
        query.sql.push_str(match rows {
            Rows::All => "",
            Rows::Lower => " AND files.id >= 0",
            Rows::Upper => " AND files.id < 0",
        });
        // One for all.
        let nameless: Arc<str> = "".into();
        let mut statement = connection.prepare_cached(&query.sql)?;
        let found = statement.query_map(rusqlite::params_from_iter(&query.values), |row| {
            let name = if self.with_names {
                let path = PathBuf::from(os_string(row.get(10)?)).join(os_string(row.get(11)?));
                letters::key(&display_name(&path, self.roots)).into()
            } else {
                nameless.clone()
            };
            entry(row, name, &no_albums, self.with_names)
        })?;
        found.collect()
    }
}

/// The column in which a [query](Filter::query) has a clip's length.
const LENGTH: usize = 9;

fn entry(
    row: &Row<'_>,
    name: Arc<str>,
    no_albums: &[i64],
    with_names: bool,
) -> rusqlite::Result<Entry> {
    // Files that were copied together are of one day by their times of change: no day to pair by. Orders by
    // date, which come with names, make do with it.
    let tells_a_day =
        with_names || row.get::<_, Option<u8>>(8)? != Some(DateSource::Modified as u8);
    // 0 stands for a picture with nothing on it, or one that was tried in vain.
    let likeness = row
        .get::<_, Option<i64>>(6)?
        .filter(|likeness| *likeness != 0)
        .map(i64::cast_unsigned);
    Ok(Entry {
        id: PhotoId(row.get::<_, i64>(0)?.cast_unsigned()),
        taken: if tells_a_day {
            row.get::<_, Option<i64>>(1)?.unwrap_or(0)
        } else {
            0
        },
        name,
        shape: Shape::of(size(row.get(2)?, row.get(3)?)),
        album: Some(row.get::<_, i64>(4)?)
            .filter(|folder| !no_albums.contains(folder))
            .map_or(0, |folder| hash_of(&folder.to_string())),
        camera: row.get_ref(5)?.as_str_or_null()?.map_or(0, hash_of),
        likeness,
        added: row.get(7)?,
        // That is nothing that the row knows.
        favourite: false,
        plays_millis: row.get::<_, Option<u32>>(LENGTH)?.unwrap_or(0),
    })
}

/// Width and height, where both are known.
fn size(width: Option<u32>, height: Option<u32>) -> Option<Size> {
    Some(Size::new(width?, height?))
}

/// The folders, by their number, that were given themselves: what lies directly in them is in no album.
fn folders_of_roots(connection: &Connection, roots: &[PathBuf]) -> rusqlite::Result<Vec<i64>> {
    let mut statement = connection.prepare_cached("SELECT id FROM folders WHERE path = ?")?;
    let mut found = Vec::new();
    for root in roots {
        let rows = statement.query_map([bytes(root.as_os_str())], |row| row.get::<_, i64>(0))?;
        found.extend(rows.flatten());
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{
        super::{Change, Outcome, Record, apply},
        *,
    };
    use crate::library::Version;

    #[test]
    fn two_halves_are_all() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Path::new("/photos");
        let record = |n: u32| {
            let outcome = if n.is_multiple_of(5) {
                Outcome::Skipped("no picture".into())
            } else {
                Outcome::Photo(Box::default())
            };
            Change::Seen(Box::new(Record {
                path: folder.join(format!("{n}.jpg")),
                version: Version::default(),
                outcome,
            }))
        };
        let changes: Vec<Change> = (0..200).map(record).collect();
        for index in [Index::in_memory(), Index::open(dir.path()).unwrap()] {
            index.write(Blocking::here(), |connection| {
                apply(connection, &changes, Default::default(), 7, false)
            });
            let (filter, roots) = (Filter::default(), [folder.to_owned()]);
            for with_names in [false, true] {
                let wanted = Wanted {
                    filter: &filter,
                    today: chrono::NaiveDate::MIN,
                    roots: &roots,
                    with_names,
                };
                let sorted = |n_rows| {
                    let mut found = index.entries(Blocking::here(), wanted, n_rows);
                    found.sort_by_key(|entry| entry.id);
                    found
                };
                let (all, halves) = (sorted(0), sorted(MANY));
                assert_eq!(all.len(), 160);
                assert_eq!(all, halves);
            }
        }
    }
}
