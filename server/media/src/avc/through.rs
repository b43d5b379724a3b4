//! A sender's stream made ready to leave as it came: its pictures untouched, its parameter sets before every key frame, and
//! each SPS saying that no picture waits. Or the reason why it can't.

use alloc::vec::Vec;
use core::fmt;

use super::{AvcError, MAX_SPS_BYTES, ParameterSets, bits, is_b_slice};
use crate::annexb::{Nal, NalKind, Unit};

/// The pictures of one sender, in the order in which they come.
#[derive(Clone, Debug, Default)]
pub struct Through {
    /// The sets as they came last.
    sps: Vec<u8>,
    pps: Vec<Vec<u8>>,
    /// The sets of the last key frame, as they leave; `None` while a key frame is waited for.
    sets: Option<ParameterSets>,
}

/// The reason why a unit can't leave as it came. One that is not [`WaitsForKey`](Self::WaitsForKey) holds up to the next key
/// frame at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotThrough {
    /// A unit that it builds upon is not there.
    WaitsForKey,
    /// No parameter sets have come, or none that can be read.
    Head(AvcError),
    /// It is interlaced.
    Interlaced,
    /// It is not 4:2:0 with 8 bits.
    Samples,
    /// It has B-frames.
    Reorders,
    /// Its parameter sets change between two key frames.
    SetsChange,
}

impl fmt::Display for NotThrough {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WaitsForKey => f.write_str("no key frame has come"),
            Self::Head(error) => write!(f, "its parameter sets can't be read: {error}"),
            Self::Interlaced => f.write_str("it is interlaced"),
            Self::Samples => f.write_str("it is not 4:2:0 with 8 bits"),
            Self::Reorders => {
                f.write_str("it has B-frames: turn them off in the encoder (ffmpeg: -bf 0)")
            }
            Self::SetsChange => f.write_str("its parameter sets change between key frames"),
        }
    }
}

impl core::error::Error for NotThrough {}

impl Through {
    /// The sets by which the last unit that was taken is decoded.
    pub fn sets(&self) -> Option<&ParameterSets> {
        self.sets.as_ref()
    }

    /// A gap: the next unit may build upon one that never came, so that a key frame is waited for.
    pub fn lost(&mut self) {
        self.sets = None;
    }

    /// The unit as it leaves. A key frame has its sets before it, also where the sender told them once; no other unit has
    /// any. Slices are the sender's own bytes.
    ///
    /// # Errors
    /// It can't leave as it came, nor can what follows up to the next key frame.
    pub fn take(&mut self, unit: &Unit) -> Result<Unit, NotThrough> {
        let taken = self.look(unit);
        if taken.is_err() {
            self.sets = None;
        }
        taken
    }

    fn look(&mut self, unit: &Unit) -> Result<Unit, NotThrough> {
        let changes = self.remember(unit);
        if unit.nals().any(is_b_slice) {
            return Err(NotThrough::Reorders);
        }
        let is_set = |nal: &Nal<'_>| matches!(nal.kind(), NalKind::Sps | NalKind::Pps);
        if !unit.is_key() {
            if self.sets.is_none() {
                return Err(NotThrough::WaitsForKey);
            }
            if changes {
                return Err(NotThrough::SetsChange);
            }
            return Ok(Unit::new(unit.nals().filter(|nal| !is_set(nal))));
        }
        let pps = self.pps.iter().map(Vec::as_slice);
        let sets = ParameterSets::new(&self.sps, pps).map_err(NotThrough::Head)?;
        let head = sets.head();
        if !head.is_progressive {
            return Err(NotThrough::Interlaced);
        }
        if (head.chroma, head.luma_bits, head.chroma_bits) != (1, 8, 8) {
            return Err(NotThrough::Samples);
        }
        // The one fault that is left to a head that was read.
        let sets = sets.restricted().map_err(|_| NotThrough::Reorders)?;
        let is_first = |nal: &Nal<'_>| nal.kind() == NalKind::Delimiter;
        let told = [sets.sps()].into_iter().chain(sets.pps());
        let first = unit.nals().filter(is_first);
        let rest = unit.nals().filter(|nal| !is_set(nal) && !is_first(nal));
        let out = Unit::new(first.chain(told.filter_map(Nal::new)).chain(rest));
        self.sets = Some(sets);
        Ok(out)
    }

    /// Keeps the sets that a unit brings; whether they are others than before.
    fn remember(&mut self, unit: &Unit) -> bool {
        let of_kind = |kind| {
            let nals = unit.nals().filter(move |nal| nal.kind() == kind);
            nals.map(Nal::bytes)
        };
        let mut changes = false;
        if let Some(sps) = of_kind(NalKind::Sps).next()
            && sps != self.sps
        {
            self.sps = sps.to_vec();
            // Those of before may name what is no more.
            self.pps.clear();
            changes = true;
        }
        for pps in of_kind(NalKind::Pps) {
            if self.pps.iter().any(|known| known == pps) {
                continue;
            }
            changes = true;
            if pps.len() > MAX_SPS_BYTES {
                continue;
            }
            let id = pps_id(pps);
            self.pps.retain(|known| pps_id(known) != id);
            // An id that can't be read replaces all such: no more are kept than there are ids.
            self.pps.push(pps.to_vec());
        }
        changes
    }
}

/// The number by which slices name a PPS, its first field.
fn pps_id(pps: &[u8]) -> Option<u32> {
    let head = bits::unescaped(pps.get(1..9).or(pps.get(1..)).unwrap_or_default());
    bits::Reader::new(&head)
        .ue("pic_parameter_set_id", 255)
        .ok()
}
