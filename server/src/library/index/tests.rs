//! What may befall an index: kills, damage, strangers, other versions, a full disk, a second process.

use super::*;
use crate::{
    library::{Facts, Version, filter::Filter},
    photo::Order,
};

fn record(name: &str) -> Change {
    Change::Seen(Box::new(Record {
        path: PathBuf::from("/photos").join(name),
        version: Version::default(),
        outcome: Outcome::Photo(Box::new(Facts {
            keywords: vec!["sea".into()],
            ..Facts::default()
        })),
    }))
}

fn add(index: &Index, names: &[String]) -> Tally {
    let changes: Vec<Change> = names.iter().map(|name| record(name)).collect();
    index.write(Blocking::here(), |connection| {
        apply(connection, &changes, Tally::default(), 1, false)
    })
}

fn filter_of(key: &str, value: &str) -> Filter {
    let mut filter = Filter::default();
    filter.set(key, value).unwrap();
    filter
}

fn n_photos(index: &Index) -> u64 {
    index.read(Blocking::here(), tally).photos
}

fn numbered(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("{i}.jpg")).collect()
}

#[test]
fn what_was_written_is_there_again() {
    let dir = tempfile::tempdir().unwrap();
    let index = Index::open(dir.path()).unwrap();
    assert_eq!(add(&index, &numbered(3)).photos, 3);
    drop(index);
    let index = Index::open(dir.path()).unwrap();
    assert_eq!(n_photos(&index), 3);
    let roots = [PathBuf::from("/photos")];
    let today = chrono::NaiveDate::from_ymd_opt(2024, 1, 1).unwrap();
    let wanted = Wanted {
        filter: &Filter::default(),
        today,
        roots: &roots,
        with_names: true,
    };
    let entries = index.entries(Blocking::here(), wanted, 3);
    assert_eq!(entries.len(), 3);
    assert_eq!(Order::Name, Order::Name);
}

#[test]
fn a_second_process_is_told_so() {
    let dir = tempfile::tempdir().unwrap();
    let index = Index::open(dir.path()).unwrap();
    let error = Index::open(dir.path()).unwrap_err();
    assert!(
        error.to_string().contains("another mantel is using"),
        "{error}"
    );
    // Reading beside it is no trouble.
    add(&index, &numbered(2));
    assert_eq!(n_photos(&Index::copied(dir.path()).unwrap()), 2);
    drop(index);
    Index::open(dir.path()).unwrap();
}

#[test]
fn what_is_no_index_of_ours_is_set_aside() {
    type Make = fn(&Path);
    let make: [(&str, Make); 4] = [
        ("rubbish", |path| {
            fs::write(path, b"rubbish".repeat(1000)).unwrap()
        }),
        ("a stranger's", |path| {
            Connection::open(path)
                .unwrap()
                .execute_batch("CREATE TABLE theirs (x)")
                .unwrap();
        }),
        ("a version of tomorrow", |path| {
            drop(schema::open(path).unwrap());
            let connection = Connection::open(path).unwrap();
            connection.pragma_update(None, "user_version", 999).unwrap();
        }),
        ("cut off", |path| {
            drop(schema::open(path).unwrap());
            let bytes = fs::read(path).unwrap();
            fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
        }),
    ];
    for (what, make) in make {
        let dir = tempfile::tempdir().unwrap();
        make(&dir.path().join(FILE));
        let index = Index::open(dir.path()).unwrap();
        assert_eq!(add(&index, &numbered(2)).photos, 2, "{what}");
        assert_eq!(n_photos(&index), 2, "{what}");
        assert!(dir.path().join("index.sqlite.unusable").exists(), "{what}");
    }
}

#[test]
fn an_index_that_is_damaged_while_it_is_used_is_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let index = Index::open(dir.path()).unwrap();
    add(&index, &numbered(3000));
    index.write(Blocking::here(), |connection| {
        connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
    });
    drop(index);
    let path = dir.path().join(FILE);
    let mut bytes = fs::read(&path).unwrap();
    // All pages but the first, which tells the tables.
    let n = bytes.len();
    bytes[4096 * 3..n].fill(0xa5);
    fs::write(&path, bytes).unwrap();

    let index = Index::open(dir.path()).unwrap();
    n_photos(&index);
    assert_eq!(add(&index, &numbered(5)).photos, 5);
    assert_eq!(n_photos(&index), 5);
    drop(index);
    assert_eq!(
        n_photos(&Index::open(dir.path()).unwrap()),
        5,
        "on disk, not in memory"
    );
}

#[test]
fn a_full_disk_loses_nothing_but_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let index = Index::open(dir.path()).unwrap();
    add(&index, &numbered(10));
    // SQLite's own way of a disk that is full.
    index.write(Blocking::here(), |connection| {
        let n: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
        connection.pragma_update_and_check(None, "max_page_count", n, |_| Ok(()))
    });
    let more: Vec<String> = (0..2000).map(|i| format!("more {i}.jpg")).collect();
    let changes: Vec<Change> = more.iter().map(|name| record(name)).collect();
    let before = index.read(Blocking::here(), tally);
    let after = index.write(Blocking::here(), |connection| {
        apply(connection, &changes, before, 1, false)
    });
    assert_eq!((before.photos, after.photos), (10, 2010));
    assert_eq!(n_photos(&index), 2010);
    drop(index);
    assert_eq!(n_photos(&Index::open(dir.path()).unwrap()), 10);
}

#[cfg(unix)]
#[test]
fn it_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let modes = || -> Vec<u32> {
        let files = fs::read_dir(&data).unwrap();
        let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        files.map(|file| mode(file.unwrap().path())).collect()
    };
    let index = Index::open(&data).unwrap();
    add(&index, &numbered(3));
    assert_eq!(
        modes(),
        vec![0o600; modes().len()],
        "with the files beside it"
    );
    assert!(modes().len() >= 3);
    let mode = fs::metadata(&data).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o700);
    drop(index);
    // As an older version left it.
    fs::set_permissions(data.join(FILE), fs::Permissions::from_mode(0o644)).unwrap();
    let index = Index::open(&data).unwrap();
    add(&index, &numbered(4));
    assert_eq!(modes(), vec![0o600; modes().len()]);
}

#[test]
fn an_index_of_the_version_before_is_carried_over() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(FILE);
    let index = Index::open(dir.path()).unwrap();
    add(&index, &numbered(3));
    index.write(Blocking::here(), |connection| {
        skip(
            connection,
            id_of(Path::new("/photos/1.jpg")),
            "too many open files",
        )?;
        set_likeness(connection, id_of(Path::new("/photos/0.jpg")), None)?;
        set_likeness(connection, id_of(Path::new("/photos/2.jpg")), Some(7))?;
        connection.execute_batch(
            "ALTER TABLE files DROP COLUMN length;
             ALTER TABLE files DROP COLUMN changed;
             DROP TABLE keywords;
             CREATE TABLE keywords (
                 word TEXT NOT NULL COLLATE NOCASE, file INTEGER NOT NULL, PRIMARY KEY (word, file)
             ) WITHOUT ROWID;
             CREATE INDEX keywords_by_file ON keywords (file);
             DROP INDEX files_unshown;
             CREATE INDEX files_skipped ON files (state) WHERE state = 1;
             INSERT INTO keywords SELECT 'ÄPFEL', id FROM files;
             PRAGMA user_version = 1",
        )
    });
    drop(index);
    // Read beside a program of that version, and where it can't be written.
    assert_eq!(n_photos(&Index::copied(dir.path()).unwrap()), 2);
    assert_eq!(n_photos(&Index::stranded(dir.path())), 2);

    let words = |index: &Index| index.read(Blocking::here(), |connection| keywords(connection, 9));
    let twice = [("ÄPFEL".to_owned(), 2)];
    assert_eq!(words(&Index::copied(dir.path()).unwrap()), twice);

    let index = Index::open(dir.path()).unwrap();
    assert_eq!(
        index.read(Blocking::here(), tally),
        Tally {
            photos: 2,
            skipped: 1,
            ..Tally::default()
        }
    );
    assert_eq!(words(&index), twice);
    let apples = filter_of("keyword", "a\u{308}pfel");
    let wanted = Wanted {
        filter: &apples,
        today: chrono::NaiveDate::MIN,
        roots: &[],
        with_names: false,
    };
    let found = index.entries(Blocking::here(), wanted, 2);
    assert_eq!(found.len(), 2);
    assert!(!path.with_extension("sqlite.unusable").exists());
    let known = index.read(Blocking::here(), |connection| {
        in_folder(connection, Path::new("/photos"))
    });
    let version = |name: &str| known[std::ffi::OsStr::new(name)].version;
    let now = Version {
        changed_nanos: 5,
        ..Version::default()
    };
    for name in ["0.jpg", "1.jpg", "2.jpg"] {
        assert!(!version(name).is_as(&now), "{name} is looked at again");
    }
    let unseen = index.read(Blocking::here(), |connection| {
        without_likeness(connection, 9)
    });
    assert_eq!(unseen, [id_of(Path::new("/photos/0.jpg"))]);
}

#[test]
fn a_folder_that_can_not_be_written_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, b"").unwrap();
    let error = Index::open(&file.join("data")).unwrap_err().to_string();
    assert!(error.contains("--data-dir"), "{error}");
}

#[test]
fn a_photo_with_parts_missing_is_a_photo_and_listed() {
    let dir = tempfile::tempdir().unwrap();
    let index = Index::open(dir.path()).unwrap();
    add(&index, &numbered(3));
    let id = id_of(Path::new("/photos/1.jpg"));
    let tell = |reason: &str| {
        index.write(Blocking::here(), |connection| {
            damaged(connection, id, reason)
        })
    };
    assert!(tell("cut") && !tell("cut") && tell("cut off"));
    let listed = || {
        index.read(Blocking::here(), |connection| {
            unshown(connection, State::Skipped, &["/photos".into()], 0, 9)
        })
    };
    let told: Vec<_> = listed()
        .into_iter()
        .map(|row| (row.file, row.reason, row.shown))
        .collect();
    assert_eq!(told, [("1.jpg".into(), "cut off".into(), true)]);
    assert_eq!(n_photos(&index), 3);
    // One that is not shown stays so; and what is seen anew is whole until it is found not to be.
    index.write(Blocking::here(), |connection| {
        skip(connection, id, "gone bad")
    });
    assert!(!tell("cut"));
    assert!(!listed()[0].shown);
    add(&index, &numbered(3));
    assert_eq!(listed(), []);
}
