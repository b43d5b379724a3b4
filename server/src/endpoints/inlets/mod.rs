//! The inlets: commands and live pictures that come in.

pub(super) mod control;
pub(super) mod push;
mod timely;
pub(super) mod websocket;
