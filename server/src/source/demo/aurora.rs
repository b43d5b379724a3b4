//! Northern lights over a still lake.

use crate::render::{Picture, Size};

use super::canvas::{Canvas, Gradient, Light, smooth};
use super::noise::{Scatter, fractal, fractal_line, noise, wave};
use super::sky::{conifer, range, stars};

const SHORE: f32 = 0.655;

/// One curtain: where it hangs, how it winds, how tall and how bright it is.
struct Curtain {
    hem: f32,
    winding: f32,
    height: f32,
    strength: f32,
    seed: u32,
}

pub(super) fn draw(size: Size) -> Picture {
    let sky = Gradient::new([
        (0.0, 0x040817),
        (0.3, 0x08142C),
        (0.52, 0x10304A),
        (0.66, 0x1F5560),
    ]);
    let mut canvas = Canvas::new(size, |_, y| sky.at(y));
    stars(&mut canvas, SHORE, 1.0, 77);

    let (green, teal, violet) = (
        Light([0.10, 0.95, 0.36]),
        Light([0.06, 0.62, 0.55]),
        Light([0.42, 0.16, 0.72]),
    );
    let curtains = [
        Curtain {
            hem: 0.47,
            winding: 0.20,
            height: 0.19,
            strength: 0.95,
            seed: 5,
        },
        Curtain {
            hem: 0.37,
            winding: 0.30,
            height: 0.24,
            strength: 0.62,
            seed: 19,
        },
        Curtain {
            hem: 0.56,
            winding: 0.10,
            height: 0.12,
            strength: 0.42,
            seed: 43,
        },
    ];
    for curtain in &curtains {
        let seed = curtain.seed;
        // Along the curtain everything hangs on x alone, so it is worked out once a column.
        let threads: Vec<(f32, f32, f32)> = canvas
            .columns()
            .into_iter()
            .map(|x| {
                let hem =
                    curtain.hem + curtain.winding * (fractal_line(x * 1.15 + 3.0, 3, seed) - 0.5);
                let folds = x * 16.0 + 7.0 * wave(x * 3.0, seed + 7);
                let rays =
                    0.45 + 0.75 * wave(folds, seed + 1) * (0.6 + 0.8 * wave(x * 70.0, seed + 2));
                let patches = smooth(0.18, 0.72, wave(x * 1.9 + 1.0, seed + 3));
                (
                    hem,
                    rays * patches,
                    curtain.height * (0.55 + 0.9 * wave(x * 9.0, seed + 4)),
                )
            })
            .collect();
        let pixel = canvas.pixel();
        canvas.shade(0.0, SHORE, |x, y, light| {
            // Rays lean towards a point high above the middle.
            let lean = (x - 0.89) * (curtain.hem - y) * 0.35;
            let index = ((x - lean) / pixel).clamp(0.0, (threads.len() - 1) as f32) as usize;
            let (hem, bright, height) = threads[index];
            let above = hem - y;
            if above < -0.03 {
                return light;
            }
            let rise = smooth(-0.022, 0.02, above);
            let fall = (-above.max(0.0) / height).exp();
            let bright = bright * curtain.strength * rise * fall;
            let hue = green
                .mix(teal, above * 3.2)
                .mix(violet, smooth(0.08, 0.36, above));
            light + hue * bright + violet * (0.25 * bright * smooth(0.1, 0.3, above))
        });
    }

    let far = range(&canvas, SHORE, 0.20, 1.5, 6, 12);
    let (rock, snow) = (Light::web(0x0B1A2A), Light::web(0x5E8F9A));
    canvas.fill_below(&far, |x, _, depth| {
        // Snow down to a ragged line, in facets that face the lights or turn away from them.
        let facets = fractal(
            x * 26.0 + depth * 60.0 * (wave(x * 7.0, 71) - 0.5),
            depth * 34.0 + x * 9.0,
            4,
            8,
        );
        let snowy = smooth(-0.012, 0.030, 0.055 + 0.17 * (facets - 0.5) - depth);
        let lit = 0.16 + 0.50 * smooth(0.40, 0.62, facets);
        rock.mix(snow, lit * snowy)
            .mix(Light::web(0x1C4650), smooth(0.03, 0.17, depth) * 0.6)
    });
    let near = range(&canvas, SHORE + 0.005, 0.075, 1.1, 5, 29);
    canvas.fill_below(&near, |_, _, depth| {
        Light::web(0x06111C).mix(Light::web(0x123440), smooth(0.01, 0.08, depth) * 0.5)
    });
    let mut scatter = Scatter::new(9);
    for i in 0..170 {
        let x = scatter.between(0.0, canvas.aspect());
        let height = scatter.between(0.012, 0.03);
        conifer(
            &mut canvas,
            (x, SHORE + 0.002),
            height,
            Light::web(0x050D16),
            i,
        );
    }

    canvas.mirror(
        SHORE,
        |x, depth| {
            let far = 1.0 / (depth + 0.035);
            let ripple = noise(x * 7.0 * far.min(9.0), far * 9.0, 3) - 0.5;
            (
                ripple * 0.02 * (0.2 + depth * 2.0),
                ripple * 0.05 * (0.15 + depth),
            )
        },
        |depth, light| {
            light.through(Light([0.62, 0.74, 0.80])) * (0.92 - 0.75 * depth)
                + Light::web(0x04101C) * 0.8
        },
    );
    canvas.shade(SHORE - 0.02, SHORE + 0.03, |x, y, light| {
        let band = (-((y - SHORE) / 0.008).powi(2)).exp() * (0.3 + 0.7 * noise(x * 4.0, 1.0, 6));
        light.mix(Light::web(0x3F8585), 0.45 * band)
    });

    // The near bank frames the water with dark spruces.
    let bank = |x: f32| {
        1.02 - 0.10 * smooth(0.55, 0.0, x) - 0.075 * smooth(1.35, 1.78, x)
            + 0.01 * fractal_line(x * 14.0, 3, 2)
    };
    let black = Light::web(0x02060C);
    for (i, (x, height)) in [
        (0.03, 0.40),
        (0.105, 0.30),
        (0.17, 0.35),
        (0.235, 0.21),
        (0.30, 0.15),
        (1.76, 0.33),
        (1.69, 0.24),
        (1.62, 0.28),
        (1.55, 0.15),
        (0.39, 0.09),
        (1.48, 0.10),
    ]
    .into_iter()
    .enumerate()
    {
        let index = i32::try_from(i).unwrap_or(0) + 400;
        conifer(
            &mut canvas,
            (x, bank(x) + 0.04),
            height + 0.03,
            black,
            index,
        );
    }
    let line: Vec<f32> = canvas.columns().into_iter().map(bank).collect();
    canvas.fill_below(&line, |_, _, _| black);
    canvas.develop(2)
}
