//! Picture formats: what a file's head says, and its pixels.
//!
//! Limits are checked against the head, before memory is taken for pixels.

pub mod avif;
pub mod bmff;
pub mod decode;
pub mod exif;
pub mod heif;
pub mod jpeg;
pub mod jxl;
pub mod layout;
pub mod markers;
pub mod preview;
pub mod probe;
pub mod raster;
pub mod raw;
pub mod tiff;
