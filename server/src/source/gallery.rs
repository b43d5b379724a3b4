//! The gallery: photos of a library, read and decoded when a rendition needs one.
//!
//! The only place that opens a photo for its pixels. Reading is bounded before it allocates; what
//! can't be shown comes back as one sentence, never as a panic.

use std::{fs::File, io, io::Read};

use crate::{
    library::{Origin, Photo},
    render::{self, DecodeLimits, Fit, Picture, Size},
    source::demo,
};

/// A photo's pixels and what its file says of it.
#[derive(Debug)]
pub struct Loaded {
    /// Upright, in sRGB, of exactly the size asked for.
    pub picture: Picture,
    /// When it was taken, local time in ISO 8601.
    pub taken_at: Option<String>,
    /// What to call it under the picture.
    pub caption: Option<String>,
}

/// Why a photo is not shown.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file went away between the scan and now.
    #[error("the file is not there any more")]
    Gone,
    /// It can't be read.
    #[error("the file can't be read: {0}")]
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
    /// Working on it failed in a way that nobody foresaw.
    #[error("the picture can't be decoded")]
    Broken,
}

const MAX_FILE_MB: u64 = 512;

/// Reads and decodes `photo` and fits it into `size`.
pub fn load(
    photo: &Photo,
    limits: &DecodeLimits,
    size: Size,
    fit: Fit,
) -> Result<Loaded, LoadError> {
    match &photo.origin {
        Origin::Demo(index) => Ok(Loaded {
            picture: render::fit(&demo::draw(*index, size), size, fit),
            taken_at: None,
            caption: Some(photo.name.to_string()),
        }),
        Origin::File(path) => {
            let bytes = read(File::open(path).map_err(gone_or_unreadable)?)?;
            let picture = render::decode_fitted(&bytes, limits, size, fit)?;
            let taken_at = render::exif(&bytes).taken_at;
            let stem = || {
                path.file_stem()
                    .map(|stem| stem.to_string_lossy().into_owned())
            };
            let caption = photo.facts.caption.clone().or_else(stem);
            Ok(Loaded {
                picture,
                taken_at,
                caption,
            })
        }
    }
}

fn read(file: File) -> Result<Vec<u8>, LoadError> {
    let metadata = file.metadata().map_err(LoadError::Read)?;
    if metadata.len() > MAX_FILE_MB * 1_000_000 {
        return Err(LoadError::FileTooLarge(metadata.len() / 1_000_000));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
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
