//! Shorter names for what the viewer's module imports from its glue. wasm-bindgen ends each in sixteen
//! digits of a hash, which no compression can shrink, once in the module and once in the script.
//!
//! Compressed, module and scripts of the page were 63,849 bytes without it and 59,923 with it (26 November 2026);
//! a test of the page allows 60,000.

use std::{fs, path::Path};

use anyhow::{Context as _, bail};

/// Shortens the names in the page's module and its script, where both are as expected. Where they are
/// not, the download is larger, and that is all.
pub(crate) fn shorten_in(dist: &Path) -> anyhow::Result<()> {
    for file in crate::page::files(dist)? {
        let glue = file
            .to_str()
            .and_then(|name| name.strip_suffix("_bg.wasm"))
            .map(|stem| format!("{stem}.js"));
        let Some(glue) = glue else {
            continue;
        };
        match shorten(&fs::read(&file)?, &fs::read_to_string(&glue)?) {
            Ok((module, script)) => {
                fs::write(&file, module)?;
                fs::write(&glue, script)?;
            }
            Err(error) => eprintln!("warning: the viewer's imports keep their names: {error:#}"),
        }
    }
    Ok(())
}

/// A module and its script with short names in both, or an error that says what was unexpected; the two
/// as they were still work.
pub(crate) fn shorten(module: &[u8], script: &str) -> anyhow::Result<(Vec<u8>, String)> {
    let (head, mut rest) = module
        .split_at_checked(8)
        .context("the module ends in its head")?;
    let mut short = head.to_vec();
    let mut names = Vec::new();
    while let Some((&id, after)) = rest.split_first() {
        rest = after;
        let length = number(&mut rest)?;
        let body = take(&mut rest, length)?;
        let body = if id == IMPORTS {
            renamed(body, &mut names)?
        } else {
            body.to_vec()
        };
        short.push(id);
        write_number(&mut short, body.len());
        short.extend(body);
    }

    let mut script = script.to_owned();
    // Longer names first: one may be the beginning of another.
    names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    for (name, new) in names {
        let is_word = |next: Option<char>| {
            next.is_some_and(|next| next.is_alphanumeric() || next == '_' || next == '$')
        };
        let mut places = script.match_indices(&name);
        let at = places.next().map(|(at, _)| at);
        let at = at.with_context(|| format!("the script lacks {name}"))?;
        let is_apart = !is_word(script[..at].chars().next_back())
            && !is_word(script[at + name.len()..].chars().next());
        if places.next().is_some() || !is_apart {
            bail!("{name} stands in the script more than once");
        }
        script.replace_range(at..at + name.len(), &new);
    }
    Ok((short, script))
}

/// The section's number, and that of a function among imports; see the specification's binary format.
const IMPORTS: u8 = 2;
const FUNCTION: u8 = 0;

/// The section with other names; adds each old and new one to `names`.
fn renamed(mut section: &[u8], names: &mut Vec<(String, String)>) -> anyhow::Result<Vec<u8>> {
    let n_imports = number(&mut section)?;
    let mut out = Vec::new();
    write_number(&mut out, n_imports);
    for at in 0..n_imports {
        let module = text(&mut section)?;
        let name = text(&mut section)?;
        let (kind, after) = section.split_first().context("an import without a kind")?;
        if *kind != FUNCTION {
            bail!("{name} is no function");
        }
        section = after;
        let signature = number(&mut section)?;
        let short = format!("i{at}");
        for text in [&module, &short] {
            write_number(&mut out, text.len());
            out.extend(text.as_bytes());
        }
        out.push(FUNCTION);
        write_number(&mut out, signature);
        names.push((name, short));
    }
    Ok(out)
}

/// LEB128, as all numbers in a module.
fn number(rest: &mut &[u8]) -> anyhow::Result<usize> {
    let mut value = 0_usize;
    for shift in (0..32).step_by(7) {
        let (byte, after) = rest.split_first().context("a number that does not end")?;
        *rest = after;
        value |= usize::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    bail!("a number of more than 32 bits")
}

fn write_number(out: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        out.push((value & 0x7F) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> anyhow::Result<&'a [u8]> {
    let (taken, after) = rest
        .split_at_checked(length)
        .context("a section that does not end")?;
    *rest = after;
    Ok(taken)
}

fn text(rest: &mut &[u8]) -> anyhow::Result<String> {
    let length = number(rest)?;
    Ok(String::from_utf8(take(rest, length)?.to_vec())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A module that imports `./a.js` `f_12` and `f_123`, both of the first type, and has a custom
    /// section behind it.
    fn module(kind: u8) -> Vec<u8> {
        let mut module = b"\0asm\x01\0\0\0".to_vec();
        module.extend([1, 4, 1, 0x60, 0, 0]);
        let mut imports = vec![2];
        for name in ["f_12", "f_123"] {
            imports.push(6);
            imports.extend(b"./a.js");
            imports.push(name.len() as u8);
            imports.extend(name.as_bytes());
            imports.extend([kind, 0]);
        }
        module.extend([2, imports.len() as u8]);
        module.extend(imports);
        module.extend([0, 3, 1, b'x', 7]);
        module
    }

    #[test]
    fn names_are_short_in_both() {
        let (short, script) =
            shorten(&module(0), "{f_12:function(){},f_123:function(){}}").expect("as expected");
        assert_eq!(script, "{i0:function(){},i1:function(){}}");
        assert!(short.len() < module(0).len());
        assert!(short.ends_with(&[0, 3, 1, b'x', 7]));
        crate::wasm::check(&short, crate::wasm::Floor::Mvp).expect("still a module");
    }

    #[test]
    fn what_is_unexpected_is_told() {
        let script = "{f_12:function(){},f_123:function(){}}";
        for (module, script) in [
            (module(0), "{f_12:function(){}}"),
            (module(0), "{f_12:a,f_12:b,f_123:c}"),
            (module(1), script),
            (b"\0asm".to_vec(), script),
            (module(0)[..20].to_vec(), script),
        ] {
            shorten(&module, script).expect_err("nothing to rely on");
        }
    }
}
