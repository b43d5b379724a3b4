//! Which browser engine this is, as people who look after TVs need it: engine, version, system.
//!
//! For the statistics panel only. Nothing may decide by it: what an engine can do is found out
//! by trying.

/// Engine, version and TV system named by a User-Agent, for example `Chromium 69, Tizen 5.5`.
pub fn describe(user_agent: &str) -> String {
    let (name, version) = engine(user_agent);
    let mut text = format!("{name} {version}");
    if let Some(system) = system(user_agent) {
        text.push_str(", ");
        text.push_str(&system);
    }
    text
}

/// Chromium first: it claims to be everything else as well. WebKit's public version is the one
/// after `Version/`.
fn engine(user_agent: &str) -> (&'static str, &str) {
    for (name, mark) in [
        ("Chromium", "Chrome/"),
        ("Chromium", "Chromium/"),
        ("Firefox", "Firefox/"),
        ("WebKit", "Version/"),
        ("WebKit", "AppleWebKit/"),
    ] {
        if let Some(version) = number_after(user_agent, mark) {
            return (name, version);
        }
    }
    ("unknown", "engine")
}

fn system(user_agent: &str) -> Option<String> {
    let version_after = |mark| number_after(user_agent, mark);
    let (name, version) = [
        ("Tizen", version_after("Tizen ")),
        // LG writes a zero.
        ("webOS", after(user_agent, "Web0S").and(Some(""))),
        ("Android", version_after("Android ")),
        ("iPad", after(user_agent, "iPad").and(Some(""))),
        ("iPhone", after(user_agent, "iPhone").and(Some(""))),
    ]
    .into_iter()
    .find_map(|(name, version)| Some((name, version?)))?;
    let mut text = name.to_owned();
    if !version.is_empty() {
        text.push(' ');
        text.push_str(version);
    }
    Some(text)
}

/// The number behind `mark`: the first component alone, except where a system's point release
/// matters (Tizen 5.5 is not Tizen 5.0).
fn number_after<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    let rest = after(text, mark)?;
    let mut n_dots = usize::from(mark == "Tizen ");
    let end = rest.bytes().position(|byte| {
        let dot = byte == b'.' && n_dots > 0;
        n_dots -= usize::from(dot);
        !(byte.is_ascii_digit() || dot)
    });
    rest.get(..end.unwrap_or(rest.len()))
        .filter(|number| !number.is_empty())
}

/// What comes behind `mark`. Not `str::find`, whose two-way search would weigh 2 KB.
fn after<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    let at = text
        .as_bytes()
        .windows(mark.len())
        .position(|window| window == mark.as_bytes())?;
    text.get(at + mark.len()..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_agents_in_the_wild() {
        for (user_agent, wanted) in [
            (
                "Mozilla/5.0 (SMART-TV; LINUX; Tizen 5.5) AppleWebKit/537.36 (KHTML, like Gecko) 69.0.3497.106.1/5.5 TV Safari/537.36 Chrome/69.0.3497.106",
                "Chromium 69, Tizen 5.5",
            ),
            (
                "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/68.0.3440.106 Safari/537.36",
                "Chromium 68, webOS",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36",
                "Chromium 156",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0",
                "Firefox 153",
            ),
            (
                "Mozilla/5.0 (iPad; CPU OS 12_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1.2 Mobile/15E148 Safari/604.1",
                "WebKit 12, iPad",
            ),
            (
                "Mozilla/5.0 (Linux; Android 9; AFTMM) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/120.0.1.2 Mobile Safari/537.36",
                "Chromium 120, Android 9",
            ),
            ("", "unknown engine"),
            ("Chrome/", "unknown engine"),
        ] {
            assert_eq!(describe(user_agent), wanted);
        }
    }
}
