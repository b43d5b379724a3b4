//! Answers that are pictures: streams, parts and single ones, and how each viewer is kept up with.

pub(super) mod body;
pub(super) mod bytes;
pub(super) mod held;
pub(super) mod pace;
pub(super) mod paint;
pub(super) mod snapshot;
pub(super) mod stream;
pub(super) mod thumbnail;
