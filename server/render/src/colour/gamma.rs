//! Curves of standard range other than sRGB's: tables that bring samples of any depth to sRGB's curve, before they lose the
//! depth that shadows need.

/// A curve by which light is the signal raised to a power; 1 for light itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Gamma(f32);

impl Gamma {
    /// From H.273's code point of the transfer characteristics; `None` for sRGB's curve and those of television, which are
    /// shown as that, and for high dynamic range.
    pub(crate) fn from_code_point(transfer: u16) -> Option<Self> {
        match transfer {
            4 => Some(Self(2.2)),
            5 => Some(Self(2.8)),
            8 => Some(Self(1.0)),
            _ => None,
        }
    }

    /// From PNG's gAMA, the exponent that made the samples in hundred-thousandths; `None` where sRGB's curve is as near as
    /// makes no difference, or the number is no exponent.
    pub(crate) fn from_png(exponent: u32) -> Option<Self> {
        match exponent {
            43_000..=48_000 => None,
            10_000..=500_000 => Some(Self(100_000.0 / exponent as f32)),
            _ => None,
        }
    }

    /// The samples in sRGB, by samples from 0 to `max`.
    #[expect(clippy::cast_sign_loss, reason = "light has no sign")]
    pub(crate) fn table(self, max: u16) -> Vec<u8> {
        let whole = f32::from(max.max(1));
        let byte = |sample| (signal((f32::from(sample) / whole).powf(self.0)) * 255.0 + 0.5) as u8;
        (0..=max).map(byte).collect()
    }
}

/// sRGB's signal for light of 0 to 1.
pub(crate) fn signal(light: f32) -> f32 {
    if light <= 0.003_130_8 {
        light * 12.92
    } else {
        1.055 * light.powf(1.0 / 2.4) - 0.055
    }
}

/// The light of 0 to 1 that an sRGB signal stands for.
pub(crate) fn light(signal: f32) -> f32 {
    if signal <= 0.040_45 {
        signal / 12.92
    } else {
        ((signal + 0.055) / 1.055).powf(2.4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn light_becomes_what_screens_expect() {
        let linear = Gamma::from_code_point(8).unwrap();
        let table = linear.table(255);
        assert_eq!((table[0], table[55], table[255]), (0, 128, 255));
        assert_eq!(linear.table(u16::MAX).len(), 65_536);
        assert_eq!(linear.table(u16::MAX)[14_135], 128);
        assert_eq!(Gamma::from_png(100_000), Some(linear));
        // Of a screen twice as steep, the middle is darker.
        assert!(Gamma::from_png(25_000).unwrap().table(255)[128] < 80);
        for max in [1, 15, 255, u16::MAX] {
            assert!(linear.table(max).is_sorted());
        }
    }

    #[test]
    fn what_is_near_to_srgb_is_srgb() {
        for exponent in [45_455, 45_454, 0, 1, u32::MAX] {
            assert_eq!(Gamma::from_png(exponent), None, "{exponent}");
        }
        for transfer in [0, 1, 2, 6, 13, 14, 15, 16, 18, u16::MAX] {
            assert_eq!(Gamma::from_code_point(transfer), None, "{transfer}");
        }
    }
}
