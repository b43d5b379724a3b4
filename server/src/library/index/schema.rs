//! How the index lies on disk, and whether what lies there can be used.

use std::{fmt, path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags, functions::FunctionFlags, params};

use super::{super::letters, READ_ONLY, marks};

/// Changes with every change of the tables. An index of a version before is carried over, one of
/// any other version is made anew.
const VERSION: i64 = 8;
/// The version without times of change.
const WITHOUT_CHANGED: i64 = 1;
/// The version of what an earlier reader of metadata found.
const LESS_READ: i64 = 2;
/// The version in which keywords were compared as they are written.
const WITHOUT_KEYS: i64 = 3;
/// The version that knew nothing of what is left out.
const WITHOUT_LEFT_OUT: i64 = 4;
/// The version whose decoders knew fewer kinds of pictures.
const LESS_SHOWN: i64 = 5;
/// The version that didn't know how long clips are.
const WITHOUT_LENGTHS: i64 = 6;
/// The version whose decoders didn't know Photoshop's files.
const WITHOUT_PHOTOSHOP: i64 = 7;
/// `MNTL`, so that somebody else's database is not taken for ours.
const APPLICATION: i64 = 0x4d4e_544c;

/// Times are Unix seconds but `modified`, `sidecar` and `changed` (0 where it isn't known), which are
/// nanoseconds, and `length`, which is milliseconds of a clip. `taken` is seconds of
/// the camera's local clock, `month_day` the same day as month × 100 + day. `state`: 0 a photo, 1 a
/// picture that can't be shown, 2 no picture, 3 left out, 4 a photo that somebody has hidden. `gone` is when a file was missed, 0 while it is there.
const TABLES: &str = "
    CREATE TABLE folders (
        id INTEGER PRIMARY KEY,
        path BLOB NOT NULL UNIQUE,
        active INTEGER NOT NULL DEFAULT 1
    );
    CREATE TABLE roots (path BLOB PRIMARY KEY, device INTEGER NOT NULL);
    CREATE TABLE files (
        id INTEGER PRIMARY KEY,
        folder INTEGER NOT NULL,
        name BLOB NOT NULL,
        n_bytes INTEGER NOT NULL,
        modified INTEGER NOT NULL,
        sidecar INTEGER NOT NULL,
        state INTEGER NOT NULL,
        gone INTEGER NOT NULL DEFAULT 0,
        added INTEGER NOT NULL,
        reason TEXT,
        kind TEXT,
        width INTEGER,
        height INTEGER,
        orientation INTEGER,
        taken INTEGER,
        taken_from INTEGER,
        month_day INTEGER,
        camera TEXT,
        latitude REAL,
        longitude REAL,
        place TEXT,
        rating INTEGER,
        caption TEXT,
        likeness INTEGER,
        changed INTEGER NOT NULL DEFAULT 0,
        length INTEGER
    );
    CREATE TABLE keywords (
        key TEXT NOT NULL,
        word TEXT NOT NULL,
        file INTEGER NOT NULL,
        PRIMARY KEY (key, file)
    ) WITHOUT ROWID;
    CREATE INDEX files_by_folder ON files (folder);
    CREATE INDEX photos_by_date ON files (taken) WHERE state = 0 AND gone = 0;
    CREATE INDEX photos_by_day ON files (month_day) WHERE state = 0 AND gone = 0;
    CREATE INDEX photos_by_rating ON files (rating) WHERE rating IS NOT NULL;
    CREATE INDEX photos_unseen ON files (id) WHERE likeness IS NULL AND state = 0 AND gone = 0;
    CREATE INDEX files_unshown ON files (state, gone) WHERE state > 0;
    CREATE INDEX keywords_by_file ON keywords (file);
";

/// The ways to the photos that are shown with parts missing, and to the names of places; an index of before gets them when it
/// is opened.
const LATER_WAYS: &str = "CREATE INDEX IF NOT EXISTS photos_damaged ON files (state)
    WHERE state = 0 AND reason IS NOT NULL;
    CREATE INDEX IF NOT EXISTS files_by_place ON files (place) WHERE place IS NOT NULL;";

/// Makes an index of version 1 one of version 2. What was skipped then may have been skipped for a
/// bad moment's sake, and what has no looks may have been unreadable for one: both are looked at again.
const ADD_CHANGED: &str = "
    BEGIN;
    ALTER TABLE files ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
    UPDATE files SET n_bytes = -1 WHERE state = 1;
    UPDATE files SET likeness = NULL WHERE likeness = 0;
    PRAGMA user_version = 2;
    COMMIT;
";

/// Makes an index of version 2 one of version 3, in which every file is looked at again: its dates and words may be found
/// now. What is known stays until then, and what photos look like stays.
const READ_AGAIN: &str = "
    BEGIN;
    UPDATE files SET sidecar = -1;
    PRAGMA user_version = 3;
    COMMIT;
";

/// Makes an index of version 3 one of version 4, which finds keywords by their keys.
const ADD_KEYS: &str = "
    BEGIN;
    ALTER TABLE keywords RENAME TO keywords_without_keys;
    CREATE TABLE keywords (
        key TEXT NOT NULL,
        word TEXT NOT NULL,
        file INTEGER NOT NULL,
        PRIMARY KEY (key, file)
    ) WITHOUT ROWID;
    INSERT OR IGNORE INTO keywords SELECT key_of(word), word, file FROM keywords_without_keys;
    DROP TABLE keywords_without_keys;
    CREATE INDEX keywords_by_file ON keywords (file);
    PRAGMA user_version = 4;
    COMMIT;
";

/// Makes an index of version 4 one of version 5. What was no picture is looked at again: some have a name now.
const ADD_LEFT_OUT: &str = "
    BEGIN;
    DROP INDEX files_skipped;
    CREATE INDEX files_unshown ON files (state, gone) WHERE state > 0;
    UPDATE files SET sidecar = -1 WHERE state = 2;
    PRAGMA user_version = 5;
    COMMIT;
";

/// Makes an index of version 5 one of version 6. What could not be shown is looked at again: more can be.
const SHOW_MORE: &str = "
    BEGIN;
    UPDATE files SET sidecar = -1 WHERE state = 1;
    PRAGMA user_version = 6;
    COMMIT;
";

/// Makes an index of version 6 one of version 7, which knows how long clips are. Those that are known are looked at again
/// by their stamp.
const ADD_LENGTHS: &str = "
    BEGIN;
    ALTER TABLE files ADD COLUMN length INTEGER;
    PRAGMA user_version = 7;
    COMMIT;
";

/// Makes an index of version 7 one of version 8. What could not be shown is looked at again: more can be.
const SHOW_PHOTOSHOP: &str = "
    BEGIN;
    UPDATE files SET sidecar = -1 WHERE state = 1;
    PRAGMA user_version = 8;
    COMMIT;
";

/// Each step from a version before to the next.
const STEPS: [(i64, &str); 7] = [
    (WITHOUT_CHANGED, ADD_CHANGED),
    (LESS_READ, READ_AGAIN),
    (WITHOUT_KEYS, ADD_KEYS),
    (WITHOUT_LEFT_OUT, ADD_LEFT_OUT),
    (LESS_SHOWN, SHOW_MORE),
    (WITHOUT_LENGTHS, ADD_LENGTHS),
    (WITHOUT_PHOTOSHOP, SHOW_PHOTOSHOP),
];

/// Why an index on disk can't be used, for the log.
#[derive(Debug)]
pub(super) enum Unusable {
    Sqlite(rusqlite::Error),
    Version(i64),
    Stranger,
}

impl From<rusqlite::Error> for Unusable {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(error) => error.fmt(f),
            Self::Version(version) => write!(f, "it is of version {version}, not {VERSION}"),
            Self::Stranger => f.write_str("it is another program's database"),
        }
    }
}

impl std::error::Error for Unusable {}

/// The index at `path`, made when there is none.
pub(super) fn open(path: &Path) -> Result<Connection, Unusable> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    // A power cut may lose the last batch, which is found again, and nothing else.
    connection.pragma_update(None, "synchronous", "normal")?;
    settings(&connection)?;
    let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let n_tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))?;
    if n_tables == 0 {
        create(&connection)?;
        return Ok(connection);
    }
    match (number("application_id")?, number("user_version")?) {
        (APPLICATION, version @ WITHOUT_CHANGED..=VERSION) => {
            for (_, step) in STEPS.iter().filter(|(of, _)| *of >= version) {
                connection.execute_batch(step)?;
            }
        }
        (APPLICATION, version) => return Err(Unusable::Version(version)),
        _ => return Err(Unusable::Stranger),
    }
    connection.execute_batch(LATER_WAYS)?;
    connection.execute_batch(marks::TABLE)?;
    // Touches the page of every table and index.
    connection.query_row(
        "SELECT count(*) FROM (SELECT id FROM files LIMIT 1)",
        [],
        |_| Ok(()),
    )?;
    Ok(connection)
}

/// An index that somebody else may be writing.
pub(super) fn open_to_read(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, READ_ONLY)?;
    settings(&connection)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()))?;
    Ok(connection)
}

/// An empty index in memory.
pub(super) fn in_memory() -> rusqlite::Result<Connection> {
    let connection = Connection::open_in_memory()?;
    settings(&connection)?;
    create(&connection)?;
    Ok(connection)
}

/// Whether its pages fit together; reads them all.
pub(super) fn is_sound(connection: &Connection) -> bool {
    connection
        .pragma_query_value(None, "quick_check", |row| row.get::<_, String>(0))
        .is_ok_and(|answer| answer == "ok")
}

/// All rows of the index at `path` into an empty one in memory.
pub(super) fn copy(path: &Path, memory: &Connection) -> rusqlite::Result<()> {
    let uri = path.to_string_lossy();
    memory.execute("ATTACH ?1 AS disk", params![uri])?;
    let version: i64 = memory.pragma_query_value(Some("disk"), "user_version", |row| row.get(0))?;
    // The last columns, as far as it has none.
    let missing = match version {
        WITHOUT_CHANGED => ", 0, NULL",
        ..=WITHOUT_LENGTHS => ", NULL",
        _ => "",
    };
    memory.execute_batch(&format!(
        "INSERT INTO folders SELECT * FROM disk.folders;
         INSERT INTO roots SELECT * FROM disk.roots;
         INSERT INTO files SELECT *{missing} FROM disk.files;
         INSERT OR IGNORE INTO keywords SELECT key_of(word), word, file FROM disk.keywords;"
    ))?;
    // One of before has no marks.
    let has_marks: bool = memory.query_row(
        "SELECT EXISTS (SELECT 1 FROM disk.sqlite_master WHERE name = 'marks')",
        [],
        |row| row.get(0),
    )?;
    if has_marks {
        memory.execute_batch("INSERT INTO marks SELECT * FROM disk.marks")?;
    }
    memory.execute_batch("DETACH disk")
}

fn create(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(&format!(
        "BEGIN; {TABLES} {LATER_WAYS} {marks}
         PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION}; COMMIT;",
        marks = marks::TABLE,
    ))
}

fn settings(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::from_secs(5))?;
    // 8 MB of pages for each connection: memory is for pictures.
    connection.pragma_update(None, "cache_size", -8192)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    connection.set_prepared_statement_cache_capacity(32);
    // Hostile text is stored, never run; what isn't needed is off all the same.
    connection.pragma_update(None, "trusted_schema", false)?;
    // For what is carried over from an index without keys.
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("key_of", 1, flags, |context| {
        Ok(letters::key(&context.get::<String>(0)?))
    })
}
