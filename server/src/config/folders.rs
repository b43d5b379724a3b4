//! The folders of photos that were named, checked before anything starts.

#![expect(
    clippy::disallowed_methods,
    reason = "folders are looked at before anything is served"
)]

use std::{io, path::Path};

use super::{Args, ConfigError};
use crate::near::near;

/// Checks that there is such a folder and that it can be read.
pub(super) fn check_folder(path: &Path) -> Result<(), ConfigError> {
    let problem = match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Some(no_folder(path)),
        Err(error) => Some(format!("the folder can't be opened: {error}")),
        Ok(metadata) if !metadata.is_dir() => {
            Some("this is a file; give the folder that it is in".to_owned())
        }
        Ok(_) => std::fs::read_dir(path)
            .err()
            .map(|error| format!("the folder can't be read: {error}")),
    };
    problem.map_or(Ok(()), |reason| {
        Err(ConfigError::Folder {
            path: path.to_owned(),
            reason,
        })
    })
}

fn no_folder(path: &Path) -> String {
    let text = path.to_string_lossy();
    if let Some((scheme, rest)) = text.split_once("://") {
        return match scheme {
            "file" => format!("give the folder's path alone: {rest}"),
            _ => "this is an address in the network, and Mantel reads folders: mount the share first, and \
                  give the folder that it is mounted on"
                .into(),
        };
    }
    let commands = <Args as clap::CommandFactory>::command();
    let commands = commands.get_subcommands().map(clap::Command::get_name);
    match near(&text, commands).first() {
        Some(command) => {
            format!("there is no such folder, and no such command; did you mean {command}?")
        }
        None => {
            "there is no such folder; check the spelling, or whether the drive is mounted".into()
        }
    }
}
