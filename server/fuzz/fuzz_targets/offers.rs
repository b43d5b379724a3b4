//! Whatever an offer of WebRTC says, it is answered or refused in one line.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mantel::bench;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    if let Err(sentence) = bench::offer(&text) {
        assert!(!sentence.contains(['\r', '\n']), "{sentence:?}");
    }
});
