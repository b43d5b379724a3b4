//! Mountain ridges, one behind the other, in the haze of a summer evening.

use crate::render::{Picture, Size};

use super::canvas::{Canvas, Gradient, Light, smooth};
use super::noise::{Scatter, fractal};
use super::sky::{conifer, range};

pub(super) fn draw(size: Size) -> Picture {
    let sky = Gradient::new([
        (0.0, 0x2E3F6E),
        (0.2, 0x5F5F95),
        (0.36, 0xB57A93),
        (0.48, 0xEE9F7E),
        (0.58, 0xFFD39A),
    ]);
    let sun = (1.18, 0.452);
    let (disc, warm) = (Light([1.9, 1.45, 0.85]), Light::web(0xFFB060));
    let mut canvas = Canvas::new(size, |x, y| {
        let (dx, dy) = (x - sun.0, y - sun.1);
        let away = (dx * dx + dy * dy).sqrt();
        let glow = 0.55 * (-away * 5.5).exp() + 0.6 * (-away * 18.0).exp();
        if y > 0.5 {
            return (sky.at(y) + warm * glow).mix(disc, smooth(0.0345, 0.033, away));
        }
        let drift = fractal(x * 0.9, y * 4.0, 2, 77);
        let wisps = fractal(x * 1.9 + drift * 2.5, y * 15.0 + drift * 3.0, 5, 21);
        let streak = smooth(0.5, 0.8, wisps) * smooth(0.5, 0.12, y) * smooth(0.0, 0.08, y);
        let lit = sky.at(y).mix(Light::web(0xFFC9AE), 0.5 * streak);
        (lit + warm * glow).mix(disc, smooth(0.0345, 0.033, away))
    });

    // From far to near: where, how high, how rough, and of which colour.
    let layers = [
        (0.565, 0.105, 1.15, 0xC98B8C, 31),
        (0.625, 0.120, 1.30, 0xA8748A, 47),
        (0.700, 0.150, 1.20, 0x7D5B7F, 59),
        (0.785, 0.165, 1.05, 0x564770, 67),
        (0.880, 0.170, 0.95, 0x35345A, 83),
        (0.985, 0.175, 0.80, 0x1E2340, 97),
    ];
    let mist = Gradient::new([
        (0.5, 0xF6B896),
        (0.7, 0xCB9AA0),
        (0.85, 0x8C80A0),
        (1.0, 0x5A5E86),
    ]);
    let crests =
        layers.map(|(base, height, peaks, _, seed)| range(&canvas, base, height, peaks, 6, seed));
    for (i, &(_, _, _, colour, seed)) in layers.iter().enumerate() {
        let near = i as f32 / 5.0;
        let colour = Light::web(colour);
        canvas.fill_between(
            &crests[i],
            crests.get(i + 1).map(Vec::as_slice),
            |x, y, depth| {
                // Valleys fill with mist; towards the sun it glows.
                let billow = fractal(x * 1.7 + y * 2.0, y * 19.0 - x * 0.6, 3, seed ^ 0xF0);
                let thick = smooth(0.0, 0.15 + 0.05 * near, depth * (0.55 + 0.9 * billow))
                    * (0.85 - 0.35 * near);
                let towards = (-(x - sun.0).abs() * 1.7).exp() * (1.0 - near) * 0.35;
                let rim = (-depth * 90.0).exp() * towards * 0.8;
                colour.mix(mist.at(y), thick) + warm * (towards * 0.35 + rim)
            },
        );
    }

    // A wooded shoulder in front of it all.
    let mut scatter = Scatter::new(5);
    let ground = |x: f32| {
        0.985 - 0.13 * smooth(0.75, 0.0, x) - 0.055 * smooth(1.35, 1.8, x)
            + 0.012 * fractal(x * 9.0, 0.0, 3, 3)
    };
    let mut trees: Vec<_> = (0..150)
        .map(|i| {
            let x = scatter.between(-0.02, canvas.aspect() + 0.02);
            (
                x,
                scatter.between(0.035, 0.085) * (1.0 + 0.9 * smooth(0.6, 0.0, x)),
                i,
            )
        })
        .collect();
    trees.sort_by(|a, b| ground(a.0).total_cmp(&ground(b.0)));
    let dark = Light::web(0x0E1126);
    for (x, height, i) in trees {
        conifer(
            &mut canvas,
            (x, ground(x) + 0.01),
            height,
            dark.mix(Light::web(0x1B1F3A), height * 3.0 - 0.1),
            i,
        );
    }
    let line: Vec<f32> = canvas.columns().into_iter().map(ground).collect();
    canvas.fill_below(&line, |_, _, _| dark);
    canvas.develop(1)
}
