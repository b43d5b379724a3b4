//! The frames of a crossfade: when each is due and how far along it is.

use mantel_shared::{Transition, UnixMillis};

/// The frames of a transition that starts at `starts_at`: for each, when it is due and how much of
/// the new slide it has, from 1 to 255 of 256. The frame after the last is the new slide itself,
/// due at the transition's end. A cut has none.
///
/// Eased (smoothstep): a fade that starts and stops at full speed is seen as a jolt.
pub fn blend_steps(
    transition: Transition,
    starts_at: UnixMillis,
    fps: u32,
) -> impl Iterator<Item = (UnixMillis, u16)> {
    let millis = match transition {
        Transition::Cut => 0,
        Transition::Crossfade { millis } => u64::from(millis),
    };
    let n_steps = millis * u64::from(fps) / 1000;
    (0..n_steps).map(move |step| {
        let due = UnixMillis(starts_at.0 + step * millis / n_steps);
        (due, eased(step + 1, n_steps + 1))
    })
}

/// The share of the new slide at `now`, from 0 to 256, of a transition from `starts_at` to `ends_at`: that of
/// [`blend_steps`] for whoever has frames of their own.
pub fn blend_at(starts_at: UnixMillis, ends_at: UnixMillis, now: UnixMillis) -> u16 {
    if now >= ends_at {
        return 256;
    }
    let whole = ends_at.0.saturating_sub(starts_at.0);
    match now.0.checked_sub(starts_at.0) {
        None | Some(0) => 0,
        Some(part) => eased(part, whole),
    }
}

/// The share of the new slide at `step` of `n_steps`: a smoothstep from 0 to 256, but never 0 or
/// 256, which would be a frame that equals one of the slides.
fn eased(step: u64, n_steps: u64) -> u16 {
    let t = step as f64 / n_steps as f64;
    let eased = t * t * (3.0 - 2.0 * t);
    // `t` lies in 0..=1, and smoothstep keeps it there.
    #[expect(clippy::cast_sign_loss)]
    let of_256 = (eased * 256.0).round() as u16;
    of_256.clamp(1, 255)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_has_no_frames() {
        assert_eq!(blend_steps(Transition::Cut, UnixMillis(5), 20).count(), 0);
    }

    #[test]
    fn a_crossfade_grows_and_ends_in_time() {
        let steps: Vec<_> =
            blend_steps(Transition::Crossfade { millis: 1000 }, UnixMillis(7), 20).collect();
        assert_eq!(steps.len(), 20);
        assert_eq!(steps[0].0, UnixMillis(7));
        assert_eq!(steps[19].0, UnixMillis(7 + 950));
        assert!(
            steps
                .windows(2)
                .all(|pair| pair[0].1 <= pair[1].1 && pair[0].0 < pair[1].0)
        );
        assert!(steps.iter().all(|step| (1..=255).contains(&step.1)));
    }

    #[test]
    fn a_fade_too_short_for_one_frame_is_a_cut() {
        assert_eq!(
            blend_steps(Transition::Crossfade { millis: 30 }, UnixMillis(0), 20).count(),
            0
        );
    }

    #[test]
    fn shares_grow_from_nothing_to_all() {
        let at = |now| blend_at(UnixMillis(1000), UnixMillis(2000), UnixMillis(now));
        assert_eq!(
            [at(0), at(1000), at(1500), at(2000), at(9000)],
            [0, 0, 128, 256, 256]
        );
        assert!((1001..2000).all(|now| (1..256).contains(&at(now)) && at(now) >= at(now - 1)));
        let cut = blend_at(UnixMillis(7), UnixMillis(7), UnixMillis(7));
        assert_eq!(cut, 256);
    }
}
