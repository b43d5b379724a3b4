//! What several scenes have above and around them: stars, clouds, trees, ridges.

use super::canvas::{Canvas, Light, smooth};
use super::noise::{Scatter, fractal, ridged_line, speckle};

/// Stars above `bottom`, fainter towards it, few bright and many faint; `many` scales how many there are.
pub(super) fn stars(canvas: &mut Canvas, bottom: f32, many: f32, seed: u64) {
    let mut scatter = Scatter::new(seed);
    let tints = [
        Light::web(0xBFD4FF),
        Light::web(0xFFFFFF),
        Light::web(0xFFF1D6),
        Light::web(0xFFD9B0),
    ];
    let n_stars = (1500.0 * many * bottom * canvas.aspect()) as usize;
    for _ in 0..n_stars {
        let (x, y) = (
            scatter.between(0.0, canvas.aspect()),
            scatter.between(0.0, bottom),
        );
        let bright = scatter.unit().powi(7);
        let tint = scatter.pick(&tints);
        let haze = smooth(0.0, 0.4, (bottom - y) / bottom);
        let radius = (0.0011 + 0.0016 * bright).max(canvas.pixel() * 1.1);
        canvas.glow((x, y), radius, tint * ((0.12 + 1.5 * bright) * haze));
        if bright > 0.6 {
            canvas.glow((x, y), 0.012, tint * (0.05 * haze));
        }
    }
}

/// How much cloud there is at a place, 0 to 1: heaps in ever finer billows, drawn out along the horizon.
pub(super) fn cloud(x: f32, y: f32, cover: f32, seed: u32) -> f32 {
    let drift = fractal(x * 1.3, y * 2.6, 3, seed ^ 0xC10D);
    let billow = fractal(x * 2.2 + drift, y * 5.0 + drift * 0.7, 5, seed);
    smooth(1.0 - cover, 1.25 - cover, billow)
}

/// The crest of a mountain range for each column: `base` where it is lowest, `height` above that where it peaks.
pub(super) fn range(
    canvas: &Canvas,
    base: f32,
    height: f32,
    peaks: f32,
    n_octaves: u32,
    seed: u32,
) -> Vec<f32> {
    canvas
        .columns()
        .into_iter()
        .map(|x| base - height * ridged_line(x * peaks + 7.3, n_octaves, seed))
        .collect()
}

/// A conifer standing at `foot`, as a silhouette: tiers of branches that hang a little.
pub(super) fn conifer(canvas: &mut Canvas, foot: (f32, f32), height: f32, light: Light, seed: i32) {
    let width = height * (0.19 + 0.07 * speckle(seed, 0, 11));
    let tiers = 7.0 + 4.0 * speckle(seed, 1, 11);
    let lean = (speckle(seed, 2, 11) - 0.5) * 0.04;
    let top = foot.1 - height;
    canvas.fill_rows(
        top,
        foot.1,
        |y| {
            let down = (y - top) / height;
            let tier = (down.powf(0.85) * tiers).fract();
            let ragged = |side: i32| {
                let row = (y * 900.0) as i32;
                0.72 + 0.42 * tier + 0.28 * (speckle(row / 2, seed * 2 + side, 13) - 0.5)
            };
            let spread = width * down.powf(0.9);
            let trunk = height * 0.012 * down.min(0.3) / 0.3;
            let middle = foot.0 + lean * (foot.1 - y);
            if down > 0.95 {
                return (middle - trunk, middle + trunk);
            }
            (
                middle - trunk - spread * ragged(0),
                middle + trunk + spread * ragged(1),
            )
        },
        |_, _| (light, 1.0),
    );
}
