//! The parameter sets of a stream together, and slices as far as their heads say whether there are
//! B-frames.

use alloc::vec::Vec;

use super::{
    AvcError, AvcErrorKind, Colour, Profile, Sps, Timing,
    bits::{Reader, unescaped},
    with_colour, with_restriction, with_timing,
};
use crate::annexb::{Nal, NalKind, Unit};

/// The most picture parameter sets of an `avcC`.
const MAX_PPS: usize = 255;

/// The parameter sets of a stream: what has to be known before its first picture. Where they change, a new
/// stream begins for those who got them apart, as in an MP4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterSets {
    sps: Vec<u8>,
    pps: Vec<Vec<u8>>,
    head: Sps,
}

impl ParameterSets {
    /// The sets of these NAL units.
    ///
    /// # Errors
    ///
    /// What [`Sps::parse`] finds, and [`AvcErrorKind::BadPps`].
    pub fn new<'a>(sps: &[u8], pps: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, AvcError> {
        let head = Sps::parse(sps)?;
        let pps: Vec<_> = pps.into_iter().map(<[u8]>::to_vec).collect();
        let is_pps = |pps: &Vec<u8>| {
            let kind = pps.first().map(|&header| NalKind::from_header(header));
            kind == Some(NalKind::Pps) && pps.len() <= usize::from(u16::MAX)
        };
        if !(1..=MAX_PPS).contains(&pps.len()) || !pps.iter().all(is_pps) {
            return Err(AvcErrorKind::BadPps.at(0));
        }
        let sps = sps.to_vec();
        Ok(Self { sps, pps, head })
    }

    /// The sets that a unit brings; `None` where it has no SPS. Of several SPS the first one counts: two
    /// that differ are in no stream of one encoder.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn of(unit: &Unit) -> Result<Option<Self>, AvcError> {
        let of_kind = |kind| {
            let nals = unit.nals().filter(move |nal| nal.kind() == kind);
            nals.map(Nal::bytes)
        };
        of_kind(NalKind::Sps)
            .next()
            .map(|sps| Self::new(sps, of_kind(NalKind::Pps)))
            .transpose()
    }

    /// The SPS, a NAL unit.
    pub fn sps(&self) -> &[u8] {
        &self.sps
    }

    /// The PPS, NAL units, at least one.
    pub fn pps(&self) -> impl Iterator<Item = &[u8]> {
        self.pps.iter().map(Vec::as_slice)
    }

    /// The facts that the SPS tells.
    pub fn head(&self) -> &Sps {
        &self.head
    }

    /// The profile of the stream, where it is one of those that are told apart.
    pub fn profile(&self) -> Option<Profile> {
        Profile::of(self.head.profile, self.head.constraints)
    }

    /// These sets with an SPS [`with_restriction`].
    ///
    /// # Errors
    ///
    /// As [`with_restriction`].
    pub fn restricted(&self) -> Result<Self, AvcError> {
        let sps = with_restriction(&self.sps)?;
        let head = Sps::parse(&sps)?;
        let pps = self.pps.clone();
        Ok(Self { sps, pps, head })
    }

    /// The record in an MP4's `avcC` box, as [`avcc`] makes it.
    pub fn avcc(&self) -> Vec<u8> {
        record(&self.head, &self.sps, &self.pps)
    }
}

/// The `AVCDecoderConfigurationRecord` (ISO/IEC 14496-15, 5.3.3.1) for these two NAL units, with lengths of
/// four bytes before NAL units.
///
/// # Errors
///
/// As [`ParameterSets::new`].
pub fn avcc(sps: &[u8], pps: &[u8]) -> Result<Vec<u8>, AvcError> {
    Ok(ParameterSets::new(sps, [pps])?.avcc())
}

fn record(head: &Sps, sps: &[u8], pps: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    // Four bytes a length; one SPS.
    out.extend([1, head.profile, head.constraints, head.level, 0xff, 0xe1]);
    let put = |out: &mut Vec<u8>, nal: &[u8]| {
        out.extend((nal.len() as u16).to_be_bytes()); // Limited above.
        out.extend(nal);
    };
    put(&mut out, sps);
    out.push(pps.len() as u8);
    pps.iter().for_each(|pps| put(&mut out, pps));
    // Baseline, Main and Extended end here.
    if !matches!(head.profile, 66 | 77 | 88) {
        let (luma, chroma) = (head.luma_bits - 8, head.chroma_bits - 8);
        out.extend([0xfc | head.chroma, 0xf8 | luma, 0xf8 | chroma, 0]);
    }
    out
}

/// The unit with each of its SPS [`with_restriction`], for a stream that is passed through.
///
/// # Errors
///
/// As [`with_restriction`].
pub fn restricted(unit: &Unit) -> Result<Unit, AvcError> {
    rewritten(unit, with_restriction)
}

/// The unit with each of its SPS [`with_timing`].
///
/// # Errors
///
/// As [`with_timing`].
pub fn timed(unit: &Unit, timing: Timing) -> Result<Unit, AvcError> {
    rewritten(unit, |sps| with_timing(sps, timing))
}

/// The unit with each of its SPS [`with_colour`], by what `meant` says of it.
///
/// # Errors
///
/// As [`with_colour`].
pub fn coloured(unit: &Unit, meant: impl Fn(&Sps) -> Option<Colour>) -> Result<Unit, AvcError> {
    rewritten(unit, |sps| match meant(&Sps::parse(sps)?) {
        Some(colour) => with_colour(sps, colour),
        None => Ok(sps.to_vec()),
    })
}

fn rewritten(
    unit: &Unit,
    rewrite: impl Fn(&[u8]) -> Result<Vec<u8>, AvcError>,
) -> Result<Unit, AvcError> {
    let is_sps = |nal: &Nal<'_>| nal.kind() == NalKind::Sps;
    let rewritten = unit.nals().filter(is_sps);
    let rewritten: Vec<_> = rewritten
        .map(|nal| rewrite(nal.bytes()))
        .collect::<Result<_, _>>()?;
    let mut rewritten = rewritten.iter().filter_map(|sps| Nal::new(sps));
    Ok(Unit::new(unit.nals().filter_map(|nal| {
        if is_sps(&nal) {
            rewritten.next()
        } else {
            Some(nal)
        }
    })))
}

/// Whether it is a slice of a B-frame, which may be shown before ones that were sent earlier.
pub fn is_b_slice(nal: Nal<'_>) -> bool {
    // Two fields of at most 63 bits each.
    let head = nal.bytes().get(1..).unwrap_or_default();
    let head = unescaped(head.get(..24).unwrap_or(head));
    let mut fields = Reader::new(&head);
    let mut slice_type = || {
        fields.ue("first_mb_in_slice", u32::MAX)?;
        fields.ue("slice_type", 9)
    };
    nal.kind().is_slice() && matches!(slice_type(), Ok(1 | 6))
}
