//! The sources of what a channel shows, before anybody decides when: the only rooms that fetch pixels.

pub(crate) mod catalogue;
pub mod child;
pub mod clips;
pub mod confine;
pub mod decoding;
pub mod demo;
pub mod film;
pub mod gallery;
pub mod live;
mod meant;
pub mod wire;
