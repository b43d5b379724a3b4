//! The crate from outside: what senders write goes in.

// A test says no by panicking, in its helpers too.
#![allow(clippy::unwrap_used)]

mod annexb;
mod avc;
mod fmp4;
mod hls;
mod inlet;
mod jpeg;
mod oracle;
mod playlist;
mod through;
mod ts;
