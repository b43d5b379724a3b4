//! The walk of a scan: from folder to folder, comparing what lies there with what the index knows.
//!
//! One thread. Opens no file; what is new or changed is handed to those who do.

#![expect(
    clippy::disallowed_methods,
    reason = "whether a file stands still is told by the clock"
)]

use std::{
    collections::{HashMap, HashSet},
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    sync::{
        atomic::{AtomicBool, Ordering::Relaxed},
        mpsc::SyncSender,
    },
    time::Instant,
};

use super::{
    super::{
        Library, Remark, Version,
        index::{Change, Known, Outcome, Record, State},
        kinds::{Ending, Kinds, ending},
        sidecars::{self, Sidecars},
        twins::Twins,
        walk::{Bounds, Identity, Listing},
    },
    BATCH, Job, News, SETTLES_AFTER, Start, Twin,
};
use crate::{blocking::Blocking, files};

/// The thread that walks.
pub(super) struct Walker<'a> {
    pub(super) library: &'a Library,
    pub(super) blocking: Blocking,
    pub(super) bounds: &'a Bounds,
    pub(super) roots: &'a [PathBuf],
    pub(super) unsettled: &'a HashMap<PathBuf, (Version, Instant)>,
    /// Files that could not be read, what they were, and whether it is time to try again.
    pub(super) waiting: HashMap<PathBuf, (Version, bool)>,
    pub(super) links: &'a HashMap<PathBuf, bool>,
    pub(super) everything: bool,
    /// Files of a folder that are handed on together.
    pub(super) batch: Vec<Job>,
    pub(super) jobs: SyncSender<Vec<Job>>,
    pub(super) news: SyncSender<Vec<News>>,
    pub(super) stop: &'a AtomicBool,
    pub(super) walked: Walked,
}

/// The things that a walk came by.
#[derive(Debug, Default)]
pub(in super::super) struct Walked {
    /// Folders that were read whole.
    pub(super) visited: HashSet<PathBuf>,
    /// The folders that were read whole, told apart whatever they are called.
    identities: HashSet<(u64, u64)>,
    /// Folders, or what stands in their place, that can't be read now, and why.
    pub(in super::super) unread: HashMap<PathBuf, String>,
    /// Of the files that wait, those that are there.
    pub(in super::super) met: HashSet<PathBuf>,
    /// The remarks on what is not shown and is no file of the index.
    pub(in super::super) remarks: Vec<(PathBuf, Remark)>,
    /// The files that are no pictures by their names, in each folder that was read and has some.
    pub(in super::super) kinds: Vec<(PathBuf, Kinds)>,
    /// Links to folders: followed or not.
    pub(super) links: HashMap<PathBuf, bool>,
    /// A link was found that only a scan of everything can judge.
    pub(super) unjudged: bool,
    /// Everything below the starts could be seen.
    pub(super) complete: bool,
}

impl Walker<'_> {
    /// Walks from all `starts`; then from the links that were found there, so that a folder is seen
    /// under its own name before it is seen under another.
    pub(super) fn walk(mut self, starts: &[Start]) -> Walked {
        self.walked.complete = true;
        let mut found = Vec::new();
        let mut reached = Vec::new();
        for start in starts {
            // A share that isn't mounted must not empty the walls.
            if self.root_is_away(&start.folder) {
                self.walked.complete = false;
            } else {
                reached.push(start);
                if self
                    .walk_below(&start.folder, start.deep, &mut found)
                    .is_none()
                {
                    return self.cut_short();
                }
            }
        }
        while !found.is_empty() {
            let mut links = std::mem::take(&mut found);
            links.sort();
            for link in links {
                if self.follows(&link) && self.walk_below(&link, true, &mut found).is_none() {
                    return self.cut_short();
                }
            }
        }
        for start in reached.into_iter().filter(|start| start.deep) {
            if self.tell_what_is_gone(&start.folder).is_none() {
                return self.cut_short();
            }
        }
        self.walked.complete &= self.walked.unread.is_empty();
        self.walked
    }

    fn cut_short(mut self) -> Walked {
        self.walked.complete = false;
        self.walked
    }

    fn root_is_away(&self, start: &Path) -> bool {
        let Some(root) = self.roots.iter().find(|root| start.starts_with(root)) else {
            return true;
        };
        self.library.root_is_away(self.blocking, root)
    }

    /// Whether a link to a folder is followed: not when its folder was seen under its own name.
    fn follows(&mut self, link: &Path) -> bool {
        if !self.everything {
            // Only who has seen everything knows what is seen elsewhere.
            let judged = self.links.get(link).copied();
            self.walked.unjudged |= judged.is_none();
            if judged == Some(true) {
                return true;
            }
        }
        let judged = self.bounds.judge(link);
        let follows = self.everything && matches!(judged, Ok(None)) && !self.was_seen(link);
        if self.everything {
            self.walked.links.insert(link.to_owned(), follows);
        }
        match judged {
            Ok(None) => {}
            Ok(Some(reason)) => self.remark(link, reason, false),
            Err(error) if files::is_passing(&error) => self.can_not_read(link, &error),
            Err(_) => {}
        }
        follows
    }

    fn was_seen(&self, folder: &Path) -> bool {
        let identity = self
            .bounds
            .folder(folder)
            .ok()
            .and_then(Result::ok)
            .flatten();
        identity.is_some_and(|identity| self.walked.identities.contains(&identity))
    }

    /// `None` when nobody wants to know any more.
    fn walk_below(&mut self, start: &Path, deep: bool, links: &mut Vec<PathBuf>) -> Option<()> {
        let mut folders = vec![start.to_owned()];
        while let Some(folder) = folders.pop() {
            if self.stop.load(Relaxed) {
                return None;
            }
            let listing = match self.enter(&folder) {
                Ok(Some(listing)) => listing,
                Ok(None) => continue,
                Err(error) if files::is_passing(&error) => {
                    self.can_not_read(&folder, &error);
                    continue;
                }
                // Gone between two reads, or no folder any more.
                Err(_) => continue,
            };
            if deep {
                folders.extend(listing.folders.iter().rev().cloned());
                links.extend(listing.links.iter().cloned());
            }
            self.walked.visited.insert(folder.clone());
            self.compare(&folder, listing)?;
        }
        Some(())
    }

    /// The content of a folder; `None` when it has been seen, or is none to look into.
    fn enter(&mut self, folder: &Path) -> std::io::Result<Option<Listing>> {
        let identity: Identity = match self.bounds.folder(folder)? {
            Ok(identity) => identity,
            Err(reason) => {
                self.remark(folder, reason, false);
                return Ok(None);
            }
        };
        if identity.is_some_and(|identity| self.walked.identities.contains(&identity)) {
            return Ok(None);
        }
        let listing = self.bounds.list(folder)?;
        self.walked.identities.extend(identity);
        Ok(Some(listing))
    }

    fn remark(&mut self, path: &Path, reason: &str, is_passing: bool) {
        let remark = Remark {
            reason: reason.to_owned(),
            is_passing,
        };
        self.walked.remarks.push((path.to_owned(), remark));
    }

    fn can_not_read(&mut self, folder: &Path, error: &std::io::Error) {
        let reason = files::plain(error);
        let remark = format!("the folder can't be read: {reason}; its photos are kept as they are");
        self.remark(folder, &remark, true);
        self.walked.unread.insert(folder.to_owned(), reason);
    }

    /// Folders that are known and that the walk did not come by.
    fn tell_what_is_gone(&self, start: &Path) -> Option<()> {
        for known in self.library.folders_below(self.blocking, start) {
            let mut unread = self.walked.unread.keys();
            if self.walked.visited.contains(&known)
                || unread.any(|folder| known.starts_with(folder))
            {
                continue;
            }
            let files = self.library.known_in(self.blocking, &known).into_values();
            for known in files.filter(|known| !known.gone) {
                self.tell(Change::Gone(known.id))?;
            }
        }
        Some(())
    }

    /// Compares a folder with what the index knows of it.
    fn compare(&mut self, folder: &Path, listing: Listing) -> Option<()> {
        let mut known = self.library.known_in(self.blocking, folder);
        let mut n_seen = 0;
        let mut kinds = listing.kinds;
        let files = listing.files.iter();
        let sidecars = Sidecars::among(
            files.map(|(name, version)| (name.as_os_str(), version.modified_nanos)),
        );
        for (link, reason) in &listing.refused {
            self.remark(link, reason, false);
        }
        // There, but nobody can say now what they are; nor what a sidecar among them says of its photo.
        for name in &listing.unsure {
            known.remove(name);
        }
        let unsure: Vec<&OsString> = listing
            .unsure
            .iter()
            .filter(|name| matches!(ending(Path::new(name)), Ending::NoPicture(_)))
            .collect();
        let twins = self.twins(&listing.files, &known, &sidecars);
        for (name, mut version) in listing.files {
            if let Some(kind) = self.bounds.counted(Path::new(&name)) {
                kinds.add(kind, 1);
                continue;
            }
            if unsure.iter().any(|sidecar| sidecars::is_of(sidecar, &name)) {
                known.remove(&name);
                n_seen += 1;
                continue;
            }
            let (beside, sidecar_nanos) = sidecars.of(folder, &name);
            version.sidecar_nanos = sidecar_nanos;
            let clips = self.bounds.reach.clips;
            if clips.take(Path::new(&name)) {
                version.sidecar_nanos = version.sidecar_nanos.wrapping_add(clips.stamp());
            }
            let twin = twins
                .of(&name)
                .map(|twin| Twin::new(folder, twin, &sidecars));
            if let Some(twin) = &twin {
                version.sidecar_nanos = version.sidecar_nanos.wrapping_add(twin.stamp());
            }
            let path = folder.join(&name);
            let waits = self.waiting.get(&path).copied();
            if waits.is_some() {
                self.walked.met.insert(path.clone());
            }
            let is_due = waits.is_some_and(|(before, is_due)| is_due || before != version);
            match known.remove(&name) {
                Some(known) if known.version.is_as(&version) && !is_due => {
                    n_seen += 1;
                    if known.gone {
                        self.tell(Change::Back(known.id))?;
                    }
                    if known.version.changed_nanos != version.changed_nanos {
                        self.tell(Change::Stamped(known.id, version.changed_nanos))?;
                    }
                }
                _ if waits.is_some() && !is_due => n_seen += 1,
                _ => {
                    let settled = self.unsettled.get(&path).is_some_and(|(before, since)| {
                        *before == version && since.elapsed() >= SETTLES_AFTER
                    });
                    self.batch.push(Job {
                        path,
                        version,
                        beside,
                        twin,
                        settled,
                    });
                    if self.batch.len() >= BATCH {
                        self.hand_on()?;
                    }
                }
            }
        }
        for name in listing.odd {
            let path = folder.join(&name);
            if ending(&path) == Ending::Picture
                && known
                    .remove(&name)
                    .is_none_or(|known| known.gone || known.version != Version::default())
            {
                self.tell(Change::Seen(Box::new(Record {
                    path,
                    version: Version::default(),
                    outcome: Outcome::Skipped(files::NO_FILE.into()),
                })))?;
            }
        }
        for (name, reason) in listing.left_out {
            let is_known = known.remove(&name).is_some_and(|known| {
                !known.gone && known.state == State::LeftOut && known.version == Version::default()
            });
            if !is_known {
                self.tell(Change::Seen(Box::new(Record {
                    path: folder.join(&name),
                    version: Version::default(),
                    outcome: Outcome::LeftOut(reason.into()),
                })))?;
            }
        }
        for known in known.into_values().filter(|known| !known.gone) {
            self.tell(Change::Gone(known.id))?;
        }
        if !kinds.is_empty() {
            self.walked.kinds.push((folder.to_owned(), kinds));
        }
        self.hand_on()?;
        self.news.send(vec![News::Seen(n_seen)]).ok()
    }

    fn hand_on(&mut self) -> Option<()> {
        if self.batch.is_empty() {
            return Some(());
        }
        self.jobs.send(std::mem::take(&mut self.batch)).ok()
    }

    /// The files that take the turns of others. One that could not be shown takes nobody's.
    fn twins(
        &self,
        files: &[(OsString, Version)],
        known: &HashMap<OsString, Known>,
        sidecars: &Sidecars,
    ) -> Twins {
        if self.bounds.show_left_out() {
            return Twins::default();
        }
        let can_be_shown = |name: &OsStr| {
            let known = known.get(name);
            known.is_none_or(|known| known.gone || known.state != State::Skipped)
        };
        let files = files
            .iter()
            .map(|(name, version)| (name.as_os_str(), *version));
        Twins::among(files.filter(|(name, _)| can_be_shown(name)), |name| {
            sidecars.has_own(name)
        })
    }

    fn tell(&self, change: Change) -> Option<()> {
        self.news.send(vec![News::Change(change)]).ok()
    }
}
