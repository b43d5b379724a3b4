//! The command line, as typed, turned into one [`Task`]. Nothing is looked up or run here.
//!
//! Parsed by hand: options are few and stand anywhere, and the messages repeat an option as it was typed, which
//! parsers take apart.

use std::{ffi::OsString, fmt};

/// What `--help` prints.
pub(crate) const HELP: &str = "\
Usage: cargo xtask COMMAND

Commands:
  run [--debug] [FOLDER…] [-- MANTEL OPTIONS]
                  get the tools that are missing, build viewer and server, serve the folders
                  (with none: demo pictures); everything after `--` goes to mantel
  build [--debug] viewer and server, the viewer inside, into target/release/mantel
  test [NAME…] [-- TEST OPTIONS]
                  build, get the old browsers to test in, then run every test (or those whose
                  name contains NAME)
  check [PART…]   what CI asks before the tests: fmt, clippy, docs, deny, wasm, fuzz
  bench [NAME…] [--beside COMMIT] [-- BENCH OPTIONS]
                  the benchmarks, all or the named ones; with --beside those of another commit in
                  turn with them, and the ratios
  dist [TARGET…]  archives for machines without a compiler, into target/dist: static programs for
                  x86_64-unknown-linux-musl and aarch64-unknown-linux-musl
  image [TARGET]  the container image `mantel`, of the archive for this machine's kind or another
  photos N FOLDER make a library of N small photos with real EXIF, for benchmarks
  libraries       compile all tests with the libraries of this machine's archive, as CI has them;
                  before the page is there, what does without it
  tools           get the tools that build the viewer, and nothing else
  clients         get the old Chromiums and hls.js that the tests use, and nothing else
  help            this text

Examples:
  cargo xtask run
  cargo xtask run ~/Pictures
  cargo xtask run ~/Pictures -- --listen 127.0.0.1:9000 --interval 5s
  cargo xtask test timeline

Tools go into .tools/ in the project, each once and at a pinned version; one of exactly that version
on PATH is used instead. CARGO_TARGET_DIR is honoured. FUZZ_SECONDS sets how long `check fuzz` runs
each target (10); FUZZ_PHOTOS=1 adds the decoders of photos.
";

/// How the server is compiled. The viewer is always a release build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Optimised, as it is shipped.
    Release,
    /// Quick to compile, slow with pixels.
    Debug,
}

/// One command with its arguments.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Task {
    Help,
    /// `options` is all that mantel gets: its own options first, then the folders.
    Run {
        profile: Profile,
        options: Vec<OsString>,
    },
    Build {
        profile: Profile,
    },
    /// `arguments` go behind `cargo test`.
    Test {
        arguments: Vec<OsString>,
    },
    /// `options` go to the benchmark itself; `beside` is a commit to measure in turn with the checkout.
    Bench {
        names: Vec<String>,
        beside: Option<String>,
        options: Vec<OsString>,
    },
    Check {
        parts: Vec<String>,
    },
    /// Archives, for all targets if none is named.
    Dist {
        targets: Vec<String>,
    },
    /// The container image, for this machine's kind if none is named.
    Image {
        target: Option<String>,
    },
    /// Makes `n` photos below `folder`.
    Photos {
        n: u64,
        folder: OsString,
    },
    /// The tests, with the libraries of the archive for this machine.
    Libraries,
    Tools,
    Clients,
}

/// What is wrong with a command line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum UsageError {
    NoCommand,
    UnknownCommand(String),
    UnknownOption { command: String, option: String },
    Unexpected { command: String, argument: String },
    NotText(OsString),
    NoPhotos,
    NoCommit,
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCommand => write!(
                f,
                "a command is missing: run, build, test, check, bench, dist, image, libraries, photos, tools or clients"
            ),
            Self::UnknownCommand(name) => write!(
                f,
                "`{name}` is no command: it is run, build, test, check, bench, dist, image, libraries, photos, tools or clients"
            ),
            Self::UnknownOption { command, option } if command == "run" => write!(
                f,
                "`run` has no option `{option}`: mantel's own options go after `--`, as in \
                 `cargo xtask run FOLDER -- {option}`"
            ),
            Self::UnknownOption { command, option } => {
                write!(f, "`{command}` has no option `{option}`")
            }
            Self::Unexpected { command, argument } => {
                write!(f, "`{command}` takes no argument, but got `{argument}`")
            }
            Self::NoPhotos => write!(
                f,
                "`photos` takes a number and a folder: `cargo xtask photos 100000 /tmp/photos`"
            ),
            Self::NoCommit => write!(
                f,
                "`--beside` takes a commit: `cargo xtask bench render --beside HEAD~1`"
            ),
            Self::NotText(argument) => write!(f, "{} is not valid text", argument.display()),
        }
    }
}

/// Reads the arguments that follow `cargo xtask`.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Task, UsageError> {
    let mut arguments = arguments.into_iter();
    let command = text(arguments.next().ok_or(UsageError::NoCommand)?)?;
    let mut line = Line::split(command, arguments.collect());
    if matches!(line.command.as_str(), "help" | "--help" | "-h") || line.asks_for_help() {
        return Ok(Task::Help);
    }
    match line.command.as_str() {
        "run" => {
            let profile = line.profile();
            line.no_options()?;
            let mut options = line.after;
            // Behind a `--` of their own, so that a folder whose name begins with a dash stays a folder.
            if !line.before.is_empty() && !options.iter().any(|option| option == "--") {
                options.push("--".into());
            }
            options.append(&mut line.before);
            Ok(Task::Run { profile, options })
        }
        "build" => {
            let profile = line.profile();
            line.nothing_left()?;
            Ok(Task::Build { profile })
        }
        "test" => {
            line.no_options()?;
            let (mut names, mut options) = (line.before, line.after);
            let mut arguments = Vec::new();
            // cargo itself takes one name; the test programs behind `--` take several.
            if names.len() == 1 {
                arguments.append(&mut names);
            }
            if !names.is_empty() || !options.is_empty() {
                arguments.push("--".into());
                arguments.append(&mut names);
                arguments.append(&mut options);
            }
            Ok(Task::Test { arguments })
        }
        "bench" => {
            let beside = line.value("--beside")?;
            line.no_options()?;
            let names = texts(line.before)?;
            Ok(Task::Bench {
                names,
                beside,
                options: line.after,
            })
        }
        "check" => {
            line.no_options()?;
            line.nothing_after()?;
            let parts = texts(line.before)?;
            Ok(Task::Check { parts })
        }
        "dist" => {
            line.no_options()?;
            line.nothing_after()?;
            let targets = texts(line.before)?;
            Ok(Task::Dist { targets })
        }
        "image" => {
            line.no_options()?;
            line.nothing_after()?;
            line.refuse(line.before.get(1))?;
            let target = texts(line.before)?.pop();
            Ok(Task::Image { target })
        }
        "photos" => {
            line.no_options()?;
            line.nothing_after()?;
            let mut arguments = line.before.into_iter();
            let n = arguments
                .next()
                .and_then(|n| n.to_str()?.parse().ok())
                .ok_or(UsageError::NoPhotos)?;
            match (arguments.next(), arguments.next()) {
                (Some(folder), None) => Ok(Task::Photos { n, folder }),
                _ => Err(UsageError::NoPhotos),
            }
        }
        "libraries" => line.nothing_left().map(|()| Task::Libraries),
        "tools" => line.nothing_left().map(|()| Task::Tools),
        "clients" => line.nothing_left().map(|()| Task::Clients),
        _ => Err(UsageError::UnknownCommand(line.command)),
    }
}

/// A command line in its three pieces.
struct Line {
    command: String,
    /// Between the command and the first `--`.
    before: Vec<OsString>,
    /// Behind the first `--`.
    after: Vec<OsString>,
}

impl Line {
    fn split(command: String, mut before: Vec<OsString>) -> Self {
        let after = match before.iter().position(|argument| argument == "--") {
            Some(at) => before.split_off(at).split_off(1),
            None => Vec::new(),
        };
        Self {
            command,
            before,
            after,
        }
    }

    fn asks_for_help(&self) -> bool {
        self.before
            .iter()
            .any(|argument| argument == "--help" || argument == "-h")
    }

    /// Takes out `--release`, which nobody has to say, and `--debug`; the last one counts.
    fn profile(&mut self) -> Profile {
        let mut profile = Profile::Release;
        self.before.retain(|argument| {
            if argument == "--release" {
                profile = Profile::Release;
            } else if argument == "--debug" {
                profile = Profile::Debug;
            } else {
                return true;
            }
            false
        });
        profile
    }

    /// Takes out an option and the word behind it.
    fn value(&mut self, name: &str) -> Result<Option<String>, UsageError> {
        let Some(at) = self.before.iter().position(|argument| argument == name) else {
            return Ok(None);
        };
        if at + 1 == self.before.len() {
            return Err(UsageError::NoCommit);
        }
        let value = self.before.remove(at + 1);
        self.before.remove(at);
        text(value).map(Some)
    }

    fn no_options(&self) -> Result<(), UsageError> {
        let option = self
            .before
            .iter()
            .map(|argument| argument.to_string_lossy())
            .find(|argument| is_option(argument));
        match option {
            Some(option) => Err(UsageError::UnknownOption {
                command: self.command.clone(),
                option: option.into_owned(),
            }),
            None => Ok(()),
        }
    }

    fn nothing_after(&self) -> Result<(), UsageError> {
        self.refuse(self.after.first())
    }

    fn nothing_left(&self) -> Result<(), UsageError> {
        self.no_options()?;
        self.refuse(self.before.first())?;
        self.nothing_after()
    }

    fn refuse(&self, argument: Option<&OsString>) -> Result<(), UsageError> {
        match argument {
            Some(argument) => Err(UsageError::Unexpected {
                command: self.command.clone(),
                argument: argument.to_string_lossy().into_owned(),
            }),
            None => Ok(()),
        }
    }
}

fn is_option(argument: &str) -> bool {
    argument.len() > 1 && argument.starts_with('-')
}

fn text(argument: OsString) -> Result<String, UsageError> {
    argument.into_string().map_err(UsageError::NotText)
}

fn texts(arguments: Vec<OsString>) -> Result<Vec<String>, UsageError> {
    arguments.into_iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_line(line: &str) -> Result<Task, UsageError> {
        parse(line.split_whitespace().map(OsString::from))
    }

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn run_hands_folders_and_options_to_mantel() {
        for (typed, given) in [
            ("run", ""),
            ("run a b", "-- a b"),
            ("run a -- --listen 0:0 b", "--listen 0:0 b -- a"),
            ("run -- --help", "--help"),
            ("run a -- -- -b", "-- -b a"),
            ("run a -- --release", "--release -- a"),
        ] {
            let expected = Task::Run {
                profile: Profile::Release,
                options: words(given),
            };
            assert_eq!(parse_line(typed), Ok(expected), "{typed}");
        }
    }

    #[test]
    fn run_and_build_make_what_is_shipped() {
        for (typed, profile) in [
            ("run a", Profile::Release),
            ("run --debug a", Profile::Debug),
            ("run --release a", Profile::Release),
            ("run a --debug --release", Profile::Release),
        ] {
            let expected = Task::Run {
                profile,
                options: words("-- a"),
            };
            assert_eq!(parse_line(typed), Ok(expected), "{typed}");
        }
        let profile = Profile::Release;
        assert_eq!(parse_line("build"), Ok(Task::Build { profile }));
    }

    #[test]
    fn debug_is_an_option_of_run_and_build_alone() {
        assert_eq!(
            parse_line("build --debug"),
            Ok(Task::Build {
                profile: Profile::Debug
            })
        );
        let expected = Task::Run {
            profile: Profile::Debug,
            options: words("-- a"),
        };
        assert_eq!(parse_line("run a --debug"), Ok(expected));
        assert!(matches!(
            parse_line("test --debug"),
            Err(UsageError::UnknownOption { .. })
        ));
    }

    #[test]
    fn bench_takes_a_commit_to_measure_beside() {
        for typed in [
            "bench --beside HEAD~1 render",
            "bench render --beside HEAD~1",
        ] {
            let expected = Task::Bench {
                names: vec!["render".to_owned()],
                beside: Some("HEAD~1".to_owned()),
                options: Vec::new(),
            };
            assert_eq!(parse_line(typed), Ok(expected), "{typed}");
        }
        assert_eq!(parse_line("bench --beside"), Err(UsageError::NoCommit));
    }

    #[test]
    fn an_option_of_mantel_before_the_dashes_says_where_it_belongs() {
        let error = parse_line("run --listen 0:9000").expect_err("must be refused");
        assert!(error.to_string().contains("-- --listen"), "{error}");
    }

    #[test]
    fn test_names_reach_the_programs() {
        for (typed, given) in [
            ("test", ""),
            ("test timeline", "timeline"),
            ("test timeline -- --nocapture", "timeline -- --nocapture"),
            ("test one two", "-- one two"),
            ("test -- --list", "-- --list"),
        ] {
            assert_eq!(
                parse_line(typed),
                Ok(Task::Test {
                    arguments: words(given)
                }),
                "{typed}"
            );
        }
    }

    #[test]
    fn what_a_command_does_not_take_is_refused() {
        for typed in [
            "tools now",
            "clients -- x",
            "build folder",
            "check fmt -- x",
            "dist -- x",
            "image one two",
        ] {
            assert!(
                matches!(parse_line(typed), Err(UsageError::Unexpected { .. })),
                "{typed}"
            );
        }
        for typed in ["tools --force", "bench --fast", "check -v"] {
            assert!(
                matches!(parse_line(typed), Err(UsageError::UnknownOption { .. })),
                "{typed}"
            );
        }
        assert_eq!(parse_line(""), Err(UsageError::NoCommand));
        assert_eq!(
            parse_line("rnu"),
            Err(UsageError::UnknownCommand("rnu".into()))
        );
    }

    #[test]
    fn help_is_found_everywhere_but_behind_the_dashes() {
        for typed in [
            "help",
            "--help",
            "-h",
            "run --help",
            "bench -h",
            "tools --help",
        ] {
            assert_eq!(parse_line(typed), Ok(Task::Help), "{typed}");
        }
    }
}
