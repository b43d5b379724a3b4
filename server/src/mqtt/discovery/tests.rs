use std::collections::BTreeSet;

use super::*;

fn topics() -> Topics {
    Topics::new("mantel_0123abcd".into())
}

fn whole() -> Value {
    let albums = ["Rome".to_owned(), "Oslo/Day 1".to_owned()];
    server(&Told {
        topics: &topics(),
        page: Some("http://10.0.0.2:8080/"),
        has_picture: true,
        albums: &albums,
    })
}

/// The keys that Home Assistant 2026 takes for a component of each platform, beside those of all.
fn allowed(platform: &str) -> &'static [&'static str] {
    match platform {
        "light" => &[
            "schema",
            "brightness",
            "brightness_scale",
            "supported_color_modes",
            "state_topic",
            "command_topic",
        ],
        "switch" => &["state_topic", "command_topic"],
        "button" => &["command_topic"],
        "number" => &[
            "state_topic",
            "command_topic",
            "min",
            "max",
            "mode",
            "unit_of_measurement",
        ],
        "text" => &["state_topic", "command_topic", "min", "max"],
        "select" => &["state_topic", "command_topic", "options"],
        "sensor" => &["state_topic", "json_attributes_topic", "state_class"],
        "binary_sensor" => &["state_topic"],
        "event" => &["state_topic", "event_types"],
        "image" => &["url_topic"],
        other => panic!("no platform {other}"),
    }
}

fn is_id(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    !text.is_empty() && text.bytes().all(plain)
}

/// The rules by which Home Assistant takes a document.
fn keeps_the_rules(document: &Value, topic: &str) {
    let [first, component, device, last] = topic.split('/').collect::<Vec<_>>()[..] else {
        panic!("{topic}: it listens to four levels")
    };
    assert_eq!(
        (first, component, last),
        ("homeassistant", "device", "config")
    );
    assert!(is_id(device), "{device}");
    assert_eq!(document["device"]["identifiers"], json!([device]));
    assert!(document["device"]["name"].is_string());
    assert!(document["origin"]["name"].is_string(), "it is required");
    assert!(document["availability_topic"].is_string());
    if let Some(url) = document["device"].get("configuration_url") {
        let url: http::Uri = url.as_str().unwrap().parse().unwrap();
        assert!(url.scheme().is_some() && url.host().is_some());
    }
    let mut ids = BTreeSet::new();
    let components = document["components"].as_object().unwrap();
    assert!(!components.is_empty());
    for (key, part) in components {
        assert!(is_id(key), "{key}");
        let text = |field: &str| part[field].as_str().unwrap_or_default();
        let platform = text("platform");
        assert!(is_id(text("unique_id")) && ids.insert(text("unique_id").to_owned()));
        let (domain, entity) = text("default_entity_id").split_once('.').unwrap();
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        assert!(domain == platform && entity.bytes().all(plain), "{entity}");
        assert!(ids.insert(format!("{domain}.{entity}")));
        for (field, value) in part.as_object().unwrap() {
            let of_all = [
                "platform",
                "name",
                "unique_id",
                "default_entity_id",
                "icon",
                "entity_category",
            ];
            let field = field.as_str();
            assert!(
                of_all.contains(&field) || allowed(platform).contains(&field),
                "{key}: {field}"
            );
            if field.ends_with("topic") {
                let topic = value.as_str().unwrap();
                assert!(!topic.contains(['+', '#', '~']) && topic.starts_with("mantel/"));
                assert_eq!(topic.ends_with("/set"), field == "command_topic");
            }
        }
    }
}

#[test]
fn the_server_s_document_keeps_the_rules() {
    let document = whole();
    keeps_the_rules(&document, &topic("mantel_0123abcd"));
    let parts = document["components"].as_object().unwrap();
    let platforms: BTreeSet<&str> = parts
        .values()
        .map(|part| part["platform"].as_str().unwrap())
        .collect();
    let expected = [
        "button", "event", "image", "light", "number", "select", "sensor", "switch", "text",
    ];
    assert_eq!(platforms, expected.into());
    assert_eq!(
        parts["album"]["options"],
        json!(["All photos", "Rome", "Oslo/Day 1"])
    );
    assert_eq!(
        parts["next"]["default_entity_id"],
        json!("button.mantel_next")
    );
    assert_eq!(
        parts["pause"]["command_topic"],
        json!("mantel/mantel_0123abcd/pause/set")
    );
}

#[test]
fn what_is_not_known_is_left_out() {
    let document = server(&Told {
        topics: &topics(),
        page: None,
        has_picture: false,
        albums: &[],
    });
    keeps_the_rules(&document, &topic("mantel_0123abcd"));
    assert!(document["device"].get("configuration_url").is_none());
    let parts = &document["components"];
    assert!(parts.get("picture").is_none() && parts.get("album").is_none());
}

#[test]
fn a_screen_s_document_keeps_the_rules_and_names_its_server() {
    let topics = topics();
    for name in ["hall", "living-room", "7"] {
        let albums = ["Rome".to_owned()];
        let told = Told {
            topics: &topics,
            page: Some("https://frames.example:8443/"),
            has_picture: true,
            albums: &albums,
        };
        let channels = ["main".to_owned(), "door".to_owned()];
        let document = screen(&told, name, &channels);
        let parts = &document["components"];
        assert_eq!(parts["channel"]["options"], json!(["main", "door"]));
        assert_eq!(parts["album"]["options"], json!(["All photos", "Rome"]));
        assert_ne!(
            parts["album"]["unique_id"],
            whole()["components"]["album"]["unique_id"]
        );
        let bare = screen(
            &Told {
                albums: &[],
                ..told
            },
            name,
            &channels[..1],
        );
        let n_parts = bare["components"].as_object().unwrap().len();
        assert_eq!(n_parts, 2, "nothing to choose from");
        keeps_the_rules(&document, &topic(&topics.screen_device(name)));
        assert_eq!(document["device"]["via_device"], json!("mantel_0123abcd"));
        assert_ne!(
            document["device"]["identifiers"],
            whole()["device"]["identifiers"]
        );
    }
}
