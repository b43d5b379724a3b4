//! Chunks: `moof` and `mdat`, with as many samples as one likes.

use alloc::vec::Vec;

use super::{
    TRACK,
    boxes::{put, put_full, u32s, u64s},
};

/// A sample as a chunk's head tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sample {
    /// How many bytes it has.
    pub size: u32,
    /// How long it is shown, in ticks of [`TIMESCALE`](super::TIMESCALE).
    pub duration: u32,
    /// Whether decoding can begin with it.
    pub is_key: bool,
}

/// Where a chunk that begins with a key frame lies in a finite file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fragment {
    /// The first sample's decode time.
    pub decode_time: u64,
    /// Bytes from the file's beginning to the chunk's.
    pub offset: u64,
}

/// The sample depends on no other.
const KEY: u32 = 0x0200_0000;
/// The flags of a sample that depends on others, and is no place to begin.
const DEPENDENT: u32 = 0x0101_0000;

/// Everything of a chunk up to its samples' bytes, which follow: `moof` and the head of `mdat`. `sequence`
/// begins at 1 and counts chunks, `decode_time` is the first sample's, in ticks.
pub fn chunk_head(sequence: u32, decode_time: u64, samples: &[Sample]) -> Vec<u8> {
    let n_bytes: u64 = samples.iter().map(|sample| u64::from(sample.size)).sum();
    // The length of `mdat` has 32 bits, or stands behind them in 64.
    let short = u32::try_from(n_bytes + 8).ok();
    let mdat = if short.is_some() { 8 } else { 16 };
    let mut out = Vec::with_capacity(100 + 12 * samples.len());
    put(&mut out, b"moof", |out| {
        put_full(out, b"mfhd", 0, 0, |out| u32s(out, [sequence]));
        put(out, b"traf", |out| {
            // Flags: offsets count from this `moof`.
            put_full(out, b"tfhd", 0, 0x2_0000, |out| u32s(out, [TRACK]));
            put_full(out, b"tfdt", 1, 0, |out| u64s(out, [decode_time]));
            // Flags: an offset; of each sample duration, size and flags.
            put_full(out, b"trun", 0, 0x701, |out| {
                u32s(out, [samples.len() as u32]);
                // `moof` ends with this box: known before it is whole.
                let moof = out.len() + 4 + 12 * samples.len();
                u32s(out, [(moof + mdat) as u32]);
                for sample in samples {
                    let flags = if sample.is_key { KEY } else { DEPENDENT };
                    u32s(out, [sample.duration, sample.size, flags]);
                }
            });
        });
    });
    u32s(&mut out, [short.unwrap_or(1)]);
    out.extend(b"mdat");
    if short.is_none() {
        u64s(&mut out, [n_bytes + 16]);
    }
    out
}

/// A whole chunk: its head, and the samples' bytes.
pub fn chunk(sequence: u32, decode_time: u64, samples: &[Sample], bytes: &[u8]) -> Vec<u8> {
    let mut out = chunk_head(sequence, decode_time, samples);
    out.extend_from_slice(bytes);
    out
}

/// The end of a finite file, `mfra`: where one can jump to. It may be left out.
pub fn index(fragments: &[Fragment]) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + 19 * fragments.len());
    put(&mut out, b"mfra", |out| {
        put_full(out, b"tfra", 1, 0, |out| {
            // One byte for each of the three numbers behind an offset.
            u32s(out, [TRACK, 0, fragments.len() as u32]);
            for fragment in fragments {
                u64s(out, [fragment.decode_time, fragment.offset]);
                out.extend([1, 1, 1]); // the first sample of the first run of the first track
            }
        });
        // The length of `mfra`, so that it is found from the end.
        let length = out.len() as u32 + 16;
        put_full(out, b"mfro", 0, 0, |out| u32s(out, [length]));
    });
    out
}
