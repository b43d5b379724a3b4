//! Where things lie, and how other programs are started from here: in the project's folder, with the
//! project's tools on PATH, and without what cargo put into the environment for xtask itself.

use std::{
    env,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail};

/// The folders of one checkout.
#[derive(Clone, Debug)]
pub(crate) struct Project {
    /// The checkout.
    pub(crate) root: PathBuf,
    /// Cargo's target folder: `target`, or what CARGO_TARGET_DIR or a cargo configuration says.
    pub(crate) target: PathBuf,
    /// What xtask itself installs; ignored by git, safe to delete.
    pub(crate) tools: PathBuf,
    /// The finished viewer.
    pub(crate) dist: PathBuf,
}

impl Project {
    /// Finds the checkout and its target folder.
    pub(crate) fn find() -> anyhow::Result<Self> {
        // Cargo sets it for `cargo run`, also when this binary was built by another checkout that
        // shares the target folder.
        let package =
            env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&package)
            .parent()
            .map(Path::to_owned)
            .unwrap_or_default();
        if !root.join("Cargo.lock").is_file() {
            bail!(
                "{} is not Mantel's folder: run `cargo xtask` inside the project",
                root.display()
            );
        }
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(target) if !target.is_empty() => env::current_dir()?.join(target),
            // This program lies in target/debug, wherever a cargo configuration has moved it.
            _ => env::current_exe()
                .ok()
                .and_then(|program| Some(program.parent()?.parent()?.to_owned()))
                .unwrap_or_else(|| root.join("target")),
        };
        Ok(Self {
            tools: root.join(".tools"),
            dist: root.join("dist"),
            root,
            target,
        })
    }

    /// Starts to describe a program that runs in the project's folder.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        self.clean(&mut command);
        // It may have been given relative to another folder than the project's.
        if env::var_os("CARGO_TARGET_DIR").is_some() {
            command.env("CARGO_TARGET_DIR", &self.target);
        }
        command
    }

    /// Cargo, of the pinned toolchain.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = self.command("cargo");
        command.args(arguments);
        command
    }

    /// Takes out of a command's environment what cargo put there for xtask: a nested cargo would
    /// otherwise take the outer one's toolchain and package for its own.
    pub(crate) fn clean(&self, command: &mut Command) {
        for (name, _) in env::vars_os() {
            if name.to_str().is_some_and(is_cargos_own) {
                command.env_remove(name);
            }
        }
        if let Some(paths) = env::var_os("LD_LIBRARY_PATH") {
            let kept = env::split_paths(&paths)
                .filter(|path| !path.starts_with(&self.target) && !path.join("rustlib").is_dir());
            match env::join_paths(kept) {
                Ok(kept) if !kept.is_empty() => command.env("LD_LIBRARY_PATH", kept),
                _ => command.env_remove("LD_LIBRARY_PATH"),
            };
        }
    }
}

/// Variables that cargo and rustup set for the programs they run.
fn is_cargos_own(name: &str) -> bool {
    const PREFIXES: [&str; 4] = [
        "CARGO_PKG_",
        "CARGO_MANIFEST_",
        "CARGO_BIN_",
        "CARGO_CRATE_",
    ];
    const NAMES: [&str; 5] = [
        "CARGO",
        "CARGO_PRIMARY_PACKAGE",
        "RUSTUP_TOOLCHAIN",
        "RUST_RECURSION_COUNT",
        "OUT_DIR",
    ];
    NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Takes out the user's own flags for rustc: for wasm they would replace those that make it plain MVP.
pub(crate) fn without_rustflags(command: &mut Command) {
    for name in [
        "RUSTFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS",
    ] {
        command.env_remove(name);
    }
}

/// Puts folders before PATH.
pub(crate) fn with_path(command: &mut Command, folders: &[PathBuf]) -> anyhow::Result<()> {
    command.env("PATH", path_with(folders)?);
    Ok(())
}

/// PATH with these folders first.
pub(crate) fn path_with(folders: &[PathBuf]) -> anyhow::Result<OsString> {
    let path = env::var_os("PATH").unwrap_or_default();
    let all = folders.iter().cloned().chain(env::split_paths(&path));
    env::join_paths(all).context("a folder's name can't be part of PATH")
}

/// The first program of this name on PATH.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).find_map(|folder| {
        let suffixes: &[&str] = if cfg!(windows) {
            &[".exe", ".cmd"]
        } else {
            &[""]
        };
        suffixes
            .iter()
            .map(|suffix| folder.join(format!("{name}{suffix}")))
            .find(|file| is_executable(file))
    })
}

#[cfg(unix)]
fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(file: &Path) -> bool {
    file.is_file()
}

/// Runs a program to its end, with its output passed through; anything but success is an error.
pub(crate) fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let status = command
        .status()
        .with_context(|| format!("{} can't be started", name_of(command)))?;
    if !status.success() {
        bail!("{} failed ({status})", name_of(command));
    }
    Ok(())
}

/// What a program writes to its standard output; anything but success is an error with its stderr.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command
        .output()
        .with_context(|| format!("{} can't be started", name_of(command)))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!(
            "{} failed ({}): {}",
            name_of(command),
            output.status,
            said.trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The command as a person would type it, cut to its first words.
fn name_of(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program
        .file_name()
        .unwrap_or(program.as_os_str())
        .to_string_lossy();
    let words = command
        .get_args()
        .take(3)
        .map(|word| word.to_string_lossy());
    let line = std::iter::once(name)
        .chain(words)
        .collect::<Vec<_>>()
        .join(" ");
    format!("`{line}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_user_sets_for_cargo_stays() {
        for name in [
            "CARGO_TARGET_DIR",
            "CARGO_HOME",
            "CARGO_NET_OFFLINE",
            "CARGO_BUILD_JOBS",
            "RUSTUP_HOME",
            "RUST_LOG",
        ] {
            assert!(!is_cargos_own(name), "{name}");
        }
        for name in [
            "CARGO",
            "CARGO_PKG_NAME",
            "CARGO_MANIFEST_DIR",
            "RUSTUP_TOOLCHAIN",
        ] {
            assert!(is_cargos_own(name), "{name}");
        }
    }

    #[test]
    fn own_tools_come_before_path() {
        let path = path_with(&["/first".into(), "/second".into()]).expect("plain names");
        let folders: Vec<PathBuf> = env::split_paths(&path).collect();
        assert_eq!(
            folders[..2],
            [PathBuf::from("/first"), PathBuf::from("/second")]
        );
        assert!(folders.len() >= 2);
    }

    #[test]
    fn a_failure_names_the_command() {
        let error =
            succeed(Command::new("no-such-program-here").args(["one", "two", "three", "four"]))
                .expect_err("must fail");
        assert!(
            error
                .to_string()
                .contains("`no-such-program-here one two three`"),
            "{error}"
        );
    }
}
