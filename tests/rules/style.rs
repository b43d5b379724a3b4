//! What rustfmt leaves open: the order of derives, and one `use` for what comes from one crate.

use std::collections::BTreeMap;

use crate::sources::{PRODUCT, Source, below};

/// More than what is shipped.
const BESIDE: [&str; 2] = ["xtask/src", "tests"];

/// The traits of the standard library in the order in which they are derived; those of other crates come behind.
const DERIVES: [&str; 9] = [
    "Clone",
    "Copy",
    "Debug",
    "Default",
    "PartialEq",
    "Eq",
    "PartialOrd",
    "Ord",
    "Hash",
];

fn sources() -> impl Iterator<Item = Source> {
    PRODUCT.into_iter().chain(BESIDE).flat_map(below)
}

#[test]
fn derives_stand_in_one_order() {
    let place = |name: &str| DERIVES.iter().position(|known| *known == name);
    let mut wrong = Vec::new();
    for source in sources() {
        for line in source.product.lines() {
            let derives = line.trim().strip_prefix("#[derive(");
            let Some(derives) = derives.and_then(|rest| rest.strip_suffix(")]")) else {
                continue;
            };
            let places = derives
                .split(", ")
                .map(|name| place(name).unwrap_or(DERIVES.len()));
            if !places.is_sorted() {
                wrong.push(format!("{}: {derives}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_comes_from_one_crate_is_used_once() {
    let mut wrong = Vec::new();
    for source in sources() {
        let mut n_uses: BTreeMap<&str, u32> = BTreeMap::new();
        let mut before = "";
        for line in source.product.lines() {
            // What is compiled only somewhere stands by itself.
            if let Some(used) = line.strip_prefix("use ")
                && !before.starts_with("#[")
            {
                let end = used.find(|c: char| !c.is_alphanumeric() && c != '_');
                *n_uses
                    .entry(&used[..end.unwrap_or(used.len())])
                    .or_default() += 1;
            }
            before = line;
        }
        let again = n_uses.iter().filter(|(_, n)| **n > 1);
        wrong.extend(again.map(|(name, n)| format!("{}: {n} times `use {name}`", source.path)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
