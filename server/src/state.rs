//! Where what can't be made again is kept: tokens, names of screens, the place, our own certificate.
//!
//! Versions that knew one folder alone kept all of it in the cache, which any cleaner may empty: the
//! first start moves it. Nothing is lost on the way: all of it is on disk in its new place before
//! anything leaves the old one, and where it can't be moved it is used where it is.

#![expect(
    clippy::disallowed_methods,
    reason = "what an older version left is moved before anything is served"
)]

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use crate::{blocking::Blocking, dirs::Dirs, store};

/// The names of what is kept, as those who keep it give them.
pub(crate) const TOKENS: &str = "tokens.json";
pub(crate) const PROFILES: &str = "profiles.json";
pub(crate) const MARKS: &str = "marks.json";
pub(crate) const SLEEPERS: &str = "sleepers.json";
pub(crate) const NIGHT: &str = "night.json";
pub(crate) const SCREENS: &str = "screens.json";
pub(crate) const CHOICE: &str = "choice.json";
pub(crate) const HOUSE: &str = "house.json";
pub(crate) const CHANNEL: &str = "channel.json";
pub(crate) const CERTIFICATE: &str = "tls-cert.pem";
pub(crate) const KEY: &str = "tls-key.pem";
const ALL: [&str; 5] = [TOKENS, PROFILES, CHANNEL, CERTIFICATE, KEY];

/// None of these is as large.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// The step for one file, which may be in the old place, in the new one, or in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// There is none in the old place, or the new one has a newer one.
    Stay,
    /// It belongs into the new place.
    Move,
    /// It has been moved, and was not taken away yet.
    Clear,
}

fn step(old: Option<SystemTime>, new: Option<SystemTime>, are_equal: bool) -> Step {
    match (old, new) {
        (None, _) => Step::Stay,
        (Some(_), None) => Step::Move,
        (Some(_), Some(_)) if are_equal => Step::Clear,
        // An older version ran once more.
        (Some(old), Some(new)) if old > new => Step::Move,
        (Some(_), Some(_)) => Step::Stay,
    }
}

/// The folder where state is kept from now on, after moving into it what an older version left in the
/// cache. To be called by the one program that has the index, for nobody else uses these files then.
pub(crate) fn settle(dirs: &Dirs) -> Option<PathBuf> {
    let (Some(state), Some(before)) = (&dirs.state, &dirs.before) else {
        return dirs.state.clone();
    };
    match take_over(before, state) {
        Ok(0) => {}
        Ok(_) => tracing::info!(
            "what can't be made again has moved from {} to {}",
            before.display(),
            state.display()
        ),
        Err(error) => {
            tracing::warn!(
                "tokens, names of screens and the place stay in {}, because they can't be moved to {}: {error}",
                before.display(),
                state.display()
            );
            return Some(before.clone());
        }
    }
    Some(state.clone())
}

/// Where the tokens are at present; moves nothing, because a server that runs may be of the version that
/// looks for them in the old place.
pub(crate) fn of_tokens(dirs: &Dirs) -> Option<PathBuf> {
    let (Some(state), Some(before)) = (&dirs.state, &dirs.before) else {
        return dirs.state.clone();
    };
    let is_in_old_place = step_for(&before.join(TOKENS), &state.join(TOKENS)) == Step::Move;
    Some(if is_in_old_place { before } else { state }.clone())
}

fn step_for(old: &Path, new: &Path) -> Step {
    let time = |path: &Path| fs::metadata(path).and_then(|file| file.modified()).ok();
    let read = |path: &Path| store::read(path, MAX_BYTES).ok().flatten();
    let (was, is) = (time(old), time(new));
    let is_known = |bytes: &Option<Vec<u8>>| bytes.is_some();
    let are_equal =
        was.is_some() && is.is_some() && Some(read(old)).filter(is_known) == Some(read(new));
    step(was, is, are_equal)
}

/// Moves all of it, or none; says how many files.
fn take_over(before: &Path, state: &Path) -> io::Result<usize> {
    let mut moved = Vec::new();
    let mut done = Vec::new();
    for name in ALL {
        let (old, new) = (before.join(name), state.join(name));
        match step_for(&old, &new) {
            Step::Stay => {}
            Step::Clear => done.push(old),
            Step::Move => {
                let bytes = store::read(&old, MAX_BYTES)?.unwrap_or_default();
                let time = fs::metadata(&old)?.modified()?;
                store::replace_dated(Blocking::here(), &new, &bytes, Some(time))?;
                moved.push(old);
            }
        }
    }
    let n_moved = moved.len();
    for old in moved.into_iter().chain(done) {
        // What can't be removed is the older one from the next change on.
        if let Err(error) = fs::remove_file(&old) {
            tracing::debug!(path = %old.display(), %error, "what was moved can't be removed");
        }
    }
    Ok(n_moved)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_newer_is_never_overwritten() {
        let at = |seconds| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        for (old, new, are_equal, expected) in [
            (None, None, false, Step::Stay),
            (None, at(1), false, Step::Stay),
            (at(1), None, false, Step::Move),
            (at(2), at(1), false, Step::Move),
            (at(1), at(1), false, Step::Stay),
            (at(1), at(2), false, Step::Stay),
            (at(1), at(2), true, Step::Clear),
            (at(2), at(1), true, Step::Clear),
        ] {
            assert_eq!(step(old, new, are_equal), expected, "{old:?} {new:?}");
        }
    }

    fn dirs(root: &Path) -> Dirs {
        Dirs {
            index: Some(root.join("cache")),
            state: Some(root.join("deep/state")),
            before: Some(root.join("cache")),
        }
    }

    #[test]
    fn all_of_it_moves_once_with_its_dates_and_is_its_owners_alone() {
        let root = tempfile::tempdir().unwrap();
        let dirs = dirs(root.path());
        let (old, new) = (root.path().join("cache"), root.path().join("deep/state"));
        fs::create_dir(&old).unwrap();
        for name in ALL.iter().chain(&["index.sqlite"]) {
            fs::write(old.join(name), name).unwrap();
        }
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        let cert = fs::File::options().write(true).open(old.join(CERTIFICATE));
        cert.unwrap().set_modified(time).unwrap();
        assert_eq!(of_tokens(&dirs).unwrap(), old);

        assert_eq!(settle(&dirs).unwrap(), new);
        for name in ALL {
            assert_eq!(fs::read_to_string(new.join(name)).unwrap(), name);
            assert!(!old.join(name).exists(), "{name}");
        }
        let metadata = fs::metadata(new.join(CERTIFICATE)).unwrap();
        assert_eq!(metadata.modified().unwrap(), time);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(&new), mode(&new.join(KEY))), (0o700, 0o600));
        }
        assert!(old.join("index.sqlite").exists());
        assert_eq!(of_tokens(&dirs).unwrap(), new);

        // Nothing more to do; and an older file that turns up again takes nothing's place.
        fs::write(old.join(CERTIFICATE), "old").unwrap();
        let cert = fs::File::options().write(true).open(old.join(CERTIFICATE));
        cert.unwrap().set_modified(time).unwrap();
        assert_eq!(settle(&dirs).unwrap(), new);
        let kept = fs::read_to_string(new.join(CERTIFICATE)).unwrap();
        assert_eq!(kept, CERTIFICATE);
    }

    #[test]
    fn where_it_can_not_be_moved_it_is_used_where_it_is() {
        let root = tempfile::tempdir().unwrap();
        let dirs = dirs(root.path());
        let old = root.path().join("cache");
        fs::create_dir(&old).unwrap();
        fs::write(old.join(TOKENS), "tokens").unwrap();
        // A file where the folder should be: not even root makes one there.
        fs::write(root.path().join("deep"), "").unwrap();
        assert_eq!(settle(&dirs).unwrap(), old);
        assert_eq!(fs::read_to_string(old.join(TOKENS)).unwrap(), "tokens");
        // With nothing to move the new place stands.
        fs::remove_file(old.join(TOKENS)).unwrap();
        assert_eq!(settle(&dirs), dirs.state);
    }
}
