//! Live channels, as the configuration file names them: a table `[channel.NAME]` each.

mod fetched;
mod interrupts;
mod writing;

use std::{path::PathBuf, time::Duration};

use super::{ConfigError, bad, millis, values};
use crate::{
    channel::{air::Rules, live::OnConflict},
    rights::ChannelName,
    source::live::{Command, File, Keep, Upstream, Words},
    timeline::night::{Plan, Position},
};

/// One live channel, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelConfig {
    /// The channel's name.
    pub name: ChannelName,
    /// Where its pictures come from.
    pub source: SourceConfig,
    /// How long its source may be silent; `None`: for ever.
    pub silent_after: Option<Duration>,
    /// The words that are written on its pictures.
    pub words: Option<Words>,
    /// When its pictures are darkened, if they are.
    pub night: Option<Plan>,
    /// By which rules it interrupts the gallery, if it does. What the server fetches itself for that runs all the time:
    /// its first picture could interrupt nothing if it waited for a viewer.
    pub interrupts: Option<Rules>,
}

/// Where a channel's pictures come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceConfig {
    /// Whoever sends them to `/push/NAME`.
    Push {
        /// The rule for a sender that comes while another one sends.
        on_conflict: OnConflict,
    },
    /// The server itself, which fetches them.
    Upstream {
        /// The thing that fetches them.
        upstream: Upstream,
        /// For how long it runs that nobody watches.
        keep: Keep,
    },
}

/// How long what is fetched may be silent where nothing else is said.
const USUAL_SILENCE: Duration = Duration::from_secs(10);

/// A live channel as it is typed.
#[derive(Debug, Default, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct FileChannel {
    source: Option<String>,
    silent_after: Option<String>,
    on_conflict: Option<String>,
    keep: Option<String>,
    path: Option<PathBuf>,
    url: Option<toml::Value>,
    user: Option<String>,
    password: Option<toml::Value>,
    fingerprint: Option<String>,
    insecure: Option<bool>,
    // No message of the reader's is to quote a password from these.
    run: Option<toml::Value>,
    device: Option<toml::Value>,
    input_options: Option<toml::Value>,
    size: Option<String>,
    fps: Option<i64>,
    quality: Option<i64>,
    night: Option<String>,
    text: Option<String>,
    text_place: Option<String>,
    text_size: Option<i64>,
    text_colour: Option<String>,
    text_shadow: Option<bool>,
    interrupts: Option<String>,
    priority: Option<i32>,
    hold: Option<String>,
    least: Option<String>,
    longest: Option<String>,
}

impl FileChannel {
    /// The channel of this name; `position` is where the sun of its nights sets.
    pub(super) fn checked(
        self,
        name: &str,
        position: Option<Position>,
    ) -> Result<ChannelConfig, ConfigError> {
        let key = |key: &str| format!("channel.{name}.{key}");
        let parsed: ChannelName = name
            .parse()
            .map_err(|reason| bad(format!("channel.{name}"), name, reason))?;
        let silent_after = match self.silent_after.as_deref() {
            None => None,
            Some("off") => Some(None),
            Some(text) => Some(Some(Duration::from_millis(millis(
                &key("silent-after"),
                text,
            )?))),
        };
        let night = values::night(&key("night"), self.night.as_deref(), position)?;
        let words = self.words(name)?;
        let interrupts = self.interrupts(name)?;
        let mut source = self.source(name)?;
        if let SourceConfig::Upstream { keep, .. } = &mut source
            && interrupts.is_some()
        {
            *keep = Keep::Always;
        }
        let usual = match &source {
            SourceConfig::Push { .. } => None,
            // A file may stand for days: that it was not written says nothing.
            SourceConfig::Upstream { upstream, .. } => match upstream {
                Upstream::Command(_) => Some(USUAL_SILENCE),
                Upstream::File(_) => None,
                Upstream::Relay(_) => Some(USUAL_SILENCE),
            },
        };
        Ok(ChannelConfig {
            name: parsed,
            source,
            silent_after: silent_after.unwrap_or(usual),
            words,
            night,
            interrupts,
        })
    }

    fn source(self, name: &str) -> Result<SourceConfig, ConfigError> {
        let key = |key: &str| format!("channel.{name}.{key}");
        let word = self.source.clone().unwrap_or_default();
        self.only_what_fits(name, &word)?;
        let upstream = match word.as_str() {
            "push" => {
                let on_conflict = match self.on_conflict.as_deref() {
                    None | Some("replace") => OnConflict::Replace,
                    Some("refuse") => OnConflict::Refuse,
                    Some(other) => {
                        let reason = "it has to be replace or refuse";
                        return Err(bad(key("on-conflict"), other, reason));
                    }
                };
                return Ok(SourceConfig::Push { on_conflict });
            }
            "file" => {
                let path = self.path.clone().ok_or_else(|| {
                    bad(
                        key("path"),
                        "",
                        "a channel whose source is a file needs its path",
                    )
                })?;
                Upstream::File(File { path })
            }
            "relay" => Upstream::Relay(self.relay(name)?),
            "command" => Upstream::Command(self.command(name)?),
            "camera" => Upstream::Command(Command::camera(self.camera(name)?)),
            other => {
                let reason = "a channel needs a source, and that has to be push, camera, command, relay or file";
                return Err(bad(key("source"), other, reason));
            }
        };
        let keep = match self.keep.as_deref() {
            None | Some("watched") => Keep::Watched,
            Some("always") => Keep::Always,
            Some(other) => {
                let reason = "it has to be watched or always";
                return Err(bad(key("keep"), other, reason));
            }
        };
        Ok(SourceConfig::Upstream { upstream, keep })
    }

    /// Refuses a setting that says nothing about a source of this kind.
    fn only_what_fits(&self, name: &str, source: &str) -> Result<(), ConfigError> {
        let settings = [
            ("on-conflict", self.on_conflict.is_some(), &["push"][..]),
            ("url", self.url.is_some(), &["relay"]),
            ("user", self.user.is_some(), &["relay"]),
            ("password", self.password.is_some(), &["relay"]),
            ("fingerprint", self.fingerprint.is_some(), &["relay"]),
            ("insecure", self.insecure.is_some(), &["relay"]),
            (
                "keep",
                self.keep.is_some(),
                &["camera", "command", "relay", "file"],
            ),
            ("path", self.path.is_some(), &["file"]),
            ("run", self.run.is_some(), &["command"]),
            ("device", self.device.is_some(), &["camera"]),
            ("input-options", self.input_options.is_some(), &["camera"]),
            ("size", self.size.is_some(), &["camera"]),
            ("fps", self.fps.is_some(), &["camera"]),
            ("quality", self.quality.is_some(), &["camera"]),
        ];
        for (setting, is_given, sources) in settings {
            if is_given && !source.is_empty() && !sources.contains(&source) {
                let reason = format!(
                    "it is for channels whose source is {}, and this one's is {source}",
                    sources.join(" or ")
                );
                return Err(bad(format!("channel.{name}.{setting}"), "", reason));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, render::words::Style, source::live::Camera};

    fn config(text: &str) -> Result<Vec<ChannelConfig>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mantel.toml");
        std::fs::write(&path, text).unwrap();
        let line = ["--config", path.to_str().unwrap()];
        let config = Config::from_args(line).map_err(|error| error.to_string())?;
        Ok(config.channels)
    }

    #[test]
    fn live_channels_are_read() {
        let channels = config(
            "[channel.plot]\nsource = \"push\"\n\
             [channel.door]\nsource = \"push\"\nsilent-after = \"30s\"\non-conflict = \"refuse\"\n",
        );
        let plot = ChannelConfig {
            name: "plot".parse().unwrap(),
            source: SourceConfig::Push {
                on_conflict: OnConflict::Replace,
            },
            silent_after: None,
            words: None,
            night: None,
            interrupts: None,
        };
        let door = ChannelConfig {
            name: "door".parse().unwrap(),
            source: SourceConfig::Push {
                on_conflict: OnConflict::Refuse,
            },
            silent_after: Some(Duration::from_secs(30)),
            words: None,
            night: None,
            interrupts: None,
        };
        assert_eq!(channels, Ok(vec![door, plot]));
        assert_eq!(config(""), Ok(vec![]));
    }

    #[test]
    fn the_gallery_has_words_and_is_no_live_channel() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mantel.toml");
        let words = |text: &str| {
            std::fs::write(&path, text).unwrap();
            let config = Config::from_args(["--config", path.to_str().unwrap()]).unwrap();
            assert_eq!(config.channels, []);
            config.words
        };
        assert_eq!(words(""), None);
        let style = Style {
            size: 9,
            ..Style::USUAL
        };
        let template = "{date} · {caption}".parse().unwrap();
        assert_eq!(
            words("[channel.main]\ntext = \"{date} · {caption}\"\ntext-size = 9"),
            Some(Words { template, style })
        );
    }

    #[test]
    fn what_is_fetched_is_read() {
        let channels =
            config("[channel.plot]\nsource = \"file\"\npath = \"plot.png\"\nkeep = \"always\"");
        let plot = ChannelConfig {
            name: "plot".parse().unwrap(),
            source: SourceConfig::Upstream {
                upstream: Upstream::File(File {
                    path: "plot.png".into(),
                }),
                keep: Keep::Always,
            },
            silent_after: None,
            words: None,
            night: None,
            interrupts: None,
        };
        assert_eq!(channels, Ok(vec![plot]));
    }

    #[test]
    fn a_channel_may_interrupt_the_gallery() {
        let read = |more: &str| {
            let text = format!("[channel.door]\nsource = \"file\"\npath = \"a\"\n{more}");
            config(&text).map(|channels| (channels[0].interrupts, channels[0].source.clone()))
        };
        let (none, source) = read("").unwrap();
        assert_eq!(none, None);
        assert!(matches!(
            source,
            SourceConfig::Upstream {
                keep: Keep::Watched,
                ..
            }
        ));
        let (usual, source) = read("interrupts = \"main\"").unwrap();
        assert_eq!(usual, Some(Rules::default()));
        assert!(matches!(
            source,
            SourceConfig::Upstream {
                keep: Keep::Always,
                ..
            }
        ));
        let (own, _) = read(
            "interrupts = \"main\"\nhold = \"8s\"\npriority = 5\nleast = \"500ms\"\nlongest = \"2m\"",
        )
        .unwrap();
        let rules = Rules {
            priority: 5,
            hold: Duration::from_secs(8),
            least: Duration::from_millis(500),
            longest: Some(Duration::from_secs(120)),
        };
        assert_eq!(own, Some(rules));
        let (endless, _) = read("interrupts = \"main\"\nlongest = \"off\"").unwrap();
        assert_eq!(endless.unwrap().longest, None);
    }

    #[test]
    fn an_interruption_that_can_not_be_gets_one_sentence() {
        let push = |more: &str| format!("[channel.door]\nsource = \"push\"\n{more}");
        let circle = "[channel.door]\nsource = \"push\"\ninterrupts = \"plot\"\n\
                      [channel.plot]\nsource = \"push\"\ninterrupts = \"door\"";
        let file = "[channel.door]\nsource = \"file\"\npath = \"a\"\nkeep = \"watched\"\ninterrupts = \"main\"";
        for (text, named) in [
            (circle.to_owned(), "only main"),
            (push("interrupts = \"door\""), "channel.door.interrupts"),
            (push("interrupts = \"nobody\""), "nobody"),
            (push("hold = \"20s\""), "channel.door.hold"),
            (push("priority = 1"), "channel.door.priority"),
            (
                push("interrupts = \"main\"\nhold = \"soon\""),
                "channel.door.hold",
            ),
            (
                push("interrupts = \"main\"\nhold = \"0s\""),
                "channel.door.hold",
            ),
            (
                push("interrupts = \"main\"\nlongest = \"1s\""),
                "channel.door.longest",
            ),
            (push("interrupts = \"main\"\npriority = \"high\""), "line 4"),
            (file.to_owned(), "channel.door.keep"),
        ] {
            let sentence = config(&text).unwrap_err();
            assert!(sentence.contains(named), "{text}: {sentence}");
        }
    }

    #[test]
    fn a_channel_that_can_not_be_gets_one_sentence() {
        for (text, named) in [
            ("[channel.Plot]\nsource = \"push\"", "channel.Plot"),
            (
                "[channel.main]\nsource = \"push\"",
                "at the top of the file",
            ),
            ("[channel.main]\ntext = \"{weather}\"", "channel.main.text"),
            (
                "[channel.main]\ntext = \"a\"\nfps = 5",
                "at the top of the file",
            ),
            (
                "[channel.plot]\nsource = \"push\"\nnight = \"22:30\"",
                "channel.plot.night \"22:30\": in \"22:30\" there has",
            ),
            (
                "[channel.plot]\nsource = \"push\"\nnight = \"sunset-06:30\"",
                "--position",
            ),
            (
                "night = \"23:00-06:30\"\n[channel.main]\nnight = \"22:30-06:30\"",
                "channel.main.night",
            ),
            ("[channel.main]\nnight = \"22:30\"", "22:30"),
            ("[channel.plot]", "channel.plot.source"),
            ("[channel.plot]\nsource = \"oracle\"", "oracle"),
            (
                "[channel.plot]\nsource = \"push\"\non-conflict = \"fight\"",
                "channel.plot.on-conflict",
            ),
            (
                "[channel.plot]\nsource = \"push\"\nsilent-after = \"soon\"",
                "channel.plot.silent-after",
            ),
            ("[channel.plot]\nsource = \"file\"", "channel.plot.path"),
            (
                "[channel.plot]\nsource = \"push\"\npath = \"plot.png\"",
                "channel.plot.path",
            ),
            (
                "[channel.plot]\nsource = \"file\"\npath = \"a\"\nkeep = \"it\"",
                "channel.plot.keep",
            ),
            (
                "[channel.plot]\nsource = \"push\"\ntext = \"{weather}\"",
                "channel.plot.text",
            ),
            (
                "[channel.plot]\nsource = \"push\"\ntext-size = 5",
                "channel.plot.text-size",
            ),
            (
                "[channel.plot]\nsource = \"push\"\ntext = \"a\"\ntext-colour = \"red\"",
                "text-colour",
            ),
            (
                "[channel.plot]\nsource = \"push\"\ncolour = \"red\"",
                "colour",
            ),
            ("[channel.pi]\nsource = \"command\"", "channel.pi.run"),
            (
                "[channel.pi]\nsource = \"command\"\nrun = \"rpicam-vid -o -\"",
                "a command is a list",
            ),
            (
                "[channel.pi]\nsource = \"command\"\nrun = []",
                "a command is a list",
            ),
            (
                "[channel.pi]\nsource = \"command\"\nrun = [\"x\"]\ndevice = \"/dev/video0\"",
                "channel.pi.device",
            ),
            ("[channel.cam]\nsource = \"camera\"", "`mantel cameras`"),
            (
                "[channel.cam]\nsource = \"camera\"\ndevice = \"video0\"",
                "channel.cam.device",
            ),
            (
                "[channel.cam]\nsource = \"camera\"\ndevice = \"/dev/video0\"\nfps = 500",
                "from 1 to 120",
            ),
            (
                "[channel.cam]\nsource = \"camera\"\ndevice = \"/dev/video0\"\nsize = \"big\"",
                "channel.cam.size",
            ),
            (
                "[channel.cam]\nsource = \"camera\"\ndevice = \"/dev/video0\"\ninput-options = \"-an\"",
                "it has to be a list",
            ),
        ] {
            let sentence = config(text).unwrap_err();
            assert!(sentence.contains(named), "{text}: {sentence}");
        }
        let secret = "[channel.cam]\nsource = \"camera\"\ndevice = ";
        for device in [
            "\"rtsp://joe:ge/heim@host/\"",
            "\"oracle://joe:geheim@host/\"",
            "[\"rtsp://joe:geheim@host/\"]",
        ] {
            let sentence = config(&format!("{secret}{device}")).unwrap_err();
            assert!(!sentence.contains("heim"), "{sentence}");
        }
    }

    #[test]
    fn cameras_and_commands_are_read() {
        let channels = config(
            "[channel.pi]\nsource = \"command\"\nrun = [\"rpicam-vid\", \"-o\", \"-\"]\nkeep = \"always\"\n\
             [channel.cam]\nsource = \"camera\"\ndevice = \"/dev/video0\"\nsize = \"1280x720\"\nfps = 15\n\
             quality = 70\ninput-options = [\"-hwaccel\", \"auto\"]\nsilent-after = \"off\"\n",
        );
        let upstream = |command, keep| SourceConfig::Upstream {
            upstream: Upstream::Command(command),
            keep,
        };
        let camera = Camera {
            device: "/dev/video0".parse().unwrap(),
            size: Some(crate::size::Size::new(1280, 720)),
            fps: Some(15),
            quality: 70,
            input_options: vec!["-hwaccel".into(), "auto".into()],
        };
        let run = ["rpicam-vid", "-o", "-"].map(str::to_owned).to_vec();
        let cam = ChannelConfig {
            name: "cam".parse().unwrap(),
            source: upstream(Command::camera(camera), Keep::Watched),
            silent_after: None,
            words: None,
            night: None,
            interrupts: None,
        };
        let pi = ChannelConfig {
            name: "pi".parse().unwrap(),
            source: upstream(Command::new(run).unwrap(), Keep::Always),
            silent_after: Some(Duration::from_secs(10)),
            words: None,
            night: None,
            interrupts: None,
        };
        assert_eq!(channels, Ok(vec![cam, pi]));
    }
}
