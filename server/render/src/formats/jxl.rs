//! JPEG XL by jxl-oxide, and what its header says (ISO/IEC 18181-1, annexes D and E): the size and the turn stand in
//! its first few bytes, bit by bit.

use jxl_oxide::{
    AllocTracker, CropInfo, EnumColourEncoding, FrameBufferSample, HdrType, InitializeResult,
    JxlImage, JxlThreadPool, PixelFormat, RenderingIntent,
};

use crate::{
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

/// Memory for each pixel that is decoded at once: three planes of 32 bits, some of them twice.
const BYTES_AT_ONCE: u64 = 20;
/// Memory for each pixel of the picture: its samples, and what becomes of them.
const BYTES_PER_PIXEL: u64 = 12;
/// Rows that are decoded at once, four groups of a frame; and the pixels from which on a picture is decoded so.
const ROWS_AT_ONCE: u32 = 1024;
const MANY_PIXELS: u64 = 1 << 23;

/// The memory that decoding takes, in bytes, where the format allows to do it in parts.
pub(crate) fn n_bytes(size: Size) -> u64 {
    let n_pixels = size.n_pixels();
    let at_once = match n_pixels {
        MANY_PIXELS.. => u64::from(size.width.max(size.height)) * u64::from(ROWS_AT_ONCE),
        _ => n_pixels,
    };
    let n = n_pixels.saturating_mul(BYTES_PER_PIXEL);
    n.saturating_add(at_once.min(n_pixels).saturating_mul(BYTES_AT_ONCE))
}

/// Decodes the first frame, turned upright.
pub(crate) fn decode(bytes: &[u8], limits: &DecodeLimits) -> Result<Stored, DecodeError> {
    let Some((size, _)) = header(bytes) else {
        return Err(DecodeError::Truncated { percent: Some(0) });
    };
    limits.check(size, n_bytes(size))?;
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
    let size = Size::new(image.width(), image.height());
    // What is not of XYB is lossless, and may have to be decoded whole.
    let n_rows = match image.image_header().metadata.xyb_encoded {
        true if size.n_pixels() >= MANY_PIXELS => ROWS_AT_ONCE,
        _ => size.height,
    };
    let at_once = n_rows.min(size.height);
    let at_once = u64::from(at_once) * u64::from(size.width) * BYTES_AT_ONCE;
    limits.check(
        size,
        at_once.saturating_add(size.n_pixels() * BYTES_PER_PIXEL),
    )?;
    let damaged = || DecodeError::Damaged("it has no pixels".into());
    if let Some(curve) = curve {
        let samples = samples(&mut image, n_rows, rgba, limits)?.0;
        let picture = tone::to_srgb(&samples, size, 16, curve, 9);
        return Ok(Stored {
            turned: Some(Orientation::Upright),
            ..Stored::whole(picture.ok_or_else(damaged)?, Space::Srgb)
        });
    }
    let (samples, n_channels) = samples(&mut image, n_rows, |row: &[u8], _| row.to_vec(), limits)?;

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

/// The samples of the first frame, some rows at once, each strip of them as `kept` makes it; and how many a pixel has.
fn samples<S: FrameBufferSample + Default + Clone>(
    image: &mut JxlImage,
    n_rows: u32,
    kept: impl Fn(&[S], usize) -> Vec<S>,
    limits: &DecodeLimits,
) -> Result<(Vec<S>, usize), DecodeError> {
    let (width, height) = (image.width(), image.height());
    let hungry = |error: Box<dyn std::error::Error + Send + Sync>| match error.to_string() {
        text if text.contains("allocate") => DecodeError::TooHungry {
            width,
            height,
            needed: (limits.bytes >> 20) + 1,
            limit: limits.bytes >> 20,
        },
        text => DecodeError::Damaged(text),
    };
    let mut all = vec![];
    let mut n_channels = 0;
    for top in (0..height).step_by(n_rows.max(1) as usize) {
        let rows = n_rows.min(height - top);
        image.set_image_region(CropInfo {
            left: 0,
            top,
            width,
            height: rows,
        });
        let frame = image.render_frame(0).map_err(hungry)?;
        let mut stream = frame.stream();
        if (stream.width(), stream.height()) != (width, rows) {
            return Err(DecodeError::Damaged("its frame is of another size".into()));
        }
        n_channels = stream.channels() as usize;
        let mut strip = vec![S::default(); width as usize * rows as usize * n_channels];
        stream.write_to_buffer(&mut strip);
        let strip = kept(&strip, n_channels);
        // Grown by its strips it would be copied, and be there twice for a moment.
        if all.is_empty() {
            all.reserve_exact(strip.len() / rows as usize * height as usize);
        }
        all.extend(strip);
    }
    Ok((all, n_channels))
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
    use crate::formats::bmff::tests::boxed;

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

    #[test]
    fn strips_make_the_same_picture() {
        for file in [
            &include_bytes!("../tests/samples/alpha.jxl")[..],
            include_bytes!("../tests/samples/lossless.jxl"),
            include_bytes!("../tests/samples/lossy.jxl"),
        ] {
            let of = |n_rows| {
                let mut image = JxlImage::builder().build_uninit();
                image.feed_bytes(file).unwrap();
                let InitializeResult::Initialized(mut image) = image.try_init().unwrap() else {
                    panic!("no header");
                };
                let kept = |strip: &[u8], _| strip.to_vec();
                samples(&mut image, n_rows, kept, &DecodeLimits::default()).unwrap()
            };
            let whole = of(u32::MAX);
            for n_rows in [1, 7, 16, 47] {
                assert_eq!(of(n_rows), whole, "{n_rows}");
            }
        }
    }

    #[test]
    fn large_pictures_take_less_for_each_pixel() {
        let photo = Size::new(8064, 6048);
        assert!(n_bytes(photo) < 800 << 20);
        assert!(n_bytes(Size::new(photo.height, photo.width)) == n_bytes(photo));
        assert_eq!(n_bytes(Size::new(1000, 1000)), 32_000_000);
        assert!(n_bytes(Size::new(u32::MAX, u32::MAX)) > 1 << 60);
    }
}
