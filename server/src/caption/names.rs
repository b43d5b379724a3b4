//! Countries and large cities in the language that is asked for.

use crate::{countries, rendition::Language};

/// The name of the country with this code.
pub(super) fn country(code: &str, language: Language) -> Option<&'static str> {
    let english = countries::by_country(code)?;
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
    countries::in_language(key, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_country_has_a_name_in_every_language() {
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
