//! From the bytes of a photo to the bytes of a frame: decode, turn upright, fit, blend, encode.
//!
//! Pure functions of their arguments, one core per picture (a producer that wants more runs several): no socket, clock or
//! task, and no file but the system's fonts, which `words` looks for once, when a text needs them. Three things outlive a
//! call: those fonts, the memory of one large picture, and a panic hook that keeps other people's decoders from writing to
//! stderr. Only the fonts can be seen in a result.
//!
//! Photos are hostile until checked: limits come before allocation, and no byte sequence may panic.

#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "tests have clocks and files of their own"
    )
)]

mod card;
mod colour;
pub mod encode;
mod fence;
mod formats;
mod frame;
pub mod picture;
pub mod size;
mod slide;
mod spare;
#[cfg(test)]
mod tests;
pub mod words;
mod yuv;

pub use card::{card, ground};
pub use encode::{EncodeError, Quality, QualityError, encode};
pub use formats::{
    decode::{Pixels, cost, decode, decode_fitted, decode_whole},
    stored::{DecodeError, DecodeLimits},
};
pub use frame::blend::{Alpha, blend};

pub use formats::{
    kind::Kind,
    parts::Parts,
    probe::{Probe, probe},
    tags::{Directory, Tags},
    values::Value,
    within::within,
};
pub use frame::fit::{Fit, FitError, fit, fit_around, lies};
pub use frame::focus::focus;
pub use frame::likeness;
pub use frame::orient::{Orientation, orient};
pub use frame::pair;
pub use frame::slot::{Share, Slot};
pub use mantel_shared::Focus;
pub use picture::{Picture, PictureError, Size, SizeError};
pub use slide::{Recipe, Slide, slide};
pub use spare::release as release_spare;
pub use yuv::Planes;
