//! AV1 by rav1d: planes, and what the stream says of their colours.

use heifer::heifer_hevc_dec::recon::Frame;
use re_rav1d::{self as av1, Decoder, PixelLayout, PlanarImageComponent, Settings};

use crate::formats::stored::DecodeError;

/// One picture as AV1 gave it, and what its stream says of its colours.
pub(super) struct Decoded {
    pub(super) frame: Frame,
    /// Primaries and transfer, by their numbers in ITU-T H.273.
    pub(super) code_points: (u16, u16),
}

/// Decodes the first picture of an AV1 stream.
pub(super) fn decode(data: Vec<u8>, max_pixels: u64) -> Result<Decoded, DecodeError> {
    let mut settings = Settings::new();
    // On this thread: a panic in one of the decoder's own could not be caught.
    settings.set_n_threads(1);
    settings.set_max_frame_delay(1);
    settings.set_all_layers(false);
    settings.set_frame_size_limit(u32::try_from(max_pixels).unwrap_or(u32::MAX));
    let mut decoder = Decoder::with_settings(&settings).map_err(explain)?;
    if data.is_empty() {
        return Err(DecodeError::Truncated { percent: None });
    }
    let mut waiting = match decoder.send_data(data, None, None, None) {
        Ok(()) => false,
        Err(error) if error.is_again() => true,
        Err(error) => return Err(explain(error)),
    };
    // A still picture comes at once; one behind others, once they have been sent in.
    for _ in 0..64 {
        match decoder.get_picture() {
            Ok(picture) => return planes(&picture),
            Err(error) if !error.is_again() => return Err(explain(error)),
            Err(_) if !waiting => break,
            Err(_) => {
                waiting = match decoder.send_pending_data() {
                    Ok(()) => false,
                    Err(error) if error.is_again() => true,
                    Err(error) => return Err(explain(error)),
                };
            }
        }
    }
    Err(DecodeError::Truncated { percent: None })
}

/// Copies the planes, with one more column and row where chroma has half of an odd number: the conversion takes
/// luma for exactly twice as wide.
fn planes(picture: &av1::Picture) -> Result<Decoded, DecodeError> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let (format, across, down) = match picture.pixel_layout() {
        PixelLayout::I400 => (0, 1, 1),
        PixelLayout::I420 => (1, 2, 2),
        PixelLayout::I422 => (2, 2, 1),
        PixelLayout::I444 => (3, 1, 1),
    };
    let bits = picture.bits_per_component().map_or(8, |bits| bits.0);
    let damaged = || DecodeError::Damaged("its pixels contradict its header".into());
    let (chroma_width, chroma_height) = match format {
        0 => (0, 0),
        _ => (width.div_ceil(across), height.div_ceil(down)),
    };
    let sizes = [
        (
            width.next_multiple_of(across),
            height.next_multiple_of(down),
            width,
            height,
        ),
        (chroma_width, chroma_height, chroma_width, chroma_height),
        (chroma_width, chroma_height, chroma_width, chroma_height),
    ];
    let components = [
        PlanarImageComponent::Y,
        PlanarImageComponent::U,
        PlanarImageComponent::V,
    ];
    let mut planes = [vec![], vec![], vec![]];
    for (i, plane) in planes.iter_mut().enumerate() {
        let (padded_width, padded_height, width, height) = sizes[i];
        if width == 0 {
            continue;
        }
        let source = picture.plane(components[i]);
        let stride = picture.stride(components[i]) as usize;
        plane.reserve_exact(padded_width * padded_height);
        for y in 0..padded_height {
            let row = source
                .get(y.min(height - 1) * stride..)
                .ok_or_else(damaged)?;
            if bits == 8 {
                let row = row.get(..width).ok_or_else(damaged)?;
                plane.extend(row.iter().map(|&sample| u16::from(sample)));
            } else {
                let row = row.get(..width * 2).ok_or_else(damaged)?;
                let (samples, _) = row.as_chunks::<2>();
                plane.extend(samples.iter().map(|&sample| u16::from_ne_bytes(sample)));
            }
            if padded_width > width {
                plane.extend(plane.last().copied());
            }
        }
    }
    let side = |n: usize| u32::try_from(n).unwrap_or(0);
    let bits = u8::try_from(bits).unwrap_or(8);
    Ok(Decoded {
        code_points: (
            primaries(picture.color_primaries()),
            transfer(picture.transfer_characteristic()),
        ),
        frame: Frame {
            widths: sizes.map(|(width, ..)| side(width)),
            heights: sizes.map(|(_, height, ..)| side(height)),
            planes,
            bit_depth: [bits, bits],
            chroma_format: format,
            full_range: picture.color_range() == av1::pixel::YUVRange::Full,
            matrix_coeffs: matrix(picture.matrix_coefficients()),
        },
    })
}

// The numbers of ITU-T H.273, as far as the conversion makes a difference between them.

fn matrix(matrix: av1::pixel::MatrixCoefficients) -> u8 {
    use av1::pixel::MatrixCoefficients as M;
    match matrix {
        M::Identity => 0,
        M::BT709 => 1,
        M::BT470M => 4,
        M::ST240M => 7,
        M::BT2020NonConstantLuminance | M::BT2020ConstantLuminance => 9,
        _ => 6,
    }
}

fn primaries(primaries: av1::pixel::ColorPrimaries) -> u16 {
    use av1::pixel::ColorPrimaries as P;
    match primaries {
        P::BT709 => 1,
        P::BT2020 => 9,
        P::P3DCI => 11,
        P::P3Display => 12,
        _ => 2,
    }
}

fn transfer(transfer: av1::pixel::TransferCharacteristic) -> u16 {
    use av1::pixel::TransferCharacteristic as T;
    match transfer {
        T::PerceptualQuantizer => 16,
        T::HybridLogGamma => 18,
        T::SRGB => 13,
        T::BT470M => 4,
        T::BT470BG => 5,
        T::Linear => 8,
        _ => 2,
    }
}

fn explain(error: av1::Error) -> DecodeError {
    match error {
        av1::Error::Again => DecodeError::Truncated { percent: None },
        av1::Error::UnsupportedBitstream => DecodeError::Unsupported("AVIF of this kind".into()),
        error => DecodeError::Damaged(format!("AV1: {error}").to_lowercase()),
    }
}
