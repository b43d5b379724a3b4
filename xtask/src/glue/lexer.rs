//! JavaScript cut into tokens, as far as it takes to tell syntax from the contents of strings, comments
//! and regular expressions. It judges nothing, and accepts what no engine would.

use std::iter::Peekable;
use std::str::CharIndices;

/// One token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// Before the first one.
    Start,
    /// A name or keyword.
    Word(&'a str),
    /// `#name`.
    PrivateName,
    Number(&'a str),
    String,
    /// One stretch of a template string; what is between `${` and `}` follows as tokens of its own.
    Template,
    /// With its slashes and flags.
    Regex(&'a str),
    Sign(&'a str),
}

/// The signs of more than one character that matter, longest first.
const SIGNS: [&str; 13] = [
    "??=", "&&=", "||=", "**=", "...", "===", "!==", "=>", "?.", "??", "**", "==", "!=",
];

/// An iterator over a script's tokens with their lines, counted from 1.
pub(super) struct Lexer<'a> {
    text: &'a str,
    rest: Peekable<CharIndices<'a>>,
    line: usize,
    before: Token<'a>,
    /// For each template string that is open at a `${`: how many braces are open inside of it.
    templates: Vec<usize>,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            rest: text.char_indices().peekable(),
            line: 1,
            before: Token::Start,
            templates: Vec::new(),
        }
    }

    /// The tokens as they stand in the script, with their lines, and whether something stands before
    /// them.
    pub(super) fn texts(mut self) -> impl Iterator<Item = (usize, bool, &'a str)> {
        std::iter::from_fn(move || {
            let before = self.at();
            self.skip_blanks_and_comments();
            let start = self.at();
            let (line, _) = self.next()?;
            let end = self.at();
            Some((line, start > before, &self.text[start..end]))
        })
    }

    fn at(&mut self) -> usize {
        self.rest.peek().map_or(self.text.len(), |(at, _)| *at)
    }

    fn step(&mut self) -> Option<char> {
        let (_, next) = self.rest.next()?;
        if next == '\n' {
            self.line += 1;
        }
        Some(next)
    }

    fn skip(&mut self, n_bytes: usize) {
        let end = self.at() + n_bytes;
        while self.at() < end && self.step().is_some() {}
    }

    fn left(&mut self) -> &'a str {
        let at = self.at();
        &self.text[at..]
    }

    fn skip_blanks_and_comments(&mut self) {
        loop {
            let left = self.left();
            if left.starts_with("//") {
                self.skip(left.find('\n').unwrap_or(left.len()));
            } else if let Some(comment) = left.strip_prefix("/*") {
                self.skip(comment.find("*/").map_or(left.len(), |end| end + 4));
            } else if left.starts_with(char::is_whitespace) {
                self.step();
            } else {
                return;
            }
        }
    }

    fn take(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let start = self.at();
        while self.rest.peek().is_some_and(|(_, next)| belongs(*next)) {
            self.step();
        }
        let end = self.at();
        &self.text[start..end]
    }

    fn string(&mut self, quote: char) {
        self.step();
        while let Some(next) = self.step() {
            match next {
                '\\' => drop(self.step()),
                _ if next == quote => return,
                _ => {}
            }
        }
    }

    /// Reads on in a template string, to its end or to its next `${`.
    fn template(&mut self) {
        while let Some(next) = self.step() {
            match next {
                '\\' => drop(self.step()),
                '`' => return,
                '$' if self.left().starts_with('{') => {
                    self.step();
                    self.templates.push(0);
                    return;
                }
                _ => {}
            }
        }
    }

    fn regex(&mut self) -> &'a str {
        let start = self.at();
        self.step();
        let mut in_class = false;
        while let Some(next) = self.step() {
            match next {
                '\\' => drop(self.step()),
                '[' => in_class = true,
                ']' => in_class = false,
                '/' if !in_class => break,
                '\n' => break,
                _ => {}
            }
        }
        self.take(is_word);
        let end = self.at();
        &self.text[start..end]
    }

    /// Whether a slash divides, or begins a regular expression: after a value it divides. After `)` too,
    /// which is wrong for `if (x) /y/.test(z)`; nobody writes that.
    fn slash_divides(&self) -> bool {
        match self.before {
            Token::Word(word) => !matches!(
                word,
                "return"
                    | "typeof"
                    | "case"
                    | "in"
                    | "of"
                    | "do"
                    | "else"
                    | "void"
                    | "delete"
                    | "throw"
            ),
            Token::Number(_)
            | Token::String
            | Token::Regex(_)
            | Token::PrivateName
            | Token::Template => true,
            Token::Sign(sign) => matches!(sign, ")" | "]" | "}"),
            Token::Start => false,
        }
    }

    fn token(&mut self) -> Option<Token<'a>> {
        self.skip_blanks_and_comments();
        let left = self.left();
        let next = left.chars().next()?;
        Some(match next {
            '"' | '\'' => {
                self.string(next);
                Token::String
            }
            '`' => {
                self.step();
                self.template();
                Token::Template
            }
            '0'..='9' => self.number(),
            '.' if left[1..].starts_with(|next: char| next.is_ascii_digit()) => self.number(),
            '#' => {
                self.step();
                self.take(is_word);
                Token::PrivateName
            }
            _ if is_word(next) => Token::Word(self.take(is_word)),
            '/' if !self.slash_divides() => Token::Regex(self.regex()),
            '{' => {
                if let Some(n_open) = self.templates.last_mut() {
                    *n_open += 1;
                }
                self.sign(1)
            }
            '}' => match self.templates.last_mut() {
                Some(0) => {
                    self.templates.pop();
                    self.step();
                    self.template();
                    Token::Template
                }
                Some(n_open) => {
                    *n_open -= 1;
                    self.sign(1)
                }
                None => self.sign(1),
            },
            _ => {
                // `a?.5:b` is a condition and a number.
                let condition = left.starts_with("?.")
                    && left[2..].starts_with(|next: char| next.is_ascii_digit());
                let long = SIGNS
                    .iter()
                    .find(|sign| left.starts_with(**sign) && !condition);
                self.sign(long.map_or(next.len_utf8(), |sign| sign.len()))
            }
        })
    }

    /// Digits with all that may stick to them: prefix, point, exponent, suffix.
    fn number(&mut self) -> Token<'a> {
        let start = self.at();
        loop {
            let digits = self.take(|next| is_word(next) || next == '.');
            let signed = digits.ends_with(['e', 'E'])
                && !digits.starts_with("0x")
                && self.left().starts_with(['+', '-']);
            if !signed {
                break;
            }
            self.step();
        }
        let end = self.at();
        Token::Number(&self.text[start..end])
    }

    fn sign(&mut self, n_bytes: usize) -> Token<'a> {
        let start = self.at();
        self.skip(n_bytes);
        Token::Sign(&self.text[start..start + n_bytes])
    }
}

impl<'a> Iterator for Lexer<'a> {
    type Item = (usize, Token<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        self.skip_blanks_and_comments();
        let line = self.line;
        let token = self.token()?;
        self.before = token;
        Some((line, token))
    }
}

fn is_word(next: char) -> bool {
    next.is_alphanumeric() || next == '_' || next == '$'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signs_and_words(script: &str) -> Vec<&str> {
        Lexer::new(script)
            .filter_map(|(_, token)| match token {
                Token::Word(text) | Token::Sign(text) => Some(text),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn contents_of_strings_comments_and_patterns_are_no_tokens() {
        assert_eq!(
            signs_and_words(r#"a = "?? \" await" + '}' // ?. import"#),
            ["a", "=", "+"]
        );
        assert_eq!(signs_and_words("a /* ?? \n */ b"), ["a", "b"]);
        assert_eq!(
            signs_and_words(r"x = /[/?]\/}?.b/g.exec(y)"),
            ["x", "=", ".", "exec", "(", "y", ")"]
        );
        assert_eq!(signs_and_words("a / b / c"), ["a", "/", "b", "/", "c"]);
        assert_eq!(signs_and_words("(a) / b"), ["(", "a", ")", "/", "b"]);
    }

    #[test]
    fn templates_nest() {
        assert_eq!(
            signs_and_words("`a ?? ${b + `${c}` + {d: 1}} ?.` ; e"),
            ["b", "+", "c", "+", "{", "d", ":", "}", ";", "e"]
        );
        assert_eq!(signs_and_words(r"`\${a} \` b` c"), ["c"]);
    }

    #[test]
    fn numbers_are_whole() {
        let numbers: Vec<_> = Lexer::new("0x1f 1.5e-3 .5 10n 1_000 a?.5:b")
            .filter_map(|(_, token)| match token {
                Token::Number(digits) => Some(digits),
                _ => None,
            })
            .collect();
        assert_eq!(numbers, ["0x1f", "1.5e-3", ".5", "10n", "1_000", ".5"]);
    }

    #[test]
    fn lines_are_counted_everywhere() {
        let script = "a\n/*\n\n*/ b `\n` c";
        let lines: Vec<_> = Lexer::new(script).map(|(line, _)| line).collect();
        assert_eq!(lines, [1, 4, 4, 5]);
    }

    #[test]
    fn every_prefix_ends() {
        let script = "let ä = `x${a ? /[/]/g : {b: '\\''}}` /* c */ ?? 0x1fn; #d // e";
        for (cut, _) in script.char_indices() {
            assert!(Lexer::new(&script[..cut]).count() <= cut);
        }
    }
}
