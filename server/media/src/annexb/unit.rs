//! One access unit: a picture with what belongs to it.

use alloc::vec::Vec;
use core::{fmt, ops::Range};

use super::{Nal, NalKind, START_CODE, write_sample};

/// An access unit: the NAL units of one picture.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Unit {
    /// With `00 00 00 01` before each.
    pub(super) bytes: Vec<u8>,
    pub(super) nals: Vec<Range<usize>>,
}

impl Unit {
    /// The unit that these NAL units make.
    pub fn new<'a>(nals: impl IntoIterator<Item = Nal<'a>>) -> Self {
        let mut unit = Self::default();
        for nal in nals {
            unit.bytes.extend_from_slice(&START_CODE);
            let from = unit.bytes.len();
            unit.bytes.extend_from_slice(nal.bytes());
            unit.nals.push(from..unit.bytes.len());
        }
        unit
    }

    /// The NAL units in order.
    pub fn nals(&self) -> impl Iterator<Item = Nal<'_>> {
        let bytes = |range: &Range<usize>| self.bytes.get(range.clone());
        self.nals.iter().filter_map(bytes).filter_map(Nal::new)
    }

    /// All of it as Annex B, `00 00 00 01` before each NAL unit.
    pub fn annexb(&self) -> &[u8] {
        &self.bytes
    }

    /// The sample it makes in an `avc1` track, as [`write_sample`] writes it.
    pub fn sample(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.bytes.len());
        write_sample(self.nals(), &mut out);
        out
    }

    /// Whether decoding can begin with it: it is an IDR picture.
    pub fn is_key(&self) -> bool {
        self.nals().any(|nal| nal.kind() == NalKind::IdrSlice)
    }

    /// Whether there is a picture in it at all.
    pub fn has_picture(&self) -> bool {
        self.nals().any(|nal| nal.kind().is_slice())
    }
}

impl fmt::Debug for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nals = self.nals().map(|nal| (nal.kind(), nal.bytes().len()));
        f.debug_list().entries(nals).finish()
    }
}
