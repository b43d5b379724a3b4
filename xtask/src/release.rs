//! Programs as their makers have compiled them: an archive for each kind of machine, of which only the pinned bytes are
//! taken. Where there is none, or the network hasn't it, `fetch` compiles the program.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail};
use sha2::{Digest as _, Sha256};

use crate::project::{on_path, output, succeed};

/// What the makers of a program have published: archives, compressed by gzip, each for one target.
#[derive(Clone, Debug)]
pub(crate) struct Release {
    /// The address of an archive up to its target's name; `.tar.gz` follows that.
    pub(crate) address: String,
    /// Targets, each with its archive's SHA-256.
    pub(crate) archives: &'static [(&'static str, &'static str)],
}

impl Release {
    /// The target of this machine's archive, with its SHA-256.
    pub(crate) fn here(&self) -> Option<(&'static str, &'static str)> {
        use std::env::consts::{ARCH, OS};
        let system = if OS == "macos" { "apple-darwin" } else { OS };
        let mut archives = self.archives.iter().copied();
        archives.find(|(target, _)| target.starts_with(ARCH) && target.contains(system))
    }

    /// Puts the archive's `program` into `FOLDER/bin`.
    ///
    /// # Errors
    ///
    /// When the archive can't be had, is another one than was pinned, or holds no such program.
    pub(crate) fn install(
        &self,
        (target, sha256): (&str, &str),
        program: &str,
        folder: &Path,
    ) -> anyhow::Result<PathBuf> {
        let file = folder.join("archive.tar.gz");
        let address = format!("{}{target}.tar.gz", self.address);
        get(&address, &file)?;
        let bytes = fs::read(&file).with_context(|| format!("{} can't be read", file.display()))?;
        if hex(&Sha256::digest(&bytes)) != sha256 {
            bail!("{address} is not the archive that was pinned here");
        }
        let unpacked = folder.join("unpacked");
        fs::create_dir(&unpacked)?;
        let mut unpack = Command::new("tar");
        unpack.arg("-xzf").arg(&file).arg("-C").arg(&unpacked);
        succeed(&mut unpack)?;
        let found =
            find(&unpacked, program)?.with_context(|| format!("{address} holds no {program}"))?;
        let home = folder.join("bin").join(program);
        fs::create_dir(folder.join("bin"))?;
        fs::rename(found, &home)?;
        fs::remove_dir_all(unpacked)?;
        fs::remove_file(file)?;
        Ok(home)
    }
}

/// Downloads a file. Who has no network, or one that lets nothing through, knows so in seconds.
fn get(address: &str, to: &Path) -> anyhow::Result<()> {
    let curl = on_path("curl").context("curl, which gets it, is not on PATH")?;
    let mut get = Command::new(curl);
    get.args(["--fail", "--location", "--silent", "--show-error"])
        .args(["--proto-redir", "=https", "--connect-timeout", "5"])
        // Less than 10 kB a second for 20 s.
        .args(["--speed-limit", "10000", "--speed-time", "20"])
        .arg("--output")
        .arg(to)
        .arg(address);
    output(&mut get).map(drop)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The file of this name in a folder, or in a folder in it.
fn find(folder: &Path, name: &str) -> anyhow::Result<Option<PathBuf>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let inner = path.join(name);
        if path.is_dir() && inner.is_file() {
            return Ok(Some(inner));
        }
    }
    Ok(Some(folder.join(name)).filter(|path| path.is_file()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::remove;

    /// An archive as makers publish it: the program in a folder of its own, or beside its licence.
    fn published(root: &Path, inside: &str) -> (Release, String) {
        let folder = root.join("tree").join(inside);
        fs::create_dir_all(&folder).expect("the temporary folder is writable");
        fs::write(folder.join("thing"), "#!/bin/sh\necho thing 1.2.3\n").expect("so is this");
        fs::write(folder.join("LICENSE"), "MIT").expect("and this");
        let archive = root.join("thing.tar.gz");
        let mut pack = Command::new("tar");
        pack.arg("-czf")
            .arg(&archive)
            .arg("-C")
            .arg(root.join("tree"))
            .arg(".");
        succeed(&mut pack).expect("tar packs");
        let sum = hex(&Sha256::digest(
            fs::read(&archive).expect("it was just written"),
        ));
        let release = Release {
            address: format!("file://{}/", root.display()),
            archives: &[],
        };
        (release, sum)
    }

    fn scratch(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("xtask-{name}-{}", std::process::id()));
        remove(&folder).expect("the last run's leftovers go");
        fs::create_dir_all(folder.join("home")).expect("the temporary folder is writable");
        folder
    }

    #[test]
    fn the_program_is_taken_from_wherever_it_lies() {
        for inside in ["", "thing-1.2.3"] {
            let root = scratch("release");
            let home = root.join("home");
            let (release, sum) = published(&root, inside);
            let program = release
                .install(("thing", &sum), "thing", &home)
                .expect("it is the pinned one");
            assert_eq!(program, home.join("bin").join("thing"));
            let kept: Vec<_> = fs::read_dir(&home).expect("it is there").collect();
            assert_eq!(kept.len(), 1, "the archive went: {kept:?}");
            remove(&root).expect("cleaning up");
        }
    }

    #[test]
    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    fn a_machine_takes_its_own() {
        let release = |archives| Release {
            address: String::new(),
            archives,
        };
        let all = [
            ("aarch64-unknown-linux-musl", "1"),
            ("x86_64-apple-darwin", "2"),
            ("x86_64-unknown-linux-musl", "3"),
        ];
        assert_eq!(release(all.to_vec().leak()).here(), Some(all[2]));
        assert_eq!(release(all[..2].to_vec().leak()).here(), None);
    }

    #[test]
    fn other_bytes_are_refused_before_they_are_unpacked() {
        let root = scratch("release-other");
        let (release, _) = published(&root, "");
        let other = "0".repeat(64);
        let error = release
            .install(("thing", &other), "thing", &root.join("home"))
            .expect_err("its sum is another");
        assert!(error.to_string().contains("pinned"), "{error:#}");
        assert!(!root.join("home").join("unpacked").exists());
        remove(&root).expect("cleaning up");
    }

    #[test]
    fn what_is_not_there_is_said() {
        let root = scratch("release-none");
        let (release, sum) = published(&root, "");
        let home = root.join("home");
        let none = release.install(("other", &sum), "thing", &home);
        none.expect_err("there is no such archive");
        let none = release.install(("thing", &sum), "thingy", &home);
        assert!(
            none.expect_err("nor such a program")
                .to_string()
                .contains("thingy")
        );
        remove(&root).expect("cleaning up");
    }
}
