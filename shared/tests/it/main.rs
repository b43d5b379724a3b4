//! The framing as a whole, from outside: streams in, parts out.

// A test says no by panicking, in its helpers too.
#![allow(clippy::unwrap_used)]

mod arbitrary;
mod dialects;
mod limits;
mod oracle;
mod outcome;
mod round_trip;
mod samples;
