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

    /// The part of `all` that is chosen; all of it where the index knows no photo of that part. Whoever starts so has
    /// nothing to wait for: a scan that finds some more comes too late.
    pub fn within(
        &self,
        library: &Library,
        blocking: Blocking,
        all: &Filter,
        order: Order,
    ) -> Filter {
        let wish = self.filter();
        if wish.is_all() {
            return all.clone();
        }
        let wish = wish.within(all);
        if lets_nothing(library, blocking, &wish, order) {
            tell_of_nothing(&wish);
            locked(&self.wishes).clear();
            return all.clone();
        }
        wish
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

/// Whether no photo gets through this filter.
fn lets_nothing(library: &Library, blocking: Blocking, filter: &Filter, order: Order) -> bool {
    library.entries(blocking, filter, order).is_empty()
}

fn tell_of_nothing(wish: &Filter) {
    tracing::info!("no photo is left of what was chosen ({wish}); all are shown");
}

/// Shows every photo again as soon as none is left of what was chosen for all: for an album that somebody deletes the
/// screens would show drawn pictures until somebody chooses again. Ends with the channels.
pub async fn go_back_to_all(channels: Arc<Channels>, library: Arc<Library>, order: Order) {
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
            let lets_nothing = |filter| lets_nothing(&library, blocking, filter, order);
            lets_nothing(&asked) && !lets_nothing(&all)
        });
        // Somebody may have chosen meanwhile.
        if !is_gone.await.unwrap_or(false) || channels.chosen() != chosen {
            continue;
        }
        tell_of_nothing(&wish);
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
        assert!(!gone.filter().is_all());
        let library = Library::in_memory(Vec::new());
        let all = Filter::default();
        let shown = gone.within(&library, Blocking::here(), &all, Order::Name);
        assert!(shown.is_all() && gone.filter().is_all());
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
