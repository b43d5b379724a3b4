//! Live channels, as the configuration file names them: a table `[channel.NAME]` each.

use std::time::Duration;

use super::{ConfigError, bad, millis};
use crate::{channel::live::OnConflict, rights::ChannelName};

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
}

/// A live channel as it is typed.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct FileChannel {
    source: Option<String>,
    silent_after: Option<String>,
    on_conflict: Option<String>,
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
        let source = self.source.unwrap_or_default();
        if source != "push" {
            let reason = "a channel needs a source, and that has to be push";
            return Err(bad(key("source"), &source, reason));
        }
        let on_conflict = match self.on_conflict.as_deref() {
            None | Some("replace") => OnConflict::Replace,
            Some("refuse") => OnConflict::Refuse,
            Some(other) => {
                let reason = "it has to be replace or refuse";
                return Err(bad(key("on-conflict"), other, reason));
            }
        };
        let silent_after = match self.silent_after.as_deref() {
            None | Some("off") => None,
            Some(text) => Some(Duration::from_millis(millis(&key("silent-after"), text)?)),
        };
        Ok(ChannelConfig {
            name: parsed,
            source: SourceConfig::Push { on_conflict },
            silent_after,
        })
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
