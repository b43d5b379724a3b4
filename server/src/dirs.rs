//! The folders in which files are kept: those that can be made again in the platform's cache, which
//! any cleaner may empty, those that can't in the platform's place for state.

#![expect(
    clippy::disallowed_methods,
    reason = "the platform's folders are known by its variables"
)]

use std::{ffi::OsString, path::PathBuf};

/// The folders in which files are kept; `None` when the platform names no place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dirs {
    /// The cache folder: for the index, which can be made again.
    pub index: Option<PathBuf>,
    /// The state folder: for tokens, names of screens, the place in the programme, our own
    /// certificate.
    pub state: Option<PathBuf>,
    /// The folder in which versions that had one folder alone kept state, if it is another one.
    pub before: Option<PathBuf>,
}

/// A kind of system, by where it wants files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum System {
    Xdg,
    Mac,
    Windows,
}

impl Dirs {
    /// The `given` folder for all files; without one the folders that the platform names.
    pub(crate) fn new(given: Option<PathBuf>) -> Self {
        let system = if cfg!(windows) {
            System::Windows
        } else if cfg!(target_os = "macos") {
            System::Mac
        } else {
            System::Xdg
        };
        Self::of(given, system, |name| std::env::var_os(name))
    }

    fn of(
        given: Option<PathBuf>,
        system: System,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Self {
        if let Some(dir) = given {
            return Self {
                index: Some(dir.clone()),
                state: Some(dir),
                before: None,
            };
        }
        let from = |name: &str| variable(name).filter(|value| !value.is_empty());
        let path = |name: &str| from(name).map(PathBuf::from);
        let home = |below: &str| path("HOME").map(|home| home.join(below));
        let (cache, state) = match system {
            // Cleaners leave %LOCALAPPDATA% alone, so index and state lie together.
            System::Windows => (path("LOCALAPPDATA"), path("LOCALAPPDATA")),
            System::Mac => (home("Library/Caches"), home("Library/Application Support")),
            System::Xdg => (
                path("XDG_CACHE_HOME").or_else(|| home(".cache")),
                path("XDG_STATE_HOME").or_else(|| home(".local/state")),
            ),
        };
        let ours = |base: Option<PathBuf>| base.map(|base| base.join("mantel"));
        // systemd makes folders for a service and names them in these variables; of several, with
        // colons between, the first is taken.
        let service = |name: &str| {
            let first = from(name)?.to_str()?.split(':').next()?.to_owned();
            Some(PathBuf::from(first)).filter(|_| system == System::Xdg)
        };
        let before = ours(cache);
        let state = service("STATE_DIRECTORY").or_else(|| ours(state));
        Self {
            index: service("CACHE_DIRECTORY").or_else(|| before.clone()),
            before: before.filter(|before| state.as_ref().is_some_and(|state| state != before)),
            state,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Variables<'a> = &'a [(&'a str, &'a str)];

    /// The folders of index, state, and state before, as text.
    fn dirs(given: Option<&str>, system: System, variables: Variables<'_>) -> [String; 3] {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        let Dirs {
            index,
            state,
            before,
        } = Dirs::of(given.map(PathBuf::from), system, variable);
        [index, state, before].map(|dir| dir.map_or("-".into(), |dir| dir.display().to_string()))
    }

    #[test]
    fn state_and_index_lie_where_the_platform_wants_them() {
        use System::{Mac, Windows, Xdg};
        let home = ("HOME", "/home/a");
        let cases: [(System, Variables<'_>, [&str; 3]); 8] = [
            (
                Xdg,
                &[home],
                [
                    "/home/a/.cache/mantel",
                    "/home/a/.local/state/mantel",
                    "/home/a/.cache/mantel",
                ],
            ),
            (
                Xdg,
                &[home, ("XDG_CACHE_HOME", "/c"), ("XDG_STATE_HOME", "/s")],
                ["/c/mantel", "/s/mantel", "/c/mantel"],
            ),
            (
                Xdg,
                &[home, ("XDG_STATE_HOME", "")],
                [
                    "/home/a/.cache/mantel",
                    "/home/a/.local/state/mantel",
                    "/home/a/.cache/mantel",
                ],
            ),
            (
                Xdg,
                &[("XDG_CACHE_HOME", "/c"), ("XDG_STATE_HOME", "/c")],
                ["/c/mantel", "/c/mantel", "-"],
            ),
            (
                Xdg,
                &[
                    home,
                    ("STATE_DIRECTORY", "/var/lib/mantel:/var/lib/other"),
                    ("CACHE_DIRECTORY", "/var/cache/mantel"),
                ],
                [
                    "/var/cache/mantel",
                    "/var/lib/mantel",
                    "/home/a/.cache/mantel",
                ],
            ),
            (Xdg, &[], ["-", "-", "-"]),
            (
                Mac,
                &[home, ("XDG_STATE_HOME", "/s")],
                [
                    "/home/a/Library/Caches/mantel",
                    "/home/a/Library/Application Support/mantel",
                    "/home/a/Library/Caches/mantel",
                ],
            ),
            (
                Windows,
                &[("LOCALAPPDATA", "/local")],
                ["/local/mantel", "/local/mantel", "-"],
            ),
        ];
        for (system, variables, expected) in cases {
            assert_eq!(dirs(None, system, variables), expected, "{variables:?}");
            let given = dirs(Some("/data"), system, variables);
            assert_eq!(given, ["/data", "/data", "-"], "{variables:?}");
        }
    }
}
