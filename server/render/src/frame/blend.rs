//! Between two pictures: the arithmetic of a crossfade, and nothing of its time.

use crate::picture::Picture;

/// How much of the second picture is seen: 0 is none of it, 256 is nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alpha(u16);

impl Alpha {
    /// Only the first picture.
    pub const NONE: Self = Self(0);
    /// Only the second picture.
    pub const FULL: Self = Self(256);

    /// In 256ths; what is above is [`Alpha::FULL`].
    pub const fn new(of_256: u16) -> Self {
        if of_256 > 256 {
            Self::FULL
        } else {
            Self(of_256)
        }
    }

    /// `part` of `whole`, rounded down; `whole` 0 is [`Alpha::FULL`].
    pub fn of(part: u64, whole: u64) -> Self {
        if part >= whole {
            return Self::FULL;
        }
        let of_256 = u128::from(part) * 256 / u128::from(whole);
        Self(u16::try_from(of_256).unwrap_or(256))
    }

    /// The value in 256ths, 0 to 256.
    pub const fn of_256(self) -> u16 {
        self.0
    }
}

/// Mixes two pictures of one size, byte by byte: `a * (1 - alpha) + b * alpha`, rounded to nearest.
///
/// `out` takes `a`'s size and keeps its memory where that suffices. Where the sizes differ, there is nothing to
/// mix: `out` becomes a copy of `a` or, from one half on, of `b`.
pub fn blend(a: &Picture, b: &Picture, alpha: Alpha, out: &mut Picture) {
    let single = match alpha {
        Alpha::NONE => Some(a),
        Alpha::FULL => Some(b),
        _ if a.size() != b.size() => Some(if alpha.0 < 128 { a } else { b }),
        _ => None,
    };
    if let Some(picture) = single {
        out.reshape(picture.size());
        out.pixels_mut().copy_from_slice(picture.pixels());
        return;
    }
    out.reshape(a.size());
    mix(a.pixels(), b.pixels(), alpha, out.pixels_mut());
}

/// Mixes bytes as [`blend`] does. 255 * 256 + 128 still fits 16 bits, and sixteen bits are what lets the compiler take
/// eight or sixteen pixels' bytes at once. The lengths are those of the shortest.
pub(crate) fn mix(a: &[u8], b: &[u8], alpha: Alpha, out: &mut [u8]) {
    let Alpha(of_256) = alpha;
    let rest = 256 - of_256;
    for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
        let mixed = u16::from(a) * rest + u16::from(b) * of_256 + 128;
        *out = (mixed >> 8) as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Slow, and plainly what is meant.
    fn oracle(a: u8, b: u8, of_256: u16) -> u8 {
        let exact = u32::from(a) * (256 - u32::from(of_256)) + u32::from(b) * u32::from(of_256);
        let rounded_down = exact / 256;
        let up = u32::from(exact % 256 >= 128);
        u8::try_from(rounded_down + up).expect("a mean of bytes is a byte")
    }

    #[test]
    fn every_pair_of_bytes_at_every_alpha() {
        let all: Vec<u8> = (0..=255).cycle().take(258).collect();
        let b = Picture::new(86, 1, all.clone()).unwrap();
        let mut out = Picture::filled(1, 1, [0; 3]);
        for of_256 in 0..=256 {
            for a in [0, 1, 2, 7, 100, 127, 128, 129, 200, 254, 255] {
                blend(
                    &Picture::filled(86, 1, [a; 3]),
                    &b,
                    Alpha::new(of_256),
                    &mut out,
                );
                let expected: Vec<u8> = all.iter().map(|&b| oracle(a, b, of_256)).collect();
                assert_eq!(out.pixels(), expected, "{a} at {of_256}");
            }
        }
    }

    #[test]
    fn both_ends_are_exact() {
        let (a, b) = (
            Picture::filled(5, 3, [1, 2, 255]),
            Picture::filled(5, 3, [255, 0, 7]),
        );
        let mut out = Picture::filled(9, 9, [9; 3]);
        blend(&a, &b, Alpha::NONE, &mut out);
        assert_eq!(out, a);
        blend(&a, &b, Alpha::FULL, &mut out);
        assert_eq!(out, b);
        assert_eq!(Alpha::new(999), Alpha::FULL);
    }

    #[test]
    fn alpha_is_a_share_of_time() {
        assert_eq!(Alpha::of(0, 1000), Alpha::NONE);
        assert_eq!(Alpha::of(500, 1000).of_256(), 128);
        assert_eq!(Alpha::of(999, 1000).of_256(), 255);
        assert_eq!(Alpha::of(1000, 1000), Alpha::FULL);
        assert_eq!(Alpha::of(0, 0), Alpha::FULL);
        assert_eq!(Alpha::of(u64::MAX - 1, u64::MAX).of_256(), 255);
    }

    #[test]
    fn pictures_of_two_sizes_are_cut_over() {
        let (a, b) = (Picture::filled(2, 2, [1; 3]), Picture::filled(3, 1, [2; 3]));
        let mut out = Picture::filled(1, 1, [0; 3]);
        blend(&a, &b, Alpha::new(127), &mut out);
        assert_eq!(out, a);
        blend(&a, &b, Alpha::new(128), &mut out);
        assert_eq!(out, b);
    }

    proptest! {
        #[test]
        fn random_pixels_match_the_oracle(
            pairs in prop::collection::vec((any::<u8>(), any::<u8>()), 3..300),
            of_256 in 0u16..=256,
        ) {
            let n = pairs.len() / 3;
            let (a, b): (Vec<u8>, Vec<u8>) = pairs[..n * 3].iter().copied().unzip();
            let width = u32::try_from(n).unwrap();
            let mut out = Picture::filled(1, 1, [0; 3]);
            let (first, second) = (Picture::new(width, 1, a.clone()).unwrap(), Picture::new(width, 1, b.clone()).unwrap());
            blend(&first, &second, Alpha::new(of_256), &mut out);
            for (i, &mixed) in out.pixels().iter().enumerate() {
                prop_assert_eq!(mixed, oracle(a[i], b[i], of_256));
            }
        }
    }
}
