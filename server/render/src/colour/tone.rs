//! High dynamic range on screens that have none: PQ (SMPTE ST 2084) and HLG (ITU-R BT.2100) to 8-bit sRGB. What is as
//! bright as paper white or darker keeps its light; what is brighter is bent into the little room above.

// Light has no sign, and casts saturate.
#![allow(clippy::cast_sign_loss)]

use super::gamma::signal;
use crate::picture::{CHANNELS, Picture, Size};

/// The curve in which a picture's light is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Curve {
    /// Perceptual quantizer: absolute, up to 10,000 cd/m².
    Pq,
    /// Hybrid log-gamma: relative, taken for a screen of 1,000 cd/m².
    Hlg,
}

impl Curve {
    /// From H.273's code point of the transfer characteristics.
    pub(crate) fn from_code_point(transfer: u16) -> Option<Self> {
        match transfer {
            16 => Some(Self::Pq),
            18 => Some(Self::Hlg),
            _ => None,
        }
    }
}

/// Diffuse white in cd/m² (ITU-R BT.2408): what becomes sRGB's white, were there no highlights.
const WHITE: f32 = 203.0;
/// From this part of white on, light is bent.
const KNEE: f32 = 0.6;
/// Highlights beyond this multiple of white are all the same.
const BRIGHTEST: f32 = 10_000.0 / WHITE;

/// The peak of a picture's brightness: the level that all but its brightest thousandth stay below.
struct Peak {
    counts: Vec<u32>,
}

impl Peak {
    const STEPS_PER_WHITE: f32 = 16.0;

    fn new() -> Self {
        Self {
            counts: vec![0; (BRIGHTEST * Self::STEPS_PER_WHITE) as usize + 1],
        }
    }

    fn see(&mut self, light: f32) {
        let step = (light * Self::STEPS_PER_WHITE) as usize;
        let last = self.counts.len() - 1;
        self.counts[step.min(last)] += 1;
    }

    fn level(&self) -> f32 {
        let whole: u64 = self.counts.iter().map(|&n| u64::from(n)).sum();
        let mut beyond = 0u64;
        let step = self.counts.iter().rposition(|&n| {
            beyond += u64::from(n);
            beyond * 1000 > whole
        });
        ((step.unwrap_or(0) + 1) as f32 / Self::STEPS_PER_WHITE).max(1.0)
    }
}

/// Brings RGBA samples of `bits` bits, as they are coded, to sRGB; alpha is left out.
///
/// `primaries` is H.273's code point. `None` where the samples are not those of `size`.
pub(crate) fn to_srgb(
    samples: &[u16],
    size: Size,
    bits: u8,
    curve: Curve,
    primaries: u16,
) -> Option<Picture> {
    if samples.len() as u64 != size.n_pixels() * 4 || !(8..=16).contains(&bits) {
        return None;
    }
    let (samples, _) = samples.as_chunks::<4>();
    let max = (1u32 << bits) - 1;
    let decode: Vec<f32> = (0..=max)
        .map(|sample| {
            let signal = sample as f32 / max as f32;
            match curve {
                Curve::Pq => pq(signal),
                Curve::Hlg => hlg(signal),
            }
        })
        .collect();
    let luma = luma(primaries);
    let light = |&[r, g, b, _]: &[u16; 4]| {
        // Written out: `map` of an array is a call for each of its values where crates are compiled in small units.
        let decoded = |sample: u16| decode[usize::from(sample).min(decode.len() - 1)];
        let (r, g, b) = (decoded(r), decoded(g), decoded(b));
        match curve {
            Curve::Pq => [r, g, b],
            Curve::Hlg => {
                // The screen's own curve: brighter as a whole, and the more the brighter it is.
                let seen = r * luma[0] + g * luma[1] + b * luma[2];
                let gain = seen.max(1e-6).powf(0.2) * (1000.0 / WHITE);
                [r * gain, g * gain, b * gain]
            }
        }
    };

    let mut peak = Peak::new();
    // A sixteenth of the pixels tells.
    for sample in samples.iter().step_by(16) {
        let [r, g, b] = light(sample);
        peak.see(r.max(g).max(b));
    }
    let bend = Bend::new(peak.level());
    let matrix = to_bt709(primaries);
    let encode = Encode::new();

    let mut picture = Picture::filled(size.width, size.height, [0; CHANNELS]);
    let (pixels, _) = picture.pixels_mut().as_chunks_mut::<CHANNELS>();
    for (pixel, sample) in pixels.iter_mut().zip(samples) {
        let [r, g, b] = light(sample);
        // All three alike, so that the hue stays.
        let gain = bend.gain(r.max(g).max(b));
        let byte = |row: &[f32; 3]| encode.byte((row[0] * r + row[1] * g + row[2] * b) * gain);
        *pixel = [byte(&matrix[0]), byte(&matrix[1]), byte(&matrix[2])];
    }
    Some(picture)
}

/// PQ's light in multiples of white.
fn pq(signal: f32) -> f32 {
    const M1: f64 = 2610.0 / 16_384.0;
    const M2: f64 = 2523.0 / 4096.0 * 128.0;
    const C1: f64 = 3424.0 / 4096.0;
    const C2: f64 = 2413.0 / 4096.0 * 32.0;
    const C3: f64 = 2392.0 / 4096.0 * 32.0;
    let root = f64::from(signal).powf(1.0 / M2);
    let light = ((root - C1).max(0.0) / (C2 - C3 * root)).powf(1.0 / M1);
    (light * 10_000.0) as f32 / WHITE
}

/// HLG's light of the scene, 0 to 1.
fn hlg(signal: f32) -> f32 {
    const A: f32 = 0.178_832_77;
    const B: f32 = 0.284_668_92;
    const C: f32 = 0.559_910_7;
    if signal <= 0.5 {
        signal * signal / 3.0
    } else {
        (((signal - C) / A).exp() + B) / 12.0
    }
}

/// From all light up to a peak to the light that a screen has: straight up to the knee, then a hyperbola that starts
/// as steep as that and ends at white.
struct Bend {
    /// The peak above the knee, in multiples of the room above it.
    reach: f32,
}

impl Bend {
    fn new(peak: f32) -> Self {
        Self {
            reach: (peak - KNEE) / (1.0 - KNEE),
        }
    }

    /// The factor for a colour, by its brightest channel.
    #[inline]
    fn gain(&self, light: f32) -> f32 {
        if light <= KNEE {
            return 1.0;
        }
        let above = ((light - KNEE) / (1.0 - KNEE)).min(self.reach);
        let bent = above * (1.0 + above / (self.reach * self.reach)) / (1.0 + above);
        (KNEE + bent * (1.0 - KNEE)) / light
    }
}

/// sRGB's curve, in steps finer than a byte shows.
struct Encode {
    bytes: Vec<u8>,
}

impl Encode {
    const STEPS: f32 = 8192.0;

    fn new() -> Self {
        let bytes = (0..=Self::STEPS as u32)
            .map(|step| {
                // Steps are of the square root, which spreads the shadows.
                let root = step as f32 / Self::STEPS;
                let light = root * root;
                (signal(light) * 255.0 + 0.5) as u8
            })
            .collect();
        Self { bytes }
    }

    #[inline]
    fn byte(&self, light: f32) -> u8 {
        let step = (light.clamp(0.0, 1.0).sqrt() * Self::STEPS + 0.5) as usize;
        self.bytes[step.min(self.bytes.len() - 1)]
    }
}

/// From linear light with these primaries to that with sRGB's (BT.709); rows. Both have the same white.
fn to_bt709(primaries: u16) -> [[f32; 3]; 3] {
    match primaries {
        9 => [
            [1.660_491, -0.587_641, -0.072_850],
            [-0.124_550, 1.132_9, -0.008_349],
            [-0.018_151, -0.100_579, 1.118_73],
        ],
        12 => [
            [1.224_94, -0.224_94, 0.0],
            [-0.042_057, 1.042_057, 0.0],
            [-0.019_638, -0.078_636, 1.098_274],
        ],
        _ => [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    }
}

/// How much each channel adds to the brightness.
fn luma(primaries: u16) -> [f32; 3] {
    match primaries {
        9 => [0.2627, 0.6780, 0.0593],
        12 => [0.2290, 0.6917, 0.0793],
        _ => [0.2126, 0.7152, 0.0722],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(signal: f32, curve: Curve) -> u8 {
        let sample = (signal * 1023.0).round() as u16;
        let samples = [sample, sample, sample, 1023].repeat(32);
        let picture = to_srgb(&samples, Size::new(8, 4), 10, curve, 9).unwrap();
        let (pixels, _) = picture.pixels().as_chunks::<3>();
        assert!(
            pixels
                .iter()
                .all(|&[r, g, b]| r.abs_diff(g) <= 1 && g.abs_diff(b) <= 1)
        );
        pixels[0][1]
    }

    #[test]
    fn what_paper_reflects_keeps_its_light() {
        // PQ: 0.508 is 100 cd/m², half of white in light, 188 in sRGB; 0.58 is white.
        assert!(
            grey(0.508, Curve::Pq).abs_diff(186) <= 3,
            "{}",
            grey(0.508, Curve::Pq)
        );
        assert!(grey(0.58, Curve::Pq) >= 225, "{}", grey(0.58, Curve::Pq));
        assert_eq!(grey(0.0, Curve::Pq), 0);
        // HLG: 0.75 is white.
        assert!(grey(0.75, Curve::Hlg) >= 225, "{}", grey(0.75, Curve::Hlg));
        assert!(
            (90..180).contains(&grey(0.38, Curve::Hlg)),
            "{}",
            grey(0.38, Curve::Hlg)
        );
        assert_eq!(grey(0.0, Curve::Hlg), 0);
    }

    #[test]
    fn brighter_is_never_darker() {
        for curve in [Curve::Pq, Curve::Hlg] {
            let ramp: Vec<u16> = (0..1024)
                .flat_map(|sample| [sample, sample, sample, 1023])
                .collect();
            let picture = to_srgb(&ramp, Size::new(1024, 1), 10, curve, 12).unwrap();
            let greens: Vec<u8> = picture
                .pixels()
                .iter()
                .skip(1)
                .step_by(3)
                .copied()
                .collect();
            assert!(greens.is_sorted(), "{curve:?}: {greens:?}");
            assert!(greens[0] == 0 && greens[1023] >= 254, "{curve:?}");
        }
    }

    #[test]
    fn highlights_keep_their_hue() {
        // A sun of 1000 cd/m², three times as red as blue, over a dim sky.
        let mut samples = [300, 300, 300, 1023].repeat(64);
        samples[..32].copy_from_slice(&[769, 700, 640, 1023].repeat(8));
        let picture = to_srgb(&samples, Size::new(8, 8), 10, Curve::Pq, 9).unwrap();
        let [r, g, b] = picture.pixels().as_chunks::<3>().0[0];
        assert!(r > 240 && g < r && b < g, "{r} {g} {b}");
    }

    #[test]
    fn what_does_not_add_up_is_refused() {
        assert!(to_srgb(&[0; 15], Size::new(2, 2), 10, Curve::Pq, 9).is_none());
        assert!(to_srgb(&[0; 16], Size::new(2, 2), 7, Curve::Pq, 9).is_none());
        assert!(to_srgb(&[u16::MAX; 16], Size::new(2, 2), 8, Curve::Hlg, 9).is_some());
    }
}
