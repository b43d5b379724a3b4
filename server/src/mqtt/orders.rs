//! The commands that come by the broker, as `POST /control` takes them. Pure.

use serde_json::{Value, json};

use super::discovery::ALL_PHOTOS;

/// The command in JSON for what came to the entity `key` of the server.
///
/// # Errors
/// There is none: the sentence tells why.
pub(super) fn of_server(key: &str, payload: &[u8]) -> Result<Value, String> {
    let text = std::str::from_utf8(payload).map_err(|_| format!("{key}: it is no text"))?;
    let command = |name: &str| Ok(json!({ "command": name }));
    match (key, text) {
        ("next" | "previous" | "hide" | "favourite", _) => command(key),
        ("pause", "ON") => command("pause"),
        ("pause", "OFF") => command("resume"),
        ("light", text) => light(text),
        ("interval", text) => seconds(text)
            .map(|seconds| json!({ "command": "interval", "seconds": seconds }))
            .ok_or_else(|| format!("interval: {:?} is no number of seconds", short(text))),
        ("message", text) => Ok(message(text)),
        ("album", ALL_PHOTOS) => Ok(json!({ "command": "choose" })),
        ("album", name) => Ok(json!({ "command": "choose", "album": name })),
        ("pause", _) => Err(format!("pause: it is ON or OFF, not {:?}", short(text))),
        _ => Err(format!("there is no entity {:?}", short(key))),
    }
}

/// The command in JSON for what came to the entity `key` of a screen.
///
/// # Errors
/// There is none: the sentence tells why.
pub(super) fn of_screen(screen: &str, key: &str, payload: &[u8]) -> Result<Value, String> {
    match (key, payload) {
        ("screen", b"ON") => Ok(json!({ "command": "wake", "screen": screen })),
        ("screen", b"OFF") => Ok(json!({ "command": "sleep", "screen": screen })),
        ("screen", _) => Err("screen: it is ON or OFF".into()),
        ("album" | "channel", payload) => {
            let name = std::str::from_utf8(payload).map_err(|_| format!("{key}: it is no text"))?;
            let mut command = json!({ "command": "choose", "screen": screen });
            if (key, name) != ("album", ALL_PHOTOS) {
                command[key] = name.into();
            }
            Ok(command)
        }
        _ => Err(format!("there is no entity {:?}", short(key))),
    }
}

/// The start of what somebody sent, for a sentence.
pub(super) fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

/// A light of the JSON schema: its brightness counts to 100.
fn light(text: &str) -> Result<Value, String> {
    let wrong = || {
        format!(
            "light: it is like {{\"state\":\"ON\",\"brightness\":40}}, not {:?}",
            short(text)
        )
    };
    #[derive(serde::Deserialize)]
    struct Light {
        state: String,
        brightness: Option<f64>,
    }
    let light: Light = serde_json::from_str(text).map_err(|_| wrong())?;
    let percent = light.brightness.map(|percent| percent.round());
    match (light.state.as_str(), percent) {
        ("OFF", _) => Ok(json!({ "command": "night", "mode": "black" })),
        ("ON", Some(percent)) if (1.0..100.0).contains(&percent) => {
            Ok(json!({ "command": "night", "mode": format!("dim {percent}%") }))
        }
        ("ON", None) => Ok(json!({ "command": "wake" })),
        ("ON", Some(percent)) if percent >= 100.0 => Ok(json!({ "command": "wake" })),
        _ => Err(wrong()),
    }
}

/// Home Assistant writes whole numbers as `8.0`, too.
fn seconds(text: &str) -> Option<u64> {
    let seconds: f64 = text.trim().parse().ok()?;
    // What is out of range is refused where all commands are.
    (0.0..1e9)
        .contains(&seconds)
        .then(|| format!("{seconds:.0}").parse().ok())?
}

/// A message: words alone, or JSON that tells for how long they stand.
fn message(text: &str) -> Value {
    #[derive(serde::Deserialize)]
    struct Said {
        text: String,
        seconds: Option<Value>,
    }
    match serde_json::from_str::<Said>(text) {
        Ok(Said { text, seconds }) => {
            json!({ "command": "say", "text": text, "seconds": seconds })
        }
        Err(_) => json!({ "command": "say", "text": text }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_becomes_a_command() {
        for (key, payload, command) in [
            ("next", "PRESS", json!({"command": "next"})),
            ("hide", "", json!({"command": "hide"})),
            ("pause", "ON", json!({"command": "pause"})),
            ("pause", "OFF", json!({"command": "resume"})),
            (
                "light",
                r#"{"state":"OFF"}"#,
                json!({"command": "night", "mode": "black"}),
            ),
            ("light", r#"{"state":"ON"}"#, json!({"command": "wake"})),
            (
                "light",
                r#"{"state":"ON","brightness":100}"#,
                json!({"command": "wake"}),
            ),
            (
                "light",
                r#"{"state":"ON","brightness":40,"transition":2}"#,
                json!({"command": "night", "mode": "dim 40%"}),
            ),
            (
                "interval",
                "8.0",
                json!({"command": "interval", "seconds": 8}),
            ),
            (
                "message",
                "Dinner",
                json!({"command": "say", "text": "Dinner"}),
            ),
            ("message", "", json!({"command": "say", "text": ""})),
            (
                "message",
                r#"{"text":"Dinner","seconds":5}"#,
                json!({"command": "say", "text": "Dinner", "seconds": 5}),
            ),
            ("album", "All photos", json!({"command": "choose"})),
            (
                "album",
                "Rome",
                json!({"command": "choose", "album": "Rome"}),
            ),
        ] {
            assert_eq!(
                of_server(key, payload.as_bytes()),
                Ok(command),
                "{key} {payload}"
            );
        }
    }

    #[test]
    fn a_screen_is_switched() {
        let sleep = json!({"command": "sleep", "screen": "hall"});
        assert_eq!(of_screen("hall", "screen", b"OFF"), Ok(sleep));
        let wake = json!({"command": "wake", "screen": "hall"});
        assert_eq!(of_screen("hall", "screen", b"ON"), Ok(wake));
        let all = json!({"command": "choose", "screen": "hall"});
        assert_eq!(of_screen("hall", "album", b"All photos"), Ok(all));
        let rome = json!({"command": "choose", "screen": "hall", "album": "Rome"});
        assert_eq!(of_screen("hall", "album", b"Rome"), Ok(rome));
        let door = json!({"command": "choose", "screen": "hall", "channel": "door"});
        assert_eq!(of_screen("hall", "channel", b"door"), Ok(door));
        assert!(of_screen("hall", "album", &[0xff]).is_err());
        assert!(of_screen("hall", "screen", b"").is_err());
        assert!(of_screen("hall", "next", b"ON").is_err());
    }

    #[test]
    fn what_makes_no_sense_is_told_in_a_short_sentence() {
        let long = "x".repeat(100_000);
        for (key, payload) in [
            ("pause", "maybe"),
            ("pause", ""),
            ("light", "ON"),
            ("light", r#"{"state":"ON","brightness":0}"#),
            ("light", r#"{"state":"ON","brightness":-5}"#),
            ("light", "{}"),
            ("interval", "soon"),
            ("interval", "NaN"),
            ("interval", "-8"),
            ("interval", "1e300"),
            ("format-disk", ""),
            ("light", &long),
            (&long, ""),
        ] {
            let sentence = of_server(key, payload.as_bytes()).unwrap_err();
            assert!(sentence.len() < 200, "{sentence}");
        }
        assert!(of_server("message", &[0xff]).is_err());
    }
}
