//! Mantel streams a family's photos, as video, to every screen in the house.
//!
//! ```text
//!             library ── photos ──┐
//!  folders ─▶ (scan, index, watch)▼
//!                               source ─▶ timeline ─▶ render ─▶ hub ─▶ endpoints ─▶ net ─▶ client
//!                               [I/O]     [pure]      [pure]   [state]  [HTTP]  [sockets]
//!                                            ▲                            │
//!                                            └── commands (channel) ◀─────┘
//! ```
//!
//! Each module's first paragraph says what never belongs in it, ARCHITECTURE.md what it may import.
//! `app` puts them together; `producer` alone calls several stages. `main` parses, binds, runs and sets the exit code; the
//! listener and the word to stop belong to the caller of [`run`], so that tests own both.

#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "tests have clocks and files of their own"
    )
)]

pub mod announce;
mod app;
pub mod bench;
mod blocking;
mod buffers;
mod caption;
mod channel;
mod clock;
pub mod config;
mod countries;
mod dirs;
mod edge;
mod endpoints;
mod fetch;
mod files;
mod fillers;
mod heap;
mod hex;
mod hub;
mod lan;
mod library;
mod locked;
mod log;
mod lookalikes;
mod mdns;
mod mqtt;
mod near;
mod net;
mod photo;
mod producer;
mod profiles;
pub mod progress;
mod rendition;
mod rights;
mod saved;
mod sleepers;
pub mod source;
mod state;
mod stats;
mod store;
pub mod tasks;
pub mod timeline;
mod typed;
mod vital;
mod webrtc;

pub use app::{RunError, run, serve};
pub use config::{Config, ConfigError};
pub use heap::keep_small as keep_heap_small;
pub use lan::{lan_address, lan_addresses};
pub use log::HumanFormat;
// Pixels are a crate of their own, which is compiled apart from all else; to the rooms here it is one like the others.
pub use mantel_render as render;
use mantel_render::size;
pub use net::{AcceptError, Keys, ListenError, Listeners, TlsError};
pub use stats::count_panics;
