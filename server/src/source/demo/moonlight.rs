//! The moon's path on the sea, and one small boat.

use crate::render::{Picture, Size};

use super::canvas::{Canvas, Gradient, Light, smooth};
use super::noise::{fractal, noise, speckle};
use super::sky::{cloud, range, stars};

const HORIZON: f32 = 0.575;
const MOON: (f32, f32) = (1.13, 0.245);

pub(super) fn draw(size: Size) -> Picture {
    let sky = Gradient::new([
        (0.0, 0x060B1E),
        (0.28, 0x0E1B3C),
        (0.48, 0x24406B),
        (0.58, 0x4A6C92),
    ]);
    let mut canvas = Canvas::new(size, |_, y| sky.at(y));
    stars(&mut canvas, HORIZON - 0.1, 0.55, 31);

    let (silver, pale) = (Light::web(0xFFF3D8), Light::web(0xC8D4EE));
    canvas.shade(0.0, HORIZON, |x, y, light| {
        let (dx, dy) = (x - MOON.0, y - MOON.1);
        let away = (dx * dx + dy * dy).sqrt();
        let halo = 0.34 * (-away * 4.2).exp() + 0.50 * (-away * 15.0).exp();
        let mut lit = light + pale * halo;
        if away < 0.075 {
            let maria = smooth(0.42, 0.66, fractal(dx * 24.0 + 4.0, dy * 24.0, 4, 17));
            let disc = silver * (1.25 - 0.42 * maria - 0.2 * (away / 0.068).powi(4));
            lit = lit.mix(disc, smooth(0.0682, 0.0668, away));
        }
        // Clouds are dark where thick, and silver where the moon comes through their edges.
        let thick = cloud(x * 0.8 + 0.4, y * 1.25, 0.56, 90)
            * smooth(0.04, 0.16, y)
            * smooth(0.0, 0.11, HORIZON - y);
        let through = (-away * 3.4).exp();
        let edge = thick * (1.0 - thick) * 4.0;
        let body = Light::web(0x1A2745).mix(Light::web(0x6C7E9E), through * 1.1);
        lit.mix(body, 0.80 * thick) + silver * (0.34 * edge * through)
    });

    let island = range(&canvas, HORIZON + 0.004, 0.055, 2.1, 5, 23);
    let island: Vec<f32> = island
        .iter()
        .zip(canvas.columns())
        .map(|(crest, x)| crest + 0.06 * smooth(0.30, 0.62, x) + 0.05 * smooth(0.12, 0.0, x))
        .collect();
    canvas.fill_below(&island, |_, _, depth| {
        Light::web(0x0C1830).mix(Light::web(0x31507A), smooth(0.0, 0.05, depth) * 0.6)
    });

    let deep = Gradient::new([
        (0.0, 0x3C5E86),
        (0.05, 0x1D3A62),
        (0.2, 0x0D2144),
        (0.43, 0x050C1E),
    ]);
    canvas.shade(HORIZON, 1.0, |x, y, _| {
        let down = y - HORIZON;
        // Waves shrink towards the horizon as on a plane seen from a low cliff.
        let far = 0.075 / (down + 0.020);
        let along = (x - 0.9) * far * 34.0;
        let swell = noise(along * 0.55 + far * 3.0, far * 95.0, 41);
        let chop = fractal(along * 1.7, far * 250.0 + swell * 2.0, 3, 43);
        let aside = (x - MOON.0) / (0.040 + down * 0.34);
        let path = (-aside * aside).exp();
        // Glints: facets that happen to face the moon; close by they are few and long, far off they run together.
        let facing = chop * 0.7 + swell * 0.3;
        let glint = smooth(0.615 - 0.20 * path, 0.70 - 0.13 * path, facing) * path;
        let sheen = 0.30 * path * (-down * 9.0).exp();
        let trough = deep.at(down) * (0.72 + 0.56 * swell);
        let sparkle = smooth(
            0.988,
            1.0,
            speckle((x * 1080.0) as i32, (y * 1080.0) as i32, 5),
        ) * path
            * 0.25;
        trough + pale * (0.035 * chop) + silver * (glint * (0.95 - 0.5 * down) + sheen + sparkle)
    });
    canvas.shade(HORIZON - 0.012, HORIZON + 0.012, |_, y, light| {
        light.mix(
            Light::web(0x6E8CAE),
            0.35 * (-((y - HORIZON) / 0.005).powi(2)).exp(),
        )
    });

    boat(&mut canvas, (0.97, HORIZON + 0.062), 0.105);
    canvas.develop(3)
}

/// A sailing boat with its waterline at `at`, dark against the path of the moon.
fn boat(canvas: &mut Canvas, at: (f32, f32), height: f32) {
    let (dark, sail) = (Light::web(0x050A14), Light::web(0x18243A));
    let (x, water) = at;
    let top = water - height;
    let boom = water - height * 0.17;
    // Mainsail aft of the mast, foresail before it; both bellied by the wind.
    let belly = |y: f32, from: f32, to: f32| {
        ((y - from) / (to - from) * std::f32::consts::PI).sin() * height * 0.035
    };
    canvas.fill_rows(
        top,
        boom,
        |y| {
            (
                x + 0.001,
                x + 0.001 + (y - top) / (boom - top) * height * 0.36 + belly(y, top, boom),
            )
        },
        |_, u| (sail.mix(dark, 0.3 - u * 0.5), 0.97),
    );
    let fore = top + height * 0.10;
    canvas.fill_rows(
        fore,
        boom + 0.003,
        |y| {
            (
                x - (y - fore) / (boom - fore) * height * 0.27 - belly(y, fore, boom) * 0.6,
                x - 0.002,
            )
        },
        |_, u| (sail.mix(dark, 0.2 + u * 0.4), 0.97),
    );
    canvas.fill_rows(
        top - height * 0.02,
        water,
        |_| (x - height * 0.006, x + height * 0.006),
        |_, _| (dark, 1.0),
    );
    let deck = water - height * 0.11;
    canvas.fill_rows(
        deck,
        water,
        |y| {
            let down = (y - deck) / (water - deck);
            (
                x - height * (0.40 - 0.13 * down * down),
                x + height * (0.37 - 0.06 * down),
            )
        },
        |_, _| (dark, 1.0),
    );
    // Its own reflection, broken by the swell.
    canvas.fill_rows(
        water,
        water + height * 0.75,
        |y| {
            let down = (y - water) / (height * 0.75);
            let sway = (noise(y * 190.0, 3.0, 8) - 0.5) * height * 0.22;
            (
                x - height * 0.30 * (1.0 - down) + sway,
                x + height * 0.30 * (1.0 - down) + sway,
            )
        },
        |y, _| {
            (
                dark,
                0.62 * (1.0 - (y - water) / (height * 0.75))
                    * smooth(0.32, 0.6, noise(y * 260.0, 1.0, 9)),
            )
        },
    );
}
