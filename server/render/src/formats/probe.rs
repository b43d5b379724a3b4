//! A cheap look at the head of a file: what kind of picture it is, and how large. Decodes nothing; goes by content,
//! never by a name.

use crate::{
    formats::{bmff, jp2, jxl, kind::Kind, markers::Segments, psd, raw, tiff::Tiff},
    picture::Size,
};

/// The knowledge that a file's head gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// The kind of picture.
    pub kind: Kind,
    /// Width and height as stored, before any turning; of a raw those of the largest picture that its head tells
    /// of. `None` where the head does not reach that far: some phones write a HEIC's boxes behind its pixels.
    pub size: Option<Size>,
}

/// Looks at the first bytes of a file; 64 KiB show nearly every size, 64 bytes every kind but for raws that are built
/// like TIFF. A HEIC or AVIF without a size is to be looked at again as a whole. `None`: not a picture of any kind that is
/// known here.
pub fn probe(head: &[u8]) -> Option<Probe> {
    let kind = kind(head)?;
    let size = match kind {
        Kind::Heic | Kind::Avif => bmff::primary(head).and_then(|primary| primary.size),
        Kind::JpegXl => jxl::header(head).map(|(size, _)| size),
        Kind::Jpeg2000 => jp2::size(head),
        Kind::Photoshop => psd::size(head),
        Kind::Tiff => Tiff::new(head).and_then(|tiff| tiff.size(tiff.picture()?)),
        Kind::Raw => raw::size(head),
        _ => size(kind, head),
    };
    Some(Probe { kind, size })
}

/// The kind alone.
pub(crate) fn kind(head: &[u8]) -> Option<Kind> {
    Some(match head {
        [0xFF, 0xD8, 0xFF, ..] => Kind::Jpeg,
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Kind::Png,
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Kind::Gif,
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Kind::WebP,
        // Two letters are few: the reserved fields and a header size that exists must agree.
        [
            b'B',
            b'M',
            _,
            _,
            _,
            _,
            0,
            0,
            0,
            0,
            _,
            _,
            _,
            _,
            12 | 16 | 40 | 52 | 56 | 64 | 108 | 124,
            0,
            0,
            0,
            ..,
        ] => Kind::Bmp,
        // Classic TIFF, then BigTIFF.
        [b'I', b'I', 42, 0, ..]
        | [b'M', b'M', 0, 42, ..]
        | [b'I', b'I', 43, 0, 8, 0, ..]
        | [b'M', b'M', 0, 43, 0, 8, ..] => {
            if raw::is_raw_tiff(head) {
                Kind::Raw
            } else {
                Kind::Tiff
            }
        }
        [0xFF, 0x0A, ..] | [0, 0, 0, 12, b'J', b'X', b'L', b' ', ..] => Kind::JpegXl,
        [_, _, _, _, b'f', b't', b'y', b'p', brands @ ..] => return base_media_kind(brands, head),
        _ if jp2::has_mark(head) => Kind::Jpeg2000,
        _ if psd::has_mark(head) => Kind::Photoshop,
        _ if raw::has_own_mark(head) => Kind::Raw,
        _ => return None,
    })
}

/// By the major brand; then by the type of the picture, or, where the head does not reach that far, by the compatible
/// brands, which stand behind the minor version.
fn base_media_kind(brands: &[u8], head: &[u8]) -> Option<Kind> {
    let (major, rest) = brands.split_first_chunk::<4>()?;
    let kind = |brand: &[u8; 4]| match brand {
        b"avif" | b"avis" => Some(Kind::Avif),
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" => Some(Kind::Heic),
        b"crx " => Some(Kind::Raw),
        _ => None,
    };
    if let Some(kind) = kind(major) {
        return Some(kind);
    }
    if !matches!(major, b"mif1" | b"mif2" | b"msf1" | b"miaf") {
        return None;
    }
    match bmff::primary(head).map(|primary| primary.item) {
        Some([b'a', b'v', b'0', b'1']) => return Some(Kind::Avif),
        Some([b'h', b'v', b'c', b'1']) => return Some(Kind::Heic),
        _ => {}
    }
    let (compatible, _) = rest.get(4..).unwrap_or_default().as_chunks::<4>();
    compatible.iter().take(8).find_map(kind)
}

fn size(kind: Kind, head: &[u8]) -> Option<Size> {
    let le16 = |at: usize| {
        Some(u32::from(u16::from_le_bytes(
            *head.get(at..)?.first_chunk()?,
        )))
    };
    let le24 = |at: usize| Some(le16(at)? | u32::from(*head.get(at + 2)?) << 16);
    let le32 = |at: usize| Some(u32::from_le_bytes(*head.get(at..)?.first_chunk()?));
    let be32 = |at: usize| Some(u32::from_be_bytes(*head.get(at..)?.first_chunk()?));
    let (width, height) = match kind {
        Kind::Jpeg => Segments::new(head).find_map(|segment| segment.frame_size())?,
        Kind::Png => (be32(16)?, be32(20)?),
        Kind::Gif => (le16(6)?, le16(8)?),
        Kind::Bmp if le32(14)? == 12 => (le16(18)?, le16(20)?),
        // A negative height says that the rows come from the top.
        Kind::Bmp => (
            le32(18)?.cast_signed().unsigned_abs(),
            le32(22)?.cast_signed().unsigned_abs(),
        ),
        Kind::WebP => match head.get(12..16)? {
            b"VP8X" => (le24(24)? + 1, le24(27)? + 1),
            b"VP8L" => (le16(21)? & 0x3FFF, le24(22)? >> 6 & 0x3FFF),
            b"VP8 " => (le16(26)? & 0x3FFF, le16(28)? & 0x3FFF),
            _ => return None,
        },
        Kind::Tiff | Kind::Heic | Kind::Avif | Kind::JpegXl | Kind::Jpeg2000 | Kind::Raw => {
            return None;
        }
        Kind::Photoshop | Kind::Mp4 | Kind::Matroska => return None,
    };
    let size = match (kind, head.get(12..16)) {
        // The lossless header counts from zero.
        (Kind::WebP, Some(b"VP8L")) => Size::new(width + 1, height + 1),
        _ => Size::new(width, height),
    };
    (size.width > 0 && size.height > 0).then_some(size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::bmff::tests::{boxed, heif, ispe};
    use crate::formats::upright::stated_in;
    use crate::frame::orient::Orientation;

    #[test]
    fn sizes_stand_in_the_head() {
        for (head, kind, width, height) in [
            (&b"GIF89a\x40\x01\xF0\0"[..], Kind::Gif, 320, 240),
            (
                b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x01\x40\0\0\0\xF0",
                Kind::Png,
                320,
                240,
            ),
            (
                b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x40\x01\0\0\x10\xFF\xFF\xFF",
                Kind::Bmp,
                320,
                240,
            ),
            (
                b"BM\0\0\0\0\0\0\0\0\x1A\0\0\0\x0C\0\0\0\x40\x01\xF0\0",
                Kind::Bmp,
                320,
                240,
            ),
            (
                b"RIFF\0\0\0\0WEBPVP8X\x0A\0\0\0\0\0\0\0\x3F\x01\0\xEF\0\0",
                Kind::WebP,
                320,
                240,
            ),
            (
                b"RIFF\0\0\0\0WEBPVP8L\x0A\0\0\0\x2F\x3F\xC1\x3B\0",
                Kind::WebP,
                320,
                240,
            ),
        ] {
            assert_eq!(
                probe(head),
                Some(Probe {
                    kind,
                    size: Some(Size::new(width, height)),
                })
            );
            for end in 0..head.len() {
                let cut = probe(&head[..end]);
                assert!(
                    cut.is_none() || cut.map(|probe| probe.kind) == Some(kind),
                    "{kind} cut at {end}"
                );
            }
        }
    }

    #[test]
    fn boxes_say_what_it_is_and_how_it_is_turned() {
        let irot = vec![boxed(b"irot", &[3])];
        for (brand, item, turn, kind, turned) in [
            (b"heic", b"grid", &irot, Kind::Heic, Some(6)),
            (b"heic", b"hvc1", &vec![], Kind::Heic, None),
            (b"mif1", b"hvc1", &vec![], Kind::Heic, None),
            (b"mif1", b"av01", &vec![], Kind::Avif, None),
            (b"avif", b"av01", &vec![], Kind::Avif, None),
            (b"avif", b"av01", &irot, Kind::Avif, Some(6)),
        ] {
            let file = heif(brand, item, &[vec![ispe(320, 240)], turn.clone()].concat());
            let size = Some(Size::new(320, 240));
            assert_eq!(probe(&file), Some(Probe { kind, size }));
            let turned = turned.and_then(Orientation::from_exif);
            assert_eq!(stated_in(kind, &file), turned);
        }
    }

    #[test]
    fn a_size_of_zero_is_none() {
        assert_eq!(
            probe(b"GIF89a\0\0\xF0\0").and_then(|probe| probe.size),
            None
        );
    }
}
