//! The profiles of H.264, as far as they need to be told apart for video that passes through: progressive, 4:2:0 with 8
//! bits, without B-frames. Which of them somebody takes is said elsewhere.

/// A profile. Whoever decodes one decodes those before it (ITU-T H.264, A.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Profile {
    /// Baseline and Constrained Baseline: what the former has more, slices in any order, no encoder makes and few decoders
    /// read.
    Baseline,
    /// Main, with arithmetic coding.
    Main,
    /// High and Constrained High: what the former has more are fields and B-frames.
    High,
    /// High 4:4:4 Predictive.
    High444,
}

impl Profile {
    /// The profile of these two bytes, of an SPS as of a `profile-level-id` (RFC 6184, table 5); `None` where it is none of
    /// these.
    pub fn of(profile: u8, constraints: u8) -> Option<Self> {
        match profile {
            66 => Some(Self::Baseline),
            // It keeps to Baseline as well.
            77 | 88 if constraints & 0x80 != 0 => Some(Self::Baseline),
            77 => Some(Self::Main),
            100 => Some(Self::High),
            244 => Some(Self::High444),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_are_told_by_their_numbers_and_by_what_they_keep_to() {
        for (profile, constraints, told) in [
            (66, 0xE0, Some(Profile::Baseline)),
            (66, 0xC0, Some(Profile::Baseline)),
            (66, 0, Some(Profile::Baseline)),
            (77, 0x80, Some(Profile::Baseline)),
            (77, 0x40, Some(Profile::Main)),
            (77, 0, Some(Profile::Main)),
            (88, 0xC0, Some(Profile::Baseline)),
            (88, 0, None),
            (100, 0, Some(Profile::High)),
            (100, 0x0C, Some(Profile::High)),
            (244, 0, Some(Profile::High444)),
            (110, 0, None),
            (122, 0, None),
            (0, 0xFF, None),
        ] {
            let of = Profile::of(profile, constraints);
            assert_eq!(of, told, "{profile} {constraints:x}");
        }
        assert!(Profile::Baseline < Profile::Main && Profile::Main < Profile::High);
        assert!(Profile::High < Profile::High444);
    }
}
