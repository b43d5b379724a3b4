//! How long a file may be.

use crate::sources::below;

/// Lines of product code in a file; tests at its end don't count.
const LONGEST: usize = 400;
/// Half of all files are shorter.
const MEDIAN: usize = 200;

#[test]
fn no_file_is_a_room_of_its_own() {
    let folders = ["server/src", "shared/src", "viewer/src", "xtask/src"];
    let sources = folders.into_iter().flat_map(below);
    let mut sizes: Vec<(usize, String)> = sources
        .map(|source| (source.product.lines().count(), source.path))
        .collect();
    sizes.sort();
    let long: Vec<_> = sizes.iter().filter(|(n, _)| *n > LONGEST).collect();
    assert!(long.is_empty(), "longer than {LONGEST} lines: {long:?}");
    let (median, _) = &sizes[sizes.len() / 2];
    assert!(*median <= MEDIAN, "the median is {median} lines");
}
