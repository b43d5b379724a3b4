//! Opening other people's files: never waiting for a pipe, and telling a bad file from a bad moment.
//!
//! The only place that opens a photo, a sidecar or a preview. Reads no content and knows no formats.

#![expect(
    clippy::disallowed_methods,
    reason = "this is files::open, which does not wait at a pipe"
)]

use std::{
    fs::{File, Metadata},
    io,
    path::Path,
};

/// Opens `path` for reading if it is a file. A pipe or a device in its place is refused at once,
/// where plain opening would wait for somebody to write into it.
///
/// # Errors
/// The system's, or that it is no file.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    open_with(path).map(|(file, _)| file)
}

/// Opens `path` as [`open`] does, and tells what the system says of it.
///
/// # Errors
/// As [`open`].
pub(crate) fn open_with(path: &Path) -> io::Result<(File, Metadata)> {
    let mut options = File::options();
    options.read(true);
    // What a scan saw as a file may be a pipe by now. Descriptors of std are closed on exec.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
    let file = options.open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_file() {
        Ok((file, metadata))
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, NO_FILE))
    }
}

/// Why something is no file, in words.
pub(crate) const NO_FILE: &str = "it is a pipe or a device, not a file";

/// Whether an error is the moment's (no descriptor left, no permission now, a disk or a share that
/// doesn't answer, no memory) rather than the file's own: then the same file can work later.
pub(crate) fn is_passing(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    let is_own = matches!(
        error.kind(),
        Kind::NotFound
            | Kind::NotADirectory
            | Kind::IsADirectory
            | Kind::InvalidInput
            | Kind::InvalidData
            | Kind::InvalidFilename
            | Kind::UnexpectedEof
            | Kind::Unsupported
    );
    !(is_own || is_a_loop(error) || has_no_reader(error))
}

/// Whether a link leads back to itself.
pub(crate) fn is_a_loop(error: &io::Error) -> bool {
    #[cfg(unix)]
    return error.raw_os_error() == Some(libc::ELOOP);
    #[cfg(not(unix))]
    {
        let _ = error;
        false
    }
}

/// Whether the error is that of opening a socket, or a device without a driver.
fn has_no_reader(error: &io::Error) -> bool {
    #[cfg(unix)]
    return matches!(error.raw_os_error(), Some(libc::ENXIO | libc::ENODEV));
    #[cfg(not(unix))]
    {
        let _ = error;
        false
    }
}

/// An error as people can do something with it: the system's words without its number.
pub(crate) fn plain(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::PermissionDenied {
        return "permission denied".into();
    }
    let text = error.to_string();
    let end = text.find(" (os error").unwrap_or(text.len());
    text[..end].to_lowercase()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_moment_is_told_from_the_file() {
        for code in [
            libc::EMFILE,
            libc::ENFILE,
            libc::EACCES,
            libc::EPERM,
            libc::EIO,
            libc::ESTALE,
            libc::ETIMEDOUT,
            libc::EHOSTDOWN,
            libc::EHOSTUNREACH,
            libc::ENOMEM,
            libc::EAGAIN,
            libc::EINTR,
            libc::ENOTCONN,
            libc::EBUSY,
        ] {
            assert!(is_passing(&io::Error::from_raw_os_error(code)), "{code}");
        }
        for code in [
            libc::ENOENT,
            libc::ENOTDIR,
            libc::EISDIR,
            libc::ELOOP,
            libc::ENAMETOOLONG,
            libc::EINVAL,
            libc::ENXIO,
        ] {
            assert!(!is_passing(&io::Error::from_raw_os_error(code)), "{code}");
        }
    }

    #[test]
    fn a_pipe_a_socket_and_a_folder_are_refused_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe.jpg");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.is_ok_and(|status| status.success()));
        let socket = dir.path().join("socket.jpg");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        for path in [&pipe, &socket, &dir.path().to_owned()] {
            assert!(!is_passing(&open(path).unwrap_err()), "{path:?}");
        }
        let file = dir.path().join("a.jpg");
        std::fs::write(&file, b"x").unwrap();
        assert!(open(&file).is_ok());
    }
}
