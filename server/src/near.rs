//! Names near to a mistyped one, for errors that ask "did you mean …?".
//!
//! Pure: knows words, not what they name.

/// The words of `known` that `word` may be a slip of, nearest first; at most three.
pub(crate) fn near<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let word = word.to_lowercase();
    let mut found: Vec<(f64, &str)> = known
        .into_iter()
        .map(|one| {
            let lower = one.to_lowercase();
            let last = lower.rsplit('/').next().unwrap_or(&lower);
            let starts = word.chars().count() >= 3 && last.starts_with(&word);
            let alike = strsim::jaro_winkler(&word, &lower).max(strsim::jaro_winkler(&word, last));
            (if starts { 1.0 } else { alike }, one)
        })
        .filter(|(alike, _)| *alike > 0.85)
        .collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    found.into_iter().take(3).map(|(_, one)| one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found() {
        let known = ["scan", "list", "token", "password"];
        assert_eq!(near("scna", known), ["scan"]);
        assert_eq!(near("lsit", known), ["list"]);
        assert_eq!(near("passwort", known), ["password"]);
        assert!(near("pictures", known).is_empty());
        let albums = ["2021/Italy/Rome", "2021/Italy", "Wedding"];
        assert_eq!(near("rom", albums), ["2021/Italy/Rome"]);
        assert_eq!(near("Weding", albums), ["Wedding"]);
        assert!(near("Nowhere", albums).is_empty());
    }
}
