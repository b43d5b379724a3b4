//! Sizes that stand late in a file: a JPEG's frame behind long segments, a TIFF's directory behind its pixels. Goes from part
//! to part; decodes nothing.

use std::io::{self, Read, Seek};

use super::{
    kind::Kind,
    tiff::Tiff,
    upright::{MAX_CHUNKS, part},
};
use crate::render::picture::Size;

/// The size that a file of this kind states, wherever that stands; `None` where it states none, or the kind keeps it in
/// its head.
///
/// # Errors
/// The file can't be read.
pub fn late_size(kind: Kind, file: &mut (impl Read + Seek)) -> io::Result<Option<Size>> {
    match kind {
        Kind::Jpeg => in_jpeg(file),
        Kind::Tiff => in_tiff(file),
        _ => Ok(None),
    }
}

fn in_jpeg(file: &mut (impl Read + Seek)) -> io::Result<Option<Size>> {
    let mut at = 2;
    for _ in 0..MAX_CHUNKS {
        let head = part(file, at, 9)?;
        match head.as_slice() {
            // Bytes that fill up.
            [0xff, 0xff, ..] => at += 1,
            // Frame headers; DHT, JPG and DAC share their range but are none.
            [0xff, marker @ 0xc0..=0xcf, _, _, _, height @ .., a, b]
                if !matches!(marker, 0xc4 | 0xc8 | 0xcc) =>
            {
                let side = |high, low| u32::from(u16::from_be_bytes([high, low]));
                let size = match height {
                    [high, low] => Size::new(side(*a, *b), side(*high, *low)),
                    _ => break,
                };
                return Ok((size.width > 0 && size.height > 0).then_some(size));
            }
            [0xff, 0xd9 | 0xda, ..] => break,
            [0xff, _, high, low, ..] => {
                let length = u64::from(u16::from_be_bytes([*high, *low]));
                if length < 2 {
                    break;
                }
                at += 2 + length;
            }
            _ => break,
        }
    }
    Ok(None)
}

fn in_tiff(file: &mut (impl Read + Seek)) -> io::Result<Option<Size>> {
    let head = part(file, 0, Tiff::HEAD_BYTES)?;
    let Some((tiff, main)) = Tiff::new(&head).and_then(|tiff| Some((tiff, tiff.main()?))) else {
        return Ok(None);
    };
    let directory = part(file, main, Tiff::MAX_DIRECTORY_BYTES)?;
    Ok(tiff.with(&directory, main).size(main))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::render::{Picture, Quality, encode};

    fn late(kind: Kind, bytes: &[u8]) -> Option<Size> {
        late_size(kind, &mut Cursor::new(bytes)).unwrap()
    }

    fn jpeg() -> Vec<u8> {
        let picture = Picture::filled(40, 30, [9, 99, 199]);
        let jpeg = encode(&picture, Quality::default()).unwrap();
        let filler = [&[0xff, 0xe2, 0xff, 0xff][..], &[7; 65_533]].concat();
        [&jpeg[..2], &filler.repeat(10), &[0xff], &jpeg[2..]].concat()
    }

    /// Little-endian, with its directory at the end.
    fn tiff() -> Vec<u8> {
        let mut file = [b"II*\0", &600_008_u32.to_le_bytes()[..], &[7; 600_000]].concat();
        file.extend([2, 0]);
        for (tag, value) in [(0x100_u16, 40_u16), (0x101, 30)] {
            file.extend(tag.to_le_bytes());
            file.extend([3, 0, 1, 0, 0, 0]);
            file.extend(value.to_le_bytes());
            file.extend([0, 0]);
        }
        file
    }

    #[test]
    fn sizes_are_found_however_late_they_stand() {
        assert_eq!(late(Kind::Jpeg, &jpeg()), Some(Size::new(40, 30)));
        assert_eq!(late(Kind::Tiff, &tiff()), Some(Size::new(40, 30)));
    }

    #[test]
    fn what_is_cut_or_nonsense_has_none_and_ends() {
        for (kind, file) in [(Kind::Jpeg, jpeg()), (Kind::Tiff, tiff())] {
            for end in (0..file.len())
                .step_by(4099)
                .chain(file.len() - 64..file.len())
            {
                assert!(late(kind, &file[..end]).is_none_or(|size| size == Size::new(40, 30)));
            }
            assert_eq!(late(kind, &[0xff; 9999]), None);
            assert_eq!(late(kind, &[0; 9999]), None);
        }
    }
}
