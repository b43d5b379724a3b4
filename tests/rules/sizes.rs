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
