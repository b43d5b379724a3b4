//! Why there is no configuration, in sentences for whoever typed it.

use std::{io, path::PathBuf};

/// Why there is no configuration, in one sentence for the person who typed it.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The command line itself; clap's own message, or its help.
    #[error("{0}")]
    Usage(#[from] clap::Error),
    /// The command line itself, in a sentence of ours.
    #[error("{0}")]
    Line(String),
    /// A value is not allowed.
    #[error("{option} {value:?}: {reason}")]
    Value {
        /// The origin of the value: `--size`, `MANTEL_SIZE`, or a line of the file.
        option: String,
        /// The value as typed.
        value: String,
        /// The fault, and what would be right.
        reason: String,
    },
    /// The configuration file can't be read.
    #[error("can't read the configuration file {}: {source}", path.display())]
    File {
        /// The file's path.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The configuration file makes no sense.
    #[error("{}, {reason}", path.display())]
    FileContent {
        /// The file's path.
        path: PathBuf,
        /// The fault and its place in the file.
        reason: String,
    },
    /// The platform names no folder for tokens, and none was given.
    #[error("this system names no folder for state; give --data-dir, as the server has it")]
    NoDataDir,
    /// A task on a library was asked for, and no folder was named.
    #[error("no folder was given; name the folders of photos, or a configuration file that does")]
    NoFolder,
    /// A folder can't be shown.
    #[error("{}: {reason}", path.display())]
    Folder {
        /// The folder's path.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
}

impl ConfigError {
    /// The program's exit code: 2 for a wrong command line or configuration, 1 for a file or folder
    /// that can't be read, 0 for help that was asked for.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(error) => u8::try_from(error.exit_code()).unwrap_or(2),
            Self::Line(_)
            | Self::Value { .. }
            | Self::FileContent { .. }
            | Self::NoFolder
            | Self::NoDataDir => 2,
            Self::File { .. } | Self::Folder { .. } => 1,
        }
    }
}

/// The error of a value that is not allowed.
pub(super) fn bad(
    option: impl Into<String>,
    value: impl ToString,
    reason: impl ToString,
) -> ConfigError {
    ConfigError::Value {
        option: option.into(),
        value: value.to_string(),
        reason: reason.to_string(),
    }
}
