//! What a photo's EXIF says that Mantel needs: which way is up, and when it was taken. Reads JPEG, PNG, WebP and
//! TIFF from a slice, whole or only its head, without copying; nothing of it is ever sent on.

use crate::render::markers::{APP1, SOS, Segments};
use crate::render::orient::Orientation;
use crate::render::probe::{Kind, kind};

/// What EXIF said; the default is what a photo without EXIF has.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ExifFacts {
    /// How to turn the stored pixels.
    pub orientation: Orientation,
    /// When the photo was taken, ISO 8601 in the camera's local time: `2021-07-04T12:30:00`.
    pub taken_at: Option<String>,
}

/// Reads the EXIF of a photo from its bytes, or from as many of its first ones as there are. What is missing,
/// malformed or beyond the last byte counts as not said.
pub fn exif(bytes: &[u8]) -> ExifFacts {
    tiff_block(bytes).map(facts).unwrap_or_default()
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
const EXIF_IFD: u16 = 0x8769;
const DATE_TIME_ORIGINAL: u16 = 0x9003;
const DATE_TIME_DIGITIZED: u16 = 0x9004;
const BYTE: u16 = 1;
const ASCII: u16 = 2;
const SHORT: u16 = 3;
const LONG: u16 = 4;

/// Two levels of directories, no chains, no recursion: a malicious file can't send us in circles.
fn facts(block: &[u8]) -> ExifFacts {
    let Some(tiff) = Tiff::new(block) else {
        return ExifFacts::default();
    };
    let main = tiff.u32_at(4).unwrap_or(0);
    let orientation = tiff
        .number(main, ORIENTATION)
        .and_then(Orientation::from_exif)
        .unwrap_or_default();
    // DateTime of the main directory is left out: it says when a program last wrote the file.
    let taken_at = tiff.number(main, EXIF_IFD).and_then(|exif| {
        [DATE_TIME_ORIGINAL, DATE_TIME_DIGITIZED]
            .iter()
            .find_map(|&tag| iso_date(tiff.text(exif, tag)?))
    });
    ExifFacts {
        orientation,
        taken_at,
    }
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

    fn text(&self, directory: u32, tag: u16) -> Option<&'a [u8]> {
        let (ASCII, length, at) = self.entry(directory, tag)? else {
            return None;
        };
        // Up to four bytes stand in the field itself.
        let start = usize::try_from(if length <= 4 { at } else { self.u32_at(at)? }).ok()?;
        self.block
            .get(start..start.checked_add(usize::try_from(length).ok()?)?)
    }
}

/// `2021:07:04 12:30:00` as `2021-07-04T12:30:00`. Cameras without a set clock write zeros or blanks: no date.
fn iso_date(text: &[u8]) -> Option<String> {
    let text = text.get(..19)?;
    let number = |at: usize, n: usize| -> Option<u32> {
        text[at..at + n].iter().try_fold(0, |value, byte| {
            byte.is_ascii_digit()
                .then(|| value * 10 + u32::from(byte - b'0'))
        })
    };
    let separated = [4, 7]
        .iter()
        .all(|&at| matches!(text[at], b':' | b'-' | b'/'))
        && matches!(text[10], b' ' | b'T')
        && [13, 16].iter().all(|&at| text[at] == b':');
    let (year, month, day) = (number(0, 4)?, number(5, 2)?, number(8, 2)?);
    let (hour, minute, second) = (number(11, 2)?, number(14, 2)?, number(17, 2)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let n_days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 31,
    };
    let real = separated
        && (1800..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=n_days).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    real.then(|| format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

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
        let expected = ExifFacts {
            orientation: Orientation::QuarterClockwise,
            taken_at: Some("2021-07-04T12:30:59".into()),
        };
        for big_endian in [false, true] {
            let block = block(6, "2021:07:04 12:30:59", big_endian);
            for file in [in_jpeg(&block), in_png(&block), in_webp(&block), block] {
                assert_eq!(exif(&file), expected);
                for end in 0..file.len() {
                    exif(&file[..end]);
                }
            }
        }
    }

    #[test]
    fn what_is_not_said_is_the_default() {
        assert_eq!(exif(b""), ExifFacts::default());
        assert_eq!(exif(&in_jpeg(b"II*\0")), ExifFacts::default());
        assert_eq!(exif(&in_jpeg(&block(0, "", false))), ExifFacts::default());
        assert_eq!(
            exif(&in_jpeg(&block(9, "yesterday", true))),
            ExifFacts::default()
        );
    }

    #[test]
    fn a_directory_that_points_to_itself_ends() {
        let mut circle = block(1, "2021:07:04 12:30:59", false);
        circle[30..34].copy_from_slice(&8u32.to_le_bytes());
        assert_eq!(exif(&circle), ExifFacts::default());
    }

    #[test]
    fn dates_are_real_or_none() {
        for (text, iso) in [
            ("2021:07:04 12:30:00", Some("2021-07-04T12:30:00")),
            ("2021-07-04T12:30:00", Some("2021-07-04T12:30:00")),
            ("2024:02:29 00:00:00", Some("2024-02-29T00:00:00")),
            ("2021:07:04 12:30:00+02:00", Some("2021-07-04T12:30:00")),
            ("2023:02:29 00:00:00", None),
            ("0000:00:00 00:00:00", None),
            ("    :  :     :  :  ", None),
            ("2021:13:04 12:30:00", None),
            ("2021:07:04 24:30:00", None),
            ("2021:07:04", None),
            ("2021.07.04 12:30:00", None),
        ] {
            assert_eq!(iso_date(text.as_bytes()).as_deref(), iso, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12), big_endian: bool) {
            let mut file = in_jpeg(&block(6, "2021:07:04 12:30:59", big_endian));
            for (at, byte) in damage {
                let at = at.index(file.len());
                file[at] = byte;
            }
            exif(&file);
            exif(&file[12..]);
        }
    }
}
