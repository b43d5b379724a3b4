//! Sigma's X3F: sections, and a directory of them at the end of the file. Pure; where the pictures for showing are JPEGs, those
//! are what is shown.
//!
//! After Foveon's description of the format ("X3F file format", version 2.3).

use chrono::DateTime;

use super::tags::Directory;

/// The pictures that an X3F carries for showing, and its properties, by its directory and the head of each of its sections.
pub(crate) struct Sigma;

impl Sigma {
    const MARK: &[u8] = b"FOVb";
    /// The directory's head and each of its entries; the longest that is read.
    const ENTRY_BYTES: usize = 12;
    pub(crate) const MAX_DIRECTORY_BYTES: usize = Self::ENTRY_BYTES * 65;
    /// The head of a section with a picture.
    pub(crate) const HEAD_BYTES: usize = 28;
    /// The longest list of properties that is read; cameras write some 6 KB.
    pub(crate) const MAX_PROPERTIES_BYTES: usize = 64 << 10;

    pub(crate) fn has_mark(head: &[u8]) -> bool {
        head.starts_with(Self::MARK)
    }

    /// Where the sections begin that hold pictures, from the bytes of the directory.
    pub(crate) fn pictures(directory: &[u8]) -> Vec<u64> {
        Self::sections(directory, &[b"IMA2", b"IMAG"])
    }

    /// Where the sections begin that hold properties.
    pub(crate) fn properties(directory: &[u8]) -> Vec<u64> {
        Self::sections(directory, &[b"PROP"])
    }

    fn sections(directory: &[u8], kinds: &[&[u8]]) -> Vec<u64> {
        let Some(entries) = directory.strip_prefix(b"SECd") else {
            return Vec::new();
        };
        let entries = entries.get(Self::ENTRY_BYTES - 4..).unwrap_or_default();
        let (entries, _) = entries.as_chunks::<{ Self::ENTRY_BYTES }>();
        let wanted = entries.iter().filter(|entry| kinds.contains(&&entry[8..]));
        wanted
            .map(|&[a, b, c, d, ..]| u64::from(u32::from_le_bytes([a, b, c, d])))
            .collect()
    }

    /// Whether a section's picture is a JPEG, which begins behind this head.
    pub(crate) fn is_jpeg(head: &[u8]) -> bool {
        head.starts_with(b"SECi") && head.get(12..16) == Some(&[18, 0, 0, 0])
    }

    /// Directories of EXIF with the camera and the date that a section's properties tell: there are no others where cameras
    /// wrote no JPEG with some.
    pub(crate) fn exif(section: &[u8]) -> Vec<(Directory, Vec<u8>)> {
        let text = |name| property(section, name).filter(|text| text.is_ascii());
        let of = |directory, texts: &[(u16, Option<String>)]| {
            let known = texts.iter().any(|(_, text)| text.is_some());
            known.then(|| (directory, tiff(texts)))
        };
        // Seconds of the camera's own clock, which knows no zone.
        let taken = text("TIME")
            .and_then(|time| DateTime::from_timestamp(time.parse().ok()?, 0))
            .map(|time| time.format("%Y:%m:%d %H:%M:%S").to_string());
        let camera = [(0x10F, text("CAMMANUF")), (0x110, text("CAMMODEL"))];
        let directories = [
            of(Directory::Main, &camera),
            of(Directory::Exif, &[(0x9003, taken)]),
        ];
        directories.into_iter().flatten().collect()
    }
}

/// A TIFF structure of one directory of texts.
fn tiff(texts: &[(u16, Option<String>)]) -> Vec<u8> {
    let known: Vec<_> = texts
        .iter()
        .filter_map(|(tag, text)| Some((*tag, text.as_ref()?)))
        .collect();
    let mut file = b"II*\0\x08\0\0\0".to_vec();
    file.extend((known.len() as u16).to_le_bytes());
    let mut at = file.len() + known.len() * 12 + 4;
    for (tag, text) in &known {
        // Of short ones the value itself stands in the place of the number that says where it is: so none is short.
        let n = text.len().max(4) + 1;
        file.extend(tag.to_le_bytes());
        file.extend(2_u16.to_le_bytes());
        file.extend((n as u32).to_le_bytes());
        file.extend((at as u32).to_le_bytes());
        at += n;
    }
    file.extend([0; 4]);
    for (_, text) in &known {
        file.extend(text.as_bytes());
        file.resize(file.len() + 1 + 4_usize.saturating_sub(text.len()), 0);
    }
    file
}

/// The property of this name: pairs of numbers say where names and values begin, in characters of UTF-16 that end with a
/// zero.
fn property(section: &[u8], name: &str) -> Option<String> {
    section.starts_with(b"SECp").then_some(())?;
    let long = |at: usize| {
        let bytes = section.get(at..at + 4)?.try_into().ok()?;
        usize::try_from(u32::from_le_bytes(bytes)).ok()
    };
    let n = long(8)?.min(1024);
    let characters = section.get(24_usize.checked_add(n * 8)?..)?;
    let text = |from: usize| {
        let (pairs, _) = characters.get(from.checked_mul(2)?..)?.as_chunks::<2>();
        let units = pairs.iter().map(|pair| u16::from_le_bytes(*pair));
        let text: Vec<u16> = units.take_while(|unit| *unit != 0).take(256).collect();
        String::from_utf16(&text).ok()
    };
    let mut at = (0..n).map(|i| 24 + i * 8);
    let of_name = at.find(|at| long(*at).and_then(text).as_deref() == Some(name))?;
    text(long(of_name + 4)?)
}
