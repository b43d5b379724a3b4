//! Marks that people put on photos: hidden, and favourite. Kept in a file of our own, never in the photo.
//!
//! A mark is a photo's by where it is stored; one that is stored nowhere any more is found again by its size and the time of
//! its last change, which a file keeps when it is moved. The index has a copy, for its queries.

mod kept;
#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, HashSet},
    path::Path,
};

use super::{
    Library, Photo,
    index::{self, Content, Marked},
};
use crate::{
    blocking::Blocking,
    photo::{Entry, PhotoId},
};
pub(super) use kept::Marks;
pub use kept::PhotoIdText;
use kept::{MAX_MARKS, Mark};

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

    /// Says of each entry whether it is a favourite.
    pub(super) fn mark_favourites(&self, entries: &mut [Entry]) {
        let kept = self.marks.lock();
        if kept.values().any(|mark| mark.favourite) {
            for entry in entries {
                let mark = kept.get(&PhotoIdText(entry.id));
                entry.favourite = mark.is_some_and(|mark| mark.favourite);
            }
        }
    }

    /// Brings marks of files that were moved to where these are now, and the index up to date. Called after each scan.
    pub(super) fn settle_marks(&self, blocking: Blocking) {
        if !self.marks.is_open() {
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
        let Some((after, is_news, moved)) = moved else {
            return false;
        };
        self.index.note(moved);
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
