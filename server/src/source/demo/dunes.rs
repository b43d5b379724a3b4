//! Dunes under the Milky Way.

use crate::render::{Picture, Size};

use super::canvas::{Canvas, Gradient, Light, smooth};
use super::noise::{Scatter, fractal, fractal_line, noise};
use super::sky::stars;

pub(super) fn draw(size: Size) -> Picture {
    let sky = Gradient::new([
        (0.0, 0x070A1C),
        (0.35, 0x0F1938),
        (0.58, 0x26355F),
        (0.70, 0x5A567E),
        (0.76, 0x9A7A86),
    ]);
    let mut canvas = Canvas::new(size, |_, y| sky.at(y));

    // The galaxy's band rises from the left horizon to the top right; `along` and `across` are its own axes.
    let axes = |x: f32, y: f32| {
        let (dx, dy) = (x - 0.98, y - 0.22);
        (dx * 0.80 - dy * 0.60, dx * 0.60 + dy * 0.80)
    };
    canvas.shade(0.0, 0.78, |x, y, light| {
        let (along, across) = axes(x, y);
        if across.abs() > 0.40 {
            return light;
        }
        let warp = fractal(along * 2.0, across * 2.0, 3, 51) - 0.5;
        let across = across + warp * 0.12;
        let body = (-(across / 0.115).powi(2)).exp();
        let core = (-(across / 0.055).powi(2)).exp() * (-((along + 0.35) / 0.55).powi(2)).exp();
        let grainy = 0.55 + 0.9 * fractal(along * 6.0, across * 9.0, 4, 57);
        let lane = fractal(along * 3.4 + warp, across * 8.0 + 0.35 * warp, 5, 61);
        let dust = smooth(0.44, 0.62, lane) * (-((across + 0.012) / 0.06).powi(2)).exp();
        let glow = Light::web(0x8F9AD0) * (0.30 * body * grainy)
            + Light::web(0xFFC79A) * (0.52 * core * grainy);
        let clear = smooth(0.74, 0.40, y);
        light + glow * ((1.0 - 0.86 * dust) * clear)
    });
    stars(&mut canvas, 0.74, 1.5, 1001);
    // Most stars crowd in the band.
    let mut scatter = Scatter::new(2002);
    for _ in 0..5200 {
        let along = scatter.between(-1.3, 1.2);
        let across = (scatter.unit() + scatter.unit() + scatter.unit() - 1.5) * 0.20;
        let (x, y) = (
            0.98 + along * 0.80 + across * 0.60,
            0.22 - along * 0.60 + across * 0.80,
        );
        if y < 0.72 {
            let bright = 0.07 + 0.40 * scatter.unit().powi(6);
            canvas.glow(
                (x, y),
                (0.0012f32).max(canvas.pixel() * 1.1),
                Light::web(0xF1EEFF) * (bright * smooth(0.72, 0.45, y)),
            );
        }
    }

    let plain = vec![0.752; canvas.columns().len()];
    canvas.fill_below(&plain, |_, _, depth| {
        Light::web(0x7A6076).mix(Light::web(0x8A5C52), smooth(0.0, 0.2, depth))
    });
    // What nearer dunes will cover is not painted.
    let crests: Vec<Vec<f32>> = DUNES.iter().map(|dune| dune.crest(&canvas)).collect();
    for (i, (dune, crest)) in DUNES.iter().zip(&crests).enumerate() {
        let until: Vec<f32> = (0..crest.len())
            .map(|x| {
                crests[i + 1..]
                    .iter()
                    .map(|crest| crest[x])
                    .fold(2.0, f32::min)
            })
            .collect();
        dune.heap(&mut canvas, crest, &until);
    }
    canvas.develop(4)
}

/// A dune: its peak, how high it stands above its foot, how far it reaches to the left and right.
struct Dune {
    peak: (f32, f32),
    height: f32,
    reach: (f32, f32),
    seed: u32,
}

/// From far to near.
const DUNES: [Dune; 11] = [
    Dune {
        peak: (0.30, 0.730),
        height: 0.030,
        reach: (0.50, 0.40),
        seed: 1,
    },
    Dune {
        peak: (1.35, 0.722),
        height: 0.038,
        reach: (0.60, 0.50),
        seed: 2,
    },
    Dune {
        peak: (0.82, 0.734),
        height: 0.030,
        reach: (0.45, 0.40),
        seed: 3,
    },
    Dune {
        peak: (1.72, 0.742),
        height: 0.045,
        reach: (0.55, 0.30),
        seed: 4,
    },
    Dune {
        peak: (0.05, 0.745),
        height: 0.060,
        reach: (0.30, 0.55),
        seed: 5,
    },
    Dune {
        peak: (0.62, 0.752),
        height: 0.075,
        reach: (0.62, 0.50),
        seed: 6,
    },
    Dune {
        peak: (1.22, 0.750),
        height: 0.100,
        reach: (0.72, 0.62),
        seed: 7,
    },
    Dune {
        peak: (1.80, 0.800),
        height: 0.130,
        reach: (0.85, 0.40),
        seed: 8,
    },
    Dune {
        peak: (0.16, 0.792),
        height: 0.160,
        reach: (0.60, 0.85),
        seed: 9,
    },
    Dune {
        peak: (0.98, 0.858),
        height: 0.190,
        reach: (0.95, 0.80),
        seed: 10,
    },
    Dune {
        peak: (1.62, 0.905),
        height: 0.240,
        reach: (1.05, 0.60),
        seed: 11,
    },
];

impl Dune {
    fn foot(&self) -> f32 {
        self.peak.1 + self.height
    }

    /// 0 at the horizon, 1 in front.
    fn near(&self) -> f32 {
        smooth(0.74, 1.10, self.foot())
    }

    /// The height of its crest above each column: steep at the peak, level at the foot.
    fn crest(&self, canvas: &Canvas) -> Vec<f32> {
        let height_at = |x: f32| {
            let aside = x - self.peak.0;
            let reach = if aside < 0.0 {
                self.reach.0
            } else {
                self.reach.1
            };
            let away = (aside / reach).abs();
            let up = (1.0 - away).max(0.0).powf(1.55);
            let uneven = 0.010 * self.near() * (fractal_line(x * 5.0, 2, self.seed) - 0.5);
            // Beyond its reach the sand only runs out.
            self.foot() - self.height * up + 0.05 * (away - 1.0).max(0.0) + uneven
        };
        canvas.columns().into_iter().map(height_at).collect()
    }

    /// Paints it: its left flank in the last warm light, its right one in blue shade, and between them the spine that
    /// winds from the peak towards the foot.
    fn heap(&self, canvas: &mut Canvas, crest: &[f32], until: &[f32]) {
        let Self {
            peak,
            height,
            reach,
            seed,
        } = *self;
        let near = self.near();
        let lit = Light::web(0xB98A80).mix(Light::web(0xC9814F), near);
        let shade = Light::web(0x5D5578).mix(Light::web(0x252648), near);
        let phase = seed as f32;
        canvas.fill_between(crest, Some(until), |x, y, depth| {
            let below = y - peak.1;
            let winding = (below / height * 4.2 + phase).sin() - phase.sin();
            let spine =
                peak.0 - 0.55 * below + 0.10 * reach.1 * winding * smooth(0.0, height, below);
            let soft = 0.004 + 0.10 * below.max(0.0);
            let facing = 1.0 - smooth(-0.3 * soft, soft, x - spine);
            let drift = 7.0 * noise(x * 4.0, y * 14.0, seed + 40);
            let wind = ((below * 240.0 / (0.5 + below * 2.2) + x * 34.0 + drift) * 1.1).sin();
            let ripples = 1.0 + (0.05 + 0.05 * facing) * near * wind * smooth(0.006, 0.07, depth);
            let grain = 0.94 + 0.12 * noise(x * 420.0, y * 640.0, seed + 50);
            let low = smooth(0.0, height * 1.3, below);
            let sunny = lit.mix(Light::web(0x8F5546), 0.55 * low);
            let dusky = shade.mix(Light::web(0x5E5478), 0.40 * low);
            let rim = (-depth * 190.0).exp() * 0.16 * facing;
            dusky.mix(sunny, facing) * (ripples * grain) + Light::web(0xFFC9A0) * rim
        });
    }
}
