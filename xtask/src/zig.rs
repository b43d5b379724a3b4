//! Cargo with zig as C compiler and linker: static programs with musl, which run on every Linux of their kind of
//! processor. Archives are compiled so, and in CI tests with an archive's very libraries.

use std::{path::PathBuf, process::Command};

use crate::{
    fetch::PyPackage,
    project::{Project, with_path},
    tools,
};

/// The C compiler and linker for every target, with each target's C library.
const ZIG: PyPackage = PyPackage {
    name: "ziglang",
    version: "0.17.1",
    sha256: &[
        "ea6cc5d87b033cf0aedfbc8f9549a908cae6c50ac31f1698188fa48a74524b54",
        "b7c5f02fccd40f89b999ee16a1f5ddced56e6182370f8affe494bcf8a28cf07e",
    ],
    purpose: "compile and link C for other machines (about 100 MB)",
};

/// What calls cargo so that it compiles and links by zig.
const ZIGBUILD: PyPackage = PyPackage {
    name: "cargo-zigbuild",
    version: "0.24.1",
    sha256: &[
        "238a1ab54a95053a4eadc34775c81f795a8ad75f80bfed63f3f445f518102375",
        "07c5e3dcddf208500462ec927c556bb306cca2b533b0abe29446bffb63767b85",
    ],
    purpose: "have cargo use zig",
};

/// How the project's own crates are compiled for tests, beside an archive's libraries.
const FOR_TESTS: &str = "tests/beside-archive.toml";

/// zig's folder; gets zig unless that has been done.
pub(crate) fn home(project: &Project) -> anyhow::Result<PathBuf> {
    Ok(ZIG.ensure(project)?.join("ziglang"))
}

/// The target of archives for this kind of machine.
pub(crate) fn this_machine() -> String {
    format!("{}-unknown-linux-musl", std::env::consts::ARCH)
}

/// One of cargo's verbs by zig, for some targets, as archives are compiled. To build is `zigbuild`.
pub(crate) fn cargo(project: &Project, verb: &str, targets: &[&str]) -> anyhow::Result<Command> {
    for target in targets {
        tools::target(project, target, "archives are compiled for it")?;
    }
    let zig = home(project)?;
    let zigbuild = ZIGBUILD.ensure(project)?.join("bin");
    // Only for `zigbuild` cargo itself would call it.
    let mut cargo = project.command(zigbuild.join("cargo-zigbuild"));
    cargo
        .args([verb, "--release"])
        .args(targets.iter().flat_map(|target| ["--target", target]))
        .env("CARGO_ZIGBUILD_ZIG_PATH", zig.join("zig"))
        // Its copies of what cargo calls belong to this checkout, and go with it.
        .env("CARGO_ZIGBUILD_CACHE_DIR", project.target.join("zigbuild"));
    with_path(&mut cargo, &[zigbuild])?;
    Ok(cargo)
}

/// The same for the whole workspace with its tests: the libraries are those of this machine's archive, the project's
/// own crates quick to compile, and with all their checks.
pub(crate) fn cargo_beside_archive(project: &Project, verb: &str) -> anyhow::Result<Command> {
    let mut cargo = cargo(project, verb, &[&this_machine()])?;
    cargo
        .args(["--workspace", "--config", FOR_TESTS])
        // Examples in docs are linked as all else is, for which zig has compiled its own libraries: else it takes a
        // minute to compile them in another way.
        .env("RUSTDOCFLAGS", "-C strip=debuginfo");
    Ok(cargo)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pins_are_whole() {
        ZIG.assert_pinned();
        ZIGBUILD.assert_pinned();
    }
}
