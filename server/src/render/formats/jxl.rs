//! JPEG XL by jxl-oxide, and what its header says (ISO/IEC 18181-1, annexes D and E): the size and the turn stand in
//! its first few bytes, bit by bit.

use jxl_oxide::{
    AllocTracker, EnumColourEncoding, HdrType, InitializeResult, JxlImage, JxlThreadPool,
    PixelFormat, RenderingIntent,
};

use crate::render::{
    colour::{
        profile::{self, Space},
        tone::{self, Curve},
    },
    fence::fenced,
    formats::{
        bmff::Boxes,
        raster::flatten,
        stored::{DecodeError, DecodeLimits, Stored},
    },
    frame::orient::Orientation,
    picture::{CHANNELS, Picture, Size},
};

/// Memory that decoding takes: three planes of 32 bits, twice, and the picture.
pub(crate) const BYTES_PER_PIXEL: u64 = 32;

/// Decodes the first frame, turned upright.
pub(crate) fn decode(bytes: &[u8], limits: &DecodeLimits) -> Result<Stored, DecodeError> {
    let Some((size, _)) = header(bytes) else {
        return Err(DecodeError::Truncated { percent: Some(0) });
    };
    limits.check(size, size.n_pixels().saturating_mul(BYTES_PER_PIXEL))?;
    // Foreign code reads foreign bytes; it owns all it changes.
    fenced(|| render(bytes, limits)).unwrap_or_else(|panic| Err(DecodeError::Damaged(panic)))
}

fn render(bytes: &[u8], limits: &DecodeLimits) -> Result<Stored, DecodeError> {
    let memory = usize::try_from(limits.bytes).unwrap_or(usize::MAX);
    let mut image = JxlImage::builder()
        .pool(JxlThreadPool::none())
        .alloc_tracker(AllocTracker::with_limit(memory))
        .build_uninit();
    image.feed_bytes(bytes).map_err(explain)?;
    let InitializeResult::Initialized(mut image) = image.try_init().map_err(explain)? else {
        return Err(DecodeError::Truncated { percent: Some(0) });
    };
    // A profile of the file's own can't be had in sRGB here: it is applied later, like any other's.
    let has_profile = image.original_icc().is_some();
    let can_convert = !has_profile || image.image_header().metadata.xyb_encoded;
    // Nor is there anyone to bend highlights: they come as they are.
    let curve = match image.hdr_type() {
        Some(HdrType::Pq) if can_convert => Some(Curve::Pq),
        Some(HdrType::Hlg) if can_convert => Some(Curve::Hlg),
        _ => None,
    };
    if can_convert {
        let intent = RenderingIntent::Perceptual;
        image.request_color_encoding(match curve {
            None => EnumColourEncoding::srgb(intent),
            Some(Curve::Pq) => EnumColourEncoding::bt2100_pq(intent),
            Some(Curve::Hlg) => EnumColourEncoding::bt2100_hlg(intent),
        });
    }
    if image.num_loaded_keyframes() == 0 {
        return Err(DecodeError::Truncated { percent: None });
    }
    let frame = image.render_frame(0).map_err(explain)?;

    let mut stream = frame.stream();
    let size = Size::new(stream.width(), stream.height());
    // Frames may be of a size of their own.
    limits.check(size, size.n_pixels().saturating_mul(BYTES_PER_PIXEL))?;
    let n_channels = stream.channels() as usize;
    let n = usize::try_from(size.n_pixels()).unwrap_or(usize::MAX);
    let n_samples = n.saturating_mul(n_channels);
    let damaged = || DecodeError::Damaged("it has no pixels".into());
    if let Some(curve) = curve {
        let mut samples = vec![0u16; n_samples];
        stream.write_to_buffer(&mut samples);
        let picture = tone::to_srgb(&rgba(&samples, n_channels), size, 16, curve, 9);
        return Ok(Stored {
            turned: Some(Orientation::Upright),
            ..Stored::whole(picture.ok_or_else(damaged)?, Space::Srgb)
        });
    }
    let mut samples = vec![0u8; n_samples];
    stream.write_to_buffer(&mut samples);

    let profile = image.rendered_icc();
    let picture = match (image.pixel_format(), n_channels) {
        (PixelFormat::Gray, 1) => picture(size, samples.iter().flat_map(|&grey| [grey; 3])),
        (PixelFormat::Graya, 2) => {
            let (pixels, _) = samples.as_chunks::<2>();
            let rgba: Vec<u8> = pixels.iter().flat_map(|&[v, a]| [v, v, v, a]).collect();
            picture(size, flatten(&rgba))
        }
        (PixelFormat::Rgb, 3) => picture(size, samples),
        (PixelFormat::Rgba, 4) => picture(size, flatten(&samples)),
        (PixelFormat::Cmyk, 4) => {
            // Inks the other way round: 255 is none.
            let inks: Vec<u8> = samples.iter().map(|ink| 255 - ink).collect();
            profile::inks_to_srgb(&inks, size, Some(&profile))
        }
        (format, _) => return Err(DecodeError::Unsupported(format!("JPEG XL ({format:?})"))),
    };
    let picture = picture.ok_or_else(damaged)?;
    let space = Space::from_icc(Some(profile).filter(|_| has_profile), &picture);
    Ok(Stored {
        turned: Some(Orientation::Upright),
        ..Stored::whole(picture, space)
    })
}

/// Grey or colours, with alpha or without, as RGBA.
fn rgba(samples: &[u16], n_channels: usize) -> Vec<u16> {
    samples
        .chunks_exact(n_channels.max(1))
        .flat_map(|pixel| match *pixel {
            [r, g, b, ..] => [r, g, b, u16::MAX],
            [grey, ..] => [grey, grey, grey, u16::MAX],
            [] => [0; 4],
        })
        .collect()
}

fn picture(size: Size, pixels: impl IntoIterator<Item = u8>) -> Option<Picture> {
    let pixels: Vec<u8> = pixels.into_iter().collect();
    debug_assert_eq!(pixels.len() as u64, size.n_pixels() * CHANNELS as u64);
    Picture::new(size.width, size.height, pixels).ok()
}

fn explain(error: Box<dyn std::error::Error + Send + Sync + 'static>) -> DecodeError {
    DecodeError::Damaged(error.to_string())
}

/// Size as stored, and how it is to be turned; a JPEG XL always says so itself.
pub(crate) fn header(head: &[u8]) -> Option<(Size, Orientation)> {
    let stream = if head.starts_with(&[0xFF, 0x0A]) {
        head
    } else {
        Boxes::new(head).find_map(|found| match &found.name {
            b"jxlc" => Some(found.content),
            // The first of several parts; each has its number before it.
            b"jxlp" => found.content.get(4..),
            _ => None,
        })?
    };
    let mut bits = Bits {
        bytes: stream.strip_prefix(&[0xFF, 0x0A])?,
        at: 0,
    };
    let by_eight = bits.take(1)? == 1;
    let height = bits.side(by_eight)?;
    let width = match bits.take(3)? {
        0 => bits.side(by_eight)?,
        ratio => {
            let (across, down) =
                [(1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1)][ratio as usize - 1];
            u32::try_from(u64::from(height) * across / down).ok()?
        }
    };
    let everything_usual = bits.take(1)? == 1;
    let orientation = if !everything_usual && bits.take(1)? == 1 {
        Orientation::from_exif(bits.take(3)? + 1)?
    } else {
        Orientation::Upright
    };
    (width > 0 && height > 0).then_some((Size::new(width, height), orientation))
}

/// Bits from the lowest of each byte.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, n: usize) -> Option<u32> {
        let mut taken = 0;
        for i in 0..n {
            let bit = self.bytes.get(self.at / 8)? >> (self.at % 8) & 1;
            taken |= u32::from(bit) << i;
            self.at += 1;
        }
        Some(taken)
    }

    fn side(&mut self, by_eight: bool) -> Option<u32> {
        if by_eight {
            return Some((self.take(5)? + 1) * 8);
        }
        let n_bits = [9, 13, 18, 30][self.take(2)? as usize];
        Some(self.take(n_bits)? + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::formats::bmff::tests::boxed;

    /// Bits as they are written, the first ones first.
    fn stream(fields: &[(u32, usize)]) -> Vec<u8> {
        let mut bits = vec![];
        for &(value, n) in fields {
            bits.extend((0..n).map(|i| value >> i & 1));
        }
        let bytes = bits
            .chunks(8)
            .map(|bits| bits.iter().rev().fold(0, |sum, &bit| sum << 1 | bit as u8));
        [0xFF, 0x0A].into_iter().chain(bytes).collect()
    }

    #[test]
    fn headers_are_read() {
        let usual = (1, 1);
        let turned = |n: u32| [(0, 1), (1, 1), (n - 1, 3)];
        // 4032x3024, once by its ratio of 4 to 3; 40x24 in steps of eight.
        let plain = [(0, 1), (1, 2), (3023, 13), (0, 3), (1, 2), (4031, 13)];
        let ratio = [(0, 1), (1, 2), (3023, 13), (3, 3)];
        let small = [(1, 1), (2, 5), (0, 3), (4, 5)];
        for (fields, width, height, orientation) in [
            ([&plain[..], &[usual]].concat(), 4032, 3024, 1),
            ([&ratio[..], &[usual]].concat(), 4032, 3024, 1),
            ([&small[..], &turned(6)].concat(), 40, 24, 6),
            ([&ratio[..], &turned(8)].concat(), 4032, 3024, 8),
            ([&plain[..], &[(0, 1), (0, 1)]].concat(), 4032, 3024, 1),
        ] {
            let bare = stream(&fields);
            let expected = Orientation::from_exif(orientation)
                .map(|orientation| (Size::new(width, height), orientation));
            assert_eq!(header(&bare), expected, "{fields:?}");
            let signature = boxed(b"JXL ", b"\r\n\x87\n");
            let whole = [signature.clone(), boxed(b"jxlc", &bare)].concat();
            assert_eq!(header(&whole), expected);
            let part = boxed(b"jxlp", &[&[0; 4], &bare[..]].concat());
            assert_eq!(header(&[signature, part].concat()), expected);
            for end in 0..bare.len() {
                assert!(header(&bare[..end]).is_none_or(|found| Some(found) == expected));
            }
        }
    }
}
