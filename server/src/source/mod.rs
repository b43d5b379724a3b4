//! What a channel shows: where its pictures come from.

pub mod demo;
