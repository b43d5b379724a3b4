//! One shot in two files of one name, a raw and a JPEG or a HEIC and a JPEG, as cameras and phones write them: which of them
//! takes the turn.
//!
//! Pure: names, versions and facts are arguments.

use std::{
    collections::HashMap,
    ffi::{OsStr, OsString},
    path::Path,
};

use super::{DateSource, Facts, Version, clips, kinds, letters};
use crate::render::Kind;

/// The clocks of both files may be so many seconds apart: one may have the moment of the shot, the other that of its writing.
const SECONDS_APART: u64 = 2;

/// The kinds that twins are of, the one that is shown first: a JPEG is what the camera made of the shot, and the quickest; a
/// raw is shown by its preview.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Jpeg,
    Heif,
    Raw,
    /// The moving half of a Live Photo.
    Clip,
}

/// The files of a folder that take the turns of others, by the key of what both are called.
#[derive(Debug, Default)]
pub(super) struct Twins(HashMap<String, (OsString, Version)>);

impl Twins {
    /// The twins among the files of a folder that may be shown. `has_sidecar` says of a file that it has one of its own: whoever
    /// wrote it, gave stars or keywords to that file and not to its twin, so that it is the one to show.
    pub(super) fn among<'a>(
        files: impl Iterator<Item = (&'a OsStr, Version)> + Clone,
        has_sidecar: impl Fn(&OsStr) -> bool,
    ) -> Self {
        let classes = || {
            files
                .clone()
                .filter_map(|(name, version)| Some((name, version, class(name)?)))
        };
        // Most folders hold JPEGs alone, and are done with here.
        let losers = classes().filter(|(.., class)| *class != Class::Jpeg);
        let mut shots: HashMap<String, Vec<(&OsStr, Version, Class)>> =
            losers.map(|(name, ..)| (key(name), Vec::new())).collect();
        if shots.is_empty() {
            return Self::default();
        }
        for file in classes() {
            if let Some(shot) = shots.get_mut(&key(file.0)) {
                shot.push(file);
            }
        }
        let winners = shots.into_iter().filter_map(|(key, files)| {
            let first = files.iter().min_by_key(|(name, _, class)| {
                let is_clip = *class == Class::Clip;
                (is_clip, !has_sidecar(name), *class, *name)
            })?;
            let has_twins = files.iter().any(|(.., class)| *class != first.2);
            has_twins.then(|| (key, (first.0.to_owned(), first.1)))
        });
        Self(winners.collect())
    }

    /// The file that takes the turn of `name`, if there is one.
    pub(super) fn of(&self, name: &OsStr) -> Option<&(OsString, Version)> {
        if self.0.is_empty() {
            return None;
        }
        let own = class(name)?;
        let winner = self.0.get(&key(name))?;
        (class(&winner.0) != Some(own)).then_some(winner)
    }
}

/// Whether two files of one name are of one shot: not when their dates say otherwise, since counters begin again, and
/// several cameras may fill one folder.
pub(super) fn are_one_shot(one: &Facts, other: &Facts) -> bool {
    let date = |facts: &Facts| {
        let taken = facts
            .taken
            .filter(|taken| taken.source == DateSource::Metadata);
        taken.map(|taken| taken.local_seconds)
    };
    match (date(one), date(other)) {
        (Some(one), Some(other)) => one.abs_diff(other) <= SECONDS_APART,
        // A clip beside a photo is its moving half only where both say so: names come again.
        _ if is_clip(one) || is_clip(other) => false,
        // Converters lose what a camera wrote, and add nothing of another's.
        _ => one.camera.is_none() || other.camera.is_none() || one.camera == other.camera,
    }
}

fn is_clip(facts: &Facts) -> bool {
    facts.kind.is_some_and(Kind::is_clip)
}

fn key(name: &OsStr) -> String {
    let stem = Path::new(name).file_stem().unwrap_or_default();
    letters::file_key(&stem.to_string_lossy())
}

fn class(name: &OsStr) -> Option<Class> {
    let ending = Path::new(name).extension()?.to_str()?;
    let is_one_of = |endings: &[&str]| endings.iter().any(|one| one.eq_ignore_ascii_case(ending));
    if is_one_of(&["jpg", "jpeg", "jpe", "jfif"]) {
        Some(Class::Jpeg)
    } else if is_one_of(&["heic", "heif", "hif"]) {
        Some(Class::Heif)
    } else if is_one_of(&kinds::RAWS) || is_one_of(&kinds::OTHER_RAWS) {
        Some(Class::Raw)
    } else if clips::may_be_one(Path::new(name)) {
        Some(Class::Clip)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::Taken;

    /// Which file takes each one's turn.
    fn winners(files: &[&str]) -> Vec<Option<String>> {
        let with_sidecars =
            |name: &OsStr| files.contains(&&*format!("{}.xmp", name.to_string_lossy()));
        let named = files
            .iter()
            .map(|name| (OsStr::new(*name), Version::default()));
        let twins = Twins::among(named, with_sidecars);
        let winner = |name: &&str| Some(twins.of(OsStr::new(*name))?.0.to_str()?.to_owned());
        files.iter().map(winner).collect()
    }

    #[test]
    fn one_of_a_name_takes_the_turn() {
        for (files, first) in [
            (&["IMG_1.JPG", "IMG_1.HEIC"][..], "IMG_1.JPG"),
            (&["IMG_1.CR3", "IMG_1.jpg"], "IMG_1.jpg"),
            (&["img_1.dng", "IMG_1.HEIC"], "IMG_1.HEIC"),
            (&["a.NEF", "a.HIF", "a.JPEG"], "a.JPEG"),
            (&["a\u{308}.NEF", "ä.jpg"], "ä.jpg"),
            (&["a.x3f", "a.jpg"], "a.jpg"),
            (&["a.cr2", "a.cr2.xmp", "a.jpg"], "a.cr2"),
            (&["a.cr2", "a.cr2.xmp", "a.jpg", "a.jpg.xmp"], "a.jpg"),
            (&["a.cr2", "a.xmp", "a.jpg"], "a.jpg"),
        ] {
            for (file, winner) in files.iter().zip(winners(files)) {
                let other = !file.ends_with(".xmp") && *file != first;
                assert_eq!(winner.as_deref(), other.then_some(first), "{file}");
            }
        }
    }

    #[test]
    fn others_have_no_twin() {
        for files in [
            &["a.jpg", "b.heic", "c.cr2"][..],
            &["a.jpg", "a.png", "a.tif", "a.avif", "a.avi"],
            &["a.jpg", "A.JPEG"],
            &["a.jpg", "a(1).heic", "a-edited.dng"],
            &["a.cr2", "a.dng"],
            &[".heic", ".jpg", "heic", "jpg"],
        ] {
            assert!(winners(files).iter().all(Option::is_none), "{files:?}");
        }
    }

    #[test]
    fn dates_and_cameras_tell_shots_of_one_name_apart() {
        let facts = |seconds: Option<i64>, source, camera: Option<&str>| Facts {
            taken: seconds.map(|local_seconds| Taken {
                local_seconds,
                source,
            }),
            camera: camera.map(str::to_owned),
            ..Facts::default()
        };
        let (metadata, file) = (DateSource::Metadata, DateSource::Modified);
        let shot = facts(Some(1000), metadata, Some("Canon"));
        for (other, is_one) in [
            (facts(Some(1000), metadata, Some("Canon")), true),
            (facts(Some(1002), metadata, Some("Canon")), true),
            (facts(Some(1003), metadata, Some("Canon")), false),
            (facts(Some(-9), file, None), true),
            (facts(None, metadata, Some("Canon")), true),
            (facts(Some(-9), file, Some("Nikon")), false),
        ] {
            assert_eq!(are_one_shot(&shot, &other), is_one, "{other:?}");
            assert_eq!(are_one_shot(&other, &shot), is_one, "{other:?}");
        }
    }
}
