//! What is written about a photo, in words. Pure; how it is drawn is `render`'s.

use crate::{
    library::{DateSource, Facts},
    render::overlay::Caption,
    rendition::Captions,
};

/// The words that `captions` asks for, as far as they are known: what somebody wrote, and below it
/// date, place and album. `taken_at` is what the file itself says, local time in ISO 8601.
pub fn words(captions: Captions, facts: &Facts, taken_at: Option<&str>) -> Caption {
    let wanted =
        |wanted: bool, text: Option<String>| text.filter(|text| wanted && !text.is_empty());
    let details: Vec<String> = [
        wanted(captions.date, date(facts, taken_at)),
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

/// `Sunday, 4 July 2021`. The time at which a file was last changed is no date of a photo.
fn date(facts: &Facts, taken_at: Option<&str>) -> Option<String> {
    let known = facts
        .taken
        .filter(|taken| taken.source != DateSource::Modified)
        .and_then(|taken| chrono::DateTime::from_timestamp(taken.local_seconds, 0))
        .map(|moment| moment.date_naive());
    let of_file = || chrono::NaiveDate::parse_from_str(taken_at?.get(..10)?, "%Y-%m-%d").ok();
    let date = known.or_else(of_file)?;
    Some(date.format("%A, %-d %B %Y").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::Taken;

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
        let all = words(wish("all"), &facts(), None);
        assert_eq!(all.text, "Grandma jumps");
        assert_eq!(
            all.details,
            "Sunday, 4 July 2021  ·  Moab, Utah, US  ·  Holidays"
        );
        let two = words(wish("date,album"), &facts(), None);
        assert_eq!(
            (two.text.as_str(), two.details.as_str()),
            ("", "Sunday, 4 July 2021  ·  Holidays")
        );
        assert!(words(wish("off"), &facts(), None).is_empty());
        assert!(words(wish("all"), &Facts::default(), None).is_empty());
    }

    #[test]
    fn the_files_own_date_serves_where_the_library_has_none() {
        let date = |facts: &Facts, text| words(wish("date"), facts, text).details;
        assert_eq!(
            date(&Facts::default(), Some("2000-02-29T12:00:00")),
            "Tuesday, 29 February 2000"
        );
        assert_eq!(date(&Facts::default(), Some("2001-02-29T12:00:00")), "");
        let mut modified = facts();
        modified.taken = modified.taken.map(|taken| Taken {
            source: DateSource::Modified,
            ..taken
        });
        assert_eq!(date(&modified, None), "");
    }
}
