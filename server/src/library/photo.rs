//! A photo as the library knows it.

use std::{path::PathBuf, sync::Arc};

use super::Facts;
use crate::photo::PhotoId;

/// Where a photo's pixels come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A file.
    File(PathBuf),
    /// A JPEG within the program. The library has none.
    BuiltIn(&'static [u8]),
}

/// A picture that takes turns on screen.
#[derive(Clone, Debug, PartialEq)]
pub struct Photo {
    /// Which one.
    pub id: PhotoId,
    /// Where its pixels come from.
    pub origin: Origin,
    /// The photo's name: the path below its folder, or a built-in picture's title.
    pub name: Arc<str>,
    /// When it was taken, in seconds since 1970 of the camera's clock, as far as is known.
    pub taken: i64,
    /// Size in bytes and time of change, to notice that a file is another one now.
    pub version: Version,
    /// The facts that are known of it.
    pub facts: Facts,
}

/// Tells one content of a file from another without reading it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Version {
    /// Size in bytes.
    pub n_bytes: u64,
    /// When it was last changed, in nanoseconds since 1970; 0 where the system doesn't say.
    pub modified_nanos: i64,
    /// A number that changes with the files beside it that count: sidecars, a twin; 0 when there are none.
    pub sidecar_nanos: i64,
    /// When the file or its rights were last changed (ctime), in nanoseconds since 1970; 0 where that
    /// isn't known. Nobody can set it.
    pub changed_nanos: i64,
}

impl Version {
    /// Whether both are the same content, as far as both know.
    pub(super) fn is_as(&self, other: &Self) -> bool {
        let known = self.changed_nanos != 0 && other.changed_nanos != 0;
        let changed_nanos = if known {
            self.changed_nanos
        } else {
            other.changed_nanos
        };
        *other
            == Self {
                changed_nanos,
                ..*self
            }
    }
}
