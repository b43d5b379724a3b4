//! Whatever a query, a user agent or an `If-None-Match` says, it is understood or told off in one
//! line; and what was understood is understood the same again, so that the ladder has no loose rung.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mantel::{Config, bench};

static CONFIG: LazyLock<Config> =
    LazyLock::new(|| Config::from_args([] as [&str; 0]).expect("the defaults"));

const TAG: &str = "\"0123456789abcdef\"";

fuzz_target!(|bytes: &[u8]| {
    let mut lines = bytes.splitn(3, |byte| *byte == b'\n');
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
});
