//! The named screens that are to sleep, in a file. Knows no HTTP, and not how a screen does it.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Mutex,
};

use tokio::sync::watch;

use crate::{
    blocking::Blocking,
    locked::locked,
    profiles::{MAX_PROFILES, ScreenName},
    state::SLEEPERS,
    store,
};

/// Two hundred of the longest names are 9 KB.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// The screens that are to sleep.
#[derive(Debug, Default)]
pub struct Sleepers {
    path: Option<PathBuf>,
    names: Mutex<BTreeSet<ScreenName>>,
    /// Held while the file is written.
    writing: Mutex<()>,
    changed: watch::Sender<u64>,
}

/// The limit of screens that sleep is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{MAX_PROFILES} screens sleep already; wake one that is no more")]
pub struct Full;

impl Sleepers {
    /// Those kept in `dir`. A file that can't be read is set aside: a screen too many is awake then.
    pub fn open(dir: Option<&Path>) -> Self {
        let path = dir.map(|dir| dir.join(SLEEPERS));
        let read = |path: &PathBuf| {
            store::read_json(path, MAX_FILE_BYTES, "the screens that sleep").unwrap_or_default()
        };
        let names = path.as_ref().map(read).unwrap_or_default();
        Self {
            path,
            names: Mutex::new(names),
            ..Self::default()
        }
    }

    /// Whether this screen is to sleep.
    pub fn has(&self, name: &ScreenName) -> bool {
        locked(&self.names).contains(name)
    }

    /// All of them, sorted.
    pub fn all(&self) -> Vec<ScreenName> {
        locked(&self.names).iter().cloned().collect()
    }

    /// Tells when a screen falls asleep or wakes.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Has a screen sleep or wake. That it can't be kept over a restart is told in the log alone.
    ///
    /// # Errors
    /// There are too many.
    pub fn set(&self, blocking: Blocking, name: ScreenName, sleeps: bool) -> Result<(), Full> {
        let _turn = locked(&self.writing);
        let names = {
            let mut names = locked(&self.names);
            if sleeps && names.len() >= MAX_PROFILES && !names.contains(&name) {
                return Err(Full);
            }
            let is_news = if sleeps {
                names.insert(name)
            } else {
                names.remove(&name)
            };
            if !is_news {
                return Ok(());
            }
            names.clone()
        };
        self.changed.send_modify(|version| *version += 1);
        if let Some(path) = &self.path {
            let text = serde_json::to_vec_pretty(&names).map_err(std::io::Error::from);
            let kept = text.and_then(|text| store::replace(blocking, path, &text));
            if let Err(error) = kept {
                tracing::warn!("{} can't be written: {error}", path.display());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> ScreenName {
        text.parse().unwrap()
    }

    #[test]
    fn a_screen_sleeps_over_a_restart_until_it_is_woken() {
        let dir = tempfile::tempdir().unwrap();
        let sleepers = Sleepers::open(Some(dir.path()));
        let mut changes = sleepers.changes();
        changes.mark_unchanged();
        sleepers.set(Blocking::here(), name("hall"), true).unwrap();
        assert!(changes.has_changed().unwrap());
        changes.mark_unchanged();
        sleepers.set(Blocking::here(), name("hall"), true).unwrap();
        assert!(!changes.has_changed().unwrap());
        let again = Sleepers::open(Some(dir.path()));
        assert!(again.has(&name("hall")) && !again.has(&name("tv")));
        again.set(Blocking::here(), name("hall"), false).unwrap();
        assert!(!Sleepers::open(Some(dir.path())).has(&name("hall")));
    }

    #[test]
    fn a_damaged_file_is_set_aside_and_there_is_an_end_to_names() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(SLEEPERS), "[\"../x\"]").unwrap();
        let sleepers = Sleepers::open(Some(dir.path()));
        assert!(dir.path().join(format!("{SLEEPERS}.damaged")).exists());
        for n in 0..MAX_PROFILES {
            let name = name(&format!("tv-{n}"));
            sleepers.set(Blocking::here(), name, true).unwrap();
        }
        let more = sleepers.set(Blocking::here(), name("one-more"), true);
        assert_eq!(more, Err(Full));
        sleepers.set(Blocking::here(), name("tv-0"), true).unwrap();
    }
}
