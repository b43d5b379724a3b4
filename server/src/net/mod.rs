//! Sockets: who is let in, how many, for how long. Knows nothing of what is served.

mod accept;
mod door;
mod address;
mod limits;
mod visitor;

pub use accept::{Accept, serve};
pub use limits::{ConnectionCounts, Refusal};
pub use visitor::{Peer, Rights, Visitor};
pub use address::lan_address;
