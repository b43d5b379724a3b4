//! A photo's own metadata, put together: EXIF, XMP, IPTC, sidecars and what its name tells. EXIF is read by `render`'s
//! directories (`exif`), that of Canon's CR3 by nom-exif.
//!
//! Works on bytes in memory or on anything that can be read and searched; opens nothing. Whatever is
//! missing, malformed or beyond belief counts as not said.

use std::io::{Read, Seek};

use chrono::{DateTime, NaiveDateTime};
use nom_exif::{EntryValue, Exif, ExifTag, IfdIndex, MediaParser, MediaSource};

use super::{
    dates::Told,
    dates_in_names,
    facts::{Facts, Position},
    iptc,
    takeout::Takeout,
    words::{self, Origin},
    xmp,
};
use crate::render;

/// Longer texts are cut: nobody reads a novel under a picture.
const MAX_TEXT_CHARS: usize = 400;
/// More keywords than anybody gives to one photo.
const MAX_KEYWORDS: usize = 64;

/// The rating as EXIF has it since Windows Vista; not in any standard, in many files.
const RATING: u16 = 0x4746;
/// The words of Windows' Explorer.
const XP_TITLE: u16 = 0x9c9b;
const XP_COMMENT: u16 = 0x9c9c;
const XP_KEYWORDS: u16 = 0x9c9e;

/// EXIF and XMP of one file, as found.
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

/// Reads metadata with one reused buffer. One for each thread.
#[derive(Debug, Default)]
pub(super) struct MetadataReader {
    parser: Option<MediaParser>,
}

impl MetadataReader {
    /// From the head of a file. `None` when EXIF is announced that lies beyond it.
    pub(super) fn head(&mut self, head: &[u8]) -> Option<Metadata> {
        let mut metadata = self.with_parser(|parser| {
            let source = MediaSource::from_memory(head.to_vec())?;
            parser.parse_exif(source).map(Exif::from)
        });
        if let Some(metadata) = &mut metadata {
            metadata.xmp = xmp::find(head).unwrap_or_default();
            metadata.iptc = iptc::find(head).unwrap_or_default();
        }
        metadata
    }

    /// With what the packets in the head of a file say besides its EXIF.
    pub(super) fn packets(exif: Metadata, head: &[u8]) -> Metadata {
        Metadata {
            xmp: xmp::find(head).unwrap_or_default(),
            iptc: iptc::find(head).unwrap_or_default(),
            ..exif
        }
    }

    /// From a whole file, of which only the parts that hold metadata are read.
    pub(super) fn seek(&mut self, file: impl Read + Seek) -> Metadata {
        self.with_parser(|parser| {
            let source = MediaSource::seekable(file)?;
            parser.parse_exif(source).map(Exif::from)
        })
        .unwrap_or_default()
    }

    /// `None` when the input ended in the middle; nothing said when there is nothing to read.
    fn with_parser(
        &mut self,
        parse: impl FnOnce(&mut MediaParser) -> Result<Exif, nom_exif::Error>,
    ) -> Option<Metadata> {
        let mut parser = self.parser.take().unwrap_or_default();
        // It is fuzzed by its makers; a fence costs nothing.
        let parsed = render::fenced(move || {
            let parsed = parse(&mut parser);
            (parser, parsed)
        });
        let Ok((parser, parsed)) = parsed else {
            return Some(Metadata::default());
        };
        self.parser = Some(parser);
        match parsed {
            Ok(exif) => Some(from_exif(&exif)),
            Err(nom_exif::Error::Io(_)) => None,
            Err(_) => Some(Metadata::default()),
        }
    }
}

fn from_exif(exif: &Exif) -> Metadata {
    let text = |tag| {
        exif.get(tag)
            .and_then(EntryValue::as_str)
            .and_then(sentence)
    };
    let moment = |tag| Some(exif.get(tag)?.as_datetime()?.into_naive());
    let rating = exif
        .get_by_code(IfdIndex::MAIN, RATING)
        .and_then(EntryValue::try_as_integer);
    let explorers = |code| utf16(exif.get_by_code(IfdIndex::MAIN, code)?);
    Metadata {
        original: moment(ExifTag::DateTimeOriginal),
        digitized: moment(ExifTag::CreateDate),
        modified: moment(ExifTag::ModifyDate),
        gps_taken: gps_date(exif),
        camera: camera(text(ExifTag::Make), text(ExifTag::Model)),
        position: exif
            .gps_info()
            .and_then(|gps| position(gps.latitude_decimal()?, gps.longitude_decimal()?)),
        description: text(ExifTag::ImageDescription),
        rating: rating.and_then(stars),
        title: explorers(XP_TITLE).as_deref().and_then(sentence),
        comment: explorers(XP_COMMENT).as_deref().and_then(sentence),
        keywords: explorers(XP_KEYWORDS)
            .map(|all| all.split(';').filter_map(sentence).collect())
            .unwrap_or_default(),
        ..Metadata::default()
    }
}

/// The text of a tag of Explorer's, which is UTF-16, the lower byte first.
fn utf16(value: &EntryValue) -> Option<String> {
    let bytes = value.as_u8_slice()?;
    let units: Vec<u16> = bytes
        .chunks_exact(2)
        .map(|unit| u16::from_le_bytes([unit[0], unit[1]]))
        .collect();
    Some(String::from_utf16_lossy(&units))
}

fn gps_date(exif: &Exif) -> Option<NaiveDateTime> {
    let text = exif.get(ExifTag::GPSDateStamp)?.as_str()?;
    let date = chrono::NaiveDate::parse_from_str(text.trim(), "%Y:%m:%d").ok()?;
    let time = exif.get(ExifTag::GPSTimeStamp)?.as_urational_slice()?;
    let part = |at: usize| {
        let value = time.get(at)?.to_f64()?;
        // A cast cuts off what is below zero or no number.
        #[expect(clippy::cast_sign_loss)]
        Some(value as u32)
    };
    date.and_hms_opt(part(0)?, part(1)?, part(2)?)
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
    (!line.is_empty()).then_some(line)
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

    #[test]
    fn a_directory_of_65535_entries_and_one_in_a_circle_end() {
        for next in [0_u32, 8] {
            let mut tiff = b"II*\0\x08\0\0\0\xff\xff".to_vec();
            for i in 0..65_535_u32 {
                // Tag, LONG, one value: every fourth points back to the directory itself.
                let tag: u16 = if i % 4 == 0 { 0x8769 } else { 0x010e };
                tiff.extend(tag.to_le_bytes());
                tiff.extend([4, 0, 1, 0, 0, 0]);
                tiff.extend(8_u32.to_le_bytes());
            }
            tiff.extend(next.to_le_bytes());
            let metadata = MetadataReader::default().head(&tiff);
            assert!(metadata.is_none_or(|metadata| metadata.camera.is_none()));
        }
    }
}
