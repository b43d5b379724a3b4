//! The letters of names, in any script: one form in which they are shown, and one by which they are told apart.
//!
//! Pure. A Mac writes `ü` as `u` and two dots, everybody else as one letter; people type either, in small letters or
//! capitals. Names of albums, keywords and files are compared by nothing but the keys made here.

use std::borrow::Cow;

use caseless::Caseless;
use unicode_normalization::{
    IsNormalized, UnicodeNormalization, char::canonical_combining_class, is_nfc_quick,
};

/// The mark that parts the Turkish `i` from the one without a dot.
const DOT_ABOVE: char = '\u{307}';

/// `text` as it is shown: composed, as most fonts and everybody who types have it.
pub(super) fn shown(text: &str) -> Cow<'_, str> {
    if is_nfc_quick(text.chars()) == IsNormalized::Yes {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfc().collect())
    }
}

/// The key that all spellings of one name share: its case, its normal form, the width of its letters and what can't be
/// seen are left out; its marks stay, so that `й` is not `и`.
///
/// It is Unicode's compatibility caseless match (The Unicode Standard, D146), without default ignorables, and with one
/// `i` for all: which language a name is in nobody knows, and in Turkish `I` is the capital of `ı`, not of `i`.
pub(super) fn key(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let folded = text
        .chars()
        .filter(|c| !is_ignorable(*c))
        .nfd()
        .default_case_fold()
        .nfkd()
        .default_case_fold()
        .nfkd();
    with_one_i(folded)
}

/// The key by which files beside one another belong together, such as a photo and its sidecar: as [`key()`], but what
/// looks different stays different, and letters are counted as they are shown.
pub(super) fn file_key(name: &str) -> String {
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    name.chars().nfd().default_case_fold().nfc().collect()
}

/// `folded` with `ı` and `i̇` as `i`.
fn with_one_i(folded: impl Iterator<Item = char>) -> String {
    let mut key = String::new();
    let mut on_an_i = false;
    for c in folded {
        if canonical_combining_class(c) == 0 {
            on_an_i = matches!(c, 'i' | 'ı');
            key.push(if on_an_i { 'i' } else { c });
        } else if !(on_an_i && c == DOT_ABOVE) {
            key.push(c);
        }
    }
    key
}

/// Whether nothing is seen of `c`, and names with and without it are the same for people: Unicode's default ignorable
/// code points, such as the joiners of Persian, soft hyphens, and the signs that choose between an emoji and a letter.
fn is_ignorable(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each line is one name, in all the forms in which people and programs write it.
    const ONE: [&[&str]; 17] = [
        // German: composed, decomposed, capitals.
        &["Zürich", "Zu\u{308}rich", "ZÜRICH", "ZU\u{308}RICH"],
        &["Äpfel", "äpfel", "a\u{308}pfel", "A\u{308}PFEL"],
        &["Straße", "STRASSE", "strasse", "STRAẞE"],
        // Turkish, with and without the dots.
        &["İstanbul", "I\u{307}stanbul", "istanbul", "ISTANBUL"],
        &["Diyarbakır", "DİYARBAKIR", "diyarbakir"],
        // Greek: the sigma at a word's end, and its accents.
        &["Οδός", "ΟΔΌΣ", "οδόσ", "οδο\u{301}ς"],
        // Cyrillic.
        &["Москва", "МОСКВА", "москва"],
        &["Йошкин", "И\u{306}ошкин", "йошкин", "ЙОШКИН"],
        // French and Vietnamese, with marks in either order.
        &["été", "ÉTÉ", "e\u{301}te\u{301}"],
        &["Việt", "vie\u{323}\u{302}t", "vie\u{302}\u{323}t", "VIỆT"],
        // Full-width and half-width.
        &["ＡＢＣ１２３", "abc123", "ａｂｃ１２３"],
        &["ガーデン", "ｶﾞｰﾃﾞﾝ", "カ\u{3099}ーテ\u{3099}ン"],
        // Korean: syllables and their letters.
        &["서울", "\u{1109}\u{1165}\u{110b}\u{116e}\u{11af}"],
        // Arabic: letters as they are written and as old programs kept them; Persian with and without its joiner.
        &["مكتبة", "\u{fee3}\u{fedc}\u{fe98}\u{fe92}\u{fe94}"],
        &["می\u{200c}خواهم", "میخواهم"],
        // Thai: one letter that is two, and marks above and below in either order.
        &["น้ำ", "น\u{e49}\u{e4d}\u{e32}"],
        &["ที่\u{e38}", "ท\u{e35}\u{e38}\u{e48}"],
    ];

    #[test]
    fn spellings_of_one_name_share_a_key() {
        for spellings in &ONE {
            for spelling in *spellings {
                assert_eq!(key(spelling), key(spellings[0]), "{spelling}");
            }
        }
    }

    #[test]
    fn different_names_have_different_keys() {
        for (one, other) in [
            ("й", "и"),
            ("Müller", "Muller"),
            ("schon", "schön"),
            ("が", "か"),
            ("강", "가"),
            ("ё", "е"),
            ("มา", "ม้า"),
            ("Rome", "Rom"),
        ] {
            assert_ne!(key(one), key(other), "{one}");
        }
        let mut keys: Vec<String> = ONE.iter().map(|spellings| key(spellings[0])).collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), ONE.len());
    }

    #[test]
    fn a_key_is_its_own_key_and_names_are_shown_composed() {
        for spelling in ONE.iter().flat_map(|spellings| spellings.iter()) {
            assert_eq!(key(&key(spelling)), key(spelling), "{spelling}");
            assert_eq!(shown(&shown(spelling)), shown(spelling), "{spelling}");
            assert_eq!(key(&shown(spelling)), key(spelling), "{spelling}");
        }
        assert_eq!(shown("Zu\u{308}rich"), "Zürich");
        assert_eq!(shown("И\u{306}ошкин"), "Йошкин");
        assert_eq!(shown("\u{1109}\u{1165}\u{110b}\u{116e}\u{11af}"), "서울");
        // What looks different stays as it was written.
        for text in ["ＡＢＣ", "Straße", "ﬁn", "x²", "plain"] {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn files_belong_together_by_what_is_seen() {
        assert_eq!(file_key("Äpfel.JPG"), file_key("a\u{308}pfel.jpg"));
        assert_eq!(file_key("ΟΔΟΣ.jpg"), file_key("οδος.JPG"));
        assert_ne!(file_key("x².jpg"), file_key("x2.jpg"));
        assert_ne!(file_key("ｘ.jpg"), file_key("x.jpg"));
    }

    proptest::proptest! {
        #[test]
        fn any_text_has_one_key_in_all_its_forms(text in "\\PC{0,12}") {
            let forms: [String; 3] = [text.nfc().collect(), text.nfd().collect(), key(&text)];
            for form in forms {
                proptest::prop_assert_eq!(key(&form), key(&text));
            }
        }
    }
}
