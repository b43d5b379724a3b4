//! The report of a screen to the server about itself, once a minute: `POST /report`. Every field is
//! bounded when it is read, since anybody on the network can send one; what is done with a report
//! is the server's business.

use alloc::string::String;

/// The limit of a report's body, in bytes. A real one has about 500.
pub const MAX_REPORT_BYTES: usize = 4096;
/// The limit of a screen's name, in bytes, as in `/tv/NAME`.
pub const MAX_SCREEN_NAME_BYTES: usize = 40;
/// The limit of a sentence or an engine's name in a report, in bytes.
pub const MAX_REPORT_TEXT_BYTES: usize = 120;

/// How a screen shows the pictures, from the best rung of the ladder down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Rung {
    /// The Wasm viewer.
    Wasm,
    /// `<img src="stream">`.
    Img,
    /// A still picture that is fetched again and again.
    Snapshot,
    /// The pictures that the page kept, while the server is away; or a rung that is not known here.
    #[default]
    #[cfg_attr(feature = "serde", serde(other))]
    Other,
}

/// The means that keep the screen from going dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Awake {
    /// A screen wake lock.
    Lock,
    /// A video that plays behind the pictures.
    Video,
    /// None, as the page's address says: `awake=off`.
    Off,
    /// None, because the engine refused both; or a way that is not known here.
    #[default]
    #[cfg_attr(feature = "serde", serde(other))]
    Nothing,
}

/// A report of a screen. Figures that an engine doesn't tell are absent.
///
/// Unknown fields are ignored and missing ones are their default, so that viewer and server may be of
/// different versions for a while. Texts are cut, never refused: a report with a long name still counts.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
pub struct Report {
    /// The page's identity, made anew with each load: tells screens without a name apart. Letters
    /// and digits.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "read::name"))]
    pub id: String,
    /// The screen's name (`?name=living-room`); empty without one.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "read::name"))]
    pub name: String,
    /// The rung on which the screen shows the pictures.
    pub rung: Rung,
    /// Why the screen is on a lower rung; empty on the best one.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "read::text"))]
    pub reason: String,
    /// The page's state, as `<html data-state>` has it: `playing`, `paused`, `reconnecting`,
    /// `fallback`…
    #[cfg_attr(feature = "serde", serde(deserialize_with = "read::name"))]
    pub state: String,
    /// The browser's engine, such as `Chromium 67`.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "read::text"))]
    pub engine: String,
    /// The width of the canvas, or of the window on the lower rungs, in device pixels.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "read::side"))]
    pub width: u32,
    /// The height of the canvas, or of the window on the lower rungs, in device pixels.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "read::side"))]
    pub height: u32,
    /// Frames a second in the last transition.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "read::figure"))]
    pub fps: Option<f64>,
    /// Frames of transitions that came late, since the page was loaded.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "read::count"))]
    pub late_frames: u64,
    /// How long the last pictures took to decode.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "read::figure"))]
    pub decode_millis: Option<f64>,
    /// JavaScript's heap and the module's memory together, in bytes.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "read::figure"))]
    pub memory_bytes: Option<f64>,
    /// How often the connection was opened again, since the page was loaded.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "read::count"))]
    pub reconnects: u64,
    /// How many slides were shown, since the page was loaded.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "read::count"))]
    pub slides: u64,
    /// The number of the slide on screen.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "read::figure"))]
    pub slide: Option<f64>,
    /// The server's clock minus the screen's, in milliseconds.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "read::figure"))]
    pub clock_offset_millis: Option<f64>,
    /// The means that keep the screen on.
    pub awake: Awake,
    /// Seconds since the page was loaded.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "read::count"))]
    pub uptime_seconds: u64,
}

/// Cuts a text to `max` bytes at a character, and leaves out control characters.
#[cfg(any(feature = "serde", test))]
fn cut(text: &str, max: usize) -> String {
    let mut kept = String::new();
    for c in text.chars().filter(|c| crate::is_readable(*c)) {
        if kept.len() + c.len_utf8() > max {
            break;
        }
        kept.push(c);
    }
    kept
}

/// Readers that hold fields to their bounds. Numbers come from JavaScript, where `12.0` and `12`
/// are one and an unknown number is `null`.
#[cfg(feature = "serde")]
mod read {
    use super::{MAX_REPORT_TEXT_BYTES, MAX_SCREEN_NAME_BYTES, cut};
    use alloc::{borrow::Cow, string::String};
    use serde::{Deserialize, Deserializer};

    /// The limit of a side, in pixels, to which larger ones are cut: no screen is larger.
    const MAX_SIDE: f64 = 16_384.0;
    /// The limit of a count: the largest number to which JavaScript counts exactly, 2⁵³ − 1.
    const MAX_COUNT: f64 = 9_007_199_254_740_991.0;

    fn string<'de, D: Deserializer<'de>>(from: D, max: usize) -> Result<String, D::Error> {
        let text: Option<Cow<'de, str>> = Option::deserialize(from)?;
        Ok(cut(&text.unwrap_or_default(), max))
    }

    pub(super) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
        string(from, MAX_REPORT_TEXT_BYTES)
    }

    pub(super) fn name<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
        string(from, MAX_SCREEN_NAME_BYTES)
    }

    pub(super) fn figure<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
        let figure: Option<f64> = Option::deserialize(from)?;
        Ok(figure.map(|figure| figure.clamp(-MAX_COUNT, MAX_COUNT)))
    }

    #[expect(clippy::cast_sign_loss, reason = "held to what fits just before")]
    pub(super) fn count<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
        Ok(figure(from)?.unwrap_or(0.0).clamp(0.0, MAX_COUNT) as u64)
    }

    #[expect(clippy::cast_sign_loss, reason = "held to what fits just before")]
    pub(super) fn side<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
        Ok(figure(from)?.unwrap_or(0.0).clamp(0.0, MAX_SIDE) as u32)
    }
}

#[cfg(all(test, feature = "serde"))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(json: &str) -> Report {
        serde_json::from_str(json).expect("a report")
    }

    #[test]
    fn a_report_of_the_page_is_read() {
        let report = read(
            r#"{"id":"k3x9","name":"living-room","rung":"wasm","reason":"","state":"playing",
            "engine":"Chromium 67","width":1920,"height":1080,"fps":59.4,"late_frames":3,
            "decode_millis":21.5,"memory_bytes":31457280,"reconnects":1,"slides":184.0,"slide":1700,
            "clock_offset_millis":-250.5,"awake":"video","uptime_seconds":3600}"#,
        );
        assert_eq!(
            (report.name.as_str(), report.rung),
            ("living-room", Rung::Wasm)
        );
        assert_eq!(
            (report.width, report.height, report.slides),
            (1920, 1080, 184)
        );
        assert_eq!(report.fps, Some(59.4));
        assert_eq!(report.clock_offset_millis, Some(-250.5));
        assert_eq!(report.awake, Awake::Video);
        let again = serde_json::to_string(&report).unwrap();
        assert_eq!(read(&again), report);
        assert!(again.len() < MAX_REPORT_BYTES / 4, "{}", again.len());
    }

    #[test]
    fn other_versions_are_understood_as_far_as_they_go() {
        assert_eq!(read("{}"), Report::default());
        let report =
            read(r#"{"rung":"hologram","awake":"prayer","fps":null,"name":null,"new":[1]}"#);
        assert_eq!(report, Report::default());
    }

    #[test]
    fn figures_out_of_bounds_are_held_to_them() {
        let report = read(
            r#"{"width":-5,"height":1e300,"slides":1e300,"reconnects":-1,"fps":-1e300,"late_frames":2.9}"#,
        );
        assert_eq!((report.width, report.height), (0, 16_384));
        assert_eq!((report.reconnects, report.late_frames), (0, 2));
        assert_eq!(report.slides, 9_007_199_254_740_991);
        assert!(report.fps.is_some_and(|fps| fps > -1e16));
    }

    #[test]
    fn what_is_no_report_is_an_error() {
        for bad in [
            "",
            "[7]",
            "7",
            r#"{"name":7}"#,
            r#"{"fps":"fast"}"#,
            r#"{"slides":[]}"#,
        ] {
            assert!(serde_json::from_str::<Report>(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn texts_are_cut_at_a_character_and_hold_no_control(text in any::<String>()) {
            let json = serde_json::to_string(&text).unwrap();
            let report = read(&std::format!(r#"{{"name":{json},"engine":{json}}}"#));
            prop_assert!(report.name.len() <= MAX_SCREEN_NAME_BYTES);
            prop_assert!(report.engine.len() <= MAX_REPORT_TEXT_BYTES);
            prop_assert!(!report.engine.chars().any(char::is_control));
            let clean: String = text.chars().filter(|c| crate::is_readable(*c)).collect();
            prop_assert!(clean.starts_with(&report.engine));
        }
    }
}
