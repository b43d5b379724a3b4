//! Mantel.

pub mod render;
pub mod source;
