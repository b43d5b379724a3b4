//! The inlets: commands that come in.

pub(super) mod control;
