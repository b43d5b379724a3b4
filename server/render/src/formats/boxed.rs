//! The parts of files made of boxes: HEIF and AVIF, JPEG XL, JPEG 2000.

use std::io::{self, Read, Seek};

use super::{
    bmff, items, jxl,
    parts::{HEADER_BYTES, Part, Parts},
    pieces::{TopBoxes, part, top_box},
    tags::Directory,
    unpacked::brotli,
};

impl Parts {
    /// By the boxes that describe the primary picture.
    pub(super) fn in_heif(&mut self, file: &mut (impl Read + Seek)) -> io::Result<()> {
        let Some(meta) = top_box(file, *b"meta")? else {
            return Ok(());
        };
        let Some(primary) = bmff::primary_in(&meta) else {
            return Ok(());
        };
        (self.size, self.turned) = (primary.size, primary.turned);
        for place in items::describing(&meta, primary.id, *b"Exif") {
            let item = Part::from(place).read(file)?;
            let block = items::tiff_block(&item).map(|block| Part::Bytes(block.to_vec()));
            self.exif
                .extend(block.map(|block| (Directory::Main, block)));
        }
        let packets = items::describing(&meta, primary.id, *b"mime");
        self.xmp.extend(packets.into_iter().map(Part::from));
        Ok(())
    }

    /// By the boxes that Adobe and others put into a JPEG 2000, named by long names of their own.
    pub(super) fn in_jp2(&mut self, file: &mut (impl Read + Seek)) -> io::Result<()> {
        const EXIF: &[u8; 16] = b"JpgTiffExif->JP2";
        const XMP: &[u8; 16] = b"\xBE\x7A\xCF\xCB\x97\xA9\x42\xE8\x9C\x71\x99\x94\x91\xE3\xAF\xAC";
        if part(file, 0, 4)? != [0, 0, 0, 12] {
            return Ok(());
        }
        let mut boxes = TopBoxes::default();
        while let Some(found) = boxes.next(file)? {
            if found.name != *b"uuid" {
                continue;
            }
            let content = found.content(file)?;
            if let Some(packet) = content.strip_prefix(XMP) {
                self.xmp.push(Part::Bytes(packet.to_vec()));
            } else if let Some(block) = content.strip_prefix(EXIF) {
                self.exif
                    .push((Directory::Main, Part::Bytes(block.to_vec())));
            }
        }
        Ok(())
    }

    /// By the boxes of a JPEG XL (ISO/IEC 18181-2), also where Brotli packs them.
    pub(super) fn in_jxl(&mut self, file: &mut (impl Read + Seek)) -> io::Result<()> {
        let header = jxl::header(&part(file, 0, HEADER_BYTES)?);
        self.turned = header.map(|(_, turned)| turned);
        let mut boxes = TopBoxes::default();
        while let Some(found) = boxes.next(file)? {
            let (name, content) = match &found.name {
                b"Exif" | b"xml " => (found.name, found.content(file)?),
                b"brob" => {
                    let name = part(file, found.at, 4)?;
                    let Ok(name) = <[u8; 4]>::try_from(name.as_slice()) else {
                        break;
                    };
                    if !matches!(&name, b"Exif" | b"xml ") {
                        continue;
                    }
                    let packed = found.content(file)?;
                    (name, brotli(packed.get(4..).unwrap_or_default()))
                }
                _ => continue,
            };
            if name == *b"xml " {
                self.xmp.push(Part::Bytes(content));
            } else if let Some(block) = items::tiff_block(&content) {
                self.exif
                    .push((Directory::Main, Part::Bytes(block.to_vec())));
            }
        }
        Ok(())
    }
}
