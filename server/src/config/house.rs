//! Options of the house's other machines: the broker of its automation.

use super::{ConfigError, bad, page::Page};
use crate::fetch::Broker;

/// The program whose topics can be spoken, and its usual id.
const PICFRAME: &str = "picframe";

/// The settings of home automation.
#[derive(Clone, Debug)]
pub struct MqttConfig {
    /// The broker.
    pub broker: Broker,
    /// The address at which others reach this server, where one is given.
    pub page: Option<Page>,
    /// The id of the picframe whose topics are spoken as well, where one was there before.
    pub picframe: Option<String>,
}

/// The options of the house's other machines, as typed.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Home")]
pub struct HouseArgs {
    /// A broker for Home Assistant and others, `mqtt://NAME:PASSWORD@HOST:1883`, with TLS `mqtts://…`; where a password is in
    /// it, better in the file or the environment [default: none].
    #[arg(
        long,
        value_name = "URL",
        env = "MANTEL_MQTT",
        hide_env_values = true,
        hide_short_help = true
    )]
    pub mqtt: Option<String>,

    /// The address at which Home Assistant reaches this server, for the picture; with tokens, `?token=…` at its end
    /// [default: this machine's in the house].
    #[arg(
        long,
        value_name = "URL",
        env = "MANTEL_MQTT_PAGE",
        hide_env_values = true,
        hide_short_help = true
    )]
    pub mqtt_page: Option<String>,

    /// Another program whose topics are spoken as well, so that a house's automations go on: picframe, or picframe:ID where
    /// its `device_id` was another [default: off].
    #[arg(
        long,
        value_name = "picframe|off",
        env = "MANTEL_MQTT_COMPAT",
        hide_short_help = true
    )]
    pub mqtt_compat: Option<String>,

    /// The name by which TVs and phones find this server, `mantel` for `http://mantel.local:8080/`, or off [default: mantel].
    #[arg(
        long,
        value_name = "NAME|off",
        env = "MANTEL_MDNS",
        hide_short_help = true
    )]
    pub mdns: Option<String>,
}

impl HouseArgs {
    /// These, and where they say nothing those of the file.
    pub(super) fn over(self, file: Self) -> Self {
        Self {
            mqtt: self.mqtt.or(file.mqtt),
            mqtt_page: self.mqtt_page.or(file.mqtt_page),
            mqtt_compat: self.mqtt_compat.or(file.mqtt_compat),
            mdns: self.mdns.or(file.mdns),
        }
    }

    /// The name in the house; `None`: none. An edge has one if it is given one: the other is that of the machine it shows.
    pub(super) fn name(&self, is_edge: bool) -> Result<Option<String>, ConfigError> {
        let default = if is_edge { "off" } else { "mantel" };
        let name = self.mdns.as_deref().unwrap_or(default).trim();
        let name = name.trim_end_matches(".local").to_ascii_lowercase();
        if name == "off" {
            return Ok(None);
        }
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let is_name = (1..=63).contains(&name.len()) && name.bytes().all(plain);
        if !is_name || name.starts_with('-') || name.ends_with('-') {
            let reason = "it has to be off, or a name of a to z, 0 to 9 and -, at most 63 of them";
            return Err(bad("--mdns", name, reason));
        }
        Ok(Some(name))
    }

    pub(super) fn checked(self) -> Result<Option<MqttConfig>, ConfigError> {
        // Neither is repeated: they may hold secrets.
        let page = self.mqtt_page.as_deref().map(str::parse::<Page>);
        let page = page.transpose();
        let page = page.map_err(|error| bad("--mqtt-page", "…", error))?;
        let off = |text: &String| text.trim().eq_ignore_ascii_case("off");
        let broker = self.mqtt.filter(|text| !off(text));
        let broker = broker.map(|text| text.parse()).transpose();
        let broker = broker.map_err(|error| bad("--mqtt", "…", error))?;
        let picframe = self.mqtt_compat.as_deref().map(picframe).transpose()?;
        let picframe = picframe.flatten();
        Ok(broker.map(|broker| MqttConfig {
            broker,
            page,
            picframe,
        }))
    }
}

/// Reads the id of a picframe.
fn picframe(text: &str) -> Result<Option<String>, ConfigError> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("off") {
        return Ok(None);
    }
    let (kind, id) = text.split_once(':').unwrap_or((text, PICFRAME));
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    if kind == PICFRAME && (1..=64).contains(&id.len()) && id.bytes().all(plain) {
        return Ok(Some(id.to_owned()));
    }
    let reason =
        "it has to be off, picframe, or picframe:ID with an id of letters, digits, _ and -";
    Err(bad("--mqtt-compat", text, reason))
}

#[cfg(test)]
mod tests {
    use super::HouseArgs;
    use crate::Config;

    #[test]
    fn the_name_in_the_house_is_one() {
        let name = |line: &[&str]| {
            let config = Config::from_args(line.iter().copied());
            config
                .map(|config| config.mdns)
                .map_err(|error| error.to_string())
        };
        assert_eq!(name(&[]), Ok(Some("mantel".into())));
        assert_eq!(name(&["--mdns", "OFF"]), Ok(None));
        assert_eq!(HouseArgs::default().name(true).unwrap(), None);
        let named = HouseArgs {
            mdns: Some("hall".into()),
            ..HouseArgs::default()
        };
        assert_eq!(named.name(true).unwrap().as_deref(), Some("hall"));
        for text in ["frames-2", "Frames-2.local"] {
            assert_eq!(name(&["--mdns", text]), Ok(Some("frames-2".into())));
        }
        for text in ["", "a b", "a.b", "-a", "ä", &"a".repeat(64)] {
            let line = format!("--mdns={text}");
            assert!(name(&[&line]).unwrap_err().contains("--mdns"), "{text}");
        }
    }

    #[test]
    fn a_picframe_is_known_by_its_id() {
        let read = |text: &str| {
            let line = ["--mqtt", "mqtt://hass.local", "--mqtt-compat", text];
            let config = Config::from_args(line).map_err(|error| error.to_string());
            config.map(|config| config.mqtt.unwrap().picframe)
        };
        assert_eq!(read("off"), Ok(None));
        assert_eq!(read("picframe"), Ok(Some("picframe".into())));
        assert_eq!(read("picframe:hall_2"), Ok(Some("hall_2".into())));
        for text in [
            "",
            "other",
            "picframe:",
            "picframe:a/b",
            "picframe:#",
            "picframe:ä",
        ] {
            let sentence = read(text).unwrap_err();
            assert!(sentence.contains("--mqtt-compat"), "{sentence}");
        }
    }

    #[test]
    fn a_broker_is_read_and_its_password_told_to_nobody() {
        let read = |line: &[&str]| Config::from_args(line.iter().copied());
        assert!(read(&[]).unwrap().mqtt.is_none());
        assert!(read(&["--mqtt", "off"]).unwrap().mqtt.is_none());
        let line = ["--mqtt", "mqtt://anna:geheim@hass.local"];
        let config = read(&line).unwrap();
        let setup = config.mqtt.as_ref().unwrap();
        assert_eq!(setup.broker.to_string(), "mqtt://hass.local:1883");
        assert!(!format!("{config:?}").contains("geheim"));
        for line in [
            ["--mqtt", "tcp://anna:geheim@hass.local"],
            ["--mqtt-page", "ftp://hass.local/?token=geheim"],
        ] {
            let sentence = read(&line).unwrap_err().to_string();
            assert!(sentence.contains(line[0]), "{sentence}");
            assert!(!sentence.contains("geheim"), "{sentence}");
        }
    }
}
