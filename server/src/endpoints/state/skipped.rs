//! `GET /library/skipped`: the files that are not shown, or not all of them, and why, as JSON and as a page; what is no picture is counted.

use std::{fmt::Write, sync::Arc};

use serde::Serialize;
use warp::reply::Response;

use crate::{
    blocking::Blocking,
    endpoints::{
        Outputs, Request,
        policy::InlineStyle,
        reply::{self, escaped},
    },
    library::{Kinds, Skipped},
    net::Refusal,
};

/// A page of more is no page for people; `mantel scan` prints them all.
const MAX_ROWS: u32 = 5000;

#[derive(Serialize)]
struct List {
    /// Pictures that can't be shown.
    skipped: Vec<Skipped>,
    /// Files and folders that are left out on purpose.
    left_out: Vec<Skipped>,
    /// All of those, of which `left_out` has the first.
    n_left_out: u64,
    /// Files that are no pictures, by their kinds.
    others: Kinds,
}

pub(in crate::endpoints) async fn answer(
    outputs: &Arc<Outputs>,
    request: &Request,
) -> Result<Response, Refusal> {
    let library = outputs.house.library.clone();
    let list = Blocking::run(move |blocking| List {
        skipped: library.skipped(blocking, 0, MAX_ROWS),
        left_out: library.left_out(blocking, 0, MAX_ROWS),
        n_left_out: library.counts().left_out,
        others: library.others(),
    });
    let list = list
        .await
        .map_err(|_| Refusal::unavailable("the list of skipped files could not be read"))?;
    if request.wants_page() {
        let mut page = reply::page("text/html; charset=utf-8", html(&list));
        page.extensions_mut().insert(InlineStyle);
        Ok(page)
    } else {
        Ok(reply::json(&list))
    }
}

const PAGE: &str = include_str!("../../../pages/skipped.html");

fn html(list: &List) -> String {
    let (mut page, rest) = reply::halves(PAGE);
    let title = match list.skipped.iter().filter(|row| !row.shown).count() {
        0 => "Every picture can be shown".to_owned(),
        1 => "1 file can’t be shown".to_owned(),
        n => format!("{n} files can’t be shown"),
    };
    // Writing to a String can't fail.
    let _ = write!(page, "<h1>{title}</h1>");
    table(&mut page, &list.skipped);
    if !list.left_out.is_empty() {
        let _ = write!(
            page,
            "<h2>{} left out</h2><p><code>--show-left-out</code> shows them all the same.",
            list.n_left_out
        );
        table(&mut page, &list.left_out);
    }
    if !list.others.is_empty() {
        let others = list.others.sentence(|n| n.to_string());
        let _ = write!(page, "<h2>Beside the pictures</h2><p>{}", escaped(&others));
    }
    page.push_str(rest);
    page
}

fn table(page: &mut String, rows: &[Skipped]) {
    if rows.is_empty() {
        return;
    }
    page.push_str("<table><tr><th>File<th>Why</tr>");
    for row in rows {
        let shown = if row.shown { "shown, but " } else { "" };
        let (file, reason) = (escaped(&row.file), escaped(&row.reason));
        // Writing to a String can't fail.
        let _ = write!(page, "<tr><td>{file}<td>{shown}{reason}</tr>");
    }
    page.push_str("</table>");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(file: &str, reason: &str) -> String {
        let row = Skipped {
            file: file.into(),
            reason: reason.into(),
            not_now: false,
            shown: false,
        };
        let damaged = Skipped {
            shown: true,
            ..row.clone()
        };
        html(&List {
            skipped: vec![row.clone(), damaged],
            left_out: vec![row],
            n_left_out: 1,
            others: Kinds::default(),
        })
    }

    #[test]
    fn names_can_not_turn_the_page_around() {
        let page = page("holiday\u{202e}gpj.exe", "a");
        assert_eq!(page.matches("<td>holidaygpj.exe<td>").count(), 3);
    }

    #[test]
    fn what_is_shown_all_the_same_is_not_counted() {
        let page = page("a.jpg", "the file is cut off");
        assert!(page.contains("1 file can’t be shown"));
        assert!(page.contains("<td>a.jpg<td>shown, but the file is cut off"));
    }

    #[test]
    fn names_can_not_break_out_of_the_page() {
        let page = page("<script>alert(1)</script>.jpg", "a & b");
        assert!(!page.contains("<script>"));
        assert!(
            page.contains("&lt;script&gt;alert(1)&lt;/script&gt;.jpg")
                && page.contains("a &amp; b")
        );
        assert!(page.contains("1 file can’t be shown") && page.contains("1 left out"));
    }
}
