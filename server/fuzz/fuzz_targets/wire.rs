//! Whatever a decoder's process says, the program believes only what answers its question; whatever the program says, a
//! decoder reads a request, the end, or nonsense. And what was understood is said again in the same bytes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mantel::render::{DecodeLimits, Fit, Share, Size, Slot};
use mantel::source::wire::{Confined, Request, Wish, read_reply, write_reply, write_request};

const LIMITS: DecodeLimits = DecodeLimits {
    pixels: 1 << 12,
    side: 256,
    bytes: 1 << 16,
};

fuzz_target!(|bytes: &[u8]| {
    let mut rest = bytes;
    while let Ok(Some(request)) = Request::read(&mut rest) {
        let mut again = vec![];
        let file = vec![request.file.as_slice().into()];
        write_request(&mut again, &request.limits, request.wish, file).expect("memory takes all");
        let read = Request::read(&mut again.as_slice()).expect("it was understood before");
        assert_eq!(read.as_ref(), Some(&request));
    }

    let frame = Size::new(16, 12);
    let half = Slot {
        share: Share::Second,
        ..Slot::alone(frame, Fit::Blur)
    };
    for wish in [
        Wish::Whole,
        Wish::Fitted(Slot::alone(frame, Fit::Blur)),
        Wish::Fitted(half),
    ] {
        let mut rest = bytes;
        while let Ok(reply) = read_reply(&mut rest, &LIMITS, wish) {
            match &reply {
                Ok(pixels) => {
                    let size = pixels.picture.size();
                    match wish {
                        Wish::Whole => assert_eq!(size, pixels.upright),
                        Wish::Fitted(slot) => assert_eq!(size, slot.target(pixels.upright).0),
                    }
                    assert!(size.n_pixels() <= LIMITS.pixels);
                    assert!(size.width.max(size.height) <= LIMITS.side);
                }
                // It goes to logs and pages, as one line.
                Err(error) => assert!(!error.to_string().contains(char::is_control)),
            }
            let mut again = vec![];
            write_reply(&mut again, &reply).expect("memory takes all");
            let read = read_reply(&mut again.as_slice(), &LIMITS, wish);
            assert_eq!(read.expect("it was understood before"), reply);
        }
    }

    let _ = Confined::read(&mut &bytes[..]);
});
