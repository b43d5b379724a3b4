//! Live channels, as the configuration file names them: a table `[channel.NAME]` each.

use std::{path::PathBuf, time::Duration};

use super::{ConfigError, bad, millis};
use crate::{
    channel::live::OnConflict,
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
        /// The thing that brings them.
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
        let source = self.source(name)?;
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
        };
        let door = ChannelConfig {
            name: "door".parse().unwrap(),
            source: SourceConfig::Push {
                on_conflict: OnConflict::Refuse,
            },
            silent_after: Some(Duration::from_secs(30)),
        };
        assert_eq!(channels, Ok(vec![door, plot]));
        assert_eq!(config(""), Ok(vec![]));
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
