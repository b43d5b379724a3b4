//! MPEG-TS (ISO/IEC 13818-1) of one H.264 track without B-frames, for players that want a transport stream.
//! [`Muxer`] takes access units and hands out packets. When a unit is due, and what it begins with, is for
//! others to say.

mod packet;
mod tables;

pub use packet::PACKET_BYTES;

use alloc::vec::Vec;

use self::packet::{Counter, put_packets};
use crate::annexb::{NalKind, split};

/// How much earlier the clock is than the picture that comes with it, in ticks of 90 kHz: 100 ms. So long a
/// player has to take in a large picture before it is due.
pub const LEAD: u64 = 9_000;

/// The packet identifiers: of the table of what the programme is made of, and of the video.
const PMT_PID: u16 = 0x1000;
const VIDEO_PID: u16 = 0x100;

/// An access unit delimiter that says nothing of the slices to come. It is required before each picture
/// (2.14.1).
const DELIMITER: [u8; 6] = [0, 0, 0, 1, 0x09, 0xf0];

/// Writes one programme with one H.264 track. What it hands out can be joined before each key frame.
#[derive(Clone, Debug, Default)]
pub struct Muxer {
    pat: Counter,
    pmt: Counter,
    video: Counter,
}

impl Muxer {
    /// A muxer whose counters are at their beginning.
    pub fn new() -> Self {
        Self::default()
    }

    /// The packets of an access unit in Annex B, tables before it where it is a key frame. `pts` is when it
    /// is shown, in ticks of 90 kHz from the stream's beginning; it wraps by itself, after 26 hours.
    pub fn write(&mut self, unit: &[u8], pts: u64, is_key: bool) -> Vec<u8> {
        let first = split(unit).next();
        let has_delimiter = first.is_some_and(|nal| nal.kind() == NalKind::Delimiter);
        let delimiter = if has_delimiter { &[][..] } else { &DELIMITER };
        let head = pes_head(pts.wrapping_add(LEAD), delimiter.len() + unit.len());
        let n_bytes = head.len() + delimiter.len() + unit.len();
        // 176 bytes in the first packet, which has the clock; 184 in the others.
        let n_packets = 3 + (n_bytes + 8) / 184;
        let mut out = Vec::with_capacity(n_packets * PACKET_BYTES);
        if is_key {
            tables::put_pat(&mut self.pat, &mut out);
            tables::put_pmt(&mut self.pmt, &mut out);
        }
        let parts = [&head[..], delimiter, unit];
        put_packets(&mut self.video, pts, is_key, parts, &mut out);
        out
    }
}

/// The head of a packetised elementary stream's packet with `n_bytes` behind it. A length that 16 bits don't
/// hold is not said, as is allowed for video here; one that is said spares players the wait for the next.
fn pes_head(pts: u64, n_bytes: usize) -> [u8; 14] {
    let [x, y] = u16::try_from(n_bytes + 8).unwrap_or(0).to_be_bytes();
    // Three pieces of the 33 bits, with a set bit behind each (2.4.3.7).
    let piece = |shift: u32| ((pts >> shift & 0x7fff) << 1 | 1) as u16;
    let [a, b] = piece(15).to_be_bytes();
    let [c, d] = piece(0).to_be_bytes();
    let top = 0x21 | (pts >> 29 & 0xe) as u8;
    // Video stream 0; the picture begins here; a PTS alone, in five bytes.
    [0, 0, 1, 0xe0, x, y, 0x84, 0x80, 5, top, a, b, c, d]
}
