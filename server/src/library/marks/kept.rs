//! The file of the marks: read once, replaced whole, set aside where it is damaged.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard},
};

use super::{MarkError, Photo};
use crate::{blocking::Blocking, locked::locked, photo::PhotoId, state::MARKS, store};

/// The limit of marked photos: beyond it somebody is filling the disk.
pub(super) const MAX_MARKS: usize = 20_000;

/// Twenty thousand of the longest names are less.
const MAX_FILE_BYTES: u64 = 32 * 1024 * 1024;

/// Characters of a photo's name that are kept for people.
const MAX_NAME_CHARS: usize = 400;

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
pub(super) struct Mark {
    pub(super) name: String,
    #[serde(default)]
    pub(super) hidden: bool,
    #[serde(default)]
    pub(super) favourite: bool,
    /// The size and the time of change by which it is found again; 0 where they aren't known.
    #[serde(default)]
    pub(super) n_bytes: u64,
    #[serde(default)]
    pub(super) modified_nanos: i64,
}

pub(super) type Kept = BTreeMap<PhotoIdText, Mark>;

/// All marks, and where they are kept.
#[derive(Debug, Default)]
pub(in super::super) struct Marks {
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
    pub(super) fn open(&self, dir: Option<&Path>) {
        let path = dir.map(|dir| dir.join(MARKS));
        let kept = path.as_deref().map_or_else(
            || Ok(Kept::default()),
            |path| {
                store::read_json(
                    path,
                    MAX_FILE_BYTES,
                    "which photos are hidden or favourites",
                )
            },
        );
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

    /// Whether the marks have been read.
    pub(super) fn is_open(&self) -> bool {
        locked(&self.place).is_open
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Kept> {
        locked(&self.kept)
    }

    /// Changes the marks, all or nothing.
    pub(super) fn change(
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

impl Mark {
    pub(super) fn of(photo: &Photo) -> Self {
        Self {
            name: photo.name.chars().take(MAX_NAME_CHARS).collect(),
            hidden: false,
            favourite: false,
            n_bytes: photo.version.n_bytes,
            modified_nanos: photo.version.modified_nanos,
        }
    }
}
