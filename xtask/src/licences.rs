//! The licences of everything that is in a program which is given away: most of them ask that their text goes along.
//! Which licences there may be, `deny.toml` says.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};

use crate::{
    project::{Project, output},
    tools::WASM_TARGET,
};

/// How the files begin that hold a licence, in capitals.
const NAMES: [&str; 5] = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE"];
const UNLICENSE: &str = "UNLICENSE";

/// What is in the program beside crates.
const DATA: &str = "\
Place names are of GeoNames (https://www.geonames.org), under the Creative Commons Attribution 4.0 licence.
";

/// A text of all licences of the server for `target` and of the viewer inside it, with those in `more`, each a name and
/// a file.
pub(crate) fn all(
    project: &Project,
    target: &str,
    more: &[(&str, PathBuf)],
) -> anyhow::Result<String> {
    let mut crates = crates(project, "mantel", target)?;
    crates.extend(self::crates(project, "mantel-viewer", WASM_TARGET)?);
    let sources = sources()?;
    // The same text once, with all it is for.
    let mut texts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut bare = Vec::new();
    for Crate { name, licence } in &crates {
        let folder = sources
            .iter()
            .map(|source| source.join(name))
            .find(|folder| folder.is_dir())
            .with_context(|| format!("the source of {name} lies nowhere"))?;
        let found = texts_in(&folder)?;
        if found.is_empty() {
            bare.push(format!("{name}: {licence}\n"));
        }
        for text in found {
            texts.entry(text).or_default().insert(name.clone());
        }
    }
    for (name, file) in more {
        let text = fs::read_to_string(file)
            .with_context(|| format!("{} can't be read", file.display()))?;
        texts.entry(text).or_default().insert((*name).to_owned());
    }
    let mut all = format!(
        "What Mantel is made of, and under which licences.\n\n{DATA}\n\
         These have no text of their own:\n\n{}",
        bare.concat()
    );
    for (text, names) in texts {
        let names: Vec<String> = names.into_iter().collect();
        all.push_str(&format!(
            "\n{}\n{}\n\n{}\n",
            "=".repeat(80),
            names.join(", "),
            text.trim()
        ));
    }
    Ok(all)
}

/// A crate of others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Crate {
    /// With its version, as its source's folder is called.
    name: String,
    licence: String,
}

fn crates(project: &Project, package: &str, target: &str) -> anyhow::Result<BTreeSet<Crate>> {
    let tree = output(&mut project.cargo(&[
        "tree",
        "--package",
        package,
        "--target",
        target,
        "--edges",
        "normal",
        "--prefix",
        "none",
        "--format",
        "{p}|{l}|",
    ]))?;
    let crates: BTreeSet<Crate> = tree.lines().filter_map(crate_in).collect();
    if crates.is_empty() {
        bail!("cargo names no crate that {package} is made of");
    }
    Ok(crates)
}

/// The crate in a line such as `adler2 v2.0.1|MIT|`; none for those of this workspace, which have a folder behind.
fn crate_in(line: &str) -> Option<Crate> {
    let mut fields = line.split('|');
    let (package, licence) = (fields.next()?, fields.next()?);
    let (name, version) = package.split_once(" v")?;
    let version = version.trim_end_matches(" (proc-macro)");
    if version.contains(' ') {
        return None;
    }
    Some(Crate {
        name: format!("{name}-{version}"),
        licence: licence.to_owned(),
    })
}

/// Where cargo keeps sources, a folder for each registry.
fn sources() -> anyhow::Result<Vec<PathBuf>> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home
        .or_else(|| Some(std::env::home_dir()?.join(".cargo")))
        .context("cargo's folder is nowhere: set CARGO_HOME")?;
    let folder = home.join("registry").join("src");
    let registries =
        fs::read_dir(&folder).with_context(|| format!("{} can't be read", folder.display()))?;
    Ok(registries.flatten().map(|entry| entry.path()).collect())
}

fn texts_in(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_file() && is_licence(path))
        .collect();
    files.sort();
    let texts = files.iter().map(|file| {
        let text = fs::read(file).with_context(|| format!("{} can't be read", file.display()))?;
        // The same line ends, so that the same text is the same.
        Ok(String::from_utf8_lossy(&text).replace("\r\n", "\n"))
    });
    texts.collect()
}

fn is_licence(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.to_uppercase();
    // Some have their source in files that begin so.
    !name.ends_with(".RS")
        && (name.starts_with(UNLICENSE) || NAMES.iter().any(|start| name.starts_with(start)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_of_others_are_told_from_our_own() {
        let found = |name: &str, licence: &str| {
            Some(Crate {
                name: name.to_owned(),
                licence: licence.to_owned(),
            })
        };
        let line = "adler2 v2.0.1|0BSD OR MIT|";
        assert_eq!(crate_in(line), found("adler2-2.0.1", "0BSD OR MIT"));
        // Seen before in the tree, and one that compiles into the compiler.
        assert_eq!(crate_in("a v1.0.0|MIT| (*)"), found("a-1.0.0", "MIT"));
        let line = "serde_derive v1.0.2 (proc-macro)|MIT|";
        assert_eq!(crate_in(line), found("serde_derive-1.0.2", "MIT"));
        assert_eq!(crate_in("mantel v0.1.0 (/src/server)|MIT|"), None);
        assert_eq!(crate_in(""), None);
    }

    #[test]
    fn licences_are_known_by_their_names() {
        for name in [
            "LICENSE",
            "license-mit.md",
            "COPYING.txt",
            "UNLICENSE",
            "NOTICE",
        ] {
            assert!(is_licence(Path::new(name)), "{name}");
        }
        for name in ["README.md", "src", "license.rs"] {
            assert!(!is_licence(Path::new(name)), "{name}");
        }
    }
}
