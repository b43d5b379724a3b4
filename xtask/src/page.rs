//! The finished page in `dist/`: checked for what old TVs can't run, compressed, and measured. Who
//! built it and when is not known here.

use std::{
    fs::{self, File},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::BufWriter,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};

use crate::{
    glue::{Acorn, Syntax},
    wasm::{self, Floor},
};

/// Bytes of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub(crate) wasm: u64,
    pub(crate) js: u64,
    pub(crate) rest: u64,
}

impl Sizes {
    /// What the issue of download size is about: wasm and JavaScript together.
    pub(crate) fn code(self) -> u64 {
        self.wasm + self.js
    }
}

/// The page's files, without the compressed copies; sorted.
pub(crate) fn files(dist: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![dist.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries =
            fs::read_dir(&folder).with_context(|| format!("{} can't be read", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if extension(&path) != "gz" {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Refuses a page that engines from `floor` on can't load, with the first thing in each file that is too new. Without
/// acorn scripts are not looked at.
///
/// What the page loads by itself is held to ES5, since it decides on any browser what to do; all other
/// scripts are only loaded where it has found WebAssembly.
pub(crate) fn check(dist: &Path, floor: Floor, acorn: Option<&Acorn>) -> anyhow::Result<()> {
    let files = files(dist)?;
    let of_kind = |kind| files.iter().filter(move |file| extension(file) == kind);
    let text = |file: &PathBuf| -> anyhow::Result<_> {
        Ok(String::from_utf8_lossy(&fs::read(file)?).into_owned())
    };
    let pages = of_kind("html")
        .map(text)
        .collect::<anyhow::Result<Vec<_>>>()?
        .concat();
    if pages.is_empty() || of_kind("wasm").next().is_none() {
        bail!(
            "{} holds no viewer: a page and a wasm module are the least",
            dist.display()
        );
    }

    let mut faults = Vec::new();
    let too_new = |script: &str, syntax| match acorn {
        Some(acorn) => acorn.too_new(script, syntax),
        None => Ok(None),
    };
    for file in &files {
        let name = file.strip_prefix(dist).unwrap_or(file).display();
        match extension(file) {
            "wasm" => {
                if let Err(error) = wasm::check(&fs::read(file)?, floor) {
                    faults.push(format!("{name}: {error}"));
                }
            }
            "js" => {
                let by_itself = loads(
                    &pages,
                    &file.file_name().unwrap_or_default().to_string_lossy(),
                );
                let syntax = if by_itself {
                    Syntax::Es5
                } else {
                    Syntax::Chromium67
                };
                let found = too_new(&text(file)?, syntax)?;
                faults.extend(found.iter().map(|found| format!("{name}: {found}")));
            }
            "html" => {
                for (line, script) in inline_scripts(&text(file)?) {
                    if let Some(mut found) = too_new(script, Syntax::Es5)? {
                        found.line += line - 1;
                        faults.push(format!("{name}: {found}"));
                    }
                }
            }
            _ => {}
        }
    }
    if !faults.is_empty() {
        bail!(
            "the viewer would not run on old TVs:\n  {}",
            faults.join("\n  ")
        );
    }
    Ok(())
}

/// Whether a script tag of these pages names the file.
fn loads(pages: &str, file: &str) -> bool {
    pages.split("<script").skip(1).any(|tag| {
        tag.split('>')
            .next()
            .is_some_and(|attributes| attributes.contains(file))
    })
}

/// The scripts that stand in the page itself, with the line where each begins.
fn inline_scripts(html: &str) -> Vec<(usize, &str)> {
    let mut scripts = Vec::new();
    let mut from = 0;
    while let Some(at) = html[from..].find("<script") {
        let tag = from + at;
        let Some(end_of_tag) = html[tag..].find('>').map(|at| tag + at + 1) else {
            break;
        };
        let end = html[end_of_tag..]
            .find("</script")
            .map_or(html.len(), |at| end_of_tag + at);
        let attributes = &html[tag..end_of_tag];
        let is_code = !attributes.contains("type=")
            || attributes.contains("javascript")
            || attributes.contains("module");
        if is_code && !attributes.contains(" src=") {
            scripts.push((html[..end_of_tag].lines().count(), &html[end_of_tag..end]));
        }
        from = end;
    }
    scripts
}

/// Makes one file of all scripts that the page loads by itself, in their order: one request instead of
/// many, and smaller. Its name has its content's hash in it, like theirs.
pub(crate) fn join(dist: &Path) -> anyhow::Result<()> {
    let page = dist.join("index.html");
    let html = fs::read_to_string(&page).context("the page can't be read")?;
    let mut script = String::new();
    let mut joined = html.clone();
    let mut parts = Vec::new();
    for tag in own_scripts(&html) {
        let file = dist.join(tag.file);
        script.push_str(
            &fs::read_to_string(&file)
                .with_context(|| format!("{} can't be read", file.display()))?,
        );
        // A file may end without a line's end, or in a comment.
        script.push('\n');
        parts.push(file);
        joined = joined.replacen(tag.text, if parts.len() == 1 { PLACE } else { "" }, 1);
    }
    if parts.len() < 2 {
        return Ok(());
    }
    let mut hasher = DefaultHasher::new();
    script.hash(&mut hasher);
    let name = format!("page-{:016x}.js", hasher.finish());
    fs::write(dist.join(&name), script)?;
    fs::write(
        &page,
        joined.replacen(PLACE, &format!("<script src=\"./{name}\"></script>"), 1),
    )?;
    for part in parts {
        fs::remove_file(part)?;
    }
    Ok(())
}

/// Stands where the joined script will be named.
const PLACE: &str = "<script></script>";

/// A script of the page in a file of its own.
struct ScriptTag<'a> {
    /// From `<script` to `</script>`, with the line's end behind it.
    text: &'a str,
    file: &'a str,
}

/// The scripts beside the page that it loads with nothing but a `src`, in their order.
fn own_scripts(html: &str) -> Vec<ScriptTag<'_>> {
    let mut tags = Vec::new();
    let mut from = 0;
    while let Some(at) = html[from..].find("<script") {
        let start = from + at;
        let Some(end) = html[start..]
            .find("</script>")
            .map(|at| start + at + "</script>".len())
        else {
            break;
        };
        from = end;
        let file = html[start..end]
            .strip_prefix("<script src=\"./")
            .and_then(|rest| rest.split_once('"'))
            // trunk leaves its own attribute.
            .filter(|(_, rest)| {
                matches!(*rest, "></script>" | " data-integrity=\"none\"></script>")
            })
            .map(|(file, _)| file)
            .filter(|file| file.ends_with(".js") && !file.contains('/'));
        if let Some(file) = file {
            let end = if html[end..].starts_with('\n') {
                end + 1
            } else {
                end
            };
            tags.push(ScriptTag {
                text: &html[start..end],
                file,
            });
        }
    }
    tags
}

/// Takes comments and indentation out of the scripts: a third of their download.
pub(crate) fn strip(dist: &Path, acorn: &Acorn) -> anyhow::Result<()> {
    for file in files(dist)? {
        if extension(&file) == "js" {
            fs::write(&file, acorn.without_comments(&fs::read_to_string(&file)?)?)
                .with_context(|| format!("{} can't be written", file.display()))?;
        }
    }
    Ok(())
}

/// Writes `NAME.gz` beside every file where that is smaller, removes older ones, and measures what goes
/// over the wire. zopfli takes seconds and saves a TV a fifteenth of the download, every time.
pub(crate) fn compress(dist: &Path) -> anyhow::Result<Sizes> {
    for file in files(dist)? {
        let bytes = fs::read(&file).with_context(|| format!("{} can't be read", file.display()))?;
        let compressed = gz_of(&file);
        zopfli::compress(
            zopfli::Options::default(),
            zopfli::Format::Gzip,
            bytes.as_slice(),
            BufWriter::new(File::create(&compressed)?),
        )?;
        if compressed.metadata()?.len() >= bytes.len() as u64 {
            fs::remove_file(&compressed)?;
        }
    }
    sizes(dist)
}

/// What goes over the wire: compressed where there is a compressed copy.
pub(crate) fn sizes(dist: &Path) -> anyhow::Result<Sizes> {
    let mut sizes = Sizes::default();
    for file in files(dist)? {
        let length = gz_of(&file).metadata().or_else(|_| file.metadata())?.len();
        match extension(&file) {
            "wasm" => sizes.wasm += length,
            "js" => sizes.js += length,
            _ => sizes.rest += length,
        }
    }
    Ok(sizes)
}

fn gz_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".gz");
    name.into()
}

fn extension(file: &Path) -> &str {
    file.extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::glue;

    fn scratch(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("xtask-page-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("the temporary folder is writable");
        folder
    }

    #[test]
    fn scripts_in_the_page_are_found_with_their_lines() {
        let html = "<html>\n<script src=\"a.js\"></script>\n<script>\nvar a;\n</script><script type=\"text/template\">`x`</script>";
        assert_eq!(inline_scripts(html), [(3, "\nvar a;\n")]);
        assert_eq!(inline_scripts("<script"), []);
        assert_eq!(inline_scripts("<script>x"), [(1, "x")]);
    }

    #[test]
    fn every_file_with_a_fault_is_told_at_once() {
        let Some(acorn) = glue::tests::acorn() else {
            return;
        };
        let check = |dist, floor| check(dist, floor, Some(&acorn));
        let dist = scratch("faults");
        let write = |name: &str, bytes: &[u8]| fs::write(dist.join(name), bytes).expect("writable");
        write("index.html", b"<p>\n<script>var a = 1;</script>");
        assert!(
            check(&dist, Floor::Mvp).is_err(),
            "a page without wasm is no viewer"
        );
        write("a_bg.wasm", b"\0asm\x01\0\0\0");
        write("a.js", b"var a = b || c;");
        check(&dist, Floor::Mvp).expect("nothing is new here");

        // What a script loads later may use what Chromium 67 knows; what the page loads may not.
        write("a.js", b"let a = 1;");
        check(&dist, Floor::Mvp).expect("Chromium 67 knows `let`");
        write("index.html", b"<script src=\"./a.js\"></script>");
        let error = check(&dist, Floor::Mvp)
            .expect_err("ES5 doesn't")
            .to_string();
        assert!(error.contains("a.js: line 1"), "{error}");

        write("index.html", b"<p>\n<script>\nlet a = 1;</script>");
        write("a.js", b"a?.b");
        write("a_bg.wasm", b"\0asm\x02\0\0\0");
        let error = check(&dist, Floor::Mvp)
            .expect_err("three files are too new")
            .to_string();
        for part in ["index.html: line 3", "a.js: line 1: `a?.b`", "a_bg.wasm"] {
            assert!(error.contains(part), "{part} is missing in {error}");
        }
        fs::remove_dir_all(&dist).expect("cleaning up");
    }

    #[test]
    fn the_pages_scripts_become_one_in_their_order() {
        let dist = scratch("join");
        let write = |name: &str, text: &str| fs::write(dist.join(name), text).expect("writable");
        write("b-0.js", "first();");
        write("a-0.js", "second(); // end");
        write("glue.js", "later()");
        write(
            "index.html",
            "<meta data-js=\"./glue.js\">\n<script src=\"./b-0.js\"></script>\n<script src=\"./a-0.js\" data-integrity=\"none\"></script>\n</html>",
        );
        join(&dist).expect("all is there");
        let page = fs::read_to_string(dist.join("index.html")).expect("the page");
        let names: Vec<_> = own_scripts(&page)
            .iter()
            .map(|tag| tag.file.to_owned())
            .collect();
        let [name] = names.as_slice() else {
            panic!("{page}");
        };
        assert!(
            name.starts_with("page-") && name.len() == "page-.js".len() + 16,
            "{name}"
        );
        let script = fs::read_to_string(dist.join(name)).expect("the script");
        assert_eq!(script, "first();\nsecond(); // end\n");
        assert!(!dist.join("a-0.js").exists() && dist.join("glue.js").exists());
        assert!(
            page.ends_with("</script></html>") || page.ends_with("</script>\n</html>"),
            "{page}"
        );
        join(&dist).expect("one script is left alone");
        assert_eq!(
            fs::read_to_string(dist.join("index.html")).expect("the page"),
            page
        );
        fs::remove_dir_all(&dist).expect("cleaning up");
    }

    #[test]
    fn copies_are_made_where_they_help() {
        let dist = scratch("gzip");
        fs::write(dist.join("a.js"), "x".repeat(1000)).expect("writable");
        fs::write(dist.join("b.wasm"), "x").expect("writable");
        let sizes = compress(&dist).expect("all is readable");
        assert!(dist.join("a.js.gz").exists());
        assert!(!dist.join("b.wasm.gz").exists());
        assert!(
            sizes.js < 100 && sizes.wasm == 1 && sizes.rest == 0,
            "{sizes:?}"
        );
        assert_eq!(files(&dist).expect("readable").len(), 2);
        assert_eq!(compress(&dist).expect("again"), sizes);
        fs::remove_dir_all(&dist).expect("cleaning up");
    }
}
