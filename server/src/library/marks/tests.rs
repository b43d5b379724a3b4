//! Marks over folders made for them: kept, moved with their files, set aside.

use super::*;
use crate::{
    library::tests::{Fixture, jpeg, names},
    state::MARKS,
};

fn id(fixture: &Fixture, name: &str) -> PhotoId {
    index::id_of(&fixture.library.roots()[0].join(name))
}

/// Four photos, whose marks are kept in a folder.
fn fixture() -> (Fixture, tempfile::TempDir) {
    let mut fixture = Fixture::new();
    for n in 0..4 {
        fixture.add(&format!("Rome/{n}.jpg"), &jpeg(16 + u32::from(n), 16, n));
    }
    let state = tempfile::tempdir().unwrap();
    let library = &fixture.library;
    library.keep_marks_in(Blocking::here(), Some(state.path()));
    fixture.scan();
    (fixture, state)
}

fn mark(fixture: &Fixture, name: &str, marking: Marking) -> Result<bool, MarkError> {
    let id = id(fixture, name);
    fixture.library.mark(Blocking::here(), id, marking)
}

fn hidden(fixture: &Fixture) -> Vec<(String, bool)> {
    let hidden = fixture.library.hidden(Blocking::here()).into_iter();
    hidden.map(|row| (row.name, row.is_there)).collect()
}

#[test]
fn a_hidden_photo_is_nowhere_until_it_is_brought_back() {
    let (mut fixture, _state) = fixture();
    let mut changes = fixture.library.changes();
    changes.mark_unchanged();
    assert_eq!(mark(&fixture, "Rome/1.jpg", Marking::Hide), Ok(true));
    assert!(changes.has_changed().unwrap());
    // Twice is no news.
    changes.mark_unchanged();
    assert_eq!(mark(&fixture, "Rome/1.jpg", Marking::Hide), Ok(false));
    assert!(!changes.has_changed().unwrap());
    for again in [false, true] {
        if again {
            // Another content of the same file is no reason to show it.
            fixture.add("Rome/1.jpg", &jpeg(40, 16, 7));
            fixture.scan();
        }
        let counts = fixture.library.counts();
        assert_eq!((counts.photos, counts.hidden), (3, 1), "{again}");
        assert_eq!(fixture.names().len(), 3);
        assert_eq!(names(&fixture.library, &[("newest", "3")]).len(), 3);
        let photo = id(&fixture, "Rome/1.jpg");
        assert_eq!(fixture.library.photo(Blocking::here(), photo), None);
        let albums = fixture.library.albums(Blocking::here());
        assert_eq!(albums, [("Rome".to_owned(), 3)]);
        assert_eq!(hidden(&fixture), [("Rome/1.jpg".to_owned(), true)]);
    }
    assert_eq!(mark(&fixture, "Rome/1.jpg", Marking::Unhide), Ok(true));
    let counts = fixture.library.counts();
    assert_eq!((counts.photos, counts.hidden), (4, 0));
    assert_eq!((fixture.names().len(), hidden(&fixture).len()), (4, 0));
}

#[test]
fn marks_outlive_the_program_and_its_index() {
    let (fixture, state) = fixture();
    mark(&fixture, "Rome/1.jpg", Marking::Hide).unwrap();
    mark(&fixture, "Rome/2.jpg", Marking::Favour).unwrap();
    let roots = fixture.library.roots().to_owned();
    // Before the first scan, and after it.
    let library = Library::in_memory(roots.clone());
    library.keep_marks_in(Blocking::here(), Some(state.path()));
    let mut scanner = crate::library::Scanner::new(&roots);
    let stop = std::sync::atomic::AtomicBool::new(false);
    scanner.scan(&library, &crate::library::Scope::Everything, &stop);
    let counts = library.counts();
    assert_eq!((counts.photos, counts.hidden), (3, 1));
    assert!(library.is_favourite(id(&fixture, "Rome/2.jpg")));
    assert!(!library.is_favourite(id(&fixture, "Rome/1.jpg")));
}

#[test]
fn a_file_that_is_moved_keeps_its_mark_and_a_deleted_one_stands_in_the_list() {
    let (mut fixture, state) = fixture();
    mark(&fixture, "Rome/1.jpg", Marking::Hide).unwrap();
    mark(&fixture, "Rome/3.jpg", Marking::Hide).unwrap();
    let root = fixture.folder.path().to_owned();
    std::fs::create_dir(root.join("Paris")).unwrap();
    std::fs::rename(root.join("Rome/1.jpg"), root.join("Paris/other.jpg")).unwrap();
    std::fs::remove_file(root.join("Rome/3.jpg")).unwrap();
    fixture.scan();
    assert_eq!(fixture.names(), ["Rome/0.jpg", "Rome/2.jpg"]);
    let gone = ("Rome/3.jpg".to_owned(), false);
    assert_eq!(hidden(&fixture), [("Rome/1.jpg".to_owned(), true), gone]);
    assert_eq!(mark(&fixture, "Paris/other.jpg", Marking::Unhide), Ok(true));
    assert_eq!(fixture.names().len(), 3);
    // What is brought back in vain is out of the list, after a restart as well.
    assert_eq!(mark(&fixture, "Rome/3.jpg", Marking::Unhide), Ok(true));
    assert_eq!(hidden(&fixture), []);
    let kept = std::fs::read_to_string(state.path().join(MARKS)).unwrap();
    assert_eq!(kept, "{}");
}

#[test]
fn a_copy_is_a_photo_of_its_own_and_of_two_that_may_be_it_none_is() {
    let (mut fixture, _state) = fixture();
    mark(&fixture, "Rome/1.jpg", Marking::Hide).unwrap();
    let root = fixture.folder.path().to_owned();
    let bytes = std::fs::read(root.join("Rome/1.jpg")).unwrap();
    let changed = std::fs::metadata(root.join("Rome/1.jpg")).unwrap();
    let copy = |name: &str| {
        let path = fixture.add(name, &bytes);
        let file = std::fs::File::options().write(true).open(path).unwrap();
        file.set_modified(changed.modified().unwrap()).unwrap();
    };
    copy("a.jpg");
    fixture.scan();
    assert_eq!(fixture.library.counts().photos, 4);
    let copy = |name: &str| {
        let path = fixture.add(name, &bytes);
        let file = std::fs::File::options().write(true).open(path).unwrap();
        file.set_modified(changed.modified().unwrap()).unwrap();
    };
    copy("b.jpg");
    std::fs::remove_file(root.join("Rome/1.jpg")).unwrap();
    fixture.scan();
    assert_eq!(fixture.library.counts().photos, 5);
    // One of three that kept its name is it.
    let path = fixture.add("Moved/1.jpg", &bytes);
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.set_modified(changed.modified().unwrap()).unwrap();
    fixture.scan();
    assert_eq!(fixture.library.counts().photos, 5);
    assert_eq!(mark(&fixture, "Moved/1.jpg", Marking::Unhide), Ok(true));
}

#[test]
fn the_last_photo_stays_and_none_is_made_up() {
    let (fixture, _state) = fixture();
    for n in 0..3 {
        assert_eq!(
            mark(&fixture, &format!("Rome/{n}.jpg"), Marking::Hide),
            Ok(true)
        );
    }
    let last = mark(&fixture, "Rome/3.jpg", Marking::Hide);
    assert_eq!(last, Err(MarkError::Last));
    assert_eq!(fixture.names(), ["Rome/3.jpg"]);
    let unknown = mark(&fixture, "Rome/9.jpg", Marking::Favour);
    assert!(matches!(unknown, Err(MarkError::Unknown(_))));
    assert!(mark(&fixture, "Rome/9.jpg", Marking::Unhide).is_err());
}

#[test]
fn a_damaged_file_is_set_aside_whole() {
    for content in ["\0\0", "", "[]", r#"{"x":{"name":"a"}}"#, r#"{"7f":{"#] {
        let (fixture, state) = fixture();
        std::fs::write(state.path().join(MARKS), content).unwrap();
        let library = &fixture.library;
        library.keep_marks_in(Blocking::here(), Some(state.path()));
        mark(&fixture, "Rome/1.jpg", Marking::Hide).unwrap();
        let aside = std::fs::read_to_string(state.path().join("marks.json.damaged"));
        assert_eq!(aside.unwrap(), content);
        let kept = std::fs::read_to_string(state.path().join(MARKS)).unwrap();
        assert!(kept.contains("Rome/1.jpg"));
    }
}

#[test]
fn a_full_disk_changes_nothing() {
    let (fixture, state) = fixture();
    let blocked = state.path().join("file");
    std::fs::write(&blocked, "").unwrap();
    let library = &fixture.library;
    library.keep_marks_in(Blocking::here(), Some(&blocked));
    let refused = mark(&fixture, "Rome/1.jpg", Marking::Hide);
    assert!(matches!(refused, Err(MarkError::Save(_))));
    assert_eq!((fixture.names().len(), hidden(&fixture).len()), (4, 0));
}
