//! How docs begin: their first words name the thing, because rustdoc's lists show the first line alone.

use crate::sources::{PRODUCT, below};

/// Openings that leave the noun out.
const OPENINGS: [&str; 9] = [
    "What ",
    "Who ",
    "Whose ",
    "The same",
    "As ",
    "See there",
    "Its ",
    "It ",
    "They ",
];
/// Pronouns for people of whom nothing is known but that they use the program.
const PRONOUNS: [&str; 3] = ["he", "his", "him"];

/// The options' docs are what `--help` prints below their names, which are the nouns.
const HELP: &str = "server/src/config/args.rs";

/// Whether the doc that `lines` begin with is an enum's variant's: its name begins with a capital.
fn is_variant(lines: &[&str]) -> bool {
    let code = lines.iter().map(|line| line.trim_start());
    let mut code = code.skip_while(|line| line.starts_with("//") || line.starts_with("#["));
    code.next()
        .is_some_and(|line| line.starts_with(char::is_uppercase))
}

fn is_doc(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("/// ") || line.starts_with("//! ")
}

#[test]
fn first_words_name_the_thing_and_people_are_they() {
    let mut wrong = Vec::new();
    for source in PRODUCT.into_iter().flat_map(below) {
        if source.path == HELP {
            continue;
        }
        let lines: Vec<&str> = source.product.lines().collect();
        for (i, line) in lines.iter().enumerate().filter(|(_, line)| is_doc(line)) {
            let text = line.trim_start().get(4..).unwrap_or_default();
            let is_first =
                i == 0 || !is_doc(lines[i - 1]) && !lines[i - 1].trim().starts_with("//");
            let opens_badly = |opening: &str| {
                // A variant's subject is its enum's: "It is not there any more".
                let may_lack_noun =
                    matches!(opening, "It " | "Its " | "As ") && is_variant(&lines[i..]);
                text.starts_with(opening) && !may_lack_noun
            };
            let has_pronoun = text
                .split(|c: char| !c.is_alphabetic())
                .any(|word| PRONOUNS.contains(&word));
            if has_pronoun || is_first && OPENINGS.into_iter().any(opens_badly) {
                wrong.push(format!("{}:{}: {text}", source.path, i + 1));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} docs:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
