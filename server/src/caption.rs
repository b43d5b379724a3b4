//! What is written about a photo, in words. Pure; how it is drawn is `render`'s.

use crate::{library::Facts, render::overlay::Caption, rendition::Captions};

/// The words that `captions` asks for, as far as they are known: what somebody wrote, and below it
/// date, place and album.
pub fn words(captions: Captions, facts: &Facts) -> Caption {
    let wanted =
        |wanted: bool, text: Option<String>| text.filter(|text| wanted && !text.is_empty());
    let details: Vec<String> = [
        wanted(captions.date, date(facts)),
        wanted(captions.place, facts.place.clone()),
        wanted(captions.album, facts.album.clone()),
    ]
    .into_iter()
    .flatten()
    .collect();
    Caption {
        text: wanted(captions.text, facts.caption.clone()).unwrap_or_default(),
        details: details.join("  ·  "),
    }
}

/// `Sunday, 4 July 2021`.
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
            "Sunday, 4 July 2021  ·  Moab, Utah, US  ·  Holidays"
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
