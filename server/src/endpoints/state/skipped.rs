//! `GET /library/skipped`: the files that could not be shown and why, as JSON and as a page.

use std::{fmt::Write, sync::Arc};

use http::header;
use serde::Serialize;
use warp::reply::Response;

use crate::endpoints::{
    Outputs, Request,
    policy::InlineStyle,
    reply::{self, escaped},
};
use crate::library::Skipped;

/// A page of more is no page for people; `mantel scan` prints them all.
const MAX_ROWS: u32 = 5000;

#[derive(Serialize)]
struct List {
    skipped: Vec<Skipped>,
}

pub(in crate::endpoints) fn answer(outputs: &Arc<Outputs>, request: &Request) -> Response {
    let skipped = outputs.library.skipped(0, MAX_ROWS);
    let accept = request
        .headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    if accept.contains("text/html") && !request.query.contains("format=json") {
        let mut page = reply::page("text/html; charset=utf-8", html(&skipped));
        page.extensions_mut().insert(InlineStyle);
        page
    } else {
        reply::json(&List { skipped })
    }
}

const HEAD: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
<meta name=\"viewport\" content=\"width=device-width\"><title>Skipped files – Mantel</title><style>\
body{font:16px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;background:#14161a;color:#e8e6e1}\
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.4em .8em .4em 0;border-bottom:1px solid #333;\
vertical-align:top;overflow-wrap:anywhere}th{color:#9a968c;font-weight:normal}a{color:#e2b96f}</style>";

fn html(skipped: &[Skipped]) -> String {
    let mut page = String::from(HEAD);
    let title = match skipped.len() {
        0 => "Every picture can be shown".to_owned(),
        1 => "1 file can’t be shown".to_owned(),
        n => format!("{n} files can’t be shown"),
    };
    // Writing to a String can't fail.
    let _ = write!(page, "<h1>{title}</h1>");
    if !skipped.is_empty() {
        page.push_str("<table><tr><th>File<th>Why</tr>");
        for Skipped { file, reason, .. } in skipped {
            let _ = write!(
                page,
                "<tr><td>{}<td>{}</tr>",
                escaped(file),
                escaped(reason)
            );
        }
        page.push_str("</table>");
    }
    page.push_str("<p><a href=\"../\">Back to the pictures</a></html>\n");
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_can_not_turn_the_page_around() {
        let skipped = [Skipped {
            file: "holiday\u{202e}gpj.exe".into(),
            reason: "a".into(),
            not_now: false,
        }];
        assert!(html(&skipped).contains("<td>holidaygpj.exe<td>"));
    }

    #[test]
    fn names_can_not_break_out_of_the_page() {
        let skipped = [Skipped {
            file: "<script>alert(1)</script>.jpg".into(),
            reason: "a & b".into(),
            not_now: false,
        }];
        let page = html(&skipped);
        assert!(!page.contains("<script>"));
        assert!(
            page.contains("&lt;script&gt;alert(1)&lt;/script&gt;.jpg")
                && page.contains("a &amp; b")
        );
        assert!(page.contains("1 file can’t be shown"));
    }
}
