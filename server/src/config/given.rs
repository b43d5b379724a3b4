//! The origin of a value, for errors: an option, a variable of the environment or a line of the
//! file. Clap's errors become sentences of the same form.

#![expect(
    clippy::disallowed_methods,
    reason = "the file is read again for an error, before anything is served"
)]

use std::{
    error::Error,
    ffi::OsString,
    path::{Path, PathBuf},
};

use clap::{
    CommandFactory,
    error::{ContextKind, ContextValue, ErrorKind},
};

use super::{Args, ConfigError};

/// The sources of values, besides the environment.
pub(super) struct Given {
    /// The command line without the program's name.
    pub(super) line: Vec<OsString>,
    /// The configuration file.
    pub(super) file: Option<PathBuf>,
}

impl Given {
    /// Has `error` name the origin of the value. `is_set` tells whether a variable of the
    /// environment is set.
    pub(super) fn name(&self, error: ConfigError, is_set: impl Fn(&str) -> bool) -> ConfigError {
        match error {
            ConfigError::Usage(error) => match error.kind() {
                ErrorKind::DisplayHelp
                | ErrorKind::DisplayVersion
                | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => ConfigError::Usage(error),
                _ => ConfigError::Line(self.sentence(&error, is_set)),
            },
            ConfigError::Value {
                option,
                value,
                reason,
            } => ConfigError::Value {
                option: self.origin(&option, is_set),
                value,
                reason,
            },
            other => other,
        }
    }

    /// The origin of an option's value: `--interval`, `MANTEL_INTERVAL`, or
    /// `mantel.toml, line 3: interval`.
    fn origin(&self, option: &str, is_set: impl Fn(&str) -> bool) -> String {
        let with_value = format!("{option}=");
        let is_typed = self.line.iter().any(|word| {
            let word = word.to_string_lossy();
            word == option || word.starts_with(&with_value)
        });
        let variable = variable_of(option).filter(|name| is_set(name));
        match (is_typed, variable, &self.file) {
            (false, Some(variable), _) => variable,
            (false, None, Some(file)) => {
                let key = option.trim_start_matches('-');
                match line_of(file, key) {
                    Some(line) => format!("{}, line {line}: {key}", file.display()),
                    None => option.to_owned(),
                }
            }
            _ => option.to_owned(),
        }
    }

    fn sentence(&self, error: &clap::Error, is_set: impl Fn(&str) -> bool) -> String {
        let told = |kind| match error.get(kind) {
            Some(ContextValue::String(text)) => Some(text.clone()),
            Some(ContextValue::Strings(texts)) => Some(texts.join(", ")),
            _ => None,
        };
        let arg = told(ContextKind::InvalidArg).unwrap_or_default();
        let option = arg.split([' ', '=']).next().unwrap_or_default();
        let value = told(ContextKind::InvalidValue).unwrap_or_default();
        let meant = |kind, otherwise: &str| match told(kind) {
            Some(near) => format!("did you mean {near}?"),
            None => otherwise.to_owned(),
        };
        match error.kind() {
            ErrorKind::UnknownArgument => {
                let hint = meant(ContextKind::SuggestedArg, "mantel --help names them all");
                format!("there is no option {arg}; {hint}")
            }
            ErrorKind::InvalidSubcommand => {
                let name = told(ContextKind::InvalidSubcommand).unwrap_or_default();
                let hint = meant(ContextKind::SuggestedSubcommand, "--help names them all");
                format!("there is no command {name}; {hint}")
            }
            ErrorKind::InvalidValue if value.is_empty() => format!("{option} needs a value"),
            ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
                let reason = match (told(ContextKind::ValidValue), error.source()) {
                    (Some(values), _) => format!("it has to be one of {values}"),
                    (None, Some(reason)) => plain(&reason.to_string()),
                    (None, None) => "it can't be that".into(),
                };
                format!("{} {value:?}: {reason}", self.origin(option, is_set))
            }
            ErrorKind::ArgumentConflict => match told(ContextKind::PriorArg) {
                Some(other) if other != arg => format!("{arg} and {other} exclude each other"),
                _ => format!("{arg} is given twice"),
            },
            _ => first_line(&error.render().to_string()),
        }
    }
}

/// Rewords the standard library's errors about numbers for people.
fn plain(reason: &str) -> String {
    match reason {
        "invalid digit found in string" | "cannot parse integer from empty string" => {
            "it has to be a whole number".into()
        }
        "number too large to fit in target type" => "that number is too large".into(),
        other => other.to_owned(),
    }
}

fn first_line(rendered: &str) -> String {
    let whole = rendered.split("\n\n").next().unwrap_or_default();
    let words: Vec<&str> = whole.split_whitespace().collect();
    let text = words.join(" ");
    text.strip_prefix("error: ").unwrap_or(&text).to_owned()
}

fn variable_of(option: &str) -> Option<String> {
    let long = option.strip_prefix("--")?;
    let command = Args::command();
    let arg = command
        .get_arguments()
        .find(|arg| arg.get_long() == Some(long))?;
    Some(arg.get_env()?.to_string_lossy().into_owned())
}

fn line_of(file: &Path, key: &str) -> Option<usize> {
    let text = std::fs::read_to_string(file).ok()?;
    let found = text.lines().position(|line| {
        line.split_once('=')
            .is_some_and(|(name, _)| name.trim().trim_matches('"') == key)
    })?;
    Some(found + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The error about a command line, with these variables set to nonsense.
    fn said(line: &[&str], variables: &[&str]) -> String {
        let given = Given {
            line: line.iter().map(OsString::from).collect(),
            file: None,
        };
        let error = Args::parse_line(line)
            .map_err(ConfigError::from)
            .and_then(super::super::Config::resolve)
            .unwrap_err();
        let error = given.name(error, |name| variables.contains(&name));
        assert_eq!(error.exit_code(), 2);
        error.to_string()
    }

    #[test]
    fn claps_complaints_are_sentences() {
        for (line, expected) in [
            (
                &["--intervall", "3s"][..],
                "there is no option --intervall; did you mean --interval?",
            ),
            (
                &["--no-such"],
                "there is no option --no-such; mantel --help names them all",
            ),
            (
                &["--quality", "85%"],
                "--quality \"85%\": it has to be a whole number",
            ),
            (
                &["--order", "chaos"],
                "--order \"chaos\": it has to be one of shuffle, newest, oldest, name",
            ),
            (&["--interval"], "--interval needs a value"),
            (
                &["--size", "1x1", "--size", "2x2"],
                "--size <WxH> is given twice",
            ),
            (
                &["token", "revok", "tv"],
                "there is no command revok; did you mean revoke?",
            ),
        ] {
            assert_eq!(said(line, &[]), expected);
        }
    }

    #[test]
    fn what_was_given_is_named() {
        let typed = said(&["--interval", "abc"], &["MANTEL_INTERVAL"]);
        assert!(typed.starts_with("--interval \"abc\": "), "{typed}");
        let error = || super::super::bad("--interval", "abc", "no");
        let given = Given {
            line: Vec::new(),
            file: None,
        };
        let named = given.name(error(), |name| name == "MANTEL_INTERVAL");
        assert_eq!(named.to_string(), "MANTEL_INTERVAL \"abc\": no");
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("mantel.toml");
        std::fs::write(&file, "# ours\nfps = 20\ninterval = \"abc\"\n").unwrap();
        let given = Given {
            line: Vec::new(),
            file: Some(file.clone()),
        };
        let named = given.name(error(), |_| false);
        let expected = format!("{}, line 3: interval \"abc\": no", file.display());
        assert_eq!(named.to_string(), expected);
    }
}
