//! The framing as a whole, from outside: streams in, parts out.

mod arbitrary;
mod dialects;
mod limits;
mod oracle;
mod outcome;
mod round_trip;
mod samples;
