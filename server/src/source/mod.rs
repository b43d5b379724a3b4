//! What a channel shows, before anybody decides when: the only rooms that fetch pixels.

pub mod demo;
pub mod gallery;
