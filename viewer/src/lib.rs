//! The viewer page, which runs on TVs and tablets.
//!
//! Bytes of `/bytes` go through [`session`] (parts out of chunks), [`player`] (which picture
//! when) and [`fit`] (where on the canvas); `web` fetches, decodes and draws. Everything outside
//! `web` is pure: time is an argument, and it is compiled and tested natively. Only `web` names
//! the browser. Never business of the server: the viewer does not choose photos or times.

pub mod clock;
pub mod fit;
pub mod link;
pub mod motion;
pub mod pace;
pub mod player;
pub mod query;
pub mod session;
pub mod stats;
pub mod wall;

#[cfg(target_arch = "wasm32")]
mod web;
