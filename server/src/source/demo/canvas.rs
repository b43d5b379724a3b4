//! A sheet of light to paint on: linear RGB in floating point, anti-aliased shapes, and the way from there to 8 bits.
//! Lengths are in heights of the sheet: y runs from 0 at the top to 1, x from 0 to [`Canvas::aspect`].

use std::ops::{Add, Mul};

use crate::render::{Picture, Size};

use super::noise::speckle;

/// Linear light, red, green, blue; 1 is the brightest that a screen shows, and light may exceed it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Light(pub(super) [f32; 3]);

impl Add for Light {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self([
            self.0[0] + other.0[0],
            self.0[1] + other.0[1],
            self.0[2] + other.0[2],
        ])
    }
}

impl Mul<f32> for Light {
    type Output = Self;

    fn mul(self, by: f32) -> Self {
        Self(self.0.map(|channel| channel * by))
    }
}

impl Light {
    /// From `0xRRGGBB` as on the web.
    ///
    /// A cubic stands in for the exact curve: it is off by less than a step of eight bits, and colours written out in
    /// the middle of a loop over all pixels cost nothing.
    pub(super) const fn web(rgb: u32) -> Self {
        const fn channel(byte: u32) -> f32 {
            let c = (byte & 0xFF) as f32 / 255.0;
            c * (c * (c * 0.305_306 + 0.682_171_1) + 0.012_522_9)
        }
        Self([channel(rgb >> 16), channel(rgb >> 8), channel(rgb)])
    }

    /// Between this and another, `t` 0 to 1.
    pub(super) fn mix(self, other: Self, t: f32) -> Self {
        let t = t.clamp(0.0, 1.0);
        self * (1.0 - t) + other * t
    }

    /// As if seen through a coloured glass.
    pub(super) fn through(self, glass: Self) -> Self {
        Self([
            self.0[0] * glass.0[0],
            self.0[1] * glass.0[1],
            self.0[2] * glass.0[2],
        ])
    }
}

/// 0 below `low`, 1 above `high`, smooth between.
pub(super) fn smooth(low: f32, high: f32, at: f32) -> f32 {
    let t = ((at - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Colours along a line: places that only grow, with the light there.
pub(super) struct Gradient<const N: usize>(pub(super) [(f32, Light); N]);

impl<const N: usize> Gradient<N> {
    pub(super) fn new(stops: [(f32, u32); N]) -> Self {
        Self(stops.map(|(at, rgb)| (at, Light::web(rgb))))
    }

    pub(super) fn at(&self, place: f32) -> Light {
        let mut below = self.0[0];
        for &stop in &self.0 {
            if place < stop.0 {
                let t = (place - below.0) / (stop.0 - below.0).max(1e-6);
                return below.1.mix(stop.1, smooth(0.0, 1.0, t));
            }
            below = stop;
        }
        below.1
    }
}

/// The sheet.
pub(super) struct Canvas {
    size: Size,
    lights: Vec<Light>,
}

impl Canvas {
    /// A sheet painted point by point.
    pub(super) fn new(size: Size, paint: impl Fn(f32, f32) -> Light) -> Self {
        let mut canvas = Self {
            size,
            lights: vec![Light::default(); size.width as usize * size.height as usize],
        };
        canvas.shade(0.0, 1.0, |x, y, _| paint(x, y));
        canvas
    }

    /// Width in heights.
    pub(super) fn aspect(&self) -> f32 {
        self.size.width as f32 / self.size.height as f32
    }

    /// The height of a pixel.
    pub(super) fn pixel(&self) -> f32 {
        1.0 / self.size.height as f32
    }

    /// The columns' centres.
    pub(super) fn columns(&self) -> Vec<f32> {
        let pixel = self.pixel();
        (0..self.size.width)
            .map(|x| (x as f32 + 0.5) * pixel)
            .collect()
    }

    /// Repaints the rows from `top` to `bottom`, each point from its place and what is there.
    pub(super) fn shade(
        &mut self,
        top: f32,
        bottom: f32,
        paint: impl Fn(f32, f32, Light) -> Light,
    ) {
        let (pixel, width) = (self.pixel(), self.size.width as usize);
        let (first, last) = self.rows(top, bottom);
        for (y, row) in
            (first..last).zip(self.lights[first * width..last * width].chunks_exact_mut(width))
        {
            let y = (y as f32 + 0.5) * pixel;
            for (x, light) in row.iter_mut().enumerate() {
                *light = paint((x as f32 + 0.5) * pixel, y, *light);
            }
        }
    }

    /// Fills what lies below a line given for each column, down to a second one where something nearer will cover it.
    /// `paint` gets x, y and the depth below the line.
    pub(super) fn fill_between(
        &mut self,
        line: &[f32],
        until: Option<&[f32]>,
        paint: impl Fn(f32, f32, f32) -> Light,
    ) {
        let (pixel, width) = (self.pixel(), self.size.width as usize);
        let top = line.iter().copied().fold(1.0, f32::min);
        let (first, last) = self.rows(top - pixel, 1.0);
        for (y, row) in
            (first..last).zip(self.lights[first * width..last * width].chunks_exact_mut(width))
        {
            let y = (y as f32 + 0.5) * pixel;
            for (x, light) in row.iter_mut().enumerate() {
                let cover = ((y - line[x]) / pixel + 0.5).clamp(0.0, 1.0);
                let hidden = until.is_some_and(|until| y > until[x] + pixel);
                if cover > 0.0 && !hidden {
                    *light = light.mix(
                        paint((x as f32 + 0.5) * pixel, y, (y - line[x]).max(0.0)),
                        cover,
                    );
                }
            }
        }
    }

    /// Fills all that lies below a line.
    pub(super) fn fill_below(&mut self, line: &[f32], paint: impl Fn(f32, f32, f32) -> Light) {
        self.fill_between(line, None, paint);
    }

    /// Fills a shape given by its left and right edge in each row; an empty row has left >= right. `paint` gets y and
    /// the place across, -1 at the left edge to 1 at the right, and returns a light and how opaque it is.
    pub(super) fn fill_rows(
        &mut self,
        top: f32,
        bottom: f32,
        edges: impl Fn(f32) -> (f32, f32),
        paint: impl Fn(f32, f32) -> (Light, f32),
    ) {
        let (pixel, width) = (self.pixel(), self.size.width as usize);
        let (first, last) = self.rows(top - pixel, bottom + pixel);
        for row in first..last {
            let y = (row as f32 + 0.5) * pixel;
            let ends = ((y - top) / pixel + 0.5)
                .min((bottom - y) / pixel + 0.5)
                .clamp(0.0, 1.0);
            let (left, right) = edges(y.clamp(top, bottom));
            if ends <= 0.0 || left >= right {
                continue;
            }
            let (middle, half) = ((left + right) / 2.0, (right - left) / 2.0);
            let start = ((left / pixel - 1.0).max(0.0) as usize).min(width);
            let end = ((right / pixel + 2.0).max(0.0) as usize).min(width);
            for (x, light) in
                (start..end).zip(&mut self.lights[row * width + start..row * width + end])
            {
                let x = (x as f32 + 0.5) * pixel;
                let cover = ((x - left) / pixel + 0.5).clamp(0.0, 1.0)
                    + ((right - x) / pixel + 0.5).clamp(0.0, 1.0)
                    - 1.0;
                if cover > 0.0 {
                    let (paint, opacity) = paint(y, ((x - middle) / half).clamp(-1.0, 1.0));
                    *light = light.mix(paint, cover * ends * opacity);
                }
            }
        }
    }

    /// An ellipse turned by `turn` radians, its edge `soft` wide (at least a pixel).
    pub(super) fn ellipse(
        &mut self,
        at: (f32, f32),
        radii: (f32, f32),
        turn: f32,
        soft: f32,
        paint: Light,
        opacity: f32,
    ) {
        let (sin, cos) = turn.sin_cos();
        let soft = soft.max(self.pixel());
        let reach = (
            (radii.0 * cos).hypot(radii.1 * sin) + soft,
            (radii.0 * sin).hypot(radii.1 * cos) + soft,
        );
        // Most points are plainly inside or outside; only near the edge its distance matters.
        let margin = soft / radii.0.min(radii.1);
        let (inside, outside) = ((1.0 - margin).max(0.0).powi(2), (1.0 + margin).powi(2));
        self.touch(at, reach, |dx, dy, light| {
            let u = (dx * cos + dy * sin) / radii.0;
            let v = (dy * cos - dx * sin) / radii.1;
            let square = u * u + v * v;
            if square >= outside {
                return light;
            }
            if square <= inside {
                return light.mix(paint, opacity);
            }
            let r = square.sqrt();
            // The distance to the edge, from how fast r grows here.
            let slope = (u / radii.0).hypot(v / radii.1) / r.max(1e-6);
            let cover = (0.5 - (r - 1.0) / slope.max(1e-6) / soft).clamp(0.0, 1.0);
            light.mix(paint, cover * opacity)
        });
    }

    /// Adds a round glow that fades out at `radius`.
    pub(super) fn glow(&mut self, at: (f32, f32), radius: f32, light: Light) {
        self.touch(at, (radius, radius), |dx, dy, there| {
            let falling = (1.0 - (dx * dx + dy * dy) / (radius * radius)).max(0.0);
            there + light * (falling * falling * falling)
        });
    }

    /// The light at a place, between its four neighbours; outside, that of the nearest edge.
    pub(super) fn sample(&self, x: f32, y: f32) -> Light {
        let (width, height) = (self.size.width as usize, self.size.height as usize);
        let scale = self.size.height as f32;
        let (x, y) = (
            (x * scale - 0.5).clamp(0.0, (width - 1) as f32),
            (y * scale - 0.5).clamp(0.0, (height - 1) as f32),
        );
        let (i, j) = (x as usize, y as usize);
        let (s, t) = (x - i as f32, y - j as f32);
        let row = |j: usize| {
            self.lights[j * width + i].mix(self.lights[j * width + (i + 1).min(width - 1)], s)
        };
        row(j).mix(row((j + 1).min(height - 1)), t)
    }

    /// Turns what lies below `shore` into water that mirrors what lies above. `ripple` gives for x and the depth below
    /// the shore how far aside and up the mirrored point lies; `tint` colours it, by depth.
    pub(super) fn mirror(
        &mut self,
        shore: f32,
        ripple: impl Fn(f32, f32) -> (f32, f32),
        tint: impl Fn(f32, Light) -> Light,
    ) {
        let (pixel, width) = (self.pixel(), self.size.width as usize);
        let (first, last) = self.rows(shore, 1.0);
        for row in first..last {
            let depth = (row as f32 + 0.5) * pixel - shore;
            let lights: Vec<_> = (0..width)
                .map(|x| {
                    let x = (x as f32 + 0.5) * pixel;
                    let (aside, up) = ripple(x, depth);
                    tint(
                        depth,
                        self.sample(x + aside, (shore - depth - up).min(shore - pixel)),
                    )
                })
                .collect();
            self.lights[row * width..][..width].copy_from_slice(&lights);
        }
    }

    /// Eight bits: highlights roll off instead of clipping, corners fall off a little, and a fine grain keeps smooth
    /// skies from showing steps.
    pub(super) fn develop(&self, seed: u32) -> Picture {
        const STEPS: usize = 4096;
        // By the root of the light, where the eye wants its steps to be.
        let curve: Vec<f32> = (0..=STEPS)
            .map(|i| {
                let light = (i as f32 / STEPS as f32).powi(2) * 2.0;
                let light = if light < 0.7 {
                    light
                } else {
                    1.0 - 0.3 * (-(light - 0.7) / 0.3).exp()
                };
                let shown = if light <= 0.003_130_8 {
                    light * 12.92
                } else {
                    1.055 * light.powf(1.0 / 2.4) - 0.055
                };
                shown * 255.0
            })
            .collect();
        let (width, height) = (self.size.width, self.size.height);
        let mut pixels = Vec::with_capacity(self.lights.len() * 3);
        let half = (width as f32 / 2.0, height as f32 / 2.0);
        for y in 0..height {
            let down = (y as f32 - half.1) / half.1;
            for (x, light) in self.lights[(y * width) as usize..]
                .iter()
                .take(width as usize)
                .enumerate()
            {
                let across = (x as f32 - half.0) / half.0;
                let corner = across * across + down * down;
                let dimmed = 1.0 - 0.09 * corner * corner * 0.5;
                let grain = (speckle(x as i32, y.cast_signed(), seed) - 0.5) * 2.2;
                pixels.extend(light.0.map(|channel| {
                    let at = (channel * dimmed * 0.5).clamp(0.0, 1.0).sqrt() * STEPS as f32;
                    (curve[at as usize] + grain + 0.5).clamp(0.0, 255.0) as u8
                }));
            }
        }
        Picture::new(width, height, pixels)
            .unwrap_or_else(|_| Picture::filled(width, height, [0; 3]))
    }

    /// Calls `paint` with the offset from `at` for every point no further than `reach` across and down.
    fn touch(
        &mut self,
        at: (f32, f32),
        reach: (f32, f32),
        paint: impl Fn(f32, f32, Light) -> Light,
    ) {
        let (pixel, width) = (self.pixel(), self.size.width as usize);
        let (first, last) = self.rows(at.1 - reach.1, at.1 + reach.1);
        let start = (((at.0 - reach.0) / pixel).floor().max(0.0) as usize).min(width);
        let end = (((at.0 + reach.0) / pixel).ceil().max(0.0) as usize).min(width);
        for y in first..last {
            let dy = (y as f32 + 0.5) * pixel - at.1;
            for (x, light) in
                (start..end).zip(&mut self.lights[y * width + start..y * width + end.max(start)])
            {
                *light = paint((x as f32 + 0.5) * pixel - at.0, dy, *light);
            }
        }
    }

    /// Indices of the rows that a stretch from `top` to `bottom` touches.
    fn rows(&self, top: f32, bottom: f32) -> (usize, usize) {
        let height = self.size.height as usize;
        let index = |at: f32| (at.max(0.0) as usize).min(height);
        let first = index((top * height as f32).floor());
        (first, index((bottom * height as f32).ceil()).max(first))
    }
}
