//! Sockets: listeners, connections, who is let in, and limits of all of these. Knows nothing of what
//! is served.

mod accept;
mod cut;
mod detours;
mod door;
mod entrance;
mod guard;
mod host;
mod limits;
mod line;
mod listen;
mod refusal;
mod shapes;
mod stall;
mod switch;
mod throttle;
mod tls;
mod visitor;

pub use accept::serve;
pub use cut::Cut;
pub use entrance::{Accept, AcceptError};
pub use guard::{Token, TokenError, TokenFile, password_line};
pub use limits::{ConnectionCounts, Reason};
pub use listen::{ListenError, Listeners};
pub use refusal::Refusal;
pub use switch::{Switch, Wire};
pub use tls::{Keys, TlsError};
pub use visitor::{Hidden, Machine, Visitor};
