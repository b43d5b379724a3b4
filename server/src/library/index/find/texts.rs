//! The texts that are written of each photo, in memory and in the order in which photos are found.
//!
//! Words are looked for anywhere in other words, in any script, two letters of Chinese as well: an index of words or of three
//! letters can't tell where those are, and the table keeps them apart. So every text is looked through, some fifty bytes
//! a photo, side by side. Read when somebody searches for the first time; then only what has changed is read again.

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
};

use memchr::memmem::Finder;
use rusqlite::{Connection, OptionalExtension, Row, Statement};

use super::{
    super::{
        super::letters,
        rows::{display_name, os_string},
    },
    Words,
    places::{NOWHERE, Places},
    year,
};
use crate::photo::PhotoId;

/// The texts of all photos that are shown, as far as they have been read.
#[derive(Debug, Default)]
pub(in super::super) struct Texts {
    /// The latest first; none before the first search.
    photos: Option<Vec<Text>>,
    /// All texts, one after the other, also those that nobody has any more.
    bytes: Vec<u8>,
    n_dead_bytes: usize,
    places: Places,
    /// The keys of the names of folders that are shown.
    folders: HashMap<i64, String>,
    /// The files that have changed since they were read.
    changed: HashSet<i64>,
}

/// A photo's text: its caption, its file's name and its keywords as keys, a line each.
#[derive(Clone, Copy, Debug)]
struct Text {
    id: i64,
    folder: i64,
    /// `i64::MIN` where nobody knows.
    taken: i64,
    /// Where it begins in all texts.
    start: u32,
    n_bytes: u32,
    place: u32,
    /// Whether `taken` is told by the photo or its name.
    is_dated: bool,
}

/// More changes than this are read together with everything else.
const MAX_CHANGES: usize = 4096;
/// A file's texts are cut here: nobody looks for what stands behind.
const MAX_TEXT_BYTES: usize = 16 << 10;

const COLUMNS: &str = "files.id, folder, name, taken, taken_from, place, caption FROM files
    NOT INDEXED JOIN folders ON folders.id = files.folder WHERE state = 0 AND gone = 0 AND active = 1";

impl Texts {
    /// Takes note of files that are other ones than before.
    pub(in super::super) fn changed(&mut self, ids: impl IntoIterator<Item = PhotoId>) {
        if self.photos.is_none() {
            return;
        }
        self.changed
            .extend(ids.into_iter().map(|id| id.0.cast_signed()));
        if self.changed.len() > MAX_CHANGES {
            *self = Self::default();
        }
    }

    /// Reads what is not known yet.
    pub(in super::super) fn refresh(
        &mut self,
        connection: &Connection,
        roots: &[PathBuf],
    ) -> rusqlite::Result<()> {
        if self.n_dead_bytes > self.bytes.len() / 2 {
            *self = Self::default();
        }
        let Some(photos) = self.photos.take() else {
            *self = Self::default();
            self.folders = folders(connection, roots)?;
            self.photos = Some(self.all(connection)?);
            self.places.look_up();
            return Ok(());
        };
        if self.changed.is_empty() {
            self.photos = Some(photos);
            return Ok(());
        }
        // Where reading fails there are no texts, and all are read the next time.
        self.folders = folders(connection, roots)?;
        self.photos = Some(self.with_changes(connection, photos)?);
        self.places.look_up();
        Ok(())
    }

    fn all(&mut self, connection: &Connection) -> rusqlite::Result<Vec<Text>> {
        let mut statement =
            connection.prepare_cached(&format!("SELECT {COLUMNS} ORDER BY files.id"))?;
        let mut keywords = connection.prepare_cached(
            "SELECT file, key FROM keywords INDEXED BY keywords_by_file ORDER BY file",
        )?;
        let mut keywords = keywords.query([])?;
        let mut keyword = keywords.next()?.map(of_keyword).transpose()?;
        let mut rows = statement.query([])?;
        let mut photos = Vec::new();
        while let Some(row) = rows.next()? {
            let mut text = self.read(row)?;
            while let Some((file, key)) = keyword.take_if(|(file, _)| *file <= text.id) {
                if file == text.id {
                    self.push(&mut text, &key);
                }
                keyword = keywords.next()?.map(of_keyword).transpose()?;
            }
            photos.push(text);
        }
        photos.sort_unstable_by_key(Text::order);
        Ok(photos)
    }

    fn with_changes(
        &mut self,
        connection: &Connection,
        mut photos: Vec<Text>,
    ) -> rusqlite::Result<Vec<Text>> {
        let changed = std::mem::take(&mut self.changed);
        let mut n_dead = 0;
        photos.retain(|text| {
            let stays = !changed.contains(&text.id);
            n_dead += if stays { 0 } else { text.n_bytes as usize };
            stays
        });
        self.n_dead_bytes += n_dead;
        let mut statement =
            connection.prepare_cached(&format!("SELECT {COLUMNS} AND files.id = ?1"))?;
        let mut keywords =
            connection.prepare_cached("SELECT file, key FROM keywords WHERE file = ?1")?;
        for id in changed {
            if let Some(text) = self.one(&mut statement, &mut keywords, id)? {
                photos.push(text);
            }
        }
        photos.sort_by_key(Text::order);
        Ok(photos)
    }

    fn one(
        &mut self,
        statement: &mut Statement<'_>,
        keywords: &mut Statement<'_>,
        id: i64,
    ) -> rusqlite::Result<Option<Text>> {
        let text = statement.query_row([id], |row| self.read(row)).optional()?;
        let Some(mut text) = text else {
            return Ok(None);
        };
        let mut rows = keywords.query([id])?;
        while let Some(row) = rows.next()? {
            self.push(&mut text, &of_keyword(row)?.1);
        }
        Ok(Some(text))
    }

    fn read(&mut self, row: &Row<'_>) -> rusqlite::Result<Text> {
        let place = match row.get_ref(5)?.as_str_or_null()? {
            Some(place) => self.places.number(place),
            None => NOWHERE,
        };
        let taken: Option<i64> = row.get(3)?;
        let mut text = Text {
            id: row.get(0)?,
            folder: row.get(1)?,
            taken: taken.unwrap_or(i64::MIN),
            start: u32::try_from(self.bytes.len()).unwrap_or(u32::MAX),
            n_bytes: 0,
            place,
            is_dated: taken.is_some() && row.get::<_, Option<u8>>(4)?.is_some_and(|from| from < 2),
        };
        let name = os_string(row.get(2)?);
        self.push(&mut text, &letters::key(&name.to_string_lossy()));
        if let Some(caption) = row.get_ref(6)?.as_str_or_null()? {
            self.push(&mut text, &letters::key(caption));
        }
        Ok(text)
    }

    /// Puts another line behind a text, the last one there is.
    fn push(&mut self, text: &mut Text, line: &str) {
        let n_bytes = text.n_bytes as usize + line.len() + 1;
        if n_bytes > MAX_TEXT_BYTES || text.start as usize + n_bytes > u32::MAX as usize {
            return;
        }
        self.bytes.extend_from_slice(line.as_bytes());
        self.bytes.push(b'\n');
        text.n_bytes = u32::try_from(n_bytes).unwrap_or(0);
    }

    /// The photos with all these words, the latest first, of those that are `allowed`: at most `n`, after the first `offset`.
    pub(in super::super) fn found(
        &self,
        words: &Words,
        allowed: Option<&HashSet<i64>>,
        (offset, n): (u32, u32),
    ) -> Vec<PhotoId> {
        let wanted: Vec<Wanted<'_>> = words.0.iter().map(|word| self.wanted(word)).collect();
        let photos = self.photos.iter().flatten().filter(|text| {
            allowed.is_none_or(|allowed| allowed.contains(&text.id))
                && wanted.iter().all(|word| word.is_of(text, &self.bytes))
        });
        photos
            .skip(offset as usize)
            .take(n as usize)
            .map(|text| PhotoId(text.id.cast_unsigned()))
            .collect()
    }

    fn wanted<'a>(&self, word: &'a str) -> Wanted<'a> {
        let folders = self.folders.iter().filter(|(_, name)| name.contains(word));
        Wanted {
            text: Finder::new(word),
            folders: folders.map(|(id, _)| *id).collect(),
            places: self.places.with(word),
            year: year(word),
        }
    }
}

impl Text {
    /// The latest first, those without a date last.
    fn order(&self) -> (std::cmp::Reverse<i64>, i64) {
        (std::cmp::Reverse(self.taken), self.id)
    }
}

/// A word, and where it has been found already.
struct Wanted<'a> {
    text: Finder<'a>,
    folders: HashSet<i64>,
    /// Whether it is in each of the places.
    places: Vec<bool>,
    year: Option<(i64, i64)>,
}

impl Wanted<'_> {
    fn is_of(&self, text: &Text, bytes: &[u8]) -> bool {
        let of_year = |(from, until)| text.is_dated && (from..until).contains(&text.taken);
        let start = text.start as usize;
        let here = bytes.get(start..start + text.n_bytes as usize);
        self.folders.contains(&text.folder)
            || self.places.get(text.place as usize).is_some_and(|is| *is)
            || self.year.is_some_and(of_year)
            || here.is_some_and(|here| self.text.find(here).is_some())
    }
}

fn of_keyword(row: &Row<'_>) -> rusqlite::Result<(i64, String)> {
    Ok((row.get(0)?, row.get(1)?))
}

/// The folders that are shown, by the keys of their names.
fn folders(connection: &Connection, roots: &[PathBuf]) -> rusqlite::Result<HashMap<i64, String>> {
    let mut statement =
        connection.prepare_cached("SELECT id, path FROM folders WHERE active = 1")?;
    let rows = statement.query_map([], |row| {
        let path = PathBuf::from(os_string(row.get(1)?));
        Ok((row.get(0)?, letters::key(&display_name(&path, roots))))
    })?;
    rows.collect()
}
