//! Randomness that is always the same: hashes of coordinates, smooth noise over them, and a little generator for
//! scattering things. Nothing here reads a clock or an entropy source.

/// A well mixed number for a point and a seed (the finaliser of MurmurHash3).
fn hash(x: i32, y: i32, seed: u32) -> u32 {
    let mut h = x.cast_unsigned().wrapping_mul(0x9E37_79B1)
        ^ y.cast_unsigned().wrapping_mul(0x85EB_CA77)
        ^ seed.wrapping_mul(0xC2B2_AE3D);
    h = (h ^ (h >> 16)).wrapping_mul(0x85EB_CA6B);
    h = (h ^ (h >> 13)).wrapping_mul(0xC2B2_AE35);
    h ^ (h >> 16)
}

/// 0 to 1, the same for the same point.
pub(super) fn speckle(x: i32, y: i32, seed: u32) -> f32 {
    (hash(x, y, seed) >> 8) as f32 / 16_777_216.0
}

/// The lattice cell of a coordinate, and how far into it, eased so that neither slope nor curvature jumps.
fn cell(at: f32) -> (i32, f32) {
    // Rounding down by hand: without SSE 4.1 `floor` is a call into the C library, and this runs for every octave of
    // every pixel.
    let towards_zero = at as i32;
    let index = towards_zero - i32::from((towards_zero as f32) > at);
    let t = at - index as f32;
    (index, t * t * t * (t * (t * 6.0 - 15.0) + 10.0))
}

/// Smooth noise over the plane, 0 to 1, with features about one unit wide.
pub(super) fn noise(x: f32, y: f32, seed: u32) -> f32 {
    let ((i, s), (j, t)) = (cell(x), cell(y));
    let row = |j: i32| {
        let (a, b) = (speckle(i, j, seed), speckle(i + 1, j, seed));
        a + (b - a) * s
    };
    let (a, b) = (row(j), row(j + 1));
    a + (b - a) * t
}

/// Smooth noise along a line, 0 to 1.
pub(super) fn wave(x: f32, seed: u32) -> f32 {
    let (i, s) = cell(x);
    let (a, b) = (speckle(i, 0, seed), speckle(i + 1, 0, seed));
    a + (b - a) * s
}

/// Noise with ever finer detail, each octave half as strong; 0 to 1, mostly near a half.
pub(super) fn fractal(x: f32, y: f32, n_octaves: u32, seed: u32) -> f32 {
    let (mut sum, mut total, mut strength, mut scale) = (0.0, 0.0, 1.0, 1.0);
    for octave in 0..n_octaves {
        sum += strength * noise(x * scale, y * scale, seed.wrapping_add(octave));
        total += strength;
        strength *= 0.5;
        // Not quite two, so that the lattices never line up.
        scale *= 2.03;
    }
    sum / total
}

/// The same along a line.
pub(super) fn fractal_line(x: f32, n_octaves: u32, seed: u32) -> f32 {
    let (mut sum, mut total, mut strength, mut scale) = (0.0, 0.0, 1.0, 1.0);
    for octave in 0..n_octaves {
        sum += strength * wave(x * scale, seed.wrapping_add(octave));
        total += strength;
        strength *= 0.5;
        scale *= 2.03;
    }
    sum / total
}

/// Mountains: noise folded so that its peaks are sharp and its valleys round; 0 to 1.
pub(super) fn ridged_line(x: f32, n_octaves: u32, seed: u32) -> f32 {
    let (mut sum, mut total, mut strength, mut scale) = (0.0, 0.0, 1.0, 1.0);
    for octave in 0..n_octaves {
        let folded = 1.0 - (2.0 * wave(x * scale, seed.wrapping_add(octave)) - 1.0).abs();
        sum += strength * folded * folded;
        total += strength;
        strength *= 0.45;
        scale *= 2.17;
    }
    sum / total
}

/// A sequence of numbers, fixed by its seed (SplitMix64).
pub(super) struct Scatter(u64);

impl Scatter {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 0 to 1.
    pub(super) fn unit(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 40) as f32 / 16_777_216.0
    }

    /// `low` to `high`.
    pub(super) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// One of several.
    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        let index = (self.unit() * from.len() as f32) as usize;
        from[index.min(from.len() - 1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_stays_in_bounds_and_is_smooth() {
        for i in -400..400 {
            let x = i as f32 * 0.137;
            for value in [
                noise(x, -x * 0.7, 3),
                wave(x, 5),
                fractal(x, x * 0.3, 5, 7),
                fractal_line(x, 5, 7),
                ridged_line(x, 5, 9),
            ] {
                assert!((0.0..=1.0).contains(&value), "{value} at {x}");
            }
            assert!(
                (noise(x, x, 3) - noise(x + 1e-3, x, 3)).abs() < 0.01,
                "at {x}"
            );
        }
    }

    #[test]
    fn a_seed_fixes_the_sequence() {
        let draw = |seed| -> Vec<f32> {
            let mut scatter = Scatter::new(seed);
            (0..50).map(|_| scatter.unit()).collect()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert!(draw(1).iter().all(|value| (0.0..1.0).contains(value)));
    }
}
