//! Live pictures as bytes: what comes in from cameras, plotters and other programs is found, told
//! apart and cleaned here. Nothing here decodes a picture or touches a file, a socket, a clock or a
//! thread: bytes go in, bytes and numbers come out.
//!
//! [`annexb`] cuts H.264 into pictures, [`avc`] reads what stands before them, [`fmp4`] and [`ts`] put
//! them into MP4 and MPEG-TS, [`hls`] tells players which pieces of that there are. [`jpeg`] knows what a
//! JPEG says about itself, finds JPEGs in a row of them, and takes out what is nobody's business. [`inlet`]
//! reads the body of a push, whatever dialect its sender speaks. [`wire`] cuts up and signs what goes to other machines by a bus. All limits are finite by default.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod annexb;
pub mod avc;
pub mod fmp4;
pub mod hls;
pub mod inlet;
pub mod jpeg;
pub mod ts;
pub mod wire;
