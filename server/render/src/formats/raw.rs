//! Camera raws: told from other files by their content, and what their heads say. Most are TIFFs whose tags give them
//! away; the others have marks of their own.

use crate::{
    formats::{
        bmff::{Boxes, be},
        tags::Directory,
        tiff::{Tiff, tag},
    },
    picture::Size,
};

/// A colour filter array, as TIFF/EP numbers it; DNG's linear raw.
const CFA: u64 = 32_803;
const LINEAR_RAW: u64 = 34_892;

/// Whether these are the first bytes of a raw that is no TIFF: Fujifilm, Olympus, Panasonic and Leica, Sigma, Minolta.
pub(crate) fn has_own_mark(head: &[u8]) -> bool {
    const MARKS: [&[u8]; 7] = [
        b"FUJIFILMCCD-RAW ",
        b"IIRO",
        b"IIRS",
        b"MMOR",
        b"IIU\0",
        b"FOVb",
        b"\0MRM",
    ];
    MARKS.iter().any(|mark| head.starts_with(mark))
}

/// Whether a TIFF is a camera's raw: DNG says so, Canon marks it, the others hold a colour filter array, or show
/// a reduced picture first and keep the large one below it.
pub(crate) fn is_raw_tiff(head: &[u8]) -> bool {
    let Some(tiff) = Tiff::new(head) else {
        return false;
    };
    let Some(main) = tiff.main() else {
        return false;
    };
    let is_raw_directory = |directory| {
        matches!(
            tiff.value(directory, tag::PHOTOMETRIC),
            Some(CFA | LINEAR_RAW)
        )
    };
    head.get(8..10) == Some(b"CR")
        || tiff.entry(main, tag::DNG_VERSION).is_some()
        || tiff.directories().into_iter().any(is_raw_directory)
        || (tiff.value(main, tag::NEW_SUBFILE_TYPE) == Some(1)
            && tiff.entry(main, tag::MAKE).is_some()
            && tiff.entry(main, tag::SUB_DIRECTORIES).is_some())
}

/// The size of the largest picture that a raw's head speaks of.
pub(crate) fn size(head: &[u8]) -> Option<Size> {
    let tiff = Tiff::new(head)?;
    let directories = tiff.directories().into_iter();
    directories
        .filter_map(|directory| tiff.size(directory))
        .max_by_key(|size| size.n_pixels())
}

/// The JPEG in a Fujifilm raw, as far as it is there.
pub(crate) fn fuji_preview(bytes: &[u8]) -> Option<&[u8]> {
    let (at, n) = fuji_preview_place(bytes)?;
    let rest = bytes.get(usize::try_from(at).ok()?..)?;
    Some(&rest[..usize::try_from(n).ok()?.min(rest.len())])
}

/// Where the JPEG in a Fujifilm raw begins, and how long it is.
pub(crate) fn fuji_preview_place(head: &[u8]) -> Option<(u64, u64)> {
    let is_fuji = head.starts_with(b"FUJIFILMCCD-RAW ");
    is_fuji.then(|| Some((be(head, 84, 4)?, be(head, 88, 4)?)))?
}

/// Canon's box in the `moov` of a CR3.
const CANON: [u8; 16] = *b"\x85\xC0\xB6\x87\x82\x0F\x11\xE0\x81\x11\xF4\xCE\x46\x2B\x6A\x48";

/// The EXIF directories of a CR3, each a TIFF structure of its own, from the content of its `moov`.
pub(crate) fn canon_blocks(moov: &[u8]) -> Vec<(Directory, &[u8])> {
    let canon = Boxes::new(moov)
        .filter(|found| found.name == *b"uuid")
        .find_map(|found| found.content.strip_prefix(&CANON));
    let directories = [
        (*b"CMT1", Directory::Main),
        (*b"CMT2", Directory::Exif),
        (*b"CMT4", Directory::Gps),
    ];
    let block = |name| Boxes::new(canon?).content(name);
    let blocks = directories.into_iter();
    blocks
        .filter_map(|(name, directory)| Some((directory, block(name)?)))
        .collect()
}

/// Where the TIFF structure stands in Minolta's MRW, in whose head blocks follow one another: a name, a length, content.
pub(crate) fn minolta_block(head: &[u8]) -> Option<u64> {
    head.strip_prefix(b"\0MRM")?;
    let mut at = 8;
    for _ in 0..8 {
        let length = usize::try_from(be(head, at + 4, 4)?).ok()?;
        if head.get(at..at + 4)? == b"\0TTW" {
            return Some(at as u64 + 8);
        }
        at = at.checked_add(8)?.checked_add(length)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::bmff::tests::boxed;
    use crate::formats::kind::Kind;
    use crate::formats::probe::{Probe, probe};
    use crate::formats::tiff::tests::{Directory as Made, file};
    use crate::formats::upright::{self, stated_in};
    use crate::frame::orient::Orientation;

    fn directory(entries: &[(u16, u32)]) -> Made {
        Made {
            entries: entries.to_vec(),
            below: vec![],
        }
    }

    #[test]
    fn raws_are_told_from_tiffs() {
        let thumbnail = [
            (0xFE, 1),
            (0x100, 160),
            (0x101, 120),
            (0x10F, 0),
            (0x112, 8),
        ];
        let sensor = [(0xFE, 0), (0x100, 6000), (0x101, 4000), (0x106, 32_803)];
        let with = |entries: &[(u16, u32)], below: &[(u16, u32)]| Made {
            below: vec![directory(below)],
            ..directory(entries)
        };
        let tiff = directory(&[(0xFE, 0), (0x100, 6000), (0x101, 4000), (0x106, 2)]);
        let layered = with(&tiff.entries, &[(0xFE, 1), (0x100, 60), (0x101, 40)]);
        for (main, kind, size, turned) in [
            (tiff, Kind::Tiff, (6000, 4000), None),
            (layered, Kind::Tiff, (6000, 4000), None),
            (directory(&sensor), Kind::Raw, (6000, 4000), None),
            (
                directory(&[(0x100, 64), (0x101, 48), (0xC612, 1)]),
                Kind::Raw,
                (64, 48),
                None,
            ),
            (
                with(&thumbnail, &sensor),
                Kind::Raw,
                (6000, 4000),
                Orientation::from_exif(8),
            ),
            (
                with(&thumbnail, &[]),
                Kind::Raw,
                (160, 120),
                Orientation::from_exif(8),
            ),
        ] {
            let expected = Probe {
                kind,
                size: Some(Size::new(size.0, size.1)),
            };
            for big_endian in [false, true] {
                let file = file(&main, big_endian);
                assert_eq!(probe(&file), Some(expected), "{main:?}");
                assert_eq!(stated_in(kind, &file), turned, "{main:?}");
                for end in 0..file.len() {
                    let _ = probe(&file[..end]);
                }
            }
        }
    }

    #[test]
    fn other_raws_have_their_marks() {
        let olympus = [
            b"IIRO",
            &file(&directory(&[(0x100, 64), (0x101, 48), (0x112, 6)]), false)[4..],
        ]
        .concat();
        let cmt1 = file(&directory(&[(0x100, 64), (0x101, 48), (0x112, 3)]), false);
        let canon = [&CANON[..], &boxed(b"CMT1", &cmt1)].concat();
        let cr3 = [
            boxed(b"ftyp", b"crx \0\0\0\x01crx isom"),
            boxed(b"moov", &boxed(b"uuid", &canon)),
        ]
        .concat();
        let jpeg = upright::tests::in_jpeg(&upright::tests::block(8, "2021:07:04 12:30:00", false));
        let mut raf = b"FUJIFILMCCD-RAW 0201".to_vec();
        raf.resize(84, 0);
        raf.extend(100u32.to_be_bytes());
        raf.extend((jpeg.len() as u32).to_be_bytes());
        raf.resize(100, 0);
        raf.extend(&jpeg);
        for (file, size, turned) in [
            (&olympus[..], Some(Size::new(64, 48)), 6),
            (&cr3, None, 3),
            (&raf, None, 8),
        ] {
            let kind = Kind::Raw;
            assert_eq!(probe(file), Some(Probe { kind, size }));
            assert_eq!(stated_in(kind, file), Orientation::from_exif(turned));
            for end in 16..file.len() {
                assert_eq!(probe(&file[..end]).map(|found| found.kind), Some(Kind::Raw));
            }
        }
    }
}
