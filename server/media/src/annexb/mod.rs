//! H.264 as Annex B of ITU-T H.264 has it: NAL units with a start code before each. Here a stream is cut
//! into access units ([`Splitter`]), what an encoder hands out into its NAL units ([`split()`]), and both
//! are written: with start codes ([`write_annexb`]) or as a sample of an MP4 ([`write_sample`]). What
//! stands in a NAL unit behind its first two bytes belongs into a module of its own.

mod error;
mod nal;
mod splitter;
mod unit;

pub use error::{AnnexbError, AnnexbErrorKind};
pub use nal::{Nal, NalKind, split, write_annexb, write_sample};
pub use splitter::Splitter;
pub use unit::Unit;

/// The most bytes of an access unit, and so of a NAL unit. Level 6.2 at its worst picture aside, nothing
/// real comes near: a key frame of 4K at the best quality is some 2 MB.
pub const MAX_UNIT_BYTES: usize = 8 << 20;

/// The most NAL units in an access unit. 1080p in slices of two macroblocks would have as many.
pub const MAX_UNIT_NALS: usize = 4096;

/// The start code before each NAL unit that is written here.
const START_CODE: [u8; 4] = [0, 0, 0, 1];
