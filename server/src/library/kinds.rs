//! The kinds of files beside the photos: those that are counted under a name of people's, and pictures that nobody here decodes,
//! which are listed with theirs.
//!
//! Pure: names and heads in, kinds out.

use std::{collections::BTreeMap, fmt::Write, path::Path};

/// A kind of file that is no photo, and is not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Films and clips.
    Video,
    /// Music and recordings.
    Sound,
    /// Files that say more of a photo beside them: XMP, Takeout's JSON, settings of raw converters.
    Sidecar,
    /// Drawings of lines, which have no pixels.
    Drawing,
    /// Texts, tables, books and pages.
    Document,
    /// Packed files and images of disks.
    Archive,
    /// Settings, databases and programs.
    System,
    /// Files whose names begin with a dot.
    Hidden,
    /// Mantel's own: its index, and what is kept beside it.
    Own,
    /// Anything else, by its content no picture.
    Unknown,
}

impl Kind {
    /// The kind's name for programs, and as people call one file and several of it.
    const fn words(self) -> [&'static str; 3] {
        match self {
            Self::Video => ["videos", "video", "videos"],
            Self::Sound => ["sounds", "sound file", "sound files"],
            Self::Sidecar => ["sidecars", "sidecar", "sidecars"],
            Self::Drawing => ["drawings", "drawing", "drawings"],
            Self::Document => ["documents", "document", "documents"],
            Self::Archive => ["archives", "archive", "archives"],
            Self::System => ["system", "system file", "system files"],
            Self::Hidden => ["hidden", "hidden file", "hidden files"],
            Self::Own => ["own", "file of Mantel's own", "files of Mantel's own"],
            Self::Unknown => ["others", "other file", "other files"],
        }
    }
}

/// Endings of pictures; what has another one is opened once to see what it is.
const PICTURES: [&str; 19] = [
    "jpg", "jpeg", "jpe", "jfif", "png", "webp", "gif", "bmp", "tif", "tiff", "heic", "heif",
    "hif", "avif", "jxl", "jp2", "j2k", "mpo", "apng",
];
/// Endings of cameras' raws that ought to be pictures as well.
pub(super) const RAWS: [&str; 15] = [
    "dng", "cr2", "cr3", "crw", "nef", "nrw", "arw", "sr2", "orf", "rw2", "raf", "pef", "srw",
    "iiq", "3fr",
];
/// Endings of raws of which some can be shown.
pub(super) const OTHER_RAWS: [&str; 21] = [
    "ari", "bay", "cap", "dcr", "dcs", "drf", "eip", "erf", "fff", "gpr", "k25", "kdc", "mdc",
    "mef", "mos", "mrw", "pxn", "rwl", "rwz", "srf", "x3f",
];

/// The endings of files that are not opened: a share full of films would take all day.
const ENDINGS: [(Kind, &[&str]); 7] = [
    (
        Kind::Video,
        &[
            "3g2", "3gp", "asf", "avi", "divx", "dv", "flv", "insv", "lrv", "m2t", "m2ts", "m4v",
            "mkv", "mov", "mp4", "mpe", "mpeg", "mpg", "mts", "mxf", "ogv", "rm", "rmvb", "tod",
            "vob", "webm", "wmv", "wtv",
        ],
    ),
    (
        Kind::Sound,
        &[
            "aac", "aif", "aiff", "amr", "caf", "flac", "m3u", "m4a", "mid", "mp3", "oga", "ogg",
            "opus", "wav", "wma",
        ],
    ),
    (
        Kind::Sidecar,
        &[
            "aae", "arp", "comask", "cop", "cos", "cot", "dop", "json", "nksc", "on1", "pp3",
            "thm", "xmp",
        ],
    ),
    (
        Kind::Drawing,
        &[
            "ai", "cdr", "dwg", "dxf", "emf", "eps", "odg", "svg", "svgz", "vsd", "wmf",
        ],
    ),
    (
        Kind::Document,
        &[
            "css", "csv", "djvu", "doc", "docm", "docx", "epub", "htm", "html", "js", "key", "log",
            "md", "mobi", "numbers", "odp", "ods", "odt", "pages", "pdf", "php", "ppt", "pptx",
            "ps", "rtf", "tex", "txt", "xls", "xlsx", "xml",
        ],
    ),
    (
        Kind::Archive,
        &[
            "7z", "bz2", "dmg", "gz", "iso", "lzma", "rar", "tar", "tgz", "xz", "zip", "zst",
        ],
    ),
    (
        Kind::System,
        &[
            "apk",
            "bat",
            "cfg",
            "cmd",
            "conf",
            "db",
            "dll",
            "exe",
            "ini",
            "jar",
            "lnk",
            "lock",
            "lrcat",
            "lrprev",
            "lrtemplate",
            "msi",
            "picasaoriginals",
            "plist",
            "pyc",
            "sh",
            "sqlite",
            "sqlite3",
            "torrent",
            "url",
        ],
    ),
];

/// Pictures that are known by the beginning of their content.
const BEGINNINGS: [(&[u8], &str); 13] = [
    (b"8BPS", "a Photoshop file"),
    (b"II\xbc\x01", "a JPEG XR picture"),
    (b"gimp xcf", "a GIMP file"),
    (b"#?RADIANCE", "a Radiance HDR picture"),
    (b"#?RGBE", "a Radiance HDR picture"),
    (b"\x76\x2f\x31\x01", "an OpenEXR picture"),
    (b"DDS ", "a DirectDraw surface"),
    (b"BPG\xfb", "a BPG picture"),
    (b"FLIF", "a FLIF picture"),
    (b"qoif", "a QOI picture"),
    (b"icns", "an icon"),
    (b"PDN3", "a Paint.NET file"),
    (b"Paint Shop Pro Image File", "a Paint Shop Pro file"),
];

/// Pictures whose content says too little to know them by: by their endings.
const BY_ENDING: [(&[&str], &str); 9] = [
    (&["ico", "cur"], "an icon"),
    (&["pcx", "dcx"], "a PCX picture"),
    (&["tga", "icb", "vda"], "a Targa picture"),
    (
        &["pbm", "pgm", "ppm", "pnm", "pam", "pfm"],
        "a Netpbm picture",
    ),
    (&["pct", "pict"], "a PICT picture"),
    (&["iff", "lbm", "ilbm"], "an ILBM picture"),
    (&["fpx", "pcd"], "a picture of Kodak's"),
    (
        &["afphoto", "clip", "cpt", "kra", "mdp", "ora", "sai"],
        "a file of a paint program",
    ),
    (
        &OTHER_RAWS,
        "a camera raw of a kind that is not known, or without a preview",
    ),
];

/// The kind of file by its name alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Ought to be a picture.
    Picture,
    /// Is none, but of this kind.
    NoPicture(Kind),
    /// Could be anything.
    Unknown,
}

/// The kind of file by the ending of `path`.
pub(super) fn ending(path: &Path) -> Ending {
    let ending = letters_of_ending(path);
    if PICTURES.contains(&ending.as_str()) || RAWS.contains(&ending.as_str()) {
        return Ending::Picture;
    }
    by_ending(&ending).map_or(Ending::Unknown, Ending::NoPicture)
}

/// The ending of `path` in small letters, without its dot.
fn letters_of_ending(path: &Path) -> String {
    let ending = path.extension().unwrap_or_default();
    ending.to_string_lossy().to_ascii_lowercase()
}

/// The kind of file by its ending, in small letters; `None` where it takes a look to know.
fn by_ending(ending: &str) -> Option<Kind> {
    let of = |(kind, endings): &(Kind, &[&str])| endings.contains(&ending).then_some(*kind);
    ENDINGS.iter().find_map(of)
}

/// The picture that nobody here decodes, with an article: `a Photoshop file`. By `head`, else by the ending of `path`.
pub(super) fn undecoded(head: &[u8], path: &Path) -> Option<&'static str> {
    let ending = letters_of_ending(path);
    let begins = BEGINNINGS.iter().find(|(begin, _)| head.starts_with(begin));
    if let Some((_, name)) = begins {
        return Some(name);
    }
    let by_ending = BY_ENDING
        .iter()
        .find(|(endings, _)| endings.contains(&ending.as_str()));
    by_ending.map(|(_, name)| *name)
}

/// How many files there are of each kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kinds(BTreeMap<Kind, u64>);

impl Kinds {
    /// Counts `n` more files of `kind`.
    pub(super) fn add(&mut self, kind: Kind, n: u64) {
        if n > 0 {
            *self.0.entry(kind).or_default() += n;
        }
    }

    /// Counts all that `other` counts as well.
    pub(super) fn add_all(&mut self, other: &Self) {
        for (kind, n) in &other.0 {
            self.add(*kind, *n);
        }
    }

    /// How many files there are.
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// Nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In words, each number written by `number`: `61 videos, 12 sidecars, 1 other file`.
    pub fn sentence(&self, number: impl Fn(u64) -> String) -> String {
        let mut sentence = String::new();
        for (kind, n) in &self.0 {
            let [_, one, several] = kind.words();
            let separator = if sentence.is_empty() { "" } else { ", " };
            let noun = if *n == 1 { one } else { several };
            // Writing to a String can't fail.
            let _ = write!(sentence, "{separator}{} {noun}", number(*n));
        }
        sentence
    }
}

impl serde::Serialize for Kinds {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(kind, n)| (kind.words()[0], n)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_name_kinds() {
        for (ending, kind) in [
            ("mp4", Some(Kind::Video)),
            ("flac", Some(Kind::Sound)),
            ("xmp", Some(Kind::Sidecar)),
            ("svg", Some(Kind::Drawing)),
            ("pdf", Some(Kind::Document)),
            ("zip", Some(Kind::Archive)),
            ("ini", Some(Kind::System)),
            ("psd", None),
            ("jpg", None),
            ("", None),
        ] {
            assert_eq!(by_ending(ending), kind, "{ending}");
        }
        let mut all: Vec<&str> = ENDINGS
            .iter()
            .flat_map(|(_, endings)| endings.iter().copied())
            .collect();
        all.extend(
            BY_ENDING
                .iter()
                .flat_map(|(endings, _)| endings.iter().copied()),
        );
        let n = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), n, "each ending stands once");
    }

    #[test]
    fn pictures_that_nobody_decodes_have_names() {
        for (head, ending, name) in [
            (&b"8BPS\0\x01"[..], "psd", "Photoshop"),
            (b"8BPS\0\x02", "dat", "Photoshop"),
            (b"\0\0\x01\0", "ico", "icon"),
            (b"\n\x05\x01", "pcx", "PCX"),
            (b"FOVb", "x3f", "camera raw"),
        ] {
            let found = undecoded(head, &Path::new("scan").with_extension(ending));
            assert!(found.is_some_and(|found| found.contains(name)), "{name}");
        }
        assert_eq!(undecoded(b"some words", Path::new("a.what")), None);
        assert_eq!(undecoded(b"", Path::new("a")), None);
    }

    #[test]
    fn counts_are_told_in_words_and_to_programs() {
        let mut kinds = Kinds::default();
        kinds.add(Kind::Unknown, 1);
        kinds.add(Kind::Video, 61);
        kinds.add(Kind::Sound, 0);
        let mut twice = kinds.clone();
        twice.add_all(&kinds);
        assert_eq!(kinds.sentence(|n| n.to_string()), "61 videos, 1 other file");
        assert_eq!(
            twice.sentence(|n| n.to_string()),
            "122 videos, 2 other files"
        );
        assert_eq!(
            (twice.total(), Kinds::default().sentence(|n| n.to_string())),
            (124, String::new())
        );
        assert_eq!(
            serde_json::to_string(&kinds).unwrap(),
            r#"{"videos":61,"others":1}"#
        );
    }
}
