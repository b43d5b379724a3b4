//! The EXIF of a photo (CIPA DC-008), as tags and values, wherever its kind of file keeps it. Reads the directories and what
//! they point to, within bounds, from the file itself: they may stand behind the pixels. What the tags mean for people, the
//! library says.

use std::io::{self, Cursor, Read, Seek};

use super::{
    bmff, items,
    kind::Kind,
    raw,
    tiff::Tiff,
    upright::{FAR_BYTES, MAX_CHUNKS, chunk, part, top_box},
    values::Value,
};

/// The longest value that is read: a text.
const MAX_VALUE_BYTES: u64 = 16 * 1024;
/// The most that a packed box or chunk is unpacked to.
const MAX_UNPACKED_BYTES: u64 = 1 << 20;

/// A directory of EXIF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Directory {
    /// Of the picture: TIFF's own.
    Main,
    /// Of how it was taken.
    Exif,
    /// Of where.
    Gps,
}

/// Pointers from the main directory to the others.
const POINTERS: [(u16, Directory); 2] = [(0x8769, Directory::Exif), (0x8825, Directory::Gps)];

/// The tags of a photo that somebody asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tags {
    found: Vec<(Directory, u16, Value)>,
}

impl Tags {
    /// The first value of a tag.
    pub fn get(&self, directory: Directory, tag: u16) -> Option<&Value> {
        let mut all = self.found.iter();
        all.find(|(of, no, _)| (*of, *no) == (directory, tag))
            .map(|(.., value)| value)
    }
}

/// The EXIF of a photo of this kind, of which the tags `wanted` are read; `None` where it has none.
///
/// # Errors
/// The file can't be read.
pub fn exif(
    kind: Kind,
    file: &mut (impl Read + Seek),
    wanted: &[(Directory, u16)],
) -> io::Result<Option<Tags>> {
    match kind {
        Kind::Jpeg => in_jpeg(file, 0, wanted),
        Kind::Png => in_png(file, wanted),
        Kind::WebP => in_webp(file, wanted),
        Kind::Tiff => in_tiff(file, 0, wanted),
        Kind::Raw => in_raw(file, wanted),
        Kind::Heic | Kind::Avif => in_heif(file, wanted),
        Kind::JpegXl => in_jxl(file, wanted),
        Kind::Gif | Kind::Bmp => Ok(None),
    }
}

/// The XMP that a JPEG XL keeps in a box of its own, packed or not.
///
/// # Errors
/// The file can't be read.
pub fn xmp_in_jxl(file: &mut (impl Read + Seek)) -> io::Result<Option<Vec<u8>>> {
    jxl_box(file, *b"xml ")
}

fn in_memory(block: &[u8], wanted: &[(Directory, u16)]) -> io::Result<Option<Tags>> {
    let block = block.strip_prefix(b"Exif\0\0").unwrap_or(block);
    in_tiff(&mut Cursor::new(block), 0, wanted)
}

/// By a TIFF structure that begins at a place in the file: its main directory and the two that this points to.
fn in_tiff(
    file: &mut (impl Read + Seek),
    base: u64,
    wanted: &[(Directory, u16)],
) -> io::Result<Option<Tags>> {
    let head = part(file, base, Tiff::HEAD_BYTES)?;
    let Some((tiff, main)) = Tiff::new(&head).and_then(|tiff| Some((tiff, tiff.main()?))) else {
        return Ok(None);
    };
    let mut tags = Tags::default();
    let mut directories = vec![(Directory::Main, main)];
    let mut n_read = 0;
    while let Some((directory, at)) = directories.get(n_read).copied() {
        n_read += 1;
        let Some(place) = base.checked_add(at) else {
            continue;
        };
        let bytes = part(file, place, Tiff::MAX_DIRECTORY_BYTES)?;
        let here = tiff.with(&bytes, at);
        if directory == Directory::Main {
            for (tag, of) in POINTERS {
                directories.extend(here.value(at, tag).map(|at| (of, at)));
            }
        }
        for (_, tag) in wanted.iter().filter(|(of, _)| *of == directory) {
            let Some(entry) = here.entry(at, *tag) else {
                continue;
            };
            let n_bytes = entry.n_bytes().min(MAX_VALUE_BYTES);
            let is_here = here
                .part(entry.at, n_bytes)
                .is_some_and(|all| all.len() as u64 == n_bytes);
            let value = if is_here {
                here.value_of(entry, n_bytes)
            } else {
                let Some(place) = base.checked_add(entry.at) else {
                    continue;
                };
                let bytes = part(file, place, n_bytes as usize)?;
                tiff.with(&bytes, entry.at).value_of(entry, n_bytes)
            };
            tags.found
                .extend(value.map(|value| (directory, *tag, value)));
        }
    }
    Ok(Some(tags))
}

/// By the EXIF of a JPEG that begins at a place in the file, behind whatever segments.
fn in_jpeg(
    file: &mut (impl Read + Seek),
    start: u64,
    wanted: &[(Directory, u16)],
) -> io::Result<Option<Tags>> {
    let mut at = start + 2;
    for _ in 0..MAX_CHUNKS {
        let head = part(file, at, 10)?;
        let [0xff, marker, high, low, rest @ ..] = head.as_slice() else {
            break;
        };
        let length = u64::from(u16::from_be_bytes([*high, *low]));
        match marker {
            // Bytes that fill up.
            0xff => at += 1,
            0xe1 if rest == b"Exif\0\0" => {
                let block = part(
                    file,
                    at + 10,
                    usize::from(u16::MAX).min((length as usize).saturating_sub(8)),
                )?;
                return in_memory(&block, wanted);
            }
            0xda | 0xd9 => break,
            _ if length < 2 => break,
            _ => at += 2 + length,
        }
    }
    Ok(None)
}

fn in_png(file: &mut (impl Read + Seek), wanted: &[(Directory, u16)]) -> io::Result<Option<Tags>> {
    Ok(match png_block(file)? {
        Some(block) => in_memory(&block, wanted)?,
        None => None,
    })
}

/// The EXIF of a PNG: in its own chunk, or in a text as ImageMagick wrote it before there was one.
pub(super) fn png_block(file: &mut (impl Read + Seek)) -> io::Result<Option<Vec<u8>>> {
    let mut at = 8;
    let mut profile = None;
    for _ in 0..MAX_CHUNKS {
        let Some(([a, b, c, d], name)) = chunk(file, at)? else {
            break;
        };
        let length = u32::from_be_bytes([a, b, c, d]);
        match &name {
            b"eXIf" => return part(file, at + 8, FAR_BYTES.min(length as usize)).map(Some),
            b"zTXt" | b"tEXt" if profile.is_none() => {
                let text = part(file, at + 8, FAR_BYTES.min(length as usize))?;
                profile = raw_profile(&text, name == *b"zTXt");
            }
            b"IEND" => break,
            _ => {}
        }
        // Four bytes of checksum follow the content.
        at += 12 + u64::from(length);
    }
    Ok(profile)
}

/// `Raw profile type exif` or `APP1`: a name, a length and hexadecimal digits, on lines.
fn raw_profile(chunk: &[u8], is_packed: bool) -> Option<Vec<u8>> {
    let end = chunk.iter().position(|byte| *byte == 0)?;
    let (key, rest) = (&chunk[..end], &chunk[end + 1..]);
    if !matches!(key, b"Raw profile type exif" | b"Raw profile type APP1") {
        return None;
    }
    let text = if is_packed {
        let mut text = Vec::new();
        let packed = flate2::read::ZlibDecoder::new(rest.get(1..)?);
        packed
            .take(MAX_UNPACKED_BYTES)
            .read_to_end(&mut text)
            .ok()?;
        text
    } else {
        rest.to_vec()
    };
    let text = String::from_utf8(text).ok()?;
    let mut words = text.split_whitespace();
    let (_name, n_bytes) = (words.next()?, words.next()?.parse::<usize>().ok()?);
    let digits: Vec<u8> = words.flat_map(str::bytes).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes = digits
        .chunks_exact(2)
        .map(byte)
        .collect::<Option<Vec<u8>>>()?;
    // XMP goes under APP1 as well.
    (bytes.len() == n_bytes && bytes.starts_with(b"Exif\0\0")).then(|| bytes[6..].to_vec())
}

fn in_webp(file: &mut (impl Read + Seek), wanted: &[(Directory, u16)]) -> io::Result<Option<Tags>> {
    let mut at = 12;
    for _ in 0..MAX_CHUNKS {
        let Some((name, length)) = chunk(file, at)? else {
            break;
        };
        let length = u32::from_le_bytes(length);
        if name == *b"EXIF" {
            let exif = part(file, at + 8, FAR_BYTES.min(length as usize))?;
            return in_memory(&exif, wanted);
        }
        // Contents are padded to an even length.
        at += 8 + u64::from(length) + u64::from(length % 2);
    }
    Ok(None)
}

/// Fujifilm's is in the JPEG that it shows, Minolta's in a block of its own; Canon's newest has its own boxes, which are
/// not read here. Others are TIFFs.
fn in_raw(file: &mut (impl Read + Seek), wanted: &[(Directory, u16)]) -> io::Result<Option<Tags>> {
    let head = part(file, 0, 256)?;
    if let Some((at, _)) = raw::fuji_preview_place(&head) {
        return in_jpeg(file, at, wanted);
    }
    if let Some(at) = minolta_block(&head) {
        return in_tiff(file, at, wanted);
    }
    in_tiff(file, 0, wanted)
}

/// Where the TIFF structure stands in a MRW, in whose head blocks follow one another: a name, a length, content.
fn minolta_block(head: &[u8]) -> Option<u64> {
    head.strip_prefix(b"\0MRM")?;
    let mut at = 8;
    for _ in 0..8 {
        let length = usize::try_from(bmff::be(head, at + 4, 4)?).ok()?;
        if head.get(at..at + 4)? == b"\0TTW" {
            return Some(at as u64 + 8);
        }
        at = at.checked_add(8)?.checked_add(length)?;
    }
    None
}

fn in_heif(file: &mut (impl Read + Seek), wanted: &[(Directory, u16)]) -> io::Result<Option<Tags>> {
    let Some(meta) = top_box(file, *b"meta")? else {
        return Ok(None);
    };
    let Some(primary) = bmff::primary_in(&meta) else {
        return Ok(None);
    };
    for place in items::exif(&meta, primary.id) {
        let item = match place {
            items::Place::InMeta(item) => item.to_vec(),
            items::Place::InFile { at, n } => part(file, at, n.min(FAR_BYTES))?,
        };
        if let Some(block) = items::tiff_block(&item)
            && let Some(tags) = in_memory(block, wanted)?
        {
            return Ok(Some(tags));
        }
    }
    Ok(None)
}

fn in_jxl(file: &mut (impl Read + Seek), wanted: &[(Directory, u16)]) -> io::Result<Option<Tags>> {
    Ok(match jxl_box(file, *b"Exif")? {
        Some(content) => match items::tiff_block(&content) {
            Some(block) => in_memory(block, wanted)?,
            None => None,
        },
        None => None,
    })
}

/// The content of a box of a JPEG XL (ISO/IEC 18181-2), also where Brotli packs it.
fn jxl_box(file: &mut (impl Read + Seek), name: [u8; 4]) -> io::Result<Option<Vec<u8>>> {
    let mut at = 0;
    for _ in 0..MAX_CHUNKS {
        let head = part(file, at, 20)?;
        let Some((found, n_head, length)) = bmff::box_head(&head) else {
            break;
        };
        let start = at + n_head;
        let n = length.map_or(FAR_BYTES, |n| usize::try_from(n).unwrap_or(FAR_BYTES));
        if found == name {
            return part(file, start, n.min(FAR_BYTES)).map(Some);
        }
        let inner = head.get(n_head as usize..n_head as usize + 4);
        if found == *b"brob" && inner == Some(&name) {
            let packed = part(file, start + 4, n.saturating_sub(4).min(FAR_BYTES))?;
            let mut content = Vec::new();
            let unpacker = brotli_decompressor::Decompressor::new(packed.as_slice(), 4096);
            // What is damaged says nothing.
            let read = unpacker.take(MAX_UNPACKED_BYTES).read_to_end(&mut content);
            return Ok(read.is_ok().then_some(content));
        }
        let Some(next) = length.and_then(|length| start.checked_add(length)) else {
            break;
        };
        at = next;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::formats::{
        bmff::tests::boxed,
        upright::tests::{block, in_jpeg as jpeg_of},
    };

    const DATE: &str = "2011:03:04 05:06:07";
    const WANTED: [(Directory, u16); 2] = [(Directory::Main, 0x0112), (Directory::Exif, 0x9003)];

    fn date(kind: Kind, bytes: &[u8]) -> Option<String> {
        let tags = exif(kind, &mut Cursor::new(bytes), &WANTED).unwrap()?;
        match tags.get(Directory::Exif, 0x9003)? {
            Value::Bytes(bytes) => Some(
                String::from_utf8_lossy(bytes)
                    .trim_end_matches('\0')
                    .to_owned(),
            ),
            other => panic!("{other:?}"),
        }
    }

    fn png_chunk(name: &[u8], content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len()).unwrap().to_be_bytes();
        [&length[..], name, content, b"crc!"].concat()
    }

    fn png(chunk: &[u8]) -> Vec<u8> {
        let pixels = png_chunk(b"IDAT", &[7; 100_000]);
        [
            b"\x89PNG\r\n\x1a\n",
            pixels.as_slice(),
            chunk,
            &png_chunk(b"IEND", b""),
        ]
        .concat()
    }

    /// One block in every place in which files keep it.
    fn files() -> Vec<(&'static str, Kind, Vec<u8>)> {
        let block = block(6, DATE, true);
        let far = {
            // Long segments before it, as gain maps bring.
            let jpeg = jpeg_of(&block);
            let filler = [&[0xff, 0xe2, 0xff, 0xff][..], &[7; 65_533]].concat();
            [&jpeg[..2], &filler.repeat(10), &jpeg[2..]].concat()
        };
        let hex: String = [b"Exif\0\0", block.as_slice()]
            .concat()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let profile = format!("\nexif\n      {}\n{hex}\n", hex.len() / 2);
        let mut packed = flate2::write::ZlibEncoder::new(
            b"Raw profile type exif\0\0".to_vec(),
            flate2::Compression::fast(),
        );
        std::io::Write::write_all(&mut packed, profile.as_bytes()).unwrap();
        let riff = |name: &[u8], content: &[u8]| {
            let length = u32::try_from(content.len()).unwrap().to_le_bytes();
            [name, &length, content].concat()
        };
        let webp = [
            b"RIFF\0\0\0\0WEBP".to_vec(),
            riff(b"VP8 ", &[7; 70_000]),
            riff(b"EXIF", &block),
        ]
        .concat();
        let jxl = |content: &[u8]| {
            [
                boxed(b"JXL ", b"\r\n\x87\n"),
                boxed(b"jxlc", &[7; 70_000]),
                boxed(b"Exif", content),
            ]
            .concat()
        };
        let mut ifd_pointer = block.clone();
        // The pointer's kind: a directory's own, 13.
        ifd_pointer[25] = 13;
        let minolta = [
            b"\0MRM\0\0\0\0\0PRD\0\0\0\x04abcd\0TTW\0\0\0\0",
            block.as_slice(),
        ]
        .concat();
        vec![
            ("a JPEG", Kind::Jpeg, jpeg_of(&block)),
            ("a JPEG behind long segments", Kind::Jpeg, far),
            ("a TIFF", Kind::Tiff, block.clone()),
            ("a pointer of another kind", Kind::Tiff, ifd_pointer),
            ("a Minolta", Kind::Raw, minolta),
            ("a PNG", Kind::Png, png(&png_chunk(b"eXIf", &block))),
            (
                "a PNG's text",
                Kind::Png,
                png(&png_chunk(b"zTXt", &packed.finish().unwrap())),
            ),
            ("a WebP", Kind::WebP, webp),
            (
                "a JPEG XL",
                Kind::JpegXl,
                jxl(&[&[0; 4], block.as_slice()].concat()),
            ),
        ]
    }

    #[test]
    fn it_is_found_wherever_files_keep_it() {
        for (name, kind, file) in files() {
            assert_eq!(date(kind, &file).as_deref(), Some(DATE), "{name}");
        }
        let olympus = [b"IIRO\x08\0\0\0", &block(1, DATE, false)[8..]].concat();
        assert_eq!(date(Kind::Raw, &olympus).as_deref(), Some(DATE));
    }

    #[test]
    fn a_directory_may_stand_behind_the_pixels() {
        let block = block(6, DATE, false);
        let shift = 3_000_000_u32;
        // The main directory moves to the end, with the pointers in it.
        let mut file = [
            b"II*\0",
            &(shift + 8).to_le_bytes()[..],
            &vec![7; shift as usize],
            &block[8..],
        ]
        .concat();
        let at = shift as usize;
        for (place, value) in [(at + 30, shift + 38), (at + 48, shift + 56)] {
            file[place..place + 4].copy_from_slice(&value.to_le_bytes());
        }
        assert_eq!(date(Kind::Tiff, &file).as_deref(), Some(DATE));
    }

    #[test]
    fn what_is_cut_anywhere_is_no_date_and_no_fault() {
        for (name, kind, file) in files() {
            for end in (0..file.len()).rev().take(200).chain(0..200) {
                let found = date(kind, &file[..end.min(file.len())]);
                assert!(
                    found.is_none_or(|found| DATE.starts_with(&found)),
                    "{name} cut at {end}"
                );
            }
        }
    }
}
