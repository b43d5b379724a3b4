//! Folders that other programs fill for themselves, among people's: bins, snapshots and thumbnails of NAS systems, the insides
//! of photo libraries, previews of editors. Files that are copies, by their names. Each with the reason that people are told.
//!
//! Pure: names alone, in any case of letters, since shares don't agree on it.

use std::path::Path;

use super::kinds::{Ending, Kind, ending};

/// How a file is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    /// It could be somebody's picture: listed, with the reason.
    Listed(&'static str),
    /// It is none: counted.
    Counted(Kind),
}

/// The reasons why something is left out.
const BIN: &str = "a bin: what was thrown away lies in it";
const SNAPSHOT: &str = "it holds what the folders were before";
const SYSTEM: &str = "a system or a NAS keeps files of its own in it";
const INSIDE: &str = "a photo program keeps previews and data in it; its originals are shown";
const PREVIEW: &str = "it holds a photo program's previews";
const COPY: &str = "an older or unfinished copy, says its name";
const HIDDEN: &str = "its name begins with a dot";
/// The reason of a folder with a phone's mark; it stands beside the mark.
pub(super) const NOT_FOR_GALLERIES: &str = "its folder is not for galleries, says this file; name the folder itself, or take the file away, to show it";

/// Folders of NAS and other systems, wherever they lie.
const SYSTEMS: [(&str, &[&str]); 3] = [
    (
        BIN,
        &[
            "$recycle.bin",
            "#recycle",
            "@recycle",
            "@sharebin",
            "network trash folder",
            "recycled",
            "recycler",
            "trashbox",
        ],
    ),
    (
        SNAPSHOT,
        &[
            "#snapshot",
            "@recently-snapshot",
            "@snapshot",
            "timemachine.backupdb",
            "~snapshot",
        ],
    ),
    (
        SYSTEM,
        &[
            "@eadir",
            "@synoresource",
            "@tmp",
            "@transcode",
            "__macosx",
            "found.000",
            "lost+found",
            "lost.dir",
            "msocache",
            "system volume information",
            "temporary items",
        ],
    ),
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

/// Why the folder `name` in `folder` is left out, if it is.
pub(super) fn folder(folder: &Path, name: &str) -> Option<&'static str> {
    if is_hidden(name) {
        return Some(HIDDEN);
    }
    let name = name.to_lowercase();
    let of = |(reason, names): &(&'static str, &[&str])| {
        names.contains(&name.as_str()).then_some(*reason)
    };
    if let Some(reason) = SYSTEMS.iter().find_map(of) {
        return Some(reason);
    }
    if PREVIEWS.iter().any(|end| name.ends_with(end)) {
        return Some(PREVIEW);
    }
    let around = folder
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    let mut within = WITHIN.iter().filter(|(end, _)| around.ends_with(end));
    within
        .any(|(_, names)| names.contains(&name.as_str()))
        .then_some(INSIDE)
}

/// How a file of this name is left out, if it is.
pub(super) fn file(name: &str) -> Option<Left> {
    if is_hidden(name) {
        let may_be_a_picture = ending(Path::new(name)) == Ending::Picture && !is_half(name);
        return Some(if may_be_a_picture {
            Left::Listed(HIDDEN)
        } else {
            Left::Counted(Kind::Hidden)
        });
    }
    Some(match ending(Path::new(original(name)?)) {
        Ending::NoPicture(kind) => Left::Counted(kind),
        _ => Left::Listed(COPY),
    })
}

/// Whether a name is that of the half of a Mac's file that holds no content (AppleDouble, `._a.jpg`): no picture, whatever
/// its ending.
pub(super) fn is_half(name: &str) -> bool {
    name.starts_with("._")
}

/// The name of what `name` is an older or unfinished copy of; `None` when it is none.
fn original(name: &str) -> Option<&str> {
    COPIES.iter().find_map(|end| {
        let at = name.len().checked_sub(end.len())?;
        let (original, found) = name.split_at_checked(at)?;
        found.eq_ignore_ascii_case(end).then_some(original)
    })
}

/// Whether a name is one that systems don't show.
fn is_hidden(name: &str) -> bool {
    name.starts_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_systems_are_known_in_any_case() {
        for (name, reason) in [
            ("@Recycle", BIN),
            ("@Recently-Snapshot", SNAPSHOT),
            ("#snapshot", SNAPSHOT),
            ("~snapshot", SNAPSHOT),
            ("$Recycle.Bin", BIN),
            ("$RECYCLE.BIN", BIN),
            ("#Recycle", BIN),
            ("#recycle", BIN),
            ("Network Trash Folder", BIN),
            ("RECYCLER", BIN),
            ("@tmp", SYSTEM),
            ("@Transcode", SYSTEM),
            ("@SynoResource", SYSTEM),
            ("@eaDir", SYSTEM),
            ("@eadir", SYSTEM),
            ("Previews.lrdata", PREVIEW),
            (".thumbnails", HIDDEN),
        ] {
            let found = folder(Path::new("/nas/photos"), name);
            assert_eq!(found, Some(reason), "{name}");
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
            assert_eq!(folder(Path::new("/nas/photos"), name), None, "{name}");
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
            let around = Path::new("/photos").join(library);
            assert_eq!(folder(&around, hidden), Some(INSIDE), "{library}");
            assert_eq!(folder(&around, shown), None, "{library}");
        }
    }

    #[test]
    fn copies_are_known_by_their_ends() {
        for (name, of) in [
            ("IMG_1.jpg_original", "IMG_1.jpg"),
            ("IMG_2.JPG~", "IMG_2.JPG"),
            ("a.jpg.BAK", "a.jpg"),
            ("ä.jpg.part", "ä.jpg"),
            ("a.tmp", "a"),
            ("a.heic.crdownload", "a.heic"),
        ] {
            assert_eq!(original(name), Some(of), "{name}");
            assert_eq!(file(name), Some(Left::Listed(COPY)), "{name}");
        }
        for name in [
            "original.jpg",
            "my_original.jpg",
            "part.png",
            "a~1.jpg",
            "é",
            "",
        ] {
            assert_eq!((original(name), file(name)), (None, None), "{name}");
        }
        for (name, left) in [
            (".hidden.jpg", Left::Listed(HIDDEN)),
            ("._a.jpg", Left::Counted(Kind::Hidden)),
            (".DS_Store", Left::Counted(Kind::Hidden)),
            ("letter.pdf~", Left::Counted(Kind::Document)),
        ] {
            assert_eq!(file(name), Some(left), "{name}");
        }
    }
}
