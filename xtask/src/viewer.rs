//! Builds the viewer into `dist/` with trunk, or finds that it is there already. The server takes
//! `dist/` in when it is compiled, so this comes first.

use std::fs;

use anyhow::{Context as _, anyhow, bail};

use crate::{
    fetch::Turn,
    fingerprint, imports,
    page::{self, Sizes},
    project::{Project, succeed, with_path, without_rustflags},
    tools::{self, Toolbox},
    wasm::Floor,
};

/// Everything that the viewer is made from.
const INPUTS: [&str; 9] = [
    "viewer",
    "shared/src",
    "shared/Cargo.toml",
    "index.html",
    "Trunk.toml",
    "Cargo.toml",
    "Cargo.lock",
    ".cargo/config.toml",
    "rust-toolchain.toml",
];

/// Changes when the steps below change, so that a viewer made by older steps is made anew.
const RECIPE: u32 = 4;

/// Builds the viewer if it is not up to date, and tells its size.
pub(crate) fn ensure(project: &Project) -> anyhow::Result<Sizes> {
    let turn = Turn::wait(project)?;
    let inputs =
        fingerprint::of(&project.root, &INPUTS).context("the viewer's sources can't be read")?;
    let stamp = project.tools.join("viewer.stamp");
    let made = fs::read_to_string(&stamp)
        .ok()
        .as_deref()
        .and_then(Stamp::parse);
    let made = made.filter(|made| {
        made.recipe == RECIPE
            && made.inputs == inputs
            && fingerprint::of(&project.dist, &["."]).is_ok_and(|outputs| outputs == made.outputs)
    });
    if made.is_some_and(|made| made.is_finished) {
        return page::sizes(&project.dist);
    }

    let tools = tools::ensure(project, &turn)?;
    let lacks_tools = tools.warn_of_missing();
    if lacks_tools && made.is_some() {
        return page::sizes(&project.dist);
    }
    trunk(project, &tools)?;
    let floor = match tools.no_wasm_opt {
        None => Floor::Mvp,
        Some(_) => Floor::Chromium75,
    };
    let acorn = tools.acorn.as_ref().ok();
    page::check(&project.dist, floor, acorn)?;
    if let Some(acorn) = acorn {
        page::strip(&project.dist, acorn)?;
    }
    imports::shorten_in(&project.dist)?;
    page::join(&project.dist)?;
    let sizes = page::compress(&project.dist)?;
    let made = Stamp {
        recipe: RECIPE,
        inputs,
        outputs: fingerprint::of(&project.dist, &["."])?,
        is_finished: !lacks_tools,
    };
    fs::write(&stamp, made.text())
        .with_context(|| format!("{} can't be written", stamp.display()))?;
    Ok(sizes)
}

/// Checks the viewer that lies in `dist/`: plain MVP, old JavaScript. For the checks before the tests,
/// where a viewer that was not lowered is a failure, and so are scripts that nothing can read.
pub(crate) fn check(project: &Project) -> anyhow::Result<()> {
    let tools = tools::ensure(project, &Turn::wait(project)?)?;
    let acorn = tools
        .acorn
        .map_err(|why| anyhow!("no acorn, because {why}"))?;
    page::check(&project.dist, Floor::Mvp, Some(&acorn))
}

fn trunk(project: &Project, tools: &Toolbox) -> anyhow::Result<()> {
    for name in ["index.html", "Trunk.toml"] {
        if !project.root.join(name).is_file() {
            bail!("{name} is missing: it says how the viewer is built");
        }
    }
    eprintln!("\nBuilding the viewer");
    let mut trunk = project.command("trunk");
    with_path(&mut trunk, &tools.path)?;
    without_rustflags(&mut trunk);
    // Its messages say what failed; a backtrace through trunk would only hide them.
    trunk.env("RUST_BACKTRACE", "0");
    // trunk takes only `true` and `false` where everyone else takes any value.
    if std::env::var_os("NO_COLOR").is_some() {
        trunk.env_remove("NO_COLOR").env("TRUNK_COLOR", "never");
    }
    trunk
        .env("TRUNK_SKIP_VERSION_CHECK", "true")
        .arg("build")
        .arg("--release")
        .arg("--dist")
        .arg(&project.dist);
    succeed(&mut trunk).context("the viewer could not be built; trunk's messages stand above")
}

/// What is known of the viewer in `dist/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    recipe: u32,
    inputs: u64,
    outputs: u64,
    /// Whether no tool was missing.
    is_finished: bool,
}

impl Stamp {
    fn text(self) -> String {
        let Self {
            recipe,
            inputs,
            outputs,
            is_finished,
        } = self;
        format!("{recipe} {inputs:016x} {outputs:016x} {is_finished}\n")
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        Some(Self {
            recipe: words.next()?.parse().ok()?,
            inputs: u64::from_str_radix(words.next()?, 16).ok()?,
            outputs: u64::from_str_radix(words.next()?, 16).ok()?,
            is_finished: words.next()?.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_read_as_it_was_written() {
        for is_finished in [true, false] {
            let stamp = Stamp {
                recipe: RECIPE,
                inputs: u64::MAX,
                outputs: 0,
                is_finished,
            };
            assert_eq!(Stamp::parse(&stamp.text()), Some(stamp));
        }
    }

    #[test]
    fn a_stamp_that_was_cut_off_counts_as_none() {
        let stamp = Stamp {
            recipe: 1,
            inputs: 2,
            outputs: 3,
            is_finished: true,
        };
        let text = stamp.text();
        for cut in 0..text.trim_end().len() {
            assert_ne!(Stamp::parse(&text[..cut]), Some(stamp), "{cut}");
        }
    }
}
