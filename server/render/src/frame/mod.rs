//! The geometry of a frame: which way is up, what is cut off, where photos and backdrop lie, how two pictures blend.

pub mod backdrop;
pub mod blend;
pub(super) mod dim;
pub mod fit;
pub mod focus;
pub mod likeness;
pub mod orient;
pub mod pair;
pub mod resize;
pub mod slot;
