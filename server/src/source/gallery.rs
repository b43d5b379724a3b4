//! The gallery: photos of a library, read and decoded when a rendition needs one.
//!
//! Opens photos for their pixels. Reading is bounded before it allocates; what
//! can't be shown comes back as one sentence, never as a panic.

use std::{fs::File, io, path::Path};

use crate::{
    files,
    library::{Origin, Photo},
    render::{self, DecodeLimits, Kind, Pixels, Slot},
    source::{clips, decoding, wire::Wish},
};

/// Why a photo is not shown.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file went away between the scan and now.
    #[error("the file is not there any more")]
    Gone,
    /// It can't be read.
    #[error("the file can't be read: {}", files::plain(.0))]
    Read(io::Error),
    /// It is larger than any photo.
    #[error("the file has {0} MB, more than any photo that is shown ({MAX_FILE_MB} MB)")]
    FileTooLarge(u64),
    /// It can't be decoded.
    #[error(transparent)]
    Decode(#[from] render::DecodeError),
    /// It was decoded, but not encoded again.
    #[error(transparent)]
    Encode(#[from] render::EncodeError),
    /// It is a clip of which no frame can be had.
    #[error("{0}")]
    Clip(String),
    /// It takes longer than a photo may.
    #[error("it takes longer than {0} s to decode")]
    Slow(u64),
    /// The thread that works on it does nothing: a drive does not answer, or the machine stood still.
    #[error("nothing has come of it in {0} s: its drive does not answer, or the machine is busy")]
    Stuck(u64),
    /// There was no thread to decode it in.
    #[error("this system gives no thread to decode it in: {}", files::plain(.0))]
    NoThread(io::Error),
    /// Working on it failed in a way that nobody foresaw.
    #[error("the picture can't be decoded")]
    Broken,
}

const MAX_FILE_MB: u64 = 512;

impl LoadError {
    /// Whether the moment is to blame rather than the photo's bytes: then the same photo can be shown
    /// later, and nothing is written down about it.
    pub fn is_passing(&self) -> bool {
        // Without a wildcard: whoever adds a reason has to say which it is.
        match self {
            Self::Read(error) => files::is_passing(error),
            Self::Stuck(_) | Self::NoThread(_) => true,
            Self::Gone
            | Self::FileTooLarge(_)
            | Self::Decode(_)
            | Self::Encode(_)
            | Self::Clip(_)
            | Self::Slow(_)
            | Self::Broken => false,
        }
    }
}

/// Reads and decodes `photo` for its place in a frame.
///
/// # Errors
/// It can't be read, or not decoded.
pub fn load(photo: &Photo, limits: &DecodeLimits, slot: Slot) -> Result<Pixels, LoadError> {
    let wish = Wish::Fitted(slot);
    match &photo.origin {
        Origin::BuiltIn(bytes) => decoding::decode(bytes, limits, wish),
        Origin::File(path) if let Some(kind) = clip(photo) => {
            decoding::decode(&clips::poster(path, kind)?, limits, wish)
        }
        Origin::File(path) => decoding::decode_file(|| open(path), limits, wish),
    }
}

/// Reads and decodes `photo` as [`load`] does, but of a clip that plays the very first frame.
///
/// # Errors
/// It can't be read, or not decoded.
pub fn load_first(photo: &Photo, limits: &DecodeLimits, slot: Slot) -> Result<Pixels, LoadError> {
    match (&photo.origin, clip(photo)) {
        (Origin::File(path), Some(kind)) => {
            decoding::decode(&clips::first(path, kind)?, limits, Wish::Fitted(slot))
        }
        _ => load(photo, limits, slot),
    }
}

/// Reads and decodes `photo` for a small picture: of the preview within it, where that has half of the pixels in each row
/// at least, else as [`load`] does.
///
/// # Errors
/// It can't be read, or not decoded.
pub fn load_small(photo: &Photo, limits: &DecodeLimits, slot: Slot) -> Result<Pixels, LoadError> {
    let least = slot.frame.width.max(slot.frame.height) / 2;
    if let Origin::File(path) = &photo.origin
        && let Some(kind) = photo.facts.kind
        && let Ok(mut file) = files::open(path)
        && let Some(preview) = render::within(kind, &mut file, least)
        && let Ok(pixels) = decoding::decode(&preview, limits, Wish::Fitted(slot))
    {
        return Ok(pixels);
    }
    load(photo, limits, slot)
}

/// The kind of clip that a photo is, if it is one.
pub(crate) fn clip(photo: &Photo) -> Option<Kind> {
    photo.facts.kind.filter(|kind| kind.is_clip())
}

/// A frame of a clip, as the bytes of a picture.
///
/// # Errors
/// There is none.
pub(crate) fn poster(photo: &Photo) -> Result<Vec<u8>, LoadError> {
    match (&photo.origin, clip(photo)) {
        (Origin::File(path), Some(kind)) => clips::poster(path, kind),
        _ => Err(LoadError::Clip("it is no clip".into())),
    }
}

/// A photo's file and its length.
fn open(path: &Path) -> Result<(File, u64), LoadError> {
    let file = files::open(path).map_err(gone_or_unreadable)?;
    let n_bytes = file.metadata().map_err(LoadError::Read)?.len();
    if n_bytes > MAX_FILE_MB * 1_000_000 {
        return Err(LoadError::FileTooLarge(n_bytes / 1_000_000));
    }
    Ok((file, n_bytes))
}

fn gone_or_unreadable(error: io::Error) -> LoadError {
    if error.kind() == io::ErrorKind::NotFound {
        LoadError::Gone
    } else {
        LoadError::Read(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn the_moment_is_told_from_the_photo() {
        let read = |code| LoadError::Read(io::Error::from_raw_os_error(code));
        for code in [
            libc::EMFILE,
            libc::EACCES,
            libc::EIO,
            libc::ESTALE,
            libc::ENOMEM,
        ] {
            assert!(read(code).is_passing(), "{code}");
        }
        assert!(LoadError::NoThread(io::ErrorKind::WouldBlock.into()).is_passing());
        assert!(!read(libc::ELOOP).is_passing());
        assert!(!LoadError::Broken.is_passing() && !LoadError::Slow(30).is_passing());
    }
}
