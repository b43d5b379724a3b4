//! The one room that starts processes: decoders, which have nothing to lose (`decoders`), and other people's programs that
//! bring pictures (`program`, or `whole` where there is one answer; `piped` encodes), each under a supervisor that leaves nothing of it behind (`supervisor`). What they are
//! started for is decided elsewhere.

mod decoders;
mod film;
mod piped;
mod program;
mod supervisor;
mod whole;

pub use decoders::{Decoders, Plan, Trouble};
pub use film::{Ended, Film};
pub use piped::Piped;
pub use program::{Ending, Line, Process, Running, supervise_by};
pub use supervisor::ran_as_supervisor;
pub use whole::{NoOutput, run};
