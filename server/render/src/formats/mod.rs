//! Picture formats: what a file's head says, and its pixels.
//!
//! Limits are checked against the head, before memory is taken for pixels.

pub mod av1;
pub mod avif;
pub mod bmff;
pub mod boxed;
pub mod decode;
pub mod heif;
pub mod hevc;
pub mod items;
pub mod jp2;
pub mod jpeg;
pub mod jxl;
pub mod kind;
pub mod markers;
pub mod parts;
pub mod pieces;
pub mod png;
pub mod preview;
pub mod probe;
pub mod psd;
pub mod raster;
pub mod raw;
pub mod samples;
mod sigma;
pub mod stored;
pub mod tags;
pub mod tiff;
pub mod unpacked;
pub mod upright;
pub mod values;
pub mod within;
