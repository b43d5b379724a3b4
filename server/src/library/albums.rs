//! The names that people write for albums: a folder's name, its path, with `*` and `?`, or several with commas between.
//!
//! Pure: names in, yes or no out. Letters are compared by their keys (`letters`).

use super::letters;

/// The folders of `all` (path below their root) that `wish` names, with those below them, by their place in `all`. A
/// folder that is called just so goes before wildcards and commas, because folders may have those in their names.
pub(super) fn named(wish: &str, all: &[String]) -> Vec<usize> {
    let keys: Vec<String> = all.iter().map(|path| letters::key(path)).collect();
    let wish = letters::key(wish.trim().trim_matches('/'));
    let exact = of(&keys, |path| has(path, &wish));
    if !exact.is_empty() {
        return exact;
    }
    let parts: Vec<&str> = wish
        .split(',')
        .map(|part| part.trim().trim_matches('/'))
        .filter(|part| !part.is_empty())
        .collect();
    of(&keys, |path| {
        parts.iter().any(|part| has(path, part) || fits(path, part))
    })
}

fn of(all: &[String], is_meant: impl Fn(&str) -> bool) -> Vec<usize> {
    let all = all.iter().enumerate();
    all.filter(|(_, path)| is_meant(path))
        .map(|(i, _)| i)
        .collect()
}

/// Whether `path` has `name` as its end, its beginning or a whole part.
fn has(path: &str, name: &str) -> bool {
    format!("/{path}/").contains(&format!("/{name}/"))
}

/// Whether `path` fits a name with `*` and `?`, which stand for what is between two slashes. `Holidays/*` is all
/// that is in `Holidays`, in folders of its own or not.
fn fits(path: &str, pattern: &str) -> bool {
    if !pattern.contains(['*', '?']) {
        return false;
    }
    let mut pattern: Vec<&str> = pattern.split('/').collect();
    while pattern.len() > 1 && matches!(pattern.last(), Some(&("*" | "**"))) {
        pattern.pop();
    }
    let path: Vec<&str> = path.split('/').collect();
    path.windows(pattern.len()).any(|run| {
        let mut pairs = run.iter().zip(&pattern);
        pairs.all(|(part, pattern)| part_fits(part, pattern))
    })
}

/// One part of a path. Each `*` is tried as short as it can be and grows only when the rest does not fit, so that the
/// work is the product of both lengths at most.
fn part_fits(part: &str, pattern: &str) -> bool {
    let (part, pattern): (Vec<char>, Vec<char>) =
        (part.chars().collect(), pattern.chars().collect());
    let (mut at, mut of) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while at < part.len() {
        match pattern.get(of) {
            Some('*') => {
                star = Some((of, at));
                of += 1;
            }
            Some(c) if *c == '?' || *c == part[at] => {
                at += 1;
                of += 1;
            }
            _ => match star {
                Some((star_at, taken)) => {
                    star = Some((star_at, taken + 1));
                    (at, of) = (taken + 1, star_at + 1);
                }
                None => return false,
            },
        }
    }
    pattern[of..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(wish: &str) -> Vec<&'static str> {
        const ALL: [&str; 8] = [
            "",
            "Holidays",
            "Holidays/2021 Rome",
            "Holidays/2022 Oslo/Day 1",
            "Smith, Anna",
            "Anna",
            "Was?",
            "Archive/Holidays/Old",
        ];
        let all: Vec<String> = ALL.iter().map(|path| (*path).to_owned()).collect();
        let places = named(wish, &all);
        places.into_iter().map(|i| ALL[i]).collect()
    }

    #[test]
    fn wildcards_stand_for_parts_of_names() {
        let holidays = [
            "Holidays",
            "Holidays/2021 Rome",
            "Holidays/2022 Oslo/Day 1",
            "Archive/Holidays/Old",
        ];
        for wish in ["Holidays", "holidays/*", "/HOLIDAYS/**/", "Hol*"] {
            assert_eq!(found(wish), holidays, "{wish}");
        }
        assert_eq!(found("Holidays/202?*"), holidays[1..3]);
        assert_eq!(found("*oslo"), ["Holidays/2022 Oslo/Day 1"]);
        assert_eq!(found("Holidays/*/Day ?"), ["Holidays/2022 Oslo/Day 1"]);
        assert_eq!(found("*").len(), 8);
        assert!(found("Holi?").is_empty() && found("Holidays/x*").is_empty());
    }

    #[test]
    fn a_comma_means_either_unless_a_folder_is_called_so() {
        assert_eq!(found("Smith, Anna"), ["Smith, Anna"]);
        assert_eq!(found("Anna, Was?"), ["Anna", "Was?"]);
        assert_eq!(found("anna,*rome"), ["Holidays/2021 Rome", "Anna"]);
        assert_eq!(found("Anna,Nowhere"), ["Anna"]);
        assert!(found(",").is_empty());
    }

    #[test]
    fn a_mean_pattern_ends() {
        let pattern = "*a".repeat(100);
        assert!(!part_fits(&"a".repeat(99), &pattern));
        assert!(part_fits(&"a".repeat(100), &pattern));
    }
}
