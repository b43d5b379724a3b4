//! The real server with real clients: bytes on the wire, browsers, players, and everything that
//! can be wrong with a photo, a request or a start. One binary, so that it links once.
//!
//! What never belongs here: unit tests, which stand beside the code they test, and assertions that
//! something was quick, but in `paint` of what is on screen when. Every wait polls up to a
//! deadline that a loaded machine can meet.

mod support;

mod access;
mod api;
mod around;
mod bad_input;
mod bus;
mod cameras;
mod captions;
mod channels;
mod cli;
mod clips;
mod decoder;
mod delay;
mod deploy;
mod dist;
mod drivers;
mod ecosystem;
mod edge;
mod floods;
mod gallery;
mod home;
mod img;
mod interrupts;
mod ladder;
mod languages;
mod library;
mod limits;
mod listeners;
mod live;
mod matrix;
mod misfed;
mod moments;
mod months;
mod motion;
mod moving;
mod mqtt;
mod observe;
mod offline;
mod over;
mod page;
mod paint;
mod pairs;
mod passing;
mod pauses;
mod players;
mod profiles;
mod proxy;
mod reach;
mod relay;
mod resets;
mod restart;
mod running;
mod send;
mod senders;
mod state;
mod stills;
mod stops;
mod through;
mod unforeseen;
mod video;
mod webrtc;
mod websocket;
mod wire;
