//! A picture without what it carries besides itself.

use alloc::vec::Vec;

use super::{
    JpegError,
    head::{Head, is_extra},
    marker,
    segments::{Segment, Segments},
    tables::STANDARD_TABLES,
};

/// The part of a JFIF header that is kept: its name, version, unit and density. Behind it goes a thumbnail of
/// no width and no height (JFIF 1.02, page 5).
const JFIF_KEPT: usize = 12;
/// All of Adobe's APP14, by Adobe's note 5116: name, version, two flags, transform.
const ADOBE_BYTES: usize = 12;

/// The picture that `bytes` begin with, and nothing that it carries besides: of APPn only JFIF's header,
/// without a thumbnail, and Adobe's colour transform, no comment, nothing behind EOI. So no position
/// and no second picture leaves, and whoever looks for the first `FF D9` finds the end. Where a
/// sequential picture has no Huffman tables, the standard ones are put in. Frame, tables and scans are
/// those of `bytes`, byte for byte.
///
/// Orientation goes with the EXIF that says it: look at it before.
///
/// The result is the one allocation that grows with the picture.
///
/// # Errors
///
/// What a [`JpegErrorKind`](super::JpegErrorKind) names; a picture without EOI is cut off.
pub fn cleaned(bytes: &[u8]) -> Result<Vec<u8>, JpegError> {
    cleaned_into(bytes, Vec::new())
}

/// A cleaned picture in the memory of `out`, whose content goes.
///
/// # Errors
///
/// Those of [`cleaned`].
pub fn cleaned_into(bytes: &[u8], mut out: Vec<u8>) -> Result<Vec<u8>, JpegError> {
    let head = Head::parse(bytes)?;
    let mut lacks_tables = !head.has_tables && head.coding.is_sequential();
    let n_tables = if lacks_tables {
        STANDARD_TABLES.len()
    } else {
        0
    };
    out.clear();
    out.reserve_exact(bytes.len() + n_tables);
    out.extend_from_slice(&[0xff, marker::SOI]);
    let (mut has_jfif, mut has_adobe) = (false, false);
    let mut segments = Segments::new(bytes)?;
    loop {
        let segment = segments.next()?;
        match segment.marker {
            marker::APP0 => has_jfif = has_jfif || keep_jfif(&segment, &mut out),
            marker::APP14 => has_adobe = has_adobe || keep_adobe(&segment, &mut out),
            code if is_extra(code) => {}
            marker::EOI => {
                out.extend_from_slice(segment.whole);
                return Ok(out);
            }
            marker::SOS => {
                if core::mem::take(&mut lacks_tables) {
                    out.extend_from_slice(&STANDARD_TABLES);
                }
                out.extend_from_slice(segment.whole);
                out.extend_from_slice(segment.scan);
            }
            _ => out.extend_from_slice(segment.whole),
        }
    }
}

fn keep_jfif(segment: &Segment<'_>, out: &mut Vec<u8>) -> bool {
    // Shorter ones than the standard's 14 bytes say nothing that can be relied on.
    let kept = match segment.content.get(..JFIF_KEPT) {
        Some(kept) if kept.starts_with(b"JFIF\0") && segment.content.len() >= 14 => kept,
        _ => return false,
    };
    out.extend_from_slice(&[0xff, marker::APP0, 0, 16]);
    out.extend_from_slice(kept);
    out.extend_from_slice(&[0, 0]);
    true
}

fn keep_adobe(segment: &Segment<'_>, out: &mut Vec<u8>) -> bool {
    let kept = match segment.content.get(..ADOBE_BYTES) {
        Some(kept) if kept.starts_with(b"Adobe") => kept,
        _ => return false,
    };
    out.extend_from_slice(&[0xff, marker::APP14, 0, 14]);
    out.extend_from_slice(kept);
    true
}
