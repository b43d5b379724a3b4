//! Boxes of an MP4: a length and four letters before what is in them.

use alloc::vec::Vec;

/// Appends the box `kind` with what `content` writes. Lengths of more than 32 bits aren't for this.
pub(super) fn put(out: &mut Vec<u8>, kind: &[u8; 4], content: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.extend([0; 4]);
    out.extend(kind);
    content(out);
    let length = (out.len() - at) as u32;
    out[at..at + 4].copy_from_slice(&length.to_be_bytes());
}

/// A box that begins with a version and flags.
pub(super) fn put_full(
    out: &mut Vec<u8>,
    kind: &[u8; 4],
    version: u8,
    flags: u32,
    content: impl FnOnce(&mut Vec<u8>),
) {
    put(out, kind, |out| {
        u32s(out, [u32::from(version) << 24 | flags]);
        content(out);
    });
}

pub(super) fn u16s<const N: usize>(out: &mut Vec<u8>, values: [u16; N]) {
    out.extend(values.into_iter().flat_map(u16::to_be_bytes));
}

pub(super) fn u32s<const N: usize>(out: &mut Vec<u8>, values: [u32; N]) {
    out.extend(values.into_iter().flat_map(u32::to_be_bytes));
}

pub(super) fn u64s<const N: usize>(out: &mut Vec<u8>, values: [u64; N]) {
    out.extend(values.into_iter().flat_map(u64::to_be_bytes));
}
