//! The playlist of playlists: which variants there are.

use alloc::{format, string::String};

use super::playlist::suffix;

/// A variant of a stream, as the multivariant playlist tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variant<'a> {
    /// The media playlist, relative to this one; letters, digits, `-`, `.`, `/`.
    pub uri: &'a str,
    /// The codec, as [`Sps::codec_string`](crate::avc::Sps::codec_string) says it.
    pub codecs: &'a str,
    /// Width in pixels.
    pub width: u16,
    /// Height in pixels.
    pub height: u16,
    /// Pictures in a thousand seconds.
    pub millihertz: u32,
    /// The most bits in a second, of a segment.
    pub peak_bits: u64,
    /// Bits in a second over a longer time.
    pub average_bits: u64,
}

/// The multivariant playlist of `variants`, the best for most first. `extra` is
/// [`Wish::extra`](super::Wish::extra).
pub fn multivariant(variants: &[Variant<'_>], extra: &str) -> String {
    let mut out = String::from("#EXTM3U\n#EXT-X-VERSION:9\n");
    for variant in variants {
        let Variant {
            uri,
            codecs,
            width,
            height,
            millihertz,
            peak_bits,
            average_bits,
        } = variant;
        let (whole, thousandths) = (millihertz / 1000, millihertz % 1000);
        // An average above the peak is none.
        let average_bits = average_bits.min(peak_bits);
        out += &format!(
            "#EXT-X-STREAM-INF:BANDWIDTH={peak_bits},AVERAGE-BANDWIDTH={average_bits},\
             CODECS=\"{codecs}\",RESOLUTION={width}x{height},FRAME-RATE={whole}.{thousandths:03}\n\
             {uri}{}\n",
            suffix(extra)
        );
    }
    out
}
