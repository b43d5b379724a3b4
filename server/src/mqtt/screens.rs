//! The named screens that a broker has been told of, kept over a restart: one whose settings were deleted meanwhile is taken back
//! from it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use crate::{blocking::Blocking, profiles::ScreenName, state::SCREENS, store};

/// Screens that are devices of their own.
const MAX_SCREENS: usize = 64;
/// The file's limit: so many of the longest names are shorter.
const MAX_BYTES: u64 = 64 * 1024;

/// The screens that have been seen: one that is off for a while is still there.
#[derive(Debug, Default)]
pub(super) struct Screens {
    /// With whether their settings were kept: once these are deleted, they are forgotten.
    known: BTreeMap<String, bool>,
    /// Those that are kept.
    written: BTreeMap<String, bool>,
    path: Option<PathBuf>,
}

impl Screens {
    /// Those that were told of before the program ended.
    pub(super) fn open(dir: Option<&Path>) -> Self {
        let path = dir.map(|dir| dir.join(SCREENS));
        let read = |path: &PathBuf| {
            store::read_json(path, MAX_BYTES, "the screens that home automation knows")
                .unwrap_or_default()
        };
        let mut known: BTreeMap<String, bool> = path.as_ref().map(read).unwrap_or_default();
        known.retain(|name, _| name.parse::<ScreenName>().is_ok());
        Self {
            written: known.clone(),
            known,
            path,
        }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &String> {
        self.known.keys()
    }

    /// Takes in which have settings now, and which are seen.
    pub(super) fn take(&mut self, kept: &BTreeSet<String>, seen: &BTreeSet<String>) {
        // One that still reports goes when it does so no more.
        self.known
            .retain(|name, had| !*had || kept.contains(name) || seen.contains(name));
        for name in kept.union(seen) {
            if self.known.len() < MAX_SCREENS || self.known.contains_key(name) {
                *self.known.entry(name.clone()).or_default() |= kept.contains(name);
            }
        }
    }

    /// The write that keeps them, if there is anything new. To be done once the broker has been told.
    pub(super) fn write(&mut self) -> Option<impl FnOnce(Blocking) + Send + use<>> {
        if self.known == self.written {
            return None;
        }
        self.written.clone_from(&self.known);
        let (path, text) = (self.path.clone()?, serde_json::to_vec_pretty(&self.known));
        Some(move |blocking| {
            let text = text.map_err(std::io::Error::from);
            if let Err(error) = text.and_then(|text| store::replace(blocking, &path, &text)) {
                tracing::warn!("{} can't be written: {error}", path.display());
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(ToString::to_string).collect()
    }

    fn known(screens: &Screens) -> Vec<&String> {
        screens.names().collect()
    }

    #[test]
    fn a_screen_goes_with_its_settings_and_stays_without_any() {
        let mut screens = Screens::default();
        screens.take(&names(&["hall"]), &names(&["tv"]));
        assert_eq!(known(&screens), ["hall", "tv"]);
        // Both are off.
        screens.take(&names(&["hall"]), &names(&[]));
        assert_eq!(known(&screens), ["hall", "tv"]);
        // Deleted while it reports.
        screens.take(&names(&[]), &names(&["hall"]));
        assert_eq!(known(&screens), ["hall", "tv"]);
        screens.take(&names(&[]), &names(&[]));
        assert_eq!(known(&screens), ["tv"]);
        // Its settings are kept, and then are not.
        screens.take(&names(&["tv"]), &names(&[]));
        screens.take(&names(&[]), &names(&[]));
        assert!(known(&screens).is_empty());
        let many: BTreeSet<String> = (0..200).map(|n| format!("tv-{n}")).collect();
        screens.take(&many, &names(&[]));
        assert_eq!(known(&screens).len(), MAX_SCREENS);
    }

    #[test]
    fn what_was_told_is_known_after_a_restart_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let open = || Screens::open(Some(dir.path()));
        let mut screens = open();
        screens.take(&names(&["hall"]), &names(&["tv"]));
        assert!(known(&open()).is_empty(), "the broker has not been told");
        screens.write().unwrap()(Blocking::here());
        assert!(screens.write().is_none());
        let mut again = open();
        assert_eq!(known(&again), ["hall", "tv"]);
        assert!(again.write().is_none());
        again.take(&names(&[]), &names(&[]));
        assert_eq!(known(&again), ["tv"]);
        for text in ["", "{", "[]", r#"{"../x":true,"a b":false}"#] {
            std::fs::write(dir.path().join(SCREENS), text).unwrap();
            assert!(known(&open()).is_empty(), "{text}");
        }
    }
}
