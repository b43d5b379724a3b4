//! The gallery: photos of a library, read and decoded when a rendition needs one.
//!
//! Opens photos for their pixels. Reading is bounded before it allocates; what
//! can't be shown comes back as one sentence, never as a panic.

use std::{fs::File, io, io::Read};

use crate::{
    files,
    library::{Origin, Photo},
    render::{self, DecodeLimits, Fit, Picture, Size, pair, picture},
    source::{decoding, wire::Wish},
};

/// A photo's pixels and what its file says of it.
#[derive(Debug)]
pub struct Loaded {
    /// Upright, in sRGB, of exactly the size asked for.
    pub picture: Picture,
    /// What to call it: its own caption, or else its file's name without the suffix.
    pub caption: Option<String>,
    /// What somebody wrote under it, and nothing else.
    pub own_caption: Option<String>,
    /// What it looks like, without what is beside it in the frame.
    pub likeness: Option<u64>,
}

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
            | Self::Slow(_)
            | Self::Broken => false,
        }
    }
}

/// Reads and decodes `photo` and fits it into `size`.
pub fn load(
    photo: &Photo,
    limits: &DecodeLimits,
    size: Size,
    fit: Fit,
) -> Result<Loaded, LoadError> {
    open(photo, fit, |bytes| {
        decoding::decode(bytes, limits, Wish::Fitted(size, fit))
    })
}

/// Reads and decodes `photo` for one part of a frame of `size` that two share, 0 the left or upper
/// one: as large as it is to be there, not the whole part.
pub fn load_part(
    photo: &Photo,
    limits: &DecodeLimits,
    size: Size,
    part: usize,
    fit: Fit,
) -> Result<Loaded, LoadError> {
    let fitted = |picture: &Picture| {
        let part = pair::part_size(picture.size(), size, part, fit);
        render::fit(picture, part, Fit::Cover)
    };
    open(photo, Fit::Cover, |bytes| match photo.facts.size {
        // Small before it is turned. What is not known beforehand is turned in full.
        Some(upright) => {
            let part = pair::part_size(upright, size, part, fit);
            decoding::decode(bytes, limits, Wish::Fitted(part, Fit::Cover))
        }
        None => decoding::decode(bytes, limits, Wish::Whole).map(|picture| fitted(&picture)),
    })
}

fn open(
    photo: &Photo,
    fit: Fit,
    decoded: impl FnOnce(&[u8]) -> Result<Picture, LoadError>,
) -> Result<Loaded, LoadError> {
    let picture = match &photo.origin {
        Origin::BuiltIn(bytes) => decoded(bytes)?,
        Origin::File(path) => decoded(&read(files::open(path).map_err(gone_or_unreadable)?)?)?,
    };
    let own_caption = photo.facts.caption.clone();
    // A name is the last resort: who asks what this is gets an answer.
    let name = || match &photo.origin {
        Origin::BuiltIn(_) => Some(photo.name.to_string()),
        Origin::File(path) => path
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned()),
    };
    let likeness = photo
        .facts
        .size
        .and_then(|size| render::likeness::likeness(&without_margins(&picture, size, fit)));
    Ok(Loaded {
        likeness,
        picture,
        caption: own_caption.clone().or_else(name),
        own_caption,
    })
}

/// What a frame shows of a photo: what it is hashed by must not depend on the screen.
fn without_margins(frame: &Picture, photo: Size, fit: Fit) -> Picture {
    let Some(((left, top), size)) = render::lies(photo, frame.size(), fit) else {
        return frame.clone();
    };
    let left = left as usize * picture::CHANNELS;
    let n_bytes = size.width as usize * picture::CHANNELS;
    let rows = frame.pixels().chunks_exact(frame.stride());
    let rows = rows.skip(top as usize).take(size.height as usize);
    let pixels = rows.flat_map(|row| &row[left..left + n_bytes]).copied();
    Picture::new(size.width, size.height, pixels.collect()).unwrap_or_else(|_| frame.clone())
}

fn read(file: File) -> Result<Vec<u8>, LoadError> {
    let metadata = file.metadata().map_err(LoadError::Read)?;
    if metadata.len() > MAX_FILE_MB * 1_000_000 {
        return Err(LoadError::FileTooLarge(metadata.len() / 1_000_000));
    }
    let mut bytes = Vec::new();
    // Without memory for it the program would end; so it is a moment that passes.
    bytes
        .try_reserve_exact(usize::try_from(metadata.len()).unwrap_or(0))
        .map_err(|_| LoadError::Read(io::ErrorKind::OutOfMemory.into()))?;
    // The file may be growing: the limit holds for what is read, too.
    file.take(MAX_FILE_MB * 1_000_000)
        .read_to_end(&mut bytes)
        .map_err(LoadError::Read)?;
    Ok(bytes)
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

    #[test]
    fn a_photo_looks_the_same_on_every_screen() {
        // A slope with a bright spot, so that the hash has something to say.
        let photo = Picture::new(
            90,
            120,
            (0..120_u32)
                .flat_map(|y| (0..90_u32).flat_map(move |x| [((x * y) % 251) as u8; 3]))
                .collect(),
        )
        .unwrap();
        let looks = |width, height, fit| {
            let frame = render::fit(&photo, Size::new(width, height), fit);
            render::likeness::likeness(&without_margins(&frame, photo.size(), fit)).unwrap()
        };
        let one = looks(640, 360, Fit::Blur);
        for (width, height) in [(640, 360), (360, 640), (480, 480), (320, 180), (1920, 1080)] {
            for fit in [Fit::Contain, Fit::Blur] {
                let n_bits = (looks(width, height, fit) ^ one).count_ones();
                assert!(
                    n_bits <= render::likeness::SAME_WITHIN_BITS,
                    "{width}x{height} {fit}: {n_bits}"
                );
            }
        }
    }
}
