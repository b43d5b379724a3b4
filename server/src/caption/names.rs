//! Countries and large cities in other languages than English, from `server/assets/names`.

use std::sync::LazyLock;

use super::countries;
use crate::rendition::Language;

/// A line is a country's code, or one with a city's English name behind a slash; then the names in the order of [`Language::ALL`]
/// without English. In the order of their first columns.
const NAMES: &str = include_str!("../../assets/names/names.tsv");

static LINES: LazyLock<Vec<&str>> = LazyLock::new(|| NAMES.lines().collect());

/// The name of the country with this code.
pub(super) fn country(code: &str, language: Language) -> Option<&'static str> {
    let english = countries::name(code)?;
    Some(named(code, language).unwrap_or(english))
}

/// The name of a town in the country with this code.
pub(super) fn town<'a>(name: &'a str, code: &str, language: Language) -> &'a str {
    if language == Language::En {
        return name;
    }
    named(&format!("{code}/{name}"), language).unwrap_or(name)
}

fn named(key: &str, language: Language) -> Option<&'static str> {
    let column = Language::ALL.iter().position(|one| *one == language)?;
    if column == 0 {
        return None;
    }
    let first = |line: &str| line.split('\t').next().unwrap_or_default().to_owned();
    let at = LINES.binary_search_by(|line| first(line).as_str().cmp(key));
    let name = LINES.get(at.ok()?)?.split('\t').nth(column)?;
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_country_has_a_name_in_every_language_and_the_list_is_in_order() {
        for (code, english) in countries::NAMES {
            for language in Language::ALL {
                let name = country(code, language).unwrap();
                assert!(
                    !name.trim().is_empty() && !name.contains(['\t', ',']),
                    "{code} {name}"
                );
                // These have letters of their own.
                if matches!(language, Language::Ja | Language::Zh) {
                    assert!(
                        !name.is_ascii(),
                        "{code}: {english} is {name} in {language}"
                    );
                }
            }
        }
        let keys: Vec<&str> = LINES
            .iter()
            .map(|line| line.split('\t').next().unwrap())
            .collect();
        assert!(keys.is_sorted_by(|a, b| a < b));
        for line in LINES.iter() {
            assert_eq!(line.split('\t').count(), Language::ALL.len(), "{line}");
        }
        assert_eq!(country("ZZ", Language::De), None);
    }

    #[test]
    fn a_town_is_meant_in_its_own_country_alone() {
        assert_eq!(town("Rome", "IT", Language::De), "Rom");
        assert_eq!(town("Rome", "US", Language::De), "Rome");
        assert_eq!(town("Rome", "IT", Language::En), "Rome");
        assert_eq!(town("New York City", "US", Language::Es), "Nueva York");
        assert_eq!(town("Vienna", "AT", Language::Ja), "ウィーン");
        assert_eq!(town("", "AT", Language::De), "");
    }
}
