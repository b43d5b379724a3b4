//! Marks that people put on photos: hidden, and favourite. Kept in a file of our own, never in the photo.
//!
//! A mark is a photo's by where it is stored; one that is stored nowhere any more is found again by its size and the time of
//! its last change, which a file keeps when it is moved. The index has a copy, for its queries.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard},
};

use super::{
    Library, Photo,
    index::{self, Content, Marked},
};
use crate::{blocking::Blocking, files, locked::locked, photo::PhotoId, state::MARKS, store};

/// The limit of marked photos: beyond it somebody is filling the disk.
const MAX_MARKS: usize = 20_000;

/// Twenty thousand of the longest names are less.
const MAX_FILE_BYTES: u64 = 32 * 1024 * 1024;

/// Characters of a photo's name that are kept for people.
const MAX_NAME_CHARS: usize = 400;

/// A change of a photo's mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marking {
    /// It takes no more turns.
    Hide,
    /// It takes turns again.
    Unhide,
    /// It is a favourite.
    Favour,
    /// It is a photo like others.
    Unfavour,
}

/// Why a photo can't be marked, as a sentence for whoever asked.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MarkError {
    /// No such photo.
    #[error("no photo {0} is known here; GET /status names the current one")]
    Unknown(PhotoId),
    /// Nothing would be left to show.
    #[error("this is the last photo that is shown; it can be hidden once there is another")]
    Last,
    /// There are as many as may be.
    #[error("{MAX_MARKS} photos are hidden or favourites already; take some of these marks away")]
    Full,
    /// The file can't be written.
    #[error("the mark can't be saved: {0}")]
    Save(String),
}

/// A photo that somebody has hidden.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct HiddenPhoto {
    /// Which one.
    pub photo: PhotoIdText,
    /// The path below its folder, as it was when it was hidden.
    pub name: String,
    /// Whether the file is there.
    pub is_there: bool,
}

/// A photo's identity, as JSON has it everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PhotoIdText(pub PhotoId);

impl serde::Serialize for PhotoIdText {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for PhotoIdText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

/// A mark as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
struct Mark {
    name: String,
    #[serde(default)]
    hidden: bool,
    #[serde(default)]
    favourite: bool,
    /// The size and the time of change by which it is found again; 0 where they aren't known.
    #[serde(default)]
    n_bytes: u64,
    #[serde(default)]
    modified_nanos: i64,
}

type Kept = BTreeMap<PhotoIdText, Mark>;

/// All marks, and where they are kept.
#[derive(Debug, Default)]
pub(super) struct Marks {
    place: Mutex<Place>,
    kept: Mutex<Kept>,
    /// Held while the file is written: changes come one after the other, and readers don't wait for a disk.
    writing: Mutex<()>,
}

#[derive(Debug, Default)]
struct Place {
    /// None: as long as the program runs.
    path: Option<PathBuf>,
    /// Why the file must not be written: it holds what could be neither read nor set aside.
    blocked: Option<String>,
    /// Whether the marks have been read: until then the index has what it had.
    is_open: bool,
}

impl Marks {
    fn open(&self, dir: Option<&Path>) {
        let path = dir.map(|dir| dir.join(MARKS));
        let kept = path.as_deref().map_or_else(|| Ok(Kept::default()), read);
        let (kept, blocked) = match kept {
            Ok(kept) => (kept, None),
            Err(reason) => (Kept::default(), Some(reason)),
        };
        *self.lock() = kept;
        *locked(&self.place) = Place {
            path,
            blocked,
            is_open: true,
        };
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        locked(&self.kept)
    }

    /// Changes the marks, all or nothing.
    fn change(
        &self,
        blocking: Blocking,
        change: impl FnOnce(&mut Kept) -> Result<(), MarkError>,
    ) -> Result<(), MarkError> {
        let _turn = locked(&self.writing);
        let mut changed = self.lock().clone();
        change(&mut changed)?;
        let is_plain = |mark: &Mark| !mark.hidden && !mark.favourite;
        changed.retain(|_, mark| !is_plain(mark));
        if changed == *self.lock() {
            return Ok(());
        }
        let place = locked(&self.place);
        if let Some(reason) = &place.blocked {
            return Err(MarkError::Save(reason.clone()));
        }
        if let Some(path) = &place.path {
            let save = serde_json::to_vec(&changed)
                .map_err(std::io::Error::from)
                .and_then(|text| store::replace(blocking, path, &text));
            save.map_err(|error| MarkError::Save(error.to_string()))?;
        }
        *self.lock() = changed;
        Ok(())
    }
}

/// The file's content. A file that can't be read, is too large or makes no sense is set aside.
///
/// # Errors
/// It can't be set aside either: a reason, as words.
fn read(path: &Path) -> Result<Kept, String> {
    store::tighten(path);
    let reason = match store::read(path, MAX_FILE_BYTES) {
        Ok(None) => return Ok(Kept::default()),
        // No folder, no file: nothing to lose.
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {
            return Ok(Kept::default());
        }
        Ok(Some(text)) => match serde_json::from_slice(&text) {
            Ok(kept) => return Ok(kept),
            Err(error) => error.to_string(),
        },
        Err(error) => files::plain(&error),
    };
    match store::set_aside(path) {
        Ok(aside) => {
            tracing::warn!(%reason, aside = %aside.display(),
                "which photos are hidden or favourites can't be read; the file is set aside, and none are");
            Ok(Kept::default())
        }
        Err(error) => {
            tracing::warn!(%reason, file = %path.display(), %error,
                "which photos are hidden or favourites can't be read, and the file can't be set aside; none can be marked");
            Err(format!("{} can't be read: {reason}", path.display()))
        }
    }
}

impl Library {
    /// Reads which photos are hidden and which are favourites from `dir`, and keeps it there from now on; without one, as
    /// long as the program runs. A damaged file is set aside.
    pub fn keep_marks_in(&self, blocking: Blocking, dir: Option<&Path>) {
        self.marks.open(dir);
        self.settle_marks(blocking);
    }

    /// Marks a photo, hidden ones among them; says whether that is news.
    ///
    /// # Errors
    /// There is none, it is the last one, or the mark can't be kept; then nothing has changed.
    pub fn mark(
        &self,
        blocking: Blocking,
        id: PhotoId,
        marking: Marking,
    ) -> Result<bool, MarkError> {
        let photo = self.photo(blocking, id);
        if marking == Marking::Hide && photo.is_some() && self.counts().photos <= 1 {
            return Err(MarkError::Last);
        }
        self.marks.change(blocking, |kept| {
            let is_full = kept.len() >= MAX_MARKS;
            let mark = match kept.entry(PhotoIdText(id)) {
                std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
                std::collections::btree_map::Entry::Vacant(_) if is_full => {
                    return Err(MarkError::Full);
                }
                std::collections::btree_map::Entry::Vacant(place) => {
                    place.insert(Mark::of(photo.as_deref().ok_or(MarkError::Unknown(id))?))
                }
            };
            match marking {
                Marking::Hide => mark.hidden = true,
                Marking::Unhide => mark.hidden = false,
                Marking::Favour => mark.favourite = true,
                Marking::Unfavour => mark.favourite = false,
            }
            Ok(())
        })?;
        Ok(self.copy_marks(blocking))
    }

    /// The photos that somebody has hidden, by name.
    pub fn hidden(&self, blocking: Blocking) -> Vec<HiddenPhoto> {
        let marks: Vec<(PhotoIdText, String)> = self
            .marks
            .lock()
            .iter()
            .filter(|(_, mark)| mark.hidden)
            .map(|(id, mark)| (*id, mark.name.clone()))
            .collect();
        let there = self.which_are_there(blocking, marks.iter().map(|(id, _)| id.0));
        let mut rows: Vec<HiddenPhoto> = marks
            .into_iter()
            .map(|(photo, name)| HiddenPhoto {
                photo,
                name,
                is_there: there.contains(&photo.0),
            })
            .collect();
        rows.sort_by(|a, b| (&a.name, a.photo).cmp(&(&b.name, b.photo)));
        rows
    }

    /// Whether a photo is a favourite.
    pub fn is_favourite(&self, id: PhotoId) -> bool {
        let kept = self.marks.lock();
        kept.get(&PhotoIdText(id))
            .is_some_and(|mark| mark.favourite)
    }

    /// Brings marks of files that were moved to where these are now, and the index up to date. Called after each scan.
    pub(super) fn settle_marks(&self, blocking: Blocking) {
        if !locked(&self.marks.place).is_open {
            return;
        }
        let moved = self.moved_marks(blocking);
        if !moved.is_empty() {
            let kept = self.marks.change(blocking, |kept| {
                for (from, to) in &moved {
                    if let Some(mark) = kept.remove(&PhotoIdText(*from)) {
                        kept.insert(PhotoIdText(*to), mark);
                    }
                }
                Ok(())
            });
            if let Err(error) = kept {
                tracing::warn!(%error, "marks of photos that were moved are found again at the next scan");
                return;
            }
        }
        self.copy_marks(blocking);
    }

    /// The photos whose files are elsewhere now: before, and now.
    fn moved_marks(&self, blocking: Blocking) -> Vec<(PhotoId, PhotoId)> {
        let marks = self.marks.lock().clone();
        let there = self.which_are_there(blocking, marks.keys().map(|id| id.0));
        let mut lost: HashMap<Content, Vec<PhotoId>> = HashMap::new();
        for (id, mark) in &marks {
            if !there.contains(&id.0) && mark.modified_nanos != 0 {
                let content = (mark.n_bytes, mark.modified_nanos);
                lost.entry(content).or_default().push(id.0);
            }
        }
        if lost.is_empty() {
            return Vec::new();
        }
        let found = self.index.read(blocking, |connection| {
            index::with_content(connection, &lost)
        });
        let mut by_content: HashMap<Content, Vec<(PhotoId, String)>> = HashMap::new();
        for (content, id, name) in found {
            if !marks.contains_key(&PhotoIdText(id)) {
                by_content.entry(content).or_default().push((id, name));
            }
        }
        let mut moved = Vec::new();
        for (content, ids) in &lost {
            let candidates = by_content.remove(content).unwrap_or_default();
            for id in ids {
                let name = marks.get(&PhotoIdText(*id)).map_or("", |mark| &mark.name);
                let same_name =
                    |(_, file): &&(PhotoId, String)| name.rsplit('/').next() == Some(file.as_str());
                let mut named = candidates.iter().filter(same_name);
                // Of several with one content the one that kept its name; of one alone no name is asked.
                let to = match (named.next(), named.next(), &candidates[..], &ids[..]) {
                    (Some((to, _)), None, _, _) | (None, _, [(to, _)], [_]) => *to,
                    _ => continue,
                };
                moved.push((*id, to));
            }
        }
        moved
    }

    fn which_are_there(
        &self,
        blocking: Blocking,
        ids: impl Iterator<Item = PhotoId>,
    ) -> HashSet<PhotoId> {
        let ids: Vec<PhotoId> = ids.collect();
        let there = self.index.read(blocking, |connection| {
            index::which_are_there(connection, &ids)
        });
        there.into_iter().collect()
    }

    /// Gives the index its copy, and tells everyone of news; says whether it was.
    fn copy_marks(&self, blocking: Blocking) -> bool {
        let marks: Vec<Marked> = self
            .marks
            .lock()
            .iter()
            .map(|(id, mark)| Marked {
                id: id.0,
                hidden: mark.hidden,
                favourite: mark.favourite,
            })
            .collect();
        let before = self.state().tally;
        let moved = self.index.write(blocking, |connection| {
            index::set_marks(connection, &marks, before).map(Some)
        });
        let Some((after, is_news)) = moved else {
            return false;
        };
        {
            // Others may have counted meanwhile.
            let tally = &mut self.state().tally;
            *tally = tally.adding(before, after);
        }
        if is_news {
            self.announce();
        }
        is_news
    }
}

impl Mark {
    fn of(photo: &Photo) -> Self {
        Self {
            name: photo.name.chars().take(MAX_NAME_CHARS).collect(),
            hidden: false,
            favourite: false,
            n_bytes: photo.version.n_bytes,
            modified_nanos: photo.version.modified_nanos,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::tests::{Fixture, jpeg, names};

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
}
