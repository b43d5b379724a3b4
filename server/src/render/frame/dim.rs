//! Less light: a picture as if the screen had been turned down.

use crate::render::{
    colour::gamma::{light, signal},
    picture::Picture,
};

/// Leaves so much of a picture's light, in thousandths: of light itself, not of the signal that stands for it, so that
/// colours keep their hue and shadows their depth.
pub(in crate::render) fn dim(picture: &mut Picture, thousandths: u16) {
    if thousandths >= 1000 {
        return;
    }
    let table = table(thousandths);
    for sample in picture.pixels_mut() {
        *sample = table[usize::from(*sample)];
    }
}

/// The signal that each signal becomes.
#[expect(clippy::cast_sign_loss, reason = "light has no sign")]
fn table(thousandths: u16) -> [u8; 256] {
    let share = f32::from(thousandths) / 1000.0;
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
        assert_eq!((table(100)[255], table(500)[255]), (89, 188));
        for thousandths in [0, 1, 20, 150, 500, 999, 1000] {
            let table = table(thousandths);
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
        dim(&mut picture, 1000);
        assert_eq!(picture, Picture::filled(4, 4, [200, 100, 7]));
        dim(&mut picture, 0);
        assert_eq!(picture, Picture::filled(4, 4, [0; 3]));
    }
}
