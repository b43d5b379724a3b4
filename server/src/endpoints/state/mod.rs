//! Answers that say how things are: the channel, the screens and viewers, the library, the clock.

pub(super) mod agents;
pub(super) mod channel;
pub(super) mod channels;
mod encoder;
pub(super) mod hidden;
pub(super) mod history;
pub(super) mod lists;
pub(super) mod metrics;
pub(super) mod photos;
pub(super) mod profiles;
pub(super) mod reports;
pub(super) mod screens;
pub(super) mod skipped;
pub(super) mod status;
pub(super) mod time;
pub(super) mod viewers;
