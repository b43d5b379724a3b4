//! Whatever the bytes are, what they say of a photo is read or left out, and bounded.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mantel::bench::metadata;

fuzz_target!(|bytes: &[u8]| {
    assert!(metadata(bytes) < 100_000, "a photo says too much of itself");
});
