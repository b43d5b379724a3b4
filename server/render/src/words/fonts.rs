//! The fonts: one is bundled, with Latin, Greek and Cyrillic; the system's are looked for once, when a text has other
//! letters.

use std::sync::{Arc, Mutex, PoisonError};

use cosmic_text::{FontSystem, fontdb};

/// The bundled font's family.
pub(super) const FAMILY: &str = "Mantel Caption";

static BUNDLED_FONT: &[u8] = include_bytes!("../../../assets/fonts/caption.ttf");

/// The letters that the bundled font was reduced to, but for a few signs.
const BUNDLED: [std::ops::RangeInclusive<char>; 8] = [
    ' '..='~',
    '\u{a0}'..='\u{17f}',
    '\u{1fa}'..='\u{21b}',
    '\u{300}'..='\u{328}',
    '\u{370}'..='\u{527}',
    '\u{1ea0}'..='\u{1ef9}',
    '\u{2010}'..='\u{2027}',
    '\u{20ac}'..='\u{20ac}',
];

/// The fonts that are known so far.
struct Fonts {
    system: FontSystem,
    has_systems: bool,
}

static FONTS: Mutex<Option<Fonts>> = Mutex::new(None);

/// Calls `draw` with fonts that can show `text`, as far as this machine can. One at a time: drawing a caption takes a
/// few milliseconds, and the fonts' memory is had once.
pub(super) fn with<T>(text: &str, draw: impl FnOnce(&mut FontSystem) -> T) -> T {
    let mut fonts = FONTS.lock().unwrap_or_else(PoisonError::into_inner);
    let known = fonts.take().unwrap_or_else(|| Fonts {
        system: FontSystem::new_with_locale_and_db(locale(text).into(), bundled()),
        has_systems: false,
    });
    let known = if is_covered(text) {
        known
    } else {
        completed(known, text)
    };
    draw(&mut fonts.insert(known).system)
}

fn bundled() -> fontdb::Database {
    let mut db = fontdb::Database::new();
    db.load_font_source(fontdb::Source::Binary(Arc::new(BUNDLED_FONT)));
    db.set_sans_serif_family(FAMILY);
    db
}

/// With the system's fonts; of the Chinese characters' national forms, those of the text's language.
fn completed(known: Fonts, text: &str) -> Fonts {
    if known.has_systems && known.system.locale() == locale(text) {
        return known;
    }
    let (_, mut db) = known.system.into_locale_and_db();
    if !known.has_systems {
        db.load_system_fonts();
        tracing::debug!(n = db.len(), "looked for the system's fonts");
    }
    Fonts {
        system: FontSystem::new_with_locale_and_db(locale(text).into(), db),
        has_systems: true,
    }
}

fn is_covered(text: &str) -> bool {
    text.chars()
        .all(|c| BUNDLED.iter().any(|range| range.contains(&c)))
}

fn locale(text: &str) -> &'static str {
    let has = |range: std::ops::RangeInclusive<char>| text.chars().any(|c| range.contains(&c));
    if has('\u{3040}'..='\u{30ff}') {
        "ja"
    } else if has('\u{ac00}'..='\u{d7af}') {
        "ko"
    } else {
        "zh-CN"
    }
}
