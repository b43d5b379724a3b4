//! Fragmented MP4 (ISO/IEC 14496-12) of one H.264 track without B-frames: what stands before all samples
//! ([`init()`]), and chunks of samples, of which each has its own head ([`chunk_head`]). Decode times are
//! arguments, so that each viewer's can begin at 0 while all share the samples' bytes. Samples are as
//! [`Unit::sample`](crate::annexb::Unit::sample) makes them; which belong together is for others to say.

mod boxes;
mod chunk;
mod filling;
mod init;

pub use chunk::{Fragment, Sample, chunk, chunk_head, index};
pub use filling::{BLOCK, filling, missing};
pub use init::{Track, init};

/// Ticks a second of all times here, as MPEG-TS and RTP have it.
pub const TIMESCALE: u32 = 90_000;

/// The number of the one track.
const TRACK: u32 = 1;
