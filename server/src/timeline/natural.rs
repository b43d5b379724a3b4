//! File names in the order in which people count.

/// Compares names as people count, `IMG_9` before `IMG_10`: runs of digits as numbers, the rest as
/// text, and ties by the whole text.
pub(super) fn natural(a: &str, b: &str) -> std::cmp::Ordering {
    let (mut x, mut y) = (a, b);
    loop {
        let (run_x, rest_x) = split_run(x);
        let (run_y, rest_y) = split_run(y);
        if run_x.is_empty() || run_y.is_empty() {
            return run_x.len().cmp(&run_y.len()).then_with(|| a.cmp(b));
        }
        let digits = |run: &str| run.starts_with(|c: char| c.is_ascii_digit());
        let ordering = if digits(run_x) && digits(run_y) {
            let (n, m) = (run_x.trim_start_matches('0'), run_y.trim_start_matches('0'));
            n.len().cmp(&m.len()).then_with(|| n.cmp(m))
        } else {
            run_x.cmp(run_y)
        };
        if ordering.is_ne() {
            return ordering;
        }
        (x, y) = (rest_x, rest_y);
    }
}

fn split_run(text: &str) -> (&str, &str) {
    let digits = text.starts_with(|c: char| c.is_ascii_digit());
    let end = text
        .find(|c: char| c.is_ascii_digit() != digits)
        .unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn natural_order_is_total(a in "[a0-9]{0,6}", b in "[a0-9]{0,6}", c in "[a0-9]{0,6}") {
            prop_assert_eq!(natural(&a, &b), natural(&b, &a).reverse());
            if natural(&a, &b).is_le() && natural(&b, &c).is_le() {
                prop_assert!(natural(&a, &c).is_le());
            }
        }
    }
}
