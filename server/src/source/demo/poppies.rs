//! A field of poppies in the afternoon, sharp in the middle distance and soft close by.

use crate::render::{Picture, Size};

use super::canvas::{Canvas, Gradient, Light, smooth};
use super::noise::{Scatter, fractal, fractal_line, noise};
use super::sky::{cloud, range};

const HORIZON: f32 = 0.43;

pub(super) fn draw(size: Size) -> Picture {
    let sky = Gradient::new([
        (0.0, 0x4F8FC9),
        (0.22, 0x86B6DC),
        (0.38, 0xC3D9E6),
        (0.45, 0xEFE6D2),
    ]);
    let mut canvas = Canvas::new(size, |x, y| {
        if y > 0.47 {
            return sky.at(y);
        }
        let heap = cloud(x * 1.05 + 5.0, y * 1.9, 0.54, 801) * smooth(0.47, 0.30, y);
        if heap <= 0.0 {
            return sky.at(y);
        }
        let under = cloud(x * 1.05 + 5.0, y * 1.9 + 0.045, 0.54, 801);
        let white = Light::web(0xFFFCF4).mix(Light::web(0xA9BCCF), 0.55 * under * heap);
        sky.at(y).mix(white, 0.94 * heap)
    });

    for (base, height, peaks, colour, seed) in [
        (0.432, 0.075, 1.1, 0x9DB2BE, 3),
        (0.437, 0.050, 1.6, 0x7F9C93, 9),
    ] {
        let crest = range(&canvas, base, height, peaks, 4, seed);
        canvas.fill_below(&crest, |_, _, depth| {
            Light::web(colour).mix(Light::web(0xE2DFCB), smooth(0.0, 0.075, depth) * 0.75)
        });
    }
    // A hedge of trees along the far edge of the field.
    let hedge: Vec<f32> = canvas
        .columns()
        .into_iter()
        .map(|x| {
            HORIZON + 0.008
                - 0.050
                    * smooth(0.42, 0.62, fractal_line(x * 3.0, 2, 44))
                    * (0.45 + 0.9 * fractal_line(x * 26.0, 4, 45))
        })
        .collect();
    canvas.fill_below(&hedge, |x, y, depth| {
        let crown = fractal(x * 42.0, y * 60.0, 3, 46);
        Light::web(0x31502F)
            .mix(
                Light::web(0x87A35A),
                smooth(0.40, 0.75, crown) * smooth(0.045, 0.0, depth),
            )
            .mix(Light::web(0xBCC7AC), 0.28)
    });

    let field = Gradient::new([
        (0.0, 0xB9BD74),
        (0.08, 0x92A64F),
        (0.25, 0x6B8A39),
        (0.57, 0x35571F),
    ]);
    let edge = vec![HORIZON + 0.006; canvas.columns().len()];
    canvas.fill_below(&edge, |x, y, down| {
        let far = 0.11 / (down + 0.022);
        let (across, along) = ((x - 0.9) * far * 9.0, far * 26.0);
        let swathes = fractal(across * 0.35, along * 0.5, 3, 55);
        let stalks = noise(across * 16.0, along * 2.0, 56) * 0.6
            + noise(across * 34.0 + y * 60.0, along * 5.0, 57) * 0.4;
        let light = field.at(down) * (0.62 + 0.36 * swathes + 0.42 * (stalks - 0.3));
        if down > 0.16 {
            return light;
        }
        // Far off the poppies run together into a red shimmer.
        let drifts = fractal(across * 0.5 + 9.0, along * 0.8, 4, 58);
        let red = smooth(0.46, 0.66, drifts) * smooth(0.16, 0.01, down) * 0.62;
        light.mix(Light::web(0xCF3F2A), red)
    });

    let mut scatter = Scatter::new(77);
    let mut flowers: Vec<(f32, f32)> = (0..2500)
        .map(|_| {
            let down = 0.018 + 0.62 * scatter.unit().powf(2.1);
            (scatter.between(-0.05, canvas.aspect() + 0.05), down)
        })
        // They grow in drifts.
        .filter(|&(x, down)| {
            down > 0.33
                || fractal(
                    (x - 0.9) * 0.5 / (down + 0.1) + 9.0,
                    4.0 / (down + 0.2),
                    2,
                    58,
                ) > 0.40
        })
        .collect();
    flowers.sort_by(|a, b| a.1.total_cmp(&b.1));
    for (i, &(x, down)) in flowers.iter().enumerate() {
        grass(&mut canvas, &mut scatter, down, i);
        flower(&mut canvas, &mut scatter, (x, HORIZON + down), down);
    }
    // Late light from the right.
    canvas.shade(0.0, 1.0, |x, y, light| {
        light + Light::web(0xFFDFA0) * (0.09 * smooth(0.2, 1.78, x) * smooth(0.95, 0.35, y))
    });
    canvas.develop(8)
}

/// How large things are at a depth below the horizon, and how far out of focus.
fn lens(down: f32) -> (f32, f32) {
    (
        0.0018 + 0.075 * down.powf(1.25),
        0.020 * smooth(0.36, 0.66, down),
    )
}

/// A few blades in front of everything farther away.
fn grass(canvas: &mut Canvas, scatter: &mut Scatter, down: f32, index: usize) {
    if down < 0.06 || index.is_multiple_of(2) {
        return;
    }
    let (size, blur) = lens(down);
    for _ in 0..2 {
        let (x, foot) = (
            scatter.between(0.0, canvas.aspect()),
            HORIZON + down + size * 1.6,
        );
        let height = size * scatter.between(1.4, 3.2);
        let bend = scatter.between(-0.35, 0.35) * height;
        let half = (size * 0.05 + blur * 0.25).max(canvas.pixel() * 0.5);
        let light = Light::web(scatter.pick(&[0x4F7A2A, 0x6E9A3A, 0x8FB04E, 0x3C6122]))
            * scatter.between(0.7, 1.2);
        let opacity = 0.85 / (1.0 + blur * 90.0);
        canvas.fill_rows(
            foot - height,
            foot,
            |y| {
                let up = (foot - y) / height;
                let middle = x + bend * up * up;
                (middle - half * (1.05 - up), middle + half * (1.05 - up))
            },
            |_, _| (light, opacity),
        );
    }
}

fn flower(canvas: &mut Canvas, scatter: &mut Scatter, at: (f32, f32), down: f32) {
    let (size, blur) = lens(down);
    let size = size * scatter.between(0.75, 1.2);
    let soft = (size * 0.10).max(blur);
    let red = Light::web(scatter.pick(&[0xD8301F, 0xE5452A, 0xC9261F, 0xEE5A33]));
    let air = smooth(0.20, 0.0, down) * 0.35;
    let red = red.mix(Light::web(0xE8C9A8), air);
    if size < 0.0045 {
        canvas.ellipse(at, (size, size * 0.62), 0.0, soft, red, 0.95);
        return;
    }
    // Stem, then the far petals, the near ones, the light on their rims, the heart.
    let stem = size * scatter.between(2.4, 3.4);
    let bend = scatter.between(-0.3, 0.3) * size;
    let half = (size * 0.035 + blur * 0.3).max(canvas.pixel() * 0.5);
    let green = Light::web(0x48702C);
    canvas.fill_rows(
        at.1,
        at.1 + stem,
        |y| {
            let t = (y - at.1) / stem;
            let middle = at.0 + bend * t * t;
            (middle - half, middle + half)
        },
        |_, _| (green, 0.8 / (1.0 + blur * 60.0)),
    );
    let turn = scatter.between(-0.35, 0.35);
    let open = scatter.between(0.45, 0.72);
    let petal = |canvas: &mut Canvas, aside: f32, up: f32, wide: f32, tall: f32, light: Light| {
        let (sin, cos) = turn.sin_cos();
        let centre = (
            at.0 + size * (aside * cos + up * sin),
            at.1 + size * (aside * sin - up * cos),
        );
        canvas.ellipse(
            centre,
            (size * wide, size * tall),
            turn + aside * 0.5,
            soft,
            light,
            0.96,
        );
    };
    petal(canvas, 0.0, 0.26, 0.80, open * 0.72, red * 0.62);
    petal(canvas, -0.45, 0.10, 0.58, open * 0.80, red * 0.82);
    petal(
        canvas,
        0.45,
        0.12,
        0.58,
        open * 0.80,
        red * 1.05 + Light([0.05, 0.02, 0.0]),
    );
    if size > 0.010 {
        petal(canvas, 0.0, 0.08, 0.24, 0.17, Light::web(0x1B1216));
        petal(canvas, 0.02, 0.10, 0.10, 0.07, Light::web(0x6C7A3A));
    }
    petal(canvas, 0.02, -0.20, 0.74, open * 0.62, red);
    petal(
        canvas,
        0.22,
        -0.14,
        0.36,
        open * 0.34,
        red.mix(Light::web(0xFF8A5A), 0.45),
    );
}
