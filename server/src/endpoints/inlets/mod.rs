//! What comes in: commands.

pub(super) mod control;
