//! From the bytes of a photo to the bytes of a frame: decode, turn upright, fit, blend, encode.
//!
//! Everything here is a pure function of its arguments: no file, socket, clock or task, and one core per picture
//! (a producer that wants more runs several). Two things outlive a call, and neither can be seen in a result: the memory
//! of one large picture, and a panic hook that keeps other people's decoders from writing to stderr. Photos are hostile until checked: limits come before allocation,
//! and no byte sequence may panic.

mod avif;
pub mod blend;
mod bmff;
mod colour;
pub mod decode;
pub mod encode;
pub mod exif;
mod fence;
pub mod fit;
pub mod focus;
mod heif;
#[cfg(test)]
mod hostile;
mod jpeg;
mod jxl;
mod layout;
pub mod likeness;
mod markers;
#[cfg(test)]
mod modern;
pub mod orient;
pub mod overlay;
pub mod pair;
#[cfg(test)]
mod photos;
pub mod picture;
mod preview;
pub mod probe;
mod raster;
mod raw;
#[cfg(test)]
mod reference;
mod resize;
mod spare;
mod tiff;
mod tone;

pub use blend::{Alpha, blend};
pub use decode::{DecodeError, DecodeLimits, cost, decode, decode_fitted};
pub use encode::{EncodeError, Quality, encode};

pub(crate) use fence::fenced;
pub use fit::{Fit, fit, lies};
pub use focus::focus;
pub use likeness::{SAME_WITHIN_BITS, likeness};
pub use orient::{Orientation, orient};
pub use pair::pair;
pub use picture::{Picture, PictureError, Size, SizeError};
pub use probe::{Kind, Probe, probe};
pub(crate) use spare::release as release_spare;
