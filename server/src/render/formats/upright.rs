//! Which way is up: the one answer to how the stored pixels of a photo are to be turned, for the index and for whoever
//! decodes. Reads the few parts of a file that say so, from memory or from the file itself; what EXIF says besides, the
//! library reads, and nothing of it is ever sent on.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use super::{bmff, exif, items, jxl, kind::Kind, markers, raw, tiff::Tiff};
use crate::render::frame::orient::Orientation;

/// The bytes of a JPEG that are read first: nearly always its EXIF is in them.
pub(super) const NEAR_BYTES: usize = 64 << 10;
/// The bytes within which a JPEG's EXIF is looked for, and the largest box that is read whole.
pub(super) const FAR_BYTES: usize = 1 << 20;
/// The limit of chunks or boxes that are passed on the way to the one that is looked for.
pub(super) const MAX_CHUNKS: usize = 4096;

/// How to turn the stored pixels of a photo of this kind. What is missing, malformed or beyond belief counts as not said:
/// such a photo is upright.
///
/// # Errors
/// The file can't be read.
pub fn turned(kind: Kind, file: &mut (impl Read + Seek)) -> io::Result<Orientation> {
    stated(kind, file).map(Option::unwrap_or_default)
}

/// The orientation that bytes in memory state, `None` where they say nothing.
pub(crate) fn stated_in(kind: Kind, bytes: &[u8]) -> Option<Orientation> {
    stated(kind, &mut Cursor::new(bytes)).ok().flatten()
}

fn stated(kind: Kind, file: &mut (impl Read + Seek)) -> io::Result<Option<Orientation>> {
    match kind {
        Kind::Jpeg => in_jpeg(file, 0),
        Kind::Png => in_png(file),
        Kind::WebP => in_webp(file),
        Kind::Tiff => in_tiff(file),
        Kind::Raw => in_raw(file),
        Kind::Heic => in_heif(file, true),
        // Its EXIF may lie: what the boxes don't turn is upright.
        Kind::Avif => in_heif(file, false),
        Kind::JpegXl => {
            let head = part(file, 0, NEAR_BYTES)?;
            Ok(jxl::header(&head).map(|(_, turned)| turned))
        }
        Kind::Gif | Kind::Bmp => Ok(None),
    }
}

/// `n` bytes from a place, or as many as there are.
pub(super) fn part(file: &mut (impl Read + Seek), at: u64, n: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // No file reaches beyond what can be said with a sign.
    if i64::try_from(at).is_ok() {
        file.seek(SeekFrom::Start(at))?;
        file.take(n as u64).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// By the EXIF of a JPEG that begins at a place in the file.
fn in_jpeg(file: &mut (impl Read + Seek), at: u64) -> io::Result<Option<Orientation>> {
    for n in [NEAR_BYTES, FAR_BYTES] {
        let head = part(file, at, n)?;
        let exif = markers::exif(&head);
        let is_last = head.len() < n || n == FAR_BYTES;
        match exif {
            Some((block, cut)) if !cut || is_last => return Ok(in_block(block)),
            None if is_last || markers::has_scan(&head) => return Ok(None),
            _ => {}
        }
    }
    Ok(None)
}

fn in_png(file: &mut (impl Read + Seek)) -> io::Result<Option<Orientation>> {
    Ok(exif::png_block(file)?.and_then(|block| in_block(&block)))
}

fn in_webp(file: &mut (impl Read + Seek)) -> io::Result<Option<Orientation>> {
    let mut at = 12;
    for _ in 0..MAX_CHUNKS {
        let Some((name, length)) = chunk(file, at)? else {
            break;
        };
        let length = u32::from_le_bytes(length);
        if name == *b"EXIF" {
            let exif = part(file, at + 8, NEAR_BYTES.min(length as usize))?;
            return Ok(in_block(exif.strip_prefix(b"Exif\0\0").unwrap_or(&exif)));
        }
        // Contents are padded to an even length.
        at += 8 + u64::from(length) + u64::from(length % 2);
    }
    Ok(None)
}

/// The eight bytes before the content of a chunk of PNG or WebP; `None` at the end of the file.
pub(super) fn chunk(
    file: &mut (impl Read + Seek),
    at: u64,
) -> io::Result<Option<([u8; 4], [u8; 4])>> {
    let head = part(file, at, 8)?;
    let (chunks, _) = head.as_chunks::<4>();
    Ok(match chunks {
        &[first, second] => Some((first, second)),
        _ => None,
    })
}

/// By the main directory of a TIFF, wherever in the file it stands.
fn in_tiff(file: &mut (impl Read + Seek)) -> io::Result<Option<Orientation>> {
    let head = part(file, 0, Tiff::HEAD_BYTES)?;
    let Some(tiff) = Tiff::new(&head) else {
        return Ok(None);
    };
    let Some(main) = tiff.main() else {
        return Ok(None);
    };
    let directory = part(file, main, Tiff::MAX_DIRECTORY_BYTES)?;
    Ok(tiff.with(&directory, main).orientation(main))
}

/// The raw's own directory decides; Fujifilm's has none, and the JPEG that it shows says it.
fn in_raw(file: &mut (impl Read + Seek)) -> io::Result<Option<Orientation>> {
    let head = part(file, 0, 256)?;
    if let Some((at, _)) = raw::fuji_preview_place(&head) {
        return in_jpeg(file, at);
    }
    if bmff::has_mark(&head) {
        let moov = top_box(file, *b"moov")?.unwrap_or_default();
        return Ok(raw::canon_main(&moov).and_then(in_block));
    }
    in_tiff(file)
}

/// By the boxes of the primary picture or, where none turns it and that `counts`, by its EXIF.
fn in_heif(file: &mut (impl Read + Seek), counts: bool) -> io::Result<Option<Orientation>> {
    let Some(meta) = top_box(file, *b"meta")? else {
        return Ok(None);
    };
    let Some(primary) = bmff::primary_in(&meta) else {
        return Ok(None);
    };
    if primary.turned.is_some() || !counts {
        return Ok(primary.turned);
    }
    for place in items::exif(&meta, primary.id) {
        let item = match place {
            items::Place::InMeta(item) => item.to_vec(),
            items::Place::InFile { at, n } => part(file, at, n.min(NEAR_BYTES))?,
        };
        if let Some(turned) = items::tiff_block(&item).and_then(in_block) {
            return Ok(Some(turned));
        }
    }
    Ok(None)
}

/// The content of the first box of that name that is in no other box, or as much of it as is ever needed.
pub(super) fn top_box(file: &mut (impl Read + Seek), name: [u8; 4]) -> io::Result<Option<Vec<u8>>> {
    let mut at = 0;
    for _ in 0..MAX_CHUNKS {
        let head = part(file, at, 16)?;
        let Some((found, n_head, length)) = bmff::box_head(&head) else {
            break;
        };
        let start = at + n_head;
        if found == name {
            let n = length.map_or(FAR_BYTES, |n| usize::try_from(n).unwrap_or(FAR_BYTES));
            return part(file, start, n.min(FAR_BYTES)).map(Some);
        }
        let Some(next) = length.and_then(|length| start.checked_add(length)) else {
            break;
        };
        at = next;
    }
    Ok(None)
}

/// By the main directory of a TIFF structure that is all there: one directory, no chains, no recursion.
fn in_block(block: &[u8]) -> Option<Orientation> {
    let tiff = Tiff::new(block)?;
    tiff.orientation(tiff.main()?)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    const ORIENTATION: u16 = 0x0112;
    const SHORT: u16 = 3;
    const LONG: u16 = 4;
    const EXIF_IFD: u16 = 0x8769;
    const DATE_TIME_ORIGINAL: u16 = 0x9003;
    const ASCII: u16 = 2;

    /// A TIFF block with an orientation and, in its EXIF directory, a date.
    pub(crate) fn block(orientation: u16, date: &str, big_endian: bool) -> Vec<u8> {
        let u16 = |value: u16| {
            if big_endian {
                value.to_be_bytes()
            } else {
                value.to_le_bytes()
            }
        };
        let u32 = |value: u32| {
            if big_endian {
                value.to_be_bytes()
            } else {
                value.to_le_bytes()
            }
        };
        let mut block = if big_endian {
            b"MM\0*".to_vec()
        } else {
            b"II*\0".to_vec()
        };
        block.extend(u32(8));
        // The main directory: 2 entries, at 8.
        block.extend(u16(2));
        block.extend([u16(ORIENTATION), u16(SHORT)].concat());
        block.extend(u32(1));
        block.extend([u16(orientation), [0, 0]].concat());
        block.extend([u16(EXIF_IFD), u16(LONG)].concat());
        block.extend([u32(1), u32(38), u32(0)].concat());
        // The EXIF directory: 1 entry, at 38; its text at 56.
        assert_eq!(block.len(), 38);
        block.extend([u16(1), u16(DATE_TIME_ORIGINAL), u16(ASCII)].concat());
        block.extend([u32(date.len() as u32 + 1), u32(56), u32(0)].concat());
        assert_eq!(block.len(), 56);
        block.extend(date.as_bytes());
        block.push(0);
        block
    }

    pub(crate) fn in_jpeg(block: &[u8]) -> Vec<u8> {
        let length = u16::try_from(block.len() + 8).unwrap().to_be_bytes();
        [
            &[0xFF, 0xD8, 0xFF, 0xE1],
            &length[..],
            b"Exif\0\0",
            block,
            &[0xFF, 0xDA],
        ]
        .concat()
    }

    fn png(block: &[u8]) -> Vec<u8> {
        let length = u32::try_from(block.len()).unwrap().to_be_bytes();
        [
            b"\x89PNG\r\n\x1a\n\0\0\0\x02abcd--crc!",
            &length[..],
            b"eXIf",
            block,
            b"crc!",
        ]
        .concat()
    }

    fn webp(block: &[u8]) -> Vec<u8> {
        let length = u32::try_from(block.len()).unwrap().to_le_bytes();
        [
            b"RIFF\0\0\0\0WEBPVP8 \x03\0\0\0abc\0EXIF",
            &length[..],
            block,
        ]
        .concat()
    }

    #[test]
    fn facts_are_read_from_every_kind_in_both_byte_orders() {
        for big_endian in [false, true] {
            let block = block(6, "2021:07:04 12:30:59", big_endian);
            for (kind, file) in [
                (Kind::Jpeg, in_jpeg(&block)),
                (Kind::Png, png(&block)),
                (Kind::WebP, webp(&block)),
                (Kind::Tiff, block),
            ] {
                let turned = Some(Orientation::QuarterClockwise);
                assert_eq!(stated_in(kind, &file), turned, "{kind}");
                for end in 0..file.len() {
                    let found = stated_in(kind, &file[..end]);
                    assert!(found.is_none() || found == turned, "{kind} cut at {end}");
                }
            }
        }
    }

    #[test]
    fn what_is_not_said_is_the_default() {
        for kind in Kind::ALL {
            assert_eq!(stated_in(kind, b""), None);
            let turned = turned(kind, &mut Cursor::new(b"nothing of any kind")).unwrap();
            assert_eq!(turned, Orientation::Upright);
        }
        for block in [
            &b"II*\0"[..],
            &block(0, "", false),
            &block(9, "yesterday", true),
        ] {
            assert_eq!(stated_in(Kind::Jpeg, &in_jpeg(block)), None);
        }
    }

    #[test]
    fn a_directory_that_points_to_itself_ends() {
        let mut circle = block(1, "2021:07:04 12:30:59", false);
        circle[30..34].copy_from_slice(&8u32.to_le_bytes());
        assert_eq!(stated_in(Kind::Tiff, &circle), Some(Orientation::Upright));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12), big_endian: bool) {
            let mut file = in_jpeg(&block(6, "2021:07:04 12:30:59", big_endian));
            for (at, byte) in damage {
                let at = at.index(file.len());
                file[at] = byte;
            }
            for kind in Kind::ALL {
                let _ = (stated_in(kind, &file), stated_in(kind, &file[12..]));
            }
        }
    }
}
