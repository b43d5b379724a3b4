//! Unpacking of a photo's metadata: Brotli's boxes, and the texts in which ImageMagick kept profiles. Bounded; what is damaged
//! is nothing.

use std::io::Read;

/// The most that anything is unpacked to.
const MAX_BYTES: u64 = 1 << 20;

/// The bytes that Brotli packed.
pub(super) fn brotli(packed: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    let unpacker = brotli_decompressor::Decompressor::new(packed, 4096);
    match unpacker.take(MAX_BYTES).read_to_end(&mut content) {
        Ok(_) => content,
        Err(_) => Vec::new(),
    }
}

/// The kind and the bytes of `Raw profile type KIND` in a PNG's text: the kind again, a length and hexadecimal digits, on
/// lines.
pub(super) fn raw_profile(chunk: &[u8], is_packed: bool) -> Option<(&str, Vec<u8>)> {
    let end = memchr::memchr(0, chunk)?;
    let (key, rest) = (&chunk[..end], &chunk[end + 1..]);
    let kind = std::str::from_utf8(key.strip_prefix(b"Raw profile type ")?).ok()?;
    let mut text = Vec::new();
    if is_packed {
        let unpacker = flate2::read::ZlibDecoder::new(rest.get(1..)?);
        unpacker.take(MAX_BYTES).read_to_end(&mut text).ok()?;
    } else {
        text.extend_from_slice(rest);
    }
    let text = String::from_utf8(text).ok()?;
    let mut words = text.split_whitespace();
    let (_name, n_bytes) = (words.next()?, words.next()?.parse::<usize>().ok()?);
    let digits: Vec<u8> = words.flat_map(str::bytes).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Vec<u8> = digits.chunks_exact(2).map(byte).collect::<Option<_>>()?;
    (bytes.len() == n_bytes).then_some((kind, bytes))
}
