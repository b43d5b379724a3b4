//! The rules that ARCHITECTURE.md states, held against the sources.
//!
//! The tables are read from ARCHITECTURE.md itself, so that the page and the code can't drift apart.

mod docs;
mod imports;
mod places;
mod sizes;
mod sources;
mod style;
