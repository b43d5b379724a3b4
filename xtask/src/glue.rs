//! JavaScript, read by acorn: whether it is old enough for old TVs, because one token that an engine doesn't know and the
//! whole file fails to parse; and what it is without comments. It finds syntax, not missing functions; those only a real
//! engine shows.

use std::{
    fmt,
    io::Write as _,
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context as _, bail};

/// What node is to do with acorn.
const READER: &str = include_str!("glue/acorn.js");

/// acorn, installed.
#[derive(Clone, Debug)]
pub(crate) struct Acorn {
    /// The folder of its package.
    pub(crate) package: PathBuf,
}

/// The language that every engine must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Syntax {
    /// What decides on the page whether the viewer can run: any browser since 2011.
    Es5,
    /// What wasm-bindgen writes, loaded by a plain script tag. Chromium 67 parses all of ECMAScript 2019.
    Chromium67,
}

/// The first syntax in a script that is too new, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TooNew {
    /// Counted from 1.
    pub(crate) line: usize,
    pub(crate) what: String,
}

impl fmt::Display for TooNew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl Acorn {
    /// The first place of a script that engines with only `syntax` can't parse.
    pub(crate) fn too_new(&self, script: &str, syntax: Syntax) -> anyhow::Result<Option<TooNew>> {
        let year = match syntax {
            Syntax::Es5 => "5",
            Syntax::Chromium67 => "2019",
        };
        let said = self.ask(year, script)?;
        let Some((line, what)) = said.split_once(' ') else {
            return Ok(None);
        };
        Ok(Some(TooNew {
            line: line.parse().context("acorn names no line")?,
            what: what.to_owned(),
        }))
    }

    /// The script without comments, indentation and blank lines.
    pub(crate) fn without_comments(&self, script: &str) -> anyhow::Result<String> {
        self.ask("strip", script)
    }

    fn ask(&self, task: &str, script: &str) -> anyhow::Result<String> {
        let mut node = Command::new("node")
            .args(["-e", READER])
            .arg(&self.package)
            .arg(task)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("node can't be started")?;
        // It reads all before it writes.
        let written = node
            .stdin
            .take()
            .map(|mut input| input.write_all(script.as_bytes()));
        let output = node.wait_with_output()?;
        if !output.status.success() {
            bail!("a script can't be read; node's messages stand above");
        }
        written.transpose()?;
        String::from_utf8(output.stdout).context("node wrote no text")
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::{parts, tools};

    /// acorn, where xtask has installed it; says so where it has not, which is a failure in CI.
    pub(crate) fn acorn() -> Option<Acorn> {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let package = tools::acorn_in(&root.join(".tools"));
        if package.is_dir() {
            return Some(Acorn { package });
        }
        assert!(!parts::is_ci(), "no {}", package.display());
        eprintln!("left out: no acorn; `cargo xtask tools` gets it");
        None
    }

    fn found(acorn: &Acorn, script: &str, syntax: Syntax) -> Option<TooNew> {
        acorn.too_new(script, syntax).expect("node runs")
    }

    #[test]
    fn comments_and_indentation_go_and_meaning_stays() {
        let Some(acorn) = acorn() else { return };
        for (script, wanted) in [
            ("a = 1; // one\n\n  b = 2 /* two */ + 3;\n", "a=1;b=2+3;\n"),
            (
                "function f () {\n  return a\n}\nf()\n",
                "function f(){return a}\nf()\n",
            ),
            (
                "var s = 'a // b', r = /[/*]/g;\nx / y / z",
                "var s='a // b',r=/[/*]/g;x/ y/ z\n",
            ),
            (
                "a + +b - -c; a += b >= c && d++",
                "a+ +b- -c;a+=b>=c&&d++\n",
            ),
            ("`a  ${ b /* c */ }\n  d`;\ne", "`a  ${b}\n  d`;e\n"),
            ("`\n${a}` + b", "`\n${a}` +b\n"),
            ("let a\n/* two\nlines */ b", "let a\nb\n"),
            (
                "x = 1 .y + 2 * typeof - 1 + (/a/ in b ? .5 : 'c' in d)",
                "x=1 .y+2*typeof-1+(/a/ in b? .5:'c'in d)\n",
            ),
            (
                "switch (a) {\n  case 1:\n    b()\n}\nc = a ||\n  b +\n  d\n[1].e()",
                "switch(a){case 1:b()}\nc=a||b+\nd\n[1].e()\n",
            ),
            ("a-- > b; a < ! --b", "a-- >b;a< ! --b\n"),
        ] {
            let stripped = |script| acorn.without_comments(script).expect("node runs");
            assert_eq!(stripped(script), wanted, "{script}");
            assert_eq!(stripped(wanted), wanted, "twice: {script}");
        }
        acorn.without_comments("a b").expect_err("no script");
    }

    #[test]
    fn newer_syntax_is_found() {
        let Some(acorn) = acorn() else { return };
        for (script, since) in [
            ("a?.b", "ES2020"),
            ("a ?? b", "ES2020"),
            ("a ||= b", "ES2021"),
            ("import.meta.url", "a module"),
            ("import x from 'y'", "a module"),
            ("const x = await init()", "a module"),
            ("class A { x = 1 }", "ES2022"),
            ("class A { static { f() } }", "ES2022"),
            ("class A { #x; }", "ES2022"),
            ("1_000", "ES2021"),
            ("/x/dg.test(y)", "ES2022"),
            ("`${a?.b}`", "ES2020"),
            ("a b", "no script at all"),
        ] {
            let found = found(&acorn, script, Syntax::Chromium67).expect(script);
            assert!(found.what.contains(since), "{script}: {found}");
        }
    }

    #[test]
    fn what_chromium_67_knows_passes() {
        let Some(acorn) = acorn() else { return };
        for script in [
            "'a?.b'; \"??\"; `?.` // ?? import.meta\n/* await x */",
            "a ? .5 : b; a?.5:b",
            "async function f() { await g(); for (const x of y) { await x } for await (const x of y) {} }",
            "class A extends B { constructor() { super(); this.x = 1; } static make(a = 1) { return new A(a); }; get y() { return 2; } }",
            "/(?<a>[?.])/gs.test(x) ? /\\?\\./.test(y) : z",
            "let {a, ...rest} = b; f(...rest); a.import; b.await",
            "try { f() } catch { g() }",
        ] {
            assert_eq!(found(&acorn, script, Syntax::Chromium67), None, "{script}");
        }
    }

    #[test]
    fn the_page_itself_is_held_to_es5() {
        let Some(acorn) = acorn() else { return };
        for script in [
            "let x",
            "const x = 1",
            "() => 1",
            "`x`",
            "f(...a)",
            "class A {}",
            "async function f() {}",
        ] {
            assert!(found(&acorn, script, Syntax::Es5).is_some(), "{script}");
        }
        let plain = "(function () { var a = {let: 1}; a.class = a['const']; if (/=>/.test('`')) { a.let = 0x1f / 2; } })();";
        assert_eq!(found(&acorn, plain, Syntax::Es5), None);
    }

    #[test]
    fn the_line_is_told() {
        let Some(acorn) = acorn() else { return };
        let found = found(&acorn, "a\n\n`\n`\nb ?? c", Syntax::Chromium67).expect("`??` is new");
        assert_eq!(found.to_string(), "line 5: `b ?? c` (ES2020)");
    }
}
