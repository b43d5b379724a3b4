//! Live channels, as the configuration file names them: a table `[channel.NAME]` each.

use std::{path::PathBuf, time::Duration};

use super::{ConfigError, bad, millis};
use crate::{
    channel::{air::Rules, live::OnConflict},
    rights::ChannelName,
    source::live::{File, Keep, Upstream},
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
    /// What the server itself fetches them by.
    Upstream {
        /// What that is.
        upstream: Upstream,
        /// For how long it runs that nobody watches.
        keep: Keep,
    },
}

/// A live channel as it is typed.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct FileChannel {
    source: Option<String>,
    silent_after: Option<String>,
    on_conflict: Option<String>,
    keep: Option<String>,
    path: Option<PathBuf>,
    interrupts: Option<String>,
    priority: Option<i32>,
    hold: Option<String>,
    least: Option<String>,
    longest: Option<String>,
}

impl FileChannel {
    pub(super) fn checked(self, name: &str) -> Result<ChannelConfig, ConfigError> {
        let key = |key: &str| format!("channel.{name}.{key}");
        let parsed: ChannelName = name
            .parse()
            .map_err(|reason| bad(format!("channel.{name}"), name, reason))?;
        if parsed == ChannelName::main() {
            let reason = "main is the gallery, whose settings stand at the top of the file";
            return Err(bad("channel.main", name, reason));
        }
        let silent_after = match self.silent_after.as_deref() {
            None => None,
            Some("off") => Some(None),
            Some(text) => Some(Some(Duration::from_millis(millis(
                &key("silent-after"),
                text,
            )?))),
        };
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
                Upstream::File(_) => None,
            },
        };
        Ok(ChannelConfig {
            name: parsed,
            source,
            silent_after: silent_after.unwrap_or(usual),
            interrupts,
        })
    }

    fn interrupts(&self, name: &str) -> Result<Option<Rules>, ConfigError> {
        let key = |key: &str| format!("channel.{name}.{key}");
        match self.interrupts.as_deref() {
            Some(ChannelName::MAIN) => {}
            Some(other) => {
                let reason = "only main, the gallery, can be interrupted";
                return Err(bad(key("interrupts"), other, reason));
            }
            None => {
                let given = [
                    ("priority", self.priority.is_some()),
                    ("hold", self.hold.is_some()),
                    ("least", self.least.is_some()),
                    ("longest", self.longest.is_some()),
                ];
                let reason = "it is for channels that interrupt the gallery, and this one does not: \
                              it takes interrupts = \"main\"";
                return match given.into_iter().find(|(_, is_given)| *is_given) {
                    Some((setting, _)) => Err(bad(key(setting), "", reason)),
                    None => Ok(None),
                };
            }
        }
        if self.keep.as_deref() == Some("watched") {
            let reason = "a channel that interrupts the gallery is kept always; leave it out";
            return Err(bad(key("keep"), "watched", reason));
        }
        let usual = Rules::default();
        let span = |setting: &str, text: &Option<String>, usual: Duration| match text {
            Some(text) => millis(&key(setting), text).map(Duration::from_millis),
            None => Ok(usual),
        };
        let rules = Rules {
            priority: self.priority.unwrap_or(usual.priority),
            hold: span("hold", &self.hold, usual.hold)?,
            least: span("least", &self.least, usual.least)?,
            longest: match self.longest.as_deref() {
                None => usual.longest,
                Some("off") => None,
                Some(text) => Some(Duration::from_millis(millis(&key("longest"), text)?)),
            },
        };
        if rules.hold.is_zero() {
            let reason = "an interruption has to be seen: it has to be longer than nothing";
            return Err(bad(key("hold"), "0", reason));
        }
        if let Some(longest) = rules.longest
            && longest < rules.least
        {
            let reason = "an interruption can't last longer at least than it lasts at most (least)";
            return Err(bad(
                key("longest"),
                self.longest.as_deref().unwrap_or_default(),
                reason,
            ));
        }
        Ok(Some(rules))
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
                let path = self.path.ok_or_else(|| {
                    bad(
                        key("path"),
                        "",
                        "a channel whose source is a file needs its path",
                    )
                })?;
                Upstream::File(File { path })
            }
            other => {
                let reason = "a channel needs a source, and that has to be push or file";
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
            ("keep", self.keep.is_some(), &["file"]),
            ("path", self.path.is_some(), &["file"]),
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
    use crate::Config;

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
            interrupts: None,
        };
        let door = ChannelConfig {
            name: "door".parse().unwrap(),
            source: SourceConfig::Push {
                on_conflict: OnConflict::Refuse,
            },
            silent_after: Some(Duration::from_secs(30)),
            interrupts: None,
        };
        assert_eq!(channels, Ok(vec![door, plot]));
        assert_eq!(config(""), Ok(vec![]));
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
            ("[channel.main]\nsource = \"push\"", "channel.main"),
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
            (
                "[channel.plot]\nsource = \"push\"\ncolour = \"red\"",
                "colour",
            ),
        ] {
            let sentence = config(text).unwrap_err();
            assert!(sentence.contains(named), "{text}: {sentence}");
        }
    }
}
