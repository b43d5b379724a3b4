//! The colours that a TIFF's samples mean, with what is transparent over a backdrop.

use super::plan::{Colour, Packing, Plan};
use crate::{
    colour::{gamma::signal, profile},
    formats::{
        jpeg,
        raster::{backdrop, over},
        stored::MISSING,
    },
    picture::{CHANNELS, Picture},
};

/// A pixel's samples where it is missing: grey, and seen.
pub(super) fn missing(plan: &Plan) -> Vec<u8> {
    let mut sample = match plan.colour {
        Colour::Grey { .. } | Colour::Rgb | Colour::YCbCr => vec![MISSING; plan.colour.n_samples()],
        Colour::Palette => {
            let far = |colour: &[u8; 3]| -> u32 {
                colour
                    .iter()
                    .map(|channel| u32::from(channel.abs_diff(MISSING)))
                    .sum()
            };
            let found = (0..=u8::MAX)
                .zip(&plan.palette)
                .min_by_key(|(_, colour)| far(colour));
            vec![found.map_or(MISSING, |(index, _)| index)]
        }
        Colour::Cmyk => vec![0, 0, 0, 255 - MISSING],
        Colour::Lab { unsigned: true } => vec![137, 128, 128],
        Colour::Lab { unsigned: false } => vec![137, 0, 0],
    };
    sample.extend(plan.alpha.map(|_| 255));
    sample
}

/// The picture of samples, a byte each, of each pixel its colour and its alpha, where it has one. What has as many samples
/// as colours becomes them where it lies.
pub(super) fn picture(plan: &Plan, mut samples: Vec<u8>) -> Option<Picture> {
    let size = plan.size;
    if plan.colour == Colour::Cmyk {
        return profile::inks_to_srgb(&samples, size, plan.profile.as_deref());
    }
    let n = plan.colour.n_samples() + usize::from(plan.alpha.is_some());
    let pixel = |sample: &[u8]| {
        let rgb = shown(plan, sample);
        let alpha = plan.alpha.and(sample.last().copied()).unwrap_or(255);
        match plan.alpha {
            Some(kind) if kind.multiplied => (rgb.map(|channel| divided(channel, alpha)), alpha),
            _ => (rgb, alpha),
        }
    };
    if plan.colour != Colour::Rgb || plan.alpha.is_some() {
        let behind = match plan.alpha {
            Some(_) => backdrop(samples.chunks_exact(n).map(pixel)),
            None => 0,
        };
        let finished = |sample: &[u8]| {
            let (rgb, alpha) = pixel(sample);
            over(behind, rgb, alpha)
        };
        let n_pixels = samples.len() / n;
        if n < CHANNELS {
            let mut pixels = Vec::with_capacity(n_pixels * CHANNELS);
            samples
                .chunks_exact(n)
                .for_each(|sample| pixels.extend(finished(sample)));
            samples = pixels;
        } else {
            for i in 0..n_pixels {
                let rgb = finished(&samples[i * n..(i + 1) * n]);
                samples[i * CHANNELS..(i + 1) * CHANNELS].copy_from_slice(&rgb);
            }
            samples.truncate(n_pixels * CHANNELS);
        }
    }
    Picture::new(size.width, size.height, samples).ok()
}

/// The colour of a pixel.
fn shown(plan: &Plan, sample: &[u8]) -> [u8; CHANNELS] {
    match (plan.colour, sample) {
        (Colour::Grey { inverted }, [grey, ..]) => [if inverted { 255 - grey } else { *grey }; 3],
        (Colour::Palette, [index, ..]) => {
            let found = plan.palette.get(usize::from(*index));
            found.copied().unwrap_or([*index; 3])
        }
        // A JPEG's own decoder has done it.
        (Colour::YCbCr, &[y, cb, cr, ..]) if plan.packing != Packing::Jpeg => jpeg::rgb(y, cb, cr),
        (Colour::Lab { unsigned }, &[l, a, b, ..]) => lab(l, a, b, unsigned),
        (_, &[r, g, b, ..]) => [r, g, b],
        _ => [MISSING; 3],
    }
}

/// A colour without the alpha that it was multiplied by.
fn divided(channel: u8, alpha: u8) -> u8 {
    let whole = u16::from(channel) * 255 / u16::from(alpha.max(1));
    whole.min(255) as u8
}

/// CIE L*a*b* of the light of a printer's booth (D50) in sRGB.
#[expect(clippy::cast_sign_loss, reason = "clamped to what a byte has")]
fn lab(l: u8, a: u8, b: u8, unsigned: bool) -> [u8; CHANNELS] {
    let signed = |byte: u8| match unsigned {
        true => f32::from(byte) - 128.0,
        false => f32::from(byte.cast_signed()),
    };
    let (l, a, b) = (f32::from(l) * 100.0 / 255.0, signed(a), signed(b));
    let y = (l + 16.0) / 116.0;
    let light = |root: f32| match root {
        _ if root > 6.0 / 29.0 => root.powi(3),
        _ => (root - 4.0 / 29.0) * 3.0 * (6.0_f32 / 29.0).powi(2),
    };
    let xyz = [
        light(y + a / 500.0) * 0.9642,
        light(y),
        light(y - b / 200.0) * 0.8249,
    ];
    // With Bradford's adaptation to daylight (D65).
    const TO_SRGB: [[f32; 3]; 3] = [
        [3.133_856, -1.616_867, -0.490_615],
        [-0.978_768, 1.916_142, 0.033_454],
        [0.071_945, -0.228_991, 1.405_243],
    ];
    TO_SRGB.map(|row| {
        let light: f32 = row.iter().zip(xyz).map(|(a, b)| a * b).sum();
        (signal(light.clamp(0.0, 1.0)) * 255.0 + 0.5) as u8
    })
}
