//! What travels between Mantel's server and its clients.
#![no_std]
extern crate alloc;
