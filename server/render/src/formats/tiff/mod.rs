//! The directories of a TIFF file (TIFF 6.0, BigTIFF, and the camera raws that are built like them), read within
//! bounds and without going in circles. Decodes nothing; as content with a head as with the whole.

mod canvas;
mod colours;
mod fax;
mod packed;
pub(crate) mod picture;
mod plan;
mod samples;

use crate::picture::Size;

/// Tags of TIFF 6.0, TIFF/EP and DNG.
pub(crate) mod tag {
    pub(crate) const NEW_SUBFILE_TYPE: u16 = 0x00FE;
    pub(crate) const SUBFILE_TYPE: u16 = 0x00FF;
    pub(crate) const WIDTH: u16 = 0x0100;
    pub(crate) const HEIGHT: u16 = 0x0101;
    pub(crate) const COMPRESSION: u16 = 0x0103;
    pub(crate) const PHOTOMETRIC: u16 = 0x0106;
    pub(crate) const MAKE: u16 = 0x010F;
    pub(crate) const STRIP_OFFSETS: u16 = 0x0111;
    pub(crate) const ORIENTATION: u16 = 0x0112;
    pub(crate) const STRIP_LENGTHS: u16 = 0x0117;
    pub(crate) const SUB_DIRECTORIES: u16 = 0x014A;
    pub(crate) const JPEG_OFFSET: u16 = 0x0201;
    pub(crate) const JPEG_LENGTH: u16 = 0x0202;
    pub(crate) const XMP: u16 = 0x02BC;
    pub(crate) const IPTC: u16 = 0x83BB;
    pub(crate) const DNG_VERSION: u16 = 0xC612;
}

/// A directory has this many entries at most; cameras write below a hundred.
const MAX_ENTRIES: u64 = 1024;
/// Directories that are looked at in one file.
const MAX_DIRECTORIES: usize = 64;

/// A TIFF structure; offsets count from its first byte.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tiff<'a> {
    /// The structure, or a part of it.
    bytes: &'a [u8],
    /// Where the bytes begin in it.
    start: u64,
    big_endian: bool,
    /// 64-bit counts and offsets.
    big: bool,
}

/// One entry of a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) tag: u16,
    pub(super) kind: u16,
    pub(super) count: u64,
    /// Where its values stand.
    pub(super) at: u64,
}

/// Bytes of a value of this kind.
pub(super) fn length_of(kind: u64) -> u64 {
    match kind {
        1 | 2 | 6 | 7 => 1,
        3 | 8 => 2,
        4 | 9 | 11 | 13 => 4,
        _ => 8,
    }
}

impl<'a> Tiff<'a> {
    /// The first bytes, which say where the main directory is.
    pub(crate) const HEAD_BYTES: usize = 16;
    /// The longest directory.
    pub(crate) const MAX_DIRECTORY_BYTES: usize = 8 + 20 * MAX_ENTRIES as usize;

    /// TIFF, BigTIFF, and the magic numbers of Olympus (`RO`, `RS`) and Panasonic (`U`).
    pub(crate) fn new(bytes: &'a [u8]) -> Option<Self> {
        let big_endian = match bytes.get(..2)? {
            b"II" => false,
            b"MM" => true,
            _ => return None,
        };
        let mut tiff = Self {
            bytes,
            start: 0,
            big_endian,
            big: false,
        };
        match tiff.number(2, 2)? {
            42 | 0x4F52 | 0x5352 | 0x55 => {}
            43 => tiff.big = true,
            _ => return None,
        }
        Some(tiff)
    }

    /// This structure with other bytes of it, which begin at `start`.
    pub(crate) fn with<'b>(self, bytes: &'b [u8], start: u64) -> Tiff<'b> {
        Tiff {
            bytes,
            start,
            ..self
        }
    }

    /// The main directory.
    pub(crate) fn main(&self) -> Option<u64> {
        if self.big {
            self.number(8, 8)
        } else {
            self.number(4, 4)
        }
    }

    /// The directory of the picture that is meant: the first in the chain that is no thumbnail or mask, else the main one.
    pub(crate) fn picture(&self) -> Option<u64> {
        let main = self.main()?;
        let chain =
            std::iter::successors(Some(main), |&at| self.next(at).filter(|&next| next != 0));
        let mut chain = chain.take(MAX_DIRECTORIES);
        let found = chain.find(|&directory| !self.is_lesser(directory));
        Some(found.unwrap_or(main))
    }

    /// Whether a directory is of a thumbnail or a mask of another picture.
    pub(crate) fn is_lesser(&self, directory: u64) -> bool {
        let new = self.value(directory, tag::NEW_SUBFILE_TYPE).unwrap_or(0);
        let old = self.value(directory, tag::SUBFILE_TYPE).unwrap_or(0);
        new & 0b101 != 0 || old == 2
    }

    /// The main directory, those chained to it, and the directories below each: every one once.
    pub(crate) fn directories(&self) -> Vec<u64> {
        let mut found: Vec<u64> = self.main().into_iter().collect();
        let mut at = 0;
        while let Some(&directory) = found.get(at) {
            at += 1;
            let below: Vec<u64> = self
                .entry(directory, tag::SUB_DIRECTORIES)
                .map(|entry| self.numbers(entry).take(MAX_DIRECTORIES).collect())
                .unwrap_or_default();
            for next in below.into_iter().chain(self.next(directory)) {
                if next != 0 && found.len() < MAX_DIRECTORIES && !found.contains(&next) {
                    found.push(next);
                }
            }
        }
        found
    }

    /// The first entry of that tag.
    pub(crate) fn entry(&self, directory: u64, tag: u16) -> Option<Entry> {
        self.entries(directory).find(|entry| entry.tag == tag)
    }

    /// The first number of a tag.
    pub(crate) fn value(&self, directory: u64, tag: u16) -> Option<u64> {
        self.numbers(self.entry(directory, tag)?).next()
    }

    /// All numbers of an entry: bytes, shorts, longs and offsets; none of other kinds.
    pub(crate) fn numbers(&self, entry: Entry) -> impl Iterator<Item = u64> + use<'a> {
        let tiff = *self;
        (0..entry.count).map_while(move |i| tiff.nth(entry, i))
    }

    /// One of an entry's numbers.
    fn nth(&self, entry: Entry, i: u64) -> Option<u64> {
        let n = match entry.kind {
            1 => 1,
            3 => 2,
            4 | 13 => 4,
            16 | 18 => 8,
            _ => return None,
        };
        let at = entry.at.checked_add(i.checked_mul(n)?)?;
        (i < entry.count).then(|| self.number(at, n)).flatten()
    }

    /// The bytes of an entry of bytes, text or something undefined, as far as they are there.
    pub(crate) fn content(&self, entry: Entry) -> Option<&'a [u8]> {
        matches!(entry.kind, 1 | 2 | 6 | 7)
            .then(|| self.part(entry.at, entry.count))
            .flatten()
    }

    /// `n` bytes from an offset, or as many as there are.
    pub(crate) fn part(&self, at: u64, n: u64) -> Option<&'a [u8]> {
        let at = at.checked_sub(self.start)?;
        let rest = self.bytes.get(usize::try_from(at).ok()?..)?;
        let n = usize::try_from(n).unwrap_or(usize::MAX).min(rest.len());
        Some(&rest[..n])
    }

    /// Width and height that a directory states.
    pub(crate) fn size(&self, directory: u64) -> Option<Size> {
        let side = |tag| u32::try_from(self.value(directory, tag)?).ok();
        let size = Size::new(side(tag::WIDTH)?, side(tag::HEIGHT)?);
        (size.width > 0 && size.height > 0).then_some(size)
    }

    fn entries(&self, directory: u64) -> impl Iterator<Item = Entry> + use<'a> {
        let tiff = *self;
        let (head, step) = if tiff.big { (8, 20) } else { (2, 12) };
        let n_entries = tiff.number(directory, head).unwrap_or(0).min(MAX_ENTRIES);
        (0..n_entries).map_while(move |i| {
            let at = directory.checked_add(head)?.checked_add(step * i)?;
            let kind = tiff.number(at + 2, 2)?;
            let (n_count, n_value) = if tiff.big { (8, 8) } else { (4, 4) };
            let count = tiff.number(at + 4, n_count)?;
            let length = length_of(kind);
            let value = at + 4 + n_count;
            // What fits into the entry stands in it.
            let fits = length.checked_mul(count).is_some_and(|n| n <= n_value);
            Some(Entry {
                tag: u16::try_from(tiff.number(at, 2)?).ok()?,
                kind: u16::try_from(kind).ok()?,
                count,
                at: if fits {
                    value
                } else {
                    tiff.number(value, n_value)?
                },
            })
        })
    }

    pub(crate) fn next(&self, directory: u64) -> Option<u64> {
        let (head, step) = if self.big { (8, 20) } else { (2, 12) };
        let n_entries = self.number(directory, head)?;
        if n_entries > MAX_ENTRIES {
            return None;
        }
        let at = directory.checked_add(head)?.checked_add(step * n_entries)?;
        self.number(at, if self.big { 8 } else { 4 })
    }

    pub(super) fn number(&self, at: u64, n: u64) -> Option<u64> {
        let at = usize::try_from(at.checked_sub(self.start)?).ok()?;
        let bytes = self
            .bytes
            .get(at..at.checked_add(usize::try_from(n).ok()?)?)?;
        let add = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
        Some(if self.big_endian {
            bytes.iter().fold(0, add)
        } else {
            bytes.iter().rev().fold(0, add)
        })
    }
}

#[cfg(test)]
pub(crate) mod tests;
