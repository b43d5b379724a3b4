//! Which room of the server may import which: the table "module" of ARCHITECTURE.md.

use std::collections::{BTreeMap, BTreeSet};

use crate::sources::{below, names, table};

/// Rooms that are crates of their own or parts of one, under the names that lib.rs gives them: what they may import is
/// decided by their Cargo.toml, and none of the others can be in it.
const CRATES: [(&str, &str); 2] = [
    ("render", "pub use mantel_render as render;"),
    ("size", "use mantel_render::size;"),
];

/// The rooms that each room imports, with a file that does.
type Arrows = BTreeMap<String, BTreeMap<String, String>>;

/// The names that follow `crate::` in `code`: one, or each first one of a list in braces.
fn imported(code: &str) -> BTreeSet<String> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let first_word = |text: &str| {
        text.trim_start()
            .chars()
            .take_while(|&c| is_word(c))
            .collect()
    };
    let mut rooms = BTreeSet::new();
    for (at, prefix) in code.match_indices("crate::") {
        if code[..at].ends_with(is_word) {
            continue; // another crate's name that ends so
        }
        let rest = &code[at + prefix.len()..];
        let Some(list) = rest.strip_prefix('{') else {
            rooms.insert(first_word(rest));
            continue;
        };
        let mut depth = 1;
        let end = list.find(|c: char| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            depth == 0
        });
        let items = list[..end.unwrap_or(list.len())].split(|c: char| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            depth == 0 && c == ','
        });
        rooms.extend(items.map(first_word));
    }
    rooms.remove("");
    rooms
}

/// Whether `super::` in the file `inside` server/src leads out of its room, past `crate::`. A glob of
/// everything is the `use` of a module written inside the file.
fn climbs_out(inside: &str, code: &str) -> bool {
    let depth = inside.trim_end_matches("/mod.rs").split('/').count();
    let out = "super::".repeat(depth);
    code.split_inclusive(';')
        .any(|part| part.contains(&out) && !part.trim_end().ends_with(&format!("{out}*;")))
}

fn arrows() -> Arrows {
    let mut arrows = Arrows::new();
    for source in below("server/src") {
        let inside = source.path.trim_start_matches("server/src/");
        let room = inside.split('/').next().unwrap_or_default();
        let room = room.trim_end_matches(".rs");
        // The crate's root and its program name every room.
        if matches!(room, "lib" | "main") {
            continue;
        }
        let from = arrows.entry(room.to_owned()).or_default();
        for name in imported(&source.code()) {
            // A name that lib.rs passes on is in no row: its room is to be named.
            if name != room {
                from.entry(name).or_insert_with(|| source.path.clone());
            }
        }
        if climbs_out(inside, &source.code()) {
            from.insert("super".to_owned(), source.path.clone());
        }
    }
    let root = below("server/src");
    let root = root.iter().find(|source| source.path.ends_with("/lib.rs"));
    let root = root.expect("the server has a root").code();
    for (room, line) in CRATES {
        assert!(root.contains(line), "lib.rs has no line {line:?}");
        arrows.entry(room.to_owned()).or_default();
    }
    arrows
}

#[test]
fn every_room_imports_what_the_table_allows_and_only_rooms_above_it() {
    let mut above: Vec<String> = Vec::new();
    let mut found = arrows();
    let mut wrong = Vec::new();
    for row in table("module") {
        let [rooms, _, may] = &row[..] else {
            panic!("a row of rooms has three cells: {row:?}");
        };
        let room = names(rooms).concat();
        let may = names(may);
        let does = found.remove(&room).unwrap_or_else(|| {
            wrong.push(format!("`{room}` is in the table and not in server/src"));
            BTreeMap::new()
        });
        for (other, file) in &does {
            if !may.contains(other) {
                wrong.push(format!("{file}: `{room}` may not import `{other}`"));
            }
        }
        for other in &may {
            if !does.contains_key(other) {
                wrong.push(format!("`{room}` does not import `{other}`: strike it out"));
            }
            if !above.contains(other) {
                wrong.push(format!(
                    "`{room}` may import rooms above it: `{other}` is none"
                ));
            }
        }
        above.push(room);
    }
    wrong.extend(
        found
            .keys()
            .map(|room| format!("`{room}` is not in the table")),
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_way_out_by_super_is_seen() {
    for (inside, code, leads_out) in [
        ("hub/mod.rs", "use super::net;", true),
        ("hub.rs", "mod x { use super::*; }", false),
        ("hub/feeds.rs", "use super::frame;", false),
        (
            "hub/feeds.rs",
            "fn f() { super::super::net::serve() }",
            true,
        ),
    ] {
        assert_eq!(climbs_out(inside, code), leads_out, "{inside}: {code}");
    }
}

#[test]
fn names_are_found_in_every_form_of_an_import() {
    let code = "use crate::{\n  app::{self, Thing},\n  clock,\n  hub as board,\n};\nfn f() { crate::net::serve(); \
                my_crate::no() }\npub(in crate::files) fn g() {}";
    let found: Vec<_> = imported(code).into_iter().collect();
    assert_eq!(found, ["app", "clock", "files", "hub", "net"]);
}
