//! The words of the pages in the languages of the house: `server/words/` has a file for each, from the English that stands
//! in the pages to its own.
//!
//! Pages that are answered here are filled in by the browser's `Accept-Language`; their scripts, and the viewer page, load
//! `words-LANGUAGE.js`. What a language has no words for stays English.

use std::{collections::BTreeMap, sync::LazyLock};

use http::header;
use warp::reply::Response;

use crate::{
    endpoints::{Request, reply},
    hex::hex,
    rendition::Language,
};

/// The files, by the subtag of their language. Swedish has no more than the words under photos.
const FILES: [(&str, &str); 10] = [
    ("de", include_str!("../../../../words/de.json")),
    ("es", include_str!("../../../../words/es.json")),
    ("fr", include_str!("../../../../words/fr.json")),
    ("it", include_str!("../../../../words/it.json")),
    ("ja", include_str!("../../../../words/ja.json")),
    ("nl", include_str!("../../../../words/nl.json")),
    ("pl", include_str!("../../../../words/pl.json")),
    ("pt", include_str!("../../../../words/pt.json")),
    ("sv", include_str!("../../../../words/sv.json")),
    ("zh", include_str!("../../../../words/zh.json")),
];
const ENGLISH: &str = "en";

/// The words of a language.
#[derive(Debug)]
pub(in crate::endpoints) struct Words {
    /// The subtag that names it.
    language: &'static str,
    /// From English; `lang` and `dir` are those of HTML.
    own: BTreeMap<String, String>,
}

static ALL: LazyLock<Vec<Words>> = LazyLock::new(|| {
    let words = |(language, text): &(&'static str, &str)| Words {
        language,
        // A test reads them all; English is what is left without.
        own: serde_json::from_str(text).unwrap_or_default(),
    };
    FILES.iter().map(words).collect()
});

static IN_ENGLISH: LazyLock<Words> = LazyLock::new(|| Words {
    language: ENGLISH,
    own: [("lang", ENGLISH), ("dir", "ltr")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into(),
});

/// The words that stand in the pages.
#[cfg(test)]
pub(in crate::endpoints) fn english() -> &'static Words {
    &IN_ENGLISH
}

/// The words of the language that the browser would rather have.
pub(in crate::endpoints) fn of(request: &Request) -> &'static Words {
    best(request.header(&header::ACCEPT_LANGUAGE))
}

/// The language in which places are named to whoever asks: the browser's, or `usual` where it names none.
pub(in crate::endpoints) fn language(request: &Request, usual: Language) -> Language {
    match request.header(&header::ACCEPT_LANGUAGE) {
        "" | "*" => usual,
        accepted => best(accepted).language.parse().unwrap_or_default(),
    }
}

/// The first language of these, by their weights, that there are words of.
fn best(accepted: &str) -> &'static Words {
    let mut wanted: Vec<(f32, &str)> = accepted
        .split(',')
        .filter_map(|one| {
            let (tag, rest) = one.split_once(';').unwrap_or((one, ""));
            let weight = rest.trim().strip_prefix("q=").map_or(Ok(1.0), str::parse);
            let weight: f32 = weight.ok().filter(|weight| *weight > 0.0)?;
            Some((weight, tag.trim().split('-').next()?))
        })
        .collect();
    // Stable: of the same weight the first counts.
    wanted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut known = wanted.iter().filter_map(|(_, tag)| by_subtag(tag));
    known.next().unwrap_or(&IN_ENGLISH)
}

fn by_subtag(tag: &str) -> Option<&'static Words> {
    if tag.eq_ignore_ascii_case(ENGLISH) {
        return Some(&IN_ENGLISH);
    }
    ALL.iter()
        .find(|words| words.language.eq_ignore_ascii_case(tag))
}

/// The words that a script of this name has: English for a language that nobody has written yet.
pub(super) fn named(name: &str) -> Option<&'static Words> {
    let tag = name.strip_prefix("words-")?.strip_suffix(".js")?;
    let is_tag = (2..=3).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_lowercase());
    is_tag.then(|| by_subtag(tag).unwrap_or(&IN_ENGLISH))
}

/// The script that brings the words to a page.
pub(super) fn script(words: &Words, request: &Request) -> Response {
    // Text of our own can always be written.
    let own = serde_json::to_string(&words.own).unwrap_or_else(|_| "{}".to_owned());
    let learn = include_str!("../../../../pages/learn.js");
    let script = format!("window.mantelWords={own};\n{learn}");
    let tag = format!("\"{}\"", tag_of(script.as_bytes()));
    let builder = http::Response::builder()
        .header(header::CONTENT_TYPE, "text/javascript; charset=utf-8")
        .header(header::ETAG, &tag)
        .header(header::CACHE_CONTROL, "no-cache");
    if reply::is_known(&request.headers, &tag) {
        return reply::built(builder.status(http::StatusCode::NOT_MODIFIED), "");
    }
    reply::built(builder, script)
}

fn tag_of(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    hex(&sha2::Sha256::digest(bytes)[..8])
}

/// A page that differs by the language of who asks.
pub(in crate::endpoints) fn page(html: String) -> Response {
    let mut page = reply::page("text/html; charset=utf-8", html);
    let by_language = header::HeaderValue::from_static("accept-language");
    page.headers_mut().insert(header::VARY, by_language);
    page
}

impl Words {
    /// The words for these of English.
    pub(in crate::endpoints) fn say<'a>(&'a self, english: &'a str) -> &'a str {
        self.own.get(english).map_or(english, String::as_str)
    }

    /// The words for these of English, with a number in the place of `#`.
    pub(in crate::endpoints) fn with(&self, english: &str, number: impl ToString) -> String {
        self.say(english).replacen('#', &number.to_string(), 1)
    }

    /// A page of `server/pages/` in this language: its words stand in `{{ }}`.
    pub(in crate::endpoints) fn fill(&self, template: &str) -> String {
        let mut pieces = template.split("{{");
        let mut page = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            let (english, rest) = piece.split_once("}}").unwrap_or(("", piece));
            page.push_str(&reply::escaped(self.say(english)));
            page.push_str(rest);
        }
        page
    }
}

#[cfg(test)]
mod tests;
