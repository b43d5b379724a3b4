//! Sockets: who is let in, how many, for how long. Knows nothing of what is served.

mod accept;
mod address;
mod limits;

pub use accept::{Accept, serve};
pub use address::lan_address;
pub use limits::ConnectionCounts;
