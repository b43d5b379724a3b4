//! Scans of folders as people have them, and as nobody should.

use std::fs;

use super::super::tests::{Fixture, jpeg};
use super::*;

#[test]
fn finds_pictures_in_all_folders_below_and_counts_the_rest() {
    let mut fixture = Fixture::new();
    let photo = jpeg(16, 16, 1);
    for name in [
        "a/x.JPG",
        "a/b c/ü\u{1f600}\n.png",
        "a/b c/d'\"e/y.webp",
        ".thumbnails/z.jpg",
        "@eaDir/t.jpg",
        "no-ending",
        "unknown.ending",
    ] {
        fixture.add(name, &photo);
    }
    fixture.add("empty.jpg", b"");
    fixture.add("notes.txt", b"hello");
    fixture.add("what.ever", b"hello");
    fixture.add("words.heic", b"hello");
    fixture.scan();
    // What was written just now and is no picture yet may become one.
    assert_eq!(fixture.skipped(), []);
    assert_eq!(fixture.scanner.unsettled.len(), 3);
    settle(&mut fixture);
    assert_eq!(
        fixture.names(),
        [
            "a/b c/d'\"e/y.webp",
            "a/b c/ü\u{1f600}\n.png",
            "a/x.JPG",
            "no-ending",
            "unknown.ending",
        ]
    );
    let skipped: Vec<String> = fixture
        .skipped()
        .into_iter()
        .map(|(file, _)| file)
        .collect();
    assert_eq!(skipped, ["empty.jpg", "words.heic"]);
    assert_eq!(fixture.library.counts().other_files, 1);
    assert_eq!(fixture.library.counts().photos, 5);
}

/// Lets the time pass after which a file is what it is.
fn settle(fixture: &mut Fixture) {
    let long_ago = Instant::now().checked_sub(SETTLES_AFTER).unwrap();
    for (_, since) in fixture.scanner.unsettled.values_mut() {
        *since = long_ago;
    }
    let (due, scope) = fixture.scanner.unsettled().expect("something unsettled");
    assert!(due <= Instant::now());
    fixture
        .scanner
        .scan(&fixture.library, &scope, &AtomicBool::new(false));
}

#[test]
fn a_second_scan_opens_nothing_that_has_not_changed() {
    let dir = tempfile::tempdir().unwrap();
    let fixture = Fixture::new();
    let path = fixture.add("a.jpg", &jpeg(16, 16, 1));
    fixture.add("odd.thing", b"no picture at all, and long ago");
    let old = std::time::SystemTime::now() - Duration::from_secs(3600);
    let roots = fixture.library.roots().to_owned();
    fs::File::open(&path).unwrap().set_modified(old).unwrap();
    let scan = |library: &Library| {
        let mut scanner = Scanner::new(&roots);
        scanner.scan(library, &Scope::Everything, &AtomicBool::new(false));
        while let Some((_, scope)) = scanner.unsettled() {
            std::thread::sleep(Duration::from_millis(50));
            scanner.scan(library, &scope, &AtomicBool::new(false));
        }
    };
    let library = Library::open(roots.clone(), Some(dir.path())).unwrap();
    scan(&library);
    assert_eq!(library.counts().photos, 1);
    drop(library);

    // The same size and time, and not a picture any more: who opened it would notice.
    let n_bytes = fs::metadata(&path).unwrap().len();
    fs::write(&path, vec![0; usize::try_from(n_bytes).unwrap()]).unwrap();
    fs::File::open(&path).unwrap().set_modified(old).unwrap();
    let library = Library::open(roots.clone(), Some(dir.path())).unwrap();
    assert_eq!(library.counts().photos, 1, "known before any scan");
    scan(&library);
    assert_eq!((library.counts().photos, library.counts().skipped), (1, 0));

    fs::File::open(&path)
        .unwrap()
        .set_modified(old + Duration::from_secs(1))
        .unwrap();
    scan(&library);
    assert_eq!((library.counts().photos, library.counts().skipped), (0, 1));
}

#[cfg(unix)]
#[test]
fn links_names_loops_pipes_and_locked_doors() {
    use std::os::unix::{ffi::OsStrExt, fs::PermissionsExt, fs::symlink};
    let mut fixture = Fixture::new();
    let folder = fixture.folder.path().to_owned();
    let photos = folder.join("photos");
    fs::create_dir_all(photos.join("sub")).unwrap();
    let cafe = photos.join(std::ffi::OsStr::from_bytes(b"caf\xe9.jpg"));
    fs::write(cafe, jpeg(16, 16, 1)).unwrap();
    symlink(&photos, photos.join("sub/loop")).unwrap();
    symlink("nowhere", photos.join("dangling.jpg")).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("e.jpg"), jpeg(16, 16, 2)).unwrap();
    symlink(elsewhere.path().join("e.jpg"), photos.join("linked.jpg")).unwrap();
    let status = std::process::Command::new("mkfifo")
        .arg(photos.join("pipe.jpg"))
        .status();
    assert!(status.is_ok_and(|status| status.success()));
    let locked = fixture.add("photos/locked.jpg", &jpeg(16, 16, 3));
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).unwrap();
    let may_read_all = fs::File::open(&locked).is_ok();

    fixture.scan();
    fixture.scan();
    let mut names = vec!["photos/caf\u{fffd}.jpg", "photos/linked.jpg"];
    let mut skipped = vec![("photos/pipe.jpg", "it is a pipe or a device, not a file")];
    if may_read_all {
        names.push("photos/locked.jpg");
    } else {
        skipped.insert(
            0,
            (
                "photos/locked.jpg",
                "the file can't be read: permission denied",
            ),
        );
    }
    assert_eq!(fixture.names(), names);
    let found = fixture.skipped();
    let found: Vec<_> = found
        .iter()
        .map(|(file, why)| (file.as_str(), why.as_str()))
        .collect();
    assert_eq!(found, skipped);
    assert!(!fixture.library.counts().scanning);
}

#[test]
fn a_folder_inside_another_is_seen_once() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("in")).unwrap();
    fs::write(dir.path().join("in/x.jpg"), jpeg(16, 16, 1)).unwrap();
    let roots = roots_of(&[dir.path().join("in"), dir.path().to_owned()]);
    assert_eq!(roots.len(), 1);
    let library = Library::in_memory(roots.clone());
    Scanner::new(&roots).scan(&library, &Scope::Everything, &AtomicBool::new(false));
    assert_eq!(super::super::tests::names(&library, &[]), ["in/x.jpg"]);
}

#[test]
fn files_and_folders_come_and_go() {
    let mut fixture = Fixture::new();
    let a = fixture.add("album/a.jpg", &jpeg(16, 16, 1));
    fixture.add("album/deep/b.jpg", &jpeg(16, 16, 2));
    fixture.add("c.jpg", &jpeg(16, 16, 3));
    fixture.scan();
    assert_eq!(
        fixture.names(),
        ["album/a.jpg", "album/deep/b.jpg", "c.jpg"]
    );
    fs::rename(&a, a.with_file_name("z.jpg")).unwrap();
    fixture.scan();
    assert_eq!(
        fixture.names(),
        ["album/deep/b.jpg", "album/z.jpg", "c.jpg"]
    );
    // A whole folder moves out, and is noticed where it was.
    let album = fixture.folder.path().join("album");
    let outside = tempfile::tempdir().unwrap();
    fs::rename(&album, outside.path().join("album")).unwrap();
    let scope = Scope::Folders {
        deep: vec![album.clone()],
        flat: vec![fixture.folder.path().to_owned()],
    };
    let look = |fixture: &mut Fixture| {
        let stop = AtomicBool::new(false);
        fixture.scanner.scan(&fixture.library, &scope, &stop);
    };
    look(&mut fixture);
    assert_eq!(fixture.names(), ["c.jpg"]);
    // And in again.
    fs::rename(outside.path().join("album"), &album).unwrap();
    look(&mut fixture);
    assert_eq!(
        fixture.names(),
        ["album/deep/b.jpg", "album/z.jpg", "c.jpg"]
    );
    assert_eq!(fixture.library.counts().photos, 3);
}

#[test]
fn a_look_at_one_folder_leaves_those_below_alone() {
    let mut fixture = Fixture::new();
    fixture.add("a.jpg", &jpeg(16, 16, 1));
    let deep = fixture.add("deep/b.jpg", &jpeg(16, 16, 2));
    fixture.scan();
    fs::remove_file(deep).unwrap();
    fixture.add("c.jpg", &jpeg(16, 16, 3));
    let scope = Scope::Folders {
        deep: Vec::new(),
        flat: vec![fixture.folder.path().to_owned()],
    };
    fixture
        .scanner
        .scan(&fixture.library, &scope, &AtomicBool::new(false));
    assert_eq!(fixture.names(), ["a.jpg", "c.jpg", "deep/b.jpg"]);
    fixture.scan();
    assert_eq!(fixture.names(), ["a.jpg", "c.jpg"]);
}

#[test]
fn folders_that_are_not_ours_are_not_looked_through() {
    let mut fixture = Fixture::new();
    fixture.add("a.jpg", &jpeg(16, 16, 1));
    let other = tempfile::tempdir().unwrap();
    fs::write(other.path().join("b.jpg"), jpeg(16, 16, 2)).unwrap();
    let scope = Scope::Folders {
        deep: vec![other.path().to_owned()],
        flat: Vec::new(),
    };
    fixture
        .scanner
        .scan(&fixture.library, &scope, &AtomicBool::new(false));
    assert_eq!(fixture.names(), [] as [&str; 0]);
}

#[test]
fn a_scan_that_is_stopped_goes_on_where_it_was() {
    let mut fixture = Fixture::new();
    for i in 0..40 {
        fixture.add(&format!("{i:02}.jpg"), &jpeg(16, 16, i));
    }
    fixture
        .scanner
        .scan(&fixture.library, &Scope::Everything, &AtomicBool::new(true));
    assert!(!fixture.library.was_scanned());
    fixture.scan();
    assert_eq!(fixture.library.counts().photos, 40);
    assert!(fixture.library.was_scanned());
}

#[test]
fn another_folder_now_and_the_first_one_later() {
    let data = tempfile::tempdir().unwrap();
    let (one, two) = (Fixture::new(), Fixture::new());
    one.add("a.jpg", &jpeg(16, 16, 1));
    two.add("b.jpg", &jpeg(16, 16, 2));
    for (fixture, name) in [(&one, "a.jpg"), (&two, "b.jpg"), (&one, "a.jpg")] {
        let roots = fixture.library.roots().to_owned();
        let library = Library::open(roots.clone(), Some(data.path())).unwrap();
        Scanner::new(&roots).scan(&library, &Scope::Everything, &AtomicBool::new(false));
        assert_eq!(super::super::tests::names(&library, &[]), [name]);
        assert_eq!(library.counts().photos, 1);
    }
}
