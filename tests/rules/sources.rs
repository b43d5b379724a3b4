//! The project's sources and the tables of ARCHITECTURE.md, as text.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The folders of what is shipped.
pub const PRODUCT: [&str; 5] = [
    "server/src",
    "server/media/src",
    "server/render/src",
    "shared/src",
    "viewer/src",
];

/// The project's folder.
pub fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ is a folder of the project")
}

/// One file of Rust.
pub struct Source {
    /// Its path in the project, with `/` between folders.
    pub path: String,
    /// Its text as far as it is product code: tests at the end of a file are cut off.
    pub product: String,
}

impl Source {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).expect("sources are readable");
        let product = text
            .split("\nmod tests {")
            .next()
            .unwrap_or_default()
            .to_owned();
        let path = path.strip_prefix(project()).expect("below the project");
        let path = path.to_string_lossy().replace('\\', "/");
        Self { path, product }
    }

    /// Its code alone: what follows `//` in a line is left out.
    pub fn code(&self) -> String {
        let lines = self.product.lines();
        let code = lines.map(|line| line.split("//").next().unwrap_or_default());
        code.collect::<Vec<_>>().join("\n")
    }

    /// Whether all of it is tests.
    fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }
}

/// Product code below `folder` of the project, sorted by path.
pub fn below(folder: &str) -> Vec<Source> {
    let mut files = Vec::new();
    collect(&project().join(folder), &mut files);
    files.sort();
    let sources = files.iter().map(|path| Source::read(path));
    sources.filter(|source| !source.is_test()).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("folders of sources are readable") {
        let path = entry.expect("folders of sources are readable").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
}

/// The rows of the table of ARCHITECTURE.md whose head begins with `head`, as cells without their edges.
pub fn table(head: &str) -> Vec<Vec<String>> {
    let page = fs::read_to_string(project().join("ARCHITECTURE.md")).expect("the page is there");
    let start = format!("| {head} |");
    let rows: Vec<Vec<String>> = page
        .lines()
        .skip_while(|line| !line.starts_with(&start))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells = line.trim().trim_matches('|').split(" | ");
            cells.map(|cell| cell.trim().to_owned()).collect()
        })
        .collect();
    assert!(
        !rows.is_empty(),
        "ARCHITECTURE.md has no table with {start}"
    );
    rows
}

/// What stands between backticks in `cell`.
pub fn names(cell: &str) -> Vec<String> {
    cell.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}
