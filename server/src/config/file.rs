//! The configuration file: TOML with the options' names.

#![expect(
    clippy::disallowed_methods,
    reason = "the configuration is read before anything is served, and may come by a pipe"
)]

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{
    ConfigError,
    access::{AccessArgs, LogFormat},
    bus::BusArgs,
    channels::FileChannel,
    choice::FileChoice,
    house::HouseArgs,
    limits::LimitArgs,
};
use crate::{library::FILTER_KEYS, near::near, photo::Order, source::clips::ClipMode};

/// The contents of the configuration file. An unknown key is an error that names its place.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FileConfig {
    /// Folders of photos. [`super::Args`] describes this key and the others.
    pub folders: Option<Vec<PathBuf>>,
    #[serde(default)]
    pub(super) follow_links: bool,
    #[serde(default)]
    pub(super) show_left_out: bool,
    #[serde(default)]
    pub(super) push_creates: bool,
    #[serde(default)]
    pub(super) listen: Words,
    pub(super) port: Option<i64>,
    #[serde(default, deserialize_with = "text")]
    pub(super) interval: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub(super) resume_after: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub(super) transition: Option<String>,
    pub(super) order: Option<Order>,
    pub(super) seed: Option<u64>,
    #[serde(default, deserialize_with = "text")]
    pub(super) size: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub(super) fit: Option<String>,
    pub(super) quality: Option<i64>,
    bitrate: Option<String>,
    #[serde(default, deserialize_with = "text")]
    gop: Option<String>,
    pub(super) clips: Option<ClipMode>,
    #[serde(default, deserialize_with = "text")]
    clip_limit: Option<String>,
    encoder: Option<String>,
    #[serde(default, deserialize_with = "text")]
    webrtc: Option<String>,
    #[serde(default)]
    ice_server: Words,
    pub(super) fps: Option<i64>,
    #[serde(default, deserialize_with = "text")]
    pub(super) pair: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub(super) caption: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub(super) night: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub(super) position: Option<String>,
    mqtt: Option<String>,
    mqtt_page: Option<String>,
    mqtt_compat: Option<String>,
    #[serde(default, deserialize_with = "text")]
    mdns: Option<String>,
    nats: Option<String>,
    nats_nkey: Option<PathBuf>,
    nats_ca: Option<PathBuf>,
    house: Option<String>,
    house_key: Option<PathBuf>,
    edge_rights: Option<String>,
    #[serde(default, deserialize_with = "text")]
    edge_silent_after: Option<String>,
    pub(super) data_dir: Option<PathBuf>,
    pub(super) log: Option<LogFormat>,
    #[serde(default)]
    host: Words,
    #[serde(default)]
    allow_origin: Words,
    #[serde(default)]
    user: Words,
    password_file: Option<PathBuf>,
    #[serde(default)]
    tls: bool,
    tls_cert: Option<PathBuf>,
    tls_key: Option<PathBuf>,
    #[serde(default)]
    public: bool,
    #[serde(default)]
    trusted_proxy: Words,
    max_connections: Option<i64>,
    max_connections_per_address: Option<i64>,
    max_requests: Option<i64>,
    max_head: Option<i64>,
    #[serde(default, deserialize_with = "text")]
    head_timeout: Option<String>,
    max_body: Option<i64>,
    #[serde(default, deserialize_with = "text")]
    body_timeout: Option<String>,
    max_renditions: Option<i64>,
    decode_memory: Option<i64>,
    #[serde(default, deserialize_with = "text")]
    decoder_process: Option<String>,
    #[serde(default, deserialize_with = "text")]
    stall_timeout: Option<String>,
    slow_viewer_memory: Option<i64>,
    #[serde(default, deserialize_with = "text")]
    step_down: Option<String>,
    #[serde(default)]
    pub(super) channel: BTreeMap<String, FileChannel>,
    album: Option<toml::Value>,
    from: Option<toml::Value>,
    to: Option<toml::Value>,
    rating: Option<toml::Value>,
    keyword: Option<toml::Value>,
    orientation: Option<toml::Value>,
    on_this_day: Option<toml::Value>,
    newest: Option<toml::Value>,
    favourites: Option<toml::Value>,
    pub(super) favour: Option<i64>,
    #[serde(default, deserialize_with = "text")]
    pub(super) memories: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub(super) fresh: Option<String>,
}

impl FileConfig {
    /// Reads `path`. Relative folders in it count from the file's own folder.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::File {
            path: path.to_owned(),
            source,
        })?;
        let mut file = Self::parse(&text).map_err(|reason| ConfigError::FileContent {
            path: path.to_owned(),
            reason,
        })?;
        let base = path.parent().unwrap_or(Path::new(""));
        for folder in file
            .folders
            .iter_mut()
            .flatten()
            .chain(file.data_dir.iter_mut())
            .chain(file.password_file.iter_mut())
            .chain(file.tls_cert.iter_mut())
            .chain(file.tls_key.iter_mut())
            .chain(file.nats_nkey.iter_mut())
            .chain(file.nats_ca.iter_mut())
            .chain(file.house_key.iter_mut())
        {
            *folder = base.join(&*folder);
        }
        Ok(file)
    }

    /// The choice of photos, as text: TOML has strings, numbers, dates and booleans of its own.
    pub(super) fn choice(&mut self) -> FileChoice {
        let values = [
            self.album.take(),
            self.from.take(),
            self.to.take(),
            self.rating.take(),
            self.keyword.take(),
            self.orientation.take(),
            self.on_this_day.take(),
            self.newest.take(),
            self.favourites.take(),
        ];
        let typed = |value: toml::Value| match value {
            toml::Value::String(text) => text,
            toml::Value::Array(words) => {
                let words = words.iter().filter_map(toml::Value::as_str);
                words.collect::<Vec<_>>().join(",")
            }
            other => other.to_string(),
        };
        let keyed = FILTER_KEYS.into_iter().zip(values);
        FileChoice(
            keyed
                .filter_map(|(key, value)| value.map(|value| (key, typed(value))))
                .collect(),
        )
    }

    /// The options of the house's other machines.
    pub(super) fn house(&mut self) -> HouseArgs {
        HouseArgs {
            mqtt: self.mqtt.take(),
            mqtt_page: self.mqtt_page.take(),
            mqtt_compat: self.mqtt_compat.take(),
            mdns: self.mdns.take(),
        }
    }

    /// The options of more machines than one.
    pub(super) fn bus(&mut self) -> BusArgs {
        BusArgs {
            nats: self.nats.take(),
            nats_nkey: self.nats_nkey.take(),
            nats_ca: self.nats_ca.take(),
            house: self.house.take(),
            house_key: self.house_key.take(),
            edge_rights: self.edge_rights.take(),
            edge_silent_after: self.edge_silent_after.take(),
        }
    }

    /// The options of who may watch.
    pub(super) fn access(&mut self) -> AccessArgs {
        AccessArgs {
            host: std::mem::take(&mut self.host).0,
            allow_origin: std::mem::take(&mut self.allow_origin).0,
            user: std::mem::take(&mut self.user).0,
            password_file: self.password_file.take(),
            tls: self.tls,
            tls_cert: self.tls_cert.take(),
            tls_key: self.tls_key.take(),
            public: self.public,
            trusted_proxy: std::mem::take(&mut self.trusted_proxy).0,
        }
    }

    /// The limits of what clients may take.
    pub(super) fn limits(&mut self) -> LimitArgs {
        LimitArgs {
            max_connections: self.max_connections,
            max_connections_per_address: self.max_connections_per_address,
            max_requests: self.max_requests,
            max_head: self.max_head,
            head_timeout: self.head_timeout.take(),
            max_body: self.max_body,
            body_timeout: self.body_timeout.take(),
            max_renditions: self.max_renditions,
            decode_memory: self.decode_memory,
            slow_viewer_memory: self.slow_viewer_memory,
            decoder_process: self.decoder_process.take(),
            stall_timeout: self.stall_timeout.take(),
            step_down: self.step_down.take(),
            bitrate: self.bitrate.take(),
            gop: self.gop.take(),
            encoder: self.encoder.take(),
            clips: self.clips.take(),
            clip_limit: self.clip_limit.take(),
            webrtc: self.webrtc.take(),
            ice_server: std::mem::take(&mut self.ice_server).0,
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| {
                1 + text
                    .bytes()
                    .take(span.start)
                    .filter(|byte| *byte == b'\n')
                    .count()
            });
            format!("line {line}: {}", about(error.message()))
        })
    }
}

/// Rewords an error of the TOML reader for people: it names a near key in place of all keys.
fn about(message: &str) -> String {
    let unknown = message
        .strip_prefix("unknown field `")
        .and_then(|rest| rest.split_once('`'));
    let Some((key, known)) = unknown else {
        return message.replace('\n', " ");
    };
    let known = known.split('`').skip(1).step_by(2);
    match near(key, known).first() {
        Some(near) => format!("unknown key {key:?}; did you mean {near}?"),
        None => format!("unknown key {key:?}; mantel --help names the options, which are the keys"),
    }
}

/// Reads a text, which may stand without quotes if it is a number or a boolean: `8` for 8 seconds,
/// `true` for on.
fn text<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    #[derive(serde::Deserialize)]
    #[serde(
        untagged,
        expecting = "it has to be a text in quotes, a number, or true or false"
    )]
    enum Typed {
        Text(String),
        Whole(i64),
        Number(f64),
        Truth(bool),
    }
    let typed: Typed = serde::Deserialize::deserialize(from)?;
    Ok(Some(match typed {
        Typed::Text(text) => text,
        Typed::Whole(number) => number.to_string(),
        Typed::Number(number) => number.to_string(),
        Typed::Truth(true) => "on".into(),
        Typed::Truth(false) => "off".into(),
    }))
}

/// One text, or a list of them: an option that may be given more than once on the command line.
#[derive(Debug, Default)]
pub(super) struct Words(pub(super) Vec<String>);

impl<'de> serde::Deserialize<'de> for Words {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Words;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text, or a list of texts")
            }

            fn visit_str<E>(self, text: &str) -> Result<Words, E> {
                Ok(Words(vec![text.to_owned()]))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Words, E> {
                Ok(Words(vec![number.to_string()]))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(
                self,
                mut texts: A,
            ) -> Result<Words, A::Error> {
                let mut words = Words::default();
                while let Some(text) = texts.next_element()? {
                    words.0.push(text);
                }
                Ok(words)
            }
        }
        from.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let error = FileConfig::parse("interval = \"8s\"\nintervall = \"9s\"\n").unwrap_err();
        assert!(
            error == "line 2: unknown key \"intervall\"; did you mean interval?",
            "{error}"
        );
        let error = FileConfig::parse("colour = 1\n").unwrap_err();
        assert!(
            error.len() < 100 && error.contains("mantel --help"),
            "{error}"
        );
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_named_with_its_line() {
        let error = FileConfig::parse("\n\nquality = \"high\"\n").unwrap_err();
        assert!(error.starts_with("line 3: "), "{error}");
    }

    #[test]
    fn the_sample_is_understood_with_and_without_what_is_behind_marks() {
        let sample = include_str!("../../../deploy/mantel.toml");
        let as_it_is = FileConfig::parse(sample).unwrap();
        assert_eq!(as_it_is.interval.as_deref(), Some("15"));
        assert!(as_it_is.folders.is_some() && as_it_is.port.is_none());
        let all: Vec<&str> = sample
            .lines()
            .map(|line| match line.strip_prefix('#') {
                Some(option)
                    if option.starts_with(|c: char| c.is_ascii_lowercase() || c == '[') =>
                {
                    option
                }
                _ => line,
            })
            .collect();
        let all = FileConfig::parse(&all.join("\n")).unwrap();
        assert_eq!((all.port, all.pair.as_deref()), (Some(8080), Some("on")));
        for (name, channel) in all.channel {
            assert!(channel.checked(&name, None).is_ok(), "{name}");
        }
    }

    #[test]
    fn one_text_or_a_list() {
        let of = |text| FileConfig::parse(text).unwrap().listen.0;
        assert_eq!(of("listen = \"a\""), ["a"]);
        assert_eq!(of("listen = 8080"), ["8080"]);
        assert_eq!(of("listen = [\"a\", \"b\"]"), ["a", "b"]);
        let error = FileConfig::parse("listen = true").unwrap_err();
        assert!(error.contains("a text, or a list of texts"), "{error}");
    }
}
