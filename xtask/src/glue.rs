//! Whether JavaScript is old enough for old TVs: one token that an engine doesn't know, and the whole
//! file fails to parse. It finds syntax, not missing functions; those only a real engine shows.

use std::fmt;

mod lexer;

use lexer::{Lexer, Token};

/// The language that every engine must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Syntax {
    /// What decides on the page whether the viewer can run: any browser since 2011.
    Es5,
    /// What wasm-bindgen writes, loaded by a plain script tag.
    Chromium67,
}

/// Syntax that is too new, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TooNew {
    /// Counted from 1.
    pub(crate) line: usize,
    pub(crate) what: &'static str,
    pub(crate) since: &'static str,
}

impl fmt::Display for TooNew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {} ({})", self.line, self.what, self.since)
    }
}

/// The script without comments, indentation and blank lines; lines stay lines, so that semicolons that
/// are not written are still where they were.
pub(crate) fn without_comments(script: &str) -> String {
    let mut out = String::with_capacity(script.len());
    let mut line_before = 0;
    for (line, is_apart, text) in Lexer::new(script).texts() {
        let is_next_line = line != line_before && !out.is_empty();
        // Two signs could become another one, and two words would become one.
        let last = out.chars().next_back().unwrap_or('\n');
        let first = text.chars().next().unwrap_or('\n');
        let is_open = matches!(last, '{' | ';' | ',' | '(');
        if is_next_line && !is_open {
            out.push('\n');
        } else if is_apart && !is_next_line && !is_joint(last) && !is_joint(first) {
            out.push(' ');
        }
        out.push_str(text);
        line_before = line + text.matches('\n').count();
    }
    out.push('\n');
    out
}

/// Whether nothing that stands beside it can change what it means.
fn is_joint(sign: char) -> bool {
    matches!(
        sign,
        '{' | '}' | '(' | ')' | '[' | ']' | ';' | ',' | ':' | '=' | '&' | '|' | '\n'
    )
}

/// What an open bracket belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bracket {
    ClassBody,
    FunctionBody,
    /// The parentheses behind `if`, `for` and the like: a block follows, no function.
    Condition,
    Other,
}

/// All places of a script that engines with only `syntax` can't parse, in the order of the text.
pub(crate) fn find_too_new(script: &str, syntax: Syntax) -> Vec<TooNew> {
    let mut found = Vec::new();
    let mut open: Vec<Bracket> = Vec::new();
    // Behind `class`: how many brackets are open where its body will begin.
    let mut class_at: Option<usize> = None;
    let mut closed = Bracket::Other;
    let mut before = Token::Start;

    let mut tokens = Lexer::new(script).peekable();
    while let Some((line, token)) = tokens.next() {
        let mut report = |what, since| found.push(TooNew { line, what, since });
        let inside = open.last().copied();
        match token {
            Token::Word(word) => {
                // After a dot or before a colon it names a property, which any word may do.
                let key = matches!(tokens.peek(), Some((_, Token::Sign(":"))));
                let name = before != Token::Sign(".") && !key;
                match word {
                    "import" | "export" if name => {
                        report("a module's `import` or `export`", "needs type=module")
                    }
                    "await" if name && !open.contains(&Bracket::FunctionBody) => {
                        report("`await` outside a function", "Chromium 89");
                    }
                    "class" if name => class_at = Some(open.len()),
                    _ => {}
                }
                if syntax == Syntax::Es5
                    && name
                    && matches!(
                        word,
                        "let" | "const" | "class" | "async" | "await" | "yield"
                    )
                {
                    report("a word of newer JavaScript", "not in ES5");
                }
            }
            Token::PrivateName => report("a private name (`#name`)", "Chromium 74"),
            Token::Number(digits) => {
                if digits.contains('_') {
                    report("a number with `_`", "Chromium 75");
                }
                if syntax == Syntax::Es5 && (digits.ends_with('n') && !digits.starts_with("0x")) {
                    report("a BigInt", "not in ES5");
                }
            }
            Token::Template => {
                if syntax == Syntax::Es5 {
                    report("a template string", "not in ES5");
                }
            }
            Token::Regex(pattern) => regex(pattern, &mut report),
            Token::Sign(sign) => {
                match sign {
                    "?." => report("`?.`", "Chromium 80"),
                    "??" => report("`??`", "Chromium 80"),
                    "??=" | "&&=" | "||=" => {
                        report("an assignment with `??=`, `&&=` or `||=`", "Chromium 85")
                    }
                    "=>" | "..." | "**" | "**=" if syntax == Syntax::Es5 => {
                        report("an operator of newer JavaScript", "not in ES5")
                    }
                    "=" | ";" if inside == Some(Bracket::ClassBody) && field_ends(sign, before) => {
                        report("a field in a class", "Chromium 72");
                    }
                    _ => {}
                }
                match sign {
                    "{" => open.push(match before {
                        _ if class_at == Some(open.len()) => {
                            class_at = None;
                            Bracket::ClassBody
                        }
                        Token::Word("static") if inside == Some(Bracket::ClassBody) => {
                            report("a static block", "Chromium 94");
                            Bracket::FunctionBody
                        }
                        Token::Sign(")") if closed == Bracket::Condition => Bracket::Other,
                        Token::Sign(")" | "=>") => Bracket::FunctionBody,
                        _ => Bracket::Other,
                    }),
                    "(" if matches!(
                        before,
                        Token::Word("if" | "for" | "while" | "switch" | "catch")
                    ) =>
                    {
                        open.push(Bracket::Condition);
                    }
                    "(" | "[" => open.push(Bracket::Other),
                    "}" | ")" | "]" => closed = open.pop().unwrap_or(Bracket::Other),
                    _ => {}
                }
            }
            Token::Start | Token::String => {}
        }
        before = token;
    }
    found
}

/// In a class body outside of brackets, `=` starts a field's value, and `;` ends a field unless it only
/// follows a method's body.
fn field_ends(sign: &str, before: Token<'_>) -> bool {
    sign == "=" || !matches!(before, Token::Sign("}" | "{" | ";"))
}

fn regex(pattern: &str, report: &mut impl FnMut(&'static str, &'static str)) {
    let flags = pattern.rsplit('/').next().unwrap_or_default();
    if flags.contains('d') {
        report("a regular expression with flag `d`", "Chromium 90");
    }
    if flags.contains('v') {
        report("a regular expression with flag `v`", "Chromium 112");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(script: &str) -> Option<&'static str> {
        find_too_new(script, Syntax::Chromium67)
            .first()
            .map(|found| found.since)
    }

    #[test]
    fn comments_and_indentation_go_and_meaning_stays() {
        for (script, wanted) in [
            (
                "a = 1; // one\n\n  b = 2 /* two */ + 3;\n",
                "a=1;b=2 + 3;\n",
            ),
            (
                "function f () {\n  return a\n}\nf()\n",
                "function f(){return a\n}\nf()\n",
            ),
            (
                "var s = 'a // b', r = /[/*]/g;\nx / y / z",
                "var s='a // b',r=/[/*]/g;x / y / z\n",
            ),
            (
                "a + +b - -c; a += b >= c && d++",
                "a + +b - -c;a +=b >=c&&d++\n",
            ),
            ("`a  ${ b /* c */ }\n  d`;\ne", "`a  ${b}\n  d`;e\n"),
            ("let a\n/* two\nlines */ b", "let a\nb\n"),
        ] {
            assert_eq!(without_comments(script), wanted, "{script}");
            assert_eq!(without_comments(wanted), wanted, "twice: {script}");
        }
    }

    #[test]
    fn newer_syntax_is_found() {
        for (script, since) in [
            ("a?.b", "Chromium 80"),
            ("f?.()", "Chromium 80"),
            ("a ?? b", "Chromium 80"),
            ("a ??= b", "Chromium 85"),
            ("a ||= b", "Chromium 85"),
            ("import.meta.url", "needs type=module"),
            ("import x from 'y'", "needs type=module"),
            ("export default init", "needs type=module"),
            ("const x = await init()", "Chromium 89"),
            ("if (a) { await b }", "Chromium 89"),
            ("class A { x = 1 }", "Chromium 72"),
            ("class A { f() {} x; }", "Chromium 72"),
            ("class A { static x = f() }", "Chromium 72"),
            ("class A { static { f() } }", "Chromium 94"),
            ("class A { #x; }", "Chromium 74"),
            ("this.#x", "Chromium 74"),
            ("1_000", "Chromium 75"),
            ("/x/dg.test(y)", "Chromium 90"),
            ("`${a?.b}`", "Chromium 80"),
        ] {
            assert_eq!(first(script), Some(since), "{script}");
        }
    }

    #[test]
    fn what_chromium_67_knows_passes() {
        for script in [
            "'a?.b'; \"??\"; `?.` // ?? import.meta\n/* await x */",
            "a ? .5 : b; a?.5:b",
            "a || b; a && (a = b); x ? y ? 1 : 2 : 3",
            "async function f() { await g(); for (const x of y) { await x } }",
            "const f = async () => { await g(); }",
            "class A extends B { constructor() { super(); this.x = 1; } static make(a = 1) { return new A(a); }; get y() { return 2; } }",
            "class A { f() {} }; x = 1; y;",
            "/[?.]/g.test(x) ? /\\?\\./.test(y) : z",
            "let {a, ...rest} = b; f(...rest); 10n ** 2n; a.import; b.await",
            "try { f() } catch { g() }",
        ] {
            assert_eq!(find_too_new(script, Syntax::Chromium67), [], "{script}");
        }
    }

    #[test]
    fn the_page_itself_is_held_to_es5() {
        for script in [
            "let x",
            "const x = 1",
            "() => 1",
            "`x`",
            "f(...a)",
            "class A {}",
            "async function f() {}",
        ] {
            assert_ne!(find_too_new(script, Syntax::Es5), [], "{script}");
        }
        let plain = "(function () { var a = {let: 1}; a.class = a['const']; if (/=>/.test('`')) { a.let = 0x1f / 2; } })();";
        assert_eq!(find_too_new(plain, Syntax::Es5), []);
    }

    #[test]
    fn the_line_is_told() {
        let found = find_too_new("a\n\n`\n`\nb ?? c", Syntax::Chromium67);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].to_string(), "line 5: `??` (Chromium 80)");
    }
}
