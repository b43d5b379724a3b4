//! Which way is up: the one answer to how the stored pixels of a photo are to be turned, for the index and for whoever
//! decodes. What EXIF says besides, the library reads, and nothing of it is ever sent on.

use std::io::{self, Cursor, Read, Seek};

use super::{kind::Kind, parts::Parts, tags::Directory, tiff::tag, values::Value};
use crate::frame::orient::Orientation;

impl Parts {
    /// How to turn the stored pixels of a photo of this kind, `None` where nothing says so: by the boxes of the primary picture or
    /// JPEG XL's header where there are such, else by EXIF where that counts. An AVIF's and a JPEG XL's may lie.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn turned(
        &self,
        kind: Kind,
        file: &mut (impl Read + Seek),
    ) -> io::Result<Option<Orientation>> {
        if self.turned.is_some() || matches!(kind, Kind::Avif | Kind::JpegXl) {
            return Ok(self.turned);
        }
        let wanted = (Directory::Main, tag::ORIENTATION);
        let tags = self.tags(file, &[wanted])?;
        Ok(match tags.get(wanted.0, wanted.1) {
            Some(Value::Numbers(numbers)) => numbers
                .first()
                .and_then(|number| Orientation::from_exif(u32::try_from(*number).ok()?)),
            _ => None,
        })
    }
}

/// The orientation that bytes in memory state, `None` where they say nothing.
pub(crate) fn stated_in(kind: Kind, bytes: &[u8]) -> Option<Orientation> {
    let mut file = Cursor::new(bytes);
    let parts = Parts::of(kind, &mut file).ok()?;
    parts.turned(kind, &mut file).ok().flatten()
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
            assert_eq!(stated_in(kind, b"nothing of any kind"), None);
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
