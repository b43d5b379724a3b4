//! Answers: what the engine says, brought into the order that peers rely on. Pure.

/// The answer with the ways to this server where peers look for them. The engine names them in the first part of an
/// answer, be that one refused: sound that is offered before the video. Peers pass over a refused part with all that
/// stands in it (RFC 8829, 5.10), and this server begins no connection itself.
pub(super) fn with_ways_where_they_count(answer: &str) -> String {
    let mut parts: Vec<Vec<&str>> = vec![Vec::new()];
    for line in answer.lines() {
        if line.starts_with("m=") {
            parts.push(Vec::new());
        }
        if let Some(part) = parts.last_mut() {
            part.push(line);
        }
    }
    let is_way =
        |line: &&str| line.starts_with("a=candidate:") || line.starts_with("a=end-of-candidates");
    let mut ways = Vec::new();
    for part in parts.iter_mut().filter(|part| is_refused(part)) {
        ways.extend(part.extract_if(.., |line| is_way(line)));
    }
    let accepted = parts.iter_mut().skip(1).find(|part| !is_refused(part));
    if let Some(part) = accepted
        && !part.iter().any(is_way)
    {
        // Behind the line of the media and that of the connection.
        let at = part
            .iter()
            .take_while(|line| !line.starts_with("a="))
            .count();
        part.splice(at..at, ways);
    }
    let lines = parts.iter().flatten();
    lines.flat_map(|line| [line, "\r\n"]).collect()
}

/// Whether a part is refused: its port is 0 (RFC 3264, 6).
fn is_refused(part: &[&str]) -> bool {
    let media = part.first().and_then(|line| line.strip_prefix("m="));
    media.and_then(|media| media.split(' ').nth(1)) == Some("0")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=ice-lite\r\n";
    const WAYS: &str = "a=candidate:1 1 udp 2130706175 127.0.0.1 1 typ host\r\na=candidate:2 1 tcp 15 127.0.0.1 1 typ host\r\n";

    fn part(media: &str, port: u16, ways: &str) -> String {
        format!(
            "m={media} {port} UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\n{ways}a=ice-ufrag:u\r\na=mid:0\r\n"
        )
    }

    #[test]
    fn ways_leave_the_parts_that_are_refused() {
        let sound_first = format!("{HEAD}{}{}", part("audio", 0, WAYS), part("video", 9, ""));
        let wanted = format!("{HEAD}{}{}", part("audio", 0, ""), part("video", 9, WAYS));
        assert_eq!(with_ways_where_they_count(&sound_first), wanted);
        for well in [
            wanted,
            format!("{HEAD}{}", part("video", 9, WAYS)),
            format!("{HEAD}{}{}", part("video", 9, WAYS), part("audio", 0, "")),
        ] {
            assert_eq!(with_ways_where_they_count(&well), well);
        }
    }

    #[test]
    fn nothing_that_an_engine_says_panics() {
        let answer = format!("{HEAD}{}{}", part("audio", 0, WAYS), part("video", 9, ""));
        for end in 0..answer.len() {
            let _ = with_ways_where_they_count(&answer[..end]);
        }
    }
}
