//! The configuration file: TOML with the options' names.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use super::{ConfigError, choice::FileChoice};
use crate::{library::FILTER_KEYS, timeline::Order};

/// What stands in the file. An unknown key is an error that names its place.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FileConfig {
    /// See [`super::Args`] for each.
    pub folders: Option<Vec<PathBuf>>,
    pub(super) listen: Option<SocketAddr>,
    pub(super) interval: Option<String>,
    pub(super) transition: Option<String>,
    pub(super) order: Option<Order>,
    pub(super) seed: Option<u64>,
    pub(super) size: Option<String>,
    pub(super) fit: Option<String>,
    pub(super) quality: Option<i64>,
    pub(super) fps: Option<i64>,
    pub(super) pair: Option<String>,
    pub(super) caption: Option<String>,
    pub(super) data_dir: Option<PathBuf>,
    pub(super) max_connections: Option<i64>,
    pub(super) public: Option<bool>,
    album: Option<toml::Value>,
    from: Option<toml::Value>,
    to: Option<toml::Value>,
    rating: Option<toml::Value>,
    keyword: Option<toml::Value>,
    orientation: Option<toml::Value>,
    on_this_day: Option<toml::Value>,
    newest: Option<toml::Value>,
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
        {
            *folder = base.join(&*folder);
        }
        Ok(file)
    }

    /// Which photos, as text: TOML has words, numbers, dates and truths of its own.
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

    fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| {
                1 + text
                    .bytes()
                    .take(span.start)
                    .filter(|byte| *byte == b'\n')
                    .count()
            });
            format!("line {line}: {}", error.message().replace('\n', " "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let error = FileConfig::parse("interval = \"8s\"\nintervall = \"9s\"\n").unwrap_err();
        assert!(
            error.starts_with("line 2: unknown field `intervall`"),
            "{error}"
        );
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_named_with_its_line() {
        let error = FileConfig::parse("\n\nquality = \"high\"\n").unwrap_err();
        assert!(error.starts_with("line 3: "), "{error}");
    }
}
