//! The doors to the library's inside for benchmarks and fuzzers.

use super::{
    DateSource, Facts, Library, Taken, Version, exif,
    index::{Change, Outcome, Record},
    iptc,
    metadata::Metadata,
    xmp,
};
use crate::{blocking::Blocking, render, size::Size};

impl Library {
    /// For benchmarks: `n` rows that look like twenty-five years of photos, without files.
    pub(crate) fn fill(&self, blocking: Blocking, n: u64) {
        let Some(root) = self.roots.first() else {
            return;
        };
        let record = |i: u64| {
            let mixed = i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
            let local_seconds = 946_684_800 + i64::try_from(mixed % 788_918_400).unwrap_or(0);
            let source = DateSource::Metadata;
            let mut keywords = Vec::new();
            if i.is_multiple_of(7) {
                keywords.push("sea".to_owned());
            }
            if i.is_multiple_of(1009) {
                keywords.push("rare".to_owned());
            }
            let facts = Facts {
                size: Some(Size::new(4000, 3000)),
                taken: Some(Taken {
                    local_seconds,
                    source,
                }),
                camera: Some("Canon EOS 5D".into()),
                rating: i.is_multiple_of(50).then_some(5),
                keywords,
                caption: i
                    .is_multiple_of(3)
                    .then(|| format!("A holiday with the family, day {}", i % 21)),
                place: i.is_multiple_of(2).then(|| {
                    let towns = ["Lisbon", "Porto", "Oslo", "Rome", "Lyon"];
                    format!("{} {}, Region, PT", towns[(i % 5) as usize], i % 400)
                }),
                ..Facts::default()
            };
            let folder = root.join(format!("album {}", i / 100));
            Change::Seen(Box::new(Record {
                path: folder.join(format!("IMG_{i:07}.jpg")),
                version: Version::default(),
                outcome: Outcome::Photo(Box::new(facts)),
            }))
        };
        for first in (0..n).step_by(2000) {
            let batch: Vec<Change> = (first..n.min(first + 2000)).map(record).collect();
            self.apply(blocking, &batch, true, false);
        }
        self.state().scanned_once = true;
    }
}

/// For fuzzing: reads metadata as a scan does, and counts the characters of its texts.
pub(crate) fn metadata_chars(bytes: &[u8]) -> usize {
    let kind = render::probe(bytes).map_or(render::Kind::Raw, |probe| probe.kind);
    let mut file = std::io::Cursor::new(bytes);
    let parts = render::Parts::of(kind, &mut file).unwrap_or_default();
    let tags = parts.tags(&mut file, &exif::WANTED).unwrap_or_default();
    let metadata = Metadata {
        xmp: xmp::find(bytes).unwrap_or_default(),
        iptc: iptc::read(bytes),
        ..exif::read(&tags)
    };
    let facts = metadata.facts(&String::from_utf8_lossy(bytes), 0, 0);
    let texts = [facts.camera, facts.caption, facts.place]
        .into_iter()
        .flatten();
    texts
        .chain(facts.keywords)
        .map(|text| text.chars().count())
        .sum()
}
