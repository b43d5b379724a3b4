//! Whatever the bytes are, decoding gives a picture of the size asked for, or a sentence.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mantel::render::{DecodeLimits, Fit, Size, Slot, decode_fitted, probe};

fuzz_target!(|bytes: &[u8]| {
    let limits = DecodeLimits {
        pixels: 1 << 18,
        side: 4096,
        bytes: 64 << 20,
    };
    let size = Size::new(64, 48);
    match decode_fitted(bytes, &limits, Slot::alone(size, Fit::Contain)) {
        Ok(pixels) => assert_eq!(pixels.picture.size(), size),
        Err(error) => assert!(!error.to_string().contains('\n')),
    }
    let _ = probe(bytes);
});
