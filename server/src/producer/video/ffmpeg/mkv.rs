//! Pictures as Matroska (RFC 9559) without a compression, for a program that reads them from a pipe: with the time of each, which raw
//! pictures alone don't have. Pure.

use crate::{render::Planes, size::Size};

/// The beginning: one track of pictures of this size, so many a second at most. By that number encoders know how many bits one may
/// have; without it they take the clock's for it, a thousand.
pub(super) fn head(size: Size, fps: u32) -> Vec<u8> {
    let pixels = [
        number(&[0xB0], size.width.into()),
        number(&[0xBA], size.height.into()),
        element(&[0x2E, 0xB5, 0x24], b"I420"),
    ];
    let track = [
        number(&[0xD7], 1),
        number(&[0x73, 0xC5], 1),
        number(&[0x83], 1),
        number(&[0x23, 0xE3, 0x83], 1_000_000_000 / u64::from(fps.max(1))),
        element(&[0x86], b"V_UNCOMPRESSED"),
        element(&[0xE0], &pixels.concat()),
    ];
    let kind = [
        number(&[0x42, 0x86], 1),
        number(&[0x42, 0xF7], 1),
        number(&[0x42, 0xF2], 4),
        number(&[0x42, 0xF3], 8),
        element(&[0x42, 0x82], b"matroska"),
        number(&[0x42, 0x87], 4),
        number(&[0x42, 0x85], 2),
    ];
    [
        element(&[0x1A, 0x45, 0xDF, 0xA3], &kind.concat()),
        // A segment without an end.
        vec![
            0x18, 0x53, 0x80, 0x67, 0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        ],
        // Times are milliseconds.
        element(
            &[0x15, 0x49, 0xA9, 0x66],
            &number(&[0x2A, 0xD7, 0xB1], 1_000_000),
        ),
        element(
            &[0x16, 0x54, 0xAE, 0x6B],
            &element(&[0xAE], &track.concat()),
        ),
    ]
    .concat()
}

/// A picture that is to be seen at `millis`, in a cluster of its own.
pub(super) fn picture(planes: &Planes, millis: u64) -> Vec<u8> {
    let pixels = planes.planes();
    let n_pixels: usize = pixels.iter().map(|plane| plane.len()).sum();
    let time = number(&[0xE7], millis);
    // A track, no time beyond the cluster's, and the mark of a key frame stand before the pixels.
    let n_block = 4 + n_pixels;
    let n_cluster = time.len() + 1 + 8 + n_block;
    let mut out = Vec::with_capacity(12 + n_cluster);
    out.extend([0x1F, 0x43, 0xB6, 0x75]);
    out.extend(length(n_cluster));
    out.extend(time);
    out.push(0xA3);
    out.extend(length(n_block));
    out.extend([0x81, 0, 0, 0x80]);
    for plane in pixels {
        out.extend_from_slice(plane);
    }
    out
}

fn element(id: &[u8], content: &[u8]) -> Vec<u8> {
    [id, &length(content.len()), content].concat()
}

fn number(id: &[u8], number: u64) -> Vec<u8> {
    element(id, &number.to_be_bytes())
}

/// A length in eight bytes, of which seven count.
fn length(n: usize) -> [u8; 8] {
    let mut bytes = (n as u64).to_be_bytes();
    bytes[0] = 1;
    bytes
}
