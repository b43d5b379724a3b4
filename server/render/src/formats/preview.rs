//! The JPEGs that camera raws carry for showing. Every maker puts them elsewhere; they are looked for where the makers
//! say, and, where that yields nothing, by the look of them.

use memchr::memmem;

use crate::formats::{
    bmff::{Boxes, be},
    jpeg,
    jpeg::layout::Layout,
    kind::Kind,
    raw::fuji_preview,
    stored::{DecodeError, DecodeLimits, Stored},
    tiff::{Tiff, tag},
    upright::stated_in,
};

/// Smaller pictures than this are for a camera's menus, not for a wall: 160 x 120 is the usual one.
const MIN_PIXELS: u64 = 320 * 240;
/// The limit of starts of a JPEG that are looked at in a file that does not say where one is.
const MAX_GUESSES: usize = 64;

/// Shows a raw by the largest JPEG in it.
pub(crate) fn decode(bytes: &[u8], limits: &DecodeLimits) -> Result<Stored, DecodeError> {
    let named = largest(named(bytes).into_iter());
    let found = match named {
        Some(found) if found.layout.size.n_pixels() >= MIN_PIXELS => Some(found),
        named => largest(guessed(bytes)).or(named),
    };
    let Some(found) = found else {
        return Err(DecodeError::Unsupported(
            "camera raw (without a JPEG inside)".into(),
        ));
    };
    if found.layout.size.n_pixels() < MIN_PIXELS {
        let size = found.layout.size;
        return Err(DecodeError::Unsupported(format!(
            "camera raw (whose JPEG inside is only {size})"
        )));
    }
    let mut stored = jpeg::decode(found.jpeg, limits)?;
    // A raw that says nothing of its own lies as the JPEG in it does.
    let stated = || stated_in(Kind::Jpeg, found.jpeg);
    stored.turned = stated_in(Kind::Raw, bytes).or_else(stated);
    Ok(stored)
}

struct Found<'a> {
    jpeg: &'a [u8],
    layout: Layout,
}

/// The largest that can be decoded: the raw data of some makers is a JPEG, too, but lossless.
fn largest<'a>(jpegs: impl Iterator<Item = &'a [u8]>) -> Option<Found<'a>> {
    jpegs
        .filter(|jpeg| jpeg.starts_with(&[0xFF, 0xD8, 0xFF]))
        .filter_map(|jpeg| {
            let layout = Layout::read(jpeg).ok()?;
            Some(Found { jpeg, layout })
        })
        .max_by_key(|found| found.layout.size.n_pixels())
}

/// The bytes that directories and boxes name as a JPEG.
fn named(bytes: &[u8]) -> Vec<&[u8]> {
    let mut found: Vec<&[u8]> = fuji_preview(bytes).into_iter().collect();
    if let Some(tiff) = Tiff::new(bytes) {
        for directory in tiff.directories() {
            found.extend(in_directory(&tiff, directory));
        }
    }
    found.extend(canon_samples(bytes));
    found
}

/// Panasonic's JPEG, in its main directory.
const JPG_FROM_RAW: u16 = 0x002E;

/// Where the JPEG in a raw of Panasonic's or Leica's begins, from the head of the file.
pub(super) fn panasonic_place(head: &[u8]) -> Option<u64> {
    let tiff = Tiff::new(head)?;
    Some(tiff.entry(tiff.main()?, JPG_FROM_RAW)?.at)
}

pub(super) fn in_directory<'a>(tiff: &Tiff<'a>, directory: u64) -> impl Iterator<Item = &'a [u8]> {
    let pair = |at, n| {
        let (at, n) = (tiff.value(directory, at)?, tiff.value(directory, n)?);
        tiff.part(at, n)
    };
    let strip = || {
        // 6 and 7: JPEG; what comes in several strips is not one of them.
        matches!(tiff.value(directory, tag::COMPRESSION)?, 6 | 7)
            .then(|| pair(tag::STRIP_OFFSETS, tag::STRIP_LENGTHS))?
    };
    let content = || tiff.content(tiff.entry(directory, JPG_FROM_RAW)?);
    [pair(tag::JPEG_OFFSET, tag::JPEG_LENGTH), strip(), content()]
        .into_iter()
        .flatten()
}

/// The first sample of each track of a CR3: one of them is a JPEG of full size.
fn canon_samples(bytes: &[u8]) -> Vec<&[u8]> {
    let moov = Boxes::new(bytes).content(*b"moov").unwrap_or_default();
    let sample = |(at, n)| {
        let rest = bytes.get(usize::try_from(at).ok()?..)?;
        let n = usize::try_from(n).unwrap_or(usize::MAX);
        Some(&rest[..n.min(rest.len())])
    };
    canon_places(moov).into_iter().filter_map(sample).collect()
}

/// Where the first sample of each track of a CR3 begins in the file, and how long it is, from the content of its `moov`.
pub(super) fn canon_places(moov: &[u8]) -> Vec<(u64, u64)> {
    const MAX_TRACKS: usize = 16;
    let sample = |track: &[u8]| {
        let inside = |content, name| Boxes::new(content).content(name);
        let table = inside(inside(inside(track, *b"mdia")?, *b"minf")?, *b"stbl")?;
        let at = match (inside(table, *b"co64"), inside(table, *b"stco")) {
            (Some(offsets), _) => be(offsets, 8, 8)?,
            (None, Some(offsets)) => be(offsets, 8, 4)?,
            (None, None) => return None,
        };
        let sizes = inside(table, *b"stsz")?;
        // One size for all, or one each.
        let n = match be(sizes, 4, 4)? {
            0 => be(sizes, 12, 4)?,
            n => n,
        };
        Some((at, n))
    };
    Boxes::new(moov)
        .filter(|found| found.name == *b"trak")
        .take(MAX_TRACKS)
        .filter_map(|track| sample(track.content))
        .collect()
}

/// Whatever begins like a JPEG with tables or metadata first.
fn guessed(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    memmem::find_iter(bytes, &[0xFF, 0xD8, 0xFF])
        .map(|at| &bytes[at..])
        .filter(|rest| matches!(rest.get(3), Some(0xDB | 0xC0 | 0xC2 | 0xC4 | 0xE0..=0xEF)))
        .take(MAX_GUESSES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::bmff::tests::boxed;
    use crate::formats::tiff::tests::{Directory, file};
    use crate::formats::upright::tests::{block, in_jpeg};
    use crate::{Orientation, Picture, Quality, Size, cost, encode, probe};

    fn jpeg(width: u32, height: u32) -> Vec<u8> {
        encode(
            &Picture::filled(width, height, [200, 120, 40]),
            Quality::default(),
        )
        .unwrap()
    }

    /// One that cameras keep their raw data in.
    fn lossless(width: u32, height: u32) -> Vec<u8> {
        let mut jpeg = jpeg(width, height);
        let frame = jpeg
            .windows(2)
            .position(|pair| pair == [0xFF, 0xC0])
            .unwrap();
        jpeg[frame + 1] = 0xC3;
        jpeg
    }

    /// A raw whose directories name JPEGs that stand behind them; `entries` makes the tags from place and length.
    type Entries = fn(u32, u32) -> Vec<(u16, u32)>;

    fn raw(jpegs: &[(Entries, Vec<u8>)], orientation: u32, big_endian: bool) -> Vec<u8> {
        let build = |places: &[u32]| {
            let below = jpegs
                .iter()
                .zip(places)
                .map(|((entries, jpeg), &at)| Directory {
                    entries: entries(at, jpeg.len() as u32),
                    below: vec![],
                });
            let main = Directory {
                entries: vec![(0xFE, 1), (0x10F, 0), (0x112, orientation), (0xC612, 1)],
                below: below.collect(),
            };
            file(&main, big_endian)
        };
        let mut at = build(&vec![0; jpegs.len()]).len() as u32;
        let mut places = vec![];
        for (_, jpeg) in jpegs {
            places.push(at);
            at += jpeg.len() as u32;
        }
        let mut file = build(&places);
        file.extend(jpegs.iter().flat_map(|(_, jpeg)| jpeg));
        file
    }

    fn pair(at: u32, n: u32) -> Vec<(u16, u32)> {
        vec![(0x201, at), (0x202, n)]
    }

    fn strip(at: u32, n: u32) -> Vec<(u16, u32)> {
        vec![(0x103, 6), (0x111, at), (0x117, n)]
    }

    fn shown(file: &[u8]) -> Result<(Size, Orientation), DecodeError> {
        let stored = decode(file, &DecodeLimits::default())?;
        Ok((stored.picture.size(), stored.turned.unwrap_or_default()))
    }

    #[test]
    fn the_largest_is_shown_as_the_raw_says() {
        for big_endian in [false, true] {
            let jpegs: [(Entries, _); 4] = [
                (pair, jpeg(160, 120)),
                (strip, jpeg(640, 400)),
                (strip, lossless(1200, 800)),
                (pair, jpeg(400, 300)),
            ];
            let file = raw(&jpegs, 6, big_endian);
            let expected = (Size::new(640, 400), Orientation::QuarterClockwise);
            assert_eq!(shown(&file), Ok(expected));
            let found = probe(&file).unwrap();
            assert_eq!(found.kind, Kind::Raw);
            assert_eq!(stated_in(Kind::Raw, &file), Some(expected.1));
            assert!(cost(&found) > 0);
        }
    }

    #[test]
    fn what_no_directory_names_is_found_by_its_look() {
        let mut file = raw(&[(pair, jpeg(160, 120))], 1, false);
        file.extend(lossless(1200, 800));
        file.extend(b"\xFF\xD8\xFF\xE0 not a picture");
        file.extend(jpeg(640, 400));
        assert_eq!(
            shown(&file),
            Ok((Size::new(640, 400), Orientation::Upright))
        );
    }

    #[test]
    fn fuji_and_canon_have_their_own_places() {
        let big = jpeg(640, 400);
        let exif = in_jpeg(&block(8, "2021:07:04 12:30:00", false));
        let with_exif = [&exif[..exif.len() - 2], &big[2..]].concat();
        let mut raf = b"FUJIFILMCCD-RAW 0201".to_vec();
        raf.resize(84, 0);
        raf.extend(100u32.to_be_bytes());
        raf.extend((with_exif.len() as u32).to_be_bytes());
        raf.resize(100, 0);
        raf.extend(&with_exif);
        let expected = (Size::new(640, 400), Orientation::QuarterAnticlockwise);
        assert_eq!(shown(&raf), Ok(expected));

        let ftyp = boxed(b"ftyp", b"crx \0\0\0\x01crx isom");
        let build = |at: u64| {
            let co64 = [&[0, 0, 0, 0, 0, 0, 0, 1], &at.to_be_bytes()[..]].concat();
            let sizes = [0, big.len() as u32, 1].map(u32::to_be_bytes).concat();
            let stbl = [boxed(b"stsz", &sizes), boxed(b"co64", &co64)].concat();
            let track = boxed(b"mdia", &boxed(b"minf", &boxed(b"stbl", &stbl)));
            [ftyp.clone(), boxed(b"moov", &boxed(b"trak", &track))].concat()
        };
        let at = build(0).len() as u64 + 8;
        let cr3 = [build(at), boxed(b"mdat", &big)].concat();
        assert_eq!(shown(&cr3), Ok((Size::new(640, 400), Orientation::Upright)));
        for end in (0..cr3.len()).step_by(17) {
            let _ = shown(&cr3[..end]);
        }
    }

    #[test]
    fn raws_without_a_picture_to_show_say_so() {
        let thumbnail = raw(&[(pair, jpeg(160, 120))], 1, false);
        assert_eq!(
            shown(&thumbnail).unwrap_err().to_string(),
            "camera raw (whose JPEG inside is only 160x120) pictures are not supported"
        );
        let none = raw(&[(strip, lossless(640, 400))], 1, false);
        assert_eq!(
            shown(&none).unwrap_err().to_string(),
            "camera raw (without a JPEG inside) pictures are not supported"
        );
    }

    #[test]
    fn lies_circles_and_cuts_end() {
        let file = raw(&[(pair, jpeg(640, 400)), (strip, jpeg(400, 300))], 1, true);
        for end in (0..file.len()).step_by(13) {
            let _ = shown(&file[..end]);
        }
        let directories = file.len() - jpeg(640, 400).len() - jpeg(400, 300).len();
        for at in 8..directories {
            for byte in [0, 8, 0xFF] {
                let mut altered = file.clone();
                altered[at] = byte;
                let _ = shown(&altered);
            }
        }
        // Thousands of beginnings.
        let many = [&file[..directories], &b"\xFF\xD8\xFF\xE0".repeat(20_000)].concat();
        let _ = shown(&many);
    }
}
