//! The JPEGs that camera raws carry for showing. Every maker puts them elsewhere; they are looked for where the makers
//! say, and, where that yields nothing, by the look of them.

use memchr::memmem;

use crate::render::bmff::{Boxes, be};
use crate::render::decode::{DecodeError, DecodeLimits, Stored};
use crate::render::jpeg;
use crate::render::layout::Layout;
use crate::render::markers;
use crate::render::orient::Orientation;
use crate::render::raw::{canon_main, fuji_preview};
use crate::render::tiff::{Tiff, tag};

/// Smaller pictures than this are for a camera's menus, not for a wall: 160 x 120 is the usual one.
const MIN_PIXELS: u64 = 320 * 240;
/// As many starts of a JPEG are looked at in a file that does not say where one is.
const MAX_GUESSES: usize = 64;

/// Shows a raw by the largest JPEG in it.
pub(crate) fn decode(bytes: &[u8], limits: &DecodeLimits) -> Result<Stored, DecodeError> {
    let named = largest(named(bytes).into_iter());
    let found = match named {
        Some(found) if found.layout.size.n_pixels() >= MIN_PIXELS => Some(found),
        named => largest(guessed(bytes)).or(named),
    };
    let Some(found) = found else {
        return Err(DecodeError::Unsupported(
            "camera raw (without a JPEG inside)".into(),
        ));
    };
    if found.layout.size.n_pixels() < MIN_PIXELS {
        let size = found.layout.size;
        return Err(DecodeError::Unsupported(format!(
            "camera raw (whose JPEG inside is only {size})"
        )));
    }
    let mut stored = jpeg::decode(found.jpeg, limits)?;
    stored.turned = Some(turned(bytes, found.jpeg));
    Ok(stored)
}

/// The raw's own directory decides; where it has none, the EXIF of the JPEG.
fn turned(bytes: &[u8], jpeg: &[u8]) -> Orientation {
    let of = |block: &[u8]| {
        let tiff = Tiff::new(block)?;
        tiff.orientation(tiff.main()?)
    };
    of(bytes)
        .or_else(|| of(canon_main(bytes)?))
        .or_else(|| of(markers::exif_block(jpeg)?))
        .unwrap_or_default()
}

struct Found<'a> {
    jpeg: &'a [u8],
    layout: Layout,
}

/// The largest that can be decoded: the raw data of some makers is a JPEG, too, but lossless.
fn largest<'a>(jpegs: impl Iterator<Item = &'a [u8]>) -> Option<Found<'a>> {
    jpegs
        .filter(|jpeg| jpeg.starts_with(&[0xFF, 0xD8, 0xFF]))
        .filter_map(|jpeg| {
            let layout = Layout::read(jpeg).ok()?;
            Some(Found { jpeg, layout })
        })
        .max_by_key(|found| found.layout.size.n_pixels())
}

/// What directories and boxes name as a JPEG.
fn named(bytes: &[u8]) -> Vec<&[u8]> {
    let mut found: Vec<&[u8]> = fuji_preview(bytes).into_iter().collect();
    if let Some(tiff) = Tiff::new(bytes) {
        for directory in tiff.directories() {
            found.extend(in_directory(&tiff, directory));
        }
    }
    found.extend(canon_samples(bytes));
    found
}

fn in_directory<'a>(tiff: &Tiff<'a>, directory: u64) -> impl Iterator<Item = &'a [u8]> {
    /// Panasonic's, in its main directory.
    const JPG_FROM_RAW: u16 = 0x002E;
    let pair = |at, n| {
        let (at, n) = (tiff.value(directory, at)?, tiff.value(directory, n)?);
        tiff.part(at, n)
    };
    let strip = || {
        // 6 and 7: JPEG; what comes in several strips is not one of them.
        matches!(tiff.value(directory, tag::COMPRESSION)?, 6 | 7)
            .then(|| pair(tag::STRIP_OFFSETS, tag::STRIP_LENGTHS))?
    };
    let content = || tiff.content(tiff.entry(directory, JPG_FROM_RAW)?);
    [pair(tag::JPEG_OFFSET, tag::JPEG_LENGTH), strip(), content()]
        .into_iter()
        .flatten()
}

/// The first sample of each track of a CR3: one of them is a JPEG of full size.
fn canon_samples(bytes: &[u8]) -> Vec<&[u8]> {
    const MAX_TRACKS: usize = 16;
    let Some(moov) = Boxes::new(bytes).content(*b"moov") else {
        return vec![];
    };
    let sample = |track: &[u8]| {
        let inside = |content, name| Boxes::new(content).content(name);
        let table = inside(inside(inside(track, *b"mdia")?, *b"minf")?, *b"stbl")?;
        let at = match (inside(table, *b"co64"), inside(table, *b"stco")) {
            (Some(offsets), _) => be(offsets, 8, 8)?,
            (None, Some(offsets)) => be(offsets, 8, 4)?,
            (None, None) => return None,
        };
        let sizes = inside(table, *b"stsz")?;
        // One size for all, or one each.
        let n = match be(sizes, 4, 4)? {
            0 => be(sizes, 12, 4)?,
            n => n,
        };
        let rest = bytes.get(usize::try_from(at).ok()?..)?;
        let n = usize::try_from(n).unwrap_or(usize::MAX);
        Some(&rest[..n.min(rest.len())])
    };
    Boxes::new(moov)
        .filter(|found| found.name == *b"trak")
        .take(MAX_TRACKS)
        .filter_map(|track| sample(track.content))
        .collect()
}

/// Whatever begins like a JPEG with tables or metadata first.
fn guessed(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    memmem::find_iter(bytes, &[0xFF, 0xD8, 0xFF])
        .map(|at| &bytes[at..])
        .filter(|rest| matches!(rest.get(3), Some(0xDB | 0xC0 | 0xC2 | 0xC4 | 0xE0..=0xEF)))
        .take(MAX_GUESSES)
}
