//! Scans of folders as people have them, and as nobody should.

use std::fs;

use super::{
    super::{
        ClipTrouble, Clips,
        examine::{Examiner, Finding},
        index::{self, Outcome},
        sidecars::Beside,
        tests::{Fixture, jpeg},
    },
    *,
};
use crate::files;

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
    assert_eq!(fixture.library.counts().other_files, 2);
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
    let roots = fixture.library.roots().to_owned();
    // How many files were opened.
    let scan = |library: &Library| {
        let mut scanner = Scanner::new(&roots);
        scanner.scan(library, &Scope::Everything, &AtomicBool::new(false));
        while let Some((_, scope)) = scanner.unsettled() {
            std::thread::sleep(Duration::from_millis(50));
            scanner.scan(library, &scope, &AtomicBool::new(false));
        }
        scanner.n_examined
    };
    let library = Library::open(roots.clone(), Some(dir.path())).unwrap();
    assert_eq!(scan(&library), 2);
    assert_eq!(library.counts().photos, 1);
    drop(library);

    let library = Library::open(roots.clone(), Some(dir.path())).unwrap();
    assert_eq!(library.counts().photos, 1, "known before any scan");
    assert_eq!(scan(&library), 0);

    // The same size and time as before, and not a picture any more: the time that nobody can set tells.
    let old = fs::metadata(&path).unwrap().modified().unwrap();
    let n_bytes = fs::metadata(&path).unwrap().len();
    fs::write(&path, vec![0; usize::try_from(n_bytes).unwrap()]).unwrap();
    let file = crate::files::open(&path).unwrap();
    file.set_modified(old).unwrap();
    assert_eq!(scan(&library), 1);
    assert_eq!((library.counts().photos, library.counts().skipped), (0, 1));
}

#[cfg(unix)]
#[test]
fn ten_folders_linked_to_one_another_hold_each_photo_once() {
    use std::os::unix::fs::symlink;
    let mut fixture = Fixture::new();
    for n in 0..10 {
        fixture.add(&format!("{n}/{n}.jpg"), &jpeg(16, 16, n));
    }
    fixture.add(".hidden/h.jpg", &jpeg(16, 16, 99));
    let folder = fixture.folder.path().to_owned();
    for from in 0..10 {
        for to in 0..10 {
            let link = folder.join(format!("{from}/to-{to}"));
            symlink(folder.join(to.to_string()), link).unwrap();
        }
    }
    symlink(folder.join(".hidden"), folder.join("a-seen")).unwrap();
    symlink("itself.jpg", folder.join("itself.jpg")).unwrap();
    let expected: Vec<String> = (0..10)
        .map(|n| format!("{n}/{n}.jpg"))
        .chain(["a-seen/h.jpg".to_owned()])
        .collect();
    for _ in 0..2 {
        fixture.scan();
        assert_eq!(fixture.names(), expected);
        assert_eq!(
            fixture.skipped(),
            [(
                "itself.jpg".to_owned(),
                "it is a link that leads to itself".to_owned()
            )]
        );
    }
    // Looking at a part alone changes nothing, and a new link is judged by a look at everything.
    let part = Scope::Folders {
        deep: vec![fixture.library.roots()[0].join("3")],
        flat: Vec::new(),
    };
    let stop = AtomicBool::new(false);
    fixture.scanner.scan(&fixture.library, &part, &stop);
    assert_eq!(fixture.names(), expected);
    assert_eq!(fixture.scanner.again(&fixture.library), None);
    symlink(folder.join("4"), folder.join("3/new")).unwrap();
    fixture.scanner.scan(&fixture.library, &part, &stop);
    let again = fixture.scanner.again(&fixture.library);
    assert!(matches!(again, Some((_, Scope::Everything))), "{again:?}");
    fixture.scan();
    assert_eq!(fixture.scanner.again(&fixture.library), None);
    assert_eq!(fixture.names(), expected);
}

#[cfg(unix)]
#[test]
fn links_lead_out_only_when_asked_and_never_into_proc() {
    use std::os::unix::fs::symlink;
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("e.jpg"), jpeg(16, 16, 2)).unwrap();
    for follow in [false, true] {
        let mut fixture = Fixture::new();
        let roots = fixture.library.roots().to_owned();
        fixture.scanner = Scanner::new(&roots).reaching(Reach {
            follow_links: follow,
            ..Reach::default()
        });
        fixture.add("a.jpg", &jpeg(16, 16, 1));
        fixture.add("album/b.jpg", &jpeg(16, 16, 2));
        let folder = fixture.folder.path();
        symlink(elsewhere.path(), folder.join("out")).unwrap();
        symlink(elsewhere.path().join("e.jpg"), folder.join("out.jpg")).unwrap();
        // An album of links to photos that are shown anyway.
        symlink("../a.jpg", folder.join("album/best.jpg")).unwrap();
        symlink("/proc", folder.join("proc")).unwrap();
        fixture.scan();
        let mut names = vec!["a.jpg", "album/b.jpg", "album/best.jpg"];
        if follow {
            names.extend(["out.jpg", "out/e.jpg"]);
        }
        assert_eq!(fixture.names(), names, "{follow}");
        let skipped: Vec<String> = fixture
            .skipped()
            .into_iter()
            .map(|(file, _)| file)
            .collect();
        let refused: &[&str] = if follow {
            &["proc"]
        } else {
            &["out", "out.jpg", "proc"]
        };
        assert_eq!(skipped, refused, "{follow}");
        assert_eq!(fixture.library.counts().skipped, refused.len() as u64);
    }
}

#[cfg(unix)]
#[test]
fn a_root_that_is_a_link_is_followed_also_when_it_comes_later() {
    let dir = tempfile::tempdir().unwrap();
    let (link, real) = (dir.path().join("link"), dir.path().join("real"));
    let roots = roots_of(std::slice::from_ref(&link));
    fs::create_dir(&real).unwrap();
    fs::write(real.join("a.jpg"), jpeg(16, 16, 1)).unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    for roots in [roots, roots_of(&[link])] {
        let library = Library::in_memory(roots.clone());
        Scanner::new(&roots).scan(&library, &Scope::Everything, &AtomicBool::new(false));
        assert_eq!(super::super::tests::names(&library, &[]), ["a.jpg"]);
    }
}

#[cfg(unix)]
/// An XMP file beside a photo.
fn xmp(sidecar: Option<&Path>) -> Beside {
    Beside {
        xmp: sidecar.map(Path::to_owned),
        json: None,
    }
}

#[test]
fn a_file_that_became_a_pipe_stops_no_scan() {
    let mut fixture = Fixture::new();
    let path = fixture.add("a.jpg", &jpeg(16, 16, 1));
    fixture.add("b.jpg", &jpeg(16, 16, 2));
    fixture.scan();
    fs::remove_file(&path).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.is_ok_and(|status| status.success()));
    // Between the walk and the look into it.
    let version = Version {
        n_bytes: 1000,
        ..Version::default()
    };
    for sidecar in [None, Some(path.as_path())] {
        let file = if sidecar.is_some() { "b.jpg" } else { "a.jpg" };
        let file = fixture.folder.path().join(file);
        let mut examiner = Examiner::default();
        let found = examiner.examine(&file, version, &xmp(sidecar), true);
        let is_pipe =
            matches!(&found, Finding::Settled(Outcome::Skipped(why)) if why.contains("pipe"));
        assert_eq!(is_pipe, sidecar.is_none(), "{found:?}");
    }
    fixture.scan();
    assert_eq!(fixture.names(), ["b.jpg"]);
    assert_eq!(fixture.skipped()[0].1, files::NO_FILE);
}

/// A file of the kernel's that is there, is a file, and can't be read: EIO.
#[cfg(target_os = "linux")]
const UNREADABLE: &str = "/proc/self/mem";

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_fails_blames_no_file() {
    let version = Version {
        n_bytes: 1000,
        ..Version::default()
    };
    let path = Path::new(UNREADABLE);
    let found = Examiner::default().examine(path, version, &Beside::default(), true);
    // Each C library has its own words for it.
    let failed = std::io::Error::from_raw_os_error(libc::EIO).to_string();
    let (failed, _) = failed.split_once(" (os error").unwrap();
    let failed = failed.to_lowercase();
    assert!(
        matches!(&found, Finding::NotNow(why) if why.contains(&failed)),
        "{found:?}"
    );
    let fixture = Fixture::new();
    let photo = fixture.add("a.jpg", &jpeg(16, 16, 1));
    let found = Examiner::default().examine(&photo, version, &xmp(Some(path)), true);
    assert!(
        matches!(&found, Finding::NotNow(why) if why.contains("XMP")),
        "{found:?}"
    );
}

#[test]
fn what_can_not_be_read_now_is_listed_and_tried_again() {
    let mut fixture = Fixture::new();
    let path = fixture.library.roots()[0].join("a.jpg");
    fixture.add("a.jpg", &jpeg(16, 16, 1));
    fixture.add("b.jpg", &jpeg(16, 16, 2));
    fixture.scan();
    let version = Bounds::of(&[], Reach::default())
        .list(&fixture.library.roots()[0])
        .unwrap();
    let (_, version) = version
        .files
        .into_iter()
        .find(|(name, _)| name == "a.jpg")
        .unwrap();
    assert!(
        fixture
            .library
            .can_not_be_read(&path, version, "permission denied")
    );
    assert!(
        !fixture
            .library
            .can_not_be_read(&path, version, "permission denied")
    );
    assert_eq!(
        fixture.names(),
        ["a.jpg", "b.jpg"],
        "a scan empties no wall"
    );
    let counts = fixture.library.counts();
    assert_eq!((counts.photos, counts.skipped, counts.not_now), (2, 0, 1));
    let row = &fixture.library.skipped(Blocking::here(), 0, 10)[0];
    assert!(
        row.not_now && row.reason.starts_with("not now: permission denied"),
        "{row:?}"
    );
    assert_eq!(fixture.library.skipped(Blocking::here(), 1, 10), []);
    // Before its time nobody opens it; then it is opened once, and is no trouble any more.
    let before = fixture.scanner.n_examined;
    fixture.scan();
    assert_eq!(fixture.scanner.n_examined, before);
    let (due, scope) = fixture.scanner.again(&fixture.library).unwrap();
    std::thread::sleep(due.saturating_duration_since(Instant::now()));
    let stop = AtomicBool::new(false);
    fixture.scanner.scan(&fixture.library, &scope, &stop);
    assert_eq!(fixture.scanner.n_examined, before + 1);
    assert_eq!(fixture.library.counts().not_now, 0);
    assert_eq!(fixture.scanner.again(&fixture.library), None);
    // One that is gone while it waits is forgotten.
    fixture
        .library
        .can_not_be_read(&path, version, "too many open files");
    fs::remove_file(&path).unwrap();
    fixture.scan();
    assert_eq!(fixture.library.counts().not_now, 0);
    assert_eq!(fixture.names(), ["b.jpg"]);
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
    symlink(
        photos.join(std::ffi::OsStr::from_bytes(b"caf\xe9.jpg")),
        photos.join("linked.jpg"),
    )
    .unwrap();
    let status = std::process::Command::new("mkfifo")
        .arg(photos.join("pipe.jpg"))
        .status();
    assert!(status.is_ok_and(|status| status.success()));
    let locked = fixture.add("photos/locked.jpg", &jpeg(16, 16, 3));
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).unwrap();
    let may_read_all = crate::files::open(&locked).is_ok();

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
                "not now: the file can't be read: permission denied; it is tried again",
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

/// The files and folders that are left out, and why.
fn left_out(fixture: &Fixture) -> Vec<(String, String)> {
    let rows = fixture.library.left_out(Blocking::here(), 0, 100);
    assert_eq!(fixture.library.counts().left_out, rows.len() as u64);
    rows.into_iter().map(|row| (row.file, row.reason)).collect()
}

#[test]
fn what_other_programs_left_is_no_photo_of_the_family_but_listed() {
    const LEFT: [(&str, &str, &str); 10] = [
        ("#Recycle/d.jpg", "#Recycle", "bin"),
        (".thumbnails/z.jpg", ".thumbnails", "dot"),
        ("@Recycle/c.jpg", "@Recycle", "bin"),
        ("@eaDir/a.jpg/SYNOPHOTO_THUMB_XL.jpg", "@eaDir", "NAS"),
        (
            "Photos Library.photoslibrary/resources/derivatives/1/e.jpg",
            "Photos Library.photoslibrary/resources",
            "originals",
        ),
        (".b.jpg", ".b.jpg", "dot"),
        ("a.jpg_original", "a.jpg_original", "copy"),
        ("b.jpg~", "b.jpg~", "copy"),
        ("sent/f.jpg", "sent/.nomedia", "galleries"),
        ("sent/deeper/g.jpg", "sent/.nomedia", "galleries"),
    ];
    let shown = ["Photos Library.photoslibrary/originals/1/e.jpg", "a.jpg"];
    let mut fixture = Fixture::new();
    for (n, name) in LEFT.iter().map(|(name, ..)| name).chain(&shown).enumerate() {
        fixture.add(name, &jpeg(16, 16, u8::try_from(n).unwrap()));
    }
    fixture.add("sent/.nomedia", b"");
    fixture.scan();
    assert_eq!(fixture.names(), shown);
    // As when something changes in a folder below.
    let below = Scope::Folders {
        deep: vec![fixture.folder.path().join("sent/deeper")],
        flat: Vec::new(),
    };
    fixture
        .scanner
        .scan(&fixture.library, &below, &AtomicBool::new(false));
    assert_eq!(fixture.names(), shown);
    assert_eq!(fixture.skipped(), [], "it is no trouble");
    let listed = left_out(&fixture);
    for (_, row, reason) in LEFT {
        let found = listed.iter().find(|(file, _)| file == row);
        assert!(
            found.is_some_and(|(_, why)| why.contains(reason)),
            "{row}: {listed:?}"
        );
    }
    assert_eq!(listed.len(), LEFT.len() - 1, "each once");
    let n = AtomicU64::new(0);
    Bounds::of(fixture.library.roots(), Reach::default()).count(
        fixture.folder.path(),
        &n,
        &AtomicBool::new(false),
    );
    assert_eq!(
        n.into_inner(),
        shown.len() as u64,
        "progress counts no others"
    );
    // Looked at again, there is no news.
    let mut changes = fixture.library.changes();
    changes.mark_unchanged();
    fixture.scan();
    assert!(!changes.has_changed().unwrap());
    // Whoever names the folder itself wants it.
    fixture.add(".nomedia", b"");
    fixture.scan();
    assert_eq!(fixture.names(), shown);
    // What goes is listed no more.
    fs::remove_file(fixture.folder.path().join("b.jpg~")).unwrap();
    fs::remove_dir_all(fixture.folder.path().join("@Recycle")).unwrap();
    fixture.scan();
    assert_eq!(left_out(&fixture).len(), listed.len() - 2);
}

#[test]
fn what_is_left_out_is_shown_all_the_same_when_somebody_says_so() {
    let all = [
        ".thumbnails/z.jpg",
        "@Recycle/c.jpg",
        "a.jpg",
        "a.jpg_original",
        "sent/f.jpg",
    ];
    let mut fixture = Fixture::new();
    for (n, name) in all.iter().enumerate() {
        fixture.add(name, &jpeg(16, 16, u8::try_from(n).unwrap()));
    }
    fixture.add("sent/.nomedia", b"");
    fixture.add("._a.jpg", b"half of a file");
    let roots = fixture.library.roots().to_owned();
    for left_out_is_shown in [false, true, false] {
        fixture.scanner = Scanner::new(&roots).reaching(Reach {
            left_out: left_out_is_shown,
            ..Reach::default()
        });
        fixture.scan();
        if left_out_is_shown {
            // The mark itself is a file like any other now.
            settle(&mut fixture);
            assert_eq!(fixture.names(), all);
            assert_eq!(left_out(&fixture), []);
        } else {
            assert_eq!(fixture.names(), ["a.jpg"]);
            assert_eq!(left_out(&fixture).len(), 4);
        }
        assert_eq!(fixture.skipped(), []);
    }
}

#[test]
fn twins_have_one_turn() {
    let mut fixture = Fixture::new();
    for (n, name) in [
        "IMG_1.JPG",
        "IMG_1.HEIC",
        "IMG_2.cr2",
        "IMG_2.jpg",
        "IMG_3.NEF",
    ]
    .iter()
    .enumerate()
    {
        fixture.add(name, &jpeg(16, 16, u8::try_from(n).unwrap()));
    }
    fixture.scan();
    assert_eq!(fixture.names(), ["IMG_1.JPG", "IMG_2.jpg", "IMG_3.NEF"]);
    let listed = left_out(&fixture);
    assert!(listed[0].0 == "IMG_1.HEIC" && listed[0].1.contains("IMG_1.JPG"));
    assert!(listed.len() == 2 && listed[1].0 == "IMG_2.cr2");
    // Looked at again, there is no news.
    let mut changes = fixture.library.changes();
    changes.mark_unchanged();
    fixture.scan();
    assert!(!changes.has_changed().unwrap());
    // One that turns out not to be shown takes nobody's turn, nor does one that is gone.
    let id = index::id_of(&fixture.library.roots()[0].join("IMG_1.JPG"));
    let photo = fixture.library.photo(Blocking::here(), id).unwrap();
    fixture
        .library
        .skip(Blocking::here(), &photo, "damaged".into());
    fs::remove_file(fixture.folder.path().join("IMG_2.jpg")).unwrap();
    fixture.scan();
    assert_eq!(fixture.names(), ["IMG_1.HEIC", "IMG_2.cr2", "IMG_3.NEF"]);
    assert_eq!(left_out(&fixture), []);
    // A twin that comes later takes the turn.
    fixture.add("img_3.jpg", &jpeg(16, 16, 9));
    fixture.scan();
    assert_eq!(fixture.names(), ["IMG_1.HEIC", "IMG_2.cr2", "img_3.jpg"]);
    // Somebody wants them all.
    let roots = fixture.library.roots().to_owned();
    fixture.scanner = Scanner::new(&roots).reaching(Reach {
        left_out: true,
        ..Reach::default()
    });
    fixture.scan();
    assert_eq!(fixture.names().len(), 4);
    assert_eq!(left_out(&fixture), []);
}

#[test]
fn a_twin_whose_date_is_another_has_its_own_turn() {
    let dated = |day: u8| {
        format!(
            "<x:xmpmeta xmlns:x='adobe:ns:meta/'>\
             <rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description \
             xmlns:exif='http://ns.adobe.com/exif/1.0/' \
             exif:DateTimeOriginal='2021-07-0{day}T12:00:00'/></rdf:RDF></x:xmpmeta>"
        )
    };
    let mut fixture = Fixture::new();
    for (n, name) in ["a.cr2", "a.jpg", "b.cr2", "b.jpg"].iter().enumerate() {
        let n = u8::try_from(n).unwrap();
        fixture.add(name, &jpeg(16, 16, n));
        let day = if name.starts_with('a') { n + 1 } else { 5 };
        fixture.add(&format!("{name}.xmp"), dated(day).as_bytes());
    }
    fixture.scan();
    assert_eq!(fixture.names(), ["a.cr2", "a.jpg", "b.jpg"]);
}

#[test]
fn no_file_vanishes_without_being_shown_listed_or_counted() {
    let mut fixture = Fixture::new();
    let files: [(&str, &[u8]); 12] = [
        ("a.jpg", &jpeg(16, 16, 1)),
        ("b/film.MP4", b"film"),
        ("b/film 2.mov", b"film"),
        ("b/c/song.mp3", b"song"),
        ("b/c/notes.txt~", b"words"),
        ("letter.pdf", b"%PDF"),
        ("drawing.xcf", b"gimp xcf and more"),
        ("old.pcx", b"\n\x05\x01 and more"),
        ("raw.kdc", b"nothing that is known"),
        ("what.ever", b"words"),
        (".DS_Store", b"words"),
        ("tokens.lock", b""),
    ];
    for (name, bytes) in files {
        fixture.add(name, bytes);
    }
    fixture.scan();
    settle(&mut fixture);
    let skipped = fixture.skipped();
    for (n, (file, kind)) in [
        ("drawing.xcf", "GIMP"),
        ("old.pcx", "PCX"),
        ("raw.kdc", "camera raw"),
    ]
    .iter()
    .enumerate()
    {
        assert!(
            skipped[n].0 == *file && skipped[n].1.contains(kind),
            "{skipped:?}"
        );
    }
    let others = fixture.library.others().sentence(|n| n.to_string());
    assert_eq!(
        others,
        "2 videos, 1 sound file, 2 documents, 1 hidden file, 1 file of Mantel's own, 1 other file"
    );
    let counts = fixture.library.counts();
    let all = counts.photos + counts.skipped + counts.left_out + counts.other_files;
    assert_eq!(all, files.len() as u64);
    // A look at one folder counts its own anew, and no other's.
    fs::remove_file(fixture.folder.path().join("b/film.MP4")).unwrap();
    let flat = Scope::Folders {
        deep: Vec::new(),
        flat: vec![fixture.library.roots()[0].join("b")],
    };
    fixture
        .scanner
        .scan(&fixture.library, &flat, &AtomicBool::new(false));
    let others = fixture.library.others().sentence(|n| n.to_string());
    assert!(
        others.starts_with("1 video, 1 sound file, 2 documents"),
        "{others}"
    );
    // So does one at all below a folder that is gone.
    fs::remove_dir_all(fixture.folder.path().join("b")).unwrap();
    fixture.scan();
    assert_eq!(fixture.library.counts().other_files, 4);
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

/// What stands in for ffprobe: a clip of a day, told by its last byte.
fn told(path: &Path, _: crate::render::Kind) -> Result<Vec<u8>, ClipTrouble> {
    let trouble = |is_passing| ClipTrouble {
        reason: "it can't be read".into(),
        is_passing,
    };
    match fs::read(path).ok().and_then(|bytes| bytes.last().copied()) {
        Some(day @ b'1'..=b'9') => Ok(format!(
            r#"{{"streams":[{{"width":320,"height":180}}],"format":{{"tags":
            {{"com.apple.quicktime.creationdate":"2021-07-0{}T12:00:00+0200"}}}}}}"#,
            char::from(day)
        )
        .into_bytes()),
        Some(b'?') => Err(trouble(true)),
        _ => Err(trouble(false)),
    }
}

const CLIP: &[u8] = b"\0\0\0\x0cftypisom";

#[test]
fn clips_are_photos_where_they_can_be_read_and_counted_where_nobody_wants_them() {
    let mut fixture = Fixture::new();
    for (name, end) in [
        ("a.mp4", "1"),
        ("b/c.MOV", "2"),
        ("bad.mkv", "x"),
        ("later.mp4", "?"),
    ] {
        fixture.add(name, &[CLIP, end.as_bytes()].concat());
    }
    fixture.add("words.mp4", b"#EXTM3U and no clip");
    fixture.add("film.avi", b"RIFF");
    fixture.add("photo.jpg", &jpeg(16, 16, 1));
    let roots = fixture.library.roots().to_owned();
    let shown = Clips::Shown(told);
    for (clips, names, n_skipped, counted) in [
        (Clips::Off, &["photo.jpg"][..], 0, "6 videos"),
        (Clips::Missing, &["photo.jpg"], 5, "1 video"),
        (shown, &["a.mp4", "b/c.MOV", "photo.jpg"], 3, "1 video"),
        (Clips::Off, &["photo.jpg"], 0, "6 videos"),
    ] {
        fixture.scanner = Scanner::new(&roots).reaching(Reach {
            clips,
            ..Reach::default()
        });
        fixture.scan();
        if fixture.scanner.unsettled().is_some() {
            settle(&mut fixture);
        }
        assert_eq!(fixture.names(), names, "{clips:?}");
        let skipped = fixture.skipped();
        assert_eq!(skipped.len(), n_skipped, "{skipped:?}");
        let others = fixture.library.others().sentence(|n| n.to_string());
        assert!(others.contains(counted), "{others}");
        let says = |words: &str| skipped.iter().any(|(_, reason)| reason.contains(words));
        assert!(says("apt install ffmpeg") || !matches!(clips, Clips::Missing));
    }
}

#[test]
fn the_moving_half_of_a_live_photo_has_no_turn_of_its_own() {
    let dated = "<x:xmpmeta xmlns:x='adobe:ns:meta/'>\
         <rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description \
         xmlns:exif='http://ns.adobe.com/exif/1.0/' \
         exif:DateTimeOriginal='2021-07-04T12:00:01'/></rdf:RDF></x:xmpmeta>";
    let mut fixture = Fixture::new();
    for (name, day) in [("IMG_1", "4"), ("IMG_2", "5"), ("IMG_3", "4")] {
        fixture.add(&format!("{name}.MOV"), &[CLIP, day.as_bytes()].concat());
        fixture.add(&format!("{name}.jpg"), &jpeg(16, 16, day.as_bytes()[0]));
    }
    for name in ["IMG_1", "IMG_2"] {
        fixture.add(&format!("{name}.jpg.xmp"), dated.as_bytes());
    }
    let roots = fixture.library.roots().to_owned();
    fixture.scanner = Scanner::new(&roots).reaching(Reach {
        clips: Clips::Shown(told),
        ..Reach::default()
    });
    fixture.scan();
    if fixture.scanner.unsettled().is_some() {
        settle(&mut fixture);
    }
    // The second is of another day; the photo of the third doesn't say.
    let all = [
        "IMG_1.jpg",
        "IMG_2.MOV",
        "IMG_2.jpg",
        "IMG_3.MOV",
        "IMG_3.jpg",
    ];
    assert_eq!(fixture.names(), all);
    let listed = left_out(&fixture);
    assert!(
        listed.len() == 1 && listed[0].0 == "IMG_1.MOV",
        "{listed:?}"
    );
    // Where photos move, it is the photo's.
    let root = fixture.library.roots()[0].clone();
    for (name, half) in [
        ("IMG_1.jpg", Some("IMG_1.MOV")),
        ("IMG_2.jpg", None),
        ("IMG_2.MOV", None),
    ] {
        let id = index::id_of(&root.join(name));
        let photo = fixture.library.photo(Blocking::here(), id).unwrap();
        assert_eq!(
            photo.facts.moving_half,
            half.map(|half| root.join(half)),
            "{name}"
        );
    }
}
