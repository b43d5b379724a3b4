//! `run` and `build`: viewer, then server, then away with us.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context as _, bail};

use crate::{
    args::Profile,
    encoder,
    page::{self, Sizes},
    project::{Project, succeed},
    viewer,
};

/// Builds both, and tells paths and sizes. Gives the server's program.
pub(crate) fn build(project: &Project, profile: Profile) -> anyhow::Result<PathBuf> {
    let sizes = viewer::ensure(project)?;
    let program = server(project, profile)?;
    holds_viewer(project, &program)?;
    eprintln!("{}", viewer_line(sizes));
    eprintln!(
        "server  {}  {}",
        program.display(),
        kilobytes(program.metadata()?.len())
    );
    Ok(program)
}

/// Builds the server alone, with the viewer that lies in `dist/`.
pub(crate) fn server(project: &Project, profile: Profile) -> anyhow::Result<PathBuf> {
    let (options, folder): (&[&str], _) = match profile {
        Profile::Release => (&["--release"], "release"),
        Profile::Debug => (&[], "debug"),
    };
    let mut cargo = project.cargo(&["build", "--package", "mantel", "--bin", "mantel"]);
    succeed(cargo.args(options).args(encoder::flags())).context(NOT_BUILT)?;
    Ok(project.target.join(folder).join(program_name()))
}

const NOT_BUILT: &str = "the server could not be built; cargo's messages stand above";

fn program_name() -> String {
    format!("mantel{}", std::env::consts::EXE_SUFFIX)
}

/// Refuses a server that has been built without the viewer inside: it would run, and show its fallback.
pub(crate) fn holds_viewer(project: &Project, program: &Path) -> anyhow::Result<()> {
    let bytes =
        fs::read(program).with_context(|| format!("{} can't be read", program.display()))?;
    for file in page::files(&project.dist)? {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        // The module's name has a hash of its contents in it.
        if name.ends_with(".wasm") && !contains(&bytes, name.as_bytes()) {
            bail!(
                "{} was built without {name}: the server doesn't embed dist/",
                program.display()
            );
        }
    }
    Ok(())
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    let Some(&first) = wanted.first() else {
        return true;
    };
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|&byte| byte == first) {
        rest = &rest[at..];
        if rest.starts_with(wanted) {
            return true;
        }
        rest = &rest[1..];
    }
    false
}

/// Builds what is out of date, then becomes mantel, in the folder where the user stands: signals and
/// exit code are mantel's own.
pub(crate) fn run(
    project: &Project,
    profile: Profile,
    options: &[OsString],
) -> anyhow::Result<ExitCode> {
    viewer::ensure(project)?;
    let program = server(project, profile)?;
    let mut mantel = Command::new(&program);
    project.clean(&mut mantel);
    mantel.args(options);
    become_program(mantel, &program)
}

#[cfg(unix)]
fn become_program(mut command: Command, program: &Path) -> anyhow::Result<ExitCode> {
    use std::os::unix::process::CommandExt as _;
    let error = command.exec();
    Err(error).with_context(|| format!("{} can't be started", program.display()))
}

/// Where a program can't become another, it waits for it; the console's Ctrl-C reaches both.
#[cfg(not(unix))]
fn become_program(mut command: Command, program: &Path) -> anyhow::Result<ExitCode> {
    let status = command
        .status()
        .with_context(|| format!("{} can't be started", program.display()))?;
    let code = status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .unwrap_or(1);
    Ok(ExitCode::from(code))
}

/// One line about the viewer's size over the wire.
pub(crate) fn viewer_line(sizes: Sizes) -> String {
    format!(
        "viewer  dist/  {} gzip in wasm ({}) and JavaScript ({}), the rest {}",
        kilobytes(sizes.code()),
        kilobytes(sizes.wasm),
        kilobytes(sizes.js),
        kilobytes(sizes.rest)
    )
}

/// Thousands of bytes with one digit, or millions from one on.
pub(crate) fn kilobytes(bytes: u64) -> String {
    let (unit, name) = if bytes < 1_000_000 {
        (1_000, "KB")
    } else {
        (1_000_000, "MB")
    };
    let tenths = (bytes * 10 + unit / 2) / unit;
    format!("{}.{} {name}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded_for_people() {
        for (bytes, shown) in [
            (0, "0.0 KB"),
            (49, "0.0 KB"),
            (50, "0.1 KB"),
            (12_345, "12.3 KB"),
            (9_876_543, "9.9 MB"),
        ] {
            assert_eq!(kilobytes(bytes), shown);
        }
    }

    #[test]
    fn names_are_found_wherever_they_stand() {
        for bytes in ["abc", "xxabc", "aababcx", "ab abc"] {
            assert!(contains(bytes.as_bytes(), b"abc"), "{bytes}");
        }
        for bytes in ["", "ab", "abab", "a b c"] {
            assert!(!contains(bytes.as_bytes(), b"abc"), "{bytes}");
        }
    }

    #[test]
    fn the_viewers_line_counts_wasm_and_javascript_together() {
        let line = viewer_line(Sizes {
            wasm: 20_000,
            js: 5_500,
            rest: 1_000,
        });
        assert!(line.contains("25.5 KB gzip"), "{line}");
    }
}
