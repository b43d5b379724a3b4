//! XMP packets that stand late in a file: behind a PNG's or WebP's pixels, or behind long segments of a JPEG.
//!
//! Walks from chunk to chunk and reads the packets alone; opens nothing.

use std::io::{self, Read, Seek, SeekFrom};

use crate::render::Kind;

/// The steps of a walk: PNGs have their pixels in pieces of 8 KB at the least.
const MAX_STEPS: usize = 16_384;
/// The longest packet that is read.
const MAX_BYTES: u64 = 512 * 1024;
/// The mark of a PNG's text with XMP in it.
const PNG_XMP: &[u8] = b"XML:com.adobe.xmp\0";

/// One piece of a file: where its content is, how long that is, and whether XMP may be in it.
struct Piece {
    at: u64,
    n_bytes: u64,
    next: u64,
    may_hold: bool,
}

/// The first packet of a file of this kind, with what stands around it; none where the kind has no such place, and none that
/// is longer than half a megabyte.
///
/// # Errors
/// The file can't be read.
pub(super) fn packet(file: &mut (impl Read + Seek), kind: Kind) -> io::Result<Option<Vec<u8>>> {
    let step = match kind {
        Kind::Png => png,
        Kind::WebP => webp,
        Kind::Jpeg => jpeg,
        _ => return Ok(None),
    };
    let mut at = match kind {
        Kind::Png => 8,
        Kind::WebP => 12,
        _ => 2,
    };
    for _ in 0..MAX_STEPS {
        let mut head = Vec::with_capacity(8);
        file.seek(SeekFrom::Start(at))?;
        file.take(8).read_to_end(&mut head)?;
        let Some(piece) = step(&head, at) else {
            return Ok(None);
        };
        if piece.may_hold && piece.n_bytes <= MAX_BYTES {
            let mut content = Vec::new();
            file.seek(SeekFrom::Start(piece.at))?;
            file.take(piece.n_bytes).read_to_end(&mut content)?;
            let is_packet = match kind {
                Kind::Png => content.starts_with(PNG_XMP),
                Kind::WebP => true,
                _ => content.starts_with(b"http://ns.adobe.com/xap/1.0/\0"),
            };
            if is_packet {
                return Ok(Some(content));
            }
        }
        at = piece.next;
    }
    Ok(None)
}

/// Length, name, content and a checksum.
fn png(head: &[u8], at: u64) -> Option<Piece> {
    let [a, b, c, d, name @ ..] = head else {
        return None;
    };
    let n_bytes = u64::from(u32::from_be_bytes([*a, *b, *c, *d]));
    (name.len() == 4 && name != b"IEND").then(|| Piece {
        at: at + 8,
        n_bytes,
        next: at + 12 + n_bytes,
        may_hold: name == b"iTXt",
    })
}

/// Name, length and content, padded to an even length.
fn webp(head: &[u8], at: u64) -> Option<Piece> {
    let (name, length) = head.split_at_checked(4)?;
    let n_bytes = u64::from(u32::from_le_bytes(length.try_into().ok()?));
    Some(Piece {
        at: at + 8,
        n_bytes,
        next: at + 8 + n_bytes + n_bytes % 2,
        may_hold: name == b"XMP ",
    })
}

/// Marker, length and content, up to the scan.
fn jpeg(head: &[u8], at: u64) -> Option<Piece> {
    let [0xff, marker, high, low, ..] = head else {
        return None;
    };
    let n_bytes = u64::from(u16::from_be_bytes([*high, *low]));
    (*marker != 0xda && n_bytes >= 2).then(|| Piece {
        at: at + 4,
        n_bytes: n_bytes - 2,
        next: at + 2 + n_bytes,
        may_hold: *marker == 0xe1,
    })
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    const XMP: &[u8] = b"<x:xmpmeta><rdf:RDF/></x:xmpmeta>";

    fn late(kind: Kind, bytes: &[u8]) -> Option<Vec<u8>> {
        packet(&mut Cursor::new(bytes), kind).unwrap()
    }

    fn png_chunk(name: &[u8], content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len()).unwrap().to_be_bytes();
        [&length[..], name, content, b"crc!"].concat()
    }

    fn files() -> [(Kind, Vec<u8>); 3] {
        let text = [PNG_XMP, b"\0\0\0\0", XMP].concat();
        let png = [
            b"\x89PNG\r\n\x1a\n".to_vec(),
            png_chunk(b"IDAT", &[7; 70_000]),
            png_chunk(b"iTXt", b"Comment\0\0\0\0\0words"),
            png_chunk(b"iTXt", &text),
            png_chunk(b"IEND", b""),
        ];
        let riff = |name: &[u8], content: &[u8]| {
            let length = u32::try_from(content.len()).unwrap().to_le_bytes();
            let pad = &b"\0"[..content.len() % 2];
            [name, &length, content, pad].concat()
        };
        let webp = [
            b"RIFF\0\0\0\0WEBP".to_vec(),
            riff(b"VP8 ", &[7; 70_001]),
            riff(b"XMP ", XMP),
        ];
        let segment = |marker: u8, content: &[u8]| {
            let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
            [&[0xff, marker][..], &length, content].concat()
        };
        let jpeg = [
            b"\xff\xd8".to_vec(),
            segment(0xe2, &[7; 60_000]),
            segment(0xe1, b"Exif\0\0"),
            segment(0xe1, &[b"http://ns.adobe.com/xap/1.0/\0", XMP].concat()),
            segment(0xda, &[0; 10]),
        ];
        [
            (Kind::Png, png.concat()),
            (Kind::WebP, webp.concat()),
            (Kind::Jpeg, jpeg.concat()),
        ]
    }

    #[test]
    fn a_packet_is_found_behind_whatever_stands_before_it() {
        for (kind, bytes) in files() {
            let found = late(kind, &bytes).unwrap();
            assert!(memchr::memmem::find(&found, XMP).is_some(), "{kind:?}");
        }
    }

    #[test]
    fn what_is_cut_or_lies_about_its_length_ends() {
        for (kind, bytes) in files() {
            for end in (0..bytes.len())
                .step_by(977)
                .chain(bytes.len() - 200..bytes.len())
            {
                late(kind, &bytes[..end]);
            }
            assert_eq!(late(kind, &[0xff; 4096]), None);
            assert_eq!(late(kind, &[0; 4096]), None);
        }
    }
}
