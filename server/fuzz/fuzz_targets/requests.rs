//! Whatever a query, a user agent or an `If-None-Match` says, it is understood or told off in one
//! line; and what was understood is understood the same again, so that the ladder has no loose rung.
//! Whatever a method and a path are, nothing is changed by who may only look.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mantel::{Config, bench};

static CONFIG: LazyLock<Config> =
    LazyLock::new(|| Config::from_args([] as [&str; 0]).expect("the defaults"));

const TAG: &str = "\"0123456789abcdef\"";

fuzz_target!(|bytes: &[u8]| {
    let mut lines = bytes.splitn(5, |byte| *byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    // hyper hands on what is text; whatever else comes is made text here.
    let query = String::from_utf8_lossy(line());
    let agent = String::from_utf8_lossy(line());
    match bench::query(&CONFIG, &query) {
        Ok(understood) => assert_eq!(
            bench::query(&CONFIG, &understood).as_ref(),
            Ok(&understood),
            "{query:?} is read in two ways"
        ),
        Err(sentence) => assert!(!sentence.contains(['\r', '\n']), "{sentence:?}"),
    }
    let tags = line();
    let (_, is_named) = bench::headers(&agent, tags, TAG);
    let is_there = tags.windows(TAG.len()).any(|part| part == TAG.as_bytes());
    assert!(!is_named || is_there || tags.contains(&b'*'), "{tags:?}");
    let method = String::from_utf8_lossy(line());
    let path = format!("/{}", String::from_utf8_lossy(line()));
    let Some((right, is_answered)) = bench::address(&method, &path, &query) else {
        return;
    };
    match (&*method, right) {
        ("OPTIONS", right) => assert_eq!(right, None, "{path}"),
        ("GET" | "HEAD", right) => assert!(matches!(right, None | Some("watch")), "{path}"),
        (_, Some("control")) => {}
        // Whoever knows a session's name may end it.
        ("PATCH" | "DELETE", None) => assert!(path.contains("whep/"), "{method} {path}"),
        // A report and an offer are all that who looks may send; of a channel that is none nothing is sent.
        (method, right) => {
            assert_eq!(right, Some("watch"), "{method} {path}");
            let is_known = ["/report", "/whep", "/api/webrtc"]
                .iter()
                .any(|end| path.ends_with(end));
            let may_be = method == "POST" && (is_known || path.starts_with("/whep/"));
            assert!(may_be || !is_answered, "{method} {path}");
        }
    }
});
