//! The catalogue of what there is to show: the library's photos, or the demo's pictures where there are none.

use std::{collections::HashMap, sync::Arc};

use super::demo;
use crate::{
    blocking::Blocking,
    library::{Facts, Filter, Library, Origin, Photo, Version},
    photo::{Entry, Order, PhotoId, Shape},
    render::Kind,
};

/// The library and, beside it, the demo's pictures. Shared.
#[derive(Debug)]
pub struct Catalogue {
    library: Arc<Library>,
    demo: Vec<Arc<Photo>>,
}

impl Catalogue {
    /// The catalogue of `library`'s photos.
    pub fn new(library: Arc<Library>) -> Self {
        let demo = 0..demo::n_demo_pictures();
        Self {
            library,
            demo: demo.map(|index| Arc::new(demo_photo(index))).collect(),
        }
    }

    /// Where the photos are from.
    pub fn library(&self) -> &Arc<Library> {
        &self.library
    }

    /// Whether this is one of the demo's pictures, which stand in for photos.
    pub fn is_demo(&self, id: PhotoId) -> bool {
        self.demo.iter().any(|photo| photo.id == id)
    }

    /// Whether the demo is shown for want of photos.
    pub fn shows_demo(&self) -> bool {
        self.library.has_scanned() && self.library.counts().photos == 0
    }

    /// The entries that `filter` lets through; and when that is nothing, once everything has been looked through,
    /// the demo's pictures. Never a photo that was not asked for.
    pub fn entries_or_demo(&self, blocking: Blocking, filter: &Filter, order: Order) -> Vec<Entry> {
        let library = &self.library;
        let found = library.entries(blocking, filter, order);
        if !found.is_empty() || !library.has_scanned() {
            return found;
        }
        if !filter.is_all() && library.counts().photos > 0 {
            let guess = library.guess(blocking, filter);
            tracing::warn!(
                "there is no photo to show for this choice: {filter}{guess}; drawn pictures are shown until there is one"
            );
        }
        self.demo.iter().map(|photo| demo_entry(photo)).collect()
    }

    /// The picture `id`, if it is (still) there.
    pub fn photo(&self, blocking: Blocking, id: PhotoId) -> Option<Arc<Photo>> {
        let demo = self.demo.iter().find(|photo| photo.id == id);
        demo.cloned().or_else(|| self.library.photo(blocking, id))
    }

    /// Those of `ids` that are (still) there, for threads that serve.
    pub async fn photos(
        self: &Arc<Self>,
        ids: impl Iterator<Item = PhotoId>,
    ) -> HashMap<PhotoId, Arc<Photo>> {
        let (catalogue, ids) = (self.clone(), ids.collect::<Vec<_>>());
        let found = Blocking::run(move |blocking| {
            let known = |id: PhotoId| Some((id, catalogue.photo(blocking, id)?));
            ids.into_iter().filter_map(known).collect()
        });
        // What panicked is told in the log, and nothing is known then.
        found.await.unwrap_or_default()
    }
}

fn demo_photo(index: usize) -> Photo {
    let name = demo::title(index);
    Photo {
        id: PhotoId::of(format!("demo:{name}").as_bytes()),
        origin: Origin::BuiltIn(demo::jpeg(index)),
        name: name.into(),
        taken: i64::try_from(index).unwrap_or(0),
        version: Version::default(),
        facts: Facts {
            kind: Some(Kind::Jpeg),
            size: Some(demo::size(index)),
            ..Facts::default()
        },
    }
}

fn demo_entry(photo: &Photo) -> Entry {
    Entry {
        id: photo.id,
        taken: photo.taken,
        name: photo.name.clone(),
        // Each has the screen to itself.
        shape: Shape::Unknown,
        album: 0,
        camera: 0,
        likeness: None,
        added: 0,
        favourite: false,
        plays_millis: 0,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::{
        library::{Scanner, Scope, roots_of},
        render,
    };

    #[test]
    fn an_empty_folder_shows_the_demo_until_a_photo_comes() {
        let folder = tempfile::tempdir().unwrap();
        let roots = roots_of(&[folder.path().to_owned()]);
        let mut scanner = Scanner::new(&roots);
        let library = Arc::new(Library::in_memory(roots));
        let catalogue = Catalogue::new(library.clone());
        let entries =
            || catalogue.entries_or_demo(Blocking::here(), &Filter::default(), Order::Shuffle);
        let mut scan = || scanner.scan(&library, &Scope::Everything, &AtomicBool::new(false));
        assert_eq!(entries(), [], "nothing is known before the first scan");
        assert!(!catalogue.shows_demo());
        scan();
        assert!(catalogue.shows_demo());
        assert_eq!(entries().len(), demo::n_demo_pictures());
        for entry in entries() {
            assert!(catalogue.is_demo(entry.id));
            assert!(catalogue.photo(Blocking::here(), entry.id).is_some());
        }
        let picture = render::Picture::filled(16, 16, [1, 90, 200]);
        let jpeg = render::encode(&picture, render::Quality::default()).unwrap();
        std::fs::write(folder.path().join("a.jpg"), jpeg).unwrap();
        scan();
        let [entry] = &entries()[..] else {
            panic!("one photo")
        };
        assert!(!catalogue.is_demo(entry.id) && !catalogue.shows_demo());
    }
}
