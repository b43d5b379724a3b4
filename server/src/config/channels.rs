//! Live channels, as the configuration file names them: a table `[channel.NAME]` each.

use std::{path::PathBuf, time::Duration};

use super::{ConfigError, bad, millis};
use crate::{
    channel::live::OnConflict,
    fetch::{Credentials, Target, Trust},
    rights::ChannelName,
    source::live::{File, Keep, Relay, Upstream},
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
        /// The thing that fetches them.
        upstream: Upstream,
        /// For how long it runs that nobody watches.
        keep: Keep,
    },
}

/// For how long what is fetched may be silent, where nobody says so.
const SILENT_AFTER: Duration = Duration::from_secs(10);

/// A live channel as it is typed.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct FileChannel {
    source: Option<String>,
    silent_after: Option<String>,
    on_conflict: Option<String>,
    keep: Option<String>,
    path: Option<PathBuf>,
    url: Option<String>,
    user: Option<String>,
    password: Option<String>,
    fingerprint: Option<String>,
    insecure: Option<bool>,
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
                Upstream::Relay(_) => Some(SILENT_AFTER),
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
            "relay" => Upstream::Relay(self.relay(name)?),
            other => {
                let reason = "a channel needs a source, and that has to be push, file or relay";
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

    fn relay(&self, name: &str) -> Result<Relay, ConfigError> {
        let key = |key: &str| format!("channel.{name}.{key}");
        let url = self.url.as_deref().ok_or_else(|| {
            let reason =
                "a channel whose source is a relay needs the url of the other server's pictures";
            bad(key("url"), "", reason)
        })?;
        // The text may hold a password: it is not repeated.
        let mut target: Target = url.parse().map_err(|error| bad(key("url"), "", error))?;
        match (&self.user, &self.password) {
            (Some(user), Some(password)) => {
                target = target.with_credentials(Credentials::User {
                    name: user.clone(),
                    password: password.clone(),
                });
            }
            (None, None) => {}
            _ => return Err(bad(key("user"), "", "user and password belong together")),
        }
        let trust = match (&self.fingerprint, self.insecure) {
            (None, None | Some(false)) => Trust::System,
            (Some(text), None | Some(false)) => {
                let fingerprint = text
                    .parse()
                    .map_err(|reason| bad(key("fingerprint"), text, reason))?;
                Trust::Fingerprint(fingerprint)
            }
            (None, Some(true)) => Trust::Anyone,
            (Some(_), Some(true)) => {
                let reason = "a certificate with a fingerprint is not insecure: one of both";
                return Err(bad(key("insecure"), "true", reason));
            }
        };
        Ok(Relay { target, trust })
    }

    /// Refuses a setting that says nothing about a source of this kind.
    fn only_what_fits(&self, name: &str, source: &str) -> Result<(), ConfigError> {
        let settings = [
            ("on-conflict", self.on_conflict.is_some(), &["push"][..]),
            ("keep", self.keep.is_some(), &["file", "relay"]),
            ("url", self.url.is_some(), &["relay"]),
            ("user", self.user.is_some(), &["relay"]),
            ("password", self.password.is_some(), &["relay"]),
            ("fingerprint", self.fingerprint.is_some(), &["relay"]),
            ("insecure", self.insecure.is_some(), &["relay"]),
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
        };
        assert_eq!(channels, Ok(vec![plot]));
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
                "[channel.plot]\nsource = \"push\"\ncolour = \"red\"",
                "colour",
            ),
        ] {
            let sentence = config(text).unwrap_err();
            assert!(sentence.contains(named), "{text}: {sentence}");
        }
    }
}
