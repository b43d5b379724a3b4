//! The documents by which Home Assistant finds this server and its screens. Pure: names in, JSON out.
//!
//! One retained message a device, with all its entities: the form that Home Assistant reads since 2024.11.

use serde_json::{Map, Value, json};

use super::topics::Topics;

/// Whoever reads discovery documents, and says so when they start.
pub(super) const STATUS: &str = "homeassistant/status";

/// The choice of all photos, in words.
pub(super) const ALL_PHOTOS: &str = "All photos";

/// Letters of a message, as the command takes them.
const MAX_SAY_CHARS: u32 = 200;
/// The longest that a slide stays, in seconds.
const MAX_SECONDS: u32 = 24 * 60 * 60;

/// The facts of the server's device.
pub(super) struct Told<'a> {
    pub(super) topics: &'a Topics,
    /// The page that people open, where it is known.
    pub(super) page: Option<&'a str>,
    /// Whether the picture has an address.
    pub(super) has_picture: bool,
    /// The albums that can be chosen, where there are some.
    pub(super) albums: &'a [String],
}

/// Where the document of a device belongs.
pub(super) fn topic(device: &str) -> String {
    format!("homeassistant/device/{device}/config")
}

/// The server's own document.
pub(super) fn server(told: &Told<'_>) -> Value {
    let topics = told.topics;
    let mut parts = Parts::new(topics.id(), "mantel", |key| {
        (topics.state(key), topics.command(key))
    });
    parts.add(
        "light",
        "light",
        "Light",
        json!({
            "schema": "json",
            "brightness": true,
            "brightness_scale": 100,
            "supported_color_modes": ["brightness"],
            "icon": "mdi:image-frame",
        }),
    );
    parts.add(
        "pause",
        "switch",
        "Pause",
        json!({ "icon": "mdi:pause-circle" }),
    );
    for (key, name, icon) in [
        ("previous", "Previous", "mdi:skip-previous"),
        ("next", "Next", "mdi:skip-next"),
        ("hide", "Hide this photo", "mdi:eye-off"),
        ("favourite", "Favourite", "mdi:heart"),
    ] {
        parts.add(key, "button", name, json!({ "icon": icon }));
    }
    parts.add(
        "interval",
        "number",
        "Interval",
        json!({
            "min": 1,
            "max": MAX_SECONDS,
            "mode": "box",
            "unit_of_measurement": "s",
            "entity_category": "config",
        }),
    );
    parts.add(
        "message",
        "text",
        "Message",
        json!({ "min": 0, "max": MAX_SAY_CHARS, "icon": "mdi:message-text" }),
    );
    parts.add_albums(told.albums);
    parts.add(
        "photo",
        "sensor",
        "Photo",
        json!({
            "json_attributes_topic": topics.state("photo-facts"),
            "icon": "mdi:image",
        }),
    );
    parts.add(
        "viewers",
        "sensor",
        "Viewers",
        json!({ "state_class": "measurement", "icon": "mdi:television", "entity_category": "diagnostic" }),
    );
    parts.add(
        "touch",
        "event",
        "Touch",
        json!({ "event_types": ["touch"], "icon": "mdi:gesture-tap" }),
    );
    if told.has_picture {
        parts.add_picture(&topics.state("picture"));
    }
    document(topics, parts.0, topics.id(), "Mantel", None, told.page)
}

/// The document of a screen that has a name.
pub(super) fn screen(told: &Told<'_>, name: &str, channels: &[String]) -> Value {
    let Told { topics, page, .. } = *told;
    let device = topics.screen_device(name);
    let stem = format!("mantel_{}", name.replace('-', "_"));
    let mut parts = Parts::new(&device, &stem, |key| {
        (
            topics.screen_state(name, key),
            topics.screen_command(name, key),
        )
    });
    parts.add(
        "lit",
        "binary_sensor",
        "Shows pictures",
        json!({ "icon": "mdi:television-play" }),
    );
    parts.add(
        "screen",
        "switch",
        "Screen",
        json!({ "icon": "mdi:television" }),
    );
    if channels.len() > 1 {
        parts.add(
            "channel",
            "select",
            "Channel",
            json!({ "options": channels, "icon": "mdi:video-switch" }),
        );
    }
    parts.add_albums(told.albums);
    let label = format!("Mantel {name}");
    document(topics, parts.0, &device, &label, Some(topics.id()), page)
}

/// The entities of one device.
struct Parts<F>(Map<String, Value>, Names<F>);

struct Names<F> {
    device: String,
    /// How entities' ids begin.
    stem: String,
    /// The topics of an entity: its state, and its commands.
    topics: F,
}

impl<F: Fn(&str) -> (String, String)> Parts<F> {
    fn new(device: &str, stem: &str, topics: F) -> Self {
        let names = Names {
            device: device.to_owned(),
            stem: stem.to_owned(),
            topics,
        };
        Self(Map::new(), names)
    }

    fn add(&mut self, key: &str, platform: &str, name: &str, more: Value) {
        let (state, command) = (self.1.topics)(key);
        let mut part = self.begun(key, platform, name);
        if platform != "button" {
            part.insert("state_topic".into(), state.into());
        }
        if !matches!(platform, "sensor" | "binary_sensor" | "event") {
            part.insert("command_topic".into(), command.into());
        }
        if let Value::Object(more) = more {
            part.extend(more);
        }
        self.0.insert(key.to_owned(), part.into());
    }

    /// The choice of an album, where there are some.
    fn add_albums(&mut self, albums: &[String]) {
        if albums.is_empty() {
            return;
        }
        let albums = albums.iter().map(String::as_str);
        let options: Vec<&str> = std::iter::once(ALL_PHOTOS).chain(albums).collect();
        let more = json!({ "options": options, "icon": "mdi:image-album" });
        self.add("album", "select", "Album", more);
    }

    fn add_picture(&mut self, url_topic: &str) {
        let mut part = self.begun("picture", "image", "Picture");
        part.insert("url_topic".into(), url_topic.into());
        self.0.insert("picture".to_owned(), part.into());
    }

    fn begun(&self, key: &str, platform: &str, name: &str) -> Map<String, Value> {
        let Names { device, stem, .. } = &self.1;
        let mut part = Map::new();
        for (field, value) in [
            ("platform", platform.to_owned()),
            ("name", name.to_owned()),
            ("unique_id", format!("{device}_{key}")),
            ("default_entity_id", format!("{platform}.{stem}_{key}")),
        ] {
            part.insert(field.to_owned(), value.into());
        }
        part
    }
}

fn document(
    topics: &Topics,
    parts: Map<String, Value>,
    id: &str,
    name: &str,
    via: Option<&str>,
    page: Option<&str>,
) -> Value {
    let version = env!("CARGO_PKG_VERSION");
    let mut device = json!({
        "identifiers": [id],
        "name": name,
        "manufacturer": "Mantel",
        "model": if via.is_some() { "Screen" } else { "Server" },
        "sw_version": version,
    });
    if let Some(via) = via {
        device["via_device"] = via.into();
    }
    // Home Assistant refuses the whole document where this is no address.
    if let Some(page) = page {
        device["configuration_url"] = page.into();
    }
    json!({
        "device": device,
        "origin": { "name": "Mantel", "sw_version": version },
        "availability_topic": topics.availability(),
        "components": parts,
    })
}

#[cfg(test)]
mod tests;
