//! Folders that other programs fill for themselves, among people's: bins, snapshots and thumbnails of NAS systems, the insides
//! of photo libraries, previews of editors. Files that are copies, by their names.
//!
//! Pure: names alone, in any case of letters, since shares don't agree on it.

use std::path::Path;

/// Folders of NAS and other systems, wherever they lie.
const SYSTEMS: [&str; 24] = [
    "$recycle.bin",
    "#recycle",
    "#snapshot",
    "@eadir",
    "@recently-snapshot",
    "@recycle",
    "@sharebin",
    "@snapshot",
    "@synoresource",
    "@tmp",
    "@transcode",
    "__macosx",
    "found.000",
    "lost+found",
    "lost.dir",
    "msocache",
    "network trash folder",
    "recycled",
    "recycler",
    "system volume information",
    "temporary items",
    "timemachine.backupdb",
    "trashbox",
    "~snapshot",
];

/// Folders of previews and caches within what a program calls its library: the end of that one's name, and theirs.
const WITHIN: [(&str, &[&str]); 6] = [
    (
        ".photoslibrary",
        &[
            "database",
            "external",
            "internal",
            "private",
            "resources",
            "scopes",
        ],
    ),
    (".photolibrary", IPHOTO),
    (".aplibrary", IPHOTO),
    ("iphoto library", IPHOTO),
    ("captureone", &["cache", "settings"]),
    (".cocatalog", &["cache"]),
];
const IPHOTO: &[&str] = &[
    "attachments",
    "caches",
    "contents",
    "data",
    "data.noindex",
    "faces",
    "ipod photo cache",
    "previews",
    "thumbnails",
];

/// Ends of folders that hold previews alone: Lightroom's.
const PREVIEWS: [&str; 2] = [".lrdata", ".lrcat-data"];

/// Ends of files that are a photo's older or unfinished copies: exiftool's, editors', downloads'.
const COPIES: [&str; 12] = [
    "_original",
    "~",
    ".backup",
    ".bak",
    ".crdownload",
    ".download",
    ".filepart",
    ".old",
    ".part",
    ".partial",
    ".swp",
    ".tmp",
];

/// Whether `name` in `folder` is such a folder.
pub(super) fn is_one(folder: &Path, name: &str) -> bool {
    let name = name.to_lowercase();
    if SYSTEMS.contains(&name.as_str()) || PREVIEWS.iter().any(|end| name.ends_with(end)) {
        return true;
    }
    let around = folder
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    let mut within = WITHIN.iter().filter(|(end, _)| around.ends_with(end));
    within.any(|(_, names)| names.contains(&name.as_str()))
}

/// Whether a file of this name is an older or unfinished copy.
pub(super) fn is_copy(name: &str) -> bool {
    let name = name.to_lowercase();
    COPIES.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_systems_are_known_in_any_case() {
        for name in [
            "@Recycle",
            "@Recently-Snapshot",
            "#snapshot",
            "~snapshot",
            "$Recycle.Bin",
            "$RECYCLE.BIN",
            "#Recycle",
            "#recycle",
            "Network Trash Folder",
            "RECYCLER",
            "@tmp",
            "@Transcode",
            "@SynoResource",
            "@eaDir",
            "@eadir",
            "Previews.lrdata",
        ] {
            assert!(is_one(Path::new("/nas/photos"), name), "{name}");
        }
        for name in [
            "recycle",
            "snapshot",
            "Data",
            "resources",
            "Thumbnails",
            "cache",
            "Faces",
            "tmp",
            "Originals",
        ] {
            assert!(!is_one(Path::new("/nas/photos"), name), "{name}");
        }
    }

    #[test]
    fn libraries_show_their_originals_alone() {
        for (library, hidden, shown) in [
            ("Photos Library.photoslibrary", "resources", "originals"),
            ("iPhoto Library", "Thumbnails", "Masters"),
            ("Aperture.aplibrary", "Previews", "Masters"),
            ("CaptureOne", "Cache", "Export"),
            ("Catalog.cocatalog", "Cache", "Originals"),
        ] {
            let folder = Path::new("/photos").join(library);
            assert!(
                is_one(&folder, hidden) && !is_one(&folder, shown),
                "{library}"
            );
        }
    }

    #[test]
    fn copies_are_known_by_their_ends() {
        for name in [
            "IMG_1.jpg_original",
            "IMG_2.JPG~",
            "a.jpg.bak",
            "a.jpg.part",
            "a.tmp",
            "a.heic.crdownload",
        ] {
            assert!(is_copy(name), "{name}");
        }
        for name in ["original.jpg", "my_original.jpg", "part.png", "a~1.jpg"] {
            assert!(!is_copy(name), "{name}");
        }
    }
}
