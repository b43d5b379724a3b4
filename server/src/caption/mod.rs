//! Captions: the words that are written about a photo. Pure; drawing them is `render`'s.

mod names;
mod template;

use std::path::PathBuf;

pub use template::Template;

use crate::{
    countries,
    library::Facts,
    render::words::Caption,
    rendition::{Captions, Language},
};

/// The words that `captions` asks for, as far as they are known: the photo's own text, and below
/// it date, place and album.
pub fn words(captions: Captions, facts: &Facts) -> Caption {
    let wanted =
        |wanted: bool, text: Option<String>| text.filter(|text| wanted && !text.is_empty());
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let details: Vec<String> = [
        wanted(captions.date, date(facts)),
        wanted(captions.place, place(facts, captions.language)),
        wanted(captions.album, owned(album(facts))),
    ]
    .into_iter()
    .flatten()
    .collect();
    Caption {
        text: wanted(captions.text, owned(text(facts))).unwrap_or_default(),
        details: details.join("  ·  "),
    }
}

/// The reason why drawn pictures are shown and no photos, in the words that pages have for it: of
/// `n_photos` in the folders none was chosen, or there is none.
pub fn why_drawn(folders: &[PathBuf], n_photos: u64) -> String {
    if n_photos > 0 {
        return "No photo fits what the server was told to show".into();
    }
    if folders.is_empty() {
        return "No folder of photos was given".into();
    }
    let names: Vec<_> = folders.iter().map(|path| path.to_string_lossy()).collect();
    format!("No photos in {} yet", names.join(", "))
}

/// The words of a live channel to which no picture has come yet.
pub fn waiting(channel: &str) -> Caption {
    Caption {
        text: format!("{channel}: no picture yet"),
        details: "The first one is shown as soon as it comes".into(),
    }
}

/// The words of a live channel from which nothing has come for too long, since that time of day.
pub fn silent(channel: &str, since: &str) -> Caption {
    Caption {
        text: format!("{channel}: no new picture since {since}"),
        details: "The next one is shown as soon as it comes".into(),
    }
}

/// The words over a live channel's last picture, when no newer one has come for a while: from when it is.
pub fn aged(since: &str) -> Caption {
    Caption {
        text: String::new(),
        details: format!("from {since}, no newer picture yet"),
    }
}

/// The words of a live channel whose source is away, since that time of day, for this reason.
pub fn lost(channel: &str, since: &str, why: &str) -> Caption {
    Caption {
        text: format!("{channel}: no picture since {since}"),
        details: why.to_owned(),
    }
}

/// The photo's own text, as somebody wrote it; a file's name, with which some programs fill the
/// field, is left out.
pub fn text(facts: &Facts) -> Option<&str> {
    facts.caption.as_deref().filter(|text| !is_file_name(text))
}

/// Countries whose regions people name along with a place.
const BY_REGION: [&str; 3] = ["AU", "CA", "US"];

/// The place at which a photo was taken, by the country's name: `Kyoto, Japan`. A place that ends
/// in a country's code comes from GeoNames, or from a program that wrote no name; its region is
/// left out where it says little (`Florence, Italy`), and stays where people say it
/// (`Moab, Utah, United States`). Countries and large cities are named in the language asked for.
pub fn place(facts: &Facts, language: Language) -> Option<String> {
    let place = facts.place.as_deref()?;
    let (rest, code) = place.rsplit_once(", ").unwrap_or(("", place));
    let Some(country) = names::country(code, language) else {
        return Some(place.to_owned());
    };
    let (near, region) = rest.split_once(", ").unwrap_or((rest, ""));
    let town = names::town(near, code, language);
    let near = if BY_REGION.contains(&code) && !region.is_empty() {
        format!("{town}, {region}")
    } else {
        town.to_owned()
    };
    // A city state (`Singapore, Singapore`) is named once.
    let is_a_city = near == country || countries::by_country(code) == Some(&near);
    Some(if near.is_empty() || is_a_city {
        country.to_owned()
    } else {
        format!("{near}, {country}")
    })
}

/// The album that a photo is in. Folders that a camera or a sorting program made are no albums:
/// the one above counts.
pub fn album(facts: &Facts) -> Option<&str> {
    let mut album = facts.album.as_deref()?;
    loop {
        let (above, last) = album.rsplit_once('/').unwrap_or(("", album));
        if !is_technical(last) {
            return Some(album);
        }
        album = Some(above).filter(|above| !above.is_empty())?;
    }
}

/// Suffixes of picture files, by which some people also name folders.
const FORMATS: [&str; 26] = [
    "jpg", "jpeg", "jpe", "png", "heic", "heif", "avif", "jxl", "jp2", "j2k", "webp", "gif", "tif",
    "tiff", "bmp", "raw", "dng", "cr2", "cr3", "nef", "arw", "orf", "rw2", "raf", "mp4", "mov",
];

fn is_format(text: &str) -> bool {
    FORMATS
        .iter()
        .any(|format| text.eq_ignore_ascii_case(format))
}

/// Whether cameras and phones name files like this: `IMG_0001`, `DSC01234.JPG`,
/// `PXL_20210704_123000123`, `anything.jpeg`.
fn is_file_name(text: &str) -> bool {
    let text = text.trim();
    let (stem, suffix) = text.rsplit_once('.').unwrap_or((text, ""));
    if text.contains(' ') || text.is_empty() {
        return false;
    }
    if is_format(suffix) {
        return true;
    }
    // A short mark in capitals, then figures alone: DSC, IMG, DSCN, P, GOPR, _MG, MVIMG.
    let mark = stem.trim_start_matches('_');
    let figures = mark.trim_start_matches(|c: char| c.is_ascii_uppercase());
    let n_marks = mark.len() - figures.len();
    let n_figures = figures.chars().filter(char::is_ascii_digit).count();
    let rest = |c: char| c.is_ascii_digit() || matches!(c, '_' | '-' | '.' | '~' | '(' | ')');
    suffix.is_empty() && (1..=6).contains(&n_marks) && n_figures >= 4 && figures.chars().all(rest)
}

/// Whether a camera or a sorting program names folders like this: `jpg`, `DCIM`, `100CANON`.
fn is_technical(name: &str) -> bool {
    let is_camera = |name: &str| {
        let (number, maker) = name.split_at_checked(3).unwrap_or(("", ""));
        number.bytes().all(|byte| byte.is_ascii_digit())
            && maker.len() == 5
            && maker
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || matches!(byte, b'_' | b'0'..=b'9'))
    };
    is_format(name) || name.eq_ignore_ascii_case("dcim") || is_camera(name)
}

/// The day on which a photo was taken, in words: `Sunday, 4 July 2021`.
fn date(facts: &Facts) -> Option<String> {
    let moment = facts.taken?.of_photo()?;
    Some(moment.format("%A, %-d %B %Y").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::{DateSource, Taken};

    fn facts() -> Facts {
        Facts {
            taken: Some(Taken {
                local_seconds: 1_625_401_800,
                source: DateSource::Metadata,
            }),
            place: Some("Moab, Utah, US".into()),
            album: Some("Holidays".into()),
            caption: Some("Grandma jumps".into()),
            ..Facts::default()
        }
    }

    fn wish(text: &str) -> Captions {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_asked_for_is_written_and_nothing_else() {
        let all = words(wish("all"), &facts());
        assert_eq!(all.text, "Grandma jumps");
        assert_eq!(
            all.details,
            "Sunday, 4 July 2021  ·  Moab, Utah, United States  ·  Holidays"
        );
        let two = words(wish("date,album"), &facts());
        assert_eq!(
            (two.text.as_str(), two.details.as_str()),
            ("", "Sunday, 4 July 2021  ·  Holidays")
        );
        assert!(words(wish("off"), &facts()).is_empty());
        assert!(words(wish("all"), &Facts::default()).is_empty());
    }

    #[test]
    fn drawn_pictures_say_why() {
        let folders = ["/photos", "/more"].map(PathBuf::from);
        for (folders, n_photos, expected) in [
            (&folders[..0], 0, "No folder of photos was given"),
            (&folders[..1], 0, "No photos in /photos yet"),
            (&folders[..], 0, "No photos in /photos, /more yet"),
            (
                &folders[..],
                9,
                "No photo fits what the server was told to show",
            ),
        ] {
            assert_eq!(why_drawn(folders, n_photos), expected);
        }
    }

    #[test]
    fn places_have_their_countrys_name() {
        for (known, told) in [
            ("Kyoto, JP", "Kyoto, Japan"),
            ("Florence, Tuscany, IT", "Florence, Italy"),
            ("Cairo, Muhafazat al Qahirah, EG", "Cairo, Egypt"),
            ("Moab, Utah, US", "Moab, Utah, United States"),
            ("Singapore, SG", "Singapore"),
            ("Pristina, XK", "Pristina, Kosovo"),
            ("IT", "Italy"),
            // A name that somebody wrote in full stays as it is.
            ("Florence, Tuscany, Italia", "Florence, Tuscany, Italia"),
            ("Moab, Utah, USA", "Moab, Utah, USA"),
            ("At home", "At home"),
            ("Rome, ZZ", "Rome, ZZ"),
        ] {
            let facts = Facts {
                place: Some(known.into()),
                ..Facts::default()
            };
            assert_eq!(place(&facts, Language::En).as_deref(), Some(told));
        }
        assert_eq!(place(&Facts::default(), Language::En), None);
    }

    #[test]
    fn countries_and_large_cities_are_named_in_the_language_asked_for() {
        for (known, language, told) in [
            ("Kyoto, JP", Language::De, "Kyoto, Japan"),
            ("Kyoto, JP", Language::Fr, "Kyoto, Japon"),
            ("Florence, Tuscany, IT", Language::De, "Florence, Italien"),
            ("Rome, Latium, IT", Language::De, "Rom, Italien"),
            ("Moab, Utah, US", Language::Es, "Moab, Utah, Estados Unidos"),
            ("Singapore, SG", Language::Ja, "シンガポール"),
            ("IT", Language::Zh, "意大利"),
            ("At home", Language::De, "At home"),
        ] {
            let facts = Facts {
                place: Some(known.into()),
                ..Facts::default()
            };
            assert_eq!(place(&facts, language).as_deref(), Some(told), "{language}");
        }
        let german = words(wish("place,de"), &facts());
        assert_eq!(german.details, "Moab, Utah, Vereinigte Staaten");
    }

    #[test]
    fn names_of_files_and_formats_are_no_words() {
        for (caption, wanted) in [
            ("IMG_0001", None),
            ("DSC01234.JPG", None),
            ("_MG_1234", None),
            ("PXL_20210704_123000123", None),
            ("P1000123", None),
            ("holiday.jpeg", None),
            ("Anna", Some("Anna")),
            ("2021", Some("2021")),
            ("ABBA", Some("ABBA")),
            ("Rome 2019", Some("Rome 2019")),
            ("Mr. Smith", Some("Mr. Smith")),
            ("祖母", Some("祖母")),
        ] {
            let facts = Facts {
                caption: Some(caption.into()),
                ..Facts::default()
            };
            assert_eq!(text(&facts), wanted, "{caption}");
            assert_eq!(
                words(wish("text"), &facts).text,
                wanted.unwrap_or(""),
                "{caption}"
            );
        }
        for (album, wanted) in [
            ("jpg", None),
            ("AVIF", None),
            ("DCIM/100CANON", None),
            ("Rome/RAW", Some("Rome")),
            ("Rome/101_PANA/jpg", Some("Rome")),
            ("100 days", Some("100 days")),
            ("Holidays", Some("Holidays")),
        ] {
            let facts = Facts {
                album: Some(album.into()),
                ..Facts::default()
            };
            assert_eq!(super::album(&facts), wanted, "{album}");
        }
    }

    #[test]
    fn the_files_own_date_serves_where_the_library_has_none() {
        let date = |facts: &Facts| words(wish("date"), facts).details;
        assert_eq!(date(&Facts::default()), "");
        let mut modified = facts();
        modified.taken = modified.taken.map(|taken| Taken {
            source: DateSource::Modified,
            ..taken
        });
        assert_eq!(date(&modified), "");
    }
}
