//! `bench`: the benchmarks, found by their files, so that a new one needs no word here.

use std::{
    ffi::OsString,
    fs,
    path::Path,
    process::{Command, ExitCode},
};

use anyhow::{Context as _, bail};

use crate::{
    beside::Reference,
    parts::Parts,
    photos,
    project::{Project, succeed},
    viewer,
};

/// Folders with benchmarks and the packages they belong to, in the order in which they run.
const ROOMS: [(&str, &str); 2] = [("shared", "mantel-shared"), ("server", "mantel")];

/// The library that indexing is measured on.
const N_PHOTOS: u64 = 100_000;

/// A benchmark of one package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bench {
    package: &'static str,
    pub(crate) name: String,
}

impl Bench {
    pub(crate) fn command(
        &self,
        project: &Project,
        options: &[OsString],
        library: &Path,
    ) -> Command {
        let line = ["bench", "--package", self.package, "--bench", &self.name];
        let mut cargo = project.cargo(&line);
        cargo
            .arg("--")
            .args(options)
            .env("MANTEL_BENCH_PHOTOS", library);
        cargo
    }
}

/// Runs the named benchmarks, or all, with `options` for the benchmark itself; beside those of another commit where
/// one is named.
pub(crate) fn bench(
    project: &Project,
    names: &[String],
    beside: Option<&str>,
    options: &[OsString],
) -> anyhow::Result<ExitCode> {
    let benches = chosen(all(project)?, names)?;
    // The server has the viewer inside, also when it is measured.
    if benches.iter().any(|bench| bench.package == "mantel") {
        viewer::ensure(project)?;
    }
    let library = project.target.join("bench-photos");
    if benches.iter().any(|bench| bench.name == "library") {
        photos::make(&library, N_PHOTOS)?;
    }
    let reference = beside.map(|commit| Reference::unpack(project, commit));
    let reference = reference.transpose()?;
    let mut parts = Parts::default();
    for bench in &benches {
        parts.run(&bench.name, || match &reference {
            Some(reference) => reference.run(project, bench, options, &library),
            None => succeed(&mut bench.command(project, options, &library)),
        });
    }
    Ok(parts.exit_code())
}

fn all(project: &Project) -> anyhow::Result<Vec<Bench>> {
    let mut benches = Vec::new();
    for (room, package) in ROOMS {
        let folder = project.root.join(room).join("benches");
        if !folder.is_dir() {
            continue;
        }
        let entries =
            fs::read_dir(&folder).with_context(|| format!("{} can't be read", folder.display()))?;
        let mut names: Vec<String> = entries
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let name = entry.file_name().into_string().ok()?;
                if entry.path().join("main.rs").is_file() {
                    return Some(name);
                }
                name.strip_suffix(".rs").map(str::to_owned)
            })
            .collect();
        names.sort();
        benches.extend(names.into_iter().map(|name| Bench { package, name }));
    }
    Ok(benches)
}

fn chosen(all: Vec<Bench>, names: &[String]) -> anyhow::Result<Vec<Bench>> {
    if let Some(unknown) = names
        .iter()
        .find(|name| !all.iter().any(|bench| bench.name == **name))
    {
        let known: Vec<_> = all.iter().map(|bench| bench.name.as_str()).collect();
        bail!(
            "there is no benchmark `{unknown}`: it is one of {}",
            known.join(", ")
        );
    }
    if names.is_empty() {
        return Ok(all);
    }
    Ok(all
        .into_iter()
        .filter(|bench| names.contains(&bench.name))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn benches() -> Vec<Bench> {
        ["decode", "fanout", "render"]
            .map(|name| Bench {
                package: "mantel",
                name: name.to_owned(),
            })
            .to_vec()
    }

    #[test]
    fn names_choose() {
        assert_eq!(chosen(benches(), &[]).expect("all"), benches());
        let one = chosen(benches(), &["fanout".to_owned()]).expect("it exists");
        assert_eq!(one, benches()[1..2]);
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let error = chosen(benches(), &["fan".to_owned()])
            .expect_err("must be refused")
            .to_string();
        assert!(
            error.contains("`fan`") && error.contains("decode, fanout, render"),
            "{error}"
        );
    }
}
