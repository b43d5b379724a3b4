//! All photos below the folders given, and what became of each.
//!
//! The scan adds and removes, the renderer reports what it could not show, everybody else reads.
//! A file that can't be shown is never dropped in silence: it stands in the list of skipped files
//! with its reason until it changes. Decodes nothing.

mod facts;
mod scan;

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use tokio::sync::watch;

pub use facts::{DateSource, Facts, Position, Taken};
pub use scan::{Scanner, Seen, Verdict};

use crate::{
    source::demo,
    timeline::{Entry, PhotoId, Shape, hash_of},
};

/// Where a photo's pixels come from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Origin {
    /// A file.
    File(PathBuf),
    /// A picture that Mantel draws itself.
    Demo(usize),
}

/// A picture that takes turns on screen.
#[derive(Clone, Debug, PartialEq)]
pub struct Photo {
    /// Which one.
    pub id: PhotoId,
    /// Where its pixels come from.
    pub origin: Origin,
    /// What it is called: the path below its folder, or a demo picture's title.
    pub name: Arc<str>,
    /// When it was taken, in seconds since 1970, as far as the scan knows.
    pub taken: i64,
    /// Size in bytes and time of change, to notice that a file is another one now.
    pub version: Version,
    /// What else is known of it.
    pub facts: Facts,
}

/// Tells one content of a file from another without reading it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Version {
    /// Size in bytes.
    pub n_bytes: u64,
    /// When it was last changed, where the system says.
    pub modified: Option<SystemTime>,
}

/// A file that is not shown.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Skipped {
    /// Its path below its folder.
    pub file: String,
    /// Why, in words.
    pub reason: String,
}

/// How much there is, and how far the scan is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Photos that take turns, demo pictures not counted.
    pub photos: u64,
    /// Picture files that could not be shown.
    pub skipped: u64,
    /// Files that are no pictures at all, such as texts and videos.
    pub other_files: u64,
    /// Files looked at by the scan that runs, or by the last one.
    pub scanned: u64,
    /// True while a scan runs.
    pub scanning: bool,
    /// True when built-in pictures are shown for want of photos.
    pub demo: bool,
}

#[derive(Debug, Default)]
struct Index {
    photos: HashMap<PhotoId, Arc<Photo>>,
    skipped: BTreeMap<PhotoId, (Version, Skipped)>,
    n_other: u64,
    n_scanned: u64,
    scanning: bool,
    scanned_once: bool,
}

/// The library. Shared; every method takes a short lock.
#[derive(Debug)]
pub struct Library {
    index: Mutex<Index>,
    changed: watch::Sender<u64>,
    demo: Vec<Arc<Photo>>,
}

impl Library {
    /// A library with nothing in it yet; without `folders` it is the demo's for good.
    pub fn new(has_folders: bool) -> Self {
        let index = Index {
            scanned_once: !has_folders,
            ..Index::default()
        };
        let demo = (0..demo::n_demo_pictures())
            .map(|index| Arc::new(demo_photo(index)))
            .collect();
        Self {
            index: Mutex::new(index),
            changed: watch::Sender::new(0),
            demo,
        }
    }

    /// Tells when the photos that take turns have changed.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// What a playlist needs to know of every photo. The demo's pictures stand in while a library
    /// that has been scanned is empty.
    pub fn entries(&self) -> Vec<Entry> {
        let index = self.index();
        let entry = |photo: &Arc<Photo>| Entry {
            id: photo.id,
            taken: photo.taken,
            name: photo.name.clone(),
            shape: Shape::of(photo.facts.size),
            album: photo.facts.album.as_deref().map_or(0, hash_of),
            camera: photo.facts.camera.as_deref().map_or(0, hash_of),
            likeness: None,
            added: 0,
        };
        if index.shows_demo() {
            self.demo.iter().map(entry).collect()
        } else {
            index.photos.values().map(entry).collect()
        }
    }

    /// The photo `id`, if it is (still) there.
    pub fn photo(&self, id: PhotoId) -> Option<Arc<Photo>> {
        let index = self.index();
        index
            .photos
            .get(&id)
            .or_else(|| self.demo.iter().find(|photo| photo.id == id))
            .cloned()
    }

    /// The counts as they are now.
    pub fn counts(&self) -> Counts {
        let index = self.index();
        Counts {
            photos: index.photos.len() as u64,
            skipped: index.skipped.len() as u64,
            other_files: index.n_other,
            scanned: index.n_scanned,
            scanning: index.scanning,
            demo: index.shows_demo(),
        }
    }

    /// Every file that is not shown, by path.
    pub fn skipped(&self) -> Vec<Skipped> {
        let mut list: Vec<Skipped> = self
            .index()
            .skipped
            .values()
            .map(|(_, skipped)| skipped.clone())
            .collect();
        list.sort_by(|a, b| a.file.cmp(&b.file));
        list
    }

    /// `photo` could not be shown. It takes no more turns until its file changes.
    pub fn skip(&self, photo: &Photo, reason: String) {
        tracing::warn!(photo = %photo.name, %reason, "skipped a photo");
        let skipped = Skipped {
            file: photo.name.to_string(),
            reason,
        };
        let mut index = self.index();
        index.photos.remove(&photo.id);
        index.skipped.insert(photo.id, (photo.version, skipped));
        drop(index);
        self.announce();
    }

    /// `photo`'s file is not there any more.
    pub fn forget(&self, photo: &Photo) {
        tracing::info!(photo = %photo.name, "a photo went away");
        if self.index().photos.remove(&photo.id).is_some() {
            self.announce();
        }
    }

    /// A scan begins.
    pub fn scan_started(&self) {
        let mut index = self.index();
        index.scanning = true;
        index.n_scanned = 0;
    }

    /// What a scan has seen so far. A photo that is known and unchanged stays as it is.
    pub fn seen(&self, batch: Vec<Seen>) {
        let mut index = self.index();
        index.n_scanned += batch.len() as u64;
        let mut changed = false;
        for seen in batch {
            match seen.verdict {
                Verdict::Photo(photo) => {
                    let same_skipped = index
                        .skipped
                        .get(&photo.id)
                        .is_some_and(|(version, _)| *version == photo.version);
                    let same_photo = index
                        .photos
                        .get(&photo.id)
                        .is_some_and(|known| known.version == photo.version);
                    if !same_skipped && !same_photo {
                        index.skipped.remove(&photo.id);
                        index.photos.insert(photo.id, Arc::new(photo));
                        changed = true;
                    }
                }
                Verdict::Skipped(version, skipped) => {
                    changed |= index.photos.remove(&seen.id).is_some();
                    index.skipped.insert(seen.id, (version, skipped));
                }
                Verdict::Other => {}
            }
        }
        drop(index);
        if changed {
            self.announce();
        }
    }

    /// A scan is through. What it did not see is gone, unless `incomplete`: a share that is away
    /// for a moment must not empty the walls.
    pub fn scan_finished(
        &self,
        seen: &std::collections::HashSet<PhotoId>,
        n_other: u64,
        incomplete: bool,
    ) {
        let mut index = self.index();
        let before = index.photos.len();
        if !incomplete {
            index.photos.retain(|id, _| seen.contains(id));
            index.skipped.retain(|id, _| seen.contains(id));
        }
        let first = !std::mem::replace(&mut index.scanned_once, true);
        index.scanning = false;
        index.n_other = n_other;
        let changed = first || index.photos.len() != before;
        drop(index);
        if changed {
            self.announce();
        }
    }

    fn announce(&self) {
        self.changed.send_modify(|version| *version += 1);
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Index {
    fn shows_demo(&self) -> bool {
        self.scanned_once && self.photos.is_empty()
    }
}

fn demo_photo(index: usize) -> Photo {
    let name = demo::title(index);
    Photo {
        id: PhotoId::of(format!("demo:{name}").as_bytes()),
        origin: Origin::Demo(index),
        name: name.into(),
        taken: i64::try_from(index).unwrap_or(0),
        version: Version::default(),
        facts: Facts::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn photo(name: &str, n_bytes: u64) -> Photo {
        Photo {
            id: PhotoId::of(name.as_bytes()),
            origin: Origin::File(name.into()),
            name: name.into(),
            taken: 0,
            version: Version {
                n_bytes,
                modified: None,
            },
            facts: Facts::default(),
        }
    }

    fn see(library: &Library, photos: &[Photo]) {
        library.scan_started();
        let seen = photos.iter().map(|photo| Seen {
            id: photo.id,
            verdict: Verdict::Photo(photo.clone()),
        });
        library.seen(seen.collect());
        library.scan_finished(&photos.iter().map(|photo| photo.id).collect(), 0, false);
    }

    #[test]
    fn a_skipped_photo_stays_skipped_until_its_file_changes() {
        let library = Library::new(true);
        see(&library, &[photo("a.jpg", 1), photo("b.jpg", 1)]);
        library.skip(&photo("a.jpg", 1), "the file is empty".into());
        see(&library, &[photo("a.jpg", 1), photo("b.jpg", 1)]);
        assert_eq!((library.counts().photos, library.counts().skipped), (1, 1));
        see(&library, &[photo("a.jpg", 2), photo("b.jpg", 1)]);
        assert_eq!((library.counts().photos, library.counts().skipped), (2, 0));
    }

    #[test]
    fn what_a_scan_does_not_see_is_gone_unless_it_was_incomplete() {
        let library = Library::new(true);
        see(&library, &[photo("a.jpg", 1), photo("b.jpg", 1)]);
        library.scan_finished(&Default::default(), 0, true);
        assert_eq!(library.counts().photos, 2);
        see(&library, &[photo("b.jpg", 1)]);
        assert_eq!(library.counts().photos, 1);
    }

    #[test]
    fn an_empty_folder_shows_the_demo_until_a_photo_comes() {
        let library = Library::new(true);
        assert!(
            library.entries().is_empty(),
            "nothing is known before the first scan"
        );
        see(&library, &[]);
        assert!(library.counts().demo);
        assert_eq!(library.entries().len(), demo::n_demo_pictures());
        see(&library, &[photo("a.jpg", 1)]);
        assert_eq!(library.entries().len(), 1);
    }

    #[test]
    fn changes_are_announced_only_when_there_are_any() {
        let library = Library::new(true);
        see(&library, &[photo("a.jpg", 1)]);
        let mut changes = library.changes();
        changes.mark_unchanged();
        see(&library, &[photo("a.jpg", 1)]);
        assert!(!changes.has_changed().unwrap());
        library.forget(&photo("a.jpg", 1));
        assert!(changes.has_changed().unwrap());
    }
}
