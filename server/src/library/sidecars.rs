//! The files beside photos that say more about them: XMP and Google Takeout's JSON, by their names.
//!
//! Pure: names and times of one folder's files are arguments. Opens nothing.

use std::{
    collections::HashMap,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

use super::letters;

/// The sidecars of a folder, by the keys of the photos' names that they are of: shares and cameras don't agree on the case,
/// nor Macs with others on accents.
#[derive(Debug, Default)]
pub(super) struct Sidecars {
    xmp: HashMap<String, Named>,
    json: HashMap<String, Named>,
}

/// A file's name, and when it was changed, in nanoseconds.
type Named = (OsString, i64);

/// The sidecars of one photo.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Beside {
    /// The one of darktable, digiKam (`a.jpg.xmp`) or Adobe (`a.xmp`).
    pub(super) xmp: Option<PathBuf>,
    /// The one of Google Takeout.
    pub(super) json: Option<PathBuf>,
}

/// The end of the name of Takeout's JSON, since 2024; cut to what fits.
const SUPPLEMENTAL: &str = ".supplemental-metadata";
/// The characters of a name that Takeout keeps, without `.json`.
const KEPT_CHARS: usize = 46;

impl Sidecars {
    /// Those among the files of a folder, with the times of their last changes.
    pub(super) fn among<'a>(files: impl Iterator<Item = (&'a OsStr, i64)>) -> Self {
        let mut all = Self::default();
        for (name, modified) in files {
            let key = letters::file_key(&name.to_string_lossy());
            if let Some(photo) = key.strip_suffix(".xmp") {
                all.xmp
                    .insert(photo.to_owned(), (name.to_owned(), modified));
            } else if let Some(rest) = key.strip_suffix(".json") {
                all.json.insert(photo_of(rest), (name.to_owned(), modified));
            }
        }
        all
    }

    /// Whether the photo `name` has an XMP file that is of no other.
    pub(super) fn has_own(&self, name: &OsStr) -> bool {
        !self.xmp.is_empty()
            && self
                .xmp
                .contains_key(&letters::file_key(&name.to_string_lossy()))
    }

    /// The sidecars of the photo `name` in `folder`, and a time that changes when one of them does; 0 without any.
    pub(super) fn of(&self, folder: &Path, name: &OsStr) -> (Beside, i64) {
        let name = letters::file_key(&name.to_string_lossy());
        let xmp = self.xmp.get(&name).or_else(|| {
            let stem = name
                .rsplit_once('.')
                .map_or(name.as_str(), |(stem, _)| stem);
            self.xmp.get(stem)
        });
        let json = takeout_keys(&name)
            .into_iter()
            .find_map(|key| self.json.get(&key));
        let path = |found: Option<&Named>| found.map(|(name, _)| folder.join(name));
        let time = |found: Option<&Named>| found.map_or(0, |(_, modified)| *modified);
        let beside = Beside {
            xmp: path(xmp),
            json: path(json),
        };
        (beside, time(xmp).wrapping_add(time(json)))
    }
}

/// Whether a file of this name may be a sidecar of the photo `photo`.
pub(super) fn is_of(sidecar: &OsStr, photo: &OsStr) -> bool {
    let all = Sidecars::among(std::iter::once((sidecar, 0)));
    all.of(Path::new(""), photo).0 != Beside::default()
}

/// The photo that Takeout's JSON is of, by its name without `.json`: `img.jpg`, `img.jpg.supplemental-meta`,
/// `img.jpg(1)` and `img.jpg.supplemental-metadata(1)`, which are of `img(1).jpg`.
fn photo_of(json: &str) -> String {
    let (name, number) = numbered(json);
    let plain = match name.rfind('.') {
        Some(at) if SUPPLEMENTAL.starts_with(&name[at..]) => &name[..at],
        _ => name,
    };
    format!("{plain}{number}")
}

/// The number in brackets at the end, parted from what stands before it.
fn numbered(name: &str) -> (&str, &str) {
    let number = name
        .strip_suffix(')')
        .and_then(|rest| rest.rsplit_once('('));
    match number {
        Some((before, digits))
            if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            name.split_at(before.len())
        }
        _ => (name, ""),
    }
}

/// The names under which a photo's JSON is looked for, in the order of trust.
fn takeout_keys(photo: &str) -> Vec<String> {
    let Some((stem, ending)) = photo.rsplit_once('.') else {
        return Vec::new();
    };
    let (plain, number) = numbered(stem);
    let mut keys = vec![format!("{plain}.{ending}{number}")];
    // Google's editor keeps one JSON for the photo and what was made of it.
    if let Some(original) = plain.strip_suffix("-edited") {
        keys.push(format!("{original}.{ending}{number}"));
    }
    let cut = |name: &str| name.chars().take(KEPT_CHARS).collect::<String>();
    keys.push(cut(photo));
    // Where the photo's name just fits, nothing or little is left of its ending.
    keys.push(stem.to_owned());
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[&str], photo: &str) -> (Option<String>, Option<String>) {
        let files = files.iter().map(|name| (OsStr::new(*name), 1));
        let (beside, _) = Sidecars::among(files).of(Path::new("/f"), OsStr::new(photo));
        let name = |path: Option<PathBuf>| {
            path.map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        };
        (name(beside.xmp), name(beside.json))
    }

    #[test]
    fn xmp_is_found_in_either_form_and_any_case() {
        for (file, photo) in [
            ("a.jpg.xmp", "a.jpg"),
            ("a.xmp", "a.jpg"),
            ("a.xmp", "A.JPG"),
            ("A.XMP", "a.jpg"),
            ("A.jpg.XMP", "A.JPG"),
            ("ÄPFEL.xmp", "äpfel.cr2"),
            ("A\u{308}PFEL.xmp", "äpfel.cr2"),
            ("äpfel.cr2.xmp", "A\u{308}PFEL.CR2"),
            ("οδος.xmp", "ΟΔΟΣ.JPG"),
        ] {
            assert_eq!(found(&[file], photo).0.as_deref(), Some(file), "{photo}");
        }
        assert_eq!(
            found(&["a.xmp", "a.jpg.xmp"], "a.jpg").0.as_deref(),
            Some("a.jpg.xmp")
        );
        assert_eq!(found(&["b.xmp"], "a.jpg").0, None);
    }

    #[test]
    fn takeouts_json_is_found_under_all_its_names() {
        for (file, photo) in [
            ("IMG_1.jpg.json", "IMG_1.jpg"),
            ("IMG_1.json", "IMG_1.jpg"),
            ("IMG_1.jpg.supplemental-metadata.json", "IMG_1.jpg"),
            ("IMG_1.jpg.supplemental-me.json", "IMG_1.jpg"),
            ("IMG_1.jpg.s.json", "IMG_1.jpg"),
            ("IMG_1.jpg(2).json", "IMG_1(2).jpg"),
            ("IMG_1.jpg.supplemental-metadata(2).json", "IMG_1(2).jpg"),
            ("IMG_1.jpg.json", "IMG_1-edited.jpg"),
            (
                "a-name-so-long-that-no-program-keeps-all-of-it.json",
                "a-name-so-long-that-no-program-keeps-all-of-it-but-the-photo.jpg",
            ),
        ] {
            assert_eq!(found(&[file], photo).1.as_deref(), Some(file), "{photo}");
        }
        assert_eq!(found(&["IMG_1.jpg.json"], "IMG_1(2).jpg").1, None);
        assert_eq!(found(&["metadata.json"], "IMG_1.jpg").1, None);
    }

    #[test]
    fn a_change_of_any_sidecar_is_one_of_the_photo() {
        let time = |files: &[(&str, i64)]| {
            let files = files.iter().map(|(name, time)| (OsStr::new(*name), *time));
            Sidecars::among(files)
                .of(Path::new(""), OsStr::new("a.jpg"))
                .1
        };
        let all = [("a.xmp", 7), ("a.jpg.json", 9)];
        assert_eq!(time(&[]), 0);
        assert_ne!(time(&all), time(&[("a.xmp", 8), ("a.jpg.json", 9)]));
        assert_ne!(time(&all), time(&[("a.xmp", 7), ("a.jpg.json", 10)]));
        assert_ne!(time(&all), time(&all[..1]));
    }
}
