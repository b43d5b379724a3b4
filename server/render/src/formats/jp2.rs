//! JPEG 2000 by hayro-jpeg2000, in its file format and as a bare stream, and the size that its header says (ISO/IEC
//! 15444-1, annexes A and I).

use hayro_jpeg2000::{ColorSpace, DecodeSettings, DecoderContext, Image};

use crate::{
    colour::profile::{self, Space},
    fence::fenced,
    formats::{
        bmff::{Boxes, be},
        raster::flatten,
        stored::{DecodeError, DecodeLimits, Stored, enough},
    },
    picture::{CHANNELS, Picture, Size},
};

/// How the file format begins, and how a bare stream.
const FILE: &[u8] = b"\0\0\0\x0CjP  \r\n\x87\n";
const STREAM: &[u8] = b"\xFF\x4F\xFF\x51";
/// Memory that decoding takes for each pixel: the picture, what it is made of, and for each channel a float and a byte.
const BYTES_PER_PIXEL: u64 = 6;
const BYTES_PER_CHANNEL: u64 = 6;
/// Colours and alpha.
const MOST_CHANNELS: u64 = 5;

/// Whether a file begins as JPEG 2000 does.
pub(crate) fn has_mark(head: &[u8]) -> bool {
    head.starts_with(FILE) || head.starts_with(STREAM)
}

/// Width and height that the header says.
pub(crate) fn size(head: &[u8]) -> Option<Size> {
    let side = |n: u64| u32::try_from(n).ok().filter(|&n| n > 0);
    let (width, height) = if head.starts_with(STREAM) {
        let length = |at| be(head, at, 4)?.checked_sub(be(head, at + 8, 4)?);
        (length(8)?, length(12)?)
    } else {
        let header = Boxes::new(head).content(*b"jp2h")?;
        let size = Boxes::new(header).content(*b"ihdr")?;
        (be(size, 4, 4)?, be(size, 0, 4)?)
    };
    Some(Size::new(side(width)?, side(height)?))
}

/// The memory that decoding takes, in bytes.
pub(crate) fn n_bytes(size: Size, n_channels: u64) -> u64 {
    let per_pixel = BYTES_PER_PIXEL.saturating_add(n_channels.saturating_mul(BYTES_PER_CHANNEL));
    size.n_pixels().saturating_mul(per_pixel)
}

/// The bytes of the stream that are there, and of how many: its tiles tell how long they are. Of a cut one the decoder makes
/// a picture all the same, a coarse one.
fn share(bytes: &[u8]) -> Option<(u64, u64)> {
    /// Segments before the first tile, and parts of tiles.
    const MOST: usize = 65_536;
    let stream = match bytes.starts_with(STREAM) {
        true => bytes,
        false => Boxes::new(bytes).content(*b"jp2c")?,
    };
    let there = stream.len() as u64;
    let at = |at: u64, n| be(stream, usize::try_from(at).ok()?, n);
    let along = |whole: usize, start: usize, step: usize| {
        let n = be(stream, whole, 4)?.checked_sub(be(stream, start, 4)?)?;
        Some(n.div_ceil(be(stream, step, 4)?.max(1)))
    };
    let n_tiles = along(8, 32, 24)?.saturating_mul(along(12, 36, 28)?);
    let (mut place, mut n_seen) = (2, 0);
    for _ in 0..MOST {
        match at(place, 2) {
            // Start of a part of a tile; a length of none is one up to the end.
            Some(0xFF90) => {
                n_seen = n_seen.max(at(place + 4, 2)? + 1);
                match at(place + 6, 4)? {
                    0 => return Some((there, there)),
                    n => place = place.saturating_add(n),
                }
            }
            Some(0xFFD9) => return Some((there, there)),
            Some(_) if n_seen == 0 => place += 2 + at(place + 2, 2)?,
            // What follows is no tile, or is not there.
            _ => break,
        }
    }
    if n_seen == 0 {
        return Some((0, 1));
    }
    // Tiles that were not seen are taken to be as long as those that were.
    let whole = place.saturating_mul(n_tiles.max(n_seen)) / n_seen;
    Some((there.min(whole), whole))
}

/// Decodes the picture.
pub(crate) fn decode(bytes: &[u8], limits: &DecodeLimits) -> Result<Stored, DecodeError> {
    // Foreign code reads foreign bytes; it owns all it changes.
    fenced(|| read(bytes, limits)).unwrap_or_else(|panic| Err(DecodeError::Damaged(panic)))
}

fn read(bytes: &[u8], limits: &DecodeLimits) -> Result<Stored, DecodeError> {
    let stated = size(bytes).ok_or(DecodeError::Truncated { percent: Some(0) })?;
    limits.check(stated, n_bytes(stated, 1))?;
    let damaged = |error: hayro_jpeg2000::DecodeError| DecodeError::Damaged(error.to_string());
    let image = Image::new(bytes, &DecodeSettings::default()).map_err(damaged)?;
    let size = Size::new(image.width(), image.height());
    let n_channels = u64::from(image.color_space().num_channels()) + u64::from(image.has_alpha());
    if n_channels > MOST_CHANNELS {
        let what = format!("JPEG 2000 (of {n_channels} channels)");
        return Err(DecodeError::Unsupported(what));
    }
    limits.check(size, n_bytes(size, n_channels))?;
    let (there, whole) = share(bytes).ok_or(DecodeError::Truncated { percent: Some(0) })?;
    let damage = match there < whole {
        true => Some(enough(
            there,
            whole,
            DecodeError::Truncated { percent: None },
        )?),
        false => None,
    };
    let samples = {
        let mut context = DecoderContext::default();
        image.decode(&mut context).map_err(damaged)?.data_u8()
    };
    if samples.len() as u64 != size.n_pixels() * n_channels {
        return Err(DecodeError::Damaged("its channels do not fit".into()));
    }
    let (n_colours, profile) = match image.color_space() {
        ColorSpace::Gray => (1, None),
        ColorSpace::RGB => (3, None),
        ColorSpace::CMYK => (4, None),
        ColorSpace::Unknown { num_channels } => (*num_channels, None),
        ColorSpace::Icc {
            profile,
            num_channels,
        } => (*num_channels, Some(profile.clone())),
    };
    let no_picture = || DecodeError::Damaged("it has no pixels".into());
    let made = |rgb: Vec<u8>| Picture::new(size.width, size.height, rgb).ok();
    let picture = match (n_colours, image.has_alpha()) {
        (1, false) => made(samples.iter().flat_map(|&grey| [grey; CHANNELS]).collect()),
        (1, true) => {
            let (pixels, _) = samples.as_chunks::<2>();
            let rgba: Vec<u8> = pixels.iter().flat_map(|&[v, a]| [v, v, v, a]).collect();
            made(flatten(&rgba))
        }
        (3, false) => made(samples),
        (3, true) => made(flatten(&samples)),
        (4, false) => {
            let picture = profile::inks_to_srgb(&samples, size, profile.as_deref());
            return Ok(Stored {
                damage,
                ..Stored::whole(picture.ok_or_else(no_picture)?, Space::Srgb)
            });
        }
        (n, _) => {
            let what = format!("JPEG 2000 (of {n} colours)");
            return Err(DecodeError::Unsupported(what));
        }
    };
    let picture = picture.ok_or_else(no_picture)?;
    let space = Space::from_icc(profile, &picture);
    Ok(Stored {
        damage,
        ..Stored::whole(picture, space)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_cut_stream_it_is_known_how_much_is_there() {
        for file in [
            &include_bytes!("../tests/samples/lossless.jp2")[..],
            include_bytes!("../tests/samples/lossy.j2k"),
            include_bytes!("../tests/samples/alpha.jp2"),
        ] {
            let (there, whole) = share(file).unwrap();
            assert_eq!(there, whole);
            assert_eq!(size(file), Some(Size::new(61, 47)));
            let mut last = 0;
            for end in 0..file.len() - 2 {
                let _ = size(&file[..end]);
                if let Some((there, all)) = share(&file[..end]) {
                    assert!(there < all && all <= whole + 2 && there >= last, "{end}");
                    last = there;
                }
            }
            assert!(last > 0);
        }
    }
}
