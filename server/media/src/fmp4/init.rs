//! The bytes before all samples: the file's type and the facts that a decoder must know.

use alloc::vec::Vec;

use super::{
    TIMESCALE, TRACK,
    boxes::{put, put_full, u16s, u32s, u64s},
};
use crate::avc::{Colour, ParameterSets};

/// A track of H.264.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    /// The facts that its decoder must know.
    pub sets: ParameterSets,
    /// How long all of it is, in ticks of [`TIMESCALE`], where that is known before: of a finite file.
    pub duration: Option<u64>,
}

/// No turn: a matrix in 16.16, its last column in 2.30.
const UPRIGHT: [u32; 9] = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000];

/// "und", three letters of five bits.
const NO_LANGUAGE: u16 = 0x55c4;

/// The initialisation segment: `ftyp` and `moov`, without samples. The same track makes the same bytes.
pub fn init(track: &Track) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024);
    put(&mut out, b"ftyp", |out| {
        out.extend(b"iso6\0\0\0\0");
        out.extend(b"iso6cmfcmp41avc1");
    });
    put(&mut out, b"moov", |out| {
        put_full(out, b"mvhd", 0, 0, |out| {
            // Made, changed: never, as the same bytes are to come out. No samples here: no duration.
            u32s(out, [0, 0, TIMESCALE, 0]);
            u32s(out, [0x1_0000]); // rate
            u16s(out, [0x100, 0]); // volume
            u32s(out, [0, 0]);
            u32s(out, UPRIGHT);
            u32s(out, [0; 6]);
            u32s(out, [TRACK + 1]); // the next track's number
        });
        put(out, b"trak", |out| put_track(out, track));
        put(out, b"mvex", |out| {
            if let Some(duration) = track.duration {
                put_full(out, b"mehd", 1, 0, |out| u64s(out, [duration]));
            }
            // One sample entry; what chunks don't say themselves: nothing.
            put_full(out, b"trex", 0, 0, |out| u32s(out, [TRACK, 1, 0, 0, 0]));
        });
    });
    out
}

fn put_track(out: &mut Vec<u8>, track: &Track) {
    let head = track.sets.head();
    put_full(out, b"tkhd", 0, 3, |out| {
        // Flags: enabled, in the movie.
        u32s(out, [0, 0, TRACK, 0, 0]);
        u32s(out, [0, 0]);
        u16s(out, [0; 4]); // layer, group, volume of what is seen
        u32s(out, UPRIGHT);
        u32s(out, [head.width, head.height].map(|n| u32::from(n) << 16));
    });
    put(out, b"mdia", |out| {
        put_full(out, b"mdhd", 0, 0, |out| {
            u32s(out, [0, 0, TIMESCALE, 0]);
            u16s(out, [NO_LANGUAGE, 0]);
        });
        put_full(out, b"hdlr", 0, 0, |out| {
            out.extend(b"\0\0\0\0vide");
            u32s(out, [0; 3]);
            out.extend(b"video\0");
        });
        put(out, b"minf", |out| {
            put_full(out, b"vmhd", 0, 1, |out| u16s(out, [0; 4]));
            put(out, b"dinf", |out| {
                put_full(out, b"dref", 0, 0, |out| {
                    u32s(out, [1]);
                    put_full(out, b"url ", 0, 1, |_| {}); // in this file
                });
            });
            put(out, b"stbl", |out| {
                put_full(out, b"stsd", 0, 0, |out| {
                    u32s(out, [1]);
                    put(out, b"avc1", |out| put_entry(out, &track.sets));
                });
                // Samples come in chunks of their own.
                put_full(out, b"stts", 0, 0, |out| u32s(out, [0]));
                put_full(out, b"stsc", 0, 0, |out| u32s(out, [0]));
                put_full(out, b"stsz", 0, 0, |out| u32s(out, [0, 0]));
                put_full(out, b"stco", 0, 0, |out| u32s(out, [0]));
            });
        });
    });
}

/// `VisualSampleEntry`, with the decoder's configuration and colours.
fn put_entry(out: &mut Vec<u8>, sets: &ParameterSets) {
    let head = sets.head();
    out.extend([0; 6]);
    u16s(out, [1]); // of the data references
    out.extend([0; 16]);
    u16s(out, [head.width, head.height]);
    u32s(out, [0x48_0000, 0x48_0000, 0]); // 72 dpi
    u16s(out, [1]); // a frame a sample
    out.extend([0; 32]); // the encoder's name
    u16s(out, [0x18, 0xffff]); // depth, no colour table
    put(out, b"avcC", |out| out.extend(sets.avcc()));
    let colour = head.colour;
    if colour != Colour::default() {
        put(out, b"colr", |out| {
            out.extend(b"nclx");
            let codes = [colour.primaries, colour.transfer, colour.matrix];
            u16s(out, codes.map(u16::from));
            out.push(u8::from(colour.is_full_range) << 7);
        });
    }
}
