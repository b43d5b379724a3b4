//! The content of folders, and which links are followed.
//!
//! Lists one folder at a time and looks at no file's content. A link is followed inside the folders
//! that are shown, and anywhere when the user says so; never into file systems that are no storage,
//! such as /proc.

#![expect(
    clippy::disallowed_methods,
    reason = "this is the walk, on threads of a scan, which may wait for a drive"
)]

use std::{
    collections::HashSet,
    ffi::OsString,
    fs::{self, Metadata},
    io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
};

use super::{
    Reach, Version,
    kinds::{Ending, Kind, Kinds, ending},
    leavings::{self, Left},
};
use crate::files;

/// Beside the index: locks, marks, and what is kept as state.
const OURS: [&str; 8] = [
    "mantel.lock",
    "tokens.lock",
    "tokens.made",
    crate::state::TOKENS,
    crate::state::PROFILES,
    crate::state::CHANNEL,
    crate::state::CERTIFICATE,
    crate::state::KEY,
];

/// File systems that hold no files of people: a kernel's windows to itself.
const PSEUDO: [&str; 24] = [
    "autofs",
    "binder",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "devpts",
    "devtmpfs",
    "efivarfs",
    "functionfs",
    "fusectl",
    "hugetlbfs",
    "mqueue",
    "nsfs",
    "proc",
    "pstore",
    "resctrl",
    "rpc_pipefs",
    "securityfs",
    "selinuxfs",
    "sysfs",
    "tracefs",
];

/// The file by which phones say that a folder is not for galleries.
const NO_MEDIA: &str = ".nomedia";

/// Why a link isn't followed.
const LEADS_OUT: &str = "it is a link that leads out of the folders that are shown; --follow-links shows what is behind it";
const LEADS_TO_ITSELF: &str = "it is a link that leads to itself";
pub(super) const NO_STORAGE: &str = "it holds no files but the system's own, such as /proc";

/// The identity of a folder, whatever it is called. `None` where the system doesn't tell.
pub(super) type Identity = Option<(u64, u64)>;

/// How far a walk may go.
#[derive(Clone, Debug)]
pub(super) struct Bounds {
    /// The folders that are shown, by their real paths.
    roots: Vec<PathBuf>,
    pub(super) reach: Reach,
    /// Devices that are no storage.
    pseudo: HashSet<u64>,
}

/// The content of a folder.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) folders: Vec<PathBuf>,
    /// Links to folders.
    pub(super) links: Vec<PathBuf>,
    pub(super) files: Vec<(OsString, Version)>,
    /// Neither files nor folders: pipes, sockets, devices.
    pub(super) odd: Vec<OsString>,
    /// The entries that are there, and can't be looked at now.
    pub(super) unsure: Vec<OsString>,
    /// Links that aren't followed, and why.
    pub(super) refused: Vec<(PathBuf, &'static str)>,
    /// Files and folders that are left out, and why.
    pub(super) left_out: Vec<(OsString, &'static str)>,
    /// Files that are left out and could be no pictures.
    pub(super) kinds: Kinds,
}

impl Listing {
    fn leave_out(&mut self, name: OsString, left: Left) {
        match left {
            Left::Listed(reason) => self.left_out.push((name, reason)),
            Left::Counted(kind) => self.kinds.add(kind, 1),
        }
    }
}

impl Bounds {
    /// The bounds as they are now: disks are mounted and folders moved between two scans.
    pub(super) fn of(roots: &[PathBuf], reach: Reach) -> Self {
        let real = |root: &PathBuf| fs::canonicalize(root).unwrap_or_else(|_| root.clone());
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        Self {
            roots: roots.iter().map(real).collect(),
            reach,
            pseudo: pseudo_devices(&mounts),
        }
    }

    /// The identity of `path` if it is a folder that may be walked.
    ///
    /// # Errors
    /// It is none, or can't be looked at.
    pub(super) fn folder(&self, path: &Path) -> io::Result<Result<Identity, &'static str>> {
        let metadata = fs::metadata(path)?;
        if !metadata.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        let identity = identity(&metadata);
        Ok(if self.is_pseudo(&metadata) {
            Err(NO_STORAGE)
        } else {
            Ok(identity)
        })
    }

    /// Whether a walk may begin at `folder`, that lies below a root by its name.
    pub(super) fn may_start_at(&self, folder: &Path, root: &Path) -> bool {
        let mut within = root.to_owned();
        let below = folder.strip_prefix(root).unwrap_or(folder);
        let for_people = below.iter().all(|part| {
            let is_left_out = self.leaves_out(&within, &part.to_string_lossy()).is_some();
            within.push(part);
            // Of the folder itself its listing says so.
            !is_left_out && (within == folder || !self.hides(&within))
        });
        // What is gone has no real path, and has to be told of all the same.
        for_people && fs::canonicalize(folder).map_or(true, |real| self.allow(&real))
    }

    /// Why the link `path` may not be followed, if so.
    ///
    /// # Errors
    /// It can't be looked at.
    pub(super) fn judge(&self, path: &Path) -> io::Result<Option<&'static str>> {
        Ok((!self.allow(&fs::canonicalize(path)?)).then_some(LEADS_OUT))
    }

    /// Lists `folder`. One that is not for galleries is as good as empty, unless somebody asked for it.
    ///
    /// # Errors
    /// It, or a part of it, can't be read: nothing is known of what is in it.
    pub(super) fn list(&self, folder: &Path) -> io::Result<Listing> {
        let mut listing = Listing::default();
        let entries = fs::read_dir(folder)?;
        if self.hides(folder) && !self.is_root(folder) {
            listing
                .left_out
                .push((NO_MEDIA.into(), leavings::NOT_FOR_GALLERIES));
            return Ok(listing);
        }
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let text = name.to_string_lossy();
            if is_our_own(&text) {
                listing.kinds.add(Kind::Own, 1);
                continue;
            }
            let Ok(kind) = entry.file_type() else {
                listing.unsure.push(name);
                continue;
            };
            if kind.is_dir() {
                match self.leaves_out(folder, &text) {
                    Some(reason) => listing.left_out.push((name, reason)),
                    None => listing.folders.push(entry.path()),
                }
            } else if kind.is_symlink() {
                self.look_behind(entry.path(), name, &mut listing);
            } else if let Some(left) = self.leaves_out_file(&text) {
                listing.leave_out(name, left);
            } else if kind.is_file() {
                match entry.metadata() {
                    Ok(metadata) => listing.files.push((name, version_of(&metadata))),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(_) => listing.unsure.push(name),
                }
            } else {
                listing.odd.push(name);
            }
        }
        Ok(listing)
    }

    fn look_behind(&self, link: PathBuf, name: OsString, listing: &mut Listing) {
        let found = fs::metadata(&link).and_then(|metadata| {
            let refused = if metadata.is_dir() {
                None
            } else {
                self.judge(&link)?
            };
            Ok((metadata, refused))
        });
        let text = name.to_string_lossy();
        match found {
            Ok((metadata, _)) if metadata.is_dir() => {
                match self.leaves_out(link.parent().unwrap_or(&link), &text) {
                    Some(reason) => listing.left_out.push((name, reason)),
                    None => listing.links.push(link),
                }
            }
            Ok(_) if let Some(left) = self.leaves_out_file(&text) => listing.leave_out(name, left),
            // Only what could be a photo is worth a line.
            Ok((_, Some(_))) if let Some(kind) = self.counted(&link) => {
                listing.kinds.add(kind, 1);
            }
            Ok((_, Some(reason))) => listing.refused.push((link, reason)),
            Ok((metadata, None)) if metadata.is_file() && !self.is_pseudo(&metadata) => {
                listing.files.push((name, version_of(&metadata)));
            }
            Ok(_) => listing.odd.push(name),
            // Nothing is behind it, which is no trouble.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) if files::is_a_loop(&error) => listing.refused.push((link, LEADS_TO_ITSELF)),
            Err(error) if files::is_passing(&error) => listing.unsure.push(name),
            Err(_) => {}
        }
    }

    /// Why the folder `name` in `folder` is left out, if it is.
    fn leaves_out(&self, folder: &Path, name: &str) -> Option<&'static str> {
        if self.reach.left_out {
            return None;
        }
        leavings::folder(folder, name)
    }

    fn leaves_out_file(&self, name: &str) -> Option<Left> {
        if self.reach.left_out && !leavings::is_half(name) {
            return None;
        }
        leavings::file(name)
    }

    /// The kind that a file of this name is counted as, without being opened.
    pub(super) fn counted(&self, path: &Path) -> Option<Kind> {
        match ending(path) {
            Ending::NoPicture(kind) if !self.reach.clips.take(path) => Some(kind),
            _ => None,
        }
    }

    /// Whether what is left out otherwise is shown.
    pub(super) fn show_left_out(&self) -> bool {
        self.reach.left_out
    }

    /// Whether a phone's mark says that what is in `folder` and below is not for galleries, and counts.
    fn hides(&self, folder: &Path) -> bool {
        !self.reach.left_out && folder.join(NO_MEDIA).exists()
    }

    /// How many pictures there will be below `root`, by their names alone: what progress is measured by.
    pub(super) fn count(&self, root: &Path, n: &AtomicU64, stop: &AtomicBool) {
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            if folder != root && self.hides(&folder) {
                continue;
            }
            let Ok(entries) = fs::read_dir(&folder) else {
                continue;
            };
            for entry in entries.flatten() {
                if stop.load(Relaxed) {
                    return;
                }
                let Ok(kind) = entry.file_type() else {
                    continue;
                };
                let name = entry.file_name();
                let name = name.to_string_lossy();
                if kind.is_dir() && self.leaves_out(&folder, &name).is_none() {
                    folders.push(entry.path());
                } else if kind.is_file()
                    && !is_our_own(&name)
                    && self.leaves_out_file(&name).is_none()
                    && self.counted(&entry.path()).is_none()
                {
                    n.fetch_add(1, Relaxed);
                }
            }
        }
    }

    /// Whether somebody asked for this very folder.
    fn is_root(&self, folder: &Path) -> bool {
        fs::canonicalize(folder).is_ok_and(|real| self.roots.contains(&real))
    }

    fn allow(&self, real: &Path) -> bool {
        self.reach.follow_links || self.roots.iter().any(|root| real.starts_with(root))
    }

    fn is_pseudo(&self, metadata: &Metadata) -> bool {
        identity(metadata).is_some_and(|(device, _)| self.pseudo.contains(&device))
    }
}

/// Whether Mantel keeps `name` for itself, should its data directory be one of the folders.
fn is_our_own(name: &str) -> bool {
    // Beside them lie what SQLite needs, and what was set aside.
    OURS.contains(&name) || name.starts_with("index.sqlite")
}

/// The version of a file's content, by its metadata; without the sidecar.
fn version_of(metadata: &Metadata) -> Version {
    let modified = metadata
        .modified()
        .ok()
        .map(chrono::DateTime::<chrono::Utc>::from);
    #[cfg(unix)]
    let changed_nanos = {
        use std::os::unix::fs::MetadataExt;
        let seconds = metadata.ctime().checked_mul(1_000_000_000);
        seconds.map_or(0, |nanos| nanos.saturating_add(metadata.ctime_nsec()))
    };
    #[cfg(not(unix))]
    let changed_nanos = 0;
    Version {
        n_bytes: metadata.len(),
        modified_nanos: modified
            .and_then(|modified| modified.timestamp_nanos_opt())
            .unwrap_or(0),
        sidecar_nanos: 0,
        changed_nanos,
    }
}

#[cfg(unix)]
fn identity(metadata: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    // Some network file systems number nothing.
    (metadata.ino() != 0).then(|| (metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(_metadata: &Metadata) -> Identity {
    None
}

/// The devices of pseudo file systems, from the text of Linux's /proc/self/mountinfo (proc(5)).
fn pseudo_devices(mounts: &str) -> HashSet<u64> {
    let device = |line: &str| {
        let (mount, source) = line.split_once(" - ")?;
        let (major, minor) = mount.split(' ').nth(2)?.split_once(':')?;
        let is_pseudo = PSEUDO.contains(&source.split(' ').next()?);
        is_pseudo.then_some((major.parse().ok()?, minor.parse().ok()?))
    };
    let devices = mounts.lines().filter_map(device);
    devices
        .map(|(major, minor)| number_of(major, minor))
        .collect()
}

#[cfg(target_os = "linux")]
fn number_of(major: u32, minor: u32) -> u64 {
    libc::makedev(major, minor)
}

#[cfg(not(target_os = "linux"))]
fn number_of(major: u32, minor: u32) -> u64 {
    u64::from(major) << 32 | u64::from(minor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_files_are_no_photos() {
        let dir = tempfile::tempdir().unwrap();
        let ours = [
            "mantel.lock",
            "tokens.made",
            "index.sqlite",
            "index.sqlite-wal",
        ];
        for name in ours.iter().chain(&["index.jpg", "lock"]) {
            fs::write(dir.path().join(name), "").unwrap();
        }
        let roots = [dir.path().to_owned()];
        let listing = Bounds::of(&roots, Reach::default())
            .list(dir.path())
            .unwrap();
        let mut names: Vec<_> = listing.files.into_iter().map(|(name, _)| name).collect();
        names.sort();
        assert_eq!(names, ["index.jpg", "lock"]);
    }

    #[test]
    fn pseudo_file_systems_are_known_by_their_kind() {
        let text = "22 27 0:21 / /proc rw,nosuid - proc proc rw\n\
            23 27 0:22 / /sys rw shared:7 - sysfs sysfs rw\n\
            27 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw\n\
            30 27 0:50 / /mnt/a\\040b rw - cifs //nas/photos rw\n\
            half a line\n";
        let found = pseudo_devices(text);
        assert_eq!(found, HashSet::from([number_of(0, 21), number_of(0, 22)]));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn proc_and_sys_are_never_walked() {
        for follow_links in [false, true] {
            let reach = Reach {
                follow_links,
                ..Reach::default()
            };
            let bounds = Bounds::of(&[PathBuf::from("/proc")], reach);
            assert_eq!(
                bounds.folder(Path::new("/proc/self")).unwrap(),
                Err(NO_STORAGE)
            );
        }
        let dir = tempfile::tempdir().unwrap();
        let bounds = Bounds::of(&[dir.path().to_owned()], Reach::default());
        assert!(bounds.folder(dir.path()).unwrap().is_ok());
    }
}
