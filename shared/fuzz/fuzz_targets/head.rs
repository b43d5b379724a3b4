//! Any block is read or refused; what is read can be written and read again, and its lines are as
//! many as its headers.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mantel_shared::{Boundary, HeadError, PartHead};

fuzz_target!(|block: &[u8]| {
    if let Ok(text) = std::str::from_utf8(block) {
        if let Ok(boundary) = Boundary::from_content_type(text) {
            assert_eq!(
                Boundary::from_content_type(&boundary.content_type()),
                Ok(boundary)
            );
        }
    }
    match PartHead::parse(block) {
        Ok(head) => {
            let mut written = Vec::new();
            head.write(&mut written);
            let n_lines = written.iter().filter(|&&b| b == b'\n').count();
            let n_returns = written.iter().filter(|&&b| b == b'\r').count();
            assert!(n_lines <= 12 && n_lines == n_returns);
            assert!(written.ends_with(b"\r\n\r\n"));
            assert_eq!(PartHead::parse(&written), Ok(head));
        }
        Err(HeadError::NotAHeader { at }) => {
            let line = block[at..]
                .split(|&b| b == b'\n')
                .next()
                .unwrap_or_default();
            assert!(!line.contains(&b':'));
        }
    }
});
