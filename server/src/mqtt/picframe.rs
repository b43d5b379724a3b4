//! The topics of picframe, by which a house that has had one goes on with its automations. Pure.
//!
//! Only what people automate: pause, the display, back and forth, a folder, a time, a brightness, and which photo is on.
//! `delete` hides a photo: no file is ever deleted.

use serde_json::{Value, json};

use super::{
    discovery::ALL_PHOTOS,
    orders::{self, short},
    states::States,
};

/// The entities that take commands, each by its topic behind and before the id.
const COMMANDS: [(&str, &str, &str); 8] = [
    ("homeassistant/switch/", "_paused/set", "paused"),
    ("homeassistant/switch/", "_display/set", "display"),
    ("homeassistant/button/", "_next/set", "next"),
    ("homeassistant/button/", "_back/set", "previous"),
    ("homeassistant/button/", "_delete/set", "hide"),
    ("", "/directory", "directory"),
    ("", "/time_delay", "time_delay"),
    ("", "/brightness", "brightness"),
];

/// Where commands for the picframe of this id are listened for.
pub(super) fn commands(id: &str) -> impl Iterator<Item = String> {
    COMMANDS
        .map(|(before, behind, _)| format!("{before}{id}{behind}"))
        .into_iter()
}

/// The command in JSON for what came under one of those topics; `None` for other topics.
pub(super) fn order(id: &str, topic: &str, payload: &[u8]) -> Option<Result<Value, String>> {
    let meant = |(before, behind, key): &(&str, &str, &'static str)| {
        let rest = topic.strip_prefix(before)?.strip_prefix(id)?;
        (rest == *behind).then_some(*key)
    };
    let key = COMMANDS.iter().find_map(meant)?;
    Some(of_entity(key, payload))
}

fn of_entity(key: &str, payload: &[u8]) -> Result<Value, String> {
    let text = std::str::from_utf8(payload).map_err(|_| format!("{key}: it is no text"))?;
    let wrong = || format!("{key}: that can't be {:?}", short(text));
    match (key, text.trim()) {
        ("paused", _) => orders::of_server("pause", payload),
        ("next" | "previous" | "hide", "ON") => Ok(json!({ "command": key })),
        ("display", "ON") => Ok(json!({ "command": "wake" })),
        ("display", "OFF") => Ok(json!({ "command": "night", "mode": "black" })),
        ("directory", "" | "/" | "." | ALL_PHOTOS) => Ok(json!({ "command": "choose" })),
        ("directory", album) => Ok(json!({ "command": "choose", "album": album })),
        ("time_delay", _) => orders::of_server("interval", payload),
        ("brightness", share) => {
            let share: f64 = share.parse().map_err(|_| wrong())?;
            if !(0.0..=1.0).contains(&share) {
                return Err(wrong());
            }
            let light = match (share * 100.0).round() {
                0.0 => json!({ "state": "OFF" }),
                percent => json!({ "state": "ON", "brightness": percent }),
            };
            orders::of_server("light", light.to_string().as_bytes())
        }
        _ => Err(wrong()),
    }
}

/// Whether the picframe of this id is there.
pub(super) fn availability(id: &str) -> String {
    format!("homeassistant/switch/{id}/available")
}

/// The states of the picframe of this id, out of the server's own, which `own` has by their keys.
pub(super) fn states<'a>(id: &str, own: impl Fn(&str) -> Option<&'a str>) -> States {
    let mut states = vec![(availability(id), "online".to_owned())];
    let mut told =
        |topic: &str, state: String| states.push((format!("homeassistant/{topic}"), state));
    let light: Value = own("light")
        .and_then(|light| serde_json::from_str(light).ok())
        .unwrap_or_default();
    let is_lit = light["state"] != "OFF";
    if let Some(pause) = own("pause") {
        told(&format!("switch/{id}_paused/state"), pause.to_owned());
        let display = if is_lit { "ON" } else { "OFF" };
        told(&format!("switch/{id}_display/state"), display.to_owned());
    }
    let percent = light["brightness"].as_f64().filter(|_| is_lit);
    let album = own("album").filter(|album| *album != ALL_PHOTOS);
    let seconds: Option<f64> = own("interval").and_then(|text| text.parse().ok());
    let sensor = json!({
        "directory": album.unwrap_or_default(),
        "time_delay": seconds,
        "brightness": percent.unwrap_or_default() / 100.0,
    });
    told(&format!("sensor/{id}/state"), sensor.to_string());
    if let Some(photo) = own("photo") {
        let image = json!({ "image": photo }).to_string();
        told(&format!("sensor/{id}_image/state"), image);
    }
    if let Some(facts) = own("photo-facts") {
        told(&format!("sensor/{id}_image/attributes"), facts.to_owned());
    }
    states
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_commands_become_ours() {
        for (topic, payload, command) in [
            (
                "homeassistant/switch/frame_paused/set",
                "ON",
                json!({"command": "pause"}),
            ),
            (
                "homeassistant/switch/frame_paused/set",
                "OFF",
                json!({"command": "resume"}),
            ),
            (
                "homeassistant/switch/frame_display/set",
                "OFF",
                json!({"command": "night", "mode": "black"}),
            ),
            (
                "homeassistant/switch/frame_display/set",
                "ON",
                json!({"command": "wake"}),
            ),
            (
                "homeassistant/button/frame_next/set",
                "ON",
                json!({"command": "next"}),
            ),
            (
                "homeassistant/button/frame_back/set",
                "ON",
                json!({"command": "previous"}),
            ),
            (
                "homeassistant/button/frame_delete/set",
                "ON",
                json!({"command": "hide"}),
            ),
            (
                "frame/directory",
                "Rome",
                json!({"command": "choose", "album": "Rome"}),
            ),
            ("frame/directory", "", json!({"command": "choose"})),
            (
                "frame/time_delay",
                "30.0",
                json!({"command": "interval", "seconds": 30}),
            ),
            (
                "frame/brightness",
                "0.4",
                json!({"command": "night", "mode": "dim 40%"}),
            ),
            ("frame/brightness", "1.0", json!({"command": "wake"})),
            (
                "frame/brightness",
                "0",
                json!({"command": "night", "mode": "black"}),
            ),
        ] {
            let order = order("frame", topic, payload.as_bytes());
            assert_eq!(order, Some(Ok(command)), "{topic} {payload}");
            assert!(commands("frame").any(|command| command == topic));
        }
        for topic in [
            "",
            "frame/stop",
            "frame/purge_files",
            "other/brightness",
            "homeassistant/switch/frame_paused/state",
            "homeassistant/switch/frame2_paused/set",
        ] {
            assert_eq!(order("frame", topic, b"ON"), None, "{topic}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_told_in_a_short_sentence() {
        for (topic, payload) in [
            ("homeassistant/button/frame_next/set", ""),
            ("homeassistant/switch/frame_display/set", "maybe"),
            ("homeassistant/switch/frame_paused/set", "maybe"),
            ("frame/brightness", "40"),
            ("frame/brightness", "NaN"),
            ("frame/brightness", "-0.1"),
            ("frame/time_delay", "soon"),
        ] {
            let sentence = order("frame", topic, payload.as_bytes())
                .unwrap()
                .unwrap_err();
            assert!(sentence.len() < 200, "{sentence}");
        }
        assert!(order("frame", "frame/directory", &[0xff]).unwrap().is_err());
    }

    #[test]
    fn its_states_are_made_of_ours() {
        let own = |key: &str| match key {
            "pause" => Some("ON"),
            "light" => Some(r#"{"state":"ON","brightness":40}"#),
            "interval" => Some("8"),
            "album" => Some("Rome"),
            "photo" => Some("a.jpg"),
            "photo-facts" => Some("{}"),
            _ => None,
        };
        let told = states("frame", own);
        let of = |topic: &str| {
            let found = told.iter().find(|(told, _)| told == topic);
            found.map(|(_, state)| state.as_str())
        };
        assert_eq!(of("homeassistant/switch/frame/available"), Some("online"));
        assert_eq!(of("homeassistant/switch/frame_paused/state"), Some("ON"));
        assert_eq!(of("homeassistant/switch/frame_display/state"), Some("ON"));
        assert_eq!(
            of("homeassistant/sensor/frame_image/state"),
            Some(r#"{"image":"a.jpg"}"#)
        );
        let sensor: Value =
            serde_json::from_str(of("homeassistant/sensor/frame/state").unwrap()).unwrap();
        assert_eq!(
            sensor,
            json!({"directory": "Rome", "time_delay": 8.0, "brightness": 0.4})
        );
        // In the dark, and while a live channel has the gallery's place.
        let dark = states("frame", |key| match key {
            "pause" => Some("OFF"),
            "light" => Some(r#"{"state":"OFF"}"#),
            _ => None,
        });
        let display = (
            "homeassistant/switch/frame_display/state".to_owned(),
            "OFF".to_owned(),
        );
        assert!(dark.contains(&display));
        assert_eq!(states("frame", |_| None).len(), 2);
    }
}
