//! A lighthouse at the blue hour, upright.

use crate::render::{Picture, Size};

use super::canvas::{Canvas, Gradient, Light, smooth};
use super::noise::{fractal, fractal_line, noise};
use super::sky::{cloud, stars};

const HORIZON: f32 = 0.735;
/// The lantern, from which everything is lit.
const LAMP: (f32, f32) = (0.325, 0.330);

pub(super) fn draw(size: Size) -> Picture {
    let sky = Gradient::new([
        (0.0, 0x0B1536),
        (0.25, 0x1C3166),
        (0.45, 0x47609A),
        (0.60, 0x9A86A8),
        (0.69, 0xE0A08C),
        (0.735, 0xF6C79A),
    ]);
    let mut canvas = Canvas::new(size, |_, y| sky.at(y));
    stars(&mut canvas, 0.50, 0.9, 505);
    canvas.shade(0.0, HORIZON, |x, y, light| {
        if y < 0.16 {
            return light;
        }
        let thick = cloud(x * 1.1 + 2.0, y * 1.1, 0.50, 300)
            * smooth(0.16, 0.40, y)
            * smooth(0.0, 0.05, HORIZON - y);
        let tint = Light::web(0x39457A).mix(Light::web(0xF0A590), smooth(0.42, 0.70, y));
        light.mix(tint, 0.62 * thick)
    });

    let warm = Light::web(0xFFE6A8);
    let water = Gradient::new([
        (0.0, 0xE3B094),
        (0.02, 0x8C86A6),
        (0.08, 0x3F5488),
        (0.27, 0x131F45),
    ]);
    canvas.shade(HORIZON, 1.0, |x, y, _| {
        let down = y - HORIZON;
        let far = 0.05 / (down + 0.014);
        let swell = fractal(x * far * 8.0, far * 70.0, 3, 61);
        let crest = smooth(0.60, 0.74, swell) * smooth(0.0, 0.06, down);
        let path = (-((x - 0.13) / (0.05 + down * 0.5)).powi(2)).exp() * (-down * 7.0).exp();
        water.at(down) * (0.74 + 0.52 * swell)
            + Light::web(0xA9B9DA) * (0.16 * crest)
            + Light::web(0xFFB98A) * (0.5 * path * smooth(0.45, 0.62, swell))
    });

    // Two beams, opposite each other, widening and fading.
    canvas.shade(0.0, HORIZON, |x, y, light| {
        let (dx, dy) = (x - LAMP.0, y - LAMP.1);
        let beam = |slope: f32, side: f32| {
            let along = dx * side;
            if along <= 0.0 {
                return 0.0;
            }
            let across = (dy - dx * slope) / (0.010 + along * 0.085);
            (-across * across).exp() * (-along * 2.3).exp() * smooth(0.0, 0.02, along)
        };
        let mist = 0.75 + 0.5 * noise(x * 5.0 + y * 3.0, y * 7.0, 19);
        let away = (dx * dx + dy * dy).sqrt();
        let halo = 0.28 * (-away * 13.0).exp() + 0.10 * (-away * 4.0).exp();
        light + warm * (0.62 * mist * (beam(-0.16, -1.0) + 0.85 * beam(-0.16, 1.0)) + halo)
    });

    headland(&mut canvas);
    tower(&mut canvas);
    canvas.glow(LAMP, 0.030, Light::web(0xFFF4CF) * 1.6);
    canvas.glow(LAMP, 0.11, warm * 0.30);
    canvas.develop(7)
}

/// Rocks in steps from the water up to the tower's foot, with grass on top and surf at their feet.
fn headland(canvas: &mut Canvas) {
    let rise = |x: f32| {
        let hill = smooth(0.02, 0.24, x) * (1.0 - 0.25 * smooth(0.42, 0.58, x));
        0.905
            - 0.155 * hill
            - 0.030
                * (fractal_line(x * 9.0, 4, 5) - 0.5)
                * (1.0 - 0.65 * smooth(0.20, 0.26, x) * smooth(0.44, 0.38, x))
    };
    let line: Vec<f32> = canvas.columns().into_iter().map(rise).collect();
    let (dark, pale, grass) = (
        Light::web(0x151A30),
        Light::web(0x6A6480),
        Light::web(0x2C3A34),
    );
    canvas.fill_below(&line, |x, y, depth| {
        // Slabs: noise cut into steps, edges towards the afterglow on the left.
        let slab = fractal(x * 14.0 + y * 6.0, y * 22.0 - x * 5.0, 4, 33);
        let edge = fractal(x * 14.0 + y * 6.0 + 0.12, y * 22.0 - x * 5.0, 4, 33) - slab;
        let lit = smooth(-0.02, 0.05, edge) * (0.25 + 0.75 * smooth(0.42, 0.70, slab));
        let rock = dark.mix(pale, 0.62 * lit * smooth(0.14, 0.0, depth - 0.04));
        let turf = smooth(0.020, 0.006, depth - 0.012 * noise(x * 60.0, y * 60.0, 9))
            * smooth(0.16, 0.24, x);
        let blades = 0.75 + 0.5 * noise(x * 420.0, y * 90.0, 12);
        let glow = (-((x - LAMP.0).powi(2) + (y - 0.75).powi(2)) * 60.0).exp();
        rock.mix(grass * blades, turf) + Light::web(0xFFD9A0) * (0.035 * glow * (1.0 + turf))
    });
    // Surf: bright where the noise folds, thickest where the rocks meet the sea.
    canvas.shade(0.84, 1.0, |x, y, light| {
        let shore = 0.925
            + 0.022 * (fractal_line(x * 7.0, 3, 71) - 0.5)
            + 0.03 * smooth(0.35, 0.0, x) * (0.5 - x);
        let below = y - shore;
        if below < -0.03 {
            return light;
        }
        let sea = Light::web(0x1A2950).mix(Light::web(0x0C1430), smooth(0.0, 0.08, below))
            * (0.8 + 0.4 * noise(x * 20.0, y * 130.0, 73));
        let lace = 1.0
            - (2.0
                * fractal(
                    x * 18.0 + 3.0 * noise(x * 5.0, y * 20.0, 74),
                    y * 60.0,
                    4,
                    75,
                )
                - 1.0)
                .abs();
        let foam = smooth(0.80, 0.97, lace) * smooth(0.075, 0.0, below)
            + smooth(0.012, 0.0, below.abs()) * smooth(0.4, 0.7, lace);
        light.mix(sea, smooth(-0.004, 0.006, below)).mix(
            Light::web(0xC3CBE6),
            0.72 * foam * smooth(-0.03, 0.0, below),
        )
    });
}

/// The tower: white and red, a gallery, the lantern and its roof; the keeper's house beside it.
fn tower(canvas: &mut Canvas) {
    let x = LAMP.0;
    let (top, foot) = (0.362, 0.762);
    let shade = |u: f32| 0.30 + 0.42 * (1.0 - u * u).sqrt() - 0.26 * u;

    // The house, behind the tower's foot.
    let (wall_top, wall_foot) = (0.722, 0.768);
    canvas.fill_rows(
        wall_top,
        wall_foot,
        |_| (x + 0.020, x + 0.128),
        |_, u| (Light::web(0xC9C6D8) * (0.36 - 0.08 * u), 1.0),
    );
    canvas.fill_rows(
        0.694,
        wall_top + 0.002,
        |y| {
            let t = (y - 0.694) / (wall_top - 0.694);
            (x + 0.036 - 0.024 * t, x + 0.112 + 0.024 * t)
        },
        |_, u| (Light::web(0x6B2F38) * (0.50 - 0.16 * u), 1.0),
    );
    canvas.fill_rows(
        0.680,
        0.704,
        |_| (x + 0.092, x + 0.102),
        |_, _| (Light::web(0x33283A), 1.0),
    );
    for window in [0.060, 0.094] {
        canvas.glow((x + window, 0.742), 0.030, Light::web(0xFFB45A) * 0.35);
        canvas.fill_rows(
            0.734,
            0.750,
            |_| (x + window - 0.006, x + window + 0.006),
            |y, u| {
                let bar = if u.abs() < 0.12 || (y - 0.742).abs() < 0.0010 {
                    0.25
                } else {
                    1.0
                };
                (Light::web(0xFFC978) * (1.1 * bar), 1.0)
            },
        );
    }

    canvas.fill_rows(
        top,
        foot,
        |y| {
            let t = (y - top) / (foot - top);
            let half = 0.0205 + 0.0165 * t + 0.010 * (t - 0.93).max(0.0) * 4.0;
            (x - half, x + half)
        },
        |y, u| {
            let t = (y - top) / (foot - top);
            // The bands run round the tower, which is seen a little from below.
            let band = ((t + 0.006 * (1.0 - u * u).sqrt()) * 5.0).min(4.9) as u32 % 2;
            let paint = Light::web(if band == 0 { 0xF1EEF2 } else { 0xB93238 });
            let course = 1.0 - 0.05 * smooth(0.35, 0.5, ((y * 240.0).fract() - 0.5).abs());
            let from_lamp = 0.30 * smooth(0.10, 0.0, t);
            let afterglow = Light::web(0xFFB08A) * (0.10 * smooth(0.2, -0.9, u));
            (
                paint * ((shade(u) + from_lamp) * course) + afterglow.through(paint),
                1.0,
            )
        },
    );
    for at in [0.44, 0.535, 0.63] {
        canvas.fill_rows(
            at,
            at + 0.018,
            |y| {
                let arch = (1.0 - ((at + 0.006 - y).max(0.0) / 0.006).powi(2))
                    .max(0.0)
                    .sqrt();
                (x - 0.0045 * arch, x + 0.0045 * arch)
            },
            |_, _| (Light::web(0xFFCB7A) * 0.85, 1.0),
        );
    }
    canvas.fill_rows(
        0.735,
        foot,
        |_| (x - 0.008, x + 0.008),
        |_, u| (Light::web(0x3A2A2A) * (0.8 - 0.3 * u), 1.0),
    );

    // Gallery with its rail, lantern room, roof.
    let dark = Light::web(0x1C1E2E);
    canvas.fill_rows(
        0.355,
        0.364,
        |y| {
            let half = 0.033 - 0.8 * (y - 0.355);
            (x - half, x + half)
        },
        |_, u| (dark.mix(Light::web(0x80809A), 0.5 * shade(u)), 1.0),
    );
    for post in -5i8..=5 {
        let at = x + f32::from(post) * 0.0062;
        canvas.fill_rows(
            0.338,
            0.356,
            |_| (at - 0.0006, at + 0.0006),
            |_, _| (dark, 0.95),
        );
    }
    canvas.fill_rows(
        0.337,
        0.3395,
        |_| (x - 0.032, x + 0.032),
        |_, _| (dark, 0.95),
    );
    canvas.fill_rows(
        0.306,
        0.355,
        |_| (x - 0.0175, x + 0.0175),
        |y, u| {
            let frame = u.abs() > 0.93 || (u.abs() - 0.36).abs() < 0.045 || y > 0.347;
            let glass =
                Light::web(0xFFE9B0) * (1.5 - 12.0 * (y - LAMP.1).abs() - 0.4 * u * u).max(0.35);
            (if frame { dark } else { glass }, 1.0)
        },
    );
    canvas.fill_rows(
        0.276,
        0.308,
        |y| {
            let t = (y - 0.276) / 0.032;
            let half = 0.0225 * (t * (2.0 - t)).sqrt();
            (x - half, x + half)
        },
        |_, u| {
            (
                Light::web(0x8E2A32) * (0.75 * shade(u)) + Light::web(0x1C1E2E) * 0.3,
                1.0,
            )
        },
    );
    canvas.ellipse((x, 0.2735), (0.0045, 0.0045), 0.0, 0.0, dark, 1.0);
    canvas.fill_rows(
        0.252,
        0.272,
        |_| (x - 0.0008, x + 0.0008),
        |_, _| (dark, 1.0),
    );
}
