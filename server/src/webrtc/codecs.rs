//! H.264 as it is spoken with peers: which payload types an answer has, which profiles a peer takes, and by which payload
//! type a unit is sent. Pure.

use mantel_media::avc::Profile;
use str0m::{
    format::{Codec, CodecConfig, CodecSpec, FormatParams, PayloadParams},
    media::{Frequency, Pt},
};

/// The payload types of H.264 in packets of any size, with those by which packets are sent again, and their profiles and
/// levels: constrained baseline, baseline, main, high. An offer's own numbers take the place of these.
///
/// An offer's level is what its peer takes at most, unless both sides allow another one in each direction, as all do who
/// are known. Nobody is refused by it: Chromium always says 3.1, which is 720p, and plays what is larger.
const TAKEN: [(u8, u8, u32); 4] = [
    (108, 109, 0x42_E0_1F),
    (102, 103, 0x42_00_1F),
    (116, 117, 0x4D_00_1F),
    (118, 119, 0x64_00_1F),
];

/// More of them, for who is sent video: constrained high, and high 4:4:4 predictive, by which alone Chromium takes high
/// where its decoder is no hardware's. Who sends could send by the latter what can't be decoded here.
const SENT: [(u8, u8, u32); 2] = [(120, 121, 0x64_0C_1F), (122, 123, 0xF4_00_1F)];

/// The way that video goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// To the peer.
    Sent,
    /// From it.
    Taken,
}

/// The payload types that an answer may have.
pub(super) fn config(way: Way) -> CodecConfig {
    let mut config = CodecConfig::empty();
    let more: &[_] = match way {
        Way::Sent => &SENT,
        Way::Taken => &[],
    };
    for &(payload, resent, profile) in TAKEN.iter().chain(more) {
        config.add_h264(payload.into(), Some(resent.into()), true, profile);
    }
    config
}

/// The profile of H.264 that is offered with these parameters, as the engine will match them; `None` where it is left out of
/// an answer.
pub(super) fn offered(ours: &CodecConfig, parameters: &str) -> Option<Profile> {
    let spec = CodecSpec {
        codec: Codec::H264,
        clock_rate: Frequency::NINETY_KHZ,
        channels: None,
        format: FormatParams::parse_line(parameters),
    };
    profile(ours.match_params(PayloadParams::new(0.into(), None, spec))?)
}

/// The payload type that says what is sent, of those that the peer takes: the lowest profile that a decoder needs for it.
/// Another program's encoder may say a higher one than it was asked for; it is sent by the highest one then.
pub(super) fn best<'a>(
    taken: impl Iterator<Item = &'a PayloadParams>,
    needed: Profile,
) -> Option<Pt> {
    let known = taken.filter_map(|one| Some((profile(one)?, one.pt())));
    let known: Vec<_> = known.collect();
    let least = known.iter().filter(|(profile, _)| *profile >= needed);
    let least = least.min_by_key(|(profile, _)| *profile);
    let best = least.or_else(|| known.iter().max_by_key(|(profile, _)| *profile));
    best.map(|(_, pt)| *pt)
}

fn profile(one: &PayloadParams) -> Option<Profile> {
    let CodecSpec { codec, format, .. } = one.spec();
    let [_, profile, constraints, _] = format.profile_level_id?.to_be_bytes();
    (codec == Codec::H264 && format.packetization_mode == Some(1))
        .then(|| Profile::of(profile, constraints))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_profile_that_is_offered_is_known() {
        let ours = config(Way::Sent);
        let told = |parameters: &str| offered(&ours, parameters);
        let of = |id: &str| {
            told(&format!(
                "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id={id}"
            ))
        };
        for (id, profile) in [
            ("42e01f", Some(Profile::Baseline)),
            ("42001f", Some(Profile::Baseline)),
            ("42C00A", Some(Profile::Baseline)),
            ("4d801f", Some(Profile::Baseline)),
            ("4d001f", Some(Profile::Main)),
            ("4D4028", Some(Profile::Main)),
            ("64001f", Some(Profile::High)),
            ("640034", Some(Profile::High)),
            ("640c1f", Some(Profile::High)),
            ("f4001f", Some(Profile::High444)),
            // Extended, High 10, High 4:2:2, and what is none.
            ("58001f", None),
            ("6e001f", None),
            ("7a001f", None),
            ("640cff", None),
            ("000000", None),
            ("ffffffff", None),
        ] {
            assert_eq!(of(id), profile, "{id}");
        }
        // Who says nothing, or nothing that can be read, has Baseline (RFC 6184, 8.1).
        assert_eq!(told("packetization-mode=1"), Some(Profile::Baseline));
        assert_eq!(of("hello"), Some(Profile::Baseline));
        let spaced = " profile-level-id = 64001F ; packetization-mode = 1 ";
        assert_eq!(told(spaced), Some(Profile::High));
        for other in ["", "packetization-mode=0;profile-level-id=64001f", "\0=;=;"] {
            assert_eq!(told(other), None, "{other:?}");
        }
        let whole = "packetization-mode=1;profile-level-id=64001f";
        for end in 0..whole.len() {
            let _ = told(&whole[..end]);
        }
        // Who sends 4:4:4 is not asked for it.
        let ours = config(Way::Taken);
        assert_eq!(offered(&ours, &whole.replace("64", "f4")), None);
    }

    #[test]
    fn a_unit_is_sent_by_the_lowest_profile_that_has_it() {
        let sent = |offered: &[u32], needed| {
            let ours = config(Way::Sent);
            let taken = ours
                .params()
                .iter()
                .filter(|one| offered.contains(&one.spec().format.profile_level_id.expect("one")));
            best(taken, needed).map(|pt| *pt)
        };
        let chromium = [0x42_00_1F, 0x42_E0_1F, 0x4D_00_1F, 0xF4_00_1F];
        assert_eq!(sent(&chromium, Profile::Baseline), Some(108));
        assert_eq!(sent(&chromium, Profile::Main), Some(116));
        assert_eq!(sent(&chromium, Profile::High), Some(122));
        let safari = [0x64_0C_1F, 0x42_E0_1F];
        assert_eq!(sent(&safari, Profile::Baseline), Some(108));
        assert_eq!(sent(&safari, Profile::Main), Some(120));
        assert_eq!(sent(&safari, Profile::High), Some(120));
        assert_eq!(sent(&[0x64_00_1F, 0x64_0C_1F], Profile::High), Some(118));
        assert_eq!(sent(&[0x42_00_1F], Profile::Baseline), Some(102));
        assert_eq!(sent(&[0x42_00_1F], Profile::High), Some(102));
        assert_eq!(sent(&[], Profile::Baseline), None);
    }
}
