//! The parts of a photo's file that tell of it: where its EXIF, XMP and IPTC stand, and the size that it states. One walk for each
//! kind of file, from part to part, by the file's own lengths: however late a part stands it is found, and no pixels are read.
//! What the parts mean is told elsewhere.

use std::io::{self, Read, Seek, SeekFrom};

use super::{
    bmff, items,
    kind::Kind,
    markers::Segment,
    pieces::{MAX_BYTES, MAX_STEPS, chunk, part, top_box},
    preview, psd, raw,
    sigma::Sigma,
    tags::Directory,
    tiff::{Entry, Tiff, tag},
    unpacked::raw_profile,
};
use crate::{frame::orient::Orientation, picture::Size};

/// The bytes of a JPEG that are read for each segment: a marker, its length, and the longest mark by which one that matters
/// is known.
const MARK_BYTES: usize = 64;
/// The bytes within which a JPEG XL's own header stands.
pub(super) const HEADER_BYTES: usize = 64 << 10;

/// A part of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Where it stands, and how long it is.
    InFile { at: u64, n: usize },
    /// A TIFF structure that begins here: it reaches as far as its offsets say.
    From(u64),
    /// It was packed, or is in a part that was read.
    Bytes(Vec<u8>),
}

/// The parts of a photo's file that tell of it, in the order of trust.
#[derive(Debug, Default)]
pub struct Parts {
    /// EXIF, and which directory its main one is.
    pub(super) exif: Vec<(Directory, Part)>,
    pub(super) xmp: Vec<Part>,
    iptc: Vec<Part>,
    /// The turn that its boxes or its own header state, where it has such.
    pub(super) turned: Option<Orientation>,
    /// Width and height as they are stored; of a raw by Fujifilm those of the JPEG in it.
    pub size: Option<Size>,
}

impl Parts {
    /// Those of a photo of this kind. What is missing, malformed or beyond belief counts as not there.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn of(kind: Kind, file: &mut (impl Read + Seek)) -> io::Result<Self> {
        let mut parts = Self::default();
        match kind {
            Kind::Jpeg => parts.in_jpeg(file, 0)?,
            Kind::Png => parts.in_png(file)?,
            Kind::WebP => parts.in_webp(file)?,
            Kind::Tiff => parts.in_tiff(file, 0)?,
            Kind::Raw => parts.in_raw(file)?,
            Kind::Heic | Kind::Avif => parts.in_heif(file)?,
            Kind::JpegXl => parts.in_jxl(file)?,
            Kind::Jpeg2000 => parts.in_jp2(file)?,
            Kind::Photoshop => parts.in_photoshop(file)?,
            Kind::Gif | Kind::Bmp | Kind::Mp4 | Kind::Matroska => {}
        }
        Ok(parts)
    }

    /// The XMP packets, each with what may stand around it.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn xmp(&self, file: &mut (impl Read + Seek)) -> io::Result<Vec<Vec<u8>>> {
        read_all(&self.xmp, file)
    }

    /// IPTC's datasets, or Photoshop's resources that hold them.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn iptc(&self, file: &mut (impl Read + Seek)) -> io::Result<Vec<Vec<u8>>> {
        read_all(&self.iptc, file)
    }

    /// By the segments before the first scan of a JPEG that begins at a place in the file.
    fn in_jpeg(&mut self, file: &mut (impl Read + Seek), start: u64) -> io::Result<()> {
        let mut at = start + 2;
        for _ in 0..MAX_STEPS {
            let head = part(file, at, MARK_BYTES)?;
            at += match (memchr::memchr(0xFF, &head), head.as_slice()) {
                (None, head) if head.len() < MARK_BYTES => break,
                // What some writers leave between segments is passed over.
                (None, head) => head.len() as u64,
                (Some(n @ 1..), _) => n as u64,
                // A fill byte, and markers without a length.
                (_, [_, 0xFF, ..]) => 1,
                (_, [_, 0x00 | 0x01 | 0xD0..=0xD8, ..]) => 2,
                (_, [_, 0xD9 | 0xDA, ..]) => break,
                (_, [_, marker, high, low, content @ ..]) => {
                    let length = u16::from_be_bytes([*high, *low]).max(2);
                    self.in_segment(*marker, content, at + 4, usize::from(length) - 2);
                    2 + u64::from(length)
                }
                _ => break,
            };
        }
        Ok(())
    }

    /// By the beginning of a segment of `n` bytes.
    fn in_segment(&mut self, marker: u8, content: &[u8], at: u64, n: usize) {
        let content = &content[..n.min(content.len())];
        let rest_behind = |mark: &[u8]| {
            content.starts_with(mark).then(|| Part::InFile {
                at: at + mark.len() as u64,
                n: n - mark.len(),
            })
        };
        let segment = Segment {
            marker,
            start: 0,
            content,
            cut: false,
        };
        match marker {
            0xE1 => {
                let exif = rest_behind(b"Exif\0\0");
                self.exif.extend(exif.map(|part| (Directory::Main, part)));
                self.xmp
                    .extend(rest_behind(b"http://ns.adobe.com/xap/1.0/\0"));
            }
            0xED => self.iptc.extend(rest_behind(b"Photoshop 3.0\0")),
            _ if segment.is_frame() && self.size.is_none() => {
                let size = segment.frame_size();
                let size = size.map(|(width, height)| Size::new(width, height));
                self.size = size.filter(|size| size.width > 0 && size.height > 0);
            }
            _ => {}
        }
    }

    /// By a PNG's chunks, before and behind its pixels; EXIF in its own chunk counts before that in a text, as ImageMagick
    /// wrote it before there was one.
    fn in_png(&mut self, file: &mut (impl Read + Seek)) -> io::Result<()> {
        const XMP: &[u8] = b"XML:com.adobe.xmp\0";
        let mut at = 8;
        for _ in 0..MAX_STEPS {
            let Some(([a, b, c, d], name)) = chunk(file, at)? else {
                break;
            };
            let length = u32::from_be_bytes([a, b, c, d]);
            let here = Part::InFile {
                at: at + 8,
                n: length as usize,
            };
            match &name {
                b"eXIf" => self.exif.insert(0, (Directory::Main, here)),
                b"iTXt" if part(file, at + 8, XMP.len())? == XMP => self.xmp.push(here),
                b"zTXt" | b"tEXt" => {
                    let text = here.read(file)?;
                    if let Some((kind, bytes)) = raw_profile(&text, name == *b"zTXt") {
                        self.in_profile(kind, bytes);
                    }
                }
                b"IEND" => break,
                _ => {}
            }
            // Four bytes of checksum follow the content.
            at += 12 + u64::from(length);
        }
        Ok(())
    }

    /// By the resources of a file of Photoshop's.
    fn in_photoshop(&mut self, file: &mut (impl Read + Seek)) -> io::Result<()> {
        self.size = psd::size(&part(file, 0, psd::HEADER_BYTES)?);
        for (number, at, n) in psd::resources(file)? {
            let here = Part::InFile {
                at,
                n: usize::try_from(n).unwrap_or(usize::MAX),
            };
            match number {
                psd::resource::EXIF => self.exif.push((Directory::Main, here)),
                psd::resource::XMP => self.xmp.push(here),
                psd::resource::IPTC => self.iptc.push(here),
                _ => {}
            }
        }
        Ok(())
    }

    /// By a profile that ImageMagick wrote as text; under APP1 goes either.
    fn in_profile(&mut self, kind: &str, bytes: Vec<u8>) {
        match kind {
            "exif" | "APP1" if bytes.starts_with(b"Exif\0\0") => {
                let block = Part::Bytes(bytes[6..].to_vec());
                self.exif.push((Directory::Main, block));
            }
            "xmp" | "APP1" => self.xmp.push(Part::Bytes(bytes)),
            "iptc" | "8bim" => self.iptc.push(Part::Bytes(bytes)),
            _ => {}
        }
    }

    fn in_webp(&mut self, file: &mut (impl Read + Seek)) -> io::Result<()> {
        let mut at = 12;
        for _ in 0..MAX_STEPS {
            let Some((name, length)) = chunk(file, at)? else {
                break;
            };
            let n = u32::from_le_bytes(length);
            let here = Part::InFile {
                at: at + 8,
                n: n as usize,
            };
            match &name {
                b"EXIF" => {
                    // With JPEG's mark before it, as some write it.
                    let mark = if part(file, at + 8, 6)? == b"Exif\0\0" {
                        6
                    } else {
                        0
                    };
                    let block = Part::InFile {
                        at: at + 8 + mark,
                        n: (n as usize).saturating_sub(mark as usize),
                    };
                    self.exif.push((Directory::Main, block));
                }
                b"XMP " => self.xmp.push(here),
                _ => {}
            }
            // Contents are padded to an even length.
            at += 8 + u64::from(n) + u64::from(n % 2);
        }
        Ok(())
    }

    /// By a TIFF structure that begins at a place in the file, and its main directory, wherever that stands.
    fn in_tiff(&mut self, file: &mut (impl Read + Seek), base: u64) -> io::Result<()> {
        let head = part(file, base, Tiff::HEAD_BYTES)?;
        let Some((tiff, main)) = Tiff::new(&head).and_then(|tiff| Some((tiff, tiff.main()?)))
        else {
            return Ok(());
        };
        self.exif.push((Directory::Main, Part::From(base)));
        let Some(place) = base.checked_add(main) else {
            return Ok(());
        };
        let directory = part(file, place, Tiff::MAX_DIRECTORY_BYTES)?;
        let here = tiff.with(&directory, main);
        self.size = here.size(main);
        self.behind_thumbnails(file, base, main)?;
        let content = |entry: Entry| {
            let at = base.checked_add(entry.at)?;
            let n = usize::try_from(entry.n_bytes()).ok()?;
            Some(Part::InFile { at, n })
        };
        self.xmp
            .extend(here.entry(main, tag::XMP).and_then(content));
        self.iptc
            .extend(here.entry(main, tag::IPTC).and_then(content));
        Ok(())
    }

    /// By the directory that `Tiff::picture` finds in the whole file, where the main one is of a thumbnail.
    fn behind_thumbnails(
        &mut self,
        file: &mut (impl Read + Seek),
        base: u64,
        main: u64,
    ) -> io::Result<()> {
        /// Thumbnails before the picture.
        const MOST: usize = 64;
        let head = part(file, base, Tiff::HEAD_BYTES)?;
        let Some(tiff) = Tiff::new(&head) else {
            return Ok(());
        };
        let mut at = main;
        for _ in 0..MOST {
            let Some(place) = base.checked_add(at) else {
                break;
            };
            let directory = part(file, place, Tiff::MAX_DIRECTORY_BYTES)?;
            let here = tiff.with(&directory, at);
            if !here.is_lesser(at) {
                self.size = here.size(at);
                break;
            }
            match here.next(at) {
                Some(next) if next != 0 => at = next,
                _ => break,
            }
        }
        Ok(())
    }

    /// Fujifilm's is in the JPEG that it shows, Minolta's in a block of its own, Canon's newest in boxes of its own, a TIFF
    /// structure for each directory. Others are TIFFs.
    fn in_raw(&mut self, file: &mut (impl Read + Seek)) -> io::Result<()> {
        let head = part(file, 0, 256)?;
        if let Some((at, _)) = raw::fuji_preview_place(&head) {
            return self.in_jpeg(file, at);
        }
        if bmff::has_mark(&head) {
            let moov = top_box(file, *b"moov")?.unwrap_or_default();
            let blocks = raw::canon_blocks(&moov).into_iter();
            let blocks = blocks.map(|(directory, block)| (directory, Part::Bytes(block.to_vec())));
            self.exif.extend(blocks);
            let mut sizes = Vec::new();
            for (at, _) in preview::canon_places(&moov) {
                sizes.extend(jpeg_size(file, at)?);
            }
            self.size = sizes.into_iter().max_by_key(|size| size.n_pixels());
            return Ok(());
        }
        if Sigma::has_mark(&head) {
            return self.in_sigma(file);
        }
        if let Some(base) = raw::minolta_block(&head) {
            return self.in_tiff(file, base);
        }
        self.in_tiff(file, 0)?;
        // The size that counts is its preview's, which its head tells, of Panasonic's the JPEG itself.
        self.size = match preview::panasonic_place(&part(file, 0, HEADER_BYTES)?) {
            Some(at) => jpeg_size(file, at)?,
            None => None,
        };
        Ok(())
    }
}

impl Parts {
    /// By the largest JPEG in a raw of Sigma's, whose directory the file's last four bytes point to.
    fn in_sigma(&mut self, file: &mut (impl Read + Seek)) -> io::Result<()> {
        let end = file.seek(SeekFrom::End(0))?;
        let last = part(file, end.saturating_sub(4), 4)?;
        let Ok(at) = <[u8; 4]>::try_from(last.as_slice()) else {
            return Ok(());
        };
        let at = u64::from(u32::from_le_bytes(at));
        let directory = part(file, at, Sigma::MAX_DIRECTORY_BYTES)?;
        let mut found = Vec::new();
        for at in Sigma::pictures(&directory) {
            if Sigma::is_jpeg(&part(file, at, Sigma::HEAD_BYTES)?) {
                let at = at + Sigma::HEAD_BYTES as u64;
                found.extend(jpeg_size(file, at)?.map(|size| (size.n_pixels(), at)));
            }
        }
        if let Some((_, at)) = found.into_iter().max() {
            self.in_jpeg(file, at)?;
        }
        for at in Sigma::properties(&directory) {
            let exif = Sigma::exif(&part(file, at, Sigma::MAX_PROPERTIES_BYTES)?).into_iter();
            self.exif
                .extend(exif.map(|(directory, bytes)| (directory, Part::Bytes(bytes))));
        }
        Ok(())
    }
}

/// The size of the JPEG that begins at a place in the file, if one does.
fn jpeg_size(file: &mut (impl Read + Seek), at: u64) -> io::Result<Option<Size>> {
    if part(file, at, 3)? != [0xFF, 0xD8, 0xFF] {
        return Ok(None);
    }
    let mut parts = Parts::default();
    parts.in_jpeg(file, at)?;
    Ok(parts.size)
}

impl Part {
    /// The bytes, as far as they are there and within the limit. Of a TIFF structure those are its head alone.
    pub(super) fn read(&self, file: &mut (impl Read + Seek)) -> io::Result<Vec<u8>> {
        match self {
            Self::InFile { at, n } => part(file, *at, (*n).min(MAX_BYTES)),
            Self::From(at) => part(file, *at, Tiff::HEAD_BYTES),
            Self::Bytes(bytes) => Ok(bytes.clone()),
        }
    }
}

impl From<items::Place<'_>> for Part {
    fn from(place: items::Place<'_>) -> Self {
        match place {
            items::Place::InMeta(item) => Self::Bytes(item.to_vec()),
            items::Place::InFile { at, n } => Self::InFile { at, n },
        }
    }
}

fn read_all(parts: &[Part], file: &mut (impl Read + Seek)) -> io::Result<Vec<Vec<u8>>> {
    parts.iter().map(|part| part.read(file)).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::{
        Picture, Quality, encode,
        formats::{
            bmff::tests::boxed,
            tiff::tests::{Directory as Made, file as tiff_of},
        },
    };

    const XMP: &[u8] = b"<x:xmpmeta><rdf:RDF/></x:xmpmeta>";
    const IPTC: &[u8] = b"8BIM\x04\x04\0\0\0\0\0\x06\x1c\x02\x19\0\x01a";
    const PIXELS: &[u8] = &[7; 70_001];

    fn parts(kind: Kind, bytes: &[u8]) -> Parts {
        Parts::of(kind, &mut Cursor::new(bytes)).unwrap()
    }

    /// Whether the first packet of XMP is the whole of it, with what may stand around it.
    fn has_xmp(kind: Kind, bytes: &[u8]) -> bool {
        let all = parts(kind, bytes).xmp(&mut Cursor::new(bytes)).unwrap();
        let mut first = all.first().into_iter();
        first.any(|packet| memchr::memmem::find(packet, XMP).is_some())
    }

    fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
        [&[0xFF, marker], &length[..], content].concat()
    }

    /// Everything behind more than half a megabyte of segments, as gain maps and depth maps bring, with fill bytes and
    /// something left between them.
    fn jpeg() -> Vec<u8> {
        let picture = Picture::filled(40, 30, [9, 99, 199]);
        let whole = encode(&picture, Quality::default()).unwrap();
        let filler = segment(0xE2, &[7; 65_533]).repeat(10);
        [
            &[0xFF, 0xD8],
            filler.as_slice(),
            b"left over from something",
            &segment(0xE1, &[b"http://ns.adobe.com/xap/1.0/\0", XMP].concat()),
            &segment(0xED, &[b"Photoshop 3.0\0", IPTC].concat()),
            &[0xFF, 0xFF],
            &whole[2..],
        ]
        .concat()
    }

    fn png() -> Vec<u8> {
        let chunk = |name: &[u8], content: &[u8]| {
            let length = u32::try_from(content.len()).unwrap().to_be_bytes();
            [&length[..], name, content, b"crc!"].concat()
        };
        [
            b"\x89PNG\r\n\x1a\n".to_vec(),
            chunk(b"IDAT", PIXELS),
            chunk(b"iTXt", b"Comment\0\0\0\0\0words"),
            chunk(b"iTXt", &[b"XML:com.adobe.xmp\0\0\0\0\0", XMP].concat()),
            chunk(b"IEND", b""),
        ]
        .concat()
    }

    fn webp() -> Vec<u8> {
        let chunk = |name: &[u8], content: &[u8]| {
            let length = u32::try_from(content.len()).unwrap().to_le_bytes();
            [name, &length, content, &b"\0"[..content.len() % 2]].concat()
        };
        let chunks = [chunk(b"VP8 ", PIXELS), chunk(b"XMP ", XMP)];
        [b"RIFF\0\0\0\0WEBP".to_vec(), chunks.concat()].concat()
    }

    /// A stream of Brotli that packs nothing: one block as it is, and the end (RFC 7932, 9.2).
    fn stored(content: &[u8]) -> Vec<u8> {
        let head = u32::try_from(content.len() - 1).unwrap() << 4 | 1 << 20;
        [&head.to_le_bytes()[..3], content, &[3]].concat()
    }

    fn jxl(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let start = boxed(b"JXL ", b"\r\n\x87\n");
        [start, boxed(b"jxlc", PIXELS), boxed(name, content)].concat()
    }

    /// Its directory stands at the end, and points back to the packet.
    fn tiff() -> Vec<u8> {
        let mut file = b"II*\0\0\0\0\0".to_vec();
        file.extend(XMP);
        file.extend(PIXELS);
        let at = u32::try_from(file.len()).unwrap();
        file[4..8].copy_from_slice(&at.to_le_bytes());
        file.extend([3, 0]);
        for (tag, kind, count, value) in [
            (0x100_u16, 3_u16, 1_u32, 40_u32),
            (0x101, 3, 1, 30),
            (tag::XMP, 1, XMP.len() as u32, 8),
        ] {
            file.extend(tag.to_le_bytes());
            file.extend(kind.to_le_bytes());
            file.extend(count.to_le_bytes());
            file.extend(value.to_le_bytes());
        }
        file
    }

    fn files() -> Vec<(Kind, Vec<u8>)> {
        vec![
            (Kind::Jpeg, jpeg()),
            (Kind::Png, png()),
            (Kind::WebP, webp()),
            (Kind::Tiff, tiff()),
            (Kind::JpegXl, jxl(b"xml ", XMP)),
            (
                Kind::JpegXl,
                jxl(b"brob", &[b"xml ", &stored(XMP)[..]].concat()),
            ),
        ]
    }

    #[test]
    fn xmp_is_found_behind_whatever_stands_before_it() {
        for (kind, file) in files() {
            assert!(has_xmp(kind, &file), "{kind}");
        }
        assert!(!has_xmp(Kind::JpegXl, &jxl(b"brob", b"jumb")));
    }

    #[test]
    fn sizes_and_iptc_are_found_however_late_they_stand() {
        for (kind, file) in [(Kind::Jpeg, jpeg()), (Kind::Tiff, tiff())] {
            assert_eq!(parts(kind, &file).size, Some(Size::new(40, 30)), "{kind}");
        }
        let file = jpeg();
        let found = parts(Kind::Jpeg, &file).iptc(&mut Cursor::new(&file));
        assert!(found.unwrap()[0].starts_with(IPTC));
    }

    #[test]
    fn a_raws_own_directory_is_not_the_size_of_what_is_shown() {
        let main = Made {
            entries: vec![(0x100, 6000), (0x101, 4000)],
            below: vec![],
        };
        let file = tiff_of(&main, false);
        assert_eq!(parts(Kind::Tiff, &file).size, Some(Size::new(6000, 4000)));
        assert_eq!(parts(Kind::Raw, &file).size, None);
    }

    #[test]
    fn what_is_cut_or_nonsense_ends_and_says_nothing_wrong() {
        for (kind, file) in files() {
            let ends = (0..file.len()).step_by(4099);
            for end in ends.chain(file.len() - 300..file.len()) {
                let found = parts(kind, &file[..end]);
                let _ = found.xmp(&mut Cursor::new(&file[..end])).unwrap();
                let size = found.size;
                assert!(size.is_none_or(|size| size == Size::new(40, 30)), "{kind}");
            }
        }
        for kind in Kind::ALL {
            for byte in [0, 0xFF, b'I', 8] {
                assert_eq!(parts(kind, &[byte; 9999]).size, None, "{kind}");
            }
        }
    }
}
