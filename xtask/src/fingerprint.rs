//! Whether something must be built again: a hash over the contents of files and folders. Contents and
//! not times, since git touches files that stay the same.

use std::{
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io,
    path::{Path, PathBuf},
};

/// A hash over files below `root`: each of `names` is a file or a folder (with all that is in it). What
/// doesn't exist counts as such. Hidden files in folders are left out: editors' and trunk's own.
pub(crate) fn of(root: &Path, names: &[&str]) -> io::Result<u64> {
    let mut files = Vec::new();
    for name in names {
        collect(&root.join(name), &mut files)?;
    }
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        // The name without the checkout's own place, so that a moved checkout is still up to date.
        file.strip_prefix(root).unwrap_or(&file).hash(&mut hasher);
        fs::read(&file)?.hash(&mut hasher);
    }
    Ok(hasher.finish())
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if path.is_file() {
        files.push(path.to_owned());
    } else if path.is_dir() {
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            if !entry.file_name().to_string_lossy().starts_with('.') {
                collect(&entry.path(), files)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_of_content_or_name_is_seen() {
        let root = std::env::temp_dir().join(format!("xtask-fingerprint-{}", std::process::id()));
        fs::create_dir_all(root.join("src/deep")).expect("the temporary folder is writable");
        let names = ["src", "Cargo.toml", "missing"];
        let hash = || of(&root, &names).expect("all is readable");
        let write = |name: &str, text: &str| fs::write(root.join(name), text).expect("writable");

        write("src/a.rs", "a");
        write("Cargo.toml", "[package]");
        let first = hash();
        write("src/a.rs", "a");
        write("unrelated", "x");
        write("src/.swap", "x");
        assert_eq!(hash(), first, "the same contents");

        let mut seen = vec![first];
        let mut changed = |what: &str| {
            let now = hash();
            assert!(!seen.contains(&now), "{what} went unnoticed");
            seen.push(now);
        };
        write("src/a.rs", "b");
        changed("an edit");
        write("src/deep/b.rs", "");
        changed("a new empty file");
        fs::rename(root.join("src/deep/b.rs"), root.join("src/deep/c.rs")).expect("it is there");
        changed("another name");
        write("missing", "");
        changed("a file that was missing");
        fs::remove_file(root.join("Cargo.toml")).expect("it is there");
        changed("a removed file");
        fs::remove_dir_all(&root).expect("cleaning up");
    }
}
