//! Sockets: listeners, connections, who is let in, and limits of all of these. Knows nothing of what
//! is served.

mod accept;
mod address;
mod answers;
mod cut;
mod door;
mod guard;
mod host;
mod limits;
mod line;
mod listen;
mod stall;
mod throttle;
mod tls;
mod visitor;

pub use accept::{Accept, AcceptError, serve};
pub use address::{lan_address, lan_addresses};
pub use cut::Cut;
pub use guard::{Token, TokenError, TokenFile, password_line};
pub use limits::{ConnectionCounts, Refusal};
pub use listen::{ListenError, Listeners};
pub use tls::{Keys, TlsError};
pub use visitor::{Need, Rights, Visitor};
