//! The real server with real clients: bytes on the wire, browsers, players, and everything that
//! can be wrong with a photo, a request or a start. One binary, so that it links once.
//!
//! What never belongs here: unit tests, which stand beside the code they test, and assertions on
//! elapsed time. Every wait polls up to a deadline that a loaded machine can meet.

mod support;

mod api;
mod bad_input;
mod captions;
mod cli;
mod drivers;
mod gallery;
mod img;
mod ladder;
mod library;
mod matrix;
mod misfed;
mod moments;
mod motion;
mod page;
mod paint;
mod pairs;
mod players;
mod reach;
mod restart;
mod stills;
mod wire;
