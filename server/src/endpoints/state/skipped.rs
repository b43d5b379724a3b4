//! `GET /library/skipped`: the files that could not be shown and why, as JSON and as a page.

use std::{fmt::Write, sync::Arc};

use http::header;
use serde::Serialize;
use warp::reply::Response;

use crate::{
    blocking::Blocking,
    endpoints::{
        Outputs, Request,
        policy::InlineStyle,
        reply::{self, escaped},
    },
    library::Skipped,
    net::Refusal,
};

/// A page of more is no page for people; `mantel scan` prints them all.
const MAX_ROWS: u32 = 5000;

#[derive(Serialize)]
struct List {
    skipped: Vec<Skipped>,
}

pub(in crate::endpoints) async fn answer(
    outputs: &Arc<Outputs>,
    request: &Request,
) -> Result<Response, Refusal> {
    let library = outputs.house.library.clone();
    let skipped = Blocking::run(move |blocking| library.skipped(blocking, 0, MAX_ROWS)).await;
    let skipped =
        skipped.map_err(|_| Refusal::unavailable("the list of skipped files could not be read"))?;
    let accept = request
        .headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    if accept.contains("text/html") && !request.query.contains("format=json") {
        let mut page = reply::page("text/html; charset=utf-8", html(&skipped));
        page.extensions_mut().insert(InlineStyle);
        Ok(page)
    } else {
        Ok(reply::json(&List { skipped }))
    }
}

const PAGE: &str = include_str!("../../../pages/skipped.html");

fn html(skipped: &[Skipped]) -> String {
    let (mut page, rest) = reply::halves(PAGE);
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
    page.push_str(rest);
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
