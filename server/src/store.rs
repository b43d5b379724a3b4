//! Keeping small files: replaced whole, readable to their owner alone, and set aside rather than
//! overwritten when they are damaged.
//!
//! Knows folders and bytes; what they mean belongs to whoever keeps them.

#![expect(
    clippy::disallowed_methods,
    reason = "this is store: it writes beside, syncs, renames"
)]

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    time::SystemTime,
};

use serde::de::DeserializeOwned;

use crate::blocking::Blocking;

/// Puts `bytes` in the place of a file, at once or not at all, also when the power is cut; the file
/// is readable to its owner alone. The folder is made if there is none.
///
/// # Errors
/// The system's; then the old file is untouched.
pub(crate) fn replace(blocking: Blocking, path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_dated(blocking, path, bytes, None)
}

/// Replaces a file whole, and dates it `modified`; now where there is none.
///
/// # Errors
/// The system's; then the old file is untouched.
pub(crate) fn replace_dated(
    _: Blocking,
    path: &Path,
    bytes: &[u8],
    modified: Option<SystemTime>,
) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder {
        make_folder(folder)?;
    }
    let beside = path.with_extension(format!("new-{}", std::process::id()));
    let write = || {
        let mut file = create_private(&beside)?;
        file.write_all(bytes)?;
        if let Some(modified) = modified {
            file.set_modified(modified)?;
        }
        file.sync_all()?;
        fs::rename(&beside, path)?;
        sync_folder(folder.unwrap_or(Path::new(".")));
        Ok(())
    };
    write().inspect_err(|_| {
        // What is left of it is of no use to anyone.
        let _ = fs::remove_file(&beside);
    })
}

/// Creates or empties a file that its owner alone may read.
///
/// # Errors
/// The system's.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    tighten(path);
    Ok(file)
}

/// Makes a folder, and those above it, where there is none; what is made is the owner's alone. One
/// that is there stays as it is: whoever made it may share it.
///
/// # Errors
/// The system's.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Takes everybody else's rights to a file or folder of ours away, if there are any.
pub(crate) fn tighten(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let Ok(metadata) = fs::symlink_metadata(path) else {
            return;
        };
        let mode = metadata.permissions().mode();
        if metadata.is_symlink() || mode & 0o077 == 0 {
            return;
        }
        let private = fs::Permissions::from_mode(mode & 0o700);
        if let Err(error) = fs::set_permissions(path, private) {
            tracing::warn!(path = %path.display(), %error, "others may read this, and that can't be changed");
        }
    }
    #[cfg(not(unix))]
    let _ = path;
}

/// The content of a file of at most `limit` bytes; `None` when there is none.
///
/// # Errors
/// It can't be read, or is larger.
pub(crate) fn read(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let file = match crate::files::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        let reason = format!("it is larger than {limit} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
    }
    Ok(Some(bytes))
}

/// The content of a file of JSON, nothing where there is none. A file that can't be read, is larger than `limit` bytes or
/// makes no sense is set aside, and the log says so of `what`, such as "the screens' names".
///
/// # Errors
/// It can't be set aside either, so that nothing may be written over it: a reason, as words.
pub(crate) fn read_json<T: DeserializeOwned + Default>(
    path: &Path,
    limit: u64,
    what: &str,
) -> Result<T, String> {
    tighten(path);
    let reason = match read(path, limit) {
        Ok(None) => return Ok(T::default()),
        // No folder, no file: nothing to lose.
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Ok(T::default()),
        Ok(Some(text)) => match serde_json::from_slice(&text) {
            Ok(kept) => return Ok(kept),
            Err(error) => error.to_string(),
        },
        Err(error) => crate::files::plain(&error),
    };
    match set_aside(path) {
        Ok(aside) => {
            tracing::warn!(%reason, aside = %aside.display(), "{what} can't be read; the file is set aside");
            Ok(T::default())
        }
        Err(error) => {
            tracing::warn!(%reason, file = %path.display(), %error,
                "{what} can't be read, and the file can't be set aside; nothing of it can be changed");
            Err(format!("{} can't be read: {reason}", path.display()))
        }
    }
}

/// Gives a damaged file another name, so that nothing is written over it: `NAME.damaged`, or
/// `NAME.damaged-2` and so on where there are such already.
///
/// # Errors
/// The system's.
pub(crate) fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let named = |n: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(".damaged");
        if n > 1 {
            name.push(format!("-{n}"));
        }
        PathBuf::from(name)
    };
    let free = (1..100).map(named).find(|aside| !aside.exists());
    let aside = free.unwrap_or_else(|| named(100));
    fs::rename(path, &aside)?;
    Ok(aside)
}

fn sync_folder(folder: &Path) {
    // Not every system can, and the rename is done.
    #[cfg(unix)]
    #[expect(clippy::disallowed_methods, reason = "a folder of our own")]
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    #[cfg(not(unix))]
    let _ = folder;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    fn mode(path: &Path) -> u32 {
        use std::os::unix::fs::PermissionsExt;
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[cfg(unix)]
    #[test]
    fn what_is_kept_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("made/deep/kept.json");
        replace(Blocking::here(), &path, b"one").unwrap();
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        assert_eq!(mode(&dir.path().join("made")), 0o700);
        // A looser one of an older version, and a folder that somebody else made.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let folder = path.parent().unwrap();
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
        replace(Blocking::here(), &path, b"two").unwrap();
        assert_eq!((mode(&path), mode(folder)), (0o600, 0o755));
        tighten(folder);
        assert_eq!(mode(folder), 0o700);
        assert_eq!(fs::read(&path).unwrap(), b"two");
        let names = fs::read_dir(folder).unwrap().count();
        assert_eq!(names, 1, "nothing is left beside it");
    }

    #[test]
    fn a_file_that_can_not_be_replaced_is_untouched() {
        let dir = tempfile::tempdir().unwrap();
        let blocked = dir.path().join("file");
        fs::write(&blocked, b"old").unwrap();
        assert!(replace(Blocking::here(), &blocked.join("kept.json"), b"new").is_err());
        assert_eq!(fs::read(&blocked).unwrap(), b"old");
    }

    #[test]
    fn damaged_files_never_replace_one_another() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("kept.json");
        for content in ["one", "two", "three"] {
            fs::write(&path, content).unwrap();
            set_aside(&path).unwrap();
        }
        let aside = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
        assert_eq!(aside("kept.json.damaged"), "one");
        assert_eq!(aside("kept.json.damaged-3"), "three");
    }

    #[test]
    fn reading_is_bounded() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        assert_eq!(read(&path, 4).unwrap(), None);
        fs::write(&path, "12345").unwrap();
        assert!(read(&path, 4).is_err());
        assert_eq!(read(&path, 5).unwrap().unwrap(), b"12345");
    }
}
