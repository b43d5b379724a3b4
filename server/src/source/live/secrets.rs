//! Secrets in what a program says, passwords and addresses that hold them: hidden. Pure.

/// The word in a secret's place.
const HIDDEN: &str = "***";

/// Texts that are hidden wherever they turn up.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets(Vec<String>);

impl Secrets {
    /// These texts; of two that overlap the longer one is hidden.
    pub fn new(texts: impl IntoIterator<Item = String>) -> Self {
        let mut texts: Vec<String> = texts.into_iter().filter(|text| !text.is_empty()).collect();
        texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
        texts.dedup();
        Self(texts)
    }

    /// The text without them, and without user and password of any address in it.
    pub fn hide(&self, text: &str) -> String {
        let known = self.0.iter();
        let text = known.fold(text.to_owned(), |text, secret| text.replace(secret, HIDDEN));
        without_users(&text)
    }
}

/// Leaves out who logs in at an address: what stands between `://` and the last `@` before the path.
fn without_users(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, behind) = rest.split_at(at + 3);
        out.push_str(before);
        let end = behind.find(|c: char| c.is_whitespace() || "/?#'\"".contains(c));
        let authority = &behind[..end.unwrap_or(behind.len())];
        rest = match authority.rfind('@') {
            Some(at) => {
                out.push_str(HIDDEN);
                &behind[at..]
            }
            None => behind,
        };
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_wherever_they_stand() {
        let secrets = Secrets::new(["geheim".into(), String::new(), "geheim/live".into()]);
        for (said, told) in [
            ("nothing to hide", "nothing to hide"),
            ("pass=geheim&x", "pass=***&x"),
            ("/geheim/live failed", "/*** failed"),
            (
                "can't open 'rtsp://joe:other@10.0.0.7/a@b': refused",
                "can't open 'rtsp://***@10.0.0.7/a@b': refused",
            ),
            ("tcp://10.0.0.7:554?x=a@b", "tcp://10.0.0.7:554?x=a@b"),
            ("http://a@b http://c:d@e", "http://***@b http://***@e"),
            ("http://", "http://"),
        ] {
            assert_eq!(secrets.hide(said), told);
        }
    }
}
