//! The preview within a photo's EXIF, which cameras put there for their own menus: enough for a thumbnail, and made in a hundredth of
//! the time. Opens nothing and decodes nothing.

use std::io::{Read, Seek};

use super::{jpeg::layout::Layout, kind::Kind, parts::Parts, preview::in_directory, tiff::Tiff};
use crate::{frame::orient::Orientation, picture::Size};

/// How far the shape of a preview may be from the photo's, in thousandths: some cameras fill theirs up with black.
const SHAPES_APART: u64 = 25;

/// A photo's preview as a JPEG of its own, which says how it lies: one whose longer side is no less than `least`, of the photo's
/// own shape. `None`: there is no such, or it can't be read.
pub fn within(kind: Kind, file: &mut (impl Read + Seek), least: u32) -> Option<Vec<u8>> {
    let parts = Parts::of(kind, file).ok()?;
    let whole = parts.size?;
    let turned = parts.turned(kind, file).ok()?.unwrap_or_default();
    for (_, part) in &parts.exif {
        let exif = part.read(file).ok()?;
        let Some(tiff) = Tiff::new(&exif) else {
            continue;
        };
        for directory in tiff.directories() {
            let found = in_directory(&tiff, directory).find(|jpeg| {
                let layout = Layout::read(jpeg).ok();
                layout.is_some_and(|layout| {
                    layout.end.is_some()
                        && layout.size.width.max(layout.size.height) >= least
                        && has_shape(layout.size, whole)
                })
            });
            if let Some(jpeg) = found {
                return Some(lying(jpeg, turned));
            }
        }
    }
    None
}

fn has_shape(small: Size, whole: Size) -> bool {
    let (one, other) = (
        u64::from(small.width) * u64::from(whole.height),
        u64::from(small.height) * u64::from(whole.width),
    );
    one.abs_diff(other) * 1000 <= one.max(other) * SHAPES_APART
}

/// A JPEG that says how it lies, before anything else that it says.
fn lying(jpeg: &[u8], turned: Orientation) -> Vec<u8> {
    /// An application segment of EXIF whose one entry is the orientation, up to its value (CIPA DC-008, 4.5 and 4.6.4).
    const SEGMENT: &[u8] = b"\xff\xe1\0\x22Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0";
    let (start, rest) = jpeg.split_at(2.min(jpeg.len()));
    let number = turned.to_exif().to_le_bytes();
    [start, SEGMENT, &number, &[0; 4], rest].concat()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::{Picture, Quality, encode, formats::upright::stated_in};

    fn jpeg(width: u32, height: u32) -> Vec<u8> {
        encode(
            &Picture::filled(width, height, [200, 30, 30]),
            Quality::default(),
        )
        .unwrap()
    }

    /// A photo with a preview, turned as EXIF's number says.
    fn photo(whole: (u32, u32), small: &[u8], turned: u8) -> Vec<u8> {
        let mut tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
        tiff.extend([turned, 0, 0, 0, 26, 0, 0, 0]);
        tiff.extend([2, 0]);
        for (tag, value) in [(0x0201_u16, 56_u32), (0x0202, small.len() as u32)] {
            tiff.extend(tag.to_le_bytes());
            tiff.extend([4, 0, 1, 0, 0, 0]);
            tiff.extend(value.to_le_bytes());
        }
        tiff.extend([0; 4]);
        tiff.extend(small);
        let n = u16::try_from(tiff.len() + 8).unwrap().to_be_bytes();
        let whole = jpeg(whole.0, whole.1);
        [
            &whole[..2],
            b"\xff\xe1",
            &n,
            b"Exif\0\0",
            &tiff,
            &whole[2..],
        ]
        .concat()
    }

    fn found(photo: &[u8], least: u32) -> Option<Vec<u8>> {
        within(Kind::Jpeg, &mut Cursor::new(photo), least)
    }

    #[test]
    fn a_preview_lies_as_its_photo_does() {
        let small = jpeg(160, 120);
        for number in 1..=8 {
            let bytes = found(&photo((640, 480), &small, number), 160).unwrap();
            let turned = Orientation::from_exif(number.into()).unwrap();
            assert_eq!(stated_in(Kind::Jpeg, &bytes), Some(turned));
            let layout = Layout::read(&bytes).unwrap();
            assert_eq!(layout.size, Size::new(160, 120));
            assert!(layout.end.is_some());
        }
    }

    #[test]
    fn one_that_is_too_small_or_of_another_shape_is_none() {
        let of = |whole, (width, height)| found(&photo(whole, &jpeg(width, height), 1), 160);
        assert!(of((640, 480), (160, 120)).is_some());
        assert!(of((640, 480), (120, 90)).is_none());
        // Filled up with black.
        assert!(of((600, 400), (160, 120)).is_none());
        assert!(of((600, 400), (160, 107)).is_some());
        assert!(found(&jpeg(640, 480), 160).is_none());
    }

    #[test]
    fn half_a_file_has_a_whole_preview_or_none() {
        let whole = photo((640, 480), &jpeg(160, 120), 6);
        for end in 0..whole.len() {
            if let Some(bytes) = found(&whole[..end], 160) {
                assert!(Layout::read(&bytes).unwrap().end.is_some());
            }
        }
    }
}
