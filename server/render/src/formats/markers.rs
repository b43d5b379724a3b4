//! The marker segments of a JPEG file (ITU-T T.81, annex B): where they are and what they hold. Decodes nothing,
//! allocates nothing, and is as content with the head of a file as with the whole.

use memchr::memchr;

/// Marker codes, the byte after `FF`.
pub(crate) const DHT: u8 = 0xC4;
pub(crate) const SOI: u8 = 0xD8;
pub(crate) const EOI: u8 = 0xD9;
pub(crate) const SOS: u8 = 0xDA;
pub(crate) const APP1: u8 = 0xE1;
const APP2: u8 = 0xE2;
const APP14: u8 = 0xEE;

/// One marker and its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment<'a> {
    /// The marker code.
    pub(crate) marker: u8,
    /// Where its `FF` stands.
    pub(crate) start: usize,
    /// The bytes that follow the length, as far as they are there; empty for SOI and EOI.
    pub(crate) content: &'a [u8],
    /// Whether the bytes end before the segment does.
    pub(crate) cut: bool,
}

impl Segment<'_> {
    /// SOF0 to SOF15, the frame headers; DHT, JPG and DAC share their range but are none.
    pub(crate) fn is_frame(&self) -> bool {
        matches!(self.marker, 0xC0..=0xCF) && !matches!(self.marker, 0xC4 | 0xC8 | 0xCC)
    }

    /// Width and height in a frame header.
    pub(crate) fn frame_size(&self) -> Option<(u32, u32)> {
        let sides = self.content.get(1..5)?;
        let side = |at: usize| u32::from(u16::from_be_bytes([sides[at], sides[at + 1]]));
        self.is_frame().then(|| (side(2), side(0)))
    }
}

/// Segments from the start to EOI or the last byte. Entropy-coded data between them, stuffed bytes, restart markers
/// and fill bytes are passed over.
#[derive(Clone, Debug)]
pub(crate) struct Segments<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Segments<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }
}

impl<'a> Iterator for Segments<'a> {
    type Item = Segment<'a>;

    fn next(&mut self) -> Option<Segment<'a>> {
        loop {
            let start = self.at + memchr(0xFF, self.bytes.get(self.at..)?)?;
            let marker = *self.bytes.get(start + 1)?;
            match marker {
                // A fill byte: the marker may start with the next one.
                0xFF => self.at = start + 1,
                // A stuffed byte, TEM, or a restart inside entropy-coded data.
                0x00 | 0x01 | 0xD0..=0xD7 => self.at = start + 2,
                SOI => {
                    self.at = start + 2;
                    return Some(Segment {
                        marker,
                        start,
                        content: &[],
                        cut: false,
                    });
                }
                EOI => {
                    self.at = self.bytes.len();
                    return Some(Segment {
                        marker,
                        start,
                        content: &[],
                        cut: false,
                    });
                }
                _ => {
                    let rest = &self.bytes[start + 2..];
                    let length = match rest {
                        [high, low, ..] => usize::from(u16::from_be_bytes([*high, *low])),
                        _ => usize::MAX,
                    };
                    let cut = length > rest.len();
                    let content = rest.get(2..length.min(rest.len())).unwrap_or_default();
                    self.at = if cut {
                        self.bytes.len()
                    } else {
                        start + 2 + length.max(2)
                    };
                    return Some(Segment {
                        marker,
                        start,
                        content,
                        cut,
                    });
                }
            }
        }
    }
}

/// The segments before the first scan.
fn headers(bytes: &[u8]) -> impl Iterator<Item = Segment<'_>> {
    Segments::new(bytes).take_while(|segment| segment.marker != SOS)
}

/// The ICC profile, put together from its numbered parts (ICC.1, annex B.4); `None` where one is missing.
pub(crate) fn icc_profile(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut parts: Vec<(u8, u8, &[u8])> = headers(bytes)
        .filter(|segment| segment.marker == APP2 && !segment.cut)
        .filter_map(|segment| {
            let numbered = segment.content.strip_prefix(b"ICC_PROFILE\0")?;
            let (&[number, n_parts], part) = numbered.split_first_chunk::<2>()?;
            Some((number, n_parts, part))
        })
        .collect();
    parts.sort_by_key(|&(number, ..)| number);
    parts.dedup_by_key(|&mut (number, ..)| number);
    let whole = (1..).zip(&parts).all(|(expected, part)| part.0 == expected);
    let n_parts = usize::from(parts.first()?.1);
    (whole && parts.len() == n_parts)
        .then(|| parts.iter().flat_map(|part| part.2).copied().collect())
}

/// The colour transform of Adobe's segment: 0 for none, 1 for YCbCr, 2 for YCCK. `None` where there is no such
/// segment.
pub(crate) fn adobe_transform(bytes: &[u8]) -> Option<u8> {
    headers(bytes)
        .filter(|segment| segment.marker == APP14)
        .find_map(|segment| segment.content.strip_prefix(b"Adobe")?.get(6).copied())
}

/// The TIFF structure of the EXIF, and whether the bytes end before it does.
pub(crate) fn exif(bytes: &[u8]) -> Option<(&[u8], bool)> {
    headers(bytes)
        .filter(|segment| segment.marker == APP1)
        .find_map(|segment| Some((segment.content.strip_prefix(b"Exif\0\0")?, segment.cut)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &[u8] = &[
        0xFF, 0xD8, // SOI
        0xFF, 0xFF, 0xE1, 0, 4, 7, 8, // a fill byte, then APP1
        0xFF, 0xC0, 0, 7, 8, 0, 90, 0, 160, // SOF0
        0xFF, 0xDA, 0, 3, 1, // SOS
        1, 2, 0xFF, 0, 3, 0xFF, 0xD0,
        4, // entropy-coded data with a stuffed byte and a restart
        0xFF, 0xD9, // EOI
        0xFF, 0xE0, 0, 2, // after it
    ];

    #[test]
    fn segments_are_found_up_to_the_end_of_the_image() {
        let found: Vec<_> = Segments::new(SMALL).collect();
        let markers: Vec<_> = found.iter().map(|segment| segment.marker).collect();
        assert_eq!(markers, [SOI, APP1, 0xC0, SOS, EOI]);
        assert_eq!(found[1].content, [7, 8]);
        assert_eq!(found[2].frame_size(), Some((160, 90)));
        assert_eq!(found[4].start, SMALL.len() - 6);
    }

    #[test]
    fn a_profile_is_whole_or_none() {
        let part = |number: u8, n_parts: u8, content: &[u8]| {
            let n = u16::try_from(content.len() + 16).unwrap().to_be_bytes();
            [
                &[0xFF, APP2],
                &n[..],
                b"ICC_PROFILE\0",
                &[number, n_parts],
                content,
            ]
            .concat()
        };
        for (parts, profile) in [
            (vec![part(1, 1, b"abc")], Some(&b"abc"[..])),
            (
                vec![part(2, 2, b"def"), part(1, 2, b"abc")],
                Some(b"abcdef"),
            ),
            (vec![part(1, 2, b"abc")], None),
            (vec![part(2, 2, b"def")], None),
            (vec![part(1, 3, b"abc"), part(3, 3, b"ghi")], None),
            (vec![], None),
        ] {
            let jpeg = [vec![0xFF, 0xD8], parts.concat(), vec![0xFF, SOS, 0, 2]].concat();
            assert_eq!(icc_profile(&jpeg).as_deref(), profile);
        }
    }

    #[test]
    fn every_head_yields_what_is_in_it() {
        let all: Vec<_> = Segments::new(&SMALL[..SMALL.len() - 4]).collect();
        for end in 0..SMALL.len() - 4 {
            let head: Vec<_> = Segments::new(&SMALL[..end]).collect();
            for (found, whole) in head.iter().zip(&all) {
                assert_eq!((found.marker, found.start), (whole.marker, whole.start));
                assert!(whole.content.starts_with(found.content));
                assert!(found.cut || found == whole);
            }
        }
    }
}
