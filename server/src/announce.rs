//! Texts for a terminal: the addresses to open, a QR code for the phone, and errors as sentences.
//!
//! Pure: text out of values. Prints nothing and asks the system for nothing.

use std::{
    collections::HashSet,
    error::Error,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use qrcode::{Color, QrCode};

use crate::config::Listen;

/// The white margin around a QR code, in modules: the standard asks for four.
const QUIET: usize = 4;

/// The addresses to open, those that other machines can reach before this machine's own. `house`
/// are this machine's addresses in the network; `scheme` is `http` or `https`.
pub fn urls(listen: &[Listen], house: &[IpAddr], scheme: &str) -> Vec<String> {
    sorted(listen, house)
        .iter()
        .map(|address| format!("{scheme}://{address}/"))
        .collect()
}

/// How addresses begin.
pub(crate) fn scheme(is_encrypted: bool) -> &'static str {
    if is_encrypted { "https" } else { "http" }
}

fn sorted(listen: &[Listen], house: &[IpAddr]) -> Vec<SocketAddr> {
    let mut addresses = Vec::new();
    for address in listen {
        let Listen::Tcp(address) = address else {
            continue;
        };
        let house = house.iter().copied();
        let ips: Vec<IpAddr> = match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => house
                .filter(IpAddr::is_ipv4)
                .chain([Ipv4Addr::LOCALHOST.into()])
                .collect(),
            // `[::]` takes IPv4 along unless that has a listener of its own: a line too many does
            // no harm.
            IpAddr::V6(ip) if ip.is_unspecified() => {
                house.chain([Ipv6Addr::LOCALHOST.into()]).collect()
            }
            ip => vec![ip],
        };
        let port = address.port();
        addresses.extend(ips.into_iter().map(|ip| SocketAddr::new(ip, port)));
    }
    let mut seen = HashSet::new();
    addresses.retain(|address| seen.insert(*address));
    addresses.sort_by_key(|address| address.ip().is_loopback());
    addresses
}

/// The lines that are printed once everything is open: the addresses, and on a terminal a QR code
/// of the first, if a phone can follow it.
pub fn welcome(
    listen: &[Listen],
    house: &[IpAddr],
    fingerprint: Option<&str>,
    on_terminal: bool,
) -> String {
    let scheme = scheme(fingerprint.is_some());
    let addresses = sorted(listen, house);
    let urls = urls(listen, house, scheme);
    let mut lines = String::from("Mantel is on. Open one of these on any screen in the house:\n");
    if addresses.iter().all(|address| address.ip().is_loopback()) {
        lines = "Mantel is on, for this machine alone:\n".into();
    }
    for url in &urls {
        lines.push_str(&format!("  {url}\n"));
    }
    for path in listen.iter().filter(|one| matches!(one, Listen::Unix(_))) {
        lines.push_str(&format!("  {path}, for a proxy on this machine\n"));
    }
    if let Some(print) = fingerprint {
        lines.push_str(&format!(
            "  The certificate's SHA-256 fingerprint: {print}\n"
        ));
    }
    let Some((url, address)) = urls.first().zip(addresses.first()) else {
        return lines;
    };
    lines.push_str(&format!("  VLC, ffmpeg and <img>: {url}stream\n"));
    // A phone can't follow a link to this machine's own loopback address.
    if on_terminal
        && !address.ip().is_loopback()
        && let Some(code) = code(url, true)
    {
        lines.push_str(&code);
    }
    lines
}

/// Draws `text` as a QR code in half blocks. With `colours` it is black on white whatever the
/// terminal's own colours are; without them the light modules are drawn, which is right where text
/// is light on dark. `None` when `text` is too long.
pub fn code(text: &str, colours: bool) -> Option<String> {
    let code = QrCode::new(text).ok()?;
    let (width, modules) = (code.width(), code.to_colors());
    let is_light = |x: usize, y: usize| {
        let inside = (QUIET..width + QUIET).contains(&x) && (QUIET..width + QUIET).contains(&y);
        !inside || modules[(y - QUIET) * width + x - QUIET] == Color::Light
    };
    let side = width + 2 * QUIET;
    let mut lines = String::new();
    for y in (0..side).step_by(2) {
        if colours {
            // White letters on black by two of the 256 colours that no theme redefines.
            lines.push_str("\x1b[38;5;231m\x1b[48;5;16m");
        }
        for x in 0..side {
            // An odd last row has none below it; white does no harm there.
            let below = y + 1 >= side || is_light(x, y + 1);
            lines.push(match (is_light(x, y), below) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            });
        }
        lines.push_str(if colours { "\x1b[0m\n" } else { "\n" });
    }
    Some(lines)
}

/// Tells an error and its causes in one sentence, without repeating a cause that the error's own
/// text has already.
pub fn sentence(error: &(dyn Error + 'static)) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !said.contains(&text) {
            said = format!("{said}: {text}");
        }
        cause = error.source();
    }
    said
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    /// The modules of a QR code as its reader sees them: whether each is light, row by row.
    fn seen(code: &str, light_is_drawn: bool) -> Vec<Vec<bool>> {
        let mut rows = Vec::new();
        for line in code.lines() {
            let plain = line
                .replace("\x1b[38;5;231m\x1b[48;5;16m", "")
                .replace("\x1b[0m", "");
            let half = |drawn: [char; 2]| {
                plain
                    .chars()
                    .map(|c| drawn.contains(&c) == light_is_drawn)
                    .collect()
            };
            rows.push(half(['█', '▀']));
            rows.push(half(['█', '▄']));
        }
        rows
    }

    #[test]
    fn the_code_is_dark_on_light_with_four_modules_around_it() {
        let link = "http://192.168.1.7:8080/";
        let expected = QrCode::new(link).unwrap();
        let width = expected.width();
        for colours in [true, false] {
            let text = code(link, colours).unwrap();
            assert_eq!(
                text.lines().all(|line| line.starts_with("\x1b[38;5;231m")),
                colours
            );
            let rows = seen(&text, true);
            let light = |x: usize, y: usize| rows[y][x];
            for around in 0..width + 8 {
                for edge in (0..4).chain(width + 4..width + 8) {
                    assert!(light(around, edge) && light(edge, around));
                }
            }
            let inner: Vec<Color> = (0..width * width)
                .map(|i| match light(4 + i % width, 4 + i / width) {
                    true => Color::Light,
                    false => Color::Dark,
                })
                .collect();
            assert!(inner == expected.to_colors());
        }
    }

    fn listen(text: &str) -> Vec<Listen> {
        vec![text.parse().unwrap()]
    }

    #[test]
    fn a_code_is_printed_where_a_phone_can_follow_it() {
        let house: Vec<IpAddr> = vec!["192.168.1.7".parse().unwrap()];
        let everywhere = welcome(&listen("0.0.0.0:8080"), &house, None, true);
        assert!(
            everywhere.contains("  http://192.168.1.7:8080/\n"),
            "{everywhere}"
        );
        assert!(everywhere.contains('█'));
        let piped = welcome(&listen("0.0.0.0:8080"), &house, None, false);
        assert!(!piped.contains('█'));
        for own in ["127.0.0.1:8080", "[::1]:8080", "unix:/run/mantel.sock"] {
            let text = welcome(&listen(own), &house, None, true);
            assert!(
                !text.contains('█') && !text.contains("in the house"),
                "{text}"
            );
        }
        // A machine without a network has no addresses.
        assert!(!welcome(&listen("0.0.0.0:8080"), &[], None, true).contains('█'));
    }

    #[derive(Debug, thiserror::Error)]
    enum Told {
        #[error("a.txt: {source}")]
        Itself { source: io::Error },
        #[error("can't begin")]
        Not { source: io::Error },
    }

    #[test]
    fn nothing_is_said_twice() {
        let source = || io::Error::other("no such file");
        assert_eq!(
            sentence(&Told::Itself { source: source() }),
            "a.txt: no such file"
        );
        assert_eq!(
            sentence(&Told::Not { source: source() }),
            "can't begin: no such file"
        );
    }
}
