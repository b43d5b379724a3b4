//! WebP, GIF and BMP by the `image` crate, within limits and inside a fence, as RGB: of what moves the first picture
//! that has something in it. Nothing of JPEG, and nothing of EXIF.

use std::io::{Cursor, ErrorKind};

use image::{
    AnimationDecoder, DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader,
    codecs::{gif::GifDecoder, webp::WebPDecoder},
};

use crate::{
    colour::profile::Space,
    fence::fenced,
    formats::{
        kind::Kind,
        stored::{DecodeError, DecodeLimits, Stored},
    },
    picture::{CHANNELS, Picture, Size},
};

/// Decodes the first picture of a file.
pub(crate) fn decode(
    kind: Kind,
    bytes: &[u8],
    limits: &DecodeLimits,
) -> Result<Stored, DecodeError> {
    let format = match kind {
        Kind::WebP => ImageFormat::WebP,
        Kind::Gif => ImageFormat::Gif,
        Kind::Bmp => ImageFormat::Bmp,
        Kind::Jpeg
        | Kind::Png
        | Kind::Tiff
        | Kind::Heic
        | Kind::Avif
        | Kind::JpegXl
        | Kind::Jpeg2000
        | Kind::Photoshop
        | Kind::Raw
        | Kind::Mp4
        | Kind::Matroska => {
            return Err(DecodeError::Unsupported(kind.name().into()));
        }
    };
    // These decoders may panic on malicious input; they own all they change.
    let (image, profile) = fenced(|| read(format, bytes, limits))
        .unwrap_or_else(|panic| Err(DecodeError::Damaged(panic)))?;
    let (width, height) = (image.width(), image.height());
    let pixels = if image.color().has_alpha() {
        flatten(&image.into_rgba8().into_raw())
    } else {
        image.into_rgb8().into_raw()
    };
    let picture = Picture::new(width, height, pixels)
        .map_err(|error| DecodeError::Damaged(error.to_string()))?;
    let picture = later(format, bytes, limits, &picture).unwrap_or(picture);
    let space = Space::from_icc(profile, &picture);
    Ok(Stored::whole(picture, space))
}

/// The first picture with something in it, where that is not the one a file begins with: some fade in from nothing.
fn later(
    format: ImageFormat,
    bytes: &[u8],
    limits: &DecodeLimits,
    first: &Picture,
) -> Option<Picture> {
    /// The pictures that are looked at.
    const MOST: usize = 200;
    let is_empty = |picture: &Picture| {
        let (pixels, _) = picture.pixels().as_chunks::<CHANNELS>();
        pixels.iter().all(|pixel| *pixel == pixels[0])
    };
    // Two canvases, and a picture of each kind.
    let n_bytes = first.size().n_pixels().saturating_mul(4 * 3 + 2 * 3);
    if !is_empty(first) || limits.check(first.size(), n_bytes).is_err() {
        return None;
    }
    let search = || {
        let frames = match format {
            ImageFormat::Gif => GifDecoder::new(Cursor::new(bytes)).ok()?.into_frames(),
            ImageFormat::WebP => WebPDecoder::new(Cursor::new(bytes)).ok()?.into_frames(),
            _ => return None,
        };
        frames
            .take(MOST)
            .skip(1)
            .map_while(Result::ok)
            .find_map(|frame| {
                let image = frame.into_buffer();
                let (width, height) = image.dimensions();
                let picture = Picture::new(width, height, flatten(image.as_raw())).ok()?;
                (picture.size() == first.size() && !is_empty(&picture)).then_some(picture)
            })
    };
    fenced(search).ok()?
}

fn read(
    format: ImageFormat,
    bytes: &[u8],
    limits: &DecodeLimits,
) -> Result<(DynamicImage, Option<Vec<u8>>), DecodeError> {
    let mut allowed = image::Limits::default();
    allowed.max_image_width = Some(limits.side);
    allowed.max_image_height = Some(limits.side);
    allowed.max_alloc = Some(limits.bytes);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    // Sides are checked below, where the error can name the limit that was meant; this is for what stands before the
    // pixels, such as a compressed profile.
    let mut head = image::Limits::no_limits();
    head.max_alloc = Some(limits.bytes.min(64 << 20));
    reader.limits(head);
    let mut decoder = reader.into_decoder().map_err(explain)?;
    let (width, height) = decoder.dimensions();
    let size = Size::new(width, height);
    // As it comes, and as RGB.
    let n_bytes = decoder
        .total_bytes()
        .saturating_add(size.n_pixels() * CHANNELS as u64);
    limits.check(size, n_bytes)?;
    decoder.set_limits(allowed).map_err(explain)?;
    // A profile that can't be read is none.
    let profile = decoder.icc_profile().unwrap_or_default();
    let image = DynamicImage::from_decoder(decoder).map_err(explain)?;
    Ok((image, profile))
}

fn explain(error: ImageError) -> DecodeError {
    match error {
        ImageError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => {
            DecodeError::Truncated { percent: None }
        }
        ImageError::Unsupported(error) => DecodeError::Unsupported(error.to_string()),
        ImageError::Limits(error) => {
            DecodeError::Damaged(format!("it asks for too much memory ({error})"))
        }
        error => DecodeError::Damaged(error.to_string()),
    }
}

/// RGBA over black, or over white where what can be seen of the picture is dark: writing and line drawings often come
/// as black ink on nothing.
///
/// Done before the picture is resized, this weighs every colour by its alpha: what lies hidden in transparent pixels
/// leaves no fringes.
pub(crate) fn flatten(rgba: &[u8]) -> Vec<u8> {
    let (rgba, _) = rgba.as_chunks::<4>();
    let pixels = || rgba.iter().map(|&[r, g, b, alpha]| ([r, g, b], alpha));
    let backdrop = backdrop(pixels());
    let mut rgb = Vec::with_capacity(rgba.len() * CHANNELS);
    for (colour, alpha) in pixels() {
        rgb.extend(over(backdrop, colour, alpha));
    }
    rgb
}

/// The grey behind what is transparent, for such colours and alphas.
pub(super) fn backdrop(pixels: impl Iterator<Item = ([u8; CHANNELS], u8)>) -> u8 {
    const DARK: u64 = 64;
    let (mut light, mut seen) = (0u64, 0u64);
    for ([r, g, b], alpha) in pixels {
        light += (u64::from(r) * 3 + u64::from(g) * 6 + u64::from(b)) * u64::from(alpha);
        seen += u64::from(alpha);
    }
    if light < seen * 10 * DARK { 255 } else { 0 }
}

/// A colour over a backdrop.
pub(super) fn over(backdrop: u8, colour: [u8; CHANNELS], alpha: u8) -> [u8; CHANNELS] {
    let (backdrop, alpha) = (u16::from(backdrop), u16::from(alpha));
    colour
        .map(|channel| ((u16::from(channel) * alpha + backdrop * (255 - alpha) + 127) / 255) as u8)
}

#[cfg(test)]
mod tests {
    use image::{
        Delay, Frame, Rgba, RgbaImage,
        codecs::gif::{GifEncoder, Repeat},
    };

    use super::*;
    use crate::decode as decode_any;

    fn gif(frames: &[Rgba<u8>]) -> Vec<u8> {
        let mut file = vec![];
        let mut encoder = GifEncoder::new(&mut file);
        encoder.set_repeat(Repeat::Infinite).unwrap();
        for (i, &spot) in frames.iter().enumerate() {
            let image = RgbaImage::from_fn(24, 16, |x, y| match (x, y) {
                (4..12, 4..12) => spot,
                _ => Rgba([0, 0, 0, if i == 0 { 0 } else { 255 }]),
            });
            let delay = Delay::from_numer_denom_ms(100, 1);
            encoder
                .encode_frame(Frame::from_parts(image, 0, 0, delay))
                .unwrap();
        }
        drop(encoder);
        file
    }

    #[test]
    fn what_fades_in_is_shown_when_it_is_there() {
        let nothing = Rgba([0, 0, 0, 0]);
        let (black, red) = (Rgba([0, 0, 0, 255]), Rgba([200, 30, 20, 255]));
        for (frames, is_red) in [
            (vec![nothing, red], true),
            (vec![nothing, black, red], true),
            (vec![red, nothing], true),
            (vec![nothing], false),
            (vec![nothing, black], false),
        ] {
            let file = gif(&frames);
            let picture = decode_any(&file, &DecodeLimits::default()).unwrap();
            assert_eq!(picture.size(), Size::new(24, 16));
            let (pixels, _) = picture.pixels().as_chunks::<3>();
            let is_found = pixels[5 * 24 + 5][0] > 150;
            assert_eq!(is_found, is_red, "{frames:?}");
            for end in 0..file.len() {
                let _ = decode_any(&file[..end], &DecodeLimits::default());
            }
        }
    }
}
