//! Text as strangers wrote it, made fit to be drawn: one line, of bounded length, without what only confuses.

/// Characters that are drawn at most; two lines hold fewer.
const MAX_CHARS: usize = 320;
/// Characters that are looked at for them.
const MAX_LOOKED_AT: usize = 4096;
/// Marks above or below one letter. Vietnamese needs two, pointed Hebrew and Arabic three.
const MAX_MARKS: usize = 3;

/// `text` on one line: whatever separates words is one space, control characters and overrides of the direction are
/// gone, and letters carry no more marks than any language has.
pub(super) fn clean(text: &str) -> String {
    let mut out = String::new();
    let (mut n_chars, mut n_marks) = (0, 0);
    for c in text.chars().take(MAX_LOOKED_AT) {
        if n_chars >= MAX_CHARS {
            break;
        }
        if c.is_whitespace() || c == '\u{2028}' || c == '\u{2029}' {
            if !out.is_empty() && !out.ends_with(' ') {
                out.push(' ');
                n_chars += 1;
            }
            continue;
        }
        if c.is_control() || is_confusing(c) {
            continue;
        }
        if is_mark(c) {
            n_marks += 1;
            if n_marks > MAX_MARKS {
                continue;
            }
        } else {
            n_marks = 0;
        }
        out.push(c);
        n_chars += 1;
    }
    out.truncate(out.trim_end().len());
    out
}

/// Whether a letter deceives, is for private use, or never stands in a text.
fn is_confusing(c: char) -> bool {
    mantel_shared::is_deceptive(c)
        || matches!(c, '\u{feff}' | '\u{fff0}'..='\u{fffb}'
        | '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}')
}

/// Combining marks, by block: those that can be piled up.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5c7}' | '\u{610}'..='\u{61a}'
        | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{6d6}'..='\u{6ed}' | '\u{e31}' | '\u{e34}'..='\u{e3a}'
        | '\u{e47}'..='\u{e4e}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
        | '\u{302a}'..='\u{302f}' | '\u{fe00}'..='\u{fe0f}' | '\u{fe20}'..='\u{fe2f}'
        | '\u{e0100}'..='\u{e01ef}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caption_is_one_clean_line() {
        assert_eq!(clean("  Oma\r\n\tund\u{2028}Opa  "), "Oma und Opa");
        assert_eq!(clean("a\u{202e}b\0c\u{1b}[31m"), "abc[31m");
        assert_eq!(clean(" \n "), "");
        // Families, flags and Vietnamese stay as they are.
        for text in ["👨‍👩‍👧 🇩🇪", "Việt Nam ế", "שָׁלוֹם"] {
            assert_eq!(clean(text), text);
        }
    }

    #[test]
    fn what_is_endless_ends() {
        let zalgo = format!("a{}b", "\u{301}".repeat(50_000));
        assert_eq!(clean(&zalgo), "a\u{301}\u{301}\u{301}");
        assert_eq!(clean(&"\u{301}".repeat(50_000)).chars().count(), MAX_MARKS);
        assert_eq!(clean(&"ab ".repeat(100_000)).chars().count(), MAX_CHARS);
    }
}
