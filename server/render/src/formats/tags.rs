//! The tags of a photo's EXIF (CIPA DC-008), with their values. Reads the directories and what they point to, within bounds, from
//! the file itself: they may stand behind the pixels. What the tags mean for people, the library says.

use std::io::{self, Cursor, Read, Seek};

use super::{
    parts::{Part, Parts},
    pieces::part,
    tiff::Tiff,
    values::Value,
};

/// The longest value that is read: a text.
const MAX_VALUE_BYTES: u64 = 16 * 1024;

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

impl Parts {
    /// The tags `wanted`, as far as the photo has them: each directory by the first part that can be read.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn tags(
        &self,
        file: &mut (impl Read + Seek),
        wanted: &[(Directory, u16)],
    ) -> io::Result<Tags> {
        let mut all = Tags::default();
        let mut read = Vec::new();
        for (first, block) in &self.exif {
            if read.contains(first) {
                continue;
            }
            let tags = match block {
                Part::From(at) => in_tiff(*first, file, *at, wanted)?,
                block => {
                    let mut block = Cursor::new(block.read(file)?);
                    in_tiff(*first, &mut block, 0, wanted)?
                }
            };
            if let Some(tags) = tags {
                read.push(*first);
                all.found.extend(tags.found);
            }
        }
        Ok(all)
    }
}

/// By a TIFF structure that begins at a place in the file: its main directory, which is `first`, and those that this points to.
/// `None` where none begins there.
fn in_tiff(
    first: Directory,
    file: &mut (impl Read + Seek),
    base: u64,
    wanted: &[(Directory, u16)],
) -> io::Result<Option<Tags>> {
    let head = part(file, base, Tiff::HEAD_BYTES)?;
    let Some((tiff, main)) = Tiff::new(&head).and_then(|tiff| Some((tiff, tiff.main()?))) else {
        return Ok(None);
    };
    let mut tags = Tags::default();
    let mut directories = vec![(first, main)];
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::{
        bmff::tests::boxed,
        kind::Kind,
        upright::tests::{block, in_jpeg as jpeg_of},
    };

    const DATE: &str = "2011:03:04 05:06:07";
    const WANTED: [(Directory, u16); 2] = [(Directory::Main, 0x0112), (Directory::Exif, 0x9003)];

    fn date(kind: Kind, bytes: &[u8]) -> Option<String> {
        let mut file = Cursor::new(bytes);
        let parts = Parts::of(kind, &mut file).unwrap();
        let tags = parts.tags(&mut file, &WANTED).unwrap();
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

    #[test]
    fn a_directory_of_65535_entries_and_one_in_a_circle_end() {
        for next in [0_u32, 8] {
            let mut tiff = b"II*\0\x08\0\0\0\xff\xff".to_vec();
            for i in 0..65_535_u32 {
                // Tag, LONG, one value: every fourth points back to the directory itself.
                let tag: u16 = if i % 4 == 0 { 0x8769 } else { 0x010e };
                tiff.extend(tag.to_le_bytes());
                tiff.extend([4, 0, 1, 0, 0, 0]);
                tiff.extend(8_u32.to_le_bytes());
            }
            tiff.extend(next.to_le_bytes());
            let mut file = Cursor::new(tiff.as_slice());
            let parts = Parts::of(Kind::Tiff, &mut file).unwrap();
            let tags = parts.tags(&mut file, &WANTED).unwrap();
            assert_eq!(tags.get(Directory::Exif, 0x9003), None);
        }
    }
}
