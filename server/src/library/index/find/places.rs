//! The places of the photos that are searched, by their names in all languages.
//!
//! A word is looked for anywhere in the name that a place has in the index. There are many more other names, and short words
//! are somewhere in most of them: those are found by how their words begin. Chinese and Japanese part no words.

use std::collections::HashMap;

use unicode_normalization::char::is_combining_mark;

use super::super::super::letters;
use crate::countries::Also;

/// Places, each once, numbered as they came.
#[derive(Debug, Default)]
pub(super) struct Places {
    numbers: HashMap<String, u32>,
    /// The key of each.
    keys: Vec<String>,
    /// The keys of all that each is called besides, a line each.
    others: Vec<String>,
}

/// The number of no place.
pub(super) const NOWHERE: u32 = u32::MAX;
/// Letters from here on are those of scripts in which nothing parts words.
const FIRST_IDEOGRAPH: char = '\u{2e80}';

impl Places {
    /// The number of a place, also of one that has not come before.
    pub(super) fn number(&mut self, place: &str) -> u32 {
        if let Some(number) = self.numbers.get(place) {
            return *number;
        }
        let number = u32::try_from(self.keys.len()).unwrap_or(NOWHERE);
        self.keys.push(letters::key(place));
        self.numbers.insert(place.to_owned(), number);
        number
    }

    /// Looks up what the places are called that have come since the last time.
    pub(super) fn look_up(&mut self) {
        let n_known = self.others.len();
        if n_known == self.keys.len() {
            return;
        }
        let also = Also::unpacked();
        // Most places are in few countries, whose names are the most work.
        let mut known: HashMap<&str, String> = HashMap::new();
        self.others.resize(self.keys.len(), String::new());
        for (place, number) in &self.numbers {
            let number = *number as usize;
            if number < n_known {
                continue;
            }
            for name in also.of(place) {
                let key = known.entry(name).or_insert_with(|| letters::key(name));
                self.others[number].push_str(key);
                self.others[number].push('\n');
            }
        }
    }

    /// For each place whether the word is in a name of it.
    pub(super) fn with(&self, word: &str) -> Vec<bool> {
        let parts_words = word.starts_with(|c| c < FIRST_IDEOGRAPH);
        let begins = |names: &str| {
            let mut found = names.match_indices(word);
            found.any(|(at, _)| !parts_words || !names[..at].ends_with(is_of_a_word))
        };
        let all = self.keys.iter().zip(&self.others);
        all.map(|(key, others)| key.contains(word) || begins(others))
            .collect()
    }
}

/// Whether `c` is a letter of a key, or a mark on one.
fn is_of_a_word(c: char) -> bool {
    c.is_alphanumeric() || is_combining_mark(c)
}
