//! A client's `User-Agent` in words for people: `Chromium 156 on Android 14`.
//!
//! Pure, and for reading only: how a client is served is decided elsewhere.

/// Longer words are somebody's joke.
const MAX_CHARS: usize = 40;

/// Which program, and on what, as far as `agent` tells.
pub(in crate::endpoints) fn plain(agent: &str) -> String {
    let program = program(agent);
    match system(agent) {
        Some(system) => format!("{program} on {system}"),
        None => program,
    }
}

/// The kind of device, as one calls it at home: `a phone`, `a TV`; of a computer or a program its name, and
/// nothing of what says nothing.
pub(in crate::endpoints) fn device(agent: &str) -> Option<String> {
    const KINDS: [(&str, &str); 12] = [
        ("Tizen", "a TV"),
        ("SMART-TV", "a TV"),
        ("SmartTV", "a TV"),
        ("Web0S", "a TV"),
        ("AFT", "a TV"),
        ("CrKey", "a TV"),
        ("Android TV", "a TV"),
        ("iPad", "a tablet"),
        ("iPhone", "a phone"),
        ("HomeAssistant/", "Home Assistant"),
        // Tablets leave the word Mobile out.
        ("Mobile", "a phone"),
        ("Android", "a tablet"),
    ];
    let kind = KINDS.into_iter().find(|(mark, _)| agent.contains(mark));
    let kind = kind.map_or_else(|| plain(agent), |(_, kind)| kind.to_owned());
    (!agent.trim().is_empty()).then_some(kind)
}

fn program(agent: &str) -> String {
    // The first that is found counts: nearly all of them call themselves Chrome, Safari and Mozilla as well.
    const PROGRAMS: [(&str, &str); 19] = [
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser/", "Samsung Internet"),
        ("Silk/", "Silk"),
        ("Fully/", "Fully Kiosk"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("CriOS/", "Chrome"),
        ("HeadlessChrome/", "Chromium"),
        ("Chromium/", "Chromium"),
        ("Chrome/", "Chromium"),
        ("VLC/", "VLC"),
        ("Lavf/", "ffmpeg"),
        ("mpv", "mpv"),
        ("GStreamer", "GStreamer"),
        ("HomeAssistant/", "Home Assistant"),
        ("go2rtc", "go2rtc"),
        ("Version/", "Safari"),
        ("AppleWebKit/", "WebKit"),
    ];
    for (mark, name) in PROGRAMS {
        let Some(rest) = after(agent, mark) else {
            continue;
        };
        // The library's number is none of ffmpeg's.
        let version = if name == "ffmpeg" { "" } else { version(rest) };
        let version = match name {
            "VLC" => version,
            _ => version.split('.').next().unwrap_or_default(),
        };
        return format!("{name} {version}").trim_end().to_owned();
    }
    let first = agent.split_whitespace().next().unwrap_or_default();
    let words: String = first.replace('/', " ").chars().take(MAX_CHARS).collect();
    if words.is_empty() {
        "a client without a name".into()
    } else {
        words
    }
}

fn system(agent: &str) -> Option<String> {
    const SYSTEMS: [(&str, &str); 11] = [
        ("Tizen", "Tizen"),
        ("Web0S", "webOS"),
        ("AFT", "Fire TV"),
        ("CrKey", "Chromecast"),
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Macintosh", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ];
    let (mark, name) = SYSTEMS.into_iter().find(|(mark, _)| agent.contains(mark))?;
    let numbered = matches!(name, "Tizen" | "Android");
    let rest = after(agent, mark).filter(|_| numbered).unwrap_or_default();
    let version = version(rest.trim_start_matches([' ', '/']));
    Some(format!("{name} {version}").trim_end().to_owned())
}

fn after<'a>(agent: &'a str, mark: &str) -> Option<&'a str> {
    agent.split_once(mark).map(|(_, rest)| rest)
}

/// The digits and dots that `rest` begins with.
fn version(rest: &str) -> &str {
    let end = rest
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(rest.len());
    rest[..end.min(12)].trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_and_systems_are_told_in_words() {
        for (agent, words) in [
            (
                "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Mobile Safari/537.36",
                "Chromium 156 on Android 14",
            ),
            (
                "Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) AppleWebKit/538.1 (KHTML, like Gecko) Version/6.0 TV Safari/538.1",
                "Safari 6 on Tizen 6.0",
            ),
            (
                "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/87.0.4280.88 Safari/537.36 WebAppManager",
                "Chromium 87 on webOS",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36",
                "Chromium 156 on Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
                "Firefox 140 on Windows",
            ),
            (
                "Mozilla/5.0 (iPad; CPU OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1",
                "Safari 17 on iPad",
            ),
            ("VLC/3.0.24 LibVLC/3.0.24", "VLC 3.0.24"),
            ("Lavf/59.27.100", "ffmpeg"),
            ("GStreamer souphttpsrc 1.22.0 libsoup/3.2.2", "GStreamer"),
            ("curl/8.5.0", "curl 8.5.0"),
            ("", "a client without a name"),
        ] {
            assert_eq!(plain(agent), words, "{agent}");
        }
    }

    #[test]
    fn devices_are_called_as_at_home() {
        let android = "Mozilla/5.0 (Linux; Android 14; X) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0";
        for (agent, words) in [
            (&*format!("{android} Mobile Safari/537.36"), "a phone"),
            (&*format!("{android} Safari/537.36"), "a tablet"),
            (
                "Mozilla/5.0 (iPad; CPU OS 12_5 like Mac OS X) AppleWebKit/605.1.15 Version/12.1 Mobile/15E148",
                "a tablet",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
                "a phone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 9; AFTS) AppleWebKit/537.36 Silk/100 like Chrome/100 Safari/537.36",
                "a TV",
            ),
            (
                "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 Chrome/87.0 Safari/537.36",
                "a TV",
            ),
            ("HomeAssistant/2026.11 aiohttp/3.13", "Home Assistant"),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
                "Firefox 140 on Linux",
            ),
            ("curl/8.5.0", "curl 8.5.0"),
        ] {
            assert_eq!(device(agent).as_deref(), Some(words), "{agent}");
        }
        assert_eq!(device(" "), None);
    }

    #[test]
    fn nonsense_stays_short() {
        for agent in [
            "x".repeat(5000),
            format!("Chrome/{}", "1".repeat(5000)),
            "Android Chrome/".into(),
            "Tizenä VLC/ü".into(),
        ] {
            let words = plain(&agent);
            assert!(words.chars().count() <= MAX_CHARS + 20, "{words}");
        }
    }
}
