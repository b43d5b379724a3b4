//! The colours that a sender of H.264 means who names none. Pure.

use mantel_media::{
    annexb::{Nal, NalKind, Unit, split},
    avc::{Colour, Sps, coloured},
};

/// Pictures of so many lines are of high definition.
const HIGH_DEFINITION: u16 = 720;

/// The unit, with start codes, with the colours named that are meant; `None` where it tells of none, or names its own.
///
/// `is_call`: its sender is a browser or a program that speaks WebRTC, and knows BT.601 alone (libwebrtc names nothing). Others
/// are cameras and encoders: of high definition they mean BT.709, and players take it for that; below it some mean this and
/// some that.
pub(super) fn named(unit: &[u8], is_call: bool) -> Option<Vec<u8>> {
    let is_sps = |nal: Nal<'_>| nal.kind() == NalKind::Sps;
    if !split(unit).any(is_sps) {
        return None;
    }
    let came = Unit::new(split(unit));
    let named = coloured(&came, |sps| meant(sps, is_call)).ok()?;
    (named != came).then(|| named.annexb().to_vec())
}

fn meant(sps: &Sps, is_call: bool) -> Option<Colour> {
    match sps.height {
        _ if is_call => Some(Colour::BT601),
        HIGH_DEFINITION.. => Some(Colour::BT709),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use mantel_media::avc::ParameterSets;

    use super::*;

    const PPS: [u8; 4] = [0x68, 0xce, 0x3c, 0x80];
    const KEY: [u8; 4] = [0x65, 0x88, 0x80, 0x40];

    /// Baseline, without colours: of 640x360, and of 1280x720.
    const SMALL: [u8; 10] = [0x67, 0x42, 0xc0, 0x1e, 0xda, 0x02, 0x80, 0xbf, 0xe5, 0x40];
    const LARGE: [u8; 9] = [0x67, 0x42, 0xc0, 0x1f, 0xda, 0x01, 0x40, 0x16, 0xe4];

    fn colour(sps: &[u8], is_call: bool) -> Option<Colour> {
        let unit = Unit::new([sps, &PPS, &KEY].into_iter().filter_map(Nal::new));
        let named = named(unit.annexb(), is_call)?;
        let named = Unit::new(split(&named));
        assert!(named.nals().skip(1).eq(unit.nals().skip(1)));
        let sets = ParameterSets::of(&named).unwrap().unwrap();
        Some(sets.head().colour)
    }

    #[test]
    fn calls_mean_what_they_always_do_and_cameras_by_their_size() {
        assert_eq!(Sps::parse(&LARGE).unwrap().height, 720);
        assert_eq!(colour(&SMALL, false), None);
        assert_eq!(colour(&LARGE, false), Some(Colour::BT709));
        assert_eq!(colour(&SMALL, true), Some(Colour::BT601));
        assert_eq!(colour(&LARGE, true), Some(Colour::BT601));
    }

    #[test]
    fn what_names_its_own_or_nothing_is_left_as_it_came() {
        let unit = Unit::new([&LARGE[..], &PPS, &KEY].into_iter().filter_map(Nal::new));
        let first = named(unit.annexb(), false).unwrap();
        assert_eq!(named(&first, true), None);
        let delta = Unit::new([&[0x41, 0x9a][..]].into_iter().filter_map(Nal::new));
        assert_eq!(named(delta.annexb(), true), None);
        for end in 1..LARGE.len() {
            let unit = Unit::new([&LARGE[..end], &KEY].into_iter().filter_map(Nal::new));
            assert_eq!(named(unit.annexb(), true), None, "cut at {end}");
        }
    }
}
