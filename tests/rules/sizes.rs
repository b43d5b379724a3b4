//! The files of the sources: how long one may be, and where a module with parts lies.

use crate::sources::{PRODUCT, below, project};

/// Lines of product code in a file; tests at its end don't count.
const LONGEST: usize = 400;
/// Half of all files are shorter.
const MEDIAN: usize = 200;

#[test]
fn no_file_is_a_room_of_its_own() {
    let sources = PRODUCT.into_iter().chain(["xtask/src"]).flat_map(below);
    let mut sizes: Vec<(usize, String)> = sources
        .map(|source| (source.product.lines().count(), source.path))
        .collect();
    sizes.sort();
    let long: Vec<_> = sizes.iter().filter(|(n, _)| *n > LONGEST).collect();
    assert!(long.is_empty(), "longer than {LONGEST} lines: {long:?}");
    let (median, _) = &sizes[sizes.len() / 2];
    assert!(*median <= MEDIAN, "the median is {median} lines");
}

/// The folders at the top, `target` and `dist` among them, which are made.
const TOP: [&str; 9] = [
    "deploy", "dist", "docs", "server", "shared", "target", "tests", "viewer", "xtask",
];

#[test]
fn a_new_folder_stands_in_one_of_those_there_are() {
    let all = project().read_dir().expect("the project").flatten();
    let folders = all.filter(|entry| entry.path().is_dir());
    let names = folders.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let is_known = |name: &String| name.starts_with('.') || TOP.contains(&name.as_str());
    let other: Vec<_> = names.filter(|name| !is_known(name)).collect();
    assert!(other.is_empty(), "what are {other:?} at the top?");
}

#[test]
fn a_module_with_parts_is_its_folders_mod_rs() {
    let stray: Vec<_> = PRODUCT
        .into_iter()
        .flat_map(below)
        .map(|source| source.path)
        .filter(|path| project().join(path.trim_end_matches(".rs")).is_dir())
        .collect();
    assert!(
        stray.is_empty(),
        "these belong into their folders: {stray:?}"
    );
}
