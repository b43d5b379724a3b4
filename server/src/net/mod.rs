//! Sockets: who is let in, how many, for how long. Knows nothing of what is served.

mod accept;
mod address;
mod door;
mod limits;
mod visitor;

pub use accept::{Accept, serve};
pub use address::lan_address;
pub use limits::{ConnectionCounts, Refusal};
pub use visitor::{Peer, Rights, Visitor};
