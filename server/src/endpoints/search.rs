//! The search of fuzz targets: the reading of a request's words, without a request.

use http::{HeaderMap, HeaderValue, Method, header};

use super::{
    address::{self, Endpoint, Names},
    pictures::paint::Paint,
    query, reply,
};
use crate::{
    config::Config,
    net::Refusal,
    rights::Need,
    timeline::{Settings, Transition},
};

/// Reads `query` over the defaults of `config`, and tells what was understood as another query.
///
/// # Errors
/// The sentence that the client is told.
pub fn read(config: &Config, query: &str) -> Result<String, String> {
    // Which address it would be is decided before anything else is looked at.
    let address = address::find(&Method::GET, "/", query, &Names::with([]))
        .map_err(|unanswered| Refusal::from(unanswered).sentence().to_owned())?;
    let settings: Settings = config.timeline;
    let wishes = query::wishes(query, config.rendition, settings)
        .map_err(|problem| problem.sentence().to_owned())?;
    let rendition = wishes.rendition;
    let transition = match rendition.transition {
        Transition::Cut => "cut".to_owned(),
        Transition::Crossfade { millis } => format!("{millis}ms"),
    };
    let paint = match wishes.paint {
        None => "auto",
        Some(Paint::Advance) => "advance",
        Some(Paint::Repeat) => "repeat",
        Some(Paint::Plain) => "plain",
    };
    let action = match address.endpoint {
        Endpoint::Stream => "stream",
        Endpoint::Snapshot => "snapshot",
        _ => "none",
    };
    Ok(format!(
        "size={}&fit={}&quality={}&fps={}&transition={transition}&pair={}&paint={paint}&action={action}",
        rendition.size,
        rendition.fit,
        rendition.quality.value(),
        rendition.fps.0,
        rendition.pair,
    ))
}

/// The name of the right that a request takes, if it takes any, and whether an endpoint answers it.
pub fn address(method: &str, path: &str, query: &str) -> Option<(Option<&'static str>, bool)> {
    let method = Method::from_bytes(method.as_bytes()).ok()?;
    let names = Names::with(["plot".parse().ok()?]);
    let right = match address::need_of(&method, path, query, &names) {
        Need::Nothing => None,
        Need::Of(right, _) => Some(right.name()),
    };
    let found = address::find(&method, path, query, &names);
    if let Err(unanswered) = found {
        drop(Refusal::from(unanswered).into_response());
        return Some((right, false));
    }
    Some((right, true))
}

/// Whether a client that calls itself `agent` is promised frames, and whether its `If-None-Match`
/// names `tag`.
pub fn headers(agent: &str, if_none_match: &[u8], tag: &str) -> (bool, bool) {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(if_none_match) {
        headers.insert(header::IF_NONE_MATCH, value);
    }
    (
        Paint::for_agent(agent) == Paint::Advance,
        reply::is_known(&headers, tag),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEEDS: [&str; 5] = [
        "size=1280x720&fit=cover&quality=70&fps=12&transition=500ms&paint=repeat&pair=off",
        "album=Rome%20%26%20more&from=2021-07&to=2021&rating=4&keyword=cats,sea&newest=500",
        "action=snapshot&_1699999999=%zz+%ff&size=3840x2160&caption=all",
        "size=160x160&size=4000x3000&fps=60&quality=100&orientation=portrait&on-this-day=10",
        "&&=&size==&%73ize=97x8191&fps=+5&quality=007&transition=cut&channel=main",
    ];

    /// A poor man's fuzzer, for every run of the tests: pieces of good queries, cut and joined.
    #[test]
    fn what_is_understood_is_understood_the_same_again() {
        let config = Config::from_args([] as [&str; 0]).unwrap();
        let (mut state, mut n_understood) = (0x2545_F491_u32, 0);
        let mut random = |below: usize| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state as usize % below
        };
        for _ in 0..20_000 {
            let mut bytes = SEEDS[random(SEEDS.len())].as_bytes().to_vec();
            for _ in 0..random(4) {
                let at = random(bytes.len());
                match random(4) {
                    0 => bytes.truncate(at.max(1)),
                    1 => bytes[at] = b"0123456789x%&=,+-."[random(18)],
                    2 => drop(bytes.remove(at)),
                    _ => {
                        bytes.push(b'&');
                        bytes.extend(SEEDS[random(SEEDS.len())].bytes());
                    }
                }
                bytes.push(b'0');
            }
            let query = String::from_utf8_lossy(&bytes);
            match read(&config, &query) {
                Ok(understood) => {
                    n_understood += 1;
                    let again = read(&config, &understood);
                    assert_eq!(again.as_ref(), Ok(&understood), "{query}");
                }
                Err(sentence) => assert!(!sentence.contains(['\r', '\n']), "{sentence:?}"),
            }
        }
        assert!(n_understood > 1000, "{n_understood} of 20,000");
    }

    #[test]
    fn tags_are_found_where_they_stand() {
        let tag = "\"0123456789abcdef\"";
        for (header, is_named) in [
            (&b"\"0123456789abcdef\""[..], true),
            (b"\"x\", W/\"0123456789abcdef\"", true),
            (b"*", true),
            (b"0123456789abcdef", false),
            (b"", false),
            (b"\xff\"0123456789abcdef\"", false),
        ] {
            assert_eq!(headers("", header, tag).1, is_named, "{header:?}");
        }
    }
}
