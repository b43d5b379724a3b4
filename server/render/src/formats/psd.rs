//! Photoshop's files (PSD and PSB) by the picture of all layers that most of them carry, and where in them the parts are that tell of
//! the photo (Adobe Photoshop File Formats Specification, 2019). Reads no layer.

use std::io::{self, Read, Seek};

use super::{
    bmff::be,
    pieces::part,
    stored::{DecodeError, DecodeLimits, MISSING, Stored, enough},
};
use crate::{
    colour::profile::Space,
    picture::{CHANNELS, Picture, Size},
};

/// The length of the header.
pub(super) const HEADER_BYTES: usize = 26;
/// Memory that decoding takes for each pixel: the picture alone.
pub(crate) const BYTES_PER_PIXEL: u64 = 4;
/// Resources of a file that are looked at.
const MAX_RESOURCES: usize = 4096;

/// The resources that are read, by their numbers.
pub(super) mod resource {
    pub(in super::super) const IPTC: u16 = 1028;
    pub(in super::super) const PROFILE: u16 = 1039;
    pub(in super::super) const VERSION: u16 = 1057;
    pub(in super::super) const EXIF: u16 = 1058;
    pub(in super::super) const XMP: u16 = 1060;
}

/// Whether a file begins as Photoshop's do.
pub(crate) fn has_mark(head: &[u8]) -> bool {
    head.starts_with(b"8BPS\0\x01") || head.starts_with(b"8BPS\0\x02")
}

/// Width and height that the header says.
pub(crate) fn size(head: &[u8]) -> Option<Size> {
    let side = |at| u32::try_from(be(head, at, 4)?).ok().filter(|&n| n > 0);
    has_mark(head).then_some(())?;
    Some(Size::new(side(18)?, side(14)?))
}

/// Where a resource lies, by its number, and how long it is.
type Resource = (u16, u64, u64);

/// The resources of a file that can be read in pieces.
///
/// # Errors
/// The file can't be read.
pub(super) fn resources(file: &mut (impl Read + Seek)) -> io::Result<Vec<Resource>> {
    let length = |file: &mut _, at: u64| {
        let bytes = part(file, at, 4)?;
        Ok::<_, io::Error>(be(&bytes, 0, 4))
    };
    let mut found = Vec::new();
    let Some(n_mode) = length(file, HEADER_BYTES as u64)? else {
        return Ok(found);
    };
    let mut at = HEADER_BYTES as u64 + 4 + n_mode;
    let Some(n_bytes) = length(file, at)? else {
        return Ok(found);
    };
    at += 4;
    let end = at + n_bytes;
    while at < end && found.len() < MAX_RESOURCES {
        // The mark, the number, and a name with its length, all padded to be even.
        let head = part(file, at, 7)?;
        let (Some(b"8BIM"), Some(number), Some(n_name)) =
            (head.get(..4), be(&head, 4, 2), be(&head, 6, 1))
        else {
            break;
        };
        at += 6 + (n_name + 2) / 2 * 2;
        let Some(n) = length(file, at)? else { break };
        found.push((u16::try_from(number).unwrap_or(0), at + 4, n));
        at += 4 + n + n % 2;
    }
    Ok(found)
}

/// The header, as far as it matters.
struct Header {
    size: Size,
    n_channels: u64,
    /// Bytes of each sample.
    depth: usize,
    colours: Colours,
    /// Whether it is a PSB, whose lengths are longer.
    is_large: bool,
}

/// The meaning of the channels.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Colours {
    Grey,
    Indexed,
    Rgb,
}

impl Header {
    fn read(bytes: &[u8]) -> Result<Self, DecodeError> {
        let cut = || DecodeError::Truncated { percent: Some(0) };
        let unsupported =
            |what: String| DecodeError::Unsupported(format!("Photoshop file ({what})"));
        let number = |at| be(bytes, at, 2).ok_or_else(cut);
        let depth = match number(22)? {
            8 => 1,
            16 => 2,
            bits => return Err(unsupported(format!("of {bits} bits"))),
        };
        let colours = match number(24)? {
            // A duotone is shown as the grey that it is made of.
            1 | 8 => Colours::Grey,
            2 if depth == 1 => Colours::Indexed,
            3 => Colours::Rgb,
            4 => return Err(unsupported("in CMYK".into())),
            9 => return Err(unsupported("in L*a*b*".into())),
            mode => return Err(unsupported(format!("in colour mode {mode}"))),
        };
        let n_channels = number(12)?;
        if n_channels < if colours == Colours::Rgb { 3 } else { 1 } {
            return Err(DecodeError::Damaged("it has too few channels".into()));
        }
        Ok(Self {
            size: size(bytes).ok_or_else(cut)?,
            n_channels,
            depth,
            colours,
            is_large: number(4)? == 2,
        })
    }
}

/// Decodes the picture of all layers.
pub(crate) fn decode(bytes: &[u8], limits: &DecodeLimits) -> Result<Stored, DecodeError> {
    let header = Header::read(bytes)?;
    let size = header.size;
    limits.check(size, size.n_pixels().saturating_mul(BYTES_PER_PIXEL))?;
    let cut = || DecodeError::Truncated { percent: Some(0) };
    let behind = |at: usize, n: usize| {
        let length = usize::try_from(be(bytes, at, n)?).ok()?;
        at.checked_add(n)?.checked_add(length)
    };
    let mode = HEADER_BYTES;
    let resources_at = behind(mode, 4).ok_or_else(cut)?;
    let layers = behind(resources_at, 4).ok_or_else(cut)?;
    let picture_at = behind(layers, if header.is_large { 8 } else { 4 }).ok_or_else(cut)?;
    // Reading from memory fails nowhere.
    let found = resources(&mut io::Cursor::new(bytes)).unwrap_or_default();
    let content = |wanted: u16| {
        let (_, at, n) = found.iter().find(|(number, ..)| *number == wanted)?;
        let at = usize::try_from(*at).ok()?;
        bytes.get(at..at.checked_add(usize::try_from(*n).ok()?)?)
    };
    // Whether it has a picture of all layers stands behind the resource's version.
    if content(resource::VERSION).and_then(|content| content.get(4)) == Some(&0) {
        let why = "Photoshop file (saved without a picture of all its layers)";
        return Err(DecodeError::Unsupported(why.into()));
    }
    let palette = bytes.get(mode + 4..resources_at).unwrap_or_default();
    let mut rows = Rows::new(&header, bytes.get(picture_at..).unwrap_or_default())?;
    let (picture, n_there) = assembled(&header, palette, &mut rows)?;
    let n_rows = u64::from(size.height) * planes(header.colours);
    let damage = match n_there < n_rows {
        true => Some(enough(
            n_there,
            n_rows,
            DecodeError::Truncated { percent: None },
        )?),
        false => None,
    };
    let space = Space::from_icc(content(resource::PROFILE).map(<[u8]>::to_vec), &picture);
    Ok(Stored {
        damage,
        ..Stored::whole(picture, space)
    })
}

fn planes(colours: Colours) -> u64 {
    match colours {
        Colours::Rgb => 3,
        Colours::Grey | Colours::Indexed => 1,
    }
}

/// The picture out of its planes, and how many of their rows are there.
fn assembled(
    header: &Header,
    palette: &[u8],
    rows: &mut Rows<'_>,
) -> Result<(Picture, u64), DecodeError> {
    let Size { width, height } = header.size;
    let width = width as usize;
    let mut pixels = vec![MISSING; width * height as usize * CHANNELS];
    let mut samples = Vec::with_capacity(width * header.depth);
    let mut n_there = 0;
    'planes: for plane in 0..planes(header.colours) as usize {
        for line in pixels.chunks_exact_mut(width * CHANNELS) {
            if !rows.next_into(&mut samples, width * header.depth) {
                break 'planes;
            }
            n_there += 1;
            // Of two bytes the first one is the larger.
            let samples = samples.iter().step_by(header.depth);
            let (line, _) = line.as_chunks_mut::<CHANNELS>();
            for (pixel, &sample) in line.iter_mut().zip(samples) {
                match header.colours {
                    Colours::Rgb => pixel[plane] = sample,
                    Colours::Grey => *pixel = [sample; CHANNELS],
                    // All reds, then all greens, then all blues.
                    Colours::Indexed => {
                        let colour = |channel: usize| {
                            let at = channel * 256 + usize::from(sample);
                            palette.get(at).copied().unwrap_or(MISSING)
                        };
                        *pixel = [colour(0), colour(1), colour(2)];
                    }
                }
            }
        }
    }
    let picture = Picture::new(header.size.width, header.size.height, pixels)
        .map_err(|error| DecodeError::Damaged(error.to_string()))?;
    Ok((picture, n_there))
}

/// The rows of one plane after the other.
struct Rows<'a> {
    rest: &'a [u8],
    /// The lengths of packed rows, a number of so many bytes for each; none where they are not packed.
    lengths: Option<(&'a [u8], usize)>,
}

impl<'a> Rows<'a> {
    fn new(header: &Header, picture: &'a [u8]) -> Result<Self, DecodeError> {
        let cut = || DecodeError::Truncated { percent: Some(0) };
        let rest = picture.get(2..).ok_or_else(cut)?;
        match be(picture, 0, 2).ok_or_else(cut)? {
            0 => Ok(Self {
                rest,
                lengths: None,
            }),
            1 => {
                let n_bytes = if header.is_large { 4 } else { 2 };
                let n_rows = u64::from(header.size.height) * header.n_channels;
                let n = usize::try_from(n_rows * n_bytes as u64).map_err(|_| cut())?;
                let (lengths, rest) = rest.split_at_checked(n).ok_or_else(cut)?;
                Ok(Self {
                    rest,
                    lengths: Some((lengths, n_bytes)),
                })
            }
            packing => {
                let why = format!("Photoshop file (packed in way {packing})");
                Err(DecodeError::Unsupported(why))
            }
        }
    }

    /// Puts the next row into `samples`, `n` bytes; false where it is not there.
    fn next_into(&mut self, samples: &mut Vec<u8>, n: usize) -> bool {
        samples.clear();
        let Some((lengths, n_bytes)) = &mut self.lengths else {
            let Some((row, rest)) = self.rest.split_at_checked(n) else {
                return false;
            };
            samples.extend_from_slice(row);
            self.rest = rest;
            return true;
        };
        let length = be(lengths, 0, *n_bytes).and_then(|length| usize::try_from(length).ok());
        let split = length.and_then(|length| self.rest.split_at_checked(length));
        let Some((packed, rest)) = split else {
            return false;
        };
        *lengths = lengths.get(*n_bytes..).unwrap_or_default();
        self.rest = rest;
        unpack(packed, samples, n);
        // What a row lacks is grey; the next one begins at its own place all the same.
        samples.resize(n, MISSING);
        true
    }
}

/// Unpacks at most `n` bytes (PackBits).
fn unpack(mut packed: &[u8], samples: &mut Vec<u8>, n: usize) {
    while let [head, rest @ ..] = packed
        && samples.len() < n
    {
        let left = n - samples.len();
        packed = match (head.cast_signed(), rest) {
            (-128, rest) => rest,
            (count @ 0.., rest) => {
                let count = (usize::from(count.unsigned_abs()) + 1).min(rest.len());
                samples.extend_from_slice(&rest[..count.min(left)]);
                &rest[count..]
            }
            (count, [byte, rest @ ..]) => {
                let count = usize::from(count.unsigned_abs()) + 1;
                samples.resize(samples.len() + count.min(left), *byte);
                rest
            }
            (_, []) => return,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kind, Parts, decode as decode_any, probe};

    const WIDTH: usize = 12;
    const HEIGHT: usize = 9;

    /// The value of a plane at a place.
    fn value(plane: usize, x: usize, y: usize) -> u8 {
        ((plane * 70 + x * 9 + y * 11) % 251) as u8
    }

    struct File {
        mode: u16,
        n_channels: usize,
        depth: usize,
        is_large: bool,
        is_packed: bool,
        resources: Vec<(u16, Vec<u8>)>,
    }

    impl File {
        fn rgb() -> Self {
            Self {
                mode: 3,
                n_channels: 3,
                depth: 1,
                is_large: false,
                is_packed: true,
                resources: Vec::new(),
            }
        }

        fn bytes(&self) -> Vec<u8> {
            let number = |n: usize, is_long: bool| -> Vec<u8> {
                if is_long {
                    (n as u64).to_be_bytes().to_vec()
                } else {
                    (n as u32).to_be_bytes().to_vec()
                }
            };
            let mut file = b"8BPS\0".to_vec();
            file.push(1 + u8::from(self.is_large));
            file.extend([0; 6]);
            file.extend((self.n_channels as u16).to_be_bytes());
            file.extend(number(HEIGHT, false));
            file.extend(number(WIDTH, false));
            file.extend((self.depth as u16 * 8).to_be_bytes());
            file.extend(self.mode.to_be_bytes());
            let palette: Vec<u8> = (0..768_u32)
                .map(|i| (i / 256 * 60 + i % 256 / 2) as u8)
                .collect();
            let mode = if self.mode == 2 { palette } else { Vec::new() };
            file.extend(number(mode.len(), false));
            file.extend(mode);
            let mut resources = Vec::new();
            for (id, content) in &self.resources {
                resources.extend(b"8BIM");
                resources.extend(id.to_be_bytes());
                // A name of odd and one of even length.
                resources.extend(if id % 2 == 0 {
                    &b"\x03abc"[..]
                } else {
                    &b"\x02ab\0"[..]
                });
                resources.extend(number(content.len(), false));
                resources.extend(content);
                resources.extend(vec![0; content.len() % 2]);
            }
            file.extend(number(resources.len(), false));
            file.extend(resources);
            // A layer that nobody reads.
            file.extend(number(5, self.is_large));
            file.extend(b"layer");
            file.extend(u16::from(self.is_packed).to_be_bytes());
            let (mut lengths, mut rows) = (Vec::new(), Vec::new());
            for plane in 0..self.n_channels {
                for y in 0..HEIGHT {
                    let row: Vec<u8> = (0..WIDTH)
                        .flat_map(|x| [value(plane, x, y), 7, 0, 0][..self.depth].to_vec())
                        .collect();
                    let row = if self.is_packed { packed(&row, y) } else { row };
                    let n = row.len() as u32;
                    lengths
                        .extend_from_slice(&n.to_be_bytes()[if self.is_large { 0 } else { 2 }..]);
                    rows.extend(row);
                }
            }
            if self.is_packed {
                file.extend(lengths);
            }
            file.extend(rows);
            file
        }
    }

    /// PackBits in several ways: as it is, in runs of one, and with what means nothing.
    fn packed(row: &[u8], y: usize) -> Vec<u8> {
        match y % 3 {
            0 => [&[row.len() as u8 - 1], row].concat(),
            1 => row.iter().flat_map(|byte| [0, *byte]).collect(),
            _ => row
                .chunks(5)
                .flat_map(|part| [&[0x80, part.len() as u8 - 1], part].concat())
                .collect(),
        }
    }

    fn shown(file: &[u8]) -> Result<Picture, DecodeError> {
        decode_any(file, &DecodeLimits::default())
    }

    #[test]
    fn the_picture_of_all_layers_is_shown_in_every_form() {
        for (mode, n_channels, depth) in [
            (3, 3, 1),
            (3, 4, 1),
            (3, 3, 2),
            (1, 1, 1),
            (1, 2, 2),
            (8, 1, 1),
            (2, 1, 1),
        ] {
            for (is_large, is_packed) in
                [(false, false), (false, true), (true, false), (true, true)]
            {
                let file = File {
                    mode,
                    n_channels,
                    depth,
                    is_large,
                    is_packed,
                    ..File::rgb()
                };
                let bytes = file.bytes();
                let size = Some(Size::new(WIDTH as u32, HEIGHT as u32));
                assert_eq!(
                    probe(&bytes).map(|probe| (probe.kind, probe.size)),
                    Some((Kind::Photoshop, size))
                );
                let picture = shown(&bytes).unwrap();
                let (pixels, _) = picture.pixels().as_chunks::<3>();
                for (i, pixel) in pixels.iter().enumerate() {
                    let at = |plane| value(plane, i % WIDTH, i / WIDTH);
                    let palette = |channel: usize| (channel * 60 + usize::from(at(0)) / 2) as u8;
                    let right = match mode {
                        3 => [at(0), at(1), at(2)],
                        2 => [palette(0), palette(1), palette(2)],
                        _ => [at(0); 3],
                    };
                    assert_eq!(*pixel, right, "{mode} {n_channels} {depth} {i}");
                }
            }
        }
    }

    #[test]
    fn every_truncation_is_shown_as_far_as_it_goes_or_refused() {
        for is_packed in [false, true] {
            let profile = (resource::PROFILE, vec![1; 200]);
            let file = File {
                is_packed,
                resources: vec![profile],
                ..File::rgb()
            }
            .bytes();
            let mut n_shown = 0;
            for end in 0..file.len() {
                if let Ok(picture) = shown(&file[..end]) {
                    assert_eq!(picture.size(), Size::new(WIDTH as u32, HEIGHT as u32));
                    n_shown += 1;
                }
            }
            assert!(n_shown > 50 && n_shown < file.len(), "{n_shown}");
        }
    }

    #[test]
    fn what_is_not_shown_is_told_in_words() {
        let refused = |file: &File| shown(&file.bytes()).unwrap_err().to_string();
        let without = (resource::VERSION, vec![0, 0, 0, 1, 0]);
        for (file, words) in [
            (
                File {
                    resources: vec![without],
                    ..File::rgb()
                },
                "without a picture of all its layers",
            ),
            (
                File {
                    mode: 4,
                    n_channels: 4,
                    ..File::rgb()
                },
                "in CMYK",
            ),
            (
                File {
                    mode: 9,
                    ..File::rgb()
                },
                "L*a*b*",
            ),
            (
                File {
                    mode: 7,
                    ..File::rgb()
                },
                "colour mode 7",
            ),
            (
                File {
                    depth: 4,
                    ..File::rgb()
                },
                "of 32 bits",
            ),
            (
                File {
                    n_channels: 2,
                    ..File::rgb()
                },
                "too few channels",
            ),
        ] {
            let sentence = refused(&file);
            assert!(sentence.contains(words), "{sentence}");
        }
        let with = (resource::VERSION, vec![0, 0, 0, 1, 1]);
        shown(
            &File {
                resources: vec![with],
                ..File::rgb()
            }
            .bytes(),
        )
        .unwrap();
        // A size that no memory holds.
        let mut huge = File::rgb().bytes();
        huge[14..22].copy_from_slice(&[0, 4, 0, 0, 0, 4, 0, 0]);
        assert!(matches!(shown(&huge), Err(DecodeError::TooLarge { .. })));
    }

    #[test]
    fn parts_that_tell_of_it_are_found_among_others() {
        let xmp = b"<x:xmpmeta>words</x:xmpmeta>".to_vec();
        let exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec();
        let resources = vec![
            (1005, vec![9; 16]),
            (resource::XMP, xmp.clone()),
            (1033, vec![1; 3]),
            (resource::EXIF, exif),
            (resource::IPTC, vec![0x1c, 2, 0]),
        ];
        let file = File {
            resources,
            ..File::rgb()
        }
        .bytes();
        for end in 0..=file.len() {
            let mut cursor = io::Cursor::new(&file[..end]);
            let parts = Parts::of(Kind::Photoshop, &mut cursor).unwrap();
            if end == file.len() {
                assert_eq!(parts.xmp(&mut cursor).unwrap(), [xmp.as_slice()]);
                assert_eq!(parts.size, Some(Size::new(WIDTH as u32, HEIGHT as u32)));
                assert_eq!(parts.exif.len(), 1);
                assert_eq!(parts.iptc(&mut cursor).unwrap().len(), 1);
            }
        }
    }
}
