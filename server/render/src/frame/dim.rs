//! Less light: a picture as if the screen had been turned down.

use crate::{
    colour::gamma::{light, signal},
    picture::Picture,
};

/// The light of each colour that the warmest has: that of a lamp at 2700 K beside daylight.
const WARMEST: [f32; 3] = [1.0, 0.69, 0.36];

/// Leaves so much of a picture's light, in thousandths: of light itself, not of the signal that stands for it, so that
/// colours keep their hue and shadows their depth; and makes it so warm, in thousandths of [`WARMEST`].
pub(crate) fn dim(picture: &mut Picture, thousandths: u16, warmth: u16) {
    if warmth == 0 {
        if thousandths < 1000 {
            let table = table(f32::from(thousandths) / 1000.0);
            for sample in picture.pixels_mut() {
                *sample = table[usize::from(*sample)];
            }
        }
        return;
    }
    let warmth = f32::from(warmth.min(1000)) / 1000.0;
    let share = f32::from(thousandths.min(1000)) / 1000.0;
    let tables = WARMEST.map(|most| table(share * (1.0 - warmth * (1.0 - most))));
    for pixel in picture.pixels_mut().chunks_exact_mut(3) {
        for (sample, table) in pixel.iter_mut().zip(&tables) {
            *sample = table[usize::from(*sample)];
        }
    }
}

/// The signal that each signal becomes.
#[expect(clippy::cast_sign_loss, reason = "light has no sign")]
fn table(share: f32) -> [u8; 256] {
    std::array::from_fn(|sample| {
        let dimmed = light(sample as f32 / 255.0) * share;
        (signal(dimmed) * 255.0).round() as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn light_is_what_is_left_and_no_hue_is_lost() {
        // A tenth of white's light is a signal of 89, which a naive share would have put at 26.
        assert_eq!((table(0.1)[255], table(0.5)[255]), (89, 188));
        for thousandths in [0_u16, 1, 20, 150, 500, 999, 1000] {
            let table = table(f32::from(thousandths) / 1000.0);
            assert!(table.is_sorted());
            let naive = |sample: u8| {
                let light = f64::from(sample) / 255.0;
                let light = if light <= 0.040_45 {
                    light / 12.92
                } else {
                    ((light + 0.055) / 1.055).powf(2.4)
                } * f64::from(thousandths)
                    / 1000.0;
                let signal = if light <= 0.003_130_8 {
                    light * 12.92
                } else {
                    1.055 * light.powf(1.0 / 2.4) - 0.055
                };
                signal * 255.0
            };
            for sample in 0..=255_u8 {
                let off = f64::from(table[usize::from(sample)]) - naive(sample);
                assert!(off.abs() <= 0.51, "{thousandths} {sample}: {off}");
            }
        }
        let mut picture = Picture::filled(4, 4, [200, 100, 7]);
        dim(&mut picture, 1000, 0);
        assert_eq!(picture, Picture::filled(4, 4, [200, 100, 7]));
        dim(&mut picture, 0, 0);
        assert_eq!(picture, Picture::filled(4, 4, [0; 3]));
    }
    #[test]
    fn a_warm_light_keeps_red_and_leaves_least_blue() {
        let pixel = |light, warmth| {
            let mut picture = Picture::filled(4, 4, [200; 3]);
            dim(&mut picture, light, warmth);
            let pixels = picture.pixels_mut();
            [pixels[0], pixels[1], pixels[2]]
        };
        let [red, green, blue] = pixel(1000, 1000);
        assert_eq!(red, 200);
        assert!(green < red && blue < green, "{green} {blue}");
        let half = pixel(1000, 500);
        assert!(half[2] > blue && half[2] < 200);
        assert_eq!(pixel(300, 0)[0], pixel(300, 1000)[0]);
        assert_eq!(pixel(0, 1000), [0; 3]);
    }
}
