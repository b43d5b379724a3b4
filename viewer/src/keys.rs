//! Which key means what, on keyboards and TV remotes.
//!
//! Only the table: no events, no browser, nothing that acts. Codes are `KeyboardEvent.keyCode`,
//! which every engine has and which is all that remotes of Tizen and webOS reliably set.

/// What a key or a gesture asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The next slide, now.
    Next,
    /// The slide before.
    Previous,
    /// Stand still.
    Pause,
    /// Go on.
    Resume,
    /// Pause when playing, resume when paused.
    TogglePause,
    /// Into full screen, or out of it.
    ToggleFullScreen,
    /// Show or hide the statistics.
    ToggleStats,
    /// Close what lies over the picture. When nothing does, the key belongs to the platform:
    /// it leaves the page on a TV.
    Back,
}

/// The action of a key, if it has one. `key` is `KeyboardEvent.key`, empty where the engine has
/// none; letters go by it so that a layout other than QWERTY works.
pub fn action(key: &str, code: u32) -> Option<Action> {
    by_letter(key).or_else(|| by_code(code))
}

fn by_letter(key: &str) -> Option<Action> {
    Some(match key {
        "n" | "N" => Action::Next,
        "p" | "P" => Action::Previous,
        "f" | "F" => Action::ToggleFullScreen,
        "s" | "S" => Action::ToggleStats,
        // Android TV and desktops name their media keys and send codes that differ.
        "MediaPlayPause" => Action::TogglePause,
        "MediaPlay" => Action::Resume,
        "MediaPause" | "MediaStop" => Action::Pause,
        "MediaTrackNext" | "MediaFastForward" => Action::Next,
        "MediaTrackPrevious" | "MediaRewind" => Action::Previous,
        _ => return None,
    })
}

fn by_code(code: u32) -> Option<Action> {
    Some(match code {
        // Right, page down, N; fast forward, channel up (Tizen, webOS), track next (Tizen, desktop).
        39 | 34 | 78 | 417 | 427 | 10_233 | 176 | 228 => Action::Next,
        // Left, page up, P; rewind, channel down, track previous.
        37 | 33 | 80 | 412 | 428 | 10_232 | 177 | 227 => Action::Previous,
        // Enter is OK on every remote. Space; play/pause (Tizen, desktop).
        13 | 32 | 10_252 | 179 => Action::TogglePause,
        415 => Action::Resume,
        // Pause; stop (TVs, desktop).
        19 | 413 | 178 => Action::Pause,
        70 => Action::ToggleFullScreen,
        // S; up, info and the blue key, since remotes have no letters.
        83 | 38 | 457 | 406 => Action::ToggleStats,
        // Escape; back on webOS and Tizen.
        27 | 461 | 10_009 => Action::Back,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keyboards() {
        for (key, code, wanted) in [
            ("ArrowRight", 39, Action::Next),
            ("ArrowLeft", 37, Action::Previous),
            (" ", 32, Action::TogglePause),
            ("Enter", 13, Action::TogglePause),
            ("f", 70, Action::ToggleFullScreen),
            ("s", 83, Action::ToggleStats),
            ("n", 78, Action::Next),
            ("P", 80, Action::Previous),
            ("Escape", 27, Action::Back),
        ] {
            assert_eq!(action(key, code), Some(wanted), "{key}");
        }
    }

    #[test]
    fn a_letter_goes_by_what_is_printed_on_the_key() {
        // On a Dvorak layout the key at QWERTY's S prints an o.
        assert_eq!(action("s", 186), Some(Action::ToggleStats));
    }

    #[test]
    fn remotes_that_send_codes_alone() {
        for (code, wanted) in [
            (415, Action::Resume),
            (19, Action::Pause),
            (413, Action::Pause),
            (10_252, Action::TogglePause),
            (417, Action::Next),
            (412, Action::Previous),
            (461, Action::Back),
            (10_009, Action::Back),
            (457, Action::ToggleStats),
            (13, Action::TogglePause),
        ] {
            assert_eq!(action("", code), Some(wanted), "{code}");
            assert_eq!(action("Unidentified", code), Some(wanted), "{code}");
        }
    }

    #[test]
    fn other_keys_are_left_alone() {
        for (key, code) in [("Tab", 9), ("F5", 116), ("Shift", 16), ("", 0), ("a", 65)] {
            assert_eq!(action(key, code), None, "{key}");
        }
    }
}
