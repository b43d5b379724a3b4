//! The parameter sets of H.264: what a decoder is told before the first picture. [`Sps`] reads them,
//! [`with_restriction`] has them say that no picture waits for another, [`with_timing`] how long one is on, [`with_colour`] what its numbers mean, [`ParameterSets`] holds those of a
//! stream and their [`Profile`], [`Through`] has a sender's stream leave as it came. Which NAL units there are is [`annexb`](crate::annexb)'s; no picture
//! is decoded here.

mod bits;
mod error;
mod profile;
mod sets;
mod sps;
mod through;
mod vui;

pub use error::{AvcError, AvcErrorKind};
pub use profile::Profile;
pub use sets::{ParameterSets, avcc, coloured, is_b_slice, restricted, timed};
pub use sps::{Sps, with_colour, with_restriction, with_timing};
pub use through::{NotThrough, Through};
pub use vui::{Colour, Restriction, Timing};

/// The most bytes of a sequence parameter set. One with every list there can be has some 3,000.
pub const MAX_SPS_BYTES: usize = 4096;
