use std::{collections::BTreeSet, path::Path};

use super::*;

/// The files of a folder of the sources with one of these endings.
fn sources(folder: &str, ending: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = std::fs::read_dir(folder).unwrap();
    let paths = files.map(|file| file.unwrap().path());
    let wanted = paths.filter(|path| path.extension().is_some_and(|it| it == ending));
    let texts = wanted.map(|path| std::fs::read_to_string(path).unwrap());
    texts.collect::<Vec<_>>().join("\n")
}

/// What stands between `before` and `after`, where no letter stands in front.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Vec<&'a str> {
    let starts = text.match_indices(before).filter(|(at, _)| {
        let in_front = text[..*at].chars().next_back();
        !in_front.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$')
    });
    starts
        .filter_map(|(at, _)| Some(text[at + before.len()..].split_once(after)?.0))
        .collect()
}

/// All English that the pages say by `t('…')`, `{{…}}`, and `say("…")`.
fn said() -> BTreeSet<String> {
    let scripts = sources("pages", "js") + &sources("../viewer/around", "js");
    let pages = sources("pages", "html");
    let rust = sources("src/endpoints/state", "rs");
    let all = between(&scripts, "t('", "'")
        .into_iter()
        .chain(between(&pages, "{{", "}}"))
        .chain(between(&rust, "say(\"", "\""))
        .chain(between(&rust, "words.with(\"", "\""));
    let all: BTreeSet<String> = all.map(str::to_owned).collect();
    assert!(all.len() > 150, "{}", all.len());
    all
}

#[test]
fn every_language_has_all_words_and_no_others() {
    let said = said();
    for (words, (tag, text)) in ALL.iter().zip(FILES) {
        let own: BTreeMap<String, String> =
            serde_json::from_str(text).unwrap_or_else(|error| panic!("{tag}: {error}"));
        let unknown: Vec<&String> = own.keys().filter(|key| !said.contains(*key)).collect();
        assert!(unknown.is_empty(), "{tag} has words for {unknown:?}");
        for key in ["lang", "dir"] {
            assert!(own.contains_key(key), "{tag} says no {key}");
        }
        if tag != "sv" {
            let missing: Vec<&String> = said.iter().filter(|key| !own.contains_key(*key)).collect();
            assert!(missing.is_empty(), "{tag} lacks {missing:?}");
            assert_eq!(words.say("lang"), tag, "its scripts are named by it");
        }
        for (english, own) in &own {
            let n = |text: &str| text.matches('#').count();
            assert_eq!(n(english), n(own), "{tag}: {english}");
            assert!(
                !own.trim().is_empty() && own.trim() == own,
                "{tag}: {english}"
            );
            // They stand in pages as they are.
            assert!(!own.contains(['<', '>', '&', '"']), "{tag}: {own}");
        }
    }
}

#[test]
fn the_browser_says_which_language() {
    for (accepted, language) in [
        ("", "en"),
        ("de", "de"),
        ("DE-at", "de"),
        ("de-CH,de;q=0.9,en;q=0.8", "de"),
        ("en-GB,en;q=0.9,de;q=0.8", "en"),
        ("tlh, fr;q=0.5, pl;q=0.7", "pl"),
        ("fr;q=0, it;q=0.1", "it"),
        ("ja;q=x, nl", "nl"),
        ("*", "en"),
        ("zh-TW", "zh"),
        (",;q=,-", "en"),
    ] {
        assert_eq!(best(accepted).language, language, "{accepted}");
    }
}

#[test]
fn scripts_of_words_are_there_for_whatever_a_device_speaks() {
    for (name, language) in [
        ("words-de.js", Some("de")),
        ("words-en.js", Some("en")),
        ("words-fi.js", Some("en")),
        ("words-nds.js", Some("en")),
        ("words-.js", None),
        ("words-DE.js", None),
        ("words-d1.js", None),
        ("words-deutsch.js", None),
        ("words-de", None),
        ("word-de.js", None),
    ] {
        assert_eq!(named(name).map(|words| words.language), language, "{name}");
    }
}

#[test]
fn pages_are_filled_in_and_nothing_of_the_braces_stays() {
    let german = by_subtag("de").unwrap();
    let page = "<html lang=\"{{lang}}\" dir=\"{{dir}}\"><p>{{Settings}}, {{nobody said this}}";
    assert_eq!(
        german.fill(page),
        "<html lang=\"de\" dir=\"ltr\"><p>Einstellungen, nobody said this"
    );
    let english = "<html lang=\"en\" dir=\"ltr\"><p>Settings, nobody said this";
    assert_eq!(super::english().fill(page), english);
    let pages = sources("pages", "html");
    for words in ALL.iter().chain([super::english()]) {
        let filled = words.fill(&pages);
        assert!(!filled.contains("{{") && !filled.contains("}}"));
    }
}
