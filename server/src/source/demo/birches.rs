//! Birches in October, upright.

use crate::render::{Picture, Size};

use super::canvas::{Canvas, Gradient, Light, smooth};
use super::noise::{Scatter, fractal, fractal_line, noise, speckle};

pub(super) fn draw(size: Size) -> Picture {
    // Light falls in from behind, a little right of the middle; at the sides the wood closes.
    let depth = Gradient::new([
        (0.0, 0xC98B2F),
        (0.22, 0xE7B65A),
        (0.48, 0xFBE6B0),
        (0.66, 0xE9CE95),
        (0.78, 0xB98A4E),
        (1.0, 0x5B3A22),
    ]);
    let mut canvas = Canvas::new(size, |x, y| {
        let aside = (x - 0.33) / 0.30;
        let open = (-aside * aside).exp();
        let leafy = fractal(x * 9.0, y * 9.0, 3, 3);
        let wood = Light::web(0x7A5A26).mix(Light::web(0xB9852F), leafy);
        let above = smooth(0.80, 0.62, y);
        depth.at(y).mix(
            wood,
            (1.0 - open) * 0.62 * above + 0.30 * (1.0 - leafy) * above,
        )
    });
    let width = canvas.aspect();
    let mut scatter = Scatter::new(41);
    // Leaves far out of focus.
    let gold = [0xF4C542, 0xE8A42C, 0xD9822B, 0xC9B04A, 0xF7DD82, 0xB9702A].map(Light::web);
    for _ in 0..420 {
        let at = (
            scatter.between(-0.02, width + 0.02),
            0.66 * scatter.unit().powf(1.25),
        );
        let radius = scatter.between(0.007, 0.022);
        let opacity = scatter.between(0.08, 0.30);
        canvas.ellipse(
            at,
            (radius, radius),
            0.0,
            radius * 0.35,
            scatter.pick(&gold),
            opacity,
        );
    }

    let floor = 0.735;
    let litter = [0xB5652A, 0xC9822F, 0x8C4A22, 0xDDA63F, 0x74411F, 0xA8722E].map(Light::web);
    let line: Vec<f32> = canvas
        .columns()
        .into_iter()
        .map(|x| floor + 0.012 * fractal_line(x * 6.0, 3, 8))
        .collect();
    canvas.fill_below(&line, |x, y, down| {
        let far = 0.3 / (down + 0.06);
        let patch = fractal(x * far * 3.0, far * 14.0, 4, 15);
        let open = (-((x - 0.33) / 0.22).powi(2)).exp() * (-down * 5.0).exp();
        let ground = Light::web(0x5E3519).mix(Light::web(0xB9772F), patch)
            * (1.0 - 0.55 * smooth(0.05, 0.30, down));
        ground.mix(Light::web(0xF5DDA0), 0.75 * open).mix(
            Light::web(0xE9CE95),
            0.8 * smooth(0.045, 0.0, down) * (0.6 + 0.4 * noise(x * 9.0, y, 2)),
        )
    });

    // Trunks from far to near: the far ones drown in light.
    let mut trunks = vec![];
    for (n, far, thin, thick, foot) in [
        (24, 0.0, 0.003, 0.006, 0.748),
        (9, 0.38, 0.007, 0.012, 0.785),
        (4, 0.72, 0.014, 0.020, 0.840),
    ] {
        for i in 0..n {
            let x = (i as f32 + scatter.between(0.1, 0.9)) / n as f32 * (width + 0.04) - 0.02;
            trunks.push((
                x,
                foot + scatter.between(-0.012, 0.02),
                scatter.between(thin, thick),
                far,
            ));
        }
    }
    let n_behind = trunks.len();
    trunks.extend([
        (0.445, 0.905, 0.027, 0.95),
        (0.225, 0.935, 0.029, 1.0),
        (0.062, 0.965, 0.036, 1.0),
    ]);
    for (i, &(x, foot, half, near)) in trunks.iter().enumerate() {
        let seed = u32::try_from(i).unwrap_or(0) * 13 + 100;
        if i == n_behind {
            leaves(
                &mut canvas,
                &mut scatter,
                &litter,
                (0.775, 1.01),
                2600,
                0.0062,
            );
        }
        trunk(&mut canvas, (x, foot), half, near, seed);
    }
    leaves(
        &mut canvas,
        &mut scatter,
        &litter,
        (0.966, 1.01),
        420,
        0.0066,
    );

    // A veil of sun, then leaves in focus: hanging above, a few on their way down.
    canvas.shade(0.0, 0.95, |x, y, light| {
        let ray = fractal_line((x - 0.62 + y * 0.42) * 9.0, 2, 77);
        let beam = smooth(0.45, 0.85, ray) * smooth(0.95, 0.15, y) * 0.17;
        light + Light::web(0xFFE2A0) * beam
    });
    let branches = [
        (0.0, 0.05),
        (0.13, 0.02),
        (0.30, -0.01),
        (0.42, 0.03),
        (0.56, 0.06),
        (0.53, 0.17),
        (0.02, 0.19),
        (0.22, 0.07),
    ];
    for (x, y) in branches {
        for _ in 0..95 {
            let (dx, dy) = (
                scatter.unit() + scatter.unit() - 1.0,
                scatter.unit() + scatter.unit() - 1.0,
            );
            leaf(
                &mut canvas,
                &mut scatter,
                (x + dx * 0.15, y + dy * 0.075),
                0.0085,
                &gold,
            );
        }
    }
    for _ in 0..26 {
        let at = (scatter.between(0.0, width), scatter.between(0.2, 0.8));
        leaf(&mut canvas, &mut scatter, at, 0.0075, &gold);
    }
    canvas.develop(6)
}

fn leaf(canvas: &mut Canvas, scatter: &mut Scatter, at: (f32, f32), size: f32, colours: &[Light]) {
    let length = size * scatter.between(0.7, 1.15);
    let turn = scatter.between(-1.4, 1.4) + 0.9;
    let light = scatter.pick(colours) * scatter.between(0.65, 1.15);
    let breadth = length * scatter.between(0.35, 0.75);
    canvas.ellipse(at, (length, breadth), turn, 0.0015, light, 0.95);
    canvas.ellipse(
        (at.0 - 0.001, at.1 - 0.001),
        (length * 0.7, breadth * 0.45),
        turn,
        0.003,
        light * 1.25,
        0.5,
    );
}

/// Fallen leaves between two heights, flatter and smaller the farther away.
fn leaves(
    canvas: &mut Canvas,
    scatter: &mut Scatter,
    colours: &[Light],
    between: (f32, f32),
    n: usize,
    size: f32,
) {
    for _ in 0..n {
        let t = scatter.unit();
        let at = (
            scatter.between(0.0, canvas.aspect()),
            between.0 + (between.1 - between.0) * t,
        );
        let length = size * scatter.between(0.6, 1.2) * (0.55 + 0.45 * t);
        let light = scatter.pick(colours)
            * (scatter.between(0.5, 1.15) * (1.0 - 0.35 * smooth(0.85, 1.0, at.1)));
        canvas.ellipse(
            at,
            (length, length * 0.42),
            scatter.between(-0.5, 0.5),
            0.001,
            light,
            0.9,
        );
    }
}

/// A birch from the top of the picture to its foot: white, round, marked with dark lines and scars.
fn trunk(canvas: &mut Canvas, foot: (f32, f32), half: f32, near: f32, seed: u32) {
    let haze = Light::web(0xF6DDA2);
    let lean = (speckle(1, 2, seed) - 0.5) * 0.05;
    let n_scars = 9;
    let scars: Vec<(f32, f32, f32)> = (0..n_scars)
        .map(|i| {
            (
                foot.1 * (i as f32 + speckle(i, 5, seed)) / n_scars as f32,
                speckle(i, 6, seed) * 1.5 - 0.75,
                0.45 + 0.55 * speckle(i, 7, seed),
            )
        })
        .collect();
    canvas.fill_rows(
        -0.01,
        foot.1,
        |y| {
            let up = foot.1 - y;
            let flare = 1.0 + 0.55 * (-up / (half * 1.6)).exp();
            let half = half
                * (0.78 + 0.22 * (1.0 - up))
                * flare
                * (0.97 + 0.06 * fractal_line(y * 30.0, 2, seed));
            let middle =
                foot.0 + lean * up + half * 0.7 * (fractal_line(y * 2.2, 2, seed + 1) - 0.5);
            (middle - half, middle + half)
        },
        |y, u| {
            let round = (1.0 - u * u).sqrt();
            // The sun stands behind and to the right: that edge glows, the left one lies in shade.
            let lit = 0.36 + 0.38 * round * (0.75 + 0.25 * u) + 0.52 * smooth(0.30, 1.0, u);
            let bark = Light::web(0xD9D2C4).mix(
                Light::web(0xF4EBDA),
                noise(u * 2.0, y / half * 0.7, seed + 2),
            );
            let wrap = u.asin();
            let lines = noise(wrap * 1.6 + 5.0, y / half * 3.1, seed + 3) * 0.62
                + noise(wrap * 4.0, y / half * 7.0, seed + 4) * 0.38;
            let mut dark = 0.72 * smooth(0.655, 0.74, lines);
            // Where branches were: dark brows, their ends drawn down by the growing bark.
            for &(at, across, size) in scars.iter().filter(|scar| (y - scar.0).abs() < half * 0.6) {
                let (dx, dy) = (
                    (u - across) / (0.42 * size),
                    (y - at) / (half * 0.17 * size),
                );
                let brow = dy - 1.6 * dx * dx;
                dark += 0.9 * smooth(1.0, 0.45, dx * dx + brow * brow);
            }
            // Towards the ground the bark turns rough and dark.
            if foot.1 - y < 0.16 {
                dark += smooth(0.16, 0.0, foot.1 - y)
                    * smooth(0.40, 0.72, fractal(wrap * 3.0, y / half * 2.2, 3, seed + 6));
            }
            let paint = bark
                .mix(Light::web(0x2A201A), dark.min(0.92))
                .through(Light([1.0, 0.93, 0.80]))
                * lit;
            (
                paint.mix(haze, 0.80 * (1.0 - near).powi(2) + 0.10 * (1.0 - near)),
                0.55 + 0.45 * near.max(0.5),
            )
        },
    );
}
