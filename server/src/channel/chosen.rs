//! The photos that somebody has chosen for all who don't choose themselves, kept over a restart.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use super::choices::Channels;
use crate::{
    blocking::Blocking,
    library::{FILTER_KEYS, Filter, Library},
    locked::locked,
    photo::Order,
    state::CHOICE,
    store,
};

/// The file's limit: the longest values of all keys are shorter.
const MAX_BYTES: u64 = 16 * 1024;

/// A choice as it was asked for: keys of [`FILTER_KEYS`] with their values.
pub type Wishes = BTreeMap<String, String>;

/// The choice that is on where nobody chooses.
#[derive(Debug, Default)]
pub struct Chosen {
    wishes: Mutex<Wishes>,
    path: Option<PathBuf>,
    /// Held while the file is written.
    writing: Mutex<()>,
}

impl Chosen {
    /// The one that was on when the program ended. A file that makes no sense is set aside: everything is on then.
    pub fn open(dir: Option<&Path>) -> Self {
        let path = dir.map(|dir| dir.join(CHOICE));
        let read = |path: &PathBuf| {
            store::read_json(path, MAX_BYTES, "the photos that were chosen").unwrap_or_default()
        };
        let wishes: Wishes = path.as_ref().map(read).unwrap_or_default();
        let is_known = filter(&wishes).is_some();
        Self {
            wishes: Mutex::new(if is_known { wishes } else { Wishes::new() }),
            path,
            writing: Mutex::default(),
        }
    }

    /// The photos that are chosen.
    pub fn filter(&self) -> Filter {
        filter(&locked(&self.wishes)).unwrap_or_default()
    }

    /// Lets every photo through from now on, until somebody chooses: what was chosen is no more.
    pub fn forget(&self) {
        locked(&self.wishes).clear();
    }

    /// Takes another choice. That it can't be kept over a restart is told in the log alone.
    pub(super) fn set(&self, blocking: Blocking, wishes: Wishes) {
        let _turn = locked(&self.writing);
        locked(&self.wishes).clone_from(&wishes);
        let Some(path) = &self.path else { return };
        let text = serde_json::to_vec_pretty(&wishes).map_err(std::io::Error::from);
        if let Err(error) = text.and_then(|text| store::replace(blocking, path, &text)) {
            tracing::warn!("{} can't be written: {error}", path.display());
        }
    }
}

/// Shows every photo again as soon as none is left of what was chosen for all: for an album that somebody deletes the
/// screens would show drawn pictures until somebody chooses again. Ends with the channels.
pub async fn let_go_of_nothing(channels: Arc<Channels>, library: Arc<Library>, order: Order) {
    let mut changes = library.changes();
    while changes.changed().await.is_ok() {
        let chosen = channels.chosen();
        if chosen.is_all() || !library.has_scanned() {
            continue;
        }
        let (wish, all) = (
            channels.allowed(&chosen),
            channels.allowed(&Filter::default()),
        );
        let (asked, library) = (wish.clone(), library.clone());
        let is_gone = Blocking::run(move |blocking| {
            let has = |filter| !library.entries(blocking, filter, order).is_empty();
            !has(&asked) && has(&all)
        });
        // Somebody may have chosen meanwhile.
        if !is_gone.await.unwrap_or(false) || channels.chosen() != chosen {
            continue;
        }
        tracing::info!("no photo is left of what was chosen ({wish}); all are shown");
        let everything = Filter::default();
        let told = channels.choose_for_all(&everything, Wishes::new()).await;
        if told.is_err() {
            return;
        }
    }
}

/// The filter that these are; `None` where one of them makes no sense.
fn filter(wishes: &Wishes) -> Option<Filter> {
    let mut filter = Filter::default();
    for (key, value) in wishes {
        if !FILTER_KEYS.contains(&key.as_str()) {
            return None;
        }
        filter.set(key, value).ok()?;
    }
    Some(filter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wishes(pairs: &[(&str, &str)]) -> Wishes {
        let owned = |(key, value): &(&str, &str)| ((*key).into(), (*value).into());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn every_choice_is_the_same_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let open = || Chosen::open(Some(dir.path()));
        assert!(open().filter().is_all());
        for pairs in [
            &[("album", "Zürich & \"more\"")][..],
            &[("from", "2014"), ("to", "2014-07"), ("rating", "4")],
            &[("keyword", "cats,dogs"), ("newest", "500")],
            &[
                ("favourites", ""),
                ("on-this-day", "5"),
                ("orientation", "portrait"),
            ],
            &[],
        ] {
            let chosen = open();
            chosen.set(Blocking::here(), wishes(pairs));
            assert_eq!(chosen.filter().is_all(), pairs.is_empty());
            assert_eq!(open().filter(), chosen.filter());
        }
        open().set(Blocking::here(), wishes(&[("album", "Rome")]));
        let gone = open();
        gone.forget();
        assert!(gone.filter().is_all());
    }

    #[test]
    fn what_makes_no_sense_chooses_nothing() {
        let dir = tempfile::tempdir().unwrap();
        for text in [
            "",
            "{",
            "[]",
            r#"{"album":7}"#,
            r#"{"album":""}"#,
            r#"{"colour":"red"}"#,
            r#"{"rating":"9"}"#,
        ] {
            std::fs::write(dir.path().join(CHOICE), text).unwrap();
            assert!(Chosen::open(Some(dir.path())).filter().is_all(), "{text}");
        }
        let nowhere = Chosen::open(None);
        nowhere.set(Blocking::here(), wishes(&[("album", "Rome")]));
        assert_eq!(nowhere.filter().album(), Some("Rome"));
    }
}
