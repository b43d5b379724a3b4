//! Hot-air balloons over misty hills, shortly after sunrise.

use crate::render::{Picture, Size};

use super::canvas::{Canvas, Gradient, Light, smooth};
use super::noise::{Scatter, fractal};
use super::sky::{cloud, conifer, range};

/// A balloon: where its envelope's middle is, how tall all of it is, its colours, how many gores carry one colour.
struct Balloon {
    at: (f32, f32),
    height: f32,
    colours: [u32; 3],
    n_gores: f32,
    zigzag: bool,
}

pub(super) fn draw(size: Size) -> Picture {
    let sky = Gradient::new([
        (0.0, 0x6FA3CF),
        (0.25, 0xA5C6DC),
        (0.45, 0xDCDDD8),
        (0.60, 0xFBE3C0),
        (0.72, 0xFFD7A2),
    ]);
    let sun = (0.26, 0.60);
    let warm = Light::web(0xFFD9A0);
    let mut canvas = Canvas::new(size, |x, y| {
        let away = ((x - sun.0).powi(2) + (y - sun.1).powi(2)).sqrt();
        let low = smooth(0.55, 0.2, y);
        let wisp = if low > 0.0 {
            cloud(x * 0.7 + 3.0, y * 2.2, 0.50, 140) * low
        } else {
            0.0
        };
        sky.at(y).mix(Light::web(0xFFF4E6), 0.60 * wisp)
            + warm * (0.40 * (-away * 4.0).exp() + 0.35 * (-away * 16.0).exp())
    });

    let hills = [
        (0.700, 0.105, 1.3, 0xB9C2CF, 7),
        (0.755, 0.110, 1.5, 0x93A9B5, 15),
        (0.825, 0.115, 1.2, 0x6B8C8E, 26),
        (0.905, 0.110, 1.0, 0x4A6F63, 33),
    ];
    let balloons = [
        Balloon {
            at: (0.62, 0.545),
            height: 0.085,
            colours: [0xC8553D, 0xF2E3C6, 0x3D5A80],
            n_gores: 8.0,
            zigzag: false,
        },
        Balloon {
            at: (1.02, 0.475),
            height: 0.115,
            colours: [0xE8B84A, 0xF7EFD9, 0xB5483A],
            n_gores: 8.0,
            zigzag: true,
        },
        Balloon {
            at: (0.86, 0.615),
            height: 0.070,
            colours: [0x587B7F, 0xE9DCC2, 0xD98A4A],
            n_gores: 6.0,
            zigzag: false,
        },
        Balloon {
            at: (1.66, 0.560),
            height: 0.095,
            colours: [0x8E5572, 0xF1D9C0, 0x5B3758],
            n_gores: 8.0,
            zigzag: false,
        },
        Balloon {
            at: (0.375, 0.300),
            height: 0.245,
            colours: [0xD9483B, 0xFBF1DC, 0x2F4B7C],
            n_gores: 10.0,
            zigzag: true,
        },
        Balloon {
            at: (1.315, 0.300),
            height: 0.400,
            colours: [0xE2703A, 0xF6C453, 0xFFF3D9],
            n_gores: 12.0,
            zigzag: false,
        },
        Balloon {
            at: (0.790, 0.175),
            height: 0.150,
            colours: [0x2A6F97, 0xF4F1E8, 0xE9A03B],
            n_gores: 10.0,
            zigzag: false,
        },
    ];
    let crests =
        hills.map(|(base, height, peaks, _, seed)| range(&canvas, base, height, peaks, 4, seed));
    for (i, &(_, _, _, colour, seed)) in hills.iter().enumerate() {
        let near = i as f32 / 3.0;
        let colour = Light::web(colour);
        canvas.fill_between(
            &crests[i],
            crests.get(i + 1).map(Vec::as_slice),
            |x, y, depth| {
                let billow = fractal(x * 1.6 + y, y * 17.0, 3, seed ^ 0x77);
                let thick = smooth(0.0, 0.13, depth * (0.5 + billow)) * (0.92 - 0.30 * near);
                let wood = 1.0 - 0.25 * near * fractal(x * 50.0, y * 110.0, 3, seed ^ 0x31);
                let towards = (-(x - sun.0).abs() * 2.0).exp() * (0.26 - 0.16 * near);
                (colour * wood).mix(Light::web(0xF3E4D2).mix(Light::web(0xC9D3D3), near), thick)
                    + warm * towards
            },
        );
        if i == 0 {
            balloons[..4]
                .iter()
                .for_each(|balloon| fly(&mut canvas, balloon));
        }
    }
    let mut scatter = Scatter::new(12);
    let ground = |x: f32| 0.995 - 0.05 * smooth(0.9, 0.0, x) - 0.035 * smooth(1.2, 1.78, x);
    for i in 0..190 {
        let x = scatter.between(-0.02, canvas.aspect() + 0.02);
        let height = scatter.between(0.025, 0.062);
        conifer(
            &mut canvas,
            (x, ground(x) + 0.012),
            height,
            Light::web(0x1E3B38).mix(Light::web(0x3B5A4C), scatter.unit()),
            i,
        );
    }
    let line: Vec<f32> = canvas.columns().into_iter().map(ground).collect();
    canvas.fill_below(&line, |_, _, _| Light::web(0x1E3B38));
    balloons[4..]
        .iter()
        .for_each(|balloon| fly(&mut canvas, balloon));
    canvas.develop(5)
}

/// The envelope's half width, in its own height, from its crown (0) to its mouth (1): a ball that runs into a cone.
fn profile(down: f32) -> f32 {
    let ball = 0.40;
    if down < 0.52 {
        let v = (down - ball) / ball;
        ball * (1.0 - v * v).max(0.0).sqrt()
    } else {
        // The tangent where the ball ends, easing towards the mouth.
        let v: f32 = (0.52 - ball) / ball;
        let (start, slope) = (ball * (1.0 - v * v).sqrt(), -v / (1.0 - v * v).sqrt());
        let t = (down - 0.52) / 0.48;
        let mouth = 0.085;
        let straight = start + slope * (down - 0.52);
        straight * (1.0 - t * t) + (mouth + (1.0 - t) * 0.16) * t * t
    }
}

fn fly(canvas: &mut Canvas, balloon: &Balloon) {
    let Balloon {
        at: (x, middle),
        height,
        colours,
        n_gores,
        zigzag,
    } = *balloon;
    let envelope = height * 0.80;
    let top = middle - height / 2.0;
    let mouth = top + envelope;
    let colours = colours.map(Light::web);
    // Far balloons take on the colour of the air.
    let air = smooth(0.22, 0.05, height) * 0.50;
    let haze = Light::web(0xE9DFD2);

    // Lines, then basket, so that the envelope's skirt lies over their ends.
    let basket = (mouth + height * 0.125, mouth + height * 0.20);
    let dark = Light::web(0x4A3426).mix(haze, air);
    for side in [-1.0f32, -0.35, 0.35, 1.0] {
        let thin = (height * 0.0032).max(canvas.pixel() * 0.45);
        canvas.fill_rows(
            mouth - height * 0.01,
            basket.0,
            |y| {
                let t = (y - mouth) / (basket.0 - mouth);
                let line = x + side * height * (0.064 - 0.030 * t);
                (line - thin, line + thin)
            },
            |_, _| (dark, 0.85),
        );
    }
    canvas.fill_rows(
        basket.0,
        basket.1,
        |y| {
            let half = height * (0.040 - 0.007 * (y - basket.0) / (basket.1 - basket.0));
            (x - half, x + half)
        },
        |y, u| {
            let weave = if ((y * 1400.0) as i32) % 3 == 0 {
                0.82
            } else {
                1.0
            };
            let rim = if y < basket.0 + height * 0.012 {
                0.6
            } else {
                1.0
            };
            (
                (Light::web(0x9A6B43) * (weave * rim * (0.95 - 0.45 * u))).mix(haze, air),
                1.0,
            )
        },
    );

    canvas.fill_rows(
        top,
        mouth,
        |y| {
            let half = envelope * profile((y - top) / envelope);
            (x - half, x + half)
        },
        |y, u| {
            let down = (y - top) / envelope;
            // Where on the ball this point is: longitude from the place across, latitude from the place down.
            let longitude = u.clamp(-0.999, 0.999).asin() / std::f32::consts::PI + 0.5;
            let gore = longitude * n_gores;
            let band = if zigzag {
                (down * 7.0 + (gore.fract() - 0.5).abs() * 1.1).floor()
            } else {
                gore.floor()
            };
            let ring = (0.155..0.185).contains(&down) || (0.80..0.83).contains(&down);
            let choice = if down < 0.07 || ring {
                2
            } else {
                (band as usize) % 2
            };
            let seam =
                1.0 - 0.16 * smooth(0.07, 0.0, (gore.fract() - 0.5).abs().mul_add(-1.0, 0.5));
            // The sun stands low on the left, the sky lights from above.
            let bulge = (1.0 - u * u).sqrt();
            let lift = (0.42 - down) * 1.5;
            let lambert = (-0.66 * u + 0.42 * bulge + 0.30 * lift).max(0.0);
            let light = 0.40 + 0.72 * lambert + 0.10 * smooth(0.5, 1.0, u.abs()) * (1.0 - lambert);
            let lit = colours[choice] * (light * seam)
                + Light::web(0xFFE3B8) * (0.10 * lambert * lambert);
            (lit.mix(haze, air), 1.0)
        },
    );
    // The dark inside of the mouth.
    canvas.ellipse(
        (x, mouth),
        (height * 0.064, height * 0.013),
        0.0,
        0.0,
        Light::web(0x3A2620).mix(haze, air),
        0.9,
    );
}
