//! Which way is up, by a photo's EXIF. Reads JPEG, PNG, WebP and TIFF from a slice, whole or only its head, without
//! copying; nothing of it is ever sent on. Everything else that EXIF says, the library reads.

use crate::render::formats::markers::{APP1, SOS, Segments};
use crate::render::formats::probe::{Kind, kind};
use crate::render::frame::orient::Orientation;

/// How to turn the stored pixels of a photo, by the EXIF in its bytes, or in as many of its first ones as there are. What
/// is missing, malformed or beyond the last byte counts as not said.
pub fn turned(bytes: &[u8]) -> Orientation {
    tiff_block(bytes).and_then(orientation).unwrap_or_default()
}

/// The TIFF structure that holds the EXIF of a file of any kind.
fn tiff_block(bytes: &[u8]) -> Option<&[u8]> {
    match kind(bytes)? {
        Kind::Jpeg => Segments::new(bytes)
            .take_while(|segment| segment.marker != SOS)
            .filter(|segment| segment.marker == APP1)
            .find_map(|segment| segment.content.strip_prefix(b"Exif\0\0")),
        Kind::Png => png_chunk(bytes, *b"eXIf"),
        Kind::WebP => {
            riff_chunk(bytes, *b"EXIF").map(|exif| exif.strip_prefix(b"Exif\0\0").unwrap_or(exif))
        }
        Kind::Tiff => Some(bytes),
        _ => None,
    }
}

fn png_chunk(bytes: &[u8], wanted: [u8; 4]) -> Option<&[u8]> {
    let mut rest = bytes.get(8..)?;
    loop {
        let (length, after) = rest.split_first_chunk()?;
        let (name, after) = after.split_first_chunk()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        if *name == wanted {
            return Some(&after[..length.min(after.len())]);
        }
        // Four bytes of checksum follow the content.
        rest = after.get(length.checked_add(4)?..)?;
    }
}

fn riff_chunk(bytes: &[u8], wanted: [u8; 4]) -> Option<&[u8]> {
    let mut rest = bytes.get(12..)?;
    loop {
        let (name, after) = rest.split_first_chunk()?;
        let (length, after) = after.split_first_chunk()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        if *name == wanted {
            return Some(&after[..length.min(after.len())]);
        }
        // Contents are padded to an even length.
        rest = after.get(length.checked_add(length % 2)?..)?;
    }
}

// Tags and types of TIFF 6.0 and EXIF (CIPA DC-008).
const ORIENTATION: u16 = 0x0112;
const BYTE: u16 = 1;
const SHORT: u16 = 3;
const LONG: u16 = 4;

/// One directory, no chains, no recursion: a malicious file can't send us in circles.
fn orientation(block: &[u8]) -> Option<Orientation> {
    let tiff = Tiff::new(block)?;
    let main = tiff.u32_at(4)?;
    tiff.number(main, ORIENTATION)
        .and_then(Orientation::from_exif)
}

/// Classic TIFF; offsets count from its first byte.
struct Tiff<'a> {
    block: &'a [u8],
    big_endian: bool,
}

impl<'a> Tiff<'a> {
    fn new(block: &'a [u8]) -> Option<Self> {
        let big_endian = match block.get(..4)? {
            b"II*\0" => false,
            b"MM\0*" => true,
            _ => return None,
        };
        Some(Self { block, big_endian })
    }

    fn bytes_at<const N: usize>(&self, at: u32) -> Option<[u8; N]> {
        let at = usize::try_from(at).ok()?;
        self.block.get(at..)?.first_chunk().copied()
    }

    fn u16_at(&self, at: u32) -> Option<u16> {
        let bytes = self.bytes_at(at)?;
        Some(if self.big_endian {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        })
    }

    fn u32_at(&self, at: u32) -> Option<u32> {
        let bytes = self.bytes_at(at)?;
        Some(if self.big_endian {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        })
    }

    /// Type, count and place of the value field of a tag.
    fn entry(&self, directory: u32, tag: u16) -> Option<(u16, u32, u32)> {
        let n_entries = u32::from(self.u16_at(directory)?);
        (0..n_entries)
            .map_while(|i| directory.checked_add(2 + 12 * i))
            .map_while(|at| Some((at, self.u16_at(at)?)))
            .find(|&(_, found)| found == tag)
            .and_then(|(at, _)| {
                Some((
                    self.u16_at(at.checked_add(2)?)?,
                    self.u32_at(at.checked_add(4)?)?,
                    at.checked_add(8)?,
                ))
            })
    }

    fn number(&self, directory: u32, tag: u16) -> Option<u32> {
        match self.entry(directory, tag)? {
            (BYTE, 1, at) => self.bytes_at(at).map(|[byte]| u32::from(byte)),
            (SHORT, 1, at) => self.u16_at(at).map(u32::from),
            (LONG, 1, at) => self.u32_at(at),
            _ => None,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

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

    fn in_png(block: &[u8]) -> Vec<u8> {
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

    fn in_webp(block: &[u8]) -> Vec<u8> {
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
            for file in [in_jpeg(&block), in_png(&block), in_webp(&block), block] {
                assert_eq!(turned(&file), Orientation::QuarterClockwise);
                for end in 0..file.len() {
                    turned(&file[..end]);
                }
            }
        }
    }

    #[test]
    fn what_is_not_said_is_the_default() {
        assert_eq!(turned(b""), Orientation::default());
        assert_eq!(turned(&in_jpeg(b"II*\0")), Orientation::default());
        assert_eq!(
            turned(&in_jpeg(&block(0, "", false))),
            Orientation::default()
        );
        assert_eq!(
            turned(&in_jpeg(&block(9, "yesterday", true))),
            Orientation::default()
        );
    }

    #[test]
    fn a_directory_that_points_to_itself_ends() {
        let mut circle = block(1, "2021:07:04 12:30:59", false);
        circle[30..34].copy_from_slice(&8u32.to_le_bytes());
        assert_eq!(turned(&circle), Orientation::default());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12), big_endian: bool) {
            let mut file = in_jpeg(&block(6, "2021:07:04 12:30:59", big_endian));
            for (at, byte) in damage {
                let at = at.index(file.len());
                file[at] = byte;
            }
            turned(&file);
            turned(&file[12..]);
        }
    }
}
