//! From a file's bytes to upright pixels in sRGB, the limits first (`stored`). Which decoder does it is decided here
//! by the file's content; where the bytes come from is not known here.
//!
//! What is known by sight and still not shown, each with a sentence that says so:
//!
//! | what | why |
//! |---|---|
//! | JPEG: arithmetic-coded, lossless, hierarchical, 12 bits | zune-jpeg doesn't know them; cameras don't write them |
//! | HEIC: overlays (`iovl`), `hev1` and other codecs than HEVC and AV1 | heifer doesn't know them; overlays of overlays could take for ever |
//! | HEIF and AVIF that only move | they have no picture that is primary |
//! | Photoshop: CMYK, L*a*b*, 1 and 32 bits; saved without a picture of all layers | layers are not put together here |
//! | raws without a JPEG of 320 x 240 or more inside | nothing here develops raw data |
//! | TIFF: LZMA, JPEG 2000, LERC, LogLuv, JPEG of before 1995 in parts, samples of different depths | hardly any photo has them |
//!
//! And what is shown with less than is in it: gain maps (the picture without one is what a screen of standard range
//! shows), the alpha of an AVIF in tiles, all frames but the first with something in it.

use crate::{
    formats::{
        avif, heif, jp2, jpeg, jxl,
        kind::Kind,
        png, preview,
        probe::{Probe, kind},
        psd, raster,
        stored::{DecodeError, DecodeLimits, Stored},
        tiff,
        upright::stated_in,
    },
    frame::{
        fit::fit_around,
        focus,
        likeness::likeness,
        orient::{Orientation, orient},
        slot::Slot,
    },
    picture::{Picture, Size},
};

/// The memory that decoding a photo takes at its worst, in bytes, the finished picture included: enough to
/// say how many may go at once. Where the head did not tell the size, it is taken for 24 megapixels.
pub fn cost(probe: &Probe) -> u64 {
    let n_pixels = probe.size.map_or(24_000_000, Size::n_pixels);
    let per_pixel = match probe.kind {
        // The picture, and all coefficients where it is progressive.
        Kind::Jpeg | Kind::Raw | Kind::Mp4 | Kind::Matroska => 9,
        // With alpha; PNG in 16 bits.
        Kind::WebP | Kind::Gif | Kind::Bmp => 8,
        Kind::Png => 11,
        // A byte for each sample, and the picture beside them.
        Kind::Tiff => 8,
        Kind::Photoshop => psd::BYTES_PER_PIXEL,
        Kind::Heic => heif::BYTES_PER_PIXEL,
        Kind::Avif => avif::BYTES_PER_PIXEL,
        Kind::Jpeg2000 => {
            let size = probe.size.unwrap_or(Size::new(6000, 4000));
            return jp2::n_bytes(size, 3);
        }
        Kind::JpegXl => {
            let size = probe.size.unwrap_or(Size::new(6000, 4000));
            return jxl::n_bytes(size);
        }
    };
    n_pixels.saturating_mul(per_pixel)
}

/// Decodes a whole file's bytes: the kind by content, turned upright, in sRGB, the first picture where there are
/// several, 16 bit brought to 8, grey and CMYK to RGB. What is transparent shows black behind it, or white where the
/// rest is too dark for that.
///
/// # Errors
/// The bytes are not a picture, not one that can be decoded, over a limit, or damaged so that no more than half of it is
/// there; what is missing of one that is shown is grey.
pub fn decode(bytes: &[u8], limits: &DecodeLimits) -> Result<Picture, DecodeError> {
    Ok(decode_upright(bytes, limits)?.0)
}

/// Decodes as [`decode`], with what is known of all of the photo.
///
/// # Errors
/// As [`decode`].
pub fn decode_whole(bytes: &[u8], limits: &DecodeLimits) -> Result<Pixels, DecodeError> {
    let (picture, damage) = decode_upright(bytes, limits)?;
    Ok(Pixels {
        damage,
        ..Pixels::whole(picture)
    })
}

fn decode_upright(
    bytes: &[u8],
    limits: &DecodeLimits,
) -> Result<(Picture, Option<DecodeError>), DecodeError> {
    let mut stored = decode_stored(bytes, limits).map_err(DecodeError::on_one_line)?;
    stored.space.make_srgb(&mut stored.picture);
    let orientation = orientation(&stored, bytes);
    let damage = stored.damage.map(DecodeError::on_one_line);
    Ok((orient(stored.picture, orientation), damage))
}

/// A photo's pixels, and what is known of all of it, whatever of it they show.
#[derive(Clone, Debug, PartialEq)]
pub struct Pixels {
    /// Upright, in sRGB.
    pub picture: Picture,
    /// The size of the whole photo, upright.
    pub upright: Size,
    /// The hash of the whole photo's looks, see [`likeness()`].
    pub likeness: Option<u64>,
    /// The damage because of which parts of it are missing, where there is some.
    pub damage: Option<DecodeError>,
}

impl Pixels {
    /// All of a photo.
    pub fn whole(picture: Picture) -> Self {
        Self {
            upright: picture.size(),
            likeness: likeness(&picture),
            picture,
            damage: None,
        }
    }
}

/// Decodes a photo for its place in a frame. The picture is the same as that of [`decode`] and then
/// [`fit`](crate::fit()), but turned and brought to sRGB last, when it is small: a photo that a phone took
/// upright costs a third less this way.
///
/// # Errors
/// As [`decode`].
pub fn decode_fitted(
    bytes: &[u8],
    limits: &DecodeLimits,
    slot: Slot,
) -> Result<Pixels, DecodeError> {
    let mut stored = decode_stored(bytes, limits).map_err(DecodeError::on_one_line)?;
    let orientation = orientation(&stored, bytes);
    let upright = orientation.upright_size(stored.picture.size());
    let (size, how) = slot.target(upright);
    let is_smaller = stored.picture.size().n_pixels() < size.n_pixels();
    if is_smaller {
        stored.space.make_srgb(&mut stored.picture);
    }
    // What it looks like, and what is worth looking at, is found in the whole photo as people see it.
    let mut glance = focus::glance(&stored.picture);
    if !is_smaller {
        stored.space.make_srgb(&mut glance);
    }
    let glance = orient(glance, orientation);
    // Exchanging the sides undoes itself.
    let stored_size = orientation.upright_size(size);
    let mut fitted = fit_around(&stored.picture, stored_size, how, || {
        orientation.stored_at(focus::focus(&glance))
    });
    if !is_smaller {
        stored.space.make_srgb(&mut fitted);
    }
    Ok(Pixels {
        picture: orient(fitted, orientation),
        upright,
        likeness: likeness(&glance),
        damage: stored.damage.map(DecodeError::on_one_line),
    })
}

fn orientation(stored: &Stored, bytes: &[u8]) -> Orientation {
    let stated = || stated_in(kind(bytes)?, bytes);
    stored.turned.or_else(stated).unwrap_or_default()
}

/// Decodes without turning, in the file's own colours.
fn decode_stored(bytes: &[u8], limits: &DecodeLimits) -> Result<Stored, DecodeError> {
    if bytes.is_empty() {
        return Err(DecodeError::Empty);
    }
    match kind(bytes).ok_or(DecodeError::NotAPicture)? {
        Kind::Jpeg => jpeg::decode(bytes, limits),
        Kind::Heic | Kind::Avif => heif::decode(bytes, limits),
        Kind::JpegXl => jxl::decode(bytes, limits),
        Kind::Jpeg2000 => jp2::decode(bytes, limits),
        Kind::Photoshop => psd::decode(bytes, limits),
        Kind::Raw => preview::decode(bytes, limits),
        Kind::Png => png::decode(bytes, limits),
        Kind::Tiff => tiff::picture::decode(bytes, limits),
        kind @ (Kind::WebP | Kind::Gif | Kind::Bmp | Kind::Mp4 | Kind::Matroska) => {
            raster::decode(kind, bytes, limits)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::{Quality, encode};
    use crate::formats::upright::tests::{block, in_jpeg};
    use crate::frame::fit::{Fit, fit};
    use crate::frame::slot::Share;

    #[test]
    fn whatever_a_decoder_says_is_one_line() {
        let error = DecodeError::Damaged("no table\n  for\r\nthis".into()).on_one_line();
        assert_eq!(error.to_string(), "the file is damaged: no table for this");
        // A scan whose tables are missing: the decoder's own words have line breaks.
        let jpeg = encode(&Picture::filled(32, 24, [90, 40, 9]), Quality::default()).unwrap();
        for at in 0..jpeg.len() {
            let mut file = jpeg.clone();
            file[at] = 0xff;
            if let Err(error) = decode(&file, &DecodeLimits::default()) {
                assert!(!error.to_string().contains('\n'), "{at}: {error:?}");
            }
        }
    }

    #[test]
    fn turning_last_shows_the_same() {
        let pixels = (0..60u32 * 40)
            .flat_map(|i| {
                [i % 60 * 4, i / 60 * 6, 90].map(|channel| u8::try_from(channel).unwrap())
            })
            .collect();
        let jpeg = encode(&Picture::new(60, 40, pixels).unwrap(), Quality::default()).unwrap();
        for orientation in 1..=8 {
            // The EXIF segment goes between the start marker and the rest; its helper ends with a scan's marker.
            let with_exif = in_jpeg(&block(orientation, "2021:07:04 12:30:00", false));
            let file = [&with_exif[..with_exif.len() - 2], &jpeg[2..]].concat();
            let limits = DecodeLimits::default();
            for (width, height) in [(44, 24), (24, 44), (120, 120)] {
                for how in [Fit::Contain, Fit::Cover, Fit::Blur] {
                    let size = Size::new(width, height);
                    let slot = Slot::alone(size, how);
                    let last = decode_fitted(&file, &limits, slot).unwrap().picture;
                    let first = fit(&decode(&file, &limits).unwrap(), size, how);
                    assert_eq!(last.size(), size);
                    let pairs = last.pixels().iter().zip(first.pixels());
                    let sum: u32 = pairs.map(|(&a, &b)| u32::from(a.abs_diff(b))).sum();
                    // These sizes leave even margins; an odd row would lie on the other side.
                    let mean = sum / (width * height * 3);
                    assert!(
                        mean <= 5,
                        "orientation {orientation}, {size}, {how}: {mean}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_photo_looks_the_same_on_every_screen() {
        // A slope with bright spots, so that the hash has something to say.
        let pixels = (0..120_u32)
            .flat_map(|y| (0..90_u32).flat_map(move |x| [((x * y) % 251) as u8; 3]))
            .collect();
        let photo = Picture::new(90, 120, pixels).unwrap();
        let file = encode(&photo, Quality::default()).unwrap();
        let limits = DecodeLimits::default();
        let whole = Pixels::whole(decode(&file, &limits).unwrap());
        assert!(whole.likeness.is_some());
        for (width, height) in [(640, 360), (360, 640), (480, 480), (64, 36), (1920, 1080)] {
            for fit in [Fit::Contain, Fit::Cover, Fit::Blur] {
                for share in [Share::All, Share::First, Share::Second] {
                    let frame = Size::new(width, height);
                    let pixels = decode_fitted(&file, &limits, Slot { frame, share, fit }).unwrap();
                    assert_eq!(pixels.likeness, whole.likeness, "{frame} {share:?} {fit}");
                    assert_eq!(pixels.upright, photo.size());
                    let size = pixels.picture.size();
                    assert_eq!(size == frame, share == Share::All, "{size} in {frame}");
                }
            }
        }
    }
}
