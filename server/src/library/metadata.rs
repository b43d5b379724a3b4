//! A photo's metadata, put together: which of what EXIF, XMP, IPTC, sidecars and its name tell counts.
//!
//! Pure. Whatever is missing, malformed or beyond belief counts as not said.

use chrono::{DateTime, NaiveDateTime};

use super::{
    dates::Told,
    dates_in_names,
    facts::{Facts, Position},
    letters,
    takeout::Takeout,
    words::{self, Origin},
    xmp,
};

/// Longer texts are cut: nobody reads a novel under a picture.
const MAX_TEXT_CHARS: usize = 400;
/// More keywords than anybody gives to one photo.
const MAX_KEYWORDS: usize = 64;

/// All that is told of one photo, as found.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Metadata {
    pub(super) original: Option<NaiveDateTime>,
    pub(super) digitized: Option<NaiveDateTime>,
    /// Of the last change: by a scanner, or a program.
    pub(super) modified: Option<NaiveDateTime>,
    /// By the satellites' clock, which is UTC: a date where nothing better is known.
    pub(super) gps_taken: Option<NaiveDateTime>,
    pub(super) camera: Option<String>,
    pub(super) position: Option<Position>,
    pub(super) description: Option<String>,
    pub(super) rating: Option<u8>,
    /// The words that Windows' Explorer keeps: title, comment and keywords.
    pub(super) title: Option<String>,
    pub(super) comment: Option<String>,
    pub(super) keywords: Vec<String>,
    /// XMP in the file.
    pub(super) xmp: xmp::Xmp,
    pub(super) iptc: xmp::Xmp,
    /// XMP beside the file.
    pub(super) sidecar: xmp::Xmp,
    pub(super) takeout: Takeout,
}

/// Zero on both axes is what receivers write that had no fix; the spot itself is open sea.
pub(super) fn position(latitude: f64, longitude: f64) -> Option<Position> {
    let on_earth = latitude.abs() <= 90.0 && longitude.abs() <= 180.0;
    let is_fix = latitude != 0.0 || longitude != 0.0;
    (on_earth && is_fix).then_some(Position {
        latitude,
        longitude,
    })
}

/// `Canon` and `Canon EOS 5D` are one camera, `Apple` and `iPhone 7` need both words.
pub(super) fn camera(make: Option<String>, model: Option<String>) -> Option<String> {
    let (make, model) = match (make, model) {
        (make, None) => return make,
        (None, model) => return model,
        (Some(make), Some(model)) => (make, model),
    };
    let brand = make.split_whitespace().next().unwrap_or("").to_lowercase();
    Some(if model.to_lowercase().starts_with(&brand) {
        model
    } else {
        format!("{make} {model}")
    })
}

/// 0 means unrated and -1 rejected, which is a judgement but no star.
pub(super) fn stars(value: i64) -> Option<u8> {
    u8::try_from(value)
        .ok()
        .filter(|stars| (1..=5).contains(stars))
}

/// One line without control characters, bounded; `None` when nothing is left.
pub(super) fn sentence(text: &str) -> Option<String> {
    let honest: String = text
        .chars()
        .filter(|c| !mantel_shared::is_deceptive(*c))
        .collect();
    let visible = honest
        .split(|c: char| c.is_control())
        .flat_map(str::split_whitespace);
    let mut line = String::new();
    let mut n_chars = 0;
    for word in visible {
        n_chars += word.chars().count() + 1;
        if n_chars > MAX_TEXT_CHARS {
            line.push('…');
            break;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    (!line.is_empty()).then(|| letters::shown(&line).into_owned())
}

impl Metadata {
    /// Facts, with the name of the file and its time of change where the metadata says nothing. The first that says
    /// something is believed: what stands beside the file was written later than what stands in it.
    pub(super) fn facts(self, stem: &str, modified_millis: i64, now_millis: i64) -> Facts {
        let named = dates_in_names::date(stem)
            .or_else(|| dates_in_names::unix_millis(stem).and_then(local));
        let told = Told {
            sidecar: self.sidecar.taken,
            original: self.original,
            digitized: self.digitized,
            packet: self.xmp.taken,
            iptc: self.iptc.taken,
            gps: self.gps_taken,
            takeout: self.takeout.taken_millis.and_then(local),
            modified: self.modified,
            name: named,
            file: local(modified_millis),
        };
        let position = (self.sidecar.position)
            .or(self.position)
            .or(self.xmp.position)
            .or(self.takeout.position);
        let said = self.sidecar.or(self.xmp).or(self.iptc);
        let mut keywords: Vec<String> = Vec::new();
        let all = if said.keywords.is_empty() {
            self.keywords
        } else {
            said.keywords
        };
        for keyword in all.into_iter().filter_map(|word| sentence(&word)) {
            if keywords.len() < MAX_KEYWORDS && !keywords.contains(&keyword) {
                keywords.push(keyword);
            }
        }
        let origin = Origin {
            device: self.camera.as_deref(),
            stem,
        };
        let captions = [
            said.description,
            self.takeout.description,
            self.description,
            self.comment,
            self.title,
            said.title,
        ];
        let mut captions = captions.into_iter().flatten();
        let caption = captions.find_map(|text| {
            let text = sentence(&text)?;
            (!words::is_machines(&text, origin)).then_some(text)
        });
        Facts {
            taken: local(now_millis).and_then(|now| told.taken(now)),
            position,
            place: said.place.name(),
            rating: match said.rating {
                Some(rating) => rating.stars(),
                None => self.rating,
            },
            keywords,
            caption,
            camera: self.camera,
            ..Facts::default()
        }
    }
}

fn local(millis: i64) -> Option<NaiveDateTime> {
    DateTime::from_timestamp_millis(millis)
        .map(|moment| moment.with_timezone(&chrono::Local).naive_local())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cameras_are_named_once() {
        let named = |make: &str, model: &str| camera(sentence(make), sentence(model));
        assert_eq!(
            named("Canon", "Canon EOS 500D").as_deref(),
            Some("Canon EOS 500D")
        );
        assert_eq!(
            named("NIKON CORPORATION", "NIKON D750").as_deref(),
            Some("NIKON D750")
        );
        assert_eq!(
            named("Apple", "iPhone 7").as_deref(),
            Some("Apple iPhone 7")
        );
        assert_eq!(named("", "  "), None);
    }

    #[test]
    fn words_of_machines_are_no_captions_and_texts_are_bounded() {
        assert_eq!(sentence(" a \n\t b\0c "), Some("a b c".into()));
        assert_eq!(sentence("\0 \r\n"), None);
        let long = sentence(&"word ".repeat(10_000)).unwrap();
        assert!(long.chars().count() <= MAX_TEXT_CHARS + 1 && long.ends_with('…'));
    }

    #[test]
    fn positions_without_a_fix_are_none() {
        assert_eq!(position(0.0, 0.0), None);
        assert_eq!(position(91.0, 0.0), None);
        assert_eq!(position(f64::NAN, 1.0), None);
    }
}
