//! `dist` and `image`: archives for machines without a compiler, and the container image that is made of one.
//!
//! Static, with musl: one file runs on every Linux of its kind of processor, and in an image that holds nothing else.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail};

use crate::{
    fetch::{PyPackage, remove},
    licences,
    parts::is_ci,
    project::{Project, on_path, output, succeed},
    run, viewer, zig,
};

/// The time zones: an image that holds nothing else has none.
const TZDATA: PyPackage = PyPackage {
    name: "tzdata",
    version: "2026.6",
    sha256: &["0a10eec6e13ef16b627fabed9a5f2ba61a62b1c67f327305f4e7e412a70b4aec"],
    purpose: "know the world's time zones in an image",
};

/// What archives are made for, each with its name among container images.
const TARGETS: [(&str, &str); 2] = [
    ("x86_64-unknown-linux-musl", "linux/amd64"),
    ("aarch64-unknown-linux-musl", "linux/arm64"),
];

/// What lies beside the program in an archive.
const BESIDE: [&str; 5] = ["README.md", "LICENSE", "CHANGELOG.md", "docs", "deploy"];

/// The licences of what the program is made of, in an archive.
const LICENCES: &str = "THIRD-PARTY.txt";

/// The image's own user, as deploy/Dockerfile has it.
const USER: &str = "10001";

/// Where archives and their unpacked folders lie.
pub(crate) fn folder(project: &Project) -> PathBuf {
    project.target.join("dist")
}

/// The program in the unpacked archive for this kind of machine, if there is one.
pub(crate) fn packed_for_this_machine(project: &Project) -> Option<PathBuf> {
    let program = unpacked(project, &zig::this_machine()).join("mantel");
    Some(program).filter(|program| cfg!(target_os = "linux") && program.is_file())
}

/// The folder that becomes the archive for a target.
fn unpacked(project: &Project, target: &str) -> PathBuf {
    folder(project).join(name_for(target))
}

/// The archive's name, without what says how it is packed.
fn name_for(target: &str) -> String {
    format!("mantel-{}-{target}", env!("CARGO_PKG_VERSION"))
}

/// Makes archives for the named targets, or for all.
pub(crate) fn dist(project: &Project, names: &[String]) -> anyhow::Result<()> {
    let targets = chosen(names)?;
    let sizes = viewer::ensure(project)?;
    servers(project, &targets)?;
    for target in targets {
        archive(project, target)?;
    }
    sums(project)?;
    eprintln!("{}", run::viewer_line(sizes));
    Ok(())
}

/// Makes the image `mantel` of the archive for one target, by default this machine's kind.
pub(crate) fn image(project: &Project, name: Option<&str>) -> anyhow::Result<()> {
    let name = name.map_or_else(zig::this_machine, str::to_owned);
    let target = chosen(&[name])?.remove(0);
    let builder = ["buildah", "podman", "docker"]
        .into_iter()
        .find(|builder| on_path(builder).is_some())
        .context("an image is built by buildah, podman or docker, and none of them is on PATH")?;
    viewer::ensure(project)?;
    servers(project, &[target])?;
    let unpacked = archive(project, target)?;
    sums(project)?;
    let mut build = project.command(builder);
    build.args(["build", "--platform", platform(target)]);
    if builder != "docker" {
        // The other format has no health checks.
        build.args(["--format", "docker"]);
    }
    build
        .args(["--tag", "mantel", "--file"])
        .arg(unpacked.join("deploy").join("Dockerfile"))
        .arg(&unpacked);
    succeed(&mut build)?;
    eprintln!("image  mantel  for {}, in {builder}", platform(target));
    Ok(())
}

fn chosen(names: &[String]) -> anyhow::Result<Vec<&'static str>> {
    let all = TARGETS.map(|(target, _)| target);
    if let Some(unknown) = names.iter().find(|name| !all.contains(&name.as_str())) {
        bail!(
            "there is no archive for `{unknown}`: it is one of {}",
            all.join(", ")
        );
    }
    let wanted = |target: &&str| names.is_empty() || names.iter().any(|name| name == target);
    Ok(all.into_iter().filter(wanted).collect())
}

fn platform(target: &str) -> &'static str {
    TARGETS
        .iter()
        .find(|(known, _)| *known == target)
        .map_or("linux", |(_, platform)| platform)
}

/// Packs the built program for a target with what belongs to it. Gives the folder that was packed.
fn archive(project: &Project, target: &str) -> anyhow::Result<PathBuf> {
    let zig = zig::home(project)?;
    let program = project.target.join(target).join("release").join("mantel");
    run::holds_viewer(project, &program)?;
    let unpacked = unpacked(project, target);
    remove(&unpacked)?;
    fs::create_dir_all(&unpacked)
        .with_context(|| format!("{} can't be made", unpacked.display()))?;
    copy(&program, &unpacked.join("mantel"))?;
    for beside in BESIDE {
        copy(&project.root.join(beside), &unpacked.join(beside))?;
    }
    let libc = zig.join("lib").join("libc").join("musl").join("COPYRIGHT");
    let own = project.root.join("server").join("assets").join("fonts");
    let more = [
        ("musl, the C library", libc),
        ("zig, which that is compiled with", zig.join("LICENSE")),
        ("the font of captions", own.join("OFL.txt")),
    ];
    fs::write(
        unpacked.join(LICENCES),
        licences::all(project, target, &more)?,
    )
    .with_context(|| format!("{LICENCES} can't be written"))?;
    skeleton(project, &unpacked.join("deploy").join("root.tar"))?;
    let home = folder(project);
    let name = name_for(target);
    let file = home.join(format!("{name}.tar.gz"));
    // gzip without the time and the name that it would put in: the same files make the same archive.
    let mut tar = tar(project, "--create", &file);
    tar.args(["--owner=0", "--group=0", "--use-compress-program=gzip -9n"])
        .arg("--directory")
        .arg(&home)
        .arg(&name);
    succeed(&mut tar)?;
    eprintln!(
        "archive  {}  {}, the program {}",
        file.display(),
        run::kilobytes(file.metadata()?.len()),
        run::kilobytes(program.metadata()?.len())
    );
    Ok(unpacked)
}

/// Builds the program for some targets, in one go: while one is linked, the processors have the others to work on.
fn servers(project: &Project, targets: &[&str]) -> anyhow::Result<()> {
    let mut cargo = zig::cargo(project, "zigbuild", targets)?;
    cargo.args(["--package", "mantel", "--bin", "mantel"]);
    succeed(&mut cargo).context("the program could not be built; cargo's messages stand above")
}

/// Compiles the tests of the whole workspace with the libraries of this machine's archive. While the page is not there,
/// all but what takes it in; what can't be compiled says so again when it is needed.
pub(crate) fn libraries(project: &Project) -> anyhow::Result<()> {
    let mut cargo = zig::cargo_beside_archive(project, "zigbuild")?;
    cargo.args(["--tests", "--keep-going"]);
    let has_page = project.dist.join("index.html").is_file();
    if !has_page {
        cargo.env(NEEDS_PAGE, "1");
    }
    let status = cargo.status().context("cargo can't be started")?;
    if !status.success() && has_page {
        bail!("the tests could not be compiled; cargo's messages stand above");
    }
    if !has_page {
        eprintln!("What takes the page in is compiled when it is there.");
    }
    Ok(())
}

/// Has the server's build script refuse to go on without a page.
const NEEDS_PAGE: &str = "MANTEL_NEEDS_PAGE";

/// A cargo command on the whole workspace. In CI, once this machine's archive is packed, what it compiles takes the
/// archive's own libraries: they are compiled once, and what is tested is what is shipped.
pub(crate) fn cargo(project: &Project, verb: &str) -> anyhow::Result<Command> {
    if is_ci() && packed_for_this_machine(project).is_some() {
        return zig::cargo_beside_archive(project, verb);
    }
    Ok(project.cargo(&[verb, "--workspace"]))
}

/// What an image has beside the program: folders for photos and state, the latter the user's own, and time zones.
/// A tar, because only in it a folder can belong to somebody else than whoever packs it.
fn skeleton(project: &Project, file: &Path) -> anyhow::Result<()> {
    let tzdata = TZDATA.ensure(project)?;
    let home = project.target.join("dist").join("root");
    remove(&home)?;
    let zones = home.join("usr").join("share").join("zoneinfo");
    fs::create_dir_all(zones.parent().unwrap_or(&home))?;
    copy(&tzdata.join("tzdata").join("zoneinfo"), &zones)?;
    for own in ["data", "photos"] {
        fs::create_dir_all(home.join(own))?;
    }
    let mut roots = tar(project, "--create", file);
    roots
        .args([
            "--owner=0",
            "--group=0",
            "--mode=u=rwX,go=rX",
            "--directory",
        ])
        .arg(&home)
        .args(["photos", "usr"]);
    succeed(&mut roots)?;
    let mut owned = tar(project, "--append", file);
    owned
        .arg("--mode=0700")
        .args([format!("--owner={USER}"), format!("--group={USER}")])
        .arg("--directory")
        .arg(&home)
        .arg("data");
    succeed(&mut owned)?;
    remove(&home)
}

/// GNU tar, packing so that the same files make the same bytes.
fn tar(project: &Project, what: &str, file: &Path) -> Command {
    // The time of the last commit, as far as git knows it: the files' own are those of the checkout.
    let time = output(project.command("git").args(["log", "-1", "--format=%ct"]));
    let time = time
        .ok()
        .and_then(|time| time.trim().parse::<u64>().ok())
        .unwrap_or(0);
    let mut tar = project.command("tar");
    tar.args([what, "--sort=name", "--numeric-owner", "--format=ustar"])
        .arg(format!("--mtime=@{time}"))
        .arg("--file")
        .arg(file);
    tar
}

/// SHA256SUMS of all archives there, for `sha256sum --check`.
fn sums(project: &Project) -> anyhow::Result<()> {
    let home = folder(project);
    let mut archives: Vec<_> = fs::read_dir(&home)
        .with_context(|| format!("{} can't be read", home.display()))?
        .filter_map(|entry| Some(entry.ok()?.file_name()))
        .filter(|name| name.to_string_lossy().ends_with(".tar.gz"))
        .collect();
    archives.sort();
    let mut sha256sum = project.command("sha256sum");
    sha256sum.current_dir(&home).arg("--").args(&archives);
    let sums = output(&mut sha256sum)?;
    fs::write(home.join("SHA256SUMS"), sums).context("SHA256SUMS can't be written")
}

/// Copies a file, or a folder with all that is in it.
pub(crate) fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    if !from.is_dir() {
        return fs::copy(from, to)
            .map(drop)
            .with_context(|| format!("{} can't be copied", from.display()));
    }
    fs::create_dir_all(to).with_context(|| format!("{} can't be made", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("{} can't be read", from.display()))? {
        let name = entry?.file_name();
        copy(&from.join(&name), &to.join(&name))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_are_chosen_by_target() {
        let all = TARGETS.map(|(target, _)| target);
        assert_eq!(chosen(&[]).expect("all"), all);
        assert_eq!(chosen(&[all[1].to_owned()]).expect("one"), [all[1]]);
        let error = chosen(&["mips".to_owned()]).expect_err("must be refused");
        let error = error.to_string();
        assert!(
            error.contains("`mips`") && error.contains(all[0]),
            "{error}"
        );
    }

    #[test]
    fn the_pins_are_whole() {
        TZDATA.assert_pinned();
    }
}
