//! One NAL unit: what it is, where it ends, and how it is written. Nothing here remembers anything.

use alloc::vec::Vec;

use memchr::memmem;

use super::{MAX_UNIT_BYTES, START_CODE};

/// A NAL unit from its header byte on, without start code, emulation prevention in place. It is never
/// empty and never longer than [`MAX_UNIT_BYTES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nal<'a>(&'a [u8]);

/// The kind of a NAL unit, by its `nal_unit_type` (table 7-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NalKind {
    /// A slice of a picture that depends on others, or may (1).
    Slice,
    /// A slice of an IDR picture: decoding can begin there (5).
    IdrSlice,
    /// Supplemental enhancement information (6).
    Sei,
    /// A sequence parameter set (7).
    Sps,
    /// A picture parameter set (8).
    Pps,
    /// An access unit delimiter (9).
    Delimiter,
    /// The end of a sequence: an IDR picture follows (10).
    EndOfSequence,
    /// The end of the stream (11).
    EndOfStream,
    /// Filler, there for a constant bit rate (12).
    Filler,
    /// Any other, by its number: data partitions (2 to 4), extensions (13 to 21), and what is not
    /// specified.
    Other(u8),
}

impl<'a> Nal<'a> {
    /// The NAL unit in `bytes`; `None` where there is none or too much of it.
    pub fn new(bytes: &'a [u8]) -> Option<Self> {
        (1..=MAX_UNIT_BYTES)
            .contains(&bytes.len())
            .then_some(Self(bytes))
    }

    /// The bytes, the header first.
    pub fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// The kind.
    pub fn kind(self) -> NalKind {
        NalKind::from_header(self.0.first().copied().unwrap_or_default())
    }

    /// Whether it is the first slice of its picture: `first_mb_in_slice` is 0, which is one set bit.
    /// Arbitrary slice order (Baseline, not in its constrained form) and redundant pictures, which no
    /// encoder in use writes, would be mistaken.
    pub fn begins_picture(self) -> bool {
        self.kind().is_slice() && self.0.get(1).is_some_and(|&byte| byte & 0x80 != 0)
    }
}

impl NalKind {
    /// The kind that a NAL unit's first byte says.
    pub fn from_header(byte: u8) -> Self {
        match byte & 0x1f {
            1 => Self::Slice,
            5 => Self::IdrSlice,
            6 => Self::Sei,
            7 => Self::Sps,
            8 => Self::Pps,
            9 => Self::Delimiter,
            10 => Self::EndOfSequence,
            11 => Self::EndOfStream,
            12 => Self::Filler,
            other => Self::Other(other),
        }
    }

    /// Whether it has to do with a picture's own content. Partition A counts as a slice, partitions B
    /// and C belong to it.
    pub fn is_slice(self) -> bool {
        matches!(self, Self::Slice | Self::IdrSlice | Self::Other(2))
    }

    /// Whether it stands before the first slice of its access unit, so that one of these behind a slice
    /// begins the next unit (7.4.1.2.3). A prefix unit (14) stands before every slice and isn't counted.
    pub fn is_before_slices(self) -> bool {
        matches!(
            self,
            Self::Sei | Self::Sps | Self::Pps | Self::Delimiter | Self::Other(15..=18)
        )
    }

    /// Whether an MP4's sample has no use for it: parameter sets stand in the file's head, delimiters
    /// and filler say nothing there (ISO/IEC 14496-15, 5.3.2).
    pub fn is_outside_samples(self) -> bool {
        matches!(
            self,
            Self::Sps | Self::Pps | Self::Delimiter | Self::EndOfStream | Self::Filler
        )
    }
}

/// The NAL units of `bytes`, a whole piece of Annex B as an encoder hands it out. What stands before the
/// first start code, nothing between two of them, and what is longer than [`MAX_UNIT_BYTES`] is passed
/// over.
pub fn split(bytes: &[u8]) -> impl Iterator<Item = Nal<'_>> {
    let mut rest = after_start(bytes);
    core::iter::from_fn(move || {
        loop {
            let from = rest?;
            let end = memmem::find(from, &START_CODE[1..]);
            let content = &from[..end.unwrap_or(from.len())];
            rest = end.and_then(|end| after_start(&from[end..]));
            // Zeroes before a start code and at the end belong to no unit, whose last byte is never one.
            let n = content.iter().rposition(|&byte| byte != 0);
            if let Some(nal) = n.and_then(|n| Nal::new(&content[..=n])) {
                return Some(nal);
            }
        }
    })
}

/// Writes NAL units with `00 00 00 01` before each.
pub fn write_annexb<'a>(nals: impl IntoIterator<Item = Nal<'a>>, out: &mut Vec<u8>) {
    for nal in nals {
        out.extend_from_slice(&START_CODE);
        out.extend_from_slice(nal.bytes());
    }
}

/// Writes NAL units as a sample of an `avc1` track: the length in four bytes before each, without those
/// that have no place there ([`NalKind::is_outside_samples`]).
pub fn write_sample<'a>(nals: impl IntoIterator<Item = Nal<'a>>, out: &mut Vec<u8>) {
    for nal in nals {
        if !nal.kind().is_outside_samples() {
            // Never cut: a NAL unit is no longer than the limit.
            out.extend_from_slice(&(nal.bytes().len() as u32).to_be_bytes());
            out.extend_from_slice(nal.bytes());
        }
    }
}

fn after_start(bytes: &[u8]) -> Option<&[u8]> {
    let at = memmem::find(bytes, &START_CODE[1..])?;
    bytes.get(at + 3..)
}
