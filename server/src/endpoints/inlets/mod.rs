//! The inlets: commands and live pictures that come in.

pub(super) mod control;
mod home;
pub(super) mod push;
mod screens;
mod timely;
pub(super) mod websocket;
