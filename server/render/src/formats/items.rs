//! Items of a HEIF file's `meta` box (ISO/IEC 14496-12, 8.11) besides pictures: where EXIF and XMP that describe a picture
//! lie, and what is in front of its TIFF structure. As content with a part of the box as with the whole.

use super::bmff::{Boxes, be, full, item_type};

/// Items that are looked at in one file.
const MAX_ITEMS: u64 = 4096;
/// Items of one type that are looked at: one is usual.
const MAX_DESCRIBING: usize = 4;

/// Where an item lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place<'a> {
    /// In the `meta` box itself.
    InMeta(&'a [u8]),
    /// Elsewhere in the file: from where, and how long.
    InFile { at: u64, n: usize },
}

/// Where the items of a type lie that describe a picture, by the content of the `meta` box: EXIF (`Exif`) or XMP (`mime`),
/// usually one of each.
pub(crate) fn describing(meta: &[u8], picture: u64, kind: [u8; 4]) -> Vec<Place<'_>> {
    let Some(meta) = meta.get(4..) else {
        return vec![];
    };
    referring(meta, picture)
        .into_iter()
        .filter(|&item| item_type(meta, item) == Some(kind))
        .take(MAX_DESCRIBING)
        .filter_map(|item| place(meta, item))
        .collect()
}

/// The TIFF structure in an EXIF item. It begins with how much stands before that; some writers keep JPEG's mark, counted
/// or not.
pub(crate) fn tiff_block(item: &[u8]) -> Option<&[u8]> {
    let skipped = usize::try_from(be(item, 0, 4)?).ok()?;
    let block = item.get(4..)?.get(skipped..)?;
    Some(block.strip_prefix(b"Exif\0\0").unwrap_or(block))
}

/// The items that say they describe another.
fn referring(meta: &[u8], item: u64) -> Vec<u64> {
    let references = || {
        let (version, iref) = full(Boxes::new(meta).content(*b"iref")?)?;
        let n = if version == 0 { 2 } else { 4 };
        let found = Boxes::new(iref)
            .filter(|found| found.name == *b"cdsc")
            .filter_map(|cdsc| {
                let from = be(cdsc.content, 0, n)?;
                let count = usize::try_from(be(cdsc.content, n, 2)?).ok()?;
                let mut to = (0..count).map_while(|i| be(cdsc.content, n + 2 + i * n, n));
                to.any(|to| to == item).then_some(from)
            });
        Some(found.collect())
    };
    references().unwrap_or_default()
}

/// Where an item's first extent lies; nothing else is ever in several.
fn place(meta: &[u8], item: u64) -> Option<Place<'_>> {
    let (version, iloc) = full(Boxes::new(meta).content(*b"iloc")?)?;
    let sizes = be(iloc, 0, 2)?;
    let size = |shift: u32| (sizes >> shift & 0xF) as usize;
    let (n_offset, n_length, n_base) = (size(12), size(8), size(4));
    let n_index = if version == 0 { 0 } else { size(0) };
    let n_id = if version < 2 { 2 } else { 4 };
    let n_items = be(iloc, 2, n_id)?.min(MAX_ITEMS);
    let mut at = 2 + n_id;
    for _ in 0..n_items {
        let id = be(iloc, at, n_id)?;
        at += n_id;
        let method = if version == 0 {
            0
        } else {
            at += 2;
            be(iloc, at - 2, 2)? & 0xF
        };
        // Which file it is in: this one, wherever pictures come from.
        at += 2;
        let base = be(iloc, at, n_base)?;
        at += n_base;
        let n_extents = usize::try_from(be(iloc, at, 2)?).ok()?;
        at += 2;
        if id == item && n_extents > 0 {
            let start = base.checked_add(be(iloc, at + n_index, n_offset)?)?;
            let n = usize::try_from(be(iloc, at + n_index + n_offset, n_length)?).ok()?;
            return match method {
                0 => Some(Place::InFile { at: start, n }),
                1 => {
                    let data = Boxes::new(meta).content(*b"idat")?;
                    let rest = data.get(usize::try_from(start).ok()?..)?;
                    Some(Place::InMeta(&rest[..n.min(rest.len())]))
                }
                _ => None,
            };
        }
        at += n_extents * (n_index + n_offset + n_length);
    }
    None
}
